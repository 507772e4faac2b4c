#include "tests/sim/world.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "tests/sim/maintainer_process.h"
#include "tests/sim/meta_store.h"
#include "tests/sim/network.h"
#include "tests/sim/node_process.h"
#include "tests/sim/operators.h"
#include "tests/sim/sink.h"
#include "tests/sim/upstream.h"
#include "tests/sim/world_internal.h"

#define BEGINNING_NS NS_PER_S

/* ---- what others see ---- */

sim_random_t *sim_random(sim_world_t *world)
{
    return &world->random;
}

mono_ns_t sim_now(const sim_world_t *world)
{
    return world->now;
}

wall_ms_t sim_wall(const sim_world_t *world)
{
    return (wall_ms_t){SIM_LOG_BEGINNING_S * 1000 + world->now.v / NS_PER_MS};
}

const sim_rates_t *sim_rates(const sim_world_t *world)
{
    return &world->rates;
}

bool sim_has_faults(const sim_world_t *world)
{
    return world->has_faults;
}

/* ---- events ---- */

void sim_after(sim_world_t *world, sim_process_t *process, uint64_t delay_ns, sim_action_t *action,
               void *context, uint64_t argument)
{
    sim_event_queue_put(&world->queue, (sim_event_t){.due = mono_add(world->now, delay_ns),
                                                     .process = process,
                                                     .life = process ? process->life : 0,
                                                     .action = action,
                                                     .context = context,
                                                     .argument = argument});
}

void sim_forget(sim_world_t *world, const void *context)
{
    sim_event_queue_forget(&world->queue, context);
    for (uint32_t i = 0; i < world->rates.nodes; i++)
        if (world->nodes[i])
            sim_process_forget(world->nodes[i], context);
    for (uint32_t i = 0; i < world->rates.maintainers; i++)
        if (world->maintainers[i])
            sim_process_forget(world->maintainers[i], context);
}

static bool is_of_ended_life(const sim_event_t *event)
{
    return event->process &&
           (event->process->life != event->life || event->process->state == SIM_DOWN);
}

bool sim_world_step(sim_world_t *world)
{
    const sim_event_t *first = sim_event_queue_first(&world->queue);
    if (!first || world->has_failed)
        return false;
    sim_event_t event = sim_event_queue_take(&world->queue);
    world->now = event.due.v > world->now.v ? event.due : world->now;
    world->events_run++;
    if (!event.action || is_of_ended_life(&event))
        return true;
    if (event.process && event.process->state == SIM_STOPPED)
        sim_process_hold(event.process, &event);
    else
        event.action(event.context, event.argument);
    return !world->has_failed;
}

bool sim_world_run(sim_world_t *world, uint64_t ns)
{
    mono_ns_t end = mono_add(world->now, ns);
    for (const sim_event_t *first; !world->has_failed &&
                                   (first = sim_event_queue_first(&world->queue)) &&
                                   first->due.v <= end.v;)
        sim_world_step(world);
    if (world->now.v < end.v && !world->has_failed)
        world->now = end;
    return !world->has_failed;
}

/* ---- what is seen ---- */

void sim_moment(sim_world_t *world, const sim_moment_t *moment)
{
    sim_checks_see(world->checks, moment);
    if (world->watcher)
        world->watcher(world->watcher_context, moment);
    if (world->observer)
        world->observer(world->observer_context, moment);
}

bool sim_is_traced(const sim_world_t *world)
{
    return world->is_hashed || world->is_printed || world->told;
}

void sim_trace(sim_world_t *world, const char *actor, const char *format, ...)
{
    if (!sim_is_traced(world))
        return;
    char line[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    uint64_t hash = world->hash ^ world->now.v;
    for (const char *c = line; *c; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    world->hash = hash;
    if (world->told)
        world->told(world->told_context, actor, line);
    else if (world->is_printed)
        printf("%10.6f %-6s %s\n", (double)world->now.v / 1e9, actor, line);
}

void sim_violated(sim_world_t *world, const char *invariant, const char *format, ...)
{
    if (world->has_failed)
        return;
    world->has_failed = true;
    snprintf(world->invariant, sizeof world->invariant, "%s", invariant);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(world->failure, sizeof world->failure, format, arguments);
    va_end(arguments);
    sim_trace(world, "CHECK", "%s is broken: %s", invariant, world->failure);
}

bool sim_has_failed(const sim_world_t *world)
{
    return world->has_failed;
}

/* ---- life ---- */

static uint64_t some_ms(sim_random_t *random, uint64_t from, uint64_t to)
{
    return sim_random_between(random, from, to) * NS_PER_MS;
}

sim_rates_t sim_rates_draw(sim_random_t *random)
{
    bool is_quick = sim_random_chance(random, 70);
    return (sim_rates_t){
        .nodes = (uint32_t)sim_random_between(random, 1, SIM_NODES_MAX),
        .maintainers = sim_random_chance(random, 40) ? 2 : 1,
        .tables = (uint32_t)sim_random_between(random, 1, 6),
        .log_length = sim_random_between(random, 20, 120),
        .log_interval_ns = some_ms(random, 20, 600),
        .syncpoint_ms =
            sim_random_chance(random, 40) ? sim_random_between(random, 1, 10) * 1000 : 0,
        .feed_delay_ns = some_ms(random, 1, is_quick ? 20 : 2000),
        .sink_delay_min_ns = 200 * NS_PER_US,
        .sink_delay_max_ns = some_ms(random, 1, is_quick ? 10 : 1000),
        .sink_linger_ns = some_ms(random, 0, is_quick ? 500 : 15000),
        .sink_lost_answer = (uint32_t)sim_random_below(random, 20),
        .sink_broken_call = (uint32_t)sim_random_below(random, 20),
    };
}

static void draw_settings(sim_world_t *world)
{
    sim_random_t *random = &world->random;
    maintainer_settings_t *settings = &world->settings;
    maintainer_settings_default(settings);
    /* Shorter waits make shorter histories. */
    settings->lease_ns = some_ms(random, 2000, 10000);
    settings->heartbeat_ns = some_ms(random, 200, 500);
    settings->complete_heartbeat_ns = some_ms(random, 2000, 10000);
    settings->status_resend_ns = some_ms(random, 500, 5000);
    settings->checkpoint_interval_ns = some_ms(random, 50, 500);
}

static void draw_network(sim_world_t *world)
{
    sim_random_t *random = &world->random;
    sim_network_rates_t *rates = sim_network_rates(world);
    rates->loss = (uint32_t)sim_random_below(random, sim_random_chance(random, 30) ? 150 : 20);
    rates->duplication = (uint32_t)sim_random_below(random, 100);
    rates->delay_max_ns = some_ms(random, 1, sim_random_chance(random, 30) ? 200 : 20);
    rates->slow = (uint32_t)sim_random_below(random, 10);
    rates->overtakes = sim_random_chance(random, 30);
    rates->queue_max = sim_random_chance(random, 20) ? 4 : 64;
}

sim_world_t *sim_world_new(uint64_t seed, const sim_told_world_t *told, bool is_hashed,
                           bool is_printed)
{
    sim_world_t *world = memory_zalloc(sizeof *world);
    world->seed = seed;
    world->random.state = seed * UINT64_C(0xd1342543de82ef95) + 1;
    world->now.v = BEGINNING_NS;
    world->is_hashed = is_hashed;
    world->is_printed = is_printed;
    sim_random_t *random = &world->random;
    sim_rates_t drawn = sim_rates_draw(random);
    world->rates = told ? told->rates : drawn;
    if (told)
        maintainer_settings_default(&world->settings);
    else
        draw_settings(world);
    sim_random_t of_log = sim_random_split(random);
    sim_log_options_t options =
        sim_log_options_draw(&of_log, world->rates.tables, world->rates.log_length,
                             world->rates.log_interval_ns, world->rates.syncpoint_ms);
    if (told)
        options.has_outside = options.has_partitions = false;
    world->log = sim_log_new(&options, &of_log);
    if (told)
        sim_log_tell(world->log, told->log);
    else
        sim_log_draw(world->log);
    world->checks = sim_checks_new(world);
    world->store = sim_store_new(world);
    world->flavour = told || sim_random_chance(random, 70) ? SIM_SINK_MARIADB : SIM_SINK_SQLITE;
    world->sink = sim_sink_new(world, world->log, world->flavour);
    for (uint32_t i = 0; i < world->rates.maintainers; i++)
        world->maintainers[i] = sim_maintainer_new(world, (int)i);
    for (uint32_t i = 0; i < world->rates.nodes; i++)
        world->nodes[i] = sim_node_new(world, (int)i);
    world->operators = sim_operators_new(world);
    world->network = sim_network_new(world);
    draw_network(world);
    return world;
}

void sim_world_destroy(sim_world_t **self)
{
    sim_world_t *world = *self;
    for (uint32_t i = 0; i < world->rates.maintainers; i++)
        sim_process_kill(world->maintainers[i]);
    for (uint32_t i = 0; i < world->rates.nodes; i++)
        sim_process_kill(world->nodes[i]);
    for (uint32_t i = 0; i < world->rates.nodes; i++)
        sim_node_destroy(&world->nodes[i]);
    for (uint32_t i = 0; i < world->rates.maintainers; i++)
        sim_maintainer_destroy(&world->maintainers[i]);
    sim_network_destroy(&world->network);
    sim_operators_destroy(&world->operators);
    sim_sink_destroy(&world->sink);
    sim_store_destroy(&world->store);
    sim_checks_destroy(&world->checks);
    sim_log_destroy(&world->log);
    sim_event_queue_clear(&world->queue);
    free(world);
    *self = NULL;
}

sim_process_t *sim_world_active_maintainer(const sim_world_t *world)
{
    for (uint32_t i = 0; i < world->rates.maintainers; i++) {
        sim_process_t *process = world->maintainers[i];
        if (process->state == SIM_UP &&
            sim_maintainer_owner(process) == sim_store_owner(world->store))
            return process;
    }
    return NULL;
}
