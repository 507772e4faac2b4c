"""D1: rows per second from MariaDB to MariaDB through Sluice with two nodes, over MariaDB's own parallel replica.

The load is written to the source once; both ways then read it from its binary log into an empty server each, in turn,
so that both meet the same machine. Prints the rates of each repeat, the medians and their ratio.

usage: replica.py BUILD_DIRECTORY [ROWS [REPEATS]]
"""
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
sys.path.insert(0, HERE)

from lib.cluster import Cluster
from lib.mariadb_server import SOURCE_OPTIONS, MariaDB
from lib.waiting import wait_until
from load import TABLES, create_tables, write_load

# As installed: every commit is on a disk before it counts, for both ways alike.
DURABLE = ["--innodb-flush-log-at-trx-commit=1"]
TARGET = 1.5
def checksums(server):
    tables = ", ".join(f"bench.t{n}" for n in range(TABLES))
    return [row[1] for row in server.sql(f"CHECKSUM TABLE {tables}")]


def replica(source, start, end):
    server = MariaDB("replica", 3, DURABLE + ["--slave-parallel-threads=4",
                                              "--slave-parallel-mode=optimistic"],
                     on_disk=True).start()
    try:
        create_tables(server)
        server.sql(f"SET GLOBAL gtid_slave_pos = '{start}'",
                   f"CHANGE MASTER TO master_host='127.0.0.1', master_port={source.port}, "
                   f"master_user='root', master_use_gtid=slave_pos")
        begin = time.monotonic()
        server.sql("START SLAVE")
        wait_until("replica at the end",
                   lambda: server.sql("SELECT @@gtid_slave_pos")[0][0] == end, 600)
        seconds = time.monotonic() - begin
        return seconds, checksums(server)
    finally:
        server.remove()


def sluice(source, build, start, end):
    server = MariaDB("sink", 4, DURABLE, on_disk=True).start()
    cluster = Cluster(build)
    try:
        create_tables(server)
        cluster.start(2)
        begin = time.monotonic()
        cluster.create("bench", source.uri(), server.uri(), "--filter", "bench.*", "--start", start)
        cluster.wait_checkpoint("bench", int(end.split("-")[2]), 600)
        seconds = time.monotonic() - begin
        cluster.stop()
        return seconds, checksums(server)
    except BaseException:
        sys.stderr.write(cluster.logs())
        raise
    finally:
        cluster.remove()
        server.remove()


def main():
    build = sys.argv[1]
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1000000
    repeats = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    source = MariaDB("source", 1, SOURCE_OPTIONS, on_disk=True).start()
    try:
        create_tables(source)
        start = source.sql("SELECT @@gtid_binlog_pos")[0][0]
        rows = write_load(source, rows)
        end = source.sql("SELECT @@gtid_binlog_pos")[0][0]
        wanted = checksums(source)
        rates = {"replica": [], "sluice": []}
        for repeat in range(repeats):
            for name, (seconds, sums) in (("replica", replica(source, start, end)),
                                          ("sluice", sluice(source, build, start, end))):
                assert sums == wanted, f"{name}: not the rows of the source"
                rates[name].append(rows / seconds)
                print(f"D1 repeat {repeat + 1} {name}: {rows / seconds:,.0f} rows/s", flush=True)
        for name, values in rates.items():
            print(f"D1 {name}: median {statistics.median(values):,.0f} rows/s "
                  f"(min {min(values):,.0f}, max {max(values):,.0f})")
        ratio = statistics.median(rates["sluice"]) / statistics.median(rates["replica"])
        verdict = "pass" if ratio >= TARGET else "fail"
        print(f"D1 ratio {ratio:.2f}, target {TARGET}: {verdict}")
        return 0 if ratio >= TARGET else 1
    finally:
        source.remove()


sys.exit(main())
