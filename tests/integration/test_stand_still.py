"""Processes that are away for long, and come back or are replaced."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import feed as feeds
from lib import scenario
from lib.crash_stage import stage
from lib.waiting import wait_until


def server_id_of_a_stopped_node_is_used_by_another():
    """There are slots for two: the third node gets that of the stopped one, and with it the number under which it reads
    the source. When the stopped one wakes nobody's changefeed fails."""
    with stage(*"abcd", maintainer_keys={"slot_count_max": 2}) as feed:
        stopped = feed.other_node()
        stopped.send_signal(signal.SIGSTOP)
        wait_until("it is called absent", lambda: feed.states()[stopped.name] == "absent", 20)
        feed.cluster.start_node("n3")
        wait_until("n3 has a slot", lambda: feed.states().get("n3") == "present", 20)
        wait_until("n3 has a share", lambda: any(it["node"] == "n3" for it in feed.tables().values()), 20)
        feed.insert(*"abcd")
        feed.caught_up()
        stopped.send_signal(signal.SIGCONT)
        ends = time.monotonic() + feeds.LEASE_SECONDS + 2
        while time.monotonic() < ends:
            feed.insert(*"abcd")
            feed.caught_up(10)
            state = feed.cluster.query(feed.name)
            assert state["state"] == "normal" and not state["error"], state
        # It has no slot until another one's is free again.
        assert feed.states()["n3"] == "present"
        assert feed.cluster.stop_node("n3") == 0
        wait_until("the woken one is there again", lambda: feed.states().get(stopped.name) == "present", 20)
        feed.insert(*"abcd")
        feed.ends_well()


def process_stopped_with_the_lock_of_the_file_is_named():
    """SQLite has one writer at a time: nobody can take the file from one that is stopped inside a transaction. The others
    say which process it is, and go on once it is ended."""
    with feeds.into_sqlite("k.*") as feed:
        feed.source.sql("CREATE DATABASE k", *(f"CREATE TABLE k.{name} (id INT PRIMARY KEY)" for name in "abcd"))
        feed.caught_up()
        holder = feed.node_of("k.a")
        holder.arm("sink.rows.commit(k.a)=stop")
        feed.source.sql("INSERT INTO k.a VALUES (1)")
        holder.wait_stopped("sink.rows.commit")
        feed.source.sql(*(f"INSERT INTO k.{name} VALUES (2)" for name in "abcd"))
        other = next(it for it in feed.cluster.nodes.values() if it is not holder)
        named = f"process {holder.popen.pid} holds its lock and is stopped"
        wait_until(f"{other.name} says: {named}", lambda: named in other.text(), 15)
        holder.send_signal(signal.SIGKILL)
        feed.restart_node(holder)
        feed.identical()


def figures(process):
    """Of a node: statuses and requests that wait, and its memory in KiB."""
    with open(f"/proc/{process.popen.pid}/statm") as statm:
        memory = int(statm.read().split()[1]) * 4
    return (process.metric("block_status_buffer_length"), process.metric("block_status_request_queue_length"), memory)


def maintainer_away_while_all_tables_wait():
    """What waits for it is there once, however long it is away and however often it is offered again."""
    tables = [f"t{n}" for n in range(100)]
    with stage(*tables, maintainer_keys={"status_resend": "100ms"}) as feed:
        feed.kill(feed.cluster.maintainer)
        feed.source.sql("CREATE VIEW k.w AS SELECT id FROM k.t0")
        nodes = list(feed.cluster.nodes.values())
        time.sleep(1.5)
        early = [figures(node) for node in nodes]
        time.sleep(6)
        late = [figures(node) for node in nodes]
        print(f"  waiting statuses, requests, KiB: {early} then {late}", flush=True)
        for before, after in zip(early, late):
            assert before[0] + before[1] > 0, "nothing waits"
            assert after[0] <= 101 and after[1] <= 2 and after[1] <= before[1] + 1, (before, after)
            assert after[2] < before[2] * 1.1 + 1024, (before, after)
        feed.cluster.start_maintainer()
        feed.insert(*tables)
        feed.caught_up()
        assert feed.times("CREATE VIEW k.w AS SELECT id FROM k.t0") == 1
        feed.ends_well()


def checkpoint_of_an_earlier_life_is_not_published():
    """One node is far ahead of a row that is slow elsewhere; it dies, its next life begins at what is persisted and counts
    its messages anew. The checkpoint passes the slow row only when that is in the sink."""
    with stage(*"abcd") as feed:
        feed.caught_up()
        slow_node, fast_node = feed.trigger_node(), feed.other_node()
        slow, fast = feed.table_on(slow_node), feed.table_on(fast_node)
        held = feed.next_position()
        slow_node.arm(f"sink.rows.commit({held})=delay:4000")
        feed.insert(slow, value=4711)
        for _ in range(50):
            feed.insert(fast)

        def is_there():
            return feed.sink.sql(f"SELECT COUNT(*) FROM k.{slow} WHERE v = 4711") == ((1,),)
        wait_until("the fast table is ahead",
                   lambda: int(feed.tables()[f"k.{fast}"]["checkpoint_ts"]) > held, 3)
        feed.kill(fast_node)
        fast_node = feed.cluster.start_node(fast_node.name)
        while True:
            checkpoint = feed.cluster.checkpoint(feed.name)
            if checkpoint >= held:
                break
            time.sleep(0.01)
        assert is_there()
        feed.ends_well()


if __name__ == "__main__":
    scenario.main([server_id_of_a_stopped_node_is_used_by_another, process_stopped_with_the_lock_of_the_file_is_named,
                   maintainer_away_while_all_tables_wait,
                   checkpoint_of_an_earlier_life_is_not_published])
