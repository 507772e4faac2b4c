#include "dispatcher/core/binlog/event.h"

#include "dispatcher/core/binlog/cursor.h"

#define GTID_LIST_ENTRY_SIZE 16
#define GTID_LIST_COUNT_MASK 0x0fffffffu /* the upper four bits are flags */
#define SERVER_VERSION_SIZE 50

static sluice_error_t corrupt_if_failed(const cursor_t *cursor)
{
    return cursor->failed ? SLUICE_ERROR_SOURCE_CORRUPT : SLUICE_OK;
}

sluice_error_t binlog_header_parse(bytes_t event, binlog_header_t *header, bytes_t *body)
{
    if (event.len < BINLOG_HEADER_SIZE)
        return SLUICE_ERROR_SOURCE_CORRUPT;
    *header = (binlog_header_t){
        .timestamp = (uint32_t)little_endian(event.data, 4),
        .type = event.data[4],
        .server_id = (uint32_t)little_endian(event.data + 5, 4),
        .length = (uint32_t)little_endian(event.data + 9, 4),
        .next_position = (uint32_t)little_endian(event.data + 13, 4),
        .flags = (uint16_t)little_endian(event.data + 17, 2),
    };
    *body = bytes_of(event.data + BINLOG_HEADER_SIZE, event.len - BINLOG_HEADER_SIZE);
    return SLUICE_OK;
}

static const struct {
    uint8_t type;
    const char *name;
} type_names[] = {
    {BINLOG_QUERY, "query"},
    {BINLOG_STOP, "stop"},
    {BINLOG_ROTATE, "rotate"},
    {BINLOG_INTVAR, "intvar"},
    {BINLOG_RAND, "rand"},
    {BINLOG_USER_VAR, "user_var"},
    {BINLOG_FORMAT_DESCRIPTION, "format_description"},
    {BINLOG_XID, "xid"},
    {BINLOG_BEGIN_LOAD_QUERY, "begin_load_query"},
    {BINLOG_EXECUTE_LOAD_QUERY, "execute_load_query"},
    {BINLOG_TABLE_MAP, "table_map"},
    {BINLOG_WRITE_ROWS_V1, "write_rows_v1"},
    {BINLOG_UPDATE_ROWS_V1, "update_rows_v1"},
    {BINLOG_DELETE_ROWS_V1, "delete_rows_v1"},
    {BINLOG_INCIDENT, "incident"},
    {BINLOG_HEARTBEAT, "heartbeat"},
    {BINLOG_WRITE_ROWS, "write_rows"},
    {BINLOG_UPDATE_ROWS, "update_rows"},
    {BINLOG_DELETE_ROWS, "delete_rows"},
    {BINLOG_XA_PREPARE, "xa_prepare"},
    {BINLOG_ANNOTATE_ROWS, "annotate_rows"},
    {BINLOG_CHECKPOINT, "checkpoint"},
    {BINLOG_GTID, "gtid"},
    {BINLOG_GTID_LIST, "gtid_list"},
    {BINLOG_START_ENCRYPTION, "start_encryption"},
    {BINLOG_QUERY_COMPRESSED, "query_compressed"},
    {BINLOG_WRITE_ROWS_COMPRESSED_V1, "write_rows_compressed_v1"},
    {BINLOG_UPDATE_ROWS_COMPRESSED_V1, "update_rows_compressed_v1"},
    {BINLOG_DELETE_ROWS_COMPRESSED_V1, "delete_rows_compressed_v1"},
    {BINLOG_WRITE_ROWS_COMPRESSED, "write_rows_compressed"},
    {BINLOG_UPDATE_ROWS_COMPRESSED, "update_rows_compressed"},
    {BINLOG_DELETE_ROWS_COMPRESSED, "delete_rows_compressed"},
};

const char *binlog_event_type_name(uint8_t type)
{
    for (size_t i = 0; i < sizeof type_names / sizeof type_names[0]; i++)
        if (type_names[i].type == type)
            return type_names[i].name;
    return "unknown";
}

sluice_error_t binlog_format_description_parse(bytes_t body, binlog_format_description_t *fde)
{
    *fde = (binlog_format_description_t){0};
    cursor_t cursor = cursor_of(body);
    fde->binlog_version = cursor_u16(&cursor);
    bytes_t version = cursor_bytes(&cursor, SERVER_VERSION_SIZE);
    fde->created = cursor_u32(&cursor);
    uint8_t header_size = cursor_u8(&cursor);
    bytes_t sizes = cursor_rest(&cursor);
    if (cursor.failed || sizes.len == 0 || fde->binlog_version != 4 ||
        header_size != BINLOG_HEADER_SIZE)
        return SLUICE_ERROR_SOURCE_CORRUPT;
    fde->server_version = bytes_of(version.data, strnlen((const char *)version.data, version.len));
    uint8_t checksum = sizes.data[sizes.len - 1];
    if (checksum != BINLOG_CHECKSUM_NONE && checksum != BINLOG_CHECKSUM_CRC32)
        return SLUICE_ERROR_SOURCE_CORRUPT;
    fde->checksum = (binlog_checksum_t)checksum;
    return SLUICE_OK;
}

/* Behind the flags: commit_id or six bytes of padding, then the XA transaction's name, then the
 * extra flags with what they announce. Zero padding reads as "no extra flags". */
sluice_error_t binlog_gtid_parse(const binlog_header_t *header, bytes_t body, binlog_gtid_t *gtid)
{
    *gtid = (binlog_gtid_t){.server_id = header->server_id};
    cursor_t cursor = cursor_of(body);
    gtid->sequence = cursor_u64(&cursor);
    gtid->domain = cursor_u32(&cursor);
    gtid->flags = cursor_u8(&cursor);
    if (gtid->flags & GTID_GROUP_COMMIT)
        gtid->commit_id = cursor_u64(&cursor);
    if (gtid->flags & (GTID_PREPARED_XA | GTID_COMPLETED_XA)) {
        (void)cursor_u32(&cursor);
        size_t transaction_len = cursor_u8(&cursor);
        size_t branch_len = cursor_u8(&cursor);
        (void)cursor_bytes(&cursor, transaction_len + branch_len);
    }
    if (!cursor.failed && cursor_left(&cursor) > 0) {
        gtid->flags_extra = cursor_u8(&cursor);
        if (gtid->flags_extra & GTID_EXTRA_MULTI_ENGINE)
            (void)cursor_u8(&cursor);
        if (gtid->flags_extra & (GTID_EXTRA_COMMIT_ALTER | GTID_EXTRA_ROLLBACK_ALTER))
            gtid->start_alter_sequence = cursor_u64(&cursor);
    }
    return corrupt_if_failed(&cursor);
}

sluice_error_t binlog_gtid_list_parse(bytes_t body, binlog_gtid_list_t *list)
{
    *list = (binlog_gtid_list_t){0};
    cursor_t cursor = cursor_of(body);
    uint32_t count = cursor_u32(&cursor) & GTID_LIST_COUNT_MASK;
    list->entries = cursor_bytes(&cursor, (size_t)count * GTID_LIST_ENTRY_SIZE);
    if (!cursor.failed)
        list->count = count;
    return corrupt_if_failed(&cursor);
}

binlog_gtid_t binlog_gtid_list_entry(const binlog_gtid_list_t *list, uint32_t index)
{
    const uint8_t *entry = list->entries.data + (size_t)index * GTID_LIST_ENTRY_SIZE;
    return (binlog_gtid_t){
        .domain = (uint32_t)little_endian(entry, 4),
        .server_id = (uint32_t)little_endian(entry + 4, 4),
        .sequence = little_endian(entry + 8, 8),
    };
}

sluice_error_t binlog_rotate_parse(bytes_t body, binlog_rotate_t *rotate)
{
    cursor_t cursor = cursor_of(body);
    rotate->position = cursor_u64(&cursor);
    rotate->file = cursor_rest(&cursor);
    return corrupt_if_failed(&cursor);
}
