"""Sync points whose writer dies, and that are met again: each is written once."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import feed as feeds
from lib import scenario
from test_crash_position import kill_everything

FIRST_SECOND = 1700000000


class Clock:
    """The source's seconds, and the positions of the sync points that they make."""

    def __init__(self, feed):
        self.feed, self.second, self.expected = feed, FIRST_SECOND, []

    def run(self, statement):
        self.feed.source.sql(f"SET timestamp = {self.second}", statement)

    def next_second(self):
        """What comes next makes one behind what is there."""
        self.expected.append(self.feed.source.gtid_sequence())
        self.second += 1

    def check(self):
        written = [row[0] for row in self.feed.sink.sql("SELECT commit_ts FROM sluice.syncpoint ORDER BY commit_ts")]
        assert written == self.expected, (written, self.expected)


KILLS = ["sink.syncpoint.commit=kill", "sink.syncpoint.committed=kill", "node.waiting.send(syncpoint)=kill",
         "node.waiting.sent(syncpoint)=kill", "node.done.send(syncpoint)=kill", "node.done.sent(syncpoint)=kill"]


def written_once_whoever_dies():
    """Interleaving 24."""
    with scenario.source_server() as source, scenario.sink_server() as sink, \
            scenario.cluster(2, maintainer_keys=feeds.SHORT_LEASE) as cluster:
        feed = feeds.Feed(cluster, source, sink).create("k.*", arguments=["--option", "sync-point-interval=1"])
        clock = Clock(feed)
        clock.run("CREATE DATABASE k")
        clock.run("CREATE TABLE k.a (n INT)")
        clock.run("CREATE TABLE k.b (n INT)")
        for n, order in enumerate(KILLS):
            feed.caught_up()
            feed.spread()
            clock.next_second()
            # Every node says that it waits and that it has passed.
            among = [cluster.nodes["n1"]] if order.startswith("node.") else None
            feed.restart_node(feed.lose_one(order, f"SET timestamp = {clock.second}", f"INSERT INTO k.a VALUES ({n})",
                                            f"INSERT INTO k.b VALUES ({n})", among=among))
            feed.caught_up()
            clock.check()
        met_again_at_a_cold_start(feed, clock)
        feed.identical()
        assert set(cluster.stop().values()) == {0}


def met_again_at_a_cold_start(feed, clock):
    before = feed.sink.sql("SELECT * FROM sluice.syncpoint ORDER BY commit_ts")
    feed.cluster.maintainer.arm("meta.checkpoint.commit=error@*")
    clock.next_second()
    clock.run("CREATE TABLE k.c AS SELECT n FROM k.a")
    clock.next_second()
    clock.run("INSERT INTO k.c VALUES (7), (7)")
    clock.next_second()
    clock.run("INSERT INTO k.a VALUES (8)")
    feed.arrived()
    clock.check()
    position = feed.sink.sql("SELECT MAX(sink_position) FROM sluice.syncpoint")
    kill_everything(feed)
    feed.caught_up()
    clock.check()
    assert feed.sink.sql("SELECT * FROM sluice.syncpoint ORDER BY commit_ts")[:len(before)] == before
    assert feed.sink.sql("SELECT MAX(sink_position) FROM sluice.syncpoint") == position


if __name__ == "__main__":
    scenario.main([written_once_whoever_dies])
