#include "dispatcher/core/status/status_path.h"

#include <stdlib.h>
#include <uthash.h>

#include "common/base/memory.h"

/* A request that was sent and has groups to be answered; oldest first in the hash's own order. */
typedef struct {
    uint64_t sequence;
    status_request_t *request;
    mono_ns_t forget_at;
    uint32_t open_groups;
    UT_hash_handle hh;
} unanswered_t;

struct status_path {
    status_path_options_t options;
    block_status_buffer_t *buffer;
    status_batcher_t *batcher;
    request_queue_t *queue;
    uint64_t target;
    uint64_t sequence;
    unanswered_t *unanswered;
    uint64_t sent_requests, sent_statuses;
};

#define ANSWER_WAIT_NS (10 * NS_PER_S)

status_path_options_t status_path_options_default(void)
{
    return (status_path_options_t){
        .buffer_capacity = BLOCK_STATUS_BUFFER_CAPACITY,
        .queue_capacity = REQUEST_QUEUE_CAPACITY,
        .batcher = {.window_ns = STATUS_BATCHER_WINDOW_NS, .idle_ns = STATUS_BATCHER_IDLE_NS},
        .answer_wait_ns = ANSWER_WAIT_NS,
    };
}

status_path_t *status_path_new(const status_path_options_t *options)
{
    status_path_t *path = memory_zalloc(sizeof *path);
    path->options = *options;
    path->buffer = block_status_buffer_new(options->buffer_capacity);
    path->batcher = status_batcher_new(&options->batcher);
    path->queue = request_queue_new(options->queue_capacity);
    return path;
}

static void forget(status_path_t *path, unanswered_t *entry)
{
    HASH_DEL(path->unanswered, entry);
    status_request_destroy(&entry->request);
    free(entry);
}

static void forget_all(status_path_t *path)
{
    unanswered_t *entry = NULL, *next = NULL;
    HASH_ITER(hh, path->unanswered, entry, next)
    forget(path, entry);
}

void status_path_destroy(status_path_t **path)
{
    status_path_t *self = *path;
    if (!self)
        return;
    forget_all(self);
    request_queue_destroy(&self->queue);
    status_batcher_destroy(&self->batcher);
    block_status_buffer_destroy(&self->buffer);
    free(self);
    *path = NULL;
}

sluice_error_t status_path_offer(status_path_t *path, const block_status_t *status)
{
    if (status->stage == STAGE_NONE && status->is_resend &&
        request_queue_has_report(path->queue, status->slot, status->key))
        return SLUICE_OK;
    return block_status_buffer_try_offer(path->buffer, status);
}

void status_path_set_target(status_path_t *path, uint64_t maintainer_epoch)
{
    if (path->target == maintainer_epoch)
        return;
    path->target = maintainer_epoch;
    request_queue_set_target(path->queue, maintainer_epoch);
    forget_all(path);
}

void status_path_step(status_path_t *path, mono_ns_t now)
{
    while (path->unanswered && mono_reached(path->unanswered->forget_at, now))
        forget(path, path->unanswered);
    status_batcher_step(path->batcher, path->buffer, path->queue, now);
}

mono_ns_t status_path_next_deadline(const status_path_t *path)
{
    mono_ns_t deadline = status_batcher_next_deadline(path->batcher, path->queue);
    if (path->unanswered)
        deadline = mono_min(deadline, path->unanswered->forget_at);
    return deadline;
}

const status_request_t *status_path_next(status_path_t *path)
{
    status_request_t *request = request_queue_dequeue(path->queue);
    if (request && request->sequence == 0)
        request->sequence = ++path->sequence;
    return request;
}

/* DONE is not answered: only the other groups are kept waiting for. */
static void await_answer(status_path_t *path, status_request_t *request, mono_ns_t now)
{
    uint32_t open_groups = 0;
    for (uint32_t i = 0; i < request->group_count; i++)
        open_groups += request->groups[i].stage != STAGE_DONE;
    if (open_groups == 0 || request->target != path->target) {
        status_request_destroy(&request);
        return;
    }
    unanswered_t *entry = memory_zalloc(sizeof *entry);
    entry->sequence = request->sequence;
    entry->request = request;
    entry->open_groups = open_groups;
    entry->forget_at = mono_add(now, path->options.answer_wait_ns);
    HASH_ADD(hh, path->unanswered, sequence, sizeof entry->sequence, entry);
}

void status_path_complete(status_path_t *path, const status_request_t *request,
                          request_outcome_t outcome, mono_ns_t now)
{
    /* The queue lent it as const; it is its owner's again. */
    status_request_t *sent =
        request_queue_complete(path->queue, (status_request_t *)(uintptr_t)request, outcome);
    if (!sent)
        return;
    path->sent_requests++;
    path->sent_statuses += sent->status_count;
    status_batcher_note_sent(path->batcher, now);
    await_answer(path, sent, now);
}

static void apply_group(const status_request_t *request, const group_verdict_t *answer,
                        status_path_verdict_fn apply, void *context)
{
    const status_group_t *group = &request->groups[answer->group];
    bool has_exceptions = answer->exception_count > 0;
    verdict_t verdicts[STATUSES_PER_REQUEST_MAX];
    for (uint32_t i = 0; has_exceptions && i < group->count; i++)
        verdicts[i] = answer->verdict;
    for (uint32_t i = 0; i < answer->exception_count; i++)
        if (answer->exceptions[i].index < group->count)
            verdicts[answer->exceptions[i].index] = answer->exceptions[i].verdict;
    for (uint32_t i = 0; i < group->count; i++)
        apply(context, request->slots[group->first + i], group->key, group->stage,
              has_exceptions ? verdicts[i] : answer->verdict);
}

void status_path_answer(status_path_t *path, const group_verdict_t *answer,
                        status_path_verdict_fn apply, void *context)
{
    unanswered_t *entry = NULL;
    HASH_FIND(hh, path->unanswered, &answer->request_sequence, sizeof answer->request_sequence,
              entry);
    if (!entry || answer->group >= entry->request->group_count)
        return;
    status_group_t *group = &entry->request->groups[answer->group];
    if (group->stage == STAGE_DONE || group->count == 0)
        return;
    apply_group(entry->request, answer, apply, context);
    for (uint32_t i = 0; i < group->count; i++)
        status_slot_unref(&entry->request->slots[group->first + i]);
    group->count = 0; /* answered */
    if (--entry->open_groups == 0)
        forget(path, entry);
}

bool status_path_drain(status_path_t *path, mono_ns_t now)
{
    block_status_buffer_close(path->buffer);
    status_path_step(path, now);
    return status_batcher_flush(path->batcher, path->queue) == SLUICE_OK &&
           block_status_buffer_is_drained(path->buffer);
}

status_path_state_t status_path_state(status_path_t *path)
{
    return (status_path_state_t){
        .buffered = block_status_buffer_length(path->buffer),
        .queued_requests = request_queue_length(path->queue),
        .unanswered_requests = HASH_COUNT(path->unanswered),
        .sent_requests = path->sent_requests,
        .sent_statuses = path->sent_statuses,
        .statuses = block_status_buffer_counters(path->buffer),
    };
}
