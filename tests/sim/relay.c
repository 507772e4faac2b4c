#include "tests/sim/relay.h"

#define GOES_ON 3 /* of a thousand steps: who was stopped */

void relay_start(relay_t *relay, sim_world_t *world, const sim_log_t *log, sim_sink_t *sink,
                 uint64_t seed)
{
    *relay = (relay_t){.world = world, .log = log, .sink = sink, .random = {seed}, .life = 1};
    relay->nodes[0] =
        lone_node_start(world, 0, log, sink, sim_log_start(log).commit_ts, relay->life);
}

static void bury(relay_t *relay, uint32_t place)
{
    if (!relay->nodes[place])
        return;
    relay->fenced += lone_node_is_fenced(relay->nodes[place]);
    small_world_kill(small_world_process(relay->world, place));
    lone_node_destroy(&relay->nodes[place]);
}

void relay_end(relay_t *relay)
{
    for (uint32_t i = 0; i < SMALL_WORLD_PROCESSES; i++)
        bury(relay, i);
}

void relay_pass_on(relay_t *relay)
{
    commit_ts_t checkpoint = relay_checkpoint(relay);
    uint32_t next = 1 - relay->current;
    bury(relay, next);
    if (sim_random_chance(&relay->random, 40)) {
        bury(relay, relay->current);
    } else {
        small_world_stop(small_world_process(relay->world, relay->current), true);
        lone_node_outlive(relay->nodes[relay->current]);
    }
    relay->current = next;
    relay->nodes[next] =
        lone_node_start(relay->world, next, relay->log, relay->sink, checkpoint, ++relay->life);
}

void relay_step(relay_t *relay)
{
    uint32_t other = 1 - relay->current;
    if (relay->nodes[other] && sim_random_rarely(&relay->random, GOES_ON))
        small_world_stop(small_world_process(relay->world, other), false);
}

commit_ts_t relay_checkpoint(const relay_t *relay)
{
    return lone_node_checkpoint(relay->nodes[relay->current]);
}
