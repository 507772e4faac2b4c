#include "dispatcher/core/event_service_internal.h"

/* Shedding looks at every entry in the worst case; this is about what one look costs, so that a
 * full tail costs the service at most a third of its time. */
#define SHED_LOOK_NS 200

static void on_push(void *context, tail_table_t *table)
{
    event_service_t *service = context;
    if (table) {
        for (registration_t *r = table->readers; r; r = r->next_of_table) {
            if (registration_reads_tail(r))
                event_service_activate(service, r);
        }
        return;
    }
    for (uint32_t i = 0; i < service->count; i++) {
        if (registration_reads_tail(service->all[i]))
            event_service_activate(service, service->all[i]);
    }
}

void event_service_append(event_service_t *service, feed_item_t *item)
{
    if (item->completes) {
        service->resolved = item->commit_ts;
        service->resolved_time = item->commit_time;
    }
    service->is_caught_up = false;
    tail_append(&service->tail, item, on_push);
}

void event_service_set_caught_up(event_service_t *service, bool is_caught_up)
{
    service->is_caught_up = is_caught_up;
}

void event_service_set_persisted(event_service_t *service, commit_ts_t persisted)
{
    if (persisted.v <= service->tail.persisted.v)
        return;
    service->tail.persisted = persisted;
    service->may_forget = true;
    for (uint32_t i = 0; (service->waiting_count || service->held_count) && i < service->count; i++)
        registration_begin_later(service, service->all[i]);
}

static commit_ts_t all_flushed(const event_service_t *service)
{
    commit_ts_t lowest = COMMIT_TS_MAX;
    for (uint32_t i = 0; i < service->count; i++) {
        const registration_t *r = service->all[i];
        bool has_position = r->state != REGISTRATION_IDLE && r->state != REGISTRATION_WITHHELD;
        if (has_position && r->flushed.v < lowest.v)
            lowest = r->flushed;
    }
    return lowest;
}

static void forget(event_service_t *service)
{
    tail_t *tail = &service->tail;
    service->may_forget = false;
    tail_forget(tail, tail->broad.count ? all_flushed(service) : COMMIT_TS_NONE);
}

/* A full tail is also looked at for what was persisted before it was read: a node that starts knows
 * the checkpoint before the log. */
static void make_room(event_service_t *service, uint64_t bytes_wanted, mono_ns_t now)
{
    /* Without any dispatcher nobody is in a hurry to read on. */
    bool only_persisted = service->count == 0 || !mono_reached(service->grace_until, now);
    forget(service);
    uint64_t looked_at = tail_shed(&service->tail, bytes_wanted, only_persisted) + service->count;
    service->shed_at = mono_add(now, looked_at * SHED_LOOK_NS);
}

bool event_service_has_room(event_service_t *service, mono_ns_t now)
{
    tail_t *tail = &service->tail;
    uint64_t max = service->options.tail_bytes_max;
    /* With a store what is not needed goes early, so that it never has to be written. */
    uint64_t shed_from = service->options.store_bytes_max ? max / 8 * 7 : max;
    if (service->may_forget)
        forget(service);
    if (tail->bytes >= shed_from && mono_reached(service->shed_at, now))
        make_room(service, shed_from / 8 * 7, now);
    event_spill_steer(service, now);
    if (tail->bytes >= max && !service->spill.is_writing)
        event_service_spare_others(service, now);
    service->is_waiting_for_room = tail->bytes + service->spill.read_bytes >= max;
    return !service->is_waiting_for_room;
}
