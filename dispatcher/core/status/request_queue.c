#include "dispatcher/core/status/request_queue.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/status/status_key_set.h"

typedef struct {
    status_request_t *first, *last;
    size_t length;
} request_list_t;

struct request_queue {
    size_t capacity;
    uint64_t target;
    request_list_t queued, in_flight;
    size_t marked;           /* keys held by slots */
    status_key_set_t others; /* keys that slots cannot mark, and NONE copies */
};

static void list_append(request_list_t *list, status_request_t *request)
{
    request->previous = list->last;
    request->next = NULL;
    if (list->last)
        list->last->next = request;
    else
        list->first = request;
    list->last = request;
    list->length++;
}

static void list_prepend(request_list_t *list, status_request_t *request)
{
    request->previous = NULL;
    request->next = list->first;
    if (list->first)
        list->first->previous = request;
    else
        list->last = request;
    list->first = request;
    list->length++;
}

static void list_remove(request_list_t *list, status_request_t *request)
{
    if (request->previous)
        request->previous->next = request->next;
    else
        list->first = request->next;
    if (request->next)
        request->next->previous = request->previous;
    else
        list->last = request->previous;
    request->previous = request->next = NULL;
    list->length--;
}

static uint64_t *mark_of(status_slot_t *slot, block_stage_t stage)
{
    switch (stage) {
    case STAGE_WAITING:
        return &slot->requested_waiting;
    case STAGE_DONE:
        return &slot->requested_done;
    case STAGE_NONE:
    case STAGE_WRITING:
        return NULL;
    }
    return NULL;
}

static bool is_held(const request_queue_t *queue, status_slot_t *slot, event_key_t key,
                    block_stage_t stage)
{
    const uint64_t *mark = mark_of(slot, stage);
    uint64_t packed = status_key_pack(key);
    if (mark && packed && *mark == packed)
        return true;
    return status_key_set_has(&queue->others, slot, key, stage);
}

static void hold(request_queue_t *queue, status_slot_t *slot, event_key_t key, block_stage_t stage)
{
    uint64_t *mark = mark_of(slot, stage);
    uint64_t packed = status_key_pack(key);
    if (mark && packed && *mark == 0) {
        *mark = packed;
        queue->marked++;
    } else {
        status_key_set_add(&queue->others, slot, key, stage);
    }
}

static void release(request_queue_t *queue, status_slot_t *slot, event_key_t key,
                    block_stage_t stage)
{
    uint64_t *mark = mark_of(slot, stage);
    uint64_t packed = status_key_pack(key);
    if (mark && packed && *mark == packed) {
        *mark = 0;
        queue->marked--;
    } else {
        status_key_set_remove(&queue->others, slot, key, stage);
    }
}

static void release_all(request_queue_t *queue, const status_request_t *request)
{
    for (uint32_t i = 0; i < request->group_count; i++) {
        const status_group_t *group = &request->groups[i];
        for (uint32_t j = 0; j < group->count; j++)
            release(queue, request->slots[group->first + j], group->key, group->stage);
    }
}

/* Holds the keys of a group and drops the statuses whose key is held already. */
static void admit_group(request_queue_t *queue, status_request_t *request, uint32_t group_index)
{
    const status_group_t *group = &request->groups[group_index];
    bool keep[STATUSES_PER_REQUEST_MAX];
    bool keeps_all = true;
    for (uint32_t i = 0; i < group->count; i++) {
        status_slot_t *slot = request->slots[group->first + i];
        keep[i] = group->stage == STAGE_NONE || !is_held(queue, slot, group->key, group->stage);
        if (keep[i])
            hold(queue, slot, group->key, group->stage);
        keeps_all = keeps_all && keep[i];
    }
    if (!keeps_all)
        status_request_filter_group(request, group_index, keep);
}

request_queue_t *request_queue_new(int64_t capacity)
{
    request_queue_t *queue = memory_zalloc(sizeof *queue);
    queue->capacity = capacity < 1 ? 1 : (size_t)capacity;
    return queue;
}

static void drop(request_queue_t *queue, status_request_t *request)
{
    release_all(queue, request);
    status_request_destroy(&request);
}

static void drop_list(request_queue_t *queue, request_list_t *list)
{
    while (list->first) {
        status_request_t *request = list->first;
        list_remove(list, request);
        drop(queue, request);
    }
}

void request_queue_destroy(request_queue_t **queue)
{
    request_queue_t *self = *queue;
    if (!self)
        return;
    drop_list(self, &self->queued);
    drop_list(self, &self->in_flight);
    status_key_set_clear(&self->others);
    free(self);
    *queue = NULL;
}

void request_queue_set_target(request_queue_t *queue, uint64_t target)
{
    if (queue->target == target)
        return;
    queue->target = target;
    drop_list(queue, &queue->queued);
}

sluice_error_t request_queue_enqueue(request_queue_t *queue, status_request_t **request)
{
    status_request_t *taken = *request;
    if (!taken)
        return SLUICE_OK;
    if (request_queue_is_full(queue))
        return SLUICE_ERROR_FULL;
    assert(taken->state == STATUS_REQUEST_BUILT);
    *request = NULL;
    for (uint32_t i = 0; i < taken->group_count; i++)
        admit_group(queue, taken, i);
    status_request_compact(taken);
    if (taken->status_count == 0) {
        status_request_destroy(&taken);
        return SLUICE_OK;
    }
    taken->state = STATUS_REQUEST_QUEUED;
    taken->target = queue->target;
    list_append(&queue->queued, taken);
    return SLUICE_OK;
}

status_request_t *request_queue_dequeue(request_queue_t *queue)
{
    status_request_t *request = queue->queued.first;
    if (!request)
        return NULL;
    list_remove(&queue->queued, request);
    list_append(&queue->in_flight, request);
    request->state = STATUS_REQUEST_IN_FLIGHT;
    return request;
}

status_request_t *request_queue_complete(request_queue_t *queue, status_request_t *request,
                                         request_outcome_t outcome)
{
    if (!request || request->state != STATUS_REQUEST_IN_FLIGHT)
        return NULL;
    list_remove(&queue->in_flight, request);
    if (outcome == REQUEST_FAILED && request->target == queue->target) {
        request->state = STATUS_REQUEST_QUEUED;
        list_prepend(&queue->queued, request);
        return NULL;
    }
    if (outcome != REQUEST_SENT) {
        drop(queue, request);
        return NULL;
    }
    release_all(queue, request);
    request->state = STATUS_REQUEST_SENT;
    return request;
}

bool request_queue_is_full(const request_queue_t *queue)
{
    return queue->queued.length >= queue->capacity;
}

size_t request_queue_length(const request_queue_t *queue)
{
    return queue->queued.length;
}

bool request_queue_is_idle(const request_queue_t *queue)
{
    return queue->queued.length == 0 && queue->in_flight.length == 0;
}

bool request_queue_has_report(const request_queue_t *queue, const status_slot_t *slot,
                              event_key_t key)
{
    return status_key_set_has(&queue->others, slot, key, STAGE_NONE);
}

size_t request_queue_key_count(const request_queue_t *queue)
{
    return queue->marked + status_key_set_count(&queue->others);
}
