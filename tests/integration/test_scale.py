"""Ten thousand tables: how long until all replicate, what an idle one costs, a DROP DATABASE of half of them, and how
soon all go on after the maintainer or a node was killed."""
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import scenario
from lib.one_feed import ends_well
from lib.waiting import wait_until

TABLES = int(os.environ.get("SLUICE_SCALE_TABLES", "10000"))
NODES = 2
SERVER_OPTIONS = ("--table-open-cache=20000", "--open-files-limit=60000", "--innodb-open-files=20000")
RECOVERY_SECONDS_MAX = 15


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
    with scenario.source_server(*SERVER_OPTIONS) as source, scenario.cluster(NODES) as cluster:
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


def print_traffic(cluster):
    """What the maintainer was sent and has sent since its start, by type of message."""
    metrics = cluster.metrics()
    for way in ("received", "sent"):
        shown = []
        for name, messages in metrics.items():
            match = re.fullmatch(rf'sluice_messages_{way}_total{{type="(\w+)"}}', name)
            if match and messages:
                size = metrics[f'sluice_message_bytes_{way}_total{{type="{match[1]}"}}']
                shown.append(f"{match[1]} {int(messages)} ({size / 1000:.0f} kB)")
        print(f"  {way}: {', '.join(shown)}", flush=True)


def wait_all(cluster, started, what):
    wait_until(f"{TABLES} tables replicate {what}",
               lambda: cluster.query("big")["phase"] == "running" and replicating(cluster) == TABLES,
               60, interval=0.02)
    seconds = time.monotonic() - started
    print(f"  {TABLES} tables replicate {what} after {seconds:.2f} s", flush=True)
    return seconds


def rows_arrive(cluster, source, number):
    """A row in each of some tables, so that every node has some."""
    source.sql(*(f"INSERT INTO s{n % 2}.t{n // 2} VALUES ({number}, 1)" for n in range(0, TABLES, max(1, TABLES // 100))))
    cluster.wait_checkpoint("big", source.gtid_sequence(), 60)


def killed_with_ten_thousand_tables():
    """A maintainer that starts again asks its nodes what they carry, which is nearly everything it must know."""
    with scenario.source_server(*SERVER_OPTIONS) as source, scenario.cluster(3) as cluster:
        create(source)
        cluster.create("big", source.uri(), "blackhole://", "--filter", "s*.*")
        wait_all(cluster, time.monotonic(), "at first")
        rows_arrive(cluster, source, 1)
        for round in range(2):
            cluster.maintainer.send_signal(signal.SIGKILL)
            cluster.maintainer.wait()
            started = time.monotonic()
            cluster.start_maintainer()
            seconds = wait_all(cluster, started, "again")
            print_traffic(cluster)
            assert seconds < RECOVERY_SECONDS_MAX, f"{seconds} s until all replicate again"
            rows_arrive(cluster, source, 2 + round)
        lease = 12
        victim = cluster.nodes.pop("n2")
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        started = time.monotonic()
        owned = lambda: int(next(node["span_count"] for node in cluster.captures()
                                 if node["id"] == "n2"))
        wait_until("its spans are taken from it", lambda: owned() == 0, lease + 10, interval=0.05)
        taken = time.monotonic() - started
        seconds = wait_all(cluster, started, "on the others")
        print(f"  taken after {taken:.2f} s", flush=True)
        assert seconds < lease + 6, f"{seconds} s until its tables replicate elsewhere"
        rows_arrive(cluster, source, 5)
        ends_well(cluster)


if __name__ == "__main__":
    scenario.main([ten_thousand_tables, killed_with_ten_thousand_tables])
