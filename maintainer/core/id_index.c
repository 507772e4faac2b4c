#include "maintainer/core/id_index.h"

#include <stdlib.h>

#include "common/base/memory.h"

enum { SLOTS_MIN = 16 };

static uint64_t mix(uint64_t x)
{
    /* Finaliser of splitmix64: every input bit reaches every output bit. */
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint32_t slot_of(const id_index_t *index, index_key_t key)
{
    return (uint32_t)mix(key.lo ^ mix(key.hi)) & index->mask;
}

void id_index_init(id_index_t *index, const void *owner, index_key_of_t key_of)
{
    *index = (id_index_t){.owner = owner, .key_of = key_of};
}

void id_index_clear(id_index_t *index)
{
    free(index->slots);
    index->slots = NULL;
    index->mask = index->count = 0;
}

static bool holds(const id_index_t *index, uint32_t slot, index_key_t key)
{
    index_key_t held = index->key_of(index->owner, index->slots[slot] - 1);
    return held.lo == key.lo && held.hi == key.hi;
}

uint32_t id_index_find(const id_index_t *index, index_key_t key)
{
    if (index->count == 0)
        return ID_INDEX_NONE;
    for (uint32_t slot = slot_of(index, key); index->slots[slot]; slot = (slot + 1) & index->mask)
        if (holds(index, slot, key))
            return index->slots[slot] - 1;
    return ID_INDEX_NONE;
}

void id_index_prefetch(const id_index_t *index, index_key_t key)
{
    if (index->count > 0)
        __builtin_prefetch(&index->slots[slot_of(index, key)]);
}

uint32_t id_index_guess(const id_index_t *index, index_key_t key)
{
    uint32_t held = index->count > 0 ? index->slots[slot_of(index, key)] : 0;
    return held ? held - 1 : ID_INDEX_NONE;
}

static void put(id_index_t *index, uint32_t number)
{
    uint32_t slot = slot_of(index, index->key_of(index->owner, number));
    while (index->slots[slot])
        slot = (slot + 1) & index->mask;
    index->slots[slot] = number + 1;
}

static void grow(id_index_t *index)
{
    uint32_t *old = index->slots;
    size_t old_count = old ? (size_t)index->mask + 1 : 0;
    size_t count = old_count ? old_count * 2 : SLOTS_MIN;
    index->slots = memory_zalloc(count * sizeof *index->slots);
    index->mask = (uint32_t)(count - 1);
    for (size_t i = 0; i < old_count; i++)
        if (old[i])
            put(index, old[i] - 1);
    free(old);
}

void id_index_insert(id_index_t *index, uint32_t number)
{
    size_t slots = index->slots ? (size_t)index->mask + 1 : 0;
    if (((size_t)index->count + 1) * 10 > slots * 7)
        grow(index);
    put(index, number);
    index->count++;
}

/* Moves later members of the probe sequence back over the hole, so that no search stops at it. */
static void close_hole(id_index_t *index, uint32_t hole)
{
    for (uint32_t slot = (hole + 1) & index->mask; index->slots[slot];
         slot = (slot + 1) & index->mask) {
        uint32_t home = slot_of(index, index->key_of(index->owner, index->slots[slot] - 1));
        if (((slot - home) & index->mask) >= ((slot - hole) & index->mask)) {
            index->slots[hole] = index->slots[slot];
            hole = slot;
        }
    }
    index->slots[hole] = 0;
}

void id_index_remove(id_index_t *index, index_key_t key)
{
    if (index->count == 0)
        return;
    uint32_t slot = slot_of(index, key);
    while (index->slots[slot] && !holds(index, slot, key))
        slot = (slot + 1) & index->mask;
    if (!index->slots[slot])
        return;
    index->count--;
    close_hole(index, slot);
}
