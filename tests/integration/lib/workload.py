"""A load of row changes by several writers, mixed with schema changes of every kind Sluice carries.

Deterministic in what is tried (the seed), not in how writers interleave. Writers know only the columns id, a and b of
every table; schema changes come and go around them, so that errors of a table or column that is gone are part of the
load and not counted.
"""
import multiprocessing
import random
import threading
import time

import pymysql

GONE = {1146, 1054, 1049, 1051, 1091, 1136, 1412, 1364, 1205, 1213, 1015, 1017, 1020, 1100, 1062,
        1064, 1347, 1288, 1451, 1452, 1526}


def table_names(schemas, tables):
    return [(f"w{i % schemas}", f"t{i:03d}") for i in range(tables)]


BASE_COLUMNS = """(id BIGINT NOT NULL AUTO_INCREMENT, a INT NOT NULL DEFAULT 0, b VARCHAR(120),
 c DECIMAL(14,4) DEFAULT 1.5, d DATETIME(3) DEFAULT '2020-01-02 03:04:05.678', e TEXT,
 f DOUBLE DEFAULT 0.1, g ENUM('x','y','zäh') DEFAULT 'y', h TIMESTAMP(6) NULL DEFAULT NULL,
 i BINARY(5) DEFAULT 'ab', PRIMARY KEY (id){extra}) DEFAULT CHARSET={charset}"""


def create_tables(server, schemas, tables):
    with server.connect() as connection, connection.cursor() as cursor:
        for number in range(schemas):
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS w{number} DEFAULT CHARSET utf8mb4")
        for number, (schema, name) in enumerate(table_names(schemas, tables)):
            extra = [", KEY ka (a)", ", UNIQUE KEY ub (b, id)", "", ""][number % 4]
            charset = ["utf8mb4", "latin1", "utf8mb4", "utf8mb3"][number % 4]
            cursor.execute(f"CREATE TABLE {schema}.{name} "
                           + BASE_COLUMNS.format(extra=extra, charset=charset))


class Writer(multiprocessing.Process):
    def __init__(self, connect, seed, tables, share, counter, stop, released=None):
        super().__init__(daemon=True)
        self.connect, self.seed, self.tables = connect, seed, tables
        self.share, self.counter, self.stop, self.released = share, counter, stop, released

    def hold(self, done):
        while self.released and done > self.share * self.released.value and not self.stop.is_set():
            time.sleep(0.01)

    def run(self):
        self.random = random.Random(self.seed)
        connection = self.connect(autocommit=False)
        done = 0
        while done < self.share and not self.stop.is_set():
            self.hold(done)
            try:
                with connection.cursor() as cursor:
                    changed = self.transaction(cursor)
                if self.random.random() < 0.03:
                    connection.rollback()
                    continue
                connection.commit()
                done += changed
                with self.counter.get_lock():
                    self.counter.value += changed
            except pymysql.err.MySQLError as error:
                connection.rollback()
                if error.args[0] not in GONE:
                    raise
        connection.close()

    def transaction(self, cursor):
        changed = 0
        for _ in range(self.random.choice((1, 1, 1, 2, 4))):
            changed += self.statement(cursor, *self.random.choice(self.tables))
        return changed

    def text(self):
        word = self.random.choice(("grün", "naïve", "plain", "a'b\\c", "ÿ", ""))
        return word + str(self.random.randrange(1 << 40))

    def statement(self, cursor, schema, table):
        kind = self.random.random()
        name = f"{schema}.{table}"
        low = self.random.randrange(1, 4000)
        if kind < 0.62:
            rows = [(self.random.randrange(-2**31, 2**31), self.text())
                    for _ in range(self.random.randrange(1, 40))]
            return cursor.executemany(f"INSERT INTO {name} (a, b) VALUES (%s, %s)", rows)
        if kind < 0.85:
            return cursor.execute(f"UPDATE {name} SET a = a DIV 2 + %s, b = %s "
                                  f"WHERE id BETWEEN %s AND %s",
                                  (self.random.randrange(1000), self.text(), low, low + 25))
        if kind < 0.93:
            return cursor.execute(f"DELETE FROM {name} WHERE id BETWEEN %s AND %s",
                                  (low, low + self.random.randrange(6)))
        if kind < 0.96:
            return cursor.execute(f"UPDATE {name} SET id = id + 1000000 WHERE id = %s", (low,))
        if kind < 0.98:
            return cursor.execute(f"REPLACE INTO {name} (id, a, b) VALUES (%s, 7, %s)",
                                  (low, self.text()))
        cursor.execute("SAVEPOINT s")
        cursor.execute(f"INSERT INTO {name} (a, b) VALUES (1, 'undone')")
        cursor.execute("ROLLBACK TO SAVEPOINT s")
        return cursor.execute(f"INSERT INTO {name} (a, b) VALUES (2, %s)", (self.text(),))


class SchemaChanges:
    """Runs one schema change after another; every carried one is noted with a mark that is found in the sink's log."""

    def __init__(self, connection, seed, tables, kinds, first=0):
        self.connection = connection
        self.random = random.Random(seed)
        self.tables = tables
        self.kinds = kinds
        self.number = first  # names are made from it
        self.due = []
        self.carried = []  # (mark, or None where the server writes the statement anew; statement)
        self.skipped = []

    def run(self, statement, *parameters, schema=None):
        """One carried statement; the mark is a comment inside, or the names of what is dropped."""
        mark = f"/*m{self.number:05d}*/"
        self.number += 1
        verb, rest = statement.split(" ", 1)
        text = statement if verb == "DROP" and rest.startswith(("TABLE", "VIEW")) \
            else f"{verb} {mark} {rest}"
        with self.connection.cursor() as cursor:
            if schema:
                cursor.execute(f"USE {schema}")
            cursor.execute(text, parameters or None)
        rewritten = text == statement or " AS SELECT " in statement
        self.carried.append((None if rewritten else mark, statement))

    def plain(self, statement):
        with self.connection.cursor() as cursor:
            cursor.execute(statement)

    def note_skipped(self, statement):
        self.plain(statement)
        self.skipped.append(statement)

    def step(self):
        """The next kind; each comes once before any comes again."""
        if not self.due:
            self.due = self.random.sample(self.kinds, len(self.kinds))
        getattr(self, self.due.pop())(*self.random.choice(self.tables), self.number)

    def step_among_others(self):
        """The same, where another may have taken away what the step is about."""
        try:
            self.step()
        except pymysql.err.MySQLError as error:
            self.connection.rollback()
            if error.args[0] not in GONE:
                raise

    # Row-carrying tables keep id, a, b.
    def add_column(self, schema, table, n):
        self.run(f"ALTER TABLE {schema}.{table} ADD COLUMN n{n} INT NOT NULL DEFAULT {n}")

    def add_and_drop_column(self, schema, table, n):
        self.run(f"ALTER TABLE {schema}.{table} ADD COLUMN p{n} VARCHAR(20) DEFAULT 'pü' AFTER a")
        self.run(f"ALTER TABLE {schema}.{table} DROP COLUMN p{n}")

    def modify_column(self, schema, table, n):
        self.run(f"ALTER TABLE {schema}.{table} MODIFY b VARCHAR({130 + n % 90})")

    def change_column(self, schema, table, n):
        self.run(f"ALTER TABLE {schema}.{table} ADD COLUMN q{n} SMALLINT DEFAULT 3")
        self.run(f"ALTER TABLE {schema}.{table} CHANGE q{n} r{n} BIGINT DEFAULT 4")

    def swap_columns(self, schema, table, n):
        self.run(f"CREATE TABLE {schema}.sc{n} (id INT PRIMARY KEY, x INT, y INT)")
        self.plain(f"INSERT INTO {schema}.sc{n} VALUES (1, 2, 3), (2, 20, 30)")
        self.run(f"ALTER TABLE {schema}.sc{n} CHANGE x y INT, CHANGE y x INT")
        self.plain(f"INSERT INTO {schema}.sc{n} VALUES (3, 200, 300)")

    def rename_column(self, schema, table, n):
        self.run(f"ALTER TABLE {schema}.{table} ADD COLUMN u{n} INT")
        self.run(f"ALTER TABLE {schema}.{table} RENAME COLUMN u{n} TO v{n}")

    def indexes(self, schema, table, n):
        self.run(f"CREATE INDEX ix{n} ON {schema}.{table} (b(10), a)")
        self.run(f"DROP INDEX ix{n} ON {schema}.{table}")
        self.run(f"ALTER TABLE {schema}.{table} ADD INDEX iy{n} (a)")

    def default_and_comment(self, schema, table, n):
        self.run(f"ALTER TABLE {schema}.{table} ALTER a SET DEFAULT {n}, COMMENT 'comment {n}'")

    def truncate(self, schema, table, n):
        self.run(f"TRUNCATE TABLE {schema}.{table}")

    def create_and_drop(self, schema, table, n):
        self.run(f"CREATE TABLE {schema}.cd{n} (id INT PRIMARY KEY, v VARCHAR(10)) COMMENT 'c'")
        self.plain(f"INSERT INTO {schema}.cd{n} VALUES (1, 'one'), (2, NULL)")
        self.run(f"CREATE TABLE {schema}.ce{n} (id INT, v FLOAT)")
        self.plain(f"INSERT INTO {schema}.ce{n} VALUES (1, 1.1), (1, 1.1), (NULL, -3e30)")
        self.plain(f"DELETE FROM {schema}.ce{n} WHERE id = 1 LIMIT 1")
        self.run(f"DROP TABLE {schema}.cd{n}, {schema}.ce{n}")

    def create_keep(self, schema, table, n):
        self.run(f"CREATE TABLE {schema}.ck{n} (id INT PRIMARY KEY, v VARCHAR(10) UNIQUE)")
        self.plain(f"INSERT INTO {schema}.ck{n} VALUES (1, 'one'), (2, 'x')")
        self.plain(f"UPDATE {schema}.ck{n} SET v = 'tmp' WHERE id = 1")
        self.plain(f"UPDATE {schema}.ck{n} SET v = 'one' WHERE id = 2")
        self.plain(f"UPDATE {schema}.ck{n} SET v = 'x' WHERE id = 1")

    def create_like(self, schema, table, n):
        self.run(f"CREATE TABLE {schema}.cl{n} LIKE {schema}.{table}")
        self.plain(f"INSERT INTO {schema}.cl{n} (id, a, b) VALUES (1, 2, 'like')")

    def create_select(self, schema, table, n):
        self.run(f"CREATE TABLE {schema}.cs{n} (PRIMARY KEY (id)) AS SELECT id, a, b FROM "
                 f"{schema}.{table} ORDER BY id LIMIT 500")
        self.plain(f"UPDATE {schema}.cs{n} SET a = a + 1")

    def create_or_replace(self, schema, table, n):
        self.run(f"CREATE TABLE {schema}.cr{n} (id INT PRIMARY KEY, old INT)")
        self.plain(f"INSERT INTO {schema}.cr{n} VALUES (1, 1)")
        self.run(f"CREATE OR REPLACE TABLE {schema}.cr{n} (id INT PRIMARY KEY, fresh TEXT)")
        self.plain(f"INSERT INTO {schema}.cr{n} VALUES (7, 'fresh')")

    def rename(self, schema, table, n):
        self.run(f"CREATE TABLE {schema}.rn{n} (id INT PRIMARY KEY, v INT)")
        self.plain(f"INSERT INTO {schema}.rn{n} VALUES (1, 1)")
        self.run(f"RENAME TABLE {schema}.rn{n} TO {schema}.ro{n}")
        self.plain(f"INSERT INTO {schema}.ro{n} VALUES (2, 2)")
        self.run(f"ALTER TABLE {schema}.ro{n} RENAME TO {schema}.rp{n}, ADD COLUMN w INT DEFAULT 5")
        self.plain(f"INSERT INTO {schema}.rp{n} VALUES (3, 3, 3)")

    def rename_swap(self, schema, table, n):
        other_schema, other = self.random.choice(self.tables)
        if (other_schema, other) == (schema, table):
            return self.rename(schema, table, n)
        self.run(f"RENAME TABLE {schema}.{table} TO {schema}.swap{n}, "
                 f"{other_schema}.{other} TO {schema}.{table}, "
                 f"{schema}.swap{n} TO {other_schema}.{other}")

    def rename_schema(self, schema, table, n):
        target = "w0" if schema != "w0" else "w1"
        self.run(f"CREATE TABLE {schema}.rs{n} (id INT PRIMARY KEY, v INT)")
        self.plain(f"INSERT INTO {schema}.rs{n} VALUES (1, 1)")
        self.run(f"RENAME TABLE {schema}.rs{n} TO {target}.rs{n}x")
        self.plain(f"INSERT INTO {target}.rs{n}x VALUES (2, 2)")

    def database(self, schema, table, n):
        self.run(f"CREATE DATABASE wd{n} DEFAULT CHARSET latin1")
        self.run(f"CREATE TABLE wd{n}.x (id INT PRIMARY KEY, v VARCHAR(9))")
        self.run(f"CREATE TABLE y (id INT PRIMARY KEY)", schema=f"wd{n}")
        self.plain(f"INSERT INTO wd{n}.x VALUES (1, 'ä')")
        if n % 2:
            self.run(f"ALTER DATABASE wd{n} DEFAULT CHARSET utf8mb4")
            self.run(f"CREATE TABLE wd{n}.z (v VARCHAR(5) PRIMARY KEY)")
        else:
            self.run(f"DROP DATABASE wd{n}")

    def views(self, schema, table, n):
        self.run(f"CREATE VIEW {schema}.vw{n} AS SELECT id, a FROM {schema}.{table}")
        if n % 2:
            self.run(f"DROP VIEW {schema}.vw{n}")
        else:
            self.run(f"CREATE OR REPLACE VIEW {schema}.vw{n} AS SELECT id FROM {schema}.{table}")

    def primary_key(self, schema, table, n):
        self.run(f"CREATE TABLE {schema}.pk{n} (id INT NOT NULL, k INT NOT NULL, PRIMARY KEY (id))")
        self.plain(f"INSERT INTO {schema}.pk{n} VALUES (1, 10), (2, 20)")
        self.run(f"ALTER TABLE {schema}.pk{n} DROP PRIMARY KEY, ADD PRIMARY KEY (k)")
        self.plain(f"UPDATE {schema}.pk{n} SET id = 5 WHERE k = 20")
        self.plain(f"INSERT INTO {schema}.pk{n} VALUES (5, 30)")

    def two_phase(self, schema, table, n):
        self.plain("SET binlog_alter_two_phase = 1")
        self.run(f"ALTER TABLE {schema}.{table} ADD COLUMN tp{n} INT DEFAULT 9")
        self.plain("SET binlog_alter_two_phase = 0")

    def convert_charset(self, schema, table, n):
        self.run(f"CREATE TABLE {schema}.cc{n} (id INT PRIMARY KEY, v VARCHAR(20)) CHARSET latin1")
        self.plain(f"INSERT INTO {schema}.cc{n} VALUES (1, 'é')")
        self.run(f"ALTER TABLE {schema}.cc{n} CONVERT TO CHARACTER SET utf8mb4")
        self.plain(f"INSERT INTO {schema}.cc{n} VALUES (2, '€')")

    def foreign_keys(self, schema, table, n):
        self.run(f"CREATE TABLE {schema}.fp{n} (id INT PRIMARY KEY, v INT)")
        self.run(f"CREATE TABLE {schema}.fc{n} (id INT PRIMARY KEY, p INT, "
                 f"CONSTRAINT fk{n} FOREIGN KEY (p) REFERENCES {schema}.fp{n} (id))")
        self.plain(f"INSERT INTO {schema}.fp{n} VALUES (1, 1), (2, 2)")
        self.plain(f"INSERT INTO {schema}.fc{n} VALUES (1, 1), (2, 2)")
        self.run(f"ALTER TABLE {schema}.fp{n} ADD COLUMN w INT")
        self.plain(f"DELETE FROM {schema}.fc{n} WHERE id = 2")
        self.plain(f"DELETE FROM {schema}.fp{n} WHERE id = 2")

    def partitions(self, schema, table, n):
        self.run(f"CREATE TABLE {schema}.pa{n} (id INT PRIMARY KEY, v INT) PARTITION BY RANGE (id) "
                 f"(PARTITION p0 VALUES LESS THAN (100), PARTITION p1 VALUES LESS THAN (200), "
                 f"PARTITION p2 VALUES LESS THAN MAXVALUE)")
        self.plain(f"INSERT INTO {schema}.pa{n} VALUES (1, 1), (101, 2), (201, 3)")
        self.run(f"ALTER TABLE {schema}.pa{n} TRUNCATE PARTITION p1")
        self.run(f"CREATE TABLE {schema}.px{n} (id INT PRIMARY KEY, v INT)")
        self.plain(f"INSERT INTO {schema}.px{n} VALUES (150, 15)")
        self.run(f"ALTER TABLE {schema}.pa{n} EXCHANGE PARTITION p1 WITH TABLE {schema}.px{n}")
        self.plain(f"INSERT INTO {schema}.px{n} VALUES (151, 16)")
        self.run(f"ALTER TABLE {schema}.pa{n} DROP PARTITION p0")

    def convert_partitions(self, schema, table, n):
        self.run(f"CREATE TABLE {schema}.pc{n} (id INT PRIMARY KEY, v INT) PARTITION BY RANGE (id) "
                 f"(PARTITION p0 VALUES LESS THAN (100), PARTITION p1 VALUES LESS THAN (200))")
        self.plain(f"INSERT INTO {schema}.pc{n} VALUES (1, 1), (101, 2)")
        self.run(f"ALTER TABLE {schema}.pc{n} CONVERT PARTITION p1 TO TABLE {schema}.pd{n}")
        self.plain(f"UPDATE {schema}.pd{n} SET v = 9")

    def generated(self, schema, table, n):
        self.run(f"CREATE TABLE {schema}.ge{n} (id INT PRIMARY KEY, v INT, "
                 f"w INT AS (v * 2) VIRTUAL, x INT AS (v + 1) STORED)")
        self.plain(f"INSERT INTO {schema}.ge{n} (id, v) VALUES (1, 4), (2, 5)")
        self.plain(f"UPDATE {schema}.ge{n} SET v = 50 WHERE id = 2")

    def keyless(self, schema, table, n):
        name = f"{schema}.kl{n}"
        self.run(f"CREATE TABLE {name} (a INT, b VARCHAR(20) CHARSET latin1, c DOUBLE, d TIMESTAMP(3) NULL)")
        self.plain(f"INSERT INTO {name} SELECT seq MOD 7, CONCAT('é', seq MOD 3), seq / 3, NULL FROM {schema}.seq_1_to_90")
        self.plain(f"INSERT INTO {name} SELECT * FROM {name} LIMIT 40")
        self.plain(f"UPDATE {name} SET b = UPPER(b), d = '2024-03-31 02:30:00.5' WHERE a = 3")
        self.plain(f"DELETE FROM {name} WHERE a = 5 LIMIT 9")
        self.run(f"ALTER TABLE {name} ADD COLUMN e INT NOT NULL DEFAULT 4 FIRST")
        self.plain(f"UPDATE {name} SET e = a WHERE a < 2")
        self.plain(f"DELETE FROM {name} WHERE b IS NULL OR a = 6")

    def unique_key(self, schema, table, n):
        name = f"{schema}.uk{n}"
        self.run(f"CREATE TABLE {name} (u VARCHAR(20) NOT NULL, k INT NOT NULL, v INT UNIQUE, UNIQUE KEY (u, k))")
        self.plain(f"INSERT INTO {name} VALUES ('One', 1, 1), ('two', 1, 2), ('two', 2, 3), ('three ', 3, NULL)")
        self.plain(f"UPDATE {name} SET u = UPPER(u)")
        self.plain(f"UPDATE {name} SET u = TRIM(u) WHERE k = 3")
        self.plain(f"UPDATE {name} SET k = k + 1 ORDER BY k DESC")
        self.plain(f"DELETE FROM {name} WHERE v = 1")
        self.plain(f"INSERT INTO {name} VALUES ('one', 9, 1)")
        self.plain(f"REPLACE INTO {name} VALUES ('new', 1, 2), ('TWO', 3, 8)")

    def large_transaction(self, schema, table, n):
        name = f"{schema}.lt{n}"
        self.run(f"CREATE TABLE {name} (id INT PRIMARY KEY, v VARCHAR(200), n INT, KEY (n))")
        self.plain("BEGIN")
        self.plain(f"INSERT INTO {name} SELECT seq, REPEAT('v', seq MOD 200), 0 FROM {schema}.seq_1_to_5000")
        self.plain(f"UPDATE {name} SET id = id + 3, n = id ORDER BY id DESC")
        self.plain(f"DELETE FROM {name} WHERE id MOD 3 = 0")
        self.plain("COMMIT")

    def large_value(self, schema, table, n):
        self.run(f"CREATE TABLE {schema}.lv{n} (id INT PRIMARY KEY, v LONGBLOB, w LONGTEXT)")
        self.plain(f"INSERT INTO {schema}.lv{n} VALUES (1, REPEAT(X'00FF', 1500000), NULL), (2, NULL, REPEAT('ü', 900000))")
        self.plain(f"UPDATE {schema}.lv{n} SET w = 'small' WHERE id = 1")

    def not_carried(self, schema, table, n):
        self.note_skipped(f"ANALYZE TABLE {schema}.{table}")
        self.note_skipped(f"OPTIMIZE TABLE {schema}.{table}")
        self.note_skipped(f"FLUSH TABLES {schema}.{table}")
        self.note_skipped(f"CREATE USER wu{n}@localhost")
        self.note_skipped(f"GRANT SELECT ON {schema}.* TO wu{n}@localhost")
        self.note_skipped(f"CREATE SEQUENCE {schema}.sq{n}")
        self.plain(f"SELECT NEXTVAL({schema}.sq{n})")
        self.note_skipped(f"DROP SEQUENCE {schema}.sq{n}")
        self.note_skipped(f"CREATE PROCEDURE {schema}.pr{n}() SELECT 1")
        self.note_skipped(f"CREATE EVENT {schema}.ev{n} ON SCHEDULE EVERY 1 DAY DO SELECT 1")
        self.run(f"CREATE TABLE {schema}.tr{n} (id INT PRIMARY KEY, v INT)")
        self.note_skipped(f"CREATE TRIGGER {schema}.tg{n} BEFORE INSERT ON {schema}.tr{n} FOR EACH ROW "
                          f"SET NEW.v = NEW.id * 10")
        self.plain(f"INSERT INTO {schema}.tr{n} (id) VALUES (1), (2)")


EVERYWHERE = [
    "add_column", "create_and_drop", "rename_swap", "truncate", "database", "create_like",
    "change_column", "create_select", "rename", "indexes", "views", "modify_column",
    "rename_schema", "create_or_replace", "add_and_drop_column", "swap_columns", "create_keep",
    "rename_column", "default_and_comment", "primary_key", "two_phase", "convert_charset",
    "foreign_keys", "not_carried", "keyless", "unique_key", "large_transaction", "large_value",
]
PARTITIONED = ["partitions", "convert_partitions", "generated"]


NUMBERS_EACH = 100000  # of one changer, apart from the others


class Changer(threading.Thread):
    """One of those who change the schema at the same time."""

    def __init__(self, changes, step, count, pace, every):
        super().__init__(daemon=True)
        self.changes, self.step, self.count, self.pace, self.every = changes, step, count, pace, every
        self.error = None

    def run(self):
        try:
            while len(self.changes.carried) < self.count:
                self.pace(len(self.changes.carried) / self.count)
                self.step()
                if self.every:
                    self.every(self.changes)
        except Exception as error:  # told by the thread that waits for this one
            self.error = error


def run(server, *, schemas=3, tables=60, rows=300000, changes=200, writers=4, seed=1, kinds=None,
        first=0, every=None, changers=1, released=None):
    """Runs the load to its end; returns (row changes, SchemaChanges). `first` numbers the first schema change: a second
    load on the same tables begins where the first ended. `every` is called after each schema change. `changers` change
    the schema at the same time. `released`: how much of the load, from 0 to 1, may run by now."""
    names = table_names(schemas, tables)
    counter = multiprocessing.Value("Q", 0)
    stop = multiprocessing.Event()
    processes = [Writer(server.connect, seed * 1000 + n, names, rows // writers + 1, counter, stop, released)
                 for n in range(writers)]
    for process in processes:
        process.start()

    def pace(done):
        while counter.value < rows * done and any(process.is_alive() for process in processes):
            time.sleep(0.01)

    threads = []
    for n in range(changers):
        changes_of_one = SchemaChanges(server.connect(), seed * 1000 + n, names, kinds or EVERYWHERE,
                                       first + n * NUMBERS_EACH)
        step = changes_of_one.step if changers == 1 else changes_of_one.step_among_others
        threads.append(Changer(changes_of_one, step, changes // changers, pace, every))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
        if thread.error:
            stop.set()
            raise thread.error
    for process in processes:
        process.join()
        if process.exitcode != 0:
            raise RuntimeError(f"a writer ended with {process.exitcode}")
    whole = threads[0].changes
    for thread in threads[1:]:
        whole.carried += thread.changes.carried
        whole.skipped += thread.changes.skipped
    return counter.value, whole
