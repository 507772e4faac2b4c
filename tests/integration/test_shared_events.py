"""A table that comes to a node which no longer holds its events is served by a node that does: the source is not read again."""
import contextlib
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import scenario
from lib.crash_stage import stage
from lib.mariadb_server import free_port
from lib.tcp_proxy import TcpProxy
from lib.waiting import wait_until

ROW = 2000
LARGE = {"group_max": "1MiB", "session_credit": "64KiB", "events": "tcp://127.0.0.1:0", "events_advertise": ""}
# Cuts transactions as the others do, and what it does not need goes.
SMALL = {**LARGE, "tail_max": "4MiB", "event_store_max": "0"}
# Tables go where they are told to.
STILL = {"balance_interval": "1h"}


def fill(feed, table, rows):
    """In transactions of some rows."""
    insert = f"INSERT INTO k.{table} (v, x) VALUES " + ", ".join([f"(1, REPEAT('x', {ROW}))"] * 20)
    feed.source.sql(*([insert] * (rows // 20)))


def total(feed, metric, nodes=None):
    return sum(it.metric(metric) for it in nodes or feed.cluster.nodes.values())


def move(feed, table, node):
    """A node that is only just there takes no tables yet."""
    row = feed.tables()[f"k.{table}"]
    wait_until(f"{node} takes {table}", lambda: feed.cluster.ctl(
        "table", "move", "-c", feed.name, "--table-id", row["table_id"], "--capture-id", node, check=False) is not None, 10)


def hold_back(node, table, ms):
    """Each of its writes takes so long, and holds no more than the credit."""
    node.arm(f"sink.rows.open(k.{table})=delay:{ms}@*")


@contextlib.contextmanager
def lagging(keys=None):
    """Table t lags on n1, which holds all that it needs; n2 has shed some of it; n3 holds it too. Table c has no rows."""
    with prepared(keys or {}) as feed:
        cluster = feed.cluster
        hold_back(cluster.nodes["n1"], "t", 300)
        feed.source.sql("BEGIN", "UPDATE k.t SET v = 5", "COMMIT")
        fill(feed, "t", 1500)
        fill(feed, "a", 3000)
        fill(feed, "b", 3000)
        position = feed.source.gtid_sequence()
        wait_until("n2 has read all", lambda: int(feed.tables()["k.a"]["checkpoint_ts"]) >= position, 60)
        assert int(feed.tables()["k.t"]["checkpoint_ts"]) < position
        yield feed


@contextlib.contextmanager
def prepared(keys):
    with stage(nodes=1, maintainer_keys=STILL, node_keys={**LARGE, **keys.get("n1", {})}) as feed:
        cluster = feed.cluster
        feed.source.sql(*(f"CREATE TABLE k.{name} (id INT AUTO_INCREMENT PRIMARY KEY, v INT, x TEXT)"
                          for name in "tabc"))
        feed.caught_up()
        cluster.start_node("n2", keys=SMALL)
        cluster.start_node("n3", keys=LARGE)
        cluster.wait_nodes(3)
        for table, node in (("a", "n2"), ("b", "n3")):
            move(feed, table, node)
            wait_until(f"{table} is on {node}", lambda: feed.tables()[f"k.{table}"]["node"] == node, 30)
        feed.caught_up()
        yield feed


def bytes_sent(feed):
    return int(feed.source.sql("SHOW GLOBAL STATUS LIKE 'Bytes_sent'")[0][1])


def reads_elsewhere(feed, seconds=20):
    n2 = feed.cluster.nodes["n2"]
    wait_until("n2 reads t from another node", lambda: n2.metric("event_sessions_on_other_nodes") == 1, seconds)
    return n2


def table_comes_to_a_node_that_has_shed_it():
    with lagging() as feed:
        sent = bytes_sent(feed)
        move(feed, "t", "n2")
        n2 = reads_elsewhere(feed)
        others = [it for name, it in feed.cluster.nodes.items() if name != "n2"]
        assert total(feed, "event_streams_of_other_nodes", others) == 1
        feed.cluster.nodes["n1"].arm("sink.rows.open(k.t)=off")
        feed.caught_up()
        wait_until("n2 reads from itself again", lambda: n2.metric("event_sessions_on_other_nodes") == 0, 20)
        wait_until("nobody serves others", lambda: total(feed, "event_streams_of_other_nodes") == 0, 30)
        feed.source.sql("ALTER TABLE k.t ADD COLUMN y INT DEFAULT 7")
        fill(feed, "t", 20)
        feed.caught_up()
        sent = bytes_sent(feed) - sent
        print(f"  the source sent {sent} bytes, the nodes {total(feed, 'stream_bytes_sent_total'):.0f} to each other",
              flush=True)
        assert total(feed, "event_catch_ups_total") == 0
        assert total(feed, "event_sessions_held_nowhere_total") == 0
        assert total(feed, "stream_bytes_sent_total") > 500 * ROW
        assert sent < 500 * ROW, sent
        feed.ends_well()


def schema_changes_come_from_the_other_node():
    """Rows before and behind each, all of it lagging."""
    with lagging() as feed:
        feed.source.sql("ALTER TABLE k.t ADD COLUMN y INT DEFAULT 7")
        fill(feed, "t", 40)
        feed.source.sql("ALTER TABLE k.t CHANGE y z BIGINT, ADD INDEX (z)", "RENAME TABLE k.t TO k.u")
        fill(feed, "u", 40)
        feed.source.sql("ALTER TABLE k.u PARTITION BY HASH (id) PARTITIONS 3")
        fill(feed, "u", 40)
        for table in "ab":
            fill(feed, table, 3000)
        move(feed, "t", "n2")
        reads_elsewhere(feed)
        feed.caught_up()
        assert total(feed, "event_catch_ups_total") == 0
        feed.ends_well()


def node_that_serves_is_killed():
    """The next one serves; when that dies too the source is read."""
    with lagging() as feed:
        hold_back(feed.cluster.nodes["n2"], "t", 300)
        move(feed, "t", "n2")
        n2 = reads_elsewhere(feed)
        for number in range(2):
            serving = wait_until("somebody serves", lambda: next(
                (it for name, it in feed.cluster.nodes.items()
                 if name != "n2" and it.metric("event_streams_of_other_nodes") == 1), None), 20)
            assert n2.metric("event_catch_ups_total") == 0
            serving.send_signal(signal.SIGKILL)
            serving.wait()
            feed.cluster.nodes.pop(serving.name)
            if number == 0:
                wait_until("n2 reads from the next", lambda: n2.metric("event_sessions_on_other_nodes_total") == 2, 20)
        wait_until("n2 reads the source", lambda: n2.metric("event_catch_ups_total") > 0, 20)
        n2.arm("sink.rows.open(k.t)=off")
        feed.ends_well()


def connection_between_nodes_breaks():
    """For a moment: the same node goes on, with what it holds on its disk. For long: n2 gives it up."""
    port = free_port()
    proxy = TcpProxy(port)
    try:
        with lagging({"n1": {"tail_max": "2MiB", "events": f"tcp://127.0.0.1:{port}",
                             "events_advertise": f"tcp://127.0.0.1:{proxy.port}"}}) as feed:
            hold_back(feed.cluster.nodes["n2"], "t", 300)
            feed.cluster.stop_node("n3")
            feed.cluster.wait_nodes(2)
            move(feed, "t", "n2")
            n2 = reads_elsewhere(feed)
            accepted = proxy.accepted
            proxy.cut()
            wait_until("it connects again", lambda: proxy.accepted > accepted, 10)
            assert n2.metric("event_sessions_on_other_nodes") == 1
            assert n2.metric("stream_services_lost_total") == 0
            assert feed.cluster.nodes["n1"].metric("event_store_read_bytes_total") > 0
            proxy.freeze()
            wait_until("n2 gives it up", lambda: n2.metric("stream_services_lost_total") > 0, 30)
            proxy.thaw()
            n2.arm("sink.rows.open(k.t)=off")
            feed.ends_well()
    finally:
        proxy.close()


if __name__ == "__main__":
    scenario.main([table_comes_to_a_node_that_has_shed_it, schema_changes_come_from_the_other_node,
                   node_that_serves_is_killed, connection_between_nodes_breaks])
