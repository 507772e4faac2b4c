#!/usr/bin/env python3
"""The replay reader itself: order, repeats, half lines, DDL."""
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from tests.replay.replay import Replay, differences  # noqa: E402
from tests.replay import source, values  # noqa: E402


def row(kind, ts, seq, data, old=None, table="t", identity="05", key=("id",)):
    return {"id": 0, "database": "d", "table": table, "pkNames": list(key) if key else None, "isDdl": False,
            "type": kind, "es": 1, "ts": ts, "sql": "", "data": [data], "old": [old] if old else None,
            "_cdc": {"commitTs": ts, "seq": seq, "tableId": identity}}


def ddl(ts, *changes):
    return {"id": 0, "database": "d", "table": "t", "isDdl": True, "type": "ALTER", "es": 1, "ts": 1, "sql": "x",
            "_cdc": {"commitTs": ts, "changes": list(changes)}}


def change(kind, identity="05", before="t", after="t", columns=(), key=("id",)):
    def name(table):
        return {"database": "d", "table": table} if table else None
    return {"kind": kind, "tableId": identity, "from": name(before), "to": name(after),
            "pkNames": list(key) if key else None, "columns": list(columns)}


def column(name, mysql_type="int", before=None, **new):
    if before:
        new = {"fromType": mysql_type, **new}
    return {"name": name, "mysqlType": mysql_type, "from": before, "notNull": False, **new}


class ReplayTest(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)

    def write(self, name, *lines, tail=""):
        with open(os.path.join(self.temporary.name, name), "w", encoding="utf-8") as file:
            file.write("".join(json.dumps(line) + "\n" for line in lines) + tail)

    def replay(self):
        return Replay(self.temporary.name, "f")

    def test_rows_of_a_table_are_ordered_over_files(self):
        self.write("f.b.0.json", row("UPDATE", 3, 1, {"id": "1", "v": "c"}, {"id": "1", "v": "b"}))
        self.write("f.a.0.json", row("UPDATE", 2, 1, {"id": "1", "v": "b"}, {"id": "1", "v": "a"}),
                   row("INSERT", 1, 1, {"id": "1", "v": "a"}))
        replay = self.replay()
        self.assertEqual(replay.tables[("d", "t")].all_rows(), [{"id": "1", "v": "c"}])
        self.assertEqual(replay.anomalies, [])

    def test_repeats_are_dropped_and_conflicts_told(self):
        line = row("INSERT", 1, 1, {"id": "1"})
        self.write("f.a.0.json", line, {**line, "ts": 99})
        self.assertEqual(self.replay().lines.repeats, 1)
        self.assertEqual(self.replay().lines.conflicts, [])
        self.write("f.b.0.json", row("INSERT", 1, 1, {"id": "2"}))
        self.assertEqual(len(self.replay().lines.conflicts), 1)

    def test_half_line_of_an_open_file_is_left_out(self):
        self.write("f.a.0.json.tmp", row("INSERT", 1, 1, {"id": "1"}), tail='{"id":0,"data')
        self.assertEqual(len(self.replay().tables[("d", "t")].all_rows()), 1)

    def test_files_of_other_changefeeds_are_left_out(self):
        self.write("other.a.0.json", row("INSERT", 1, 1, {"id": "1"}))
        self.assertEqual(self.replay().tables, {})

    def test_table_without_key_is_a_multiset(self):
        def keyless(kind, seq, data, old=None):
            return row(kind, 1, seq, data, old, key=None)
        self.write("f.a.0.json", keyless("INSERT", 1, {"v": "x"}), keyless("INSERT", 2, {"v": "x"}),
                   keyless("DELETE", 3, {"v": "x"}), keyless("UPDATE", 4, {"v": "y"}, {"v": "x"}),
                   keyless("DELETE", 5, {"v": "nothing"}))
        replay = self.replay()
        self.assertEqual(replay.tables[("d", "t")].all_rows(), [{"v": "y"}])
        self.assertEqual(len(replay.anomalies), 1)

    def test_key_of_a_row_moves(self):
        self.write("f.a.0.json", row("INSERT", 1, 1, {"id": "1"}),
                   row("UPDATE", 1, 2, {"id": "2"}, {"id": "1"}))
        self.assertEqual(list(self.replay().tables[("d", "t")].rows), [("2",)])

    def test_ddl_comes_before_the_rows_of_its_position(self):
        self.write("f.a.0.json", row("INSERT", 5, 1, {"id": "1"}),
                   ddl(5, change("created", before=None, columns=[column("id")])))
        replay = self.replay()
        self.assertEqual(len(replay.tables[("d", "t")].all_rows()), 1)
        self.assertEqual(replay.anomalies, [])

    def test_truncate_rename_and_drop(self):
        self.write("f.a.0.json", row("INSERT", 1, 1, {"id": "1"}),
                   ddl(2, change("truncated")), row("INSERT", 3, 1, {"id": "2"}),
                   ddl(4, change("renamed", after="u", columns=[column("id", before="id")])),
                   row("INSERT", 5, 1, {"id": "3"}, table="u"),
                   row("INSERT", 5, 1, {"id": "9"}, table="gone", identity="06"),
                   ddl(6, change("dropped", "06", before="gone", after=None)))
        replay = self.replay()
        self.assertEqual(set(replay.tables), {("d", "u")})
        self.assertEqual(sorted(replay.tables[("d", "u")].rows), [("2",), ("3",)])
        self.assertEqual(replay.anomalies, [])

    def test_added_dropped_and_renamed_columns(self):
        self.write("f.a.0.json",
                   ddl(1, change("created", before=None,
                                 columns=[column("id"), column("a", "varchar(5)"), column("b")])),
                   row("INSERT", 2, 1, {"id": "1", "a": "x", "b": "2"}),
                   ddl(3, change("altered", columns=[
                       column("id", before="id"), column("c", "varchar(9)", before="a"),
                       column("n", "decimal(6,2)", notNull=False, defaultKind="literal", default="1.5"),
                       column("z", "int", notNull=True, defaultKind="none", default=None)])))
        self.assertEqual(self.replay().tables[("d", "t")].all_rows(),
                         [{"id": "1", "c": "x", "n": "1.50", "z": "0"}])

    def test_null_becomes_the_implicit_value_of_a_column_that_forbids_it(self):
        self.write("f.a.0.json",
                   ddl(1, change("created", before=None, columns=[column("id"), column("v")])),
                   row("INSERT", 2, 1, {"id": "1", "v": None}),
                   ddl(3, change("altered", columns=[column("id", before="id"),
                                                     column("v", before="v", notNull=True)])))
        self.assertEqual(self.replay().tables[("d", "t")].all_rows(), [{"id": "1", "v": "0"}])

    def test_key_changes_with_the_table(self):
        self.write("f.a.0.json",
                   ddl(1, change("created", before=None, columns=[column("id"), column("k")])),
                   row("INSERT", 2, 1, {"id": "1", "k": "7"}),
                   ddl(3, change("altered", columns=[column("id", before="id"), column("k", before="k")],
                                 key=("k",))),
                   row("UPDATE", 4, 1, {"id": "2", "k": "7"}, {"id": "1", "k": "7"}, key=("k",)))
        self.assertEqual(self.replay().tables[("d", "t")].rows, {("7",): {"id": "2", "k": "7"}})

    def test_differences_are_named(self):
        self.write("f.a.0.json", row("INSERT", 1, 1, {"id": "1", "v": "a"}),
                   row("INSERT", 1, 2, {"id": "2", "v": "b"}))
        table = self.replay().tables[("d", "t")]
        self.assertEqual(differences([{"id": "1", "v": "a"}, {"id": "2", "v": "b"}], table), [])
        self.assertEqual(len(differences([{"id": "1", "v": "x"}, {"id": "3", "v": "b"}], table)), 3)

    def test_unknown_value_equals_everything(self):
        self.assertEqual({"a": values.UNKNOWN}, {"a": "5"})
        self.assertFalse({"a": values.UNKNOWN} != {"a": "5"})

    def test_literals_of_each_type(self):
        self.assertEqual(values.of_literal("enum('a','it''s')", "it's"), "2")
        self.assertEqual(values.of_literal("set('a','b')", "a,b"), "3")
        self.assertEqual(values.of_literal("bit(5)", "b'101'"), "5")
        self.assertEqual(values.of_literal("binary(3)", "ab"), "ab\0")
        self.assertEqual(values.of_literal("datetime(3)", "2020-01-02 03:04:05.678"), "2020-01-02 03:04:05.678")

    def test_numbers_have_their_shortest_text(self):
        self.assertEqual(source.number_text(0.1, "double"), "0.1")
        self.assertEqual(source.number_text(0.10000000149011612, "float"), "0.1")
        self.assertEqual(source.number_text(0.30000000000000004, "double"), "0.30000000000000004")


if __name__ == "__main__":
    unittest.main()
