"""What arrived in the sink, against what the source was told: rows, and schema changes one by one."""
import re

from . import general_log


def compare(source_uri, sink_uri, rules):
    """What to do with a cluster to have source and sink compared row by row."""
    def check(cluster):
        command = ["compare", "--source", source_uri, "--sink", sink_uri]
        command += [part for rule in rules for part in ("--filter", rule)]
        text = cluster.ctl(*command, output="table", seconds=300)
        assert text.strip().endswith("identical"), text
        print("  " + ", ".join(text.strip().splitlines()[-2:]), flush=True)
    return check


def times_executed(mark, statement, executed):
    """By its mark; a statement that the server has written anew by the names in it."""
    if mark:
        return sum(mark in text for text in executed)
    create = re.match(r"CREATE (OR REPLACE )?(TABLE|VIEW) (\w+)\.(\w+) ", statement)
    if create:
        replace, kind, schema, name = create.groups()
        names = re.compile(rf"^CREATE {replace or ''}(?!OR REPLACE)(\S+ )*{kind} ({schema}\.)?{name} ")
    else:
        verb, kind, names = general_log.unquoted(statement).split(" ", 2)
        names = re.compile(rf"^DROP {kind} (IF EXISTS )?{re.escape(names)}$")
    return sum(bool(names.match(general_log.unquoted(text).strip())) for text in executed)


def each_change_once(changes, executed):
    joined = [general_log.unquoted(text) for text in executed]
    for mark, statement in changes.carried:
        count = times_executed(mark, statement, executed)
        assert count == 1, f"{count} times in the sink: {statement}"
    for statement in changes.skipped:
        wanted = general_log.unquoted(statement)
        assert wanted not in joined, f"carried, but should not be: {statement}"
