/*
 * One thing that is to be done at some time inside a process: the earliest time asked for counts.
 * sim_forget (world, timer) before it goes.
 *
 * Threads: one.
 */
#ifndef SLUICE_TESTS_SIM_TIMER_H
#define SLUICE_TESTS_SIM_TIMER_H

#include "tests/sim/world.h"

typedef void sim_timer_fn(void *context);

typedef struct {
    sim_world_t *world;
    sim_process_t *process; /* NULL: outside of every process */
    sim_timer_fn *act;
    void *context;
    uint64_t token; /* of the arming that counts */
    bool is_armed;
    uint64_t at; /* true time */
} sim_timer_t;

void sim_timer_init(sim_timer_t *timer, sim_world_t *world, sim_process_t *process,
                    sim_timer_fn *act, void *context);
/* Acts after `delay_ns` of true time, or earlier if that was asked for. */
void sim_timer_arm(sim_timer_t *timer, uint64_t delay_ns);
void sim_timer_stop(sim_timer_t *timer);

#endif
