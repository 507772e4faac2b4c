"""A live MariaDB with several writers and schema changes of every kind, three nodes, then source and sink compared."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import files, general_log, scenario, workload

ROWS = int(os.environ.get("SLUICE_LIVE_ROWS", "300000"))
CHANGES = int(os.environ.get("SLUICE_LIVE_CHANGES", "200"))
CHANGERS = int(os.environ.get("SLUICE_LIVE_CHANGERS", "2"))
SEED = int(os.environ.get("SLUICE_LIVE_SEED", "1"))
FILTER = ["w*.*"]


def filter_arguments():
    return [part for rule in FILTER for part in ("--filter", rule)]


def replicate(source, sink_uri, kinds, nodes=3, after=None):
    """Starts the feed, runs the load, waits until all of it is in the sink."""
    print(f"  SLUICE_LIVE_SEED={SEED}", flush=True)
    with scenario.cluster(nodes) as cluster:
        cluster.create("live", source.uri(), sink_uri, *filter_arguments())
        workload.create_tables(source, 3, 60)
        rows, changes = workload.run(source, rows=ROWS, changes=CHANGES, kinds=kinds,
                                     seed=SEED, changers=CHANGERS)
        cluster.wait_checkpoint("live", source.gtid_sequence(), 300)
        print(f"  {rows} row changes, {len(changes.carried)} schema changes carried, "
              f"{len(changes.skipped)} not carried", flush=True)
        if after:
            after(cluster)
        codes = cluster.stop()
        assert set(codes.values()) == {0}, codes
    return changes


def compare(source_uri, sink_uri):
    def check(cluster):
        command = ["compare", "--source", source_uri, "--sink", sink_uri, *filter_arguments()]
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


def mariadb_to_mariadb():
    with scenario.source_server() as source, scenario.sink_server() as sink:
        changes = replicate(source, sink.uri(), workload.EVERYWHERE + workload.PARTITIONED,
                            after=compare(source.uri(), sink.uri()))
        each_change_once(changes, general_log.schema_changes(sink.general_log))


def mariadb_to_sqlite():
    with scenario.source_server() as source, scenario.directory() as directory:
        sink = f"sqlite://{directory}/sink.db"
        replicate(source, sink, workload.EVERYWHERE + ["generated"], after=compare(source.uri(), sink))


# What partitions take away, swap or turn into tables is not in the log, so that files cannot tell it.
LOST_WITH_PARTITIONS = re.compile(r"p[acdx]\d+")


def mariadb_to_files():
    with scenario.source_server() as source, scenario.directory() as directory:
        changes = replicate(source, f"file://{directory}", workload.EVERYWHERE + workload.PARTITIONED)
        replay = files.check(source, directory, "live", LOST_WITH_PARTITIONS.fullmatch)
        each_change_once(changes, [line["sql"] for line in replay.lines.ddl.values()])
        print(f"  {len(replay.tables)} tables, {len(replay.lines.rows)} row changes and {len(replay.lines.ddl)} "
              f"schema changes in the files, {replay.lines.repeats} lines twice", flush=True)


TESTS = [mariadb_to_mariadb, mariadb_to_sqlite, mariadb_to_files]

if __name__ == "__main__":
    scenario.main(TESTS)
