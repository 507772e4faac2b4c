"""Every column type with its extremes, inserted, updated and deleted at the source, arrives equal in the sink."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import scenario
from lib.types import TYPES


def write(source):
    """One table a type: each value inserted, then rows that were updated to it, then some deleted again."""
    with source.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE ty DEFAULT CHARSET utf8mb4")
        cursor.execute("SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+03:00'")
        for name, declaration, values in TYPES:
            nullable = "" if values is None or " NULL" in declaration else " NULL"
            cursor.execute(f"CREATE TABLE ty.{name} (id INT PRIMARY KEY, v {declaration}{nullable})")
            if values is None:
                cursor.execute(f"INSERT INTO ty.{name} (id) VALUES (1), (2)")
                cursor.execute(f"UPDATE ty.{name} SET id = 20 WHERE id = 2")
                continue
            for number, value in enumerate([*values, "NULL"]):
                cursor.execute(f"INSERT INTO ty.{name} (id, v) VALUES ({number}, {value}), "
                               f"({1000 + number}, NULL), ({2000 + number}, {value})")
                cursor.execute(f"UPDATE ty.{name} SET v = {value} WHERE id = {1000 + number}")
                cursor.execute(f"UPDATE ty.{name} SET v = NULL WHERE id = {2000 + number}")
            cursor.execute(f"INSERT INTO ty.{name} (id, v) VALUES (5000, {values[0]})")
            cursor.execute(f"DELETE FROM ty.{name} WHERE id = 5000")
            no_key(cursor, name, declaration, nullable, values)


def no_key(cursor, name, declaration, nullable, values):
    """The same without a key: rows are found by all their columns."""
    if "INVISIBLE" in declaration:
        return
    cursor.execute(f"CREATE TABLE ty.{name}_nk (id INT, v {declaration}{nullable})")
    for number, value in enumerate(values):
        cursor.execute(f"INSERT INTO ty.{name}_nk VALUES ({number}, {value}), ({number}, {value}), "
                       f"({number + 100}, {value})")
        cursor.execute(f"DELETE FROM ty.{name}_nk WHERE id = {number} LIMIT 1")
        cursor.execute(f"UPDATE ty.{name}_nk SET id = id + 1000 WHERE id = {number + 100}")


def contents(server, name):
    suffix = "" if name.endswith("_nk") else " ORDER BY id"
    rows = server.sql(f"SELECT id, HEX(v), v IS NULL FROM ty.{name}{suffix}")
    return sorted(rows, key=repr)


def mariadb_holds_the_very_bytes():
    with scenario.source_server() as source, scenario.sink_server() as sink, \
            scenario.cluster(2) as cluster:
        cluster.create("types", source.uri(), sink.uri(), "--filter", "ty.*")
        write(source)
        cluster.wait_checkpoint("types", source.gtid_sequence())
        tables = [row[0] for row in source.sql("SHOW TABLES IN ty")]
        assert len(tables) > len(TYPES)
        wrong = [name for name in tables if contents(source, name) != contents(sink, name)]
        for name in wrong:
            print(name, contents(source, name), contents(sink, name))
        assert not wrong, wrong


def sqlite_holds_the_documented_values():
    with scenario.source_server() as source, scenario.directory() as directory, \
            scenario.cluster(2) as cluster:
        uri = f"sqlite://{directory}/sink.db"
        cluster.create("types", source.uri(), uri, "--filter", "ty.*")
        write(source)
        cluster.wait_checkpoint("types", source.gtid_sequence())
        text = cluster.ctl("compare", "--source", source.uri(), "--sink", uri, "--filter", "ty.*",
                           output="table")
        assert text.strip().endswith("identical"), text


if __name__ == "__main__":
    scenario.main([mariadb_holds_the_very_bytes, sqlite_holds_the_documented_values])
