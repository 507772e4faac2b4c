#include "dispatcher/sink/sqlite/table_writer.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/sink/sqlite/column.h"
#include "dispatcher/sink/sqlite/table_text.h"

/* What is bound may pile up so far before its memory is used again. */
#define BINDER_ARENA_BYTES (1024 * 1024)

typedef enum { PLAN_PUT, PLAN_DELETE, PLAN_UPDATE } plan_statement_t;
#define PLAN_STATEMENT_COUNT (PLAN_UPDATE + 1)

typedef struct {
    const table_definition_t *definition; /* one reference; NULL: an empty slot */
    const key_definition_t *key;
    const charset_t **charsets;
    const char *name;
    arena_t arena;
    sqlite3_stmt *statements[PLAN_STATEMENT_COUNT]; /* NULL until used */
} plan_t;

struct sqlite_table_writer {
    sqlite_session_t *session;
    sqlite_binder_t binder;
    sink_text_t sql;
    plan_t plans[SQLITE_TABLE_WRITER_PLANS];
};

/* ---- plans ---- */

static void plan_clear(plan_t *plan)
{
    for (size_t i = 0; i < PLAN_STATEMENT_COUNT; i++)
        sqlite3_finalize(plan->statements[i]);
    arena_clear(&plan->arena);
    table_definition_unref(&plan->definition);
    *plan = (plan_t){0};
}

static plan_t *plan_find(sqlite_table_writer_t *writer, const table_definition_t *definition)
{
    plan_t *plan = &writer->plans[definition->table_id.v % SQLITE_TABLE_WRITER_PLANS];
    if (plan->definition == definition)
        return plan;
    plan_clear(plan);
    plan->definition = table_definition_ref(definition);
    plan->key = table_definition_row_key(definition);
    plan->name = sqlite_table_name(&plan->arena, definition->schema, definition->name);
    plan->charsets = arena_calloc(&plan->arena, definition->column_count, sizeof *plan->charsets);
    for (uint32_t i = 0; i < definition->column_count; i++)
        plan->charsets[i] = sqlite_column_charset(&definition->columns[i]);
    return plan;
}

/* ---- statements ---- */

static bool is_key_column(const plan_t *plan, uint32_t column)
{
    for (uint32_t i = 0; plan->key && i < plan->key->part_count; i++) {
        if (plan->key->parts[i].column == column)
            return true;
    }
    return false;
}

static void put_names(sink_text_t *sql, const plan_t *plan)
{
    for (uint32_t i = 0; i < plan->definition->column_count; i++) {
        sink_text_text(sql, i ? ", " : "");
        sink_text_identifier(sql, plan->definition->columns[i].name);
    }
}

static void put_conflict(sink_text_t *sql, const plan_t *plan)
{
    sink_text_text(sql, " ON CONFLICT (");
    for (uint32_t i = 0; i < plan->key->part_count; i++) {
        sink_text_text(sql, i ? ", " : "");
        sink_text_identifier(sql, plan->definition->columns[plan->key->parts[i].column].name);
    }
    sink_text_text(sql, ") DO ");
    bool is_first = true;
    for (uint32_t i = 0; i < plan->definition->column_count; i++) {
        if (is_key_column(plan, i))
            continue;
        sink_text_text(sql, is_first ? "UPDATE SET " : ", ");
        sink_text_identifier(sql, plan->definition->columns[i].name);
        sink_text_text(sql, " = excluded.");
        sink_text_identifier(sql, plan->definition->columns[i].name);
        is_first = false;
    }
    if (is_first)
        sink_text_text(sql, "NOTHING");
}

static void put_insert(sink_text_t *sql, const plan_t *plan)
{
    sink_text_text(sql, "INSERT INTO ");
    sink_text_identifier(sql, plan->name);
    sink_text_text(sql, " (");
    put_names(sql, plan);
    sink_text_text(sql, ") VALUES (");
    for (uint32_t i = 0; i < plan->definition->column_count; i++)
        sink_text_text(sql, i ? ", ?" : "?");
    sink_text_char(sql, ')');
    if (plan->key)
        put_conflict(sql, plan);
}

/* WHERE by the key, or by one row that equals all columns; parameters are numbered on. */
static void put_where(sink_text_t *sql, const plan_t *plan)
{
    const table_definition_t *definition = plan->definition;
    sink_text_text(sql, " WHERE ");
    if (plan->key) {
        for (uint32_t i = 0; i < plan->key->part_count; i++) {
            sink_text_text(sql, i ? " AND " : "");
            sink_text_identifier(sql, definition->columns[plan->key->parts[i].column].name);
            sink_text_text(sql, " = ?");
        }
        return;
    }
    const char *rowid = sqlite_rowid_name(definition);
    sink_text_printf(sql, "%s = (SELECT %s FROM ", rowid, rowid);
    sink_text_identifier(sql, plan->name);
    for (uint32_t i = 0; i < definition->column_count; i++) {
        sink_text_text(sql, i ? " AND " : " WHERE ");
        sink_text_identifier(sql, definition->columns[i].name);
        sink_text_text(sql, " IS ?");
    }
    sink_text_text(sql, " LIMIT 1)");
}

static void put_update(sink_text_t *sql, const plan_t *plan)
{
    sink_text_text(sql, "UPDATE ");
    sink_text_identifier(sql, plan->name);
    for (uint32_t i = 0; i < plan->definition->column_count; i++) {
        sink_text_text(sql, i ? ", " : " SET ");
        sink_text_identifier(sql, plan->definition->columns[i].name);
        sink_text_text(sql, " = ?");
    }
    put_where(sql, plan);
}

static sluice_error_t plan_statement(sqlite_table_writer_t *writer, plan_t *plan,
                                     plan_statement_t which, sqlite3_stmt **statement,
                                     error_report_t *report)
{
    *statement = plan->statements[which];
    if (*statement)
        return SLUICE_OK;
    sink_text_t *sql = &writer->sql;
    sink_text_reset(sql);
    switch (which) {
    case PLAN_PUT:
        put_insert(sql, plan);
        break;
    case PLAN_DELETE:
        sink_text_text(sql, "DELETE FROM ");
        sink_text_identifier(sql, plan->name);
        put_where(sql, plan);
        break;
    case PLAN_UPDATE:
        put_update(sql, plan);
        break;
    }
    sluice_error_t error = sqlite_session_prepare(writer->session, bytes_of(sql->text, sql->len),
                                                  true, &plan->statements[which], report);
    *statement = plan->statements[which];
    return error;
}

/* ---- rows ---- */

static sluice_error_t bind_row(sqlite_table_writer_t *writer, const plan_t *plan,
                               sqlite3_stmt *statement, int first, const value_t *values,
                               error_report_t *report)
{
    sluice_error_t error = SLUICE_OK;
    for (uint32_t i = 0; i < plan->definition->column_count && !error; i++)
        error = sqlite_value_bind(statement, first + (int)i, &plan->definition->columns[i],
                                  plan->charsets[i], &values[i], &writer->binder, report);
    return error;
}

static sluice_error_t bind_key(sqlite_table_writer_t *writer, const plan_t *plan,
                               sqlite3_stmt *statement, const value_t *values,
                               error_report_t *report)
{
    sluice_error_t error = SLUICE_OK;
    for (uint32_t i = 0; i < plan->key->part_count && !error; i++) {
        uint32_t column = plan->key->parts[i].column;
        error = sqlite_value_bind(statement, (int)i + 1, &plan->definition->columns[column],
                                  plan->charsets[column], &values[column], &writer->binder, report);
    }
    return error;
}

static sluice_error_t step(sqlite_table_writer_t *writer, sqlite3_stmt *statement,
                           error_report_t *report)
{
    sluice_error_t error = sqlite_session_step_done(writer->session, statement, report);
    if (writer->binder.arena.bytes > BINDER_ARENA_BYTES)
        arena_reset(&writer->binder.arena);
    return error;
}

static sluice_error_t apply_keyed(sqlite_table_writer_t *writer, plan_t *plan,
                                  const row_batch_t *batch, error_report_t *report)
{
    sqlite3_stmt *statement;
    sluice_error_t error = SLUICE_OK;
    if (batch->delete_count)
        error = plan_statement(writer, plan, PLAN_DELETE, &statement, report);
    for (uint32_t i = 0; i < batch->delete_count && !error; i++) {
        error = bind_key(writer, plan, statement, batch->deletes[i], report);
        if (!error)
            error = step(writer, statement, report);
    }
    if (!error && batch->upsert_count)
        error = plan_statement(writer, plan, PLAN_PUT, &statement, report);
    for (uint32_t i = 0; i < batch->upsert_count && !error; i++) {
        error = bind_row(writer, plan, statement, 1, batch->upserts[i], report);
        if (!error)
            error = step(writer, statement, report);
    }
    return error;
}

static sluice_error_t apply_change(sqlite_table_writer_t *writer, plan_t *plan,
                                   const row_change_t *change, error_report_t *report)
{
    static const plan_statement_t statements[] = {
        [ROW_INSERT] = PLAN_PUT, [ROW_UPDATE] = PLAN_UPDATE, [ROW_DELETE] = PLAN_DELETE};
    sqlite3_stmt *statement;
    sluice_error_t error =
        plan_statement(writer, plan, statements[change->kind], &statement, report);
    if (!error && change->kind != ROW_DELETE)
        error = bind_row(writer, plan, statement, 1, change->after, report);
    int where = change->kind == ROW_UPDATE ? (int)plan->definition->column_count + 1 : 1;
    if (!error && change->kind != ROW_INSERT)
        error = bind_row(writer, plan, statement, where, change->before, report);
    if (!error)
        error = step(writer, statement, report);
    if (!error && sqlite3_changes(sqlite_session_handle(writer->session)) == 0)
        error = error_report_set(report, SLUICE_ERROR_SCHEMA_MISMATCH,
                                 "table %s has no key, and no row of it equals the one that the "
                                 "source changed: the sink was changed by somebody else, or loaded "
                                 "with other forms of values",
                                 plan->name);
    return error;
}

sluice_error_t sqlite_table_writer_apply(sqlite_table_writer_t *writer, const row_batch_t *batch,
                                         error_report_t *report)
{
    plan_t *plan = plan_find(writer, batch->definition);
    sluice_error_t error = SLUICE_OK;
    if (plan->key)
        error = apply_keyed(writer, plan, batch, report);
    for (uint32_t i = 0; !plan->key && i < batch->change_count && !error; i++)
        error = apply_change(writer, plan, &batch->changes[i], report);
    arena_reset(&writer->binder.arena);
    return error;
}

/* ---- the writer ---- */

sqlite_table_writer_t *sqlite_table_writer_new(sqlite_session_t *session)
{
    sqlite_table_writer_t *writer = memory_zalloc(sizeof *writer);
    writer->session = session;
    writer->binder.converter = charset_converter_new();
    return writer;
}

void sqlite_table_writer_destroy(sqlite_table_writer_t **writer)
{
    if (!*writer)
        return;
    for (size_t i = 0; i < SQLITE_TABLE_WRITER_PLANS; i++)
        plan_clear(&(*writer)->plans[i]);
    charset_converter_destroy(&(*writer)->binder.converter);
    arena_clear(&(*writer)->binder.arena);
    sink_text_clear(&(*writer)->sql);
    free(*writer);
    *writer = NULL;
}

uint64_t sqlite_table_writer_replaced(const sqlite_table_writer_t *writer)
{
    return charset_converter_replaced(writer->binder.converter);
}
