#include "dispatcher/sink/sqlite/alter.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <strings.h>

#include "dispatcher/sink/sqlite/alter_internal.h"
#include "dispatcher/sink/sqlite/table_text.h"

sluice_error_t alter_execute(const sqlite_alter_context_t *context, sink_text_t *sql,
                             error_report_t *report)
{
    sluice_error_t error = sqlite_session_execute(context->session, sql->text, report);
    sink_text_clear(sql);
    return error;
}

void alter_put_literal(sink_text_t *sql, const stored_value_t *value)
{
    switch (value->type) {
    case SQLITE_INTEGER:
        sink_text_printf(sql, "%lld", (long long)value->integer);
        return;
    case SQLITE_FLOAT:
        sink_text_printf(sql, "%.17e", value->real);
        return;
    case SQLITE_TEXT:
        sink_text_literal(sql, value->bytes);
        return;
    case SQLITE_BLOB:
        sink_text_text(sql, "x'");
        for (size_t i = 0; i < value->bytes.len; i++)
            sink_text_printf(sql, "%02x", value->bytes.data[i]);
        sink_text_char(sql, '\'');
        return;
    default:
        sink_text_text(sql, "NULL");
    }
}

/* ---- indexes ---- */

/* The key of `before` that `key` of `after` is still the same index of; NULL if there is none. */
static const key_definition_t *same_index_before(const table_change_t *change,
                                                 const key_definition_t *key)
{
    const table_definition_t *before = change->before;
    for (uint32_t k = 0; k < before->key_count; k++) {
        const key_definition_t *old = &before->keys[k];
        if (!sqlite_key_is_index(before, old) || strcmp(old->name, key->name) != 0 ||
            old->part_count != key->part_count)
            continue;
        bool is_same = true;
        for (uint32_t i = 0; i < key->part_count; i++)
            is_same =
                is_same && change->column_sources[key->parts[i].column] == old->parts[i].column;
        return is_same ? old : NULL;
    }
    return NULL;
}

sluice_error_t alter_create_indexes(const sqlite_alter_context_t *context, const char *name,
                                    const table_definition_t *definition,
                                    const table_change_t *change, error_report_t *report)
{
    sluice_error_t error = SLUICE_OK;
    for (uint32_t k = 0; k < definition->key_count && !error; k++) {
        const key_definition_t *key = &definition->keys[k];
        if (!sqlite_key_is_index(definition, key) || (change && same_index_before(change, key)))
            continue;
        sink_text_t sql = {0};
        sqlite_table_text_create_index(&sql, definition, key, name,
                                       sqlite_index_name(context->arena, definition, key));
        error = alter_execute(context, &sql, report);
    }
    return error;
}

static bool index_stays(const table_change_t *change, const key_definition_t *old)
{
    for (uint32_t k = 0; k < change->after->key_count; k++) {
        const key_definition_t *key = &change->after->keys[k];
        if (sqlite_key_is_index(change->after, key) && same_index_before(change, key) == old)
            return true;
    }
    return false;
}

/* A table that was loaded by somebody else need not have our indexes. */
static sluice_error_t drop_indexes(const sqlite_alter_context_t *context,
                                   const table_change_t *change, error_report_t *report)
{
    const table_definition_t *before = change->before;
    sluice_error_t error = SLUICE_OK;
    for (uint32_t k = 0; k < before->key_count && !error; k++) {
        const key_definition_t *key = &before->keys[k];
        if (!sqlite_key_is_index(before, key) || index_stays(change, key))
            continue;
        sink_text_t sql = {0};
        sink_text_text(&sql, "DROP INDEX IF EXISTS ");
        sink_text_identifier(&sql, sqlite_index_name(context->arena, before, key));
        error = alter_execute(context, &sql, report);
    }
    return error;
}

/* ---- columns ---- */

static bool column_stays(const table_change_t *change, uint32_t column)
{
    for (uint32_t i = 0; i < change->after->column_count; i++) {
        if (change->column_sources[i] == column)
            return true;
    }
    return false;
}

static sluice_error_t drop_columns(const sqlite_alter_context_t *context, const char *name,
                                   const table_change_t *change, error_report_t *report)
{
    sluice_error_t error = SLUICE_OK;
    for (uint32_t i = 0; i < change->before->column_count && !error; i++) {
        if (column_stays(change, i))
            continue;
        sink_text_t sql = {0};
        sink_text_text(&sql, "ALTER TABLE ");
        sink_text_identifier(&sql, name);
        sink_text_text(&sql, " DROP COLUMN ");
        sink_text_identifier(&sql, change->before->columns[i].name);
        error = alter_execute(context, &sql, report);
    }
    return error;
}

static sluice_error_t rename_column(const sqlite_alter_context_t *context, const char *name,
                                    const char *from, const char *to, error_report_t *report)
{
    sink_text_t sql = {0};
    sink_text_text(&sql, "ALTER TABLE ");
    sink_text_identifier(&sql, name);
    sink_text_text(&sql, " RENAME COLUMN ");
    sink_text_identifier(&sql, from);
    sink_text_text(&sql, " TO ");
    sink_text_identifier(&sql, to);
    return alter_execute(context, &sql, report);
}

/* First all to names of their own, then to the new ones: names may be swapped. */
static sluice_error_t rename_columns(const sqlite_alter_context_t *context, const char *name,
                                     const table_change_t *change, error_report_t *report)
{
    sluice_error_t error = SLUICE_OK;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < change->after->column_count && !error; i++) {
            uint32_t source = change->column_sources[i];
            if (source == COLUMN_SOURCE_NEW)
                continue;
            const char *from = change->before->columns[source].name;
            const char *to = change->after->columns[i].name;
            const char *between = arena_printf(context->arena, "__sluice_column_%" PRIu32, i);
            if (strcmp(from, to) != 0)
                error = pass == 0 ? rename_column(context, name, from, between, report)
                                  : rename_column(context, name, between, to, report);
        }
    }
    return error;
}

static sluice_error_t add_columns(const sqlite_alter_context_t *context, const char *name,
                                  const table_change_t *change, bool has_rows,
                                  error_report_t *report)
{
    sluice_error_t error = SLUICE_OK;
    for (uint32_t i = 0; i < change->after->column_count && !error; i++) {
        const column_definition_t *column = &change->after->columns[i];
        if (change->column_sources[i] != COLUMN_SOURCE_NEW)
            continue;
        stored_value_t value = {.type = SQLITE_NULL};
        if (has_rows)
            error = sqlite_default_value(&context->convert, column, &value, report);
        if (error)
            break;
        sink_text_t sql = {0};
        sink_text_text(&sql, "ALTER TABLE ");
        sink_text_identifier(&sql, name);
        sink_text_text(&sql, " ADD COLUMN ");
        sink_text_identifier(&sql, column->name);
        sink_text_printf(&sql, " %s DEFAULT ", sqlite_storage_name(sqlite_column_storage(column)));
        alter_put_literal(&sql, &value);
        error = alter_execute(context, &sql, report);
    }
    return error;
}

/* ---- tables ---- */

static sluice_error_t table_has_rows(const sqlite_alter_context_t *context, const char *name,
                                     bool *has_rows, error_report_t *report)
{
    sink_text_t sql = {0};
    sink_text_text(&sql, "SELECT 1 FROM ");
    sink_text_identifier(&sql, name);
    sink_text_text(&sql, " LIMIT 1");
    sqlite3_stmt *statement;
    sluice_error_t error = sqlite_session_prepare(context->session, bytes_of(sql.text, sql.len),
                                                  false, &statement, report);
    if (!error)
        error = sqlite_session_step_row(context->session, statement, has_rows, report);
    sqlite3_finalize(statement);
    sink_text_clear(&sql);
    return error;
}

sluice_error_t sqlite_alter_table(const sqlite_alter_context_t *context, const char *name,
                                  const table_change_t *change, error_report_t *report)
{
    bool has_rows;
    sluice_error_t error = sqlite_table_is_possible(change->after, report);
    if (!error)
        error = table_has_rows(context, name, &has_rows, report);
    if (!error && has_rows)
        error = alter_check_generated(change, report);
    if (error)
        return error;
    if (alter_needs_rebuild(change))
        return alter_rebuild(context, name, change, has_rows, report);
    error = drop_indexes(context, change, report);
    if (!error)
        error = drop_columns(context, name, change, report);
    if (!error)
        error = rename_columns(context, name, change, report);
    if (!error)
        error = add_columns(context, name, change, has_rows, report);
    if (!error)
        error = alter_create_indexes(context, name, change->after, change, report);
    return error;
}

sluice_error_t sqlite_create_table(const sqlite_alter_context_t *context,
                                   const table_definition_t *definition, const char *name,
                                   error_report_t *report)
{
    sluice_error_t error = sqlite_table_is_possible(definition, report);
    if (error)
        return error;
    sink_text_t sql = {0};
    sqlite_table_text_create(&sql, definition, name);
    error = alter_execute(context, &sql, report);
    if (!error)
        error = alter_create_indexes(context, name, definition, NULL, report);
    return error;
}
