#include "tests/sim/process.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "tests/sim/network.h"
#include "tests/sim/world_internal.h"

/* A process that was woken gets its turn so much later: what arrives together is taken together. */
#define TURN_DELAY_NS (20 * NS_PER_US)
/* A core that wants turn after turn without time passing is caught in a loop. */
#define TURNS_PER_MS_MAX 2000

void sim_process_init(sim_process_t *process, const sim_process_class_t *class, sim_world_t *world,
                      bool is_maintainer, int index)
{
    process->class = class;
    process->world = world;
    process->is_maintainer = is_maintainer;
    process->index = index;
    process->turn_at = MONO_NEVER;
    process->drift_ppm = (int64_t)sim_random_below(&world->random, 20001) - 10000;
    snprintf(process->name, sizeof process->name, "%c%d", is_maintainer ? 'm' : 'n', index + 1);
    node_id_parse(bytes_of_text(process->name), &process->id);
}

void sim_process_clear(sim_process_t *process)
{
    if (process->state != SIM_DOWN)
        sim_process_kill(process);
    free(process->held);
}

/* ---- what others see ---- */

const char *sim_process_name(const sim_process_t *process)
{
    return process->name;
}

int sim_process_index(const sim_process_t *process)
{
    return process->index;
}

uint64_t sim_process_life(const sim_process_t *process)
{
    return process->life;
}

bool sim_process_is_running(const sim_process_t *process)
{
    return process->state == SIM_UP && !process->is_doomed && !process->is_stopping;
}

/* ---- its clock ---- */

static mono_ns_t local_time(const sim_process_t *process, mono_ns_t at)
{
    int64_t drift = (int64_t)(at.v / 1000000) * process->drift_ppm;
    return (mono_ns_t){at.v + (uint64_t)drift};
}

mono_ns_t sim_process_now(const sim_process_t *process)
{
    return local_time(process, process->world->now);
}

mono_ns_t sim_process_true_time(const sim_process_t *process, mono_ns_t local)
{
    if (local.v == UINT64_MAX)
        return MONO_NEVER;
    double rate = 1.0 + (double)process->drift_ppm / 1e6;
    mono_ns_t at = {(uint64_t)((double)local.v / rate)};
    for (uint64_t more = 1; local_time(process, at).v < local.v; more *= 2)
        at.v += more;
    return at;
}

/* ---- turns ---- */

static void take_turn(void *context, uint64_t due);

static void plan_turn(sim_process_t *process, mono_ns_t at)
{
    mono_ns_t earliest = mono_add(process->world->now, TURN_DELAY_NS);
    if (at.v < earliest.v)
        at = earliest;
    if (process->state == SIM_DOWN || at.v >= process->turn_at.v)
        return;
    process->turn_at = at;
    sim_after(process->world, process, at.v - process->world->now.v, take_turn, process, at.v);
}

void sim_process_wake(sim_process_t *process)
{
    plan_turn(process, process->world->now);
}

static void end_life(sim_process_t *process)
{
    process->class->end(process);
    process->state = SIM_DOWN;
    process->is_doomed = process->is_stopping = false;
    process->held_count = 0;
    process->turn_at = MONO_NEVER;
    sim_network_process_ended(process);
    sim_trace(process->world, process->name, "died");
}

static void take_turn(void *context, uint64_t due)
{
    sim_process_t *process = context;
    if (process->turn_at.v != due)
        return; /* an earlier one was planned meanwhile, and taken */
    process->turn_at = MONO_NEVER;
    uint64_t ms = process->world->now.v / NS_PER_MS;
    process->turns_in_ms = ms == process->turns_ms ? process->turns_in_ms + 1 : 0;
    process->turns_ms = ms;
    if (process->turns_in_ms > TURNS_PER_MS_MAX) {
        sim_violated(process->world, "rest", "%s never rests", process->name);
        return;
    }
    process->is_in_turn = true;
    mono_ns_t next = process->class->turn(process);
    process->is_in_turn = false;
    if (process->is_doomed) {
        end_life(process);
        return;
    }
    if (process->is_stopping) {
        process->is_stopping = false;
        process->state = SIM_STOPPED;
    }
    plan_turn(process, sim_process_true_time(process, next));
}

/* ---- life and death ---- */

void sim_process_start(sim_process_t *process)
{
    if (process->state != SIM_DOWN)
        return;
    process->state = SIM_UP;
    process->continued_at = process->world->now;
    process->life++;
    sim_trace(process->world, process->name, "starts, life %llu",
              (unsigned long long)process->life);
    process->class->start(process);
    sim_network_process_started(process);
    sim_process_wake(process);
}

void sim_process_kill(sim_process_t *process)
{
    if (process->state == SIM_DOWN)
        return;
    if (process->is_in_turn)
        process->is_doomed = true;
    else
        end_life(process);
}

static void continue_after_stop(void *context, uint64_t stop)
{
    sim_process_t *process = context;
    if (process->stops == stop)
        sim_process_continue(process);
}

void sim_process_stop(sim_process_t *process, uint64_t for_ns)
{
    if (process->state != SIM_UP)
        return;
    if (process->is_in_turn)
        process->is_stopping = true;
    else
        process->state = SIM_STOPPED;
    sim_trace(process->world, process->name, "is stopped for %llu ms",
              (unsigned long long)(for_ns / NS_PER_MS));
    sim_after(process->world, NULL, for_ns, continue_after_stop, process, ++process->stops);
    sim_network_process_stopped(process);
}

void sim_process_continue(sim_process_t *process)
{
    if (process->state != SIM_STOPPED)
        return;
    process->state = SIM_UP;
    process->continued_at = process->world->now;
    process->stops++;
    sim_trace(process->world, process->name, "is continued");
    size_t count = process->held_count;
    process->held_count = 0;
    for (size_t i = 0; i < count; i++) {
        sim_event_t event = process->held[i];
        event.due = process->world->now;
        sim_event_queue_put(&process->world->queue, event);
    }
    sim_network_process_continued(process);
}

void sim_process_hold(sim_process_t *process, const sim_event_t *event)
{
    if (process->held_count == process->held_capacity) {
        process->held_capacity = process->held_capacity ? 2 * process->held_capacity : 16;
        process->held =
            memory_realloc(process->held, process->held_capacity * sizeof *process->held);
    }
    process->held[process->held_count++] = *event;
}

void sim_process_forget(sim_process_t *process, const void *context)
{
    for (size_t i = 0; i < process->held_count; i++)
        if (process->held[i].context == context)
            process->held[i].action = NULL;
}
