"""Fail points themselves, in running processes: what the tests that kill and stop rely on."""
import os
import signal
import sys
import urllib.error

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import scenario


def arm_running_processes():
    with scenario.cluster(1) as cluster:
        node, maintainer = cluster.nodes["n1"], cluster.maintainer
        try:
            node.arm("node.heartbeat.sent=explode")
            raise AssertionError("an order that means nothing was taken")
        except urllib.error.HTTPError as error:
            assert error.code == 400, error
        node.arm("node.heartbeat.sent=stop@2")
        node.wait_stopped("node.heartbeat.sent")
        assert len(node.passages("node.heartbeat.sent")) == 2
        node.send_signal(signal.SIGCONT)
        maintainer.arm("maintainer.lease-answer.send(n1)=delay:1")
        maintainer.wait_passed("maintainer.lease-answer.send", "delay")
        maintainer.arm("maintainer.lease-answer.sent=kill")
        assert maintainer.wait() == -signal.SIGKILL
        cluster.start_maintainer(fail_points="meta.slot.committed=kill")
        node.send_signal(signal.SIGKILL)
        node.wait()
        cluster.start_node("n2")
        assert cluster.maintainer.wait() == -signal.SIGKILL


if __name__ == "__main__":
    scenario.main([arm_running_processes])
