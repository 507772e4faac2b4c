#include "dispatcher/sink/row_net.h"

#include <xxhash.h>

#define ENTRIES_AT_FIRST 64
#define SLOT_EMPTY UINT32_MAX

/* What has become of one key. */
typedef struct {
    uint64_t hash;
    const value_t *image; /* holds the key; the row itself unless it is gone */
    bool is_gone;
} entry_t;

struct row_net {
    arena_t *arena;
    const table_definition_t *definition;
    const key_definition_t *key;
    entry_t *entries;
    uint32_t entry_count, entry_room;
    uint32_t *slots; /* open addressing, twice as many as there is room for entries */
    uint32_t slot_mask;
    row_change_t *changes;
    uint32_t change_count, change_room;
    uint64_t source_rows;
};

static void *array_grown(arena_t *arena, const void *array, uint32_t count, uint32_t room,
                         size_t size)
{
    char *grown = arena_alloc(arena, (size_t)room * size);
    if (count > 0)
        memcpy(grown, array, (size_t)count * size);
    return grown;
}

static uint64_t hash_mixed(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 32);
}

static uint64_t hash_temporal(uint64_t hash, const temporal_t *temporal)
{
    uint64_t day = (uint64_t)temporal->year << 16 | (uint64_t)temporal->month << 8 | temporal->day;
    uint64_t time = (uint64_t)temporal->hour << 16 | (uint64_t)temporal->minute << 8 |
                    (uint64_t)temporal->second | (uint64_t)temporal->negative << 63;
    return hash_mixed(hash_mixed(hash_mixed(hash, day), time), temporal->microsecond);
}

static uint64_t hash_value(uint64_t hash, const value_t *value)
{
    uint64_t word = 0;
    switch (value->kind) {
    case VALUE_NULL:
        return hash_mixed(hash, 1);
    case VALUE_INT:
    case VALUE_UINT:
    case VALUE_BIT:
    case VALUE_ENUM:
    case VALUE_SET:
        return hash_mixed(hash, value->u64);
    case VALUE_FLOAT:
        memcpy(&word, &value->f32, sizeof value->f32);
        return hash_mixed(hash, word);
    case VALUE_DOUBLE:
        memcpy(&word, &value->f64, sizeof value->f64);
        return hash_mixed(hash, word);
    case VALUE_DECIMAL:
    case VALUE_TEXT:
    case VALUE_BINARY:
    case VALUE_GEOMETRY:
        return XXH3_64bits_withSeed(value->bytes.data, value->bytes.len, hash);
    case VALUE_DATE:
    case VALUE_TIME:
    case VALUE_DATETIME:
    case VALUE_TIMESTAMP:
        return hash_temporal(hash, &value->temporal);
    }
    return hash;
}

static uint64_t key_hash(const key_definition_t *key, const value_t *image)
{
    uint64_t hash = UINT64_C(0x51edc0de);
    for (uint32_t i = 0; i < key->part_count; i++)
        hash = hash_value(hash, &image[key->parts[i].column]);
    return hash;
}

static bool key_equal(const key_definition_t *key, const value_t *a, const value_t *b)
{
    for (uint32_t i = 0; i < key->part_count; i++) {
        uint32_t column = key->parts[i].column;
        if (!value_equal(&a[column], &b[column]))
            return false;
    }
    return true;
}

static void slot_put(row_net_t *net, uint64_t hash, uint32_t entry)
{
    uint32_t slot = (uint32_t)hash & net->slot_mask;
    while (net->slots[slot] != SLOT_EMPTY)
        slot = (slot + 1) & net->slot_mask;
    net->slots[slot] = entry;
}

static void index_grow(row_net_t *net)
{
    net->entry_room = net->entry_room ? net->entry_room * 2 : ENTRIES_AT_FIRST;
    net->entries = array_grown(net->arena, net->entries, net->entry_count, net->entry_room,
                               sizeof *net->entries);
    uint32_t slot_count = net->entry_room * 2;
    net->slots = arena_alloc(net->arena, (size_t)slot_count * sizeof *net->slots);
    net->slot_mask = slot_count - 1;
    memset(net->slots, 0xff, (size_t)slot_count * sizeof *net->slots);
    for (uint32_t i = 0; i < net->entry_count; i++)
        slot_put(net, net->entries[i].hash, i);
}

/* Says what has become of the row that `image` names by its key. */
static void key_set(row_net_t *net, const value_t *image, bool is_gone)
{
    uint64_t hash = key_hash(net->key, image);
    if (net->entry_count == net->entry_room)
        index_grow(net);
    uint32_t slot = (uint32_t)hash & net->slot_mask;
    for (; net->slots[slot] != SLOT_EMPTY; slot = (slot + 1) & net->slot_mask) {
        entry_t *entry = &net->entries[net->slots[slot]];
        if (entry->hash == hash && key_equal(net->key, entry->image, image)) {
            entry->image = image;
            entry->is_gone = is_gone;
            return;
        }
    }
    net->slots[slot] = net->entry_count;
    net->entries[net->entry_count++] = (entry_t){.hash = hash, .image = image, .is_gone = is_gone};
}

static void change_append(row_net_t *net, const row_change_t *change)
{
    if (net->change_count == net->change_room) {
        net->change_room = net->change_room ? net->change_room * 2 : ENTRIES_AT_FIRST;
        net->changes = array_grown(net->arena, net->changes, net->change_count, net->change_room,
                                   sizeof *net->changes);
    }
    net->changes[net->change_count++] = *change;
}

row_net_t *row_net_new(arena_t *arena, const table_definition_t *definition)
{
    row_net_t *net = arena_zalloc(arena, sizeof *net);
    net->arena = arena;
    net->definition = definition;
    net->key = table_definition_row_key(definition);
    return net;
}

void row_net_add(row_net_t *net, const row_change_t *change)
{
    net->source_rows++;
    if (!net->key) {
        change_append(net, change);
        return;
    }
    switch (change->kind) {
    case ROW_INSERT:
        key_set(net, change->after, false);
        return;
    case ROW_UPDATE:
        if (!key_equal(net->key, change->before, change->after))
            key_set(net, change->before, true);
        key_set(net, change->after, false);
        return;
    case ROW_DELETE:
        key_set(net, change->before, true);
        return;
    }
}

void row_net_finish(row_net_t *net, row_batch_t *batch)
{
    *batch = (row_batch_t){.definition = net->definition,
                           .key = net->key,
                           .changes = net->changes,
                           .change_count = net->change_count,
                           .source_rows = net->source_rows};
    const value_t **images = arena_alloc(net->arena, net->entry_count * sizeof *images);
    for (uint32_t i = 0; i < net->entry_count; i++) {
        if (net->entries[i].is_gone)
            images[batch->delete_count++] = net->entries[i].image;
    }
    batch->deletes = images;
    batch->upserts = images + batch->delete_count;
    for (uint32_t i = 0; i < net->entry_count; i++) {
        if (!net->entries[i].is_gone)
            images[batch->delete_count + batch->upsert_count++] = net->entries[i].image;
    }
}
