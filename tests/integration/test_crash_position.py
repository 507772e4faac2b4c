"""Positions that are behind or of another life: what was written is found out in the sink."""
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import feed as feeds
from lib import scenario
from lib.waiting import wait_until

EARLIER = [
    "CREATE DATABASE k", "CREATE DATABASE l",
    "CREATE TABLE k.log (n INT, gone INT)",
    "CREATE TABLE k.t (id INT PRIMARY KEY, a INT, b INT, gone INT)",
    "CREATE TABLE k.u (id INT PRIMARY KEY, v INT)",
    "INSERT INTO k.log VALUES (1, 1), (1, 1)", "INSERT INTO k.t VALUES (1, 10, 20, 5)", "INSERT INTO k.u VALUES (1, 1)",
]
# Met again as a whole, with what was there in between gone for good.
AGAIN = [
    "INSERT INTO k.log VALUES (2, 1), (2, 1)",
    "UPDATE k.log SET n = n + 10 LIMIT 1",
    "ALTER TABLE k.log DROP COLUMN gone",
    "INSERT INTO k.log VALUES (3), (3)",
    "ALTER TABLE k.t CHANGE a b INT, CHANGE b a INT",
    "INSERT INTO k.t VALUES (2, 30, 40, 5)",
    "ALTER TABLE k.t DROP COLUMN gone",
    "RENAME TABLE k.t TO k.x, k.u TO k.t, k.x TO k.u",
    "INSERT INTO k.t VALUES (5, 5)",
    "CREATE TABLE k.s AS SELECT id AS n FROM k.t",
    "INSERT INTO k.s VALUES (7), (7)",
    "TRUNCATE TABLE k.t",
    "INSERT INTO k.t VALUES (6, 6)",
    "RENAME TABLE k.u TO l.u",
    "DROP TABLE k.s",
    "CREATE TABLE k.s (n INT)",
    "INSERT INTO k.s VALUES (8), (8)",
    "CREATE OR REPLACE TABLE k.r (n INT)",
    "INSERT INTO k.r VALUES (1)",
    "CREATE OR REPLACE TABLE k.r (m INT)",
    "INSERT INTO k.r VALUES (2), (2)",
    "CREATE VIEW k.v AS SELECT * FROM k.s",
    "ALTER TABLE l.u ADD COLUMN c INT DEFAULT 3",
    "DELETE FROM k.log WHERE n = 3 LIMIT 1",
]


def kill_everything(feed):
    cluster = feed.cluster
    nodes = list(cluster.nodes)
    cluster.kill()
    cluster.start_maintainer()
    for node in nodes:
        cluster.start_node(node)
    cluster.wait_nodes(len(nodes))


def met_again_from_an_old_checkpoint(feed, statements):
    """The store keeps none of the checkpoints that the statements bring."""
    feed.source.sql(*EARLIER)
    feed.caught_up()
    for _ in range(2):
        feed.cluster.maintainer.arm("meta.checkpoint.commit=error@*")
        stored = feed.cluster.maintainer.passages("meta.checkpoint.commit")
        feed.source.sql(*statements)
        feed.arrived()
        assert len(feed.cluster.maintainer.passages("meta.checkpoint.commit")) > len(stored)
        kill_everything(feed)
        feed.identical()
        statements = ["INSERT INTO k.log VALUES (9), (9)", "TRUNCATE TABLE k.s", "INSERT INTO k.s VALUES (9), (9)"]
    assert set(feed.cluster.stop().values()) == {0}


def everything_killed_with_an_old_checkpoint():
    with feeds.into_mariadb("k.*", "l.*") as feed:
        met_again_from_an_old_checkpoint(feed, AGAIN)
        for statement in AGAIN:
            if not statement.startswith(("INSERT", "UPDATE", "DELETE", "CREATE", "DROP TABLE")):
                assert feed.times_executed(statement) == 1, statement
        assert feed.times_executed("CREATE TABLE k.s") == 2
        assert feed.times_executed("DROP TABLE k.s") == 1


def everything_killed_with_an_old_checkpoint_into_sqlite():
    with feeds.into_sqlite("k.*", "l.*") as feed:
        met_again_from_an_old_checkpoint(feed, [it for it in AGAIN if "VIEW" not in it])


def position(server):
    return server.sql("SELECT @@gtid_binlog_pos")[0][0]


def stop_inside_a_transaction(feed, table, statement):
    return feed.lose_one(f"sink.rows.commit({table})=stop", statement)


def earlier_lives_stopped_inside_a_transaction():
    """Interleaving 7: removed and created under the same name, then its position overwritten backwards, each time with an
    owner that stands inside a transaction and wakes when the next life has written."""
    with feeds.into_mariadb("k.*") as feed:
        feed.source.sql("CREATE DATABASE k", "CREATE TABLE k.log (n INT)", "CREATE TABLE k.t (id INT PRIMARY KEY, v INT)")
        feed.caught_up()
        start = position(feed.source)
        owner = stop_inside_a_transaction(feed, "k.log", "INSERT INTO k.log VALUES (1), (1)")
        feed.cluster.ctl("changefeed", "remove", "-c", "feed", "--no-confirm")
        wait_until("removed", lambda: feed.cluster.changefeeds() == [], 20)
        feed.create("k.*", arguments=["--start", start])
        feed.caught_up()
        assert feed.sink.sql("SELECT COUNT(*) FROM k.log") == ((2,),)
        feed.wake(owner)
        feed.identical()

        start = position(feed.source)
        owner = stop_inside_a_transaction(feed, "k.t", "INSERT INTO k.t VALUES (1, 1)")
        feed.cluster.ctl("changefeed", "pause", "-c", "feed")
        wait_until("stopped", lambda: feed.cluster.query("feed")["state"] == "stopped", 20)
        feed.cluster.ctl("changefeed", "resume", "-c", "feed", "--overwrite-gtid", start, "--no-confirm")
        feed.source.sql("UPDATE k.t SET v = 2")
        feed.caught_up()
        feed.source.sql("DELETE FROM k.t")
        feed.caught_up()
        feed.wake(owner)
        feed.identical()
        assert feed.sink.sql("SELECT COUNT(*) FROM k.t") == ((0,),)
        assert set(feed.cluster.stop().values()) == {0}


def removed_while_a_node_dies():
    """What is removed is forgotten by the sink all the same, and a new one of that name has nothing of it."""
    with feeds.into_mariadb("k.*") as feed:
        feed.source.sql("CREATE DATABASE k", "CREATE TABLE k.log (n INT)")
        for point in ("sink.forget.begin", "sink.forget.committed"):
            feed.source.sql("INSERT INTO k.log VALUES (1), (1)", "TRUNCATE TABLE k.log", "INSERT INTO k.log VALUES (2)")
            feed.caught_up()
            node = feed.node_of("k.log")
            node.arm(f"{point}=kill")
            feed.cluster.ctl("changefeed", "remove", "-c", "feed", "--no-confirm", check=False)
            assert node.wait(30) == -signal.SIGKILL
            feed.restart_node(node)
            wait_until("removed", lambda: feed.cluster.changefeeds() == [], 20)
            kept = [feed.sink.sql(f"SELECT COUNT(*) FROM sluice.{table}")[0][0] for table in ("progress", "ddl_record")]
            assert kept == [0, 0], kept
            feed.cluster.wait_nodes(2)
            feed.create("k.*")
        feed.identical()
        assert set(feed.cluster.stop().values()) == {0}


def far_from(feed, table):
    """(A table, its node) that is neither that of `table` nor the trigger's."""
    tables = feed.tables()
    near = {tables[table]["node"], tables[""]["node"]}
    if any(it["state"] != "replicating" for it in tables.values()):
        return None
    return next(((name, feed.cluster.nodes[it["node"]]) for name, it in tables.items() if it["node"] not in near), None)


def renamed_there_and_back_and_met_again():
    """Interleaving 27: a table of the first RENAME meets it again after the second; the moved table stays where it is."""
    with feeds.into_mariadb("d1.*", "d2.*", nodes=3) as feed:
        feed.source.sql("CREATE DATABASE d1", "CREATE DATABASE d2", *(f"CREATE TABLE d1.t{n} (n INT)" for n in range(6)))
        feed.caught_up()
        other, forgetful = wait_until("the tables are spread", lambda: far_from(feed, "d1.t0"), 20)
        forgetful.arm("node.heartbeat.send=error@*")
        feed.source.sql(f"RENAME TABLE d1.t0 TO d2.t0, {other} TO d1.renamed", "INSERT INTO d2.t0 VALUES (1)")
        wait_until("renamed", lambda: feed.times_executed("RENAME TABLE d1.t0"), 10)
        feed.source.sql("RENAME TABLE d2.t0 TO d1.t0", "INSERT INTO d1.t0 VALUES (2)", "INSERT INTO d1.renamed VALUES (3)")
        wait_until("renamed back", lambda: feed.times_executed("RENAME TABLE d2.t0"), 10)
        forgetful.send_signal(signal.SIGKILL)
        feed.restart_node(forgetful)
        feed.identical()
        assert "d1.t0" in feed.tables() and "d2.t0" not in feed.tables()
        feed.source.sql("INSERT INTO d1.t0 VALUES (4)", "DROP DATABASE d1", "CREATE TABLE d2.t0 (n INT)")
        feed.identical()
        assert set(feed.tables()) == {"", "d2.t0"}
        assert set(feed.cluster.stop().values()) == {0}


if __name__ == "__main__":
    scenario.main([everything_killed_with_an_old_checkpoint, everything_killed_with_an_old_checkpoint_into_sqlite,
                   earlier_lives_stopped_inside_a_transaction, removed_while_a_node_dies,
                   renamed_there_and_back_and_met_again])
