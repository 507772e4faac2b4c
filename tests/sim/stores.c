#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "tests/sim/stores_internal.h"

#define MS NS_PER_MS
/* A busy hint is followed for ten minutes, and may come twice before the world heals. */
#define HEALED_WITHIN_NS (3600 * NS_PER_S)
#define PURGED 3 /* of a hundred seeds */

/* ---- keys ---- */

static const char keys[LETTERS + 1] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcd";

bytes_t start_key(int letter)
{
    return letter == 0 ? (bytes_t){0} : bytes_of(&keys[letter], 1);
}

bytes_t end_key(int letter)
{
    return letter == LETTERS ? (bytes_t){0} : bytes_of(&keys[letter], 1);
}

static int letter_of(bytes_t key)
{
    int letter = 0;
    while (keys[letter] != (char)key.data[0])
        letter++;
    return letter;
}

int letter_of_start(bytes_t key)
{
    return key.len ? letter_of(key) : 0;
}

int letter_of_end(bytes_t key)
{
    return key.len ? letter_of(key) : LETTERS;
}

/* ---- what is said of the run ---- */

void stores_say(stores_t *world, const char *format, ...)
{
    if (!world->is_printed)
        return;
    va_list arguments;
    va_start(arguments, format);
    printf("%10.3f ms  ", (double)world->now.v / 1e6);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
}

void stores_violated(stores_t *world, const char *invariant, const char *format, ...)
{
    sim_stores_outcome_t *outcome = &world->outcome;
    if (outcome->has_failed)
        return;
    outcome->has_failed = true;
    snprintf(outcome->invariant, sizeof outcome->invariant, "%s", invariant);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(outcome->failure, sizeof outcome->failure, format, arguments);
    va_end(arguments);
}

static void hash(stores_t *world, uint64_t value)
{
    world->outcome.hash = (world->outcome.hash ^ value) * UINT64_C(0x100000001b3);
}

/* ---- events ---- */

void stores_after(stores_t *world, uint64_t delay_ns, sim_action_t *action, const errand_t *errand)
{
    errand_t *own = memory_alloc(sizeof *own);
    *own = *errand;
    sim_event_t event = {.due = mono_add(world->now, delay_ns), .action = action, .context = own};
    sim_event_queue_put(&world->queue, event);
}

bool stores_chance(stores_t *world, uint32_t percent)
{
    return world->has_faults && sim_random_chance(&world->random, percent);
}

static void wake(void *context, uint64_t argument)
{
    (void)context;
    (void)argument;
}

/* So that the puller has its turn when it wants it. */
static void arm(stores_t *world)
{
    mono_ns_t at = log_puller_next_deadline(world->puller);
    if (at.v == MONO_NEVER.v || at.v == world->woken_at.v)
        return;
    world->woken_at = at;
    errand_t errand = {.world = world};
    stores_after(world, mono_elapsed(world->now, at), wake, &errand);
}

static void carry_out(stores_t *world, const log_puller_effect_t *effect)
{
    static const char *const names[] = {"locate", "open",        "request", "cancel",
                                        "close",  "initialised", "failed"};
    stores_say(world, "%s: subscription %llu, number %llu, store %u, stream %llu, from %llu",
               names[effect->kind], (unsigned long long)effect->dispatcher_id.lo,
               (unsigned long long)effect->number, effect->store,
               (unsigned long long)effect->stream, (unsigned long long)effect->start.v);
    hash(world, (uint64_t)effect->kind);
    hash(world, effect->number ^ world->now.v);
    switch (effect->kind) {
    case LOG_PULLER_LOCATE:
        serve_locate(world, effect);
        return;
    case LOG_PULLER_OPEN:
        note_open(world, effect);
        serve_open(world, effect);
        return;
    case LOG_PULLER_REQUEST:
        note_request(world, effect);
        serve_request(world, effect);
        return;
    case LOG_PULLER_CANCEL:
        note_cancel(world, effect);
        return;
    case LOG_PULLER_CLOSE:
        note_close(world, effect);
        return;
    case LOG_PULLER_INITIALISED:
        note_initialised(world, effect);
        return;
    case LOG_PULLER_FAILED:
        if (!world->has_failed_feed)
            stores_violated(world, "RTY-9", "the changefeed fails for no reason");
        return;
    }
}

void stores_turn(stores_t *world)
{
    log_puller_effect_t effect;
    log_puller_step(world->puller, world->now);
    while (log_puller_take(world->puller, &effect))
        carry_out(world, &effect);
    check_places(world);
    arm(world);
}

/* ---- what happens in the world ---- */

static void subscribe(stores_t *world, uint32_t number)
{
    int from = (int)sim_random_below(&world->random, LETTERS);
    int to = from + 1 + (int)sim_random_below(&world->random, (uint64_t)(LETTERS - from));
    uint64_t start = 100 + sim_random_below(&world->random, 900);
    if (sim_random_chance(&world->random, 40))
        from = 0, to = LETTERS;
    span_t span = {{7 + number}, start_key(from), end_key(to)};
    stores_say(world, "subscription %u: [%d, %d) from %llu", number, from, to,
               (unsigned long long)start);
    /* What there was is cancelled, and that is said, before the new one asks. */
    log_puller_unsubscribe(world->puller, (dispatcher_id_t){1, number});
    world->subscribers[number].is_subscribed = false;
    stores_turn(world);
    note_subscribed(world, number, from, to, start);
    log_puller_subscribe(world->puller, (dispatcher_id_t){1, number}, span, (commit_ts_t){start},
                         (pull_priority_t)sim_random_below(&world->random, 3));
}

static void happen(void *context, uint64_t argument)
{
    errand_t *errand = context;
    stores_t *world = errand->world;
    (void)argument;
    uint32_t number = (uint32_t)sim_random_below(&world->random, SUBSCRIBERS);
    uint64_t what = sim_random_below(&world->random, 10);
    if (world->now.v >= world->heals_at.v)
        return;
    if (what < 5) {
        regions_change(world);
    } else if (what < 8) {
        sim_store_t *store =
            &world->stores[sim_random_below(&world->random, world->options.store_count)];
        store->is_down = sim_random_chance(&world->random, 40);
    } else if (what == 8) {
        subscribe(world, number);
    } else {
        log_puller_unsubscribe(world->puller, (dispatcher_id_t){1, number});
        world->subscribers[number].is_subscribed = false;
    }
    stores_after(world, sim_random_below(&world->random, 400 * MS), happen, errand);
}

static void purge(void *context, uint64_t argument)
{
    (void)argument;
    ((errand_t *)context)->world->is_purged = true;
}

static void heal(void *context, uint64_t argument)
{
    stores_t *world = ((errand_t *)context)->world;
    (void)argument;
    stores_say(world, "heals");
    world->has_faults = false;
    regions_heal(world);
    for (uint32_t i = 0; i < STORES_MAX; i++)
        world->stores[i].is_down = false;
}

/* ---- the run ---- */

static void draw_options(stores_t *world)
{
    sim_random_t *random = &world->random;
    world->options =
        log_puller_options_default((uint32_t)sim_random_between(random, 1, STORES_MAX));
    world->options.streams_max = (uint32_t)sim_random_between(random, 1, 3);
    world->options.high_multiplier = (uint32_t)sim_random_between(random, 1, 2);
    world->options.seed = sim_random_next(random);
    if (sim_random_chance(random, 20))
        world->options.reload.ranges_max = (uint32_t)sim_random_between(random, 1, 4);
    if (sim_random_chance(random, 20))
        world->options.backoff.ranges_max = 1 << 20;
}

static void begin(stores_t *world, uint64_t seed)
{
    world->random = (sim_random_t){seed};
    world->has_faults = true;
    world->now = (mono_ns_t){NS_PER_S};
    draw_options(world);
    regions_draw(world);
    world->puller = log_puller_new(&world->options);
    world->heals_at = mono_add(world->now, sim_random_between(&world->random, 1, 20) * NS_PER_S);
    errand_t errand = {.world = world};
    stores_after(world, 0, happen, &errand);
    stores_after(world, world->heals_at.v - world->now.v, heal, &errand);
    if (sim_random_chance(&world->random, PURGED))
        stores_after(world, sim_random_below(&world->random, 10 * NS_PER_S), purge, &errand);
    for (uint32_t i = 0; i < SUBSCRIBERS / 2; i++)
        subscribe(world, i);
    stores_turn(world);
}

static void run_to_end(stores_t *world)
{
    mono_ns_t until = mono_add(world->heals_at, HEALED_WITHIN_NS);
    while (!world->outcome.has_failed && !world->has_failed_feed &&
           sim_event_queue_first(&world->queue)) {
        sim_event_t event = sim_event_queue_take(&world->queue);
        world->now = event.due;
        if (world->now.v > until.v) {
            free(event.context);
            break;
        }
        event.action(event.context, event.argument);
        free(event.context);
        world->outcome.events++;
        stores_turn(world);
    }
}

static void clear(stores_t *world)
{
    while (sim_event_queue_first(&world->queue)) {
        sim_event_t event = sim_event_queue_take(&world->queue);
        free(event.context);
    }
    sim_event_queue_clear(&world->queue);
    log_puller_destroy(&world->puller);
}

sim_stores_outcome_t sim_stores_run(uint64_t seed, bool is_printed)
{
    stores_t *world = memory_zalloc(sizeof *world);
    world->is_printed = is_printed;
    begin(world, seed);
    run_to_end(world);
    if (!world->outcome.has_failed && !world->has_failed_feed)
        check_end(world);
    world->outcome.ended_at_s = (double)world->now.v / 1e9;
    sim_stores_outcome_t outcome = world->outcome;
    clear(world);
    free(world);
    return outcome;
}
