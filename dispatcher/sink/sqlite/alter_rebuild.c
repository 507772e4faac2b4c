/* An ALTER TABLE that makes the table anew, row by row through convert.h. */
#include "dispatcher/sink/sqlite/alter_internal.h"
#include "dispatcher/sink/sqlite/table_text.h"

#define REBUILD_NAME "__sluice_rebuild"
#define CONVERT_FUNCTION "__sluice_convert"

typedef struct {
    const table_change_t *change;
    convert_context_t convert; /* its arena is this rebuild's own, reset by row value */
    arena_t arena;
    error_report_t report; /* what a conversion refused */
    sluice_error_t error;
} rebuild_t;

static stored_value_t stored_of_argument(sqlite3_value *argument)
{
    stored_value_t value = {.type = sqlite3_value_type(argument)};
    if (value.type == SQLITE_INTEGER)
        value.integer = sqlite3_value_int64(argument);
    else if (value.type == SQLITE_FLOAT)
        value.real = sqlite3_value_double(argument);
    else if (value.type == SQLITE_TEXT)
        value.bytes = bytes_of(sqlite3_value_text(argument), (size_t)sqlite3_value_bytes(argument));
    else if (value.type == SQLITE_BLOB)
        value.bytes = bytes_of(sqlite3_value_blob(argument), (size_t)sqlite3_value_bytes(argument));
    return value;
}

static void set_result(sqlite3_context *call, const stored_value_t *value)
{
    const char *bytes = value->bytes.len ? (const char *)value->bytes.data : "";
    switch (value->type) {
    case SQLITE_INTEGER:
        sqlite3_result_int64(call, value->integer);
        return;
    case SQLITE_FLOAT:
        sqlite3_result_double(call, value->real);
        return;
    case SQLITE_TEXT:
        sqlite3_result_text64(call, bytes, value->bytes.len, SQLITE_TRANSIENT, SQLITE_UTF8);
        return;
    case SQLITE_BLOB:
        sqlite3_result_blob64(call, bytes, value->bytes.len, SQLITE_TRANSIENT);
        return;
    default:
        sqlite3_result_null(call);
    }
}

/* __sluice_convert (column of `after`, stored value of its source) */
static void convert_function(sqlite3_context *call, int count, sqlite3_value **arguments)
{
    (void)count;
    rebuild_t *rebuild = sqlite3_user_data(call);
    const table_change_t *change = rebuild->change;
    uint32_t column = (uint32_t)sqlite3_value_int64(arguments[0]);
    stored_value_t from = stored_of_argument(arguments[1]), to;
    rebuild->error =
        sqlite_convert(&rebuild->convert, &change->before->columns[change->column_sources[column]],
                       &change->after->columns[column], &from, &to, &rebuild->report);
    if (rebuild->error)
        sqlite3_result_error(call, rebuild->report.text, -1);
    else
        set_result(call, &to);
    arena_reset(&rebuild->arena);
}

static void put_column_names(sink_text_t *sql, const table_definition_t *definition)
{
    for (uint32_t i = 0; i < definition->column_count; i++) {
        sink_text_text(sql, i ? ", " : "");
        sink_text_identifier(sql, definition->columns[i].name);
    }
}

static sluice_error_t put_expression(const sqlite_alter_context_t *context,
                                     const table_change_t *change, uint32_t column,
                                     sink_text_t *sql, error_report_t *report)
{
    const column_definition_t *after = &change->after->columns[column];
    uint32_t source = change->column_sources[column];
    if (source == COLUMN_SOURCE_NEW) {
        stored_value_t value;
        sluice_error_t error = sqlite_default_value(&context->convert, after, &value, report);
        if (!error)
            alter_put_literal(sql, &value);
        return error;
    }
    const column_definition_t *before = &change->before->columns[source];
    if (sqlite_convert_is_identity(before, after)) {
        sink_text_identifier(sql, before->name);
        return SLUICE_OK;
    }
    sink_text_printf(sql, CONVERT_FUNCTION "(%u, ", column);
    sink_text_identifier(sql, before->name);
    sink_text_char(sql, ')');
    return SLUICE_OK;
}

static sluice_error_t copy_rows(const sqlite_alter_context_t *context, const char *name,
                                rebuild_t *rebuild, error_report_t *report)
{
    const table_change_t *change = rebuild->change;
    sqlite3 *handle = sqlite_session_handle(context->session);
    sink_text_t sql = {0};
    sink_text_text(&sql, "INSERT INTO " REBUILD_NAME " (");
    put_column_names(&sql, change->after);
    sink_text_text(&sql, ") SELECT ");
    sluice_error_t error = SLUICE_OK;
    for (uint32_t i = 0; i < change->after->column_count && !error; i++) {
        sink_text_text(&sql, i ? ", " : "");
        error = put_expression(context, change, i, &sql, report);
    }
    sink_text_text(&sql, " FROM ");
    sink_text_identifier(&sql, name);
    int code = error ? SQLITE_OK
                     : sqlite3_create_function_v2(handle, CONVERT_FUNCTION, 2,
                                                  SQLITE_UTF8 | SQLITE_DIRECTONLY, rebuild,
                                                  convert_function, NULL, NULL, NULL);
    if (code != SQLITE_OK)
        error = sqlite_session_failed(context->session, code, report);
    if (!error)
        error = alter_execute(context, &sql, report);
    sink_text_clear(&sql);
    sqlite3_create_function_v2(handle, CONVERT_FUNCTION, 2, SQLITE_UTF8, NULL, NULL, NULL, NULL,
                               NULL);
    if (!rebuild->error)
        return error;
    return error_report_set(report, rebuild->error, "%s", rebuild->report.text);
}

sluice_error_t alter_rebuild(const sqlite_alter_context_t *context, const char *name,
                             const table_change_t *change, bool has_rows, error_report_t *report)
{
    rebuild_t rebuild = {.change = change, .convert = context->convert};
    rebuild.convert.arena = &rebuild.arena;
    sink_text_t sql = {0};
    sqlite_table_text_create(&sql, change->after, REBUILD_NAME);
    sluice_error_t error = alter_execute(context, &sql, report);
    if (!error && has_rows)
        error = copy_rows(context, name, &rebuild, report);
    if (!error) {
        sink_text_text(&sql, "DROP TABLE ");
        sink_text_identifier(&sql, name);
        sink_text_text(&sql, "; ALTER TABLE " REBUILD_NAME " RENAME TO ");
        sink_text_identifier(&sql, name);
        error = alter_execute(context, &sql, report);
    }
    arena_clear(&rebuild.arena);
    if (!error)
        error = alter_create_indexes(context, name, change->after, NULL, report);
    return error;
}
