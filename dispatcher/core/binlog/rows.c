#include "dispatcher/core/binlog/rows.h"

#include <assert.h>

#include "dispatcher/core/binlog/column_decoder.h"
#include "dispatcher/core/binlog/compression.h"

#define MAP_ID_SIZE 6

/* Columns in an event's image are bounded by what a TABLE_MAP may have; 0 is the server's dummy
 * event that only ends a statement. */
#define WIDTH_MAX 4096

typedef struct {
    row_kind_t kind;
    bool has_extra; /* version 2 has a block of extra data before the width */
    bool is_compressed;
} rows_form_t;

static bool rows_form(uint8_t type, rows_form_t *form)
{
    switch (type) {
    case BINLOG_WRITE_ROWS_V1:
    case BINLOG_UPDATE_ROWS_V1:
    case BINLOG_DELETE_ROWS_V1:
        *form = (rows_form_t){(row_kind_t)(type - BINLOG_WRITE_ROWS_V1), false, false};
        return true;
    case BINLOG_WRITE_ROWS:
    case BINLOG_UPDATE_ROWS:
    case BINLOG_DELETE_ROWS:
        *form = (rows_form_t){(row_kind_t)(type - BINLOG_WRITE_ROWS), true, false};
        return true;
    case BINLOG_WRITE_ROWS_COMPRESSED_V1:
    case BINLOG_UPDATE_ROWS_COMPRESSED_V1:
    case BINLOG_DELETE_ROWS_COMPRESSED_V1:
        *form = (rows_form_t){(row_kind_t)(type - BINLOG_WRITE_ROWS_COMPRESSED_V1), false, true};
        return true;
    case BINLOG_WRITE_ROWS_COMPRESSED:
    case BINLOG_UPDATE_ROWS_COMPRESSED:
    case BINLOG_DELETE_ROWS_COMPRESSED:
        *form = (rows_form_t){(row_kind_t)(type - BINLOG_WRITE_ROWS_COMPRESSED), true, true};
        return true;
    default:
        return false;
    }
}

_Static_assert(ROW_INSERT == 0 && ROW_UPDATE == 1 && ROW_DELETE == 2,
               "row kinds count as the event types do");

bool rows_event_type(uint8_t type, row_kind_t *kind)
{
    rows_form_t form;
    if (!rows_form(type, &form))
        return false;
    if (kind)
        *kind = form.kind;
    return true;
}

sluice_error_t rows_event_peek(bytes_t body, uint64_t *map_id, uint16_t *flags)
{
    cursor_t cursor = cursor_of(body);
    *map_id = cursor_uint(&cursor, MAP_ID_SIZE);
    *flags = cursor_u16(&cursor);
    return cursor.failed ? SLUICE_ERROR_SOURCE_CORRUPT : SLUICE_OK;
}

sluice_error_t rows_event_normalize(uint8_t type, bytes_t body, arena_t *arena, bytes_t *normalized)
{
    rows_form_t form;
    bool is_rows = rows_form(type, &form);
    assert(is_rows);
    cursor_t cursor = cursor_of(body);
    bytes_t head = cursor_bytes(&cursor, MAP_ID_SIZE + 2);
    if (form.has_extra) {
        size_t extra = cursor_u16(&cursor);
        (void)cursor_bytes(&cursor, extra < 2 ? SIZE_MAX : extra - 2);
    }
    const uint8_t *columns = cursor.at;
    uint64_t width = cursor_lenenc(&cursor);
    size_t bitmaps = form.kind == ROW_UPDATE ? 2 : 1;
    (void)cursor_bytes(&cursor, width > WIDTH_MAX ? SIZE_MAX : (width + 7) / 8 * bitmaps);
    if (cursor.failed)
        return SLUICE_ERROR_SOURCE_CORRUPT;
    size_t columns_len = (size_t)(cursor.at - columns);
    bytes_t rows = cursor_rest(&cursor);
    size_t prefix_len = head.len + columns_len;
    uint8_t *copy = arena_alloc(arena, prefix_len + (form.is_compressed ? 0 : rows.len) + 1);
    memcpy(copy, head.data, head.len);
    memcpy(copy + head.len, columns, columns_len);
    if (form.is_compressed)
        return event_inflate(rows, bytes_of(copy, prefix_len), arena, normalized);
    if (rows.len)
        memcpy(copy + prefix_len, rows.data, rows.len);
    *normalized = bytes_of(copy, prefix_len + rows.len);
    return SLUICE_OK;
}

static bool all_set(bytes_t bitmap, uint32_t width)
{
    for (uint32_t i = 0; i < width / 8; i++)
        if (bitmap.data[i] != 0xff)
            return false;
    uint8_t rest = (uint8_t)((1u << (width % 8)) - 1);
    return rest == 0 || (bitmap.data[width / 8] & rest) == rest;
}

static sluice_error_t refuse(const table_map_t *map, sluice_error_t error, const char *what,
                             error_report_t *report)
{
    return error_report_set(report, error, "table %.*s.%.*s: %s", (int)map->schema.len,
                            map->schema.data, (int)map->name.len, map->name.data, what);
}

sluice_error_t rows_reader_init(rows_reader_t *reader, const rows_event_t *event,
                                error_report_t *report)
{
    const table_map_t *map = event->map;
    assert(map->decoders);
    *reader = (rows_reader_t){.map = map, .kind = event->kind, .cursor = cursor_of(event->body)};
    cursor_t *cursor = &reader->cursor;
    (void)cursor_bytes(cursor, MAP_ID_SIZE + 2);
    uint64_t width = cursor_lenenc(cursor);
    if (cursor->failed || width != map->column_count)
        return refuse(map, SLUICE_ERROR_SOURCE_CORRUPT,
                      "a row event has another number of columns than its table map", report);
    for (int i = 0; i < (event->kind == ROW_UPDATE ? 2 : 1); i++) {
        bytes_t present = cursor_bytes(cursor, (width + 7) / 8);
        if (cursor->failed)
            return refuse(map, SLUICE_ERROR_SOURCE_CORRUPT, "a row event is cut", report);
        if (!all_set(present, map->column_count))
            return refuse(map, SLUICE_ERROR_SOURCE_ROW_IMAGE,
                          "a row image lacks columns; SET GLOBAL binlog_row_image=FULL, and let no "
                          "session set another value",
                          report);
    }
    return SLUICE_OK;
}

static sluice_error_t refuse_value(const table_map_t *map, uint32_t index, error_report_t *report)
{
    return error_report_set(report, SLUICE_ERROR_SOURCE_CORRUPT,
                            "table %.*s.%.*s: the bytes of column `%s` are no value of its type",
                            (int)map->schema.len, map->schema.data, (int)map->name.len,
                            map->name.data, map->definition->columns[index].name);
}

static sluice_error_t read_image(rows_reader_t *reader, arena_t *arena, const value_t **image,
                                 error_report_t *report)
{
    const table_map_t *map = reader->map;
    cursor_t *cursor = &reader->cursor;
    uint32_t width = map->column_count;
    bytes_t nulls = cursor_bytes(cursor, (width + 7) / 8);
    if (cursor->failed)
        return refuse(map, SLUICE_ERROR_SOURCE_CORRUPT, "a row is cut", report);
    value_t *values = arena_alloc(arena, width * sizeof *values);
    for (uint32_t i = 0; i < width; i++) {
        if (nulls.data[i / 8] >> (i % 8) & 1) {
            values[i] = (value_t){.kind = VALUE_NULL};
            continue;
        }
        const column_decoder_t *decoder = &map->decoders[i];
        if (!decoder->decode(decoder, cursor, arena, &values[i]) || cursor->failed)
            return refuse_value(map, i, report);
    }
    *image = values;
    return SLUICE_OK;
}

sluice_error_t rows_reader_next(rows_reader_t *reader, arena_t *arena, row_change_t *change,
                                error_report_t *report)
{
    if (cursor_left(&reader->cursor) == 0)
        return SLUICE_ERROR_NOT_FOUND;
    *change = (row_change_t){.kind = reader->kind};
    sluice_error_t error = SLUICE_OK;
    if (reader->kind != ROW_INSERT)
        error = read_image(reader, arena, &change->before, report);
    if (error == SLUICE_OK && reader->kind != ROW_DELETE)
        error = read_image(reader, arena, &change->after, report);
    return error;
}
