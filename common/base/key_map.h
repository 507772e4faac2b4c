/*
 * A hash map from 128-bit keys (ids) to pointers: open addressing, linear probing, deletion by
 * moving back, so that it never fills up with gravestones.
 *
 * Keys come from our own derivation or from random ids; they are mixed all the same, so that
 * small numbers do as well.
 *
 * Threads: one owner.
 */
#ifndef SLUICE_COMMON_BASE_KEY_MAP_H
#define SLUICE_COMMON_BASE_KEY_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t hi, lo;
} map_key_t;

typedef struct {
    map_key_t key;
    void *value; /* NULL: the slot is free */
} key_map_slot_t;

/* A value; all zero is an empty map. */
typedef struct {
    key_map_slot_t *slots;
    size_t mask; /* slots - 1; 0 with slots NULL */
    size_t count;
} key_map_t;

void key_map_clear(key_map_t *map); /* frees the slots, not the values */

/* NULL: not there. */
void *key_map_get(const key_map_t *map, map_key_t key);

/* Has the memory fetched that a look for the key some looks later will need. */
void key_map_prefetch(const key_map_t *map, map_key_t key);

/* `value` is not NULL. Returns what was there before, NULL if nothing; it is replaced. */
void *key_map_put(key_map_t *map, map_key_t key, void *value);

/* Takes the entry out and returns its value, NULL if there was none. */
void *key_map_take(key_map_t *map, map_key_t key);

/* Visits all entries: `at` starts at 0; NULL at the end. The map must not change meanwhile. */
void *key_map_next(const key_map_t *map, size_t *at);

#endif
