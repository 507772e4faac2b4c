/*
 * Shared by the files of convert.h: one function for each family of targets. Each is given a value
 * that is not NULL.
 */
#ifndef SLUICE_DISPATCHER_SINK_SQLITE_CONVERT_INTERNAL_H
#define SLUICE_DISPATCHER_SINK_SQLITE_CONVERT_INTERNAL_H

#include "dispatcher/sink/sqlite/convert.h"

typedef enum {
    FAMILY_INTEGER, /* TINYINT … BIGINT, signed or not */
    FAMILY_DECIMAL,
    FAMILY_REAL,
    FAMILY_BIT,
    FAMILY_YEAR,
    FAMILY_DATE,
    FAMILY_TIME,
    FAMILY_DATETIME,
    FAMILY_TIMESTAMP,
    FAMILY_TEXT,
    FAMILY_BINARY,
    FAMILY_ENUM,
    FAMILY_SET,
    FAMILY_ADDRESS, /* INET4, INET6, UUID */
    FAMILY_GEOMETRY
} column_family_t;

column_family_t column_family(const column_definition_t *column);
bool column_is_unsigned(const column_definition_t *column);

typedef struct {
    const convert_context_t *context;
    const column_definition_t *before, *after;
    column_family_t from_family;
    error_report_t *report;
} conversion_t;

/* Refuses this value: "column c: cannot turn the stored '…' into …: reason". */
sluice_error_t conversion_refuse(const conversion_t *conversion, const stored_value_t *from,
                                 const char *reason) SLUICE_MUST_USE;

stored_value_t stored_text(bytes_t text);
stored_value_t stored_integer(int64_t integer);
stored_value_t stored_blob(bytes_t bytes);
stored_value_t stored_real(double real);

sluice_error_t convert_to_integer(const conversion_t *conversion, const stored_value_t *from,
                                  stored_value_t *to) SLUICE_MUST_USE;
sluice_error_t convert_to_decimal(const conversion_t *conversion, const stored_value_t *from,
                                  stored_value_t *to) SLUICE_MUST_USE;
sluice_error_t convert_to_real(const conversion_t *conversion, const stored_value_t *from,
                               stored_value_t *to) SLUICE_MUST_USE;
sluice_error_t convert_to_bit(const conversion_t *conversion, const stored_value_t *from,
                              stored_value_t *to) SLUICE_MUST_USE;
sluice_error_t convert_to_year(const conversion_t *conversion, const stored_value_t *from,
                               stored_value_t *to) SLUICE_MUST_USE;
sluice_error_t convert_to_temporal(const conversion_t *conversion, const stored_value_t *from,
                                   stored_value_t *to) SLUICE_MUST_USE;
sluice_error_t convert_to_text(const conversion_t *conversion, const stored_value_t *from,
                               stored_value_t *to) SLUICE_MUST_USE;
sluice_error_t convert_to_binary(const conversion_t *conversion, const stored_value_t *from,
                                 stored_value_t *to) SLUICE_MUST_USE;
sluice_error_t convert_to_enum(const conversion_t *conversion, const stored_value_t *from,
                               stored_value_t *to) SLUICE_MUST_USE;
sluice_error_t convert_to_set(const conversion_t *conversion, const stored_value_t *from,
                              stored_value_t *to) SLUICE_MUST_USE;
sluice_error_t convert_to_address(const conversion_t *conversion, const stored_value_t *from,
                                  stored_value_t *to) SLUICE_MUST_USE;

/* The text that MariaDB makes of the value (CAST AS CHAR), in UTF-8. */
sluice_error_t conversion_text(const conversion_t *conversion, const stored_value_t *from,
                               bytes_t *text) SLUICE_MUST_USE;

/* The UTF-8 text as bytes of the charset, borrowed or in the context's arena. false: the charset
 * lacks a character of it, or cannot be written here (East Asian ones but for ASCII, wide ones). */
bool convert_encode(const convert_context_t *context, const charset_t *charset, bytes_t text,
                    bytes_t *encoded);

#define DECIMAL_TEXT_SIZE 96
/* A number as decimal text rounded half away from zero to `scale` digits and clamped to `precision`
 * of them; returns the length, 0 when `text` is no plain decimal number. */
size_t decimal_rescale(bytes_t text, unsigned precision, unsigned scale, bool is_unsigned,
                       char out[DECIMAL_TEXT_SIZE]);

/* The shortest text that reads back as this double, without an exponent; 0 where MariaDB would use
 * one. A FLOAT shows six digits. */
size_t real_text(double real, bool is_float, char out[DECIMAL_TEXT_SIZE]);

/* The parts of "YYYY-MM-DD HH:MM:SS[.f]", "YYYY-MM-DD" or "[-]H…:MM:SS[.f]"; false when it is
 * nothing of the kind that `family` has. */
bool temporal_parse(column_family_t family, bytes_t text, temporal_t *temporal);
/* Moves a date and time by seconds. */
void temporal_shift(temporal_t *temporal, int64_t seconds);
/* Microseconds since 1970, UTC, as date and time. */
void temporal_of_epoch(int64_t microseconds, temporal_t *temporal);

#endif
