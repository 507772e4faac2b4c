#include "maintainer/core/span_table.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "maintainer/core/span_table_internal.h"

static index_key_t key_of(dispatcher_id_t id)
{
    return (index_key_t){id.hi, id.lo};
}

static index_key_t dispatcher_key(const void *owner, uint32_t number)
{
    const span_table_t *table = owner;
    const span_entry_t *span = pool_at(&table->spans, number);
    return key_of(span->dispatcher_id);
}

static index_key_t table_key(const void *owner, uint32_t number)
{
    const span_table_t *table = owner;
    const table_entry_t *entry = pool_at(&table->tables, number);
    return (index_key_t){0, entry->table_id.v};
}

static index_key_t schema_key(const void *owner, uint32_t number)
{
    const span_table_t *table = owner;
    const schema_entry_t *schema = pool_at(&table->schemas, number);
    return (index_key_t){0, schema->schema_id.v};
}

span_table_t *span_table_new(void)
{
    span_table_t *table = memory_zalloc(sizeof *table);
    pool_init(&table->spans, sizeof(span_entry_t));
    pool_init(&table->tables, sizeof(table_entry_t));
    pool_init(&table->schemas, sizeof(schema_entry_t));
    id_index_init(&table->by_schema, table, schema_key);
    id_index_init(&table->by_dispatcher, table, dispatcher_key);
    id_index_init(&table->by_table, table, table_key);
    return table;
}

static void free_span_memory(span_entry_t *span)
{
    free(span->range);
    span->range = NULL;
}

void span_table_destroy(span_table_t **table)
{
    span_table_t *gone = *table;
    if (!gone)
        return;
    *table = NULL;
    for (int state = 0; state < SPAN_STATE_COUNT; state++)
        for (span_entry_t *span = gone->first[state]; span; span = span->state_next)
            free_span_memory(span);
    uint32_t cursor = 0;
    for (table_entry_t *entry; (entry = span_table_next_table(gone, &cursor));)
        free(entry->name);
    for (uint32_t i = 0; i < gone->schemas.used; i++)
        free(((schema_entry_t *)pool_at(&gone->schemas, i))->name);
    pool_clear(&gone->schemas);
    id_index_clear(&gone->by_schema);
    pool_clear(&gone->spans);
    pool_clear(&gone->tables);
    id_index_clear(&gone->by_dispatcher);
    id_index_clear(&gone->by_table);
    free(gone->nodes);
    free(gone);
}

/* ---- schemas ---- */

static char *name_copy(span_table_t *table, bytes_t name)
{
    char *copy = memory_alloc(name.len + 1);
    if (name.len)
        memcpy(copy, name.data, name.len);
    copy[name.len] = '\0';
    table->name_bytes += name.len + 1;
    return copy;
}

static void name_free(span_table_t *table, char **name)
{
    if (*name)
        table->name_bytes -= strlen(*name) + 1;
    free(*name);
    *name = NULL;
}

schema_entry_t *span_table_schema(const span_table_t *table, schema_id_t schema_id)
{
    uint32_t number = id_index_find(&table->by_schema, (index_key_t){0, schema_id.v});
    return number == ID_INDEX_NONE ? NULL : pool_at(&table->schemas, number);
}

static schema_entry_t *schema_take(span_table_t *table, schema_id_t schema_id, bytes_t name)
{
    schema_entry_t *schema = span_table_schema(table, schema_id);
    if (schema)
        return schema;
    uint32_t number;
    schema = pool_take(&table->schemas, &number);
    schema->number = number;
    schema->schema_id = schema_id;
    schema->name = name_copy(table, name);
    id_index_insert(&table->by_schema, number);
    return schema;
}

static void schema_free_if_empty(span_table_t *table, schema_entry_t *schema)
{
    if (schema->table_count)
        return;
    id_index_remove(&table->by_schema, (index_key_t){0, schema->schema_id.v});
    name_free(table, &schema->name);
    pool_give_back(&table->schemas, schema->number);
}

static void schema_link(schema_entry_t *schema, table_entry_t *entry)
{
    entry->schema = schema;
    entry->schema_previous = NULL;
    entry->schema_next = schema->first_table;
    if (schema->first_table)
        schema->first_table->schema_previous = entry;
    schema->first_table = entry;
    schema->table_count++;
}

static void schema_unlink(span_table_t *table, table_entry_t *entry)
{
    schema_entry_t *schema = entry->schema;
    if (!schema)
        return;
    if (entry->schema_previous)
        entry->schema_previous->schema_next = entry->schema_next;
    else
        schema->first_table = entry->schema_next;
    if (entry->schema_next)
        entry->schema_next->schema_previous = entry->schema_previous;
    entry->schema = NULL;
    schema->table_count--;
    schema_free_if_empty(table, schema);
}

/* ---- tables ---- */

static table_entry_t *table_new(span_table_t *table, table_id_t table_id, position_t start)
{
    uint32_t number;
    table_entry_t *entry = pool_take(&table->tables, &number);
    entry->number = number;
    entry->table_id = table_id;
    id_index_insert(&table->by_table, number);
    entry->first_span = span_new(table, entry, start);
    table->version++;
    return entry;
}

table_entry_t *span_table_add(span_table_t *table, const table_info_t *info, position_t start)
{
    assert(info->table_id.v != TABLE_ID_TRIGGER.v);
    if (span_table_find(table, info->table_id))
        return NULL;
    table_entry_t *entry = table_new(table, info->table_id, start);
    entry->name = name_copy(table, info->name);
    entry->created = info->created;
    entry->created_by_select = info->created_by_select;
    entry->is_splittable = info->splittable;
    entry->last_change_ts = info->last_change.commit_ts;
    entry->last_change_is_syncpoint = info->last_change.is_syncpoint;
    schema_link(schema_take(table, info->schema_id, info->schema), entry);
    table->table_count++;
    return entry;
}

table_entry_t *span_table_add_trigger(span_table_t *table, position_t start)
{
    if (table->trigger)
        return NULL;
    table_entry_t *entry = table_new(table, TABLE_ID_TRIGGER, start);
    table->trigger = entry->first_span;
    return entry;
}

void span_table_drop(span_table_t *table, table_entry_t *entry)
{
    assert(entry->table_id.v != TABLE_ID_TRIGGER.v);
    for (span_entry_t *span = entry->first_span, *next; span; span = next) {
        next = span->next_in_table;
        span->table = NULL;
        span->next_in_table = NULL;
        if (span->state == SPAN_ABSENT)
            span_free(table, span);
        else
            span_set_state(table, span, SPAN_CLOSING);
    }
    schema_unlink(table, entry);
    id_index_remove(&table->by_table, (index_key_t){0, entry->table_id.v});
    name_free(table, &entry->name);
    uint32_t number = entry->number;
    entry->table_id = TABLE_ID_TRIGGER;
    entry->first_span = NULL;
    pool_give_back(&table->tables, number);
    table->table_count--;
    table->version++;
}

void span_table_rename(span_table_t *table, table_entry_t *entry, const schema_move_t *move,
                       event_key_t key)
{
    schema_unlink(table, entry);
    schema_link(schema_take(table, move->to, move->schema), entry);
    name_free(table, &entry->name);
    entry->name = name_copy(table, move->name);
    entry->last_change_ts = key.commit_ts;
    entry->last_change_is_syncpoint = key.is_syncpoint;
    table->version++;
}

span_entry_t *span_table_dispatcher(const span_table_t *table, dispatcher_id_t id)
{
    uint32_t number = id_index_find(&table->by_dispatcher, key_of(id));
    return number == ID_INDEX_NONE ? NULL : pool_at(&table->spans, number);
}

/* How many looks before its own a slot and an entry are fetched. */
enum { SLOT_AHEAD = 16, ENTRY_AHEAD = 8, CACHE_LINE = 64 };

void span_table_prefetch(const span_table_t *table, const dispatcher_id_t *ids, uint32_t count,
                         uint32_t i)
{
    if (i + SLOT_AHEAD < count)
        id_index_prefetch(&table->by_dispatcher, key_of(ids[i + SLOT_AHEAD]));
    if (i + ENTRY_AHEAD >= count)
        return;
    uint32_t number = id_index_guess(&table->by_dispatcher, key_of(ids[i + ENTRY_AHEAD]));
    if (number == ID_INDEX_NONE)
        return;
    const char *entry = pool_at(&table->spans, number);
    for (size_t at = 0; at < sizeof(span_entry_t); at += CACHE_LINE)
        __builtin_prefetch(entry + at);
}

table_entry_t *span_table_find(const span_table_t *table, table_id_t table_id)
{
    uint32_t number = id_index_find(&table->by_table, (index_key_t){0, table_id.v});
    return number == ID_INDEX_NONE ? NULL : pool_at(&table->tables, number);
}

span_entry_t *span_table_trigger(const span_table_t *table)
{
    return table->trigger;
}

event_key_t table_entry_last_change(const table_entry_t *entry)
{
    return (event_key_t){entry->last_change_ts, entry->last_change_is_syncpoint};
}

table_entry_t *span_table_next_table(const span_table_t *table, uint32_t *cursor)
{
    while (*cursor < table->tables.used) {
        table_entry_t *entry = pool_at(&table->tables, (*cursor)++);
        if (entry->first_span)
            return entry;
    }
    return NULL;
}

uint32_t span_table_table_count(const span_table_t *table)
{
    return table->table_count;
}

uint64_t span_table_version(const span_table_t *table)
{
    return table->version;
}

void span_table_touch(span_table_t *table)
{
    table->version++;
}

size_t span_table_bytes(const span_table_t *table)
{
    size_t slots = (table->by_dispatcher.slots ? (size_t)table->by_dispatcher.mask + 1 : 0) +
                   (table->by_table.slots ? (size_t)table->by_table.mask + 1 : 0);
    /* An allocator spends about a header per name. */
    return sizeof *table + pool_bytes(&table->spans) + pool_bytes(&table->tables) +
           slots * sizeof(uint32_t) + table->name_bytes + (size_t)table->table_count * 16;
}
