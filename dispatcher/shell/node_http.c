#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/runtime/fail_point_http.h"
#include "common/runtime/version.h"
#include "dispatcher/shell/node_internal.h"

static void respond_json(http_request_t **request, unsigned status, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);
    http_respond(request, status, "application/json", bytes_of_text(text ? text : "{}"), NULL);
    free(text);
    json_decref(body);
}

/* Not understood, stale, or not for a node. */
static uint64_t messages_dropped(const node_t *node)
{
    return node->messages_refused + node_core_state(node->core).messages_dropped;
}

/* ---- /ready ---- */

static void add_reason(json_t *reasons, const char *changefeed, const char *reason)
{
    json_array_append_new(reasons,
                          json_pack("{s:s?, s:s}", "changefeed", changefeed, "reason", reason));
}

static void respond_ready(node_t *node, http_request_t **request)
{
    json_t *reasons = json_array();
    node_core_state_t process = node_core_state(node->core);
    if (process.links_welcome == 0)
        add_reason(reasons, NULL, "not registered at any maintainer");
    if (process.is_leaving)
        add_reason(reasons, NULL, "leaving");
    for (uint32_t i = 0; i < node_core_changefeed_count(node->core); i++) {
        node_changefeed_t *changefeed = node_core_changefeed(node->core, i);
        if (!changefeed)
            continue;
        node_changefeed_state_t state;
        node_changefeed_state(changefeed, &state);
        if (state.error != SLUICE_OK)
            add_reason(reasons, node_changefeed_name(changefeed), state.error_text);
        else if (!state.is_sink_connected && state.dispatchers > 0)
            add_reason(reasons, node_changefeed_name(changefeed), "sink not reachable");
    }
    bool is_ready = json_array_size(reasons) == 0;
    respond_json(request, is_ready ? 200 : 503,
                 json_pack("{s:b, s:o}", "ready", is_ready, "reasons", reasons));
}

/* ---- /status ---- */

static json_t *events_json(const node_changefeed_state_t *state)
{
    const event_store_state_t *store = &state->feed.store;
    return json_pack("{s:I, s:I, s:I, s:I, s:i, s:I, s:I, s:I, s:I, s:b}", "tail_bytes",
                     (json_int_t)state->feed.tail_bytes, "catch_ups",
                     (json_int_t)state->feed.catch_ups, "streams_dropped",
                     (json_int_t)state->feed.drops, "store_bytes", (json_int_t)store->bytes,
                     "store_tables", (int)store->tables, "store_written_bytes",
                     (json_int_t)store->written_bytes, "store_read_bytes",
                     (json_int_t)store->read_bytes, "store_given_up", (json_int_t)store->given_up,
                     "store_failures", (json_int_t)store->failures, "store_full", store->is_full);
}

static json_t *changefeed_json(node_changefeed_t *changefeed)
{
    node_changefeed_state_t state;
    node_changefeed_state(changefeed, &state);
    return json_pack(
        "{s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:s, s:I, s:I, s:I, s:o}", "name",
        node_changefeed_name(changefeed), "dispatchers", (int)state.dispatchers, "checkpoint_ts",
        (json_int_t)state.checkpoint.v, "resolved_ts", (json_int_t)state.resolved.v, "rows",
        (json_int_t)state.rows, "bytes", (json_int_t)state.bytes, "ddls", (json_int_t)state.ddls,
        "sink_connected", state.is_sink_connected, "caught_up", state.is_caught_up, "error",
        sluice_error_name(state.error), "statuses_buffered", (json_int_t)state.statuses.buffered,
        "requests_queued", (json_int_t)state.statuses.queued_requests, "requests_sent",
        (json_int_t)state.statuses.sent_requests, "events", events_json(&state));
}

static void respond_status(node_t *node, http_request_t **request)
{
    json_t *changefeeds = json_array();
    node_core_state_t process = node_core_state(node->core);
    for (uint32_t i = 0; i < node_core_changefeed_count(node->core); i++)
        if (node_core_changefeed(node->core, i))
            json_array_append_new(changefeeds,
                                  changefeed_json(node_core_changefeed(node->core, i)));
    respond_json(request, 200,
                 json_pack("{s:s, s:s, s:s, s:s, s:I, s:i, s:b, s:o}", "version", version_number(),
                           "git_hash", version_hash(), "role", "dispatcher", "node", node->id.text,
                           "incarnation", (json_int_t)process.incarnation.v, "maintainers",
                           (int)process.links_welcome, "leaving", process.is_leaving, "changefeeds",
                           changefeeds));
}

/* ---- /metrics ---- */

typedef struct {
    const char *name, *type, *help;
    uint64_t (*value)(const node_changefeed_state_t *state);
} metric_t;

static uint64_t buffered(const node_changefeed_state_t *state)
{
    return state->statuses.buffered;
}

static uint64_t queued(const node_changefeed_state_t *state)
{
    return state->statuses.queued_requests;
}

static uint64_t requests(const node_changefeed_state_t *state)
{
    return state->statuses.sent_requests;
}

static uint64_t checkpoint(const node_changefeed_state_t *state)
{
    return state->checkpoint.v;
}

static uint64_t dispatchers(const node_changefeed_state_t *state)
{
    return state->dispatchers;
}

static uint64_t rows(const node_changefeed_state_t *state)
{
    return state->rows;
}

static uint64_t row_bytes(const node_changefeed_state_t *state)
{
    return state->bytes;
}

static uint64_t ddls(const node_changefeed_state_t *state)
{
    return state->ddls;
}

static uint64_t tail_bytes(const node_changefeed_state_t *state)
{
    return state->feed.tail_bytes;
}

static uint64_t catch_ups(const node_changefeed_state_t *state)
{
    return state->feed.catch_ups;
}

static uint64_t older_requests(const node_changefeed_state_t *state)
{
    return state->feed.older_requests;
}

static uint64_t older_failures(const node_changefeed_state_t *state)
{
    return state->feed.older_failures;
}

static uint64_t older_reloads(const node_changefeed_state_t *state)
{
    return state->feed.older_reloads;
}

static uint64_t drops(const node_changefeed_state_t *state)
{
    return state->feed.drops;
}

static uint64_t store_bytes(const node_changefeed_state_t *state)
{
    return state->feed.store.bytes;
}

static uint64_t store_tables(const node_changefeed_state_t *state)
{
    return state->feed.store.tables;
}

static uint64_t store_written(const node_changefeed_state_t *state)
{
    return state->feed.store.written_bytes;
}

static uint64_t store_read(const node_changefeed_state_t *state)
{
    return state->feed.store.read_bytes;
}

static uint64_t store_given_up(const node_changefeed_state_t *state)
{
    return state->feed.store.given_up;
}

static uint64_t store_failures(const node_changefeed_state_t *state)
{
    return state->feed.store.failures;
}

static uint64_t reading_others(const node_changefeed_state_t *state)
{
    return state->sessions.reading_others;
}

static uint64_t others_read(const node_changefeed_state_t *state)
{
    return state->sessions.others_read;
}

static uint64_t last_resorts(const node_changefeed_state_t *state)
{
    return state->sessions.last_resorts;
}

static uint64_t remote_streams(const node_changefeed_state_t *state)
{
    return state->feed.remote_streams;
}

static const metric_t metrics[] = {
    {"block_status_buffer_length", "gauge", "Block statuses that wait for a request.", buffered},
    {"block_status_request_queue_length", "gauge", "Requests that wait for the socket.", queued},
    {"block_status_requests_total", "counter", "Requests handed to the socket.", requests},
    {"checkpoint_ts", "gauge", "Everything up to it is durable on this node.", checkpoint},
    {"dispatcher_count", "gauge", "Dispatchers on this node.", dispatchers},
    {"sink_rows_total", "counter", "Row changes written.", rows},
    {"sink_bytes_total", "counter", "Logged bytes of row changes written.", row_bytes},
    {"event_sessions_on_other_nodes", "gauge", "Dispatchers that read from another node.",
     reading_others},
    {"event_sessions_on_other_nodes_total", "counter",
     "Times that a dispatcher began to read from another node.", others_read},
    {"event_sessions_held_nowhere_total", "counter",
     "Times that no other node held what a dispatcher needed, and the source was read.",
     last_resorts},
    {"event_streams_of_other_nodes", "gauge", "Dispatchers of other nodes that read from this one.",
     remote_streams},
    {"ddl_executed_total", "counter", "DDL and sync points executed.", ddls},
    {"event_tail_bytes", "gauge", "Events held in memory.", tail_bytes},
    {"event_catch_ups_total", "counter", "Second readings of the source begun.", catch_ups},
    {"region_requests_total", "counter", "Tables asked of a server to be caught up.",
     older_requests},
    {"retry_scheduled_total", "counter", "Such requests that failed, to be made again.",
     older_failures},
    {"range_reload_total", "counter", "Such tables whose server was looked for anew.",
     older_reloads},
    {"event_streams_dropped_total", "counter", "Streams given up, to start again.", drops},
    {"event_store_bytes", "gauge", "Events on the disk.", store_bytes},
    {"event_store_tables", "gauge", "Tables that have events there.", store_tables},
    {"event_store_written_bytes_total", "counter", "Memory freed by writing there.", store_written},
    {"event_store_read_bytes_total", "counter", "Events read back from there.", store_read},
    {"event_store_given_up_total", "counter", "Tables there was no place for.", store_given_up},
    {"event_store_failures_total", "counter", "Times all there was lost.", store_failures},
};

static const char *const stage_names[] = {"none", "waiting", "writing", "done"};

static void append_stages(arena_t *arena, const char **text, const char *changefeed,
                          const block_status_counters_t *counters)
{
    for (int stage = 0; stage <= STAGE_DONE; stage++)
        *text = arena_printf(arena,
                             "%sblock_status_offered_total{changefeed=\"%s\",stage=\"%s\"} %llu\n"
                             "block_status_coalesced_total{changefeed=\"%s\",stage=\"%s\"} %llu\n",
                             *text, changefeed, stage_names[stage],
                             (unsigned long long)counters->offered[stage], changefeed,
                             stage_names[stage], (unsigned long long)counters->coalesced[stage]);
}

static void respond_metrics(node_t *node, http_request_t **request)
{
    arena_t arena = {0};
    node_core_state_t process = node_core_state(node->core);
    const char *text = arena_printf(
        &arena,
        "# TYPE build_info gauge\nbuild_info{version=\"%s\",hash=\"%s\"} 1\n"
        "# TYPE messages_dropped_total counter\nmessages_dropped_total %llu\n"
        "# TYPE stream_messages_sent_total counter\nstream_messages_sent_total %llu\n"
        "# TYPE stream_bytes_sent_total counter\nstream_bytes_sent_total %llu\n"
        "# TYPE stream_events_given_up_total counter\n"
        "stream_events_given_up_total %llu\n"
        "# TYPE stream_services_lost_total counter\nstream_services_lost_total %llu\n",
        version_number(), version_hash(), (unsigned long long)messages_dropped(node),
        (unsigned long long)process.sessions.messages, (unsigned long long)process.sessions.bytes,
        (unsigned long long)process.sessions.given_up, (unsigned long long)process.services.lost);
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
        const metric_t *metric = &metrics[i];
        text = arena_printf(&arena, "%s# HELP %s %s\n# TYPE %s %s\n", text, metric->name,
                            metric->help, metric->name, metric->type);
        for (uint32_t j = 0; j < node_core_changefeed_count(node->core); j++) {
            node_changefeed_t *changefeed = node_core_changefeed(node->core, j);
            node_changefeed_state_t state;
            if (!changefeed)
                continue;
            node_changefeed_state(changefeed, &state);
            text = arena_printf(&arena, "%s%s{changefeed=\"%s\"} %llu\n", text, metric->name,
                                node_changefeed_name(changefeed),
                                (unsigned long long)metric->value(&state));
            if (i == 0)
                append_stages(&arena, &text, node_changefeed_name(changefeed),
                              &state.statuses.statuses);
        }
    }
    http_respond(request, 200, "text/plain; version=0.0.4", bytes_of_text(text), NULL);
    arena_clear(&arena);
}

void node_handle_http(void *context, http_request_t *request)
{
    node_t *node = context;
    const char *path = http_request_path(request);
    if (FAIL_POINT_HTTP(&request))
        return;
    if (strcmp(http_request_method(request), "GET") != 0)
        http_respond(&request, 405, "text/plain", bytes_of_text("method not allowed\n"), "GET");
    else if (strcmp(path, "/health") == 0)
        http_respond(&request, 200, "text/plain", bytes_of_text("ok\n"), NULL);
    else if (strcmp(path, "/ready") == 0)
        respond_ready(node, &request);
    else if (strcmp(path, "/status") == 0)
        respond_status(node, &request);
    else if (strcmp(path, "/metrics") == 0)
        respond_metrics(node, &request);
    else
        http_respond(&request, 404, "text/plain", bytes_of_text("not found\n"), NULL);
}

void node_log_state(node_t *node)
{
    LOG(LOG_LEVEL_INFO, "node", NULL, "state", log_text("id", node->id.text),
        log_number("changefeeds", node_core_changefeed_count(node->core)),
        log_number("maintainers", node_core_state(node->core).links_welcome),
        log_number("messages_dropped", messages_dropped(node)));
    for (uint32_t i = 0; i < node_core_changefeed_count(node->core); i++) {
        node_changefeed_t *changefeed = node_core_changefeed(node->core, i);
        if (!changefeed)
            continue;
        node_changefeed_state_t state;
        node_changefeed_state(changefeed, &state);
        LOG(LOG_LEVEL_INFO, "node", node_changefeed_name(changefeed), "state",
            log_number("dispatchers", state.dispatchers),
            log_number("checkpoint_ts", state.checkpoint.v),
            log_number("resolved_ts", state.resolved.v), log_number("rows", state.rows),
            log_number("ddls", state.ddls),
            log_number("statuses_buffered", state.statuses.buffered),
            log_number("requests_unanswered", state.statuses.unanswered_requests),
            log_text("error", sluice_error_name(state.error)));
    }
}
