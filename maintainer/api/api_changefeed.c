/* Routes about changefeeds. */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "maintainer/api/api_internal.h"
#include "maintainer/meta/config_json.h"

#define TABLES_PER_PAGE_MAX 5000

void api_list_changefeeds(call_t *call)
{
    changefeed_view_t *views;
    size_t count =
        coordinator_changefeeds(call->api->coordinator, call->api->now, &call->arena, &views);
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, api_json_changefeed(call->api, &views[i]));
    call_answer_json(call, 200, api_json_list(items));
}

static void answer_not_found(call_t *call)
{
    call_answer_error(call, SLUICE_ERROR_NOT_FOUND,
                      arena_printf(&call->arena, "there is no changefeed '%s'", call->id));
}

void api_get_changefeed(call_t *call)
{
    changefeed_view_t view;
    if (coordinator_changefeed(call->api->coordinator, call->api->now, call->name, &call->arena,
                               &view) == SLUICE_OK)
        call_answer_json(call, 200, api_json_changefeed(call->api, &view));
    else
        answer_not_found(call);
}

/* The body as configuration; false: the call is answered. */
static bool read_config(call_t *call, changefeed_config_t *config)
{
    json_t *body = call_body(call, false);
    if (!body)
        return false;
    sluice_error_t error = config_json_to(body, &call->arena, config, &call->report);
    json_decref(body);
    if (error != SLUICE_OK)
        call_answer_error(call, error, call->report.text);
    return error == SLUICE_OK;
}

void api_create_changefeed(call_t *call)
{
    changefeed_config_t config;
    changefeed_uuid_t uuid;
    if (!read_config(call, &config))
        return;
    if (getrandom(uuid.bytes, sizeof uuid.bytes, 0) != (ssize_t)sizeof uuid.bytes) {
        call_answer_error(call, SLUICE_ERROR_BUG, "no random numbers");
        return;
    }
    uint64_t id = call_next_id(call);
    sluice_error_t error = coordinator_create(call->api->coordinator, call->api->now, id, uuid,
                                              &config, &call->report);
    call_put_off(call, error, id, 201, config.name);
}

void api_update_changefeed(call_t *call)
{
    changefeed_config_t config;
    if (!read_config(call, &config))
        return;
    if (!bytes_equal(config.name, call->name)) {
        call_answer_error(call, SLUICE_ERROR_CONFIGURATION, "name: is not that of the path");
        return;
    }
    uint64_t id = call_next_id(call);
    sluice_error_t error = coordinator_update(call->api->coordinator, call->api->now, id,
                                              call->name, &config, &call->report);
    call_put_off(call, error, id, 200, call->name);
}

void api_delete_changefeed(call_t *call)
{
    uint64_t id = call_next_id(call);
    sluice_error_t error =
        coordinator_remove(call->api->coordinator, call->api->now, id, call->name, &call->report);
    call_put_off(call, error, id, 200, bytes_of_text(""));
}

void api_pause_changefeed(call_t *call)
{
    uint64_t id = call_next_id(call);
    sluice_error_t error =
        coordinator_pause(call->api->coordinator, call->api->now, id, call->name, &call->report);
    call_put_off(call, error, id, 200, call->name);
}

/* {"overwrite_gtid": "0-1-100"} or nothing. */
void api_resume_changefeed(call_t *call)
{
    json_t *body = call_body(call, true);
    if (!body)
        return;
    json_t *gtid = json_object_get(body, "overwrite_gtid");
    size_t wanted = gtid ? 1 : 0;
    bool is_list = !gtid || (json_is_string(gtid) && json_string_length(gtid) > 0 &&
                             json_string_length(gtid) < ANCHOR_GTID_LIST_MAX);
    bytes_t list = bytes_of_text("");
    uint64_t sequence;
    if (gtid && is_list)
        list =
            arena_bytes(&call->arena, bytes_of(json_string_value(gtid), json_string_length(gtid)));
    bool is_known = json_object_size(body) == wanted;
    json_decref(body);
    if (!is_known || !is_list ||
        (list.len && gtid_list_sequence((const char *)list.data, 0, &sequence) != SLUICE_OK)) {
        call_answer_error(call, SLUICE_ERROR_CONFIGURATION,
                          "overwrite_gtid: a GTID list such as 0-1-100 and nothing else is wanted");
        return;
    }
    uint64_t id = call_next_id(call);
    sluice_error_t error = coordinator_resume(call->api->coordinator, call->api->now, id,
                                              call->name, list, &call->report);
    call_put_off(call, error, id, 200, call->name);
}

/* A whole number of the query, `otherwise` when it is not given; false: the call is answered. */
static bool read_query_number(call_t *call, const char *name, size_t otherwise, size_t *number)
{
    const char *text = http_request_query(call->request, name);
    char *end = NULL;
    *number = otherwise;
    if (!text)
        return true;
    errno = 0;
    *number = strtoul(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0)
        return true;
    call_answer_error(call, SLUICE_ERROR_MALFORMED,
                      arena_printf(&call->arena, "%s: a whole number is wanted", name));
    return false;
}

/* In pages, ?offset= and ?limit=: a hundred thousand tables at once would hold up the loop. */
void api_list_tables(call_t *call)
{
    table_view_t *views;
    size_t total = 0, offset, limit;
    if (!read_query_number(call, "offset", 0, &offset) ||
        !read_query_number(call, "limit", TABLES_PER_PAGE_MAX, &limit))
        return;
    if (coordinator_tables(call->api->coordinator, call->name, &call->arena, &views, &total) !=
        SLUICE_OK) {
        answer_not_found(call);
        return;
    }
    if (limit > TABLES_PER_PAGE_MAX)
        limit = TABLES_PER_PAGE_MAX;
    json_t *items = json_array();
    for (size_t i = offset; i < total && i - offset < limit; i++)
        json_array_append_new(items, api_json_table(&views[i]));
    json_t *json = api_json_list(items);
    json_object_set_new(json, "total", json_integer((json_int_t)total));
    call_answer_json(call, 200, json);
}

void api_list_barriers(call_t *call)
{
    barrier_view_t *views;
    size_t count = 0;
    if (coordinator_barriers(call->api->coordinator, call->api->now, call->name, &call->arena,
                             &views, &count) != SLUICE_OK) {
        answer_not_found(call);
        return;
    }
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, api_json_barrier(&views[i]));
    call_answer_json(call, 200, api_json_list(items));
}

/* Table ids are 64 bits without sign, more than JSON's readers take exactly: they are texts. */
static bool read_table_id(const char *text, table_id_t *table_id)
{
    uint64_t value = 0;
    if (!*text)
        return false;
    for (; *text; text++)
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
            return false;
    table_id->v = value;
    return true;
}

/* {"table_id": "123", "node": "node-1"} */
void api_move_table(call_t *call)
{
    json_t *body = call_body(call, false);
    if (!body)
        return;
    const char *table = json_string_value(json_object_get(body, "table_id"));
    const char *node_name = json_string_value(json_object_get(body, "node"));
    table_id_t table_id;
    node_id_t node;
    bool is_wellformed = table && node_name && json_object_size(body) == 2 &&
                         read_table_id(table, &table_id) &&
                         node_id_parse(bytes_of_text(node_name), &node);
    json_decref(body);
    if (!is_wellformed) {
        call_answer_error(call, SLUICE_ERROR_CONFIGURATION,
                          "table_id and node, both texts, and nothing else are wanted");
        return;
    }
    uint64_t id = call_next_id(call);
    sluice_error_t error = coordinator_move_table(call->api->coordinator, call->api->now, id,
                                                  call->name, table_id, &node, &call->report);
    call_put_off(call, error, id, 200, call->name);
}
