#include <stdio.h>
#include <string.h>

#include "tests/sim/sink_internal.h"

/* The table that the definition is of, if it has the very same columns. */
static sim_table_t *find_table(const sim_sink_t *sink, const table_definition_t *definition,
                               error_report_t *report)
{
    sim_name_t name = {.schema = ""};
    snprintf(name.schema, sizeof name.schema, "%s", definition->schema);
    snprintf(name.table, sizeof name.table, "%s", definition->name);
    sim_table_t *table = sim_database_find(&sink->database, &name);
    bool is_same = table && table->column_count == definition->column_count;
    for (uint32_t i = 0; is_same && i < table->column_count; i++)
        is_same = strcmp(table->columns[i].name, definition->columns[i].name) == 0;
    if (!is_same)
        error_report_set(report, SLUICE_ERROR_SCHEMA_MISMATCH, "`%s`.`%s` is %s in the sink",
                         name.schema, name.table, table ? "of another form" : "not");
    return is_same ? table : NULL;
}

sluice_error_t rows_build(sim_call_t *call, call_write_t *write, error_report_t *report)
{
    sim_sink_t *sink = call->sink;
    if (write->batch.definition)
        return SLUICE_OK;
    sluice_error_t error =
        row_batch_build(&call->arena, write->parts, write->part_count, &write->batch, report);
    if (error == SLUICE_OK && !find_table(sink, write->batch.definition, report))
        error = SLUICE_ERROR_SCHEMA_MISMATCH;
    if (error != SLUICE_OK)
        sim_violated(sink->world, "B8", "rows of %llu … %llu cannot be written: %s",
                     (unsigned long long)write->part_ts[0].v,
                     (unsigned long long)write->part_ts[write->part_count - 1].v, report->text);
    write->rows = write->batch.source_rows;
    write->bytes = write->batch.source_bytes;
    return error;
}

static sim_row_t row_of(const sim_table_t *table, const value_t *values)
{
    sim_row_t row = {.nulls = 0};
    for (uint32_t i = 0; i < table->column_count; i++) {
        uint8_t slot = table->columns[i].slot;
        if (values[i].kind == VALUE_NULL)
            row.nulls |= 1u << slot;
        else
            row.values[slot] = values[i].i64;
    }
    return row;
}

/* ---- with a key: deletes, then REPLACE ---- */

static void replace_row(sim_table_t *table, const sim_row_t *row)
{
    sim_row_t *same = sim_table_find_row(table, row->values[COLUMN_SLOT_ID]);
    if (same)
        sim_table_remove_row(table, same);
    bool has_u = !(row->nulls >> COLUMN_SLOT_U & 1);
    for (uint32_t i = 0; table->shape == TABLE_SHAPE_UNIQUE && has_u && i < table->row_count; i++) {
        sim_row_t *other = &table->rows[i];
        if (!(other->nulls >> COLUMN_SLOT_U & 1) &&
            other->values[COLUMN_SLOT_U] == row->values[COLUMN_SLOT_U]) {
            sim_table_remove_row(table, other);
            break;
        }
    }
    sim_table_add_row(table, row);
}

static void apply_net(sim_table_t *table, const row_batch_t *batch)
{
    for (uint32_t i = 0; i < batch->delete_count; i++) {
        sim_row_t row = row_of(table, batch->deletes[i]);
        sim_row_t *found = sim_table_find_row(table, row.values[COLUMN_SLOT_ID]);
        if (found)
            sim_table_remove_row(table, found);
    }
    for (uint32_t i = 0; i < batch->upsert_count; i++) {
        sim_row_t row = row_of(table, batch->upserts[i]);
        replace_row(table, &row);
    }
}

/* ---- without: every change, in order ---- */

static void apply_changes(const sim_call_t *call, sim_table_t *table, const row_batch_t *batch)
{
    for (uint32_t i = 0; i < batch->change_count; i++) {
        const row_change_t *change = &batch->changes[i];
        if (change->kind != ROW_INSERT) {
            sim_row_t before = row_of(table, change->before);
            sim_row_t *found = sim_table_find_equal(table, &before);
            if (found)
                sim_table_remove_row(table, found);
            else
                sim_violated(call->sink->world, "B8",
                             "`%s`.`%s`, which has no key, lacks a row that a change is about",
                             table->name.schema, table->name.table);
        }
        if (change->kind != ROW_DELETE) {
            sim_row_t after = row_of(table, change->after);
            sim_table_add_row(table, &after);
        }
    }
}

/* ---- what the order must be ---- */

static void check_order(const sim_call_t *call, const call_write_t *write, const sim_table_t *table,
                        const progress_row_t *row)
{
    sim_world_t *world = call->sink->world;
    uint64_t first = write->part_ts[0].v, last = write->part_ts[write->part_count - 1].v;
    if (!row)
        sim_violated(world, "F3", "rows of %llu … %llu of a span that is not its writer's",
                     (unsigned long long)first, (unsigned long long)last);
    else if (first <= row->progress.v)
        sim_violated(world, "exactly once", "rows of %llu in `%s`.`%s`, which is at %llu",
                     (unsigned long long)first, table->name.schema, table->name.table,
                     (unsigned long long)row->progress.v);
    if (first < table->last_ddl)
        sim_violated(world, "B8", "rows of %llu in `%s`.`%s` behind its DDL of %llu",
                     (unsigned long long)first, table->name.schema, table->name.table,
                     (unsigned long long)table->last_ddl);
}

void rows_commit(sim_call_t *call, call_write_t *write)
{
    sim_sink_t *sink = call->sink;
    error_report_t report = {0};
    progress_row_t *row = ledger_own_row(sink, &call->changefeed, &write->claim);
    sim_table_t *table = find_table(sink, write->batch.definition, &report);
    if (!table) {
        sim_violated(sink->world, "B8", "a table changed within a transaction: %s", report.text);
        return;
    }
    check_order(call, write, table, row);
    sink->progress += write->rows;
    if (write->batch.key)
        apply_net(table, &write->batch);
    else
        apply_changes(call, table, &write->batch);
    table->last_row = write->part_ts[write->part_count - 1].v;
    if (!write->moves_progress)
        return;
    if (row)
        row->progress = write->progress;
    check_table(sink, table);
}

/* ---- DDL ---- */

static void touched(void *context, sim_table_t *table, bool is_dropped)
{
    sim_call_t *call = context;
    uint64_t at = call->commit_ts.v;
    if (table->last_ddl >= at || table->last_row >= at)
        sim_violated(call->sink->world, "B8",
                     "the DDL of %llu changes `%s`.`%s`, which is at %llu (DDL) and %llu (rows)",
                     (unsigned long long)at, table->name.schema, table->name.table,
                     (unsigned long long)table->last_ddl, (unsigned long long)table->last_row);
    if (is_dropped) {
        check_dropping(call->sink, table, call->commit_ts);
        return;
    }
    table->last_ddl = at;
    /* The rows of a CREATE … SELECT are still to come. */
    if (sim_log_group(call->sink->log, call->commit_ts)->statement.kind != STATEMENT_CREATE_SELECT)
        check_table(call->sink, table);
}

bool rows_run_ddl(sim_call_t *call, const sim_statement_t *statement, bool if_exists,
                  error_report_t *report)
{
    sim_sink_t *sink = call->sink;
    uint8_t *executions = &sink->executions[check_place(sink, call->commit_ts)];
    if (!sim_database_execute(&sink->database, statement, if_exists, touched, call, report)) {
        sim_violated(sink->world, "B1", "the DDL of %llu is refused: %s",
                     (unsigned long long)call->commit_ts.v, report->text);
        return false;
    }
    /* A DROP that was found half-way is repeated, to drop what is left. */
    if (*executions > 0 && !if_exists)
        sim_violated(sink->world, "B1", "the DDL of %llu was run again",
                     (unsigned long long)call->commit_ts.v);
    sink->progress += *executions == 0;
    *executions = 1;
    return true;
}

void rows_drop_some(sim_call_t *call)
{
    sim_sink_t *sink = call->sink;
    sim_statement_t statement;
    error_report_t report = {0};
    const sim_group_t *group = sim_log_group(sink->log, call->commit_ts);
    if (call->kind != CALL_DDL || !group ||
        !sim_log_restrict(sink->log, &group->statement, &statement) ||
        statement.kind != STATEMENT_DROP || statement.name_count < 2)
        return;
    statement.name_count = 1;
    sim_database_execute(&sink->database, &statement, true, touched, call, &report);
}
