/*
 * How the rows of one version of a table are written, with the statements prepared for it; and a
 * bounded cache of them for one connection.
 *
 * Threads: that of its session.
 */
#ifndef SLUICE_DISPATCHER_SINK_MARIADB_TABLE_H
#define SLUICE_DISPATCHER_SINK_MARIADB_TABLE_H

#include "dispatcher/sink/mariadb/session.h"
#include "dispatcher/sink/row_batch.h"

typedef struct mariadb_table_cache mariadb_table_cache_t;

/* Tables whose statements a connection keeps; the least recently used goes first. The server counts
 * prepared statements of all connections (max_prepared_stmt_count, 16,382). */
#define MARIADB_TABLES_CACHED_MAX 256

/* Borrows `session` until the end. */
mariadb_table_cache_t *mariadb_table_cache_new(mariadb_session_t *session);
void mariadb_table_cache_destroy(mariadb_table_cache_t **cache);

/* Writes a batch within the open transaction: deletes, then upserts; for a table without a key each
 * change in its order. What is bound is allocated from `arena`. */
sluice_error_t mariadb_table_write(mariadb_table_cache_t *cache, const row_batch_t *batch,
                                   arena_t *arena, error_report_t *report) SLUICE_MUST_USE;

/* Why rows of such a table cannot be carried, NULL if they can. */
const char *mariadb_table_refusal(const table_definition_t *definition);

#endif
