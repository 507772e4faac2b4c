#include "dispatcher/core/binlog/group_maps.h"

#include <stdlib.h>

#include "common/base/memory.h"

void group_maps_clear(group_maps_t *maps)
{
    group_map_t *entry, *next;
    HASH_ITER(hh, maps->entries, entry, next)
    {
        HASH_DEL(maps->entries, entry);
        table_map_unref(&entry->map);
        free(entry);
    }
}

void group_maps_begin_group(group_maps_t *maps)
{
    maps->group++;
    if (HASH_COUNT(maps->entries) > GROUP_MAPS_MAX)
        group_maps_clear(maps);
}

static group_map_t *find(group_maps_t *maps, uint64_t map_id)
{
    group_map_t *entry;
    HASH_FIND(hh, maps->entries, &map_id, sizeof map_id, entry);
    return entry;
}

group_map_t *group_maps_find(group_maps_t *maps, uint64_t map_id)
{
    group_map_t *entry = find(maps, map_id);
    return entry && entry->group == maps->group ? entry : NULL;
}

const table_definition_t *group_resolve(const group_resolver_t *resolver, bytes_t schema,
                                        bytes_t table)
{
    const table_definition_t *definition = resolver->resolve(resolver->context, schema, table);
    return definition && !definition->is_view && !definition->is_sequence ? definition : NULL;
}

static group_map_t *find_or_add(group_maps_t *maps, uint64_t map_id)
{
    group_map_t *entry = find(maps, map_id);
    if (!entry) {
        entry = memory_zalloc(sizeof *entry);
        entry->map_id = map_id;
        HASH_ADD(hh, maps->entries, map_id, sizeof entry->map_id, entry);
    }
    return entry;
}

static sluice_error_t replace_map(group_map_t *entry, bytes_t body,
                                  const table_definition_t *definition, error_report_t *report)
{
    table_map_unref(&entry->map);
    entry->slot_group = 0;
    table_map_t *map;
    sluice_error_t error = table_map_parse(body, &map, report);
    if (error != SLUICE_OK)
        return error;
    if (definition)
        error = table_map_bind(map, definition, report);
    entry->map = map;
    if (error != SLUICE_OK)
        table_map_unref(&entry->map);
    return error;
}

sluice_error_t group_maps_take(group_maps_t *maps, bytes_t body, const group_resolver_t *resolver,
                               bool is_deferred, error_report_t *report)
{
    uint64_t map_id;
    bytes_t schema, name;
    if (table_map_peek(body, &map_id, &schema, &name) != SLUICE_OK)
        return error_report_set(report, SLUICE_ERROR_SOURCE_CORRUPT,
                                "a table map event is damaged");
    group_map_t *entry = find_or_add(maps, map_id);
    entry->group = maps->group;
    if (is_deferred)
        return replace_map(entry, body, NULL, report);
    const table_definition_t *definition = group_resolve(resolver, schema, name);
    if (!definition) {
        table_map_unref(&entry->map);
        entry->slot_group = 0;
        return SLUICE_OK;
    }
    if (entry->map && entry->map->definition == definition && bytes_equal(entry->map->body, body))
        return SLUICE_OK;
    return replace_map(entry, body, definition, report);
}
