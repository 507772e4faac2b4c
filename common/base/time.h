/*
 * Three kinds of time that must not be mixed (each its own one-field struct):
 *   mono_ns_t    monotonic clock, nanoseconds: every deadline and interval
 *   wall_ms_t    wall clock, milliseconds since 1970 UTC: commit_time, lag, what people read
 *   commit_ts_t  position in the source's log (common/base/ids.h)
 * Cores are given `now`; only the runtime reads clocks.
 */
#ifndef SLUICE_COMMON_BASE_TIME_H
#define SLUICE_COMMON_BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint64_t v;
} mono_ns_t;

typedef struct {
    uint64_t v;
} wall_ms_t;

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

/* No deadline: later than everything. */
#define MONO_NEVER ((mono_ns_t){UINT64_MAX})

static inline mono_ns_t mono_add(mono_ns_t at, uint64_t ns)
{
    return (mono_ns_t){at.v > UINT64_MAX - ns ? UINT64_MAX : at.v + ns};
}

/* 0 when `since` is later than `now`. */
static inline uint64_t mono_elapsed(mono_ns_t since, mono_ns_t now)
{
    return now.v > since.v ? now.v - since.v : 0;
}

static inline mono_ns_t mono_min(mono_ns_t a, mono_ns_t b)
{
    return a.v < b.v ? a : b;
}

static inline bool mono_reached(mono_ns_t deadline, mono_ns_t now)
{
    return now.v >= deadline.v;
}

#endif
