"""The maintainer killed at each kind of write, before and after it is durable, and a write that takes very long."""
import contextlib
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import scenario
from lib.cluster import CtlError
from lib.one_feed import SHORT_LEASE, begin, catch_up, ends_well, identical, insert, kill_maintainer
from lib.waiting import wait_until


def killed_at_every_write():
    with scenario.source_server() as source, scenario.sink_server() as sink, \
            scenario.cluster(1, maintainer_keys=SHORT_LEASE) as cluster:
        begin(cluster, source, sink)
        work = Work(cluster, source)
        for kind in ("checkpoint", "ddls", "changefeed", "snapshot", "state", "forget", "slot"):
            for moment in ("commit", "committed"):
                epoch = cluster.query("feed")["maintainer_epoch"]
                kill_maintainer(cluster)
                point = f"meta.{kind}.{moment}"
                cluster.start_maintainer(fail_points=f"{point}=kill")
                work.until_killed(point, getattr(work, kind))
                cluster.start_maintainer()
                getattr(work, f"after_{kind}")()
                catch_up(cluster, source)
                assert cluster.query("feed")["maintainer_epoch"] >= epoch + 2
                print(f"  {point}", flush=True)
        identical(cluster)
        log = [row[0] for row in sink.sql("SELECT n FROM d.log ORDER BY n")]
        assert log == list(range(work.number + 1)), log


class Work:
    """What leads to each kind of write; the maintainer may die in the middle of it."""

    def __init__(self, cluster, source):
        self.cluster, self.source = cluster, source
        self.number = 0

    def insert(self):
        self.number += 1
        self.source.sql(f"INSERT INTO d.t (id, v) VALUES ({self.number}, 1)",
                        f"INSERT INTO d.log VALUES ({self.number})")

    def until_killed(self, point, step):
        """Not each step leads to that write: a schema change may go into a snapshot, for example."""
        def is_killed():
            step()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.cluster.maintainer.wait(0.5)
            return not self.cluster.maintainer.running()
        wait_until(f"{point} is passed", is_killed, 30)
        assert self.cluster.maintainer.popen.returncode == -signal.SIGKILL

    def try_ctl(self, *arguments):
        try:
            self.cluster.ctl(*arguments)
        except (CtlError, subprocess.TimeoutExpired):
            pass

    def exists(self):
        return any(it["id"] == "second" for it in self.cluster.changefeeds())

    def create_second(self):
        self.try_ctl("changefeed", "create", "-c", "second", "--source", self.source.uri(), "--sink", "blackhole://",
                     "--filter", "d.t")

    def checkpoint(self):
        self.insert()

    after_checkpoint = insert

    def ddls(self):
        self.number += 1
        self.source.sql(f"ALTER TABLE d.t ADD COLUMN c{self.number} INT DEFAULT 1",
                        f"INSERT INTO d.log VALUES ({self.number})")

    after_ddls = insert

    def changefeed(self):
        self.create_second()

    def after_changefeed(self):
        """Is there whole, or not at all; then it can be made."""
        if not self.exists():
            self.cluster.wait_nodes(1)
            self.create_second()
        catch_up(self.cluster, self.source, "second")
        self.cluster.ctl("changefeed", "remove", "-c", "second", "--no-confirm")

    snapshot, after_snapshot = changefeed, after_changefeed

    def state(self):
        self.try_ctl("changefeed", "pause", "-c", "feed")

    def after_state(self):
        if self.cluster.query("feed")["state"] != "stopped":
            wait_until("it is paused", lambda: self.cluster.ctl("changefeed", "pause", "-c", "feed", check=False)
                       is not None or self.cluster.query("feed")["state"] == "stopped", 20)
        self.insert()
        wait_until("it is resumed", lambda: self.cluster.ctl("changefeed", "resume", "-c", "feed", check=False)
                   is not None, 20)

    def forget(self):
        self.cluster.wait_nodes(1)
        self.create_second()
        self.try_ctl("changefeed", "remove", "-c", "second", "--no-confirm")

    def after_forget(self):
        wait_until("it is gone", lambda: not self.exists(), 20)

    def slot(self):
        self.cluster.start_node(f"more{self.number}")

    def after_slot(self):
        self.cluster.wait_nodes(2)
        assert self.cluster.stop_node(f"more{self.number}") == 0
        self.insert()


def stalls_longer_than_a_lease():
    """A write that takes longer than the lease: nobody is called absent for it, and all go on."""
    with scenario.source_server() as source, scenario.sink_server() as sink, \
            scenario.cluster(2, maintainer_keys=SHORT_LEASE) as cluster:
        begin(cluster, source, sink)
        cluster.maintainer.arm("meta.checkpoint.commit=delay:6000")
        insert(source, 1)
        cluster.maintainer.wait_passed("meta.checkpoint.commit", "delay")
        # Rows that come while the nodes have no lease wait for it.
        for number in range(2, 10):
            insert(source, number)
        catch_up(cluster, source)
        identical(cluster)
        assert sink.sql("SELECT COUNT(*) FROM d.log") == ((10,),)
        assert "node_absent" not in cluster.maintainer.text()
        ends_well(cluster)


if __name__ == "__main__":
    scenario.main([killed_at_every_write, stalls_longer_than_a_lease])
