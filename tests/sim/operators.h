/*
 * People: they want one changefeed named "feed" to run, except while it is to be paused, and try
 * again until it is so. What they ask for goes to the maintainer that owns the store.
 *
 * Threads: one.
 */
#ifndef SLUICE_TESTS_SIM_OPERATORS_H
#define SLUICE_TESTS_SIM_OPERATORS_H

#include "maintainer/core/coordinator.h"
#include "tests/sim/world_internal.h"

sim_operators_t *sim_operators_new(sim_world_t *world);
void sim_operators_destroy(sim_operators_t **operators);

/* From now on the changefeed is wanted. */
void sim_operators_begin(sim_operators_t *operators);
void sim_operators_pause(sim_operators_t *operators, uint64_t for_ns);
void sim_operators_move(sim_operators_t *operators, uint32_t table, uint32_t node);
void sim_operators_drain(sim_operators_t *operators, uint32_t node);

bytes_t sim_operators_feed(void);

#endif
