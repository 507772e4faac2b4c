/*
 * Chance for the puller's tests: the same with every run.
 */
#ifndef SLUICE_TESTS_UNIT_PULLER_PULLER_RANDOM_H
#define SLUICE_TESTS_UNIT_PULLER_PULLER_RANDOM_H

#include <stdint.h>

static inline uint64_t draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    uint64_t mixed = *state ^ (*state >> 29);
    return mixed * UINT64_C(0xbf58476d1ce4e5b9) >> 16;
}

static inline uint64_t draw_below(uint64_t *state, uint64_t below)
{
    return draw(state) % below;
}

#endif
