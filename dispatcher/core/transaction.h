/*
 * One source transaction (or a part of a very large one) as it lies in the tail: the row events of
 * each carried table, not yet decoded, so that the reader stays cheap and whoever writes a table
 * decodes its rows in its own thread (dispatcher/core/binlog/rows.h). Immutable and shared by
 * reference count.
 *
 * Rolled-back rows (ROLLBACK TO SAVEPOINT, a group that ends in ROLLBACK) are not in it.
 *
 * Threads: built by the reader's thread, then read by any; the count is atomic.
 */
#ifndef SLUICE_DISPATCHER_CORE_TRANSACTION_H
#define SLUICE_DISPATCHER_CORE_TRANSACTION_H

#include <stdatomic.h>

#include "common/base/time.h"
#include "common/model/table_definition.h"
#include "common/model/value.h"

typedef struct table_map table_map_t; /* dispatcher/core/binlog/table_map.h */

/* One ROWS event: `body` starts behind the 19-byte header and has neither checksum nor compression.
 */
typedef struct {
    row_kind_t kind;
    const table_map_t *map;
    bytes_t body;
} rows_event_t;

/* All row events of one table in one transaction, in order. */
typedef struct {
    const table_definition_t *definition;
    const rows_event_t *events;
    uint32_t event_count;
    size_t bytes;
    bool continues; /* a later part of the transaction has more rows of this table */
} table_rows_t;

typedef struct {
    atomic_uint references;
    arena_t arena;
    commit_ts_t commit_ts;
    wall_ms_t commit_time;
    const table_rows_t *tables;
    uint32_t table_count;
    const table_map_t *const *maps; /* each map its events use, one reference each */
    uint32_t map_count;
    size_t bytes;       /* what it holds in memory */
    bool is_first_part; /* both true unless the transaction was larger than the reader's limit and
                           came in parts; a table need not have rows in all of them */
    bool is_last_part;
} transaction_t;

transaction_t *transaction_new(void);
transaction_t *transaction_ref(transaction_t *transaction);
/* Sets *transaction to NULL; NULL is allowed. Gives the references of definitions and
 * maps back with the last one. */
void transaction_unref(transaction_t **transaction);

#endif
