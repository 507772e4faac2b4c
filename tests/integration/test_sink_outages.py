"""The sink goes away, refuses, or is full, while rows and schema changes arrive: the changefeed says so and goes on by
itself, or fails with an error that names what has to be mended and goes on after `resume`."""
import contextlib
import os
import signal
import sqlite3
import sys
import time

import pymysql

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import outage, scenario
from lib.outage import for_seconds, kill_connections, repeatedly
from lib.tcp_proxy import TcpProxy
from lib.waiting import wait_until

NODE = {"sink_retry_max": "1s"}  # 5 s by default
WORKERS = 10  # of a node: row_workers and ddl_workers
SECONDS = float(os.environ.get("SLUICE_OUTAGE_SECONDS", "3"))


def table_lock(sink, table):
    """A foreign session that keeps every writer and every schema change away from a table."""
    session = sink.connect()
    session.cursor().execute(f"LOCK TABLES {table} WRITE")
    return session


def restarted(feed, sink):
    sink.stop()
    feed.warns("sink_connection")
    sink.start()
    feed.goes_on()


def killed_with_an_open_gate(feed, sink):
    """A DDL waits behind a foreign lock when the server dies; of a table without rows, which would wait before it."""
    feed.source.sql("CREATE TABLE w0.gated (id INT PRIMARY KEY)")
    feed.goes_on()
    session = table_lock(sink, "w0.gated")
    feed.source.sql("ALTER TABLE w0.gated ADD COLUMN gate INT")
    wait_until("the sink runs the DDL", lambda: [text for (text,) in sink.sql(
        "SELECT info FROM information_schema.processlist WHERE user = 'sluice'") if text and "COLUMN gate" in text], 30)
    sink.stop(signal.SIGKILL)
    session.close()
    feed.warns("sink_connection")
    sink.start()
    feed.goes_on()


def killed_under_load(feed, sink):
    for _ in range(2):
        for_seconds(0.5)
        sink.stop(signal.SIGKILL)
        sink.start()
    feed.goes_on()


def connections_killed_repeatedly(feed, sink):
    """While rows are written, and while a DDL copies a table for longer than a connection lives."""
    feed.source.sql("CREATE TABLE w0.copied (id INT PRIMARY KEY, v INT, w VARCHAR(200))",
                    "INSERT INTO w0.copied SELECT seq, seq, REPEAT('w', 200) FROM w0.seq_1_to_60000")
    feed.goes_on()
    killed = []
    feed.source.sql("ALTER TABLE w0.copied MODIFY v BIGINT, ADD COLUMN x INT FIRST, ALGORITHM=COPY")
    with repeatedly(lambda: killed.append(kill_connections(sink, "sluice")), 0.2):
        for_seconds(SECONDS)
    assert sum(killed) > 10, killed
    feed.goes_on()
    made = [text for text in outage.executed_in(sink) if "w0.copied MODIFY" in text]
    assert len(made) == 1, made


def refusing(feed, sink):
    """Every connection ends at once: how often is one tried?"""
    sink.proxy.refuse(True)
    feed.warns("sink_connection")
    before = sink.proxy.accepted
    for_seconds(SECONDS)
    tried = sink.proxy.accepted - before
    sink.proxy.refuse(False)
    # By then every worker that has work tries each second; all that one node has may be behind the other's gate.
    nodes = len(feed.cluster.nodes)
    assert SECONDS - 1 <= tried <= nodes * WORKERS * (SECONDS + 2), f"{tried} connections in {SECONDS} s"
    feed.goes_on()


def half_open(feed, sink):
    """Nothing passes for a while, then the connections are gone."""
    sink.proxy.freeze()
    for_seconds(SECONDS)
    sink.proxy.cut()
    sink.proxy.thaw()
    feed.goes_on()


def read_only(feed, sink):
    sink.sql("SET GLOBAL read_only = 1")
    feed.warns("sink_busy", "read-only")
    for_seconds(SECONDS)
    sink.sql("SET GLOBAL read_only = 0")
    feed.goes_on()


def row_locked(feed, sink):
    """A foreign transaction holds every row of a table, and by it the table's definition."""
    session = sink.connect(autocommit=False)
    session.cursor().execute("SELECT * FROM w1.t001 FOR UPDATE")
    feed.source.sql("UPDATE w1.t001 SET a = a + 1", "ALTER TABLE w1.t001 ADD COLUMN locked INT")
    feed.warns("sink_busy")
    for_seconds(SECONDS)
    session.rollback()
    session.close()
    feed.goes_on()


def no_connection_left(feed, sink):
    """Foreign sessions take the places of ours."""
    sink.sql("CREATE USER crowd@'%'")
    with contextlib.ExitStack() as crowd:
        administrator = crowd.enter_context(sink.connect())
        administrator.cursor().execute("SET GLOBAL max_connections = 20")
        outage.kill_over(administrator, "sluice")
        with contextlib.suppress(pymysql.err.OperationalError):  # too many
            while True:
                crowd.enter_context(sink.connect(user="crowd"))
        outage.kill_over(administrator, "sluice")
        feed.warns("sink_busy", "too many connections")
        administrator.cursor().execute("SET GLOBAL max_connections = 400")
    feed.goes_on()


def password_changed(feed, sink):
    sink.sql("ALTER USER sluice@'%' IDENTIFIED BY 'other'")
    kill_connections(sink, "sluice")
    feed.says("failed", "sink_settings", "1045", "sluice")
    sink.sql(f"ALTER USER sluice@'%' IDENTIFIED BY '{outage.PASSWORD}'")
    feed.resume()
    feed.goes_on()


def privilege_revoked(feed, sink):
    sink.sql("REVOKE INSERT ON *.* FROM sluice@'%'")
    kill_connections(sink, "sluice")  # privileges are those of the login
    feed.says("failed", "sink_settings", "INSERT")
    sink.sql("GRANT INSERT ON *.* TO sluice@'%'")
    feed.resume()
    feed.goes_on()


def steps(feed, sink, *all_of_them):
    for step in all_of_them:
        started = time.monotonic()
        step(feed, sink)
        print(f"  {step.__name__}: {time.monotonic() - started:.1f} s", flush=True)


def has_bounded_log(cluster, seconds):
    """However many connections fail: five lines in ten seconds of each node."""
    for name, node in cluster.nodes.items():
        lines = node.text().count("will try again")
        assert 0 < lines <= 5 * (seconds / 10 + 1), f"{lines} lines of {name} in {seconds} s"


def mariadb_goes_away():
    with scenario.source_server() as source, outage.weak_sink() as sink, \
            scenario.cluster(2, node_keys=NODE) as cluster:
        feed = outage.Watched(cluster, source)
        sink.proxy = TcpProxy(sink.port)
        feed.begin(outage.sink_uri(sink, sink.proxy.port))
        started = time.monotonic()
        steps(feed, sink, restarted, killed_with_an_open_gate, killed_under_load, connections_killed_repeatedly,
              refusing, half_open)
        has_bounded_log(cluster, time.monotonic() - started)
        changes = feed.end()
        outage.each_change_once(changes, sink)
        assert set(cluster.stop().values()) == {0}
        sink.proxy.close()


def mariadb_refuses():
    with scenario.source_server() as source, outage.weak_sink() as sink, scenario.cluster(2) as cluster:
        feed = outage.Watched(cluster, source)
        feed.begin(outage.sink_uri(sink))
        steps(feed, sink, read_only, row_locked, no_connection_left, password_changed, privilege_revoked)
        changes = feed.end()
        outage.each_change_once(changes, sink)
        assert set(cluster.stop().values()) == {0}


def mariadb_is_full():
    with scenario.source_server() as source, outage.sink_on_small_disk("300m") as sink, scenario.cluster(2) as cluster:
        feed = outage.Watched(cluster, source)
        feed.begin(outage.sink_uri(sink))
        with outage.filled(sink.data):
            source.sql("INSERT INTO w0.t000 (b, e) SELECT seq, REPEAT('x', 4000) FROM w0.seq_1_to_8000")
            feed.warns("no_space")
            for_seconds(SECONDS)
        feed.goes_on()
        changes = feed.end()
        outage.each_change_once(changes, sink)
        assert set(cluster.stop().values()) == {0}


class File:
    """A SQLite sink on a disk of its own."""

    def __init__(self, directory):
        self.directory, self.path = directory, f"{directory}/s.db"
        self.uri = f"sqlite://{self.path}"


def file_locked(feed, file):
    with contextlib.closing(sqlite3.connect(file.path, isolation_level=None)) as session:
        session.execute("BEGIN EXCLUSIVE")
        feed.warns("sink_busy", file.path)
        for_seconds(SECONDS)
    feed.goes_on()


def file_on_a_full_disk(feed, file):
    with outage.filled(file.directory):
        feed.source.sql("INSERT INTO w0.t000 (b, e) SELECT seq, REPEAT('x', 4000) FROM w0.seq_1_to_2000")
        feed.warns("no_space", file.path)
        for_seconds(SECONDS)
    feed.goes_on()


def writers_killed(feed, file):
    for name in list(feed.cluster.nodes):
        feed.cluster.stop_node(name, signal.SIGKILL)
    assert os.path.getsize(f"{file.path}-wal") > 0
    feed.cluster.start_node("n1")
    feed.cluster.start_node("n2")
    feed.goes_on()


def file_removed(feed, file):
    os.rename(file.path, f"{file.path}.away")
    feed.says("failed", "sink_settings", file.path, "removed")
    feed.resume()
    feed.says("failed", "sink_settings", file.path, "removed")
    assert not os.path.exists(file.path)
    os.rename(f"{file.path}.away", file.path)
    feed.resume()
    feed.goes_on()


def renamed(old, new):
    """A database with what SQLite keeps beside it: another file opened at its name would take the log of the first."""
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(old + suffix):
            os.rename(old + suffix, new + suffix)


def file_replaced(feed, file):
    renamed(file.path, f"{file.path}.away")
    with contextlib.closing(sqlite3.connect(file.path)) as other:
        other.execute("CREATE TABLE other (v INT)")
    feed.says("failed", "sink_settings", file.path)
    feed.resume()
    feed.says("failed", "sink_settings", file.path, "not the one")
    renamed(f"{file.path}.away", file.path)
    feed.resume()
    feed.goes_on()


def sqlite_goes_away():
    with scenario.source_server() as source, scenario.directory() as directory, \
            outage.small_disk(directory, "100m"), scenario.cluster(2) as cluster:
        feed, file = outage.Watched(cluster, source), File(directory)
        feed.begin(file.uri, "?busy-timeout-ms=500")
        steps(feed, file, file_locked, file_on_a_full_disk, writers_killed, file_removed, file_replaced)
        feed.end()
        assert set(cluster.stop().values()) == {0}


if __name__ == "__main__":
    scenario.main([mariadb_goes_away, mariadb_refuses, mariadb_is_full, sqlite_goes_away])
