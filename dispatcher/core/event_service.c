#include "dispatcher/core/event_service_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"

event_service_options_t event_service_options_default(commit_ts_t base)
{
    return (event_service_options_t){
        .base = base,
        .tail_bytes_max = EVENT_SERVICE_TAIL_BYTES_MAX,
        .catch_up_bytes_max = EVENT_SERVICE_CATCH_UP_BYTES_MAX,
        .grace_ns = EVENT_SERVICE_GRACE_NS,
        .stalled_ns = EVENT_SERVICE_STALLED_NS,
        .silence_ns = EVENT_SERVICE_SILENCE_NS,
        .resolved_each_ns = EVENT_SERVICE_RESOLVED_EACH_NS,
        .resolved_min_ns = EVENT_SERVICE_RESOLVED_MIN_NS,
        .resolved_max_ns = EVENT_SERVICE_RESOLVED_MAX_NS,
    };
}

/* A part that is not the last cannot be flushed as a transaction, so it is done with when it is
 * sent. Should the stream be reset after all, a catch-up round brings the whole transaction again.
 */
static bool is_part_sent(const registration_t *registration, const tail_entry_t *entry)
{
    const transaction_t *transaction = entry->item.transaction;
    return transaction && !transaction->is_last_part && registration_reads_tail(registration) &&
           registration->caught_up.count == 0 &&
           store_key_compare(tail_entry_key(entry), registration->passed) <= 0;
}

static bool needs(void *context, const tail_table_t *table, const tail_entry_t *entry)
{
    const event_service_t *service = context;
    for (const registration_t *r = table->readers; r; r = r->next_of_table) {
        if (r->state == REGISTRATION_WITHHELD && service->spares_withheld)
            continue;
        if (r->state != REGISTRATION_IDLE && r->flushed.v < entry->item.commit_ts.v &&
            !is_part_sent(r, entry))
            return true;
    }
    return false;
}

event_service_t *event_service_new(const event_service_options_t *options, mono_ns_t now)
{
    event_service_t *service = memory_zalloc(sizeof *service);
    service->options = *options;
    service->resolved = options->base;
    service->swept = options->base;
    service->sweep_at = now;
    service->grace_until = mono_add(now, options->grace_ns);
    service->is_remote_allowed = true;
    tail_init(&service->tail, options->base, needs, service);
    return service;
}

void event_service_destroy(event_service_t **service)
{
    event_service_t *self = *service;
    *service = NULL;
    if (!self)
        return;
    for (uint32_t i = 0; i < self->count; i++)
        registration_free(self, self->all[i]);
    for (catch_up_round_t *round = self->rounds, *after; round; round = after) {
        after = round->after;
        free(round);
    }
    tail_clear(&self->tail);
    event_spill_clear(self);
    key_map_clear(&self->by_id);
    free(self->all);
    free(self->strangers);
    free(self->notes);
    free(self);
}

registration_t *event_service_find(const event_service_t *service, dispatcher_id_t dispatcher_id)
{
    return key_map_get(&service->by_id, registration_key(dispatcher_id));
}

bool registration_wants(const registration_t *registration, const feed_item_t *item)
{
    uint64_t position = registration->skip_through.v;
    if (item->kind == FEED_SYNCPOINT)
        return item->commit_ts.v > position ||
               (item->commit_ts.v == position && registration->wants_syncpoint);
    /* What created the table is behind its dispatchers, also where they start just before it to
     * write the rows that came with it. */
    if (item->kind == FEED_DDL && registration->created.v &&
        item->commit_ts.v == registration->created.v)
        return false;
    return item->commit_ts.v > position;
}

static uint32_t *counter_of(event_service_t *service, registration_state_t state)
{
    switch (state) {
    case REGISTRATION_WAITING:
        return &service->waiting_count;
    case REGISTRATION_CATCHING_UP:
        return &service->catching_up_count;
    case REGISTRATION_WITHHELD:
        return &service->withheld_count;
    case REGISTRATION_IDLE:
    case REGISTRATION_STREAMING:
    case REGISTRATION_STORED:
        return NULL;
    }
    return NULL;
}

/* Whether it needs older log. */
static bool is_behind(registration_state_t state)
{
    return state == REGISTRATION_WAITING || state == REGISTRATION_CATCHING_UP;
}

void registration_set_state(event_service_t *service, registration_t *registration,
                            registration_state_t state)
{
    uint32_t *from = counter_of(service, registration->state);
    uint32_t *to = counter_of(service, state);
    if (from)
        --*from;
    if (to)
        ++*to;
    bool was_behind = is_behind(registration->state);
    if (registration->state == REGISTRATION_CATCHING_UP) {
        registration->round->count--;
        registration->round = NULL;
    }
    registration->state = state;
    if (!was_behind && is_behind(state))
        registration_note(service, registration, CATCH_UP_WAITS);
    if (was_behind && !is_behind(state))
        registration_note(service, registration,
                          state == REGISTRATION_STREAMING ? CATCH_UP_JOINED : CATCH_UP_LEFT);
}

void registration_drop(event_service_t *service, registration_t *registration)
{
    registration_clear_caught_up(service, registration);
    registration_clear_read_back(service, registration);
    registration_set_state(service, registration, REGISTRATION_IDLE);
    registration->owes_drop = true;
    service->drops++;
    event_service_activate(service, registration);
}

/* ---- requests ---- */

static void handle_register(event_service_t *service, registration_t *registration,
                            const stream_request_t *request, mono_ns_t now)
{
    if (!registration && request->only_reuse &&
        !event_service_can_serve(service, request->span.table_id, request->position.checkpoint)) {
        event_service_tell_stranger(service, request, STREAM_NOT_REUSABLE);
        return;
    }
    if (!registration) {
        service->grace_until = mono_add(now, service->options.grace_ns);
        registration = event_service_add(service, request);
    }
    registration->heard_at = registration->progress_at = now;
    registration_answer_register(service, registration, request);
}

void registration_join_tail(event_service_t *service, registration_t *registration,
                            commit_ts_t from)
{
    commit_ts_t above = {from.v == UINT64_MAX ? from.v : from.v + 1};
    registration_set_state(service, registration, REGISTRATION_STREAMING);
    registration->skip_through = from;
    registration->next = item_queue_find(&registration->table->queue, above);
    registration->next_ddl = item_queue_find(&registration->table->ddls, above);
    /* Those at `from` itself may hold a sync point. */
    registration->next_broad = item_queue_find(&service->tail.broad, from);
    registration->passed = store_key_behind(from);
    if (store_key_compare(registration->passed, registration->table->stored) < 0)
        registration_enter_store(service, registration);
}

static bool is_served(const registration_t *registration)
{
    return (registration->state != REGISTRATION_IDLE &&
            registration->state != REGISTRATION_WITHHELD) ||
           registration->is_held;
}

/* Who waits to be read for may have rows in flight that another node's service sent. */
static void note_position(event_service_t *service, registration_t *registration,
                          commit_ts_t checkpoint)
{
    bool is_waiting = registration->state == REGISTRATION_WAITING || registration->is_held;
    if (!is_waiting || checkpoint.v <= registration->flushed.v)
        return;
    registration->flushed = checkpoint;
    registration_begin_later(service, registration);
}

static void handle_reset(event_service_t *service, registration_t *registration,
                         const stream_request_t *request, mono_ns_t now)
{
    if (request->epoch < registration->epoch) {
        /* Another node's session that began anew meets what the one before it left here. */
        if (registration_is_remote(registration)) {
            event_service_tell_stranger(service, request, STREAM_REMOVED);
            event_service_remove(service, registration);
        }
        return;
    }
    if (registration->epoch == request->epoch && is_served(registration)) {
        note_position(service, registration, request->position.checkpoint);
        /* Its HANDSHAKE may have been lost; but behind data it would open nothing. */
        bool is_untouched =
            registration->sequence == 1 && registration->resolved_sent.v == registration->start.v;
        registration->owes_handshake |= is_untouched;
        event_service_activate(service, registration);
        return;
    }
    commit_ts_t start = request->position.checkpoint;
    bool is_held = tail_can_serve(&service->tail, registration->table, start);
    if (registration_is_remote(registration) && !is_held) {
        registration_give_up(service, registration);
        return;
    }
    if (start.v < service->options.base.v) {
        service->refused++;
        return;
    }
    service->grace_until = mono_add(now, service->options.grace_ns);
    registration_set_state(service, registration, REGISTRATION_IDLE);
    service->held_count -= registration->is_held;
    registration->is_held = false;
    registration_clear_caught_up(service, registration);
    registration->fed = EVENT_KEY_NONE;
    registration_clear_read_back(service, registration);
    registration->epoch = request->epoch;
    registration->sequence = 0;
    registration->owes_handshake = true;
    registration->owes_drop = false;
    registration->start = start;
    registration->flushed = start;
    registration->resolved_sent = start;
    registration->credit_limit = request->credit_bytes;
    registration->credit_used = 0;
    registration->progress_at = now;
    registration->skip_through = start;
    registration->wants_syncpoint =
        event_key_compare(request->position.passed, (event_key_t){start, true}) < 0;
    if (is_held)
        registration_join_tail(service, registration, start);
    else
        registration_wait(service, registration, now);
    event_service_activate(service, registration);
}

static void handle_progress(event_service_t *service, registration_t *registration,
                            const stream_request_t *request, mono_ns_t now)
{
    if (request->epoch != registration->epoch || !is_served(registration))
        return;
    if (registration_is_remote(registration) && request->kind == STREAM_HEARTBEAT) {
        registration->owes_resolved = true;
        event_service_activate(service, registration);
    }
    if (request->position.checkpoint.v > registration->flushed.v) {
        if (registration->flushed.v < registration->passed.commit_ts.v)
            service->spill.flushed_at = now;
        registration->flushed = request->position.checkpoint;
        registration->stalls = 0;
        registration_begin_later(service, registration);
        registration_release(service, registration);
        service->may_forget = true;
        if (registration_is_remote(registration))
            registration->progress_at = now;
    }
    if (request->credit_bytes > registration->credit_limit) {
        registration->credit_limit = request->credit_bytes;
        registration->progress_at = now;
        event_service_activate(service, registration);
    }
}

/* What it did not flush the node asks for that has it next. */
static void handle_remove(event_service_t *service, registration_t *registration, mono_ns_t now)
{
    if (!registration_is_remote(registration) && is_served(registration) &&
        (registration->table->stored.number || registration_holds_up(registration)))
        service->grace_until = mono_add(now, service->options.grace_ns);
    event_service_remove(service, registration);
}

void event_service_request(event_service_t *service, const stream_request_t *request, mono_ns_t now)
{
    registration_t *registration = event_service_find(service, request->dispatcher_id);
    if (registration && registration_gives_way(registration, request, now)) {
        registration_give_up(service, registration);
        registration = NULL;
    }
    if (registration && registration->peer.v != request->peer.v) {
        /* The dispatcher is somebody else's by now, or was before. */
        if (request->kind != STREAM_REMOVE)
            event_service_tell_stranger(service, request,
                                        request->kind == STREAM_REGISTER ? STREAM_NOT_REUSABLE
                                                                         : STREAM_REMOVED);
        return;
    }
    if (registration)
        registration->heard_at = now;
    switch (request->kind) {
    case STREAM_REGISTER:
        handle_register(service, registration, request, now);
        return;
    case STREAM_REMOVE:
        if (registration)
            handle_remove(service, registration, now);
        return;
    case STREAM_RESET:
        if (registration)
            handle_reset(service, registration, request, now);
        else
            event_service_tell_stranger(service, request, STREAM_REMOVED);
        return;
    case STREAM_HEARTBEAT:
    case STREAM_CREDIT:
        if (registration)
            handle_progress(service, registration, request, now);
        else
            event_service_tell_stranger(service, request, STREAM_REMOVED);
        return;
    }
}

event_service_state_t event_service_state(const event_service_t *service)
{
    event_service_state_t state = {
        .resolved = service->resolved,
        .resolved_time = service->resolved_time,
        .is_caught_up = service->is_caught_up,
        .tail_bytes = service->tail.bytes,
        .tail_entries = service->tail.entry_count,
        .is_waiting_for_room = service->is_waiting_for_room,
        .registrations = service->count,
        .remote = service->remote_count,
        .withheld = service->withheld_count,
        .catching_up = service->catching_up_count + service->waiting_count,
        .rounds = service->rounds_begun,
        .drops = service->drops,
        .refused = service->refused,
        .events = service->events,
        .store = service->spill.state,
    };
    state.store.is_hanging = service->spill.overdue > 0;
    return state;
}
