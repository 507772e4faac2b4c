/*
 * Pre-flight of a SQLite file: is it one, can it be written, does it have the tables.
 *
 * Threads: belongs to the session's thread.
 */
#ifndef SLUICE_DISPATCHER_SINK_SQLITE_CHECK_H
#define SLUICE_DISPATCHER_SINK_SQLITE_CHECK_H

#include "common/model/table_definition.h"
#include "dispatcher/sink/sqlite/session.h"

/* STRICT tables. */
#define SQLITE_VERSION_LEAST 3037000

/* Each table must be there with the same column names and with the row key as its primary key, or
 * is made (empty) when `creates_tables`. Every failure is a line of the report, as far as it has
 * room; the first one's code is returned. */
sluice_error_t sqlite_check_tables(sqlite_session_t *session,
                                   const table_definition_t *const *tables, uint32_t table_count,
                                   bool creates_tables, error_report_t *report) SLUICE_MUST_USE;

#endif
