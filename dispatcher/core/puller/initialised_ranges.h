/*
 * Which ranges of a span are initialised; says once when that is the whole span (ORACLE G6).
 *
 * Threads: one owner.
 */
#ifndef SLUICE_DISPATCHER_CORE_PULLER_INITIALISED_RANGES_H
#define SLUICE_DISPATCHER_CORE_PULLER_INITIALISED_RANGES_H

#include <stddef.h>

#include "dispatcher/core/puller/key_range.h"

/* A value; all zero: nothing is. */
typedef struct {
    key_range_t *ranges; /* in order, neither overlapping nor adjacent */
    size_t count, capacity;
    bool is_whole;
} initialised_ranges_t;

void initialised_ranges_clear(initialised_ranges_t *initialised);

/* `range`, a part of `span`, is initialised. True the first time that all of the span is. */
bool initialised_ranges_add(initialised_ranges_t *initialised, key_range_t span, key_range_t range);

#endif
