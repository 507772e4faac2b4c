#include "dispatcher/core/status/status_batcher.h"

#include <stdlib.h>

#include "common/base/memory.h"

#define TAKE_MAX 256

typedef struct {
    block_status_t *statuses;
    uint32_t count, capacity;
} open_batch_t;

struct status_batcher {
    status_batcher_options_t options;
    open_batch_t open[PIPELINE_COUNT];
    mono_ns_t since;         /* first status of the batch; valid while one is open */
    mono_ns_t last_activity; /* newest offer taken or request handed over */
    uint64_t batches;
};

status_batcher_t *status_batcher_new(const status_batcher_options_t *options)
{
    status_batcher_t *batcher = memory_zalloc(sizeof *batcher);
    batcher->options = *options;
    return batcher;
}

void status_batcher_destroy(status_batcher_t **batcher)
{
    status_batcher_t *self = *batcher;
    if (!self)
        return;
    for (size_t mode = 0; mode < PIPELINE_COUNT; mode++) {
        for (uint32_t i = 0; i < self->open[mode].count; i++)
            block_status_clear(&self->open[mode].statuses[i]);
        free(self->open[mode].statuses);
    }
    free(self);
    *batcher = NULL;
}

static bool is_open(const status_batcher_t *batcher)
{
    return batcher->open[PIPELINE_DEFAULT].count > 0 || batcher->open[PIPELINE_REDO].count > 0;
}

/* Room until one mode reaches the cap: whatever is taken fits. */
static uint32_t room(const status_batcher_t *batcher)
{
    uint32_t most = 0;
    for (size_t mode = 0; mode < PIPELINE_COUNT; mode++)
        if (batcher->open[mode].count > most)
            most = batcher->open[mode].count;
    return STATUSES_PER_REQUEST_MAX - most;
}

static void put(open_batch_t *batch, const block_status_t *status)
{
    if (batch->count == batch->capacity) {
        batch->capacity = batch->capacity ? batch->capacity * 2 : 16;
        batch->statuses =
            memory_realloc(batch->statuses, batch->capacity * sizeof *batch->statuses);
    }
    batch->statuses[batch->count++] = *status;
}

sluice_error_t status_batcher_flush(status_batcher_t *batcher, request_queue_t *queue)
{
    for (size_t mode = 0; mode < PIPELINE_COUNT; mode++) {
        open_batch_t *batch = &batcher->open[mode];
        if (batch->count == 0)
            continue;
        if (request_queue_is_full(queue))
            return SLUICE_ERROR_FULL;
        status_request_t *request =
            status_request_new(batch->statuses, batch->count, ++batcher->batches);
        batch->count = 0;
        sluice_error_t error = request_queue_enqueue(queue, &request);
        if (error != SLUICE_OK)
            return error;
    }
    return SLUICE_OK;
}

/* Takes up to TAKE_MAX statuses; false when the buffer was empty. */
static bool take_some(status_batcher_t *batcher, block_status_buffer_t *buffer, mono_ns_t now)
{
    block_status_t taken[TAKE_MAX];
    uint32_t max = room(batcher);
    uint32_t count = block_status_buffer_take(buffer, taken, max < TAKE_MAX ? max : TAKE_MAX);
    if (count == 0)
        return false;
    if (!is_open(batcher))
        batcher->since = now;
    batcher->last_activity = now;
    for (uint32_t i = 0; i < count; i++)
        put(&batcher->open[taken[i].slot->mode], &taken[i]);
    return true;
}

static bool is_due(const status_batcher_t *batcher, const request_queue_t *queue, mono_ns_t now)
{
    return is_open(batcher) &&
           (room(batcher) == 0 ||
            mono_reached(mono_add(batcher->since, batcher->options.window_ns), now) ||
            (request_queue_length(queue) == 0 &&
             mono_reached(mono_add(batcher->last_activity, batcher->options.idle_ns), now)));
}

void status_batcher_step(status_batcher_t *batcher, block_status_buffer_t *buffer,
                         request_queue_t *queue, mono_ns_t now)
{
    bool goes_on = true;
    while (goes_on && !request_queue_is_full(queue)) {
        goes_on = room(batcher) > 0 && take_some(batcher, buffer, now);
        if (is_due(batcher, queue, now))
            goes_on = status_batcher_flush(batcher, queue) == SLUICE_OK;
    }
}

void status_batcher_note_sent(status_batcher_t *batcher, mono_ns_t now)
{
    batcher->last_activity = now;
}

mono_ns_t status_batcher_next_deadline(const status_batcher_t *batcher,
                                       const request_queue_t *queue)
{
    if (!is_open(batcher) || request_queue_is_full(queue))
        return MONO_NEVER;
    mono_ns_t window_end = mono_add(batcher->since, batcher->options.window_ns);
    if (request_queue_length(queue) > 0)
        return window_end;
    return mono_min(window_end, mono_add(batcher->last_activity, batcher->options.idle_ns));
}
