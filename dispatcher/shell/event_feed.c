#include <stdlib.h>

#include "common/base/memory.h"
#include "common/runtime/log.h"
#include "dispatcher/core/ddl/cascade_option.h"
#include "dispatcher/shell/event_feed_internal.h"
#include "dispatcher/shell/server_ids.h"

#define COMPONENT "feed"
#define SOURCE_HEARTBEAT_NS (1 * NS_PER_S)
#define SOURCE_READ_TIMEOUT_NS (5 * NS_PER_S)

schema_tracker_options_t event_feed_tracker_options(const event_feed_t *feed)
{
    return (schema_tracker_options_t){.filter = feed->filter,
                                      .lower_case_names = feed->lower_case_names,
                                      .allowed_cascades = feed->allowed_cascades};
}

/* ---- called by the live reader's thread ---- */

static sluice_error_t apply_ddl(void *context, const logged_ddl_t *ddl, schema_outcome_t *outcome,
                                error_report_t *report)
{
    event_feed_t *feed = context;
    pthread_mutex_lock(&feed->tracker_lock);
    sluice_error_t error = schema_tracker_apply(feed->tracker, ddl, outcome, report);
    if (error == SLUICE_OK && outcome->changes_schema) {
        arena_t arena = {0};
        schema_ddl_t encoded = schema_ddl_encode(ddl, &arena);
        schema_history_add(&feed->history, &encoded);
        arena_clear(&arena);
    }
    pthread_mutex_unlock(&feed->tracker_lock);
    return error;
}

static void note_position(void *context, commit_ts_t commit_ts)
{
    event_feed_t *feed = context;
    atomic_store_explicit(&feed->position, commit_ts.v, memory_order_release);
}

/* What an anchor still needs for a catch-up reading is kept: versions go with the anchors. */
static void note_anchor(void *context, const anchor_t *anchor)
{
    event_feed_t *feed = context;
    pthread_mutex_lock(&feed->lock);
    anchor_list_add(&feed->anchors, anchor);
    commit_ts_t oldest = feed->anchors.anchors[0].commit_ts;
    pthread_mutex_unlock(&feed->lock);
    if (oldest.v <= feed->forgotten.v)
        return;
    feed->forgotten = oldest;
    pthread_mutex_lock(&feed->tracker_lock);
    schema_tracker_forget(feed->tracker, oldest);
    pthread_mutex_unlock(&feed->tracker_lock);
}

void event_feed_note_error(event_feed_t *feed, const error_report_t *report)
{
    pthread_mutex_lock(&feed->lock);
    if (feed->error.code == SLUICE_OK)
        feed->error = *report;
    pthread_mutex_unlock(&feed->lock);
}

static void note_error(void *context, const error_report_t *report)
{
    event_feed_note_error(context, report);
}

static void note_live_retry(void *context, const error_report_t *report)
{
    event_feed_t *feed = context;
    pthread_mutex_lock(&feed->lock);
    feed->retry_live = report ? *report : (error_report_t){0};
    pthread_mutex_unlock(&feed->lock);
}

/* ---- readers ---- */

puller_options_t event_feed_puller_options(event_feed_t *feed, const anchor_t *anchor)
{
    return (puller_options_t){
        .uri = feed->uri,
        .changefeed = feed->changefeed,
        .heartbeat_ns = feed->heartbeat_ns,
        .read_timeout_ns = feed->read_timeout_ns,
        .servers = feed->source_servers,
        .domain = feed->domain,
        .anchor = *anchor,
        .group_bytes_max = feed->group_bytes_max,
        .spill_directory = feed->spill_directory,
        .syncpoint_interval_ms = feed->syncpoint_interval_ms,
        .filter = feed->filter,
        .lease_until = &feed->lease_until,
        .events = {.context = feed},
    };
}

static sluice_error_t start_live(event_feed_t *feed, const anchor_t *anchor, error_report_t *report)
{
    if (server_ids_claim(feed->server_id_first, &feed->server_id) != SLUICE_OK)
        return error_report_set(report, SLUICE_ERROR_FULL,
                                "this node reads for as many changefeeds as it has replication "
                                "server ids (%d)",
                                SERVER_ID_NUMBER_CHECK);
    puller_options_t options = event_feed_puller_options(feed, anchor);
    options.events.on_error = note_error;
    options.stream = "live";
    options.server_id = feed->server_id;
    options.tracker = feed->tracker;
    options.inbox = service_actor_inbox(feed->service);
    options.events.on_retry = note_live_retry;
    options.events.apply = apply_ddl;
    options.events.on_position = note_position;
    options.events.on_anchor = note_anchor;
    return puller_actor_start(&options, &feed->puller, report);
}

/* ---- open and close ---- */

static sluice_error_t apply_stored(event_feed_t *feed, const event_feed_options_t *options,
                                   error_report_t *report)
{
    arena_t arena = {0};
    sluice_error_t error = SLUICE_OK;
    for (uint32_t i = 0; i < options->ddl_count && error == SLUICE_OK; i++) {
        const schema_ddl_t *stored = &options->ddls[i];
        if (stored->commit_ts.v <= options->snapshot_ts.v ||
            stored->commit_ts.v > options->anchor.commit_ts.v)
            continue;
        logged_ddl_t ddl;
        schema_outcome_t outcome = {.kind = SCHEMA_OUTSIDE};
        error = schema_ddl_decode(stored, &arena, &ddl);
        if (error != SLUICE_OK)
            error_report_set(report, error, "the stored DDL of %llu cannot be read",
                             (unsigned long long)stored->commit_ts.v);
        else
            error = schema_tracker_apply(feed->tracker, &ddl, &outcome, report);
        if (error == SLUICE_OK && outcome.kind == SCHEMA_EVENT)
            ddl_event_unref(&outcome.event);
        arena_reset(&arena);
    }
    arena_clear(&arena);
    return error;
}

static sluice_error_t make_tracker(event_feed_t *feed, const event_feed_options_t *options,
                                   error_report_t *report)
{
    const changefeed_config_t *config = options->config;
    sluice_error_t error = table_filter_new(config->filter_rules, config->filter_rule_count,
                                            options->lower_case_names, &feed->filter, report);
    if (error == SLUICE_OK)
        error =
            cascade_option_read(config, options->lower_case_names, &feed->allowed_cascades, report);
    if (error != SLUICE_OK)
        return error;
    schema_tracker_options_t how = event_feed_tracker_options(feed);
    error = schema_tracker_from_snapshot(&how, options->snapshot, &feed->tracker, report);
    return error == SLUICE_OK ? apply_stored(feed, options, report) : error;
}

static char *text_of(bytes_t bytes)
{
    char *text = memory_zalloc(bytes.len + 1);
    if (bytes.len)
        memcpy(text, bytes.data, bytes.len);
    return text;
}

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
    return value ? value : otherwise;
}

/* A part lies in the tail as a whole, and others must find room beside it. */
static uint64_t group_bytes_max(const event_feed_options_t *options)
{
    uint64_t wanted = or_default(options->group_bytes_max, GROUP_BYTES_MAX_DEFAULT);
    uint64_t tail = or_default(options->tail_bytes_max, EVENT_SERVICE_TAIL_BYTES_MAX);
    return wanted < tail / 4 ? wanted : tail / 4;
}

static event_feed_t *new_feed(const event_feed_options_t *options)
{
    event_feed_t *feed = memory_zalloc(sizeof *feed);
    atomic_init(&feed->lease_until, UINT64_MAX);
    feed->uri = text_of(options->config->source);
    feed->changefeed = text_of(options->config->name);
    feed->spill_directory = memory_strdup(options->spill_directory);
    feed->domain = options->config->domain;
    feed->server_id_first = options->server_id_first;
    feed->lower_case_names = options->lower_case_names;
    feed->group_bytes_max = group_bytes_max(options);
    feed->heartbeat_ns = or_default(options->source_heartbeat_ns, SOURCE_HEARTBEAT_NS);
    feed->read_timeout_ns = or_default(options->source_read_timeout_ns, SOURCE_READ_TIMEOUT_NS);
    feed->source_servers =
        options->source_servers ? *options->source_servers : server_choice_default();
    feed->syncpoint_interval_ms = options->syncpoint_interval_ms;
    feed->forgotten = options->anchor.commit_ts;
    atomic_init(&feed->position, options->anchor.commit_ts.v);
    pthread_mutex_init(&feed->tracker_lock, NULL);
    pthread_mutex_init(&feed->lock, NULL);
    anchor_list_add(&feed->anchors, &options->anchor);
    schema_history_init(&feed->history, options->anchor.commit_ts);
    return feed;
}

sluice_error_t event_feed_open(const event_feed_options_t *options, event_feed_t **feed,
                               error_report_t *report)
{
    *feed = NULL;
    event_feed_t *self = new_feed(options);
    service_actor_options_t service = {
        .service = event_service_options_default(options->anchor.commit_ts),
        .catch_up = event_feed_older_source(self),
        .store = &rocksdb_store_api,
        .store_parent = self->spill_directory,
        .changefeed = self->changefeed,
    };
    service.service.tail_bytes_max =
        or_default(options->tail_bytes_max, service.service.tail_bytes_max);
    service.service.store_bytes_max = options->store_bytes_max;
    service.service.grace_ns = or_default(options->shed_grace_ns, service.service.grace_ns);
    service.service.group_bytes_max = self->group_bytes_max;
    sluice_error_t error = make_tracker(self, options, report);
    if (error == SLUICE_OK)
        error = event_feed_older_options(options, &service.puller, report);
    if (error == SLUICE_OK)
        error = service_actor_new(&service, &self->service, report);
    if (error == SLUICE_OK)
        error = service_actor_start(self->service, report);
    if (error == SLUICE_OK)
        error = start_live(self, &options->anchor, report);
    if (error != SLUICE_OK)
        event_feed_close(&self);
    *feed = self;
    return error;
}

void event_feed_close(event_feed_t **feed)
{
    event_feed_t *self = *feed;
    *feed = NULL;
    if (!self)
        return;
    puller_actor_destroy(&self->puller);
    service_actor_destroy(&self->service);
    if (self->server_id)
        server_ids_release(self->server_id);
    schema_tracker_destroy(&self->tracker);
    table_filter_destroy(&self->filter);
    table_filter_destroy(&self->allowed_cascades);
    schema_history_clear(&self->history);
    anchor_list_clear(&self->anchors);
    pthread_mutex_destroy(&self->tracker_lock);
    pthread_mutex_destroy(&self->lock);
    free(self->uri);
    free(self->changefeed);
    free(self->spill_directory);
    free(self);
}
