"""What the DDL core makes of CREATE and ALTER TABLE is what a server's SHOW CREATE TABLE says.

usage: test_definitions.py DDL_CHECK [RECORD]
Each case is statements about table `t` of schema `db`; after each one the server is asked and ddl_check compares.
Then the server runs the CREATE TABLE that is rendered from each definition, which must be the same table again.
With RECORD, statements and answers are written there: tests/unit/ddl/definitions.txt is such a file.
"""
import os
import subprocess
import sys
import tempfile

import pymysql

sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(__file__), "../../..")))
from tests.integration.lib.mariadb_server import MariaDB  # noqa: E402

PREPARE = [
    "DROP DATABASE IF EXISTS db", "CREATE DATABASE db CHARACTER SET latin1", "USE db", "SET system_versioning_alter_history = KEEP",
    "CREATE TABLE p (id INT PRIMARY KEY, x INT, y INT, KEY (x), KEY (y, x))",
]

COLUMNS = """
a TINYINT, b SMALLINT UNSIGNED, c MEDIUMINT(5) ZEROFILL, d INT, e BIGINT UNSIGNED NOT NULL DEFAULT 5
a INT1, b INT2, c INT3, d INT4, e INT8, f MIDDLEINT, g INTEGER(3) SIGNED
a BOOL, b BOOLEAN NOT NULL DEFAULT TRUE, c TINYINT(1) DEFAULT FALSE, d INT DEFAULT -3, e INT DEFAULT +4, f INT DEFAULT '7'
a SERIAL, b INT
a INT AUTO_INCREMENT PRIMARY KEY, b INT UNIQUE, c INT UNIQUE KEY NOT NULL
a BIGINT SERIAL DEFAULT VALUE, b INT KEY
a DECIMAL, b DEC(5), c NUMERIC(10,2) DEFAULT 1.5, d FIXED(65,30), e DECIMAL(8,3) UNSIGNED ZEROFILL DEFAULT '0'
a FLOAT, b FLOAT(7,3), c FLOAT(24), d FLOAT(25), e DOUBLE, f DOUBLE PRECISION, g REAL, h DOUBLE(10,4) UNSIGNED, i FLOAT8, j FLOAT4
a FLOAT DEFAULT 1.50, b DOUBLE DEFAULT 1e3, c FLOAT(7,3) DEFAULT 1.5, d DOUBLE DEFAULT 0.1
a BIT, b BIT(13) DEFAULT b'101', c BIT(64), d BIT(3) NOT NULL DEFAULT 0x5, e BIT DEFAULT 1
a YEAR, b YEAR(4) DEFAULT 2001, c YEAR(2), d DATE DEFAULT '2020-01-02', e TIME DEFAULT '10:11', f TIME(3) DEFAULT '10:11:12'
a DATETIME DEFAULT '2020-01-02', b DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6), c DATETIME DEFAULT NOW() ON UPDATE NOW(), d DATETIME(3) DEFAULT '2020-01-02 03:04:05'
a TIMESTAMP, b TIMESTAMP NULL, c TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, d TIMESTAMP(6) NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP(6)
a TIMESTAMP NOT NULL DEFAULT LOCALTIMESTAMP ON UPDATE LOCALTIME(), b DATE DEFAULT CURDATE(), c DATETIME DEFAULT (NOW())
a CHAR, b CHAR(10), c CHARACTER(3), d CHAR(0), e CHAR(255), f VARCHAR(10), g CHARACTER VARYING(20), h VARCHAR(65000)
a NCHAR(5), b NATIONAL CHAR(5), c NVARCHAR(5), d NATIONAL VARCHAR(5), e NCHAR VARCHAR(5), f NATIONAL CHARACTER VARYING(6), g NCHAR VARYING(3)
a CHAR(3) CHARACTER SET utf8, b CHAR(3) CHARSET utf8mb4, c CHAR(3) COLLATE utf8mb4_bin, d CHAR(3) BINARY, e CHAR(3) ASCII, f CHAR(3) UNICODE, g CHAR(3) BYTE
a VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci, b VARCHAR(9) COLLATE latin1_bin, c VARCHAR(9) CHARACTER SET gbk, d VARCHAR(9) COLLATE utf8_bin
a VARCHAR(9) CHARACTER SET utf8mb4 COLLATE uca1400_as_ci, b VARCHAR(9) CHARSET utf8mb4 BINARY, c TEXT CHARACTER SET binary, d VARCHAR(4) CHARSET binary
a TINYTEXT, b TEXT, c MEDIUMTEXT, d LONGTEXT, e TEXT(100), f TEXT(255), g TEXT(256), h TEXT(70000), i TEXT(20000000), j LONG, k LONG VARCHAR
a TEXT(100) CHARACTER SET utf8mb4, b TEXT(20000) CHARACTER SET utf8mb4
a TINYBLOB, b BLOB, c MEDIUMBLOB, d LONGBLOB, e BLOB(100), f BLOB(70000), g LONG VARBINARY, h BINARY, i BINARY(3) DEFAULT 'a', j VARBINARY(9)
a ENUM('a','b ','c''d') DEFAULT 'b', b SET('x','y') NOT NULL DEFAULT 'x,y', c ENUM('é') CHARACTER SET utf8mb4, d ENUM('a','b') CHARACTER SET binary
a JSON, b JSON NOT NULL DEFAULT '[]', c JSON CHECK (JSON_LENGTH(c) > 0), d LONGTEXT CHECK (JSON_VALID(d))
a GEOMETRY, b POINT NOT NULL, c LINESTRING, d POLYGON, e MULTIPOINT, f MULTILINESTRING, g MULTIPOLYGON, h GEOMETRYCOLLECTION
a INET4, b INET6 NOT NULL DEFAULT '::', c UUID DEFAULT UUID()
a INT COMMENT 'it''s "a" \\\\ b', b INT COMMENT '', c INT INVISIBLE DEFAULT 1
a INT, b INT AS (a + 1), c INT GENERATED ALWAYS AS (a * 2) STORED, d INT AS (a) PERSISTENT COMMENT 'x', e VARCHAR(20) AS (CONCAT(a, 'x')) VIRTUAL
a TEXT COMPRESSED, b VARCHAR(100) COMPRESSED, c BLOB COMPRESSED=zlib
a INT CHECK (a > 0), b INT, CHECK (b > a), CONSTRAINT named CHECK (b < 100)
a VARCHAR(10) DEFAULT 'it''s', b VARCHAR(10) DEFAULT 'a\\\\b', c VARCHAR(10) DEFAULT 0x4142, d VARCHAR(10) DEFAULT 5, e TEXT DEFAULT 'x', f VARCHAR(5) DEFAULT ''
a INT DEFAULT (1 + 2), b INT DEFAULT (5), c VARCHAR(36) DEFAULT (UUID()), d INT DEFAULT 0x41
a INT, b INT, PRIMARY KEY (a, b), KEY (b), UNIQUE (b, a), INDEX named USING BTREE (a)
a INT, b VARCHAR(50), c TEXT, KEY (b(10)), KEY k (c(20)), UNIQUE u (c(5)), FULLTEXT ft (c), KEY (b(50)), KEY desc_k (a DESC, b)
a INT NOT NULL, b INT, c INT NOT NULL, UNIQUE n (b), UNIQUE m (a), KEY (c), UNIQUE o (c, b), PRIMARY KEY (c)
a INT, KEY (a), KEY (a), KEY (a), KEY a_9 (a)
a INT PRIMARY KEY, KEY x (a) KEY_BLOCK_SIZE=4 COMMENT 'c', KEY y (a) IGNORED
a VARCHAR(2000) CHARACTER SET utf8mb4, b TEXT, KEY (a), KEY (b), UNIQUE (b)
a INT, FOREIGN KEY (a) REFERENCES p (id)
a INT, b INT, CONSTRAINT fk FOREIGN KEY (a) REFERENCES p (id) ON DELETE CASCADE ON UPDATE SET NULL, FOREIGN KEY ix (b) REFERENCES p (x) ON DELETE NO ACTION
a INT REFERENCES p (id) ON DELETE SET NULL, b INT, KEY (b), FOREIGN KEY (b) REFERENCES p (x)
a INT, b INT, KEY both_k (a, b), FOREIGN KEY (a) REFERENCES p (id), FOREIGN KEY (a, b) REFERENCES p (y, x)
a INT, FOREIGN KEY (a) REFERENCES db.p (id), c INT
`we``ird` INT, `key` INT, `sel ect` VARCHAR(3), ünï INT, `1a` INT, 2b INT, $x INT
a INT, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START, e TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e), PRIMARY KEY (a)) WITH SYSTEM VERSIONING -- (
a INT, s DATE, e DATE, PERIOD FOR app (s, e)
a INT WITHOUT SYSTEM VERSIONING, b INT WITH SYSTEM VERSIONING
a INT /* comment */, -- another
# third
b /*!50000 BIGINT */ /*!50701 UNSIGNED */ /*M!100000 NOT NULL */, c /*!999999 oops */ INT
"""

TYPED = r"""
id int(11) unsigned not null auto_increment, created timestamp not null default current_timestamp on update current_timestamp, data json default null check (json_valid(data)), primary key(id)
id bigint(20) unsigned NOT NULL auto_increment, post_date datetime NOT NULL default '0000-00-00 00:00:00', post_title text NOT NULL, post_status varchar(20) NOT NULL default 'publish', guid varchar(255) NOT NULL default '', PRIMARY KEY (id), KEY post_name (guid(191)), KEY type_status_date (post_status,post_date,id)
a INT NOT NULL DEFAULT '0', b DECIMAL(5,2) DEFAULT -1.5, c DECIMAL(5,2) NOT NULL DEFAULT '+2', d TINYINT(1) NOT NULL DEFAULT '1', e SMALLINT NULL DEFAULT NULL
a INT PRIMARY KEY COMMENT 'x', b INT COMMENT 'y' UNIQUE NOT NULL
a INT, b INT, CONSTRAINT PRIMARY KEY USING BTREE (a), CONSTRAINT u UNIQUE INDEX v (b) USING HASH
a INT, CONSTRAINT pk PRIMARY KEY (a), INDEX USING BTREE (a), KEY k (a) USING BTREE
a VARCHAR(255) CHARACTER SET latin1 COLLATE latin1_bin NOT NULL DEFAULT 'x', b VARCHAR(9) NOT NULL COLLATE utf8mb4_general_ci DEFAULT 'y' COMMENT 'z'
a VARCHAR(9) COLLATE utf8mb4_unicode_520_ci, b VARCHAR(9) CHARSET cp1251, c VARCHAR(9) CHARSET ucs2, d VARCHAR(9) CHARSET utf32, e VARCHAR(9) CHARSET sjis COLLATE sjis_bin
a ENUM('x,y','(z)','"q"','\\','é') DEFAULT '(z)', b SET('a b','c''d')
a INT CHECK (a IN (1, 2) AND a <> 3), b VARCHAR(9) CHECK (b IN ('(', ')', '''')), c INT, CONSTRAINT cc CHECK (c > a OR c IS NULL)
a INT, b INT AS (IF(a > 0, a, -a)) STORED, c VARCHAR(20) AS (CONCAT('x(', a, ')')) VIRTUAL, d VARCHAR(10) GENERATED ALWAYS AS (LEFT(c, 10)) STORED, KEY (c), KEY (b)
a JSON, b VARCHAR(20) AS (JSON_VALUE(a, '$.b')) VIRTUAL, KEY (b)
a VARCHAR(40) DEFAULT (CONCAT('a', 'b')), b DATETIME DEFAULT (CURRENT_TIMESTAMP() + INTERVAL 1 DAY), c INT DEFAULT (FLOOR(2.5)), d VARCHAR(9) DEFAULT USER()
a INT DEFAULT (1 + 1), b INT DEFAULT ((3)), c VARCHAR(9) DEFAULT ('x'), d INT DEFAULT (-1)
date DATE, time TIME, text TEXT, status INT, type INT, comment VARCHAR(3), value INT, count INT, user VARCHAR(3), data TEXT, year YEAR, level INT, engine INT, position INT, end INT, start INT, system INT, period INT, visible INT, hash INT, key_block_size INT
first INT, after INT, action INT, at INT, begin INT, bit BIT, bool BOOL, byte INT, cache INT, charset INT, columns INT, current INT, datetime DATETIME, enum ENUM('a'), hour INT, invisible INT, language INT, local INT, names INT, partitions INT, password INT, role INT, row INT, session INT, timestamp TIMESTAMP, unicode INT, view INT
point POINT REF_SYSTEM_ID=4326 NOT NULL, SPATIAL INDEX (point), SPATIAL KEY gg (point)
a TEXT, b TEXT, FULLTEXT (a), FULLTEXT KEY ab (a, b), FULLTEXT INDEX (b)
a DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), b TIMESTAMP(3) DEFAULT '2020-01-01 00:00:00'
a BINARY(16) NOT NULL PRIMARY KEY, b VARBINARY(10) DEFAULT 'ab', c BLOB DEFAULT 'x', d BINARY(2) DEFAULT 0x4142
a BIT(8) DEFAULT 255, b BIT(1) DEFAULT b'0', c BIT(4) DEFAULT 0b1010, d INT DEFAULT b'11'
a INT ZEROFILL, b INT(5) UNSIGNED ZEROFILL DEFAULT 7, c DECIMAL(6,2) ZEROFILL DEFAULT 1
a INT UNSIGNED, c INT, FOREIGN KEY (c) REFERENCES p (id) ON UPDATE CASCADE ON DELETE SET NULL, CONSTRAINT n1 FOREIGN KEY n2 (c) REFERENCES p (x) MATCH FULL
a INT, b INT, c INT, UNIQUE (a, b), UNIQUE (b, c), KEY (a), KEY (c), KEY (a, c)
a CHAR(10), b CHAR(10), KEY (a(5), b), KEY (a(10)), UNIQUE (b(3))
a VARCHAR(3) DEFAULT NULL NULL, b INT NULL DEFAULT 3 UNIQUE, c INT NOT NULL DEFAULT 3 COMMENT 'q' CHECK (c > 1)
a VARCHAR(4000), b VARCHAR(4000) CHARACTER SET utf8mb4, UNIQUE (a), UNIQUE (b), KEY (b), KEY (a)
a INT, b INT INVISIBLE, c INT INVISIBLE DEFAULT 5, d VARCHAR(9) AS (a) VIRTUAL INVISIBLE
a INT,b INT,PRIMARY KEY(a,b),KEY(b,a),UNIQUE KEY`q`(b)
`a` int(11) NOT NULL,`b`int(11)DEFAULT NULL,PRIMARY KEY(`a`)USING BTREE
a INT PRIMARY KEY,b INT DEFAULT'5',c VARCHAR(5)DEFAULT"x"
a DOUBLE(5,2) DEFAULT 1.5, b FLOAT DEFAULT 0.1, c DOUBLE DEFAULT 123456789.123, d FLOAT DEFAULT -2.5, e DOUBLE DEFAULT 0
a YEAR DEFAULT '2020', b DATE DEFAULT '2020-02-03', c TIME(2) DEFAULT '01:02:03.5', d DATETIME(2) DEFAULT '2020-01-01 01:02:03.50'
a INET6 DEFAULT '::1', b INET4 DEFAULT '127.0.0.1', c UUID DEFAULT '123e4567-e89b-12d3-a456-426655440000'
a INT, b INT, c INT, d INT, e INT, f INT, g INT, h INT, KEY (a, b, c, d), KEY z (h DESC, g ASC, f)
a LONG VARCHAR CHARACTER SET utf8mb4, b LONG CHAR VARYING, c TEXT BINARY, d ENUM('a') BINARY, e TEXT UNICODE, f CHAR(3) BINARY CHARACTER SET utf8mb4
"""

# With explicit_defaults_for_timestamp = 0.
IMPLICIT = """
a TIMESTAMP, b TIMESTAMP, c TIMESTAMP NULL, d TIMESTAMP NOT NULL
a INT, b TIMESTAMP(3), c TIMESTAMP(6)
a TIMESTAMP DEFAULT 0, b TIMESTAMP
a TIMESTAMP NULL, b TIMESTAMP
a TIMESTAMP NOT NULL ON UPDATE CURRENT_TIMESTAMP, b TIMESTAMP
a TIMESTAMP DEFAULT CURRENT_TIMESTAMP, b TIMESTAMP ON UPDATE CURRENT_TIMESTAMP
a TIMESTAMP NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP, b DATETIME
"""
IMPLICIT_ALTERS = """
ADD f TIMESTAMP
ADD f TIMESTAMP NULL, ADD g TIMESTAMP
ADD f TIMESTAMP AFTER a, MODIFY b TIMESTAMP
"""

OPTIONS = """
(a VARCHAR(5)) CHARSET utf8mb4
(a VARCHAR(5)) DEFAULT CHARACTER SET = utf8 COLLATE = utf8_bin
(a VARCHAR(5)) COLLATE latin1_bin COMMENT='it''s' ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8
(a INT) ENGINE=MyISAM MAX_ROWS=5 CHECKSUM 1, AUTO_INCREMENT=100 COMMENT "x"
(a INT) ENGINE InnoDB STATS_PERSISTENT=1 PAGE_COMPRESSED=1
(a INT PRIMARY KEY) WITH SYSTEM VERSIONING
(a VARCHAR(5), b CHAR(3), c TEXT) CHARSET=binary
(a INT) PARTITION BY HASH (a) PARTITIONS 4
(a INT, b VARCHAR(9)) PARTITION BY KEY (a)
(a INT) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)
(a DATE) PARTITION BY RANGE (YEAR(a)) (PARTITION p0 VALUES LESS THAN (2000) ENGINE = InnoDB, PARTITION p1 VALUES LESS THAN (2010) ENGINE InnoDB)
(a INT, b VARCHAR(9)) PARTITION BY LIST COLUMNS (b) (PARTITION p0 VALUES IN ('a', 'b'), PARTITION p1 VALUES IN ('c'))
(a INT, b DATE) PARTITION BY RANGE COLUMNS (b, a) (PARTITION p0 VALUES LESS THAN ('2000-01-01', 5), PARTITION p1 VALUES LESS THAN (MAXVALUE, MAXVALUE))
(a INT, b INT) PARTITION BY RANGE (a) SUBPARTITION BY HASH (b) SUBPARTITIONS 2 (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))
"""

BASE = ("CREATE TABLE t (a INT NOT NULL, b INT, c VARCHAR(20) DEFAULT 'x', d TEXT, e INT DEFAULT 3, PRIMARY KEY (a), "
        "KEY kb (b), UNIQUE uc (c), CONSTRAINT ck CHECK (e > 0))")

ALTERS = """
ADD COLUMN f INT
ADD f INT FIRST
ADD COLUMN f INT AFTER b, ADD g INT AFTER f, ADD h INT FIRST, ADD i INT
ADD COLUMN (f INT, g VARCHAR(5), KEY (f))
ADD COLUMN IF NOT EXISTS f INT, ADD COLUMN IF NOT EXISTS b INT
ADD f INT UNIQUE, ADD g INT CHECK (g > 1)
ADD f TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, ADD g DATETIME(3) DEFAULT '2020-01-01'
DROP COLUMN d
DROP d, DROP COLUMN IF EXISTS nothing
DROP COLUMN b
DROP COLUMN d, ADD COLUMN d BLOB FIRST
MODIFY b BIGINT UNSIGNED NOT NULL DEFAULT 7
MODIFY COLUMN IF EXISTS b VARCHAR(10) AFTER e, MODIFY IF EXISTS nothing INT
MODIFY d TEXT FIRST, MODIFY e INT AFTER d
MODIFY a INT AUTO_INCREMENT
MODIFY c VARCHAR(30) CHARACTER SET utf8mb4
CHANGE b bb BIGINT, CHANGE COLUMN c cc VARCHAR(30) FIRST
CHANGE b e INT, CHANGE e b INT
CHANGE a id BIGINT NOT NULL AUTO_INCREMENT
RENAME COLUMN b TO bb, RENAME COLUMN IF EXISTS nothing TO n
RENAME COLUMN b TO x, ADD COLUMN b INT
ALTER b SET DEFAULT 5, ALTER COLUMN c DROP DEFAULT, ALTER e DROP DEFAULT
ALTER COLUMN c SET DEFAULT 'it''s', ALTER b SET DEFAULT (1 + 1)
ADD KEY (e), ADD INDEX IF NOT EXISTS kb (e), ADD UNIQUE KEY (e, b), ADD FULLTEXT INDEX ft (d)
ADD INDEX ke USING BTREE (e) COMMENT 'x', ADD KEY kd (d(10)), ADD CONSTRAINT cu UNIQUE (e)
DROP KEY kb, DROP INDEX IF EXISTS nothing, ADD KEY kb (e)
DROP PRIMARY KEY, ADD PRIMARY KEY (e)
DROP PRIMARY KEY
DROP PRIMARY KEY, ADD PRIMARY KEY (b, a)
RENAME INDEX kb TO kz, RENAME KEY uc TO ux
ADD CONSTRAINT c2 CHECK (b < 5), DROP CONSTRAINT ck, ADD CHECK (a > 5)
DROP CONSTRAINT IF EXISTS nothing, DROP CONSTRAINT uc
ADD FOREIGN KEY (b) REFERENCES p (id)
DROP CONSTRAINT ck, ADD CONSTRAINT f1 FOREIGN KEY (e) REFERENCES p (x) ON DELETE SET NULL, ADD FOREIGN KEY ix (b) REFERENCES p (id)
CONVERT TO CHARACTER SET utf8mb4
CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
CONVERT TO CHARSET binary
DEFAULT CHARSET=utf8mb4, ADD f VARCHAR(5)
DEFAULT CHARACTER SET utf8 COLLATE utf8_bin, ADD COLUMN f VARCHAR(5)
COLLATE utf8mb4_bin
COMMENT='new', ROW_FORMAT=DYNAMIC
COMMENT 'new' ENGINE=InnoDB
ENGINE=MyISAM
ORDER BY b, a DESC
FORCE, ALGORITHM=COPY, LOCK=SHARED
ADD f INT, ALGORITHM=INPLACE, LOCK=NONE
DISABLE KEYS
AUTO_INCREMENT=100
ADD SYSTEM VERSIONING
DROP KEY uc, ADD f INT PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (5), PARTITION p1 VALUES LESS THAN MAXVALUE)
ADD f INT INVISIBLE, ADD g INT AS (a + 1) STORED
DROP PRIMARY KEY, ADD CONSTRAINT PRIMARY KEY (b)
WAIT 5 ADD f INT
ADD comment TEXT, ADD engine INT FIRST
CHANGE b comment TEXT, MODIFY d TEXT COMMENT 'x'
CHANGE COLUMN c c VARCHAR(99) NOT NULL DEFAULT 'y' COMMENT 'z' AFTER a
MODIFY b INT UNSIGNED ZEROFILL NULL DEFAULT NULL COMMENT 'x' AFTER e
ADD UNIQUE INDEX uq USING BTREE (b ASC, e DESC)
ADD CONSTRAINT fq FOREIGN KEY IF NOT EXISTS (b) REFERENCES p (id), DROP FOREIGN KEY IF EXISTS nothing
ADD CONSTRAINT cq CHECK (b IN (1, 2)), ADD COLUMN f INT CHECK (f > 0) AFTER b
AUTO_INCREMENT 5, ROW_FORMAT = DYNAMIC
ENGINE = InnoDB ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 8
CONVERT TO CHARACTER SET 'utf8mb4' COLLATE 'utf8mb4_bin'
CHARSET utf8
DEFAULT COLLATE utf8mb4_unicode_ci
CHARACTER SET = utf8mb4
CONVERT TO CHARACTER SET utf8mb4, MODIFY c VARCHAR(30)
CONVERT TO CHARACTER SET utf8mb4, ADD f VARCHAR(30), ADD g VARCHAR(3) CHARACTER SET latin1
DROP CONSTRAINT ck, DROP COLUMN e
DROP COLUMN c, DROP COLUMN b
DROP INDEX kb, DROP INDEX uc, DROP PRIMARY KEY, ADD PRIMARY KEY (a, b)
MODIFY a BIGINT, MODIFY b BIGINT, MODIFY e BIGINT DEFAULT 4
ADD COLUMN f INT DEFAULT 0 NOT NULL, ADD INDEX (f), ADD INDEX (f, b)
ADD INDEX kc (c(5)), ADD INDEX (c(20)), ADD INDEX (d(3000))
MODIFY c TEXT, ADD KEY (c(10))
DROP KEY uc, MODIFY c VARCHAR(5000), ADD KEY uc (c)
RENAME COLUMN a TO z, RENAME COLUMN d TO a
RENAME COLUMN b TO d, RENAME COLUMN d TO b
ADD COLUMN f DATETIME DEFAULT NOW(), ADD COLUMN g TIMESTAMP DEFAULT NOW() NOT NULL
ADD x POINT NOT NULL, ADD SPATIAL INDEX (x)
COMMENT = ''
ALTER b SET DEFAULT NULL, ALTER c SET DEFAULT NULL
ADD COLUMN j JSON, ADD COLUMN k JSON NOT NULL DEFAULT '{}'
ALGORITHM INPLACE, LOCK NONE, ADD f INT
ADD KEY b (b), ADD KEY (b), ADD KEY (b)
ALTER INDEX kb IGNORED
ALTER e DROP DEFAULT
CHANGE e ee INT, ADD z INT CHECK (z > 0)
"""

SEQUENCES = [
    [BASE.replace("UNIQUE uc (c),", ""), "ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (a, b)",
     "ALTER TABLE t PARTITION BY HASH (a) PARTITIONS 3",
     "ALTER TABLE t ADD PARTITION PARTITIONS 2", "ALTER TABLE t COALESCE PARTITION 1", "ALTER TABLE t REMOVE PARTITIONING"],
    ["CREATE TABLE t (a INT) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))",
     "ALTER TABLE t ADD PARTITION (PARTITION p2 VALUES LESS THAN (30), PARTITION p3 VALUES LESS THAN MAXVALUE)",
     "ALTER TABLE t REORGANIZE PARTITION p3 INTO (PARTITION p4 VALUES LESS THAN (50), PARTITION p5 VALUES LESS THAN MAXVALUE)",
     "ALTER TABLE t TRUNCATE PARTITION p1", "ALTER TABLE t DROP PARTITION p0, p2", "ALTER TABLE t REBUILD PARTITION ALL",
     "ALTER TABLE t CONVERT PARTITION p1 TO TABLE other"],
    ["CREATE TABLE t (a INT) PARTITION BY LIST (a) (PARTITION p0 VALUES IN (1, 2), PARTITION p1 VALUES IN (3))",
     "ALTER TABLE t ADD PARTITION IF NOT EXISTS (PARTITION p2 VALUES IN (4))", "ALTER TABLE t DROP PARTITION IF EXISTS p9, p0"],
    ["CREATE TABLE t (a INT, b INT)", "CREATE INDEX i ON t (a)", "CREATE UNIQUE INDEX u USING BTREE ON t (b, a) COMMENT 'x'",
     "CREATE OR REPLACE INDEX i ON t (b)", "CREATE INDEX IF NOT EXISTS i ON t (a)", "DROP INDEX i ON t",
     "DROP INDEX IF EXISTS i ON t", "CREATE INDEX j ON t (a DESC, b) ALGORITHM=INPLACE LOCK=NONE"],
    ["CREATE TABLE t (a INT PRIMARY KEY)", "DROP INDEX `PRIMARY` ON t"],
    ["CREATE TABLE t (a INT, FOREIGN KEY (a) REFERENCES p (id))", "ALTER TABLE t ADD b INT, ADD FOREIGN KEY (b) REFERENCES p (x)",
     "ALTER TABLE t DROP FOREIGN KEY t_ibfk_1", "ALTER TABLE t ADD KEY ka (a), DROP KEY a, ADD CONSTRAINT FOREIGN KEY (a) REFERENCES p (x)",
     "ALTER TABLE t DROP FOREIGN KEY t_ibfk_2, DROP FOREIGN KEY t_ibfk_3, DROP COLUMN a"],
    ["CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(10)) WITH SYSTEM VERSIONING", "ALTER TABLE t ADD c INT",
     "ALTER TABLE t ADD d INT FIRST, DROP b", "ALTER TABLE t DROP SYSTEM VERSIONING"],
    ["CREATE TABLE t (a INT, s DATE, e DATE)", "ALTER TABLE t ADD PERIOD FOR app (s, e)", "ALTER TABLE t DROP PERIOD FOR app"],
    ["CREATE TABLE t (a TINYTEXT, b TEXT, c MEDIUMTEXT, d VARCHAR(10), e CHAR(5), f TEXT CHARACTER SET utf8mb3, g ENUM('a'), "
     "h TEXT COLLATE latin1_bin, i BLOB, j JSON)", "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4",
     "ALTER TABLE t CONVERT TO CHARACTER SET latin1", "ALTER TABLE t CONVERT TO CHARACTER SET DEFAULT"],
    ["CREATE TABLE t (a INT, b INT, KEY (a), KEY (a, b), KEY (b))", "ALTER TABLE t DROP a", "ALTER TABLE t CHANGE b c INT NOT NULL"],
    ["CREATE TABLE t (a INT, b INT, UNIQUE (a))", "ALTER TABLE t MODIFY a INT NOT NULL", "ALTER TABLE t ADD UNIQUE (b)",
     "ALTER TABLE t MODIFY b INT NOT NULL", "ALTER TABLE t MODIFY a INT"],
    ["CREATE TABLE t (a INT)", "ALTER TABLE t ADD COLUMN b INT, ADD COLUMN c INT AFTER b, ADD COLUMN d INT AFTER a, MODIFY a BIGINT AFTER c"],
    ["CREATE TABLE t (a JSON)", "ALTER TABLE t MODIFY a LONGTEXT", "ALTER TABLE t MODIFY a JSON NOT NULL"],
]

IMPLICIT_SESSION = "SET explicit_defaults_for_timestamp = 0"
EXPLICIT_SESSION = "SET explicit_defaults_for_timestamp = 1"
RELAXED = {"CREATE TABLE t (a VARCHAR(30000) CHARACTER SET utf8mb4, b VARCHAR(70000), c VARBINARY(70000), d VARCHAR(20000000))"}


def cases():
    yield [IMPLICIT_SESSION]
    for line in IMPLICIT.strip().split("\n"):
        yield ["CREATE TABLE t (" + line + ")"]
    for line in IMPLICIT_ALTERS.strip().split("\n"):
        yield [BASE, "ALTER TABLE t " + line]
    yield [EXPLICIT_SESSION]
    text = COLUMNS.replace("/* comment */, -- another\n# third\n", "/* comment */, -- another\r# third\r")
    for line in text.strip().split("\n"):
        yield ["CREATE TABLE t (" + line.replace("\r", "\n") + ")"]
    for line in TYPED.strip().split("\n"):
        yield ["CREATE TABLE t (" + line + ")"]
    for line in OPTIONS.strip().split("\n"):
        yield ["CREATE TABLE t " + line]
    for line in ALTERS.strip().split("\n"):
        yield [BASE, "ALTER TABLE t " + line]
    yield from SEQUENCES
    for statement in RELAXED:
        yield [statement]


def show_create(cursor):
    cursor.execute("SHOW CREATE TABLE t")
    return cursor.fetchone()[1]


def ask(connection):
    """Runs every case; returns the text for ddl_check and the statements that the server refused."""
    cursor = connection.cursor()
    records, refused = [], []
    for statement in PREPARE:
        cursor.execute(statement)
    for case in cases():
        if case[0] in (IMPLICIT_SESSION, EXPLICIT_SESSION):
            cursor.execute(case[0])
            records += ["@explicit_defaults_for_timestamp", case[0][-1]]
            continue
        cursor.execute("DROP TABLE IF EXISTS t, other")
        cursor.execute("SET sql_mode = %s", ("" if case[0] in RELAXED else "STRICT_TRANS_TABLES",))
        for number, statement in enumerate(case):
            try:
                cursor.execute(statement)
            except pymysql.Error as error:
                refused.append(f"{statement}\n    the server refuses it: {error}")
                break
            records += ["@alter" if number else "@create", statement, "@show", show_create(cursor)]
    return "\n".join(records) + "\n", refused


def ask_again(connection, rendered):
    """Runs what was rendered; returns the text for ddl_check and the statements that the server refused."""
    cursor = connection.cursor()
    records, refused = [], []
    cursor.execute("SET sql_mode = ''")
    for text in rendered.split("@shown\n")[1:]:
        shown, statement = text.split("@render\n")
        cursor.execute("DROP TABLE IF EXISTS t")
        try:
            cursor.execute(statement)
        except pymysql.Error as error:
            refused.append(f"{statement}\n    the server refuses it: {error}")
            continue
        records += ["@shown", shown.rstrip("\n"), "@show", show_create(cursor)]
    return "\n".join(records) + "\n", refused


def compare(check, records, *rendered):
    return subprocess.run([check, "-", *rendered], input=records.encode(), timeout=60).returncode == 0


def main():
    check = sys.argv[1]
    server = MariaDB("ddl", 1)
    server.start()
    try:
        with server.connect() as connection, tempfile.NamedTemporaryFile("r") as rendered:
            records, refused = ask(connection)
            good = compare(check, records, rendered.name)
            again, more = ask_again(connection, rendered.read())
            good = compare(check, again) and good
    finally:
        server.stop()
        server.remove()
    print("\n".join(refused + more))
    if len(sys.argv) > 2:
        with open(sys.argv[2], "w") as file:
            file.write(records)
    return 0 if good and not refused and not more else 1


if __name__ == "__main__":
    sys.exit(main())
