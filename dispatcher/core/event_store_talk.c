#include "dispatcher/core/event_service_internal.h"

static bool next_request(event_service_t *service, store_request_t *request, mono_ns_t now)
{
    event_spill_t *spill = &service->spill;
    if (!spill->must_wipe)
        return event_read_back_next(service, request) ||
               event_spill_next_forget(service, request, now) ||
               event_spill_next_write(service, request, now);
    if (!mono_reached(spill->wipe_at, now))
        return false;
    spill->is_wiping = true;
    *request = (store_request_t){.kind = STORE_WIPE};
    return true;
}

bool event_service_store_next(event_service_t *service, store_request_t *request, mono_ns_t now)
{
    event_spill_t *spill = &service->spill;
    if (service->options.store_bytes_max == 0 || spill->is_wiping || spill->overdue ||
        !next_request(service, request, now))
        return false;
    if (spill->unanswered++ == 0)
        spill->heard_at = now;
    return true;
}

/* All that the store held is lost: who needs it is read for again. */
static void lose_all(event_service_t *service, mono_ns_t now)
{
    event_spill_t *spill = &service->spill;
    if (!spill->must_wipe) {
        spill->must_wipe = true;
        spill->wipe_at = now;
        spill->state.failures++;
    }
    spill->usable_at = mono_add(now, EVENT_STORE_PAUSE_NS);
    while (service->tail.stored_first) {
        tail_table_t *table = service->tail.stored_first;
        event_spill_drop_those_that_must_read(service, table);
        tail_forget_stored(&service->tail, table, table->stored);
    }
}

/* A disk that hangs: its answers mean nothing any more when they come at last. What was being
 * written stays in memory until then, outside of the tail, and nothing else is asked of it. */
static void give_up_waiting(event_service_t *service, mono_ns_t now)
{
    event_spill_t *spill = &service->spill;
    spill->overdue = spill->unanswered;
    if (spill->is_writing)
        event_spill_write_done(service, SLUICE_ERROR_TIMEOUT);
    spill->is_forgetting = spill->is_wiping = false;
    spill->reading_count = 0;
    for (uint32_t i = 0; i < service->count; i++)
        service->all[i]->read_ticket = 0;
    lose_all(service, now);
}

void event_store_look_at_the_clock(event_service_t *service, mono_ns_t now)
{
    const event_spill_t *spill = &service->spill;
    if (spill->unanswered > spill->overdue &&
        mono_elapsed(spill->heard_at, now) >= EVENT_STORE_PATIENCE_NS)
        give_up_waiting(service, now);
}

static void wipe_done(event_service_t *service, sluice_error_t error, mono_ns_t now)
{
    event_spill_t *spill = &service->spill;
    spill->is_wiping = false;
    spill->must_wipe = error != SLUICE_OK;
    spill->wipe_at = mono_add(now, EVENT_STORE_PAUSE_NS);
}

void event_service_store_done(event_service_t *service, store_answer_t *answer, mono_ns_t now)
{
    event_spill_t *spill = &service->spill;
    bool is_full = answer->kind == STORE_WRITE && answer->error == SLUICE_ERROR_FULL;
    spill->unanswered--;
    spill->heard_at = now;
    spill->state.bytes = answer->bytes;
    if (spill->overdue) {
        spill->overdue--;
        store_answer_clear(answer);
        return;
    }
    if (is_full)
        spill->full_bytes = answer->bytes;
    /* Until something of it is given back. */
    spill->state.is_full = is_full || (spill->state.is_full && answer->bytes >= spill->full_bytes);
    switch (answer->kind) {
    case STORE_WRITE:
        event_spill_write_done(service, answer->error);
        break;
    case STORE_READ:
        event_read_back_done(service, answer);
        break;
    case STORE_FORGET:
        spill->is_forgetting = false;
        break;
    case STORE_WIPE:
        wipe_done(service, answer->error, now);
        break;
    }
    if (answer->error != SLUICE_OK && !is_full)
        lose_all(service, now);
    spill->state.tables = service->tail.stored_count;
    store_answer_clear(answer);
}

mono_ns_t event_store_next_deadline(const event_service_t *service)
{
    const event_spill_t *spill = &service->spill;
    if (spill->overdue)
        return MONO_NEVER;
    mono_ns_t deadline =
        spill->unanswered ? mono_add(spill->heard_at, EVENT_STORE_PATIENCE_NS) : MONO_NEVER;
    if (spill->is_wiping)
        return deadline;
    if (spill->must_wipe)
        return mono_min(deadline, spill->wipe_at);
    bool may_forget = service->tail.stored_first && !spill->is_forgetting;
    return may_forget ? mono_min(deadline, spill->forget_at) : deadline;
}
