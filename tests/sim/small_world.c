#include "tests/sim/small_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"

typedef struct event {
    struct event *next;
    uint64_t at;
    const sim_process_t *process; /* NULL: outside of every one */
    uint64_t life;
    sim_action_t *action;
    void *context;
    uint64_t argument;
} event_t;

struct sim_process {
    sim_world_t *world;
    const char *name;
    uint64_t life;
    bool is_stopped, is_woken;
    void (*act)(void *context);
    void *context;
};

struct sim_world {
    sim_random_t random;
    uint64_t now;
    event_t *events; /* by time, then by age */
    sim_process_t processes[SMALL_WORLD_PROCESSES];
    bool has_faults, is_traced;
    sim_rates_t rates;
    char violation[4096];
};

sim_world_t *small_world_new(uint64_t seed, bool has_faults, const sim_rates_t *rates)
{
    sim_world_t *world = memory_zalloc(sizeof *world);
    world->random.state = seed;
    world->has_faults = has_faults;
    world->rates = *rates;
    static const char *const names[SMALL_WORLD_PROCESSES] = {"n1", "n2"};
    for (uint32_t i = 0; i < SMALL_WORLD_PROCESSES; i++)
        world->processes[i] = (sim_process_t){.world = world, .name = names[i]};
    world->is_traced = getenv("SIM_TRACE") != NULL;
    return world;
}

void small_world_destroy(sim_world_t **world)
{
    while ((*world)->events) {
        event_t *event = (*world)->events;
        (*world)->events = event->next;
        free(event);
    }
    free(*world);
    *world = NULL;
}

sim_process_t *small_world_process(sim_world_t *world, uint32_t index)
{
    return &world->processes[index];
}

void small_world_on_wake(sim_process_t *process, void (*act)(void *context), void *context)
{
    process->act = act;
    process->context = context;
}

static void insert(sim_world_t *world, event_t *event)
{
    event_t **at = &world->events;
    while (*at && (*at)->at <= event->at)
        at = &(*at)->next;
    event->next = *at;
    *at = event;
}

bool small_world_step(sim_world_t *world)
{
    event_t *event = world->events;
    if (!event)
        return false;
    world->events = event->next;
    world->now = event->at;
    const sim_process_t *process = event->process;
    bool is_of_life = !process || event->life == process->life;
    if (is_of_life && process && process->is_stopped) {
        event->at += NS_PER_MS;
        insert(world, event);
        return true;
    }
    if (is_of_life)
        event->action(event->context, event->argument);
    free(event);
    return true;
}

void small_world_kill(sim_process_t *process)
{
    process->life++;
    process->is_stopped = process->is_woken = false;
}

void small_world_stop(sim_process_t *process, bool is_stopped)
{
    process->is_stopped = is_stopped;
}

void small_world_set_faults(sim_world_t *world, bool has_faults)
{
    world->has_faults = has_faults;
}

const char *small_world_violation(const sim_world_t *world)
{
    return world->violation;
}

/* ---- what the parts ask of a world ---- */

sim_random_t *sim_random(sim_world_t *world)
{
    return &world->random;
}

mono_ns_t sim_now(const sim_world_t *world)
{
    return (mono_ns_t){world->now};
}

void sim_after(sim_world_t *world, sim_process_t *process, uint64_t delay_ns, sim_action_t *action,
               void *context, uint64_t argument)
{
    event_t *event = memory_zalloc(sizeof *event);
    *event = (event_t){.at = world->now + delay_ns,
                       .process = process,
                       .life = process ? process->life : 0,
                       .action = action,
                       .context = context,
                       .argument = argument};
    insert(world, event);
}

void sim_forget(sim_world_t *world, const void *context)
{
    event_t **at = &world->events;
    while (*at) {
        event_t *event = *at;
        if (event->context != context) {
            at = &event->next;
            continue;
        }
        *at = event->next;
        free(event);
    }
}

const char *sim_process_name(const sim_process_t *process)
{
    return process->name;
}

mono_ns_t sim_process_now(const sim_process_t *process)
{
    return (mono_ns_t){process->world->now};
}

static void wake(void *context, uint64_t argument)
{
    (void)argument;
    sim_process_t *process = context;
    process->is_woken = false;
    if (process->act)
        process->act(process->context);
}

void sim_process_wake(sim_process_t *process)
{
    if (process->is_woken)
        return;
    process->is_woken = true;
    sim_after(process->world, process, 0, wake, process, 0);
}

void sim_moment(sim_world_t *world, const sim_moment_t *moment)
{
    (void)world, (void)moment;
}

bool sim_is_traced(const sim_world_t *world)
{
    return world->is_traced;
}

void sim_trace(sim_world_t *world, const char *actor, const char *format, ...)
{
    if (!world->is_traced)
        return;
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%12.6f %s: ", (double)world->now / 1e9, actor);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

void sim_violated(sim_world_t *world, const char *invariant, const char *format, ...)
{
    if (world->violation[0])
        return;
    va_list arguments;
    va_start(arguments, format);
    int len = snprintf(world->violation, sizeof world->violation, "%s: ", invariant);
    vsnprintf(world->violation + len, sizeof world->violation - (size_t)len, format, arguments);
    va_end(arguments);
}

const sim_rates_t *sim_rates(const sim_world_t *world)
{
    return &world->rates;
}

bool sim_has_faults(const sim_world_t *world)
{
    return world->has_faults;
}
