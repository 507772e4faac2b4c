/*
 * The one source of chance of a simulation. Everything that is drawn is drawn from it (or from one
 * split off it), in an order that the simulation alone decides, so that a seed is a history.
 */
#ifndef SLUICE_TESTS_SIM_RANDOM_H
#define SLUICE_TESTS_SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/* A value; any state is a good one. */
typedef struct {
    uint64_t state;
} sim_random_t;

uint64_t sim_random_next(sim_random_t *random);
/* 0 … below - 1; 0 when below is 0. */
uint64_t sim_random_below(sim_random_t *random, uint64_t below);
/* from … to, both included. */
uint64_t sim_random_between(sim_random_t *random, uint64_t from, uint64_t to);
bool sim_random_chance(sim_random_t *random, uint32_t percent);
/* Of a thousand. */
bool sim_random_rarely(sim_random_t *random, uint32_t per_mille);
/* Independent of what is drawn from the first one afterwards. */
sim_random_t sim_random_split(sim_random_t *random);

#endif
