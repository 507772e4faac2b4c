#include "dispatcher/sink/mariadb/wait.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/runtime/log.h"
#include "dispatcher/sink/mariadb/error.h"

#define PATIENCE_MS 1000
/* One that has slept for longer than PATIENCE_MS already, as a stopped process's has, is not given
 * that time once more. */
#define GLANCE_MS 50
#define KILLS_MAX 14 /* looks at the holders, one second apart; within the statement's 15 s */
#define LOCK_TRIES 8

static void holder_kill(mariadb_session_t *session, const char *thread_id, const char *held)
{
    char sql[64];
    error_report_t report = {0};
    snprintf(sql, sizeof sql, "KILL %s", thread_id);
    sluice_error_t error = mariadb_session_run(session, sql, NULL, &report);
    LOG(LOG_LEVEL_WARNING, "sink", NULL, "killed a connection of an earlier owner",
        log_text("thread", thread_id), log_text("held", held),
        log_text("error", error == SLUICE_OK ? "" : report.text));
}

/* The one who waits is seen in INNODB_LOCK_WAITS only while it waits, so this needs a connection of
 * its own. Those that wait in the same queue hold nothing. */
static sluice_error_t row_holders_kill(mariadb_session_t *helper, unsigned long waiter,
                                       bool only_sleepers, error_report_t *report)
{
    char sql[768], sleepers[128] = "";
    if (only_sleepers)
        snprintf(sleepers, sizeof sleepers,
                 "JOIN information_schema.PROCESSLIST p ON p.ID=b.trx_mysql_thread_id AND "
                 "p.COMMAND='Sleep' AND p.TIME_MS>%d ",
                 PATIENCE_MS);
    snprintf(sql, sizeof sql,
             "SELECT DISTINCT b.trx_mysql_thread_id FROM information_schema.INNODB_LOCK_WAITS w "
             "JOIN information_schema.INNODB_TRX r ON r.trx_id=w.requesting_trx_id "
             "JOIN information_schema.INNODB_TRX b ON b.trx_id=w.blocking_trx_id %s"
             "WHERE r.trx_mysql_thread_id=%lu AND b.trx_mysql_thread_id NOT IN (0,%lu) "
             "AND b.trx_state<>'LOCK WAIT'",
             sleepers, waiter, waiter);
    MYSQL_RES *result;
    sluice_error_t error = mariadb_session_open(helper, report);
    if (error == SLUICE_OK)
        error = mariadb_session_select(helper, sql, &result, report);
    if (error != SLUICE_OK)
        return error;
    for (MYSQL_ROW row; (row = mysql_fetch_row(result));)
        holder_kill(helper, row[0], "progress row");
    mysql_free_result(result);
    return SLUICE_OK;
}

/* Whether an answer has come (or the connection has ended, which reading the answer will say). */
static bool answer_within(MYSQL *handle, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = (int)mysql_get_socket(handle), .events = POLLIN};
    int ready;
    do
        ready = poll(&poll_fd, 1, timeout_ms);
    while (ready < 0 && errno == EINTR);
    return ready != 0;
}

static void holders_kill_until_answer(MYSQL *handle, const mariadb_endpoint_t *endpoint)
{
    if (answer_within(handle, GLANCE_MS))
        return;
    error_report_t report = {0};
    mariadb_session_t *helper = mariadb_session_new(endpoint, MARIADB_SESSION_ROWS);
    for (int i = 0; i < KILLS_MAX; i++) {
        if (row_holders_kill(helper, mysql_thread_id(handle), i == 0, &report) != SLUICE_OK) {
            LOG(LOG_LEVEL_WARNING, "sink", NULL, "cannot see who holds a progress row",
                log_text("error", report.text));
            break;
        }
        if (answer_within(handle, PATIENCE_MS))
            break;
    }
    mariadb_session_destroy(&helper);
}

sluice_error_t mariadb_wait_rows(mariadb_session_t *session, const mariadb_endpoint_t *endpoint,
                                 const char *sql, MYSQL_RES **result, error_report_t *report)
{
    if (result)
        *result = NULL;
    sluice_error_t error = mariadb_session_check(session, report);
    if (error != SLUICE_OK)
        return error;
    MYSQL *handle = mariadb_session_handle(session);
    sql_text_t text = {0};
    sql_text_add(&text, "SET STATEMENT innodb_lock_wait_timeout=15 FOR ");
    sql_text_add(&text, sql);
    int failed = mysql_send_query(handle, text.data, text.len);
    sql_text_clear(&text);
    if (failed)
        return mariadb_session_failed(session, "sending a statement", report);
    holders_kill_until_answer(handle, endpoint);
    if (mysql_read_query_result(handle) != 0)
        return mariadb_session_failed(session, "locking progress rows", report);
    if (!result)
        return SLUICE_OK;
    *result = mysql_store_result(handle);
    return *result ? SLUICE_OK : mariadb_session_failed(session, "reading progress rows", report);
}

/* The first column of the only row, NULL if there is none or it is NULL. `result` owns it. */
static const char *only_value(MYSQL_RES *result)
{
    MYSQL_ROW row = mysql_fetch_row(result);
    return row ? row[0] : NULL;
}

static sluice_error_t lock_sleeper_kill(mariadb_session_t *session, const char *name,
                                        error_report_t *report)
{
    char sql[256];
    snprintf(sql, sizeof sql,
             "SELECT ID FROM information_schema.PROCESSLIST WHERE ID=IS_USED_LOCK('%s') "
             "AND COMMAND='Sleep' AND TIME_MS>%d",
             name, PATIENCE_MS);
    MYSQL_RES *result;
    sluice_error_t error = mariadb_session_select(session, sql, &result, report);
    if (error != SLUICE_OK)
        return error;
    const char *thread_id = only_value(result);
    if (thread_id)
        holder_kill(session, thread_id, name);
    mysql_free_result(result);
    return SLUICE_OK;
}

sluice_error_t mariadb_wait_lock(mariadb_session_t *session, const char *name,
                                 error_report_t *report)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        char sql[128];
        snprintf(sql, sizeof sql, "SELECT GET_LOCK('%s', %d)", name, i ? PATIENCE_MS / 1000 : 0);
        MYSQL_RES *result;
        sluice_error_t error = mariadb_session_select(session, sql, &result, report);
        if (error != SLUICE_OK)
            return error;
        const char *value = only_value(result);
        bool is_ours = value && strcmp(value, "1") == 0;
        mysql_free_result(result);
        if (is_ours)
            return SLUICE_OK;
        error = lock_sleeper_kill(session, name, report);
        if (error != SLUICE_OK)
            return error;
    }
    return error_report_set(report, SLUICE_ERROR_SINK_BUSY,
                            "another connection of the sink is still executing this statement");
}
