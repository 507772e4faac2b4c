/*
 * ALTER TABLE on the SQLite side: from one definition of a table to the next, inside a transaction.
 *
 * Where all values stay as they are, columns are dropped, renamed and added directly, indexes made
 * and removed. Where a value changes its form or the key that identifies rows changes, the table is
 * built anew: CREATE, INSERT … SELECT with conversions (convert.h), DROP, RENAME. The place of a
 * column (FIRST, AFTER) has no meaning here, since every statement names its columns.
 *
 * Threads: belongs to the session's thread.
 */
#ifndef SLUICE_DISPATCHER_SINK_SQLITE_ALTER_H
#define SLUICE_DISPATCHER_SINK_SQLITE_ALTER_H

#include "dispatcher/core/ddl/ddl_event.h"
#include "dispatcher/sink/sqlite/convert.h"
#include "dispatcher/sink/sqlite/session.h"

/* Borrowed for one DDL; results of conversions live in `convert.arena`. */
typedef struct {
    sqlite_session_t *session;
    arena_t *arena;
    convert_context_t convert;
} sqlite_alter_context_t;

/* `name` is the table's present name in the file. SLUICE_ERROR_DDL_UNSUPPORTED for what cannot be
 * carried, by name; the transaction must be rolled back after any error. */
sluice_error_t sqlite_alter_table(const sqlite_alter_context_t *context, const char *name,
                                  const table_change_t *change,
                                  error_report_t *report) SLUICE_MUST_USE;

/* CREATE TABLE `name` with its indexes. */
sluice_error_t sqlite_create_table(const sqlite_alter_context_t *context,
                                   const table_definition_t *definition, const char *name,
                                   error_report_t *report) SLUICE_MUST_USE;

#endif
