"""One table is held back in the sink under load: the others go on, what it needs goes to the node's disk, and it catches up
from there and not from the source.

SLUICE_HOLD_SECONDS makes the first test hold it for so long (12)."""
import contextlib
import glob
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import outage, scenario
from lib.feed import SHORT_LEASE, Feed
from lib.waiting import wait_until

MIB = 1 << 20
READER = "reader"
TABLES = "abcd"
HELD = "a"
OTHERS = "bcd"
ROW_BYTES = 30000
NODE = {"tail_max": "4MiB", "session_credit": "256KiB", "event_store_max": "1GiB"}
TAIL_BYTES = 4 * MIB
# Beyond the tail: what is in the reader's hands, and one item more than fits.
TAIL_SLACK_BYTES = MIB
HOLD_SECONDS = float(os.environ.get("SLUICE_HOLD_SECONDS", "12"))
# Ten minutes of it are a gigabyte of log.
PAUSE_SECONDS = 0.01 if HOLD_SECONDS < 60 else 0.05


class Load:
    """Transactions with a row of each table, at a steady pace that everybody can keep."""

    def __init__(self, server):
        self.server, self.count, self.error = server, 0, None
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            with self.server.connect(autocommit=False) as connection, connection.cursor() as cursor:
                while not self.ending.wait(PAUSE_SECONDS):
                    for table in TABLES:
                        cursor.execute(f"INSERT INTO k.{table} (t) VALUES (REPEAT(%s, {ROW_BYTES}))",
                                       (chr(97 + self.count % 26),))
                    connection.commit()
                    self.count += 1
        except Exception as error:  # told by whoever stops the load
            self.error = error

    def stop(self):
        self.ending.set()
        self.thread.join(60)
        if self.error:
            raise self.error


@contextlib.contextmanager
def stage(spill, load=True, sink_options=(), **keys):
    """A node, its source as a user of its own, four tables."""
    with scenario.source_server("--userstat=1") as source, scenario.sink_server(*sink_options) as sink, \
            scenario.cluster(0, maintainer_keys=SHORT_LEASE,
                             node_keys={**NODE, "spill_directory": spill, **keys}) as cluster:
        source.sql(f"CREATE USER {READER}@'%'",
                   f"GRANT REPLICATION SLAVE, REPLICATION CLIENT, SELECT, SHOW VIEW ON *.* TO {READER}@'%'")
        cluster.start_node("n1")
        cluster.wait_nodes(1)
        feed = Feed(cluster, source, sink)
        cluster.create(feed.name, source.uri().replace("root@", f"{READER}@"), sink.uri(), "--filter", "k.*")
        source.sql("CREATE DATABASE k",
                   *(f"CREATE TABLE k.{table} (id INT AUTO_INCREMENT PRIMARY KEY, t MEDIUMTEXT)"
                     for table in TABLES))
        feed.caught_up()
        feed.load = Load(source) if load else None
        yield feed
        assert set(cluster.stop().values()) == {0}
        assert remains(spill) == [], "a node that was stopped leaves nothing"


@contextlib.contextmanager
def held(feed):
    """Nobody writes to its table in the sink meanwhile."""
    with feed.sink.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLES k.{HELD} WRITE")
        yield
        cursor.execute("UNLOCK TABLES")


def remains(spill):
    return [path for path in glob.glob(f"{spill}/sluice-events-*") if os.path.isdir(path)]


def disk_bytes(spill):
    total = 0
    for directory, _, names in os.walk(spill):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.stat(f"{directory}/{name}").st_blocks * 512
    return total


def anonymous_bytes(process):
    """The process's own memory, without what the kernel keeps of files."""
    with open(f"/proc/{process.popen.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))


def is_sanitized():
    with open(f"{scenario.build_directory()}/dispatcher/sluice-dispatcher", "rb") as program:
        return b"__asan_init" in program.read()


def position_of(feed, tables):
    rows = feed.tables()
    return min(int(rows[f"k.{table}"]["checkpoint_ts"]) for table in tables)


def bytes_sent(source):
    rows = source.sql(f"SELECT bytes_sent FROM information_schema.user_statistics WHERE user = '{READER}'")
    return int(rows[0][0])


def log_bytes(source):
    return sum(int(row[1]) for row in source.sql("SHOW BINARY LOGS"))


class Rate:
    """How many transactions a second reached the sink in the tables that are not held, and the source. The load does not
    wait for Sluice, so its own rate is what there would be without anybody held."""

    def __init__(self, feed, seconds, each=lambda: None):
        started, first, source = time.monotonic(), position_of(feed, OTHERS), feed.source.gtid_sequence()
        self.lag = 0
        while time.monotonic() < started + seconds:
            position = feed.source.gtid_sequence()
            self.lag = max(self.lag, position - position_of(feed, OTHERS))
            each()
            time.sleep(0.2)
        self.seconds = time.monotonic() - started
        self.value = (position_of(feed, OTHERS) - first) / self.seconds
        self.source = (feed.source.gtid_sequence() - source) / self.seconds

    def __str__(self):
        return f"{self.value:.1f} of {self.source:.1f} transactions/s, at most {self.lag} behind"


def given_back(feed, spill):
    node = feed.cluster.nodes["n1"]
    wait_until("the disk is given back", lambda: node.metric("event_store_bytes") == 0 and disk_bytes(spill) < MIB, 30)


def held_back_dispatcher_costs_the_others_nothing():
    with scenario.directory() as spill, stage(spill) as feed:
        node, most = feed.cluster.nodes["n1"], {"tail": 0, "store": 0, "disk": 0, "memory": 0}

        def look():
            most["tail"] = max(most["tail"], node.metric("event_tail_bytes"))
            most["store"] = max(most["store"], node.metric("event_store_bytes"))
            most["disk"] = max(most["disk"], disk_bytes(spill))
            most["memory"] = max(most["memory"], anonymous_bytes(node))
        wait_until("the load runs", lambda: feed.load.count > 50, 30)
        without = Rate(feed, min(HOLD_SECONDS / 2, 60), look)
        print(f"  nobody held: {without}; {most}", flush=True)
        memory_without = most["memory"]
        with held(feed):
            count = feed.load.count
            with_it = Rate(feed, HOLD_SECONDS, look)
            held_bytes = (feed.load.count - count) * ROW_BYTES
        print(f"  one held: {with_it}; {most}, it needs {held_bytes}", flush=True)
        assert with_it.value >= 0.9 * with_it.source
        assert most["tail"] <= TAIL_BYTES + TAIL_SLACK_BYTES
        assert most["store"] >= held_bytes - TAIL_BYTES
        # The newest is in the store's own memory.
        assert most["store"] - 32 * MIB <= most["disk"] <= 1.2 * most["store"] + 16 * MIB
        # AddressSanitizer keeps what was freed.
        assert is_sanitized() or most["memory"] < memory_without + 96 * MIB
        released = time.monotonic()
        wait_until("it has caught up", lambda: position_of(feed, HELD) > feed.source.gtid_sequence() - 200,
                   60 + HOLD_SECONDS)
        print(f"  caught up after {time.monotonic() - released:.1f} s, read back "
              f"{node.metric('event_store_read_bytes_total'):.0f}", flush=True)
        assert node.metric("event_store_read_bytes_total") >= most["store"] / 2
        feed.load.stop()
        feed.identical()
        given_back(feed, spill)
        assert node.metric("event_catch_ups_total") == 0
        assert node.metric("event_streams_dropped_total") == 0
        source, log = feed.source, log_bytes(feed.source)
        # It is counted when the connection ends.
        feed.cluster.stop_node("n1")
        wait_until("the source has counted", lambda: bytes_sent(source) > log / 2, 20)
        print(f"  the source sent {bytes_sent(source)} of a log of {log} bytes", flush=True)
        assert bytes_sent(source) < 1.1 * log + MIB


def wait_stored(feed, bytes_min):
    node = feed.cluster.nodes["n1"]
    wait_until("rows are on the disk", lambda: node.metric("event_store_bytes") > bytes_min, 60)
    return node


def killed(node, order):
    node.arm(order)
    assert node.wait(60) == -signal.SIGKILL


def killed_with_a_full_store():
    """At a write, after it, and while it is read back; what the dead one left is removed by the next."""
    with scenario.directory() as spill, stage(spill) as feed:
        for point in ("event-store.write", "event-store.written", "event-store.read"):
            with held(feed):
                node = wait_stored(feed, 2 * MIB)
                left = remains(spill)
                if point != "event-store.read":
                    killed(node, f"{point}=kill@2")
                else:
                    node.arm(f"{point}=kill@3")  # before what is held can be read back
            assert node.wait(60) == -signal.SIGKILL
            assert remains(spill) == left
            feed.restart_node(node)
            wait_until("it carries the tables again", lambda: position_of(feed, TABLES) > 0, 30)
            wait_until("what was left is removed", lambda: not set(remains(spill)) & set(left), 30)
        feed.load.stop()
        feed.identical()


def store_that_is_full_or_fails():
    with scenario.directory() as spill, stage(spill, event_store_max="6MiB") as feed:
        node = feed.cluster.nodes["n1"]
        with held(feed):
            wait_until("its quota is full", lambda: node.metric("event_store_given_up_total") > 0, 60)
            goes_on(feed)
            assert disk_bytes(spill) < 24 * MIB
        catches_up(feed)
        assert node.metric("event_catch_ups_total") > 0
        with held(feed):
            wait_stored(feed, 2 * MIB)
            node.arm("event-store.write=error@2")
            wait_until("it fails", lambda: node.metric("event_store_failures_total") == 1, 30)
            goes_on(feed)
        catches_up(feed)
        given_back(feed, spill)
        with held(feed):
            wait_stored(feed, 2 * MIB)
        node.arm("event-store.read=error")
        wait_until("it fails", lambda: node.metric("event_store_failures_total") == 2, 30)
        catches_up(feed)
        feed.load.stop()
        feed.identical()


def goes_on(feed):
    """The others, at the pace of the load."""
    position = feed.source.gtid_sequence() + 200
    wait_until("the others go on", lambda: position_of(feed, OTHERS) >= position, 30)


def catches_up(feed):
    position = feed.source.gtid_sequence()
    wait_until("all are where the source was", lambda: position_of(feed, TABLES) >= position, 90)


def damage(spill):
    """Turns what is in the files of rows to something else."""
    count = 0
    for path in glob.glob(f"{spill}/sluice-events-*/data/*.sst"):
        with contextlib.suppress(FileNotFoundError), open(path, "r+b") as file:
            size = os.stat(path).st_size
            for at in range(0, size, 8192):
                file.seek(at)
                file.write(b"\x5a" * min(4096, size - at))
            count += 1
    return count


def disk_that_is_full_or_damaged():
    with scenario.directory() as spill, outage.small_disk(spill, "24m"), stage(spill) as feed:
        node = feed.cluster.nodes["n1"]
        with held(feed):
            wait_until("the disk is full", lambda: node.metric("event_store_failures_total") > 0, 90)
            goes_on(feed)
        catches_up(feed)
        given_back(feed, spill)
        failures = node.metric("event_store_failures_total")
        with held(feed):
            # The oldest are in files by then, what came last in the store's memory.
            wait_stored(feed, 14 * MIB)
            assert damage(spill) > 0
        wait_until("the damage is found", lambda: node.metric("event_store_failures_total") > failures, 60)
        catches_up(feed)
        feed.load.stop()
        feed.identical()


if __name__ == "__main__":
    scenario.main([held_back_dispatcher_costs_the_others_nothing, killed_with_a_full_store,
                   store_that_is_full_or_fails, disk_that_is_full_or_damaged])
