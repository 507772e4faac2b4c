"""Pause, resume, an overwritten position, remove and create again, while processes die in the middle of it."""
import os
import random
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import general_log, outage, scenario
from lib.cluster import CtlError
from lib.mariadb_server import free_port
from lib.one_feed import SHORT_LEASE, begin, catch_up, ends_well, identical, insert, kill_maintainer
from lib.waiting import wait_until

ROUNDS = int(os.environ.get("SLUICE_OPERATOR_ROUNDS", "6"))


def kill_and_start(cluster, name):
    """kill -9 and a new process of the same name."""
    if name == "maintainer":
        kill_maintainer(cluster)
        cluster.start_maintainer()
        return
    process = cluster.nodes.pop(name)
    process.send_signal(signal.SIGKILL)
    process.wait()
    cluster.start_node(name)


def ask(cluster, *arguments):
    """What an operator types while something dies: it may fail, and be done nevertheless."""
    try:
        return cluster.ctl("changefeed", *arguments)
    except (CtlError, subprocess.TimeoutExpired) as error:
        return error


def until(cluster, state, *arguments):
    """What an operator does: looks, and asks again until the changefeed is in that state."""
    def look():
        if cluster.query("feed")["state"] in state:
            return True
        ask(cluster, *arguments)
        return False
    wait_until(f"the changefeed is {state}", look, 40, 0.2)


def paused_and_resumed_while_processes_die():
    """At any moment of it."""
    chance = random.Random(int(os.environ.get("SLUICE_OPERATOR_SEED", "1")))
    with scenario.source_server() as source, scenario.sink_server(*outage.DURABLE_SINK) as sink, \
            scenario.cluster(3, maintainer_keys=SHORT_LEASE) as cluster:
        feed = outage.Watched(cluster, source)
        feed.begin(sink.uri())
        for number in range(ROUNDS):
            for state, command in ((("stopped",), "pause"), (("normal", "warning"), "resume")):
                victim = chance.choice(["maintainer", "n1", "n2", "n3"])
                asking = threading.Thread(target=ask, args=(cluster, command, "-c", "feed"))
                asking.start()
                time.sleep(chance.random() * 0.3)
                kill_and_start(cluster, victim)
                asking.join()
                until(cluster, state, command, "-c", "feed")
                print(f"  {command}: {victim}", flush=True)
        wait_until("all nodes are back", lambda: len([it for it in cluster.captures()
                                                      if it["state"] == "present"]) == 3, 20)
        changes = feed.end()
        outage.each_change_once(changes, sink)


# ---- an overwritten position ----

def position(source):
    return source.sql("SELECT @@gtid_binlog_pos")[0][0]


def overwrite(cluster, gtid):
    return cluster.ctl("changefeed", "resume", "-c", "feed", "--overwrite-gtid", gtid, "--no-confirm")


def refused(cluster, gtid, *words):
    try:
        overwrite(cluster, gtid)
    except CtlError as error:
        text = (error.error + error.out).lower()
        for word in words:
            assert word.lower() in text, f"{word!r} is not in: {text}"
        assert cluster.query("feed")["state"] == "stopped"
        return
    raise AssertionError(f"not refused: {gtid}")


def position_overwritten_backwards():
    """Rows behind it are written again, over what is there; a schema change behind it refuses the position. Processes
    die in the middle, and what they were at does no harm to the new generation."""
    with scenario.source_server() as source, scenario.sink_server() as sink, \
            scenario.cluster(2, maintainer_keys=SHORT_LEASE) as cluster:
        source.sql("CREATE DATABASE d")
        sink.sql("CREATE DATABASE d")
        cluster.create("feed", source.uri(), sink.uri(), "--filter", "d.*")
        source.sql("CREATE TABLE d.t (id INT PRIMARY KEY, u VARCHAR(9) UNIQUE, v INT)",
                   "CREATE TABLE d.p (a INT, b VARCHAR(20), c INT, PRIMARY KEY (b, a))")
        too_early = position(source)
        source.sql("USE d", "INSERT INTO d.t SELECT seq, CONCAT('u', seq), 0 FROM seq_1_to_200",
                   "ALTER TABLE d.t ADD COLUMN w INT DEFAULT 3", "DROP TABLE IF EXISTS d.gone")
        early = position(source)
        changing(source, 0)
        catch_up(cluster, source)
        for number in range(3):
            # With a DDL behind the new position and rows before it.
            cluster.ctl("changefeed", "pause", "-c", "feed")
            refused(cluster, too_early, "alter table d.t", "schema")
            refused(cluster, "0-1-99999999", "position")
            refused(cluster, "nothing", "gtid")
            generation = cluster.query("feed")["generation"]
            asking = threading.Thread(target=ask, args=(cluster, "resume", "-c", "feed", "--overwrite-gtid", early,
                                                        "--no-confirm"))
            asking.start()
            time.sleep(0.02 + 0.1 * number)
            kill_and_start(cluster, ("maintainer", "n1", "n2")[number])
            asking.join()
            cluster.wait_nodes(2)
            if cluster.query("feed")["state"] == "stopped":
                overwrite(cluster, early)
            assert cluster.query("feed")["generation"] == generation + 1
            changing(source, 1000 * (number + 1))
            catch_up(cluster, source)
            identical(cluster)
            source.sql(f"ALTER TABLE d.p ADD COLUMN d{number} INT DEFAULT {number}")
            early = position(source)
            changing(source, 1000 * (number + 1) + 500)
            catch_up(cluster, source)
            identical(cluster)
        altered = [text for text in general_log.schema_changes(sink.general_log) if "ADD COLUMN" in text]
        assert len(altered) == 4, altered
        generations = sink.sql("SELECT DISTINCT generation FROM sluice.progress UNION "
                               "SELECT DISTINCT generation FROM sluice.ddl_record")
        assert set(generations) == {(4,)}, generations
        ends_well(cluster)


def changing(source, base):
    """Rows that come, change, change their keys, hand a unique value on, and go."""
    source.sql(
        "USE d",
        f"INSERT INTO d.t (id, u, v) SELECT {base} + 300 + seq, CONCAT('x', {base} + seq), 1 FROM seq_1_to_100",
        f"UPDATE d.t SET v = v + 1 WHERE id > {base} + 320",
        f"DELETE FROM d.t WHERE id BETWEEN {base} + 310 AND {base} + 315",
        f"INSERT INTO d.t (id, u, v) VALUES ({base} + 310, 'x{base + 11}', 5)",
        f"UPDATE d.t SET id = id + 400 WHERE id BETWEEN {base} + 330 AND {base} + 340",
        f"REPLACE INTO d.t (id, u, v) VALUES ({base} + 350, 'x{base + 60}', 9)",
        f"INSERT INTO d.p (a, b, c) SELECT {base} + seq, 'k', seq FROM seq_1_to_50",
        f"UPDATE d.p SET b = UPPER(b) WHERE a < {base} + 20",
        f"DELETE FROM d.p WHERE a > {base} + 40")


def position_overwritten_says_what_comes_twice():
    with scenario.source_server() as source, scenario.sink_server() as sink, \
            scenario.cluster(1, maintainer_keys=SHORT_LEASE) as cluster:
        begin(cluster, source, sink)
        early = position(source)
        insert(source, 1)
        catch_up(cluster, source)
        cluster.ctl("changefeed", "pause", "-c", "feed")
        answer = str(overwrite(cluster, early))
        assert "d.log" in answer and "again" in answer, answer
        insert(source, 2)
        catch_up(cluster, source)
        assert sink.sql("SELECT n, COUNT(*) FROM d.log GROUP BY n ORDER BY n") == ((0, 1), (1, 2), (2, 1))


# ---- removed and created again ----

def rows_in_sink(sink, uuid):
    """In Sluice's own tables, but for the one that says that it was removed."""
    feed = f"X'{uuid.replace('-', '')}'"
    return sum(sink.sql(f"SELECT COUNT(*) FROM sluice.{table} WHERE feed = {feed}")[0][0]
               for table in ("claim", "progress", "ddl_record", "ddl_table", "syncpoint"))


def remove(cluster):
    return cluster.ctl("changefeed", "remove", "-c", "feed", "--no-confirm")


def is_gone(cluster):
    return all(it["id"] != "feed" for it in cluster.changefeeds())


def removed_in_every_state_it_leaves_nothing():
    """Running, paused, with the maintainer killed in the middle, and created again under its name each time."""
    with scenario.source_server() as source, scenario.sink_server() as sink, \
            scenario.cluster(2, maintainer_keys=SHORT_LEASE) as cluster:
        begin(cluster, source, sink)
        uuids = []

        def again(number):
            uuid = cluster.query("feed")["uuid"]
            uuids.append(uuid)
            assert rows_in_sink(sink, uuid) > 0
            yield
            wait_until("it is removed", lambda: is_gone(cluster), 30)
            assert rows_in_sink(sink, uuid) == 0
            cluster.create("feed", source.uri(), sink.uri(), "--filter", "d.*")
            source.sql(f"INSERT INTO d.log VALUES ({number})", f"ALTER TABLE d.t ADD COLUMN c{number} INT DEFAULT 1")
            catch_up(cluster, source)
            identical(cluster)

        for _ in again(1):
            remove(cluster)
        for _ in again(2):
            cluster.ctl("changefeed", "pause", "-c", "feed")
            remove(cluster)
        for _ in again(3):
            asking = threading.Thread(target=ask, args=(cluster, "remove", "-c", "feed", "--no-confirm"))
            asking.start()
            time.sleep(0.03)
            kill_and_start(cluster, "maintainer")
            asking.join()
            cluster.wait_nodes(2)
            if not is_gone(cluster) and cluster.query("feed")["state"] != "removed":
                ask(cluster, "remove", "-c", "feed", "--no-confirm")
        assert len(set(uuids)) == 3
        assert sink.sql("SELECT COUNT(*) FROM sluice.changefeed WHERE is_removed") == ((3,),)
        assert sink.sql("SELECT n FROM d.log ORDER BY n") == ((0,), (1,), (2,), (3,))
        ends_well(cluster)


def removed_without_its_sink():
    """The sink is away: the changefeed goes, and the log says what it could not do."""
    with scenario.source_server() as source, scenario.cluster(1, maintainer_keys=SHORT_LEASE) as cluster:
        with scenario.sink_server() as sink:
            begin(cluster, source, sink)
        started = time.monotonic()
        remove(cluster)
        assert is_gone(cluster)
        assert time.monotonic() - started < 30
        wait_until("the log says so", lambda: "may be deleted by hand" in cluster.nodes["n1"].text(), 5)
        ends_well(cluster)


if __name__ == "__main__":
    scenario.main([paused_and_resumed_while_processes_die, position_overwritten_backwards,
                   position_overwritten_says_what_comes_twice, removed_in_every_state_it_leaves_nothing,
                   removed_without_its_sink])
