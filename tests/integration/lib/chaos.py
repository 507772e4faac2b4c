"""Kills and stops the processes of a cluster in turn while it works, starts them again, and measures how long nothing
went on meanwhile."""
import random
import signal
import threading
import time

MAINTAINER = "maintainer"


class Watch(threading.Thread):
    """Looks at the changefeed all the time: the longest while without a checkpoint's progress though the source had
    news and most of the processes were up. Beyond `limit` the run has failed. `stopped_may_hold`: a process that is
    stopped while it holds the lock of the sink's file holds up all the others; that time is not counted."""

    def __init__(self, cluster, changefeed, source, limit, stopped_may_hold):
        super().__init__(daemon=True)
        self.stopped_may_hold, self.stopped = stopped_may_hold, False
        self.cluster, self.changefeed, self.source, self.limit = cluster, changefeed, source, limit
        self.down = set()  # by name, kept by who kills and stops
        self.longest, self.longest_at, self.answers = 0.0, None, 0
        self.checkpoint = 0
        self.stuck, self.went_on_at = 0.0, 0.0
        self.failure = None
        self.ended = threading.Event()

    def run(self):
        try:
            with self.source.connect() as connection, connection.cursor() as cursor:
                self._look_until_ended(cursor)
        except Exception as error:  # told by the thread that waits for this one
            self.failure = repr(error)

    def _look_until_ended(self, cursor):
        last = time.monotonic()
        while not self.ended.wait(0.05):
            cursor.execute("SELECT @@gtid_binlog_pos")
            news = int(cursor.fetchone()[0].rsplit("-", 1)[1])
            most_are_up = len(self.down) * 2 < len(self.cluster.nodes) + 1
            most_are_up &= not (self.stopped and self.stopped_may_hold)
            state = self.cluster.api("changefeeds", self.changefeed)
            now = time.monotonic()
            self._note(state, news, now - last if most_are_up else 0)
            last = now

    def _note(self, state, news, passed):
        if state:
            self.answers += 1
            if state["state"] == "failed":
                self.failure = self.failure or f"the changefeed failed: {state}"
            checkpoint = int(state["checkpoint_ts"])
            if checkpoint > self.checkpoint or checkpoint >= news:
                self.checkpoint = max(checkpoint, self.checkpoint)
                self.stuck, self.went_on_at = 0.0, time.monotonic()
                return
        self.stuck += passed
        if self.stuck > self.longest:
            self.longest, self.longest_at = self.stuck, self.checkpoint
        if self.stuck > self.limit and state and not self.failure:
            self.failure = f"nothing went on for {self.stuck:.2f} s:\n{self.cluster.where_it_stands(self.changefeed)}"
            for process in [self.cluster.maintainer, *self.cluster.nodes.values()]:
                process.send_signal(signal.SIGUSR1)

    def end(self):
        self.ended.set()
        self.join()


class Chaos:
    """`kills` and `stops` are done to the maintainer and each node in turn, in an order that the seed decides; every
    second kill of a process is aimed inside an open gate. A stop lasts longer than the lease; nodes are killed during
    it. What each costs by itself has a limit, and two of them do not add up: the maintainer is not killed while a node
    is stopped, and between two stops something goes on."""

    def __init__(self, cluster, watch, *, seed, kills, stops, lease, pause=2.0):
        self.cluster, self.watch, self.lease, self.pause = cluster, watch, lease, pause
        self.random = random.Random(seed)
        self.names = [MAINTAINER, *cluster.nodes]
        self.plan = self._planned(kills, stops)
        self.number, self.began, self.gate_awaited_at, self.progress = 0, 0.0, None, None
        self.stopped, self.wakes_at, self.woken_at = None, 0.0, 0.0
        self.done = []
        self.in_gate = 0

    def _planned(self, kills, stops):
        rounds = []
        while len(rounds) < kills:
            rounds += self.random.sample(self.names, len(self.names))
        plan = [("gate" if n // len(self.names) % 2 else "kill", name) for n, name in enumerate(rounds[:kills])]
        for number in range(stops):
            place = self.random.randrange(len(plan) + 1)
            plan.insert(place, ("stop", self.names[number % len(self.names)]))
        return plan

    def run(self, progress=lambda share: None):
        """Carries out the plan; `progress` is told the share of it that is done."""
        self.progress = progress
        for self.number, (kind, name) in enumerate(self.plan):
            self.began = time.monotonic()
            self._wait(self.random.expovariate(1 / self.pause))
            if self.stopped and (kind == "stop" or MAINTAINER in (name, self.stopped) or name == self.stopped):
                self._wait_for_wake()
            while kind == "stop" and self.watch.went_on_at < self.woken_at:
                self._wait(0.02)
            (self._stop if kind == "stop" else self._kill)(kind, name)
        if self.stopped:
            self._wait_for_wake()

    def _wait(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._release()
            if self.watch.failure:
                raise AssertionError(self.watch.failure)
            if self.stopped and time.monotonic() >= self.wakes_at:
                self._wake()
            time.sleep(min(0.02, max(end - time.monotonic(), 0)))

    def _release(self):
        """One step's share of the load in the time of a pause; while a gate is waited for more and more, since only the
        load opens one."""
        now = time.monotonic()
        ahead = min((now - self.began) / self.pause, 1)
        if self.gate_awaited_at:
            ahead += (now - self.gate_awaited_at) / self.pause
        self.progress(min((self.number + ahead) / len(self.plan), 1))

    def _wait_for_wake(self):
        while self.stopped:
            self._wait(0.02)

    def _wake(self):
        self._process(self.stopped).send_signal(signal.SIGCONT)
        self.watch.down.discard(self.stopped)
        self.watch.stopped = False
        self._say("woken", self.stopped)
        self.stopped, self.woken_at = None, time.monotonic()

    def _process(self, name):
        return self.cluster.maintainer if name == MAINTAINER else self.cluster.nodes[name]

    def _still_running(self, name):
        process = self._process(name)
        if not process.running():
            raise AssertionError(f"{name} ended by itself with {process.popen.returncode}:\n{process.text()[-6000:]}")
        return process

    def _stop(self, _kind, name):
        process = self._still_running(name)
        seconds = self.lease + self.random.uniform(0.3, 4)
        self.watch.down.add(name)
        self.watch.stopped = True
        process.send_signal(signal.SIGSTOP)
        self.stopped, self.wakes_at = name, time.monotonic() + seconds
        self._say(f"stopped for {seconds:.1f} s", name)

    def _kill(self, kind, name):
        found = ""
        if kind == "gate":
            found = self._wait_for_gate()
        process = self._still_running(name)
        self.watch.down.add(name)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self._say(f"killed{found}", name)
        self._wait(min(self.random.expovariate(1.5), 4))
        if name == MAINTAINER:
            self.cluster.launch_maintainer()
        else:
            self.cluster.start_node(name)
        self.watch.down.discard(name)

    def _wait_for_gate(self):
        self.gate_awaited_at = time.monotonic()
        try:
            return self._gate_found(time.monotonic() + 6)
        finally:
            self.gate_awaited_at = None

    def _gate_found(self, end):
        while time.monotonic() < end:
            answer = self.cluster.api("changefeeds", self.watch.changefeed, "barriers", seconds=0.5)
            if answer and answer["items"]:
                gate = answer["items"][0]
                time.sleep(self.random.choice((0, 0, 0.002, 0.01, 0.05)))
                self.in_gate += 1
                return f" at gate {gate['commit_ts']} {gate['state']}"
            self._wait(0.001)
        return " (no gate came)"

    def _say(self, what, name):
        stamp = time.strftime("%H:%M:%S") + f".{int(time.time() * 1000) % 1000:03d}"
        self.done.append(f"{stamp} {name} {what}")
        print(f"    {stamp} {name} {what}", flush=True)
