"""Schema changes whose writer dies or stands still at any step of writing them: each is executed once."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import feed as feeds
from lib import scenario
from lib.waiting import wait_until


PARTITIONED = "PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)"


class Change:
    """A schema change with the tables it is about."""

    def __init__(self, statement, before=(), after=(), in_sink_before=("DO 1",), in_sink=("DO 1",),
                 in_sink_after=("DO 1",)):
        self.statement, self.before, self.after = statement, before, after
        # What is done to the sink: before all, while nobody writes there, at the end.
        self.in_sink_before, self.in_sink, self.in_sink_after = in_sink_before, in_sink, in_sink_after


def changes(s):
    """In schema `s`; the last one drops it."""
    return [
        Change(f"RENAME TABLE {s}.a1 TO {s}.ax, {s}.a2 TO {s}.a1, {s}.ax TO {s}.a2",
               before=[f"CREATE TABLE {s}.a1 (id INT PRIMARY KEY, v INT)", f"INSERT INTO {s}.a1 VALUES (1, 1)",
                       f"CREATE TABLE {s}.a2 (id INT PRIMARY KEY, v INT)", f"INSERT INTO {s}.a2 VALUES (2, 2)"],
               after=[f"INSERT INTO {s}.a1 VALUES (3, 3)"]),
        Change(f"ALTER TABLE {s}.part EXCHANGE PARTITION p0 WITH TABLE {s}.plain",
               before=[f"CREATE TABLE {s}.plain (id INT PRIMARY KEY, v INT)", f"INSERT INTO {s}.plain VALUES (5, 1)",
                       f"CREATE TABLE {s}.part (id INT PRIMARY KEY, v INT) {PARTITIONED}",
                       f"INSERT INTO {s}.part VALUES (1, 7), (11, 7)"],
               after=[f"INSERT INTO {s}.plain VALUES (2, 2)", f"INSERT INTO {s}.part VALUES (3, 3)"]),
        Change(f"ALTER TABLE {s}.part TRUNCATE PARTITION p1",
               after=[f"INSERT INTO {s}.part VALUES (12, 1)"]),
        Change(f"ALTER TABLE {s}.c CHANGE a b INT, CHANGE b a INT",
               before=[f"CREATE TABLE {s}.c (id INT PRIMARY KEY, a INT, b INT)",
                       f"INSERT INTO {s}.c VALUES (1, 10, 20)"],
               after=[f"INSERT INTO {s}.c VALUES (2, 30, 40)"]),
        Change(f"ALTER TABLE {s}.c ADD INDEX ka (a)", after=[f"UPDATE {s}.c SET a = a + 1"]),
        # The counter moves without a change of the schema.
        Change(f"ALTER TABLE {s}.n MODIFY v BIGINT",
               before=[f"CREATE TABLE {s}.n (id INT AUTO_INCREMENT PRIMARY KEY, v INT)",
                       f"INSERT INTO {s}.n (v) VALUES (1), (2)"],
               after=[f"INSERT INTO {s}.n (v) VALUES (3)"],
               in_sink=["BEGIN", f"REPLACE INTO {s}.n (id, v) VALUES (500, 1)", "ROLLBACK"]),
        # The child's text names its parent, which is renamed right behind it.
        Change(f"ALTER TABLE {s}.child ADD COLUMN w INT",
               before=[f"CREATE TABLE {s}.parent (id INT PRIMARY KEY)",
                       f"CREATE TABLE {s}.child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES {s}.parent (id))",
                       f"INSERT INTO {s}.parent VALUES (1)", f"INSERT INTO {s}.child VALUES (1, 1)"],
               after=[f"RENAME TABLE {s}.parent TO {s}.parent2", f"INSERT INTO {s}.child VALUES (2, 1, 2)"]),
        # Somebody has put it under another engine: InnoDB knows nothing of it.
        Change(f"ALTER TABLE {s}.e ADD INDEX kv (v)",
               before=[f"CREATE TABLE {s}.e (id INT PRIMARY KEY, v INT)", f"INSERT INTO {s}.e VALUES (1, 1)"],
               after=[f"INSERT INTO {s}.e VALUES (2, 2)"],
               in_sink_before=[f"ALTER TABLE {s}.e ENGINE=MyISAM"], in_sink_after=[f"ALTER TABLE {s}.e ENGINE=InnoDB"]),
        Change(f"TRUNCATE TABLE {s}.a1", after=[f"INSERT INTO {s}.a1 VALUES (9, 9)"]),
        Change(f"DROP DATABASE {s}", before=[f"CREATE TABLE {s}.many{n} (id INT)" for n in range(50)],
               after=[f"CREATE DATABASE {s}", f"CREATE TABLE {s}.new (id INT)", f"INSERT INTO {s}.new VALUES (1)"]),
    ]


def kill_the_writer(feed, point, change):
    """Dies at that point, comes back as a new process."""
    feed.source.sql(*change.before, "DO 1")
    feed.caught_up()
    feed.sink.sql(*change.in_sink_before)
    writer = feed.lose_one(f"{point}({change.statement})=kill", change.statement, *change.after)
    feed.sink.sql(*change.in_sink)
    feed.restart_node(writer)
    feed.caught_up()
    feed.sink.sql(*change.in_sink_after)


def writer_killed(point, is_executed):
    with feeds.into_mariadb("k.*") as feed:
        feed.source.sql("CREATE DATABASE k")
        for change in changes("k"):
            started = time.monotonic()
            kill_the_writer(feed, point, change)
            print(f"  {time.monotonic() - started:.1f} s {change.statement}", flush=True)
            feed.identical()
            # A DROP is not atomic as a whole and hence repeated, with IF EXISTS.
            repeated = feed.times_executed(change.statement.replace("DROP DATABASE", "DROP DATABASE IF EXISTS"))
            is_drop = change.statement.startswith("DROP")
            times = feed.times_executed(change.statement)
            assert times == (is_executed or not is_drop), (change.statement, times)
            assert not is_drop or repeated == 1, repeated
        assert set(feed.cluster.stop().values()) == {0}


def writer_killed_between_execution_and_record():
    writer_killed("sink.ddl.executed", True)


def writer_killed_between_record_and_execution():
    writer_killed("sink.ddl.recorded", False)


SQLITE_CHANGES = [
    ("sink.ddl.locked", "ALTER TABLE k.a CHANGE a b INT, CHANGE b a INT"),
    ("sink.ddl.execute", "RENAME TABLE k.a TO k.x, k.b TO k.a, k.x TO k.b"),
    ("sink.ddl.executed", "RENAME TABLE k.a TO k.x, k.b TO k.a, k.x TO k.b"),
    ("sink.ddl.finished", "RENAME TABLE k.a TO k.x, k.b TO k.a, k.x TO k.b"),
    ("sink.ddl.executed", "ALTER TABLE k.b CHANGE a b INT, CHANGE b a INT"),
    ("sink.ddl.finished", "ALTER TABLE k.b CHANGE a b INT, CHANGE b a INT"),
    ("sink.ddl.executed", "TRUNCATE TABLE k.a"),
    ("sink.ddl.finished", "ALTER TABLE k.a ADD COLUMN c INT DEFAULT 5, ADD INDEX kc (c)"),
    ("sink.ddl.executed", "DROP TABLE k.a"),
]


def sqlite_writer_killed_at_every_step():
    """Record, change and progress are one transaction there."""
    with feeds.into_sqlite("k.*") as feed:
        feed.source.sql("CREATE DATABASE k", "CREATE TABLE k.a (id INT PRIMARY KEY, a INT, b INT)",
                        "CREATE TABLE k.b (id INT PRIMARY KEY, a INT, b INT)",
                        "INSERT INTO k.a VALUES (1, 10, 20)", "INSERT INTO k.b VALUES (2, 30, 40)")
        for n, (point, statement) in enumerate(SQLITE_CHANGES, 10):
            feed.caught_up()
            feed.restart_node(feed.lose_one(
                f"{point}=kill", statement, f"INSERT INTO k.b (id, a, b) VALUES ({n}, {n}, 0)"))
            feed.identical()
        assert set(feed.cluster.stop().values()) == {0}


def stop_the_writer(feed, point, statement, after):
    """Stands still at that point until another has written the change and what is behind it."""
    writer = feed.lose_one(f"{point}({' '.join(statement.split()[:2])})=stop", statement)
    started = time.monotonic()
    feed.source.sql(*after)
    feed.caught_up()
    took = time.monotonic() - started
    print(f"  taken over after {took:.1f} s: {statement}", flush=True)
    assert took < feeds.LEASE_SECONDS + feeds.TAKEOVER_SECONDS
    feed.identical()
    return writer


def writer_stopped_and_woken():
    """Stopped right before it runs, after it ran, and before it asks for the lock; others write the change and go on.
    When it wakes, nothing is run that was run already."""
    with feeds.into_mariadb("k.*") as feed:
        feed.source.sql("CREATE DATABASE k", "CREATE TABLE k.t (id INT PRIMARY KEY, v INT)",
                        "CREATE TABLE k.u (id INT PRIMARY KEY)", "INSERT INTO k.u VALUES (1)")
        feed.source.sql(*(f"INSERT INTO k.t VALUES ({n}, {n})" for n in range(50)))
        feed.caught_up()
        stopped_before_it_truncates(feed)
        stopped_after_it_swapped(feed)
        stopped_before_the_lock_of_a_drop(feed)
        assert set(feed.cluster.stop().values()) == {0}


def stopped_before_it_truncates(feed):
    truncate = "TRUNCATE TABLE k.t"
    rows = [f"INSERT INTO k.t VALUES ({n}, {n})" for n in range(51, 80)]
    feed.wake(stop_the_writer(feed, "sink.ddl.execute", truncate, rows))
    feed.identical()
    assert feed.times_executed(truncate) == 1
    assert feed.sink.sql("SELECT COUNT(*) FROM k.t") == ((29,),)


def stopped_after_it_swapped(feed):
    swap = "RENAME TABLE k.t TO k.x, k.u TO k.t, k.x TO k.u"
    feed.wake(stop_the_writer(feed, "sink.ddl.executed", swap, ["INSERT INTO k.u VALUES (100, 100)"]))
    feed.identical()
    assert feed.times_executed(swap) == 1


def stopped_before_the_lock_of_a_drop(feed):
    drop = "DROP TABLE k.t"
    writer = stop_the_writer(feed, "sink.ddl.lock", drop, ["CREATE TABLE k.t (id INT PRIMARY KEY)",
                                                           "INSERT INTO k.t VALUES (7)"])
    # As cleaning up does within a minute.
    feed.sink.sql("DELETE FROM sluice.ddl_table", "DELETE FROM sluice.ddl_record")
    feed.wake(writer)
    feed.identical()
    assert feed.times_executed(drop) == 1
    assert feed.sink.sql("SELECT id FROM k.t") == ((7,),)


def writer_lost_while_the_server_executes():
    """The statement goes on in the server; who comes next waits for its end and takes it for done."""
    with feeds.into_mariadb("k.*") as feed:
        feed.source.sql("CREATE DATABASE k", "CREATE TABLE k.t (id INT PRIMARY KEY)", "INSERT INTO k.t VALUES (1)")
        feed.caught_up()
        for n, number in enumerate((signal.SIGKILL, signal.SIGSTOP), 2):
            statement = f"ALTER TABLE k.t ADD COLUMN c{n} INT"
            feed.spread()
            with feed.sink.connect(autocommit=False) as reader, reader.cursor() as cursor:
                cursor.execute("SELECT * FROM k.t")
                feed.source.sql(statement, f"INSERT INTO k.t (id) VALUES ({n})")
                wait_until("it waits for the reader", lambda: sink_is_at(feed, "table metadata lock", statement), 10)
                writer = feed.node_of("k.t")
                writer.send_signal(number)
                if number == signal.SIGKILL:
                    feed.restart_node(writer)
                wait_until("another waits for it", lambda: sink_is_at(feed, "User lock", "GET_LOCK"), 20)
            feed.identical()
            assert feed.times_executed(statement) == 1
        feed.wake(writer)
        feed.identical()
        assert set(feed.cluster.stop().values()) == {0}


def sink_is_at(feed, state, statement):
    rows = feed.sink.sql("SELECT state, info FROM information_schema.processlist")
    return any(state in (row[0] or "") and statement in (row[1] or "") for row in rows)


if __name__ == "__main__":
    scenario.main([writer_killed_between_execution_and_record, writer_killed_between_record_and_execution,
                   sqlite_writer_killed_at_every_step, writer_stopped_and_woken,
                   writer_lost_while_the_server_executes])
