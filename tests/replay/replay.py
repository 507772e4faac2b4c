#!/usr/bin/env python3
"""Replays the canal-json lines of a directory into the final state of each table.

Tables with a key are dictionaries by key, tables without one multisets. Used by tests only: it trusts the lines, and
counts what should not happen (an INSERT of a row that is there, a DELETE of one that is not) as anomalies.
"""
import argparse
import collections
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from tests.replay import values  # noqa: E402
from tests.replay.lines import Lines  # noqa: E402


class Table:
    def __init__(self, schema, name):
        self.schema, self.name = schema, name
        self.key = None  # names of the key's columns; None: without a key
        self.rows = {}      # key -> row
        self.loose = []  # rows of a table without a key

    def row_key(self, row):
        return tuple(row[column] for column in self.key)

    def all_rows(self):
        return list(self.rows.values()) if self.key else list(self.loose)

    def set_key(self, key):
        if key == self.key:
            return
        rows = self.all_rows()
        self.key = key
        self.rows = {self.row_key(row): row for row in rows} if key else {}
        self.loose = [] if key else rows

    def clear(self):
        self.rows, self.loose = {}, []


class Replay:
    def __init__(self, directory, changefeed=None):
        self.lines = Lines(directory, changefeed)
        self.by_id = {}
        self.anomalies = []
        for line in self.lines.in_order():
            if line["isDdl"]:
                for change in line["_cdc"]["changes"]:
                    self.change(change)
            else:
                self.row(line)

    @property
    def tables(self):
        """(schema, table) -> Table."""
        return {(table.schema, table.name): table for table in self.by_id.values()}

    # ---- DDL ----

    def change(self, change):
        kind, identity = change["kind"], change["tableId"]
        if kind in ("dropped", "left_filter"):
            self.by_id.pop(identity, None)
        elif kind == "created":
            table = Table(change["to"]["database"], change["to"]["table"])
            table.key = change["pkNames"]
            self.by_id[identity] = table
        elif kind == "truncated":
            if identity in self.by_id:
                self.by_id[identity].clear()
        else:
            self.alter(identity, change)

    def alter(self, identity, change):
        table = self.by_id.get(identity)
        if table is None:
            # There before the changefeed began and not written since.
            table = self.by_id[identity] = Table("", "")
        table.schema, table.name = change["to"]["database"], change["to"]["table"]
        rows = table.all_rows()
        for row in rows:
            old = dict(row)
            row.clear()
            for column in change["columns"]:
                row[column["name"]] = self.altered(old, column)
        table.clear()
        table.key = change["pkNames"]
        if table.key:
            table.rows = {table.row_key(row): row for row in rows}
        else:
            table.loose = rows

    @staticmethod
    def altered(old, column):
        if column["from"] is None:
            return values.of_new_column(column)
        value = old.get(column["from"], values.UNKNOWN)
        if value is None:
            return values.implicit(column["mysqlType"]) if column["notNull"] else None
        return value if values.survives(column["fromType"], column["mysqlType"]) else values.UNKNOWN

    # ---- rows ----

    def row(self, line):
        identity = line["_cdc"]["tableId"]
        table = self.by_id.get(identity)
        if table is None:
            table = self.by_id[identity] = Table(line["database"], line["table"])
            table.key = line["pkNames"]
        if (table.schema, table.name) != (line["database"], line["table"]):
            self.anomaly("row of another name than the table's", line)
        table.set_key(line["pkNames"])
        data = line["data"][0]
        if line["type"] == "INSERT":
            self.put(table, data, line)
        elif line["type"] == "DELETE":
            self.take(table, data, line)
        else:
            self.take(table, {**data, **line["old"][0]}, line)
            self.put(table, data, line)

    def put(self, table, row, line):
        if not table.key:
            table.loose.append(dict(row))
            return
        if table.row_key(row) in table.rows:
            self.anomaly("put where a row is", line)
        table.rows[table.row_key(row)] = dict(row)

    def take(self, table, row, line):
        if table.key:
            if table.rows.pop(table.row_key(row), None) is None:
                self.anomaly("taken where no row is", line)
            return
        for index, found in enumerate(table.loose):
            if found == row:
                del table.loose[index]
                return
        self.anomaly("taken where no row is", line)

    def anomaly(self, what, line):
        self.anomalies.append((what, line))


def differences(expected, table, limit=10):
    """How the rows expected (dictionaries of canal-json strings) differ from the table's; [] if they do not."""
    found = []
    if table.key:
        wanted = {table.row_key(row): row for row in expected}
        for key in list(wanted.keys() - table.rows.keys())[:limit]:
            found.append(f"missing {wanted[key]}")
        for key in list(table.rows.keys() - wanted.keys())[:limit]:
            found.append(f"surplus {table.rows[key]}")
        for key in wanted.keys() & table.rows.keys():
            if wanted[key] != table.rows[key] and len(found) < limit:
                found.append(f"{table.rows[key]} should be {wanted[key]}")
        return found
    left = list(table.loose)
    for row in expected:
        match = next((index for index, other in enumerate(left) if row == other), None)
        if match is None:
            found.append(f"missing {row}")
        else:
            del left[match]
    return (found + [f"surplus {row}" for row in left])[:limit]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory")
    parser.add_argument("--changefeed")
    options = parser.parse_args()
    replay = Replay(options.directory, options.changefeed)
    state = collections.OrderedDict()
    for name, table in sorted(replay.tables.items()):
        state[".".join(name)] = table.all_rows()
    json.dump({"tables": state, "anomalies": len(replay.anomalies), "repeats": replay.lines.repeats,
               "conflicts": len(replay.lines.conflicts)},
              sys.stdout, ensure_ascii=False, indent=1, default=repr)
    print()
    return 1 if replay.anomalies or replay.lines.conflicts else 0


if __name__ == "__main__":
    sys.exit(main())
