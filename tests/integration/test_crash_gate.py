"""Nodes die at a gate: who waits, who writes, and who has already passed."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import scenario
from lib.crash_stage import stage


def rename_met_again_after_it_was_finished():
    """The trigger holds its next gate behind a report that never leaves; meanwhile a table that passed the rename dies
    and comes back below it. The log is idle."""
    with stage("a", "b", "c", "d") as feed:
        for n, point in enumerate(["node.done.send", "node.done.sent", "node.heartbeat.send"]):
            feed.caught_up()
            near, far = feed.trigger_node(), feed.other_node()
            table = feed.table_on(far)
            renamed = feed.next_position()
            if n < 2:
                far.arm(f"{point}({renamed})=kill")
                near.arm(f"node.none.send({renamed + 1})=error@*")
            feed.source.sql(f"RENAME TABLE k.{table} TO k.{table}x")
            if n == 2:
                far.arm(f"{point}=kill")
            else:
                feed.source.sql(f"CREATE TABLE k.new{n} (id INT AUTO_INCREMENT PRIMARY KEY, v INT)")
            feed.wait_killed(far)
            near.arm(f"node.none.send({renamed + 1})=off")
            feed.restart_node(far)
            feed.caught_up()
            feed.insert(f"{table}x")
            feed.caught_up()
            assert feed.times(f"RENAME TABLE k.{table} TO") == 1
        feed.ends_well()


def everybody_who_waited_dies_after_the_choice_of_the_writer():
    with stage("a", "b", "c", "d") as feed:
        for n, point in enumerate(["sink.ddl.lock", "sink.ddl.locked", "sink.ddl.recorded"]):
            feed.caught_up()
            near, far = feed.trigger_node(), feed.other_node()
            one, other = feed.table_on(near), feed.table_on(far)
            near.arm(f"{point}(RENAME)=kill")
            statement = f"RENAME TABLE k.{one} TO k.r{n}, k.{other} TO k.{one}, k.r{n} TO k.{other}"
            feed.source.sql(statement)
            feed.wait_killed(near)
            feed.kill(far)
            feed.insert(one, other)
            for process in (near, far):
                feed.restart_node(process)
            feed.caught_up()
            assert feed.times(statement) == 1, point
        feed.ends_well()


def node_of_the_trigger_dies_as_writer():
    """Of gates for a schema and for all; the other node takes over, with or without the first one's return."""
    with stage("a", "b", "c", "d") as feed:
        for n, point in enumerate(["sink.ddl.lock", "sink.ddl.recorded", "sink.ddl.executed", "sink.ddl.finished",
                                   "node.done.send"]):
            feed.source.sql(f"CREATE DATABASE k{n}", f"CREATE TABLE k{n}.x (id INT PRIMARY KEY)")
            for statement in (f"CREATE VIEW k.w{n} AS SELECT id FROM k.a", f"ALTER DATABASE k{n} CHARSET utf8mb4"):
                feed.caught_up()
                node = feed.trigger_node()
                node.arm(f"{point}({feed.next_position()})=kill")
                feed.source.sql(statement)
                feed.insert("a", "b", "c", "d")
                feed.wait_killed(node)
                if n % 2:
                    feed.caught_up()
                feed.restart_node(node)
                feed.caught_up()
                times = feed.times(statement)
                assert times == 1, (point, statement, times)
        feed.ends_well()


def fast_table_is_a_gate_ahead_of_the_trigger():
    """The trigger's node dies once it has written a gate for all: its next dispatcher meets that again while a table
    already waits at a rename behind it."""
    with stage("a", "b", "c", "d") as feed:
        for n, point in enumerate(["node.done.sent", "sink.ddl.finished"]):
            feed.caught_up()
            node = feed.trigger_node()
            fast = feed.table_on(feed.other_node())
            node.arm(f"{point}({feed.next_position()})=kill")
            view = f"CREATE VIEW k.w{n} AS SELECT id FROM k.{fast}"
            feed.source.sql(view, f"RENAME TABLE k.{fast} TO k.{fast}x")
            feed.wait_killed(node)
            feed.insert(f"{fast}x")
            feed.restart_node(node)
            feed.caught_up()
            assert feed.times(view) == 1 and feed.times(f"RENAME TABLE k.{fast} TO") == 1
        feed.ends_well()


def buffer_for_one_status():
    """Every offer but one finds it full, those of the thread that drains it too."""
    with stage(*(f"t{n}" for n in range(40)), node_keys={"block_status_buffer_max": 1, "request_queue_max": 1}) as feed:
        for n in range(3):
            feed.source.sql(f"CREATE VIEW k.w{n} AS SELECT id FROM k.t0")
            feed.insert(*(f"t{n}" for n in range(40)))
            feed.source.sql("RENAME TABLE k.t1 TO k.x, k.t2 TO k.t1, k.x TO k.t2",
                            f"CREATE TABLE k.new{n} (id INT PRIMARY KEY)")
        feed.caught_up()
        assert not any("present" != node["state"] for node in feed.cluster.captures())
        feed.ends_well()


if __name__ == "__main__":
    scenario.main([rename_met_again_after_it_was_finished, everybody_who_waited_dies_after_the_choice_of_the_writer,
                   node_of_the_trigger_dies_as_writer, fast_table_is_a_gate_ahead_of_the_trigger, buffer_for_one_status])
