#include "dispatcher/core/ddl/definition_codec.h"

/* What these take at least: a byte for each of their fields. */
enum {
    COLUMN_BYTES_MIN = 17,
    KEY_BYTES_MIN = 4,
    KEY_PART_BYTES_MIN = 3,
    FOREIGN_KEY_BYTES_MIN = 6,
    REFERENCE_BYTES_MIN = 2,
};

static void pack_texts(text_builder_t *to, const char *const *texts, uint32_t count)
{
    pack_number(to, count);
    for (uint32_t i = 0; i < count; i++)
        pack_text(to, texts[i]);
}

static void pack_column(const column_definition_t *column, text_builder_t *to)
{
    pack_text(to, column->name);
    pack_number(to, column->type);
    pack_number(to, column->flags);
    pack_number(to, column->length);
    pack_number(to, column->precision);
    pack_number(to, column->scale);
    pack_number(to, column->fsp);
    pack_text(to, column->charset);
    pack_text(to, column->collation);
    pack_text(to, column->geometry_name);
    pack_texts(to, column->members, column->member_count);
    pack_number(to, column->generated);
    pack_text(to, column->generated_expression);
    pack_number(to, column->default_kind);
    pack_text(to, column->default_value);
    pack_text(to, column->comment);
    pack_text(to, column->check);
}

static void pack_key(const key_definition_t *key, text_builder_t *to)
{
    pack_number(to, key->kind);
    pack_text(to, key->name);
    pack_number(to, key->part_count);
    for (uint32_t i = 0; i < key->part_count; i++) {
        pack_number(to, key->parts[i].column);
        pack_number(to, key->parts[i].prefix);
        pack_number(to, key->parts[i].is_descending);
    }
    pack_text(to, key->options);
}

static void pack_foreign_key(const foreign_key_t *key, text_builder_t *to)
{
    pack_text(to, key->name);
    pack_number(to, key->column_count);
    for (uint32_t i = 0; i < key->column_count; i++) {
        pack_number(to, key->columns[i]);
        pack_text(to, key->referenced_columns[i]);
    }
    pack_text(to, key->referenced_schema);
    pack_text(to, key->referenced_table);
    pack_number(to, key->on_delete);
    pack_number(to, key->on_update);
}

void definition_pack_identity(const table_definition_t *definition, text_builder_t *to)
{
    pack_text(to, definition->schema);
    pack_text(to, definition->name);
    pack_number(to, definition->table_id.v);
    pack_number(to, definition->created.v);
    pack_number(to, definition->created_by_select);
    pack_number(to, definition->version.v);
    pack_number(to, definition->last_change.commit_ts.v);
    pack_number(to, definition->last_change.is_syncpoint);
}

static void pack_head(const table_definition_t *definition, text_builder_t *to)
{
    pack_text(to, definition->charset);
    pack_text(to, definition->collation);
    pack_text(to, definition->engine);
    pack_text(to, definition->comment);
    pack_text(to, definition->options);
    pack_text(to, definition->period_text);
    pack_text(to, definition->partition_text);
    pack_number(to, definition->is_view);
    pack_number(to, definition->is_sequence);
    pack_number(to, definition->is_system_versioned);
}

void definition_pack_shape(const table_definition_t *definition, text_builder_t *to)
{
    pack_head(definition, to);
    pack_number(to, definition->column_count);
    for (uint32_t i = 0; i < definition->column_count; i++)
        pack_column(&definition->columns[i], to);
    pack_number(to, definition->key_count);
    for (uint32_t i = 0; i < definition->key_count; i++)
        pack_key(&definition->keys[i], to);
    pack_number(to, definition->foreign_key_count);
    for (uint32_t i = 0; i < definition->foreign_key_count; i++)
        pack_foreign_key(&definition->foreign_keys[i], to);
    pack_texts(to, definition->checks, definition->check_count);
    for (uint32_t i = 0; i < definition->check_count; i++)
        pack_text(to, definition->check_expressions ? definition->check_expressions[i] : NULL);
}

/* ---- reading ---- */

static bool unpack_bool(unpacker_t *from)
{
    return unpack_below(from, 1) == 1;
}

static const char *const *unpack_names(unpacker_t *from, uint32_t *count)
{
    *count = unpack_count(from);
    const char **texts = arena_calloc(from->arena, *count, sizeof *texts);
    for (uint32_t i = 0; i < *count; i++)
        texts[i] = unpack_name(from);
    return texts;
}

static void unpack_column(unpacker_t *from, column_definition_t *column)
{
    column->name = unpack_name(from);
    column->type = (column_type_t)unpack_below(from, COLUMN_UUID);
    column->flags = unpack_below(from, UINT32_MAX);
    column->length = unpack_below(from, UINT32_MAX);
    column->precision = (uint8_t)unpack_below(from, UINT8_MAX);
    column->scale = (uint8_t)unpack_below(from, UINT8_MAX);
    column->fsp = (uint8_t)unpack_below(from, 6);
    column->charset = unpack_text(from);
    column->collation = unpack_text(from);
    column->geometry_name = unpack_text(from);
    column->members = unpack_names(from, &column->member_count);
    column->generated = (generated_t)unpack_below(from, GENERATED_STORED);
    column->generated_expression = unpack_text(from);
    column->default_kind = (default_kind_t)unpack_below(from, DEFAULT_EXPRESSION);
    column->default_value = unpack_text(from);
    column->comment = unpack_text(from);
    column->check = unpack_text(from);
    bool has_value =
        column->default_kind == DEFAULT_LITERAL || column->default_kind == DEFAULT_EXPRESSION;
    if ((column->generated != GENERATED_NO && !column->generated_expression) ||
        (has_value && !column->default_value))
        from->failed = true;
}

/* Keys name columns by place: one that the table does not have fails. */
static uint32_t unpack_place(unpacker_t *from, uint32_t column_count)
{
    if (column_count == 0) {
        from->failed = true;
        return 0;
    }
    return unpack_below(from, column_count - 1);
}

static void unpack_key(unpacker_t *from, key_definition_t *key, uint32_t column_count)
{
    key->kind = (key_kind_t)unpack_below(from, KEY_SPATIAL);
    key->name = unpack_name(from);
    key->part_count = unpack_count_of(from, KEY_PART_BYTES_MIN);
    key_part_t *parts = arena_calloc(from->arena, key->part_count, sizeof *parts);
    for (uint32_t i = 0; i < key->part_count && !from->failed; i++) {
        parts[i].column = unpack_place(from, column_count);
        parts[i].prefix = unpack_below(from, UINT32_MAX);
        parts[i].is_descending = unpack_bool(from);
    }
    key->parts = parts;
    key->options = unpack_text(from);
}

static void unpack_foreign_key(unpacker_t *from, foreign_key_t *key, uint32_t column_count)
{
    key->name = unpack_name(from);
    key->column_count = unpack_count_of(from, REFERENCE_BYTES_MIN);
    uint32_t *columns = arena_calloc(from->arena, key->column_count, sizeof *columns);
    const char **names = arena_calloc(from->arena, key->column_count, sizeof *names);
    for (uint32_t i = 0; i < key->column_count && !from->failed; i++) {
        columns[i] = unpack_place(from, column_count);
        names[i] = unpack_name(from);
    }
    key->columns = columns;
    key->referenced_columns = names;
    key->referenced_schema = unpack_name(from);
    key->referenced_table = unpack_name(from);
    key->on_delete = (reference_action_t)unpack_below(from, REFERENCE_SET_DEFAULT);
    key->on_update = (reference_action_t)unpack_below(from, REFERENCE_SET_DEFAULT);
}

void definition_unpack_identity(unpacker_t *from, table_definition_t *identity)
{
    identity->schema = unpack_name(from);
    identity->name = unpack_name(from);
    identity->table_id.v = unpack_number(from);
    identity->created.v = unpack_number(from);
    identity->created_by_select = unpack_bool(from);
    identity->version.v = unpack_number(from);
    identity->last_change.commit_ts.v = unpack_number(from);
    identity->last_change.is_syncpoint = unpack_bool(from);
}

static void unpack_head(unpacker_t *from, table_definition_t *definition)
{
    definition->charset = unpack_text(from);
    definition->collation = unpack_text(from);
    definition->engine = unpack_text(from);
    definition->comment = unpack_text(from);
    definition->options = unpack_text(from);
    definition->period_text = unpack_text(from);
    definition->partition_text = unpack_text(from);
    definition->is_view = unpack_bool(from);
    definition->is_sequence = unpack_bool(from);
    definition->is_system_versioned = unpack_bool(from);
}

static void unpack_lists(unpacker_t *from, table_definition_t *definition)
{
    arena_t *arena = from->arena;
    definition->column_count = unpack_count_of(from, COLUMN_BYTES_MIN);
    column_definition_t *columns = arena_calloc(arena, definition->column_count, sizeof *columns);
    for (uint32_t i = 0; i < definition->column_count && !from->failed; i++)
        unpack_column(from, &columns[i]);
    definition->columns = columns;
    definition->key_count = unpack_count_of(from, KEY_BYTES_MIN);
    key_definition_t *keys = arena_calloc(arena, definition->key_count, sizeof *keys);
    for (uint32_t i = 0; i < definition->key_count && !from->failed; i++)
        unpack_key(from, &keys[i], definition->column_count);
    definition->keys = keys;
    definition->foreign_key_count = unpack_count_of(from, FOREIGN_KEY_BYTES_MIN);
    foreign_key_t *foreign = arena_calloc(arena, definition->foreign_key_count, sizeof *foreign);
    for (uint32_t i = 0; i < definition->foreign_key_count && !from->failed; i++)
        unpack_foreign_key(from, &foreign[i], definition->column_count);
    definition->foreign_keys = foreign;
    definition->checks = unpack_names(from, &definition->check_count);
    const char **expressions = arena_calloc(arena, definition->check_count, sizeof *expressions);
    for (uint32_t i = 0; i < definition->check_count && !from->failed; i++)
        expressions[i] = unpack_text(from);
    definition->check_expressions = expressions;
}

table_definition_t *definition_unpack_shape(unpacker_t *from, const table_definition_t *identity)
{
    table_definition_t *definition = table_definition_new();
    arena_t *outer = from->arena;
    from->arena = &definition->arena;
    table_definition_copy_fields(definition, identity);
    definition->schema = arena_strdup(from->arena, identity->schema);
    definition->name = arena_strdup(from->arena, identity->name);
    unpack_head(from, definition);
    unpack_lists(from, definition);
    from->arena = outer;
    if (!from->failed)
        return definition;
    const table_definition_t *broken = definition;
    table_definition_unref(&broken);
    return NULL;
}

void definition_pack(const table_definition_t *definition, text_builder_t *to)
{
    definition_pack_identity(definition, to);
    definition_pack_shape(definition, to);
}

table_definition_t *definition_unpack(unpacker_t *from)
{
    table_definition_t identity = {0};
    definition_unpack_identity(from, &identity);
    return from->failed ? NULL : definition_unpack_shape(from, &identity);
}
