#include "dispatcher/core/item_queue.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"

#define CAPACITY_FIRST 4

void item_queue_clear(item_queue_t *queue)
{
    free(queue->items);
    *queue = (item_queue_t){0};
}

/* Numbers decide the place in the ring, so a larger ring has each item elsewhere. */
static void grow(item_queue_t *queue)
{
    uint32_t capacity = queue->items ? (queue->mask + 1) * 2 : CAPACITY_FIRST;
    queue_item_t *items = memory_alloc(capacity * sizeof *items);
    for (uint64_t number = queue->first; number < item_queue_end(queue); number++)
        items[number & (capacity - 1)] = *item_queue_at(queue, number);
    free(queue->items);
    queue->items = items;
    queue->mask = capacity - 1;
}

void item_queue_push(item_queue_t *queue, const queue_item_t *item)
{
    if (!queue->items || queue->count == queue->mask + 1)
        grow(queue);
    queue->items[item_queue_end(queue) & queue->mask] = *item;
    queue->count++;
}

queue_item_t item_queue_pop(item_queue_t *queue)
{
    assert(queue->count > 0);
    queue_item_t item = *item_queue_at(queue, queue->first);
    queue->first++;
    queue->count--;
    if (queue->count == 0) {
        free(queue->items);
        queue->items = NULL;
        queue->mask = 0;
    }
    return item;
}

uint64_t item_queue_find(const item_queue_t *queue, commit_ts_t from)
{
    uint64_t low = queue->first, high = item_queue_end(queue);
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (item_queue_at(queue, middle)->commit_ts.v < from.v)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
