/* The tracker's state as bytes, and a logged DDL as bytes. */
#include <stdlib.h>

#include "common/base/key_map.h"
#include "dispatcher/core/ddl/definition_codec.h"
#include "dispatcher/core/ddl/plan.h"

#define SNAPSHOT_MAGIC 0x43534c53u /* "SLSC" */
#define SNAPSHOT_VERSION 2
#define SNAPSHOT_VERSION_UNSHARED 1 /* read: each table with its own shape */
#define DDL_CONTENT_VERSION 1

/* ---- snapshot ---- */

/* The source's own ways, by which every later statement is read. */
static void pack_source(const schema_tracker_options_t *options, text_builder_t *to)
{
    pack_number(to, options->lower_case_names);
    pack_number(to, options->server_version);
    pack_text(to, options->default_charset);
    pack_text(to, options->default_collation);
}

static void unpack_source(unpacker_t *from, schema_tracker_options_t *options)
{
    options->lower_case_names = unpack_below(from, 1) == 1;
    options->server_version = unpack_below(from, UINT32_MAX);
    options->default_charset = unpack_text(from);
    options->default_collation = unpack_text(from);
}

static int compare_versions(const void *a, const void *b)
{
    const table_version_t *const *x = a, *const *y = b;
    int order = strcmp((*x)->definition->schema, (*y)->definition->schema);
    return order ? order : strcmp((*x)->definition->name, (*y)->definition->name);
}

typedef struct {
    const char *name;
    const schema_version_t *version;
} named_schema_t;

static int compare_schemas(const void *a, const void *b)
{
    return strcmp(((const named_schema_t *)a)->name, ((const named_schema_t *)b)->name);
}

static void pack_schemas(const schema_store_t *store, commit_ts_t at, text_builder_t *to,
                         arena_t *scratch)
{
    list_t list = {0};
    size_t position = 0;
    named_schema_t item;
    while ((item.version = schema_store_next_schema(store, at, &position, &item.name)))
        *(named_schema_t *)list_add(&list, sizeof item, scratch) = item;
    if (list.count > 1)
        qsort(list.items, list.count, sizeof item, compare_schemas);
    pack_number(to, list.count);
    for (uint32_t i = 0; i < list.count; i++) {
        const named_schema_t *schema = (const named_schema_t *)list.items + i;
        pack_text(to, schema->name);
        pack_text(to, schema->version->charset.charset);
        pack_text(to, schema->version->charset.collation);
    }
}

/* Its number, and where it comes for the first time what it is: the store has equal ones once. */
static void pack_shape(const table_definition_t *definition, key_map_t *shapes, text_builder_t *to)
{
    const table_definition_t *shape = definition->shape ? definition->shape : definition;
    map_key_t key = {0, (uintptr_t)shape};
    uintptr_t place = (uintptr_t)key_map_get(shapes, key);
    if (place == 0)
        key_map_put(shapes, key, (void *)(uintptr_t)(shapes->count + 1));
    pack_number(to, place ? place - 1 : shapes->count - 1);
    if (place == 0)
        definition_pack_shape(shape, to);
}

static void pack_tables(const schema_store_t *store, commit_ts_t at, text_builder_t *to,
                        arena_t *scratch)
{
    list_t list = {0};
    size_t position = 0;
    const table_version_t *version;
    while ((version = schema_store_next_table(store, at, &position)))
        *(const table_version_t **)list_add(&list, sizeof version, scratch) = version;
    /* One order on every node, so that equal states are equal bytes. */
    if (list.count > 1)
        qsort(list.items, list.count, sizeof version, compare_versions);
    pack_number(to, list.count);
    key_map_t shapes = {0};
    for (uint32_t i = 0; i < list.count; i++) {
        version = ((const table_version_t **)list.items)[i];
        pack_number(to, version->is_delivered);
        definition_pack_identity(version->definition, to);
        pack_shape(version->definition, &shapes, to);
    }
    key_map_clear(&shapes);
}

sluice_error_t schema_tracker_snapshot(const schema_tracker_t *tracker, commit_ts_t at,
                                       bool is_final, arena_t *arena, bytes_t *snapshot)
{
    if (at.v > tracker->position.v && !is_final)
        return SLUICE_ERROR_AGAIN;
    if (at.v < tracker->forgotten.v)
        return SLUICE_ERROR_NOT_FOUND;
    text_builder_t to;
    arena_t scratch;
    arena_init(&scratch);
    text_builder_init(&to, arena);
    pack_number(&to, SNAPSHOT_MAGIC);
    pack_number(&to, SNAPSHOT_VERSION);
    pack_number(&to, at.v);
    pack_source(&tracker->options, &to);
    pack_schemas(tracker->store, at, &to, &scratch);
    pack_tables(tracker->store, at, &to, &scratch);
    arena_clear(&scratch);
    *snapshot = bytes_of(to.data, to.len);
    return SLUICE_OK;
}

static void unpack_schemas(unpacker_t *from, schema_store_t *store)
{
    uint32_t count = unpack_count(from);
    for (uint32_t i = 0; i < count && !from->failed; i++) {
        const char *name = unpack_name(from);
        const char *charset = unpack_text(from);
        const char *collation = unpack_text(from);
        if (!from->failed)
            schema_store_put_schema(store, COMMIT_TS_NONE, name, true,
                                    (charset_choice_t){charset, collation});
    }
}

/* With one reference; `shapes` are those that came before, NULL where they are not shared. */
static table_definition_t *unpack_table(unpacker_t *from, list_t *shapes, arena_t *scratch)
{
    if (!shapes)
        return definition_unpack(from);
    table_definition_t identity = {0};
    definition_unpack_identity(from, &identity);
    uint32_t number = unpack_below(from, shapes->count);
    if (from->failed)
        return NULL;
    if (number < shapes->count)
        return table_definition_shaped(&identity, ((table_definition_t **)shapes->items)[number]);
    table_definition_t *definition = definition_unpack_shape(from, &identity);
    if (definition)
        *(const table_definition_t **)list_add(shapes, sizeof definition, scratch) =
            table_definition_ref(definition);
    return definition;
}

static void put_unpacked(const schema_tracker_t *tracker, bool was_delivered,
                         const table_definition_t *definition)
{
    bool is_taken = table_filter_takes(tracker->options.filter, bytes_of_text(definition->schema),
                                       bytes_of_text(definition->name));
    bool is_delivered =
        is_taken && !definition->is_sequence && (was_delivered || !definition->is_view);
    schema_store_put_table(tracker->store, COMMIT_TS_NONE, definition->schema, definition->name,
                           definition, is_delivered);
}

static void unpack_tables(unpacker_t *from, const schema_tracker_t *tracker, bool is_shared)
{
    arena_t *scratch = from->arena;
    arena_t names = {0};
    list_t shapes = {0};
    uint32_t count = unpack_count(from);
    from->arena = &names;
    for (uint32_t i = 0; i < count && !from->failed; i++) {
        arena_reset(&names);
        bool was_delivered = unpack_below(from, 1) == 1;
        const table_definition_t *definition =
            unpack_table(from, is_shared ? &shapes : NULL, scratch);
        if (definition)
            put_unpacked(tracker, was_delivered, definition);
    }
    from->arena = scratch;
    const table_definition_t **shared = shapes.items;
    for (uint32_t i = 0; i < shapes.count; i++)
        table_definition_unref(&shared[i]);
    arena_clear(&names);
}

sluice_error_t schema_tracker_from_snapshot(const schema_tracker_options_t *options,
                                            bytes_t snapshot, schema_tracker_t **tracker,
                                            error_report_t *report)
{
    *tracker = NULL;
    arena_t arena;
    arena_init(&arena);
    unpacker_t from = unpacker_of(snapshot, &arena);
    bool is_snapshot = unpack_number(&from) == SNAPSHOT_MAGIC;
    uint64_t version = unpack_number(&from);
    if (is_snapshot && version != SNAPSHOT_VERSION && version != SNAPSHOT_VERSION_UNSHARED) {
        arena_clear(&arena);
        return error_report_set(
            report, SLUICE_ERROR_UNSUPPORTED,
            "schema snapshot of version %llu, this program reads versions %d and %d",
            (unsigned long long)version, SNAPSHOT_VERSION_UNSHARED, SNAPSHOT_VERSION);
    }
    commit_ts_t at = {unpack_number(&from)};
    schema_tracker_options_t own = *options;
    unpack_source(&from, &own);
    schema_tracker_t *self = schema_tracker_new(&own);
    unpack_schemas(&from, self->store);
    unpack_tables(&from, self, version == SNAPSHOT_VERSION);
    if (!is_snapshot || from.failed || from.at != from.end) {
        schema_tracker_destroy(&self);
        arena_clear(&arena);
        return error_report_set(report, SLUICE_ERROR_MALFORMED,
                                "%zu bytes given as schema snapshot are none", snapshot.len);
    }
    arena_clear(&arena);
    schema_tracker_set_position(self, at);
    *tracker = self;
    return SLUICE_OK;
}

/* ---- one DDL ---- */

schema_ddl_t schema_ddl_encode(const logged_ddl_t *ddl, arena_t *arena)
{
    const ddl_context_t *context = &ddl->context;
    text_builder_t to;
    text_builder_init(&to, arena);
    pack_number(&to, DDL_CONTENT_VERSION);
    pack_bytes(&to, ddl->sql);
    pack_number(&to, ddl->has_rows);
    pack_text(&to, context->default_schema);
    pack_number(&to, context->has_sql_mode);
    pack_number(&to, context->sql_mode);
    pack_number(&to, context->charset_client);
    pack_number(&to, context->collation_connection);
    pack_number(&to, context->collation_server);
    pack_number(&to, context->collation_database);
    pack_text(&to, context->time_zone);
    pack_number(&to, context->has_option_flags);
    pack_number(&to, context->option_flags);
    pack_number(&to, context->timestamp_us);
    pack_number(&to, context->auto_increment_increment);
    pack_number(&to, context->auto_increment_offset);
    return (schema_ddl_t){.commit_ts = ddl->commit_ts,
                          .commit_time = ddl->commit_time,
                          .content = bytes_of(to.data, to.len)};
}

sluice_error_t schema_ddl_decode(const schema_ddl_t *encoded, arena_t *arena, logged_ddl_t *ddl)
{
    ddl_context_t *context = &ddl->context;
    unpacker_t from = unpacker_of(encoded->content, arena);
    *ddl = (logged_ddl_t){.commit_ts = encoded->commit_ts, .commit_time = encoded->commit_time};
    uint64_t version = unpack_number(&from);
    if (version > DDL_CONTENT_VERSION)
        return SLUICE_ERROR_UNSUPPORTED;
    ddl->sql = arena_bytes(arena, unpack_bytes(&from));
    ddl->has_rows = unpack_below(&from, 1) == 1;
    context->default_schema = unpack_text(&from);
    if (!context->default_schema)
        context->default_schema = "";
    context->has_sql_mode = unpack_below(&from, 1) == 1;
    context->sql_mode = unpack_number(&from);
    context->charset_client = (uint16_t)unpack_below(&from, UINT16_MAX);
    context->collation_connection = (uint16_t)unpack_below(&from, UINT16_MAX);
    context->collation_server = (uint16_t)unpack_below(&from, UINT16_MAX);
    context->collation_database = (uint16_t)unpack_below(&from, UINT16_MAX);
    context->time_zone = unpack_text(&from);
    context->has_option_flags = unpack_below(&from, 1) == 1;
    context->option_flags = unpack_below(&from, UINT32_MAX);
    context->timestamp_us = unpack_number(&from);
    context->auto_increment_increment = (uint16_t)unpack_below(&from, UINT16_MAX);
    context->auto_increment_offset = (uint16_t)unpack_below(&from, UINT16_MAX);
    bool is_whole = !from.failed && from.at == from.end && version == DDL_CONTENT_VERSION;
    return is_whole ? SLUICE_OK : SLUICE_ERROR_MALFORMED;
}

schema_ddl_t schema_ddl_of_event(const ddl_event_t *event)
{
    return (schema_ddl_t){
        .commit_ts = event->commit_ts, .commit_time = event->commit_time, .content = event->replay};
}
