"""The maintainer dies at each step of a gate, and right after each thing that it made durable: another one goes on."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import scenario
from lib.crash_stage import stage
from lib.waiting import wait_until

# WAITING admitted and not acknowledged, acknowledged; selected; the writer is done; the others are told.
STEPS = ["maintainer.ack.send", "maintainer.ack.sent", "maintainer.write.send", "maintainer.write.sent",
         "maintainer.pass.send", "maintainer.pass.sent"]


def restarted(feed, point, statement, rows_into):
    """The statement with rows around it, the maintainer killed at that point and started again."""
    started = time.monotonic()
    feed.insert(*rows_into)
    maintainer = feed.cluster.maintainer
    maintainer.arm(f"{point}=kill")
    feed.source.sql(statement)
    feed.wait_killed(maintainer)
    feed.cluster.start_maintainer()
    feed.insert(*rows_into)
    feed.caught_up()
    assert feed.times(statement) == 1, (statement, feed.times(statement))
    print(f"  {time.monotonic() - started:.1f} s {point}: {statement}", flush=True)


def killed_in_each_phase_of_a_rename():
    with stage("a", "b", "c", "d") as feed:
        for n, point in enumerate(STEPS):
            near, far = feed.table_on(feed.trigger_node()), feed.table_on(feed.other_node())
            restarted(feed, point, f"RENAME TABLE k.{far} TO k.x{n}, k.{near} TO k.{far}, k.x{n} TO k.{near}", "abcd")
        feed.ends_well()


def killed_in_each_phase_of_a_gate_for_all():
    with stage("a", "b", "c", "d") as feed:
        for n, point in enumerate(STEPS):
            restarted(feed, point, f"CREATE VIEW k.w{n} AS SELECT id FROM k.a", "abcd")
        feed.ends_well()


def killed_in_each_phase_of_a_gate_for_a_schema():
    """Nobody is left to be told: its tables are closed."""
    steps = STEPS[:4] + ["maintainer.take-away.send", "maintainer.take-away.sent"]
    with stage("a", "b") as feed:
        for n, point in enumerate(steps):
            feed.source.sql(f"CREATE DATABASE k{n}", f"CREATE TABLE k{n}.x (id INT PRIMARY KEY)",
                            f"INSERT INTO k{n}.x VALUES (1)", f"CREATE TABLE k{n}.y (id INT PRIMARY KEY)")
            feed.caught_up()
            restarted(feed, point, f"DROP DATABASE k{n}", "ab")
            assert f"k{n}.x" not in feed.tables()
        feed.ends_well()


def anchored(feed):
    """A maintainer that knows of less of the schema's history than the one before had acknowledged is sent all of it
    anew, the next changes in it; from here on they come one by one."""
    position = feed.source.gtid_sequence()
    wait_until("the schema's history reaches to here",
               lambda: feed.cluster.query(feed.name)["gtid"].endswith(f"-{position}"), 20)


def killed_while_it_makes_a_new_table():
    with stage("a", "b") as feed:
        for n, point in enumerate(["maintainer.ack.send", "maintainer.ack.sent", "maintainer.create.send",
                                   "maintainer.create.sent", "meta.ddls.commit", "meta.ddls.committed",
                                   "maintainer.schema-ack.send"]):
            feed.caught_up()
            anchored(feed)
            restarted(feed, point, f"CREATE TABLE k.new{n} (id INT AUTO_INCREMENT PRIMARY KEY, v INT)", "ab")
            feed.insert(f"new{n}")
        feed.ends_well()


HOLDS = {"collecting": ("node", "node.waiting.send"), "selected": ("maintainer", "maintainer.write.send"),
         "writer_advanced": ("maintainer", "maintainer.pass.send")}


def resolved(feed):
    state = feed.cluster.api("changefeeds", "feed")
    return state["resolved_ts"] if state else 0


def killed_between_persist_and_send_in_each_phase_of_a_gate():
    """The gate is held in the phase by what is not sent; a row that is slow to be written lets the checkpoint move."""
    with stage("a", "b", "c", "d", "e", "f") as feed:
        for n, (phase, (who, point)) in enumerate(HOLDS.items()):
            feed.caught_up()
            maintainer, near, far = feed.cluster.maintainer, feed.trigger_node(), feed.other_node()
            slow = feed.table_on(near)
            one, other = feed.table_on(near, without=[slow]), feed.table_on(far)
            near.arm(f"sink.rows.commit(k.{slow})=delay:2000")
            event = feed.next_position() + 1
            maintainer.arm(f"meta.checkpoint.committed({event - 1})=kill")
            (far if who == "node" else maintainer).arm(f"{point}({event})=error@*")
            feed.insert(slow)
            # A dispatcher that meets the event before it was told of what lies below it stays there with its checkpoint.
            wait_until("the row is received", lambda: resolved(feed) >= event - 1, 10, 0.02)
            statement = f"RENAME TABLE k.{one} TO k.r{n}, k.{other} TO k.{one}, k.r{n} TO k.{other}"
            feed.source.sql(statement)
            feed.wait_gate(phase)
            feed.wait_killed(maintainer)
            far.arm(f"node.waiting.send({event})=off")
            feed.cluster.start_maintainer()
            feed.insert(*"abcdef")
            feed.caught_up()
            assert feed.times(statement) == 1, statement
        feed.ends_well()


if __name__ == "__main__":
    scenario.main([killed_in_each_phase_of_a_rename, killed_in_each_phase_of_a_gate_for_all,
                   killed_in_each_phase_of_a_gate_for_a_schema, killed_while_it_makes_a_new_table,
                   killed_between_persist_and_send_in_each_phase_of_a_gate])
