#include "dispatcher/core/binlog/table_map_metadata.h"

#include "dispatcher/core/binlog/cursor.h"

/* MariaDB's sql/log_event.h, Table_map_log_event::Optional_metadata_field_type. */
enum {
    FIELD_SIGNEDNESS = 1,
    FIELD_DEFAULT_CHARSET = 2,
    FIELD_COLUMN_CHARSET = 3,
    FIELD_COLUMN_NAME = 4,
    FIELD_SET_LABELS = 5,
    FIELD_ENUM_LABELS = 6,
    FIELD_GEOMETRY_TYPE = 7,
    FIELD_SIMPLE_PRIMARY_KEY = 8,
    FIELD_PREFIXED_PRIMARY_KEY = 9,
    FIELD_LABELS_DEFAULT_CHARSET = 10,
    FIELD_LABELS_COLUMN_CHARSET = 11
};

typedef struct {
    table_map_t *map;
    table_map_column_t *columns;
    cursor_t cursor; /* of one field */
} field_t;

typedef bool (*column_test_t)(const table_map_column_t *column);

static bool is_numeric(const table_map_column_t *column)
{
    switch (column->type) {
    case BINLOG_TYPE_TINY:
    case BINLOG_TYPE_SHORT:
    case BINLOG_TYPE_INT24:
    case BINLOG_TYPE_LONG:
    case BINLOG_TYPE_LONGLONG:
    case BINLOG_TYPE_FLOAT:
    case BINLOG_TYPE_DOUBLE:
    case BINLOG_TYPE_DECIMAL:
    case BINLOG_TYPE_YEAR:
        return true;
    default:
        return false;
    }
}

/* Whatever has a charset, be it `binary`: GEOMETRY, INET and UUID count too (seen in the log). */
static bool is_character(const table_map_column_t *column)
{
    switch (column->type) {
    case BINLOG_TYPE_STRING:
    case BINLOG_TYPE_VARCHAR:
    case BINLOG_TYPE_BLOB:
    case BINLOG_TYPE_VARCHAR_COMPRESSED:
    case BINLOG_TYPE_BLOB_COMPRESSED:
    case BINLOG_TYPE_GEOMETRY:
        return true;
    default:
        return false;
    }
}

static bool is_enum(const table_map_column_t *column)
{
    return column->type == BINLOG_TYPE_ENUM;
}

static bool is_set(const table_map_column_t *column)
{
    return column->type == BINLOG_TYPE_SET;
}

static bool has_labels(const table_map_column_t *column)
{
    return is_enum(column) || is_set(column);
}

static bool is_geometry(const table_map_column_t *column)
{
    return column->type == BINLOG_TYPE_GEOMETRY;
}

/* The next column from *index on that passes the test; NULL at the end. */
static table_map_column_t *next_column(field_t *field, column_test_t test, uint32_t *index)
{
    while (*index < field->map->column_count) {
        table_map_column_t *column = &field->columns[(*index)++];
        if (test(column))
            return column;
    }
    return NULL;
}

/* One bit per numeric column, the first in the highest bit. */
static void read_signedness(field_t *field)
{
    bytes_t bits = cursor_rest(&field->cursor);
    uint32_t index = 0;
    table_map_column_t *column;
    for (size_t i = 0; (column = next_column(field, is_numeric, &index)); i++) {
        if (i / 8 >= bits.len) {
            cursor_fail(&field->cursor);
            return;
        }
        column->is_unsigned = bits.data[i / 8] >> (7 - i % 8) & 1;
    }
    field->map->has_signedness = true;
}

/* A default, then pairs (number among the columns of this kind, charset) that differ from it. */
static void read_default_charset(field_t *field, column_test_t test)
{
    uint32_t common = (uint32_t)cursor_lenenc(&field->cursor);
    uint32_t index = 0;
    table_map_column_t *column;
    while ((column = next_column(field, test, &index)))
        column->collation = common;
    uint32_t at = 0;
    uint64_t passed = 0;
    index = 0;
    column = NULL;
    while (cursor_left(&field->cursor) > 0) {
        uint64_t number = cursor_lenenc(&field->cursor);
        uint64_t collation = cursor_lenenc(&field->cursor);
        if (number < passed || number >= field->map->column_count) {
            cursor_fail(&field->cursor);
            return;
        }
        while (passed <= number && (column = next_column(field, test, &at)))
            passed++;
        if (!column) {
            cursor_fail(&field->cursor);
            return;
        }
        column->collation = (uint32_t)collation;
    }
}

static void read_column_charsets(field_t *field, column_test_t test)
{
    uint32_t index = 0;
    table_map_column_t *column;
    while ((column = next_column(field, test, &index)))
        column->collation = (uint32_t)cursor_lenenc(&field->cursor);
}

static void read_names(field_t *field)
{
    for (uint32_t i = 0; i < field->map->column_count; i++) {
        size_t len = (size_t)cursor_lenenc(&field->cursor);
        field->columns[i].name = cursor_bytes(&field->cursor, len);
    }
    field->map->has_names = !field->cursor.failed;
}

static void read_labels(field_t *field, column_test_t test)
{
    uint32_t index = 0;
    table_map_column_t *column;
    while ((column = next_column(field, test, &index))) {
        uint64_t count = cursor_lenenc(&field->cursor);
        if (count > cursor_left(&field->cursor)) {
            cursor_fail(&field->cursor);
            return;
        }
        bytes_t *labels = arena_calloc(&field->map->arena, count, sizeof *labels);
        for (uint64_t i = 0; i < count; i++) {
            size_t len = (size_t)cursor_lenenc(&field->cursor);
            labels[i] = cursor_bytes(&field->cursor, len);
        }
        column->labels = labels;
        column->label_count = (uint32_t)count;
    }
}

static void read_geometry_types(field_t *field)
{
    uint32_t index = 0;
    table_map_column_t *column;
    while ((column = next_column(field, is_geometry, &index)))
        column->geometry = (uint8_t)cursor_lenenc(&field->cursor);
}

static void read_primary_key(field_t *field, bool has_prefixes)
{
    table_map_t *map = field->map;
    key_part_t *parts = arena_calloc(&map->arena, map->column_count, sizeof *parts);
    uint32_t count = 0;
    while (cursor_left(&field->cursor) > 0) {
        uint64_t column = cursor_lenenc(&field->cursor);
        uint64_t prefix = has_prefixes ? cursor_lenenc(&field->cursor) : 0;
        if (column >= map->column_count || count == map->column_count || prefix > UINT32_MAX) {
            cursor_fail(&field->cursor);
            return;
        }
        parts[count++] = (key_part_t){.column = (uint32_t)column, .prefix = (uint32_t)prefix};
    }
    map->primary_key = parts;
    map->primary_key_count = count;
}

static void read_field(field_t *field, uint8_t code)
{
    switch (code) {
    case FIELD_SIGNEDNESS:
        read_signedness(field);
        break;
    case FIELD_DEFAULT_CHARSET:
        read_default_charset(field, is_character);
        break;
    case FIELD_COLUMN_CHARSET:
        read_column_charsets(field, is_character);
        break;
    case FIELD_COLUMN_NAME:
        read_names(field);
        break;
    case FIELD_SET_LABELS:
        read_labels(field, is_set);
        break;
    case FIELD_ENUM_LABELS:
        read_labels(field, is_enum);
        break;
    case FIELD_GEOMETRY_TYPE:
        read_geometry_types(field);
        break;
    case FIELD_SIMPLE_PRIMARY_KEY:
        read_primary_key(field, false);
        break;
    case FIELD_PREFIXED_PRIMARY_KEY:
        read_primary_key(field, true);
        break;
    case FIELD_LABELS_DEFAULT_CHARSET:
        read_default_charset(field, has_labels);
        break;
    case FIELD_LABELS_COLUMN_CHARSET:
        read_column_charsets(field, has_labels);
        break;
    default:
        break;
    }
}

sluice_error_t table_map_metadata_parse(table_map_t *map, table_map_column_t *columns,
                                        bytes_t metadata)
{
    cursor_t cursor = cursor_of(metadata);
    while (cursor_left(&cursor) > 0) {
        uint8_t code = cursor_u8(&cursor);
        size_t len = (size_t)cursor_lenenc(&cursor);
        bytes_t content = cursor_bytes(&cursor, len);
        if (cursor.failed)
            return SLUICE_ERROR_SOURCE_CORRUPT;
        field_t field = {.map = map, .columns = columns, .cursor = cursor_of(content)};
        read_field(&field, code);
        if (field.cursor.failed)
            return SLUICE_ERROR_SOURCE_CORRUPT;
    }
    return SLUICE_OK;
}
