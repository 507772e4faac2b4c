"""deploy/run-local.sh: starts, lets a further node join, and stops everything in order."""
import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import scenario
from lib.cluster import SANITIZER
from lib.mariadb_server import free_port
from lib.waiting import wait_until

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SOURCE = "simulated://?tables=6&transactions=200&rows_per_transaction=3"


class Local:
    """The script as a terminal would start it: leader of a process group, INT not ignored."""

    def __init__(self, directory, nodes):
        self.directory = directory
        self.build = os.path.abspath(scenario.build_directory())
        self.http = free_port()
        self.environment = {**os.environ, **SANITIZER, "BUILD": self.build, "HTTP": str(self.http),
                            "CONTROL": str(free_port()), "STATUS": str(free_port())}
        with open(f"{directory}/output", "wb") as output:
            self.script = subprocess.Popen(
                ["sh", f"{ROOT}/deploy/run-local.sh", str(nodes), directory], stdout=output,
                stderr=output, env=self.environment, start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))

    def ctl(self, *arguments):
        done = subprocess.run(
            [f"{self.build}/maintainer/ctl/sluicectl", "--server", f"http://127.0.0.1:{self.http}",
             "--output", "json", *arguments], capture_output=True, text=True, env=self.environment)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def wait_nodes(self, count):
        def are_there():
            assert self.script.poll() is None, self.output()
            nodes = (self.ctl("capture", "list") or {}).get("items", [])
            return sum(node["state"] == "present" for node in nodes) == count
        wait_until(f"{count} nodes are there", are_there, 30)

    def carries(self):
        self.ctl("changefeed", "create", "-c", "feed", "--source", SOURCE, "--sink", "blackhole://")
        wait_until("tables are carried", lambda: len(self.owners()) == 2, 30)

    def owners(self):
        tables = (self.ctl("table", "list", "-c", "feed") or {}).get("items", [])
        return {table["node"] for table in tables if table["state"] == "replicating"}

    def output(self):
        with open(f"{self.directory}/output") as output:
            return output.read()

    def log(self, name):
        with open(f"{self.directory}/{name}.log") as log:
            return log.read()

    def check_stopped(self):
        assert self.script.wait(40) == 0, self.output()
        assert self.output().endswith("stopped\n"), self.output()
        for name in ("maintainer", "n1", "n2"):
            assert self.log(name).rstrip().endswith("code=0"), self.log(name)
            assert "ends at once" not in self.log(name), self.log(name)

    def remove(self):
        if self.script.poll() is None:
            self.script.send_signal(signal.SIGTERM)
            self.script.wait(40)


def run(test):
    with scenario.directory() as directory:
        local = Local(directory, 2)
        try:
            local.wait_nodes(2)
            test(local)
        finally:
            local.remove()


def stops_with_term():
    def test(local):
        local.carries()
        local.script.send_signal(signal.SIGTERM)
        local.check_stopped()
    run(test)


def stops_with_ctrl_c():
    def test(local):
        local.carries()
        # A terminal sends it to everybody in the foreground.
        os.killpg(local.script.pid, signal.SIGINT)
        local.check_stopped()
    run(test)


def a_further_node_joins():
    def test(local):
        with open(f"{local.directory}/extra.log", "wb") as log:
            extra = subprocess.Popen(
                [f"{local.build}/dispatcher/sluice-dispatcher", "--config",
                 f"{local.directory}/sluice.yaml"], stderr=log,
                env={**local.environment, "SLUICE_NODE_ID": "extra"})
        try:
            local.wait_nodes(3)
        finally:
            extra.send_signal(signal.SIGTERM)
            code = extra.wait(30)
        assert code == 0, local.log("extra")
        local.script.send_signal(signal.SIGTERM)
        local.check_stopped()
    run(test)


def says_why_the_maintainer_ended():
    with scenario.directory() as directory:
        local = Local(directory, 1)
        try:
            local.wait_nodes(1)
            second = subprocess.run(["sh", f"{ROOT}/deploy/run-local.sh", "1", directory],
                                    capture_output=True, text=True, timeout=60,
                                    env=local.environment)
            assert second.returncode == 1, second
            assert "the maintainer ended" in second.stderr and "level=error" in second.stderr, second
        finally:
            local.remove()


if __name__ == "__main__":
    scenario.main([stops_with_term, stops_with_ctrl_c, a_further_node_joins,
                   says_why_the_maintainer_ended])
