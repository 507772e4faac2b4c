/*
 * A simulated node's event path: the product's log reader, schema tracker, schema history, anchor
 * list and event service over the made-up log, with a live reading and at most one catch-up
 * reading. Readings lag, stall, break and go on at their anchor, as chance has it.
 *
 * What a feed does happens inside the life of its process: nothing while that is stopped.
 *
 * Threads: one.
 */
#ifndef SLUICE_TESTS_SIM_FEED_H
#define SLUICE_TESTS_SIM_FEED_H

#include "dispatcher/core/node/feed_port.h"
#include "tests/sim/upstream.h"
#include "tests/sim/world.h"

typedef struct sim_feed sim_feed_t;

/* As in CHANGEFEED_OPEN; borrowed for the call. */
typedef struct {
    anchor_t anchor;
    bytes_t snapshot; /* without envelope */
    commit_ts_t snapshot_ts;
    const schema_ddl_t *ddls;
    uint32_t ddl_count;
    const changefeed_config_t *config;
} sim_feed_options_t;

sluice_error_t sim_feed_open(sim_world_t *world, sim_process_t *process, const sim_log_t *log,
                             const sim_feed_options_t *options, sim_feed_t **feed,
                             error_report_t *report);
/* Also when its process has died; NULL is allowed. */
void sim_feed_close(sim_feed_t **feed);

feed_port_t sim_feed_port(sim_feed_t *feed);

#endif
