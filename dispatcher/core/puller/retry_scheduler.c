#include "dispatcher/core/puller/retry_scheduler.h"

#include <stdlib.h>

#include "common/base/memory.h"

void retry_scheduler_clear(retry_scheduler_t *scheduler)
{
    free(scheduler->heap);
    *scheduler = (retry_scheduler_t){0};
}

static bool is_before(const retry_item_t *a, const retry_item_t *b)
{
    if (a->due.v != b->due.v)
        return a->due.v < b->due.v;
    if (a->priority != b->priority)
        return a->priority < b->priority;
    return a->number < b->number;
}

/* Places count from 1 on, so that half of a place is that of the one above. */
static void set_place(retry_scheduler_t *scheduler, size_t place, retry_item_t *item)
{
    scheduler->heap[place - 1] = item;
    item->place = place;
}

static void rise(retry_scheduler_t *scheduler, retry_item_t *item)
{
    size_t place = item->place;
    for (; place > 1; place /= 2) {
        retry_item_t *above = scheduler->heap[place / 2 - 1];
        if (!is_before(item, above))
            break;
        set_place(scheduler, place, above);
    }
    set_place(scheduler, place, item);
}

static void sink(retry_scheduler_t *scheduler, retry_item_t *item)
{
    size_t place = item->place;
    for (size_t below = place * 2; below <= scheduler->count; below = place * 2) {
        if (below < scheduler->count &&
            is_before(scheduler->heap[below], scheduler->heap[below - 1]))
            below++;
        if (!is_before(scheduler->heap[below - 1], item))
            break;
        set_place(scheduler, place, scheduler->heap[below - 1]);
        place = below;
    }
    set_place(scheduler, place, item);
}

void retry_scheduler_put(retry_scheduler_t *scheduler, retry_item_t *item, mono_ns_t due,
                         pull_priority_t priority)
{
    retry_scheduler_remove(scheduler, item);
    if (scheduler->count == scheduler->capacity) {
        scheduler->capacity = scheduler->capacity ? scheduler->capacity * 2 : 16;
        scheduler->heap =
            memory_realloc(scheduler->heap, scheduler->capacity * sizeof(retry_item_t *));
    }
    item->due = due;
    item->priority = priority;
    item->number = scheduler->put++;
    set_place(scheduler, ++scheduler->count, item);
    rise(scheduler, item);
}

void retry_scheduler_remove(retry_scheduler_t *scheduler, retry_item_t *item)
{
    if (item->place == 0)
        return;
    size_t place = item->place;
    retry_item_t *last = scheduler->heap[--scheduler->count];
    item->place = 0;
    if (last == item)
        return;
    set_place(scheduler, place, last);
    rise(scheduler, last);
    sink(scheduler, last);
}

retry_item_t *retry_scheduler_take(retry_scheduler_t *scheduler, mono_ns_t now)
{
    if (scheduler->count == 0 || !mono_reached(scheduler->heap[0]->due, now))
        return NULL;
    retry_item_t *first = scheduler->heap[0];
    retry_scheduler_remove(scheduler, first);
    return first;
}

mono_ns_t retry_scheduler_next_deadline(const retry_scheduler_t *scheduler)
{
    return scheduler->count ? scheduler->heap[0]->due : MONO_NEVER;
}
