#include "dispatcher/core/event_service_internal.h"

#include <stdlib.h>

#include "common/base/memory.h"

void registration_clear_caught_up(event_service_t *service, registration_t *registration)
{
    while (registration->caught_up.count) {
        queue_item_t item = item_queue_pop(&registration->caught_up);
        tail_entry_unref(&item.entry);
    }
    service->round_bytes -= registration->caught_up_bytes;
    registration->caught_up_bytes = 0;
}

/* ---- who waits ---- */

/* Where a round has to begin to be of use. */
static commit_ts_t wanted_from(const registration_t *registration)
{
    return registration->fed.commit_ts.v > registration->start.v ? registration->fed.commit_ts
                                                                 : registration->start;
}

void registration_note(event_service_t *service, const registration_t *registration,
                       catch_up_note_kind_t kind)
{
    if (service->note_count == service->note_capacity) {
        service->note_capacity = service->note_capacity ? service->note_capacity * 2 : 16;
        service->notes =
            memory_realloc(service->notes, service->note_capacity * sizeof *service->notes);
    }
    commit_ts_t start = registration->start;
    service->notes[service->note_count++] =
        (catch_up_note_t){.kind = kind,
                          .dispatcher_id = registration->dispatcher_id,
                          .table_id = registration->table->table_id,
                          .start = wanted_from(registration),
                          .is_new = registration->created.v && start.v <= registration->created.v,
                          .request = registration->request};
}

/* Whether that moves where a round has to begin. */
static bool skip_done(const event_service_t *service, registration_t *registration)
{
    commit_ts_t done = service->tail.persisted;
    if (registration->flushed.v > done.v)
        done = registration->flushed;
    if (done.v <= wanted_from(registration).v)
        return false;
    registration->fed = (event_key_t){done, false};
    return true;
}

void registration_begin_later(event_service_t *service, registration_t *registration)
{
    bool is_waiting = registration->state == REGISTRATION_WAITING;
    if ((!is_waiting && !registration->is_held) || !skip_done(service, registration) || !is_waiting)
        return;
    registration_set_state(service, registration, REGISTRATION_IDLE);
    registration_set_state(service, registration, REGISTRATION_WAITING);
}

/* The log is not read again and again for somebody who takes nothing. */
void registration_wait(event_service_t *service, registration_t *registration, mono_ns_t now)
{
    (void)skip_done(service, registration);
    if (registration->stalls == 0) {
        registration_set_state(service, registration, REGISTRATION_WAITING);
        return;
    }
    uint32_t doublings = registration->stalls - 1;
    if (doublings > STALL_DOUBLINGS_MAX)
        doublings = STALL_DOUBLINGS_MAX;
    registration->is_held = true;
    registration->held_until = mono_add(now, service->options.stalled_ns << doublings);
    service->held_count++;
}

void registration_release(event_service_t *service, registration_t *registration)
{
    if (!registration->is_held)
        return;
    registration->is_held = false;
    service->held_count--;
    registration_set_state(service, registration, REGISTRATION_WAITING);
}

void event_service_release_held(event_service_t *service, mono_ns_t now)
{
    for (uint32_t i = 0; service->held_count && i < service->count; i++) {
        registration_t *r = service->all[i];
        if (r->is_held && mono_reached(r->held_until, now))
            registration_release(service, r);
    }
}

bool event_service_take_note(event_service_t *service, catch_up_note_t *note)
{
    if (service->note_first == service->note_count)
        return false;
    *note = service->notes[service->note_first++];
    if (service->note_first == service->note_count)
        service->note_first = service->note_count = 0;
    return true;
}

/* ---- rounds ---- */

static catch_up_round_t *find_round(const event_service_t *service, uint64_t number)
{
    catch_up_round_t *round = service->rounds;
    while (round && round->number != number)
        round = round->after;
    return round;
}

void event_service_catch_up_begin(event_service_t *service, uint64_t number, commit_ts_t from)
{
    catch_up_round_t *round = find_round(service, number);
    if (!round) {
        round = memory_zalloc(sizeof *round);
        round->number = number;
        round->after = service->rounds;
        service->rounds = round;
        service->rounds_begun++;
    }
    round->read = from;
}

catch_up_position_t event_service_catch_up_position(const event_service_t *service, uint64_t number)
{
    const catch_up_round_t *round = find_round(service, number);
    if (!round)
        return (catch_up_position_t){COMMIT_TS_NONE, COMMIT_TS_MAX};
    return (catch_up_position_t){round->read, round->inside.v ? round->inside : round->read};
}

bool event_service_catch_up_admit(event_service_t *service, uint64_t number,
                                  dispatcher_id_t dispatcher_id, uint64_t request)
{
    catch_up_round_t *round = find_round(service, number);
    registration_t *registration = event_service_find(service, dispatcher_id);
    if (!round || !registration || registration->state != REGISTRATION_WAITING ||
        wanted_from(registration).v < event_service_catch_up_position(service, number).admits.v)
        return false;
    registration_set_state(service, registration, REGISTRATION_CATCHING_UP);
    registration->round = round;
    registration->request = request;
    round->count++;
    round->join_at = COMMIT_TS_NONE;
    return true;
}

/* ---- what a round brings ---- */

/* Takes the bytes of an entry once per reader: an upper limit of what the round holds. */
static void give(event_service_t *service, const catch_up_round_t *round,
                 registration_t *registration, tail_entry_t *entry, const table_rows_t *rows)
{
    event_key_t key = {entry->item.commit_ts, entry->item.kind == FEED_SYNCPOINT};
    if (registration->round != round || event_key_compare(key, registration->fed) <= 0 ||
        !registration_wants(registration, &entry->item))
        return;
    queue_item_t item = {
        .entry = tail_entry_ref(entry), .rows = rows, .commit_ts = entry->item.commit_ts};
    item_queue_push(&registration->caught_up, &item);
    registration->caught_up_bytes += entry->bytes;
    service->round_bytes += entry->bytes;
    event_service_activate(service, registration);
}

static void give_table(event_service_t *service, const catch_up_round_t *round, table_id_t table_id,
                       tail_entry_t *entry, const table_rows_t *rows)
{
    const tail_table_t *table = tail_find_table(&service->tail, table_id);
    for (registration_t *r = table ? table->readers : NULL; r; r = r->next_of_table)
        give(service, round, r, entry, rows);
}

static void give_all(event_service_t *service, const catch_up_round_t *round, tail_entry_t *entry)
{
    const feed_item_t *item = &entry->item;
    if (feed_item_is_broad(item)) {
        for (uint32_t i = 0; i < service->count; i++)
            give(service, round, service->all[i], entry, NULL);
    } else if (item->transaction) {
        for (uint32_t i = 0; i < item->transaction->table_count; i++) {
            const table_rows_t *rows = &item->transaction->tables[i];
            give_table(service, round, rows->definition->table_id, entry, rows);
        }
    } else {
        for (uint32_t i = 0; i < item->table_count; i++)
            give_table(service, round, item->tables[i], entry, NULL);
        give_table(service, round, TABLE_ID_TRIGGER, entry, NULL);
    }
}

/* Where the tail takes over. It stays where it is while the dispatcher waits for it, since what a
 * dispatcher still needs is not forgotten. */
static commit_ts_t joins_at(const event_service_t *service, const registration_t *registration)
{
    const commit_ts_t limits[] = {service->tail.base, service->tail.broad_floor,
                                  registration->table->floor.commit_ts, wanted_from(registration)};
    commit_ts_t highest = COMMIT_TS_NONE;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (limits[i].v > highest.v)
            highest = limits[i];
    }
    return highest;
}

static void join(event_service_t *service, const catch_up_round_t *round, registration_t *r)
{
    bool has_syncpoint = r->fed.is_syncpoint && r->fed.commit_ts.v == round->read.v;
    commit_ts_t read = round->read;
    r->wants_syncpoint = !has_syncpoint && (r->wants_syncpoint || read.v > r->start.v);
    registration_join_tail(service, r, read);
    event_service_activate(service, r);
}

static void join_those_that_can(event_service_t *service, catch_up_round_t *round)
{
    if (round->read.v < round->join_at.v)
        return;
    round->join_at = COMMIT_TS_MAX;
    for (uint32_t i = 0; i < service->count; i++) {
        registration_t *r = service->all[i];
        if (r->round != round)
            continue;
        commit_ts_t at = joins_at(service, r);
        if (at.v <= round->read.v)
            join(service, round, r);
        else if (at.v < round->join_at.v)
            round->join_at = at;
    }
}

void event_service_catch_up_append(event_service_t *service, uint64_t number, feed_item_t *item)
{
    catch_up_round_t *round = find_round(service, number);
    if (!round) {
        feed_item_clear(item);
        return;
    }
    bool completes = item->completes;
    bool is_part = !completes && item->kind != FEED_SYNCPOINT;
    round->inside = is_part ? item->commit_ts : COMMIT_TS_NONE;
    round->has_syncpoint = item->kind == FEED_SYNCPOINT;
    if (completes)
        round->read = item->commit_ts;
    if (item->kind == FEED_RESOLVED) {
        feed_item_clear(item);
    } else {
        tail_entry_t *entry = tail_entry_new(item);
        give_all(service, round, entry);
        tail_entry_unref(&entry);
    }
    if (completes)
        join_those_that_can(service, round);
}

/* ---- limits and ends ---- */

/* Whoever holds items and took nothing for long would stop the others: what is held for it is given
 * up, and it starts again from where it then is. */
static void drop_stalled(event_service_t *service, mono_ns_t now)
{
    for (uint32_t i = 0; i < service->count; i++) {
        registration_t *r = service->all[i];
        if (r->caught_up_bytes > 0 &&
            mono_elapsed(r->progress_at, now) >= service->options.stalled_ns) {
            r->stalls++;
            registration_drop(service, r);
        }
    }
}

bool event_service_catch_up_has_room(event_service_t *service, mono_ns_t now)
{
    if (service->round_bytes >= service->options.catch_up_bytes_max)
        drop_stalled(service, now);
    return service->round_bytes < service->options.catch_up_bytes_max;
}

/* The next round cannot go on in the middle of a group. */
static void leave_round(event_service_t *service, const catch_up_round_t *round, registration_t *r)
{
    bool is_untouched = r->caught_up.count == 0 && r->sequence <= 1;
    event_key_t read = {round->read, round->has_syncpoint};
    if (round->inside.v && !is_untouched) {
        registration_drop(service, r);
        return;
    }
    if (event_key_compare(read, r->fed) > 0)
        r->fed = read;
    registration_set_state(service, r, REGISTRATION_WAITING);
    registration_begin_later(service, r);
}

void event_service_catch_up_end(event_service_t *service, uint64_t number)
{
    catch_up_round_t **at = &service->rounds;
    while (*at && (*at)->number != number)
        at = &(*at)->after;
    catch_up_round_t *round = *at;
    if (!round)
        return;
    for (uint32_t i = 0; i < service->count && round->count; i++) {
        registration_t *r = service->all[i];
        if (r->round == round)
            leave_round(service, round, r);
    }
    *at = round->after;
    free(round);
}
