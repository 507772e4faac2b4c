/*
 * When a status that is not acknowledged is offered again: every interval; sooner, after a delay
 * that doubles, when the maintainer could not take it yet (IGNORED, LATER); soon when the buffer
 * was full.
 *
 * Threads: values.
 */
#ifndef SLUICE_DISPATCHER_CORE_DISPATCH_STATUS_RESEND_H
#define SLUICE_DISPATCHER_CORE_DISPATCH_STATUS_RESEND_H

#include "common/base/time.h"

#define STATUS_RESEND_INTERVAL_NS (5 * NS_PER_S)
#define STATUS_RETRY_FIRST_NS (50 * NS_PER_MS)
#define STATUS_RETRY_MAX_NS (5 * NS_PER_S)

typedef struct {
    uint64_t interval_ns;    /* between periodic repeats */
    uint64_t retry_first_ns; /* doubling up to … */
    uint64_t retry_max_ns;
} status_resend_options_t;

typedef struct {
    mono_ns_t resend_at; /* MONO_NEVER: acknowledged */
    mono_ns_t retry_at;
    uint64_t retry_delay_ns;
} status_resend_t;

/* Offered at `now` and not acknowledged. */
static inline void status_resend_start(status_resend_t *resend,
                                       const status_resend_options_t *options, mono_ns_t now)
{
    resend->resend_at = mono_add(now, options->interval_ns);
    resend->retry_at = MONO_NEVER;
    resend->retry_delay_ns = options->retry_first_ns;
}

static inline void status_resend_stop(status_resend_t *resend)
{
    resend->resend_at = resend->retry_at = MONO_NEVER;
}

static inline bool status_resend_is_stopped(const status_resend_t *resend)
{
    return resend->resend_at.v == UINT64_MAX;
}

/* IGNORED or LATER: the periodic repeat stays as it is. */
static inline void status_resend_retry(status_resend_t *resend,
                                       const status_resend_options_t *options, mono_ns_t now)
{
    if (status_resend_is_stopped(resend))
        return;
    resend->retry_at = mono_add(now, resend->retry_delay_ns);
    resend->retry_delay_ns *= 2;
    if (resend->retry_delay_ns > options->retry_max_ns)
        resend->retry_delay_ns = options->retry_max_ns;
}

/* There was no room for the offer: it was not made. Nobody is spared by waiting longer each time;
 * those that do are overtaken by all others. */
static inline void status_resend_soon(status_resend_t *resend,
                                      const status_resend_options_t *options, mono_ns_t now)
{
    if (!status_resend_is_stopped(resend))
        resend->retry_at = mono_add(now, options->retry_first_ns);
}

static inline mono_ns_t status_resend_deadline(const status_resend_t *resend)
{
    return mono_min(resend->resend_at, resend->retry_at);
}

/* Whether to offer again now; moves what has come due. */
static inline bool status_resend_due(status_resend_t *resend,
                                     const status_resend_options_t *options, mono_ns_t now)
{
    bool is_due = false;
    if (!status_resend_is_stopped(resend) && mono_reached(resend->resend_at, now)) {
        resend->resend_at = mono_add(now, options->interval_ns);
        is_due = true;
    }
    if (resend->retry_at.v != UINT64_MAX && mono_reached(resend->retry_at, now)) {
        resend->retry_at = MONO_NEVER;
        is_due = true;
    }
    return is_due;
}

#endif
