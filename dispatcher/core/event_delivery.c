#include "dispatcher/core/event_service_internal.h"

#include <assert.h>

/* What one dispatcher is sent before the next has its turn. */
#define TURN_EVENTS_MAX 64
#define TURN_COST_MAX (UINT64_C(256) << 10)

#define HELD_EACH_NS (200 * NS_PER_MS)

typedef struct {
    stream_event_t *events;
    uint32_t count, max;
} output_t;

static bool is_full(const output_t *output)
{
    return output->count == output->max;
}

static stream_event_t *put(output_t *output, const registration_t *registration, stream_kind_t kind)
{
    stream_event_t *event = &output->events[output->count++];
    *event = (stream_event_t){.kind = kind,
                              .peer = registration->peer,
                              .dispatcher_id = registration->dispatcher_id,
                              .epoch = registration->epoch,
                              .sequence = registration->sequence};
    return event;
}

/* ---- answers ---- */

static void put_answers(event_service_t *service, registration_t *r, output_t *output)
{
    if (r->owes_ready && !is_full(output)) {
        r->owes_ready = false;
        put(output, r, STREAM_READY);
    }
    if (r->owes_not_held && !is_full(output)) {
        r->owes_not_held = false;
        put(output, r, STREAM_NOT_HELD);
    }
    if (r->owes_drop && !is_full(output)) {
        r->owes_drop = false;
        put(output, r, STREAM_DROP);
    }
    if (r->owes_handshake && !is_full(output)) {
        r->owes_handshake = false;
        r->sequence = 1;
        stream_event_t *event = put(output, r, STREAM_HANDSHAKE);
        event->commit_ts = r->start;
        event->commit_time = service->resolved_time;
    }
}

static bool owes_answer(const registration_t *r)
{
    return r->owes_ready || r->owes_not_held || r->owes_drop || r->owes_handshake;
}

static void put_strangers(event_service_t *service, output_t *output)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < service->stranger_count; i++) {
        const stranger_t *stranger = &service->strangers[i];
        bool is_allowed = service->is_remote_allowed || stranger->peer.v == STREAM_PEER_OWN.v;
        if (is_allowed && !is_full(output))
            output->events[output->count++] =
                (stream_event_t){.kind = stranger->answer,
                                 .peer = stranger->peer,
                                 .dispatcher_id = stranger->dispatcher_id};
        else
            service->strangers[kept++] = *stranger;
    }
    service->stranger_count = kept;
}

/* ---- data ---- */

typedef enum { FROM_ROUND, FROM_STORE, FROM_ROWS, FROM_DDLS, FROM_BROAD } source_t;

typedef struct {
    const queue_item_t *item; /* NULL: nothing that may be sent now */
    source_t source;
} pending_t;

static const queue_item_t *peek_queue(const registration_t *r, const item_queue_t *queue,
                                      uint64_t *next)
{
    if (*next < queue->first)
        *next = queue->first;
    for (; *next < item_queue_end(queue); ++*next) {
        const queue_item_t *item = item_queue_at(queue, *next);
        if (registration_wants(r, &item->entry->item))
            return item;
    }
    return NULL;
}

static void choose(pending_t *pending, const queue_item_t *item, source_t source)
{
    if (item && (!pending->item || item->entry->number < pending->item->entry->number))
        *pending = (pending_t){item, source};
}

/* The next item: as a round left them, then as the log has them, wherever they are now. What lies
 * behind rows that are still in the store has to wait for them. */
static pending_t peek(event_service_t *service, registration_t *r)
{
    if (r->caught_up.count)
        return (pending_t){item_queue_at(&r->caught_up, r->caught_up.first), FROM_ROUND};
    pending_t pending = {0};
    if (!registration_reads_tail(r))
        return pending;
    bool must_read = registration_must_read(r);
    if (r->read_back.count)
        choose(&pending, item_queue_at(&r->read_back, r->read_back.first), FROM_STORE);
    else if (!must_read)
        choose(&pending, peek_queue(r, &r->table->queue, &r->next), FROM_ROWS);
    choose(&pending, peek_queue(r, &r->table->ddls, &r->next_ddl), FROM_DDLS);
    choose(&pending, peek_queue(r, &service->tail.broad, &r->next_broad), FROM_BROAD);
    if (must_read && pending.item &&
        store_key_compare(tail_entry_key(pending.item->entry), r->fetched) > 0)
        pending.item = NULL;
    return pending;
}

bool registration_has_pending(event_service_t *service, registration_t *registration)
{
    return registration_must_read(registration) || peek(service, registration).item;
}

static uint64_t put_item(const queue_item_t *item, registration_t *r, output_t *output)
{
    const feed_item_t *from = &item->entry->item;
    r->sequence++;
    stream_event_t *event = put(output, r,
                                from->kind == FEED_TRANSACTION ? STREAM_ROWS
                                : from->kind == FEED_DDL       ? STREAM_DDL
                                                               : STREAM_SYNCPOINT);
    event->commit_ts = from->commit_ts;
    event->commit_time = from->commit_time;
    if (from->transaction) {
        event->transaction = transaction_ref(from->transaction);
        event->rows = item->rows;
    }
    if (from->ddl)
        event->ddl = ddl_event_ref(from->ddl);
    return stream_event_cost(event);
}

static void pop_caught_up(event_service_t *service, registration_t *r)
{
    queue_item_t item = item_queue_pop(&r->caught_up);
    r->caught_up_bytes -= item.entry->bytes;
    service->round_bytes -= item.entry->bytes;
    tail_entry_unref(&item.entry);
}

static void pass(registration_t *r, const queue_item_t *item)
{
    r->passed = tail_entry_key(item->entry);
    if (store_key_compare(r->fetched, r->passed) < 0)
        r->fetched = r->passed;
}

static void drop_sent(event_service_t *service, registration_t *r, const pending_t *sent)
{
    switch (sent->source) {
    case FROM_ROUND:
        pop_caught_up(service, r);
        return;
    case FROM_STORE:
        pass(r, sent->item);
        registration_pop_read_back(service, r);
        return;
    case FROM_ROWS:
        pass(r, sent->item);
        r->next++;
        return;
    case FROM_DDLS:
        r->next_ddl++;
        return;
    case FROM_BROAD:
        r->next_broad++;
        return;
    }
}

/* How far everything for this dispatcher has been read that may be sent next. */
static commit_ts_t read_through(const event_service_t *service, const registration_t *r)
{
    switch (r->state) {
    case REGISTRATION_IDLE:
    case REGISTRATION_WITHHELD:
    case REGISTRATION_WAITING:
        return r->resolved_sent.v > r->fed.commit_ts.v ? r->resolved_sent : r->fed.commit_ts;
    case REGISTRATION_CATCHING_UP:
        return r->round->read;
    case REGISTRATION_STREAMING:
        return service->resolved;
    case REGISTRATION_STORED:
        break;
    }
    if (!registration_must_read(r))
        return service->resolved;
    return r->fetched.number == UINT64_MAX ? r->fetched.commit_ts
                                           : commit_ts_before(r->fetched.commit_ts);
}

/* How far everything for this dispatcher has been sent when `pending` is next. */
static commit_ts_t sent_through(const event_service_t *service, const registration_t *r,
                                const queue_item_t *pending)
{
    commit_ts_t limit = read_through(service, r);
    if (!pending)
        return limit;
    /* A sync point follows everything else of its commit_ts. */
    commit_ts_t before = pending->entry->item.kind == FEED_SYNCPOINT
                             ? pending->commit_ts
                             : commit_ts_before(pending->commit_ts);
    return before.v < limit.v ? before : limit;
}

static void put_resolved(event_service_t *service, registration_t *r, commit_ts_t ts,
                         output_t *output)
{
    if (r->sequence == 0 || (ts.v <= r->resolved_sent.v && !r->owes_resolved))
        return;
    if (ts.v < r->resolved_sent.v)
        ts = r->resolved_sent;
    if (is_full(output)) {
        service->swept = COMMIT_TS_NONE; /* told by another sweep */
        return;
    }
    stream_event_t *event = put(output, r, STREAM_RESOLVED);
    event->commit_ts = ts;
    event->commit_time = service->resolved_time;
    r->resolved_sent = ts;
    r->owes_resolved = false;
}

/* Sends what it may; true: there is more, and it may be sent. */
static bool take_turn(event_service_t *service, registration_t *r, output_t *output, mono_ns_t now)
{
    put_answers(service, r, output);
    if (owes_answer(r))
        return true;
    if (r->sequence == 0 || (!registration_reads_tail(r) && !r->caught_up.count))
        return false;
    uint64_t cost = 0;
    uint32_t sent = 0;
    pending_t pending = peek(service, r);
    bool has_credit = true;
    while (pending.item && sent < TURN_EVENTS_MAX && cost < TURN_COST_MAX &&
           output->count + 1 < output->max) {
        has_credit =
            pending.item->entry->item.kind == FEED_SYNCPOINT || r->credit_used < r->credit_limit;
        if (!has_credit)
            break;
        if (!registration_may_send(service, r, &pending.item->entry->item)) {
            registration_give_up(service, r);
            return false;
        }
        uint64_t item_cost = put_item(pending.item, r, output);
        cost += item_cost;
        r->credit_used += item_cost;
        sent++;
        drop_sent(service, r, &pending);
        pending = peek(service, r);
    }
    if (sent)
        r->progress_at = now;
    registration_want_read(service, r);
    /* Also when there was nothing: the sweep may have passed before it could be told. */
    put_resolved(service, r, sent_through(service, r, pending.item), output);
    return pending.item && has_credit;
}

static void put_data(event_service_t *service, output_t *output, mono_ns_t now)
{
    registration_list_t *ready = &service->lists[LIST_READY];
    while (ready->first && output->count + 1 < output->max) {
        registration_t *r = ready->first;
        registration_delist(service, r, LIST_READY);
        if (registration_is_remote(r) && !service->is_remote_allowed)
            r->is_parked = true;
        else if (take_turn(service, r, output, now))
            event_service_activate(service, r);
    }
}

/* ---- RESOLVED for all ---- */

static void begin_sweep(event_service_t *service, mono_ns_t now)
{
    if (service->is_sweeping || service->resolved.v <= service->swept.v ||
        !mono_reached(service->sweep_at, now))
        return;
    uint64_t pause = service->count * service->options.resolved_each_ns;
    if (pause < service->options.resolved_min_ns)
        pause = service->options.resolved_min_ns;
    if (pause > service->options.resolved_max_ns)
        pause = service->options.resolved_max_ns;
    service->sweep_at = mono_add(now, pause);
    service->swept = service->resolved;
    service->is_sweeping = true;
    service->sweep_next = 0;
}

static void sweep(event_service_t *service, output_t *output)
{
    for (; service->sweep_next < service->count && !is_full(output); service->sweep_next++) {
        registration_t *r = service->all[service->sweep_next];
        bool is_left_out = registration_is_remote(r) && !service->is_remote_allowed;
        if (r->sequence == 0 || r->owes_handshake || r->owes_drop || is_left_out)
            continue;
        put_resolved(service, r, sent_through(service, r, peek(service, r).item), output);
    }
    service->is_sweeping = service->sweep_next < service->count;
}

/* Not at each call, since it looks at every dispatcher. */
static void steer_held(event_service_t *service, mono_ns_t now)
{
    if (service->held_count == 0 || !mono_reached(service->held_at, now))
        return;
    service->held_at = mono_add(now, HELD_EACH_NS);
    event_service_release_held(service, now);
}

uint32_t event_service_take(event_service_t *service, stream_event_t *events, uint32_t max,
                            mono_ns_t now)
{
    assert(max >= EVENT_SERVICE_TAKE_MIN);
    steer_held(service, now);
    event_service_drop_silent(service, now);
    begin_sweep(service, now);
    /* Data may not keep RESOLVED away for long. */
    output_t output = {.events = events, .max = service->is_sweeping ? max - max / 4 : max};
    put_strangers(service, &output);
    put_data(service, &output, now);
    output.max = max;
    if (service->is_sweeping)
        sweep(service, &output);
    service->events += output.count;
    return output.count;
}

mono_ns_t event_service_next_deadline(const event_service_t *service)
{
    if (service->is_sweeping || service->lists[LIST_READY].first)
        return (mono_ns_t){0};
    mono_ns_t sweep_at =
        service->resolved.v > service->swept.v && service->count ? service->sweep_at : MONO_NEVER;
    mono_ns_t held_at = service->held_count ? service->held_at : MONO_NEVER;
    mono_ns_t silence_at = service->remote_count ? service->silence_at : MONO_NEVER;
    mono_ns_t deadline = mono_min(mono_min(sweep_at, held_at), silence_at);
    return mono_min(deadline, event_store_next_deadline(service));
}
