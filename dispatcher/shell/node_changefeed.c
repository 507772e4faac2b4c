#include "dispatcher/shell/node_changefeed.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "common/runtime/log.h"
#include "dispatcher/core/node/changefeed_config_copy.h"
#include "dispatcher/core/node/schema_envelope.h"
#include "dispatcher/shell/node_changefeed_internal.h"
#include "dispatcher/shell/server_ids.h"

#define SPILL_DIRECTORY "/var/tmp"

static position_t position_of(void *context, dispatcher_id_t dispatcher_id)
{
    const node_changefeed_t *changefeed = context;
    return dispatcher_set_position(changefeed->dispatchers, dispatcher_id);
}

static sluice_error_t open_sink(node_changefeed_t *changefeed, error_report_t *report)
{
    const changefeed_config_t *config = &changefeed->config;
    const char *uri = (const char *)config->sink.data;
    changefeed->api = sink_find(uri);
    if (!changefeed->api)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "no sink adapter for this URI's scheme");
    sink_options_t options = {
        .uri = uri,
        .changefeed = changefeed->ref,
        .changefeed_name = (const char *)config->name.data,
        .options = config->options,
        .option_count = config->option_count,
    };
    return changefeed->api->open(&options, &changefeed->sink, report);
}

static sluice_error_t open_feed(node_changefeed_t *changefeed, const changefeed_open_t *open,
                                error_report_t *report)
{
    schema_envelope_t envelope;
    if (schema_envelope_decode(open->snapshot, &envelope) != SLUICE_OK)
        return error_report_set(report, SLUICE_ERROR_MALFORMED,
                                "the schema snapshot is none that this version understands");
    changefeed->lower_case_names = envelope.lower_case_names;
    const settings_t *settings = changefeed->settings;
    event_feed_options_t options = {
        .changefeed = changefeed->ref,
        .config = &changefeed->config,
        .lower_case_names = envelope.lower_case_names,
        .server_id_first = (uint32_t)(settings->node.server_id_base +
                                      SERVER_IDS_PER_NODE * changefeed->link->settings.slot),
        .anchor = open->anchor,
        .snapshot = envelope.snapshot,
        .snapshot_ts = open->snapshot_ts,
        .ddls = open->ddls,
        .ddl_count = open->ddl_count,
        .tail_bytes_max = settings->node.tail_bytes_max,
        .spill_directory = SPILL_DIRECTORY,
        .group_bytes_max = settings->node.group_bytes_max,
        .source_heartbeat_ns = settings->node.source_heartbeat_ns,
        .source_read_timeout_ns = settings->node.source_read_timeout_ns,
    };
    return event_feed_open(&options, &changefeed->feed, report);
}

static void open_pool(node_changefeed_t *changefeed)
{
    const settings_t *settings = changefeed->settings;
    sink_pool_options_t options = {
        .api = changefeed->api,
        .sink = changefeed->sink,
        .row_workers = (uint32_t)settings->node.row_workers,
        .ddl_workers = (uint32_t)settings->node.ddl_workers,
        .batch_bytes_max = SINK_POOL_BATCH_BYTES_MAX,
        .retry_first_ns = SINK_POOL_RETRY_FIRST_NS,
        .retry_max_ns = SINK_POOL_RETRY_MAX_NS,
        .changefeed_name = (const char *)changefeed->config.name.data,
    };
    changefeed->pool = sink_pool_open(&options);
}

static void open_cores(node_changefeed_t *changefeed, uint64_t maintainer_epoch)
{
    const settings_t *settings = changefeed->settings;
    uint64_t resend_ns = changefeed->link->settings.resend_ms * NS_PER_MS;
    dispatcher_set_options_t options = dispatcher_set_options_default();
    if (resend_ns > 0)
        options.resend.interval_ns = resend_ns;
    options.resend.retry_first_ns = settings->node.ignored_retry_first_ns;
    options.resend.retry_max_ns = settings->node.ignored_retry_max_ns;
    options.path.buffer_capacity = (int64_t)settings->node.block_status_buffer_max;
    options.path.queue_capacity = (int64_t)settings->node.request_queue_max;
    options.path.batcher.window_ns = settings->node.batch_window_ns;
    options.path.batcher.idle_ns = settings->node.batch_idle_ns;
    options.path.answer_wait_ns = 2 * options.resend.interval_ns;
    changefeed->dispatchers = dispatcher_set_new(&options, maintainer_epoch);
    session_set_options_t sessions = {
        .session = {.repeat_first_ns = settings->node.session_repeat_first_ns,
                    .repeat_max_ns = settings->node.session_repeat_max_ns,
                    .heartbeat_ns = settings->node.session_heartbeat_ns,
                    .credit_bytes_max = settings->node.session_credit_bytes},
        .position_of = position_of,
        .context = changefeed,
    };
    changefeed->sessions = session_set_new(&sessions);
}

sluice_error_t node_changefeed_open(const settings_t *settings, maintainer_link_t *link,
                                    uint64_t maintainer_epoch, const changefeed_open_t *open,
                                    node_changefeed_t **changefeed, error_report_t *report)
{
    node_changefeed_t *opened = memory_zalloc(sizeof *opened);
    opened->settings = settings;
    opened->link = link;
    opened->ref = open->changefeed;
    opened->config = changefeed_config_copy(&open->config, &opened->arena);
    opened->send_at = opened->clean_up_at = MONO_NEVER;
    sluice_error_t error = open_sink(opened, report);
    if (error == SLUICE_OK)
        error = open_feed(opened, open, report);
    if (error != SLUICE_OK) {
        node_changefeed_destroy(&opened);
        return error;
    }
    open_cores(opened, maintainer_epoch);
    open_pool(opened);
    *changefeed = opened;
    return SLUICE_OK;
}

void node_changefeed_destroy(node_changefeed_t **changefeed)
{
    node_changefeed_t *self = *changefeed;
    if (!self)
        return;
    sink_pool_close(&self->pool);
    event_feed_close(&self->feed);
    session_set_destroy(&self->sessions);
    dispatcher_set_destroy(&self->dispatchers);
    node_effects_clear(&self->effects);
    if (self->sink)
        self->api->close(&self->sink);
    arena_clear(&self->arena);
    free(self);
    *changefeed = NULL;
}

/* ---- what it is ---- */

changefeed_ref_t node_changefeed_ref(const node_changefeed_t *changefeed)
{
    return changefeed->ref;
}

const char *node_changefeed_name(const node_changefeed_t *changefeed)
{
    return (const char *)changefeed->config.name.data;
}

maintainer_link_t *node_changefeed_link(const node_changefeed_t *changefeed)
{
    return changefeed->link;
}

uint64_t node_changefeed_epoch(const node_changefeed_t *changefeed)
{
    return dispatcher_set_epoch(changefeed->dispatchers);
}

uint32_t node_changefeed_dispatchers(const node_changefeed_t *changefeed)
{
    return dispatcher_set_count(changefeed->dispatchers);
}

/* ---- the maintainer ---- */

bool node_changefeed_reopen(node_changefeed_t *changefeed, maintainer_link_t *link,
                            uint64_t maintainer_epoch, mono_ns_t now)
{
    if (!dispatcher_set_bootstrap(changefeed->dispatchers, maintainer_epoch, now))
        return false;
    changefeed->link = link;
    node_changefeed_carry_out(changefeed, now);
    return true;
}

void node_changefeed_link_up(node_changefeed_t *changefeed, mono_ns_t now)
{
    dispatcher_set_offer_again(changefeed->dispatchers, now);
}

static void handle_persisted(node_changefeed_t *changefeed, commit_ts_t persisted, mono_ns_t now)
{
    if (persisted.v <= changefeed->persisted.v)
        return;
    changefeed->persisted = persisted;
    /* The checkpoint may be persisted before the DDLs below it are. */
    commit_ts_t told =
        changefeed->schema.is_active ? changefeed->schema.acknowledged : COMMIT_TS_MAX;
    event_feed_set_persisted(changefeed->feed, persisted, told);
    if (changefeed->clean_up_at.v == UINT64_MAX)
        changefeed->clean_up_at = now;
}

static bool handle_bootstrap(node_changefeed_t *changefeed, maintainer_link_t *link,
                             const message_t *message, mono_ns_t now)
{
    if (!node_changefeed_reopen(changefeed, link, message->header.maintainer_epoch, now))
        return false;
    node_changefeed_send_bootstrap(changefeed);
    for (int mode = 0; mode < PIPELINE_COUNT; mode++) {
        const dispatcher_t *trigger =
            dispatcher_set_trigger(changefeed->dispatchers, (pipeline_t)mode);
        if (trigger)
            node_changefeed_want_table_list(changefeed, (pipeline_t)mode,
                                            dispatcher_position(trigger).checkpoint);
    }
    return true;
}

bool node_changefeed_handle(node_changefeed_t *changefeed, maintainer_link_t *link,
                            const message_t *message, mono_ns_t now)
{
    uint64_t epoch = message->header.maintainer_epoch;
    if (message->header.type == MESSAGE_BOOTSTRAP_REQUEST)
        return handle_bootstrap(changefeed, link, message, now);
    if (epoch != dispatcher_set_epoch(changefeed->dispatchers))
        return false;
    bool is_taken = true;
    if (message->header.type == MESSAGE_SCHEDULE_REQUEST) {
        is_taken = dispatcher_set_schedule(changefeed->dispatchers, epoch,
                                           &message->schedule_request, now);
    } else if (message->header.type == MESSAGE_HEARTBEAT_RESPONSE) {
        is_taken = dispatcher_set_respond(changefeed->dispatchers, epoch,
                                          &message->heartbeat_response, now);
        handle_persisted(changefeed, message->heartbeat_response.persisted_checkpoint, now);
    } else if (message->header.type == MESSAGE_SCHEMA_SNAPSHOT_ACK) {
        schema_report_acknowledged(&changefeed->schema, message->schema_snapshot_ack.at);
    }
    node_changefeed_carry_out(changefeed, now);
    return is_taken;
}

void node_changefeed_stop(node_changefeed_t *changefeed, bool gracefully, mono_ns_t now)
{
    if (gracefully)
        dispatcher_set_close_all(changefeed->dispatchers, now);
    else
        dispatcher_set_abandon_all(changefeed->dispatchers, now);
    node_changefeed_carry_out(changefeed, now);
}

bool node_changefeed_is_idle(const node_changefeed_t *changefeed)
{
    return dispatcher_set_count(changefeed->dispatchers) == 0;
}
