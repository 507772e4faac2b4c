#include "dispatcher/core/puller/log_puller_internal.h"

/* ---- where regions are ---- */

static bool is_store(const log_puller_t *puller, uint32_t store)
{
    return store < puller->options.store_count;
}

/* From the left edge of what was asked for on, without a hole; what lies behind it is not looked
 * at. *count becomes how many are of use. */
static bool is_whole(const log_puller_t *puller, key_range_t wanted,
                     const region_location_t *regions, uint32_t *count)
{
    if (*count == 0 || *count > LOG_PULLER_PAGE_MAX ||
        puller->state.ranges + *count > LOG_PULLER_RANGES_MAX)
        return false;
    if (bytes_compare(regions[0].range.start, wanted.start) > 0)
        return false;
    for (uint32_t i = 0; i < *count; i++) {
        key_range_t range = regions[i].range;
        if (!is_store(puller, regions[i].store) ||
            key_range_is_empty(key_range_clip(range, wanted)) ||
            (i > 0 && !bytes_equal(range.start, regions[i - 1].range.end)))
            return false;
        if (key_end_compare(range.end, wanted.end) >= 0) {
            *count = i + 1;
            return true;
        }
    }
    return true;
}

static void set_start_key(range_t *range, bytes_t start)
{
    key_range_t keys = key_range_copy((key_range_t){start, range->keys.end});
    key_range_clear(&range->keys);
    range->keys = keys;
}

static void put_at_store(log_puller_t *puller, range_t *range, const region_location_t *region)
{
    range->store = region->store;
    range->region_id = region->region_id;
    range->region_epoch = region->region_epoch;
    range_queue(puller, range);
}

void log_puller_located(log_puller_t *puller, uint64_t number, const region_location_t *regions,
                        uint32_t count, mono_ns_t now)
{
    range_t *range = range_find(puller, number);
    if (!range || range->place != RANGE_LOCATING)
        return;
    if (!is_whole(puller, range->keys, regions, &count)) {
        range_retry(puller, range, DUE_PAGE, mono_add(now, puller->options.page_retry_ns));
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        key_range_t keys = key_range_clip(regions[i].range, range->keys);
        if (key_end_compare(regions[i].range.end, range->keys.end) >= 0) {
            put_at_store(puller, range, &regions[i]);
            return;
        }
        range_t *part = range_add(puller, range->subscription, keys, range->start, range->priority);
        put_at_store(puller, part, &regions[i]);
        set_start_key(range, regions[i].range.end);
    }
    range_locate(puller, range);
}

/* ---- how requests fare ---- */

void log_puller_region_initialised(log_puller_t *puller, uint64_t request, mono_ns_t now)
{
    range_t *range = range_find(puller, request);
    (void)now;
    if (!range || range->place != RANGE_REQUESTED)
        return;
    subscription_t *subscription = range->subscription;
    store_cooldown_succeed(&puller->stores[range->store].cooldown);
    range_backoff_succeed(&puller->backoff, &subscription->backoff, range->keys);
    range_initialised(puller, range);
    if (!initialised_ranges_add(&subscription->initialised, subscription->span, range->keys))
        return;
    log_puller_effect_t *effect = effect_put(puller, LOG_PULLER_INITIALISED);
    effect->dispatcher_id = subscription->dispatcher_id;
    effect->number = subscription->backoff.number;
}

void log_puller_region_failed(log_puller_t *puller, uint64_t request,
                              const region_failure_t *failure, mono_ns_t now)
{
    range_t *range = range_find(puller, request);
    if (range && range->place != RANGE_LOCATING)
        range_failed(puller, range, failure, now);
}

void log_puller_stream_at(log_puller_t *puller, uint32_t store, uint64_t stream, commit_ts_t read)
{
    if (!is_store(puller, store))
        return;
    store_t *self = &puller->stores[store];
    window_stream_t *found = store_window_find(&self->window, stream);
    if (!found)
        return;
    if (store_window_progress(&self->window, found, read) == 0)
        return;
    log_puller_effect_t *effect = effect_put(puller, LOG_PULLER_CLOSE);
    effect->store = store;
    effect->stream = stream;
}

void log_puller_store_serves(log_puller_t *puller, uint32_t store)
{
    if (is_store(puller, store))
        store_cooldown_succeed(&puller->stores[store].cooldown);
}

void log_puller_stream_failed(log_puller_t *puller, uint32_t store, uint64_t stream,
                              const region_failure_t *failure, mono_ns_t now)
{
    window_stream_t *found;
    if (!is_store(puller, store))
        return;
    puller->closed_stream = stream;
    while ((found = store_window_find(&puller->stores[store].window, stream)))
        range_failed(puller, range_of_request(window_stream_first(found)), failure, now);
    puller->closed_stream = 0;
}
