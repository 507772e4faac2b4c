"""The maintainer's store: lost writes, damage, full and slow disks, and two who want it. Never back to nothing."""
import contextlib
import hashlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import general_log, outage, scenario
from lib.cluster import CtlError, Process
from lib.mariadb_server import free_port
from lib.one_feed import SHORT_LEASE, begin, catch_up, ends_well, identical, insert, kill_maintainer, restart
from lib.waiting import wait_until

# ---- lost writes ----

@contextlib.contextmanager
def an_older_copy(then):
    """A copy of the store is taken; much happens, and the sink has forgotten what it needs not know; the store is
    the copy again; `then` says who else dies with the maintainer."""
    with scenario.source_server() as source, scenario.sink_server() as sink, \
            scenario.cluster(2, maintainer_keys=SHORT_LEASE) as cluster:
        begin(cluster, source, sink)
        kill_maintainer(cluster)
        shutil.copytree(f"{cluster.directory}/meta", f"{cluster.directory}/copy")
        cluster.start_maintainer()
        catch_up(cluster, source)
        source.sql("CREATE TABLE d.a (id INT PRIMARY KEY)", "INSERT INTO d.a VALUES (1)", "DROP TABLE d.a",
                   "CREATE TABLE d.a (id INT PRIMARY KEY)", "INSERT INTO d.a VALUES (2)",
                   "ALTER TABLE d.t ADD COLUMN w INT DEFAULT 7", "TRUNCATE TABLE d.log")
        for number in range(1, 20):
            source.sql(f"INSERT INTO d.t VALUES ({number}, 1, 2)", f"INSERT INTO d.log VALUES ({number})")
        catch_up(cluster, source)
        # A node cleans up with the first checkpoint that it hears of.
        restart(cluster)
        source.sql("INSERT INTO d.a VALUES (3)")
        catch_up(cluster, source)
        wait_until("the sink has forgotten its records",
                   lambda: sink.sql("SELECT COUNT(*) FROM sluice.ddl_record") == ((0,),), 20)
        known = int(sink.sql("SELECT checkpoint FROM sluice.changefeed")[0][0])
        changes = len(general_log.schema_changes(sink.general_log))
        then(cluster)
        shutil.rmtree(f"{cluster.directory}/meta")
        shutil.copytree(f"{cluster.directory}/copy", f"{cluster.directory}/meta")
        cluster.start_maintainer()
        yield cluster, source, sink, known
        executed = general_log.schema_changes(sink.general_log)[changes:]
        assert [text for text in executed if " d." in text or "`d`" in text] == [], executed


def goes_on(cluster, source, known):
    source.sql("INSERT INTO d.log VALUES (100)", "INSERT INTO d.a VALUES (4)")
    wait_until("the checkpoint is where it was", lambda: cluster.checkpoint("feed") >= known, 60)
    catch_up(cluster, source)
    identical(cluster)


def older_copy_and_everybody_starts_again():
    with an_older_copy(lambda cluster: cluster.kill()) as (cluster, source, sink, known):
        for name in ("n1", "n2"):
            cluster.start_node(name)
        cluster.wait_nodes(2)
        goes_on(cluster, source, known)
        assert any("older than the sink" in node.text() for node in cluster.nodes.values())
        ends_well(cluster)


def older_copy_and_the_nodes_go_on():
    with an_older_copy(kill_maintainer) as (cluster, source, sink, known):
        epoch = cluster.query("feed")["maintainer_epoch"]
        goes_on(cluster, source, known)
        assert cluster.query("feed")["maintainer_epoch"] == epoch
        ends_well(cluster)


def older_copies_under_load():
    """Again and again a copy of some time ago, with everybody killed or the nodes going on, while rows and schema
    changes of every kind arrive: each is made once."""
    chance = random.Random(int(os.environ.get("SLUICE_COPY_SEED", "1")))
    with scenario.source_server() as source, scenario.sink_server(*outage.DURABLE_SINK) as sink, \
            scenario.cluster(2, maintainer_keys=SHORT_LEASE) as cluster:
        feed = outage.Watched(cluster, source)
        feed.begin(sink.uri())
        copies = []
        for _ in range(int(os.environ.get("SLUICE_COPY_ROUNDS", "6"))):
            kill_maintainer(cluster)
            copies.append(f"{cluster.directory}/copy{len(copies)}")
            shutil.copytree(f"{cluster.directory}/meta", copies[-1])
            all_die = chance.random() < 0.6
            if all_die:
                cluster.kill()
            if len(copies) > 1:
                shutil.rmtree(f"{cluster.directory}/meta")
                shutil.copytree(chance.choice(copies[-4:]), f"{cluster.directory}/meta")
            cluster.start_maintainer()
            for name in ("n1", "n2") if all_die else ():
                cluster.start_node(name)
            target = source.gtid_sequence()
            cluster.wait_checkpoint("feed", target, 60)
        changes = feed.end()
        outage.each_change_once(changes, sink)
        ends_well(cluster)


def older_copy_knows_of_a_removed_changefeed():
    """It was removed since: nobody writes for it again, and it says why."""
    with scenario.source_server() as source, scenario.sink_server() as sink, \
            scenario.cluster(1, maintainer_keys=SHORT_LEASE) as cluster:
        begin(cluster, source, sink)
        kill_maintainer(cluster)
        shutil.copytree(f"{cluster.directory}/meta", f"{cluster.directory}/copy")
        cluster.start_maintainer()
        cluster.ctl("changefeed", "remove", "-c", "feed", "--no-confirm")
        kill_maintainer(cluster)
        shutil.rmtree(f"{cluster.directory}/meta")
        shutil.move(f"{cluster.directory}/copy", f"{cluster.directory}/meta")
        cluster.start_maintainer()
        insert(source, 1)
        state = wait_until("it fails", lambda: (lambda it: it["state"] == "failed" and it)(cluster.query("feed")), 30)
        assert "removed" in state["error"]["message"], state
        assert sink.sql("SELECT COUNT(*) FROM d.log") == ((1,),)
        cluster.ctl("changefeed", "remove", "-c", "feed", "--no-confirm")


def older_copy_and_a_clock_set_back():
    """The sink was written under later epochs: nothing is taken from them, and the log says so."""
    with scenario.source_server() as source, scenario.sink_server() as sink, \
            scenario.cluster(1, maintainer_keys=SHORT_LEASE) as cluster:
        begin(cluster, source, sink)
        cluster.kill()
        sink.sql("UPDATE sluice.progress SET maintainer_epoch = maintainer_epoch + (1 << 43)")
        cluster.start_maintainer()
        node = cluster.start_node("n1")
        cluster.wait_nodes(1)
        insert(source, 1)
        wait_until("the log says so", lambda: "owned by a later assignment" in node.text(), 20)
        assert sink.sql("SELECT n FROM d.log") == ((0,),)


# ---- disks ----

@contextlib.contextmanager
def small_disk(cluster):
    """The store on a file system of its own, of one megabyte."""
    path = f"{cluster.directory}/meta"
    os.makedirs(path, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def fill(path):
    with open(f"{path}/ballast", "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))


def refuses_to_start(cluster, *words):
    process = cluster.launch_maintainer()
    assert process.wait(20) == 3, process.text()[-2000:]
    last = process.text()[-1000:].lower()
    for word in words:
        assert word.lower() in last, f"{word!r} is not in: {last}"
    cluster.maintainer = None


def disk_full():
    with scenario.source_server() as source, scenario.sink_server() as sink, scenario.directory() as directory:
        cluster = scenario.Cluster(scenario.build_directory(), directory, maintainer_keys=SHORT_LEASE)
        with small_disk(cluster) as path:
            try:
                cluster.start(1)
                begin(cluster, source, sink)
                before = cluster.checkpoint("feed")
                fill(path)
                number = 0

                def warned():
                    nonlocal number
                    number += 1
                    insert(source, number)
                    state = cluster.query("feed")
                    return state["state"] == "warning" and "meta store" in state["error"]["message"]
                wait_until("it warns of the meta store", warned, 60, interval=0.3)
                try:
                    cluster.create("second", source.uri(), "blackhole://", "--filter", "d.t")
                    raise RuntimeError("created on a full disk")
                except CtlError as error:
                    assert "meta store" in error.error, error
                assert [it["id"] for it in cluster.changefeeds()] == ["feed"]
                assert "no_space" in cluster.maintainer.text() or "disk is full" in cluster.maintainer.text()
                kill_maintainer(cluster)
                process = cluster.launch_maintainer()
                if process_ends(process):
                    assert process.popen.returncode == 3, process.text()[-2000:]
                    assert "full" in process.text()[-1000:], process.text()[-2000:]
                    os.unlink(f"{path}/ballast")
                    cluster.start_maintainer()
                else:
                    os.unlink(f"{path}/ballast")
                assert cluster.checkpoint("feed") >= before
                catch_up(cluster, source)
                wait_until("the warning is over", lambda: cluster.query("feed")["state"] == "normal", 20)
                identical(cluster)
                assert sink.sql("SELECT COUNT(*) FROM d.log") == ((number + 1,),)
                ends_well(cluster)
            except BaseException:
                sys.stderr.write(cluster.logs())
                raise
            finally:
                cluster.kill()


def process_ends(process):
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    return not process.running()


def content(path):
    return {name: hashlib.sha256(open(f"{path}/{name}", "rb").read()).hexdigest()
            for name in sorted(os.listdir(path)) if not name.endswith("-shm")}


def damaged_and_foreign_stores():
    """Each is refused with a line that says what it is, and left as it is."""
    with scenario.directory() as directory:
        cluster = scenario.Cluster(scenario.build_directory(), directory)
        path = f"{cluster.directory}/meta"
        cluster.start_maintainer()
        cluster.stop()
        whole = open(f"{path}/meta.db", "rb").read()

        def put(bytes_now):
            shutil.rmtree(path)
            os.makedirs(path)
            with open(f"{path}/meta.db", "wb") as file:
                file.write(bytes_now)

        def newer():
            put(whole)
            database = sqlite3.connect(f"{path}/meta.db")
            database.execute("PRAGMA user_version = 99")
            database.close()

        cases = {
            "cut in the middle": (lambda: put(whole[:len(whole) // 2]), "meta store"),
            "cut to nothing": (lambda: put(b""), "empty"),
            "its first page lost": (lambda: put(bytes(4096) + whole[4096:]), "meta store"),
            "a page in it lost": (lambda: put(whole[:4096] + b"\xff" * 4096 + whole[8192:]), "damaged"),
            "something else": (lambda: put(b"this is no database" * 1000), "meta store"),
            "of a newer version": (newer, "99"),
        }
        for name, (make, word) in cases.items():
            make()
            before = content(path)
            refuses_to_start(cluster, word, f"{path}/meta.db" if word != "meta store" else word)
            assert content(path) == before, name
        put(whole)
        cluster.start_maintainer()
        assert cluster.stop() == {"maintainer": 0}


def read_only_store():
    with scenario.directory() as directory:
        cluster = scenario.Cluster(scenario.build_directory(), directory)
        with small_disk(cluster) as path:
            cluster.start_maintainer()
            cluster.stop()
            subprocess.run(["mount", "-o", "remount,ro", path], check=True)
            refuses_to_start(cluster, "cannot be written", "read-only", path)
            subprocess.run(["mount", "-o", "remount,rw", path], check=True)
            cluster.start_maintainer()
            assert cluster.stop() == {"maintainer": 0}


# ---- two who want it ----

def second(cluster, name):
    return Process(name, [f"{cluster.build}/maintainer/sluice-maintainer", "--config",
                          cluster.write_config(name, {"maintainer": {
                              "status": f"tcp://127.0.0.1:{free_port()}",
                              "control": f"tcp://127.0.0.1:{free_port()}",
                              "http": f"127.0.0.1:{free_port()}",
                              "data": f"{cluster.directory}/meta"}})],
                   cluster.directory, {})


def second_maintainer_on_a_stopped_ones_store():
    with scenario.source_server() as source, scenario.cluster(1, maintainer_keys=SHORT_LEASE) as cluster:
        source.sql("CREATE DATABASE d")
        cluster.create("feed", source.uri(), "blackhole://", "--filter", "d.*")
        epoch = cluster.query("feed")["maintainer_epoch"]
        cluster.maintainer.send_signal(signal.SIGSTOP)
        other = second(cluster, "other")
        assert other.wait(20) == 3, other.text()
        assert "in use by another maintainer" in other.text(), other.text()
        kill_maintainer(cluster)
        cluster.start_maintainer()
        source.sql("CREATE TABLE d.t (id INT PRIMARY KEY)")
        catch_up(cluster, source)
        assert cluster.query("feed")["maintainer_epoch"] > epoch


def second_maintainer_on_a_copy():
    """The one that started last counts; the other one does no harm."""
    with scenario.source_server() as source, scenario.sink_server() as sink, \
            scenario.cluster(0, maintainer_keys=SHORT_LEASE) as cluster:
        ports = (free_port(), free_port(), free_port())
        cluster.node_keys = {
            "status": [f"tcp://127.0.0.1:{cluster.status_port}", f"tcp://127.0.0.1:{ports[0]}"],
            "control": [f"tcp://127.0.0.1:{cluster.control_port}", f"tcp://127.0.0.1:{ports[1]}"]}
        cluster.start_node("n1")
        cluster.wait_nodes(1)
        begin(cluster, source, sink)
        kill_maintainer(cluster)
        shutil.copytree(f"{cluster.directory}/meta", f"{cluster.directory}/copy")
        cluster.start_maintainer()
        other = scenario.Cluster(cluster.build, f"{cluster.directory}", maintainer_keys={
            **SHORT_LEASE, "data": f"{cluster.directory}/copy"})
        other.status_port, other.control_port, other.http_port = ports
        try:
            other.start_maintainer()
            wait_until("nodes follow it", lambda: other.query("feed")["phase"] == "running", 30)
            before = cluster.checkpoint("feed")
            for number in range(1, 5):
                insert(source, number)
            catch_up(other, source)
            identical(other)
            assert sink.sql("SELECT COUNT(*) FROM d.log") == ((5,),)
            assert cluster.checkpoint("feed") == before
        finally:
            other.kill()


if __name__ == "__main__":
    scenario.main([older_copy_and_everybody_starts_again, older_copy_and_the_nodes_go_on, older_copies_under_load,
                   older_copy_and_a_clock_set_back,
                   older_copy_knows_of_a_removed_changefeed, disk_full, damaged_and_foreign_stores,
                   read_only_store, second_maintainer_on_a_stopped_ones_store, second_maintainer_on_a_copy])
