"""Servers that replicate from one of them, the primary, which dies and is replaced by another."""
import multiprocessing
import signal

from .mariadb_server import SOURCE_OPTIONS, MariaDB
from .waiting import wait_until

# What a server of a replica set needs to be killed and to take the place of another; user statistics count connections.
OPTIONS = [*SOURCE_OPTIONS, "--log-slave-updates=1", "--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1",
           "--innodb-buffer-pool-size=64M", "--userstat=1", "--slave-net-timeout=5"]
FIRST_SERVER_ID = 101


class ReplicaSet:
    """Speaks for its present primary where one server is expected."""

    def __init__(self, count=3, options=()):
        self.servers = [MariaDB(f"set{n}", FIRST_SERVER_ID + n, [*OPTIONS, *options]) for n in range(count)]
        self.primary = multiprocessing.Value("i", 0)  # also of the processes that write
        self.connections = 0  # of a user, at servers that are gone since

    def start(self):
        for server in self.servers:
            server.start()
        for server in self.servers[1:]:
            self.follow(server)
        return self

    def remove(self):
        for server in self.servers:
            server.remove()

    @property
    def source(self):
        return self.servers[self.primary.value]

    def connect(self, **arguments):
        return self.source.connect(**arguments)

    def sql(self, *statements):
        return self.source.sql(*statements)

    def gtid_sequence(self):
        return self.source.gtid_sequence()

    def uri(self, user="root"):
        return f"mariadb://{user}@" + ",".join(f"127.0.0.1:{server.port}" for server in self.servers)

    def replicas(self):
        return [server for server in self.servers if server is not self.source and server.process]

    def follow(self, server, was_primary=False):
        demote = ", master_demote_to_slave=1" if was_primary else ""
        server.sql("STOP SLAVE",
                   f"CHANGE MASTER TO master_host='127.0.0.1', master_port={self.source.port}, master_user='root', "
                   f"master_use_gtid=slave_pos, master_connect_retry=1{demote}",
                   "START SLAVE")

    def wait_replicas(self, replicas=None, seconds=60):
        sequence = self.gtid_sequence()
        for server in self.replicas() if replicas is None else replicas:
            wait_until(f"{server.name} has {sequence}", lambda s=server: s.gtid_sequence() >= sequence, seconds)

    def kill_primary(self, lagging=()):
        """Writes are held until every other replica than those has what the primary's log has: a server that dies takes
        nothing along that a reader may have seen already."""
        dying = self.source
        with dying.connect() as connection, connection.cursor() as cursor:
            cursor.execute("FLUSH TABLES WITH READ LOCK")
            self.wait_replicas([server for server in self.replicas() if server not in lagging])
            dying.stop(signal.SIGKILL)
        return dying

    def promote(self, server, leaving=()):
        server.sql("STOP SLAVE", "RESET SLAVE ALL")
        self.primary.value = self.servers.index(server)
        for replica in self.replicas():
            if replica not in leaving:
                self.follow(replica)

    def bring_back(self, server):
        """A primary that died, as a replica."""
        server.start()
        self.follow(server, was_primary=True)
        self.wait_replicas([server])
