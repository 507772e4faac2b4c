/*
 * A node without a maintainer, for the tests of source, feed and sink: it takes the whole log
 * through a feed into a sink, rows of all tables side by side, one schema change or sync point at a
 * time, as a very simple replica would.
 */
#ifndef SLUICE_TESTS_SIM_LONE_NODE_H
#define SLUICE_TESTS_SIM_LONE_NODE_H

#include "tests/sim/feed.h"
#include "tests/sim/sink.h"
#include "tests/sim/small_world.h"

typedef struct lone_node lone_node_t;

/* Begins at `checkpoint` with claims above all earlier ones; its reader begins at the start of the
 * log. */
lone_node_t *lone_node_start(sim_world_t *world, uint32_t process, const sim_log_t *log,
                             sim_sink_t *sink, commit_ts_t checkpoint, uint64_t life);
/* Dies. */
void lone_node_destroy(lone_node_t **node);
/* Another has taken over from it: then it may be refused, and does nothing more. */
void lone_node_outlive(lone_node_t *node);
bool lone_node_is_fenced(const lone_node_t *node);
/* Everything up to it is in the sink. */
commit_ts_t lone_node_checkpoint(const lone_node_t *node);

#endif
