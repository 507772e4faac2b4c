/*
 * What is done to a simulated world from outside, as a list that is drawn before it begins: so a
 * failure is told again exactly, and made smaller by leaving operations out.
 *
 * Threads: one.
 */
#ifndef SLUICE_TESTS_SIM_PLAN_H
#define SLUICE_TESTS_SIM_PLAN_H

#include <stdio.h>

#include "tests/sim/world_internal.h"

typedef enum {
    SIM_NODE_KILL, /* down for `ms` */
    SIM_NODE_STOP, /* SIGSTOP for `ms` */
    SIM_NODE_LEAVE,
    SIM_MAINTAINER_KILL, /* `ms` later it, or the other one, starts */
    SIM_MAINTAINER_STOP,
    SIM_MAINTAINER_REPLACE, /* stopped for `ms`; the other one takes over meanwhile */
    SIM_STORE_GONE,
    SIM_LINK_LOSE, /* `wires` of `node` to `maintainer`: everything is lost, for `ms` */
    SIM_LINK_HOLD, /* held back for `ms` */
    SIM_LINK_RESET,
    SIM_EVENTS_LOSE, /* what `node` reads from `other`: everything is lost, for `ms` */
    SIM_EVENTS_HOLD,
    SIM_EVENTS_RESET,
    SIM_MOVE, /* table number `number` to `node` */
    SIM_DRAIN,
    SIM_PAUSE,    /* resumed after `ms` */
    SIM_KILL_AT,  /* whoever is at the `number`th `moment` from now dies at it, for `ms` */
    SIM_STOP_AT,  /* is stopped at it, for `ms` */
    SIM_ALL_KILL, /* everybody dies, and is back within `ms` */
    SIM_OPERATION_COUNT
} sim_operation_kind_t;

typedef struct {
    uint64_t at_ms;
    sim_operation_kind_t kind;
    uint32_t node, other, maintainer, wires, number;
    uint64_t ms;
    sim_moment_kind_t moment;
    bool is_left_out; /* by the minimiser */
} sim_operation_t;

enum { SIM_OPERATIONS_MAX = 32 };

typedef struct {
    sim_operation_t operations[SIM_OPERATIONS_MAX];
    uint32_t count;
    uint64_t end_ms; /* faults end, the world heals */
} sim_plan_t;

void sim_plan_draw(sim_plan_t *plan, const sim_rates_t *rates, sim_random_t *random);
void sim_plan_print(const sim_plan_t *plan, FILE *file);

/* Lets all of it happen in a world whose processes run: faults, healing, rest (DESIGN §8). The
 * broken invariant is the world's. */
void sim_plan_run(const sim_plan_t *plan, sim_world_t *world);

/* Nothing fails any more, everybody runs: and comes to rest. */
void sim_plan_heal(sim_world_t *world);

/* Starts everything and creates the changefeed. */
void sim_plan_begin(sim_world_t *world);

#endif
