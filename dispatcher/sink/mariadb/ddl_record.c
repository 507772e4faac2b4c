#include "dispatcher/sink/mariadb/ddl_record.h"

#include "common/runtime/fail_point.h"
#include "dispatcher/sink/mariadb/tables.h"

#define TABLES_PER_STATEMENT 1000

static void add_where(sql_text_t *sql, const changefeed_ref_t *changefeed, commit_ts_t commit_ts)
{
    sql_text_add(sql, " WHERE ");
    mariadb_tables_where_feed(sql, changefeed);
    sql_text_printf(sql, " AND commit_ts=%llu", (unsigned long long)commit_ts.v);
}

static sluice_error_t run_and_clear(mariadb_session_t *session, sql_text_t *sql,
                                    error_report_t *report)
{
    sluice_error_t error =
        mariadb_session_run_bytes(session, bytes_of(sql->data, sql->len), report);
    sql_text_clear(sql);
    return error;
}

sluice_error_t mariadb_ddl_record_read(mariadb_session_t *session,
                                       const changefeed_ref_t *changefeed, commit_ts_t commit_ts,
                                       ddl_record_state_t *state, sql_text_t *before,
                                       error_report_t *report)
{
    sql_text_t sql = {0};
    sql_text_add(&sql, "SELECT is_done,objects_before FROM sluice.ddl_record");
    add_where(&sql, changefeed, commit_ts);
    MYSQL_RES *result;
    sluice_error_t error = mariadb_session_select(session, sql_text_get(&sql), &result, report);
    sql_text_clear(&sql);
    if (error != SLUICE_OK)
        return error;
    sql_text_reset(before);
    *state = DDL_RECORD_NONE;
    MYSQL_ROW row = mysql_fetch_row(result);
    if (row) {
        *state = strcmp(row[0], "1") == 0 ? DDL_RECORD_DONE : DDL_RECORD_BEFORE;
        sql_text_add_bytes(before, bytes_of(row[1], mysql_fetch_lengths(result)[1]));
    }
    mysql_free_result(result);
    return SLUICE_OK;
}

typedef struct {
    mariadb_session_t *session;
    const changefeed_ref_t *changefeed;
    commit_ts_t commit_ts;
    sql_text_t sql;
    uint32_t count;
} record_tables_t;

static sluice_error_t record_tables_flush(record_tables_t *list, error_report_t *report)
{
    if (list->count == 0)
        return SLUICE_OK;
    list->count = 0;
    sql_text_add(&list->sql,
                 " ON DUPLICATE KEY UPDATE is_dropped=GREATEST(is_dropped,VALUES(is_dropped))");
    return run_and_clear(list->session, &list->sql, report);
}

static sluice_error_t record_table_add(record_tables_t *list, table_id_t table_id, bool is_dropped,
                                       error_report_t *report)
{
    if (table_id.v == TABLE_ID_TRIGGER.v)
        return SLUICE_OK;
    sql_text_add(&list->sql, list->count ? ",("
                                         : "INSERT INTO sluice.ddl_table (feed,generation,table_id,"
                                           "commit_ts,is_dropped) VALUES (");
    mariadb_tables_feed_values(&list->sql, list->changefeed);
    sql_text_printf(&list->sql, ",%llu,%llu,%d)", (unsigned long long)table_id.v,
                    (unsigned long long)list->commit_ts.v, is_dropped ? 1 : 0);
    return ++list->count < TABLES_PER_STATEMENT ? SLUICE_OK : record_tables_flush(list, report);
}

static sluice_error_t change_add(record_tables_t *list, const table_change_t *change,
                                 error_report_t *report)
{
    const table_definition_t *either = change->before ? change->before : change->after;
    bool is_dropped = change->kind == TABLE_DROPPED || change->kind == TABLE_LEFT_FILTER;
    sluice_error_t error = record_table_add(list, either->table_id, is_dropped, report);
    if (error == SLUICE_OK && change->after && change->after->table_id.v != either->table_id.v)
        error = record_table_add(list, change->after->table_id, false, report);
    return error;
}

static sluice_error_t tables_insert(mariadb_session_t *session, const changefeed_ref_t *changefeed,
                                    const ddl_event_t *event, error_report_t *report)
{
    record_tables_t list = {
        .session = session, .changefeed = changefeed, .commit_ts = event->commit_ts};
    const influence_t *influence = &event->payload.influence;
    uint32_t listed = influence->kind == INFLUENCE_NORMAL ? influence->table_count : 0;
    sluice_error_t error = SLUICE_OK;
    for (uint32_t i = 0; i < listed && error == SLUICE_OK; i++)
        error = record_table_add(&list, influence->table_ids[i], false, report);
    for (uint32_t i = 0; i < event->change_count && error == SLUICE_OK; i++)
        error = change_add(&list, &event->changes[i], report);
    if (error == SLUICE_OK)
        error = record_tables_flush(&list, report);
    sql_text_clear(&list.sql);
    return error;
}

sluice_error_t mariadb_ddl_record_begin(mariadb_session_t *session,
                                        const changefeed_ref_t *changefeed,
                                        const ddl_event_t *event, const sql_text_t *before,
                                        error_report_t *report)
{
    sql_text_t sql = {0};
    sql_text_add(&sql, "INSERT INTO sluice.ddl_record (feed,generation,commit_ts,concerns_all,"
                       "statement,objects_before,is_done) VALUES (");
    mariadb_tables_feed_values(&sql, changefeed);
    sql_text_printf(&sql, ",%llu,%d,", (unsigned long long)event->commit_ts.v,
                    event->payload.influence.kind == INFLUENCE_ALL ? 1 : 0);
    sql_text_add_hex(&sql, event->sql);
    sql_text_add(&sql, ",");
    sql_text_add_hex(&sql, bytes_of(before->data, before->len));
    sql_text_add(&sql, ",0)");
    sluice_error_t error = run_and_clear(session, &sql, report);
    return error == SLUICE_OK ? tables_insert(session, changefeed, event, report) : error;
}

sluice_error_t mariadb_ddl_record_finish(mariadb_session_t *session,
                                         const changefeed_ref_t *changefeed, commit_ts_t commit_ts,
                                         error_report_t *report)
{
    sql_text_t sql = {0};
    sql_text_add(&sql, "UPDATE sluice.ddl_record SET is_done=1,finished=SYSDATE()");
    add_where(&sql, changefeed, commit_ts);
    sql_text_add(&sql, " AND NOT is_done");
    sluice_error_t error = run_and_clear(session, &sql, report);
    return error == SLUICE_OK ? mariadb_session_commit(session, report) : error;
}

sluice_error_t mariadb_ddl_record_withdraw(mariadb_session_t *session,
                                           const changefeed_ref_t *changefeed,
                                           commit_ts_t commit_ts, error_report_t *report)
{
    static const char *const tables[] = {"sluice.ddl_table", "sluice.ddl_record"};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        sql_text_t sql = {0};
        sql_text_printf(&sql, "DELETE FROM %s", tables[i]);
        add_where(&sql, changefeed, commit_ts);
        sluice_error_t error = run_and_clear(session, &sql, report);
        if (error != SLUICE_OK)
            return error;
    }
    return mariadb_session_commit(session, report);
}

static void add_where_old(sql_text_t *sql, const changefeed_ref_t *changefeed,
                          commit_ts_t persisted)
{
    mariadb_tables_where_feed(sql, changefeed);
    sql_text_printf(sql, " AND commit_ts<=%llu", (unsigned long long)persisted.v);
}

/* "table_id IN (1,2)" for the tables that were dropped, nothing if there are none. Read without
 * locks: every writer holds a progress row, and nearly always there is nothing to forget. */
static sluice_error_t dropped_read(mariadb_session_t *session, const changefeed_ref_t *changefeed,
                                   commit_ts_t persisted, sql_text_t *dropped,
                                   error_report_t *report)
{
    sql_text_t sql = {0};
    sql_text_add(&sql, "SELECT DISTINCT table_id FROM sluice.ddl_table JOIN sluice.ddl_record "
                       "USING (feed,generation,commit_ts) WHERE is_dropped AND is_done AND ");
    add_where_old(&sql, changefeed, persisted);
    MYSQL_RES *result;
    sluice_error_t error = mariadb_session_select(session, sql_text_get(&sql), &result, report);
    sql_text_clear(&sql);
    if (error != SLUICE_OK)
        return error;
    for (MYSQL_ROW row; (row = mysql_fetch_row(result));) {
        sql_text_add(dropped, dropped->len ? "," : "table_id IN (");
        sql_text_add(dropped, row[0]);
    }
    mysql_free_result(result);
    if (dropped->len)
        sql_text_add(dropped, ")");
    return SLUICE_OK;
}

/* By the primary key alone, so that no row of another table is waited for. */
static sluice_error_t dropped_forget(mariadb_session_t *session, const char *table,
                                     const changefeed_ref_t *changefeed, const sql_text_t *dropped,
                                     error_report_t *report)
{
    if (dropped->len == 0)
        return SLUICE_OK;
    sql_text_t sql = {0};
    sql_text_printf(&sql, "DELETE FROM %s USING %s FORCE INDEX (PRIMARY) WHERE feed=", table,
                    table);
    sql_text_add_hex(&sql, bytes_of(changefeed->uuid.bytes, sizeof changefeed->uuid.bytes));
    sql_text_printf(&sql, " AND mode IN (%d,%d) AND ", PIPELINE_DEFAULT, PIPELINE_REDO);
    sql_text_add(&sql, sql_text_get(dropped));
    return run_and_clear(session, &sql, report);
}

static sluice_error_t old_delete(mariadb_session_t *session, const char *table,
                                 const changefeed_ref_t *changefeed, commit_ts_t persisted,
                                 error_report_t *report)
{
    sql_text_t sql = {0};
    sql_text_printf(&sql, "DELETE FROM %s USING %s FORCE INDEX (PRIMARY) WHERE ", table, table);
    add_where_old(&sql, changefeed, persisted);
    return run_and_clear(session, &sql, report);
}

static sluice_error_t old_exists(mariadb_session_t *session, const changefeed_ref_t *changefeed,
                                 commit_ts_t persisted, bool *exists, error_report_t *report)
{
    sql_text_t sql = {0};
    sql_text_add(&sql, "SELECT 1 FROM sluice.ddl_record WHERE ");
    add_where_old(&sql, changefeed, persisted);
    sql_text_add(&sql, " LIMIT 1");
    MYSQL_RES *result;
    sluice_error_t error = mariadb_session_select(session, sql_text_get(&sql), &result, report);
    sql_text_clear(&sql);
    if (error != SLUICE_OK)
        return error;
    *exists = mysql_num_rows(result) > 0;
    mysql_free_result(result);
    return SLUICE_OK;
}

static sluice_error_t old_forget(mariadb_session_t *session, const changefeed_ref_t *changefeed,
                                 commit_ts_t persisted, error_report_t *report)
{
    sql_text_t dropped = {0};
    sluice_error_t error = dropped_read(session, changefeed, persisted, &dropped, report);
    if (error == SLUICE_OK)
        error = dropped_forget(session, "sluice.progress", changefeed, &dropped, report);
    if (error == SLUICE_OK)
        error = dropped_forget(session, "sluice.claim", changefeed, &dropped, report);
    if (error == SLUICE_OK)
        error = old_delete(session, "sluice.ddl_table", changefeed, persisted, report);
    if (error == SLUICE_OK)
        error = old_delete(session, "sluice.ddl_record", changefeed, persisted, report);
    sql_text_clear(&dropped);
    return error;
}

sluice_error_t mariadb_ddl_record_clean_up(mariadb_session_t *session,
                                           const changefeed_ref_t *changefeed,
                                           commit_ts_t persisted, error_report_t *report)
{
    bool exists;
    sluice_error_t error = old_exists(session, changefeed, persisted, &exists, report);
    if (error == SLUICE_OK && exists)
        error = old_forget(session, changefeed, persisted, report);
    if (error == SLUICE_OK && exists)
        error = FAIL_POINT("sink.clean-up.commit", persisted.v, NULL);
    if (error == SLUICE_OK)
        error = mariadb_session_commit(session, report);
    if (error == SLUICE_OK && exists)
        error = FAIL_POINT("sink.clean-up.committed", persisted.v, NULL);
    return error;
}

ddl_decision_t mariadb_ddl_decide(ddl_verb_t verb, const char *before, const char *now,
                                  bool target_is_absent)
{
    switch (verb) {
    case DDL_DROP_TABLE:
    case DDL_DROP_VIEW:
    case DDL_DROP_DATABASE:
        return DDL_RUN_IF_EXISTS;
    case DDL_CREATE_TABLE:
    case DDL_CREATE_VIEW:
    case DDL_CREATE_DATABASE:
        /* OR REPLACE drops first; what is not there was not made. */
        if (target_is_absent)
            return DDL_RUN;
        break;
    case DDL_ALTER_DATABASE:
    case DDL_ALTER_TABLE:
    case DDL_RENAME_TABLE:
    case DDL_TRUNCATE_TABLE:
    case DDL_TRUNCATE_PARTITION:
    case DDL_DROP_PARTITION:
    case DDL_EXCHANGE_PARTITION:
    case DDL_CONVERT_PARTITION:
    case DDL_SKIPPED:
    case DDL_UNKNOWN:
        break;
    }
    return strcmp(before, now) == 0 ? DDL_RUN : DDL_WAS_DONE;
}
