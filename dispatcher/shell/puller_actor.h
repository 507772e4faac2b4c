/*
 * The thread that reads a log: upstream → log reader → inbox. Connections that fail are opened
 * again where the last complete group ended, after a growing pause and with a valid lease; what
 * cannot heal, or any failure when somebody else chooses the server, ends it with a report.
 *
 * Threads: started and stopped by one; the thread itself owns upstream, log reader and tracker.
 */
#ifndef SLUICE_DISPATCHER_SHELL_PULLER_ACTOR_H
#define SLUICE_DISPATCHER_SHELL_PULLER_ACTOR_H

#include <stdatomic.h>

#include "dispatcher/core/log_reader.h"
#include "dispatcher/core/puller/server_choice.h"
#include "dispatcher/shell/feed_inbox.h"

typedef struct puller_actor puller_actor_t;

/* Called by the puller's thread. Each may be NULL. */
typedef struct {
    void *context;
    /* In place of schema_tracker_apply. */
    sluice_error_t (*apply)(void *context, const logged_ddl_t *ddl, schema_outcome_t *outcome,
                            error_report_t *report);
    /* The tracker has every DDL up to commit_ts: after every group, before its last item is put
     * into the inbox, so that whoever saw that item finds it so. */
    void (*on_position)(void *context, commit_ts_t commit_ts);
    /* A place from which the log can be opened; at bounded intervals. */
    void (*on_anchor)(void *context, const anchor_t *anchor);
    /* The connection failed and will be opened again; NULL: it reads again. */
    void (*on_retry)(void *context, const error_report_t *report);
    /* The end: the reading cannot go on. Once, the last call. */
    void (*on_error)(void *context, const error_report_t *report);
} puller_events_t;

typedef struct {
    const char *uri;        /* copied */
    const char *changefeed; /* for log lines; copied */
    const char *stream;     /* "live", "catch-up": for log lines; static */
    uint32_t server_id;
    uint64_t heartbeat_ns, read_timeout_ns;
    server_choice_settings_t servers;
    bool has_fixed_server; /* only this one of the list, and not again after a failure */
    uint32_t fixed_server;
    uint32_t domain;
    anchor_t anchor;
    uint64_t group_bytes_max;
    const char *spill_directory; /* copied */
    uint64_t syncpoint_interval_ms;
    const table_filter_t *filter; /* borrowed until the puller is destroyed */
    schema_tracker_t *tracker;    /* borrowed likewise */
    feed_inbox_t *inbox;          /* borrowed likewise */
    /* Monotonic; connections are opened only before it. Borrowed likewise; NULL: always. */
    const atomic_uint_fast64_t *lease_until;
    puller_events_t events;
} puller_options_t;

/* Starts the thread. */
sluice_error_t puller_actor_start(const puller_options_t *options, puller_actor_t **puller,
                                  error_report_t *report) SLUICE_MUST_USE;
/* Interrupts, joins, frees; stops the inbox. NULL is allowed. */
void puller_actor_destroy(puller_actor_t **puller);

#endif
