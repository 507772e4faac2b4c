#include "dispatcher/core/puller/range_reload.h"

#include <stdlib.h>

#include "common/base/memory.h"

void range_reload_free(reload_range_t *ranges, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        key_range_clear(&ranges[i].range);
    free(ranges);
}

void range_reload_clear(range_reload_t *reload)
{
    range_reload_free(reload->ranges, reload->count);
    *reload = (range_reload_t){0};
}

void range_reload_add(range_reload_t *reload, const range_reload_settings_t *settings,
                      const reload_range_t *range, mono_ns_t now)
{
    if (key_range_is_empty(range->range))
        return;
    if (reload->count == 0)
        reload->due = mono_add(now, settings->debounce_ns);
    if (reload->count == reload->capacity) {
        reload->capacity = reload->capacity ? reload->capacity * 2 : 4;
        reload->ranges = memory_realloc(reload->ranges, reload->capacity * sizeof(reload_range_t));
    }
    reload_range_t *own = &reload->ranges[reload->count++];
    *own = *range;
    own->range = key_range_copy(range->range);
    if (reload->count >= settings->ranges_max && reload->due.v > now.v)
        reload->due = now;
}

static int compare_starts(const void *a, const void *b)
{
    const reload_range_t *left = a, *right = b;
    return bytes_compare(left->range.start, right->range.start);
}

/* Consumes `from`, which begins at or behind the beginning of `into` and inside it or at its end.
 */
static void merge(reload_range_t *into, reload_range_t *from)
{
    if (key_end_compare(from->range.end, into->range.end) > 0) {
        bytes_t shorter = into->range.end;
        into->range.end = from->range.end;
        from->range.end = shorter;
    }
    into->priority = pull_priority_stronger(into->priority, from->priority);
    if (from->start.v < into->start.v)
        into->start = from->start;
    key_range_clear(&from->range);
}

reload_range_t *range_reload_take(range_reload_t *reload, uint32_t *count)
{
    reload_range_t *ranges = reload->ranges;
    uint32_t merged = 0;
    *count = 0;
    if (reload->count == 0)
        return NULL;
    qsort(ranges, reload->count, sizeof *ranges, compare_starts);
    for (uint32_t i = 1; i < reload->count; i++) {
        bytes_t end = ranges[merged].range.end;
        if (end.len == 0 || bytes_compare(ranges[i].range.start, end) <= 0)
            merge(&ranges[merged], &ranges[i]);
        else
            ranges[++merged] = ranges[i];
    }
    *count = merged + 1;
    for (uint32_t i = 0; i < *count; i++)
        ranges[i].priority = pull_priority_lowered(ranges[i].priority);
    *reload = (range_reload_t){0};
    return ranges;
}
