/*
 * From an id (128 or 64 bits) to a dense number: an open-addressed table that stores only the
 * numbers, 4 bytes a slot; the key of a number is asked from its owner. Linear probing, deletion
 * without tombstones, so a long life of inserts and removals does not slow it down.
 *
 * Threads: one at a time.
 */
#ifndef SLUICE_MAINTAINER_CORE_ID_INDEX_H
#define SLUICE_MAINTAINER_CORE_ID_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t hi, lo;
} index_key_t;

/* The key of a number that is in the index. */
typedef index_key_t (*index_key_of_t)(const void *owner, uint32_t number);

#define ID_INDEX_NONE UINT32_MAX

typedef struct {
    uint32_t *slots; /* number + 1, 0: empty */
    uint32_t mask;   /* slots - 1; 0: no memory yet */
    uint32_t count;
    index_key_of_t key_of;
    const void *owner;
} id_index_t;

void id_index_init(id_index_t *index, const void *owner, index_key_of_t key_of);
void id_index_clear(id_index_t *index);

/* ID_INDEX_NONE when the key is not there. */
uint32_t id_index_find(const id_index_t *index, index_key_t key);

/* Looks for many keys find the memory they need on its way if each is announced some looks before:
 * first its slot, then, some looks later, the number that is probably its own (ID_INDEX_NONE:
 * none), so that the owner can announce that. */
void id_index_prefetch(const id_index_t *index, index_key_t key);
uint32_t id_index_guess(const id_index_t *index, index_key_t key);

/* The key must not be there; the owner must already answer for `number`. */
void id_index_insert(id_index_t *index, uint32_t number);

/* No effect when the key is not there. */
void id_index_remove(id_index_t *index, index_key_t key);

#endif
