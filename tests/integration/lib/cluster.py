"""One maintainer and some dispatcher processes on loopback, in a temporary directory."""
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request

from .mariadb_server import free_port
from .waiting import DeadlineError, wait_until

SANITIZER = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=1:disable_coredump=0",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}


class CtlError(AssertionError):
    def __init__(self, arguments, code, out, error):
        super().__init__(f"sluicectl {' '.join(arguments)}: exit {code}\n{out}{error}")
        self.code, self.out, self.error = code, out, error


class ApiError(AssertionError):
    pass


class Process:
    def __init__(self, name, command, directory, environment, http_port=None):
        self.name = name
        self.http_port = http_port
        self.log = f"{directory}/{name}.log"
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory,
                                          env={**os.environ, **SANITIZER, **environment})

    def running(self):
        return self.popen.poll() is None

    def send_signal(self, number):
        self.popen.send_signal(number)

    def wait(self, seconds=30):
        return self.popen.wait(seconds)

    def text(self):
        with open(self.log, errors="replace") as log:
            return log.read()

    def arm(self, orders):
        """Fail points (common/runtime/fail_point.h) in the running process; needs a build with them. One that was only
        just started does not listen yet."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http_port}/debug/fail-points", json.dumps(orders).encode(),
            {"Content-Type": "application/json"}, method="POST")

        def answers():
            assert self.running(), f"{self.name} ended with {self.popen.returncode}"
            try:
                urllib.request.urlopen(request, timeout=10).close()
            except urllib.error.HTTPError:
                raise
            except urllib.error.URLError:
                return False
            return True
        wait_until(f"{self.name} takes {orders}", answers, 10)

    def metric(self, name):
        """Summed over its labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        return sum(float(value) for value in re.findall(rf"^\w*{name}(?:{{[^}}]*}})? (\S+)$", text, re.M))

    def passages(self, point, action=None):
        """Lines of its log that say that an armed point was passed; `action`: and carried out."""
        wanted = [f" point={point} ", "component=fail_point "]
        if action:
            wanted.append(f" action={action} ")
        return [line for line in self.text().splitlines() if all(it in line for it in wanted)]

    def wait_passed(self, point, action, seconds=30, count=1):
        wait_until(f"{self.name}: {action} at {point}",
                   lambda: len(self.passages(point, action)) >= count, seconds)

    def is_stopped(self):
        with open(f"/proc/{self.popen.pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "T"

    def wait_stopped(self, point, seconds=30, count=1):
        """At that point, the whole process."""
        self.wait_passed(point, "stop", seconds, count)
        wait_until(f"{self.name} is stopped", self.is_stopped, seconds)


class Cluster:
    def __init__(self, build, directory=None, maintainer_keys=None, node_keys=None):
        self.build = os.path.abspath(build)
        self.directory = directory or tempfile.mkdtemp(prefix="sluice-cluster-")
        self.maintainer_keys = maintainer_keys or {}
        self.node_keys = node_keys or {}
        self.environment = {}
        self.status_port, self.control_port, self.http_port = free_port(), free_port(), free_port()
        self.maintainer = None
        self.nodes = {}
        self.keys_of = {}

    def write_config(self, name, keys):
        path = f"{self.directory}/{name}.yaml"
        with open(path, "w") as file:
            for key, value in keys.items():
                file.write(f"{key}: {json.dumps(value)}\n")
        return path

    def start_maintainer(self, fail_points=""):
        self.launch_maintainer(fail_points)
        wait_until("maintainer answers", self._answers, 20)
        return self.maintainer

    def launch_maintainer(self, fail_points=""):
        os.makedirs(f"{self.directory}/meta", exist_ok=True)
        path = self.write_config("maintainer", {
            "maintainer": {
                "status": f"tcp://127.0.0.1:{self.status_port}",
                "control": f"tcp://127.0.0.1:{self.control_port}",
                "http": f"127.0.0.1:{self.http_port}",
                "data": f"{self.directory}/meta",
                **self.maintainer_keys,
            },
        })
        self.maintainer = Process(
            "maintainer", [f"{self.build}/maintainer/sluice-maintainer", "--config", path],
            self.directory, {**self.environment, "SLUICE_FAIL_POINTS": fail_points}, self.http_port)
        return self.maintainer

    def _answers(self):
        if not self.maintainer.running():
            raise AssertionError(f"the maintainer ended:\n{self.maintainer.text()[-4000:]}")
        return self.api("captures") is not None

    def start_node(self, name, fail_points="", keys=None):
        """`keys`: of this node alone, in this life and the next ones."""
        http_port = free_port()
        self.keys_of[name] = keys or self.keys_of.get(name, {})
        path = self.write_config(name, {
            "node": {
                "id": name,
                "http": f"127.0.0.1:{http_port}",
                "events": "tcp://127.0.0.1:0",
                "status": [f"tcp://127.0.0.1:{self.status_port}"],
                "control": [f"tcp://127.0.0.1:{self.control_port}"],
                **self.node_keys,
                **self.keys_of[name],
            },
        })
        process = Process(
            name, [f"{self.build}/dispatcher/sluice-dispatcher", "--config", path],
            self.directory, {**self.environment, "SLUICE_FAIL_POINTS": fail_points}, http_port)
        self.nodes[name] = process
        return process

    def start(self, nodes):
        self.start_maintainer()
        for number in range(nodes):
            self.start_node(f"n{number + 1}")
        self.wait_nodes(nodes)
        return self

    def wait_nodes(self, count, seconds=20):
        wait_until(f"{count} nodes are there",
                   lambda: sum(node["state"] == "present" for node in
                               (self.api("captures") or {"items": []})["items"]) == count, seconds)

    def ctl(self, *arguments, check=True, output="json", seconds=60):
        """Runs sluicectl; returns its parsed answer (a list's items), None when it failed and `check` is off."""
        command = [f"{self.build}/maintainer/ctl/sluicectl", "--server",
                   f"http://127.0.0.1:{self.http_port}", "--output", output, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds,
                              env={**os.environ, **SANITIZER, **self.environment})
        if done.returncode != 0:
            if check:
                raise CtlError(arguments, done.returncode, done.stdout, done.stderr)
            return None
        if output != "json" or not done.stdout.strip():
            return done.stdout
        answer = json.loads(done.stdout)
        return answer["items"] if isinstance(answer, dict) and "items" in answer else answer

    def ask(self, *path, seconds=60):
        """What the maintainer's API answers to GET, quicker than a process."""
        url = f"http://127.0.0.1:{self.http_port}/api/v2/" + "/".join(path)
        try:
            with urllib.request.urlopen(url, timeout=seconds) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise ApiError(f"{url}: {error.code} {error.read().decode(errors='replace')}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise ApiError(f"{url}: {error!r}") from error

    def api(self, *path, seconds=1):
        """The same; None when it does not answer."""
        try:
            return self.ask(*path, seconds=seconds)
        except ApiError:
            return None

    def items(self, *path):
        """All of a list that the API gives in pages."""
        page = self.ask(*path)
        items = page["items"]
        while len(items) < page["total"] and page["items"]:
            page = self.ask(*path[:-1], f"{path[-1]}?offset={len(items)}")
            items += page["items"]
        return items

    def tables(self, name):
        return self.items("changefeeds", name, "tables")

    def barriers(self, name):
        return self.items("changefeeds", name, "barriers")

    def captures(self):
        return self.items("captures")

    def changefeeds(self):
        return self.items("changefeeds")

    def metrics(self):
        """The maintainer's, by name and labels as they are written."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, value in
                (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}

    def create(self, name, source, sink, *arguments):
        return self.ctl("changefeed", "create", "-c", name, "--source", source, "--sink", sink,
                        *arguments)

    def query(self, name):
        return self.ask("changefeeds", name)

    def checkpoint(self, name):
        return int(self.query(name)["checkpoint_ts"])

    def wait_checkpoint(self, name, position, seconds=120):
        def reached():
            self.check_alive()
            state = self.query(name)
            if state["state"] == "failed":
                raise AssertionError(f"changefeed failed: {state}")
            return int(state["checkpoint_ts"]) >= position
        try:
            wait_until(f"checkpoint {position}", reached, seconds, interval=0.1)
        except DeadlineError as error:
            raise DeadlineError(f"{error}\n{self.where_it_stands(name)}") from error

    def where_it_stands(self, name):
        """What a person would ask first: the changefeed, its gates, and the tables that are furthest behind."""
        tables = sorted(self.tables(name), key=lambda it: it["checkpoint_ts"])
        lines = [self.query(name), *self.barriers(name), *tables[:5]]
        return "\n".join(str(line) for line in lines)

    def check_alive(self):
        for process in [self.maintainer, *self.nodes.values()]:
            if process and not process.running():
                raise AssertionError(f"{process.name} ended with {process.popen.returncode}:\n"
                                     f"{process.text()[-4000:]}")

    def stop_node(self, name, number=signal.SIGTERM, seconds=30):
        process = self.nodes.pop(name)
        process.send_signal(number)
        return process.wait(seconds)

    def stop(self):
        """TERM to all; returns the exit codes by name."""
        codes = {}
        for name in list(self.nodes):
            codes[name] = self.stop_node(name)
        if self.maintainer:
            self.maintainer.send_signal(signal.SIGTERM)
            codes["maintainer"] = self.maintainer.wait(30)
            self.maintainer = None
        return codes

    def kill(self):
        for process in [*self.nodes.values(), self.maintainer]:
            if process and process.running():
                process.send_signal(signal.SIGKILL)
                process.wait()
        self.nodes.clear()
        self.maintainer = None

    def logs(self, lines=40):
        text = ""
        for file in sorted(os.listdir(self.directory)):
            if file.endswith(".log"):
                with open(f"{self.directory}/{file}", errors="replace") as log:
                    text += f"== {file}\n" + "".join(log.readlines()[-lines:])
        return text

    def remove(self):
        self.kill()
        if not os.environ.get("SLUICE_KEEP"):
            shutil.rmtree(self.directory, ignore_errors=True)
