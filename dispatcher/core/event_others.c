#include <stdlib.h>

#include "dispatcher/core/event_service_internal.h"

#define SILENCE_CHECK_NS NS_PER_S

/* ---- what is held ---- */

bool event_service_can_serve(const event_service_t *service, table_id_t table_id, commit_ts_t from)
{
    static const tail_table_t untouched;
    const tail_table_t *table = tail_find_table(&service->tail, table_id);
    return tail_can_serve(&service->tail, table ? table : &untouched, from);
}

/* Highest first. */
static int compare_floors(const void *a, const void *b)
{
    const store_floor_t *left = a, *right = b;
    return (left->floor.v < right->floor.v) - (left->floor.v > right->floor.v);
}

static commit_ts_t higher(commit_ts_t a, commit_ts_t b)
{
    return a.v > b.v ? a : b;
}

/* Nobody starts at or below what is persisted, so holes there are none. */
void event_service_holds(const event_service_t *service, event_store_report_t *state,
                         store_floor_t *floors)
{
    const tail_t *tail = &service->tail;
    state->floor = higher(tail->base, tail->broad_floor);
    state->resolved = service->resolved;
    state->resolved_time = service->resolved_time;
    state->floor_count = 0;
    size_t at = 0;
    const tail_table_t *table;
    while ((table = key_map_next(&tail->tables, &at))) {
        if (table->floor.commit_ts.v <= state->floor.v ||
            table->floor.commit_ts.v <= tail->persisted.v)
            continue;
        if (state->floor_count == STORE_FLOORS_MAX) {
            /* The half that is highest stays by name. */
            qsort(floors, STORE_FLOORS_MAX, sizeof *floors, compare_floors);
            state->floor_count = STORE_FLOORS_MAX / 2;
            state->floor = higher(state->floor, floors[state->floor_count].floor);
            if (table->floor.commit_ts.v <= state->floor.v)
                continue;
        }
        floors[state->floor_count++] = (store_floor_t){table->table_id, table->floor.commit_ts};
    }
    state->floors = floors;
}

/* ---- own dispatchers that others may serve ---- */

void registration_answer_register(event_service_t *service, registration_t *registration,
                                  const stream_request_t *request)
{
    bool is_started =
        registration->state != REGISTRATION_IDLE && registration->state != REGISTRATION_WITHHELD;
    if (is_started || registration_is_remote(registration) || !request->others_first ||
        tail_can_serve(&service->tail, registration->table, request->position.checkpoint)) {
        if (registration->state == REGISTRATION_WITHHELD)
            registration_set_state(service, registration, REGISTRATION_IDLE);
        registration->owes_not_held = false;
        registration->owes_ready = true;
    } else {
        registration_set_state(service, registration, REGISTRATION_WITHHELD);
        registration->flushed = request->position.checkpoint;
        registration->owes_not_held = true;
    }
    event_service_activate(service, registration);
}

/* ---- other nodes' sessions ---- */

void registration_give_up(event_service_t *service, registration_t *registration)
{
    stream_request_t of = {.dispatcher_id = registration->dispatcher_id,
                           .peer = registration->peer};
    event_service_tell_stranger(service, &of, STREAM_NOT_REUSABLE);
    event_service_remove(service, registration);
    service->drops++;
}

/* A dispatcher is at one node at a time, and this node knows best which are its own. */
bool registration_gives_way(const registration_t *registration, const stream_request_t *request,
                            mono_ns_t now)
{
    if (request->kind != STREAM_REGISTER || !registration_is_remote(registration) ||
        registration->peer.v == request->peer.v)
        return false;
    return request->peer.v == STREAM_PEER_OWN.v ||
           mono_elapsed(registration->heard_at, now) > EVENT_SERVICE_LEFT_NS;
}

bool registration_may_send(const event_service_t *service, const registration_t *registration,
                           const feed_item_t *item)
{
    const transaction_t *transaction = item->transaction;
    return !registration_is_remote(registration) || !transaction ||
           (transaction->is_first_part && transaction->is_last_part) ||
           registration->group_bytes_max == service->options.group_bytes_max;
}

void event_service_allow_remote(event_service_t *service, bool is_allowed)
{
    if (service->is_remote_allowed == is_allowed)
        return;
    service->is_remote_allowed = is_allowed;
    for (uint32_t i = 0; is_allowed && service->remote_count && i < service->count; i++) {
        registration_t *r = service->all[i];
        if (!r->is_parked)
            continue;
        r->is_parked = false;
        event_service_activate(service, r);
    }
    if (is_allowed)
        service->swept = COMMIT_TS_NONE; /* those that were left out are told */
}

void event_service_drop_silent(event_service_t *service, mono_ns_t now)
{
    if (service->remote_count == 0 || !mono_reached(service->silence_at, now))
        return;
    service->silence_at = mono_add(now, SILENCE_CHECK_NS);
    for (uint32_t i = service->count; i > 0; i--) {
        registration_t *r = service->all[i - 1];
        if (registration_is_remote(r) &&
            mono_elapsed(r->heard_at, now) >= service->options.silence_ns)
            event_service_remove(service, r);
    }
}

bool registration_holds_up(const registration_t *registration)
{
    const item_queue_t *queue = &registration->table->queue;
    return queue->count &&
           item_queue_at(queue, item_queue_end(queue) - 1)->commit_ts.v > registration->flushed.v;
}

static void drop_stalled_peers(event_service_t *service, mono_ns_t now)
{
    for (uint32_t i = service->count; service->remote_count && i > 0; i--) {
        registration_t *r = service->all[i - 1];
        if (registration_is_remote(r) && registration_holds_up(r) &&
            mono_elapsed(r->progress_at, now) >= service->options.stalled_ns)
            registration_give_up(service, r);
    }
}

void event_service_spare_others(event_service_t *service, mono_ns_t now)
{
    uint64_t max = service->options.tail_bytes_max;
    if (service->withheld_count) {
        service->spares_withheld = true;
        tail_shed(&service->tail, max / 8 * 7, false);
        service->spares_withheld = false;
    }
    /* What peers hold up can leave for the store. */
    if (service->tail.bytes >= max && service->options.store_bytes_max == 0)
        drop_stalled_peers(service, now);
}
