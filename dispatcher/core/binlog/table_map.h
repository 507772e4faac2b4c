/*
 * TABLE_MAP: how the rows that follow are laid out, and with binlog_row_metadata=FULL what the
 * columns are (names, signedness, charsets, labels, primary key). A map is immutable once bound to
 * the definition its rows are decoded with, and shared by reference count between transactions.
 *
 * Threads: parsed and bound by one, then read by any. The count is atomic.
 */
#ifndef SLUICE_DISPATCHER_CORE_BINLOG_TABLE_MAP_H
#define SLUICE_DISPATCHER_CORE_BINLOG_TABLE_MAP_H

#include "common/base/error.h"
#include "common/model/table_definition.h"
#include "common/model/value.h"

/* Type codes in the log. ENUM and SET hide in STRING's metadata and are shown here as themselves.
 */
typedef enum {
    BINLOG_TYPE_TINY = 1,
    BINLOG_TYPE_SHORT = 2,
    BINLOG_TYPE_LONG = 3,
    BINLOG_TYPE_FLOAT = 4,
    BINLOG_TYPE_DOUBLE = 5,
    BINLOG_TYPE_TIMESTAMP = 7,
    BINLOG_TYPE_LONGLONG = 8,
    BINLOG_TYPE_INT24 = 9,
    BINLOG_TYPE_DATE = 10,
    BINLOG_TYPE_TIME = 11,
    BINLOG_TYPE_DATETIME = 12,
    BINLOG_TYPE_YEAR = 13,
    BINLOG_TYPE_VARCHAR = 15,
    BINLOG_TYPE_BIT = 16,
    BINLOG_TYPE_TIMESTAMP2 = 17,
    BINLOG_TYPE_DATETIME2 = 18,
    BINLOG_TYPE_TIME2 = 19,
    BINLOG_TYPE_BLOB_COMPRESSED = 140,
    BINLOG_TYPE_VARCHAR_COMPRESSED = 141,
    BINLOG_TYPE_DECIMAL = 246,
    BINLOG_TYPE_ENUM = 247,
    BINLOG_TYPE_SET = 248,
    BINLOG_TYPE_BLOB = 252,
    BINLOG_TYPE_STRING = 254,
    BINLOG_TYPE_GEOMETRY = 255
} binlog_column_type_t;

typedef struct {
    uint8_t type;      /* a binlog_column_type_t */
    uint32_t size;     /* VARCHAR, STRING: bytes at most; ENUM, SET: bytes of the value; BLOB,
                          GEOMETRY: bytes of the length; BIT: bits */
    uint8_t precision; /* DECIMAL */
    uint8_t scale;     /* DECIMAL; TIME2, DATETIME2, TIMESTAMP2, old temporals: fractional digits */
    bool is_nullable;
    bool is_unsigned;      /* only with has_signedness */
    uint32_t collation;    /* id of a text column, 0: not said */
    bytes_t name;          /* "" : not said */
    const bytes_t *labels; /* ENUM, SET, in `collation`'s charset; NULL: not said */
    uint32_t label_count;
    uint8_t geometry; /* kind of GEOMETRY, 0: not said */
} table_map_column_t;

/* How one column's bytes become a value; made by table_map_bind, read by rows.c alone. */
typedef struct column_decoder column_decoder_t;

struct table_map {
    atomic_uint references;
    arena_t arena;
    uint64_t map_id; /* the server's own number; not ours */
    bytes_t body;    /* the event's body, a copy: says whether two maps are the same */
    bytes_t schema, name;
    const table_map_column_t *columns;
    uint32_t column_count;
    bool has_signedness;
    bool has_names;
    const key_part_t *primary_key; /* NULL: none or not said */
    uint32_t primary_key_count;
    const table_definition_t *definition; /* NULL until bound; one reference */
    const column_decoder_t *decoders;     /* NULL until bound */
};
typedef struct table_map table_map_t;

/* The server's number, schema and table alone, without allocation; they borrow from `body`. */
sluice_error_t table_map_peek(bytes_t body, uint64_t *map_id, bytes_t *schema,
                              bytes_t *name) SLUICE_MUST_USE;

/* Parses a TABLE_MAP body (copied) into a map with one reference. SLUICE_ERROR_SOURCE_CORRUPT, or
 * SLUICE_ERROR_UNSUPPORTED for a column type MariaDB does not write; *map is then NULL. */
sluice_error_t table_map_parse(bytes_t body, table_map_t **map,
                               error_report_t *report) SLUICE_MUST_USE;

/* Ties the map to the definition valid at its place in the log and makes the decoders. Takes a
 * reference to `definition`. SLUICE_ERROR_SCHEMA_MISMATCH: the columns are not those of the
 * definition (number, name, type, sign, size); `report` names table, column and both sides. At most
 * once per map, before it is shared. */
sluice_error_t table_map_bind(table_map_t *map, const table_definition_t *definition,
                              error_report_t *report) SLUICE_MUST_USE;

const table_map_t *table_map_ref(const table_map_t *map);
/* Sets *map to NULL; NULL is allowed. */
void table_map_unref(const table_map_t **map);

#endif
