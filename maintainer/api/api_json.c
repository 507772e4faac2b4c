/* Views of the coordinator as JSON. */
#include "common/base/utf8.h"
#include "common/runtime/clock.h"
#include "maintainer/api/api_internal.h"
#include "maintainer/meta/config_json.h"

json_t *api_json_text(const char *text)
{
    bytes_t bytes = bytes_of_text(text ? text : "");
    if (utf8_is_valid(bytes))
        return json_stringn((const char *)bytes.data, bytes.len);
    arena_t arena = {0};
    char *cleaned = arena_strndup(&arena, bytes.data, bytes.len);
    for (size_t at = 0; at < bytes.len;) {
        size_t len = utf8_character_len(bytes_of(bytes.data + at, bytes.len - at));
        if (len == 0)
            cleaned[at] = '?';
        at += len ? len : 1;
    }
    json_t *json = json_stringn(cleaned, bytes.len);
    arena_clear(&arena);
    return json;
}

static void put_text(json_t *json, const char *name, const char *text)
{
    json_object_set_new(json, name, api_json_text(text));
}

static void put_number(json_t *json, const char *name, uint64_t number)
{
    json_object_set_new(json, name, json_integer((json_int_t)number));
}

static void put_boolean(json_t *json, const char *name, bool value)
{
    json_object_set_new(json, name, json_boolean(value));
}

/* 64 bits without sign as text, exact for every reader. */
static void put_id(json_t *json, const char *name, uint64_t id)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)id);
    json_object_set_new(json, name, json_string(text));
}

json_t *api_json_list(json_t *items)
{
    json_t *json = json_object();
    put_number(json, "total", json_array_size(items));
    json_object_set_new(json, "items", items);
    return json;
}

double api_lag_seconds(const api_t *api, const changefeed_view_t *view)
{
    if (view->is_caught_up && view->checkpoint_now.v >= view->resolved.v)
        return 0;
    if (view->checkpoint_time.v == 0 || view->checkpoint_time.v >= api->wall.v)
        return 0;
    double lag = (double)(api->wall.v - view->checkpoint_time.v) / 1000.0;
    /* A source that was idle before it went away was not behind then. */
    double since = (double)mono_elapsed(view->caught_up_at, api->now) / (double)NS_PER_S;
    return view->caught_up_at.v && since < lag ? since : lag;
}

static json_t *error_of(const changefeed_view_t *view)
{
    if (view->error == SLUICE_OK)
        return json_null();
    json_t *json = json_object();
    put_text(json, "code", sluice_error_name(view->error));
    put_text(json, "message", view->error_text);
    return json;
}

static json_t *spans_of(const changefeed_view_t *view)
{
    json_t *json = json_object();
    put_number(json, "absent", view->absent_count);
    put_number(json, "scheduling", view->scheduling_count);
    put_number(json, "replicating", view->replicating_count);
    put_number(json, "closing", view->closing_count);
    put_number(json, "moving", view->moving_count);
    return json;
}

static void put_progress(json_t *json, const api_t *api, const changefeed_view_t *view)
{
    char time[CLOCK_TEXT_SIZE];
    clock_format(view->checkpoint_time, time);
    put_number(json, "checkpoint_ts", view->checkpoint.v);
    put_text(json, "checkpoint_time", view->checkpoint_time.v ? time : "");
    put_text(json, "gtid", view->gtid_list);
    put_number(json, "resolved_ts", view->resolved.v);
    json_object_set_new(json, "lag_seconds", json_real(api_lag_seconds(api, view)));
    put_boolean(json, "caught_up", view->is_caught_up);
    put_text(json, "holding", view->holding);
    put_number(json, "rows_applied", view->rows_applied);
    put_number(json, "rows_per_second", view->rows_per_second);
    put_number(json, "bytes_applied", view->bytes_applied);
    put_number(json, "ddl_applied", view->ddl_applied);
}

json_t *api_json_changefeed(const api_t *api, const changefeed_view_t *view)
{
    json_t *json = json_object();
    char uuid[CHANGEFEED_UUID_TEXT_SIZE];
    changefeed_uuid_format(view->ref.uuid, uuid);
    put_text(json, "id", view->name);
    put_text(json, "uuid", uuid);
    put_number(json, "generation", view->ref.generation);
    put_number(json, "maintainer_epoch", view->maintainer_epoch);
    put_text(json, "state", changefeed_state_name(view->state));
    put_text(json, "phase", view->phase);
    json_object_set_new(json, "error", error_of(view));
    put_progress(json, api, view);
    put_number(json, "table_count", view->table_count);
    put_number(json, "span_count", view->span_count);
    json_object_set_new(json, "spans", spans_of(view));
    put_number(json, "barrier_count", view->barrier_count);
    if (view->config)
        json_object_set_new(json, "config", config_json_from(view->config, true));
    return json;
}

static json_t *key_of(event_key_t key)
{
    json_t *json = json_object();
    put_number(json, "commit_ts", key.commit_ts.v);
    put_boolean(json, "is_syncpoint", key.is_syncpoint);
    return json;
}

static json_t *hexadecimal(bytes_t bytes)
{
    arena_t arena = {0};
    char *text = arena_zalloc(&arena, bytes.len * 2 + 1);
    for (size_t i = 0; i < bytes.len; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes.data[i]);
    json_t *json = json_string(text);
    arena_clear(&arena);
    return json;
}

static void put_dispatcher(json_t *json, const char *name, dispatcher_id_t id)
{
    char text[DISPATCHER_ID_TEXT_SIZE];
    dispatcher_id_format(id, text);
    json_object_set_new(json, name, json_string(dispatcher_id_is_none(id) ? "" : text));
}

json_t *api_json_table(const table_view_t *view)
{
    json_t *json = json_object();
    put_id(json, "table_id", view->table_id.v);
    put_text(json, "schema", view->schema);
    put_text(json, "table", view->name);
    put_text(json, "node", view->node);
    put_text(json, "state", view->state);
    put_dispatcher(json, "dispatcher", view->dispatcher_id);
    put_number(json, "checkpoint_ts", view->position.checkpoint.v);
    json_object_set_new(json, "passed", key_of(view->position.passed));
    if (view->start_key.len || view->end_key.len) {
        json_object_set_new(json, "start_key", hexadecimal(view->start_key));
        json_object_set_new(json, "end_key", hexadecimal(view->end_key));
    }
    json_object_set_new(json, "waiting_for",
                        view->is_waiting ? key_of(view->waiting_for) : json_null());
    return json;
}

json_t *api_json_barrier(const barrier_view_t *view)
{
    static const char *const scopes[] = {"normal", "db", "all"};
    json_t *json = json_object();
    put_number(json, "commit_ts", view->key.commit_ts.v);
    put_boolean(json, "is_syncpoint", view->key.is_syncpoint);
    put_text(json, "state", view->state);
    put_text(json, "scope", view->scope <= INFLUENCE_ALL ? scopes[view->scope] : "");
    put_text(json, "writer_node", view->writer_node);
    put_dispatcher(json, "writer", view->writer);
    put_number(json, "reported", view->reported);
    put_number(json, "required", view->required);
    put_number(json, "done", view->done);
    json_object_set_new(json, "age_seconds", json_real((double)view->age_ms / 1000.0));
    put_text(json, "missing", view->missing);
    return json;
}

json_t *api_json_node(const node_view_t *view)
{
    json_t *json = json_object();
    put_text(json, "id", view->id);
    put_number(json, "incarnation", view->incarnation);
    put_number(json, "slot", view->slot);
    put_text(json, "host", view->host);
    put_text(json, "version", view->version);
    put_text(json, "state",
             !view->is_present   ? "absent"
             : view->is_leaving  ? "leaving"
             : view->is_draining ? "draining"
                                 : "present");
    json_object_set_new(json, "silence_seconds", json_real((double)view->silence_ms / 1000.0));
    put_number(json, "span_count", view->span_count);
    put_number(json, "span_left_count", view->span_left_count);
    return json;
}
