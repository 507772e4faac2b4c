/* Named cases: gates whose messages are lost, whose writers die, and that are met again. */
#include "tests/sim/cases.h"

#define STAGE(s) .has_stage = true, .stage = (s)
#define ACTION(a) .has_action = true, .action = (a)

/* ---- 1 ---- */

static void report_of_create_lost(sim_case_t *c)
{
    uint32_t trap = sim_case_trap(c, &(sim_case_trap_t){.moment = SIM_SENT,
                                                        STAGE(STAGE_NONE),
                                                        .group = 2,
                                                        .act = CASE_LOSE,
                                                        .is_for_ever = true});
    sim_case_await(c, trap);
    sim_case_kill(c, sim_case_node(c, ""), 300);
    sim_case_disarm(c, trap);
}

/* ---- 2, 23 ---- */

/* The checkpoint stays below the CREATE: who carries t0 is stopped, for less than a lease. */
static void created_and_not_persisted(sim_case_t *c)
{
    sim_case_wait(c, 4000);
    sim_process_t *slow = sim_case_node(c, "a.t0");
    if (slow == sim_case_node(c, ""))
        slow = sim_case_node(c, "a.t1");
    uint32_t trap =
        sim_case_trap(c, &(sim_case_trap_t){.moment = SIM_SENT, STAGE(STAGE_NONE), .group = 2});
    sim_process_stop(slow, 9000 * NS_PER_MS);
    sim_case_await(c, trap);
    sim_case_wait(c, 1500);
    sim_case_expect(c, sim_case_node(c, "a.new") != NULL, "a.new is not carried");
}

static void create_known_to_the_trigger_only(sim_case_t *c)
{
    created_and_not_persisted(c);
    sim_process_t *carrier = sim_case_node(c, "a.new");
    sim_case_kill(c, sim_world_active_maintainer(sim_case_world(c)), 200);
    sim_case_kill(c, carrier, 500);
}

static void create_and_everybody_stops(sim_case_t *c)
{
    created_and_not_persisted(c);
    sim_world_t *world = sim_case_world(c);
    sim_case_kill(c, sim_world_active_maintainer(world), 200);
    for (uint32_t i = 0; i < world->rates.nodes; i++)
        sim_case_kill(c, world->nodes[i], 300 + i);
}

/* ---- 3 ---- */

static void renamed_and_met_again(sim_case_t *c)
{
    uint32_t done = sim_case_trap(
        c, &(sim_case_trap_t){.moment = SIM_DDL_AFTER, .group = 2, .act = CASE_WATCH});
    uint32_t report = sim_case_trap(c, &(sim_case_trap_t){.moment = SIM_SENT,
                                                          STAGE(STAGE_NONE),
                                                          .group = 3,
                                                          .act = CASE_LOSE,
                                                          .is_for_ever = true});
    sim_case_await(c, done);
    sim_case_await(c, report);
    sim_case_kill(c, sim_case_node(c, "a.moved"), 100);
    sim_case_wait(c, 3000);
    sim_case_disarm(c, report);
}

static void renamed_and_met_again_at_the_end(sim_case_t *c)
{
    uint32_t done = sim_case_trap(
        c, &(sim_case_trap_t){.moment = SIM_DDL_AFTER, .group = 2, .act = CASE_WATCH});
    sim_case_await(c, done);
    sim_case_kill(c, sim_case_node(c, "a.t0"), 100);
}

/* ---- 11, 12 ---- */

static void order_lost_with_the_maintainer(sim_case_t *c)
{
    uint32_t trap = sim_case_trap(c, &(sim_case_trap_t){.moment = SIM_SENT,
                                                        ACTION(ACTION_WRITE),
                                                        .group = 2,
                                                        .act = CASE_LOSE,
                                                        .takes_maintainer = true,
                                                        .ms = 500});
    sim_case_await(c, trap);
}

static void all_who_waited_die(sim_case_t *c)
{
    uint32_t trap = sim_case_trap(c, &(sim_case_trap_t){.moment = SIM_SENT,
                                                        ACTION(ACTION_WRITE),
                                                        .group = 2,
                                                        .act = CASE_KILL_NODES,
                                                        .ms = 200});
    sim_case_await(c, trap);
}

static void writer_dies_with_the_order(sim_case_t *c)
{
    uint32_t first = sim_case_trap(c, &(sim_case_trap_t){.moment = SIM_DELIVERED,
                                                         ACTION(ACTION_WRITE),
                                                         .group = 2,
                                                         .act = CASE_KILL_RECEIVER,
                                                         .ms = 20000});
    uint32_t second = sim_case_trap(
        c, &(sim_case_trap_t){
               .moment = SIM_DDL_BEFORE, .group = 5, .act = CASE_KILL_SENDER, .ms = 200});
    sim_case_await(c, first);
    sim_case_await(c, second);
}

/* ---- 5, 6, 21 ---- */

static void writer_stopped_before_it_runs(sim_case_t *c)
{
    uint32_t trap = sim_case_trap(
        c, &(sim_case_trap_t){
               .moment = SIM_DDL_BEFORE, .group = 2, .act = CASE_STOP_SENDER, .ms = 30000});
    sim_case_await(c, trap);
    sim_case_wait(c, 29000);
    sim_case_expect(c, sim_sink_executions(sim_case_world(c)->sink, sim_case_ts(c, 2)) == 1,
                    "nobody has written it in the stopped one's place");
    sim_case_wait(c, 5000);
}

static void drop_stopped_before_it_locks(sim_case_t *c)
{
    uint32_t trap = sim_case_trap(
        c, &(sim_case_trap_t){
               .moment = SIM_DDL_LOCKING, .group = 2, .act = CASE_STOP_SENDER, .ms = 90000});
    sim_case_await(c, trap);
    sim_case_wait(c, 95000);
}

static void killed_after_it_ran(sim_case_t *c)
{
    for (uint64_t group = 2; group <= 6; group++) {
        uint32_t trap = sim_case_trap(
            c, &(sim_case_trap_t){
                   .moment = SIM_DDL_RAN, .group = group, .act = CASE_KILL_SENDER, .ms = 200});
        sim_case_await(c, trap);
        sim_case_wait(c, 2000);
    }
    for (uint64_t group = 2; group <= 6; group++)
        sim_case_expect(c, sim_sink_executions(sim_case_world(c)->sink, sim_case_ts(c, group)) <= 1,
                        "a DDL was executed twice");
}

/* ---- 17, 19, 27 ---- */

static void report_ahead_of_the_trigger(sim_case_t *c)
{
    uint32_t trap = sim_case_trap(c, &(sim_case_trap_t){.moment = SIM_SENT,
                                                        STAGE(STAGE_DONE),
                                                        .group = 2,
                                                        .act = CASE_LOSE,
                                                        .is_for_ever = true});
    sim_case_await(c, trap);
    sim_case_wait(c, 3000);
    sim_case_disarm(c, trap);
}

static void drop_met_again(sim_case_t *c)
{
    uint32_t trap =
        sim_case_trap(c, &(sim_case_trap_t){.moment = SIM_SENT, STAGE(STAGE_DONE), .group = 2});
    sim_case_await(c, trap);
    sim_case_kill(c, sim_case_node(c, ""), 300);
}

static void created_unheard_and_dropped(sim_case_t *c)
{
    uint32_t trap = sim_case_trap(c, &(sim_case_trap_t){.moment = SIM_SENT,
                                                        STAGE(STAGE_NONE),
                                                        .group = 2,
                                                        .act = CASE_LOSE,
                                                        .is_for_ever = true});
    sim_case_await(c, trap);
    sim_case_wait(c, 2000);
    sim_case_disarm(c, trap);
    sim_case_wait(c, 8000);
    sim_case_expect(c, sim_case_node(c, "a.new") == NULL, "a.new is carried after its DROP");
}

static void renamed_and_renamed_back(sim_case_t *c)
{
    uint32_t back =
        sim_case_trap(c, &(sim_case_trap_t){.moment = SIM_SENT, STAGE(STAGE_DONE), .group = 3});
    sim_case_await(c, back);
    sim_case_kill(c, sim_case_node(c, "a.t0"), 100);
    sim_case_wait(c, 6000);
    sim_case_expect(c, sim_case_node(c, "a.t0") != NULL, "a.t0 is not where it belongs");
}

/* ---- 24 ---- */

static void restarted_in_a_sync_point(sim_case_t *c)
{
    uint32_t waits = sim_case_trap(
        c, &(sim_case_trap_t){.moment = SIM_SENT, STAGE(STAGE_WAITING), .act = CASE_WATCH});
    sim_case_await(c, waits);
    sim_case_kill(c, sim_case_node(c, "a.t0"), 100);
    uint32_t written = sim_case_trap(
        c, &(sim_case_trap_t){.moment = SIM_SYNCPOINT, .act = CASE_KILL_NODES, .ms = 100});
    sim_case_await(c, written);
}

/* ---- regressions ---- */

/* The last DONE is lost, and its sender goes on to the next gate. */
static void last_done_lost(sim_case_t *c)
{
    uint32_t trap = sim_case_trap(c, &(sim_case_trap_t){.moment = SIM_SENT,
                                                        STAGE(STAGE_DONE),
                                                        .group = 2,
                                                        .act = CASE_LOSE,
                                                        .is_for_ever = true});
    sim_case_await(c, trap);
    sim_case_wait(c, 200);
    sim_case_disarm(c, trap);
}

#define ROWS "rows a.t0 3; "
#define AFTER "; rows a.t0; rows a.t1"

const sim_case_class_t sim_cases_gates[] = {
    {"1", "CREATE written, its report lost, the trigger's node dies", 3, 1, 2, 0,
     ROWS "create a.new; rows a.new 3; rows a.t0" AFTER, report_of_create_lost},
    {"2", "CREATE reported, maintainer and carrier die before it is persisted", 3, 1, 3, 0,
     ROWS "idle 6; create a.new; rows a.new 3" AFTER, create_known_to_the_trigger_only},
    {"3", "a table restarts below a finished RENAME while the trigger holds at a CREATE", 3, 1, 2,
     0, ROWS "rename a.t0 a.moved; create a.new; rows a.moved; rows a.new", renamed_and_met_again},
    {"3b", "the same with an idle log", 3, 1, 2, 0, ROWS "rename a.t0 a.moved",
     renamed_and_met_again_at_the_end},
    {"5", "the writer of a TRUNCATE is stopped just before it runs, and wakes", 3, 1, 2, 0,
     ROWS "create_like a.new a.t0; rows a.new 2; rows a.t0" AFTER, writer_stopped_before_it_runs},
    {"6", "killed between execution and record: executed once", 2, 1, 2, 0,
     ROWS "rename a.t0 a.x a.t1 a.t0 a.x a.t1; idle 12; swap_columns a.t0 u seq; idle 12; "
          "add_index a.t0 i; idle 12; truncate a.t1; idle 12; add_column a.t1 z; rows a.t0 2",
     killed_after_it_ran},
    {"11", "an order lost with the maintainer: both offer again to the next", 3, 1, 2, 0,
     ROWS "create_view a.v" AFTER, order_lost_with_the_maintainer},
    {"12", "all who waited die after selection, the writer too", 3, 1, 2, 0,
     ROWS "create_view a.v" AFTER, all_who_waited_die},
    {"12b", "the trigger's node dies while it is the writer of ALL and of DB", 3, 1, 2, 0,
     ROWS "create_view a.v" AFTER "; idle 3; alter_database a; rows a.t0",
     writer_dies_with_the_order},
    {"17", "a RENAME is reported while the trigger still is at CREATE VIEW", 3, 1, 2, 0,
     ROWS "create_view a.v; rename a.t0 a.u; rows a.u", report_ahead_of_the_trigger},
    {"19", "the trigger meets a finished DROP again", 3, 1, 3, 0,
     ROWS "drop a.t1 a.t2; rows a.t0 2", drop_met_again},
    {"19b", "CREATE with its report lost, then DROP", 3, 1, 2, 0,
     ROWS "create a.new; rows a.new; drop a.new" AFTER, created_unheard_and_dropped},
    {"21", "the trigger is stopped before it locks for a DROP; the table is made again", 3, 1, 2, 0,
     ROWS "drop a.t0; idle 30; create a.t0; rows a.t0 4; rows a.t1", drop_stopped_before_it_locks},
    {"23", "everything stops with the checkpoint below a CREATE", 3, 1, 3, 0,
     ROWS "idle 6; create a.new; rows a.new 3" AFTER, create_and_everybody_stops},
    {"24", "a span restarts in a sync point; a cold start after it was written", 3, 1, 2, 2000,
     ROWS "idle 5; rows a.t0; idle 5; rows a.t1; idle 5" AFTER, restarted_in_a_sync_point},
    {"27", "RENAME to another schema and back, the table restarts; DROP DATABASE waits", 3, 1, 2, 0,
     ROWS "rename a.t0 b.t0; rename b.t0 a.t0; rows a.t0; idle 9; rows a.t0 2; "
          "drop_database b; rows a.t1",
     renamed_and_renamed_back},
    {"last-done", "the last DONE is lost and its sender goes on", 3, 1, 2, 0,
     ROWS "create_view a.v; rows a.t0; create_view a.w; rows a.t1; create_view a.x",
     last_done_lost},
};
const uint32_t sim_cases_gates_count = sizeof sim_cases_gates / sizeof sim_cases_gates[0];
