#include "common/runtime/fail_point_http.h"

#include <string.h>

#include "common/base/arena.h"
#include "common/runtime/fail_point.h"

static void respond(http_request_t **request, unsigned status, const char *text)
{
    http_respond(request, status, "text/plain", bytes_of_text(text), NULL);
}

static void respond_names(http_request_t **request)
{
    arena_t arena = {0};
    const char *text = "";
    for (const fail_point_name_t *known = fail_point_names; known->name; known++)
        text = arena_printf(&arena, "%s%s: %s\n", text, known->name, known->place);
    respond(request, 200, text);
    arena_clear(&arena);
}

/* The body is a JSON string without escapes. */
static void arm(http_request_t **request)
{
    arena_t arena = {0};
    error_report_t report = {0};
    bytes_t body = http_request_body(*request);
    bool is_string = body.len > 2 && body.data[0] == '"' && body.data[body.len - 1] == '"';
    if (!is_string)
        respond(request, 400, "ORDERS as a JSON string are wanted\n");
    else if (fail_point_arm(arena_strndup(&arena, body.data + 1, body.len - 2), &report) !=
             SLUICE_OK)
        respond(request, 400, report.text);
    else
        respond(request, 200, "armed\n");
    arena_clear(&arena);
}

bool fail_point_http(http_request_t **request)
{
    if (strcmp(http_request_path(*request), "/debug/fail-points") != 0 ||
        !http_request_is_local(*request))
        return false;
    const char *method = http_request_method(*request);
    if (strcmp(method, "POST") == 0) {
        arm(request);
    } else if (strcmp(method, "DELETE") == 0) {
        fail_point_disarm_all();
        respond(request, 200, "disarmed\n");
    } else {
        respond_names(request);
    }
    return true;
}
