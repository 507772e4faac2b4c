/* The made-up sink, and what must be true of it. */
#include "tests/unit/maintainer/model/log.h"

bool sink_has(const sink_t *sink, event_key_t key)
{
    return sink->executed[key.commit_ts.v][key.is_syncpoint];
}

bool sink_owns(const sink_t *sink, int table, assignment_epoch_t epoch)
{
    return assignment_epoch_compare(sink->owner[table + 1], epoch) == 0;
}

bool sink_claim(sink_t *sink, int table, assignment_epoch_t epoch, uint64_t *start)
{
    if (assignment_epoch_compare(sink->owner[table + 1], epoch) > 0)
        return false;
    sink->owner[table + 1] = epoch;
    if (table == TRIGGER)
        return true;
    /* Progress of its rows, raised by the record of the newest DDL that it stood at. */
    if (*start < sink->last_row[table])
        *start = sink->last_row[table];
    for (uint64_t ts = sink->log->length; ts > *start + 1; ts--) {
        event_key_t key = {{ts}, false};
        if (log_blocks(sink->log, key, table) && sink_has(sink, key)) {
            *start = ts - 1;
            break;
        }
    }
    return true;
}

/* B8: no row behind a schema change of its table before that is done. */
static void check_row(const sink_t *sink, int table, uint64_t ts)
{
    for (uint64_t before = sink->log->tables[table].created + 1; before < ts; before++) {
        event_key_t key = {{before}, false};
        if (log_blocks(sink->log, key, table))
            assert_true(sink_has(sink, key));
    }
    uint64_t created = sink->log->tables[table].created;
    if (created)
        assert_true(sink_has(sink, (event_key_t){{created}, false}));
    uint64_t dropped = sink->log->tables[table].dropped;
    if (dropped)
        assert_false(sink_has(sink, (event_key_t){{dropped}, false}));
}

void sink_reach(sink_t *sink, int table, uint64_t ts, bool is_row)
{
    if (table == TRIGGER)
        return;
    if (is_row && ts > sink->last_row[table]) {
        check_row(sink, table, ts);
        sink->last_row[table] = ts;
    }
    if (sink->durable[table] < ts)
        sink->durable[table] = ts;
}

void sink_check_write(const sink_t *sink, event_key_t key)
{
    uint64_t ts = key.commit_ts.v;
    for (int table = 0; table < sink->log->table_count; table++) {
        if (!log_blocks(sink->log, key, table))
            continue;
        /* Everything before it is written, and nothing behind it. */
        assert_true(sink->durable[table] + 1 >= ts || sink->log->tables[table].created + 1 >= ts);
        assert_true(sink->last_row[table] <= ts);
    }
}

void sink_execute(sink_t *sink, event_key_t key)
{
    if (sink_has(sink, key))
        return;
    if (log_is_blocking(sink->log, key))
        sink_check_write(sink, key);
    /* B19: the DDL of a position before its sync point. */
    if (key.is_syncpoint && log_payload(sink->log, (event_key_t){key.commit_ts, false}))
        assert_true(sink_has(sink, (event_key_t){key.commit_ts, false}));
    sink->executed[key.commit_ts.v][key.is_syncpoint] = true;
    sink->executions++;
}

void sink_check_checkpoint(const sink_t *sink, uint64_t checkpoint)
{
    for (uint64_t ts = 1; ts <= checkpoint; ts++) {
        if (log_payload(sink->log, (event_key_t){{ts}, false}))
            assert_true(sink_has(sink, (event_key_t){{ts}, false}));
        const log_event_t *event = &sink->log->events[ts];
        if (event->kind == LOG_ROWS && event->row_table >= 0)
            assert_true(sink->last_row[event->row_table] >= ts);
    }
    for (int table = 0; table < sink->log->table_count; table++) {
        const log_table_t *t = &sink->log->tables[table];
        if (t->by_select && t->created && t->created <= checkpoint)
            assert_true(sink->last_row[table] >= t->created);
    }
}
