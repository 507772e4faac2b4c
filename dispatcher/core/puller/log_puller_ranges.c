#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/puller/log_puller_internal.h"

/* ---- places ---- */

#define BIT(place) (1u << (place))

/* Where a range may go from each place. RELOADING is no place of a range here. */
static const struct {
    unsigned next;
} edges[] = {
    [RANGE_LOCATING] = {BIT(RANGE_RETRYING) | BIT(RANGE_QUEUED) | BIT(RANGE_LOCATING)},
    [RANGE_RETRYING] = {BIT(RANGE_LOCATING) | BIT(RANGE_QUEUED)},
    [RANGE_RELOADING] = {0},
    [RANGE_QUEUED] = {BIT(RANGE_REQUESTED) | BIT(RANGE_RETRYING)},
    [RANGE_REQUESTED] = {BIT(RANGE_INITIALISED) | BIT(RANGE_RETRYING)},
    [RANGE_INITIALISED] = {BIT(RANGE_RETRYING)},
};

static void forget_number(log_puller_t *puller, range_t *range)
{
    if (range->number)
        key_map_take(&puller->by_number, (map_key_t){0, range->number});
    range->number = 0;
}

static void leave_store(log_puller_t *puller, range_t *range)
{
    uint64_t stream = store_window_leave(&puller->stores[range->store].window, &range->request);
    if (stream == 0 || stream == puller->closed_stream)
        return;
    log_puller_effect_t *effect = effect_put(puller, LOG_PULLER_CLOSE);
    effect->store = range->store;
    effect->stream = stream;
}

/* Gives back what the place it is in holds of it. */
static void leave(log_puller_t *puller, range_t *range)
{
    if (!range->is_placed)
        return;
    switch (range->place) {
    case RANGE_LOCATING:
        forget_number(puller, range);
        return;
    case RANGE_RETRYING:
        puller->state.failing--;
        retry_scheduler_remove(&puller->retries, &range->retry);
        return;
    case RANGE_QUEUED:
    case RANGE_REQUESTED:
        forget_number(puller, range);
        leave_store(puller, range);
        return;
    case RANGE_INITIALISED:
        forget_number(puller, range);
        return;
    case RANGE_RELOADING:
        return;
    }
}

static void set_place(range_t *range, range_place_t place)
{
    assert(!range->is_placed || (edges[range->place].next & BIT(place)));
    range->place = place;
    range->is_placed = true;
}

static void give_number(log_puller_t *puller, range_t *range)
{
    range->number = ++puller->numbers;
    key_map_put(&puller->by_number, (map_key_t){0, range->number}, range);
}

/* ---- life ---- */

range_t *range_add(log_puller_t *puller, subscription_t *subscription, key_range_t keys,
                   commit_ts_t start, pull_priority_t priority)
{
    range_t *range = memory_zalloc(sizeof *range);
    range->subscription = subscription;
    range->keys = key_range_copy(keys);
    range->start = start;
    range->priority = priority;
    range->after = subscription->ranges;
    if (range->after)
        range->after->before = range;
    subscription->ranges = range;
    puller->state.ranges++;
    return range;
}

static void cancel(log_puller_t *puller, const range_t *range)
{
    log_puller_effect_t *effect = effect_put(puller, LOG_PULLER_CANCEL);
    effect->dispatcher_id = range->subscription->dispatcher_id;
    effect->number = range->number;
    effect->store = range->store;
    effect->stream = range->request.stream ? range->request.stream->number : 0;
}

void range_remove(log_puller_t *puller, range_t *range)
{
    bool is_requested = range->place == RANGE_REQUESTED || range->place == RANGE_INITIALISED;
    if (range->is_placed && is_requested)
        cancel(puller, range);
    leave(puller, range);
    *(range->before ? &range->before->after : &range->subscription->ranges) = range->after;
    if (range->after)
        range->after->before = range->before;
    key_range_clear(&range->keys);
    free(range);
    puller->state.ranges--;
}

/* ---- from place to place ---- */

void range_locate(log_puller_t *puller, range_t *range)
{
    leave(puller, range);
    set_place(range, RANGE_LOCATING);
    give_number(puller, range);
    effect_put(puller, LOG_PULLER_LOCATE)->number = range->number;
    puller->state.locates++;
}

void range_retry(log_puller_t *puller, range_t *range, due_kind_t then, mono_ns_t due)
{
    leave(puller, range);
    set_place(range, RANGE_RETRYING);
    puller->state.failing++;
    range->retry.kind = then;
    retry_scheduler_put(&puller->retries, &range->retry, due, range->priority);
}

void range_reload(log_puller_t *puller, range_t *range, mono_ns_t now)
{
    subscription_t *subscription = range->subscription;
    range_reload_t *reload = &subscription->reload;
    reload_range_t wanted = {range->keys, range->start, range->priority};
    range_reload_add(reload, &puller->options.reload, &wanted, now);
    range_remove(puller, range);
    puller->state.ranges++;
    if (mono_reached(reload->due, now)) {
        reload_give_out(puller, subscription);
    } else if (reload->count == 1) {
        subscription->reload_due.kind = DUE_RELOAD;
        retry_scheduler_put(&puller->retries, &subscription->reload_due, reload->due, PULL_HIGH);
    }
}

void reload_give_out(log_puller_t *puller, subscription_t *subscription)
{
    retry_scheduler_remove(&puller->retries, &subscription->reload_due);
    puller->state.ranges -= subscription->reload.count;
    uint32_t count;
    reload_range_t *ranges = range_reload_take(&subscription->reload, &count);
    for (uint32_t i = 0; i < count; i++) {
        puller->state.reloads++;
        range_locate(puller, range_add(puller, subscription, ranges[i].range, ranges[i].start,
                                       ranges[i].priority));
    }
    range_reload_free(ranges, count);
}

void range_queue(log_puller_t *puller, range_t *range)
{
    leave(puller, range);
    set_place(range, RANGE_QUEUED);
    range->request.start = range->start;
    range->request.priority = range->priority;
    store_window_submit(&puller->stores[range->store].window, &range->request);
}

void range_requested(log_puller_t *puller, range_t *range)
{
    set_place(range, RANGE_REQUESTED);
    give_number(puller, range);
    log_puller_effect_t *effect = effect_put(puller, LOG_PULLER_REQUEST);
    effect->number = range->number;
    effect->stream = range->request.stream->number;
    puller->state.requests++;
}

/* It keeps its number, since the live log may still lose it. */
void range_initialised(log_puller_t *puller, range_t *range)
{
    leave_store(puller, range);
    set_place(range, RANGE_INITIALISED);
}

/* ---- failures ---- */

static uint64_t next_random(log_puller_t *puller)
{
    puller->random = puller->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return puller->random >> 16;
}

/* Whoever was carried so far need not be brought it again. */
static void keep_progress(range_t *range)
{
    const window_request_t *request = &range->request;
    if (range->place == RANGE_REQUESTED && request->stream &&
        request->stream->read.v > range->start.v)
        range->start = request->stream->read;
}

static void count_failure(log_puller_t *puller, range_t *range, due_kind_t then, uint64_t hint_ms,
                          mono_ns_t now)
{
    puller->state.failures++;
    keep_progress(range);
    uint64_t delay = range_backoff_fail(&puller->backoff, &range->subscription->backoff,
                                        range->keys, hint_ms, now, next_random(puller));
    range_retry(puller, range, then, mono_add(now, delay));
}

/* Failures told while it cools down are of the same outage. What waits at it may be served
 * elsewhere. */
void store_failed(log_puller_t *puller, uint32_t store, mono_ns_t now)
{
    store_t *self = &puller->stores[store];
    if (store_cooldown_remaining(&self->cooldown, now) == 0)
        store_cooldown_fail(&self->cooldown, &puller->options.cooldown, now);
    window_request_t *request;
    while ((request = store_window_first_waiting(&self->window)))
        count_failure(puller, range_of_request(request), DUE_REGION, 0, now);
}

static void fail_changefeed(log_puller_t *puller, range_t *range, sluice_error_t error)
{
    range_retry(puller, range, DUE_RANGE, MONO_NEVER);
    if (puller->has_failed)
        return;
    puller->has_failed = true;
    effect_put(puller, LOG_PULLER_FAILED)->error = error;
}

void range_failed(log_puller_t *puller, range_t *range, const region_failure_t *failure,
                  mono_ns_t now)
{
    uint32_t store = range->store;
    bool has_hint = failure->kind == REGION_BUSY || failure->kind == REGION_CONGESTED;
    uint64_t hint_ms = has_hint ? failure->hint_ms : 0;
    if (failure->kind == REGION_UNCLASSIFIED)
        puller->state.unclassified++;
    switch (region_failure_action(failure, puller->options.store_count)) {
    case REGION_RETRY:
        count_failure(puller, range, DUE_REGION, hint_ms, now);
        if (failure->kind == REGION_NOT_LEADER)
            range->store = failure->leader;
        return;
    case REGION_RELOAD:
        count_failure(puller, range, DUE_RANGE, 0, now);
        return;
    case REGION_STORE_FAILURE:
        count_failure(puller, range, DUE_REGION, 0, now);
        store_failed(puller, store, now);
        return;
    case REGION_FORGET:
        log_puller_unsubscribe(puller, range->subscription->dispatcher_id);
        return;
    case REGION_FAIL_CHANGEFEED:
        fail_changefeed(puller, range, failure->error);
        return;
    }
}
