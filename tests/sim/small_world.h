/*
 * As much of a world (world.h) as the source, a feed and a sink need, for their own tests: time,
 * events to come, a few processes.
 */
#ifndef SLUICE_TESTS_SIM_SMALL_WORLD_H
#define SLUICE_TESTS_SIM_SMALL_WORLD_H

#include "tests/sim/world.h"

sim_world_t *small_world_new(uint64_t seed, bool has_faults, const sim_rates_t *rates);
void small_world_destroy(sim_world_t **world);
enum { SMALL_WORLD_PROCESSES = 2 };
sim_process_t *small_world_process(sim_world_t *world, uint32_t index);
/* The process is woken by this. */
void small_world_on_wake(sim_process_t *process, void (*act)(void *context), void *context);
/* The next event; false: there is none. */
bool small_world_step(sim_world_t *world);
/* Ends its life: nothing to come in it happens. */
void small_world_kill(sim_process_t *process);
void small_world_stop(sim_process_t *process, bool is_stopped);
void small_world_set_faults(sim_world_t *world, bool has_faults);
/* "" nothing is broken. */
const char *small_world_violation(const sim_world_t *world);

#endif
