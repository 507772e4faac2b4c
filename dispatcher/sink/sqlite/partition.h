/*
 * DROP and TRUNCATE PARTITION on the SQLite side, where a table has no partitions: the rows that
 * the partitions held are deleted by the range or list that defined them.
 *
 * Threads: belongs to the session's thread.
 */
#ifndef SLUICE_DISPATCHER_SINK_SQLITE_PARTITION_H
#define SLUICE_DISPATCHER_SINK_SQLITE_PARTITION_H

#include "dispatcher/core/ddl/ddl_event.h"
#include "dispatcher/sink/sqlite/session.h"

/* Deletes the rows of the partitions that `ddl` names from the table of its first change, whose
 * name in the file is `name`. A partition that the table did not have is passed over (IF EXISTS).
 * SLUICE_ERROR_DDL_UNSUPPORTED, naming table and partition: its rows cannot be told from its
 * definition (core/ddl/partition_rows.h). */
sluice_error_t sqlite_delete_partitions(sqlite_session_t *session, const ddl_event_t *ddl,
                                        const char *name, error_report_t *report) SLUICE_MUST_USE;

#endif
