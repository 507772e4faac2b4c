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

uint64_t node_messages_dropped(const node_t *node)
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
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:i, s:I, s:I, s:I, s:I, s:b, s:b}", "tail_bytes",
        (json_int_t)state->feed.tail_bytes, "catch_ups", (json_int_t)state->feed.catch_ups,
        "streams_dropped", (json_int_t)state->feed.drops, "store_bytes", (json_int_t)store->bytes,
        "store_tables", (int)store->tables, "store_written_bytes", (json_int_t)store->written_bytes,
        "store_read_bytes", (json_int_t)store->read_bytes, "store_given_up",
        (json_int_t)store->given_up, "store_failures", (json_int_t)store->failures, "store_full",
        store->is_full, "store_hanging", store->is_hanging);
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
        node_respond_metrics(node, &request);
    else
        http_respond(&request, 404, "text/plain", bytes_of_text("not found\n"), NULL);
}

void node_log_state(node_t *node)
{
    LOG(LOG_LEVEL_INFO, "node", NULL, "state", log_text("id", node->id.text),
        log_number("changefeeds", node_core_changefeed_count(node->core)),
        log_number("maintainers", node_core_state(node->core).links_welcome),
        log_number("messages_dropped", node_messages_dropped(node)));
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
