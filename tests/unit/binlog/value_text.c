#include "tests/unit/binlog/value_text.h"

#include <inttypes.h>

static const char *hex(arena_t *arena, bytes_t bytes)
{
    static const char digits[] = "0123456789ABCDEF";
    char *text = arena_alloc(arena, bytes.len * 2 + 1);
    for (size_t i = 0; i < bytes.len; i++) {
        text[2 * i] = digits[bytes.data[i] >> 4];
        text[2 * i + 1] = digits[bytes.data[i] & 15];
    }
    text[bytes.len * 2] = '\0';
    return text;
}

const char *value_text(arena_t *arena, const value_t *value)
{
    char temporal[TEMPORAL_TEXT_SIZE];
    switch (value->kind) {
    case VALUE_NULL:
        return "NULL";
    case VALUE_INT:
        return arena_printf(arena, "%" PRId64, value->i64);
    case VALUE_UINT:
    case VALUE_BIT:
    case VALUE_ENUM:
    case VALUE_SET:
        return arena_printf(arena, "%" PRIu64, value->u64);
    case VALUE_FLOAT:
        return arena_printf(arena, "%.9g", (double)value->f32);
    case VALUE_DOUBLE:
        return arena_printf(arena, "%.17g", value->f64);
    case VALUE_DECIMAL:
    case VALUE_TEXT:
        return arena_strndup(arena, value->bytes.data, value->bytes.len);
    case VALUE_BINARY:
    case VALUE_GEOMETRY:
        return hex(arena, value->bytes);
    case VALUE_DATE:
    case VALUE_TIME:
    case VALUE_DATETIME:
    case VALUE_TIMESTAMP:
        temporal_format(value->kind, &value->temporal, temporal);
        return arena_strdup(arena, temporal);
    }
    return "?";
}
