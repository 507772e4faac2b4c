#include "dispatcher/sink/mariadb/changefeed_row.h"

#include <stdio.h>
#include <stdlib.h>

#include "dispatcher/sink/mariadb/ddl.h"
#include "dispatcher/sink/mariadb/tables.h"
#include "dispatcher/sink/mariadb/wait.h"

static void add_feed(sql_text_t *sql, const mariadb_owner_t *owner)
{
    const changefeed_uuid_t *uuid = &owner->changefeed.uuid;
    sql_text_add_hex(sql, bytes_of(uuid->bytes, sizeof uuid->bytes));
}

static sluice_error_t run_locking(const mariadb_owner_t *owner, sql_text_t *sql, MYSQL_RES **result,
                                  error_report_t *report)
{
    sluice_error_t error =
        mariadb_wait_rows(owner->session, owner->endpoint, sql_text_get(sql), result, report);
    sql_text_clear(sql);
    return error;
}

static unsigned long long number_of(const char *text)
{
    return text ? strtoull(text, NULL, 10) : 0;
}

static sluice_error_t judge(const mariadb_owner_t *owner, MYSQL_ROW row, bool *is_known,
                            error_report_t *report)
{
    unsigned long long generation = number_of(row[0]);
    if (number_of(row[2]))
        return error_report_set(report, SLUICE_ERROR_SINK_REFUSED,
                                "the sink says that this changefeed was removed (%s): remove it "
                                "here too and create it anew",
                                row[3]);
    if (generation > owner->changefeed.generation)
        return error_report_set(report, SLUICE_ERROR_SINK_REFUSED,
                                "the sink was written by generation %llu of this changefeed, this "
                                "is %llu: the meta store is an older copy; remove the changefeed "
                                "and create it anew at a position that you know",
                                generation, (unsigned long long)owner->changefeed.generation);
    *is_known = generation == owner->changefeed.generation;
    return SLUICE_OK;
}

sluice_error_t mariadb_changefeed_row_enter(const mariadb_owner_t *owner, bool *is_known,
                                            commit_ts_t *checkpoint, error_report_t *report)
{
    sql_text_t sql = {0};
    *is_known = false;
    *checkpoint = COMMIT_TS_NONE;
    sql_text_add(&sql, "SELECT generation,checkpoint,is_removed,changed FROM sluice.changefeed "
                       "WHERE feed=");
    add_feed(&sql, owner);
    sql_text_add(&sql, " LOCK IN SHARE MODE");
    MYSQL_RES *result;
    sluice_error_t error = run_locking(owner, &sql, &result, report);
    if (error != SLUICE_OK)
        return error;
    MYSQL_ROW row = mysql_fetch_row(result);
    if (row)
        error = judge(owner, row, is_known, report);
    if (*is_known)
        *checkpoint = (commit_ts_t){number_of(row[1])};
    mysql_free_result(result);
    return error;
}

/* ---- ending what others are at ---- */

/* Who has begun a DDL proved its right before, holds the DDL's lock while it runs, and has left a
 * record. With the lock in our hands it is over: what executes is waited for, who sleeps is killed
 * (mariadb_wait_lock). */
static sluice_error_t half_way_end(const mariadb_owner_t *owner, uint64_t generation,
                                   commit_ts_t commit_ts, error_report_t *report)
{
    changefeed_ref_t of = {.uuid = owner->changefeed.uuid, .generation = generation};
    char name[MARIADB_DDL_LOCK_NAME_SIZE], sql[MARIADB_DDL_LOCK_NAME_SIZE + 32];
    mariadb_ddl_lock_name(&of, commit_ts, name);
    sluice_error_t error = mariadb_wait_lock(owner->session, name, report);
    if (error != SLUICE_OK)
        return error;
    MYSQL_RES *result;
    snprintf(sql, sizeof sql, "SELECT RELEASE_LOCK('%s')", name);
    error = mariadb_session_select(owner->session, sql, &result, report);
    if (error == SLUICE_OK)
        mysql_free_result(result);
    return error;
}

static sluice_error_t half_way_end_all(const mariadb_owner_t *owner, const char *condition,
                                       error_report_t *report)
{
    sql_text_t sql = {0};
    sql_text_add(&sql, "SELECT generation,commit_ts FROM sluice.ddl_record WHERE feed=");
    add_feed(&sql, owner);
    sql_text_printf(&sql, " AND NOT is_done%s", condition);
    MYSQL_RES *result;
    sluice_error_t error =
        mariadb_session_select(owner->session, sql_text_get(&sql), &result, report);
    sql_text_clear(&sql);
    if (error != SLUICE_OK)
        return error;
    for (MYSQL_ROW row; error == SLUICE_OK && (row = mysql_fetch_row(result));)
        error = half_way_end(owner, number_of(row[0]), (commit_ts_t){number_of(row[1])}, report);
    mysql_free_result(result);
    return error;
}

static sluice_error_t rows_delete(const mariadb_owner_t *owner, const char *table,
                                  const char *condition, error_report_t *report)
{
    sql_text_t sql = {0};
    sql_text_printf(&sql, "DELETE FROM %s USING %s FORCE INDEX (PRIMARY) WHERE feed=", table,
                    table);
    add_feed(&sql, owner);
    sql_text_add(&sql, condition);
    sluice_error_t error = run_locking(owner, &sql, NULL, report);
    return error == SLUICE_OK ? mariadb_session_commit(owner->session, report) : error;
}

/* Progress first: without it nobody proves a right any more. Then who had proved it. */
static sluice_error_t end_and_forget(const mariadb_owner_t *owner, const char *condition,
                                     error_report_t *report)
{
    static const char *const rest[] = {"sluice.ddl_table", "sluice.ddl_record", "sluice.syncpoint"};
    sluice_error_t error = rows_delete(owner, "sluice.progress", condition, report);
    if (error == SLUICE_OK)
        error = half_way_end_all(owner, condition, report);
    for (size_t i = 0; i < sizeof rest / sizeof rest[0] && error == SLUICE_OK; i++)
        error = rows_delete(owner, rest[i], condition, report);
    return error;
}

/* ---- the row ---- */

static sluice_error_t row_put(const mariadb_owner_t *owner, bool is_removed, error_report_t *report)
{
    sql_text_t sql = {0};
    sql_text_add(&sql, "INSERT INTO sluice.changefeed (feed,name,generation,checkpoint,is_removed)"
                       " VALUES (");
    add_feed(&sql, owner);
    sql_text_add(&sql, ",");
    sql_text_add_string(&sql, owner->changefeed_name ? owner->changefeed_name : "");
    sql_text_printf(&sql,
                    ",%llu,0,%d) ON DUPLICATE KEY UPDATE "
                    "checkpoint=IF(generation<VALUES(generation),0,checkpoint),"
                    "generation=GREATEST(generation,VALUES(generation)),"
                    "is_removed=GREATEST(is_removed,VALUES(is_removed))",
                    (unsigned long long)owner->changefeed.generation, is_removed ? 1 : 0);
    sluice_error_t error = run_locking(owner, &sql, NULL, report);
    return error == SLUICE_OK ? mariadb_session_commit(owner->session, report) : error;
}

sluice_error_t mariadb_changefeed_row_begin(const mariadb_owner_t *owner, error_report_t *report)
{
    char condition[64];
    snprintf(condition, sizeof condition, " AND generation<%llu",
             (unsigned long long)owner->changefeed.generation);
    sluice_error_t error = SLUICE_OK;
    if (owner->changefeed.generation > 1)
        error = end_and_forget(owner, condition, report);
    if (error == SLUICE_OK)
        error = row_put(owner, false, report);
    if (error != SLUICE_OK)
        mariadb_session_rollback(owner->session);
    return error;
}

sluice_error_t mariadb_changefeed_row_advance(const mariadb_owner_t *owner, commit_ts_t persisted,
                                              bool *is_ours, error_report_t *report)
{
    sql_text_t sql = {0};
    sql_text_printf(&sql,
                    "UPDATE sluice.changefeed SET checkpoint=GREATEST(checkpoint,%llu) WHERE ",
                    (unsigned long long)persisted.v);
    mariadb_tables_where_feed(&sql, &owner->changefeed);
    sql_text_add(&sql, " AND NOT is_removed");
    uint64_t matched = 0;
    sluice_error_t error =
        mariadb_session_run(owner->session, sql_text_get(&sql), &matched, report);
    sql_text_clear(&sql);
    *is_ours = matched == 1;
    return error;
}

sluice_error_t mariadb_changefeed_row_remove(const mariadb_owner_t *owner, error_report_t *report)
{
    sluice_error_t error = row_put(owner, true, report);
    if (error == SLUICE_OK)
        error = end_and_forget(owner, "", report);
    if (error == SLUICE_OK)
        error = rows_delete(owner, "sluice.claim", "", report);
    if (error == SLUICE_OK)
        return SLUICE_OK;
    bool was_never_there = mariadb_tables_are_missing(owner->session);
    mariadb_session_rollback(owner->session);
    return was_never_there ? SLUICE_OK : error;
}
