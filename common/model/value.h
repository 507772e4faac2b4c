/*
 * One column value, decoded from the log and not yet in any sink's form.
 *
 * Text stays in the column's charset (the definition names it): converting is the sink's business,
 * since a MariaDB sink wants the very bytes. All pointers are borrowed from the row's arena or from
 * the event bytes.
 */
#ifndef SLUICE_COMMON_MODEL_VALUE_H
#define SLUICE_COMMON_MODEL_VALUE_H

#include "common/base/bytes.h"

typedef enum {
    VALUE_NULL,
    VALUE_INT,       /* i64: signed integer columns */
    VALUE_UINT,      /* u64: unsigned integer columns, YEAR (0 or 1901..2155) */
    VALUE_FLOAT,     /* f32 */
    VALUE_DOUBLE,    /* f64 */
    VALUE_DECIMAL,   /* bytes: canonical text, "-12.30", always `scale` digits after the point */
    VALUE_TEXT,      /* bytes in the column's charset */
    VALUE_BINARY,    /* bytes; BINARY, INET4, INET6 and UUID padded to full length */
    VALUE_BIT,       /* u64: BIT(1..64) */
    VALUE_ENUM,      /* u64: 1-based index, 0 = '' */
    VALUE_SET,       /* u64: bit mask */
    VALUE_DATE,      /* temporal */
    VALUE_TIME,      /* temporal, with sign; hour up to 838 */
    VALUE_DATETIME,  /* temporal */
    VALUE_TIMESTAMP, /* temporal in UTC; all zero for '0000-00-00 00:00:00' */
    VALUE_GEOMETRY   /* bytes: SRID (4, little endian) + WKB */
} value_kind_t;

typedef struct {
    uint16_t year;
    uint8_t month, day;
    uint16_t hour;
    uint8_t minute, second;
    uint8_t fsp; /* digits to show, 0..6 */
    bool negative;
    uint32_t microsecond;
} temporal_t;

typedef struct {
    value_kind_t kind;
    union {
        int64_t i64;
        uint64_t u64;
        float f32;
        double f64;
        bytes_t bytes;
        temporal_t temporal;
    };
} value_t;

#define TEMPORAL_TEXT_SIZE 32
/* 'YYYY-MM-DD[ HH:MM:SS[.ffffff]]' or '[-]HHH:MM:SS[.ffffff]' by `kind`; returns the length. */
size_t temporal_format(value_kind_t kind, const temporal_t *temporal,
                       char text[TEMPORAL_TEXT_SIZE]);

/* Same kind and same content, bytes compared as such. */
bool value_equal(const value_t *a, const value_t *b);

typedef enum { ROW_INSERT, ROW_UPDATE, ROW_DELETE } row_kind_t;

/* One row change; `before` for UPDATE and DELETE, `after` for INSERT and UPDATE, each column_count
 * values in the order of the definition. */
typedef struct {
    row_kind_t kind;
    const value_t *before;
    const value_t *after;
} row_change_t;

#endif
