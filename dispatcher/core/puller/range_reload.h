/*
 * The ranges of one subscription that have to be located again: collected for a short while, or
 * until there are many, then given out as few ranges as possible (ORACLE G1 to G4). What overlaps
 * or touches becomes one, with the strongest priority of what it was made of, one step lowered,
 * and the lowest of their positions.
 *
 * Threads: one owner.
 */
#ifndef SLUICE_DISPATCHER_CORE_PULLER_RANGE_RELOAD_H
#define SLUICE_DISPATCHER_CORE_PULLER_RANGE_RELOAD_H

#include "common/base/ids.h"
#include "common/base/time.h"
#include "dispatcher/core/puller/key_range.h"
#include "dispatcher/core/puller/pull_priority.h"

typedef struct {
    uint64_t debounce_ns; /* after the first range */
    uint32_t ranges_max;  /* so many are given out at once */
} range_reload_settings_t;

#define RANGE_RELOAD_DEFAULT                                                                       \
    ((range_reload_settings_t){.debounce_ns = 25 * NS_PER_MS, .ranges_max = 128})

typedef struct {
    key_range_t range;
    commit_ts_t start; /* everything above it is wanted */
    pull_priority_t priority;
} reload_range_t;

/* All zero is an empty one. */
typedef struct {
    reload_range_t *ranges;
    uint32_t count, capacity;
    mono_ns_t due; /* while there are some */
} range_reload_t;

void range_reload_clear(range_reload_t *reload);

/* Adds a range; its keys are copied. An empty one is ignored. */
void range_reload_add(range_reload_t *reload, const range_reload_settings_t *settings,
                      const reload_range_t *range, mono_ns_t now);

/* MONO_NEVER: there are none; a time that has passed: at once. */
static inline mono_ns_t range_reload_deadline(const range_reload_t *reload)
{
    return reload->count ? reload->due : MONO_NEVER;
}

/* Everything collected, merged and in order: *count ranges, which with the array are the caller's
 * (range_reload_free). NULL: there were none. */
reload_range_t *range_reload_take(range_reload_t *reload, uint32_t *count);
void range_reload_free(reload_range_t *ranges, uint32_t count);

#endif
