#include "dispatcher/core/binlog/table_map.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/binlog/cursor.h"
#include "dispatcher/core/binlog/table_map_metadata.h"

#define MAP_ID_SIZE 6
/* MariaDB allows 4,096 columns; more in a TABLE_MAP is damage. */
#define COLUMNS_MAX 4096
/* Names and labels of one table fit in MariaDB's 64 KiB .frm sections many times over. */
#define BODY_BYTES_MAX (16 * 1024 * 1024)

const table_map_t *table_map_ref(const table_map_t *map)
{
    table_map_t *self = (table_map_t *)map;
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    return map;
}

void table_map_unref(const table_map_t **map)
{
    table_map_t *self = (table_map_t *)*map;
    *map = NULL;
    if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1)
        return;
    table_definition_unref(&self->definition);
    arena_clear(&self->arena);
    free(self);
}

static bytes_t short_name(cursor_t *cursor)
{
    size_t len = cursor_u8(cursor);
    bytes_t name = cursor_bytes(cursor, len);
    if (cursor_u8(cursor) != 0)
        cursor_fail(cursor);
    return name;
}

static void read_names(cursor_t *cursor, uint64_t *map_id, bytes_t *schema, bytes_t *name)
{
    *map_id = cursor_uint(cursor, MAP_ID_SIZE);
    (void)cursor_u16(cursor); /* flags */
    *schema = short_name(cursor);
    *name = short_name(cursor);
}

sluice_error_t table_map_peek(bytes_t body, uint64_t *map_id, bytes_t *schema, bytes_t *name)
{
    cursor_t cursor = cursor_of(body);
    read_names(&cursor, map_id, schema, name);
    return cursor.failed ? SLUICE_ERROR_SOURCE_CORRUPT : SLUICE_OK;
}

/* STRING's first metadata byte is the real type; for CHAR and BINARY of 256 bytes and more its
 * bits 4 and 5, inverted, are bits 8 and 9 of the length. */
static void read_string_meta(cursor_t *meta, table_map_column_t *column)
{
    uint8_t real_type = cursor_u8(meta);
    uint8_t low = cursor_u8(meta);
    column->size = low;
    if ((real_type & 0x30) != 0x30)
        column->size |= (uint32_t)((real_type & 0x30) ^ 0x30) << 4;
    else if (real_type == BINLOG_TYPE_ENUM || real_type == BINLOG_TYPE_SET)
        column->type = real_type;
}

/* Which metadata bytes a column has follows from its type; false: a type MariaDB does not log. */
static bool read_meta(cursor_t *meta, table_map_column_t *column)
{
    switch ((binlog_column_type_t)column->type) {
    case BINLOG_TYPE_TINY:
    case BINLOG_TYPE_SHORT:
    case BINLOG_TYPE_LONG:
    case BINLOG_TYPE_INT24:
    case BINLOG_TYPE_LONGLONG:
    case BINLOG_TYPE_YEAR:
    case BINLOG_TYPE_DATE:
    case BINLOG_TYPE_TIME:
    case BINLOG_TYPE_DATETIME:
    case BINLOG_TYPE_TIMESTAMP:
        return true;
    case BINLOG_TYPE_FLOAT:
    case BINLOG_TYPE_DOUBLE:
    case BINLOG_TYPE_BLOB:
    case BINLOG_TYPE_GEOMETRY:
    case BINLOG_TYPE_BLOB_COMPRESSED:
        column->size = cursor_u8(meta);
        return true;
    case BINLOG_TYPE_TIME2:
    case BINLOG_TYPE_DATETIME2:
    case BINLOG_TYPE_TIMESTAMP2:
        column->scale = cursor_u8(meta);
        return true;
    case BINLOG_TYPE_VARCHAR:
    case BINLOG_TYPE_VARCHAR_COMPRESSED:
        column->size = cursor_u16(meta);
        return true;
    case BINLOG_TYPE_BIT: {
        uint8_t bits = cursor_u8(meta);
        column->size = bits + 8u * cursor_u8(meta);
        return true;
    }
    case BINLOG_TYPE_DECIMAL:
        column->precision = cursor_u8(meta);
        column->scale = cursor_u8(meta);
        return true;
    case BINLOG_TYPE_ENUM:
    case BINLOG_TYPE_SET:
    case BINLOG_TYPE_STRING:
        read_string_meta(meta, column);
        return true;
    }
    return false;
}

/* Sizes that the decoders rely on. */
static bool is_sane(const table_map_column_t *column)
{
    switch ((binlog_column_type_t)column->type) {
    case BINLOG_TYPE_FLOAT:
        return column->size == 4;
    case BINLOG_TYPE_DOUBLE:
        return column->size == 8;
    case BINLOG_TYPE_BLOB:
    case BINLOG_TYPE_BLOB_COMPRESSED:
    case BINLOG_TYPE_GEOMETRY:
        return column->size >= 1 && column->size <= 4;
    case BINLOG_TYPE_TIME2:
    case BINLOG_TYPE_DATETIME2:
    case BINLOG_TYPE_TIMESTAMP2:
        return column->scale <= 6;
    case BINLOG_TYPE_BIT:
        return column->size >= 1 && column->size <= 64;
    case BINLOG_TYPE_DECIMAL:
        return column->precision >= 1 && column->precision <= 65 && column->scale <= 38 &&
               column->scale <= column->precision;
    case BINLOG_TYPE_ENUM:
        return column->size == 1 || column->size == 2;
    case BINLOG_TYPE_SET:
        return column->size >= 1 && column->size <= 8;
    case BINLOG_TYPE_TINY:
    case BINLOG_TYPE_SHORT:
    case BINLOG_TYPE_LONG:
    case BINLOG_TYPE_INT24:
    case BINLOG_TYPE_LONGLONG:
    case BINLOG_TYPE_YEAR:
    case BINLOG_TYPE_DATE:
    case BINLOG_TYPE_TIME:
    case BINLOG_TYPE_DATETIME:
    case BINLOG_TYPE_TIMESTAMP:
    case BINLOG_TYPE_VARCHAR:
    case BINLOG_TYPE_VARCHAR_COMPRESSED:
    case BINLOG_TYPE_STRING:
        return true;
    }
    return false;
}

static sluice_error_t read_columns(table_map_t *map, bytes_t types, bytes_t meta_bytes,
                                   bytes_t nullable, table_map_column_t *columns,
                                   error_report_t *report)
{
    cursor_t meta = cursor_of(meta_bytes);
    for (uint32_t i = 0; i < map->column_count; i++) {
        table_map_column_t *column = &columns[i];
        column->type = types.data[i];
        column->is_nullable = nullable.data[i / 8] >> (i % 8) & 1;
        column->name = bytes_of("", 0);
        if (!read_meta(&meta, column))
            return error_report_set(report, SLUICE_ERROR_UNSUPPORTED,
                                    "column %u of %.*s.%.*s has type %u in the log, which MariaDB "
                                    "does not use",
                                    i + 1, (int)map->schema.len, map->schema.data,
                                    (int)map->name.len, map->name.data, types.data[i]);
        if (meta.failed || !is_sane(column))
            return SLUICE_ERROR_SOURCE_CORRUPT;
    }
    return SLUICE_OK;
}

static sluice_error_t parse(table_map_t *map, error_report_t *report)
{
    cursor_t cursor = cursor_of(map->body);
    read_names(&cursor, &map->map_id, &map->schema, &map->name);
    uint64_t column_count = cursor_lenenc(&cursor);
    if (cursor.failed || column_count == 0 || column_count > COLUMNS_MAX)
        return SLUICE_ERROR_SOURCE_CORRUPT;
    map->column_count = (uint32_t)column_count;
    bytes_t types = cursor_bytes(&cursor, column_count);
    size_t meta_len = (size_t)cursor_lenenc(&cursor);
    bytes_t meta = cursor_bytes(&cursor, meta_len);
    bytes_t nullable = cursor_bytes(&cursor, (column_count + 7) / 8);
    if (cursor.failed)
        return SLUICE_ERROR_SOURCE_CORRUPT;
    table_map_column_t *columns = arena_calloc(&map->arena, column_count, sizeof *columns);
    map->columns = columns;
    sluice_error_t error = read_columns(map, types, meta, nullable, columns, report);
    if (error != SLUICE_OK)
        return error;
    return table_map_metadata_parse(map, columns, cursor_rest(&cursor));
}

sluice_error_t table_map_parse(bytes_t body, table_map_t **map, error_report_t *report)
{
    *map = NULL;
    if (body.len > BODY_BYTES_MAX)
        return error_report_set(report, SLUICE_ERROR_SOURCE_CORRUPT,
                                "a table map event of %zu bytes is damaged", body.len);
    table_map_t *parsed = memory_zalloc(sizeof *parsed);
    atomic_init(&parsed->references, 1);
    parsed->body = arena_bytes(&parsed->arena, body);
    sluice_error_t error = parse(parsed, report);
    if (error != SLUICE_OK) {
        const table_map_t *failed = parsed;
        table_map_unref(&failed);
        if (error == SLUICE_ERROR_SOURCE_CORRUPT)
            return error_report_set(report, error, "a table map event is damaged");
        return error;
    }
    *map = parsed;
    return SLUICE_OK;
}
