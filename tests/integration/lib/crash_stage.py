"""The stage of the tests in which nodes and maintainers die: a few tables on two nodes, a short lease, and how a process
is killed at one point of the handling of one event."""
import contextlib
import signal

from . import carried, general_log, scenario
from . import feed as feeds
from .tcp_proxy import TcpProxy
from .waiting import wait_until


class Stage(feeds.Feed):
    def make_tables(self, names):
        self.source.sql("CREATE DATABASE k")
        for name in names:
            self.source.sql(f"CREATE TABLE k.{name} (id INT AUTO_INCREMENT PRIMARY KEY, v INT)",
                            f"INSERT INTO k.{name} (v) VALUES (0)")
        self.caught_up()
        wait_until("all tables have an owner", lambda: all(self.is_carried(f"k.{name}") for name in names), 20)

    def is_carried(self, table):
        row = self.tables().get(table)
        return bool(row and row["state"] == "replicating")

    def trigger_node(self):
        return self.node_of("")

    def other_node(self):
        return next(it for it in self.cluster.nodes.values() if it is not self.trigger_node())

    def states(self):
        """Of the nodes, by name."""
        return {node["id"]: node["state"] for node in self.cluster.captures()}

    def table_on(self, process, without=()):
        """The name of a table that this process carries."""
        def find():
            return next((row["table"] for name, row in self.tables().items()
                         if name and row["node"] == process.name and row["state"] == "replicating"
                         and row["table"] not in without), None)
        return wait_until(f"{process.name} carries a table", find, 20)

    def next_position(self):
        return self.source.gtid_sequence() + 1

    def insert(self, *tables, value=1):
        self.source.sql(*(f"INSERT INTO k.{name} (v) VALUES ({value})" for name in tables))

    def wait_killed(self, process):
        assert process.wait(30) == -signal.SIGKILL, f"{process.name} ended with {process.popen.returncode}"
        self.cluster.nodes.pop(process.name, None)

    def times(self, statement):
        """How often the sink was told to run it, also where the source has written it anew."""
        if not statement.startswith(("CREATE VIEW", "DROP")):
            return self.times_executed(statement)
        return carried.times_executed(None, statement, general_log.schema_changes(self.sink.general_log))

    def kill(self, process):
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.cluster.nodes.pop(process.name, None)

    def gate(self):
        """The first open one, or None."""
        answer = self.cluster.api("changefeeds", self.name, "barriers")
        return answer["items"][0] if answer and answer["items"] else None

    def wait_gate(self, state, seconds=20):
        def reached():
            gate = self.gate()
            return gate if gate and gate["state"] == state else None
        return wait_until(f"a gate is {state}", reached, seconds, interval=0.01)

    def ends_well(self):
        """Nothing is lost, and every process that is there ends as told."""
        self.identical()
        codes = self.cluster.stop()
        assert set(codes.values()) == {0}, codes


class Link:
    """Between one node and the maintainer of a cluster: its two connections, each through a proxy."""

    def __init__(self, cluster):
        self.status, self.control = TcpProxy(cluster.status_port), TcpProxy(cluster.control_port)

    def keys(self):
        return {"status": [f"tcp://127.0.0.1:{self.status.port}"],
                "control": [f"tcp://127.0.0.1:{self.control.port}"]}

    def freeze(self, to_maintainer=True, to_node=True):
        for proxy in (self.status, self.control):
            proxy.freeze(to_maintainer, to_node)

    def thaw(self):
        self.status.thaw()
        self.control.thaw()

    def close(self):
        self.status.close()
        self.control.close()


@contextlib.contextmanager
def linked(feed, name):
    """A further node that reaches the maintainer through proxies."""
    link = Link(feed.cluster)
    try:
        feed.cluster.start_node(name, keys=link.keys())
        feed.cluster.wait_nodes(len(feed.cluster.nodes))
        wait_until(f"{name} has its share", lambda: any(it["node"] == name for it in feed.tables().values()), 20)
        yield link
    finally:
        link.close()


@contextlib.contextmanager
def stage(*tables, nodes=2, maintainer_keys=None, node_keys=None):
    """Into MariaDB; the tables are k.NAME."""
    keys = {"maintainer_keys": {**feeds.SHORT_LEASE, **(maintainer_keys or {})}, "node_keys": node_keys}
    with scenario.source_server() as source, scenario.sink_server() as sink, \
            scenario.cluster(nodes, **keys) as cluster:
        it = Stage(cluster, source, sink).create("k*.*")
        it.make_tables(tables)
        yield it
