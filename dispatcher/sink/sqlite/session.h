/*
 * One connection to the SQLite file: opening, transactions with a bounded wait for their turn,
 * errors in our words. Writers of one process wait for each other at a gate, since SQLite's own
 * lock is polled; writers of other processes are waited for by SQLite's busy handler. Both waits
 * together are bounded and end in SLUICE_ERROR_SINK_BUSY, and an interrupt ends them at once.
 *
 * Journal mode WAL, synchronous FULL: what was committed stays, also when power is lost, since a
 * checkpoint that counts on it is persisted next. NORMAL, if the URI says so: a loss of power may
 * take the last commits.
 *
 * The file is made once and then has to be there: one that was removed or replaced is an error
 * (SLUICE_ERROR_SINK_SETTINGS), seen before and after each transaction.
 *
 * Threads: a gate is shared by the threads of a process; a session belongs to one. interrupt alone
 * may be called from any.
 */
#ifndef SLUICE_DISPATCHER_SINK_SQLITE_SESSION_H
#define SLUICE_DISPATCHER_SINK_SQLITE_SESSION_H

#include <sqlite3.h>

#include "common/base/bytes.h"
#include "common/base/error.h"

typedef struct sqlite_gate sqlite_gate_t;
typedef struct sqlite_session sqlite_session_t;

sqlite_gate_t *sqlite_gate_new(void);
void sqlite_gate_destroy(sqlite_gate_t **gate);

typedef struct {
    const char *path;
    bool is_synchronous_normal;
    bool creates_file; /* if it is not there */
    uint64_t busy_timeout_ms;
    sqlite_gate_t *gate; /* borrowed for the session's life */
} sqlite_session_options_t;

sluice_error_t sqlite_session_open(const sqlite_session_options_t *options,
                                   sqlite_session_t **session,
                                   error_report_t *report) SLUICE_MUST_USE;
void sqlite_session_close(sqlite_session_t **session);
void sqlite_session_interrupt(sqlite_session_t *session);
sqlite3 *sqlite_session_handle(sqlite_session_t *session);

/* BEGIN IMMEDIATE, in the file that is at the path. Every success is followed by commit or
 * rollback. */
sluice_error_t sqlite_session_begin(sqlite_session_t *session,
                                    error_report_t *report) SLUICE_MUST_USE;
/* A failed commit is rolled back. */
sluice_error_t sqlite_session_commit(sqlite_session_t *session,
                                     error_report_t *report) SLUICE_MUST_USE;
/* Does nothing outside a transaction. */
void sqlite_session_rollback(sqlite_session_t *session);
/* commit when `error` is SLUICE_OK, else rollback; returns what the transaction came to. */
sluice_error_t sqlite_session_end(sqlite_session_t *session, sluice_error_t error,
                                  error_report_t *report) SLUICE_MUST_USE;

/* Runs statements that give no rows. */
sluice_error_t sqlite_session_execute(sqlite_session_t *session, const char *sql,
                                      error_report_t *report) SLUICE_MUST_USE;
/* One statement, kept for many uses when `is_kept`. Finalized by the caller. */
sluice_error_t sqlite_session_prepare(sqlite_session_t *session, bytes_t sql, bool is_kept,
                                      sqlite3_stmt **statement,
                                      error_report_t *report) SLUICE_MUST_USE;
/* Runs a bound statement that gives no rows and resets it. */
sluice_error_t sqlite_session_step_done(sqlite_session_t *session, sqlite3_stmt *statement,
                                        error_report_t *report) SLUICE_MUST_USE;
/* The next row: *row false at the end, when the statement is reset. */
sluice_error_t sqlite_session_step_row(sqlite_session_t *session, sqlite3_stmt *statement,
                                       bool *row, error_report_t *report) SLUICE_MUST_USE;

/* Our code for a result code of SQLite, with its message in the report. */
sluice_error_t sqlite_session_failed(sqlite_session_t *session, int code, error_report_t *report);

#endif
