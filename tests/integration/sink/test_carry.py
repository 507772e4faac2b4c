"""A load with every kind of schema change, carried from a real server's log into SQLite and into files of canal-json,
ends there as it ended in the source.

usage: test_carry.py CARRY SLUICECTL sqlite|file
"""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(__file__), "../../..")))
from tests.integration.lib import files, workload  # noqa: E402
from tests.integration.lib.mariadb_server import SOURCE_OPTIONS, MariaDB  # noqa: E402

FILTER = ["*.*"]

# What the load does not do.
TYPES = """CREATE TABLE w0.types (id INT PRIMARY KEY, a TINYINT UNSIGNED, b BIGINT UNSIGNED, c FLOAT, d DOUBLE,
 e DECIMAL(30,10), f BIT(9), g BIT(64), h YEAR, i DATE, j TIME(4), k DATETIME(6), l TIMESTAMP(2) NULL, m CHAR(9),
 n VARCHAR(40) CHARSET cp1251, o TEXT CHARSET gbk, p BINARY(6), q VARBINARY(9), r LONGBLOB, s ENUM('a','b','é'),
 t SET('x','y','z'), u JSON, v INET4, w INET6, x UUID, y POINT, z VARCHAR(20) CHARSET utf8mb4, za INT ZEROFILL)"""
ROWS = [
    "(1, 255, 18446744073709551615, 0.1, 0.1, -12345678901234567890.0123456789, 257, 18446744073709551615, 2155,"
    " '2024-02-29', '-838:59:59.5', '9999-12-31 23:59:59.999999', '2024-02-29 12:00:00.25', 'a  ', 'Привет', '中文',"
    " 'a\\0b', X'00ff00', REPEAT('x', 70000), 'é', 'x,z', '{\"a\": [1, 2]}', '1.2.3.4', '::ffff:1.2.3.4',"
    " '00112233-4455-6677-8899-AABBCCDDEEFF', POINT(1, 2), '😀\\n\"\\\\', 7)",
    "(2" + ", NULL" * 27 + ")",
    "(3, 0, 0, -0.5, 1e300, 0, 0, 0, 0, '0000-00-00', '00:00:00', '0000-00-00 00:00:00', '1970-01-01 00:00:01', '',"
    " '', '', '', '', '', 'a', '', '[]', '0.0.0.0', '::', '00000000-0000-0000-0000-000000000000',"
    " POINT(0, 0), '', 0)",
]
KEYLESS = ["CREATE TABLE w0.keyless (a INT, b VARCHAR(20), c DOUBLE, d TIMESTAMP(3) NULL)",
           "INSERT INTO w0.keyless VALUES (1, 'x', 0.5, NULL), (1, 'x', 0.5, NULL), (2, NULL, NULL, NOW(3)), (3, 'é', 1, NULL)",
           "UPDATE w0.keyless SET b = 'y' WHERE a = 1 LIMIT 1",
           "DELETE FROM w0.keyless WHERE a = 1 AND b = 'x'",
           "ALTER TABLE w0.keyless ADD COLUMN e INT NOT NULL DEFAULT 4",
           "UPDATE w0.keyless SET a = a + 1"]
CONVERSIONS = ["CREATE TABLE w0.conv (id INT PRIMARY KEY, a INT, b VARCHAR(30) CHARSET latin1, c ENUM('x','y'), d DECIMAL(10,3),"
               " e DATETIME(3), f VARCHAR(10), KEY (a))",
               "INSERT INTO w0.conv VALUES (1, -5, 'é', 'y', 1.005, '2024-01-02 03:04:05.678', '12'), (2, NULL, NULL, NULL, NULL,"
               " NULL, NULL), (3, 300, 'plain', 'x', -99.5, '2000-01-01', '-7')",
               "ALTER TABLE w0.conv MODIFY a BIGINT UNSIGNED, MODIFY b VARCHAR(40) CHARSET utf8mb4, MODIFY c VARCHAR(5),"
               " MODIFY d DECIMAL(12,1), MODIFY e DATE, CHANGE f g INT",
               "INSERT INTO w0.conv VALUES (4, 18446744073709551615, '€', 'zz', 5, '2024-05-05', 9)",
               "ALTER TABLE w0.conv DROP PRIMARY KEY, ADD PRIMARY KEY (id, b), MODIFY b VARCHAR(40) CHARSET utf8mb4 NOT NULL",
               "UPDATE w0.conv SET g = g + 1"]


def statements(server):
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = '', time_zone = '+00:00'")
        cursor.execute("CREATE DATABASE IF NOT EXISTS w0 DEFAULT CHARSET utf8mb4")
        cursor.execute(TYPES)
        cursor.execute("INSERT INTO w0.types VALUES " + ", ".join(ROWS))
        cursor.execute("UPDATE w0.types SET id = id + 10, a = 7 WHERE id < 3")
        for statement in KEYLESS + CONVERSIONS:
            cursor.execute(statement)
        # Larger than a part of a transaction.
        cursor.execute("CREATE TABLE w0.large (id INT PRIMARY KEY, v VARCHAR(200))")
        cursor.execute("INSERT INTO w0.large SELECT seq, REPEAT('l', 180) FROM w0.seq_1_to_3000")
        cursor.execute("CREATE TABLE w0.large_keyless (v VARCHAR(200))")
        cursor.execute("INSERT INTO w0.large_keyless SELECT REPEAT(seq MOD 7, 180) FROM w0.seq_1_to_2000")
        cursor.execute("DELETE FROM w0.large_keyless LIMIT 700")


def load(server, kinds):
    workload.create_tables(server, 3, 8)
    statements(server)
    return workload.run(server, schemas=3, tables=8, rows=6000, changes=85, writers=2, kinds=kinds)


def carry(program, server, sink):
    result = subprocess.run([program, f"binlog://{server.data}?base=binlog", sink, "65536", "50"] + FILTER,
                            capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"carry: {result.stdout[-2000:]}{result.stderr[-3000:]}")
    print(result.stdout.strip())
    return result


def check_sqlite(program, sluicectl, server, directory):
    sink = f"sqlite://{directory}/sink.db?system-time-zone=UTC"
    carry(program, server, sink)
    again = carry(program, server, sink)
    if not again.stdout.startswith("rows 0 "):
        raise SystemExit("rows were written a second time")
    compared = subprocess.run([sluicectl, "compare", "--source", server.uri(), "--sink", f"sqlite://{directory}/sink.db",
                               "--filter", "*.*"], capture_output=True, text=True)
    print(compared.stdout[-3000:], compared.stderr[-2000:])
    if compared.returncode != 0:
        raise SystemExit("source and sink differ")


def check_files(program, server, directory):
    # Twice, by two writers: what comes again is dropped.
    carry(program, server, f"file://{directory}?rotate-bytes=1000000")
    carry(program, server, f"file://{directory}?rotate-bytes=3000000&sync=no")
    replay = files.check(server, directory)
    if replay.lines.repeats == 0:
        raise SystemExit("nothing came twice")
    print(f"{len(replay.tables)} tables, {len(replay.lines.rows)} row changes, {len(replay.lines.ddl)} DDL")


def main():
    program, sluicectl, kind = sys.argv[1:4]
    server = MariaDB("source", 1, SOURCE_OPTIONS)
    directory = tempfile.mkdtemp(prefix="sluice-carry-")
    try:
        server.start()
        # Without those of partitions, which neither sink can carry as rows.
        load(server, workload.EVERYWHERE + ["generated"])
        if kind == "sqlite":
            check_sqlite(program, sluicectl, server, directory)
        else:
            check_files(program, server, directory)
    finally:
        server.remove()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
