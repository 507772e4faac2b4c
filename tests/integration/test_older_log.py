"""A dispatcher starts below what its node holds, and the server that it would catch up from dies or refuses: it goes on
over another one, and nobody is hammered meanwhile."""
import contextlib
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import scenario
from lib.feed import SHORT_LEASE, Feed
from lib.replica_set import ReplicaSet
from lib.tcp_proxy import TcpProxy
from lib.waiting import wait_until

# What memory has no room for is kept nowhere else.
NODE = {"tail_max": "1MiB", "event_store_max": "0", "source_read_timeout": "3s"}
SECONDS = 3
# A reader at the end of a silent log asks its server, and another one, so often whether there is more.
LOOK_SECONDS = 10
# Attempts of one reader in SECONDS while its server is away: at 0, 0.2, 0.6, 1.4, 3.0 s.
ATTEMPTS = 5
# More than what connections hold on their way.
ROWS = 300
READING, OVER = 'message="reading older log for dispatchers that lag"', "stream=catch-up server=127.0.0.1:"


class Stage:
    """k.held is carried by a node that cannot write it; the other node's tail has given it up; then the first one dies."""

    def __init__(self, cluster, servers, sink):
        self.servers, self.sink, self.cluster = servers, sink, cluster
        # A replica is read first, since it may die without anybody having to take its place.
        self.listed = [servers.servers[1], servers.servers[0]]
        self.proxies = [TcpProxy(server.port) for server in self.listed]
        self.feed = Feed(cluster, servers, sink)

    def begin(self):
        servers, tables = self.servers, ["held", "a", "b", "c"]
        servers.sql("CREATE DATABASE k", *(f"CREATE TABLE k.{it} (id INT PRIMARY KEY AUTO_INCREMENT, v INT, t LONGTEXT)"
                                           for it in tables), "INSERT INTO k.held VALUES (1, 0, '')")
        servers.wait_replicas()
        uri = "mariadb://root@" + ",".join(f"127.0.0.1:{proxy.port}" for proxy in self.proxies)
        self.sink.sql("CREATE DATABASE k")
        for it in tables:
            self.sink.sql(servers.sql(f"SHOW CREATE TABLE k.{it}")[0][1].replace("CREATE TABLE ", "CREATE TABLE k."))
        self.sink.sql("INSERT INTO k.held VALUES (1, 0, '')")
        self.cluster.create("feed", uri, self.sink.uri(), "--filter", "k.*")
        self.feed.spread()
        self.first = self.feed.node_of("k.held")
        self.second = next(it for it in self.cluster.nodes.values() if it is not self.first)
        return self

    @contextlib.contextmanager
    def held(self):
        """While its row is locked in the sink."""
        with self.sink.connect(autocommit=False) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT * FROM k.held WHERE id = 1 FOR UPDATE")
            self.servers.sql("UPDATE k.held SET v = v + 1")
            yield
            connection.rollback()

    def fall_behind(self):
        """The second node's tail has no room for rows that none of its dispatchers needs."""
        self.servers.sql("UPDATE k.held SET v = v + 1")
        self.servers.sql(*(f"INSERT INTO k.held (v, t) VALUES ({n}, REPEAT('x', 100000))" for n in range(ROWS)))
        position = self.servers.gtid_sequence()
        wait_until("the second node has read it", lambda: all(
            int(it["checkpoint_ts"]) >= position for it in self.feed.tables().values()
            if it["node"] == self.second.name), 60)

    def first_dies(self):
        self.first.send_signal(signal.SIGKILL)
        self.first.wait()
        del self.cluster.nodes[self.first.name]

    def wait_readings(self, count, seconds=30):
        wait_until(f"{count} readings of older log", lambda: self.second.text().count(READING) >= count, seconds)

    def end(self):
        self.servers.sql(*(f"INSERT INTO k.{it} (v) VALUES (7)" for it in ("held", "a", "b", "c")))
        self.feed.identical()
        assert set(self.cluster.stop().values()) == {0}
        for proxy in self.proxies:
            proxy.close()


@contextlib.contextmanager
def stage():
    servers = ReplicaSet(2)
    try:
        servers.start()
        with scenario.sink_server() as sink, \
                scenario.cluster(2, maintainer_keys=SHORT_LEASE, node_keys=NODE) as cluster:
            yield Stage(cluster, servers, sink).begin()
    finally:
        servers.remove()


def server_dies_while_a_dispatcher_catches_up():
    with stage() as it:
        with it.held():
            it.fall_behind()
            it.second.arm("source.older.group=delay:20@*")
            it.first_dies()
        wait_until("a part of it is read", lambda: len(it.second.passages("source.older.group")) > 50, 30)
        before = [proxy.accepted for proxy in it.proxies]
        it.listed[0].stop(signal.SIGKILL)
        it.proxies[0].cut()
        it.wait_readings(2)
        it.second.arm("source.older.group=off")
        it.end()
        made = [proxy.accepted - count for proxy, count in zip(it.proxies, before)]
        print(f"  connections since it died: {made}", flush=True)
        # Live and older log: each tries it once, perhaps twice, and then reads from the other one.
        assert made[0] <= 4 and 2 <= made[1] <= 6, made


def server_refuses_a_dispatcher_that_wants_to_catch_up():
    with stage() as it:
        with it.held():
            it.fall_behind()
            before, began = [proxy.accepted for proxy in it.proxies], time.monotonic()
            it.proxies[0].is_refusing = True  # the live reading keeps its connection
            it.first_dies()
            it.wait_readings(2)
            assert it.second.metric("retry_scheduled_total") >= 1 and it.second.metric("region_requests_total") >= 2
        it.end()
        made = [proxy.accepted - count for proxy, count in zip(it.proxies, before)]
        looks = 1 + int((time.monotonic() - began) / LOOK_SECONDS)
        print(f"  connections since it refuses: {made}", flush=True)
        # The reader of older log tries the first once and the second once, and so does the comparison.
        assert 1 <= made[0] <= 2 + looks and made[1] <= 2 + looks, made


def every_server_refuses_for_a_while():
    with stage() as it:
        with it.held():
            it.fall_behind()
            it.second.arm("source.older.group=delay:20@*")
            it.first_dies()
        wait_until("a part of it is read", lambda: len(it.second.passages("source.older.group")) > 50, 30)
        before = [proxy.accepted for proxy in it.proxies]
        for proxy in it.proxies:
            proxy.refuse(True)
        time.sleep(SECONDS)
        tried = [proxy.accepted - count for proxy, count in zip(it.proxies, before)]
        state = it.cluster.query("feed")
        assert state["state"] == "warning" and "127.0.0.1:" in str(state["error"]), state
        for proxy in it.proxies:
            proxy.refuse(False)
        print(f"  connections while all refuse: {tried}", flush=True)
        # Two readers, of live and of older log; no server is tried again within its cooldown.
        assert all(2 <= count <= 2 * (ATTEMPTS + 1) for count in tried), tried
        it.second.arm("source.older.group=off")
        it.end()


if __name__ == "__main__":
    scenario.main([server_dies_while_a_dispatcher_catches_up, server_refuses_a_dispatcher_that_wants_to_catch_up,
                   every_server_refuses_for_a_while])
