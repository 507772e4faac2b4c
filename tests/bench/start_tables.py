"""D5: how long a changefeed of many tables takes from its creation until every table replicates, per table, over one with
a tenth of the tables; and what a table that is idle costs in memory.

Two sources are filled once, one with TABLES and one with a tenth of them, of some shapes as the schemas of tenants are.
Then changefeeds are created in turn, so that both sizes meet the same machine; each has a maintainer and two nodes of its
own. The sink is blackhole://: what a database makes of so many tables is not ours. Most of the time the source reads its
own dictionary, so two more figures are compared: what comes after that, and the processor time of our own processes.

Memory is that of whole processes, allocator and all, as more tables make it grow. Each node keeps the definition of every
table, whoever carries it. What one dispatcher takes (T12) is judged in the status path's benchmark.

usage: start_tables.py BUILD_DIRECTORY [TABLES [REPEATS]]
"""
import concurrent.futures
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

import pymysql.constants.CLIENT

from lib.cluster import Cluster
from lib.mariadb_server import SOURCE_OPTIONS, MariaDB
from lib.waiting import wait_until

NODES = 2
SMALLER_BY = 10
SHAPES = 20
TABLES_PER_SCHEMA = 1000
# One file for all tables; small caches, so that neither source has its tables open already.
OPTIONS = SOURCE_OPTIONS + ["--innodb-file-per-table=0", "--innodb-doublewrite=0", "--table-open-cache=1000",
                            "--table-definition-cache=1000"]
TARGET = 1.5
TICKS = os.sysconf("SC_CLK_TCK")


def columns(shape):
    extra = "".join(f", c{n} VARCHAR({20 + n}) NOT NULL DEFAULT ''" for n in range(shape))
    return ("id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, tenant INT NOT NULL, amount DECIMAL(12,2), "
            f"state ENUM('new','paid','sent') NOT NULL DEFAULT 'new', changed DATETIME(3){extra}")


def fill_schema(server, number, tables):
    with server.connect(client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS) as connection:
        cursor = connection.cursor()
        cursor.execute(f"SET sql_log_bin=0; CREATE DATABASE tenants{number}")
        while cursor.nextset():
            pass
        for first in range(0, tables, 100):
            cursor.execute("; ".join(
                f"CREATE TABLE tenants{number}.t{n} ({columns(n % SHAPES)}) ENGINE=InnoDB"
                for n in range(first, min(first + 100, tables))))
            while cursor.nextset():
                pass


def filled_source(name, tables):
    server = MariaDB(name, 1, OPTIONS).start()
    sizes = [min(TABLES_PER_SCHEMA, tables - first) for first in range(0, tables, TABLES_PER_SCHEMA)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda number: fill_schema(server, number, sizes[number]), range(len(sizes))))
    return server


def resident(process):
    with open(f"/proc/{process.popen.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


def processor_seconds(process):
    with open(f"/proc/{process.popen.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Start:
    """One start; times are per table."""

    def __init__(self, build, source, tables):
        cluster = Cluster(build)
        try:
            cluster.start(NODES)
            processes = [cluster.maintainer, *cluster.nodes.values()]
            memory = [resident(process) for process in processes]
            used = [processor_seconds(process) for process in processes]
            begin = time.monotonic()
            cluster.ctl("changefeed", "create", "-c", "many", "--source", source.uri(), "--sink", "blackhole://",
                        "--filter", "tenants*.*", seconds=600)
            created = time.monotonic()
            # The table trigger dispatcher is one of them.
            wait_until(f"{tables} tables replicate", lambda: self.replicating(cluster) == tables + 1, 600,
                       interval=0.01)
            self.whole = (time.monotonic() - begin) / tables
            self.later = (time.monotonic() - created) / tables
            used = [processor_seconds(process) - before for process, before in zip(processes, used)]
            self.maintainer_processor = used[0] / tables
            self.nodes_processor = sum(used[1:]) / tables
            self.own = self.maintainer_processor + self.nodes_processor
            self.works(cluster, source, tables)
            memory = [resident(process) - before for process, before in zip(processes, memory)]
            self.maintainer_memory = memory[0]
            self.nodes_memory = sum(memory[1:])
            assert set(cluster.stop().values()) == {0}
        except BaseException:
            sys.stderr.write(cluster.logs())
            raise
        finally:
            cluster.remove()

    @staticmethod
    def replicating(cluster):
        cluster.check_alive()
        state = cluster.api("changefeeds", "many", seconds=30)
        return state["spans"]["replicating"] if state else 0

    @staticmethod
    def works(cluster, source, tables):
        """A row in some of the tables comes through."""
        every = range(0, tables, max(1, tables // 100))
        source.sql(*(f"INSERT INTO tenants{n // TABLES_PER_SCHEMA}.t{n % TABLES_PER_SCHEMA} (tenant) VALUES (1)"
                     for n in every))
        cluster.wait_checkpoint("many", source.gtid_sequence(), 120)

    def text(self):
        return (f"{self.whole * 1e6:,.0f} us a table, of it {self.later * 1e6:,.1f} once it was created; processor time: "
                f"maintainer {self.maintainer_processor * 1e6:,.0f}, nodes {self.nodes_processor * 1e6:,.0f}; memory "
                f"{self.maintainer_memory / 1e6:,.0f} and {self.nodes_memory / 1e6:,.0f} MB")


def median(starts, what):
    return statistics.median(getattr(start, what) for start in starts)


def compare(starts, sizes):
    few, many = sizes
    passed = True
    for label, what in (("from create until all replicate", "whole"), ("of it once it was created", "later"),
                        ("processor time of maintainer and nodes", "own")):
        for size in sizes:
            values = [getattr(start, what) * 1e6 for start in starts[size]]
            print(f"D5 {label}, {size:,} tables: median {statistics.median(values):,.1f} us a table (min "
                  f"{min(values):,.1f}, max {max(values):,.1f})")
        ratio = median(starts[many], what) / median(starts[few], what)
        passed &= ratio <= TARGET
        print(f"D5 {label}, per table, {many:,} over {few:,}: ratio {ratio:.2f}, at most {TARGET}: "
              f"{'pass' if ratio <= TARGET else 'fail'}", flush=True)
    # What a process needs whatever it carries does not count: only how it grows.
    grown = {what: (median(starts[many], what) - median(starts[few], what)) / (many - few)
             for what in ("maintainer_memory", "nodes_memory")}
    print(f"D5 memory per idle table: maintainer {grown['maintainer_memory']:,.0f} B, {NODES} nodes together "
          f"{grown['nodes_memory']:,.0f} B", flush=True)
    return passed


def main():
    build = os.path.abspath(sys.argv[1])
    many = int(sys.argv[2]) if len(sys.argv) > 2 else 100000
    repeats = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    sizes = (many // SMALLER_BY, many)
    sources = {}
    try:
        for size in sizes:
            begin = time.monotonic()
            sources[size] = filled_source(f"source{size}", size)
            print(f"D5 source of {size:,} tables made in {time.monotonic() - begin:.0f} s", flush=True)
        starts = {size: [] for size in sizes}
        for repeat in range(repeats):
            for size in sizes:
                starts[size].append(Start(build, sources[size], size))
                print(f"D5 repeat {repeat + 1}, {size:,} tables: {starts[size][-1].text()}", flush=True)
        return 0 if compare(starts, sizes) else 1
    finally:
        for source in sources.values():
            source.remove()


if __name__ == "__main__":
    sys.exit(main())
