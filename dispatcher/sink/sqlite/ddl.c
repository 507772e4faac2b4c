#include "dispatcher/sink/sqlite/ddl.h"

#include <ctype.h>
#include <inttypes.h>
#include <strings.h>

#include "common/runtime/log.h"
#include "dispatcher/sink/sink_text.h"
#include "dispatcher/sink/sqlite/partition.h"
#include "dispatcher/sink/sqlite/table_text.h"

/* A table that stands under a name in between while others of its statement move. */
typedef struct displaced {
    struct displaced *next;
    table_id_t table_id;
    const char *name;
} displaced_t;

typedef struct {
    sqlite_alter_context_t alter;
    const ddl_event_t *ddl;
    displaced_t *displaced;
    error_report_t *report;
} run_t;

bool sqlite_ddl_parse_offset(const char *text, int32_t *seconds)
{
    *seconds = 0;
    if (strcasecmp(text, "UTC") == 0)
        return true;
    if ((text[0] != '+' && text[0] != '-') || strlen(text) < 5 || strlen(text) > 6)
        return false;
    const char *p = text + 1;
    int32_t hours = 0, minutes = 0;
    for (; isdigit((unsigned char)*p); p++)
        hours = hours * 10 + (*p - '0');
    if (*p++ != ':' || !isdigit((unsigned char)p[0]) || !isdigit((unsigned char)p[1]) || p[2])
        return false;
    minutes = (p[0] - '0') * 10 + (p[1] - '0');
    if (hours > 14 || minutes > 59)
        return false;
    *seconds = (hours * 60 + minutes) * 60 * (text[0] == '-' ? -1 : 1);
    return true;
}

sluice_error_t sqlite_find_table(sqlite_session_t *session, arena_t *arena, const char *name,
                                 const char **found, error_report_t *report)
{
    static const char sql[] = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
                              " AND name = ? COLLATE NOCASE";
    *found = NULL;
    sqlite3_stmt *statement;
    sluice_error_t error =
        sqlite_session_prepare(session, bytes_of_text(sql), false, &statement, report);
    if (error)
        return error;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    bool row;
    error = sqlite_session_step_row(session, statement, &row, report);
    if (!error && row)
        *found = arena_strdup(arena, (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return error;
}

static const char *name_of(run_t *run, const table_definition_t *definition)
{
    return sqlite_table_name(run->alter.arena, definition->schema, definition->name);
}

static sluice_error_t refuse_name(run_t *run, const char *name, const char *found)
{
    return error_report_set(
        run->report, SLUICE_ERROR_DDL_UNSUPPORTED,
        "table %s cannot be made in the SQLite file: %s is there already%s", name, found,
        strcmp(name, found) == 0 ? "" : ", and SQLite does not tell the case of letters apart");
}

static sluice_error_t execute_on(run_t *run, const char *before_name, const char *name)
{
    sink_text_t sql = {0};
    sink_text_text(&sql, before_name);
    sink_text_identifier(&sql, name);
    sluice_error_t error = sqlite_session_execute(run->alter.session, sql.text, run->report);
    sink_text_clear(&sql);
    return error;
}

static sluice_error_t rename_to(run_t *run, const char *from, const char *to)
{
    sink_text_t sql = {0};
    sink_text_text(&sql, "ALTER TABLE ");
    sink_text_identifier(&sql, from);
    sink_text_text(&sql, " RENAME TO ");
    sink_text_identifier(&sql, to);
    sluice_error_t error = sqlite_session_execute(run->alter.session, sql.text, run->report);
    sink_text_clear(&sql);
    return error;
}

static sluice_error_t create_table(run_t *run, const table_definition_t *definition)
{
    const char *name = name_of(run, definition), *found;
    sluice_error_t error =
        sqlite_find_table(run->alter.session, run->alter.arena, name, &found, run->report);
    if (!error && found)
        error = refuse_name(run, name, found);
    if (!error)
        error = sqlite_create_table(&run->alter, definition, name, run->report);
    return error;
}

/* ---- renames ---- */

static const char *present_name(run_t *run, const table_definition_t *before)
{
    for (const displaced_t *displaced = run->displaced; displaced; displaced = displaced->next) {
        if (displaced->table_id.v == before->table_id.v)
            return displaced->name;
    }
    return name_of(run, before);
}

static void forget_displaced(run_t *run, table_id_t table_id)
{
    for (displaced_t **at = &run->displaced; *at; at = &(*at)->next) {
        if ((*at)->table_id.v == table_id.v) {
            *at = (*at)->next;
            return;
        }
    }
}

/* The change at `from` or behind it that takes the table called `name` away; NULL if none does. */
static const table_change_t *mover_of(run_t *run, uint32_t from, const char *name)
{
    for (uint32_t i = from; i < run->ddl->change_count; i++) {
        const table_change_t *change = &run->ddl->changes[i];
        bool moves = change->kind == TABLE_RENAMED || change->kind == TABLE_LEFT_FILTER;
        if (moves && strcmp(present_name(run, change->before), name) == 0)
            return change;
    }
    return NULL;
}

static sluice_error_t rename_table(run_t *run, uint32_t index)
{
    const table_change_t *change = &run->ddl->changes[index];
    const char *to = name_of(run, change->after), *found;
    if (strcmp(present_name(run, change->before), to) == 0)
        return SLUICE_OK;
    sluice_error_t error =
        sqlite_find_table(run->alter.session, run->alter.arena, to, &found, run->report);
    if (!error && found) {
        const table_change_t *mover = mover_of(run, index, found);
        if (!mover)
            return refuse_name(run, to, found);
        displaced_t *displaced = arena_zalloc(run->alter.arena, sizeof *displaced);
        displaced->table_id = mover->before->table_id;
        displaced->name =
            arena_printf(run->alter.arena, "__sluice_moving_%016" PRIx64, displaced->table_id.v);
        error = rename_to(run, found, displaced->name);
        displaced->next = run->displaced;
        run->displaced = displaced;
    }
    if (!error)
        error = rename_to(run, present_name(run, change->before), to);
    forget_displaced(run, change->before->table_id);
    return error;
}

/* ---- changes ---- */

static sluice_error_t apply_change(run_t *run, uint32_t index)
{
    const table_change_t *change = &run->ddl->changes[index];
    sluice_error_t error;
    switch (change->kind) {
    case TABLE_CREATED:
        return create_table(run, change->after);
    case TABLE_ALTERED:
        return sqlite_alter_table(&run->alter, name_of(run, change->after), change, run->report);
    case TABLE_RENAMED:
    case TABLE_LEFT_FILTER:
        error = rename_table(run, index);
        if (!error && change->column_sources)
            error =
                sqlite_alter_table(&run->alter, name_of(run, change->after), change, run->report);
        return error;
    case TABLE_DROPPED:
        return execute_on(run, "DROP TABLE IF EXISTS ", name_of(run, change->before));
    case TABLE_TRUNCATED:
        return execute_on(run, "DELETE FROM ", name_of(run, change->before));
    }
    return error_report_set(run->report, SLUICE_ERROR_BUG, "unknown kind of table change");
}

static sluice_error_t apply_changes(run_t *run)
{
    sluice_error_t error = SLUICE_OK;
    for (uint32_t i = 0; i < run->ddl->change_count && !error; i++)
        error = apply_change(run, i);
    return error;
}

static sluice_error_t refuse_statement(run_t *run, const char *reason)
{
    return error_report_set(run->report, SLUICE_ERROR_DDL_UNSUPPORTED,
                            "%s cannot be carried to SQLite: %s (statement: %.300s)",
                            ddl_verb_name(run->ddl->verb), reason, run->ddl->sql_utf8);
}

/* The rows go first, by the partitions as they were. */
static sluice_error_t delete_partitions(run_t *run)
{
    const ddl_event_t *ddl = run->ddl;
    if (ddl->change_count != 1 || !ddl->changes[0].before)
        return refuse_statement(run, "it does not say of which table");
    sluice_error_t error = sqlite_delete_partitions(
        run->alter.session, ddl, name_of(run, ddl->changes[0].before), run->report);
    return error ? error : apply_changes(run);
}

static sluice_error_t run_verb(run_t *run, const sqlite_ddl_settings_t *settings)
{
    const ddl_event_t *ddl = run->ddl;
    switch (ddl->verb) {
    case DDL_CREATE_DATABASE:
    case DDL_ALTER_DATABASE:
    case DDL_DROP_DATABASE:
    case DDL_CREATE_TABLE:
    case DDL_ALTER_TABLE:
    case DDL_DROP_TABLE:
    case DDL_RENAME_TABLE:
    case DDL_TRUNCATE_TABLE:
    case DDL_SKIPPED:
        return apply_changes(run);
    case DDL_TRUNCATE_PARTITION:
    case DDL_DROP_PARTITION:
        return delete_partitions(run);
    case DDL_EXCHANGE_PARTITION:
    case DDL_CONVERT_PARTITION:
        return refuse_statement(run, "it has no partitions, and the log does not hold the rows");
    case DDL_CREATE_VIEW:
    case DDL_DROP_VIEW:
        LOG(LOG_LEVEL_WARNING, "sink", settings->changefeed_name,
            "view left out of the SQLite file", log_number("commit_ts", ddl->commit_ts.v),
            log_text("schema", ddl->schema), log_text("view", ddl->object));
        return SLUICE_OK;
    case DDL_UNKNOWN:
        return refuse_statement(run, "it is not understood");
    }
    return refuse_statement(run, "it is not understood");
}

static convert_context_t session_of(const sqlite_ddl_settings_t *settings, const ddl_event_t *ddl,
                                    arena_t *arena)
{
    convert_context_t context = {.timestamp_us = ddl->context.timestamp_us, .arena = arena};
    const char *zone = ddl->context.time_zone;
    if (zone && strcasecmp(zone, "SYSTEM") == 0) {
        context.has_offset = settings->has_system_offset;
        context.offset_seconds = settings->system_offset_seconds;
    } else if (zone) {
        context.has_offset = sqlite_ddl_parse_offset(zone, &context.offset_seconds);
    }
    return context;
}

sluice_error_t sqlite_ddl_run(sqlite_session_t *session, const sqlite_ddl_settings_t *settings,
                              const ddl_event_t *ddl, error_report_t *report)
{
    arena_t arena = {0};
    run_t run = {.alter = {.session = session, .arena = &arena}, .ddl = ddl, .report = report};
    run.alter.convert = session_of(settings, ddl, &arena);
    run.alter.convert.converter = charset_converter_new();
    sluice_error_t error = run_verb(&run, settings);
    charset_converter_destroy(&run.alter.convert.converter);
    arena_clear(&arena);
    return error;
}
