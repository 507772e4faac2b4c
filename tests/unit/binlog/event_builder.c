#include "tests/unit/binlog/event_builder.h"

#include <assert.h>

#define EVENT_TIME 1000

void builder_reset(builder_t *builder)
{
    builder->len = builder->event = 0;
}

void put_uint(builder_t *builder, uint64_t number, size_t len)
{
    assert(builder->len + len <= BUILDER_SIZE);
    for (size_t i = 0; i < len; i++)
        builder->data[builder->len++] = (uint8_t)(number >> (8 * i));
}

void put_bytes(builder_t *builder, const void *data, size_t len)
{
    assert(builder->len + len <= BUILDER_SIZE);
    if (len)
        memcpy(builder->data + builder->len, data, len);
    builder->len += len;
}

void put_text(builder_t *builder, const char *text)
{
    put_bytes(builder, text, strlen(text));
}

void begin_event(builder_t *builder, uint8_t type, uint16_t flags)
{
    builder->event = builder->len;
    put_uint(builder, EVENT_TIME, 4);
    put_uint(builder, type, 1);
    put_uint(builder, 1, 4);
    put_uint(builder, 0, 4);
    put_uint(builder, 0, 4);
    put_uint(builder, flags, 2);
}

bytes_t end_event(builder_t *builder)
{
    size_t len = builder->len - builder->event;
    for (size_t i = 0; i < 4; i++)
        builder->data[builder->event + 9 + i] = (uint8_t)(len >> (8 * i));
    return bytes_of(builder->data + builder->event, len);
}

bytes_t end_body(builder_t *builder)
{
    bytes_t event = end_event(builder);
    return bytes_of(event.data + BINLOG_HEADER_SIZE, event.len - BINLOG_HEADER_SIZE);
}

bytes_t gtid_event(builder_t *builder, uint32_t domain, uint64_t sequence, uint8_t flags)
{
    begin_event(builder, BINLOG_GTID, 0);
    put_uint(builder, sequence, 8);
    put_uint(builder, domain, 4);
    put_uint(builder, flags, 1);
    put_uint(builder, 0, 6);
    return end_event(builder);
}

bytes_t query_event(builder_t *builder, const char *schema, const char *sql)
{
    begin_event(builder, BINLOG_QUERY, 0);
    put_uint(builder, 7, 4);
    put_uint(builder, 0, 4);
    put_uint(builder, strlen(schema), 1);
    put_uint(builder, 0, 2);
    put_uint(builder, 0, 2);
    put_text(builder, schema);
    put_uint(builder, 0, 1);
    put_text(builder, sql);
    return end_event(builder);
}

bytes_t xid_event(builder_t *builder)
{
    begin_event(builder, BINLOG_XID, 0);
    put_uint(builder, 42, 8);
    return end_event(builder);
}

bytes_t table_map_event(builder_t *builder, uint64_t map_id, const char *schema, const char *table,
                        const uint8_t *types, uint32_t columns, bytes_t meta, bytes_t optional)
{
    begin_event(builder, BINLOG_TABLE_MAP, 0);
    put_uint(builder, map_id, 6);
    put_uint(builder, 1, 2);
    put_uint(builder, strlen(schema), 1);
    put_text(builder, schema);
    put_uint(builder, 0, 1);
    put_uint(builder, strlen(table), 1);
    put_text(builder, table);
    put_uint(builder, 0, 1);
    put_uint(builder, columns, 1);
    put_bytes(builder, types, columns);
    put_uint(builder, meta.len, 1);
    put_bytes(builder, meta.data, meta.len);
    for (uint32_t i = 0; i < (columns + 7) / 8; i++)
        put_uint(builder, 0xff, 1);
    put_bytes(builder, optional.data, optional.len);
    return end_event(builder);
}

bytes_t rows_event(builder_t *builder, uint8_t type, uint64_t map_id, uint32_t columns,
                   bytes_t rows)
{
    begin_event(builder, type, 0);
    put_uint(builder, map_id, 6);
    put_uint(builder, 1, 2);
    put_uint(builder, columns, 1);
    for (uint32_t i = 0; i < (type == BINLOG_UPDATE_ROWS_V1 ? 2u : 1u) * ((columns + 7) / 8); i++)
        put_uint(builder, 0xff, 1);
    put_bytes(builder, rows.data, rows.len);
    return end_event(builder);
}
