/* Routes about nodes and the process itself. */
#include <stdlib.h>

#include "common/runtime/log.h"
#include "maintainer/api/api_internal.h"

void api_list_captures(call_t *call)
{
    node_view_t *views;
    size_t count = coordinator_nodes(call->api->coordinator, call->api->now, &call->arena, &views);
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, api_json_node(&views[i]));
    call_answer_json(call, 200, api_json_list(items));
}

static void answer_drain(call_t *call, const node_id_t *node)
{
    node_view_t *views;
    size_t count = coordinator_nodes(call->api->coordinator, call->api->now, &call->arena, &views);
    for (size_t i = 0; i < count; i++)
        if (strcmp(views[i].id, node->text) == 0) {
            json_t *json = json_object();
            json_object_set_new(json, "current_span_count",
                                json_integer((json_int_t)views[i].span_left_count));
            call_answer_json(call, 202, json);
            return;
        }
    call_answer_error(call, SLUICE_ERROR_NOT_FOUND, "there is no such node");
}

/* Also asked again to see how much is left. */
void api_drain_capture(call_t *call)
{
    node_id_t node;
    if (!node_id_parse(call->name, &node)) {
        call_answer_error(call, SLUICE_ERROR_NOT_FOUND, "there is no such node");
        return;
    }
    sluice_error_t error =
        coordinator_drain(call->api->coordinator, call->api->now, 0, &node, &call->report);
    if (error == SLUICE_OK)
        answer_drain(call, &node);
    else
        call_answer_error(call, error, call->report.text);
}

void api_set_log(call_t *call)
{
    json_t *body = call_body(call, false);
    if (!body)
        return;
    const char *text = json_string_value(json_object_get(body, "log_level"));
    log_level_t level;
    bool is_level = text && json_object_size(body) == 1 && log_level_parse(text, &level);
    json_decref(body);
    if (!is_level) {
        call_answer_error(call, SLUICE_ERROR_CONFIGURATION,
                          "log_level: debug, info, warning or error, and nothing else, is wanted");
        return;
    }
    log_set_level(level);
    call_answer_json(call, 200, json_object());
}

/* Being answered at all shows that the loop turns. */
void api_health(call_t *call)
{
    json_t *json = json_object();
    json_object_set_new(json, "status", json_string("ok"));
    call_answer_json(call, 200, json);
}

static void add_reason(json_t *reasons, const char *what, const char *name)
{
    char text[CHANGEFEED_NAME_MAX + 256];
    snprintf(text, sizeof text, "%s%s%s", name, *name ? ": " : "", what);
    json_array_append_new(reasons, api_json_text(text));
}

static bool has_node(call_t *call)
{
    node_view_t *views;
    size_t count = coordinator_nodes(call->api->coordinator, call->api->now, &call->arena, &views);
    for (size_t i = 0; i < count; i++)
        if (views[i].is_present)
            return true;
    return false;
}

static void check_changefeed(const api_t *api, const changefeed_view_t *view, double lag_max,
                             json_t *reasons)
{
    bool is_wanted = view->state == CHANGEFEED_NORMAL || view->state == CHANGEFEED_WARNING;
    char text[128];
    if (view->state == CHANGEFEED_FAILED)
        add_reason(reasons, view->error_text, view->name);
    if (!is_wanted)
        return;
    if (strcmp(view->phase, "running") != 0)
        add_reason(reasons, view->phase, view->name);
    if (view->state == CHANGEFEED_WARNING)
        add_reason(reasons, view->error_text, view->name);
    double lag = api_lag_seconds(api, view);
    if (lag_max >= 0 && lag > lag_max) {
        snprintf(text, sizeof text, "is %.0f s behind", lag);
        add_reason(reasons, text, view->name);
    }
}

/* ?lag=60: also, that no changefeed is more than so many seconds behind. */
void api_ready(call_t *call)
{
    const char *lag_text = http_request_query(call->request, "lag");
    char *end = NULL;
    double lag_max = lag_text ? strtod(lag_text, &end) : -1;
    if (lag_text && (!*lag_text || *end || !(lag_max >= 0 && lag_max < 1e9))) {
        call_answer_error(call, SLUICE_ERROR_MALFORMED, "lag: a number of seconds is wanted");
        return;
    }
    json_t *reasons = json_array();
    if (!has_node(call))
        add_reason(reasons, "no node is there", "");
    changefeed_view_t *views;
    size_t count =
        coordinator_changefeeds(call->api->coordinator, call->api->now, &call->arena, &views);
    for (size_t i = 0; i < count; i++)
        check_changefeed(call->api, &views[i], lag_max, reasons);
    bool is_ready = json_array_size(reasons) == 0;
    json_t *json = json_object();
    json_object_set_new(json, "ready", json_boolean(is_ready));
    json_object_set_new(json, "reasons", reasons);
    call_answer_json(call, is_ready ? 200 : 503, json);
}

void api_status(call_t *call)
{
    const api_identity_t *identity = &call->api->identity;
    json_t *json = json_object();
    changefeed_view_t *feeds;
    node_view_t *nodes;
    size_t feed_count =
        coordinator_changefeeds(call->api->coordinator, call->api->now, &call->arena, &feeds);
    size_t node_count =
        coordinator_nodes(call->api->coordinator, call->api->now, &call->arena, &nodes);
    json_object_set_new(json, "version", json_string(identity->version));
    json_object_set_new(json, "git_hash", json_string(identity->hash));
    json_object_set_new(json, "id", json_string(identity->name));
    json_object_set_new(json, "role", json_string("maintainer"));
    json_object_set_new(
        json, "uptime_seconds",
        json_integer((json_int_t)(mono_elapsed(identity->started, call->api->now) / NS_PER_S)));
    json_object_set_new(json, "changefeeds", json_integer((json_int_t)feed_count));
    json_object_set_new(json, "captures", json_integer((json_int_t)node_count));
    json_object_set_new(json, "log_lines_dropped", json_integer((json_int_t)log_dropped()));
    call_answer_json(call, 200, json);
}

void api_metrics(call_t *call)
{
    bytes_t text = api_metrics_text(call->api, &call->arena);
    http_respond(&call->request, 200, "text/plain; version=0.0.4; charset=utf-8", text, NULL);
}
