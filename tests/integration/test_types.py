"""Every column type with its extremes, inserted, updated and deleted at the source, arrives equal in the sink."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import files, scenario, sqlite_values
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
            key(cursor, name, declaration, values)


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


NOT_INDEXED = re.compile(r"(TINY|MEDIUM|LONG)?(TEXT|BLOB)|JSON|(MULTI)?POINT|GEOMETRY|VARCHAR\(16000\)|"
                         r"(VAR)?(CHAR|BINARY)\(0\)|.*(COMPRESSED|INVISIBLE)")


def key(cursor, name, declaration, values):
    """The type as the key: rows are found by it, change it, go and come back."""
    if NOT_INDEXED.match(declaration):
        return
    declaration = declaration.removesuffix(" NULL")
    cursor.execute(f"CREATE TABLE ty.{name}_k (v {declaration} NOT NULL PRIMARY KEY, id INT)")
    for number, value in enumerate(values):
        cursor.execute(f"INSERT IGNORE INTO ty.{name}_k VALUES ({value}, {number})")
    cursor.execute(f"UPDATE ty.{name}_k SET id = id + 100")
    cursor.execute(f"DELETE FROM ty.{name}_k WHERE id = 100")
    cursor.execute(f"INSERT INTO ty.{name}_k VALUES ({values[0]}, 200)")
    cursor.execute(f"DELETE FROM ty.{name}_k WHERE id = 101")
    cursor.execute(f"UPDATE IGNORE ty.{name}_k SET v = {values[min(1, len(values) - 1)]} WHERE id = 200")


def exactly(data_type):
    """The whole of a value as text; HEX alone would round numbers and not tell labels that are equal."""
    if data_type in ("float", "double"):
        return "CONCAT(CAST(v AS DOUBLE))"
    if data_type in ("enum", "set"):
        return "CONCAT(v + 0, ':', HEX(v))"
    return "CONCAT(v)" if data_type == "decimal" else "HEX(v)"


def contents(server, name):
    data_type = server.sql("SELECT data_type FROM information_schema.columns WHERE table_schema = 'ty' "
                           f"AND table_name = '{name}' AND column_name = 'v'")[0][0]
    rows = server.sql(f"SELECT id, {exactly(data_type)} FROM ty.{name}")
    return sorted(rows, key=repr)


def mariadb_holds_the_very_bytes():
    with scenario.source_server() as source, scenario.sink_server() as sink, \
            scenario.cluster(2) as cluster:
        cluster.create("types", source.uri(), sink.uri(), "--filter", "ty.*")
        write(source)
        cluster.wait_checkpoint("types", source.gtid_sequence())
        each_table(source, lambda name: contents(source, name), lambda name: contents(sink, name))


def each_table(source, expected, found):
    """Compares table by table; says which differ and how."""
    tables = [row[0] for row in source.sql("SHOW TABLES IN ty")]
    assert len(tables) > 2 * len(TYPES)
    wrong = []
    for name in tables:
        here, there = expected(name), found(name)
        if here != there:
            wrong.append(name)
            print(f"{name}:\n  source {shortened(here, there)}\n  sink   {shortened(there, here)}")
    assert not wrong, f"{len(wrong)} of {len(tables)} tables differ: {' '.join(wrong)}"


def shortened(rows, others):
    """The rows that the others lack, as far as a person wants to see them."""
    return [repr(row)[:200] for row in rows if row not in others][:5]


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
        path = f"{directory}/sink.db"
        each_table(source, lambda name: sqlite_values.expected(source, "ty", name),
                   lambda name: sqlite_values.found(path, "ty", name))


def files_hold_the_documented_values():
    with scenario.source_server() as source, scenario.directory() as directory, \
            scenario.cluster(2) as cluster:
        cluster.create("types", source.uri(), f"file://{directory}", "--filter", "ty.*")
        write(source)
        cluster.wait_checkpoint("types", source.gtid_sequence())
        replay = files.check(source, directory, "types")
        assert len(replay.tables) > 2 * len(TYPES), len(replay.tables)


if __name__ == "__main__":
    scenario.main([mariadb_holds_the_very_bytes, sqlite_holds_the_documented_values,
                   files_hold_the_documented_values])
