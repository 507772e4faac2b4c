#include "dispatcher/core/event_service_internal.h"

void registration_enter_store(event_service_t *service, registration_t *registration)
{
    registration_set_state(service, registration, REGISTRATION_STORED);
    registration->fetched = registration->passed;
    event_service_activate(service, registration);
}

bool registration_must_read(const registration_t *registration)
{
    return registration->state == REGISTRATION_STORED &&
           store_key_compare(registration->fetched, registration->table->stored) < 0;
}

static bool has_credit(const registration_t *registration)
{
    return registration->credit_used < registration->credit_limit;
}

static bool wants_read(const registration_t *registration)
{
    return registration_must_read(registration) && registration->read_back.count == 0 &&
           registration->read_ticket == 0 && !registration->is_parked && has_credit(registration);
}

void registration_want_read(event_service_t *service, registration_t *registration)
{
    if (wants_read(registration))
        registration_enlist(service, registration, LIST_WANTS_READ);
}

/* All that was in the store for it is sent: it reads the tail alone. */
static void leave_store(event_service_t *service, registration_t *registration)
{
    if (registration->state == REGISTRATION_STORED && registration->read_back.count == 0 &&
        !registration_must_read(registration))
        registration_set_state(service, registration, REGISTRATION_STREAMING);
}

void registration_pop_read_back(event_service_t *service, registration_t *registration)
{
    queue_item_t item = item_queue_pop(&registration->read_back);
    registration->read_back_bytes -= item.entry->bytes;
    service->spill.read_bytes -= item.entry->bytes;
    tail_entry_unref(&item.entry);
    leave_store(service, registration);
}

static void let_go(event_service_t *service, registration_t *registration)
{
    while (registration->read_back.count) {
        queue_item_t item = item_queue_pop(&registration->read_back);
        tail_entry_unref(&item.entry);
    }
    service->spill.read_bytes -= registration->read_back_bytes;
    registration->read_back_bytes = 0;
}

void registration_clear_read_back(event_service_t *service, registration_t *registration)
{
    let_go(service, registration);
    registration->read_ticket = 0;
    registration_delist(service, registration, LIST_WANTS_READ);
}

/* What was read for those that may not be sent it now makes room for others; it is read again. */
static void let_idle_ones_go(event_service_t *service)
{
    for (uint32_t i = 0; i < service->count; i++) {
        registration_t *r = service->all[i];
        if (r->read_back.count == 0 || (has_credit(r) && !r->is_parked))
            continue;
        let_go(service, r);
        r->fetched = r->passed;
    }
}

static bool has_room(const event_service_t *service, uint64_t bytes_max)
{
    const event_spill_t *spill = &service->spill;
    return spill->reading_count == 0 ||
           spill->read_bytes + (spill->reading_count + 1) * bytes_max <=
               service->options.tail_bytes_max / EVENT_STORE_READ_SHARE;
}

bool event_read_back_next(event_service_t *service, store_request_t *request)
{
    event_spill_t *spill = &service->spill;
    registration_list_t *list = &service->lists[LIST_WANTS_READ];
    uint64_t bytes_max = service->options.tail_bytes_max / EVENT_STORE_READ_SHARE / 4;
    if (bytes_max > EVENT_STORE_READ_BYTES_MAX)
        bytes_max = EVENT_STORE_READ_BYTES_MAX;
    while (list->first && spill->reading_count < EVENT_STORE_READS_MAX) {
        if (!has_room(service, bytes_max))
            let_idle_ones_go(service);
        if (!has_room(service, bytes_max))
            return false;
        registration_t *r = list->first;
        registration_delist(service, r, LIST_WANTS_READ);
        if (!wants_read(r))
            continue;
        r->read_ticket = ++spill->last_ticket;
        spill->reading_count++;
        *request = (store_request_t){.kind = STORE_READ,
                                     .table_id = r->table->table_id,
                                     .ticket = r->read_ticket,
                                     .after = r->fetched,
                                     .through = r->table->stored,
                                     .bytes_max = bytes_max};
        return true;
    }
    return false;
}

static registration_t *find_reader(const event_service_t *service, const store_answer_t *answer)
{
    const tail_table_t *table = tail_find_table(&service->tail, answer->table_id);
    registration_t *r = table ? table->readers : NULL;
    while (r && r->read_ticket != answer->ticket)
        r = r->next_of_table;
    return r;
}

static void give_part(event_service_t *service, registration_t *r, store_part_t *part)
{
    feed_item_t item = {.kind = FEED_TRANSACTION,
                        .commit_ts = part->key.commit_ts,
                        .commit_time = part->transaction->commit_time,
                        .transaction = part->transaction};
    part->transaction = NULL;
    tail_entry_t *entry = tail_entry_new(&item);
    entry->number = part->key.number;
    queue_item_t queued = {.entry = entry, .rows = part->rows, .commit_ts = part->key.commit_ts};
    item_queue_push(&r->read_back, &queued);
    r->read_back_bytes += entry->bytes;
    service->spill.read_bytes += entry->bytes;
    service->spill.state.read_bytes += entry->bytes;
}

void event_read_back_done(event_service_t *service, store_answer_t *answer)
{
    service->spill.reading_count--;
    registration_t *r = find_reader(service, answer);
    if (!r || answer->error != SLUICE_OK)
        return;
    r->read_ticket = 0;
    for (uint32_t i = 0; i < answer->part_count; i++)
        give_part(service, r, &answer->parts[i]);
    r->fetched = answer->reached;
    leave_store(service, r);
    event_service_activate(service, r);
}
