/*
 * What must hold of what maintainers and nodes say and persist, looked at from outside (ORACLE §1.1
 * B2 to B5, B7, B11, B16, B20, §1.5, §1.6 K1, K3, K9). What must hold of the sink's content is
 * checked by the sink.
 *
 * Threads: one.
 */
#ifndef SLUICE_TESTS_SIM_CHECKS_H
#define SLUICE_TESTS_SIM_CHECKS_H

#include "tests/sim/world.h"

typedef struct sim_checks sim_checks_t;

sim_checks_t *sim_checks_new(sim_world_t *world);
void sim_checks_destroy(sim_checks_t **checks);
void sim_checks_see(sim_checks_t *checks, const sim_moment_t *moment);

#endif
