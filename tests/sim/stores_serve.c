#include "tests/sim/stores_internal.h"

#define MS NS_PER_MS

/* ---- the region map ---- */

static void answer(void *context, uint64_t argument)
{
    errand_t *errand = context;
    stores_t *world = errand->world;
    (void)argument;
    if (!errand->is_known)
        errand->count = regions_page(world, errand->from, errand->to, errand->regions);
    uint32_t skip = errand->count > 1 && stores_chance(world, 5) ? 1 : 0;
    uint32_t count = stores_chance(world, 8) ? 0 : errand->count - skip;
    if (count && stores_chance(world, 2))
        errand->regions[skip].store = world->options.store_count + 3;
    log_puller_located(world->puller, errand->number, errand->regions + skip, count, world->now);
}

void serve_locate(stores_t *world, const log_puller_effect_t *effect)
{
    errand_t errand = {.world = world,
                       .number = effect->number,
                       .from = letter_of_start(effect->range.start),
                       .to = letter_of_end(effect->range.end)};
    if (stores_chance(world, 25)) { /* out of date when it comes */
        errand.is_known = true;
        errand.count = regions_page(world, errand.from, errand.to, errand.regions);
    }
    uint64_t longest = stores_chance(world, 5) ? 2000 : 20;
    stores_after(world, sim_random_below(&world->random, longest * MS), answer, &errand);
    if (stores_chance(world, 10))
        stores_after(world, sim_random_below(&world->random, longest * MS), answer, &errand);
}

/* ---- streams ---- */

static void fail_stream(stores_t *world, const open_stream_t *stream)
{
    uint64_t number = stream->number;
    uint32_t store = stream->store;
    region_failure_t failure = {.kind = REGION_STREAM_FAILED};
    stores_say(world, "stream %llu of store %u fails", (unsigned long long)number, store);
    note_stream_failed(world, number);
    log_puller_stream_failed(world->puller, store, number, &failure, world->now);
}

/* How far the log goes by now. */
static uint64_t head(const stores_t *world)
{
    return 1000 + world->now.v / (10 * MS);
}

static void read_on(stores_t *world, open_stream_t *stream)
{
    uint64_t read = stream->read + sim_random_below(&world->random, 400);
    /* It could only be opened further back. */
    if (!stream->has_delivered && stream->read > 10 && sim_random_chance(&world->random, 30))
        read = stream->read - sim_random_below(&world->random, 10);
    if (read > head(world))
        read = head(world);
    if (!stream->has_delivered) {
        stream->has_delivered = true;
        world->stores[stream->store].failures = 0;
        log_puller_store_serves(world->puller, stream->store);
    }
    note_read(world, stream, read);
    log_puller_stream_at(world->puller, stream->store, stream->number, (commit_ts_t){read});
}

static void tick(void *context, uint64_t argument)
{
    errand_t *errand = context;
    stores_t *world = errand->world;
    open_stream_t *stream = find_stream(world, errand->number);
    (void)argument;
    if (!stream)
        return;
    if (world->stores[stream->store].is_down ? sim_random_chance(&world->random, 60)
                                             : stores_chance(world, 4)) {
        fail_stream(world, stream);
        return;
    }
    /* Sometimes nothing moves for a while. */
    if (!world->stores[stream->store].is_down && !stores_chance(world, 10))
        read_on(world, stream);
    stores_after(world, MS + sim_random_below(&world->random, 20 * MS), tick, errand);
}

void serve_open(stores_t *world, const log_puller_effect_t *effect)
{
    errand_t errand = {.world = world, .number = effect->stream};
    stores_after(world, MS + sim_random_below(&world->random, 30 * MS), tick, &errand);
}

/* ---- requests ---- */

static region_failure_t draw_failure(stores_t *world)
{
    static const region_failure_kind_t kinds[] = {
        REGION_NOT_LEADER,  REGION_NOT_LEADER, REGION_EPOCH_NOT_MATCH,
        REGION_NOT_FOUND,   REGION_NO_ROUTE,   REGION_BUSY,
        REGION_BUSY,        REGION_CONGESTED,  REGION_STREAM_FAILED,
        REGION_UNCLASSIFIED};
    static const uint64_t hints[] = {0, 1, 123, 700, 5000, UINT64_MAX};
    region_failure_t failure = {
        .kind = kinds[sim_random_below(&world->random, sizeof kinds / sizeof kinds[0])],
        .hint_ms = hints[sim_random_below(&world->random, 6)],
        .leader = (uint32_t)sim_random_below(&world->random, world->options.store_count + 2)};
    if (failure.hint_ms == UINT64_MAX && sim_random_chance(&world->random, 80))
        failure.hint_ms = 40;
    return failure;
}

/* Whether the store does not serve the region as it was asked for, and says why. */
static bool is_refused(stores_t *world, const open_request_t *request, region_failure_t *failure)
{
    const sim_region_t *region = regions_find(world, request->region_id);
    *failure = (region_failure_t){.kind = REGION_NOT_FOUND};
    if (!region)
        return true;
    failure->kind = REGION_EPOCH_NOT_MATCH;
    if (region->epoch != request->region_epoch)
        return true;
    failure->kind = REGION_NOT_LEADER;
    failure->leader =
        sim_random_chance(&world->random, 50) ? region->leader : REGION_LEADER_UNKNOWN;
    return region->leader != request->store;
}

static void fail_region(stores_t *world, uint64_t number, const region_failure_t *failure)
{
    stores_say(world, "request %llu fails: kind %d, hint %llu", (unsigned long long)number,
               (int)failure->kind, (unsigned long long)failure->hint_ms);
    note_region_failed(world, number, failure);
    log_puller_region_failed(world->puller, number, failure, world->now);
    if (stores_chance(world, 10)) /* told twice */
        log_puller_region_failed(world->puller, number, failure, world->now);
}

static void attend(void *context, uint64_t argument)
{
    errand_t *errand = context;
    stores_t *world = errand->world;
    const open_request_t *request = find_request(world, errand->number);
    region_failure_t failure;
    (void)argument;
    if (!request) { /* over, and told all the same */
        log_puller_region_initialised(world->puller, errand->number, world->now);
        return;
    }
    if (world->is_purged) {
        failure = (region_failure_t){.kind = REGION_FATAL, .error = SLUICE_ERROR_SOURCE_PURGED};
        fail_region(world, errand->number, &failure);
        return;
    }
    if (is_refused(world, request, &failure)) {
        fail_region(world, errand->number, &failure);
        return;
    }
    if (stores_chance(world, 12)) {
        failure = draw_failure(world);
        fail_region(world, errand->number, &failure);
        return;
    }
    const open_stream_t *stream = find_stream(world, request->stream);
    bool is_live = request->is_live;
    if (!is_live && stream && stream->has_delivered && sim_random_chance(&world->random, 40)) {
        world->stores[request->store].failures = 0;
        note_region_initialised(world, errand->number);
        log_puller_region_initialised(world->puller, errand->number, world->now);
        if (stores_chance(world, 10))
            log_puller_region_initialised(world->puller, errand->number, world->now);
    }
    if (!is_live || world->has_faults)
        stores_after(world, MS + sim_random_below(&world->random, 60 * MS), attend, errand);
}

void serve_request(stores_t *world, const log_puller_effect_t *effect)
{
    errand_t errand = {.world = world, .number = effect->number};
    stores_after(world, MS + sim_random_below(&world->random, 40 * MS), attend, &errand);
}
