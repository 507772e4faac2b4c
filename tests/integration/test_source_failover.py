"""A source of several servers: the primary dies and a replica takes its place, again and again, under load."""
import contextlib
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import pymysql

from lib import outage, scenario
from lib.cluster import CtlError
from lib.mariadb_server import MariaDB, free_port
from lib.replica_set import OPTIONS, ReplicaSet
from lib.waiting import wait_until

READER = "reader"
NODES = 2
NODE = {"source_read_timeout": "3s"}
# A reader opens the log with at most so many connections, one after the other, and looks at an idle log with one.
CONNECTIONS_EACH = 3
# The backoff's shortest delays: 25, 50, 100, … 1000 ms.
ATTEMPTS_IN_TWO_SECONDS = 7
CHANGES_BETWEEN = 8


@contextlib.contextmanager
def replica_set(count=3):
    servers = ReplicaSet(count)
    try:
        servers.start().sql(f"CREATE USER {READER}@'%'",
                            f"GRANT REPLICATION SLAVE, REPLICATION CLIENT, SELECT, SHOW VIEW ON *.* TO {READER}@'%'")
        servers.wait_replicas()
        yield servers
    finally:
        servers.remove()


def connections_at(server):
    rows = server.sql("SELECT total_connections FROM information_schema.user_statistics "
                      f"WHERE user = '{READER}'")
    return int(rows[0][0]) if rows else 0


def readers_at(server):
    return server.sql("SELECT COUNT(*) FROM information_schema.processlist "
                      f"WHERE user = '{READER}' AND command = 'Binlog Dump'")[0][0]


def fail_over(feed, successor, lagging=None):
    servers = feed.source
    changes = feed.load.done()[1]
    wait_until("more schema changes", lambda: feed.load.done()[1] >= changes + CHANGES_BETWEEN, 60)
    wait_until("every node reads from the primary", lambda: readers_at(servers.source) == NODES, 30)
    if lagging:
        lagging.sql("STOP SLAVE")
        rows = feed.load.done()[0]
        wait_until("it lags", lambda: feed.load.done()[0] > rows + 20, 20)
    others = servers.replicas()
    before, started = sum(map(connections_at, others)), time.monotonic()
    left = [lagging] if lagging else []
    dead = servers.kill_primary(left)
    servers.promote(successor, left)
    feed.goes_on()
    seconds = time.monotonic() - started
    made = sum(map(connections_at, others)) - before
    most = NODES * CONNECTIONS_EACH * (ATTEMPTS_IN_TWO_SECONDS + seconds)
    print(f"  {dead.name} died, {successor.name} took over: on after {seconds:.1f} s, {made} connections", flush=True)
    if lagging:
        assert any("before what was read already" in node.text() for node in feed.cluster.nodes.values())
        servers.follow(lagging)
        servers.wait_replicas([lagging])
    assert made <= most, f"{made} connections in {seconds:.1f} s"
    return dead


def primary_dies_five_times():
    with replica_set() as servers, scenario.sink_server() as sink, scenario.cluster(NODES, node_keys=NODE) as cluster:
        one, two, three = servers.servers
        feed = outage.Watched(cluster, servers)
        feed.begin(sink.uri(), source_uri=servers.uri(READER))
        fail_over(feed, two)
        fail_over(feed, three)  # the only one that is left
        servers.bring_back(one)
        servers.bring_back(two)
        # Who comes first in the list has not received yet what was read of the one that died.
        servers.bring_back(fail_over(feed, two, lagging=one))
        servers.bring_back(fail_over(feed, one))
        servers.bring_back(fail_over(feed, two))
        servers.wait_replicas()
        changes = feed.end()
        outage.each_logged_change_once(changes, sink)
        assert set(cluster.stop().values()) == {0}


def primary_killed_in_the_middle():
    """Nothing is held: what the primary told nobody is lost. Who reads from a replica, while the furthest is promoted, has
    nothing that the others will not have."""
    with scenario.cluster(NODES, node_keys=NODE) as cluster:
        for _ in range(3):
            with replica_set() as servers, scenario.sink_server() as sink:
                one, two, three = servers.servers
                feed = outage.Watched(cluster, servers)
                feed.begin(sink.uri(), source_uri=f"mariadb://{READER}@127.0.0.1:{three.port},127.0.0.1:{two.port}")
                wait_until("some schema changes", lambda: feed.load.done()[1] >= CHANGES_BETWEEN, 60)
                one.stop(signal.SIGKILL)
                for server in (two, three):  # what they have received is still to be applied
                    wait_until(f"{server.name} has applied all", lambda s=server: is_drained(s), 30)
                servers.promote(max(two, three, key=lambda server: server.gtid_sequence()))
                rows = feed.load.done()[0]
                wait_until("writers go on", lambda: feed.load.done()[0] > rows + 100, 60)
                feed.end()
                cluster.ctl("changefeed", "remove", "-c", outage.NAME, "--no-confirm")


def is_drained(replica):
    """The primary is gone and everything received from it is in the replica's own log."""
    with replica.connect(cursorclass=pymysql.cursors.DictCursor) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW SLAVE STATUS")
        status = cursor.fetchone()
    return (status["Slave_IO_Running"] != "Yes" and status["Gtid_IO_Pos"] and
            f"-{replica.gtid_sequence()}" == status["Gtid_IO_Pos"][status["Gtid_IO_Pos"].rindex("-"):])


def replica_that_serves_dies():
    """A replica logs when the last statement of a transaction began, the primary when it was committed: the group where the
    reading goes on is the same one all the same."""
    with replica_set(2) as servers, scenario.sink_server() as sink, scenario.cluster(NODES, node_keys=NODE) as cluster:
        servers.sql("CREATE DATABASE w0", "CREATE TABLE w0.t (id INT PRIMARY KEY)")
        servers.wait_replicas()
        primary, replica = servers.servers
        feed = outage.Watched(cluster, servers)
        sink.sql("CREATE DATABASE w0", "CREATE TABLE w0.t (id INT PRIMARY KEY)")
        feed.create(sink.uri(), source_uri=f"mariadb://{READER}@127.0.0.1:{replica.port},127.0.0.1:{primary.port}")
        with servers.connect(autocommit=False) as connection, connection.cursor() as cursor:
            cursor.execute("INSERT INTO w0.t VALUES (1)")
            outage.for_seconds(2)
            connection.commit()
        feed.goes_on()
        assert readers_at(replica) == NODES
        replica.stop(signal.SIGKILL)
        wait_until("every node reads from the primary", lambda: readers_at(primary) == NODES, 30)
        servers.sql("INSERT INTO w0.t VALUES (2)")
        feed.goes_on()
        assert sink.sql("SELECT id FROM w0.t") == ((1,), (2,))


def primary_hangs():
    """It takes connections and says nothing."""
    with replica_set(2) as servers, scenario.directory() as directory, scenario.cluster(NODES, node_keys=NODE) as cluster:
        primary, replica = servers.servers
        servers.sql("CREATE DATABASE w0", "CREATE TABLE w0.t (id INT PRIMARY KEY AUTO_INCREMENT)")
        servers.wait_replicas()
        feed = outage.Watched(cluster, servers)
        feed.create(f"sqlite://{directory}/s.db?create-tables=yes", source_uri=servers.uri(READER))
        servers.sql("INSERT INTO w0.t VALUES ()")
        feed.goes_on()
        servers.wait_replicas()
        primary.send_signal(signal.SIGSTOP)
        servers.promote(replica, leaving=[primary])
        servers.sql("INSERT INTO w0.t VALUES ()")
        feed.goes_on(60)
        wait_until("every node reads from the replica", lambda: readers_at(replica) == NODES, 60)
        primary.send_signal(signal.SIGCONT)
        servers.sql("INSERT INTO w0.t VALUES ()")
        feed.goes_on()


def replica_that_stands_still():
    """It answers, it is idle, and it receives nothing any more."""
    with replica_set(2) as servers, scenario.directory() as directory, scenario.cluster(NODES) as cluster:
        primary, replica = servers.servers
        servers.sql("CREATE DATABASE w0", "CREATE TABLE w0.t (id INT PRIMARY KEY AUTO_INCREMENT)")
        servers.wait_replicas()
        feed = outage.Watched(cluster, servers)
        feed.create(f"sqlite://{directory}/s.db?create-tables=yes",
                    source_uri=f"mariadb://{READER}@127.0.0.1:{replica.port},127.0.0.1:{primary.port}")
        servers.sql("INSERT INTO w0.t VALUES ()")
        feed.goes_on()
        wait_until("every node reads from the replica", lambda: readers_at(replica) == NODES, 30)
        replica.sql("STOP SLAVE")
        servers.sql("INSERT INTO w0.t VALUES ()")
        feed.goes_on(60)
        assert readers_at(primary) == NODES
        assert any("it lags" in node.text() for node in cluster.nodes.values())


def what_no_replica_received():
    """The primary died with a group that we have and its successor has not: nobody says that all is well, and the changefeed
    fails when the last server has refused."""
    with replica_set(2) as servers, scenario.directory() as directory, scenario.cluster(1) as cluster:
        one, two = servers.servers
        servers.sql("CREATE DATABASE w0", "CREATE TABLE w0.t (id INT PRIMARY KEY AUTO_INCREMENT)")
        servers.wait_replicas()
        feed = outage.Watched(cluster, servers)
        feed.create(f"sqlite://{directory}/s.db?create-tables=yes", source_uri=servers.uri(READER))
        feed.goes_on()
        two.sql("STOP SLAVE")
        servers.sql("INSERT INTO w0.t VALUES ()")
        feed.goes_on()
        one.stop(signal.SIGKILL)
        feed.says("warning", f"127.0.0.1:{two.port}: its log ends", "before what was read already")
        servers.promote(two)
        servers.sql(*["INSERT INTO w0.t VALUES ()"] * 5)
        feed.says("warning", f"127.0.0.1:{two.port}: ", "1236", "diverged")
        # The old one again, as it was: it can serve, and stands still.
        one.start()
        feed.says("normal")
        feed.says("warning", f"127.0.0.1:{one.port}: it lags", seconds=60)
        feed.says("warning", f"127.0.0.1:{two.port}: ", "1236", "diverged", seconds=60)
        one.sql("RESET MASTER", *["INSERT INTO w0.t VALUES ()"] * 9)
        feed.says("failed", "source_diverged", *(f"127.0.0.1:{server.port}: " for server in servers.servers), seconds=90)


def refused(cluster, source, sink, *words):
    try:
        cluster.create("bad", source, sink)
    except CtlError as error:
        text = error.error + error.out
        assert error.code == 1 and all(word in text for word in words), f"{words}: {text}"
        return
    raise AssertionError(f"not refused: {source}")


@contextlib.contextmanager
def globals_of(server, **settings):
    before = server.sql("SELECT " + ", ".join(f"@@global.{name}" for name in settings))[0]
    server.sql(*(f"SET GLOBAL {name} = {value!r}" for name, value in settings.items()))
    yield
    server.sql(*(f"SET GLOBAL {name} = {value!r}" for name, value in zip(settings, before)))


def create_names_the_server_that_is_not_like_the_others():
    with replica_set(2) as servers, scenario.cluster(1) as cluster:
        one, two = servers.servers
        name = f"127.0.0.1:{two.port}: "
        with globals_of(two, binlog_row_metadata="MINIMAL"):
            refused(cluster, servers.uri(READER), "blackhole://", name + "binlog_row_metadata", "SET GLOBAL")
        with globals_of(two, gtid_domain_id=5):
            refused(cluster, servers.uri(READER), "blackhole://", name, "GTID domain 5", "SET GLOBAL gtid_domain_id=0")
        two.sql("STOP SLAVE", "SET GLOBAL replicate_ignore_db = 'mysql'", "SET GLOBAL replicate_wild_do_table = 'shop.%'")
        refused(cluster, servers.uri(READER), "blackhole://", name + "replicate_wild_do_table is shop.%")
        two.sql("SET GLOBAL replicate_wild_do_table = ''", "START SLAVE")
        refused(cluster, servers.uri(READER), f"mariadb://root@127.0.0.1:{two.port}", "source and sink are the same")
        refused(cluster, f"mariadb://root@127.0.0.1:{one.port},127.1:{one.port}", "blackhole://", "server_id 101")
        refused(cluster, f"mariadb://root@127.0.0.1:{one.port},127.0.0.1:{one.port}", "blackhole://", "twice")
        refused(cluster, f"mariadb://root@127.0.0.1:{one.port},127.0.0.1:{free_port()}", "blackhole://", "2002")
        stranger = MariaDB("stranger", 110, OPTIONS)
        try:
            stranger.start().sql(f"CREATE USER {READER}@'%'", *(f"CREATE DATABASE d{n}" for n in range(9)))
            stranger.sql(f"GRANT ALL ON *.* TO {READER}@'%'")
            refused(cluster, f"mariadb://{READER}@127.0.0.1:{one.port},127.0.0.1:{stranger.port}", "blackhole://",
                    f"127.0.0.1:{stranger.port}: ", "1236")
        finally:
            stranger.remove()
        two.stop()
        two.options += ["--binlog-ignore-db=mysql", "--binlog-ignore-db=shop"]
        two.start()
        answer = cluster.create("warned", servers.uri(READER), "blackhole://")
        assert f"{name}binlog_ignore_db is mysql,shop" in str(answer), answer
        two.stop()
        two.options.remove("--log-slave-updates=1")
        two.start()
        refused(cluster, servers.uri(READER), "blackhole://", name + "log_slave_updates")


def purged_everywhere_but_one():
    with replica_set(2) as servers, scenario.directory() as directory, scenario.cluster(NODES) as cluster:
        one, two = servers.servers
        feed = outage.Watched(cluster, servers)
        servers.sql("CREATE DATABASE w0", "CREATE TABLE w0.t (id INT PRIMARY KEY AUTO_INCREMENT)")
        servers.wait_replicas()
        feed.create(f"sqlite://{directory}/s.db?create-tables=yes", source_uri=servers.uri(READER))

        def purge(*which):
            for node in list(cluster.nodes):
                assert cluster.stop_node(node) == 0
            servers.sql(*["INSERT INTO w0.t VALUES ()"] * 3)
            servers.wait_replicas()
            for server in which:
                server.sql("FLUSH BINARY LOGS")
                log = server.sql("SHOW BINARY LOGS")[-1][0]
                wait_until("the logs are purged", lambda s=server, last=log: s.sql(
                    f"PURGE BINARY LOGS TO '{last}'", "SHOW BINARY LOGS")[0][0] == last, 20)
            for number in range(NODES):
                cluster.start_node(f"n{number + 1}")

        purge(one)
        feed.goes_on()
        assert readers_at(two) == NODES
        servers.sql("INSERT INTO w0.t VALUES ()")
        feed.goes_on()
        purge(one, two)
        feed.says("failed", "source_purged", f"127.0.0.1:{one.port}: ", f"127.0.0.1:{two.port}: ", "1236")


if __name__ == "__main__":
    scenario.main([primary_dies_five_times, primary_killed_in_the_middle, replica_that_serves_dies, primary_hangs,
                   replica_that_stands_still, what_no_replica_received,
                   create_names_the_server_that_is_not_like_the_others, purged_everywhere_but_one])
