/*
 * A maintainer process of the simulation: the product's coordinator, and its effects carried out as
 * maintainer/shell/effect_runner.c does, on the simulated store and network.
 *
 * Threads: one.
 */
#ifndef SLUICE_TESTS_SIM_MAINTAINER_PROCESS_H
#define SLUICE_TESTS_SIM_MAINTAINER_PROCESS_H

#include "maintainer/core/coordinator.h"
#include "tests/sim/process.h"

sim_process_t *sim_maintainer_new(sim_world_t *world, int index);
void sim_maintainer_destroy(sim_process_t **process);

/* NULL while it is down or has no store. */
coordinator_t *sim_maintainer_coordinator(const sim_process_t *process);
/* Grows with each take-over; 0: it has none. */
uint64_t sim_maintainer_owner(const sim_process_t *process);

/* The outcome of an operator's request; the world's operators listen. */
typedef void sim_answer_t(void *context, uint64_t request_id, sluice_error_t error, bytes_t text);
void sim_maintainer_listen(sim_process_t *process, sim_answer_t *answer, void *context);

#endif
