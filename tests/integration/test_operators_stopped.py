"""A process that is stopped in the middle of a write or a schema change while its changefeed is removed and created again,
or sent back to an earlier position: when it wakes it does no harm, and takes part again."""
import contextlib
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import general_log, scenario
from lib.one_feed import SHORT_LEASE, begin, catch_up, ends_well, identical, insert
from lib.waiting import wait_until


@contextlib.contextmanager
def stopped(point, statement):
    """Whoever carries out the statement is stopped at the point; wakes at the end, and then all go on."""
    with scenario.source_server() as source, scenario.sink_server() as sink, \
            scenario.cluster(2, maintainer_keys=SHORT_LEASE) as cluster:
        begin(cluster, source, sink)
        for node in cluster.nodes.values():
            node.arm(f"{point}=stop")
        source.sql(statement)
        sleeper = wait_until("somebody is stopped",
                             lambda: next((it for it in cluster.nodes.values() if it.is_stopped()), None), 20)
        for node in cluster.nodes.values():
            if node is not sleeper:
                node.arm(f"{point}=off")
        yield cluster, source, sink
        truncated = len(truncates(sink))
        sleeper.send_signal(signal.SIGCONT)
        wait_until("it takes part again", lambda: sum(
            node["span_count"] > 0 for node in cluster.captures()) == 2, 30)
        insert(source, 50)
        catch_up(cluster, source)
        assert (50,) in sink.sql("SELECT n FROM d.log")
        assert len(truncates(sink)) == truncated, truncates(sink)
        ends_well(cluster)


def truncates(sink):
    return [text for text in general_log.schema_changes(sink.general_log) if "TRUNCATE" in text]


def remove_and_create(cluster, source, sink):
    cluster.ctl("changefeed", "remove", "-c", "feed", "--no-confirm")
    cluster.create("feed", source.uri(), sink.uri(), "--filter", "d.*")
    insert(source, 20)
    catch_up(cluster, source)


def removed_before_its_schema_change():
    """It is not made any more: the changefeed that had to is gone."""
    with stopped("sink.ddl.execute(TRUNCATE)", "TRUNCATE TABLE d.t") as (cluster, source, sink):
        remove_and_create(cluster, source, sink)
        assert sink.sql("SELECT id FROM d.t ORDER BY id") == ((0,), (20,))
        assert truncates(sink) == []


def removed_inside_a_transaction():
    with stopped("sink.rows.commit(d.log)", "INSERT INTO d.log VALUES (7)") as (cluster, source, sink):
        remove_and_create(cluster, source, sink)
        assert (7,) not in sink.sql("SELECT n FROM d.log")
        held = sink.sql("SELECT COUNT(*) FROM information_schema.INNODB_TRX")
        assert held == ((0,),), held


def sent_back_before_its_schema_change():
    """Position after the schema change: it is the operator's word that the sink has it."""
    with stopped("sink.ddl.execute(TRUNCATE)", "TRUNCATE TABLE d.t") as (cluster, source, sink):
        cluster.ctl("changefeed", "pause", "-c", "feed")
        after = source.sql("SELECT @@gtid_binlog_pos")[0][0]
        insert(source, 20)
        cluster.ctl("changefeed", "resume", "-c", "feed", "--overwrite-gtid", after, "--no-confirm")
        catch_up(cluster, source)
        assert cluster.query("feed")["generation"] == 2
        assert sink.sql("SELECT id FROM d.t ORDER BY id") == ((0,), (20,))
        assert sink.sql("SELECT COUNT(*) FROM sluice.ddl_record WHERE generation = 1") == ((0,),)


def paused_and_resumed_before_its_schema_change():
    """The same changefeed goes on: the schema change is made, once."""
    with stopped("sink.ddl.execute(TRUNCATE)", "TRUNCATE TABLE d.t") as (cluster, source, sink):
        cluster.ctl("changefeed", "pause", "-c", "feed")
        insert(source, 20)
        cluster.ctl("changefeed", "resume", "-c", "feed")
        catch_up(cluster, source)
        identical(cluster)
        assert len(truncates(sink)) == 1, truncates(sink)


if __name__ == "__main__":
    scenario.main([removed_before_its_schema_change, removed_inside_a_transaction,
                   sent_back_before_its_schema_change, paused_and_resumed_before_its_schema_change])
