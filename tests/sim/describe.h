/* One line of the trace for a message: what a reader of a story needs to know of it. */
#ifndef SLUICE_TESTS_SIM_DESCRIBE_H
#define SLUICE_TESTS_SIM_DESCRIBE_H

#include "common/wire/message.h"
#include "tests/sim/world.h"

void sim_describe_message(sim_world_t *world, const char *actor, const char *arrow,
                          const char *other, const message_t *message);

#endif
