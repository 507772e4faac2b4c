"""Ten thousand tables: how long until all replicate, what an idle one costs, and a DROP DATABASE of half of them."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import scenario
from lib.waiting import wait_until

TABLES = int(os.environ.get("SLUICE_SCALE_TABLES", "10000"))
NODES = 2


def create(server):
    with server.connect() as connection, connection.cursor() as cursor:
        for schema in ("s0", "s1"):
            cursor.execute(f"CREATE DATABASE {schema}")
            for number in range(TABLES // 2):
                cursor.execute(f"CREATE TABLE {schema}.t{number} (id INT PRIMARY KEY, v INT)")


def resident(process):
    with open(f"/proc/{process.popen.pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0


def replicating(cluster):
    """Tables that replicate; the table trigger dispatcher is not one."""
    return max(0, cluster.query("big")["spans"]["replicating"] - 1)


def ten_thousand_tables():
    options = ("--table-open-cache=20000", "--open-files-limit=60000", "--innodb-open-files=20000")
    with scenario.source_server(*options) as source, scenario.cluster(NODES) as cluster:
        create(source)
        processes = [cluster.maintainer, *cluster.nodes.values()]
        before = [resident(process) for process in processes]
        started = time.monotonic()
        cluster.create("big", source.uri(), "blackhole://", "--filter", "s*.*")
        wait_until(f"{TABLES} tables replicate", lambda: replicating(cluster) == TABLES, 60)
        print(f"  {TABLES} tables replicate after {time.monotonic() - started:.1f} s", flush=True)
        after = [resident(process) for process in processes]
        print(f"  memory per idle table: maintainer {(after[0] - before[0]) // TABLES} B, node "
              f"{sum(a - b for a, b in zip(after[1:], before[1:])) // TABLES} B", flush=True)
        source.sql(f"INSERT INTO s0.t1 VALUES (1, 1)", "DROP DATABASE s1",
                   "INSERT INTO s0.t2 VALUES (1, 1)")
        started = time.monotonic()
        cluster.wait_checkpoint("big", source.gtid_sequence(), 60)
        print(f"  DROP DATABASE of {TABLES // 2} tables after {time.monotonic() - started:.1f} s",
              flush=True)
        assert replicating(cluster) == TABLES // 2
        assert set(cluster.stop().values()) == {0}


if __name__ == "__main__":
    scenario.main([ten_thousand_tables])
