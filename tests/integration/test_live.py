"""A live MariaDB with several writers and schema changes of every kind, three nodes, then source and sink compared."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import files, general_log, scenario, workload
from lib.carried import compare, each_change_once

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


def mariadb_to_mariadb():
    with scenario.source_server() as source, scenario.sink_server() as sink:
        changes = replicate(source, sink.uri(), workload.EVERYWHERE + workload.PARTITIONED,
                            after=compare(source.uri(), sink.uri(), FILTER))
        each_change_once(changes, general_log.schema_changes(sink.general_log))


def mariadb_to_sqlite():
    with scenario.source_server() as source, scenario.directory() as directory:
        sink = f"sqlite://{directory}/sink.db"
        replicate(source, sink, workload.EVERYWHERE + ["generated"], after=compare(source.uri(), sink, FILTER))


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
