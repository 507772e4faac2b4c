"""The load of the data benches: 70 % inserts and 30 % updates in transactions of ten, table after table in turn."""
import random

TABLES = 8
COLUMNS = ("id INT NOT NULL PRIMARY KEY, k INT NOT NULL DEFAULT 0, c CHAR(120) NOT NULL DEFAULT '', "
           "pad CHAR(60) NOT NULL DEFAULT ''")


def create_tables(server):
    server.sql("CREATE DATABASE bench", *(f"CREATE TABLE bench.t{n} ({COLUMNS}, KEY k (k))"
                                         for n in range(TABLES)))


def write_load(server, rows):
    generator = random.Random(7)
    next_id = [0] * TABLES
    connection = server.connect(autocommit=False)
    cursor = connection.cursor()
    written = 0
    while written < rows:
        n = written // 10 % TABLES
        first = next_id[n]
        next_id[n] += 7
        values = ",".join(
            f"({first + i},{generator.randrange(10 ** 6)},'{generator.randrange(10 ** 30):0120d}',"
            f"'{generator.randrange(10 ** 18):060d}')" for i in range(7))
        cursor.execute(f"INSERT INTO bench.t{n} VALUES {values}")
        for _ in range(3):
            cursor.execute(f"UPDATE bench.t{n} SET k = k + 1, c = '{generator.randrange(10 ** 30):0120d}' "
                           f"WHERE id = {generator.randrange(first + 7)}")
        connection.commit()
        written += 10
    return written
