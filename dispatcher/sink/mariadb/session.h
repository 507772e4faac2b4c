/*
 * One connection to a MariaDB sink with the settings under which bytes arrive as they were logged
 * (MARIADB.md §9): client charset binary, UTC, no value refused for its mode, autocommit off.
 * Never reconnects by itself within a transaction: when the connection is lost the call fails with
 * SLUICE_ERROR_SINK_CONNECTION, and the next mariadb_session_open starts a new one.
 *
 * Threads: one owner; mariadb_session_interrupt alone from any thread.
 */
#ifndef SLUICE_DISPATCHER_SINK_MARIADB_SESSION_H
#define SLUICE_DISPATCHER_SINK_MARIADB_SESSION_H

#include <mysql.h>

#include "common/base/arena.h"
#include "common/runtime/uri.h"
#include "dispatcher/sink/sql_text.h"

typedef struct mariadb_session mariadb_session_t;

/* Where the sink is. All text is borrowed from whoever parsed the URI. */
typedef struct {
    const char *host, *user, *password, *socket;
    uint16_t port;
    bool uses_tls;
    const char *tls_ca, *tls_certificate, *tls_key;
} mariadb_endpoint_t;

/* mariadb://user[:password]@host[:port]/[?socket=F&password-file=F&tls=1&tls-ca=F&tls-cert=F&
 * tls-key=F]; a password that is not in it comes from SLUICE_SINK_PASSWORD. Text lives in `arena`.
 * SLUICE_ERROR_CONFIGURATION. May read the password file. */
sluice_error_t mariadb_endpoint_parse(const char *uri, arena_t *arena, mariadb_endpoint_t *endpoint,
                                      error_report_t *report) SLUICE_MUST_USE;

typedef enum {
    MARIADB_SESSION_ROWS, /* text is bytes, a lock is waited for one second */
    MARIADB_SESSION_DDL   /* text is UTF-8, statements may take hours */
} mariadb_session_kind_t;

/* Borrows `endpoint` until the end. Does not connect. */
mariadb_session_t *mariadb_session_new(const mariadb_endpoint_t *endpoint,
                                       mariadb_session_kind_t kind);
void mariadb_session_destroy(mariadb_session_t **session);

/* Connects unless it is connected. Blocks at most about 10 s. */
sluice_error_t mariadb_session_open(mariadb_session_t *session,
                                    error_report_t *report) SLUICE_MUST_USE;
void mariadb_session_close(mariadb_session_t *session);
bool mariadb_session_is_open(const mariadb_session_t *session);
/* Ends whatever the owner is blocked in on this connection, with SLUICE_ERROR_SINK_CONNECTION. */
void mariadb_session_interrupt(mariadb_session_t *session);

/* SLUICE_ERROR_SINK_CONNECTION when it is not open: any statement before, a ROLLBACK too, may have
 * found the connection lost. What runs statements asks this itself. */
sluice_error_t mariadb_session_check(mariadb_session_t *session,
                                     error_report_t *report) SLUICE_MUST_USE;

/* Only while open. */
MYSQL *mariadb_session_handle(mariadb_session_t *session);
uint64_t mariadb_session_packet_max(const mariadb_session_t *session); /* max_allowed_packet */
/* Grows with each new connection: whatever was prepared under another number is gone. */
uint64_t mariadb_session_number(const mariadb_session_t *session);

/* One statement without a result set; `affected` (may be NULL) counts matched rows. */
sluice_error_t mariadb_session_run(mariadb_session_t *session, const char *sql, uint64_t *affected,
                                   error_report_t *report) SLUICE_MUST_USE;
/* The same for bytes that may hold NUL, or long ones. */
sluice_error_t mariadb_session_run_bytes(mariadb_session_t *session, bytes_t sql,
                                         error_report_t *report) SLUICE_MUST_USE;
/* One statement with a result set, stored whole; the caller frees it with mysql_free_result. */
sluice_error_t mariadb_session_select(mariadb_session_t *session, const char *sql,
                                      MYSQL_RES **result, error_report_t *report) SLUICE_MUST_USE;
sluice_error_t mariadb_session_commit(mariadb_session_t *session,
                                      error_report_t *report) SLUICE_MUST_USE;
/* A failure closes the connection, which rolls back as well. */
void mariadb_session_rollback(mariadb_session_t *session);

/* Makes a report of the connection's last error, classified; closes the connection if it is lost.
 */
sluice_error_t mariadb_session_failed(mariadb_session_t *session, const char *doing,
                                      error_report_t *report) SLUICE_MUST_USE;
/* The same for a prepared statement. */
sluice_error_t mariadb_session_statement_failed(mariadb_session_t *session, MYSQL_STMT *statement,
                                                const char *doing,
                                                error_report_t *report) SLUICE_MUST_USE;
/* Number of the last error that was reported, 0: none yet. */
unsigned mariadb_session_last_error(const mariadb_session_t *session);

#endif
