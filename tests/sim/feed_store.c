#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "tests/sim/feed_internal.h"

#define FAILED 20 /* of a thousand requests */
#define SLOW_MAX_NS (2 * NS_PER_S)
#define HANGING 2 /* of a thousand, for longer than anybody waits */
#define HANGING_MAX_NS (60 * NS_PER_S)

static void arm(sim_feed_t *feed)
{
    sim_store_t *store = &feed->store;
    uint64_t delay = sim_random_below(&feed->random, store->delay_ns);
    if (sim_random_rarely(&feed->random, FAILED))
        delay = sim_random_below(&feed->random, SLOW_MAX_NS);
    if (sim_has_faults(feed->world) && sim_random_rarely(&feed->random, HANGING))
        delay = sim_random_below(&feed->random, HANGING_MAX_NS);
    sim_timer_arm(&store->timer, delay);
}

static void act(void *context)
{
    sim_feed_t *feed = context;
    sim_store_t *store = &feed->store;
    store->memory.fails = sim_has_faults(feed->world) && sim_random_rarely(&feed->random, FAILED);
    store_answer_t answer;
    memory_store_execute(&store->memory, &store->requests[store->first], &answer);
    store->first++;
    store->count--;
    event_service_store_done(feed->service, &answer, sim_process_now(feed->process));
    if (store->count)
        arm(feed);
    feed_ring(feed);
}

void feed_store_steer(sim_feed_t *feed)
{
    sim_store_t *store = &feed->store;
    store_request_t request;
    while (event_service_store_next(feed->service, &request, sim_process_now(feed->process))) {
        if (store->first + store->count == store->capacity) {
            store_request_t *moved =
                memory_alloc((store->count * 2 + 16) * sizeof *store->requests);
            if (store->count)
                memcpy(moved, store->requests + store->first, store->count * sizeof *moved);
            free(store->requests);
            store->requests = moved;
            store->first = 0;
            store->capacity = store->count * 2 + 16;
        }
        store->requests[store->first + store->count++] = request;
        if (store->count == 1)
            arm(feed);
    }
}

/* Now and then so small that it is full, and in some feeds there is none. */
void feed_store_open(sim_feed_t *feed, event_service_options_t *how)
{
    static const uint64_t sizes[] = {UINT64_C(1) << 30, 256 << 10, 32 << 10, 4 << 10, 0};
    static const uint64_t delays[] = {NS_PER_US, 10 * NS_PER_MS, 300 * NS_PER_MS};
    feed->store.memory.as_bytes = true;
    feed->store.memory.bytes_max = sizes[sim_random_below(&feed->random, 5)];
    feed->store.delay_ns = delays[sim_random_below(&feed->random, 3)];
    how->store_bytes_max = feed->store.memory.bytes_max;
    sim_timer_init(&feed->store.timer, feed->world, feed->process, act, feed);
}

void feed_store_close(sim_feed_t *feed)
{
    sim_store_t *store = &feed->store;
    sim_timer_stop(&store->timer);
    for (uint32_t i = 0; i < store->count; i++)
        store_request_clear(&store->requests[store->first + i]);
    free(store->requests);
    memory_store_clear(&store->memory);
}
