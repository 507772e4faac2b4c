/*
 * What has to be tried again, and when: one min-heap by due time, ties by priority, then first in.
 * Due work is handed over to the caller, one item at a time, and never run inside (ORACLE R3, R5,
 * R6).
 *
 * An item is embedded in what is to be tried again, so that it waits once at most: putting an item
 * that waits gives it its newest due time (a newer generation supersedes the older one), and
 * cancelling it costs a walk down the heap.
 *
 * Threads: one owner.
 */
#ifndef SLUICE_DISPATCHER_CORE_PULLER_RETRY_SCHEDULER_H
#define SLUICE_DISPATCHER_CORE_PULLER_RETRY_SCHEDULER_H

#include <stddef.h>

#include "common/base/time.h"
#include "dispatcher/core/puller/pull_priority.h"

/* All zero: does not wait. */
typedef struct {
    mono_ns_t due;
    pull_priority_t priority;
    uint64_t number; /* order of putting in */
    size_t place;    /* in the heap, from 1 on; 0: does not wait */
    int kind;        /* the caller's */
} retry_item_t;

/* All zero is an empty one. */
typedef struct {
    retry_item_t **heap;
    size_t count, capacity;
    uint64_t put;
} retry_scheduler_t;

/* The items are the caller's. */
void retry_scheduler_clear(retry_scheduler_t *scheduler);

/* `item` waits until `due`. Borrowed until it is taken or removed. */
void retry_scheduler_put(retry_scheduler_t *scheduler, retry_item_t *item, mono_ns_t due,
                         pull_priority_t priority);
/* Does nothing if it does not wait. */
void retry_scheduler_remove(retry_scheduler_t *scheduler, retry_item_t *item);

/* The first one that is due, which waits no longer; NULL: none. */
retry_item_t *retry_scheduler_take(retry_scheduler_t *scheduler, mono_ns_t now);
/* MONO_NEVER: nothing waits. */
mono_ns_t retry_scheduler_next_deadline(const retry_scheduler_t *scheduler);

#endif
