#include "dispatcher/shell/event_feed_internal.h"

int event_feed_fd(const event_feed_t *feed)
{
    return service_actor_fd(feed->service);
}

uint32_t event_feed_take(event_feed_t *feed, stream_event_t *events, uint32_t max)
{
    return service_actor_take(feed->service, events, max);
}

int event_feed_remote_fd(const event_feed_t *feed)
{
    return service_actor_remote_fd(feed->service);
}

uint32_t event_feed_take_remote(event_feed_t *feed, stream_event_t *events, uint32_t max)
{
    return service_actor_take_remote(feed->service, events, max);
}

uint64_t event_feed_group_bytes_max(const event_feed_t *feed)
{
    return feed->group_bytes_max;
}

bool event_feed_holds(event_feed_t *feed, event_store_report_t *state, store_floor_t *floors)
{
    return service_actor_holds(feed->service, state, floors);
}

void event_feed_request(event_feed_t *feed, const stream_request_t *request)
{
    service_actor_request(feed->service, request);
}

void event_feed_set_persisted(event_feed_t *feed, commit_ts_t persisted, commit_ts_t told)
{
    service_actor_set_persisted(feed->service, persisted);
    pthread_mutex_lock(&feed->lock);
    anchor_list_forget(&feed->anchors, persisted);
    pthread_mutex_unlock(&feed->lock);
    pthread_mutex_lock(&feed->tracker_lock);
    schema_history_forget(&feed->history, told.v < persisted.v ? told : persisted);
    pthread_mutex_unlock(&feed->tracker_lock);
}

/* Whether the reader has come to `at`, so that no DDL can come in between any more. */
static bool has_read(event_feed_t *feed, commit_ts_t at)
{
    return atomic_load_explicit(&feed->position, memory_order_acquire) >= at.v;
}

sluice_error_t event_feed_table_list(event_feed_t *feed, commit_ts_t at, arena_t *arena,
                                     const table_info_t **tables, uint32_t *count)
{
    bool is_final = has_read(feed, at);
    pthread_mutex_lock(&feed->tracker_lock);
    sluice_error_t error =
        schema_tracker_table_list(feed->tracker, at, is_final, arena, tables, count);
    pthread_mutex_unlock(&feed->tracker_lock);
    return error;
}

sluice_error_t event_feed_snapshot(event_feed_t *feed, commit_ts_t at, arena_t *arena,
                                   bytes_t *snapshot)
{
    bool is_final = has_read(feed, at);
    pthread_mutex_lock(&feed->tracker_lock);
    sluice_error_t error = schema_tracker_snapshot(feed->tracker, at, is_final, arena, snapshot);
    pthread_mutex_unlock(&feed->tracker_lock);
    return error;
}

sluice_error_t event_feed_schema_ddls(event_feed_t *feed, commit_ts_t after, commit_ts_t *up_to,
                                      uint32_t max, arena_t *arena, const schema_ddl_t **ddls,
                                      uint32_t *count)
{
    if (!has_read(feed, *up_to))
        return SLUICE_ERROR_AGAIN;
    pthread_mutex_lock(&feed->tracker_lock);
    sluice_error_t error =
        schema_history_read(&feed->history, after, up_to, max, arena, ddls, count);
    pthread_mutex_unlock(&feed->tracker_lock);
    return error;
}

void event_feed_set_lease(event_feed_t *feed, mono_ns_t until)
{
    atomic_store_explicit(&feed->lease_until, until.v, memory_order_relaxed);
}

void event_feed_state(event_feed_t *feed, event_feed_state_t *state)
{
    event_service_state_t service = service_actor_state(feed->service);
    log_puller_state_t pulls = service_actor_pulls(feed->service);
    *state = (event_feed_state_t){
        .resolved = service.resolved,
        .resolved_time = service.resolved_time,
        .is_caught_up = service.is_caught_up,
        .tail_bytes = service.tail_bytes,
        .is_waiting_for_room = service.is_waiting_for_room,
        .streams = service.registrations,
        .remote_streams = service.remote,
        .withheld = service.withheld,
        .catching_up = service.catching_up,
        .catch_ups = service.rounds,
        .older_requests = pulls.requests,
        .older_failures = pulls.failures,
        .older_reloads = pulls.reloads,
        .drops = service.drops,
        .store = service.store,
    };
    pthread_mutex_lock(&feed->lock);
    const error_report_t *retry = feed->retry_live.code ? &feed->retry_live : &feed->retry_catch_up;
    state->error = feed->error.code;
    state->retrying = retry->code;
    memcpy(state->error_text, state->error ? feed->error.text : retry->text,
           sizeof state->error_text);
    pthread_mutex_unlock(&feed->lock);
}

bool event_feed_anchor(event_feed_t *feed, commit_ts_t ts, anchor_t *anchor)
{
    pthread_mutex_lock(&feed->lock);
    const anchor_t *found = anchor_list_find(&feed->anchors, ts);
    if (found)
        *anchor = *found;
    pthread_mutex_unlock(&feed->lock);
    return found != NULL;
}
