#include "dispatcher/core/dispatch/deadline_heap.h"

#include <stdlib.h>

#include "common/base/memory.h"

static void put(deadline_heap_t *heap, uint32_t at, deadline_entry_t entry)
{
    heap->entries[at] = entry;
    entry.node->place = at + 1;
}

static void sift_up(deadline_heap_t *heap, uint32_t at)
{
    deadline_entry_t entry = heap->entries[at];
    while (at > 0 && entry.deadline.v < heap->entries[(at - 1) / 2].deadline.v) {
        put(heap, at, heap->entries[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(heap, at, entry);
}

static void sift_down(deadline_heap_t *heap, uint32_t at)
{
    deadline_entry_t entry = heap->entries[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count &&
            heap->entries[child + 1].deadline.v < heap->entries[child].deadline.v)
            child++;
        if (heap->entries[child].deadline.v >= entry.deadline.v)
            break;
        put(heap, at, heap->entries[child]);
        at = child;
    }
    put(heap, at, entry);
}

static void remove_at(deadline_heap_t *heap, uint32_t at)
{
    heap->entries[at].node->place = 0;
    heap->count--;
    if (at == heap->count)
        return;
    put(heap, at, heap->entries[heap->count]);
    sift_up(heap, at);
    sift_down(heap, at);
}

void deadline_heap_set(deadline_heap_t *heap, deadline_node_t *node, mono_ns_t deadline)
{
    if (node->place > 0) {
        uint32_t at = node->place - 1;
        if (heap->entries[at].deadline.v == deadline.v)
            return;
        if (deadline.v == UINT64_MAX) {
            remove_at(heap, at);
            return;
        }
        heap->entries[at].deadline = deadline;
        sift_up(heap, at);
        sift_down(heap, node->place - 1);
        return;
    }
    if (deadline.v == UINT64_MAX)
        return;
    if (heap->count == heap->capacity) {
        heap->capacity = heap->capacity ? heap->capacity * 2 : 16;
        heap->entries = memory_realloc(heap->entries, heap->capacity * sizeof *heap->entries);
    }
    heap->entries[heap->count] = (deadline_entry_t){deadline, node};
    sift_up(heap, heap->count++);
}

mono_ns_t deadline_heap_next(const deadline_heap_t *heap)
{
    return heap->count > 0 ? heap->entries[0].deadline : MONO_NEVER;
}

deadline_node_t *deadline_heap_take_due(deadline_heap_t *heap, mono_ns_t now)
{
    if (heap->count == 0 || !mono_reached(heap->entries[0].deadline, now))
        return NULL;
    deadline_node_t *node = heap->entries[0].node;
    remove_at(heap, 0);
    return node;
}

void deadline_heap_clear(deadline_heap_t *heap)
{
    free(heap->entries);
    *heap = (deadline_heap_t){0};
}
