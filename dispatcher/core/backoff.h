/*
 * How long to wait before the next attempt: doubling from the first to the longest delay, with
 * jitter in [d/2, d], so that many who failed together do not come back together (ORACLE R1).
 *
 * Threads: a value.
 */
#ifndef SLUICE_DISPATCHER_CORE_BACKOFF_H
#define SLUICE_DISPATCHER_CORE_BACKOFF_H

#include "common/base/time.h"

#define BACKOFF_FIRST_NS (50 * NS_PER_MS)
#define BACKOFF_MAX_NS (2 * NS_PER_S)

typedef struct {
    uint64_t first_ns, max_ns;
    uint64_t failures; /* since the last success */
} backoff_t;

backoff_t backoff_default(void);

/* Counts a failure and returns the delay before the next attempt. `random` is any number. */
uint64_t backoff_fail(backoff_t *backoff, uint64_t random);
void backoff_succeed(backoff_t *backoff);

#endif
