"""The source goes away, hangs, rotates, or has lost what we stand at, while rows and schema changes are made: the
changefeed says so and goes on by itself, or fails with an error that names what happened."""
import contextlib
import os
import signal
import sys
import time
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import outage, scenario
from lib.outage import for_seconds, kill_connections, repeatedly
from lib.tcp_proxy import TcpProxy
from lib.waiting import wait_until

SECONDS = float(os.environ.get("SLUICE_OUTAGE_SECONDS", "3"))
READER = "reader"
# A server that may be killed at any moment and still has in its log what it has told us.
DURABLE = ["--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1"]
# Quicker than the defaults of 30 s, 2 s and 5 s, so that a silent source is given up, and tried again, within a test.
NODE = {"source_read_timeout": "3s", "retry_max": "500ms", "cooldown_max": "500ms"}


def source_with_reader():
    return scenario.source_server(*DURABLE)


def make_reader(source):
    source.sql(f"CREATE USER {READER}@'%'",
               f"GRANT REPLICATION SLAVE, REPLICATION CLIENT, SELECT, SHOW VIEW ON *.* TO {READER}@'%'")


def reader_uri(port):
    return f"mariadb://{READER}@127.0.0.1:{port}"


def restarted(feed, proxy):
    feed.source.stop()
    feed.warns("source_connection")
    feed.source.start()
    feed.goes_on()


def killed(feed, proxy):
    for _ in range(2):
        for_seconds(0.5)
        feed.source.stop(signal.SIGKILL)
        feed.source.start()
    feed.goes_on()


def readers_killed_repeatedly(feed, proxy):
    count = []
    with repeatedly(lambda: count.append(kill_connections(feed.source, READER)), 0.2):
        for_seconds(SECONDS)
    assert sum(count) > 10, count
    feed.goes_on()


def logs_rotated_repeatedly(feed, proxy):
    with repeatedly(lambda: feed.source.sql("FLUSH BINARY LOGS"), 0.05):
        for_seconds(SECONDS / 2)
    feed.goes_on()


def hanging(feed, proxy):
    feed.source.send_signal(signal.SIGSTOP)
    feed.warns("source_connection")
    for_seconds(SECONDS)
    feed.source.send_signal(signal.SIGCONT)
    feed.goes_on()


def half_open(feed, proxy):
    """Packets go nowhere; when the network is back, the connections of before are not."""
    proxy.freeze()
    feed.warns("source_connection")
    proxy.thaw()
    feed.goes_on()


def refusing(feed, proxy):
    """Every connection ends at once: how often is one tried?"""
    proxy.refuse(True)
    feed.warns("source_connection")
    before = proxy.accepted
    for_seconds(SECONDS)
    tried = proxy.accepted - before
    proxy.refuse(False)
    # A quarter to half a second apart by then.
    nodes = len(feed.cluster.nodes)
    assert nodes * SECONDS <= tried <= nodes * (4 * SECONDS + 2), f"{tried} connections in {SECONDS} s"
    feed.goes_on()


def rotate(source):
    """Begins a new log and returns its name."""
    source.sql("FLUSH BINARY LOGS")
    return source.sql("SHOW BINARY LOGS")[-1][0]


def purge(source, name):
    """The server keeps a log until its engine and its readers have let go of it."""
    wait_until("the logs are purged", lambda: source.sql(
        f"PURGE BINARY LOGS TO '{name}'", "SHOW BINARY LOGS")[0][0] == name, 20)


def stop_nodes(cluster):
    for name in list(cluster.nodes):
        assert cluster.stop_node(name) == 0


def start_nodes(cluster):
    for name in ("n1", "n2"):
        cluster.start_node(name)


def purged_behind_us(feed, proxy):
    """Nodes are away while the source forgets what they have carried, and goes on writing."""
    name = rotate(feed.source)
    feed.goes_on()
    stop_nodes(feed.cluster)
    for_seconds(0.5)
    purge(feed.source, name)
    start_nodes(feed.cluster)
    feed.goes_on()


def has_bounded_log(cluster, seconds):
    """However many connections fail: five lines in ten seconds of each reader."""
    for name, node in cluster.nodes.items():
        lines = node.text().count("reading the source failed")
        assert lines <= 2 * 5 * (seconds / 10 + 1), f"{lines} lines of {name} in {seconds} s"


def source_goes_away():
    with source_with_reader() as source, scenario.sink_server() as sink, scenario.cluster(2, node_keys=NODE) as cluster:
        make_reader(source)
        proxy = TcpProxy(source.port)
        feed = outage.Watched(cluster, source)
        feed.begin(sink.uri(), source_uri=reader_uri(proxy.port))
        started = time.monotonic()
        for step in (restarted, killed, readers_killed_repeatedly, logs_rotated_repeatedly, hanging, half_open, refusing,
                     purged_behind_us):
            at = time.monotonic()
            step(feed, proxy)
            print(f"  {step.__name__}: {time.monotonic() - at:.1f} s", flush=True)
        has_bounded_log(cluster, time.monotonic() - started)
        changes = feed.end()
        outage.each_logged_change_once(changes, sink)
        assert set(cluster.stop().values()) == {0}
        proxy.close()


@contextlib.contextmanager
def small_feed():
    """One table, and a source that writes only when told to."""
    with source_with_reader() as source, scenario.directory() as directory, scenario.cluster(2, node_keys=NODE) as cluster:
        feed = outage.Watched(cluster, source)
        source.sql("CREATE DATABASE w0", "CREATE TABLE w0.t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)")
        feed.create(f"sqlite://{directory}/s.db", "?create-tables=yes")
        insert(source, 10)
        feed.goes_on()
        yield feed


def insert(source, count):
    for _ in range(count):
        source.sql("INSERT INTO w0.t (v) VALUES (1)")


def purged_beyond_us():
    with small_feed() as feed:
        stop_nodes(feed.cluster)
        insert(feed.source, 3)
        purge(feed.source, rotate(feed.source))
        start_nodes(feed.cluster)
        feed.says("failed", "source_purged", "1236", "fresh copy")


def begin_of_a_group(server):
    """What is in the newest log of a further group when its writer dies within the second event."""
    newest = server.sql("SHOW BINARY LOGS")[-1][0]
    events = server.sql(f"SHOW BINLOG EVENTS IN '{newest}'")
    number = max(n for n, event in enumerate(events) if event[2] == "Gtid")
    with open(f"{server.data}/{newest}", "rb") as log:
        log.seek(events[number][1])
        gtid = bytearray(log.read(events[number][4] - events[number][1]))
        second = log.read(events[number + 1][4] - events[number + 1][1])
    gtid[19:27] = (int.from_bytes(gtid[19:27], "little") + 1).to_bytes(8, "little")
    gtid[-4:] = zlib.crc32(gtid[:-4]).to_bytes(4, "little")
    return newest, bytes(gtid) + second[:-10]


def idle_source_goes_away():
    """What was not behind before is behind since then, not since the source's last group. A node that is told to end
    does not wait for a source that hangs."""
    with small_feed() as feed:
        group_at = time.monotonic()
        for_seconds(6)
        away_at = time.monotonic()
        feed.source.send_signal(signal.SIGSTOP)
        feed.says("warning", "source_connection")
        lag = feed.query()["lag_seconds"]
        assert 0 < lag < time.monotonic() - away_at + 2 < time.monotonic() - group_at, lag
        started = time.monotonic()
        assert feed.cluster.stop_node("n1") == 0
        assert time.monotonic() - started < 8
        feed.source.send_signal(signal.SIGCONT)
        feed.goes_on()


def cut_off_by_a_crash():
    """The server died in the middle of writing an event, which a kill can do to a large one. It leaves the piece in the
    file and sends nothing beyond it to who has to read that file."""
    with small_feed() as feed:
        source = feed.source
        stop_nodes(feed.cluster)
        insert(source, 3)
        newest, piece = begin_of_a_group(source)
        source.stop(signal.SIGKILL)
        with open(f"{source.data}/{newest}", "ab") as log:
            log.write(piece)
        source.start()
        insert(source, 3)
        start_nodes(feed.cluster)
        feed.goes_on()
        feed.compare()
        assert "truncated in the middle" in feed.cluster.nodes["n1"].text()


def next_second(source):
    """A group's time is in whole seconds."""
    second = source.sql("SELECT UNIX_TIMESTAMP()")[0][0]
    wait_until("the next second", lambda: source.sql("SELECT UNIX_TIMESTAMP()")[0][0] > second, 5)


def all_persisted(feed):
    """Waits until the log would be opened behind all that was written."""
    position = feed.source.gtid_sequence()
    wait_until("the newest anchor", lambda: feed.query()["gtid"].endswith(f"-{position}"), 20)
    return position


def reset_while_connected():
    """To a reader of the old log the server says nothing."""
    with small_feed() as feed:
        feed.source.sql("RESET MASTER")
        insert(feed.source, 1)
        feed.says("failed", "source_diverged", "1236", "was reset")


def reset_and_longer_while_connected():
    with small_feed() as feed:
        position = all_persisted(feed)
        next_second(feed.source)
        feed.source.sql("RESET MASTER")
        insert(feed.source, position + 5)
        feed.says("failed", "source_diverged", "RESET MASTER", f"sequence {position} ")


def reset_and_shorter():
    with small_feed() as feed:
        all_persisted(feed)
        stop_nodes(feed.cluster)
        feed.source.sql("RESET MASTER")
        insert(feed.source, 3)
        start_nodes(feed.cluster)
        feed.says("failed", "source_diverged", "1236", "was reset")


def reset_and_longer():
    """The server would send what follows our old position in its new log, without a word."""
    with small_feed() as feed:
        position = all_persisted(feed)
        stop_nodes(feed.cluster)
        next_second(feed.source)
        feed.source.sql("RESET MASTER")
        insert(feed.source, position + 5)
        start_nodes(feed.cluster)
        feed.says("failed", "source_diverged", "RESET MASTER", f"sequence {position} ")


if __name__ == "__main__":
    scenario.main([source_goes_away, purged_beyond_us, idle_source_goes_away, cut_off_by_a_crash, reset_while_connected, reset_and_longer_while_connected,
                   reset_and_shorter, reset_and_longer])
