#include "dispatcher/sink/mariadb/binding.h"

#include <string.h>

/* The longest prefix that says how long a value is, and the indicator. */
#define VALUE_OVERHEAD 10

static enum enum_field_types buffer_type(const column_definition_t *column)
{
    switch (column->type) {
    case COLUMN_TINYINT:
    case COLUMN_SMALLINT:
    case COLUMN_MEDIUMINT:
    case COLUMN_INT:
    case COLUMN_BIGINT:
    case COLUMN_BIT:
    case COLUMN_YEAR:
    case COLUMN_ENUM:
    case COLUMN_SET:
        return MYSQL_TYPE_LONGLONG;
    case COLUMN_DECIMAL:
        return MYSQL_TYPE_NEWDECIMAL;
    case COLUMN_FLOAT:
        return MYSQL_TYPE_FLOAT;
    case COLUMN_DOUBLE:
        return MYSQL_TYPE_DOUBLE;
    case COLUMN_DATE:
    case COLUMN_TIME:
    case COLUMN_DATETIME:
    case COLUMN_TIMESTAMP:
        return MYSQL_TYPE_STRING;
    case COLUMN_CHAR:
    case COLUMN_VARCHAR:
    case COLUMN_TINYTEXT:
    case COLUMN_TEXT:
    case COLUMN_MEDIUMTEXT:
    case COLUMN_LONGTEXT:
    case COLUMN_BINARY:
    case COLUMN_VARBINARY:
    case COLUMN_TINYBLOB:
    case COLUMN_BLOB:
    case COLUMN_MEDIUMBLOB:
    case COLUMN_LONGBLOB:
    case COLUMN_GEOMETRY:
    case COLUMN_INET4:
    case COLUMN_INET6:
    case COLUMN_UUID:
        return MYSQL_TYPE_BLOB;
    }
    return MYSQL_TYPE_BLOB;
}

/* The server takes the mask of a SET for a signed number when it compares: one with 64 members that
 * has its last is below zero. */
static bool is_signed_integer(const column_definition_t *column)
{
    switch (column->type) {
    case COLUMN_TINYINT:
    case COLUMN_SMALLINT:
    case COLUMN_MEDIUMINT:
    case COLUMN_INT:
    case COLUMN_BIGINT:
        return !(column->flags & COLUMN_UNSIGNED);
    case COLUMN_SET:
        return true;
    case COLUMN_DECIMAL:
    case COLUMN_FLOAT:
    case COLUMN_DOUBLE:
    case COLUMN_BIT:
    case COLUMN_YEAR:
    case COLUMN_DATE:
    case COLUMN_TIME:
    case COLUMN_DATETIME:
    case COLUMN_TIMESTAMP:
    case COLUMN_CHAR:
    case COLUMN_VARCHAR:
    case COLUMN_TINYTEXT:
    case COLUMN_TEXT:
    case COLUMN_MEDIUMTEXT:
    case COLUMN_LONGTEXT:
    case COLUMN_BINARY:
    case COLUMN_VARBINARY:
    case COLUMN_TINYBLOB:
    case COLUMN_BLOB:
    case COLUMN_MEDIUMBLOB:
    case COLUMN_LONGBLOB:
    case COLUMN_ENUM:
    case COLUMN_GEOMETRY:
    case COLUMN_INET4:
    case COLUMN_INET6:
    case COLUMN_UUID:
        return false;
    }
    return false;
}

static void fill_integers(MYSQL_BIND *bind, const value_t *const *images, uint32_t index,
                          uint32_t count, arena_t *arena)
{
    uint64_t *numbers = arena_alloc(arena, count * sizeof *numbers);
    for (uint32_t i = 0; i < count; i++)
        numbers[i] = images[i][index].kind == VALUE_NULL ? 0 : images[i][index].u64;
    bind->buffer = numbers;
}

static void fill_floats(MYSQL_BIND *bind, const value_t *const *images, uint32_t index,
                        uint32_t count, arena_t *arena)
{
    float *numbers = arena_alloc(arena, count * sizeof *numbers);
    for (uint32_t i = 0; i < count; i++)
        numbers[i] = images[i][index].kind == VALUE_NULL ? 0 : images[i][index].f32;
    bind->buffer = numbers;
}

static void fill_doubles(MYSQL_BIND *bind, const value_t *const *images, uint32_t index,
                         uint32_t count, arena_t *arena)
{
    double *numbers = arena_alloc(arena, count * sizeof *numbers);
    for (uint32_t i = 0; i < count; i++)
        numbers[i] = images[i][index].kind == VALUE_NULL ? 0 : images[i][index].f64;
    bind->buffer = numbers;
}

static bytes_t value_bytes(const value_t *value, arena_t *arena)
{
    switch (value->kind) {
    case VALUE_DECIMAL:
    case VALUE_TEXT:
    case VALUE_BINARY:
    case VALUE_GEOMETRY:
        return value->bytes;
    case VALUE_DATE:
    case VALUE_TIME:
    case VALUE_DATETIME:
    case VALUE_TIMESTAMP: {
        char *text = arena_alloc(arena, TEMPORAL_TEXT_SIZE);
        return bytes_of(text, temporal_format(value->kind, &value->temporal, text));
    }
    case VALUE_NULL:
    case VALUE_INT:
    case VALUE_UINT:
    case VALUE_FLOAT:
    case VALUE_DOUBLE:
    case VALUE_BIT:
    case VALUE_ENUM:
    case VALUE_SET:
        break;
    }
    return (bytes_t){0};
}

static void fill_bytes(MYSQL_BIND *bind, const value_t *const *images, uint32_t index,
                       uint32_t count, arena_t *arena)
{
    const void **pointers = arena_alloc(arena, count * sizeof *pointers);
    unsigned long *lengths = arena_alloc(arena, count * sizeof *lengths);
    for (uint32_t i = 0; i < count; i++) {
        bytes_t bytes = value_bytes(&images[i][index], arena);
        pointers[i] = bytes.data ? (const void *)bytes.data : "";
        lengths[i] = bytes.len;
    }
    bind->buffer = pointers;
    bind->length = lengths;
}

void mariadb_binding_fill(MYSQL_BIND *bind, const column_definition_t *column,
                          const value_t *const *images, uint32_t column_index, uint32_t count,
                          arena_t *arena)
{
    *bind =
        (MYSQL_BIND){.buffer_type = buffer_type(column), .is_unsigned = !is_signed_integer(column)};
    char *indicators = arena_alloc(arena, count);
    for (uint32_t i = 0; i < count; i++)
        indicators[i] =
            images[i][column_index].kind == VALUE_NULL ? STMT_INDICATOR_NULL : STMT_INDICATOR_NONE;
    bind->u.indicator = indicators;
    if (bind->buffer_type == MYSQL_TYPE_LONGLONG)
        fill_integers(bind, images, column_index, count, arena);
    else if (bind->buffer_type == MYSQL_TYPE_FLOAT)
        fill_floats(bind, images, column_index, count, arena);
    else if (bind->buffer_type == MYSQL_TYPE_DOUBLE)
        fill_doubles(bind, images, column_index, count, arena);
    else
        fill_bytes(bind, images, column_index, count, arena);
}

size_t mariadb_binding_size(const value_t *value)
{
    switch (value->kind) {
    case VALUE_DECIMAL:
    case VALUE_TEXT:
    case VALUE_BINARY:
    case VALUE_GEOMETRY:
        return value->bytes.len + VALUE_OVERHEAD;
    case VALUE_DATE:
    case VALUE_TIME:
    case VALUE_DATETIME:
    case VALUE_TIMESTAMP:
        return TEMPORAL_TEXT_SIZE + VALUE_OVERHEAD;
    case VALUE_NULL:
    case VALUE_INT:
    case VALUE_UINT:
    case VALUE_FLOAT:
    case VALUE_DOUBLE:
    case VALUE_BIT:
    case VALUE_ENUM:
    case VALUE_SET:
        break;
    }
    return sizeof(uint64_t) + VALUE_OVERHEAD;
}
