/*
 * What the parts of the log puller share: log_puller.c (subscriptions, effects, what is due),
 * log_puller_ranges.c (ranges and their places), log_puller_answers.c (what comes back).
 */
#ifndef SLUICE_DISPATCHER_CORE_PULLER_LOG_PULLER_INTERNAL_H
#define SLUICE_DISPATCHER_CORE_PULLER_LOG_PULLER_INTERNAL_H

#include <stddef.h>

#include "dispatcher/core/puller/initialised_ranges.h"
#include "dispatcher/core/puller/log_puller.h"
#include "dispatcher/core/puller/retry_scheduler.h"
#include "dispatcher/core/puller/store_window.h"

/* What waits in the retry scheduler: retry_item_t.kind. */
typedef enum {
    DUE_PAGE,   /* a range: its page is asked for */
    DUE_REGION, /* a range: its region is requested */
    DUE_RANGE,  /* a range: goes to the reload aggregator */
    DUE_RELOAD, /* a subscription: its reload aggregator gives out */
    DUE_STORE   /* a store: its cooldown ends */
} due_kind_t;

typedef struct subscription subscription_t;
typedef struct range range_t;

struct range {
    subscription_t *subscription;
    range_t *before, *after; /* of the subscription */
    key_range_t keys;        /* own */
    commit_ts_t start;
    pull_priority_t priority;
    range_place_t place; /* what is RELOADING is the aggregator's, and no range here */
    bool is_placed;      /* false: just made */
    uint64_t number;     /* of the question or request; 0: none */
    retry_item_t retry;
    window_request_t request;
    uint32_t store;
    uint64_t region_id, region_epoch;
};

struct subscription {
    uint32_t index; /* in log_puller.all */
    dispatcher_id_t dispatcher_id;
    table_id_t table_id;
    key_range_t span; /* own */
    range_t *ranges;
    range_backoff_owner_t backoff;
    range_reload_t reload;
    retry_item_t reload_due;
    initialised_ranges_t initialised;
};

typedef struct {
    store_cooldown_t cooldown;
    retry_item_t cooled;
    store_window_t window;
} store_t;

typedef struct {
    log_puller_effect_t *items; /* keys are filled in when taken */
    size_t first, count, capacity;
} effect_queue_t;

struct log_puller {
    log_puller_options_t options;
    key_map_t by_dispatcher; /* subscription_t */
    key_map_t by_number;     /* range_t: questions and requests that are open */
    subscription_t **all;
    uint32_t count, capacity;
    store_t stores[LOG_PULLER_STORES_MAX];
    retry_scheduler_t retries;
    range_backoff_t backoff;
    effect_queue_t effects;
    uint64_t numbers, random;
    uint64_t closed_stream; /* it is closed already while what it carried leaves it; 0: none */
    bool has_failed;
    log_puller_state_t state;
};

static inline range_t *range_of_retry(retry_item_t *item)
{
    return (range_t *)((char *)item - offsetof(range_t, retry));
}

static inline range_t *range_of_request(window_request_t *request)
{
    return (range_t *)((char *)request - offsetof(range_t, request));
}

static inline subscription_t *subscription_of_retry(retry_item_t *item)
{
    return (subscription_t *)((char *)item - offsetof(subscription_t, reload_due));
}

/* ---- log_puller_ranges.c ---- */

/* A new range of the subscription, in no place yet; keys are copied. */
range_t *range_add(log_puller_t *puller, subscription_t *subscription, key_range_t keys,
                   commit_ts_t start, pull_priority_t priority);
/* It leaves its place and is no more. */
void range_remove(log_puller_t *puller, range_t *range);

/* From its place to another one. */
void range_locate(log_puller_t *puller, range_t *range);
void range_retry(log_puller_t *puller, range_t *range, due_kind_t then, mono_ns_t due);
/* Goes to the aggregator: `range` is no more. */
void range_reload(log_puller_t *puller, range_t *range, mono_ns_t now);
void range_queue(log_puller_t *puller, range_t *range);
void range_requested(log_puller_t *puller, range_t *range);
void range_initialised(log_puller_t *puller, range_t *range);
/* What the aggregator collected becomes ranges that are located. */
void reload_give_out(log_puller_t *puller, subscription_t *subscription);

/* The range has failed: counts it, and has it tried again. */
void range_failed(log_puller_t *puller, range_t *range, const region_failure_t *failure,
                  mono_ns_t now);
void store_failed(log_puller_t *puller, uint32_t store, mono_ns_t now);

/* ---- log_puller.c ---- */

log_puller_effect_t *effect_put(log_puller_t *puller, log_puller_effect_kind_t kind);
subscription_t *subscription_find(const log_puller_t *puller, dispatcher_id_t dispatcher_id);
range_t *range_find(const log_puller_t *puller, uint64_t number);

#endif
