/*
 * One lone node after the other carries the log on: it dies, or is only stopped and goes on later,
 * when another has taken over, which it has to find out from the sink.
 */
#ifndef SLUICE_TESTS_SIM_RELAY_H
#define SLUICE_TESTS_SIM_RELAY_H

#include "tests/sim/lone_node.h"

typedef struct {
    sim_world_t *world;
    const sim_log_t *log;
    sim_sink_t *sink;
    sim_random_t random;
    lone_node_t *nodes[SMALL_WORLD_PROCESSES];
    uint32_t current;
    uint64_t life;
    uint64_t fenced; /* nodes that found out */
} relay_t;

void relay_start(relay_t *relay, sim_world_t *world, const sim_log_t *log, sim_sink_t *sink,
                 uint64_t seed);
void relay_end(relay_t *relay);
/* Another takes over. */
void relay_pass_on(relay_t *relay);
/* Now and then who was stopped goes on. */
void relay_step(relay_t *relay);
commit_ts_t relay_checkpoint(const relay_t *relay);

#endif
