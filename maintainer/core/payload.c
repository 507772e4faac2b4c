#include "maintainer/core/payload.h"

#include <stdlib.h>

static int compare_ids(const void *a, const void *b)
{
    table_id_t x = *(const table_id_t *)a, y = *(const table_id_t *)b;
    return (x.v > y.v) - (x.v < y.v);
}

static int compare_infos(const void *a, const void *b)
{
    return compare_ids(&((const table_info_t *)a)->table_id, &((const table_info_t *)b)->table_id);
}

static int compare_moves(const void *a, const void *b)
{
    return compare_ids(&((const schema_move_t *)a)->table_id,
                       &((const schema_move_t *)b)->table_id);
}

static const char *influence_fault(const influence_t *influence)
{
    if (influence->kind == INFLUENCE_DB && influence->schema.v == 0)
        return "schema without an id";
    for (uint32_t i = 1; influence->kind == INFLUENCE_NORMAL && i < influence->table_count; i++)
        if (influence->table_ids[i].v == influence->table_ids[i - 1].v)
            return "a table listed twice";
    return NULL;
}

const char *payload_fault(const block_payload_t *payload)
{
    const char *fault = influence_fault(&payload->influence);
    if (!fault)
        fault = influence_fault(&payload->dropped);
    if (fault)
        return fault;
    if (payload->influence.kind == INFLUENCE_NORMAL && payload->influence.table_count == 0)
        return "an influence of no table";
    if (payload->dropped.kind == INFLUENCE_ALL)
        return "a drop of everything";
    if (payload->dropped.kind == INFLUENCE_NORMAL &&
        influence_lists(&payload->dropped, TABLE_ID_TRIGGER))
        return "a drop of the table trigger dispatcher";
    for (uint32_t i = 0; i < payload->added_count; i++)
        if (payload->added[i].table_id.v == 0 || payload->added[i].schema_id.v == 0)
            return "an added table without an id";
    for (uint32_t i = 1; i < payload->added_count; i++)
        if (payload->added[i].table_id.v == payload->added[i - 1].table_id.v)
            return "a table added twice";
    for (uint32_t i = 0; i < payload->move_count; i++)
        if (payload->moves[i].table_id.v == 0 || payload->moves[i].to.v == 0)
            return "a schema move without an id";
    return NULL;
}

static influence_t influence_copy(arena_t *arena, const influence_t *from)
{
    influence_t copy = {.kind = from->kind, .schema = from->schema};
    if (from->kind == INFLUENCE_NORMAL && from->table_count) {
        table_id_t *ids = arena_calloc(arena, from->table_count, sizeof *ids);
        memcpy(ids, from->table_ids, from->table_count * sizeof *ids);
        qsort(ids, from->table_count, sizeof *ids, compare_ids);
        copy.table_ids = ids;
        copy.table_count = from->table_count;
    }
    return copy;
}

table_info_t table_info_copy(arena_t *arena, const table_info_t *from)
{
    table_info_t copy = *from;
    copy.schema = arena_bytes(arena, from->schema);
    copy.name = arena_bytes(arena, from->name);
    return copy;
}

static const schema_move_t *moves_copy(arena_t *arena, const schema_move_t *from, uint32_t count)
{
    schema_move_t *moves = arena_calloc(arena, count, sizeof *moves);
    for (uint32_t i = 0; i < count; i++) {
        moves[i] = from[i];
        moves[i].schema = arena_bytes(arena, from[i].schema);
        moves[i].name = arena_bytes(arena, from[i].name);
    }
    qsort(moves, count, sizeof *moves, compare_moves);
    return moves;
}

const block_payload_t *payload_copy(arena_t *arena, const block_payload_t *from)
{
    block_payload_t *copy = arena_zalloc(arena, sizeof *copy);
    copy->influence = influence_copy(arena, &from->influence);
    copy->dropped = influence_copy(arena, &from->dropped);
    if (from->added_count) {
        table_info_t *added = arena_calloc(arena, from->added_count, sizeof *added);
        for (uint32_t i = 0; i < from->added_count; i++)
            added[i] = table_info_copy(arena, &from->added[i]);
        qsort(added, from->added_count, sizeof *added, compare_infos);
        copy->added = added;
        copy->added_count = from->added_count;
    }
    if (from->move_count) {
        copy->moves = moves_copy(arena, from->moves, from->move_count);
        copy->move_count = from->move_count;
    }
    return copy;
}

static bool influence_equal(const influence_t *a, const influence_t *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case INFLUENCE_NORMAL:
        return a->table_count == b->table_count &&
               (a->table_count == 0 ||
                memcmp(a->table_ids, b->table_ids, a->table_count * sizeof *a->table_ids) == 0);
    case INFLUENCE_DB:
        return a->schema.v == b->schema.v;
    case INFLUENCE_ALL:
        return true;
    }
    return false;
}

static bool infos_equal(const table_info_t *a, const table_info_t *b)
{
    return a->table_id.v == b->table_id.v && a->schema_id.v == b->schema_id.v &&
           a->created.v == b->created.v && a->created_by_select == b->created_by_select &&
           bytes_equal(a->name, b->name);
}

static bool moves_equal(const schema_move_t *a, const schema_move_t *b)
{
    return a->table_id.v == b->table_id.v && a->from.v == b->from.v && a->to.v == b->to.v &&
           bytes_equal(a->name, b->name);
}

bool payload_equal(const block_payload_t *a, const block_payload_t *b)
{
    if (!influence_equal(&a->influence, &b->influence) ||
        !influence_equal(&a->dropped, &b->dropped))
        return false;
    if (a->added_count != b->added_count || a->move_count != b->move_count)
        return false;
    for (uint32_t i = 0; i < a->added_count; i++)
        if (!infos_equal(&a->added[i], &b->added[i]))
            return false;
    for (uint32_t i = 0; i < a->move_count; i++)
        if (!moves_equal(&a->moves[i], &b->moves[i]))
            return false;
    return true;
}

bool payload_has_changes(const block_payload_t *payload)
{
    return payload->added_count || payload->move_count ||
           payload->dropped.kind != INFLUENCE_NORMAL || payload->dropped.table_count;
}

bool influence_lists(const influence_t *influence, table_id_t table_id)
{
    return influence->table_count &&
           bsearch(&table_id, influence->table_ids, influence->table_count,
                   sizeof *influence->table_ids, compare_ids) != NULL;
}
