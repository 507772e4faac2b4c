"""One changefeed under test: who carries what, what has arrived, what the sink was told to do."""
import contextlib
import signal

from . import general_log, scenario
from .waiting import wait_until

# A lease that ends within a test; takeover is due lease + grace after the owner was last heard.
SHORT_LEASE = {"lease": "1500ms", "lease_grace": "500ms", "lease_answer": "200ms",
               "complete_heartbeat": "1s"}
LEASE_SECONDS = 2.0
# What a takeover may take beyond that: connections of the earlier owner that hold what is needed are killed after a second.
TAKEOVER_SECONDS = 4.0


@contextlib.contextmanager
def into_mariadb(*filters, nodes=2, **keys):
    with scenario.source_server() as source, scenario.sink_server() as sink, \
            scenario.cluster(nodes, maintainer_keys=SHORT_LEASE, **keys) as cluster:
        yield Feed(cluster, source, sink).create(*filters)


@contextlib.contextmanager
def into_sqlite(*filters, nodes=2, **keys):
    with scenario.source_server() as source, scenario.directory() as directory, \
            scenario.cluster(nodes, maintainer_keys=SHORT_LEASE, **keys) as cluster:
        yield Feed(cluster, source, f"sqlite://{directory}/sink.db").create(*filters)


@contextlib.contextmanager
def into_files(*filters, nodes=2, parameters="", **keys):
    with scenario.source_server() as source, scenario.directory() as directory, \
            scenario.cluster(nodes, maintainer_keys=SHORT_LEASE, **keys) as cluster:
        feed = Feed(cluster, source, f"file://{directory}/out{parameters}")
        feed.directory = f"{directory}/out"
        yield feed.create(*filters)


class Feed:
    def __init__(self, cluster, source, sink, name="feed"):
        """`sink` is a MariaDB server or the URI of another sink."""
        self.cluster, self.source, self.sink, self.name = cluster, source, sink, name

    def create(self, *filters, arguments=()):
        uri = self.sink if isinstance(self.sink, str) else self.sink.uri()
        rules = [part for rule in filters for part in ("--filter", rule)]
        self.cluster.create(self.name, self.source.uri(), uri, *rules, *arguments)
        return self

    def tables(self):
        """Rows of sluicectl table list by "schema.table"; the trigger is ""."""
        return {"" if it["table_id"] == "0" else f"{it['schema']}.{it['table']}": it
                for it in self.cluster.tables(self.name)}

    def node_of(self, table=""):
        """The node process that carries a table ("": the trigger)."""
        def find():
            row = self.tables().get(table)
            return row and row["state"] == "replicating" and self.cluster.nodes.get(row["node"])
        return wait_until(f"somebody carries {table or 'the trigger'}", find, 30)

    def spread(self, seconds=20):
        """Every node carries something and nothing is on its way."""
        def is_spread():
            rows = self.tables().values()
            return all(it["state"] == "replicating" for it in rows) and \
                {it["node"] for it in rows} == set(self.cluster.nodes)
        wait_until("the tables are spread over the nodes", is_spread, seconds)

    def caught_up(self, seconds=60):
        """Everything that is in the source is durable in the sink."""
        self.cluster.wait_checkpoint(self.name, self.source.gtid_sequence(), seconds)

    def arrived(self, seconds=60):
        """Everything is in the sink by what the nodes say, whether the maintainer can store that or not."""
        position = self.source.gtid_sequence()
        wait_until(f"every table is at {position}", lambda: self.cluster.check_alive() or all(
            int(it["checkpoint_ts"]) >= position for it in self.tables().values()), seconds)

    def identical(self, seconds=60):
        self.caught_up(seconds)
        text = self.cluster.ctl("compare", "-c", self.name, output="table", seconds=120)
        assert text.strip().endswith("identical"), text

    def run(self, statement, schema=None):
        """On the source; returns its position."""
        self.source.sql(*([f"USE {schema}"] if schema else []), statement)
        return self.source.gtid_sequence()

    def times_executed(self, statement):
        """How often the sink was told to run what begins so, quotes and comments aside."""
        wanted = general_log.unquoted(statement)
        return sum(general_log.unquoted(text).strip().startswith(wanted)
                   for text in general_log.schema_changes(self.sink.general_log))

    def lose_one(self, order, *statements, among=None):
        """Runs the statements with the order (of a fail point) given to all nodes, since tables move, or to some; returns
        the process that carried it out: ended, standing still, or having failed."""
        place, action = order.rsplit("=", 1)
        point, action = place.split("(")[0], action.split("@")[0]
        nodes = among or list(self.cluster.nodes.values())
        before = {node: len(node.passages(point, action)) for node in nodes}
        for node in nodes:
            node.arm(order)
        self.source.sql(*statements)
        lost = wait_until(f"somebody comes to {order}", lambda: next(
            (node for node in nodes if len(node.passages(point, action)) > before[node]), None), 30)
        for node in nodes:
            if node is not lost:
                node.arm(f"{place}=off")
        if action == "kill":
            assert lost.wait(30) == -signal.SIGKILL
        elif action == "stop":
            wait_until(f"{lost.name} stands still", lost.is_stopped, 10)
        return lost

    def restart_node(self, process):
        """After its end; the new incarnation makes the old one's spans absent at once."""
        process.wait(20)
        return self.cluster.start_node(process.name)

    def wake(self, process):
        """Stopped until it was called absent: drops everything at once and comes back as a new incarnation."""
        welcome = 'message="registered at maintainer"'
        before = process.text().count(welcome)
        process.send_signal(signal.SIGCONT)
        wait_until(f"{process.name} begins anew", lambda: process.text().count(welcome) > before, 3)
        assert "called absent: starts again" in process.text()
        self.cluster.wait_nodes(len(self.cluster.nodes))
        self.caught_up()
