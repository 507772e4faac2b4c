/*
 * How long a server that failed is left alone: doubling with consecutive failures, cleared by a
 * success. The count outlives the cooldown by the cooldown's own length, so that a server that
 * fails at once again is not met with the shortest one (ORACLE R7).
 *
 * Threads: a value.
 */
#ifndef SLUICE_DISPATCHER_CORE_PULLER_STORE_COOLDOWN_H
#define SLUICE_DISPATCHER_CORE_PULLER_STORE_COOLDOWN_H

#include "common/base/time.h"

typedef struct {
    uint64_t first_ns, max_ns;
} store_cooldown_settings_t;

#define STORE_COOLDOWN_DEFAULT                                                                     \
    ((store_cooldown_settings_t){.first_ns = 200 * NS_PER_MS, .max_ns = 5 * NS_PER_S})

/* All zero: healthy. */
typedef struct {
    uint64_t failures; /* consecutive; 0: nothing else counts */
    uint64_t length_ns;
    mono_ns_t until;
} store_cooldown_t;

void store_cooldown_fail(store_cooldown_t *cooldown, const store_cooldown_settings_t *settings,
                         mono_ns_t now);

/* Writes nothing while the server is healthy. */
static inline void store_cooldown_succeed(store_cooldown_t *cooldown)
{
    if (cooldown->failures > 0)
        *cooldown = (store_cooldown_t){0};
}

/* 0: requests may be sent. */
static inline uint64_t store_cooldown_remaining(const store_cooldown_t *cooldown, mono_ns_t now)
{
    return cooldown->failures > 0 ? mono_elapsed(now, cooldown->until) : 0;
}

#endif
