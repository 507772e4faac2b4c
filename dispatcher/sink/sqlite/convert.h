/*
 * What an ALTER TABLE makes of a value that is stored already: the SQLite form of column `before`
 * (column.h) becomes the SQLite form of column `after`, as MariaDB's own copy of the row would.
 * What cannot be computed so with certainty is refused by name, never guessed: a text that is no
 * clean number, a character that the new charset may lack, a TIMESTAMP in an unknown time zone.
 *
 * A value out of the new column's range is clamped and a text too long for it is cut, as MariaDB
 * does without strict mode; with strict mode the source would have refused the statement.
 *
 * Threads: functions of their arguments.
 */
#ifndef SLUICE_DISPATCHER_SINK_SQLITE_CONVERT_H
#define SLUICE_DISPATCHER_SINK_SQLITE_CONVERT_H

#include "common/model/charset.h"
#include "dispatcher/sink/sqlite/column.h"

/* One value as SQLite has it; `type` is SQLITE_INTEGER, SQLITE_FLOAT, SQLITE_TEXT, SQLITE_BLOB or
 * SQLITE_NULL. Bytes are borrowed. */
typedef struct {
    int type;
    int64_t integer;
    double real;
    bytes_t bytes;
} stored_value_t;

/* The session in which the source ran the ALTER. */
typedef struct {
    bool has_offset;        /* the session's time zone is a fixed distance to UTC */
    int32_t offset_seconds; /* east of Greenwich is positive */
    uint64_t timestamp_us;  /* its @@timestamp */
    charset_converter_t *converter;
    arena_t *arena; /* results live here or borrow from what they were made of */
} convert_context_t;

/* Whether every stored value stays as it is, so that the table needs no copy. */
bool sqlite_convert_is_identity(const column_definition_t *before,
                                const column_definition_t *after);

/* SLUICE_ERROR_DDL_UNSUPPORTED with column, value and reason. */
sluice_error_t sqlite_convert(const convert_context_t *context, const column_definition_t *before,
                              const column_definition_t *after, const stored_value_t *from,
                              stored_value_t *to, error_report_t *report) SLUICE_MUST_USE;

/* What MariaDB puts into a NOT NULL column for which nothing is said: 0, '', '0000-00-00', the
 * first label of an ENUM. */
stored_value_t sqlite_implicit_value(const column_definition_t *column, arena_t *arena);

/* What an added column holds in the rows that were there: its DEFAULT, computed in the session of
 * the ALTER, else NULL or the implicit value. SLUICE_ERROR_DDL_UNSUPPORTED for generated and
 * auto-increment columns and for expressions other than literals and the current time. */
sluice_error_t sqlite_default_value(const convert_context_t *context,
                                    const column_definition_t *column, stored_value_t *value,
                                    error_report_t *report) SLUICE_MUST_USE;

#endif
