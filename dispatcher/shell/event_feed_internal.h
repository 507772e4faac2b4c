/*
 * What event_feed.c (opening, the live reader), event_feed_older.c (readers of older log) and
 * event_feed_questions.c (what the protocol thread asks) share.
 */
#ifndef SLUICE_DISPATCHER_SHELL_EVENT_FEED_INTERNAL_H
#define SLUICE_DISPATCHER_SHELL_EVENT_FEED_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/runtime/log.h"
#include "dispatcher/core/anchor_list.h"
#include "dispatcher/core/schema_history.h"
#include "dispatcher/shell/event_feed.h"
#include "dispatcher/shell/puller_actor.h"
#include "dispatcher/shell/service_actor.h"

struct event_feed {
    char *uri, *changefeed, *spill_directory;
    uint32_t domain;
    uint32_t server_id_first, server_id; /* the live reader's; 0: none claimed */
    bool lower_case_names;
    uint64_t group_bytes_max, heartbeat_ns, read_timeout_ns, syncpoint_interval_ms;
    server_choice_settings_t source_servers;
    table_filter_t *filter, *allowed_cascades; /* the latter NULL: none */

    /* Written by the live reader's thread under its lock, read by that thread without, by others
     * under it. */
    schema_tracker_t *tracker;
    pthread_mutex_t tracker_lock;
    schema_history_t history; /* under that lock */
    commit_ts_t forgotten;    /* the reader's: versions up to it are gone */

    atomic_uint_fast64_t lease_until; /* for the pullers */

    atomic_uint_fast64_t position; /* the live reader's: the tracker has every DDL up to it */

    pthread_mutex_t lock; /* of what follows */
    anchor_list_t anchors;
    error_report_t error;
    error_report_t retry_live, retry_catch_up; /* what readers try to get over */

    service_actor_t *service;
    puller_actor_t *puller;

    log_limiter_t older_limiter; /* the service thread's */
};

/* The first error counts. Any thread. */
void event_feed_note_error(event_feed_t *feed, const error_report_t *report);
schema_tracker_options_t event_feed_tracker_options(const event_feed_t *feed);
puller_options_t event_feed_puller_options(event_feed_t *feed, const anchor_t *anchor);

/* ---- event_feed_older.c ---- */

catch_up_source_t event_feed_older_source(event_feed_t *feed);
/* SLUICE_ERROR_CONFIGURATION: the source's URI. */
sluice_error_t event_feed_older_options(const event_feed_options_t *options,
                                        log_puller_options_t *puller,
                                        error_report_t *report) SLUICE_MUST_USE;

#endif
