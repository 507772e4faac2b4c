#include "tests/sim/stores_internal.h"

open_request_t *find_request(stores_t *world, uint64_t number)
{
    for (uint32_t i = 0; i < world->request_count; i++)
        if (world->requests[i].number == number)
            return &world->requests[i];
    return NULL;
}

open_stream_t *find_stream(stores_t *world, uint64_t number)
{
    for (uint32_t i = 0; i < world->stream_count; i++)
        if (world->streams[i].number == number)
            return &world->streams[i];
    return NULL;
}

static void forget_request(stores_t *world, open_request_t *request)
{
    *request = world->requests[--world->request_count];
}

static void forget_stream(stores_t *world, open_stream_t *stream)
{
    *stream = world->streams[--world->stream_count];
}

static uint64_t carried_by(const stores_t *world, uint64_t stream)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < world->request_count; i++)
        count += world->requests[i].stream == stream && !world->requests[i].is_live;
    return count;
}

/* ---- what the puller says ---- */

static void check_cooldown(stores_t *world, uint32_t store)
{
    const sim_store_t *it = &world->stores[store];
    if (it->failures && world->now.v < it->until.v)
        stores_violated(world, "R7", "store %u is sent something %.3f ms before its cooldown ends",
                        store, (double)(it->until.v - world->now.v) / 1e6);
}

void note_open(stores_t *world, const log_puller_effect_t *effect)
{
    uint32_t open = 0;
    check_cooldown(world, effect->store);
    for (uint32_t i = 0; i < world->stream_count; i++) {
        open += world->streams[i].store == effect->store;
        if (world->streams[i].number == effect->stream)
            stores_violated(world, "R9", "stream %llu is opened twice",
                            (unsigned long long)effect->stream);
    }
    if (open >= world->options.streams_max * world->options.high_multiplier)
        stores_violated(world, "PUL-2", "store %u has %u streams already", effect->store, open);
    if (world->stream_count < OPEN_MAX)
        world->streams[world->stream_count++] =
            (open_stream_t){effect->stream, effect->store, effect->start.v, false};
}

static void check_request(stores_t *world, const log_puller_effect_t *effect, int from, int to)
{
    const subscriber_t *subscriber = &world->subscribers[effect->dispatcher_id.lo];
    const open_stream_t *stream = find_stream(world, effect->stream);
    check_cooldown(world, effect->store);
    if (!subscriber->is_subscribed)
        stores_violated(world, "R5", "a subscription that has ended requests");
    if (!stream || stream->store != effect->store)
        stores_violated(world, "R9", "a request on a stream that is not open there");
    else if (effect->start.v < stream->read)
        stores_violated(world, "PUL", "a request from %llu on a stream at %llu",
                        (unsigned long long)effect->start.v, (unsigned long long)stream->read);
    for (int i = from; i < to; i++) {
        if (world->now.v < subscriber->not_before[i].v)
            stores_violated(world, "R1", "key %d is requested %.3f ms too early", i,
                            (double)(subscriber->not_before[i].v - world->now.v) / 1e6);
        if (effect->start.v > subscriber->have[i])
            stores_violated(world, "have", "key %d is requested from %llu and has %llu", i,
                            (unsigned long long)effect->start.v,
                            (unsigned long long)subscriber->have[i]);
    }
    for (uint32_t i = 0; i < world->request_count; i++) {
        const open_request_t *other = &world->requests[i];
        if (other->subscriber == effect->dispatcher_id.lo && other->from < to && other->to > from)
            stores_violated(world, "R8", "two requests on [%d, %d)", from, to);
    }
}

void note_request(stores_t *world, const log_puller_effect_t *effect)
{
    int from = letter_of_start(effect->range.start), to = letter_of_end(effect->range.end);
    check_request(world, effect, from, to);
    world->outcome.requests++;
    if (world->request_count == OPEN_MAX) {
        stores_violated(world, "PUL", "more requests than there are keys");
        return;
    }
    world->requests[world->request_count++] = (open_request_t){effect->number,
                                                               effect->stream,
                                                               (uint32_t)effect->dispatcher_id.lo,
                                                               effect->store,
                                                               from,
                                                               to,
                                                               effect->region_id,
                                                               effect->region_epoch,
                                                               false};
}

void note_cancel(stores_t *world, const log_puller_effect_t *effect)
{
    open_request_t *request = find_request(world, effect->number);
    if (request)
        forget_request(world, request);
    else
        stores_violated(world, "R9", "request %llu is cancelled and is not open",
                        (unsigned long long)effect->number);
}

void note_close(stores_t *world, const log_puller_effect_t *effect)
{
    open_stream_t *stream = find_stream(world, effect->stream);
    if (!stream)
        stores_violated(world, "R9", "stream %llu is closed and is not open",
                        (unsigned long long)effect->stream);
    else
        forget_stream(world, stream);
}

void note_initialised(stores_t *world, const log_puller_effect_t *effect)
{
    subscriber_t *subscriber = &world->subscribers[effect->dispatcher_id.lo];
    if (!subscriber->is_subscribed || subscriber->has_fired)
        stores_violated(world, "G6", "subscription %llu is initialised again or not there",
                        (unsigned long long)effect->dispatcher_id.lo);
    for (int i = subscriber->from; i < subscriber->to; i++)
        if (!subscriber->is_initialised[i])
            stores_violated(world, "G6", "initialised without key %d", i);
    subscriber->has_fired = true;
    world->outcome.initialised++;
}

/* ---- what the puller is told ---- */

static failed_range_t *failed_range(subscriber_t *subscriber, int from, int to)
{
    for (uint32_t i = 0; i < subscriber->failed_count; i++)
        if (subscriber->failed[i].from == from && subscriber->failed[i].to == to)
            return &subscriber->failed[i];
    if (subscriber->failed_count == FAILED_MAX)
        return NULL;
    subscriber->failed[subscriber->failed_count] = (failed_range_t){.from = from, .to = to};
    return &subscriber->failed[subscriber->failed_count++];
}

static uint64_t shortest_delay(const stores_t *world, uint64_t failures)
{
    uint64_t delay = world->options.backoff.first_ns;
    for (uint64_t i = 1; i < failures && delay < world->options.backoff.max_ns; i++)
        delay *= 2;
    return (delay < world->options.backoff.max_ns ? delay : world->options.backoff.max_ns) / 2;
}

static uint64_t hint_of(const stores_t *world, const region_failure_t *failure)
{
    if (failure->kind != REGION_BUSY && failure->kind != REGION_CONGESTED)
        return 0;
    uint64_t max = world->options.backoff.busy_hint_max_ns;
    return failure->hint_ms > max / NS_PER_MS ? max : failure->hint_ms * NS_PER_MS;
}

static void count_failure(stores_t *world, const open_request_t *request,
                          const region_failure_t *failure)
{
    subscriber_t *subscriber = &world->subscribers[request->subscriber];
    failed_range_t *range = failed_range(subscriber, request->from, request->to);
    world->outcome.failures++;
    if (!range || failure->kind == REGION_FATAL)
        return;
    if (mono_elapsed(range->last, world->now) > world->options.backoff.forget_ns)
        range->count = 0;
    range->last = world->now;
    uint64_t delay = shortest_delay(world, ++range->count), hint = hint_of(world, failure);
    mono_ns_t at = mono_add(world->now, delay > hint ? delay : hint);
    for (int i = request->from; i < request->to; i++)
        subscriber->not_before[i] = at;
}

static void count_store_failure(stores_t *world, uint32_t number)
{
    sim_store_t *store = &world->stores[number];
    const store_cooldown_settings_t *settings = &world->options.cooldown;
    if (store->failures && world->now.v < store->until.v)
        return;
    if (store->failures && world->now.v - store->until.v > store->length_ns)
        store->failures = 0;
    store->length_ns = store->failures ? store->length_ns * 2 : settings->first_ns;
    if (store->length_ns > settings->max_ns)
        store->length_ns = settings->max_ns;
    store->failures++;
    store->until = mono_add(world->now, store->length_ns);
}

void note_region_failed(stores_t *world, uint64_t number, const region_failure_t *failure)
{
    open_request_t *request = find_request(world, number);
    if (!request)
        return;
    count_failure(world, request, failure);
    if (region_failure_action(failure, world->options.store_count) == REGION_STORE_FAILURE)
        count_store_failure(world, request->store);
    world->has_failed_feed |= failure->kind == REGION_FATAL;
    forget_request(world, request);
}

void note_stream_failed(stores_t *world, uint64_t number)
{
    static const region_failure_t failure = {.kind = REGION_STREAM_FAILED};
    open_stream_t *stream = find_stream(world, number);
    if (carried_by(world, number))
        count_store_failure(world, stream->store);
    for (uint32_t i = 0; i < world->request_count;) {
        open_request_t *request = &world->requests[i];
        if (request->stream != number || request->is_live) {
            i++;
            continue;
        }
        count_failure(world, request, &failure);
        forget_request(world, request);
    }
    forget_stream(world, stream);
}

void note_region_initialised(stores_t *world, uint64_t number)
{
    open_request_t *request = find_request(world, number);
    subscriber_t *subscriber = &world->subscribers[request->subscriber];
    failed_range_t *range = failed_range(subscriber, request->from, request->to);
    if (range)
        *range = subscriber->failed[--subscriber->failed_count];
    for (int i = request->from; i < request->to; i++)
        subscriber->is_initialised[i] = true;
    request->is_live = true;
}

void note_read(stores_t *world, open_stream_t *stream, uint64_t read)
{
    stream->read = read;
    for (uint32_t i = 0; i < world->request_count; i++) {
        const open_request_t *request = &world->requests[i];
        if (request->stream != stream->number || request->is_live)
            continue;
        uint64_t *have = world->subscribers[request->subscriber].have;
        for (int key = request->from; key < request->to; key++)
            have[key] = have[key] > read ? have[key] : read;
    }
}

void note_subscribed(stores_t *world, uint32_t number, int from, int to, uint64_t start)
{
    subscriber_t *subscriber = &world->subscribers[number];
    *subscriber = (subscriber_t){.is_subscribed = true, .from = from, .to = to};
    for (int i = from; i < to; i++)
        subscriber->have[i] = start;
}

/* ---- where everything is ---- */

typedef struct {
    stores_t *world;
    uint32_t subscriber;
    int places[LETTERS], requested[LETTERS];
} coverage_t;

static void cover(void *context, key_range_t range, range_place_t place)
{
    coverage_t *coverage = context;
    int from = letter_of_start(range.start), to = letter_of_end(range.end);
    for (int i = from; i < to; i++) {
        coverage->places[i]++;
        coverage->requested[i] += place == RANGE_REQUESTED || place == RANGE_INITIALISED;
    }
}

static void check_subscriber(stores_t *world, uint32_t number)
{
    const subscriber_t *subscriber = &world->subscribers[number];
    coverage_t coverage = {.world = world, .subscriber = number};
    bool is_there =
        log_puller_visit_ranges(world->puller, (dispatcher_id_t){1, number}, cover, &coverage);
    if (is_there != subscriber->is_subscribed)
        stores_violated(world, "R5", "subscription %u is%s there", number, is_there ? "" : " not");
    for (uint32_t i = 0; i < world->request_count; i++)
        for (int key = world->requests[i].from;
             world->requests[i].subscriber == number && key < world->requests[i].to; key++)
            coverage.requested[key] += 2;
    for (int i = 0; i < LETTERS; i++) {
        bool is_wanted = subscriber->is_subscribed && i >= subscriber->from && i < subscriber->to;
        if (coverage.places[i] != is_wanted)
            stores_violated(world, "G5", "key %d of subscription %u is in %d places", i, number,
                            coverage.places[i]);
        if (coverage.requested[i] != 0 && coverage.requested[i] != 3)
            stores_violated(world, "G5", "key %d of subscription %u is requested on one side only",
                            i, number);
    }
}

void check_places(stores_t *world)
{
    for (uint32_t i = 0; i < SUBSCRIBERS; i++)
        check_subscriber(world, i);
}

void check_end(stores_t *world)
{
    for (uint32_t i = 0; i < SUBSCRIBERS; i++)
        if (world->subscribers[i].is_subscribed && !world->subscribers[i].has_fired)
            stores_violated(world, "live", "subscription %u is not initialised", i);
    for (uint32_t i = 0; i < SUBSCRIBERS; i++) {
        log_puller_unsubscribe(world->puller, (dispatcher_id_t){1, i});
        world->subscribers[i].is_subscribed = false;
    }
    stores_turn(world);
    log_puller_state_t state = log_puller_state(world->puller);
    if (state.ranges || state.subscriptions || state.failing || world->request_count ||
        world->stream_count)
        stores_violated(world, "R9", "%u ranges, %u requests, %u streams are left", state.ranges,
                        world->request_count, world->stream_count);
}
