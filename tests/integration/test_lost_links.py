"""Connections between nodes and maintainers that are dead in one direction or both, and come back: one owner writes."""
import contextlib
import os
import shutil
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import feed as feeds
from lib import scenario
from lib.cluster import Cluster
from lib.crash_stage import Link, Stage, linked, stage
from lib.waiting import wait_until

TABLES = "abcdef"


def goes_on(feed, number):
    """Rows of every table, a gate that needs all of them, rows behind it."""
    started = time.monotonic()
    feed.insert(*TABLES)
    feed.source.sql(f"CREATE VIEW k.w{number} AS SELECT id FROM k.a",
                    f"CREATE TABLE k.new{number} (id INT AUTO_INCREMENT PRIMARY KEY, v INT)")
    feed.insert(*TABLES, f"new{number}")
    feed.caught_up(feeds.LEASE_SECONDS + 10)
    assert feed.times(f"CREATE VIEW k.w{number} AS SELECT id FROM k.a") == 1
    return time.monotonic() - started


def has_one_owner_each(feed):
    """As many dispatchers on the nodes as there are tables, and the trigger."""
    return sum(node.metric("dispatcher_count") for node in feed.cluster.nodes.values()) == len(feed.tables())


def lost_and_found(how):
    """`how` breaks the link of n2; it is mended after others went on, and once more right away."""
    with stage(*TABLES, nodes=1) as feed, linked(feed, "n2") as link:
        for number in range(2):
            how(link)
            if number == 0:
                print(f"  went on after {goes_on(feed, number):.1f} s", flush=True)
            link.thaw()
            wait_until("both are there", lambda: set(feed.states().values()) == {"present"}, 20)
            print(f"  with both in {goes_on(feed, number + 2):.1f} s", flush=True)
            wait_until("n2 has a share again", lambda: any(it["node"] == "n2" for it in feed.tables().values()), 20)
            wait_until("every table has one owner", lambda: has_one_owner_each(feed), 20)
        feed.ends_well()


def nothing_passes():
    lost_and_found(lambda link: link.freeze())


def nothing_passes_from_the_node():
    lost_and_found(lambda link: link.freeze(to_node=False))


def nothing_passes_to_the_node():
    lost_and_found(lambda link: link.freeze(to_maintainer=False))


def orders_do_not_pass():
    lost_and_found(lambda link: link.control.freeze(to_server=False))


def answers_to_orders_do_not_pass():
    lost_and_found(lambda link: link.control.freeze(to_client=False))


def heartbeats_do_not_pass():
    lost_and_found(lambda link: link.status.freeze())


def maintainer_stands_still():
    """Longer than a lease: time in which its own loop stood still does not count, nobody is called absent."""
    with stage(*TABLES) as feed:
        before = {name: it["dispatcher"] for name, it in feed.tables().items()}
        feed.cluster.maintainer.send_signal(signal.SIGSTOP)
        feed.insert(*TABLES)
        feed.source.sql("CREATE VIEW k.during AS SELECT id FROM k.a")
        time.sleep(feeds.LEASE_SECONDS + 2)
        feed.cluster.maintainer.send_signal(signal.SIGCONT)
        goes_on(feed, 0)
        after = {name: it["dispatcher"] for name, it in feed.tables().items() if name in before}
        assert after == before, (before, after)
        for node in feed.cluster.nodes.values():
            assert "starts again" not in node.text(), node.name
        feed.ends_well()


def copy_store(first, second):
    """What the first one has stored by now is all that the second one knows."""
    first.maintainer.send_signal(signal.SIGSTOP)
    shutil.copytree(f"{first.directory}/meta", f"{second.directory}/meta")
    first.maintainer.send_signal(signal.SIGCONT)


def two_maintainers_with_a_node_each():
    """Each believes that the other's node is absent and gives everything to its own: the sink knows whose right is
    younger. When the nodes reach both again, the younger maintainer alone counts."""
    with contextlib.ExitStack() as stack:
        feed = stack.enter_context(stage(*TABLES, nodes=1))
        first = feed.cluster
        second = Cluster(first.build, maintainer_keys=first.maintainer_keys)
        stack.callback(second.remove)
        links = {}
        for node in ("n2", "n3"):
            for it in (first, second):
                links[node, it] = Link(it)
                stack.callback(links[node, it].close)
            keys = [links[node, it].keys() for it in (first, second)]
            first.start_node(node, keys={key: keys[0][key] + keys[1][key] for key in keys[0]})
        first.wait_nodes(3)
        assert first.stop_node("n1") == 0
        goes_on(feed, 0)
        copy_store(first, second)
        links["n3", first].freeze()
        links["n2", second].freeze()
        second.start_maintainer()
        print(f"  went on after {goes_on(Stage(second, feed.source, feed.sink), 1):.1f} s", flush=True)
        goes_on(Stage(second, feed.source, feed.sink), 2)
        for link in links.values():
            link.thaw()
        second.nodes, first.nodes = first.nodes, {}
        second.wait_nodes(2)
        goes_on(Stage(second, feed.source, feed.sink), 3)
        first.stop()
        Stage(second, feed.source, feed.sink).ends_well()


if __name__ == "__main__":
    scenario.main([nothing_passes, nothing_passes_from_the_node, nothing_passes_to_the_node, orders_do_not_pass,
                   answers_to_orders_do_not_pass, heartbeats_do_not_pass, maintainer_stands_still,
                   two_maintainers_with_a_node_each])
