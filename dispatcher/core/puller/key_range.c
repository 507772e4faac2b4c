#include "dispatcher/core/puller/key_range.h"

#include <stdlib.h>

#include "common/base/memory.h"

int key_end_compare(bytes_t a, bytes_t b)
{
    if (a.len == 0 || b.len == 0)
        return (a.len == 0) - (b.len == 0);
    return bytes_compare(a, b);
}

bool key_is_behind(bytes_t at, bytes_t end)
{
    return end.len > 0 && bytes_compare(at, end) >= 0;
}

bool key_range_is_empty(key_range_t range)
{
    return key_is_behind(range.start, range.end);
}

bool key_range_equal(key_range_t a, key_range_t b)
{
    return bytes_equal(a.start, b.start) && bytes_equal(a.end, b.end);
}

key_range_t key_range_clip(key_range_t range, key_range_t within)
{
    if (bytes_compare(range.start, within.start) < 0)
        range.start = within.start;
    if (key_end_compare(range.end, within.end) > 0)
        range.end = within.end;
    return range;
}

static bytes_t copy(bytes_t key)
{
    if (key.len == 0)
        return (bytes_t){0};
    uint8_t *data = memory_alloc(key.len);
    memcpy(data, key.data, key.len);
    return bytes_of(data, key.len);
}

key_range_t key_range_copy(key_range_t range)
{
    return (key_range_t){copy(range.start), copy(range.end)};
}

void key_range_clear(key_range_t *range)
{
    free((uint8_t *)range->start.data);
    free((uint8_t *)range->end.data);
    *range = (key_range_t){0};
}
