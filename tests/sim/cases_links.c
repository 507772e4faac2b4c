/* Named cases: links between nodes and maintainers that are cut, in both directions or one. */
#include "tests/sim/cases.h"
#include "tests/sim/network.h"
#include "tests/sim/operators.h"

#define UP (1U << SIM_STATUS_UP | 1U << SIM_CONTROL_UP)
#define DOWN (1U << SIM_CONTROL_DOWN)

static void cut_for(sim_case_t *c, unsigned wires, uint64_t ms)
{
    sim_world_t *world = sim_case_world(c);
    sim_case_wait(c, 4000);
    int node = sim_process_index(sim_case_node(c, "a.t0"));
    sim_network_cut(world, node, 0, wires, false);
    sim_case_wait(c, ms);
    sim_network_join(world, node, 0);
    sim_case_wait(c, 3000);
}

static void node_is_not_heard(sim_case_t *c)
{
    cut_for(c, UP, 20000);
}

static void node_does_not_hear(sim_case_t *c)
{
    cut_for(c, DOWN, 20000);
}

static void maintainer_stands_still(sim_case_t *c)
{
    sim_case_wait(c, 4000);
    sim_process_stop(sim_world_active_maintainer(sim_case_world(c)), 12000 * NS_PER_MS);
    sim_case_wait(c, 20000);
}

/* m1 keeps n1, m2 takes the store over and keeps the others; then everybody hears everybody. */
static void two_maintainers(sim_case_t *c)
{
    sim_world_t *world = sim_case_world(c);
    sim_case_wait(c, 4000);
    sim_network_cut(world, 0, 1, UP | DOWN, false);
    for (uint32_t i = 1; i < world->rates.nodes; i++)
        sim_network_cut(world, (int)i, 0, UP | DOWN, false);
    sim_process_start(world->maintainers[1]);
    sim_case_wait(c, 30000);
    for (uint32_t i = 0; i < world->rates.nodes; i++)
        for (uint32_t j = 0; j < world->rates.maintainers; j++)
            sim_network_join(world, (int)i, (int)j);
    sim_case_wait(c, 5000);
}

/* 28: one owner; it starts again. */
static void called_absent_and_heard_again(sim_case_t *c)
{
    uint32_t trap =
        sim_case_trap(c, &(sim_case_trap_t){.moment = SIM_DELIVERED, .type = MESSAGE_START_AGAIN});
    cut_for(c, UP | DOWN, 20000);
    sim_case_await(c, trap);
}

static void hello_lost(sim_case_t *c)
{
    sim_world_t *world = sim_case_world(c);
    sim_case_wait(c, 4000);
    sim_case_kill(c, sim_world_active_maintainer(world), 100);
    uint32_t trap = sim_case_trap(
        c, &(sim_case_trap_t){.moment = SIM_SENT, .type = MESSAGE_HELLO, .act = CASE_LOSE});
    sim_case_await(c, trap);
    sim_case_wait(c, 20000);
}

/* A close of the maintainer before ends while the next one gathers: it waits for a node that is cut
 * off, and what was closed was told to it as alive. */
static void closed_while_gathered(sim_case_t *c)
{
    sim_world_t *world = sim_case_world(c);
    sim_case_wait(c, 12000);
    int from = sim_process_index(sim_case_node(c, "a.t0"));
    uint32_t trap = sim_case_trap(c, &(sim_case_trap_t){.moment = SIM_DELIVERED,
                                                        .type = MESSAGE_SCHEDULE_REQUEST,
                                                        .takes_maintainer = true,
                                                        .ms = 50});
    for (uint32_t table = 0; table < 4; table++)
        sim_operators_move(world->operators, table, ((uint32_t)from + 1) % 3);
    sim_case_await(c, trap);
    int other = (from + 2) % 3;
    sim_network_cut(world, other, 0, UP | DOWN, false);
    sim_case_wait(c, 9000);
    sim_network_join(world, other, 0);
    sim_case_wait(c, 20000);
}

#define LOG                                                                                        \
    "rows a.t0 3; idle 6; rows a.t0; truncate a.t1; idle 6; create_view a.v; rows a.t1; idle 6; "  \
    "rows a.t0 2; create a.new; rows a.new; idle 12; rows a.t0; rows a.t1"

#define SECOND "idle 1; rows a.t0; rows a.t1; rows a.t2; "
#define SECONDS SECOND SECOND SECOND SECOND SECOND SECOND
#define LIVELY SECONDS SECONDS SECONDS "rows a.t0"

const sim_case_class_t sim_cases_links[] = {
    {"8", "node to maintainer is dead, the other way alive", 3, 1, 2, 0, LOG, node_is_not_heard},
    {"8b", "maintainer to node is dead, the other way alive", 3, 1, 2, 0, LOG, node_does_not_hear},
    {"8c", "the maintainer stands still for 12 s", 3, 1, 2, 0, LOG, maintainer_stands_still},
    {"8d", "two maintainers, each with nodes of its own", 3, 2, 3, 0, LOG, two_maintainers},
    {"28", "cut off until called absent, then heard again", 3, 1, 2, 0, LOG,
     called_absent_and_heard_again},
    {"hello", "the one hello to a new maintainer is lost", 3, 1, 2, 0, LOG, hello_lost},
    {"closing", "what an earlier maintainer closes ends while the next one gathers", 3, 1, 3, 0,
     LIVELY, closed_while_gathered, .sink_ms = 1500},
};
const uint32_t sim_cases_links_count = sizeof sim_cases_links / sizeof sim_cases_links[0];
