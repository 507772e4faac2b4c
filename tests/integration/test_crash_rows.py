"""Owners of rows that die or stand still at any step of a sink transaction: each row is there, and once."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import feed as feeds
from lib import scenario

TABLES = [
    "CREATE DATABASE k",
    # Without a key a repeat or a loss is seen at once.
    "CREATE TABLE k.log (n INT, t VARCHAR(20))",
    "CREATE TABLE k.pair (id INT PRIMARY KEY, name VARCHAR(20) COLLATE latin1_bin, UNIQUE KEY (name)) CHARSET=latin1",
    "CREATE TABLE k.words (word VARCHAR(20) COLLATE latin1_general_ci PRIMARY KEY, n INT) CHARSET=latin1",
    "CREATE TABLE k.parent (id INT PRIMARY KEY)",
    "CREATE TABLE k.child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES k.parent (id))",
]


def round_of_rows(n):
    """One transaction over every table; interleaving 10 is in it."""
    return [
        "BEGIN",
        f"INSERT INTO k.log VALUES ({n}, 'one'), ({n}, 'one'), ({n}, 'two')",
        f"UPDATE k.log SET t = 'three' WHERE n = {n - 1} AND t = 'two'",
        f"DELETE FROM k.log WHERE n = {n - 1} AND t = 'one' LIMIT 1",
        # Another row takes a value that is unique.
        f"DELETE FROM k.pair WHERE id = {2 * n - 2}",
        f"INSERT INTO k.pair VALUES ({2 * n}, 'x')",
        # The key changes in case alone.
        f"INSERT INTO k.words VALUES ('word{n}', {n})",
        f"UPDATE k.words SET word = UPPER(word), n = n + 1 WHERE word = 'word{n - 1}'",
        f"INSERT INTO k.parent VALUES ({n})",
        f"INSERT INTO k.child VALUES ({n}, {n})",
        "COMMIT",
    ]


# Told to a process that carries the table: an answer that is lost, and death.
FAILURES = ["sink.rows.open(k.log)=error", "sink.rows.commit(k.log)=error", "sink.rows.committed(k.log)=error",
            "sink.rows.open(k.pair)=kill", "sink.rows.commit(k.log)=kill", "sink.rows.committed(k.log)=kill",
            "sink.rows.committed(k.words)=kill", "sink.rows.committed(k.child)=kill"]


def rows_through_every_failure(feed):
    feed.source.sql(*TABLES)
    feed.source.sql(*round_of_rows(1))
    for n, failure in enumerate(FAILURES, 2):
        feed.caught_up()
        owner = feed.lose_one(failure, *round_of_rows(n))
        if failure.endswith("kill"):
            feed.restart_node(owner)
    feed.identical()
    assert set(feed.cluster.stop().values()) == {0}


def mariadb_takes_each_row_once():
    with feeds.into_mariadb("k.*") as feed:
        rows_through_every_failure(feed)


def sqlite_takes_each_row_once():
    with feeds.into_sqlite("k.*") as feed:
        rows_through_every_failure(feed)


def owner_stopped_inside_a_transaction():
    """Interleavings 22 and 29: with rows in it or only the progress moved; and before and inside its very first act."""
    with feeds.into_mariadb("k.*") as feed:
        feed.source.sql("CREATE DATABASE k", *(f"CREATE TABLE k.log{n} (n INT)" for n in range(6)))
        feed.caught_up()
        count = 0
        for point in ("sink.rows.commit", "sink.rows.open", "sink.rows.committed"):
            owner = feed.lose_one(f"{point}(k.log0)=stop", "INSERT INTO k.log0 VALUES (1), (1)")
            taken_over(feed, point)
            feed.source.sql("INSERT INTO k.log0 VALUES (2)")
            feed.wake(owner)
            count += 3
            assert feed.sink.sql("SELECT COUNT(*) FROM k.log0") == ((count,),)
        for point in ("sink.claim.begin", "sink.claim.commit", "sink.claim.committed"):
            newcomer = feed.cluster.start_node("n3", fail_points=f"{point}=stop")
            newcomer.wait_stopped(point)
            feed.source.sql(*(f"INSERT INTO k.log{n} VALUES (3)" for n in range(6)))
            taken_over(feed, point)
            feed.source.sql(*(f"INSERT INTO k.log{n} VALUES (4)" for n in range(6)))
            feed.caught_up()
            feed.wake(newcomer)
            feed.cluster.stop_node("n3")
        feed.identical()
        assert set(feed.cluster.stop().values()) == {0}


def taken_over(feed, point):
    """The rows that the stopped one had in its hands are in the sink, by another."""
    started = time.monotonic()
    feed.caught_up()
    took = time.monotonic() - started
    print(f"  taken over after {took:.1f} s: {point}", flush=True)
    assert took < feeds.LEASE_SECONDS + feeds.TAKEOVER_SECONDS


# (Key, orders): the point is passed by whoever comes to it.
CREATE_SELECT = [("", order) for order in (
    "sink.ddl.recorded(CREATE TABLE)=kill", "sink.ddl.executed(CREATE TABLE)=kill",
    "sink.ddl.finished(CREATE TABLE)=kill", "sink.claim.committed=kill", "sink.rows.open(k.c)=kill",
    "sink.rows.committed(k.c)=kill")]
CREATE_SELECT += [("(PRIMARY KEY (n)) ", order) for order in (
    "sink.rows.committed(k.c)=kill", "sink.rows.commit(k.c)=kill@2")]


def create_select_killed_anywhere():
    """Interleaving 9; without a key all its rows are one transaction of the sink; with one they go in parts, since nodes
    hold little in memory here."""
    with feeds.into_mariadb("k.*", node_keys={"tail_max": "4MiB"}) as feed:
        feed.source.sql("CREATE DATABASE k", "CREATE TABLE k.numbers (n INT PRIMARY KEY)",
                        "INSERT INTO k.numbers SELECT seq FROM k.seq_1_to_100000")
        for key, order in CREATE_SELECT:
            feed.source.sql("DROP TABLE IF EXISTS k.c")
            feed.caught_up()
            started = time.monotonic()
            feed.restart_node(feed.lose_one(
                order, f"CREATE TABLE k.c {key}AS SELECT n, REPEAT('x', 60) AS t FROM k.numbers"))
            feed.caught_up()
            print(f"  {time.monotonic() - started:.1f} s {key}{order}", flush=True)
            assert feed.sink.sql("SELECT COUNT(*), COUNT(DISTINCT n) FROM k.c") == ((100000, 100000),)
        feed.identical()
        assert set(feed.cluster.stop().values()) == {0}


if __name__ == "__main__":
    scenario.main([mariadb_takes_each_row_once, sqlite_takes_each_row_once, owner_stopped_inside_a_transaction,
                   create_select_killed_anywhere])
