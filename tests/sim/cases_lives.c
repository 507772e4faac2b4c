/* Named cases: nodes and maintainers that die, sleep and wake. */
#include "tests/sim/cases.h"
#include "tests/sim/network.h"
#include "tests/sim/node_process.h"

/* ---- 4 ---- */

/* What the node's life before said arrives when its next one has begun below it. */
static void words_of_an_earlier_life(sim_case_t *c)
{
    sim_world_t *world = sim_case_world(c);
    sim_case_wait(c, 4000);
    sim_process_t *node = sim_case_node(c, "a.t0");
    int index = sim_process_index(node);
    sim_network_cut(world, index, 0, 1U << SIM_STATUS_UP, true);
    sim_case_wait(c, 2000);
    sim_network_reset(world, index, 0, true);
    sim_process_kill(node);
    sim_process_start(node);
    sim_case_wait(c, 50);
    sim_network_join(world, index, 0);
    sim_case_wait(c, 2000);
}

/* ---- 9 ---- */

static void create_select_killed_anywhere(sim_case_t *c)
{
    static const sim_moment_kind_t moments[] = {SIM_DDL_BEFORE, SIM_DDL_RAN, SIM_DDL_AFTER,
                                                SIM_ROWS_SENDING, SIM_ROWS_COMMITTED};
    for (uint32_t i = 0; i < 5; i++) {
        uint32_t trap = sim_case_trap(
            c, &(sim_case_trap_t){.moment = moments[i], .act = CASE_KILL_SENDER, .ms = 100});
        sim_case_await(c, trap);
    }
}

/* ---- 15, 16 ---- */

static void maintainer_down_for_an_hour(sim_case_t *c)
{
    sim_world_t *world = sim_case_world(c);
    uint32_t trap = sim_case_trap(
        c, &(sim_case_trap_t){
               .moment = SIM_SENT, .has_stage = true, .stage = STAGE_WAITING, .group = 2});
    sim_case_await(c, trap);
    sim_case_kill(c, sim_world_active_maintainer(world), 3600 * 1000);
    for (int minutes = 1; minutes < 60; minutes += 29) {
        sim_case_wait(c, 60000 * 29);
        for (uint32_t i = 0; i < world->rates.nodes; i++) {
            node_core_t *core = sim_node_core(world->nodes[i]);
            node_changefeed_t *changefeed =
                node_core_changefeed_count(core) ? node_core_changefeed(core, 0) : NULL;
            node_changefeed_state_t state = {0};
            if (changefeed)
                node_changefeed_state(changefeed, &state);
            /* One a dispatcher at most. */
            sim_case_expect(c, state.statuses.buffered + state.statuses.queued_requests <= 3,
                            "statuses pile up while the maintainer is down");
        }
    }
    sim_case_wait(c, 120000);
}

static void buffer_of_one(sim_case_t *c)
{
    sim_world_t *world = sim_case_world(c);
    uint32_t beats = sim_case_trap(c, &(sim_case_trap_t){.moment = SIM_SENT,
                                                         .type = MESSAGE_HEARTBEAT_REQUEST,
                                                         .is_for_ever = true});
    for (uint32_t i = 0; i < world->rates.nodes; i++) {
        sim_process_kill(world->nodes[i]);
        sim_node_settings(world->nodes[i])->dispatchers.path.buffer_capacity = 1;
        sim_node_settings(world->nodes[i])->dispatchers.path.queue_capacity = 1;
        sim_process_start(world->nodes[i]);
    }
    sim_case_wait(c, 20000);
    sim_case_expect(c, sim_case_sprung(c, beats) > 60, "heartbeats have stopped");
}

/* ---- 22, 29 ---- */

static void older_owner_wakes(sim_case_t *c)
{
    uint32_t trap = sim_case_trap(c, &(sim_case_trap_t){.moment = SIM_DELIVERED,
                                                        .type = MESSAGE_SCHEDULE_REQUEST,
                                                        .act = CASE_STOP_RECEIVER,
                                                        .ms = 30000});
    sim_case_await(c, trap);
    sim_case_wait(c, 35000);
}

static void stopped_inside_a_transaction(sim_case_t *c)
{
    sim_world_t *world = sim_case_world(c);
    uint32_t trap = sim_case_trap(
        c, &(sim_case_trap_t){
               .moment = SIM_ROWS_SENDING, .group = 3, .act = CASE_STOP_SENDER, .ms = 60000});
    sim_case_await(c, trap);
    uint32_t again = sim_case_trap(
        c, &(sim_case_trap_t){.moment = SIM_ROWS_COMMITTED, .group = 3, .act = CASE_WATCH});
    uint64_t lease_ns = world->settings.lease_ns + world->settings.lease_grace_ns;
    sim_case_wait(c, (lease_ns + 4 * NS_PER_S) / NS_PER_MS);
    sim_case_expect(c, sim_case_sprung(c, again) > 0,
                    "the rows of a stopped node are not taken over within the lease");
}

/* ---- regressions ---- */

/* A node sleeps while another carries its tables, and that one dies with the maintainer. */
static void sleeper_wakes_alone(sim_case_t *c)
{
    sim_world_t *world = sim_case_world(c);
    sim_case_wait(c, 4000);
    sim_process_t *sleeper = sim_case_node(c, "");
    sim_process_stop(sleeper, 40000 * NS_PER_MS);
    sim_case_wait(c, 30000);
    sim_case_kill(c, sim_world_active_maintainer(world), 9000);
    for (uint32_t i = 0; i < world->rates.nodes; i++)
        if (world->nodes[i] != sleeper)
            sim_case_kill(c, world->nodes[i], 9500);
    sim_case_wait(c, 15000);
}

#define ROWS "rows a.t0 3; "
#define AFTER "; rows a.t0; rows a.t1"

const sim_case_class_t sim_cases_lives[] = {
    {"4", "heartbeats of an earlier life arrive when the next has begun", 2, 1, 3, 0,
     ROWS "idle 4; rows a.t0; rows a.t1; rows a.t2; rows a.t0 4" AFTER, words_of_an_earlier_life},
    {"9", "CREATE TABLE … SELECT, killed at every step", 3, 1, 2, 0,
     "rows a.t0 9; rows a.t1 5; create_select a.new; rows a.new 3; rows a.new 2" AFTER,
     create_select_killed_anywhere},
    {"15", "the maintainer is down for an hour while everybody waits", 2, 1, 4, 0,
     ROWS "create_view a.v" AFTER, maintainer_down_for_an_hour},
    {"16", "buffers of one entry: gates of many tables, heartbeats go on", 2, 1, 6, 0,
     ROWS "create_view a.v; alter_database a; create_view a.w; truncate a.t0" AFTER, buffer_of_one},
    {"22", "an older owner, stopped before its first act, wakes after the newer one wrote", 3, 1, 2,
     0, ROWS "idle 3; rows a.t0 2; idle 9; rows a.t0; idle 9; rows a.t0" AFTER, older_owner_wakes},
    {"29", "a node stopped inside a sink transaction is taken over within the lease", 3, 1, 2, 0,
     ROWS "idle 4; rows a.t1; rows a.t0 2", stopped_inside_a_transaction},
    {"sleeper", "a node wakes alone with what it carried long ago", 3, 1, 3, 0,
     ROWS "idle 20; create a.new; rows a.new 3; truncate a.t1; drop a.t2" AFTER,
     sleeper_wakes_alone},
};
const uint32_t sim_cases_lives_count = sizeof sim_cases_lives / sizeof sim_cases_lives[0];
