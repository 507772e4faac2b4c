#include "maintainer/api/api_internal.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "common/runtime/fail_point_http.h"

#define SEGMENTS_MAX 6
#define SEGMENT_LEN_MAX 128

typedef struct {
    const char *method;
    const char *segments[SEGMENTS_MAX]; /* "{}" stands for the id */
    api_route_t *handle;
} route_t;

static const route_t routes[] = {
    {"GET", {"api", "v2", "changefeeds"}, api_list_changefeeds},
    {"POST", {"api", "v2", "changefeeds"}, api_create_changefeed},
    {"GET", {"api", "v2", "changefeeds", "{}"}, api_get_changefeed},
    {"PUT", {"api", "v2", "changefeeds", "{}"}, api_update_changefeed},
    {"DELETE", {"api", "v2", "changefeeds", "{}"}, api_delete_changefeed},
    {"POST", {"api", "v2", "changefeeds", "{}", "pause"}, api_pause_changefeed},
    {"POST", {"api", "v2", "changefeeds", "{}", "resume"}, api_resume_changefeed},
    {"GET", {"api", "v2", "changefeeds", "{}", "tables"}, api_list_tables},
    {"GET", {"api", "v2", "changefeeds", "{}", "barriers"}, api_list_barriers},
    {"POST", {"api", "v2", "changefeeds", "{}", "move_table"}, api_move_table},
    {"GET", {"api", "v2", "captures"}, api_list_captures},
    {"PUT", {"api", "v2", "captures", "{}", "drain"}, api_drain_capture},
    {"POST", {"api", "v2", "log"}, api_set_log},
    {"GET", {"health"}, api_health},
    {"GET", {"ready"}, api_ready},
    {"GET", {"status"}, api_status},
    {"GET", {"metrics"}, api_metrics},
};
#define ROUTE_COUNT (sizeof routes / sizeof routes[0])

api_t *api_new(coordinator_t *coordinator, const api_identity_t *identity,
               const actor_counters_t *counters)
{
    api_t *api = memory_zalloc(sizeof *api);
    api->coordinator = coordinator;
    api->identity = *identity;
    api->counters = counters;
    return api;
}

void api_destroy(api_t **api)
{
    free(*api);
    *api = NULL;
}

void api_set_now(api_t *api, mono_ns_t now, wall_ms_t wall)
{
    api->now = now;
    api->wall = wall;
}

/* ---- answers ---- */

unsigned api_status_of(sluice_error_t error)
{
    if (error == SLUICE_ERROR_NOT_FOUND)
        return 404;
    if (error == SLUICE_ERROR_EXISTS || error == SLUICE_ERROR_STATE)
        return 409;
    if (error == SLUICE_ERROR_CONFIGURATION || error == SLUICE_ERROR_MALFORMED ||
        error == SLUICE_ERROR_UNSUPPORTED)
        return 400;
    if (error == SLUICE_ERROR_BUG || error == SLUICE_ERROR_META_STORE ||
        error == SLUICE_ERROR_NO_SPACE || error == SLUICE_ERROR_IO)
        return 500;
    if (sluice_error_is_retriable(error) || error == SLUICE_ERROR_FULL ||
        error == SLUICE_ERROR_CLOSED || error == SLUICE_ERROR_NOT_OWNER)
        return 503;
    return 422; /* source or sink are not as they have to be */
}

static void answer_json(http_request_t **request, unsigned status, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (!text)
        memory_exhausted(1);
    size_t len = strlen(text);
    text[len] = '\n'; /* in place of the NUL: the length is given */
    http_respond(request, status, "application/json", bytes_of(text, len + 1), NULL);
    free(text);
}

static json_t *error_json(sluice_error_t error, const char *text)
{
    json_t *json = json_object();
    json_object_set_new(json, "error_code", json_string(sluice_error_name(error)));
    json_object_set_new(json, "error_msg", api_json_text(text));
    return json;
}

void call_answer_json(call_t *call, unsigned status, json_t *json)
{
    answer_json(&call->request, status, json);
}

void call_answer_error(call_t *call, sluice_error_t error, const char *text)
{
    answer_json(&call->request, api_status_of(error), error_json(error, text));
}

/* ---- commands under way ---- */

uint64_t call_next_id(call_t *call)
{
    return ++call->api->last_request_id;
}

void call_put_off(call_t *call, sluice_error_t error, uint64_t request_id, unsigned status,
                  bytes_t name)
{
    if (error != SLUICE_OK) {
        call_answer_error(call, error, call->report.text);
        return;
    }
    api_pending_t *free_slot = call->api->pending;
    while (free_slot->request_id)
        free_slot++; /* the server bounds unanswered requests to the size of the array */
    *free_slot =
        (api_pending_t){.request_id = request_id, .request = call->request, .status = status};
    size_t len = name.len < CHANGEFEED_NAME_MAX ? name.len : CHANGEFEED_NAME_MAX;
    if (len)
        memcpy(free_slot->name, name.data, len);
    call->request = NULL;
}

/* The changefeed as it is now, with what the command had to tell. */
static json_t *outcome_json(api_t *api, const char *name, bytes_t text, arena_t *arena)
{
    changefeed_view_t view;
    bool is_there = *name && coordinator_changefeed(api->coordinator, api->now, bytes_of_text(name),
                                                    arena, &view) == SLUICE_OK;
    json_t *json = is_there ? api_json_changefeed(api, &view) : json_object();
    if (text.len)
        json_object_set_new(json, "warnings",
                            api_json_text(arena_strndup(arena, text.data, text.len)));
    return json;
}

void api_answer(api_t *api, uint64_t request_id, sluice_error_t error, bytes_t text)
{
    api_pending_t *pending = NULL;
    for (size_t i = 0; i < HTTP_PENDING_MAX && request_id; i++)
        if (api->pending[i].request_id == request_id)
            pending = &api->pending[i];
    if (!pending)
        return;
    arena_t arena = {0};
    if (error == SLUICE_OK)
        answer_json(&pending->request, pending->status,
                    outcome_json(api, pending->name, text, &arena));
    else
        answer_json(&pending->request, api_status_of(error),
                    error_json(error, arena_strndup(&arena, text.data, text.len)));
    pending->request_id = 0;
    arena_clear(&arena);
}

/* ---- bodies ---- */

json_t *call_body(call_t *call, bool may_be_absent)
{
    bytes_t body = http_request_body(call->request);
    if (body.len == 0 && may_be_absent)
        return json_object();
    json_error_t problem;
    json_t *json = json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, &problem);
    if (!json_is_object(json)) {
        char text[256];
        snprintf(text, sizeof text, "body: %s (line %d, column %d)",
                 json ? "a JSON object is wanted" : problem.text, json ? 1 : problem.line,
                 json ? 1 : problem.column);
        json_decref(json);
        call_answer_error(call, SLUICE_ERROR_MALFORMED, text);
        return NULL;
    }
    return json;
}

/* ---- routing ---- */

/* Cuts the path at '/'; returns the number of segments, SEGMENTS_MAX + 1 when it fits no route. */
static size_t split(const char *path, arena_t *arena, const char *segments[SEGMENTS_MAX])
{
    size_t count = 0;
    while (*path == '/') {
        size_t len = strcspn(++path, "/");
        if (len == 0 || len > SEGMENT_LEN_MAX || count == SEGMENTS_MAX)
            return SEGMENTS_MAX + 1;
        segments[count++] = arena_strndup(arena, path, len);
        path += len;
    }
    return count;
}

static bool matches(const route_t *route, const char *const *segments, size_t count,
                    const char **id)
{
    for (size_t i = 0; i < SEGMENTS_MAX; i++) {
        const char *wanted = route->segments[i];
        if (!wanted || i == count)
            return !wanted && i == count;
        if (strcmp(wanted, "{}") == 0)
            *id = segments[i];
        else if (strcmp(wanted, segments[i]) != 0)
            return false;
    }
    return count == SEGMENTS_MAX;
}

static void answer_no_route(call_t *call, const char *allow)
{
    json_t *json = error_json(allow[0] ? SLUICE_ERROR_UNSUPPORTED : SLUICE_ERROR_NOT_FOUND,
                              allow[0] ? "this path does not take that method" : "no such path");
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (!text)
        memory_exhausted(1);
    http_respond(&call->request, allow[0] ? 405 : 404, "application/json", bytes_of_text(text),
                 allow[0] ? allow : NULL);
    free(text);
}

static void dispatch(call_t *call)
{
    const char *segments[SEGMENTS_MAX] = {0};
    size_t count = split(http_request_path(call->request), &call->arena, segments);
    char allow[64] = "";
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        const char *id = "";
        if (count > SEGMENTS_MAX || !matches(&routes[i], segments, count, &id))
            continue;
        if (strcmp(routes[i].method, http_request_method(call->request)) != 0) {
            size_t len = strlen(allow);
            snprintf(allow + len, sizeof allow - len, "%s%s", len ? ", " : "", routes[i].method);
            continue;
        }
        call->id = id;
        call->name = bytes_of_text(id);
        if (*id && !changefeed_name_is_valid(call->name))
            call_answer_error(call, SLUICE_ERROR_MALFORMED,
                              "id: 1 to 128 of letters, digits, '.', '_', '-' are wanted");
        else
            routes[i].handle(call);
        return;
    }
    answer_no_route(call, allow);
}

void api_handle(void *api, http_request_t *request)
{
    if (FAIL_POINT_HTTP(&request))
        return;
    call_t call = {.api = api, .request = request, .id = ""};
    dispatch(&call);
    arena_clear(&call.arena);
}
