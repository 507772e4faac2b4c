#include "dispatcher/sink/sqlite/session.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/runtime/clock.h"
#include "dispatcher/sink/sqlite/lock_holder.h"

/* How long one look at an interrupt or at another process's lock may be off. */
#define SESSION_POLL_NS (20 * NS_PER_MS)
#define SESSION_BUSY_SLEEP_FIRST_US 200
#define SESSION_BUSY_SLEEP_MAX_US 10000

struct sqlite_gate {
    pthread_mutex_t mutex;
    pthread_cond_t free;
    bool is_taken;
};

struct sqlite_session {
    sqlite3 *handle;
    sqlite_gate_t *gate;
    uint64_t busy_timeout_ms;
    mono_ns_t busy_deadline;
    bool holds_gate;
    atomic_bool interrupted;
};

/* ---- the gate ---- */

sqlite_gate_t *sqlite_gate_new(void)
{
    sqlite_gate_t *gate = memory_zalloc(sizeof *gate);
    pthread_mutex_init(&gate->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&gate->free, &attributes);
    pthread_condattr_destroy(&attributes);
    return gate;
}

void sqlite_gate_destroy(sqlite_gate_t **gate)
{
    if (!*gate)
        return;
    pthread_cond_destroy(&(*gate)->free);
    pthread_mutex_destroy(&(*gate)->mutex);
    free(*gate);
    *gate = NULL;
}

static bool take_gate(sqlite_session_t *session)
{
    sqlite_gate_t *gate = session->gate;
    pthread_mutex_lock(&gate->mutex);
    while (gate->is_taken && !atomic_load(&session->interrupted)) {
        mono_ns_t now = clock_mono();
        if (mono_reached(session->busy_deadline, now))
            break;
        uint64_t until = mono_add(now, SESSION_POLL_NS).v;
        struct timespec wake = {.tv_sec = (time_t)(until / NS_PER_S),
                                .tv_nsec = (long)(until % NS_PER_S)};
        pthread_cond_timedwait(&gate->free, &gate->mutex, &wake);
    }
    session->holds_gate = !gate->is_taken && !atomic_load(&session->interrupted);
    if (session->holds_gate)
        gate->is_taken = true;
    pthread_mutex_unlock(&gate->mutex);
    return session->holds_gate;
}

static void give_gate(sqlite_session_t *session)
{
    if (!session->holds_gate)
        return;
    pthread_mutex_lock(&session->gate->mutex);
    session->gate->is_taken = false;
    pthread_cond_signal(&session->gate->free);
    pthread_mutex_unlock(&session->gate->mutex);
    session->holds_gate = false;
}

/* ---- errors ---- */

static sluice_error_t code_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return SLUICE_ERROR_SINK_BUSY;
    case SQLITE_FULL:
        return SLUICE_ERROR_NO_SPACE;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_SCHEMA:
        return SLUICE_ERROR_SINK_CONNECTION;
    case SQLITE_INTERRUPT:
        return SLUICE_ERROR_CLOSED;
    case SQLITE_NOMEM:
        return SLUICE_ERROR_MEMORY;
    case SQLITE_TOOBIG:
        return SLUICE_ERROR_TOO_LARGE;
    default:
        return SLUICE_ERROR_SINK_REFUSED;
    }
}

/* Who stands in the way, where that can be told. */
static void name_holder(const sqlite_session_t *session, error_report_t *report)
{
    const char *path = sqlite3_db_filename(session->handle, "main");
    lock_holder_t holder;
    size_t len = strlen(report->text);
    if (report->code == SLUICE_ERROR_SINK_BUSY && path && sqlite_lock_holder(path, &holder))
        snprintf(report->text + len, sizeof report->text - len, "; process %d holds its lock%s",
                 (int)holder.pid, holder.is_stopped ? " and is stopped" : "");
}

sluice_error_t sqlite_session_failed(sqlite_session_t *session, int code, error_report_t *report)
{
    const char *path = sqlite3_db_filename(session->handle, "main");
    sluice_error_t error =
        error_report_set(report, code_of(code), "SQLite file %s: %s (%s)", path ? path : "?",
                         sqlite3_errmsg(session->handle), sqlite3_errstr(code));
    name_holder(session, report);
    return error;
}

static sluice_error_t file_is_gone(const char *path, error_report_t *report)
{
    return error_report_set(report, SLUICE_ERROR_SINK_SETTINGS,
                            "SQLite file %s was removed or replaced: put the one that was written "
                            "to back, or start the changefeed anew with a fresh copy",
                            path);
}

/* What is written to a file without a name is lost. */
static sluice_error_t check_file(sqlite_session_t *session, error_report_t *report)
{
    int has_moved = 0;
    int code = sqlite3_file_control(session->handle, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
    return code == SQLITE_OK && has_moved
               ? file_is_gone(sqlite3_db_filename(session->handle, "main"), report)
               : SLUICE_OK;
}

/* ---- opening ---- */

static int wait_while_busy(void *context, int count)
{
    sqlite_session_t *session = context;
    if (atomic_load(&session->interrupted) || mono_reached(session->busy_deadline, clock_mono()))
        return 0;
    long us = (long)SESSION_BUSY_SLEEP_FIRST_US << (count > 6 ? 6 : count);
    if (us > SESSION_BUSY_SLEEP_MAX_US)
        us = SESSION_BUSY_SLEEP_MAX_US;
    nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
    return 1;
}

static void start_waiting(sqlite_session_t *session)
{
    session->busy_deadline = mono_add(clock_mono(), session->busy_timeout_ms * NS_PER_MS);
}

sluice_error_t sqlite_session_open(const sqlite_session_options_t *options,
                                   sqlite_session_t **session, error_report_t *report)
{
    *session = NULL;
    sqlite_session_t *opened = memory_zalloc(sizeof *opened);
    opened->gate = options->gate;
    opened->busy_timeout_ms = options->busy_timeout_ms;
    int how = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(options->path, &opened->handle,
                               options->creates_file ? how | SQLITE_OPEN_CREATE : how, NULL);
    if (code != SQLITE_OK) {
        sluice_error_t error =
            !options->creates_file && access(options->path, F_OK) != 0 && errno == ENOENT
                ? file_is_gone(options->path, report)
                : error_report_set(report, code_of(code), "SQLite file %s: %s", options->path,
                                   opened->handle ? sqlite3_errmsg(opened->handle)
                                                  : "out of memory");
        sqlite_session_close(&opened);
        return error;
    }
    sqlite3_extended_result_codes(opened->handle, 1);
    sqlite3_busy_handler(opened->handle, wait_while_busy, opened);
    start_waiting(opened);
    /* legacy_alter_table: a rename changes the table alone, as in MariaDB, and not the text of
     * views that somebody made in the file. foreign_keys: DESIGN §5, order of rows. */
    sluice_error_t error =
        sqlite_session_execute(opened,
                               "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = OFF;"
                               "PRAGMA legacy_alter_table = ON; PRAGMA cache_size = -16384;",
                               report);
    if (!error)
        error =
            sqlite_session_execute(opened,
                                   options->is_synchronous_normal ? "PRAGMA synchronous = NORMAL"
                                                                  : "PRAGMA synchronous = FULL",
                                   report);
    if (error)
        sqlite_session_close(&opened);
    *session = opened;
    return error;
}

void sqlite_session_close(sqlite_session_t **session)
{
    if (!*session)
        return;
    sqlite_session_rollback(*session);
    sqlite3_close_v2((*session)->handle);
    free(*session);
    *session = NULL;
}

void sqlite_session_interrupt(sqlite_session_t *session)
{
    atomic_store(&session->interrupted, true);
    sqlite3_interrupt(session->handle);
}

sqlite3 *sqlite_session_handle(sqlite_session_t *session)
{
    return session->handle;
}

/* ---- transactions ---- */

sluice_error_t sqlite_session_begin(sqlite_session_t *session, error_report_t *report)
{
    start_waiting(session);
    if (!take_gate(session)) {
        if (atomic_load(&session->interrupted))
            return error_report_set(report, SLUICE_ERROR_CLOSED, "interrupted");
        error_report_set(report, SLUICE_ERROR_SINK_BUSY,
                         "other writers of this process kept the SQLite file for %llu ms",
                         (unsigned long long)session->busy_timeout_ms);
        name_holder(session, report);
        return SLUICE_ERROR_SINK_BUSY;
    }
    sluice_error_t error = check_file(session, report);
    if (!error)
        error = sqlite_session_execute(session, "BEGIN IMMEDIATE", report);
    if (error)
        give_gate(session);
    return error;
}

sluice_error_t sqlite_session_commit(sqlite_session_t *session, error_report_t *report)
{
    sluice_error_t error = sqlite_session_execute(session, "COMMIT", report);
    if (error)
        sqlite_session_rollback(session);
    else
        error = check_file(session, report);
    give_gate(session);
    return error;
}

void sqlite_session_rollback(sqlite_session_t *session)
{
    if (session->handle && !sqlite3_get_autocommit(session->handle))
        sqlite3_exec(session->handle, "ROLLBACK", NULL, NULL, NULL);
    give_gate(session);
}

sluice_error_t sqlite_session_end(sqlite_session_t *session, sluice_error_t error,
                                  error_report_t *report)
{
    if (!error)
        return sqlite_session_commit(session, report);
    sqlite_session_rollback(session);
    return error;
}

/* ---- statements ---- */

sluice_error_t sqlite_session_execute(sqlite_session_t *session, const char *sql,
                                      error_report_t *report)
{
    int code = sqlite3_exec(session->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? SLUICE_OK : sqlite_session_failed(session, code, report);
}

sluice_error_t sqlite_session_prepare(sqlite_session_t *session, bytes_t sql, bool is_kept,
                                      sqlite3_stmt **statement, error_report_t *report)
{
    *statement = NULL;
    int code = sqlite3_prepare_v3(session->handle, (const char *)sql.data, (int)sql.len,
                                  is_kept ? SQLITE_PREPARE_PERSISTENT : 0, statement, NULL);
    if (code == SQLITE_OK)
        return SLUICE_OK;
    /* Our own statements are well-formed: the file lacks a table or a column they name. */
    if (code == SQLITE_ERROR)
        return error_report_set(report, SLUICE_ERROR_SCHEMA_MISMATCH, "the sink's file: %s",
                                sqlite3_errmsg(session->handle));
    return sqlite_session_failed(session, code, report);
}

sluice_error_t sqlite_session_step_row(sqlite_session_t *session, sqlite3_stmt *statement,
                                       bool *row, error_report_t *report)
{
    int code = sqlite3_step(statement);
    *row = code == SQLITE_ROW;
    if (code == SQLITE_ROW)
        return SLUICE_OK;
    sluice_error_t error =
        code == SQLITE_DONE ? SLUICE_OK : sqlite_session_failed(session, code, report);
    sqlite3_reset(statement);
    return error;
}

sluice_error_t sqlite_session_step_done(sqlite_session_t *session, sqlite3_stmt *statement,
                                        error_report_t *report)
{
    bool row = true;
    sluice_error_t error = SLUICE_OK;
    while (!error && row)
        error = sqlite_session_step_row(session, statement, &row, report);
    return error;
}
