/* What a barrier event says: influence, tables dropped and added, schema moves. */
#include <stdlib.h>

#include "common/wire/codec_internal.h"

static Wire__Influence *put_influence(codec_t *codec, const influence_t *influence)
{
    Wire__Influence *to = codec_new(codec, &wire__influence__descriptor);
    to->kind = influence->kind;
    to->schema = influence->schema.v;
    _Static_assert(sizeof(table_id_t) == sizeof(uint64_t), "ids are sent as they are");
    to->table_ids = (uint64_t *)influence->table_ids;
    to->n_table_ids = influence->table_count;
    return to;
}

static int compare_ids(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static bool has_duplicates(codec_t *codec, const uint64_t *ids, size_t count)
{
    if (count < 2)
        return false;
    uint64_t *sorted = arena_alloc(codec->arena, count * sizeof *sorted);
    memcpy(sorted, ids, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_ids);
    for (size_t i = 1; i < count; i++)
        if (sorted[i - 1] == sorted[i])
            return true;
    return false;
}

static bool get_influence(codec_t *codec, const Wire__Influence *from, influence_t *influence)
{
    if (from->kind > INFLUENCE_ALL || from->n_table_ids > INFLUENCE_TABLES_MAX)
        return false;
    *influence = (influence_t){.kind = (influence_kind_t)from->kind,
                               .schema = {from->schema},
                               .table_ids = (const table_id_t *)from->table_ids,
                               .table_count = (uint32_t)from->n_table_ids};
    switch (influence->kind) {
    case INFLUENCE_NORMAL:
        return from->schema == 0 && !has_duplicates(codec, from->table_ids, from->n_table_ids);
    case INFLUENCE_DB:
        return from->schema != 0 && from->n_table_ids == 0;
    case INFLUENCE_ALL:
        return from->schema == 0 && from->n_table_ids == 0;
    }
    return false;
}

static bool has_trigger(const influence_t *influence)
{
    for (uint32_t i = 0; i < influence->table_count; i++)
        if (influence->table_ids[i].v == TABLE_ID_TRIGGER.v)
            return true;
    return false;
}

/* Absent stands for "nothing is dropped". */
static bool get_dropped(codec_t *codec, const Wire__Influence *from, influence_t *dropped)
{
    *dropped = (influence_t){.kind = INFLUENCE_NORMAL};
    if (!from)
        return true;
    return get_influence(codec, from, dropped) && dropped->kind != INFLUENCE_ALL &&
           !has_trigger(dropped);
}

static void put_table(codec_t *codec, const table_info_t *table, Wire__TableInfo *to)
{
    to->table_id = table->table_id.v;
    to->schema_id = table->schema_id.v;
    to->schema = codec_put_bytes(table->schema);
    to->name = codec_put_bytes(table->name);
    to->created = table->created.v;
    to->created_by_select = table->created_by_select;
    to->splittable = table->splittable;
    to->last_change = codec_put_key(codec, table->last_change);
}

Wire__TableInfo **codec_put_tables(codec_t *codec, const table_info_t *tables, uint32_t count)
{
    Wire__TableInfo **to = arena_calloc(codec->arena, count, sizeof *to);
    for (uint32_t i = 0; i < count; i++) {
        to[i] = codec_new(codec, &wire__table_info__descriptor);
        put_table(codec, &tables[i], to[i]);
    }
    return to;
}

bool codec_get_table(const Wire__TableInfo *from, table_info_t *table)
{
    *table = (table_info_t){.table_id = {from->table_id},
                            .schema_id = {from->schema_id},
                            .schema = codec_get_bytes(from->schema),
                            .name = codec_get_bytes(from->name),
                            .created = {from->created},
                            .created_by_select = from->created_by_select,
                            .splittable = from->splittable};
    return table->table_id.v != TABLE_ID_TRIGGER.v && table->schema_id.v != 0 &&
           codec_is_name(table->schema) && codec_is_name(table->name) &&
           from->created != COMMIT_TS_MAX.v &&
           codec_get_key(from->last_change, &table->last_change);
}

static bool get_added(codec_t *codec, const Wire__BlockPayload *from, block_payload_t *payload)
{
    table_info_t *added = arena_calloc(codec->arena, from->n_added, sizeof *added);
    uint64_t *ids = arena_calloc(codec->arena, from->n_added, sizeof *ids);
    for (size_t i = 0; i < from->n_added; i++) {
        if (!codec_get_table(from->added[i], &added[i]))
            return false;
        ids[i] = added[i].table_id.v;
    }
    payload->added = added;
    payload->added_count = (uint32_t)from->n_added;
    return !has_duplicates(codec, ids, from->n_added);
}

static void put_moves(codec_t *codec, const block_payload_t *payload, Wire__BlockPayload *to)
{
    to->n_moves = payload->move_count;
    to->moves = arena_calloc(codec->arena, payload->move_count, sizeof *to->moves);
    for (uint32_t i = 0; i < payload->move_count; i++) {
        const schema_move_t *move = &payload->moves[i];
        Wire__SchemaMove *out = codec_new(codec, &wire__schema_move__descriptor);
        out->table_id = move->table_id.v;
        out->from = move->from.v;
        out->to = move->to.v;
        out->schema = codec_put_bytes(move->schema);
        out->name = codec_put_bytes(move->name);
        to->moves[i] = out;
    }
}

static bool get_moves(codec_t *codec, const Wire__BlockPayload *from, block_payload_t *payload)
{
    schema_move_t *moves = arena_calloc(codec->arena, from->n_moves, sizeof *moves);
    uint64_t *ids = arena_calloc(codec->arena, from->n_moves, sizeof *ids);
    for (size_t i = 0; i < from->n_moves; i++) {
        const Wire__SchemaMove *move = from->moves[i];
        moves[i] = (schema_move_t){.table_id = {move->table_id},
                                   .from = {move->from},
                                   .to = {move->to},
                                   .schema = codec_get_bytes(move->schema),
                                   .name = codec_get_bytes(move->name)};
        if (move->table_id == TABLE_ID_TRIGGER.v || move->from == 0 || move->to == 0 ||
            !codec_is_name(moves[i].schema) || !codec_is_name(moves[i].name))
            return false;
        ids[i] = move->table_id;
    }
    payload->moves = moves;
    payload->move_count = (uint32_t)from->n_moves;
    return !has_duplicates(codec, ids, from->n_moves);
}

Wire__BlockPayload *codec_put_payload(codec_t *codec, const block_payload_t *payload)
{
    Wire__BlockPayload *to = codec_new(codec, &wire__block_payload__descriptor);
    to->influence = put_influence(codec, &payload->influence);
    if (payload->dropped.kind != INFLUENCE_NORMAL || payload->dropped.table_count)
        to->dropped = put_influence(codec, &payload->dropped);
    to->n_added = payload->added_count;
    to->added = codec_put_tables(codec, payload->added, payload->added_count);
    put_moves(codec, payload, to);
    return to;
}

/* A sync point concerns everything and changes no table. */
static bool is_syncpoint_payload(const block_payload_t *payload)
{
    return payload->influence.kind == INFLUENCE_ALL && payload->dropped.kind == INFLUENCE_NORMAL &&
           payload->dropped.table_count == 0 && payload->added_count == 0 &&
           payload->move_count == 0;
}

const block_payload_t *codec_get_payload(codec_t *codec, const Wire__BlockPayload *from,
                                         bool is_syncpoint)
{
    block_payload_t *payload = arena_zalloc(codec->arena, sizeof *payload);
    if (!from || !from->influence || !get_influence(codec, from->influence, &payload->influence))
        return NULL;
    bool is_empty =
        payload->influence.kind == INFLUENCE_NORMAL && payload->influence.table_count == 0;
    if (is_empty || !get_dropped(codec, from->dropped, &payload->dropped))
        return NULL;
    if (!get_added(codec, from, payload) || !get_moves(codec, from, payload))
        return NULL;
    return is_syncpoint && !is_syncpoint_payload(payload) ? NULL : payload;
}
