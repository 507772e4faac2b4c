"""What happens to the source's log in the very moment in which a node opens it."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import scenario
from lib.outage import kill_connections
from test_source_outages import all_persisted, insert, next_second, small_feed


def reset_while_the_log_is_opened():
    """The group at our position is looked at in the log that is then read, not in the one before."""
    with small_feed() as feed:
        position = all_persisted(feed)
        nodes = feed.cluster.nodes.values()
        for node in nodes:
            node.arm("source.log.opened=delay:1500")
        kill_connections(feed.source, "root", "Binlog Dump")
        for node in nodes:
            node.wait_passed("source.log.opened", "delay")
        next_second(feed.source)
        feed.source.sql("RESET MASTER")
        insert(feed.source, position + 5)
        feed.says("failed", "source_diverged", f"sequence {position} ")


if __name__ == "__main__":
    scenario.main([reset_while_the_log_is_opened])
