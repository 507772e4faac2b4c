#include "tests/sim/run.h"

#include "tests/sim/rest.h"

void sim_run_plan(uint64_t seed, sim_plan_t *plan)
{
    /* The rates that the world draws of this seed. */
    sim_world_t *world = sim_world_new(seed, NULL, false, false);
    sim_random_t random = {seed ^ UINT64_C(0x91a4)};
    sim_plan_draw(plan, &world->rates, &random);
    sim_world_destroy(&world);
}

static void print_rates(const sim_world_t *world)
{
    const sim_rates_t *rates = &world->rates;
    printf("seed %llu: %u nodes, %u maintainers, %u tables, log %llu to %llu, %s\n",
           (unsigned long long)world->seed, rates->nodes, rates->maintainers, rates->tables,
           (unsigned long long)sim_log_first(world->log).v,
           (unsigned long long)sim_log_last(world->log).v,
           world->flavour == SIM_SINK_MARIADB ? "MariaDB" : "SQLite");
}

sim_outcome_t sim_run_with(uint64_t seed, const sim_plan_t *plan, const sim_run_options_t *options)
{
    sim_world_t *world = sim_world_new(seed, NULL, options->is_hashed, options->is_printed);
    if (options->is_printed)
        print_rates(world);
    sim_plan_begin(world);
    sim_plan_run(plan, world);
    if (world->has_failed && options->is_printed)
        sim_rest_explain(world);
    sim_outcome_t outcome = {.has_failed = world->has_failed,
                             .hash = world->hash,
                             .events = world->events_run,
                             .tally = world->tally,
                             .ended_at = world->now};
    memcpy(outcome.invariant, world->invariant, sizeof outcome.invariant);
    memcpy(outcome.failure, world->failure, sizeof outcome.failure);
    sim_world_destroy(&world);
    return outcome;
}

sim_outcome_t sim_run_seed(uint64_t seed, const sim_run_options_t *options)
{
    sim_plan_t plan;
    sim_run_plan(seed, &plan);
    return sim_run_with(seed, &plan, options);
}

/* ---- minimising ---- */

static bool still_fails(uint64_t seed, const sim_plan_t *plan, const char *invariant)
{
    sim_outcome_t outcome = sim_run_with(seed, plan, &(sim_run_options_t){0});
    return outcome.has_failed && strcmp(outcome.invariant, invariant) == 0;
}

void sim_minimise(uint64_t seed, sim_plan_t *plan, const char *invariant)
{
    bool is_smaller = true;
    while (is_smaller) {
        is_smaller = false;
        for (uint32_t i = 0; i < plan->count; i++) {
            if (plan->operations[i].is_left_out)
                continue;
            plan->operations[i].is_left_out = true;
            bool fails = still_fails(seed, plan, invariant);
            plan->operations[i].is_left_out = fails;
            is_smaller |= fails;
        }
    }
}
