/*
 * The simulated upstream of a log puller: stores that lead regions of a key space, regions that
 * split, merge and move, and subscriptions that come and go, driven by one seed. What is said to
 * the log puller is late, doubled, out of date, or missing; what it says is checked from outside
 * (ORACLE R1 to R9, G5, G6). After the faults the world heals, and every subscription has to be
 * initialised.
 */
#ifndef SLUICE_TESTS_SIM_STORES_H
#define SLUICE_TESTS_SIM_STORES_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    bool has_failed;
    char invariant[16];
    char failure[256];
    uint64_t events, hash;
    double ended_at_s;
    uint64_t requests, failures, initialised; /* what it was tried on */
} sim_stores_outcome_t;

sim_stores_outcome_t sim_stores_run(uint64_t seed, bool is_printed);

#endif
