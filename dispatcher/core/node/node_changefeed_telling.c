#include <stdio.h>

#include "dispatcher/core/node/node_changefeed_internal.h"
#include "dispatcher/core/node/schema_envelope.h"

/* The reader may have to come further first. */
#define TABLE_LIST_RETRY_NS (20 * NS_PER_MS)

message_t node_changefeed_message(const node_changefeed_t *changefeed, message_type_t type)
{
    message_t message = {0};
    message.header.type = type;
    message.header.maintainer_epoch = dispatcher_set_epoch(changefeed->dispatchers);
    return message;
}

static void fail(node_changefeed_t *changefeed, sluice_error_t error, const char *text)
{
    if (changefeed->error != SLUICE_OK)
        return;
    changefeed->error = error;
    snprintf(changefeed->error_text, sizeof changefeed->error_text, "%s", text);
    NODE_LOG(changefeed->host, LOG_LEVEL_ERROR, node_changefeed_name(changefeed), text,
             log_text("error", sluice_error_name(error)));
}

/* ---- state ---- */

void node_changefeed_state(node_changefeed_t *changefeed, node_changefeed_state_t *state)
{
    sink_pool_state_t sink;
    changefeed->sink.state(changefeed->sink.self, &sink);
    event_feed_state_t feed;
    changefeed->feed.state(changefeed->feed.self, &feed);
    watermark_t watermark;
    dispatcher_set_watermark(changefeed->dispatchers, PIPELINE_DEFAULT, &watermark);
    *state = (node_changefeed_state_t){
        .dispatchers = dispatcher_set_count(changefeed->dispatchers),
        .checkpoint = watermark.checkpoint,
        .resolved = watermark.resolved,
        .rows = sink.rows,
        .bytes = sink.bytes,
        .ddls = sink.ddls,
        .is_sink_connected = sink.is_connected,
        .is_caught_up = feed.is_caught_up,
        .statuses = status_path_state(dispatcher_set_path(changefeed->dispatchers)),
        .feed = feed,
        .sessions = session_set_counters(changefeed->sessions),
    };
    /* What ends the changefeed first, then what is tried again. */
    const struct {
        sluice_error_t error;
        const char *text;
    } errors[] = {
        {feed.error, feed.error_text}, {changefeed->error, changefeed->error_text},
        {sink.error, sink.text},       {dispatcher_set_error(changefeed->dispatchers), sink.text},
        {sink.retrying, sink.text},    {feed.retrying, feed.error_text},
    };
    for (size_t i = 0; i < sizeof errors / sizeof errors[0] && state->error == SLUICE_OK; i++) {
        state->error = errors[i].error;
        snprintf(state->error_text, sizeof state->error_text, "%s", errors[i].text);
    }
}

/* ---- heartbeats ---- */

static void fill_heartbeat(node_changefeed_t *changefeed, heartbeat_request_t *heartbeat,
                           uint64_t sequence, pipeline_t mode, const node_changefeed_state_t *state,
                           const event_feed_state_t *feed)
{
    heartbeat->heartbeat_sequence = sequence;
    heartbeat->answered_heartbeat = changefeed->link->lease.answered;
    heartbeat->has_changefeed = true;
    heartbeat->changefeed = changefeed->ref;
    heartbeat->mode = mode;
    heartbeat->has_watermark =
        dispatcher_set_watermark(changefeed->dispatchers, mode, &heartbeat->watermark);
    if (heartbeat->has_watermark)
        heartbeat->has_anchor = changefeed->feed.anchor(
            changefeed->feed.self, heartbeat->watermark.checkpoint, &heartbeat->anchor);
    heartbeat->rows_applied = state->rows;
    heartbeat->bytes_applied = state->bytes;
    heartbeat->ddl_applied = state->ddls;
    heartbeat->read_ts = feed->resolved;
    heartbeat->read_commit_time = feed->resolved_time;
    heartbeat->is_caught_up = feed->is_caught_up;
    heartbeat->error = state->error;
    if (state->error != SLUICE_OK)
        heartbeat->error_text = bytes_of_text(state->error_text);
}

static bool send_heartbeat(node_changefeed_t *changefeed, message_t *message)
{
    return node_link_send_status(changefeed->link, message) == SLUICE_OK;
}

/* Every dispatcher, in pieces. */
static void send_complete(node_changefeed_t *changefeed, message_t *message)
{
    dispatcher_heartbeat_t entries[ENTRIES_PER_PIECE_MAX];
    heartbeat_request_t *heartbeat = &message->heartbeat_request;
    uint32_t cursor = 0;
    heartbeat->is_complete = true;
    heartbeat->entries = entries;
    for (heartbeat->piece = 0;; heartbeat->piece++) {
        heartbeat->entry_count = dispatcher_set_list(changefeed->dispatchers, heartbeat->mode,
                                                     &cursor, entries, ENTRIES_PER_PIECE_MAX);
        heartbeat->is_last_piece = heartbeat->entry_count < ENTRIES_PER_PIECE_MAX;
        if (!send_heartbeat(changefeed, message) || heartbeat->is_last_piece)
            return;
    }
}

/* Watermark and news; more than one message only when there is much news. */
static void send_changes(node_changefeed_t *changefeed, message_t *message)
{
    dispatcher_heartbeat_t entries[ENTRIES_PER_PIECE_MAX];
    heartbeat_request_t *heartbeat = &message->heartbeat_request;
    heartbeat->is_last_piece = true;
    heartbeat->entries = entries;
    do {
        heartbeat->entry_count = dispatcher_set_take_changed(
            changefeed->dispatchers, heartbeat->mode, entries, ENTRIES_PER_PIECE_MAX);
        if (!send_heartbeat(changefeed, message))
            return;
    } while (dispatcher_set_has_changed(changefeed->dispatchers, heartbeat->mode));
}

bool node_changefeed_has_news(const node_changefeed_t *changefeed)
{
    return dispatcher_set_has_changed(changefeed->dispatchers, PIPELINE_DEFAULT) ||
           dispatcher_set_has_changed(changefeed->dispatchers, PIPELINE_REDO);
}

static bool has_mode(const node_changefeed_t *changefeed, pipeline_t mode)
{
    watermark_t watermark;
    return mode == PIPELINE_DEFAULT ||
           dispatcher_set_watermark(changefeed->dispatchers, mode, &watermark) ||
           dispatcher_set_has_changed(changefeed->dispatchers, mode);
}

void node_changefeed_heartbeat(node_changefeed_t *changefeed, uint64_t sequence, mono_ns_t now)
{
    node_changefeed_state_t state;
    node_changefeed_state(changefeed, &state);
    event_feed_state_t feed;
    changefeed->feed.state(changefeed->feed.self, &feed);
    bool is_complete = mono_reached(changefeed->complete_at, now);
    if (is_complete)
        changefeed->complete_at =
            mono_add(now, changefeed->link->settings.complete_heartbeat_ms * NS_PER_MS);
    for (int mode = 0; mode < PIPELINE_COUNT; mode++) {
        if (!has_mode(changefeed, (pipeline_t)mode))
            continue;
        message_t message = node_changefeed_message(changefeed, MESSAGE_HEARTBEAT_REQUEST);
        fill_heartbeat(changefeed, &message.heartbeat_request, sequence, (pipeline_t)mode, &state,
                       &feed);
        send_changes(changefeed, &message);
        if (is_complete)
            send_complete(changefeed, &message);
        if (mode == PIPELINE_DEFAULT && message.heartbeat_request.has_watermark)
            changefeed->sink.watermark(changefeed->sink.self,
                                       message.heartbeat_request.watermark.checkpoint);
    }
}

/* ---- bootstrap ---- */

void node_changefeed_send_bootstrap(node_changefeed_t *changefeed)
{
    bootstrap_entry_t entries[ENTRIES_PER_PIECE_MAX];
    watermark_t watermark;
    dispatcher_set_watermark(changefeed->dispatchers, PIPELINE_DEFAULT, &watermark);
    message_t message = node_changefeed_message(changefeed, MESSAGE_BOOTSTRAP_RESPONSE);
    bootstrap_response_t *response = &message.bootstrap_response;
    response->changefeed = changefeed->ref;
    response->watermark_seq = watermark.seq;
    response->entries = entries;
    uint32_t cursor = 0;
    for (response->piece = 0;; response->piece++) {
        response->entry_count = dispatcher_set_list_bootstrap(changefeed->dispatchers, &cursor,
                                                              entries, ENTRIES_PER_PIECE_MAX);
        response->is_last_piece = response->entry_count < ENTRIES_PER_PIECE_MAX;
        /* What is lost here is asked for again. */
        if (node_link_send_control(changefeed->link, &message) != SLUICE_OK ||
            response->is_last_piece)
            return;
    }
}

/* ---- the table list ---- */

void node_changefeed_want_table_list(node_changefeed_t *changefeed, pipeline_t mode, commit_ts_t at)
{
    changefeed->table_list[mode] = (wanted_list_t){.is_wanted = true, .at = at};
}

static void send_table_list(node_changefeed_t *changefeed, pipeline_t mode, commit_ts_t at,
                            const table_info_t *tables, uint32_t count)
{
    message_t message = node_changefeed_message(changefeed, MESSAGE_TABLE_LIST);
    table_list_t *list = &message.table_list;
    list->changefeed = changefeed->ref;
    list->mode = mode;
    list->at = at;
    uint32_t sent = 0;
    for (list->piece = 0;; list->piece++) {
        list->tables = tables + sent;
        list->table_count =
            count - sent < ENTRIES_PER_PIECE_MAX ? count - sent : ENTRIES_PER_PIECE_MAX;
        sent += list->table_count;
        list->is_last_piece = sent == count;
        if (node_link_send_control(changefeed->link, &message) != SLUICE_OK || list->is_last_piece)
            return;
    }
}

void node_changefeed_send_table_lists(node_changefeed_t *changefeed, mono_ns_t now)
{
    for (int mode = 0; mode < PIPELINE_COUNT; mode++) {
        wanted_list_t *wanted = &changefeed->table_list[mode];
        if (!wanted->is_wanted || !mono_reached(wanted->try_at, now))
            continue;
        arena_t arena = {0};
        const table_info_t *tables = NULL;
        uint32_t count = 0;
        sluice_error_t error =
            changefeed->feed.table_list(changefeed->feed.self, wanted->at, &arena, &tables, &count);
        wanted->is_wanted = error == SLUICE_ERROR_AGAIN;
        wanted->try_at = mono_add(now, TABLE_LIST_RETRY_NS);
        if (error == SLUICE_OK)
            send_table_list(changefeed, (pipeline_t)mode, wanted->at, tables, count);
        else if (error != SLUICE_ERROR_AGAIN)
            fail(changefeed, error, "the table list at the trigger's start is not known here");
        arena_clear(&arena);
    }
}

/* ---- the schema's history ---- */

/* SLUICE_ERROR_AGAIN: later. */
static sluice_error_t send_ddls(node_changefeed_t *changefeed, commit_ts_t checkpoint,
                                mono_ns_t now)
{
    schema_report_t *report = &changefeed->schema;
    sluice_error_t error = SLUICE_ERROR_TOO_LARGE;
    for (uint32_t max = LISTED_DDLS_MAX; max > 0 && error == SLUICE_ERROR_TOO_LARGE; max /= 4) {
        arena_t arena = {0};
        message_t message = node_changefeed_message(changefeed, MESSAGE_SCHEMA_DDL);
        schema_ddls_t *ddls = &message.schema_ddls;
        ddls->changefeed = changefeed->ref;
        ddls->after = report->acknowledged;
        ddls->up_to = checkpoint.v > ddls->after.v ? checkpoint : ddls->after;
        error = changefeed->feed.schema_ddls(changefeed->feed.self, ddls->after, &ddls->up_to, max,
                                             &arena, &ddls->ddls, &ddls->ddl_count);
        if (error == SLUICE_OK)
            error = node_link_send_control(changefeed->link, &message);
        if (error == SLUICE_OK)
            schema_report_sent(report, false, ddls->up_to, ddls->ddl_count, now);
        arena_clear(&arena);
    }
    return error;
}

static sluice_error_t send_snapshot(node_changefeed_t *changefeed, commit_ts_t checkpoint,
                                    mono_ns_t now)
{
    arena_t arena = {0};
    schema_envelope_t envelope = {.lower_case_names = changefeed->lower_case_names};
    sluice_error_t error =
        changefeed->feed.snapshot(changefeed->feed.self, checkpoint, &arena, &envelope.snapshot);
    if (error == SLUICE_OK) {
        bytes_t whole = schema_envelope_encode(&envelope, &arena);
        message_t message = node_changefeed_message(changefeed, MESSAGE_SCHEMA_SNAPSHOT);
        schema_snapshot_t *snapshot = &message.schema_snapshot;
        snapshot->changefeed = changefeed->ref;
        snapshot->at = checkpoint;
        for (size_t sent = 0; error == SLUICE_OK && sent < whole.len; snapshot->piece++) {
            size_t len = whole.len - sent;
            len = len < SNAPSHOT_PIECE_BYTES ? len : SNAPSHOT_PIECE_BYTES;
            snapshot->snapshot = bytes_of(whole.data + sent, len);
            sent += len;
            snapshot->is_last_piece = sent == whole.len;
            error = node_link_send_control(changefeed->link, &message);
        }
        if (error == SLUICE_OK)
            schema_report_sent(&changefeed->schema, true, checkpoint, 0, now);
    }
    arena_clear(&arena);
    return error;
}

static void follow_trigger(node_changefeed_t *changefeed, const dispatcher_t *trigger)
{
    uint64_t run = trigger ? dispatcher_run(trigger) : 0;
    if (run == changefeed->schema_run)
        return;
    changefeed->schema_run = run;
    if (trigger)
        schema_report_start(&changefeed->schema, dispatcher_position(trigger).checkpoint);
    else
        schema_report_stop(&changefeed->schema);
}

void node_changefeed_report_schema(node_changefeed_t *changefeed, mono_ns_t now)
{
    const dispatcher_t *trigger = dispatcher_set_trigger(changefeed->dispatchers, PIPELINE_DEFAULT);
    follow_trigger(changefeed, trigger);
    if (!trigger)
        return;
    commit_ts_t checkpoint = dispatcher_position(trigger).checkpoint;
    sluice_error_t error = SLUICE_OK;
    switch (schema_report_next(&changefeed->schema, checkpoint, now)) {
    case SCHEMA_REPORT_NOTHING:
        return;
    case SCHEMA_REPORT_DDLS:
        error = send_ddls(changefeed, checkpoint, now);
        break;
    case SCHEMA_REPORT_SNAPSHOT:
        error = send_snapshot(changefeed, checkpoint, now);
        break;
    }
    if (error != SLUICE_OK)
        schema_report_failed(&changefeed->schema, now);
    if (error == SLUICE_ERROR_NOT_FOUND)
        schema_report_lost(&changefeed->schema);
}
