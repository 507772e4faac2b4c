/*
 * sluice-sim: the product's own cores in a simulated world, seed by seed.
 *
 *   sluice-sim --seeds A-B [--jobs J]
 *       Runs seeds A to B. A failure prints its seed, the broken invariant and the shortest list of
 *       operations that breaks it.
 *   sluice-sim --replay SEED
 *       Tells everything that happens.
 *   sluice-sim --explain SEED
 *       Tells the story of one gate.
 *   sluice-sim --stores A-B [--jobs J], --replay-stores SEED
 *       The same for the log puller alone, in front of a simulated upstream of many stores.
 *   sluice-sim --case NAME, --list
 *       Tells a named case ("all" runs them all); their names and stories.
 *
 * The last line is "N passed, M failed".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/cases.h"
#include "tests/sim/run.h"
#include "tests/sim/stores.h"

/* Every so many seeds one is run twice, to see that it is the same history. */
#define TWICE_EVERY 100

typedef struct {
    uint64_t passed, failed;
    sim_tally_t tally;
} counts_t;

static void report_failure(uint64_t seed, const sim_outcome_t *outcome)
{
    sim_plan_t plan;
    sim_run_plan(seed, &plan);
    printf("seed %llu breaks %s at %.3f s: %s\n", (unsigned long long)seed, outcome->invariant,
           (double)outcome->ended_at.v / 1e9, outcome->failure);
    fflush(stdout);
    sim_minimise(seed, &plan, outcome->invariant);
    printf("what it takes (seed %llu):\n", (unsigned long long)seed);
    sim_plan_print(&plan, stdout);
    fflush(stdout);
}

static void add(sim_tally_t *to, const sim_tally_t *from)
{
    to->questions += from->questions;
    to->registrations += from->registrations;
    to->payloads += from->payloads;
}

static bool is_same_twice(uint64_t seed)
{
    sim_run_options_t options = {.is_hashed = true};
    sim_outcome_t first = sim_run_seed(seed, &options);
    sim_outcome_t second = sim_run_seed(seed, &options);
    if (first.hash == second.hash && first.events == second.events)
        return true;
    printf("seed %llu is not the same history twice\n", (unsigned long long)seed);
    return false;
}

static bool run_one(uint64_t seed, sim_tally_t *tally)
{
    if (seed % TWICE_EVERY == 0 && !is_same_twice(seed))
        return false;
    sim_outcome_t outcome = sim_run_seed(seed, &(sim_run_options_t){0});
    add(tally, &outcome.tally);
    if (outcome.has_failed)
        report_failure(seed, &outcome);
    return !outcome.has_failed;
}

static bool run_stores(uint64_t seed, sim_tally_t *tally)
{
    (void)tally;
    sim_stores_outcome_t outcome = sim_stores_run(seed, false);
    bool is_same = true;
    if (seed % TWICE_EVERY == 0) {
        sim_stores_outcome_t second = sim_stores_run(seed, false);
        is_same = second.hash == outcome.hash && second.events == outcome.events;
    }
    if (outcome.has_failed)
        printf("stores, seed %llu breaks %s at %.3f s: %s\n", (unsigned long long)seed,
               outcome.invariant, outcome.ended_at_s, outcome.failure);
    if (!is_same)
        printf("stores, seed %llu is not the same history twice\n", (unsigned long long)seed);
    fflush(stdout);
    return is_same && !outcome.has_failed;
}

typedef bool run_one_t(uint64_t seed, sim_tally_t *tally);

static counts_t run_share(run_one_t *run, uint64_t first, uint64_t last, uint64_t step)
{
    counts_t counts = {0};
    for (uint64_t seed = first; seed <= last; seed += step) {
        bool has_passed = run(seed, &counts.tally);
        counts.passed += has_passed;
        counts.failed += !has_passed;
    }
    return counts;
}

/* A worker that dies counts as one failure: what it ran before is not known. */
static counts_t run_seeds(run_one_t *run, uint64_t first, uint64_t last, uint64_t jobs)
{
    if (jobs <= 1)
        return run_share(run, first, last, 1);
    counts_t counts = {0};
    int pipes[2];
    if (pipe(pipes) != 0)
        exit(2);
    fflush(stdout);
    for (uint64_t job = 0; job < jobs; job++) {
        if (fork() != 0)
            continue;
        close(pipes[0]);
        counts_t own = run_share(run, first + job, last, jobs);
        fflush(stdout);
        _exit(write(pipes[1], &own, sizeof own) == sizeof own ? 0 : 2);
    }
    close(pipes[1]);
    counts_t own;
    while (read(pipes[0], &own, sizeof own) == sizeof own) {
        counts.passed += own.passed;
        counts.failed += own.failed;
        add(&counts.tally, &own.tally);
    }
    close(pipes[0]);
    int status;
    while (wait(&status) > 0)
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            printf("a worker has died\n");
            counts.failed++;
        }
    return counts;
}

static int finish(counts_t counts)
{
    const sim_tally_t *tally = &counts.tally;
    if (tally->questions)
        printf("other nodes: asked for %llu times, registered at %llu times, %llu rows and DDLs "
               "came\n",
               (unsigned long long)tally->questions, (unsigned long long)tally->registrations,
               (unsigned long long)tally->payloads);
    printf("%llu passed, %llu failed\n", (unsigned long long)counts.passed,
           (unsigned long long)counts.failed);
    return counts.failed || !counts.passed;
}

static int replay(uint64_t seed)
{
    sim_plan_t plan;
    sim_run_plan(seed, &plan);
    sim_outcome_t outcome =
        sim_run_with(seed, &plan, &(sim_run_options_t){.is_hashed = true, .is_printed = true});
    printf("operations:\n");
    sim_plan_print(&plan, stdout);
    printf("%llu events, %.3f s, hash %016llx\n", (unsigned long long)outcome.events,
           (double)outcome.ended_at.v / 1e9, (unsigned long long)outcome.hash);
    return finish((counts_t){!outcome.has_failed, outcome.has_failed, outcome.tally});
}

static int replay_stores(uint64_t seed)
{
    sim_stores_outcome_t outcome = sim_stores_run(seed, true);
    if (outcome.has_failed)
        printf("breaks %s: %s\n", outcome.invariant, outcome.failure);
    printf("%llu events, %.3f s, %llu requests, %llu failures, %llu subscriptions initialised\n",
           (unsigned long long)outcome.events, outcome.ended_at_s,
           (unsigned long long)outcome.requests, (unsigned long long)outcome.failures,
           (unsigned long long)outcome.initialised);
    return finish((counts_t){!outcome.has_failed, outcome.has_failed});
}

/* ---- named cases ---- */

typedef struct {
    const sim_case_class_t *cases;
    uint32_t count;
} case_list_t;

static uint32_t case_lists(case_list_t lists[3])
{
    lists[0] = (case_list_t){sim_cases_gates, sim_cases_gates_count};
    lists[1] = (case_list_t){sim_cases_lives, sim_cases_lives_count};
    lists[2] = (case_list_t){sim_cases_links, sim_cases_links_count};
    return 3;
}

static void list_cases(void)
{
    case_list_t lists[3];
    for (uint32_t i = 0; i < case_lists(lists); i++)
        for (uint32_t j = 0; j < lists[i].count; j++)
            printf("%-10s %s\n", lists[i].cases[j].name, lists[i].cases[j].story);
}

/* One is told in full, all are only judged. */
static int run_cases(const char *name)
{
    case_list_t lists[3];
    counts_t counts = {0};
    bool is_all = strcmp(name, "all") == 0;
    for (uint32_t i = 0; i < case_lists(lists); i++)
        for (uint32_t j = 0; j < lists[i].count; j++) {
            const sim_case_class_t *class = &lists[i].cases[j];
            if (!is_all && strcmp(class->name, name) != 0)
                continue;
            bool holds = sim_case_run(class, !is_all);
            counts.passed += holds;
            counts.failed += !holds;
        }
    return finish(counts);
}

static int usage(void)
{
    fprintf(stderr, "usage: sluice-sim --seeds A-B [--jobs J] | --replay SEED | --explain SEED | "
                    "--case NAME | --list | --stores A-B [--jobs J] | --replay-stores SEED\n");
    return 2;
}

int main(int argc, char **argv)
{
    uint64_t first = 0, last = 0, jobs = 1;
    const char *mode = NULL, *argument = NULL;
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        list_cases();
        return 0;
    }
    for (int i = 1; i + 1 < argc; i += 2) {
        char *end = argv[i + 1];
        uint64_t number = strtoull(end, &end, 10);
        if (strcmp(argv[i], "--jobs") == 0) {
            jobs = number;
            continue;
        }
        mode = argv[i];
        argument = argv[i + 1];
        first = last = number;
        if (*end == '-')
            last = strtoull(end + 1, NULL, 10);
    }
    if (mode && strcmp(mode, "--seeds") == 0)
        return finish(run_seeds(run_one, first, last, jobs));
    if (mode && strcmp(mode, "--stores") == 0)
        return finish(run_seeds(run_stores, first, last, jobs));
    if (mode && strcmp(mode, "--replay-stores") == 0)
        return replay_stores(first);
    if (mode && strcmp(mode, "--replay") == 0)
        return replay(first);
    if (mode && strcmp(mode, "--explain") == 0) {
        sim_explain(first);
        return 0;
    }
    if (mode && strcmp(mode, "--case") == 0)
        return run_cases(argument);
    return usage();
}
