#include "dispatcher/core/ddl/schema_store.h"

#include <stdlib.h>
#include <xxhash.h>

#include "common/base/key_map.h"
#include "common/base/memory.h"
#include "dispatcher/core/ddl/definition_shapes.h"

typedef struct {
    table_version_t *versions; /* ascending by from */
    uint32_t count, capacity;
    map_key_t key;
} table_entry_t;

typedef struct {
    char *name;
    schema_version_t *versions;
    uint32_t count, capacity;
} schema_entry_t;

/* A table that got a further version: what it had before can go once this is persisted. */
typedef struct {
    commit_ts_t at;
    map_key_t key;
} replaced_t;

struct schema_store {
    key_map_t tables;  /* table_entry_t */
    key_map_t schemas; /* schema_entry_t */
    arena_t texts;     /* charset names */
    definition_shapes_t shapes;
    bool has_old_schemas; /* some schema has more than one version */
    replaced_t *replaced; /* ring, ascending by at */
    size_t replaced_first, replaced_count, replaced_capacity;
};

static map_key_t table_key(bytes_t schema, bytes_t name)
{
    uint64_t seed = XXH3_64bits(schema.data, schema.len);
    XXH128_hash_t hash = XXH3_128bits_withSeed(name.data, name.len, seed);
    return (map_key_t){hash.high64, hash.low64};
}

static map_key_t schema_key(bytes_t schema)
{
    return table_key(schema, bytes_of("", 0));
}

schema_store_t *schema_store_new(void)
{
    return memory_zalloc(sizeof(schema_store_t));
}

static void entry_destroy(table_entry_t *entry)
{
    for (uint32_t i = 0; i < entry->count; i++)
        table_definition_unref(&entry->versions[i].definition);
    free(entry->versions);
    free(entry);
}

void schema_store_destroy(schema_store_t **store)
{
    schema_store_t *self = *store;
    *store = NULL;
    if (!self)
        return;
    size_t at = 0;
    table_entry_t *table;
    while ((table = key_map_next(&self->tables, &at)))
        entry_destroy(table);
    at = 0;
    schema_entry_t *schema;
    while ((schema = key_map_next(&self->schemas, &at))) {
        free(schema->name);
        free(schema->versions);
        free(schema);
    }
    key_map_clear(&self->tables);
    key_map_clear(&self->schemas);
    arena_clear(&self->texts);
    definition_shapes_clear(&self->shapes);
    free(self->replaced);
    free(self);
}

static void *grow(void *items, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity ? *capacity * 2 : 1;
    return memory_realloc(items, *capacity * size);
}

static void note_replaced(schema_store_t *store, commit_ts_t at, map_key_t key)
{
    if (store->replaced_count == store->replaced_capacity) {
        size_t capacity = store->replaced_capacity ? store->replaced_capacity * 2 : 64;
        replaced_t *ring = memory_alloc(capacity * sizeof *ring);
        for (size_t i = 0; i < store->replaced_count; i++)
            ring[i] = store->replaced[(store->replaced_first + i) % store->replaced_capacity];
        free(store->replaced);
        store->replaced = ring;
        store->replaced_first = 0;
        store->replaced_capacity = capacity;
    }
    size_t end = (store->replaced_first + store->replaced_count) % store->replaced_capacity;
    store->replaced[end] = (replaced_t){at, key};
    store->replaced_count++;
}

void schema_store_put_table(schema_store_t *store, commit_ts_t from, const char *schema,
                            const char *name, const table_definition_t *definition,
                            bool is_delivered)
{
    map_key_t key = table_key(bytes_of_text(schema), bytes_of_text(name));
    table_entry_t *entry = key_map_get(&store->tables, key);
    if (!entry && !definition)
        return;
    if (!entry) {
        entry = memory_zalloc(sizeof *entry);
        entry->key = key;
        key_map_put(&store->tables, key, entry);
    }
    if (definition)
        definition = definition_shapes_share(&store->shapes, definition);
    table_version_t version = {from, definition, is_delivered};
    if (entry->count > 0 && entry->versions[entry->count - 1].from.v == from.v) {
        table_definition_unref(&entry->versions[entry->count - 1].definition);
        entry->versions[entry->count - 1] = version;
        return;
    }
    entry->versions = grow(entry->versions, entry->count, &entry->capacity, sizeof version);
    entry->versions[entry->count++] = version;
    if (entry->count > 1)
        note_replaced(store, from, key);
}

void schema_store_put_schema(schema_store_t *store, commit_ts_t from, const char *schema,
                             bool exists, charset_choice_t charset)
{
    map_key_t key = schema_key(bytes_of_text(schema));
    schema_entry_t *entry = key_map_get(&store->schemas, key);
    if (!entry) {
        entry = memory_zalloc(sizeof *entry);
        entry->name = memory_strdup(schema);
        key_map_put(&store->schemas, key, entry);
    }
    schema_version_t version = {.from = from, .exists = exists};
    if (charset.charset)
        version.charset.charset = arena_strdup(&store->texts, charset.charset);
    if (charset.collation)
        version.charset.collation = arena_strdup(&store->texts, charset.collation);
    if (entry->count > 0 && entry->versions[entry->count - 1].from.v == from.v) {
        entry->versions[entry->count - 1] = version;
        return;
    }
    entry->versions = grow(entry->versions, entry->count, &entry->capacity, sizeof version);
    entry->versions[entry->count++] = version;
    store->has_old_schemas = store->has_old_schemas || entry->count > 1;
}

static const table_version_t *entry_at(const table_entry_t *entry, commit_ts_t at)
{
    for (uint32_t i = entry->count; i > 0; i--)
        if (entry->versions[i - 1].from.v <= at.v)
            return entry->versions[i - 1].definition ? &entry->versions[i - 1] : NULL;
    return NULL;
}

const table_version_t *schema_store_table_at(const schema_store_t *store, bytes_t schema,
                                             bytes_t name, commit_ts_t at)
{
    const table_entry_t *entry = key_map_get(&store->tables, table_key(schema, name));
    return entry ? entry_at(entry, at) : NULL;
}

const table_version_t *schema_store_table(const schema_store_t *store, bytes_t schema, bytes_t name)
{
    return schema_store_table_at(store, schema, name, COMMIT_TS_MAX);
}

static const schema_version_t *schema_at(const schema_entry_t *entry, commit_ts_t at)
{
    for (uint32_t i = entry->count; i > 0; i--)
        if (entry->versions[i - 1].from.v <= at.v)
            return entry->versions[i - 1].exists ? &entry->versions[i - 1] : NULL;
    return NULL;
}

const schema_version_t *schema_store_schema(const schema_store_t *store, bytes_t schema)
{
    const schema_entry_t *entry = key_map_get(&store->schemas, schema_key(schema));
    return entry ? schema_at(entry, COMMIT_TS_MAX) : NULL;
}

const table_version_t *schema_store_next_table(const schema_store_t *store, commit_ts_t at,
                                               size_t *position)
{
    const table_entry_t *entry;
    while ((entry = key_map_next(&store->tables, position))) {
        const table_version_t *version = entry_at(entry, at);
        if (version)
            return version;
    }
    return NULL;
}

const schema_version_t *schema_store_next_schema(const schema_store_t *store, commit_ts_t at,
                                                 size_t *position, const char **name)
{
    const schema_entry_t *entry;
    while ((entry = key_map_next(&store->schemas, position))) {
        const schema_version_t *version = schema_at(entry, at);
        *name = entry->name;
        if (version)
            return version;
    }
    return NULL;
}

/* Drops what `persisted` no longer needs: all before the newest version at or below it, and that
 * one too when it says that the table is gone. */
static void entry_forget(schema_store_t *store, table_entry_t *entry, commit_ts_t persisted)
{
    uint32_t first = 0;
    while (first + 1 < entry->count && entry->versions[first + 1].from.v <= persisted.v)
        first++;
    if (entry->versions[first].from.v <= persisted.v && !entry->versions[first].definition)
        first++;
    for (uint32_t i = 0; i < first; i++)
        table_definition_unref(&entry->versions[i].definition);
    if (first == entry->count) {
        key_map_take(&store->tables, entry->key);
        entry->count = 0;
        entry_destroy(entry);
        return;
    }
    memmove(entry->versions, entry->versions + first,
            (entry->count - first) * sizeof *entry->versions);
    entry->count -= first;
}

static void forget_schemas(schema_store_t *store, commit_ts_t persisted)
{
    size_t at = 0;
    schema_entry_t *entry;
    store->has_old_schemas = false;
    while ((entry = key_map_next(&store->schemas, &at))) {
        uint32_t first = 0;
        while (first + 1 < entry->count && entry->versions[first + 1].from.v <= persisted.v)
            first++;
        memmove(entry->versions, entry->versions + first,
                (entry->count - first) * sizeof *entry->versions);
        entry->count -= first;
        store->has_old_schemas = store->has_old_schemas || entry->count > 1;
    }
}

void schema_store_forget(schema_store_t *store, commit_ts_t persisted)
{
    if (store->has_old_schemas)
        forget_schemas(store, persisted);
    while (store->replaced_count > 0) {
        replaced_t *oldest = &store->replaced[store->replaced_first];
        if (oldest->at.v > persisted.v)
            return;
        table_entry_t *entry = key_map_get(&store->tables, oldest->key);
        store->replaced_first = (store->replaced_first + 1) % store->replaced_capacity;
        store->replaced_count--;
        if (entry)
            entry_forget(store, entry, persisted);
    }
}
