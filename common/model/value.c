#include "common/model/value.h"

#include <stdio.h>

static size_t format_fraction(const temporal_t *temporal, char *text, size_t size)
{
    if (temporal->fsp == 0)
        return 0;
    char digits[16];
    snprintf(digits, sizeof digits, "%06u", (unsigned)temporal->microsecond % 1000000);
    unsigned shown = temporal->fsp > 6 ? 6 : temporal->fsp;
    return (size_t)snprintf(text, size, ".%.*s", (int)shown, digits);
}

size_t temporal_format(value_kind_t kind, const temporal_t *temporal, char text[TEMPORAL_TEXT_SIZE])
{
    size_t len = 0;
    if (kind == VALUE_TIME) {
        len = (size_t)snprintf(text, TEMPORAL_TEXT_SIZE, "%s%02u:%02u:%02u",
                               temporal->negative ? "-" : "", temporal->hour, temporal->minute,
                               temporal->second);
        return len + format_fraction(temporal, text + len, TEMPORAL_TEXT_SIZE - len);
    }
    len = (size_t)snprintf(text, TEMPORAL_TEXT_SIZE, "%04u-%02u-%02u", temporal->year,
                           temporal->month, temporal->day);
    if (kind == VALUE_DATE)
        return len;
    len += (size_t)snprintf(text + len, TEMPORAL_TEXT_SIZE - len, " %02u:%02u:%02u", temporal->hour,
                            temporal->minute, temporal->second);
    return len + format_fraction(temporal, text + len, TEMPORAL_TEXT_SIZE - len);
}

static bool temporal_equal(const temporal_t *a, const temporal_t *b)
{
    return a->year == b->year && a->month == b->month && a->day == b->day && a->hour == b->hour &&
           a->minute == b->minute && a->second == b->second && a->fsp == b->fsp &&
           a->negative == b->negative && a->microsecond == b->microsecond;
}

bool value_equal(const value_t *a, const value_t *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case VALUE_NULL:
        return true;
    case VALUE_INT:
        return a->i64 == b->i64;
    case VALUE_UINT:
    case VALUE_BIT:
    case VALUE_ENUM:
    case VALUE_SET:
        return a->u64 == b->u64;
    case VALUE_FLOAT:
        return memcmp(&a->f32, &b->f32, sizeof a->f32) == 0;
    case VALUE_DOUBLE:
        return memcmp(&a->f64, &b->f64, sizeof a->f64) == 0;
    case VALUE_DECIMAL:
    case VALUE_TEXT:
    case VALUE_BINARY:
    case VALUE_GEOMETRY:
        return bytes_equal(a->bytes, b->bytes);
    case VALUE_DATE:
    case VALUE_TIME:
    case VALUE_DATETIME:
    case VALUE_TIMESTAMP:
        return temporal_equal(&a->temporal, &b->temporal);
    }
    return false;
}
