#include "dispatcher/shell/hosted_changefeed.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "common/wire/changefeed_config.h"
#include "dispatcher/core/syncpoint_option.h"
#include "dispatcher/shell/event_feed.h"
#include "dispatcher/shell/server_ids.h"
#include "dispatcher/shell/sink_forget.h"
#include "dispatcher/shell/sink_pool.h"

struct hosted_changefeed {
    arena_t arena; /* what lives as long as it does */
    changefeed_config_t config;
    sink_t *sink;
    sink_pool_t *pool;
    event_feed_t *feed;
    pthread_t thread; /* that ends it */
    bool has_thread;
    bool forgets; /* the sink is to forget it */
    atomic_bool is_closed;
};

/* ---- life ---- */

static sluice_error_t open_sink(hosted_changefeed_t *changefeed, changefeed_ref_t ref,
                                error_report_t *report)
{
    const changefeed_config_t *config = &changefeed->config;
    const char *uri = (const char *)config->sink.data;
    const sink_api_t *api = sink_find(uri);
    if (!api)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "no sink adapter for this URI's scheme");
    sink_options_t options = {
        .uri = uri,
        .changefeed = ref,
        .changefeed_name = (const char *)config->name.data,
        .options = config->options,
        .option_count = config->option_count,
    };
    return api->open(&options, &changefeed->sink, report);
}

static log_puller_options_t puller_options(const settings_t *settings)
{
    log_puller_options_t options = log_puller_options_default(1);
    options.backoff.first_ns = settings->node.retry_first_ns;
    options.backoff.max_ns = settings->node.retry_max_ns;
    options.backoff.forget_ns = settings->node.retry_forget_ns;
    options.cooldown = (store_cooldown_settings_t){.first_ns = settings->node.cooldown_first_ns,
                                                   .max_ns = settings->node.cooldown_max_ns};
    options.reload =
        (range_reload_settings_t){.debounce_ns = settings->node.reload_debounce_ns,
                                  .ranges_max = (uint32_t)settings->node.reload_ranges_max};
    options.streams_max = (uint32_t)settings->node.catch_up_streams;
    return options;
}

static sluice_error_t open_feed(hosted_changefeed_t *changefeed, const settings_t *settings,
                                const changefeed_request_t *request, error_report_t *report)
{
    const changefeed_open_t *open = request->open;
    uint64_t syncpoint_interval_ms;
    sluice_error_t error =
        syncpoint_option_read(&changefeed->config, &syncpoint_interval_ms, report);
    if (error != SLUICE_OK)
        return error;
    server_choice_settings_t servers = server_choice_default();
    servers.retry_first_ns = settings->node.retry_first_ns;
    servers.retry_max_ns = settings->node.retry_max_ns;
    servers.cooldown = (store_cooldown_settings_t){.first_ns = settings->node.cooldown_first_ns,
                                                   .max_ns = settings->node.cooldown_max_ns};
    log_puller_options_t older = puller_options(settings);
    event_feed_options_t options = {
        .changefeed = open->changefeed,
        .config = &changefeed->config,
        .lower_case_names = request->lower_case_names,
        .server_id_first =
            (uint32_t)(settings->node.server_id_base + SERVER_IDS_PER_NODE * request->slot),
        .anchor = open->anchor,
        .snapshot = request->snapshot,
        .snapshot_ts = open->snapshot_ts,
        .ddls = open->ddls,
        .ddl_count = open->ddl_count,
        .tail_bytes_max = settings->node.tail_bytes_max,
        .store_bytes_max = settings->node.event_store_bytes_max,
        .spill_directory = settings->node.spill_directory,
        .group_bytes_max = settings->node.group_bytes_max,
        .syncpoint_interval_ms = syncpoint_interval_ms,
        .source_heartbeat_ns = settings->node.source_heartbeat_ns,
        .source_read_timeout_ns = settings->node.source_read_timeout_ns,
        .source_servers = &servers,
        .older = &older,
    };
    return event_feed_open(&options, &changefeed->feed, report);
}

static void open_pool(hosted_changefeed_t *changefeed, const settings_t *settings)
{
    sink_pool_options_t options = {
        .api = changefeed->sink->api,
        .sink = changefeed->sink,
        .row_workers = (uint32_t)settings->node.row_workers,
        .ddl_workers = (uint32_t)settings->node.ddl_workers,
        .batch_bytes_max = SINK_POOL_BATCH_BYTES_MAX,
        .retry_first_ns = settings->node.sink_retry_first_ns,
        .retry_max_ns = settings->node.sink_retry_max_ns,
        .changefeed_name = (const char *)changefeed->config.name.data,
    };
    changefeed->pool = sink_pool_open(&options);
}

sluice_error_t hosted_changefeed_open(const settings_t *settings,
                                      const changefeed_request_t *request,
                                      hosted_changefeed_t **changefeed, error_report_t *report)
{
    hosted_changefeed_t *opened = memory_zalloc(sizeof *opened);
    opened->config = changefeed_config_copy(&opened->arena, &request->open->config);
    sluice_error_t error = open_sink(opened, request->open->changefeed, report);
    if (error == SLUICE_OK)
        error = open_feed(opened, settings, request, report);
    if (error != SLUICE_OK) {
        hosted_changefeed_destroy(&opened);
        return error;
    }
    open_pool(opened, settings);
    *changefeed = opened;
    return SLUICE_OK;
}

static void close_all(hosted_changefeed_t *changefeed)
{
    sink_pool_close(&changefeed->pool);
    event_feed_close(&changefeed->feed);
    if (!changefeed->sink)
        return;
    if (changefeed->forgets)
        sink_forget(changefeed->sink, (const char *)changefeed->config.name.data);
    changefeed->sink->api->close(&changefeed->sink);
}

void hosted_changefeed_destroy(hosted_changefeed_t **changefeed)
{
    hosted_changefeed_t *self = *changefeed;
    if (!self)
        return;
    if (self->has_thread)
        pthread_join(self->thread, NULL);
    close_all(self);
    arena_clear(&self->arena);
    free(self);
    *changefeed = NULL;
}

static void *run_close(void *argument)
{
    hosted_changefeed_t *changefeed = argument;
    close_all(changefeed);
    atomic_store(&changefeed->is_closed, true);
    return NULL;
}

hosted_changefeed_t *hosted_changefeed_of_removed(const changefeed_close_t *close)
{
    error_report_t report = {0};
    hosted_changefeed_t *changefeed = memory_zalloc(sizeof *changefeed);
    changefeed->config = changefeed_config_copy(&changefeed->arena, &close->config);
    if (open_sink(changefeed, close->changefeed, &report) != SLUICE_OK)
        sink_forget_failed((const char *)changefeed->config.name.data, &report);
    return changefeed;
}

void hosted_changefeed_begin_close(hosted_changefeed_t *changefeed, bool forgets)
{
    changefeed->forgets = forgets;
    int failed = pthread_create(&changefeed->thread, NULL, run_close, changefeed);
    assert(failed == 0);
    (void)failed;
    changefeed->has_thread = true;
}

bool hosted_changefeed_is_closed(const hosted_changefeed_t *changefeed)
{
    return atomic_load(&changefeed->is_closed);
}

uint32_t hosted_changefeed_fds(const hosted_changefeed_t *changefeed, bool serves,
                               int fds[HOSTED_CHANGEFEED_FDS])
{
    if (changefeed->has_thread)
        return 0;
    uint32_t count = 0;
    fds[count++] = event_feed_fd(changefeed->feed);
    fds[count++] = sink_pool_fd(changefeed->pool);
    if (serves)
        fds[count++] = event_feed_remote_fd(changefeed->feed);
    return count;
}

/* ---- the feed port ---- */

static uint32_t feed_take(void *self, stream_event_t *events, uint32_t max)
{
    return event_feed_take(self, events, max);
}

static uint32_t feed_take_remote(void *self, stream_event_t *events, uint32_t max)
{
    return event_feed_take_remote(self, events, max);
}

static bool feed_holds(void *self, event_store_report_t *state, store_floor_t *floors)
{
    return event_feed_holds(self, state, floors);
}

static void feed_request(void *self, const stream_request_t *request)
{
    event_feed_request(self, request);
}

static void feed_set_persisted(void *self, commit_ts_t persisted, commit_ts_t told)
{
    event_feed_set_persisted(self, persisted, told);
}

static sluice_error_t feed_table_list(void *self, commit_ts_t at, arena_t *arena,
                                      const table_info_t **tables, uint32_t *count)
{
    return event_feed_table_list(self, at, arena, tables, count);
}

static sluice_error_t feed_snapshot(void *self, commit_ts_t at, arena_t *arena, bytes_t *snapshot)
{
    return event_feed_snapshot(self, at, arena, snapshot);
}

static sluice_error_t feed_schema_ddls(void *self, commit_ts_t after, commit_ts_t *up_to,
                                       uint32_t max, arena_t *arena, const schema_ddl_t **ddls,
                                       uint32_t *count)
{
    return event_feed_schema_ddls(self, after, up_to, max, arena, ddls, count);
}

static bool feed_anchor(void *self, commit_ts_t ts, anchor_t *anchor)
{
    return event_feed_anchor(self, ts, anchor);
}

static void feed_set_lease(void *self, mono_ns_t until)
{
    event_feed_set_lease(self, until);
}

static void feed_state(void *self, event_feed_state_t *state)
{
    event_feed_state(self, state);
}

/* ---- the sink port ---- */

static void sink_claim(void *self, dispatcher_id_t dispatcher_id, uint64_t run,
                       const sink_claim_t *claim)
{
    sink_pool_claim(self, dispatcher_id, run, claim);
}

static void sink_write(void *self, uint64_t run, transaction_t *transaction,
                       const table_rows_t *rows)
{
    sink_pool_write(self, run, transaction, rows);
}

static void sink_run_ddl(void *self, uint64_t run, ddl_event_t *ddl)
{
    sink_pool_run_ddl(self, run, ddl);
}

static void sink_write_syncpoint(void *self, uint64_t run, commit_ts_t commit_ts)
{
    sink_pool_write_syncpoint(self, run, commit_ts);
}

static void sink_cancel(void *self, uint64_t run)
{
    sink_pool_cancel(self, run);
}

static void sink_close_lane(void *self, uint64_t run)
{
    sink_pool_close_lane(self, run);
}

static void sink_watermark(void *self, commit_ts_t resolved)
{
    sink_pool_watermark(self, resolved);
}

static void sink_clean_up(void *self, commit_ts_t persisted)
{
    sink_pool_clean_up(self, persisted);
}

static void sink_set_lease(void *self, mono_ns_t until)
{
    sink_pool_set_lease(self, until);
}

static uint32_t sink_take(void *self, sink_completion_t *completions, uint32_t max)
{
    return sink_pool_take(self, completions, max);
}

static void sink_state(void *self, sink_pool_state_t *state)
{
    sink_pool_state(self, state);
}

/* ---- both ---- */

changefeed_ports_t hosted_changefeed_ports(hosted_changefeed_t *changefeed)
{
    feed_port_t feed = {
        .self = changefeed->feed,
        .take = feed_take,
        .take_remote = feed_take_remote,
        .group_bytes_max = event_feed_group_bytes_max(changefeed->feed),
        .holds = feed_holds,
        .request = feed_request,
        .set_persisted = feed_set_persisted,
        .table_list = feed_table_list,
        .snapshot = feed_snapshot,
        .schema_ddls = feed_schema_ddls,
        .anchor = feed_anchor,
        .set_lease = feed_set_lease,
        .state = feed_state,
    };
    sink_port_t sink = {
        .self = changefeed->pool,
        .claim = sink_claim,
        .write = sink_write,
        .run_ddl = sink_run_ddl,
        .write_syncpoint = sink_write_syncpoint,
        .cancel = sink_cancel,
        .close_lane = sink_close_lane,
        .watermark = sink_watermark,
        .clean_up = sink_clean_up,
        .set_lease = sink_set_lease,
        .take = sink_take,
        .state = sink_state,
    };
    return (changefeed_ports_t){.self = changefeed, .feed = feed, .sink = sink};
}
