#include "dispatcher/core/status/status_key_set.h"

#include <stdlib.h>
#include <uthash.h>

#include "common/base/memory.h"

/* Hashed as bytes: no padding. */
typedef struct {
    const status_slot_t *slot;
    uint64_t commit_ts;
    uint32_t is_syncpoint;
    uint32_t stage;
} entry_key_t;

struct status_key_entry {
    entry_key_t key;
    uint32_t copies;
    UT_hash_handle hh;
};

static entry_key_t entry_key(const status_slot_t *slot, event_key_t key, block_stage_t stage)
{
    return (entry_key_t){.slot = slot,
                         .commit_ts = key.commit_ts.v,
                         .is_syncpoint = key.is_syncpoint,
                         .stage = (uint32_t)stage};
}

static status_key_entry_t *find(const status_key_set_t *set, const entry_key_t *key)
{
    status_key_entry_t *entry = NULL;
    HASH_FIND(hh, set->entries, key, sizeof *key, entry);
    return entry;
}

void status_key_set_add(status_key_set_t *set, const status_slot_t *slot, event_key_t key,
                        block_stage_t stage)
{
    entry_key_t wanted = entry_key(slot, key, stage);
    status_key_entry_t *entry = find(set, &wanted);
    if (!entry) {
        entry = memory_zalloc(sizeof *entry);
        entry->key = wanted;
        HASH_ADD(hh, set->entries, key, sizeof entry->key, entry);
    }
    entry->copies++;
}

bool status_key_set_remove(status_key_set_t *set, const status_slot_t *slot, event_key_t key,
                           block_stage_t stage)
{
    entry_key_t wanted = entry_key(slot, key, stage);
    status_key_entry_t *entry = find(set, &wanted);
    if (!entry)
        return false;
    if (--entry->copies == 0) {
        HASH_DELETE(hh, set->entries, entry);
        free(entry);
    }
    return true;
}

bool status_key_set_has(const status_key_set_t *set, const status_slot_t *slot, event_key_t key,
                        block_stage_t stage)
{
    if (!set->entries)
        return false;
    entry_key_t wanted = entry_key(slot, key, stage);
    return find(set, &wanted) != NULL;
}

size_t status_key_set_count(const status_key_set_t *set)
{
    return HASH_COUNT(set->entries);
}

void status_key_set_clear(status_key_set_t *set)
{
    status_key_entry_t *entry = NULL, *next = NULL;
    HASH_ITER(hh, set->entries, entry, next)
    {
        HASH_DELETE(hh, set->entries, entry);
        free(entry);
    }
}
