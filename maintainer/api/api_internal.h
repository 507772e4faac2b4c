/* What the files of the API share. */
#ifndef SLUICE_MAINTAINER_API_API_INTERNAL_H
#define SLUICE_MAINTAINER_API_API_INTERNAL_H

#include <jansson.h>

#include "maintainer/api/api.h"

/* A command whose answer is not there yet. */
typedef struct {
    uint64_t request_id; /* 0: free */
    http_request_t *request;
    unsigned status; /* when it succeeds */
    char name[CHANGEFEED_NAME_MAX + 1];
} api_pending_t;

struct api {
    coordinator_t *coordinator;
    api_identity_t identity;
    const actor_counters_t *counters;
    mono_ns_t now;
    wall_ms_t wall;
    uint64_t last_request_id;
    api_pending_t pending[HTTP_PENDING_MAX];
};

/* One request on its way through a route. `id` is the path's {id}, "" when it has none. */
typedef struct {
    api_t *api;
    http_request_t *request; /* NULL once answered or put off */
    const char *id;
    bytes_t name; /* the same as bytes */
    arena_t arena;
    error_report_t report;
} call_t;

/* Each answers the call or puts it off. */
typedef void api_route_t(call_t *call);

/* Consumes `json`. */
void call_answer_json(call_t *call, unsigned status, json_t *json);
void call_answer_error(call_t *call, sluice_error_t error, const char *text);
/* What a command has returned: OK puts the call off until api_answer (then `status` and the
 * changefeed `name`), else it is answered with the report. */
void call_put_off(call_t *call, sluice_error_t error, uint64_t request_id, unsigned status,
                  bytes_t name);
uint64_t call_next_id(call_t *call);
/* The body as JSON object; NULL: the call is answered. The caller gives it back. An absent body is
 * an empty object when `may_be_absent`. */
json_t *call_body(call_t *call, bool may_be_absent);

unsigned api_status_of(sluice_error_t error);

api_route_t api_list_changefeeds, api_get_changefeed, api_create_changefeed, api_update_changefeed,
    api_delete_changefeed, api_pause_changefeed, api_resume_changefeed, api_list_tables,
    api_list_barriers, api_move_table;
api_route_t api_list_captures, api_drain_capture, api_health, api_ready, api_status, api_metrics,
    api_set_log;

/* ---- views as JSON (api_json.c) ---- */

json_t *api_json_text(const char *text); /* bytes that are no UTF-8 become '?' */
json_t *api_json_list(json_t *items);    /* {"total", "items"}; consumes */
json_t *api_json_changefeed(const api_t *api, const changefeed_view_t *view);
json_t *api_json_table(const table_view_t *view);
json_t *api_json_barrier(const barrier_view_t *view);
json_t *api_json_node(const node_view_t *view);
/* Seconds that the changefeed is behind; 0 when it stands at the end of the log. */
double api_lag_seconds(const api_t *api, const changefeed_view_t *view);

/* ---- Prometheus text (metrics.c) ---- */

/* In the arena. */
bytes_t api_metrics_text(const api_t *api, arena_t *arena);

#endif
