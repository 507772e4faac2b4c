"""A changefeed under load while something around it fails: what it says meanwhile, and what became of it afterwards."""
import contextlib
import os
import re
import signal
import subprocess
import threading
import time

import pymysql

from . import carried, general_log, scenario, workload
from .cluster import CtlError
from .mariadb_server import MariaDB
from .steady_load import SteadyLoad
from .waiting import wait_until

FILTER = ["w*.*"]
SCHEMAS, TABLES = 2, 8
# Of every influence; none that takes long.
KINDS = ["add_column", "create_and_drop", "rename_swap", "truncate", "database", "create_like", "create_select", "rename",
         "indexes", "views", "rename_schema", "create_or_replace", "create_keep", "default_and_comment", "primary_key",
         "foreign_keys", "keyless", "unique_key"]
NAME = "feed"

DURABLE_SINK = ["--innodb-flush-log-at-trx-commit=1", "--log-bin=binlog", "--sync-binlog=1", "--binlog-format=ROW"]
SINK_PRIVILEGES = ("SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, CREATE VIEW, SHOW VIEW, "
                   "PROCESS, SET USER")
PASSWORD = "one"


@contextlib.contextmanager
def weak_sink(*options):
    """A sink whose user `sluice` may do what it has to, and not what an administrator may."""
    with scenario.sink_server(*DURABLE_SINK, *options) as sink:
        make_sink_user(sink)
        yield sink


@contextlib.contextmanager
def sink_on_small_disk(size):
    """Its tables are, its logs are not."""
    sink = MariaDB("sink", 2, DURABLE_SINK)
    os.mkdir(sink.data)
    sink.options += [f"--log-bin={sink.directory}/binlog", "--innodb-buffer-pool-size=64M",
                     "--innodb-log-file-size=16M"]
    try:
        with small_disk(sink.data, size):
            try:
                make_sink_user(sink.start())
                yield sink
            finally:
                sink.stop(signal.SIGKILL)
    finally:
        sink.remove()


def make_sink_user(sink):
    sink.sql(f"CREATE USER sluice@'%' IDENTIFIED BY '{PASSWORD}'", f"GRANT {SINK_PRIVILEGES} ON *.* TO sluice@'%'")


def sink_uri(sink, port=None):
    return f"mariadb://sluice:{PASSWORD}@127.0.0.1:{port or sink.port}"


class Watched:
    """A changefeed and its load."""

    def __init__(self, cluster, source, kinds=KINDS):
        self.cluster, self.source, self.kinds = cluster, source, kinds

    def create(self, sink, parameters="", source_uri=None):
        self.sink = sink
        arguments = [part for rule in FILTER for part in ("--filter", rule)]
        self.cluster.create(NAME, source_uri or self.source.uri(), sink + parameters, *arguments)

    def begin(self, sink, parameters="", source_uri=None):
        self.create(sink, parameters, source_uri)
        workload.create_tables(self.source, SCHEMAS, TABLES)
        self.load = SteadyLoad(self.source, workload.table_names(SCHEMAS, TABLES), self.kinds)
        self.goes_on()

    def compare(self):
        carried.compare(self.source.uri(), self.sink, FILTER)(self.cluster)

    def query(self):
        self.cluster.check_alive()
        return self.cluster.query(NAME)

    def says(self, state, *words, seconds=30):
        """Waits for that state, with an error that has all of these words; returns the answer."""
        def look():
            answer = self.query()
            text = str(answer["error"]).lower()
            return answer["state"] == state and all(word.lower() in text for word in words) and answer
        try:
            return wait_until(f"{state} {' '.join(words)}", look, seconds, 0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.query()}") from error

    def warns(self, *words, seconds=30):
        """As says; lag grows from then on."""
        first = self.says("warning", *words, seconds=seconds)
        wait_until("lag grows", lambda: self.query()["lag_seconds"] > max(first["lag_seconds"], 1), 20, 0.1)
        return first

    def goes_on(self, seconds=60):
        """Normal, and everything that the source has by now is in the sink."""
        self.cluster.wait_checkpoint(NAME, self.source.gtid_sequence(), seconds)
        self.says("normal", seconds=seconds)

    def resume(self):
        """As soon as the nodes have closed what failed."""
        def is_resumed():
            try:
                self.cluster.ctl("changefeed", "resume", "-c", NAME)
            except CtlError as error:
                assert "try again" in error.error, error
                return False
            return True
        wait_until("the changefeed can be resumed", is_resumed, 20)

    def has_gate(self):
        return self.cluster.barriers(NAME)

    def wait_gate(self):
        return wait_until("a gate is open", self.has_gate, 30, 0.02)

    def end(self):
        changes = self.load.stop()
        self.goes_on(120)
        self.compare()
        rows, _ = self.load.done()
        print(f"  {rows} row changes, {len(changes.carried)} schema changes", flush=True)
        return changes


@contextlib.contextmanager
def repeatedly(action, seconds):
    """`action` every so many seconds in the background."""
    is_ending, errors = threading.Event(), []

    def run():
        try:
            while not is_ending.wait(seconds):
                action()
        except Exception as error:  # told at the end
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_ending.set()
        thread.join(30)
    if errors:
        raise errors[0]


def for_seconds(seconds):
    """For what has to last; everything else waits for an event."""
    time.sleep(seconds)


def kill_connections(server, user, command="%"):
    """Of that user; returns how many there were."""
    with server.connect() as connection:
        return kill_over(connection, user, command)


def kill_over(connection, user, command="%"):
    count = 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE user = %s AND command LIKE %s AND "
                       "id != CONNECTION_ID()", (user, command))
        for (thread,) in cursor.fetchall():
            with contextlib.suppress(pymysql.err.OperationalError):  # it may have gone
                cursor.execute(f"KILL {thread}")
                count += 1
    return count


@contextlib.contextmanager
def small_disk(directory, size):
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", directory], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", directory], check=True)


@contextlib.contextmanager
def filled(directory):
    """No room is left on its disk."""
    path = f"{directory}/filler"
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1 << 16))
    try:
        yield
    finally:
        os.remove(path)


CONTEXT = re.compile(r"^(use `[^`]*`; )?(set [a-z_]+=[^;]*; )?")


def executed_in(server):
    """Schema changes that a server with a binary log has really made: one that was killed in the middle and rolled back
    is in its general log, but not there."""
    texts = []
    for row in server.sql("SHOW BINARY LOGS"):
        for event in server.sql(f"SHOW BINLOG EVENTS IN '{row[0]}'"):
            text = CONTEXT.sub("", event[5])
            if event[2] == "Query" and general_log.SCHEMA_VERB.match(text):
                texts.append(text)
    return texts


def each_change_once(changes, server):
    carried.each_change_once(changes, executed_in(server))


def each_logged_change_once(changes, server):
    """Of a sink that was well all the time."""
    carried.each_change_once(changes, general_log.schema_changes(server.general_log))
