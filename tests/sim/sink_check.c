#include <stdlib.h>

#include "common/base/memory.h"
#include "tests/sim/sink_internal.h"

uint64_t check_place(const sim_sink_t *sink, commit_ts_t commit_ts)
{
    return commit_ts.v - sim_log_start(sink->log).commit_ts.v;
}

static uint64_t position(const sim_table_t *table)
{
    return table->last_ddl > table->last_row ? table->last_ddl : table->last_row;
}

static const char *what_differs(const sim_table_t *table, const sim_truth_t *truth)
{
    if (!truth->exists)
        return "is not in the log";
    if (table->form_hash != truth->form_hash)
        return "has another form or name";
    return table->rows_hash != truth->rows_hash ? "has other rows" : NULL;
}

/* Says how. */
static void complain(sim_sink_t *sink, const char *invariant, const sim_table_t *table,
                     commit_ts_t at, const char *what)
{
    char text[2 * STATEMENT_SQL_SIZE + 256] = "";
    sim_database_t expected;
    sim_log_replay(sink->log, at, &expected);
    const sim_table_t *there = sim_database_find_identity(&expected, table->identity);
    if (there)
        sim_table_differs(there, table, text, sizeof text);
    sim_violated(sink->world, invariant, "`%s`.`%s` %s at %llu: %s", table->name.schema,
                 table->name.table, what, (unsigned long long)at.v, text);
    sim_database_clear(&expected);
}

void check_table(sim_sink_t *sink, const sim_table_t *table)
{
    commit_ts_t at = {position(table)};
    sim_truth_t truth = sim_log_truth(sink->log, table->identity, at);
    const char *what = what_differs(table, &truth);
    if (what)
        complain(sink, "B8", table, at, what);
}

void check_dropping(sim_sink_t *sink, const sim_table_t *table, commit_ts_t at)
{
    if (sink->dropped_count == sink->dropped_capacity) {
        sink->dropped_capacity = sink->dropped_capacity ? sink->dropped_capacity * 2 : 16;
        sink->dropped =
            memory_realloc(sink->dropped, sink->dropped_capacity * sizeof *sink->dropped);
    }
    sink->dropped[sink->dropped_count++] = (dropped_t){table->identity, at};
    sim_truth_t truth = sim_log_truth(sink->log, table->identity, commit_ts_before(at));
    const char *what = what_differs(table, &truth);
    if (what)
        complain(sink, "B8", table, commit_ts_before(at), what);
}

/* ---- the checkpoint ---- */

typedef struct {
    sim_sink_t *sink;
    commit_ts_t checkpoint;
} honesty_t;

static bool was_dropped(const sim_sink_t *sink, uint64_t identity)
{
    for (uint32_t i = 0; i < sink->dropped_count; i++)
        if (sink->dropped[i].identity == identity)
            return true;
    return false;
}

static bool is_incomplete(const sim_sink_t *sink, const sim_table_t *table)
{
    uint64_t reached = position(table);
    const sim_group_t *group = sim_log_group(sink->log, (commit_ts_t){reached});
    return table->last_row == reached ||
           (group && group->is_ddl && group->statement.kind == STATEMENT_CREATE_SELECT);
}

static void check_identity(void *context, uint64_t identity)
{
    const honesty_t *honesty = context;
    sim_sink_t *sink = honesty->sink;
    const sim_table_t *table = sim_database_find_identity(&sink->database, identity);
    if (!table) {
        sim_truth_t truth = sim_log_truth(sink->log, identity, honesty->checkpoint);
        if (truth.exists && !was_dropped(sink, identity))
            sim_violated(
                sink->world, "K3", "checkpoint %llu, but the table made at %llu is not in the sink",
                (unsigned long long)honesty->checkpoint.v, (unsigned long long)truth.since.v);
        return;
    }
    uint64_t reached = position(table);
    commit_ts_t at = {reached > honesty->checkpoint.v ? reached : honesty->checkpoint.v};
    sim_truth_t truth = sim_log_truth(sink->log, identity, at);
    const char *what = what_differs(table, &truth);
    /* Within a large transaction that is written in parts, and between a CREATE … SELECT and its
     * rows, only the form is known. */
    bool is_within = reached > honesty->checkpoint.v && is_incomplete(sink, table) &&
                     table->form_hash == truth.form_hash && truth.exists;
    if (what && !is_within)
        complain(sink, "K3", table, at, what);
}

void sim_sink_check_checkpoint(sim_sink_t *sink, commit_ts_t checkpoint)
{
    honesty_t honesty = {sink, checkpoint};
    uint64_t start = sim_log_start(sink->log).commit_ts.v;
    if (checkpoint.v > sim_log_last(sink->log).v) {
        sim_violated(sink->world, "K3", "checkpoint %llu is behind the end of the log",
                     (unsigned long long)checkpoint.v);
        return;
    }
    sim_log_visit(sink->log, check_identity, &honesty);
    for (uint64_t ts = sink->checked < start ? start : sink->checked; ts <= checkpoint.v; ts++) {
        commit_ts_t at = {ts};
        if (sim_log_is_carried_ddl(sink->log, at) && !sink->executions[ts - start])
            sim_violated(sink->world, "K3", "checkpoint %llu, but the DDL of %llu was not run",
                         (unsigned long long)checkpoint.v, (unsigned long long)ts);
        if (ts < checkpoint.v && sim_log_has_syncpoint(sink->log, at) &&
            !sink->syncpoints[ts - start])
            sim_violated(sink->world, "K3",
                         "checkpoint %llu, but the sync point of %llu was not written",
                         (unsigned long long)checkpoint.v, (unsigned long long)ts);
    }
    if (checkpoint.v > sink->checked)
        sink->checked = checkpoint.v;
}

void sim_sink_check_end(sim_sink_t *sink)
{
    char text[2 * STATEMENT_SQL_SIZE + 256];
    sim_database_t expected;
    commit_ts_t last = sim_log_last(sink->log);
    sim_sink_check_checkpoint(sink, last);
    sim_log_replay(sink->log, last, &expected);
    for (const sim_table_t *table = expected.tables; table; table = table->next) {
        const sim_table_t *found = sim_database_find(&sink->database, &table->name);
        if (!found)
            sim_violated(sink->world, "end", "`%s`.`%s` is missing in the sink", table->name.schema,
                         table->name.table);
        else if (sim_table_differs(table, found, text, sizeof text))
            sim_violated(sink->world, "end", "%s", text);
    }
    for (const sim_table_t *table = sink->database.tables; table; table = table->next)
        if (!sim_database_find(&expected, &table->name))
            sim_violated(sink->world, "end", "`%s`.`%s` is in the sink only", table->name.schema,
                         table->name.table);
    for (const sim_schema_t *schema = expected.schemas; schema; schema = schema->next)
        if (!sim_database_find_schema(&sink->database, schema->name))
            sim_violated(sink->world, "end", "database `%s` is missing in the sink", schema->name);
    for (const sim_schema_t *schema = sink->database.schemas; schema; schema = schema->next)
        if (!sim_database_find_schema(&expected, schema->name))
            sim_violated(sink->world, "end", "database `%s` is in the sink only", schema->name);
    sim_database_clear(&expected);
}
