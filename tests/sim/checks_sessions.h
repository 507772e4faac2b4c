/*
 * Sessions, looked at from outside (ORACLE §1.5): what each dispatcher asks of its node's own event
 * service and of others', and what those tell it.
 *   S1, S6  each epoch belongs to one service, and none is used again after a later one at the same
 *   S7      what was removed asks its own service for nothing more
 *   S8      what is reported of an epoch was told in it
 * and other services are asked for what they hold only.
 *
 * Threads: one.
 */
#ifndef SLUICE_TESTS_SIM_CHECKS_SESSIONS_H
#define SLUICE_TESTS_SIM_CHECKS_SESSIONS_H

#include "tests/sim/world_internal.h"

typedef struct sim_session_check sim_session_check_t;

sim_session_check_t *sim_session_check_new(sim_world_t *world);
void sim_session_check_destroy(sim_session_check_t **check);
void sim_session_check_see(sim_session_check_t *check, const sim_moment_t *moment);

#endif
