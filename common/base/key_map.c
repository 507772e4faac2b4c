#include "common/base/key_map.h"

#include <stdlib.h>

#include "common/base/memory.h"

#define SLOTS_FIRST 16

/* The finaliser of MurmurHash3 over both halves. */
static uint64_t mix(map_key_t key)
{
    uint64_t hash = key.lo ^ (key.hi * UINT64_C(0x9e3779b97f4a7c15));
    hash ^= hash >> 33;
    hash *= UINT64_C(0xff51afd7ed558ccd);
    hash ^= hash >> 33;
    hash *= UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ hash >> 33;
}

static bool same(map_key_t a, map_key_t b)
{
    return a.hi == b.hi && a.lo == b.lo;
}

void key_map_clear(key_map_t *map)
{
    free(map->slots);
    *map = (key_map_t){0};
}

/* The slot that holds the key, or the free one where it belongs. */
static key_map_slot_t *find(const key_map_t *map, map_key_t key)
{
    size_t at = mix(key) & map->mask;
    while (map->slots[at].value && !same(map->slots[at].key, key))
        at = (at + 1) & map->mask;
    return &map->slots[at];
}

static void grow(key_map_t *map)
{
    key_map_t larger = {.count = map->count};
    size_t size = map->slots ? (map->mask + 1) * 2 : SLOTS_FIRST;
    larger.mask = size - 1;
    larger.slots = memory_zalloc(size * sizeof *larger.slots);
    for (size_t i = 0; map->slots && i <= map->mask; i++) {
        if (map->slots[i].value)
            *find(&larger, map->slots[i].key) = map->slots[i];
    }
    free(map->slots);
    *map = larger;
}

void *key_map_get(const key_map_t *map, map_key_t key)
{
    return map->slots ? find(map, key)->value : NULL;
}

void key_map_prefetch(const key_map_t *map, map_key_t key)
{
    if (map->slots)
        __builtin_prefetch(&map->slots[mix(key) & map->mask]);
}

void *key_map_put(key_map_t *map, map_key_t key, void *value)
{
    if (!map->slots || (map->count + 1) * 4 > (map->mask + 1) * 3)
        grow(map);
    key_map_slot_t *slot = find(map, key);
    void *before = slot->value;
    if (!before)
        map->count++;
    *slot = (key_map_slot_t){.key = key, .value = value};
    return before;
}

void *key_map_take(key_map_t *map, map_key_t key)
{
    if (!map->slots)
        return NULL;
    key_map_slot_t *slot = find(map, key);
    void *value = slot->value;
    if (!value)
        return NULL;
    size_t hole = (size_t)(slot - map->slots);
    for (size_t at = (hole + 1) & map->mask; map->slots[at].value; at = (at + 1) & map->mask) {
        size_t home = mix(map->slots[at].key) & map->mask;
        if (((at - home) & map->mask) >= ((at - hole) & map->mask)) {
            map->slots[hole] = map->slots[at];
            hole = at;
        }
    }
    map->slots[hole].value = NULL;
    map->count--;
    return value;
}

void *key_map_next(const key_map_t *map, size_t *at)
{
    while (map->slots && *at <= map->mask) {
        void *value = map->slots[(*at)++].value;
        if (value)
            return value;
    }
    return NULL;
}
