#include "dispatcher/core/binlog/rows_codec.h"

#include <assert.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dispatcher/core/binlog/rows.h"

/* Little endian: version, flags, commit_ts, commit_time, number of maps, number of events; each
 * map: length, body; each event: kind, map, length, body; checksum of everything before it. */
#define VERSION 1
#define HEAD_SIZE (1 + 1 + 8 + 8 + 4 + 4)
#define MAP_HEAD_SIZE 4
#define EVENT_HEAD_SIZE (1 + 4 + 4)
#define CHECKSUM_SIZE 8

enum {
    FLAG_FIRST_PART = 1,
    FLAG_LAST_PART = 2,
    FLAG_CONTINUES = 4,
    FLAGS_ALL = FLAG_FIRST_PART | FLAG_LAST_PART | FLAG_CONTINUES
};

/* ---- writing ---- */

static bool is_of_table(const table_map_t *map, const table_rows_t *rows)
{
    return map->definition == rows->definition;
}

size_t rows_codec_size(const transaction_t *transaction, const table_rows_t *rows)
{
    size_t size = HEAD_SIZE + CHECKSUM_SIZE;
    for (uint32_t i = 0; i < transaction->map_count; i++) {
        if (is_of_table(transaction->maps[i], rows))
            size += MAP_HEAD_SIZE + transaction->maps[i]->body.len;
    }
    for (uint32_t i = 0; i < rows->event_count; i++)
        size += EVENT_HEAD_SIZE + rows->events[i].body.len;
    return size;
}

static uint8_t *put_number(uint8_t *to, uint64_t number, size_t len)
{
    for (size_t i = 0; i < len; i++)
        *to++ = (uint8_t)(number >> (8 * i));
    return to;
}

static uint8_t *put_body(uint8_t *to, bytes_t body)
{
    assert(body.len <= UINT32_MAX);
    to = put_number(to, body.len, 4);
    if (body.len)
        memcpy(to, body.data, body.len);
    return to + body.len;
}

static uint32_t count_maps(const transaction_t *transaction, const table_rows_t *rows)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < transaction->map_count; i++)
        count += is_of_table(transaction->maps[i], rows);
    return count;
}

static uint8_t *put_head(const transaction_t *transaction, const table_rows_t *rows, uint8_t *to)
{
    *to++ = VERSION;
    *to++ = (uint8_t)((transaction->is_first_part ? FLAG_FIRST_PART : 0) |
                      (transaction->is_last_part ? FLAG_LAST_PART : 0) |
                      (rows->continues ? FLAG_CONTINUES : 0));
    to = put_number(to, transaction->commit_ts.v, 8);
    to = put_number(to, transaction->commit_time.v, 8);
    to = put_number(to, count_maps(transaction, rows), 4);
    return put_number(to, rows->event_count, 4);
}

/* The place of a map among those of its table. */
static uint32_t place_of(const transaction_t *transaction, const table_rows_t *rows,
                         const table_map_t *map)
{
    uint32_t place = 0;
    for (uint32_t i = 0; i < transaction->map_count; i++) {
        if (transaction->maps[i] == map)
            return place;
        place += is_of_table(transaction->maps[i], rows);
    }
    assert(!"a transaction holds every map that its events use");
    return 0;
}

void rows_codec_encode(const transaction_t *transaction, const table_rows_t *rows, uint8_t *to)
{
    uint8_t *start = to;
    to = put_head(transaction, rows, to);
    for (uint32_t i = 0; i < transaction->map_count; i++) {
        if (is_of_table(transaction->maps[i], rows))
            to = put_body(to, transaction->maps[i]->body);
    }
    const table_map_t *map = NULL;
    uint32_t place = 0;
    for (uint32_t i = 0; i < rows->event_count; i++) {
        const rows_event_t *event = &rows->events[i];
        if (event->map != map) {
            map = event->map;
            place = place_of(transaction, rows, map);
        }
        *to++ = (uint8_t)event->kind;
        to = put_number(to, place, 4);
        to = put_body(to, event->body);
    }
    (void)put_number(to, XXH3_64bits(start, (size_t)(to - start)), CHECKSUM_SIZE);
}

/* ---- reading ---- */

typedef struct {
    cursor_t cursor;
    const table_definition_t *definition;
    const table_map_t **last_map;
    transaction_t *transaction;
    uint32_t map_count, event_count;
    error_report_t *report;
} decoding_t;

static sluice_error_t refuse(const decoding_t *decoding)
{
    return error_report_set(decoding->report, SLUICE_ERROR_MALFORMED,
                            "stored rows of table %s.%s are damaged", decoding->definition->schema,
                            decoding->definition->name);
}

static sluice_error_t open_envelope(decoding_t *decoding, bytes_t bytes)
{
    if (bytes.len < HEAD_SIZE + CHECKSUM_SIZE)
        return refuse(decoding);
    size_t len = bytes.len - CHECKSUM_SIZE;
    if (XXH3_64bits(bytes.data, len) != little_endian(bytes.data + len, CHECKSUM_SIZE))
        return refuse(decoding);
    decoding->cursor = cursor_of(bytes_of(bytes.data, len));
    return SLUICE_OK;
}

/* Counts are believed only as far as the bytes reach. */
static sluice_error_t read_head(decoding_t *decoding, uint8_t *flags)
{
    cursor_t *cursor = &decoding->cursor;
    transaction_t *transaction = decoding->transaction;
    uint8_t version = cursor_u8(cursor);
    *flags = cursor_u8(cursor);
    transaction->commit_ts.v = cursor_u64(cursor);
    transaction->commit_time.v = cursor_u64(cursor);
    transaction->is_first_part = *flags & FLAG_FIRST_PART;
    transaction->is_last_part = *flags & FLAG_LAST_PART;
    decoding->map_count = cursor_u32(cursor);
    decoding->event_count = cursor_u32(cursor);
    uint64_t least = (uint64_t)decoding->map_count * MAP_HEAD_SIZE +
                     (uint64_t)decoding->event_count * EVENT_HEAD_SIZE;
    bool is_whole = !cursor->failed && version == VERSION && (*flags & ~FLAGS_ALL) == 0 &&
                    least <= cursor_left(cursor);
    return is_whole ? SLUICE_OK : refuse(decoding);
}

static bool is_same(const table_map_t *map, const decoding_t *decoding, bytes_t body)
{
    return map && map->definition == decoding->definition && bytes_equal(map->body, body);
}

static sluice_error_t read_map(decoding_t *decoding, const table_map_t **map)
{
    size_t len = cursor_u32(&decoding->cursor);
    bytes_t body = cursor_bytes(&decoding->cursor, len);
    if (decoding->cursor.failed)
        return refuse(decoding);
    if (decoding->last_map && is_same(*decoding->last_map, decoding, body)) {
        *map = table_map_ref(*decoding->last_map);
        return SLUICE_OK;
    }
    table_map_t *parsed;
    if (table_map_parse(body, &parsed, NULL) != SLUICE_OK)
        return refuse(decoding);
    *map = parsed;
    sluice_error_t error = table_map_bind(parsed, decoding->definition, decoding->report);
    if (error != SLUICE_OK || !decoding->last_map)
        return error;
    table_map_unref(decoding->last_map);
    *decoding->last_map = table_map_ref(parsed);
    return SLUICE_OK;
}

/* The transaction's count grows with each map, so that it gives back what it has when the next one
 * is refused. */
static sluice_error_t read_maps(decoding_t *decoding)
{
    transaction_t *transaction = decoding->transaction;
    const table_map_t **maps =
        arena_calloc(&transaction->arena, decoding->map_count, sizeof(const table_map_t *));
    transaction->maps = maps;
    sluice_error_t error = SLUICE_OK;
    while (error == SLUICE_OK && transaction->map_count < decoding->map_count) {
        error = read_map(decoding, &maps[transaction->map_count]);
        if (maps[transaction->map_count])
            transaction->map_count++;
    }
    return error;
}

static sluice_error_t read_event(decoding_t *decoding, rows_event_t *event)
{
    cursor_t *cursor = &decoding->cursor;
    uint8_t kind = cursor_u8(cursor);
    uint32_t map = cursor_u32(cursor);
    size_t len = cursor_u32(cursor);
    event->body = cursor_bytes(cursor, len);
    if (cursor->failed || kind > ROW_DELETE || map >= decoding->transaction->map_count)
        return refuse(decoding);
    event->kind = (row_kind_t)kind;
    event->map = decoding->transaction->maps[map];
    rows_reader_t reader;
    return rows_reader_init(&reader, event, NULL) == SLUICE_OK ? SLUICE_OK : refuse(decoding);
}

/* Bodies are read from one copy of all that is left, which the transaction keeps. */
static sluice_error_t read_events(decoding_t *decoding, table_rows_t *rows)
{
    arena_t *arena = &decoding->transaction->arena;
    /* The large piece last: a chunk behind it would be as large again. */
    rows_event_t *events = arena_calloc(arena, decoding->event_count, sizeof *events);
    decoding->cursor = cursor_of(arena_bytes(arena, cursor_rest(&decoding->cursor)));
    for (uint32_t i = 0; i < decoding->event_count; i++) {
        sluice_error_t error = read_event(decoding, &events[i]);
        if (error != SLUICE_OK)
            return error;
        rows->bytes += events[i].body.len;
    }
    rows->events = events;
    rows->event_count = decoding->event_count;
    return cursor_left(&decoding->cursor) == 0 ? SLUICE_OK : refuse(decoding);
}

static sluice_error_t decode(decoding_t *decoding, bytes_t bytes)
{
    transaction_t *transaction = decoding->transaction;
    uint8_t flags;
    sluice_error_t error = open_envelope(decoding, bytes);
    if (error == SLUICE_OK)
        error = read_head(decoding, &flags);
    if (error == SLUICE_OK)
        error = read_maps(decoding);
    if (error != SLUICE_OK)
        return error;
    table_rows_t *rows = arena_calloc(&transaction->arena, 1, sizeof *rows);
    rows->definition = table_definition_ref(decoding->definition);
    rows->continues = flags & FLAG_CONTINUES;
    transaction->tables = rows;
    transaction->table_count = 1;
    error = read_events(decoding, rows);
    transaction->bytes = sizeof *transaction + transaction->arena.bytes;
    return error;
}

sluice_error_t rows_codec_decode(bytes_t bytes, const table_definition_t *definition,
                                 const table_map_t **last_map, transaction_t **transaction,
                                 error_report_t *report)
{
    decoding_t decoding = {.definition = definition,
                           .last_map = last_map,
                           .transaction = transaction_new(),
                           .report = report};
    sluice_error_t error = decode(&decoding, bytes);
    if (error != SLUICE_OK)
        transaction_unref(&decoding.transaction);
    *transaction = decoding.transaction;
    return error;
}
