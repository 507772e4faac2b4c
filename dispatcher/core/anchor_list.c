#include "dispatcher/core/anchor_list.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

void anchor_list_clear(anchor_list_t *list)
{
    free(list->anchors);
    *list = (anchor_list_t){0};
}

/* The first always stays: it may be the only one below what is asked for. */
static void thin_out(anchor_list_t *list)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < list->count; i += 2)
        list->anchors[kept++] = list->anchors[i];
    list->count = kept;
}

void anchor_list_add(anchor_list_t *list, const anchor_t *anchor)
{
    if (list->count && list->anchors[list->count - 1].commit_ts.v >= anchor->commit_ts.v)
        return;
    if (!list->anchors)
        list->anchors = memory_alloc(ANCHOR_LIST_MAX * sizeof *list->anchors);
    if (list->count == ANCHOR_LIST_MAX)
        thin_out(list);
    list->anchors[list->count++] = *anchor;
}

/* How many are at or below `ts`. */
static uint32_t count_through(const anchor_list_t *list, commit_ts_t ts)
{
    uint32_t low = 0, high = list->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (list->anchors[middle].commit_ts.v <= ts.v)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const anchor_t *anchor_list_find(const anchor_list_t *list, commit_ts_t ts)
{
    uint32_t through = count_through(list, ts);
    return through ? &list->anchors[through - 1] : NULL;
}

void anchor_list_forget(anchor_list_t *list, commit_ts_t ts)
{
    uint32_t through = count_through(list, ts);
    if (through < 2)
        return;
    uint32_t gone = through - 1;
    list->count -= gone;
    memmove(list->anchors, list->anchors + gone, list->count * sizeof *list->anchors);
}
