#include "tests/sim/random.h"

/* splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators). */
uint64_t sim_random_next(sim_random_t *random)
{
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = random->state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t sim_random_below(sim_random_t *random, uint64_t below)
{
    return below == 0 ? 0 : sim_random_next(random) % below;
}

uint64_t sim_random_between(sim_random_t *random, uint64_t from, uint64_t to)
{
    return from + sim_random_below(random, to - from + 1);
}

bool sim_random_chance(sim_random_t *random, uint32_t percent)
{
    return sim_random_below(random, 100) < percent;
}

bool sim_random_rarely(sim_random_t *random, uint32_t per_mille)
{
    return sim_random_below(random, 1000) < per_mille;
}

sim_random_t sim_random_split(sim_random_t *random)
{
    return (sim_random_t){sim_random_next(random) ^ UINT64_C(0x5eed5eed5eed5eed)};
}
