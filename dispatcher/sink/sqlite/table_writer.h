/*
 * Row changes into the tables of the SQLite file: prepared statements by table, kept while the
 * definition stays the same.
 *
 * A table with a key gets deletes by key, then upserts; a table without one gets each change in
 * order, where a delete or update takes one row that equals the before image in every column.
 *
 * Threads: belongs to its session's thread.
 */
#ifndef SLUICE_DISPATCHER_SINK_SQLITE_TABLE_WRITER_H
#define SLUICE_DISPATCHER_SINK_SQLITE_TABLE_WRITER_H

#include "dispatcher/sink/row_batch.h"
#include "dispatcher/sink/sqlite/session.h"

typedef struct sqlite_table_writer sqlite_table_writer_t;

/* How many tables keep their statements; more only take more time. */
#define SQLITE_TABLE_WRITER_PLANS 512

/* `session` is borrowed for the writer's life. */
sqlite_table_writer_t *sqlite_table_writer_new(sqlite_session_t *session);
void sqlite_table_writer_destroy(sqlite_table_writer_t **writer);

/* Inside a transaction. SLUICE_ERROR_SCHEMA_MISMATCH: the file's table has not these columns, or
 * (table without a key) no row equals a before image; others as the session reports them. */
sluice_error_t sqlite_table_writer_apply(sqlite_table_writer_t *writer, const row_batch_t *batch,
                                         error_report_t *report) SLUICE_MUST_USE;

/* Bytes of text that became U+FFFD. */
uint64_t sqlite_table_writer_replaced(const sqlite_table_writer_t *writer);

#endif
