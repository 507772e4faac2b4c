/*
 * A queue of references to entries of the tail in commit_ts order, where each place keeps its
 * number for good: readers hold the number of the next item they want while others push behind and
 * forget in front.
 *
 * Threads: one owner.
 */
#ifndef SLUICE_DISPATCHER_CORE_ITEM_QUEUE_H
#define SLUICE_DISPATCHER_CORE_ITEM_QUEUE_H

#include "dispatcher/core/feed_item.h"

typedef struct tail_entry tail_entry_t;

typedef struct {
    tail_entry_t *entry;
    const table_rows_t *rows; /* of the entry's transaction; NULL: DDL or sync point */
    commit_ts_t commit_ts;
} queue_item_t;

/* A value; all zero is an empty queue. */
typedef struct {
    queue_item_t *items; /* a ring of a power of two */
    uint32_t mask;
    uint32_t count;
    uint64_t first; /* number of the first item */
} item_queue_t;

void item_queue_clear(item_queue_t *queue); /* frees; gives no entry back */
void item_queue_push(item_queue_t *queue, const queue_item_t *item);
/* The queue is not empty. */
queue_item_t item_queue_pop(item_queue_t *queue);

static inline uint64_t item_queue_end(const item_queue_t *queue)
{
    return queue->first + queue->count;
}

/* The item of that number, which must be in [first, end). */
static inline const queue_item_t *item_queue_at(const item_queue_t *queue, uint64_t number)
{
    return &queue->items[number & queue->mask];
}

/* The number of the first item whose commit_ts is at or above `from`; the end if there is none. */
uint64_t item_queue_find(const item_queue_t *queue, commit_ts_t from);

#endif
