/* What the tracker answers. */
#include <stdlib.h>

#include "common/filter/name_case.h"
#include "dispatcher/core/ddl/plan.h"

static tracked_table_t tracked(const table_version_t *version)
{
    if (!version)
        return (tracked_table_t){NULL, false};
    plan_find_t found = {version->definition, version->is_delivered};
    return (tracked_table_t){version->definition, plan_is_carried(found)};
}

tracked_table_t schema_tracker_find_at(const schema_tracker_t *tracker, bytes_t schema,
                                       bytes_t table, commit_ts_t at)
{
    uint8_t folded[2][TABLE_FILTER_NAME_BYTES_MAX];
    if (schema.len > sizeof folded[0] || table.len > sizeof folded[1])
        return (tracked_table_t){NULL, false};
    if (tracker->options.lower_case_names) {
        name_fold(schema, folded[0]);
        name_fold(table, folded[1]);
        schema.data = folded[0];
        table.data = folded[1];
    }
    return tracked(schema_store_table_at(tracker->store, schema, table, at));
}

tracked_table_t schema_tracker_find(const schema_tracker_t *tracker, bytes_t schema, bytes_t table)
{
    return schema_tracker_find_at(tracker, schema, table, COMMIT_TS_MAX);
}

/* DESIGN §5, order of rows: ranges are cut along the first key column, and rows of one table that a
 * further unique key ties together must not come from two writers. */
static bool is_splittable(const table_definition_t *definition)
{
    const key_definition_t *key = table_definition_row_key(definition);
    if (!key || definition->is_system_versioned || table_definition_has_other_unique(definition))
        return false;
    const column_definition_t *column = &definition->columns[key->parts[0].column];
    bool is_integer = column->type <= COLUMN_BIGINT;
    bool is_binary = column->type == COLUMN_BINARY || column->type == COLUMN_VARBINARY;
    return key->parts[0].prefix == 0 && (is_integer || is_binary);
}

table_info_t schema_tracker_table_info(const table_definition_t *definition)
{
    return (table_info_t){.table_id = definition->table_id,
                          .schema_id = schema_id_derive(bytes_of_text(definition->schema)),
                          .schema = bytes_of_text(definition->schema),
                          .name = bytes_of_text(definition->name),
                          .created = definition->created,
                          .created_by_select = definition->created_by_select,
                          .splittable = is_splittable(definition),
                          .last_change = definition->last_change};
}

static int compare_infos(const void *a, const void *b)
{
    const table_info_t *x = a, *y = b;
    return (x->table_id.v > y->table_id.v) - (x->table_id.v < y->table_id.v);
}

sluice_error_t schema_tracker_table_list(const schema_tracker_t *tracker, commit_ts_t at,
                                         bool is_final, arena_t *arena, const table_info_t **tables,
                                         uint32_t *count)
{
    list_t list = {0};
    size_t position = 0;
    const table_version_t *version;
    *tables = NULL;
    *count = 0;
    if (at.v > tracker->position.v && !is_final)
        return SLUICE_ERROR_AGAIN;
    if (at.v < tracker->forgotten.v)
        return SLUICE_ERROR_NOT_FOUND;
    while ((version = schema_store_next_table(tracker->store, at, &position))) {
        if (!tracked(version).is_carried)
            continue;
        table_info_t *info = list_add(&list, sizeof *info, arena);
        *info = schema_tracker_table_info(version->definition);
        info->schema = arena_bytes(arena, info->schema);
        info->name = arena_bytes(arena, info->name);
    }
    if (list.count > 1)
        qsort(list.items, list.count, sizeof(table_info_t), compare_infos);
    *tables = list.items;
    *count = list.count;
    return SLUICE_OK;
}

void schema_tracker_visit(const schema_tracker_t *tracker, commit_ts_t at,
                          schema_tracker_visit_fn *visit, void *context)
{
    size_t position = 0;
    const table_version_t *version;
    while ((version = schema_store_next_table(tracker->store, at, &position))) {
        tracked_table_t table = tracked(version);
        visit(&table, context);
    }
}
