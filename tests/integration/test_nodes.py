"""Nodes that join and leave under load, and everything stopped and started again."""
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import scenario, workload
from lib.waiting import wait_until

TABLES = 60


class Load:
    """Writers in the background until stopped."""

    def __init__(self, source, rows, first=0):
        self.result = None
        self.thread = threading.Thread(target=self._run, args=(source, rows, first))
        self.thread.start()

    def _run(self, source, rows, first):
        self.result = workload.run(source, tables=TABLES, rows=rows, changes=10, writers=2, first=first,
                                   kinds=["add_column", "rename_swap", "truncate", "views"])

    def join(self):
        self.thread.join(300)
        assert self.result, "the load failed"


def owners(cluster, counts_trigger=False):
    """Number of replicating tables by node; None while some have no owner."""
    counts = {}
    for table in cluster.tables("feed"):
        if table["table_id"] == "0" and not counts_trigger:
            continue
        if table["state"] != "replicating":
            return None
        counts[table["node"]] = counts.get(table["node"], 0) + 1
    return counts


def is_fair(cluster, nodes):
    """By what the maintainer counts: the trigger is one of a node's spans."""
    counts = owners(cluster, counts_trigger=True)
    return counts and len(counts) == nodes and max(counts.values()) - min(counts.values()) <= 1


def begin(cluster, source, sink):
    cluster.create("feed", source.uri(), sink.uri(), "--filter", "w*.*")
    workload.create_tables(source, 3, TABLES)
    cluster.wait_checkpoint("feed", source.gtid_sequence())


def compare(cluster, source, sink):
    cluster.wait_checkpoint("feed", source.gtid_sequence(), 120)
    text = cluster.ctl("compare", "--source", source.uri(), "--sink", sink.uri(), "--filter", "w*.*",
                       output="table")
    assert text.strip().endswith("identical"), text


def joins_and_leaves_under_load():
    with scenario.source_server() as source, scenario.sink_server() as sink, \
            scenario.cluster(2) as cluster:
        begin(cluster, source, sink)
        load = Load(source, 120000)
        started = time.monotonic()
        cluster.start_node("n3")
        wait_until("n3 owns its share", lambda: is_fair(cluster, 3), 10)
        print(f"  fair share after {time.monotonic() - started:.2f} s", flush=True)
        process = cluster.nodes["n1"]
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        wait_until("n1 handed over",
                   lambda: (owners(cluster) or {"n1": 1}).get("n1", 0) == 0, 2, interval=0.02)
        print(f"  handed over after {time.monotonic() - started:.2f} s", flush=True)
        assert process.wait(5) == 0
        del cluster.nodes["n1"]
        load.join()
        wait_until("two nodes share", lambda: is_fair(cluster, 2), 10)
        compare(cluster, source, sink)
        assert set(cluster.stop().values()) == {0}


def everything_stopped_goes_on_without_loss_or_repeat():
    with scenario.source_server() as source, scenario.sink_server() as sink, \
            scenario.cluster(2) as cluster:
        begin(cluster, source, sink)
        # A table without a key shows every repeat.
        source.sql("CREATE TABLE w0.log (n INT)")
        for number in range(4):
            load = Load(source, 15000, first=number * 100)
            source.sql(*(f"INSERT INTO w0.log VALUES ({n})" for n in range(300)))
            codes = cluster.stop()
            assert set(codes.values()) == {0}, codes
            load.join()
            cluster.start(2)
        compare(cluster, source, sink)
        assert sink.sql("SELECT COUNT(*) FROM w0.log") == ((1200,),)


if __name__ == "__main__":
    scenario.main([joins_and_leaves_under_load, everything_stopped_goes_on_without_loss_or_repeat])
