/* Whether everything is replicated and nothing is under way (ORACLE B17, Q7), and what is not. */
#ifndef SLUICE_TESTS_SIM_REST_H
#define SLUICE_TESTS_SIM_REST_H

#include "tests/sim/world_internal.h"

/* With `why`: what keeps it from rest, one line. */
bool sim_is_at_rest(const sim_world_t *world, char *why, size_t size);
/* Everything that is known of a world that does not come to rest. */
void sim_rest_explain(const sim_world_t *world);

#endif
