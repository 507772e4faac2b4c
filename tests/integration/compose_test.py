"""Brings the containers up from images that are there, loads the source with schema changes going on, scales the
nodes, compares.

Run by deploy/compose-test.sh. Each step is a test; the last line is: N passed, N failed.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pymysql

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import workload
from lib.waiting import wait_until

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PROJECT = "sluicetest"
PROGRAM = ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]
COMPOSE = [*PROGRAM, "-p", PROJECT, "-f", os.path.join(ROOT, "deploy", "docker-compose.yml")]


def run(*arguments, check=True):
    done = subprocess.run([*COMPOSE, *arguments], capture_output=True, text=True)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join([*PROGRAM, *arguments])}:\n{done.stdout}{done.stderr}")
    return done.stdout


def inspect(container):
    return json.loads(subprocess.check_output(["docker", "inspect", container]))[0]


class UnreachableError(Exception):
    pass


class Container:
    """A MariaDB server in a container, reached by its address."""

    def __init__(self, service):
        container = run("ps", "-a", "-q", service).strip()
        self.host = inspect(container)["NetworkSettings"]["Networks"][f"{PROJECT}_default"]["IPAddress"]

    def check_reachable(self):
        """An engine of another machine, or one that was lent to a container, has networks that are not ours."""
        try:
            socket.create_connection((self.host, 3306), 5).close()
        except OSError as error:
            raise UnreachableError(f"no way from here to the engine's containers: {error}") from error

    def connect(self, **arguments):
        arguments.setdefault("charset", "utf8mb4")
        arguments.setdefault("autocommit", True)
        return pymysql.connect(host=self.host, user="root", **arguments)

    def sequence(self):
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT @@gtid_binlog_pos")
            return int(cursor.fetchone()[0].split("-")[2])


def ctl(*arguments, output="json"):
    text = run("exec", "-T", "maintainer", "sluicectl", "--output", output, *arguments)
    if output != "json":
        return text
    answer = json.loads(text)
    return answer["items"] if isinstance(answer, dict) and "items" in answer else answer


def wait_nodes(count):
    wait_until(f"{count} nodes", lambda: sum(node["state"] == "present" for node in ctl("capture", "list")) == count, 60, interval=0.5)


def scale(count):
    run("up", "-d", "--no-recreate", "--scale", f"dispatcher={count}")
    wait_nodes(count)


def is_fair(nodes):
    counts = {}
    for table in ctl("table", "list", "-c", "feed"):
        if table["table_id"] == "0":
            continue
        if table["state"] != "replicating":
            return False
        counts[table["node"]] = counts.get(table["node"], 0) + 1
    return len(counts) == nodes and max(counts.values()) - min(counts.values()) <= 1


class Load(threading.Thread):
    def __init__(self, source):
        super().__init__()
        self.source = source
        self.result = None

    def run(self):
        self.result = workload.run(self.source, rows=60000, changes=60, writers=2,
                                   kinds=workload.EVERYWHERE)


class Steps:
    def comes_up_with_two_dispatchers(self):
        run("up", "-d", "--scale", "dispatcher=2")
        wait_nodes(2)
        self.source = Container("source")
        self.source.check_reachable()

    def is_healthy_and_nobody_is_root(self):
        for service in ("maintainer", "dispatcher"):
            for container in run("ps", "-a", "-q", service).split():
                wait_until(f"{service} is healthy",
                           lambda: inspect(container)["State"]["Health"]["Status"] == "healthy", 30,
                           interval=0.5)
                user = subprocess.check_output(["docker", "exec", container, "id", "-u"], text=True)
                assert user.strip() != "0", f"{service} runs as root"

    def creates_a_changefeed(self):
        ctl("changefeed", "create", "-c", "feed", "--source", "mariadb://root@source:3306", "--sink",
            "mariadb://root@sink:3306", "--filter", "w*.*")
        workload.create_tables(self.source, 3, 60)
        self.load = Load(self.source)
        self.load.start()

    def scales_to_four_under_load(self):
        scale(4)
        wait_until("four share", lambda: is_fair(4), 60, interval=0.5)

    def scales_to_three_under_load(self):
        scale(3)
        self.load.join()
        assert self.load.result, "the load failed"
        wait_until("three share", lambda: is_fair(3), 60, interval=0.5)

    def source_and_sink_are_identical(self):
        position = self.source.sequence()
        wait_until("all of it is in the sink",
                   lambda: int(ctl("changefeed", "query", "-c", "feed")["checkpoint_ts"]) >= position,
                   120, interval=0.5)
        text = ctl("compare", "--source", "mariadb://root@source:3306", "--sink",
                   "mariadb://root@sink:3306", "--filter", "w*.*", output="table")
        assert text.strip().endswith("identical"), text
        print("  " + text.strip().splitlines()[-1])

    def stops_cleanly(self):
        run("stop", "dispatcher", "maintainer")
        for service in ("dispatcher", "maintainer"):
            for container in run("ps", "-a", "-q", service).split():
                code = inspect(container)["State"]["ExitCode"]
                assert code == 0, f"{service} ended with {code}"


def clean_up():
    run("down", "-v", "--remove-orphans", "-t", "5", check=False)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))
    steps = Steps()
    names = ["comes_up_with_two_dispatchers", "is_healthy_and_nobody_is_root", "creates_a_changefeed",
             "scales_to_four_under_load", "scales_to_three_under_load", "source_and_sink_are_identical",
             "stops_cleanly"]
    clean_up()
    passed = 0
    try:
        for name in names:
            started = time.monotonic()
            print(f"{name} …", flush=True)
            getattr(steps, name)()
            print(f"  {time.monotonic() - started:.1f} s", flush=True)
            passed += 1
    except UnreachableError as error:
        print(f"{error}\n0 passed, 0 failed, 1 skipped")
        return 77
    except Exception as error:
        print(f"failed: {error}")
        print(run("logs", "--tail=40", "maintainer", "dispatcher", check=False))
    finally:
        clean_up()
    print(f"{passed} passed, {len(names) - passed} failed")
    return 0 if passed == len(names) else 1


sys.exit(main())
