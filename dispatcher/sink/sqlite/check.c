#include "dispatcher/sink/sqlite/check.h"

#include <stdio.h>
#include <strings.h>

#include "dispatcher/sink/sqlite/ddl.h"
#include "dispatcher/sink/sqlite/table_text.h"

typedef struct {
    sqlite_session_t *session;
    arena_t arena;
    charset_converter_t *converter;
    bool creates_tables;
    error_report_t *report; /* of all tables */
    sluice_error_t first;
    error_report_t one; /* of the table at hand */
} check_t;

static void add_line(check_t *check, sluice_error_t error)
{
    if (!check->first) {
        check->first = error;
        if (check->report) {
            check->report->code = error;
            check->report->text[0] = '\0';
        }
    }
    if (!check->report)
        return;
    size_t len = strlen(check->report->text);
    snprintf(check->report->text + len, sizeof check->report->text - len, "%s%s", len ? "\n" : "",
             check->one.text);
}

/* What pragma_table_xinfo says of one column. */
typedef struct {
    const char *name;
    const char *type;
    int primary_key; /* place in the key from 1, 0: not in it */
} file_column_t;

static sluice_error_t read_columns(check_t *check, const char *name, file_column_t *columns,
                                   uint32_t room, uint32_t *count)
{
    static const char sql[] = "SELECT name, type, pk FROM pragma_table_xinfo(?)";
    sqlite3_stmt *statement;
    *count = 0;
    sluice_error_t error =
        sqlite_session_prepare(check->session, bytes_of_text(sql), false, &statement, &check->one);
    if (error)
        return error;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    bool row = true;
    while (!error && row) {
        error = sqlite_session_step_row(check->session, statement, &row, &check->one);
        if (error || !row)
            break;
        if (*count < room)
            columns[*count] = (file_column_t){
                arena_strdup(&check->arena, (const char *)sqlite3_column_text(statement, 0)),
                arena_strdup(&check->arena, (const char *)sqlite3_column_text(statement, 1)),
                sqlite3_column_int(statement, 2)};
        (*count)++;
    }
    sqlite3_finalize(statement);
    return error;
}

static bool is_in_key(const key_definition_t *key, uint32_t column)
{
    for (uint32_t i = 0; key && i < key->part_count; i++) {
        if (key->parts[i].column == column)
            return true;
    }
    return false;
}

static sluice_error_t differs(check_t *check, const char *table, const char *what,
                              const char *column)
{
    return error_report_set(&check->one, SLUICE_ERROR_SCHEMA_MISMATCH,
                            "table %s of the SQLite file: %s %s", table, what, column);
}

static sluice_error_t compare_column(check_t *check, const char *table,
                                     const column_definition_t *column, bool is_key,
                                     const file_column_t *found, uint32_t found_count)
{
    const char *type = sqlite_storage_name(sqlite_column_storage(column));
    for (uint32_t i = 0; i < found_count; i++) {
        if (strcasecmp(found[i].name, column->name) != 0)
            continue;
        if (strcasecmp(found[i].type, type) != 0)
            return error_report_set(&check->one, SLUICE_ERROR_SCHEMA_MISMATCH,
                                    "table %s of the SQLite file: column %s must be declared %s, "
                                    "not %s",
                                    table, column->name, type, found[i].type);
        if ((found[i].primary_key > 0) != is_key)
            return differs(check, table, "its primary key must be the source's row key; see column",
                           column->name);
        return SLUICE_OK;
    }
    return differs(check, table, "it lacks column", column->name);
}

static sluice_error_t compare_table(check_t *check, const table_definition_t *definition,
                                    const char *name)
{
    const key_definition_t *key = table_definition_row_key(definition);
    uint32_t room = definition->column_count, count;
    file_column_t *found = arena_calloc(&check->arena, room + 1, sizeof *found);
    sluice_error_t error = read_columns(check, name, found, room, &count);
    if (!error && count > room)
        return differs(check, name, "it has more columns than the source's,", "which has fewer");
    for (uint32_t i = 0; i < definition->column_count && !error; i++)
        error =
            compare_column(check, name, &definition->columns[i], is_in_key(key, i), found, count);
    return error;
}

static sluice_error_t make_table(check_t *check, const table_definition_t *definition,
                                 const char *name)
{
    if (!check->creates_tables)
        return error_report_set(&check->one, SLUICE_ERROR_SCHEMA_MISMATCH,
                                "the SQLite file has no table %s; load it, or let empty tables be "
                                "made by create-tables=yes in the sink's URI",
                                name);
    sqlite_alter_context_t context = {.session = check->session, .arena = &check->arena};
    return sqlite_create_table(&context, definition, name, &check->one);
}

static sluice_error_t check_charsets(check_t *check, const table_definition_t *definition)
{
    sluice_error_t error = SLUICE_OK;
    for (uint32_t i = 0; i < definition->column_count && !error; i++)
        error = charset_check(check->converter, sqlite_column_charset(&definition->columns[i]),
                              &check->one);
    return error;
}

static sluice_error_t check_table(check_t *check, const table_definition_t *definition)
{
    const char *name = sqlite_table_name(&check->arena, definition->schema, definition->name);
    const char *found = NULL;
    sluice_error_t error = sqlite_table_is_possible(definition, &check->one);
    if (!error)
        error = check_charsets(check, definition);
    if (!error)
        error = sqlite_find_table(check->session, &check->arena, name, &found, &check->one);
    if (!error && !found)
        return make_table(check, definition, name);
    if (!error && strcmp(found, name) != 0)
        return differs(check, name, "SQLite does not tell it apart from", found);
    if (!error)
        error = compare_table(check, definition, name);
    return error;
}

sluice_error_t sqlite_check_tables(sqlite_session_t *session,
                                   const table_definition_t *const *tables, uint32_t table_count,
                                   bool creates_tables, error_report_t *report)
{
    check_t check = {.session = session, .creates_tables = creates_tables, .report = report};
    sluice_error_t error = sqlite_session_begin(session, report);
    if (error)
        return error;
    check.converter = charset_converter_new();
    for (uint32_t i = 0; i < table_count; i++) {
        if (tables[i]->is_view || tables[i]->is_sequence)
            continue;
        error = check_table(&check, tables[i]);
        if (error)
            add_line(&check, error);
        arena_reset(&check.arena);
    }
    charset_converter_destroy(&check.converter);
    arena_clear(&check.arena);
    return sqlite_session_end(session, check.first, report);
}
