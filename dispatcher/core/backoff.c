#include "dispatcher/core/backoff.h"

backoff_t backoff_default(void)
{
    return (backoff_t){.first_ns = BACKOFF_FIRST_NS, .max_ns = BACKOFF_MAX_NS};
}

uint64_t backoff_fail(backoff_t *backoff, uint64_t random)
{
    uint64_t delay = backoff->first_ns;
    for (uint64_t i = 0; i < backoff->failures && delay < backoff->max_ns; i++)
        delay *= 2;
    if (delay > backoff->max_ns)
        delay = backoff->max_ns;
    backoff->failures++;
    uint64_t half = delay / 2;
    return delay - random % (half + 1);
}

void backoff_succeed(backoff_t *backoff)
{
    backoff->failures = 0;
}
