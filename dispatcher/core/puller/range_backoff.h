/*
 * How long a range of a subscription is left alone after a failure: doubling with its failures in a
 * row, with jitter (ORACLE R1, R2, R4). The count belongs to the range, not to the region that
 * served it, so it survives a region's split, move and redefinition; it ends when the range is
 * initialised (O(1)), when its subscription ends, and when nothing was heard of it for long.
 *
 * Threads: one owner.
 */
#ifndef SLUICE_DISPATCHER_CORE_PULLER_RANGE_BACKOFF_H
#define SLUICE_DISPATCHER_CORE_PULLER_RANGE_BACKOFF_H

#include "common/base/key_map.h"
#include "dispatcher/core/backoff.h"
#include "dispatcher/core/puller/key_range.h"

typedef struct {
    uint64_t first_ns, max_ns;
    uint64_t forget_ns;        /* after the last failure */
    uint64_t busy_hint_max_ns; /* a store's wish is followed up to this */
    uint32_t ranges_max;       /* beyond it the one that failed longest ago is forgotten */
} range_backoff_settings_t;

#define RANGE_BACKOFF_DEFAULT                                                                      \
    ((range_backoff_settings_t){.first_ns = BACKOFF_FIRST_NS,                                      \
                                .max_ns = BACKOFF_MAX_NS,                                          \
                                .forget_ns = 300 * NS_PER_S,                                       \
                                .busy_hint_max_ns = 600 * NS_PER_S,                                \
                                .ranges_max = UINT32_C(1) << 20})

typedef struct range_failures range_failures_t;

/* The ranges of one subscription that have failed. Its number is unique. */
typedef struct {
    uint64_t number;
    range_failures_t *first;
} range_backoff_owner_t;

typedef struct {
    range_backoff_settings_t settings;
    key_map_t by_range;
    range_failures_t *oldest, *newest; /* by last failure */
} range_backoff_t;

void range_backoff_init(range_backoff_t *backoff, const range_backoff_settings_t *settings);
/* Owners are forgotten with it. */
void range_backoff_clear(range_backoff_t *backoff);

/* Counts a failure and returns the delay before the next attempt, at least what the store asked for
 * (`hint_ms`, bounded; 0: nothing). `random` is any number. */
uint64_t range_backoff_fail(range_backoff_t *backoff, range_backoff_owner_t *owner,
                            key_range_t range, uint64_t hint_ms, mono_ns_t now, uint64_t random);
/* The range is initialised. */
void range_backoff_succeed(range_backoff_t *backoff, range_backoff_owner_t *owner,
                           key_range_t range);
/* The subscription has ended. */
void range_backoff_forget_owner(range_backoff_t *backoff, range_backoff_owner_t *owner);

/* Failures in a row; 0: none are known. */
uint64_t range_backoff_failures(const range_backoff_t *backoff, const range_backoff_owner_t *owner,
                                key_range_t range);

#endif
