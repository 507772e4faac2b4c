/*
 * Brings what subscribers want of a log that several stores serve (DESIGN §6, Log puller): locates
 * the regions of a subscription's span, requests each at its store, and tries again what failed,
 * in a way that hammers nobody: a backoff for each range, a cooldown for each store, ranges to be
 * located again collected and merged, a bounded number of streams at each store.
 *
 * Every key of a subscribed span lies in exactly one range, and each range is in exactly one place
 * (ORACLE G5): being located, waiting to be tried again, waiting to be located again, waiting at a
 * store, requested there, or initialised. So two requests are never on one range, and a range has
 * left its request before its failure is counted (R8).
 *
 * What is wanted from outside comes out of log_puller_take, in order: where regions are (answered
 * with log_puller_located), streams to open and requests to put on them (answered with how they
 * fare), and what became of a subscription. Numbers of questions, streams and requests are never
 * used twice; an answer to one that is over is ignored.
 *
 * Pure. Threads: one owner.
 */
#ifndef SLUICE_DISPATCHER_CORE_PULLER_LOG_PULLER_H
#define SLUICE_DISPATCHER_CORE_PULLER_LOG_PULLER_H

#include "dispatcher/core/puller/key_range.h"
#include "dispatcher/core/puller/range_backoff.h"
#include "dispatcher/core/puller/range_reload.h"
#include "dispatcher/core/puller/region_failure.h"
#include "dispatcher/core/puller/store_cooldown.h"

#define LOG_PULLER_STORES_MAX 16
/* Beyond these a subscription is refused; a page that would make more ranges is asked for again
 * after a while. */
#define LOG_PULLER_SUBSCRIPTIONS_MAX (UINT32_C(1) << 20)
#define LOG_PULLER_RANGES_MAX (UINT32_C(1) << 21)
/* Regions of one answer. */
#define LOG_PULLER_PAGE_MAX 1024

typedef struct log_puller log_puller_t;

typedef struct {
    uint32_t store_count; /* 1 … LOG_PULLER_STORES_MAX */
    range_backoff_settings_t backoff;
    store_cooldown_settings_t cooldown;
    range_reload_settings_t reload;
    uint64_t page_retry_ns; /* before a page that had a hole is asked for again */
    uint32_t streams_max;   /* of a store */
    uint32_t high_multiplier;
    uint64_t seed; /* of the jitter */
} log_puller_options_t;

log_puller_options_t log_puller_options_default(uint32_t store_count);

log_puller_t *log_puller_new(const log_puller_options_t *options);
void log_puller_destroy(log_puller_t **puller);

/* ---- subscriptions ---- */

/* Everything of the span above `start` is wanted. Keys are copied. A subscription of this
 * dispatcher that there is ends. False: there are as many as there may be. */
bool log_puller_subscribe(log_puller_t *puller, dispatcher_id_t dispatcher_id, span_t span,
                          commit_ts_t start, pull_priority_t priority);
/* Nothing of it is tried again, and what is requested is cancelled. */
void log_puller_unsubscribe(log_puller_t *puller, dispatcher_id_t dispatcher_id);

/* ---- what is wanted from outside ---- */

typedef enum {
    LOG_PULLER_LOCATE,      /* answer: log_puller_located */
    LOG_PULLER_OPEN,        /* a stream of the store's log, above `start` or from further back */
    LOG_PULLER_REQUEST,     /* the region is carried by the stream */
    LOG_PULLER_CANCEL,      /* the request is over */
    LOG_PULLER_CLOSE,       /* nobody needs the stream any more */
    LOG_PULLER_INITIALISED, /* the subscription: all of its span is; once */
    LOG_PULLER_FAILED       /* the changefeed fails with `error` */
} log_puller_effect_kind_t;

typedef struct {
    log_puller_effect_kind_t kind;
    dispatcher_id_t dispatcher_id; /* LOCATE, REQUEST, CANCEL, INITIALISED */
    uint64_t number;               /* LOCATE, REQUEST, CANCEL: of the question or request */
    uint64_t stream;               /* OPEN, REQUEST, CANCEL, CLOSE */
    uint32_t store;                /* OPEN, REQUEST, CANCEL, CLOSE */
    commit_ts_t start;             /* OPEN, REQUEST */
    table_id_t table_id;           /* LOCATE, REQUEST */
    key_range_t range; /* LOCATE, REQUEST: borrowed until the next call of any function */
    uint64_t region_id, region_epoch; /* REQUEST */
    sluice_error_t error;             /* FAILED */
} log_puller_effect_t;

/* Moves on what is due. To be called after other calls too, since they leave work to it. */
void log_puller_step(log_puller_t *puller, mono_ns_t now);
/* False: nothing for now. */
bool log_puller_take(log_puller_t *puller, log_puller_effect_t *effect);
mono_ns_t log_puller_next_deadline(const log_puller_t *puller);

/* ---- what comes back ---- */

typedef struct {
    uint64_t region_id, region_epoch;
    key_range_t range; /* of the region, which may be larger than what was asked for */
    uint32_t store;    /* its leader */
} region_location_t;

/* At most LOG_PULLER_PAGE_MAX regions from the left edge of what was asked for, in order, without a
 * hole; anything else (0 regions: it could not be answered) is asked for again after a while. What
 * lies behind the last one is asked for next. */
void log_puller_located(log_puller_t *puller, uint64_t number, const region_location_t *regions,
                        uint32_t count, mono_ns_t now);

/* The region delivers from its start on, and has come to where the live log is. The stream does not
 * carry it any longer. */
void log_puller_region_initialised(log_puller_t *puller, uint64_t request, mono_ns_t now);
void log_puller_region_failed(log_puller_t *puller, uint64_t request,
                              const region_failure_t *failure, mono_ns_t now);

/* Where the stream is: a range that starts at or above `read` can still be carried by it. */
void log_puller_stream_at(log_puller_t *puller, uint32_t store, uint64_t stream, commit_ts_t read);
/* The store has delivered: it is healthy. */
void log_puller_store_serves(log_puller_t *puller, uint32_t store);
/* The stream is closed, and what it carried has failed; so has what waits at a store whose
 * connection failed. */
void log_puller_stream_failed(log_puller_t *puller, uint32_t store, uint64_t stream,
                              const region_failure_t *failure, mono_ns_t now);

/* ---- for looking at ---- */

/* When requests may be sent to the store; a time that has passed: now. */
mono_ns_t log_puller_store_allowed_at(const log_puller_t *puller, uint32_t store);

typedef enum {
    RANGE_LOCATING,  /* asked for a page */
    RANGE_RETRYING,  /* waits in the retry scheduler */
    RANGE_RELOADING, /* collected by the reload aggregator */
    RANGE_QUEUED,    /* waits at its store */
    RANGE_REQUESTED,
    RANGE_INITIALISED
} range_place_t;

/* Calls `visit` for every range of the subscription, in no order; false: there is none. */
bool log_puller_visit_ranges(const log_puller_t *puller, dispatcher_id_t dispatcher_id,
                             void (*visit)(void *context, key_range_t range, range_place_t place),
                             void *context);

typedef struct {
    uint32_t subscriptions, ranges;
    uint64_t locates, requests, failures, reloads, unclassified; /* since the beginning */
    uint32_t failing; /* ranges whose last attempt failed and that wait to be tried again */
} log_puller_state_t;

log_puller_state_t log_puller_state(const log_puller_t *puller);

#endif
