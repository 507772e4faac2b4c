#include "common/runtime/fail_point.h"

/* A message's points are passed before it is given to the socket (.send; error: it is not sent) and
 * after (.sent; error: it was sent, and the sender believes it was not). */
#define MESSAGE(name, place)                                                                       \
    {name ".send", place},                                                                         \
    {                                                                                              \
        name ".sent", place                                                                        \
    }

const fail_point_name_t fail_point_names[] = {
    /* maintainer, meta store; commit: not written yet, committed: durable, nothing told yet */
    {"meta.slot.commit", "the slot of a node"},
    {"meta.slot.committed", "the slot of a node"},
    {"meta.changefeed.commit", "a changefeed as a whole"},
    {"meta.changefeed.committed", "a changefeed as a whole"},
    {"meta.state.commit", "state, epoch and error of a changefeed"},
    {"meta.state.committed", "state, epoch and error of a changefeed"},
    {"meta.checkpoint.commit", "checkpoint and anchor; commit_ts: the checkpoint"},
    {"meta.checkpoint.committed", "checkpoint and anchor; commit_ts: the checkpoint"},
    {"meta.snapshot.commit", "a piece of a schema snapshot; commit_ts: its position"},
    {"meta.snapshot.committed", "a piece of a schema snapshot; commit_ts: its position"},
    {"meta.ddls.commit", "schema changes behind a snapshot; commit_ts: up to where"},
    {"meta.ddls.committed", "schema changes behind a snapshot; commit_ts: up to where"},
    {"meta.forget.commit", "old schema or a removed changefeed"},
    {"meta.forget.committed", "old schema or a removed changefeed"},

    /* maintainer, messages; subject: the node */
    MESSAGE("maintainer.welcome", "answer to hello"),
    MESSAGE("maintainer.start-again", "to a node once called absent"),
    MESSAGE("maintainer.check", "pre-flight"),
    MESSAGE("maintainer.open", "a piece of a changefeed; commit_ts: the checkpoint"),
    MESSAGE("maintainer.close", "the end of a changefeed on a node"),
    MESSAGE("maintainer.bootstrap", "asks for what the node has"),
    MESSAGE("maintainer.create", "gives a span; commit_ts: its start"),
    MESSAGE("maintainer.take-away", "closes a span"),
    MESSAGE("maintainer.write", "WRITE of an event; commit_ts: the event"),
    MESSAGE("maintainer.pass", "PASS of an event; commit_ts: the event"),
    MESSAGE("maintainer.ack", "verdict ACK"),
    MESSAGE("maintainer.ignored", "verdict IGNORED"),
    MESSAGE("maintainer.unknown", "verdict UNKNOWN"),
    MESSAGE("maintainer.later", "verdict LATER"),
    MESSAGE("maintainer.lease-answer", "an answer to a heartbeat with nothing else in it"),
    MESSAGE("maintainer.schema-ack", "schema is persisted; commit_ts: up to where"),
    MESSAGE("maintainer.candidates", "who could serve tables that the node does not hold"),
    MESSAGE("maintainer.mismatch", "another version of the protocol"),

    /* node, messages; subject of statuses: ddl or syncpoint */
    MESSAGE("node.hello", "hello"),
    MESSAGE("node.check", "a piece of the answer to a pre-flight"),
    MESSAGE("node.opened", "a changefeed is open"),
    MESSAGE("node.closed", "a changefeed is closed"),
    MESSAGE("node.bootstrap", "a piece of what the node has"),
    MESSAGE("node.tables", "a piece of the table list; commit_ts: valid at"),
    MESSAGE("node.snapshot", "a piece of a schema snapshot; commit_ts: its position"),
    MESSAGE("node.ddls", "schema changes behind a snapshot; commit_ts: up to where"),
    MESSAGE("node.heartbeat", "a heartbeat; commit_ts: the node's checkpoint"),
    MESSAGE("node.store-state", "what its event service holds; commit_ts: read so far"),
    MESSAGE("node.candidates", "asks who could serve tables"),
    MESSAGE("node.stream-requests", "requests of sessions to another node"),
    MESSAGE("node.stream-events", "events for sessions of another node; subject: that node"),
    MESSAGE("node.none", "status NONE of an event; commit_ts: the event"),
    MESSAGE("node.waiting", "status WAITING of an event; commit_ts: the event"),
    MESSAGE("node.done", "status DONE of an event; commit_ts: the event"),

    /* source */
    {"source.log.opened", "a server's log is open, nothing taken; commit_ts: the position"},
    {"source.older.group", "a group of older log, read and not handed on; no error"},

    /* node, event store on disk; error: the disk fails */
    {"event-store.write", "rows of lagging tables, not written yet; commit_ts: the first"},
    {"event-store.written", "rows of lagging tables are written, nobody told; commit_ts likewise"},
    {"event-store.read", "before rows are read back; commit_ts: where the reader stands"},

    /* sinks; subject of claims: table ids (0: the trigger), of rows: schema.table…, of DDL: text */
    {"sink.claim.begin", "before anything is done to take spans over; SQL sinks"},
    {"sink.claim.commit", "spans taken over, not committed; SQL sinks"},
    {"sink.claim.committed", "spans taken over, nobody told; SQL sinks"},
    {"sink.rows.open", "in the transaction, progress moved, no rows yet; SQL sinks"},
    {"sink.rows.commit", "all rows in, not committed; file: not written"},
    {"sink.rows.committed", "committed, nobody told; error: the answer is lost; file: written"},
    {"sink.ddl.lock", "before the lock of a DDL (SQLite: the transaction) is asked for"},
    {"sink.ddl.locked", "lock taken, right to write not proven yet"},
    {"sink.ddl.recorded", "record before is committed; MariaDB"},
    {"sink.ddl.execute", "right before the statement; file: before the line"},
    {"sink.ddl.executed", "statement done, no record of it; SQLite: before COMMIT"},
    {"sink.ddl.finished", "record after is committed, nobody told; file: line written"},
    {"sink.syncpoint.commit", "sync point inserted, not committed; SQL sinks"},
    {"sink.syncpoint.committed", "sync point durable, nobody told; SQL sinks"},
    {"sink.clean-up.commit", "old records deleted, not committed; SQL sinks"},
    {"sink.clean-up.committed", "old records gone; SQL sinks"},
    {"sink.forget.begin", "before a removed changefeed is forgotten; SQL sinks"},
    {"sink.forget.committed", "a removed changefeed is forgotten, nobody told; SQL sinks"},
    {"sink.file.rename", "a whole file, synced, under its name of an open one"},
    {"sink.file.renamed", "a whole file under its final name"},
    {0},
};
