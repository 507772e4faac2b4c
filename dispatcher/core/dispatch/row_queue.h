/*
 * Rows of one span that wait to be written, in the order of the log, and how many of them go into
 * one transaction of the sink.
 *
 * Progress is a commit_ts, so what is written together ends where a source transaction ends. A
 * larger transaction comes in parts; those of a table with a key may be written apart, since to
 * repeat them does no harm. Without a key they are kept together (DESIGN §5, exactly once), up to
 * `parts_max`, which bounds the memory.
 *
 * Threads: one at a time.
 */
#ifndef SLUICE_DISPATCHER_CORE_DISPATCH_ROW_QUEUE_H
#define SLUICE_DISPATCHER_CORE_DISPATCH_ROW_QUEUE_H

#include "dispatcher/core/transaction.h"

typedef struct {
    transaction_t *transaction; /* owned */
    const table_rows_t *rows;   /* of the transaction */
} row_item_t;

/* All zero is empty. */
typedef struct {
    row_item_t *items;
    uint32_t first, count, capacity;
} row_queue_t;

/* What a batch may hold, of all spans. */
typedef struct {
    uint32_t parts_max;
    uint64_t bytes_max; /* the last rows that are added may be beyond */
} row_limits_t;

/* Takes over the reference. */
void row_queue_push(row_queue_t *queue, transaction_t *transaction, const table_rows_t *rows);
const row_item_t *row_queue_at(const row_queue_t *queue, uint32_t index);
/* The oldest leave; the caller has their references. */
void row_queue_pop(row_queue_t *queue, uint32_t count);
/* Drops all. Returns how many. */
uint32_t row_queue_clear(row_queue_t *queue);

/* Whether anything can be written: with a key always, else once a transaction's end is there. */
bool row_queue_is_ready(const row_queue_t *queue, const row_limits_t *limits);
/* How many of the oldest go together into a batch that holds `parts` and `bytes`. 0 from a queue
 * that is ready: they need a batch of their own. */
uint32_t row_queue_together(const row_queue_t *queue, const row_limits_t *limits, uint32_t parts,
                            uint64_t bytes);

#endif
