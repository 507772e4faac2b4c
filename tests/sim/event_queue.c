#include "tests/sim/event_queue.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"

static bool is_before(const sim_event_t *a, const sim_event_t *b)
{
    return a->due.v != b->due.v ? a->due.v < b->due.v : a->number < b->number;
}

static void grow(sim_event_queue_t *queue)
{
    if (queue->count < queue->capacity)
        return;
    queue->capacity = queue->capacity ? 2 * queue->capacity : 256;
    queue->heap = memory_realloc(queue->heap, queue->capacity * sizeof *queue->heap);
}

void sim_event_queue_put(sim_event_queue_t *queue, sim_event_t event)
{
    grow(queue);
    event.number = ++queue->put;
    size_t at = queue->count++;
    while (at > 0 && is_before(&event, &queue->heap[(at - 1) / 2])) {
        queue->heap[at] = queue->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    queue->heap[at] = event;
}

const sim_event_t *sim_event_queue_first(const sim_event_queue_t *queue)
{
    return queue->count ? &queue->heap[0] : NULL;
}

sim_event_t sim_event_queue_take(sim_event_queue_t *queue)
{
    assert(queue->count > 0);
    sim_event_t first = queue->heap[0];
    sim_event_t last = queue->heap[--queue->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= queue->count)
            break;
        if (child + 1 < queue->count && is_before(&queue->heap[child + 1], &queue->heap[child]))
            child++;
        if (!is_before(&queue->heap[child], &last))
            break;
        queue->heap[at] = queue->heap[child];
        at = child;
    }
    if (queue->count)
        queue->heap[at] = last;
    return first;
}

void sim_event_queue_forget(sim_event_queue_t *queue, const void *context)
{
    for (size_t i = 0; i < queue->count; i++)
        if (queue->heap[i].context == context)
            queue->heap[i].action = NULL;
}

void sim_event_queue_clear(sim_event_queue_t *queue)
{
    free(queue->heap);
    *queue = (sim_event_queue_t){0};
}
