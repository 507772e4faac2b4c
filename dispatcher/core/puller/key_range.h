/*
 * Ranges of memcomparable primary keys: [start, end), an empty end is unbounded.
 *
 * Threads: values. Keys are borrowed unless the range was made by key_range_copy.
 */
#ifndef SLUICE_DISPATCHER_CORE_PULLER_KEY_RANGE_H
#define SLUICE_DISPATCHER_CORE_PULLER_KEY_RANGE_H

#include "common/base/bytes.h"

typedef struct {
    bytes_t start, end;
} key_range_t;

/* Order of two ends: unbounded is behind every key. */
int key_end_compare(bytes_t a, bytes_t b);

/* Whether the key `at` lies at or behind the end. */
bool key_is_behind(bytes_t at, bytes_t end);

/* No key is in it. */
bool key_range_is_empty(key_range_t range);
bool key_range_equal(key_range_t a, key_range_t b);

/* What both have in common; perhaps empty. */
key_range_t key_range_clip(key_range_t range, key_range_t within);

/* A range with keys of its own, to be given back with key_range_clear. */
key_range_t key_range_copy(key_range_t range);
void key_range_clear(key_range_t *range);

#endif
