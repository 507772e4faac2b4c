/*
 * What feed.c (service, questions) and feed_reading.c (the readings) share.
 */
#ifndef SLUICE_TESTS_SIM_FEED_INTERNAL_H
#define SLUICE_TESTS_SIM_FEED_INTERNAL_H

#include "dispatcher/core/anchor_list.h"
#include "dispatcher/core/backoff.h"
#include "dispatcher/core/event_service.h"
#include "dispatcher/core/log_reader.h"
#include "dispatcher/core/puller/catch_up.h"
#include "dispatcher/core/schema_history.h"
#include "tests/memory_store.h"
#include "tests/sim/feed.h"
#include "tests/sim/timer.h"

/* One reading of the log. */
typedef struct sim_reading sim_reading_t;
struct sim_reading {
    sim_feed_t *feed;
    bool is_live;
    bool is_connected;
    bool has_ended;      /* with an error that is for good */
    uint64_t number;     /* of older log: the stream's */
    sluice_error_t lost; /* of older log: why its connection ended; the feed takes it away then */
    sim_reading_t *after;
    log_reader_t *reader;
    schema_tracker_t *tracker; /* the feed's, or its own */
    commit_ts_t read;          /* the last group that was pushed whole on this connection */
    uint8_t *spilled;          /* of a large group */
    size_t spilled_len;
    backoff_t backoff;
    mono_ns_t anchored_at;
    sim_timer_t timer;
};

typedef struct {
    stream_event_t *items;
    uint32_t first, count, capacity;
} sim_ring_t;

/* The event store: requests wait their turn, one is carried out at a time. */
typedef struct {
    memory_store_t memory;
    store_request_t *requests;
    uint32_t first, count, capacity;
    uint64_t delay_ns; /* of a request, at most */
    sim_timer_t timer;
} sim_store_t;

struct sim_feed {
    sim_world_t *world;
    sim_process_t *process;
    const sim_log_t *log;
    sim_random_t random;
    table_filter_t *filter;
    schema_tracker_t *tracker;
    schema_history_t history;
    anchor_list_t anchors;
    commit_ts_t forgotten, position;
    uint64_t group_bytes_max;
    event_service_t *service;
    catch_up_t *catch_up;
    sim_reading_t *live, *older;  /* `older`: a list */
    sim_timer_t timer;            /* of the service */
    sim_ring_t ring, remote_ring; /* the latter for other nodes */
    sim_store_t store;
    stream_request_t *requests;
    uint32_t request_count, request_capacity;
    error_report_t error;
};

/* Begins to read behind the anchor; `tracker` NULL: the feed's own, live. */
sim_reading_t *reading_new(sim_feed_t *feed, const anchor_t *anchor, schema_tracker_t *tracker,
                           error_report_t *report);
/* Destroys a tracker of its own. */
void reading_destroy(sim_reading_t **reading);

/* Draws its size and speed. */
void feed_store_open(sim_feed_t *feed, event_service_options_t *how);
void feed_store_close(sim_feed_t *feed);
/* Takes what the service asks of it. */
void feed_store_steer(sim_feed_t *feed);

/* Lets the service have a turn soon. */
void feed_ring(sim_feed_t *feed);

#endif
