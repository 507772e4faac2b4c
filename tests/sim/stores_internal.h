/*
 * What stores.c (the run, what the puller says), stores_regions.c (the region map),
 * stores_serve.c (stores and streams) and stores_checks.c share.
 */
#ifndef SLUICE_TESTS_SIM_STORES_INTERNAL_H
#define SLUICE_TESTS_SIM_STORES_INTERNAL_H

#include "dispatcher/core/puller/log_puller.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/random.h"
#include "tests/sim/stores.h"

/* Keys are the letters 0 … LETTERS - 1; the first start and the last end are unbounded. */
#define LETTERS 40
#define SUBSCRIBERS 8
#define STORES_MAX 5
#define OPEN_MAX 1024 /* requests */

typedef struct {
    uint64_t id, epoch;
    int from, to;
    uint32_t leader;
    bool is_hidden; /* a hole in the map */
} sim_region_t;

/* Failures of one range in a row, as R1 and R2 count them. */
typedef struct {
    int from, to;
    uint64_t count;
    mono_ns_t last;
} failed_range_t;

#define FAILED_MAX 512

typedef struct {
    bool is_subscribed, has_fired;
    int from, to;
    uint64_t have[LETTERS];        /* everything up to it was delivered */
    mono_ns_t not_before[LETTERS]; /* no request earlier */
    bool is_initialised[LETTERS];
    failed_range_t failed[FAILED_MAX];
    uint32_t failed_count;
} subscriber_t;

typedef struct {
    uint64_t number, stream;
    uint32_t subscriber, store;
    int from, to;
    uint64_t region_id, region_epoch;
    bool is_live; /* initialised */
} open_request_t;

typedef struct {
    uint64_t number;
    uint32_t store;
    uint64_t read;
    bool has_delivered;
} open_stream_t;

typedef struct {
    bool is_down;
    uint64_t failures; /* as R7 counts them */
    uint64_t length_ns;
    mono_ns_t until;
} sim_store_t;

typedef struct {
    log_puller_t *puller;
    log_puller_options_t options;
    sim_random_t random;
    sim_event_queue_t queue;
    mono_ns_t now;
    bool has_faults, is_purged, has_failed_feed, is_printed;
    mono_ns_t heals_at, woken_at;
    sim_region_t regions[LETTERS];
    uint32_t region_count;
    uint64_t region_ids;
    sim_store_t stores[STORES_MAX];
    subscriber_t subscribers[SUBSCRIBERS];
    open_request_t requests[OPEN_MAX];
    uint32_t request_count;
    open_stream_t streams[OPEN_MAX];
    uint32_t stream_count;
    sim_stores_outcome_t outcome;
} stores_t;

/* Something to come. */
typedef struct {
    stores_t *world;
    uint64_t number; /* of a question, request or stream */
    uint32_t count; /* of the answer's regions; 0 with is_known false: looked up when it is given */
    bool is_known;
    int from, to;
    region_location_t regions[LETTERS];
} errand_t;

/* Calls `action` with the errand (consumed) after the delay. */
void stores_after(stores_t *world, uint64_t delay_ns, sim_action_t *action, const errand_t *errand);
/* Lets the puller do what it has to, and looks at what it says. */
void stores_turn(stores_t *world);
bool stores_chance(stores_t *world, uint32_t percent); /* only while there are faults */
void stores_violated(stores_t *world, const char *invariant, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void stores_say(stores_t *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

bytes_t start_key(int letter);
bytes_t end_key(int letter);
int letter_of_start(bytes_t key);
int letter_of_end(bytes_t key);

/* ---- stores_regions.c ---- */

void regions_draw(stores_t *world);
void regions_change(stores_t *world);
void regions_heal(stores_t *world);
/* The region that a request is about, if it is still that one; NULL: not found. */
const sim_region_t *regions_find(const stores_t *world, uint64_t id);
/* Answers of [from, to), from the left; how many. */
uint32_t regions_page(stores_t *world, int from, int to, region_location_t *page);

/* ---- stores_serve.c ---- */

void serve_locate(stores_t *world, const log_puller_effect_t *effect);
void serve_open(stores_t *world, const log_puller_effect_t *effect);
void serve_request(stores_t *world, const log_puller_effect_t *effect);

/* ---- stores_checks.c ---- */

open_request_t *find_request(stores_t *world, uint64_t number);
open_stream_t *find_stream(stores_t *world, uint64_t number);
void note_open(stores_t *world, const log_puller_effect_t *effect);
void note_request(stores_t *world, const log_puller_effect_t *effect);
void note_cancel(stores_t *world, const log_puller_effect_t *effect);
void note_close(stores_t *world, const log_puller_effect_t *effect);
void note_initialised(stores_t *world, const log_puller_effect_t *effect);
/* Before the puller is told; nothing if the request or stream is over. */
void note_region_failed(stores_t *world, uint64_t number, const region_failure_t *failure);
void note_stream_failed(stores_t *world, uint64_t number);
void note_region_initialised(stores_t *world, uint64_t number);
void note_read(stores_t *world, open_stream_t *stream, uint64_t read);
void note_subscribed(stores_t *world, uint32_t number, int from, int to, uint64_t start);
/* Every key of every subscription is in one place (G5). */
void check_places(stores_t *world);
void check_end(stores_t *world);

#endif
