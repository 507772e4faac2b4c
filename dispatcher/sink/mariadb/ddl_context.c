#include "dispatcher/sink/mariadb/ddl_context.h"

#include "dispatcher/sink/mariadb/error.h"

/* Bits of a Query event's flags2 (OPTIONS_WRITTEN_TO_BIN_LOG of the server, seen with 10.11). */
#define OPTION_AUTO_IS_NULL (1u << 14)
#define OPTION_EXPLICIT_DEFAULTS_FOR_TIMESTAMP (1u << 24)
#define OPTION_NO_UNIQUE_CHECKS (1u << 27)
#define OPTION_IF_EXISTS (1u << 28)
#define OPTION_INSERT_HISTORY (1u << 30)

static void add_flag(sql_text_t *sql, const char *variable, bool value)
{
    sql_text_printf(sql, ",%s=%d", variable, value ? 1 : 0);
}

static void add_collation(sql_text_t *sql, const char *variable, unsigned id)
{
    if (id != 0)
        sql_text_printf(sql, ",%s=%u", variable, id);
}

void mariadb_ddl_context_sql(const ddl_context_t *context, bool is_utf8, sql_text_t *sql)
{
    /* With autocommit off EXCHANGE PARTITION waits for a lock that its own session holds (10.11).
     */
    sql_text_add(sql, "SET SESSION autocommit=1,foreign_key_checks=0,check_constraint_checks=0");
    /* The one variable that only some versions have. */
    if (context->option_flags & OPTION_INSERT_HISTORY)
        sql_text_add(sql, ",system_versioning_insert_history=1");
    if (context->has_option_flags) {
        uint32_t flags = context->option_flags;
        add_flag(sql, "sql_auto_is_null", flags & OPTION_AUTO_IS_NULL);
        add_flag(sql, "unique_checks", !(flags & OPTION_NO_UNIQUE_CHECKS));
        add_flag(sql, "sql_if_exists", flags & OPTION_IF_EXISTS);
    }
    if (context->has_sql_mode)
        sql_text_printf(sql, ",sql_mode=%llu", (unsigned long long)context->sql_mode);
    if (context->time_zone) {
        sql_text_add(sql, ",time_zone=");
        sql_text_add_string(sql, context->time_zone);
    }
    if (context->timestamp_us)
        sql_text_printf(sql, ",timestamp=%llu.%06llu",
                        (unsigned long long)(context->timestamp_us / 1000000),
                        (unsigned long long)(context->timestamp_us % 1000000));
    if (context->auto_increment_increment)
        sql_text_printf(sql, ",auto_increment_increment=%u",
                        (unsigned)context->auto_increment_increment);
    if (context->auto_increment_offset)
        sql_text_printf(sql, ",auto_increment_offset=%u", (unsigned)context->auto_increment_offset);
    add_collation(sql, "collation_server", context->collation_server);
    add_collation(sql, "collation_database", context->collation_database);
    add_collation(sql, "collation_connection", context->collation_connection);
    if (!is_utf8)
        add_collation(sql, "character_set_client", context->charset_client);
}

static sluice_error_t schema_select(mariadb_session_t *session, const char *schema,
                                    error_report_t *report)
{
    sluice_error_t error = mariadb_session_check(session, report);
    if (error != SLUICE_OK || mysql_select_db(mariadb_session_handle(session), schema) == 0)
        return error;
    error = mariadb_session_failed(session, "selecting the default schema", report);
    return mariadb_session_last_error(session) == MARIADB_BAD_DATABASE ? SLUICE_OK : error;
}

static bool mentions_timestamp(const char *sql)
{
    return sql && strcasestr(sql, "timestamp");
}

/* A variable of the session since 10.8.4, before that of the server alone. */
static sluice_error_t timestamp_defaults_set(mariadb_session_t *session, const ddl_event_t *event,
                                             error_report_t *report)
{
    static const char *const statements[] = {"SET SESSION explicit_defaults_for_timestamp=0",
                                             "SET SESSION explicit_defaults_for_timestamp=1"};
    bool wanted = event->context.option_flags & OPTION_EXPLICIT_DEFAULTS_FOR_TIMESTAMP;
    if (!event->context.has_option_flags || !mentions_timestamp(event->sql_utf8))
        return SLUICE_OK;
    sluice_error_t error = mariadb_session_run(session, statements[wanted], NULL, report);
    if (error == SLUICE_OK || mariadb_session_last_error(session) != MARIADB_NO_SESSION_VARIABLE)
        return error;
    MYSQL_RES *result;
    error = mariadb_session_select(session, "SELECT @@explicit_defaults_for_timestamp", &result,
                                   report);
    if (error != SLUICE_OK)
        return error;
    MYSQL_ROW row = mysql_fetch_row(result);
    bool found = row && row[0] && strcmp(row[0], "1") == 0;
    mysql_free_result(result);
    if (found == wanted)
        return SLUICE_OK;
    return error_report_set(report, SLUICE_ERROR_SINK_SETTINGS,
                            "the source ran a DDL with TIMESTAMP columns under "
                            "explicit_defaults_for_timestamp=%d: set that on the sink and restart "
                            "it",
                            (int)wanted);
}

sluice_error_t mariadb_ddl_context_apply(mariadb_session_t *session, const ddl_event_t *event,
                                         bool is_utf8, error_report_t *report)
{
    const ddl_context_t *context = &event->context;
    sluice_error_t error = SLUICE_OK;
    if (context->default_schema && *context->default_schema)
        error = schema_select(session, context->default_schema, report);
    if (error == SLUICE_OK)
        error = timestamp_defaults_set(session, event, report);
    if (error != SLUICE_OK)
        return error;
    sql_text_t sql = {0};
    mariadb_ddl_context_sql(context, is_utf8, &sql);
    error = mariadb_session_run(session, sql_text_get(&sql), NULL, report);
    sql_text_clear(&sql);
    return error;
}
