/*
 * A node process of the simulation: the product's node core with its ports bound to the simulated
 * network, source and sink.
 *
 * Threads: one.
 */
#ifndef SLUICE_TESTS_SIM_NODE_PROCESS_H
#define SLUICE_TESTS_SIM_NODE_PROCESS_H

#include "dispatcher/core/node/node_core.h"
#include "tests/sim/process.h"

sim_process_t *sim_node_new(sim_world_t *world, int index);
void sim_node_destroy(sim_process_t **process);

/* NULL while it is down. */
node_core_t *sim_node_core(const sim_process_t *process);
/* TERM: it hands its spans over and ends by itself. */
void sim_node_leave(sim_process_t *process);
/* Sizes and intervals of the status path, for lives that begin from now on. */
node_settings_t *sim_node_settings(sim_process_t *process);

#endif
