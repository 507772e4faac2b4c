"""What cannot be carried is refused with a message that names the thing and the mend, and nothing is lost."""
import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import scenario
from lib.cluster import CtlError, Process
from lib.mariadb_server import free_port
from lib.waiting import wait_until


def refused(cluster, source, sink, *words, arguments=()):
    """Create is refused and says all of these words; nothing of the changefeed is left."""
    try:
        cluster.create("bad", source, sink, *arguments)
    except CtlError as error:
        assert error.code == 1, error
        text = error.error + error.out
        for word in words:
            assert word.lower() in text.lower(), f"{word!r} is not in: {text}"
        assert all(item["id"] != "bad" for item in cluster.changefeeds())
        return text
    raise AssertionError(f"not refused: {source} → {sink}")


def fails(cluster, name, *words, seconds=30):
    """The changefeed ends as failed and its error says all of these words."""
    state = wait_until("the changefeed fails",
                       lambda: (lambda it: it["state"] == "failed" and it)(cluster.query(name)), seconds)
    text = str(state.get("error"))
    for word in words:
        assert word.lower() in text.lower(), f"{word!r} is not in: {text}"
    return text


def table(source, name="t", columns="id INT PRIMARY KEY, v INT"):
    source.sql("CREATE DATABASE IF NOT EXISTS d", f"CREATE TABLE d.{name} ({columns})")


def wrong_server():
    with scenario.cluster(1) as cluster:
        refused(cluster, f"mariadb://root@127.0.0.1:{free_port()}", "blackhole://", "127.0.0.1")


def wrong_settings():
    wrong = [("--skip-log-bin", "log_bin"), ("--binlog-format=MIXED", "binlog_format"),
             ("--binlog-row-image=MINIMAL", "binlog_row_image"),
             ("--binlog-row-metadata=MINIMAL", "binlog_row_metadata"),
             ("--gtid-strict-mode=0", "gtid_strict_mode")]
    with scenario.cluster(1) as cluster:
        for option, setting in wrong:
            with scenario.source_server(option) as source:
                text = refused(cluster, source.uri(), "blackhole://", setting)
                assert "SET GLOBAL" in text or "log-bin" in text or "log_bin" in text, text


def missing_privilege_and_password():
    with scenario.source_server() as source, scenario.cluster(1) as cluster:
        source.sql("CREATE USER weak@'%' IDENTIFIED BY 'secret'", "GRANT SELECT ON *.* TO weak@'%'")
        uri = f"mariadb://weak@127.0.0.1:{source.port}"
        refused(cluster, uri, "blackhole://", "weak")
        with open(f"{cluster.directory}/password", "w") as file:
            file.write("secret\n")
        text = refused(cluster, f"{uri}/?password-file={cluster.directory}/password", "blackhole://",
                       "REPLICATION SLAVE", "GRANT")
        assert "secret" not in text


def unknown_sink_and_options():
    with scenario.source_server() as source, scenario.cluster(1) as cluster:
        refused(cluster, source.uri(), "oracle://somewhere", "oracle")
        refused(cluster, "postgres://somewhere", "blackhole://", "postgres")
        refused(cluster, source.uri(), "blackhole://", "/[/", arguments=("--filter", "/[/"))


def unknown_configuration_key():
    with scenario.directory() as directory:
        for program, name in (("maintainer/sluice-maintainer", "m"), ("dispatcher/sluice-dispatcher", "n")):
            path = f"{directory}/{name}.yaml"
            with open(path, "w") as file:
                file.write("# first line\nno_such_key: 1\n")
            process = Process(name, [f"{scenario.build_directory()}/{program}", "--config", path],
                              directory, {})
            assert process.wait(20) == 2, process.text()
            assert "no_such_key" in process.text() and "2" in process.text(), process.text()


def second_maintainer_on_the_store():
    with scenario.cluster(1) as cluster:
        second = Process("second", [f"{cluster.build}/maintainer/sluice-maintainer", "--config",
                                    cluster.write_config("second", {"maintainer": {
                                        "status": f"tcp://127.0.0.1:{free_port()}",
                                        "control": f"tcp://127.0.0.1:{free_port()}",
                                        "http": f"127.0.0.1:{free_port()}",
                                        "data": f"{cluster.directory}/meta"}})],
                         cluster.directory, {})
        assert second.wait(20) == 3, second.text()
        assert f"{cluster.directory}/meta" in second.text(), second.text()
        cluster.check_alive()


def sink_schema_that_does_not_match():
    with scenario.source_server() as source, scenario.sink_server() as sink, \
            scenario.cluster(1) as cluster:
        table(source)
        refused(cluster, source.uri(), sink.uri(), "d.t", arguments=("--filter", "d.*"))
        table(sink, columns="id INT PRIMARY KEY, other INT")
        refused(cluster, source.uri(), sink.uri(), "d.t", arguments=("--filter", "d.*"))
        sink.sql("DROP TABLE d.t")
        table(sink, columns="id INT PRIMARY KEY, v INT")
        sink.sql("ALTER TABLE d.t ENGINE=Aria")
        refused(cluster, source.uri(), sink.uri(), "d.t", "InnoDB", arguments=("--filter", "d.*"))


def table_without_key_is_listed():
    with scenario.source_server() as source, scenario.cluster(1) as cluster:
        table(source, "nokey", "a INT, b INT")
        answer = cluster.create("feed", source.uri(), "blackhole://", "--filter", "d.*")
        assert "d.nokey" in str(answer), answer


def servers_that_lose_commits_are_warned_of():
    lossy = ("SET GLOBAL sync_binlog=1", "innodb_flush_log_at_trx_commit=1 there")
    with scenario.source_server() as source, scenario.sink_server() as sink, scenario.cluster(1) as cluster:
        answer = str(cluster.create("lossy", source.uri(), sink.uri(), "--filter", "d.*"))
        assert all(words in answer for words in lossy), answer
        source.sql("SET GLOBAL sync_binlog=1, GLOBAL innodb_flush_log_at_trx_commit=1")
        sink.sql("SET GLOBAL innodb_flush_log_at_trx_commit=1")
        answer = str(cluster.create("durable", source.uri(), sink.uri(), "--filter", "e.*"))
        assert not any(words in answer for words in lossy), answer


def cascading_foreign_key():
    with scenario.source_server() as source, scenario.cluster(1) as cluster:
        table(source, "p")
        table(source, "c", "id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES d.p (id) "
                           "ON DELETE CASCADE")
        refused(cluster, source.uri(), "blackhole://", "d.c", "cascad", arguments=("--filter", "d.*"))


def purged_position():
    with scenario.source_server() as source, scenario.cluster(1) as cluster:
        table(source)
        start = source.sql("SELECT @@gtid_binlog_pos")[0][0]
        source.sql("INSERT INTO d.t VALUES (1, 1)", "FLUSH BINARY LOGS",
                   "INSERT INTO d.t VALUES (2, 1)", "FLUSH BINARY LOGS")
        # The server keeps a log until the engine has let go of it.
        wait_until("the logs are purged", lambda: source.sql(
            "PURGE BINARY LOGS TO 'binlog.000003'", "SHOW BINARY LOGS")[0][0] == "binlog.000003", 20)
        refused(cluster, source.uri(), "blackhole://", "purged",
                arguments=("--filter", "d.*", "--start", start))


def diverged_position():
    with scenario.source_server() as source, scenario.cluster(1) as cluster:
        table(source)
        refused(cluster, source.uri(), "blackhole://", "0-1-99999",
                arguments=("--filter", "d.*", "--start", "0-1-99999"))


def position_before_a_schema_change():
    with scenario.source_server() as source, scenario.cluster(1) as cluster:
        table(source)
        start = source.sql("SELECT @@gtid_binlog_pos")[0][0]
        source.sql("INSERT INTO d.t VALUES (1, 1)", "ALTER TABLE d.t ADD COLUMN w INT")
        refused(cluster, source.uri(), "blackhole://", "schema",
                arguments=("--filter", "d.*", "--start", start))


def running(source, cluster, sink="blackhole://"):
    table(source)
    cluster.create("feed", source.uri(), sink, "--filter", "d.*")
    source.sql("INSERT INTO d.t VALUES (1, 1)")
    cluster.wait_checkpoint("feed", source.gtid_sequence())


def statement_format_rows():
    with scenario.source_server() as source, scenario.cluster(1) as cluster:
        running(source, cluster)
        source.sql("SET SESSION binlog_format = 'STATEMENT'", "INSERT INTO d.t VALUES (2, 2)")
        fails(cluster, "feed", "statement", "binlog_format")


def partial_row_image():
    with scenario.source_server() as source, scenario.cluster(1) as cluster:
        running(source, cluster)
        source.sql("SET SESSION binlog_row_image = 'MINIMAL'", "UPDATE d.t SET v = 2")
        fails(cluster, "feed", "d.t", "binlog_row_image", "0-1-")


def xa_transaction():
    with scenario.source_server() as source, scenario.cluster(1) as cluster:
        running(source, cluster)
        source.sql("XA START 'x'", "INSERT INTO d.t VALUES (2, 2)", "XA END 'x'", "XA PREPARE 'x'",
                   "XA COMMIT 'x'")
        fails(cluster, "feed", "XA")


def other_domain():
    with scenario.source_server() as source, scenario.cluster(1) as cluster:
        running(source, cluster)
        source.sql("SET SESSION gtid_domain_id = 7", "INSERT INTO d.t VALUES (2, 2)")
        fails(cluster, "feed", "domain")


def table_enters_the_filter():
    with scenario.source_server() as source, scenario.cluster(1) as cluster:
        running(source, cluster)
        source.sql("CREATE DATABASE other", "CREATE TABLE other.x (id INT PRIMARY KEY)",
                   "RENAME TABLE other.x TO d.x")
        fails(cluster, "feed", "d.x", "filter")


def partition_change_into_sqlite():
    with scenario.source_server() as source, scenario.directory() as directory, \
            scenario.cluster(1) as cluster:
        source.sql("CREATE DATABASE d")
        cluster.create("feed", source.uri(), f"sqlite://{directory}/s.db", "--filter", "d.*")
        source.sql("CREATE TABLE d.pt (id INT PRIMARY KEY) PARTITION BY RANGE (id) "
                   "(PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))",
                   "CREATE TABLE d.px (id INT PRIMARY KEY)",
                   "ALTER TABLE d.pt EXCHANGE PARTITION p0 WITH TABLE d.px")
        fails(cluster, "feed", "d.pt", "partition")


def second_reader_with_our_server_id():
    with scenario.source_server() as source, \
            scenario.cluster(1, node_keys={"server_id_base": 4000}) as one, \
            scenario.cluster(1, node_keys={"server_id_base": 4000}) as two:
        running(source, one)
        two.create("feed", source.uri(), "blackhole://", "--filter", "d.*")
        wait_until("one of the two gives up and says why",
                   lambda: any(it.query("feed")["state"] == "failed" and
                               "server_id" in str(it.query("feed")["error"]) for it in (one, two)), 90)


def disk_full_in_the_sink():
    with scenario.directory() as directory, scenario.source_server() as source:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", directory], check=True)
        try:
            with scenario.cluster(1) as cluster:
                source.sql("CREATE DATABASE d")
                cluster.create("feed", source.uri(), f"sqlite://{directory}/s.db", "--filter", "d.*")
                source.sql("USE d", "CREATE TABLE d.t (id INT PRIMARY KEY, v LONGTEXT)",
                           "INSERT INTO d.t SELECT seq, REPEAT('x', 4000) FROM seq_1_to_800")
                wait_until("the log says that the disk is full",
                           lambda: "full" in cluster.nodes["n1"].text().lower(), 30)
                assert cluster.query("feed")["state"] in ("normal", "warning")
                subprocess.run(["mount", "-o", "remount,size=64m", directory], check=True)
                cluster.wait_checkpoint("feed", source.gtid_sequence(), 60)
                text = cluster.ctl("compare", "--source", source.uri(), "--sink",
                                   f"sqlite://{directory}/s.db", "--filter", "d.*", output="table")
                assert text.strip().endswith("identical"), text
        finally:
            subprocess.run(["umount", "-l", directory], check=True)


SCHEMA = """sluice-schema 1
domain 0
server-id 1
server-version 101119
lower-case-names 0
default-charset utf8mb4
default-collation utf8mb4_general_ci

end 0
"""


def recorded_log(directory, rows=200):
    """Files of a server that wrote one table, and where the last group begins in the last file."""
    with scenario.source_server() as source:
        table(source)
        for number in range(rows):
            source.sql(f"INSERT INTO d.t VALUES ({number}, {number})")
        source.sql("FLUSH BINARY LOGS")
        for number in range(rows, 2 * rows):
            source.sql(f"INSERT INTO d.t VALUES ({number}, {number})")
        events = source.sql("SHOW BINLOG EVENTS IN 'binlog.000002'")
        begin = [event[1] for event in events if event[2] == "Gtid"][-1]
        source.stop()
        for name in ("binlog.000001", "binlog.000002"):
            shutil.copy(f"{source.data}/{name}", directory)
    with open(f"{directory}/schema.sluice", "w") as file:
        file.write(SCHEMA)
    return begin, 2 * rows


def replays(directory, rows, *words):
    """All groups before the damage are in the sink, then the changefeed fails saying these words."""
    with scenario.cluster(2) as cluster, scenario.directory() as out:
        cluster.create("feed", f"binlog://{directory}", f"sqlite://{out}/s.db", "--filter", "d.*")
        if words:
            fails(cluster, "feed", *words)
        else:
            cluster.wait_checkpoint("feed", rows + 2, 30)
        with contextlib.closing(sqlite3.connect(f"{out}/s.db")) as sink:
            wait_until(f"{rows} rows are in the sink",
                       lambda: sink.execute('SELECT COUNT(*) FROM "d.t"').fetchone() == (rows,), 20)


def whole_log_file():
    with scenario.directory() as directory:
        _, rows = recorded_log(directory)
        replays(directory, rows)


def truncated_log_file():
    with scenario.directory() as directory:
        begin, rows = recorded_log(directory)
        os.truncate(f"{directory}/binlog.000002", begin + 60)
        replays(directory, rows - 1, "binlog.000002", "middle")


def log_file_cut_between_two_events():
    with scenario.directory() as directory:
        begin, rows = recorded_log(directory)
        with open(f"{directory}/binlog.000002", "rb") as file:
            file.seek(begin + 9)
            length = int.from_bytes(file.read(4), "little")
        os.truncate(f"{directory}/binlog.000002", begin + length)
        replays(directory, rows - 1, "middle of a group", f"0-1-{rows + 1}")


def corrupt_log_file():
    with scenario.directory() as directory:
        begin, rows = recorded_log(directory)
        with open(f"{directory}/binlog.000002", "r+b") as file:
            file.seek(begin + 25)
            byte = file.read(1)
            file.seek(begin + 25)
            file.write(bytes([byte[0] ^ 0x10]))
        replays(directory, rows - 1, "binlog.000002", str(begin))


TESTS = [
    whole_log_file, truncated_log_file, log_file_cut_between_two_events, corrupt_log_file,
    wrong_server, wrong_settings, missing_privilege_and_password, unknown_sink_and_options,
    unknown_configuration_key, second_maintainer_on_the_store, sink_schema_that_does_not_match,
    table_without_key_is_listed, servers_that_lose_commits_are_warned_of, cascading_foreign_key,
    purged_position, diverged_position,
    position_before_a_schema_change, statement_format_rows, partial_row_image, xa_transaction,
    other_domain, table_enters_the_filter, partition_change_into_sqlite,
    second_reader_with_our_server_id, disk_full_in_the_sink,
]

if __name__ == "__main__":
    scenario.main(TESTS)
