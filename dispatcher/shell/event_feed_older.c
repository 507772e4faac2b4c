#include <stdlib.h>

#include "common/base/memory.h"
#include "common/runtime/clock.h"
#include "common/runtime/fail_point.h"
#include "common/runtime/log.h"
#include "common/runtime/uri_servers.h"
#include "dispatcher/shell/event_feed_internal.h"
#include "dispatcher/shell/server_ids.h"

#define COMPONENT "feed"

/* One reading of older log, the service thread's. */
typedef struct {
    uint32_t server_id; /* 0: none claimed */
    schema_tracker_t *tracker;
    puller_actor_t *puller;
    feed_inbox_t *inbox;
} reading_t;

/* Called by the reader's thread. */
static void note_end(void *context, const error_report_t *report)
{
    reading_t *reading = context;
    feed_inbox_fail(reading->inbox, report);
}

static void pass_group(void *context, commit_ts_t commit_ts)
{
    (void)context;
    (void)FAIL_POINT("source.older.group", commit_ts.v, NULL);
}

static void close_reading(void *context, void *opened)
{
    (void)context;
    reading_t *reading = opened;
    puller_actor_destroy(&reading->puller);
    schema_tracker_destroy(&reading->tracker);
    if (reading->server_id)
        server_ids_release(reading->server_id);
    free(reading);
}

/* A tracker of its own, in the state that the anchor has. */
static schema_tracker_t *tracker_at(event_feed_t *feed, const anchor_t *anchor,
                                    error_report_t *report)
{
    arena_t arena = {0};
    bytes_t snapshot;
    schema_tracker_t *tracker = NULL;
    schema_tracker_options_t options = event_feed_tracker_options(feed);
    pthread_mutex_lock(&feed->tracker_lock);
    sluice_error_t error =
        schema_tracker_snapshot(feed->tracker, anchor->commit_ts, true, &arena, &snapshot);
    pthread_mutex_unlock(&feed->tracker_lock);
    if (error == SLUICE_OK)
        error = schema_tracker_from_snapshot(&options, snapshot, &tracker, report);
    else
        error_report_set(report, error, "the schema at %llu is no longer known",
                         (unsigned long long)anchor->commit_ts.v);
    arena_clear(&arena);
    return error == SLUICE_OK ? tracker : NULL;
}

static sluice_error_t start(event_feed_t *feed, reading_t *reading, const anchor_t *anchor,
                            uint32_t server, error_report_t *report)
{
    reading->tracker = tracker_at(feed, anchor, report);
    if (!reading->tracker)
        return report->code;
    puller_options_t options = event_feed_puller_options(feed, anchor);
    options.stream = "catch-up";
    options.has_fixed_server = true;
    options.fixed_server = server;
    options.server_id = reading->server_id;
    options.tracker = reading->tracker;
    options.inbox = reading->inbox;
    options.events.context = reading;
    options.events.on_position = pass_group;
    options.events.on_error = note_end;
    return puller_actor_start(&options, &reading->puller, report);
}

static void *open_reading(void *context, uint32_t server, commit_ts_t from, feed_inbox_t *inbox,
                          commit_ts_t *begins)
{
    event_feed_t *feed = context;
    anchor_t anchor;
    if (!event_feed_anchor(feed, from, &anchor))
        return NULL;
    error_report_t report = {.code = SLUICE_OK};
    uint32_t server_id;
    if (server_ids_claim(feed->server_id_first, &server_id) != SLUICE_OK)
        return NULL;
    reading_t *reading = memory_zalloc(sizeof *reading);
    reading->server_id = server_id;
    reading->inbox = inbox;
    if (start(feed, reading, &anchor, server, &report) != SLUICE_OK) {
        /* Forgotten since the anchor was found: the next try finds a newer one. */
        if (report.code != SLUICE_ERROR_NOT_FOUND)
            event_feed_note_error(feed, &report);
        close_reading(feed, reading);
        return NULL;
    }
    LOG(LOG_LEVEL_INFO, COMPONENT, feed->changefeed, "reading older log for dispatchers that lag",
        log_number("wanted", from.v), log_number("from", anchor.commit_ts.v));
    *begins = anchor.commit_ts;
    return reading;
}

static void note_retry(void *context, const error_report_t *report)
{
    event_feed_t *feed = context;
    uint64_t suppressed;
    if (report && log_limiter_allow(&feed->older_limiter, clock_mono(), &suppressed))
        LOG(LOG_LEVEL_WARNING, COMPONENT, feed->changefeed,
            "reading older log failed, trying again",
            log_text("error", sluice_error_name(report->code)), log_text("text", report->text),
            log_number("suppressed", suppressed));
    pthread_mutex_lock(&feed->lock);
    feed->retry_catch_up = report ? *report : (error_report_t){0};
    /* What is tried again does not fail a changefeed. */
    if (report && !sluice_error_is_retriable(report->code))
        feed->retry_catch_up.code = SLUICE_ERROR_SOURCE_CONNECTION;
    pthread_mutex_unlock(&feed->lock);
}

static void note_error(void *context, const error_report_t *report)
{
    event_feed_t *feed = context;
    LOG(LOG_LEVEL_ERROR, COMPONENT, feed->changefeed, "reading older log ended",
        log_text("error", sluice_error_name(report->code)), log_text("text", report->text));
    event_feed_note_error(feed, report);
}

catch_up_source_t event_feed_older_source(event_feed_t *feed)
{
    return (catch_up_source_t){.context = feed,
                               .open = open_reading,
                               .close = close_reading,
                               .on_retry = note_retry,
                               .on_error = note_error};
}

sluice_error_t event_feed_older_options(const event_feed_options_t *options,
                                        log_puller_options_t *puller, error_report_t *report)
{
    arena_t arena = {0};
    const uri_server_t *servers;
    uint32_t count = 0;
    sluice_error_t error =
        uri_servers_parse(options->config->source, &arena, &servers, &count, report);
    arena_clear(&arena);
    if (error != SLUICE_OK)
        return error;
    *puller = options->older ? *options->older : log_puller_options_default(1);
    puller->store_count = count;
    puller->seed = clock_mono().v ^ options->server_id_first;
    return SLUICE_OK;
}
