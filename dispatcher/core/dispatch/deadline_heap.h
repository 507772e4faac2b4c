/*
 * Members by the time at which each wants to be looked at: a binary min-heap whose members know
 * their place, so that a change costs O(log n) and an append in rising order O(1).
 *
 * Threads: one at a time.
 */
#ifndef SLUICE_DISPATCHER_CORE_DISPATCH_DEADLINE_HEAP_H
#define SLUICE_DISPATCHER_CORE_DISPATCH_DEADLINE_HEAP_H

#include "common/base/time.h"

/* Part of a member; all zero: in no heap. */
typedef struct {
    uint32_t place; /* index + 1 */
} deadline_node_t;

typedef struct {
    mono_ns_t deadline;
    deadline_node_t *node;
} deadline_entry_t;

/* All zero is an empty heap. */
typedef struct {
    deadline_entry_t *entries;
    uint32_t count, capacity;
} deadline_heap_t;

/* MONO_NEVER takes the node out. */
void deadline_heap_set(deadline_heap_t *heap, deadline_node_t *node, mono_ns_t deadline);
mono_ns_t deadline_heap_next(const deadline_heap_t *heap); /* MONO_NEVER: empty */
/* The member that is due first, taken out; NULL: none is due. */
deadline_node_t *deadline_heap_take_due(deadline_heap_t *heap, mono_ns_t now);
void deadline_heap_clear(deadline_heap_t *heap);

#endif
