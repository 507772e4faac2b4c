#include "dispatcher/upstream/binlog_writer.h"

#include <stdlib.h>

#include "common/base/memory.h"

#define CAPACITY_FIRST 4096
#define SERVER_VERSION "10.11.0-MariaDB-simulated"
#define SERVER_VERSION_SIZE 50
#define EVENT_TYPES_KNOWN 171
#define COLLATION_UTF8MB4_GENERAL_CI 45

/* Offsets in the event header. */
enum { HEADER_TYPE = 4, HEADER_LENGTH = 9 };

void binlog_writer_clear(binlog_writer_t *writer)
{
    free(writer->data);
    writer->data = NULL;
    writer->len = writer->capacity = 0;
}

void binlog_writer_reset(binlog_writer_t *writer)
{
    writer->len = 0;
}

static uint8_t *reserve(binlog_writer_t *writer, size_t len)
{
    if (writer->capacity - writer->len < len) {
        size_t capacity = writer->capacity ? writer->capacity : CAPACITY_FIRST;
        while (capacity - writer->len < len)
            capacity *= 2;
        writer->data = memory_realloc(writer->data, capacity);
        writer->capacity = capacity;
    }
    uint8_t *at = writer->data + writer->len;
    writer->len += len;
    return at;
}

static void store(uint8_t *at, uint64_t number, size_t len)
{
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)(number >> (8 * i));
}

void binlog_put(binlog_writer_t *writer, uint64_t number, size_t len)
{
    store(reserve(writer, len), number, len);
}

void binlog_put_big_endian(binlog_writer_t *writer, uint64_t number, size_t len)
{
    uint8_t *at = reserve(writer, len);
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)(number >> (8 * (len - 1 - i)));
}

void binlog_put_bytes(binlog_writer_t *writer, const void *data, size_t len)
{
    if (len)
        memcpy(reserve(writer, len), data, len);
}

bytes_t binlog_writer_event(const binlog_writer_t *writer, size_t *offset)
{
    if (*offset >= writer->len)
        return (bytes_t){0};
    const uint8_t *at = writer->data + *offset;
    size_t len = (size_t)at[HEADER_LENGTH] | (size_t)at[HEADER_LENGTH + 1] << 8 |
                 (size_t)at[HEADER_LENGTH + 2] << 16 | (size_t)at[HEADER_LENGTH + 3] << 24;
    *offset += len;
    return bytes_of(at, len);
}

static void begin_event(binlog_writer_t *writer, uint8_t type)
{
    writer->event = writer->len;
    binlog_put(writer, writer->timestamp, 4);
    binlog_put(writer, type, 1);
    binlog_put(writer, writer->server_id, 4);
    binlog_put(writer, 0, 4); /* length, set at the end */
    binlog_put(writer, 0, 4); /* next position: there is no file */
    binlog_put(writer, 0, 2);
}

void binlog_end_event(binlog_writer_t *writer)
{
    store(writer->data + writer->event + HEADER_LENGTH, writer->len - writer->event, 4);
}

void binlog_write_format_description(binlog_writer_t *writer)
{
    char version[SERVER_VERSION_SIZE] = SERVER_VERSION;
    uint8_t sizes[EVENT_TYPES_KNOWN] = {0};
    begin_event(writer, BINLOG_FORMAT_DESCRIPTION);
    binlog_put(writer, 4, 2);
    binlog_put_bytes(writer, version, sizeof version);
    binlog_put(writer, writer->timestamp, 4);
    binlog_put(writer, BINLOG_HEADER_SIZE, 1);
    binlog_put_bytes(writer, sizes, sizeof sizes);
    binlog_put(writer, BINLOG_CHECKSUM_NONE, 1);
    binlog_end_event(writer);
}

void binlog_write_gtid(binlog_writer_t *writer, uint32_t domain, uint64_t sequence, uint8_t flags)
{
    begin_event(writer, BINLOG_GTID);
    binlog_put(writer, sequence, 8);
    binlog_put(writer, domain, 4);
    binlog_put(writer, flags, 1);
    binlog_put(writer, 0, 6);
    binlog_end_event(writer);
}

#define STATUS_SIZE 26

/* flags2 0, sql_mode 0, catalog "std", charset of client, connection and server. */
static void put_status(binlog_writer_t *writer)
{
    static const uint8_t status[] = {0, 0, 0, 0, 0, 1, 0,   0,   0,   0,
                                     0, 0, 0, 0, 6, 3, 's', 't', 'd', 4};
    _Static_assert(sizeof status + 3 * 2 == STATUS_SIZE, "as said in the event");
    binlog_put_bytes(writer, status, sizeof status);
    for (int i = 0; i < 3; i++)
        binlog_put(writer, COLLATION_UTF8MB4_GENERAL_CI, 2);
}

void binlog_write_query(binlog_writer_t *writer, const char *schema, const char *sql)
{
    size_t schema_len = strlen(schema);
    begin_event(writer, BINLOG_QUERY);
    binlog_put(writer, 1, 4); /* thread */
    binlog_put(writer, 0, 4); /* seconds it took */
    binlog_put(writer, schema_len, 1);
    binlog_put(writer, 0, 2); /* error */
    binlog_put(writer, STATUS_SIZE, 2);
    put_status(writer);
    binlog_put_bytes(writer, schema, schema_len + 1);
    binlog_put_bytes(writer, sql, strlen(sql));
    binlog_end_event(writer);
}

void binlog_write_xid(binlog_writer_t *writer, uint64_t xid)
{
    begin_event(writer, BINLOG_XID);
    binlog_put(writer, xid, 8);
    binlog_end_event(writer);
}

static void put_lenenc(binlog_writer_t *writer, uint64_t number)
{
    if (number <= 250) {
        binlog_put(writer, number, 1);
    } else {
        binlog_put(writer, 0xfc, 1);
        binlog_put(writer, number, 2);
    }
}

/* Types of optional metadata (MariaDB's sql/log_event.h, Table_map_log_event). */
enum {
    METADATA_SIGNEDNESS = 1,
    METADATA_DEFAULT_CHARSET = 2,
    METADATA_COLUMN_NAME = 4,
    METADATA_SIMPLE_PRIMARY_KEY = 8
};

static void put_signedness(binlog_writer_t *writer, const binlog_column_t *columns, uint32_t count)
{
    uint32_t numeric = 0;
    for (uint32_t i = 0; i < count; i++)
        numeric += columns[i].is_numeric;
    if (numeric == 0)
        return;
    binlog_put(writer, METADATA_SIGNEDNESS, 1);
    put_lenenc(writer, (numeric + 7) / 8);
    uint8_t byte = 0;
    uint32_t bit = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!columns[i].is_numeric)
            continue;
        if (columns[i].is_unsigned)
            byte |= (uint8_t)(0x80 >> (bit % 8));
        if (++bit % 8 == 0 || bit == numeric) {
            binlog_put(writer, byte, 1);
            byte = 0;
        }
    }
}

static void put_optional_metadata(binlog_writer_t *writer, const binlog_column_t *columns,
                                  uint32_t count)
{
    bool has_text = false;
    size_t names_len = 0;
    for (uint32_t i = 0; i < count; i++) {
        has_text |= columns[i].is_text;
        names_len += 1 + strlen(columns[i].name);
    }
    put_signedness(writer, columns, count);
    if (has_text) {
        binlog_put(writer, METADATA_DEFAULT_CHARSET, 1);
        put_lenenc(writer, 1);
        binlog_put(writer, COLLATION_UTF8MB4_GENERAL_CI, 1);
    }
    binlog_put(writer, METADATA_COLUMN_NAME, 1);
    put_lenenc(writer, names_len);
    for (uint32_t i = 0; i < count; i++) {
        size_t len = strlen(columns[i].name);
        binlog_put(writer, len, 1);
        binlog_put_bytes(writer, columns[i].name, len);
    }
    binlog_put(writer, METADATA_SIMPLE_PRIMARY_KEY, 1);
    put_lenenc(writer, 1);
    put_lenenc(writer, 0);
}

static void put_name(binlog_writer_t *writer, const char *name)
{
    size_t len = strlen(name);
    binlog_put(writer, len, 1);
    binlog_put_bytes(writer, name, len + 1);
}

void binlog_write_table_map(binlog_writer_t *writer, uint64_t map_id, const char *schema,
                            const char *table, const binlog_column_t *columns, uint32_t count)
{
    begin_event(writer, BINLOG_TABLE_MAP);
    binlog_put(writer, map_id, 6);
    binlog_put(writer, 0, 2);
    put_name(writer, schema);
    put_name(writer, table);
    put_lenenc(writer, count);
    size_t meta_len = 0;
    for (uint32_t i = 0; i < count; i++) {
        binlog_put(writer, columns[i].type, 1);
        meta_len += columns[i].meta_len;
    }
    put_lenenc(writer, meta_len);
    for (uint32_t i = 0; i < count; i++)
        binlog_put_bytes(writer, columns[i].meta, columns[i].meta_len);
    for (uint32_t first = 0; first < count; first += 8) {
        uint8_t byte = 0;
        for (uint32_t i = first; i < count && i < first + 8; i++)
            byte |= (uint8_t)(columns[i].is_nullable << (i - first));
        binlog_put(writer, byte, 1);
    }
    put_optional_metadata(writer, columns, count);
    binlog_end_event(writer);
}

static void put_full_bitmap(binlog_writer_t *writer, uint32_t columns)
{
    for (uint32_t first = 0; first < columns; first += 8)
        binlog_put(writer, 0xff, 1);
}

void binlog_begin_rows(binlog_writer_t *writer, row_kind_t kind, uint64_t map_id, uint32_t columns,
                       bool is_last)
{
    static const uint8_t types[] = {[ROW_INSERT] = BINLOG_WRITE_ROWS_V1,
                                    [ROW_UPDATE] = BINLOG_UPDATE_ROWS_V1,
                                    [ROW_DELETE] = BINLOG_DELETE_ROWS_V1};
    begin_event(writer, types[kind]);
    binlog_put(writer, map_id, 6);
    binlog_put(writer, is_last, 2);
    put_lenenc(writer, columns);
    put_full_bitmap(writer, columns);
    if (kind == ROW_UPDATE)
        put_full_bitmap(writer, columns);
}

void binlog_put_varchar(binlog_writer_t *writer, const char *text, size_t len, size_t prefix_len)
{
    binlog_put(writer, len, prefix_len);
    binlog_put_bytes(writer, text, len);
}

/* Ten digits before the point in 1 + 4 bytes, two behind it in one; the first bit is flipped, and
 * a negative number has all bytes inverted. */
void binlog_put_decimal_12_2(binlog_writer_t *writer, int64_t hundredths)
{
    uint64_t magnitude = hundredths < 0 ? (uint64_t)-hundredths : (uint64_t)hundredths;
    uint64_t whole = magnitude / 100;
    size_t at = writer->len;
    binlog_put_big_endian(writer, whole / 1000000000, 1);
    binlog_put_big_endian(writer, whole % 1000000000, 4);
    binlog_put_big_endian(writer, magnitude % 100, 1);
    if (hundredths < 0) {
        for (size_t i = at; i < writer->len; i++)
            writer->data[i] = (uint8_t)~writer->data[i];
    }
    writer->data[at] ^= 0x80;
}

void binlog_put_datetime_3(binlog_writer_t *writer, uint16_t year, uint8_t month, uint8_t day,
                           uint32_t ms_of_day)
{
    uint64_t seconds = ms_of_day / 1000;
    uint64_t date = ((uint64_t)year * 13 + month) << 5 | day;
    uint64_t time = (seconds / 3600) << 12 | (seconds / 60 % 60) << 6 | seconds % 60;
    binlog_put_big_endian(writer, (date << 17 | time) + UINT64_C(0x8000000000), 5);
    binlog_put_big_endian(writer, (ms_of_day % 1000) * 10, 2);
}
