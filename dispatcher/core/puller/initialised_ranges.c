#include "dispatcher/core/puller/initialised_ranges.h"

#include <stdlib.h>

#include "common/base/memory.h"

static void drop_all(initialised_ranges_t *initialised)
{
    for (size_t i = 0; i < initialised->count; i++)
        key_range_clear(&initialised->ranges[i]);
    free(initialised->ranges);
    initialised->ranges = NULL;
    initialised->count = initialised->capacity = 0;
}

void initialised_ranges_clear(initialised_ranges_t *initialised)
{
    drop_all(initialised);
    initialised->is_whole = false;
}

/* The first that ends at or behind `key`. */
static size_t find(const initialised_ranges_t *initialised, bytes_t key)
{
    size_t low = 0, high = initialised->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bytes_t end = initialised->ranges[middle].end;
        if (end.len == 0 || bytes_compare(end, key) >= 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void insert(initialised_ranges_t *initialised, size_t at, key_range_t own)
{
    if (initialised->count == initialised->capacity) {
        initialised->capacity = initialised->capacity ? initialised->capacity * 2 : 4;
        initialised->ranges =
            memory_realloc(initialised->ranges, initialised->capacity * sizeof(key_range_t));
    }
    memmove(&initialised->ranges[at + 1], &initialised->ranges[at],
            (initialised->count - at) * sizeof(key_range_t));
    initialised->ranges[at] = own;
    initialised->count++;
}

/* [first, last) overlap or touch the range: one takes the place of them all. */
static void replace(initialised_ranges_t *initialised, size_t first, size_t last, key_range_t range)
{
    key_range_t *ranges = initialised->ranges;
    if (bytes_compare(ranges[first].start, range.start) < 0)
        range.start = ranges[first].start;
    if (key_end_compare(ranges[last - 1].end, range.end) > 0)
        range.end = ranges[last - 1].end;
    key_range_t own = key_range_copy(range);
    for (size_t i = first; i < last; i++)
        key_range_clear(&ranges[i]);
    ranges[first] = own;
    memmove(&ranges[first + 1], &ranges[last], (initialised->count - last) * sizeof *ranges);
    initialised->count -= last - first - 1;
}

bool initialised_ranges_add(initialised_ranges_t *initialised, key_range_t span, key_range_t range)
{
    range = key_range_clip(range, span);
    if (initialised->is_whole || key_range_is_empty(range))
        return false;
    size_t first = find(initialised, range.start);
    size_t last = first;
    while (last < initialised->count &&
           (range.end.len == 0 || bytes_compare(initialised->ranges[last].start, range.end) <= 0))
        last++;
    if (first == last)
        insert(initialised, first, key_range_copy(range));
    else
        replace(initialised, first, last, range);
    initialised->is_whole =
        initialised->count == 1 && key_range_equal(initialised->ranges[0], span);
    bool is_whole = initialised->is_whole;
    if (is_whole)
        drop_all(initialised);
    return is_whole;
}
