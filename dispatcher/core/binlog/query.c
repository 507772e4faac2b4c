#include "dispatcher/core/binlog/query.h"

#include "dispatcher/core/binlog/compression.h"
#include "dispatcher/core/binlog/cursor.h"

/* Codes of status variables (MariaDB's sql/log_event.h, Q_…). */
enum {
    STATUS_FLAGS2 = 0,
    STATUS_SQL_MODE = 1,
    STATUS_CATALOG = 2,
    STATUS_AUTO_INCREMENT = 3,
    STATUS_CHARSET = 4,
    STATUS_TIME_ZONE = 5,
    STATUS_CATALOG_NZ = 6,
    STATUS_LC_TIME_NAMES = 7,
    STATUS_CHARSET_DATABASE = 8,
    STATUS_TABLE_MAP_FOR_UPDATE = 9,
    STATUS_MASTER_DATA_WRITTEN = 10,
    STATUS_INVOKER = 11,
    STATUS_HRNOW = 128,
    STATUS_XID = 129,
    STATUS_GTID_FLAGS = 130,
    STATUS_CHARSET_COLLATIONS = 131
};

/* File number, two offsets into the text and what to do with duplicates. */
#define LOAD_QUERY_EXTRA_SIZE 13

static bytes_t short_text(cursor_t *cursor)
{
    size_t len = cursor_u8(cursor);
    return cursor_bytes(cursor, len);
}

static void parse_charset(cursor_t *status, ddl_context_t *context)
{
    context->charset_client = cursor_u16(status);
    context->collation_connection = cursor_u16(status);
    context->collation_server = cursor_u16(status);
}

static void parse_time_zone(cursor_t *status, arena_t *arena, ddl_context_t *context)
{
    bytes_t name = short_text(status);
    if (name.len)
        context->time_zone = arena_strndup(arena, name.data, name.len);
}

static void skip_gtid_flags(cursor_t *status)
{
    uint8_t flags = cursor_u8(status);
    if (flags & (GTID_EXTRA_COMMIT_ALTER | GTID_EXTRA_ROLLBACK_ALTER))
        (void)cursor_u64(status);
}

/* One variable; false for a code we do not know, whose length nobody can tell. */
static bool parse_status(uint8_t code, cursor_t *status, arena_t *arena, binlog_query_t *query)
{
    ddl_context_t *context = &query->context;
    switch (code) {
    case STATUS_FLAGS2:
        context->option_flags = cursor_u32(status);
        context->has_option_flags = true;
        return true;
    case STATUS_SQL_MODE:
        context->sql_mode = cursor_u64(status);
        context->has_sql_mode = true;
        return true;
    case STATUS_CATALOG:
        (void)short_text(status);
        (void)cursor_u8(status);
        return true;
    case STATUS_AUTO_INCREMENT:
        context->auto_increment_increment = cursor_u16(status);
        context->auto_increment_offset = cursor_u16(status);
        return true;
    case STATUS_CHARSET:
        parse_charset(status, context);
        return true;
    case STATUS_TIME_ZONE:
        parse_time_zone(status, arena, context);
        return true;
    case STATUS_CATALOG_NZ:
        (void)short_text(status);
        return true;
    case STATUS_LC_TIME_NAMES:
        (void)cursor_u16(status);
        return true;
    case STATUS_CHARSET_DATABASE:
        context->collation_database = cursor_u16(status);
        return true;
    case STATUS_TABLE_MAP_FOR_UPDATE:
        (void)cursor_u64(status);
        return true;
    case STATUS_MASTER_DATA_WRITTEN:
        (void)cursor_u32(status);
        return true;
    case STATUS_INVOKER:
        (void)short_text(status);
        (void)short_text(status);
        return true;
    case STATUS_HRNOW:
        context->timestamp_us += cursor_uint(status, 3);
        return true;
    case STATUS_XID:
        query->xid = cursor_u64(status);
        return true;
    case STATUS_GTID_FLAGS:
        skip_gtid_flags(status);
        return true;
    case STATUS_CHARSET_COLLATIONS: {
        size_t count = cursor_u8(status);
        (void)cursor_bytes(status, count * 4);
        return true;
    }
    default:
        return false;
    }
}

/* Variables come in the server's order, unknown ones behind all that we know: there we stop, as a
 * replica does. */
static sluice_error_t parse_all_status(bytes_t variables, arena_t *arena, binlog_query_t *query)
{
    cursor_t status = cursor_of(variables);
    while (cursor_left(&status) > 0)
        if (!parse_status(cursor_u8(&status), &status, arena, query))
            break;
    return status.failed ? SLUICE_ERROR_SOURCE_CORRUPT : SLUICE_OK;
}

sluice_error_t binlog_query_parse(const binlog_header_t *header, bytes_t body, arena_t *arena,
                                  binlog_query_t *query)
{
    *query = (binlog_query_t){.context = {.default_schema = ""}};
    query->context.timestamp_us = (uint64_t)header->timestamp * 1000000;
    cursor_t cursor = cursor_of(body);
    (void)cursor_u32(&cursor); /* thread */
    (void)cursor_u32(&cursor); /* seconds of execution */
    size_t schema_len = cursor_u8(&cursor);
    (void)cursor_u16(&cursor); /* error code */
    size_t status_len = cursor_u16(&cursor);
    if (header->type == BINLOG_EXECUTE_LOAD_QUERY)
        (void)cursor_bytes(&cursor, LOAD_QUERY_EXTRA_SIZE);
    bytes_t variables = cursor_bytes(&cursor, status_len);
    bytes_t schema = cursor_bytes(&cursor, schema_len);
    uint8_t terminator = cursor_u8(&cursor);
    bytes_t sql = cursor_rest(&cursor);
    if (cursor.failed || terminator != 0)
        return SLUICE_ERROR_SOURCE_CORRUPT;
    query->context.default_schema = arena_strndup(arena, schema.data, schema.len);
    sluice_error_t error = parse_all_status(variables, arena, query);
    if (error != SLUICE_OK)
        return error;
    if (header->type == BINLOG_QUERY_COMPRESSED)
        return event_inflate(sql, (bytes_t){0}, arena, &query->sql);
    query->sql = arena_bytes(arena, sql);
    return SLUICE_OK;
}
