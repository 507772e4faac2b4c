#include "common/model/table_definition.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

#include "common/base/memory.h"

table_definition_t *table_definition_new(void)
{
    table_definition_t *definition = memory_zalloc(sizeof *definition);
    atomic_init(&definition->references, 1);
    definition->schema = "";
    definition->name = "";
    return definition;
}

const table_definition_t *table_definition_ref(const table_definition_t *definition)
{
    table_definition_t *self = (table_definition_t *)definition;
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    return definition;
}

void table_definition_unref(const table_definition_t **definition)
{
    table_definition_t *self = (table_definition_t *)*definition;
    *definition = NULL;
    if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1)
        return;
    const table_definition_t *shape = self->shape;
    arena_clear(&self->arena);
    free(self);
    table_definition_unref(&shape);
}

static const char *copy_text(arena_t *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

static const char *const *copy_texts(arena_t *arena, const char *const *texts, uint32_t count)
{
    if (count == 0)
        return NULL;
    const char **copy = arena_calloc(arena, count, sizeof *copy);
    for (uint32_t i = 0; i < count; i++)
        copy[i] = copy_text(arena, texts[i]);
    return copy;
}

static void *copy_array(arena_t *arena, const void *from, uint32_t count, size_t size)
{
    if (count == 0)
        return NULL;
    void *copy = arena_calloc(arena, count, size);
    memcpy(copy, from, count * size);
    return copy;
}

static const column_definition_t *copy_columns(arena_t *arena, const table_definition_t *from)
{
    column_definition_t *columns =
        copy_array(arena, from->columns, from->column_count, sizeof *columns);
    for (uint32_t i = 0; i < from->column_count; i++) {
        column_definition_t *column = &columns[i];
        column->name = copy_text(arena, column->name);
        column->charset = copy_text(arena, column->charset);
        column->collation = copy_text(arena, column->collation);
        column->geometry_name = copy_text(arena, column->geometry_name);
        column->members = copy_texts(arena, column->members, column->member_count);
        column->generated_expression = copy_text(arena, column->generated_expression);
        column->default_value = copy_text(arena, column->default_value);
        column->comment = copy_text(arena, column->comment);
        column->check = copy_text(arena, column->check);
    }
    return columns;
}

static const key_definition_t *copy_keys(arena_t *arena, const table_definition_t *from)
{
    key_definition_t *keys = copy_array(arena, from->keys, from->key_count, sizeof *keys);
    for (uint32_t i = 0; i < from->key_count; i++) {
        keys[i].name = copy_text(arena, keys[i].name);
        keys[i].options = copy_text(arena, keys[i].options);
        keys[i].parts = copy_array(arena, keys[i].parts, keys[i].part_count, sizeof *keys[i].parts);
    }
    return keys;
}

static const foreign_key_t *copy_foreign_keys(arena_t *arena, const table_definition_t *from)
{
    foreign_key_t *keys =
        copy_array(arena, from->foreign_keys, from->foreign_key_count, sizeof *keys);
    for (uint32_t i = 0; i < from->foreign_key_count; i++) {
        foreign_key_t *key = &keys[i];
        key->name = copy_text(arena, key->name);
        key->columns = copy_array(arena, key->columns, key->column_count, sizeof *key->columns);
        key->referenced_schema = copy_text(arena, key->referenced_schema);
        key->referenced_table = copy_text(arena, key->referenced_table);
        key->referenced_columns = copy_texts(arena, key->referenced_columns, key->column_count);
    }
    return keys;
}

void table_definition_copy_fields(table_definition_t *to, const table_definition_t *from)
{
    size_t offset = offsetof(table_definition_t, table_id);
    _Static_assert(offsetof(table_definition_t, references) == 0 &&
                       offsetof(table_definition_t, shape) ==
                           offsetof(table_definition_t, arena) + sizeof(arena_t) &&
                       offsetof(table_definition_t, table_id) ==
                           offsetof(table_definition_t, shape) + sizeof(table_definition_t *),
                   "nothing else lies before the fields");
    memcpy((uint8_t *)to + offset, (const uint8_t *)from + offset, sizeof *to - offset);
}

table_definition_t *table_definition_clone(const table_definition_t *from)
{
    table_definition_t *copy = table_definition_new();
    arena_t arena = copy->arena;
    table_definition_copy_fields(copy, from);
    copy->schema = copy_text(&arena, from->schema);
    copy->name = copy_text(&arena, from->name);
    copy->columns = copy_columns(&arena, from);
    copy->keys = copy_keys(&arena, from);
    copy->foreign_keys = copy_foreign_keys(&arena, from);
    copy->checks = copy_texts(&arena, from->checks, from->check_count);
    copy->check_expressions = from->check_expressions
                                  ? copy_texts(&arena, from->check_expressions, from->check_count)
                                  : NULL;
    copy->options = copy_text(&arena, from->options);
    copy->period_text = copy_text(&arena, from->period_text);
    copy->charset = copy_text(&arena, from->charset);
    copy->collation = copy_text(&arena, from->collation);
    copy->engine = copy_text(&arena, from->engine);
    copy->comment = copy_text(&arena, from->comment);
    copy->partition_text = copy_text(&arena, from->partition_text);
    copy->arena = arena;
    return copy;
}

table_definition_t *table_definition_shaped(const table_definition_t *from,
                                            const table_definition_t *shape)
{
    size_t schema_size = strlen(from->schema) + 1, name_size = strlen(from->name) + 1;
    table_definition_t *definition = memory_zalloc(sizeof *definition + schema_size + name_size);
    char *names = (char *)(definition + 1);
    assert(!shape->shape);
    atomic_init(&definition->references, 1);
    table_definition_copy_fields(definition, shape);
    definition->shape = table_definition_ref(shape);
    definition->table_id = from->table_id;
    definition->created = from->created;
    definition->created_by_select = from->created_by_select;
    definition->version = from->version;
    definition->last_change = from->last_change;
    definition->schema = memcpy(names, from->schema, schema_size);
    definition->name = memcpy(names + schema_size, from->name, name_size);
    return definition;
}

const key_definition_t *table_definition_primary_key(const table_definition_t *definition)
{
    for (uint32_t i = 0; i < definition->key_count; i++)
        if (definition->keys[i].kind == KEY_PRIMARY)
            return &definition->keys[i];
    return NULL;
}

static bool key_identifies_rows(const table_definition_t *definition, const key_definition_t *key)
{
    if (key->kind != KEY_UNIQUE)
        return false;
    for (uint32_t i = 0; i < key->part_count; i++) {
        const column_definition_t *column = &definition->columns[key->parts[i].column];
        if (key->parts[i].prefix || !(column->flags & COLUMN_NOT_NULL) || column->generated)
            return false;
    }
    return true;
}

const key_definition_t *table_definition_row_key(const table_definition_t *definition)
{
    const key_definition_t *primary = table_definition_primary_key(definition);
    if (primary)
        return primary;
    for (uint32_t i = 0; i < definition->key_count; i++)
        if (key_identifies_rows(definition, &definition->keys[i]))
            return &definition->keys[i];
    return NULL;
}

bool table_definition_has_other_unique(const table_definition_t *definition)
{
    const key_definition_t *row_key = table_definition_row_key(definition);
    for (uint32_t i = 0; i < definition->key_count; i++)
        if (definition->keys[i].kind == KEY_UNIQUE && &definition->keys[i] != row_key)
            return true;
    return false;
}

int table_definition_find_column(const table_definition_t *definition, bytes_t name)
{
    for (uint32_t i = 0; i < definition->column_count; i++) {
        const char *candidate = definition->columns[i].name;
        if (strlen(candidate) == name.len &&
            strncasecmp(candidate, (const char *)name.data, name.len) == 0)
            return (int)i;
    }
    return -1;
}

const char *column_type_name(const column_definition_t *column)
{
    static const char *const names[] = {
        [COLUMN_TINYINT] = "tinyint",
        [COLUMN_SMALLINT] = "smallint",
        [COLUMN_MEDIUMINT] = "mediumint",
        [COLUMN_INT] = "int",
        [COLUMN_BIGINT] = "bigint",
        [COLUMN_DECIMAL] = "decimal",
        [COLUMN_FLOAT] = "float",
        [COLUMN_DOUBLE] = "double",
        [COLUMN_BIT] = "bit",
        [COLUMN_YEAR] = "year",
        [COLUMN_DATE] = "date",
        [COLUMN_TIME] = "time",
        [COLUMN_DATETIME] = "datetime",
        [COLUMN_TIMESTAMP] = "timestamp",
        [COLUMN_CHAR] = "char",
        [COLUMN_VARCHAR] = "varchar",
        [COLUMN_TINYTEXT] = "tinytext",
        [COLUMN_TEXT] = "text",
        [COLUMN_MEDIUMTEXT] = "mediumtext",
        [COLUMN_LONGTEXT] = "longtext",
        [COLUMN_BINARY] = "binary",
        [COLUMN_VARBINARY] = "varbinary",
        [COLUMN_TINYBLOB] = "tinyblob",
        [COLUMN_BLOB] = "blob",
        [COLUMN_MEDIUMBLOB] = "mediumblob",
        [COLUMN_LONGBLOB] = "longblob",
        [COLUMN_ENUM] = "enum",
        [COLUMN_SET] = "set",
        [COLUMN_GEOMETRY] = "geometry",
        [COLUMN_INET4] = "inet4",
        [COLUMN_INET6] = "inet6",
        [COLUMN_UUID] = "uuid",
    };
    return column->type == COLUMN_GEOMETRY && column->geometry_name ? column->geometry_name
                                                                    : names[column->type];
}
