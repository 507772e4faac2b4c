#include "dispatcher/core/binlog/group_parts.h"

#include <stdlib.h>

#include "dispatcher/core/binlog/rows.h"

#define TABLE_NONE UINT32_MAX

sluice_error_t row_record_check(const row_record_t *record, const table_map_t *map,
                                error_report_t *report)
{
    rows_event_t event = {.kind = record->kind, .map = map, .body = record->body};
    rows_reader_t reader;
    return rows_reader_init(&reader, &event, report);
}

/* Several maps of one group are of one table when the server gave it a new number in between. */
typedef struct {
    const table_definition_t *definition;
    uint32_t slot;  /* lowest first within one definition */
    uint32_t first; /* lowest slot of the definition */
} used_map_t;

static int compare_definitions(const void *a, const void *b)
{
    const used_map_t *x = a, *y = b;
    if (x->definition != y->definition)
        return (uintptr_t)x->definition < (uintptr_t)y->definition ? -1 : 1;
    return (x->slot > y->slot) - (x->slot < y->slot);
}

static int compare_first_slots(const void *a, const void *b)
{
    const used_map_t *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return (x->slot > y->slot) - (x->slot < y->slot);
}

/* The maps that the records use, in slot order, and for each slot TABLE_NONE unless it is used. */
static uint32_t find_used(const table_map_t *const *maps, uint32_t map_count,
                          const row_record_t *records, uint32_t record_count, uint32_t *table_of,
                          used_map_t *used)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < map_count; i++)
        table_of[i] = TABLE_NONE;
    for (uint32_t i = 0; i < record_count; i++)
        table_of[records[i].slot] = 0;
    for (uint32_t i = 0; i < map_count; i++)
        if (table_of[i] != TABLE_NONE)
            used[count++] = (used_map_t){.definition = maps[i]->definition, .slot = i, .first = i};
    return count;
}

/* Numbers the tables by their first slot; returns how many there are. */
static uint32_t number_tables(used_map_t *used, uint32_t used_count, uint32_t *table_of)
{
    if (used_count > 1) {
        qsort(used, used_count, sizeof *used, compare_definitions);
        for (uint32_t i = 1; i < used_count; i++)
            if (used[i].definition == used[i - 1].definition)
                used[i].first = used[i - 1].first;
        qsort(used, used_count, sizeof *used, compare_first_slots);
    }
    uint32_t tables = 0;
    for (uint32_t i = 0; i < used_count; i++) {
        if (i == 0 || used[i].first != used[i - 1].first)
            tables++;
        table_of[used[i].slot] = tables - 1;
    }
    return tables;
}

static void fill_tables(transaction_t *transaction, const table_map_t *const *maps,
                        const row_record_t *records, uint32_t record_count,
                        const uint32_t *table_of, table_rows_t *tables)
{
    arena_t *arena = &transaction->arena;
    for (uint32_t i = 0; i < record_count; i++)
        tables[table_of[records[i].slot]].event_count++;
    rows_event_t *events = arena_alloc(arena, record_count * sizeof *events);
    rows_event_t **ends = arena_alloc(arena, transaction->table_count * sizeof(rows_event_t *));
    for (uint32_t i = 0; i < transaction->table_count; i++) {
        tables[i].events = ends[i] = events;
        events += tables[i].event_count;
    }
    for (uint32_t i = 0; i < record_count; i++) {
        uint32_t table = table_of[records[i].slot];
        const table_map_t *map = maps[records[i].slot];
        *ends[table]++ =
            (rows_event_t){.kind = records[i].kind, .map = map, .body = records[i].body};
        tables[table].bytes += records[i].body.len;
        if (!tables[table].definition)
            tables[table].definition = table_definition_ref(map->definition);
    }
}

transaction_t *transaction_build(const table_map_t *const *maps, uint32_t map_count,
                                 const row_record_t *records, uint32_t record_count, arena_t *arena)
{
    transaction_t *transaction = transaction_new();
    transaction->arena = *arena;
    arena_init(arena);
    arena_t *own = &transaction->arena;
    uint32_t *table_of = arena_alloc(own, map_count * sizeof *table_of);
    used_map_t *used = arena_alloc(own, map_count * sizeof *used);
    uint32_t used_count = find_used(maps, map_count, records, record_count, table_of, used);
    transaction->table_count = number_tables(used, used_count, table_of);
    table_rows_t *tables = arena_calloc(own, transaction->table_count, sizeof *tables);
    transaction->tables = tables;
    fill_tables(transaction, maps, records, record_count, table_of, tables);
    const table_map_t **held = arena_alloc(own, used_count * sizeof(const table_map_t *));
    for (uint32_t i = 0; i < used_count; i++)
        held[i] = table_map_ref(maps[used[i].slot]);
    transaction->maps = held;
    transaction->map_count = used_count;
    transaction->bytes = sizeof *transaction + own->bytes;
    return transaction;
}
