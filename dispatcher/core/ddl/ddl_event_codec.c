#include "dispatcher/core/ddl/ddl_event_codec.h"

#include "dispatcher/core/ddl/definition_codec.h"

#define VERSION 1

enum {
    FLAG_IF_EXISTS = 1,
    FLAG_IF_NOT_EXISTS = 2,
    FLAG_OR_REPLACE = 4,
    FLAG_IS_SELECT = 8,
    FLAG_IS_REWRITTEN = 16,
    FLAG_NAMES_ALL_PARTITIONS = 32,
    FLAG_DROPS_WHOLE_SCHEMA = 64,
    FLAGS_ALL = 127
};

/* What these take at least: a byte for each of their fields. */
enum {
    TABLE_BYTES_MIN = 9,
    MOVE_BYTES_MIN = 5,
    CHANGE_BYTES_MIN = 2,
};

/* ---- writing ---- */

static uint64_t flags_of(const ddl_event_t *event)
{
    return (event->if_exists ? FLAG_IF_EXISTS : 0) |
           (event->if_not_exists ? FLAG_IF_NOT_EXISTS : 0) |
           (event->or_replace ? FLAG_OR_REPLACE : 0) | (event->is_select ? FLAG_IS_SELECT : 0) |
           (event->is_rewritten ? FLAG_IS_REWRITTEN : 0) |
           (event->names_all_partitions ? FLAG_NAMES_ALL_PARTITIONS : 0) |
           (event->drops_whole_schema ? FLAG_DROPS_WHOLE_SCHEMA : 0);
}

static void pack_context(const ddl_context_t *context, text_builder_t *to)
{
    pack_text(to, context->default_schema);
    pack_number(to, context->has_sql_mode);
    pack_number(to, context->sql_mode);
    pack_number(to, context->charset_client);
    pack_number(to, context->collation_connection);
    pack_number(to, context->collation_server);
    pack_number(to, context->collation_database);
    pack_text(to, context->time_zone);
    pack_number(to, context->has_option_flags);
    pack_number(to, context->option_flags);
    pack_number(to, context->timestamp_us);
    pack_number(to, context->auto_increment_increment);
    pack_number(to, context->auto_increment_offset);
}

static void pack_influence(const influence_t *influence, text_builder_t *to)
{
    pack_number(to, influence->kind);
    pack_number(to, influence->schema.v);
    pack_number(to, influence->table_count);
    for (uint32_t i = 0; i < influence->table_count; i++)
        pack_number(to, influence->table_ids[i].v);
}

static void pack_table(const table_info_t *table, text_builder_t *to)
{
    pack_number(to, table->table_id.v);
    pack_number(to, table->schema_id.v);
    pack_bytes(to, table->schema);
    pack_bytes(to, table->name);
    pack_number(to, table->created.v);
    pack_number(to, table->created_by_select);
    pack_number(to, table->splittable);
    pack_number(to, table->last_change.commit_ts.v);
    pack_number(to, table->last_change.is_syncpoint);
}

static void pack_payload(const block_payload_t *payload, text_builder_t *to)
{
    pack_influence(&payload->influence, to);
    pack_influence(&payload->dropped, to);
    pack_number(to, payload->added_count);
    for (uint32_t i = 0; i < payload->added_count; i++)
        pack_table(&payload->added[i], to);
    pack_number(to, payload->move_count);
    for (uint32_t i = 0; i < payload->move_count; i++) {
        const schema_move_t *move = &payload->moves[i];
        pack_number(to, move->table_id.v);
        pack_number(to, move->from.v);
        pack_number(to, move->to.v);
        pack_bytes(to, move->schema);
        pack_bytes(to, move->name);
    }
}

/* The same definition before and after is there once. */
enum { HAS_BEFORE = 1, HAS_AFTER = 2, IS_SAME = 4, HAS_SOURCES = 8 };

static void pack_change(const table_change_t *change, text_builder_t *to)
{
    bool is_same = change->after && change->after == change->before;
    pack_number(to, change->kind);
    pack_number(to, (change->before ? HAS_BEFORE : 0) | (change->after ? HAS_AFTER : 0) |
                        (is_same ? IS_SAME : 0) | (change->column_sources ? HAS_SOURCES : 0));
    if (change->before)
        definition_pack(change->before, to);
    if (change->after && !is_same)
        definition_pack(change->after, to);
    for (uint32_t i = 0; change->column_sources && i < change->after->column_count; i++)
        pack_number(to, change->column_sources[i]);
}

void ddl_event_pack(const ddl_event_t *event, text_builder_t *to)
{
    pack_number(to, VERSION);
    pack_number(to, event->commit_ts.v);
    pack_number(to, event->commit_time.v);
    pack_number(to, event->verb);
    pack_number(to, flags_of(event));
    pack_text(to, event->schema);
    pack_text(to, event->object);
    pack_bytes(to, event->sql);
    pack_text(to, event->sql_utf8);
    pack_context(&event->context, to);
    pack_payload(&event->payload, to);
    pack_number(to, event->change_count);
    for (uint32_t i = 0; i < event->change_count; i++)
        pack_change(&event->changes[i], to);
    pack_number(to, event->partition_count);
    for (uint32_t i = 0; i < event->partition_count; i++)
        pack_text(to, event->partitions[i]);
    pack_bytes(to, event->replay);
}

/* ---- reading ---- */

static bool unpack_bool(unpacker_t *from)
{
    return unpack_below(from, 1) == 1;
}

static bytes_t unpack_own_bytes(unpacker_t *from)
{
    return arena_bytes(from->arena, unpack_bytes(from));
}

static void unpack_flags(unpacker_t *from, ddl_event_t *event)
{
    uint32_t flags = unpack_below(from, FLAGS_ALL);
    event->if_exists = flags & FLAG_IF_EXISTS;
    event->if_not_exists = flags & FLAG_IF_NOT_EXISTS;
    event->or_replace = flags & FLAG_OR_REPLACE;
    event->is_select = flags & FLAG_IS_SELECT;
    event->is_rewritten = flags & FLAG_IS_REWRITTEN;
    event->names_all_partitions = flags & FLAG_NAMES_ALL_PARTITIONS;
    event->drops_whole_schema = flags & FLAG_DROPS_WHOLE_SCHEMA;
}

static void unpack_context(unpacker_t *from, ddl_context_t *context)
{
    context->default_schema = unpack_name(from);
    context->has_sql_mode = unpack_bool(from);
    context->sql_mode = unpack_number(from);
    context->charset_client = (uint16_t)unpack_below(from, UINT16_MAX);
    context->collation_connection = (uint16_t)unpack_below(from, UINT16_MAX);
    context->collation_server = (uint16_t)unpack_below(from, UINT16_MAX);
    context->collation_database = (uint16_t)unpack_below(from, UINT16_MAX);
    context->time_zone = unpack_text(from);
    context->has_option_flags = unpack_bool(from);
    context->option_flags = unpack_below(from, UINT32_MAX);
    context->timestamp_us = unpack_number(from);
    context->auto_increment_increment = (uint16_t)unpack_below(from, UINT16_MAX);
    context->auto_increment_offset = (uint16_t)unpack_below(from, UINT16_MAX);
}

static void unpack_influence(unpacker_t *from, influence_t *influence)
{
    influence->kind = (influence_kind_t)unpack_below(from, INFLUENCE_ALL);
    influence->schema.v = unpack_number(from);
    influence->table_count = unpack_count(from);
    table_id_t *ids = arena_calloc(from->arena, influence->table_count, sizeof *ids);
    for (uint32_t i = 0; i < influence->table_count && !from->failed; i++)
        ids[i].v = unpack_number(from);
    influence->table_ids = ids;
}

static void unpack_table(unpacker_t *from, table_info_t *table)
{
    table->table_id.v = unpack_number(from);
    table->schema_id.v = unpack_number(from);
    table->schema = unpack_own_bytes(from);
    table->name = unpack_own_bytes(from);
    table->created.v = unpack_number(from);
    table->created_by_select = unpack_bool(from);
    table->splittable = unpack_bool(from);
    table->last_change.commit_ts.v = unpack_number(from);
    table->last_change.is_syncpoint = unpack_bool(from);
}

static void unpack_payload(unpacker_t *from, block_payload_t *payload)
{
    unpack_influence(from, &payload->influence);
    unpack_influence(from, &payload->dropped);
    payload->added_count = unpack_count_of(from, TABLE_BYTES_MIN);
    table_info_t *added = arena_calloc(from->arena, payload->added_count, sizeof *added);
    for (uint32_t i = 0; i < payload->added_count && !from->failed; i++)
        unpack_table(from, &added[i]);
    payload->added = added;
    payload->move_count = unpack_count_of(from, MOVE_BYTES_MIN);
    schema_move_t *moves = arena_calloc(from->arena, payload->move_count, sizeof *moves);
    for (uint32_t i = 0; i < payload->move_count && !from->failed; i++) {
        moves[i].table_id.v = unpack_number(from);
        moves[i].from.v = unpack_number(from);
        moves[i].to.v = unpack_number(from);
        moves[i].schema = unpack_own_bytes(from);
        moves[i].name = unpack_own_bytes(from);
    }
    payload->moves = moves;
}

/* Which definitions a kind of change has. */
static bool is_consistent(const table_change_t *change)
{
    switch (change->kind) {
    case TABLE_CREATED:
        return !change->before && change->after;
    case TABLE_DROPPED:
        return change->before && !change->after;
    case TABLE_TRUNCATED:
        return change->before && change->after && !change->column_sources;
    case TABLE_ALTERED:
    case TABLE_RENAMED:
    case TABLE_LEFT_FILTER:
        return change->before && change->after;
    }
    return false;
}

static void unpack_sources(unpacker_t *from, table_change_t *change)
{
    if (!change->before || !change->after) {
        from->failed = true;
        return;
    }
    uint32_t count = change->after->column_count;
    uint32_t *sources = arena_calloc(from->arena, count, sizeof *sources);
    for (uint32_t i = 0; i < count && !from->failed; i++) {
        sources[i] = unpack_below(from, UINT32_MAX);
        if (sources[i] != COLUMN_SOURCE_NEW && sources[i] >= change->before->column_count)
            from->failed = true;
    }
    change->column_sources = sources;
}

static void unpack_change(unpacker_t *from, table_change_t *change)
{
    change->kind = (table_change_kind_t)unpack_below(from, TABLE_LEFT_FILTER);
    uint32_t has = unpack_below(from, HAS_BEFORE | HAS_AFTER | IS_SAME | HAS_SOURCES);
    if (from->failed)
        return;
    if (has & HAS_BEFORE)
        change->before = definition_unpack(from);
    if (from->failed)
        return;
    if ((has & IS_SAME) && change->before)
        change->after = table_definition_ref(change->before);
    else if (has & HAS_AFTER)
        change->after = definition_unpack(from);
    if (!from->failed && (has & HAS_SOURCES))
        unpack_sources(from, change);
    if (!from->failed && !is_consistent(change))
        from->failed = true;
}

/* The count grows with each change, so that what is there is given back when the next one fails. */
static void unpack_changes(unpacker_t *from, ddl_event_t *event)
{
    uint32_t count = unpack_count_of(from, CHANGE_BYTES_MIN);
    table_change_t *changes = arena_calloc(from->arena, count, sizeof *changes);
    event->changes = changes;
    while (event->change_count < count && !from->failed)
        unpack_change(from, &changes[event->change_count++]);
}

static void unpack_partitions(unpacker_t *from, ddl_event_t *event)
{
    event->partition_count = unpack_count(from);
    const char **names = arena_calloc(from->arena, event->partition_count, sizeof *names);
    for (uint32_t i = 0; i < event->partition_count && !from->failed; i++)
        names[i] = unpack_name(from);
    event->partitions = names;
}

static bool names_partitions(ddl_verb_t verb)
{
    return verb == DDL_TRUNCATE_PARTITION || verb == DDL_DROP_PARTITION ||
           verb == DDL_EXCHANGE_PARTITION || verb == DDL_CONVERT_PARTITION;
}

ddl_event_t *ddl_event_unpack(bytes_t bytes)
{
    ddl_event_t *event = ddl_event_new();
    unpacker_t from = unpacker_of(bytes, &event->arena);
    from.failed |= unpack_number(&from) != VERSION;
    event->commit_ts.v = unpack_number(&from);
    event->commit_time.v = unpack_number(&from);
    event->verb = (ddl_verb_t)unpack_below(&from, DDL_UNKNOWN);
    unpack_flags(&from, event);
    event->schema = unpack_name(&from);
    event->object = unpack_name(&from);
    event->sql = unpack_own_bytes(&from);
    event->sql_utf8 = unpack_name(&from);
    unpack_context(&from, &event->context);
    unpack_payload(&from, &event->payload);
    unpack_changes(&from, event);
    unpack_partitions(&from, event);
    event->replay = unpack_own_bytes(&from);
    bool lacks_table = names_partitions(event->verb) && event->change_count == 0;
    if (from.failed || from.at != from.end || lacks_table)
        ddl_event_unref(&event);
    return event;
}
