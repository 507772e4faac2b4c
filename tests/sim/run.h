/*
 * One seed from beginning to end: a world, a plan, the outcome.
 *
 * Threads: one.
 */
#ifndef SLUICE_TESTS_SIM_RUN_H
#define SLUICE_TESTS_SIM_RUN_H

#include "tests/sim/plan.h"

typedef struct {
    bool has_failed;
    char invariant[16], failure[1024];
    uint64_t hash, events;
    mono_ns_t ended_at;
    sim_tally_t tally;
} sim_outcome_t;

typedef struct {
    bool is_hashed, is_printed;
} sim_run_options_t;

sim_outcome_t sim_run_seed(uint64_t seed, const sim_run_options_t *options);
/* The seed's own plan. */
void sim_run_plan(uint64_t seed, sim_plan_t *plan);
/* The seed with another plan. */
sim_outcome_t sim_run_with(uint64_t seed, const sim_plan_t *plan, const sim_run_options_t *options);

/* Tells the story of the gate that took longest: who waited when, who wrote it, who passed, and
 * what went wrong meanwhile. */
void sim_explain(uint64_t seed);

/* Leaves out what is not needed to break the same invariant. */
void sim_minimise(uint64_t seed, sim_plan_t *plan, const char *invariant);

#endif
