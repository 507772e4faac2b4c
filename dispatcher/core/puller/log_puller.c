#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/puller/log_puller_internal.h"

#define PAGE_RETRY_NS (100 * NS_PER_MS)

log_puller_options_t log_puller_options_default(uint32_t store_count)
{
    return (log_puller_options_t){.store_count = store_count,
                                  .backoff = RANGE_BACKOFF_DEFAULT,
                                  .cooldown = STORE_COOLDOWN_DEFAULT,
                                  .reload = RANGE_RELOAD_DEFAULT,
                                  .page_retry_ns = PAGE_RETRY_NS,
                                  .streams_max = 1,
                                  .high_multiplier = 2};
}

log_puller_t *log_puller_new(const log_puller_options_t *options)
{
    assert(options->store_count > 0 && options->store_count <= LOG_PULLER_STORES_MAX);
    log_puller_t *puller = memory_zalloc(sizeof *puller);
    puller->options = *options;
    puller->random = options->seed;
    range_backoff_init(&puller->backoff, &options->backoff);
    for (uint32_t i = 0; i < options->store_count; i++)
        store_window_init(&puller->stores[i].window, options->streams_max,
                          options->high_multiplier);
    return puller;
}

static map_key_t key_of(dispatcher_id_t id)
{
    return (map_key_t){id.hi, id.lo};
}

subscription_t *subscription_find(const log_puller_t *puller, dispatcher_id_t dispatcher_id)
{
    return key_map_get(&puller->by_dispatcher, key_of(dispatcher_id));
}

range_t *range_find(const log_puller_t *puller, uint64_t number)
{
    return key_map_get(&puller->by_number, (map_key_t){0, number});
}

/* ---- subscriptions ---- */

static void subscription_end(log_puller_t *puller, subscription_t *subscription)
{
    while (subscription->ranges)
        range_remove(puller, subscription->ranges);
    puller->state.ranges -= subscription->reload.count;
    retry_scheduler_remove(&puller->retries, &subscription->reload_due);
    range_reload_clear(&subscription->reload);
    range_backoff_forget_owner(&puller->backoff, &subscription->backoff);
    initialised_ranges_clear(&subscription->initialised);
    key_range_clear(&subscription->span);
    key_map_take(&puller->by_dispatcher, key_of(subscription->dispatcher_id));
    subscription_t *last = puller->all[--puller->count];
    puller->all[subscription->index] = last;
    last->index = subscription->index;
    free(subscription);
}

void log_puller_unsubscribe(log_puller_t *puller, dispatcher_id_t dispatcher_id)
{
    subscription_t *subscription = subscription_find(puller, dispatcher_id);
    if (subscription)
        subscription_end(puller, subscription);
}

static void add_to_all(log_puller_t *puller, subscription_t *subscription)
{
    if (puller->count == puller->capacity) {
        puller->capacity = puller->capacity ? puller->capacity * 2 : 16;
        puller->all = memory_realloc(puller->all, puller->capacity * sizeof(subscription_t *));
    }
    subscription->index = puller->count;
    puller->all[puller->count++] = subscription;
    key_map_put(&puller->by_dispatcher, key_of(subscription->dispatcher_id), subscription);
}

bool log_puller_subscribe(log_puller_t *puller, dispatcher_id_t dispatcher_id, span_t span,
                          commit_ts_t start, pull_priority_t priority)
{
    log_puller_unsubscribe(puller, dispatcher_id);
    if (puller->count >= LOG_PULLER_SUBSCRIPTIONS_MAX ||
        puller->state.ranges >= LOG_PULLER_RANGES_MAX)
        return false;
    subscription_t *subscription = memory_zalloc(sizeof *subscription);
    subscription->dispatcher_id = dispatcher_id;
    subscription->table_id = span.table_id;
    subscription->span = key_range_copy((key_range_t){span.start_key, span.end_key});
    subscription->backoff.number = ++puller->numbers;
    add_to_all(puller, subscription);
    range_locate(puller, range_add(puller, subscription, subscription->span, start, priority));
    return true;
}

void log_puller_destroy(log_puller_t **puller)
{
    log_puller_t *self = *puller;
    *puller = NULL;
    if (!self)
        return;
    while (self->count)
        subscription_end(self, self->all[self->count - 1]);
    for (uint32_t i = 0; i < self->options.store_count; i++)
        store_window_clear(&self->stores[i].window);
    range_backoff_clear(&self->backoff);
    retry_scheduler_clear(&self->retries);
    key_map_clear(&self->by_dispatcher);
    key_map_clear(&self->by_number);
    free(self->effects.items);
    free(self->all);
    free(self);
}

/* ---- what is due ---- */

static void region_is_due(log_puller_t *puller, range_t *range, mono_ns_t now)
{
    /* Somebody else may serve it meanwhile; if not, it waits at the store. */
    if (mono_reached(log_puller_store_allowed_at(puller, range->store), now))
        range_queue(puller, range);
    else
        range_reload(puller, range, now);
}

static void run_due(log_puller_t *puller, retry_item_t *item, mono_ns_t now)
{
    switch ((due_kind_t)item->kind) {
    case DUE_PAGE:
        range_locate(puller, range_of_retry(item));
        return;
    case DUE_REGION:
        region_is_due(puller, range_of_retry(item), now);
        return;
    case DUE_RANGE:
        range_reload(puller, range_of_retry(item), now);
        return;
    case DUE_RELOAD:
        reload_give_out(puller, subscription_of_retry(item));
        return;
    case DUE_STORE: /* looked at with every step */
        return;
    }
}

mono_ns_t log_puller_store_allowed_at(const log_puller_t *puller, uint32_t store)
{
    const store_cooldown_t *cooldown = &puller->stores[store].cooldown;
    return cooldown->failures > 0 ? cooldown->until : (mono_ns_t){0};
}

static void send(log_puller_t *puller, uint32_t store, mono_ns_t now)
{
    store_t *self = &puller->stores[store];
    mono_ns_t allowed_at = log_puller_store_allowed_at(puller, store);
    if (!mono_reached(allowed_at, now)) {
        self->cooled.kind = DUE_STORE;
        if (self->cooled.place == 0 || self->cooled.due.v != allowed_at.v)
            retry_scheduler_put(&puller->retries, &self->cooled, allowed_at, PULL_HIGH);
        return;
    }
    bool is_new;
    window_request_t *request;
    while ((request = store_window_pop(&self->window, puller->numbers + 1, &is_new))) {
        if (is_new) {
            puller->numbers++;
            log_puller_effect_t *open = effect_put(puller, LOG_PULLER_OPEN);
            open->store = store;
            open->stream = request->stream->number;
            open->start = request->stream->from;
        }
        range_requested(puller, range_of_request(request));
    }
}

void log_puller_step(log_puller_t *puller, mono_ns_t now)
{
    retry_item_t *item;
    while ((item = retry_scheduler_take(&puller->retries, now)))
        run_due(puller, item, now);
    for (uint32_t i = 0; i < puller->options.store_count; i++)
        send(puller, i, now);
}

mono_ns_t log_puller_next_deadline(const log_puller_t *puller)
{
    return retry_scheduler_next_deadline(&puller->retries);
}

/* ---- effects ---- */

log_puller_effect_t *effect_put(log_puller_t *puller, log_puller_effect_kind_t kind)
{
    effect_queue_t *queue = &puller->effects;
    if (queue->count == queue->capacity && queue->first > queue->count / 2) {
        queue->count -= queue->first;
        memmove(queue->items, queue->items + queue->first, queue->count * sizeof *queue->items);
        queue->first = 0;
    }
    if (queue->count == queue->capacity) {
        queue->capacity = queue->capacity ? queue->capacity * 2 : 64;
        queue->items = memory_realloc(queue->items, queue->capacity * sizeof(log_puller_effect_t));
    }
    log_puller_effect_t *effect = &queue->items[queue->count++];
    *effect = (log_puller_effect_t){.kind = kind};
    return effect;
}

/* What is said of a range is said as it is when it is said; false: it is over. */
static bool fill_in(const log_puller_t *puller, log_puller_effect_t *effect)
{
    if (effect->kind == LOG_PULLER_INITIALISED) {
        const subscription_t *subscription = subscription_find(puller, effect->dispatcher_id);
        return subscription && subscription->backoff.number == effect->number;
    }
    if (effect->kind != LOG_PULLER_LOCATE && effect->kind != LOG_PULLER_REQUEST)
        return true;
    const range_t *range = range_find(puller, effect->number);
    if (!range)
        return false;
    effect->dispatcher_id = range->subscription->dispatcher_id;
    effect->table_id = range->subscription->table_id;
    effect->range = range->keys;
    effect->start = range->start;
    effect->store = range->store;
    effect->region_id = range->region_id;
    effect->region_epoch = range->region_epoch;
    return true;
}

bool log_puller_take(log_puller_t *puller, log_puller_effect_t *effect)
{
    effect_queue_t *queue = &puller->effects;
    while (queue->first < queue->count) {
        *effect = queue->items[queue->first++];
        if (queue->first == queue->count)
            queue->first = queue->count = 0;
        if (fill_in(puller, effect))
            return true;
    }
    return false;
}

/* ---- for looking at ---- */

bool log_puller_visit_ranges(const log_puller_t *puller, dispatcher_id_t dispatcher_id,
                             void (*visit)(void *context, key_range_t range, range_place_t place),
                             void *context)
{
    const subscription_t *subscription = subscription_find(puller, dispatcher_id);
    if (!subscription)
        return false;
    for (const range_t *range = subscription->ranges; range; range = range->after)
        visit(context, range->keys, range->place);
    for (uint32_t i = 0; i < subscription->reload.count; i++)
        visit(context, subscription->reload.ranges[i].range, RANGE_RELOADING);
    return true;
}

log_puller_state_t log_puller_state(const log_puller_t *puller)
{
    log_puller_state_t state = puller->state;
    state.subscriptions = puller->count;
    return state;
}
