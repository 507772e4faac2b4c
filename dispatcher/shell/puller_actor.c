#include "dispatcher/shell/puller_actor.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "dispatcher/shell/log_notes.h"
#include "dispatcher/shell/source_servers.h"
#include "dispatcher/shell/spill_file.h"
#include "dispatcher/upstream/upstream.h"

#define COMPONENT "puller"
#define ANCHOR_INTERVAL_NS (100 * NS_PER_MS)
#define LEASE_POLL_NS (50 * NS_PER_MS)
#define CHECK_INTERVAL_NS (10 * NS_PER_S) /* of an idle log */

struct puller_actor {
    puller_options_t options;
    log_reader_t *reader;
    spill_file_t spill;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows, up to the thread's own */
    pthread_cond_t stopped;
    upstream_t *upstream; /* while it is open */
    atomic_bool is_stopping;
    /* The thread's own. */
    source_servers_t servers;
    mono_ns_t anchored_at;
    mono_ns_t checked_at;
    bool has_read_group; /* over this connection */
    bool is_retrying;    /* told so, and not yet that it is over */
    log_limiter_t limiter;
    log_notes_t notes;
};

static bool is_stopping(puller_actor_t *puller)
{
    return atomic_load_explicit(&puller->is_stopping, memory_order_relaxed);
}

/* ---- what comes out of the log reader ---- */

static void give_anchor(puller_actor_t *puller, bool is_due)
{
    const puller_events_t *events = &puller->options.events;
    if (!events->on_anchor || !log_reader_is_between_groups(puller->reader))
        return;
    mono_ns_t now = clock_mono();
    if (!is_due && mono_elapsed(puller->anchored_at, now) < ANCHOR_INTERVAL_NS)
        return;
    puller->anchored_at = now;
    anchor_t anchor;
    log_reader_anchor(puller->reader, &anchor);
    events->on_anchor(events->context, &anchor);
}

/* A whole group, or the end of the log: the connection is worth something. */
static void note_success(puller_actor_t *puller)
{
    source_servers_delivered(&puller->servers);
    const puller_events_t *events = &puller->options.events;
    if (puller->is_retrying && events->on_retry)
        events->on_retry(events->context, NULL);
    puller->is_retrying = false;
}

/* SLUICE_ERROR_CLOSED: stopped meanwhile. */
static sluice_error_t take_items(puller_actor_t *puller, error_report_t *report)
{
    const puller_events_t *events = &puller->options.events;
    for (;;) {
        feed_item_t item;
        bool has_item;
        log_note_t note;
        sluice_error_t error = log_reader_take(puller->reader, &item, &has_item, &note, report);
        if (error != SLUICE_OK || !has_item)
            return error;
        log_notes_tell(&puller->notes, puller->options.changefeed, &note, item.commit_ts);
        bool completes = item.completes;
        if (completes && events->on_position)
            events->on_position(events->context, item.commit_ts);
        if (!feed_inbox_put(puller->options.inbox, &item))
            return SLUICE_ERROR_CLOSED;
        if (!completes)
            continue;
        puller->has_read_group = true;
        give_anchor(puller, false);
        note_success(puller);
    }
}

/* ---- one connection ---- */

static sluice_error_t open_upstream(puller_actor_t *puller, error_report_t *report)
{
    const puller_options_t *options = &puller->options;
    const uri_server_t *server = source_servers_current(&puller->servers);
    const upstream_api_t *api = upstream_find(server->uri);
    if (!api)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "no source of this kind: its scheme is unknown");
    upstream_options_t how = {.uri = server->uri,
                              .server_id = options->server_id,
                              .domain = options->domain,
                              .has_others = puller->servers.count > 1,
                              .heartbeat_ns = options->heartbeat_ns,
                              .read_timeout_ns = options->read_timeout_ns};
    log_reader_anchor(puller->reader, &how.anchor);
    if (!source_servers_know_times(&puller->servers))
        how.anchor.commit_time = (wall_ms_t){0};
    upstream_t *upstream;
    sluice_error_t error = api->open(&how, &upstream, report);
    if (error != SLUICE_OK)
        return error;
    if (puller->servers.count > 1)
        LOG(LOG_LEVEL_INFO, COMPONENT, options->changefeed, "reading the log of a server",
            log_text("stream", options->stream), log_text("server", server->name));
    puller->checked_at = clock_mono();
    puller->has_read_group = false;
    pthread_mutex_lock(&puller->lock);
    puller->upstream = upstream;
    pthread_mutex_unlock(&puller->lock);
    return SLUICE_OK;
}

static void close_upstream(puller_actor_t *puller)
{
    pthread_mutex_lock(&puller->lock);
    upstream_t *upstream = puller->upstream;
    puller->upstream = NULL;
    pthread_mutex_unlock(&puller->lock);
    if (upstream)
        upstream->api->close(&upstream);
}

static void wait_for_stop(puller_actor_t *puller)
{
    pthread_mutex_lock(&puller->lock);
    while (!puller->is_stopping)
        pthread_cond_wait(&puller->stopped, &puller->lock);
    pthread_mutex_unlock(&puller->lock);
}

static void note_caught_up(puller_actor_t *puller)
{
    give_anchor(puller, true);
    bool lags =
        source_servers_lag(&puller->servers, log_reader_position(puller->reader), clock_mono());
    feed_inbox_set_caught_up(puller->options.inbox, !lags);
    if (!lags)
        note_success(puller);
}

/* A finite log has ended: behind a whole group, or it was cut. */
static sluice_error_t end_of_log(puller_actor_t *puller, error_report_t *report)
{
    if (!log_reader_is_between_groups(puller->reader)) {
        anchor_t anchor;
        log_reader_anchor(puller->reader, &anchor);
        return error_report_set(report, SLUICE_ERROR_SOURCE_CORRUPT,
                                "the log ends in the middle of a group; the last whole one is "
                                "behind \"%s\"",
                                anchor.gtid_list);
    }
    note_caught_up(puller);
    wait_for_stop(puller);
    return SLUICE_OK;
}

static sluice_error_t check_idle(puller_actor_t *puller, error_report_t *report)
{
    upstream_t *upstream = puller->upstream;
    mono_ns_t now = clock_mono();
    if (!upstream->api->check || mono_elapsed(puller->checked_at, now) < CHECK_INTERVAL_NS)
        return SLUICE_OK;
    puller->checked_at = now;
    commit_ts_t position = log_reader_position(puller->reader);
    sluice_error_t error = upstream->api->check(upstream, position, report);
    return error == SLUICE_OK
               ? source_servers_compare(&puller->servers, puller->options.domain, position, report)
               : error;
}

/* A server that crashed may have left a piece of an event at the end of a file and sends nothing
 * beyond it; asked for what follows the last whole group it begins with the next file. */
static sluice_error_t upstream_failed(puller_actor_t *puller, error_report_t *report)
{
    log_reader_reset(puller->reader);
    give_anchor(puller, true);
    if (report->code == SLUICE_ERROR_SOURCE_CORRUPT && puller->has_read_group)
        report->code = SLUICE_ERROR_SOURCE_CONNECTION;
    return report->code;
}

/* Reads until stopped (SLUICE_OK, SLUICE_ERROR_CLOSED) or until something goes wrong. */
static sluice_error_t read_upstream(puller_actor_t *puller, error_report_t *report)
{
    upstream_t *upstream = puller->upstream;
    while (!is_stopping(puller)) {
        raw_event_t event;
        sluice_error_t error;
        switch (upstream->api->next(upstream, &event, report)) {
        case UPSTREAM_EVENT:
            error = log_reader_push(puller->reader, event.bytes, event.location, report);
            if (error == SLUICE_OK)
                error = take_items(puller, report);
            if (error != SLUICE_OK)
                return error;
            break;
        case UPSTREAM_CAUGHT_UP:
            note_caught_up(puller);
            error = check_idle(puller, report);
            if (error != SLUICE_OK)
                return error;
            break;
        case UPSTREAM_END:
            return end_of_log(puller, report);
        case UPSTREAM_INTERRUPTED:
            break;
        case UPSTREAM_FAILED:
            return upstream_failed(puller, report);
        }
    }
    return SLUICE_OK;
}

/* ---- from connection to connection ---- */

/* How far the log goes is not known any more. */
static void note_failure(puller_actor_t *puller, const error_report_t *report)
{
    const puller_events_t *events = &puller->options.events;
    uint64_t suppressed;
    feed_inbox_set_caught_up(puller->options.inbox, false);
    puller->is_retrying = true;
    if (events->on_retry)
        events->on_retry(events->context, report);
    if (log_limiter_allow(&puller->limiter, clock_mono(), &suppressed))
        LOG(LOG_LEVEL_WARNING, COMPONENT, puller->options.changefeed,
            "reading the source failed, trying again", log_text("stream", puller->options.stream),
            log_text("error", sluice_error_name(report->code)), log_text("text", report->text),
            log_number("suppressed", suppressed));
}

static void wait_until(puller_actor_t *puller, mono_ns_t at)
{
    struct timespec until = {.tv_sec = (time_t)(at.v / NS_PER_S),
                             .tv_nsec = (long)(at.v % NS_PER_S)};
    pthread_mutex_lock(&puller->lock);
    while (!puller->is_stopping && !mono_reached(at, clock_mono()) &&
           pthread_cond_timedwait(&puller->stopped, &puller->lock, &until) == 0)
        continue;
    pthread_mutex_unlock(&puller->lock);
}

static bool has_lease(const puller_actor_t *puller)
{
    const atomic_uint_fast64_t *until = puller->options.lease_until;
    return !until || clock_mono().v < atomic_load_explicit(until, memory_order_relaxed);
}

/* Until a connection may be opened. False: stopping. */
static bool wait_for_turn(puller_actor_t *puller)
{
    wait_until(puller, source_servers_next(&puller->servers, clock_mono()));
    while (!has_lease(puller) && !is_stopping(puller))
        wait_until(puller, mono_add(clock_mono(), LEASE_POLL_NS));
    return !is_stopping(puller);
}

/* Without a lease the server id may be another node's by now: that says nothing of the source. */
static bool may_go_on(puller_actor_t *puller, error_report_t *report)
{
    if (report->code == SLUICE_ERROR_SOURCE_SERVER_ID && !has_lease(puller))
        return true;
    return source_servers_failed(&puller->servers, report, clock_mono());
}

/* Whoever chose the server says what it means that it failed. */
static void end_reading(puller_actor_t *puller, const error_report_t *report)
{
    const puller_options_t *options = &puller->options;
    if (!options->has_fixed_server)
        LOG(LOG_LEVEL_ERROR, COMPONENT, options->changefeed, "reading the source ended",
            log_text("stream", options->stream), log_text("error", sluice_error_name(report->code)),
            log_text("text", report->text));
    if (options->events.on_error)
        options->events.on_error(options->events.context, report);
}

static void *run(void *context)
{
    puller_actor_t *puller = context;
    while (wait_for_turn(puller)) {
        error_report_t report = {.code = SLUICE_OK};
        sluice_error_t error = open_upstream(puller, &report);
        if (error == SLUICE_OK)
            error = read_upstream(puller, &report);
        close_upstream(puller);
        if (error == SLUICE_OK || is_stopping(puller))
            break;
        report.code = error;
        if (!may_go_on(puller, &report)) {
            end_reading(puller, &report);
            break;
        }
        log_reader_reset(puller->reader);
        note_failure(puller, &report);
    }
    return NULL;
}

static void free_puller(puller_actor_t *puller)
{
    log_reader_destroy(&puller->reader);
    spill_file_close(&puller->spill);
    source_servers_clear(&puller->servers);
    pthread_cond_destroy(&puller->stopped);
    pthread_mutex_destroy(&puller->lock);
    free((char *)puller->options.uri);
    free((char *)puller->options.changefeed);
    free((char *)puller->options.spill_directory);
    free(puller);
}

static sluice_error_t new_reader(puller_actor_t *puller, error_report_t *report)
{
    const puller_options_t *options = &puller->options;
    /* They lie where commit times pass an interval's end, and every reader has to find the same. */
    if (options->syncpoint_interval_ms > 0 && puller->servers.count > 1)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "sync points need a source of one server: a replica does not log "
                                "the commit times of its primary");
    log_reader_options_t how = {.domain = options->domain,
                                .anchor = options->anchor,
                                .group_bytes_max = options->group_bytes_max,
                                .spill = spill_file_callbacks(&puller->spill),
                                .syncpoint_interval_ms = options->syncpoint_interval_ms,
                                .filter = options->filter,
                                .tracker = options->tracker,
                                .apply = options->events.apply,
                                .apply_context = options->events.context};
    if (log_reader_new(&how, &puller->reader) == SLUICE_OK)
        return SLUICE_OK;
    return error_report_set(report, SLUICE_ERROR_MALFORMED,
                            "the start position \"%s\" is no GTID list", options->anchor.gtid_list);
}

sluice_error_t puller_actor_start(const puller_options_t *options, puller_actor_t **puller,
                                  error_report_t *report)
{
    *puller = NULL;
    puller_actor_t *self = memory_zalloc(sizeof *self);
    self->options = *options;
    self->options.uri = memory_strdup(options->uri);
    self->options.changefeed = memory_strdup(options->changefeed);
    self->options.spill_directory = memory_strdup(options->spill_directory);
    spill_file_init(&self->spill, self->options.spill_directory);
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&self->stopped, &attributes);
    pthread_condattr_destroy(&attributes);
    sluice_error_t error = source_servers_init(&self->servers, options->uri, &options->servers,
                                               clock_mono().v ^ options->server_id, report);
    if (error == SLUICE_OK && options->has_fixed_server)
        source_servers_fix(&self->servers, options->fixed_server);
    if (error == SLUICE_OK)
        error = new_reader(self, report);
    if (error == SLUICE_OK && pthread_create(&self->thread, NULL, run, self) != 0)
        error = error_report_set(report, SLUICE_ERROR_MEMORY, "no thread left to read the source");
    if (error != SLUICE_OK) {
        free_puller(self);
        return error;
    }
    *puller = self;
    return SLUICE_OK;
}

void puller_actor_destroy(puller_actor_t **puller)
{
    puller_actor_t *self = *puller;
    *puller = NULL;
    if (!self)
        return;
    feed_inbox_stop(self->options.inbox);
    pthread_mutex_lock(&self->lock);
    self->is_stopping = true;
    pthread_cond_broadcast(&self->stopped);
    if (self->upstream)
        self->upstream->api->interrupt(self->upstream);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    free_puller(self);
}
