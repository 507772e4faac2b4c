/*
 * Waiting for Sluice's own rows and locks in the sink without waiting for the dead: whoever holds
 * one for more than a second is an owner that was cut off or stopped, and its connection is killed
 * (DESIGN §5, Fencing).
 */
#ifndef SLUICE_DISPATCHER_SINK_MARIADB_WAIT_H
#define SLUICE_DISPATCHER_SINK_MARIADB_WAIT_H

#include "dispatcher/sink/mariadb/session.h"

/* Runs a statement that locks rows of Sluice's own tables and nothing else; the connections that
 * hold them are killed after one second. `result` NULL: a statement without result set. After 15 s:
 * SLUICE_ERROR_SINK_BUSY. */
sluice_error_t mariadb_wait_rows(mariadb_session_t *session, const mariadb_endpoint_t *endpoint,
                                 const char *sql, MYSQL_RES **result,
                                 error_report_t *report) SLUICE_MUST_USE;

/* Takes the named lock for this connection. A holder that executes is waited for a while, then
 * SLUICE_ERROR_SINK_BUSY; one that has slept for more than a second is killed. */
sluice_error_t mariadb_wait_lock(mariadb_session_t *session, const char *name,
                                 error_report_t *report) SLUICE_MUST_USE;

#endif
