/*
 * How a column of MariaDB lies in SQLite (MARIADB.md §8). Columns are declared with the four types
 * of STRICT tables, whose affinity never changes a value written in the form below.
 *
 *   MariaDB                                      declared  value
 *   TINYINT … BIGINT, INT UNSIGNED and smaller   INTEGER   the number
 *   BIGINT UNSIGNED                              TEXT      decimal digits, since 2^63 does not fit
 *   YEAR                                         INTEGER   0 or 1901..2155
 *   BIT(1..63)                                   INTEGER   the bits as a number
 *   BIT(64)                                      BLOB      8 bytes, big-endian
 *   DECIMAL                                      TEXT      "-12.30", always all digits of the scale
 *   FLOAT, DOUBLE                                REAL      the number; a FLOAT widened (a)
 *   CHAR, VARCHAR, …TEXT, JSON                   TEXT      UTF-8
 *   ENUM                                         TEXT      the label, '' for the error value
 *   SET                                          TEXT      labels joined by commas
 *   DATE, TIME, DATETIME                         TEXT      as MariaDB writes them, all fsp digits
 *   TIMESTAMP                                    TEXT      the same, in UTC
 *   INET4, INET6, UUID                           TEXT      as MariaDB writes them
 *   BINARY, VARBINARY, …BLOB                     BLOB      the bytes; BINARY(n) is n bytes
 *   GEOMETRY and its kinds                       BLOB      SRID (4 bytes, little-endian) and WKB
 *
 * (a) -0.0 becomes 0.0: SQLite keeps whole numbers in a REAL column as integers.
 *
 * Generated columns are plain columns here, filled from the log, which carries their values.
 * Threads: functions of their arguments.
 */
#ifndef SLUICE_DISPATCHER_SINK_SQLITE_COLUMN_H
#define SLUICE_DISPATCHER_SINK_SQLITE_COLUMN_H

#include <sqlite3.h>

#include "common/model/charset.h"
#include "common/model/table_definition.h"
#include "common/model/value.h"

typedef enum {
    SQLITE_STORAGE_INTEGER,
    SQLITE_STORAGE_TEXT,
    SQLITE_STORAGE_REAL,
    SQLITE_STORAGE_BLOB
} sqlite_storage_t;

sqlite_storage_t sqlite_column_storage(const column_definition_t *column);
const char *sqlite_storage_name(sqlite_storage_t storage);

/* The charset that the column's text is logged in, NULL for types without text. A column without a
 * known one counts as utf8mb4. */
const charset_t *sqlite_column_charset(const column_definition_t *column);

/* What a value is written with, one a worker. */
typedef struct {
    charset_converter_t *converter;
    arena_t arena; /* reset by the caller once what was bound is written */
} sqlite_binder_t;

/* Binds `value` in the form above. What is bound lives in the value's own memory or in the binder's
 * arena. SLUICE_ERROR_SOURCE_CORRUPT: the value does not fit the column (no such label, an address
 * of another length); SLUICE_ERROR_UNSUPPORTED: its charset cannot be converted here. */
sluice_error_t sqlite_value_bind(sqlite3_stmt *statement, int index,
                                 const column_definition_t *column, const charset_t *charset,
                                 const value_t *value, sqlite_binder_t *binder,
                                 error_report_t *report) SLUICE_MUST_USE;

#endif
