/*
 * The frame of binlog events and the small ones among them: header, FORMAT_DESCRIPTION, GTID,
 * GTID_LIST, ROTATE. Layouts as MariaDB 10.6 to 11.x writes them (its sql/log_event.h). Pure.
 *
 * Every parser takes bytes from outside: whatever is in them it returns SLUICE_OK or
 * SLUICE_ERROR_SOURCE_CORRUPT. Results borrow from the bytes given. Threads: values.
 */
#ifndef SLUICE_DISPATCHER_CORE_BINLOG_EVENT_H
#define SLUICE_DISPATCHER_CORE_BINLOG_EVENT_H

#include "common/base/bytes.h"
#include "common/base/error.h"

#define BINLOG_HEADER_SIZE 19
#define BINLOG_CHECKSUM_SIZE 4

typedef enum {
    BINLOG_QUERY = 2,
    BINLOG_STOP = 3,
    BINLOG_ROTATE = 4,
    BINLOG_INTVAR = 5,
    BINLOG_RAND = 13,
    BINLOG_USER_VAR = 14,
    BINLOG_FORMAT_DESCRIPTION = 15,
    BINLOG_XID = 16,
    BINLOG_BEGIN_LOAD_QUERY = 17,
    BINLOG_EXECUTE_LOAD_QUERY = 18,
    BINLOG_TABLE_MAP = 19,
    BINLOG_WRITE_ROWS_V1 = 23,
    BINLOG_UPDATE_ROWS_V1 = 24,
    BINLOG_DELETE_ROWS_V1 = 25,
    BINLOG_INCIDENT = 26,
    BINLOG_HEARTBEAT = 27,
    BINLOG_WRITE_ROWS = 30,
    BINLOG_UPDATE_ROWS = 31,
    BINLOG_DELETE_ROWS = 32,
    BINLOG_XA_PREPARE = 38,
    BINLOG_ANNOTATE_ROWS = 160,
    BINLOG_CHECKPOINT = 161,
    BINLOG_GTID = 162,
    BINLOG_GTID_LIST = 163,
    BINLOG_START_ENCRYPTION = 164,
    BINLOG_QUERY_COMPRESSED = 165,
    BINLOG_WRITE_ROWS_COMPRESSED_V1 = 166,
    BINLOG_UPDATE_ROWS_COMPRESSED_V1 = 167,
    BINLOG_DELETE_ROWS_COMPRESSED_V1 = 168,
    BINLOG_WRITE_ROWS_COMPRESSED = 169,
    BINLOG_UPDATE_ROWS_COMPRESSED = 170,
    BINLOG_DELETE_ROWS_COMPRESSED = 171
} binlog_event_type_t;

enum {
    BINLOG_FLAG_IN_USE = 0x1,      /* FORMAT_DESCRIPTION of a file that was not closed */
    BINLOG_FLAG_ARTIFICIAL = 0x20, /* made for the reader, not in the log */
    BINLOG_FLAG_IGNORABLE = 0x80
};

typedef struct {
    uint32_t timestamp; /* seconds since 1970 */
    uint8_t type;       /* a binlog_event_type_t, or one we do not know */
    uint32_t server_id;
    uint32_t length; /* of the event as logged, header and checksum included */
    uint32_t next_position;
    uint16_t flags;
} binlog_header_t;

/* Splits an event whose checksum is already cut off. */
sluice_error_t binlog_header_parse(bytes_t event, binlog_header_t *header,
                                   bytes_t *body) SLUICE_MUST_USE;

/* "write_rows_v1", "unknown". */
const char *binlog_event_type_name(uint8_t type);

typedef enum { BINLOG_CHECKSUM_NONE = 0, BINLOG_CHECKSUM_CRC32 = 1 } binlog_checksum_t;

typedef struct {
    uint16_t binlog_version;
    bytes_t server_version;
    uint32_t created;
    binlog_checksum_t checksum; /* of every following event */
} binlog_format_description_t;

/* `body` without the four checksum bytes, which this event always has. */
sluice_error_t binlog_format_description_parse(bytes_t body,
                                               binlog_format_description_t *fde) SLUICE_MUST_USE;

enum {
    GTID_STANDALONE = 0x01,
    GTID_GROUP_COMMIT = 0x02,
    GTID_TRANSACTIONAL = 0x04,
    GTID_DDL = 0x20,
    GTID_PREPARED_XA = 0x40,
    GTID_COMPLETED_XA = 0x80
};

/* flags_extra: binlog_alter_two_phase logs one ALTER as two GTIDs. */
enum {
    GTID_EXTRA_MULTI_ENGINE = 0x01,
    GTID_EXTRA_START_ALTER = 0x02,
    GTID_EXTRA_COMMIT_ALTER = 0x04,
    GTID_EXTRA_ROLLBACK_ALTER = 0x08
};

typedef struct {
    uint32_t domain;
    uint32_t server_id; /* from the header */
    uint64_t sequence;
    uint8_t flags;
    uint8_t flags_extra;
    uint64_t commit_id;            /* 0 without GTID_GROUP_COMMIT */
    uint64_t start_alter_sequence; /* of the START that a COMMIT or ROLLBACK ALTER ends */
} binlog_gtid_t;

sluice_error_t binlog_gtid_parse(const binlog_header_t *header, bytes_t body,
                                 binlog_gtid_t *gtid) SLUICE_MUST_USE;

/* GTID_LIST: the state at the start of a file, one entry per (domain, server_id); within a domain
 * the last entry is the newest. */
typedef struct {
    bytes_t entries;
    uint32_t count;
} binlog_gtid_list_t;

sluice_error_t binlog_gtid_list_parse(bytes_t body, binlog_gtid_list_t *list) SLUICE_MUST_USE;
/* Entry `index` < count; only domain, server_id and sequence are set. */
binlog_gtid_t binlog_gtid_list_entry(const binlog_gtid_list_t *list, uint32_t index);

typedef struct {
    uint64_t position;
    bytes_t file;
} binlog_rotate_t;

sluice_error_t binlog_rotate_parse(bytes_t body, binlog_rotate_t *rotate) SLUICE_MUST_USE;

#endif
