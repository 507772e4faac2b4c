#include "dispatcher/core/event_service_internal.h"

void registration_clear_caught_up(event_service_t *service, registration_t *registration)
{
    while (registration->caught_up.count) {
        queue_item_t item = item_queue_pop(&registration->caught_up);
        tail_entry_unref(&item.entry);
    }
    service->round_bytes -= registration->caught_up_bytes;
    registration->caught_up_bytes = 0;
}

bool event_service_wants_catch_up(const event_service_t *service, commit_ts_t *from)
{
    if (service->waiting_count == 0)
        return false;
    *from = COMMIT_TS_MAX;
    for (uint32_t i = 0; i < service->count; i++) {
        const registration_t *r = service->all[i];
        if (r->state == REGISTRATION_WAITING && r->start.v < from->v)
            *from = r->start;
    }
    return true;
}

void registration_enter_round(event_service_t *service, registration_t *registration)
{
    registration_set_state(service, registration, REGISTRATION_CATCHING_UP);
    service->round_join_at = COMMIT_TS_NONE;
}

void event_service_catch_up_begin(event_service_t *service, commit_ts_t from)
{
    service->has_round = true;
    service->rounds++;
    service->round_read = from;
    service->is_round_inside = false;
    for (uint32_t i = 0; i < service->count; i++) {
        registration_t *r = service->all[i];
        if (r->state == REGISTRATION_WAITING && r->start.v >= from.v)
            registration_enter_round(service, r);
    }
}

/* Takes the bytes of an entry once per reader: an upper limit of what the round holds. */
static void give(event_service_t *service, registration_t *registration, tail_entry_t *entry,
                 const table_rows_t *rows)
{
    if (registration->state != REGISTRATION_CATCHING_UP ||
        !registration_wants(registration, &entry->item))
        return;
    queue_item_t item = {
        .entry = tail_entry_ref(entry), .rows = rows, .commit_ts = entry->item.commit_ts};
    item_queue_push(&registration->caught_up, &item);
    registration->caught_up_bytes += entry->bytes;
    service->round_bytes += entry->bytes;
    event_service_activate(service, registration);
}

static void give_table(event_service_t *service, table_id_t table_id, tail_entry_t *entry,
                       const table_rows_t *rows)
{
    const tail_table_t *table = tail_find_table(&service->tail, table_id);
    for (registration_t *r = table ? table->readers : NULL; r; r = r->next_of_table)
        give(service, r, entry, rows);
}

static void give_all(event_service_t *service, tail_entry_t *entry)
{
    const feed_item_t *item = &entry->item;
    if (feed_item_is_broad(item)) {
        for (uint32_t i = 0; i < service->count; i++)
            give(service, service->all[i], entry, NULL);
    } else if (item->transaction) {
        for (uint32_t i = 0; i < item->transaction->table_count; i++) {
            const table_rows_t *rows = &item->transaction->tables[i];
            give_table(service, rows->definition->table_id, entry, rows);
        }
    } else {
        for (uint32_t i = 0; i < item->table_count; i++)
            give_table(service, item->tables[i], entry, NULL);
        give_table(service, TABLE_ID_TRIGGER, entry, NULL);
    }
}

/* Where the tail takes over. It stays where it is while the dispatcher waits for it, since what a
 * dispatcher still needs is not forgotten. */
static commit_ts_t joins_at(const event_service_t *service, const registration_t *registration)
{
    const commit_ts_t limits[] = {service->tail.base, service->tail.broad_floor,
                                  registration->table->floor, registration->start};
    commit_ts_t highest = COMMIT_TS_NONE;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (limits[i].v > highest.v)
            highest = limits[i];
    }
    return highest;
}

static void join_those_that_can(event_service_t *service)
{
    if (service->round_read.v < service->round_join_at.v)
        return;
    service->round_join_at = COMMIT_TS_MAX;
    for (uint32_t i = 0; i < service->count; i++) {
        registration_t *r = service->all[i];
        if (r->state != REGISTRATION_CATCHING_UP)
            continue;
        commit_ts_t at = joins_at(service, r);
        if (at.v <= service->round_read.v) {
            r->wants_syncpoint |= service->round_read.v > r->start.v;
            registration_join_tail(service, r, service->round_read);
            event_service_activate(service, r);
        } else if (at.v < service->round_join_at.v) {
            service->round_join_at = at;
        }
    }
}

void event_service_catch_up_append(event_service_t *service, feed_item_t *item)
{
    if (!service->has_round) {
        feed_item_clear(item);
        return;
    }
    if (item->completes)
        service->round_read = item->commit_ts;
    service->is_round_inside = !item->completes;
    if (item->kind == FEED_RESOLVED) {
        feed_item_clear(item);
    } else {
        tail_entry_t *entry = tail_entry_new(item);
        give_all(service, entry);
        tail_entry_unref(&entry);
    }
    if (!service->is_round_inside)
        join_those_that_can(service);
}

bool event_service_catch_up_is_done(const event_service_t *service)
{
    return service->has_round && service->round_count == 0;
}

/* Whoever holds items and took nothing for long would stop the others: what is held for it is given
 * up, and it starts again from where it then is. */
static void drop_stalled(event_service_t *service, mono_ns_t now)
{
    for (uint32_t i = 0; i < service->count; i++) {
        registration_t *r = service->all[i];
        if (r->caught_up_bytes == 0 ||
            mono_elapsed(r->progress_at, now) < service->options.stalled_ns)
            continue;
        registration_clear_caught_up(service, r);
        registration_set_state(service, r, REGISTRATION_IDLE);
        r->owes_drop = true;
        service->drops++;
        event_service_activate(service, r);
    }
}

bool event_service_catch_up_has_room(event_service_t *service, mono_ns_t now)
{
    if (service->round_bytes >= service->options.catch_up_bytes_max)
        drop_stalled(service, now);
    return service->round_bytes < service->options.catch_up_bytes_max;
}

/* Whoever was fed in part cannot go on without the rest: it is dropped and starts again. */
void event_service_catch_up_end(event_service_t *service)
{
    service->has_round = false;
    for (uint32_t i = 0; i < service->count; i++) {
        registration_t *r = service->all[i];
        if (r->state != REGISTRATION_CATCHING_UP)
            continue;
        if (r->caught_up.count == 0 && r->sequence <= 1) {
            registration_set_state(service, r, REGISTRATION_WAITING);
            continue;
        }
        registration_clear_caught_up(service, r);
        registration_set_state(service, r, REGISTRATION_IDLE);
        r->owes_drop = true;
        service->drops++;
        event_service_activate(service, r);
    }
}
