"""Several changefeeds in one maintainer, and what an operator does to one."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import scenario, workload
from lib.cluster import CtlError
from lib.waiting import wait_until


def identical(cluster, name):
    text = cluster.ctl("compare", "-c", name, output="table")
    assert text.strip().endswith("identical"), text


def several_in_one_maintainer():
    """Two sources into one sink server, and one of them into SQLite as well; each with its own filter."""
    with scenario.source_server() as source, scenario.sink_server() as sink, \
            scenario.directory() as directory, scenario.cluster(2) as cluster:
        cluster.create("one", source.uri(), sink.uri(), "--filter", "w0.*")
        cluster.create("two", source.uri(), sink.uri(), "--filter", "w1.*")
        cluster.create("three", source.uri(), f"sqlite://{directory}/s.db", "--filter", "w*.*",
                       "--filter", "!w0.*")
        workload.create_tables(source, 3, 24)
        workload.run(source, tables=24, rows=20000, changes=8, writers=2,
                     kinds=["add_column", "truncate", "modify_column", "create_keep"])
        assert len(cluster.changefeeds()) == 3
        for name in ("one", "two", "three"):
            cluster.wait_checkpoint(name, source.gtid_sequence())
            identical(cluster, name)
        assert sink.sql("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'w2'") == ((0,),)
        assert set(cluster.stop().values()) == {0}


def paused_resumed_and_removed():
    with scenario.source_server() as source, scenario.sink_server() as sink, \
            scenario.cluster(2) as cluster:
        source.sql("CREATE DATABASE d")
        sink.sql("CREATE DATABASE d")
        cluster.create("feed", source.uri(), sink.uri(), "--filter", "d.*")
        source.sql("CREATE TABLE d.log (n INT)", "INSERT INTO d.log VALUES (1)")
        cluster.wait_checkpoint("feed", source.gtid_sequence())
        cluster.ctl("changefeed", "pause", "-c", "feed")
        wait_until("stopped", lambda: cluster.query("feed")["state"] == "stopped", 10)
        source.sql("INSERT INTO d.log VALUES (2)", "ALTER TABLE d.log ADD COLUMN m INT DEFAULT 5",
                   "INSERT INTO d.log VALUES (3, 3)")
        try:
            cluster.ctl("changefeed", "pause", "-c", "feed")
            raise RuntimeError("paused twice")
        except CtlError as error:
            assert error.code == 1
        assert sink.sql("SELECT COUNT(*) FROM d.log") == ((1,),)
        cluster.ctl("changefeed", "resume", "-c", "feed")
        cluster.wait_checkpoint("feed", source.gtid_sequence())
        identical(cluster, "feed")
        cluster.ctl("changefeed", "remove", "-c", "feed", "--no-confirm")
        wait_until("removed", lambda: cluster.changefeeds() == [], 10)
        source.sql("INSERT INTO d.log VALUES (4, 4)")
        cluster.create("feed", source.uri(), sink.uri(), "--filter", "d.*")
        source.sql("INSERT INTO d.log VALUES (5, 5)")
        cluster.wait_checkpoint("feed", source.gtid_sequence())
        assert sorted(row[0] for row in sink.sql("SELECT n FROM d.log")) == [1, 2, 3, 5]


def restart_position_moves_behind_schema_changes():
    """The log is opened again there: what stays behind it may be purged at the source."""
    with scenario.source_server() as source, scenario.cluster(2) as cluster:
        source.sql("CREATE DATABASE d")
        cluster.create("feed", source.uri(), "blackhole://", "--filter", "d.*")
        source.sql("CREATE TABLE d.t (id INT PRIMARY KEY)", "CREATE TABLE d.u (id INT PRIMARY KEY)")
        for number in range(4):
            source.sql(f"ALTER TABLE d.t ADD COLUMN c{number} INT", f"INSERT INTO d.u VALUES ({number})")
            position = source.gtid_sequence()
            cluster.wait_checkpoint("feed", position)
            source.sql(f"INSERT INTO d.u VALUES ({1000 + number})")
            wait_until(f"the restart position is behind {position}",
                       lambda: int(cluster.query("feed")["gtid"].split("-")[2]) >= position, 15)


def lag_rate_and_holder_are_those_of_the_moment():
    """The log gives whole seconds; what is added to that is an interval or two."""
    with scenario.source_server() as source, scenario.sink_server() as sink, \
            scenario.cluster(2) as cluster:
        source.sql("CREATE DATABASE d")
        sink.sql("CREATE DATABASE d")
        cluster.create("feed", source.uri(), sink.uri(), "--filter", "d.*")
        source.sql("CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY)", "CREATE TABLE d.slow (id INT PRIMARY KEY)")
        states, started = [], time.monotonic()
        with source.connect() as connection, connection.cursor() as cursor:
            while time.monotonic() - started < 8:
                for _ in range(10):
                    cursor.execute("INSERT INTO d.t VALUES (), (), (), (), ()")
                    time.sleep(0.01)
                states.append((time.monotonic() - started, cluster.api("changefeeds", "feed")))
        seconds = time.monotonic() - started
        rows = source.sql("SELECT COUNT(*) FROM d.t")[0][0]
        late = [state for at, state in states if state and at > 4]
        lags = [state["lag_seconds"] for state in late]
        rates = [state["rows_per_second"] for state in late]
        print(f"  lag {min(lags):.1f} to {max(lags):.1f} s, {min(rates)} to {max(rates)} rows/s of {rows / seconds:.0f}",
              flush=True)
        assert max(lags) < 2.0, lags
        assert all(0.5 < rate / (rows / seconds) < 2 for rate in rates), rates
        with sink.connect(autocommit=False) as blocker, blocker.cursor() as cursor:
            cursor.execute("LOCK TABLES d.slow WRITE")
            source.sql("INSERT INTO d.slow VALUES (1)")
            wait_until("it says which table holds",
                       lambda: "d.slow" in cluster.query("feed")["holding"], 20)
            wait_until("lag grows", lambda: cluster.query("feed")["lag_seconds"] > 2.5, 20)
        cluster.wait_checkpoint("feed", source.gtid_sequence())
        identical(cluster, "feed")


if __name__ == "__main__":
    scenario.main([several_in_one_maintainer, paused_resumed_and_removed,
                   restart_position_moves_behind_schema_changes, lag_rate_and_holder_are_those_of_the_moment])
