"""Tables come and go while those die who know of it: at the end exactly the source's tables are carried."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import scenario
from lib.crash_stage import stage
from lib.waiting import wait_until

NEW = "CREATE TABLE k.new (id INT AUTO_INCREMENT PRIMARY KEY, v INT)"


def carried(feed):
    return {name for name in feed.tables() if name}


def new_table_whose_report_is_lost_with_the_node():
    """The trigger has no progress of its own: its next dispatcher meets the change again and reports it."""
    with stage("a", "b") as feed:
        for n, point in enumerate(["sink.ddl.finished(CREATE)", "node.none.send", "node.none.sent"]):
            feed.caught_up()
            node = feed.trigger_node()
            node.arm(f"{point}=kill")
            statement = NEW.replace("new", f"new{n}")
            feed.source.sql(statement)
            feed.insert(f"new{n}", "a", "b")
            feed.wait_killed(node)
            if n % 2 == 0:
                feed.caught_up()  # the other one has taken over
            feed.restart_node(node)
            feed.caught_up()
            assert feed.times(statement) == 1, point
        feed.ends_well()


def new_table_above_the_checkpoint_when_maintainer_and_owner_die():
    """The checkpoint stays below the new table, since another table's row is slow; all that is known of the new one is
    with the trigger."""
    with stage("a", "b", "c", "d") as feed:
        feed.caught_up()
        near = feed.trigger_node()
        slow = feed.table_on(near)
        held = feed.next_position()
        near.arm(f"sink.rows.commit({held})=delay:3000")
        feed.insert(slow)
        feed.source.sql(NEW)
        feed.insert("new")
        wait_until("the new table arrived",
                   lambda: feed.is_carried("k.new") and feed.sink.sql("SELECT COUNT(*) FROM k.new") == ((1,),), 2.5)
        assert feed.cluster.checkpoint(feed.name) < held
        owner = feed.node_of("k.new")
        feed.kill(feed.cluster.maintainer)
        feed.kill(owner)
        feed.cluster.start_maintainer()
        feed.insert("new")
        feed.restart_node(owner)
        feed.caught_up()
        assert feed.is_carried("k.new")
        assert feed.times(NEW) == 1
        feed.ends_well()


def drop_met_again_by_the_next_trigger():
    with stage("a", "b", "c", "d") as feed:
        for point, tables in (("node.done.send", "k.a,k.b"), ("node.done.sent", "k.c")):
            node = feed.trigger_node()
            node.arm(f"{point}({feed.next_position()})=kill")
            feed.source.sql(f"DROP TABLE {tables}")
            feed.wait_killed(node)
            feed.insert("d")
            feed.restart_node(node)
            feed.caught_up()
            # Whether all of a DROP was done is known only by its record: it is repeated with IF EXISTS at most.
            assert feed.times(f"DROP TABLE {tables}") == 1
        wait_until("only d is carried", lambda: carried(feed) == {"k.d"}, 10)
        feed.ends_well()


def new_table_is_dropped_before_anybody_heard_of_it():
    """The report of CREATE never leaves, so the trigger does not report DROP either, and dies."""
    with stage("a", "b") as feed:
        node = feed.trigger_node()
        created = feed.next_position()
        node.arm(f"node.none.send({created})=error@*")
        feed.source.sql(NEW, "INSERT INTO k.new (v) VALUES (1)", "DROP TABLE k.new")
        node.wait_passed("node.none.send", "error")
        feed.insert("a", "b")
        feed.kill(node)
        feed.restart_node(node)
        feed.caught_up()
        assert carried(feed) == {"k.a", "k.b"}, carried(feed)
        assert feed.sink.sql("SHOW TABLES FROM k LIKE 'new'") == ()
        assert feed.times(NEW) == 1
        feed.ends_well()


def everything_killed_right_after_new_tables():
    """Again and again: each time they are above the persisted checkpoint, or above anchor and snapshot."""
    with stage("a", "b") as feed:
        for n in range(4):
            names = [f"new{n}{i}" for i in range(3)]
            feed.source.sql(*(NEW.replace("new", name) for name in names))
            feed.insert(*names)
            if n % 2:
                wait_until("the last one is carried", lambda: feed.is_carried(f"k.{names[-1]}"), 20, interval=0.01)
            processes = [feed.cluster.maintainer, *feed.cluster.nodes.values()]
            for process in processes:
                feed.kill(process)
            feed.cluster.start(2)
            feed.insert(*names)
        feed.caught_up()
        assert len(carried(feed)) == 14
        feed.ends_well()


if __name__ == "__main__":
    scenario.main([new_table_whose_report_is_lost_with_the_node,
                   new_table_above_the_checkpoint_when_maintainer_and_owner_die, drop_met_again_by_the_next_trigger,
                   new_table_is_dropped_before_anybody_heard_of_it, everything_killed_right_after_new_tables])
