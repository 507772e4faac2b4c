#include "dispatcher/core/event_service_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"

#define FORGET_EACH_NS (200 * NS_PER_MS)
/* Counting looks at every dispatcher: at most a tenth of the service's time. */
#define COUNT_EACH_NS (100 * NS_PER_MS)
#define COUNT_LOOK_NS (2 * NS_PER_US)
/* Nobody flushed rows for so long: what stands still is the sink, not one dispatcher. */
#define STANDSTILL_NS (30 * NS_PER_S)

/* The disk is short from here on. */
static bool is_pressed(const event_service_t *service)
{
    return service->spill.state.is_full ||
           service->spill.state.bytes >= service->options.store_bytes_max / 8 * 7;
}

void event_spill_clear(event_service_t *service)
{
    event_spill_t *spill = &service->spill;
    for (uint32_t i = 0; i < spill->leaving_count; i++)
        tail_entry_unref(&spill->leaving[i].entry);
    free(spill->leaving);
}

/* ---- whether to ---- */

static void count(event_service_t *service, mono_ns_t now)
{
    event_spill_t *spill = &service->spill;
    if (!mono_reached(spill->counted_at, now))
        return;
    spill->counted_at = mono_add(now, COUNT_EACH_NS + service->count * COUNT_LOOK_NS);
    spill->front_count = spill->busy_count = spill->behind_count = 0;
    for (uint32_t i = 0; i < service->count; i++) {
        registration_t *r = service->all[i];
        if (!registration_reads_tail(r) || r->table->table_id.v == TABLE_ID_TRIGGER.v)
            continue;
        if (registration_has_pending(service, r)) {
            spill->behind_count++;
            continue;
        }
        spill->front_count++;
        if (r->passed.number != UINT64_MAX)
            spill->busy_count++;
    }
}

static bool is_usable(const event_service_t *service, mono_ns_t now)
{
    const event_spill_t *spill = &service->spill;
    return !spill->must_wipe && !spill->is_wiping && mono_reached(spill->usable_at, now);
}

/* Most of those that have rows keep up, and the sink takes some. */
static bool others_go_on(const event_service_t *service, mono_ns_t now)
{
    const event_spill_t *spill = &service->spill;
    return spill->busy_count > 0 && spill->busy_count >= spill->behind_count &&
           mono_elapsed(spill->flushed_at, now) < STANDSTILL_NS;
}

/* ---- giving up ---- */

/* Whoever was not sent the first rows in the table's queue cannot go on without them. */
static void drop_those_before(event_service_t *service, tail_table_t *table, store_key_t key)
{
    for (registration_t *r = table->readers; r; r = r->next_of_table) {
        store_key_t reached = r->state == REGISTRATION_STORED ? r->fetched : r->passed;
        if (registration_reads_tail(r) && r->flushed.v < key.commit_ts.v &&
            store_key_compare(reached, key) < 0)
            registration_drop(service, r);
    }
}

void event_spill_drop_those_that_must_read(event_service_t *service, tail_table_t *table)
{
    for (registration_t *r = table->readers; r; r = r->next_of_table) {
        if (registration_must_read(r))
            registration_drop(service, r);
    }
}

static void pop_lost(event_service_t *service, tail_table_t *table)
{
    const tail_entry_t *first = item_queue_at(&table->queue, table->queue.first)->entry;
    drop_those_before(service, table, tail_entry_key(first));
    tail_pop_lost(&service->tail, table);
}

static void give_up_table(event_service_t *service, tail_table_t *table)
{
    service->spill.state.given_up++;
    event_spill_drop_those_that_must_read(service, table);
    while (table->queue.count)
        pop_lost(service, table);
    tail_raise_floor(table, table->stored);
    service->spill.forget_at = (mono_ns_t){0};
}

/* Of those that hold something the one that lags furthest. */
static void give_up_furthest(event_service_t *service)
{
    registration_t *furthest = NULL;
    for (uint32_t i = 0; i < service->count; i++) {
        registration_t *r = service->all[i];
        bool holds = r->table->queue.count > 0 || r->table->stored.number != 0;
        bool lags = registration_reads_tail(r) ? registration_has_pending(service, r)
                                               : r->state != REGISTRATION_IDLE;
        if (holds && lags && (!furthest || r->flushed.v < furthest->flushed.v))
            furthest = r;
    }
    if (furthest)
        give_up_table(service, furthest->table);
}

void event_spill_steer(event_service_t *service, mono_ns_t now)
{
    event_spill_t *spill = &service->spill;
    uint64_t max = service->options.tail_bytes_max;
    if (service->options.store_bytes_max == 0)
        return;
    event_store_look_at_the_clock(service, now);
    uint64_t held = service->tail.bytes + spill->read_bytes;
    spill->wants_write = false;
    if (held - spill->leaving_bytes < max / 8 * 7)
        return;
    count(service, now);
    bool can_write = is_usable(service, now) && !spill->state.is_full;
    spill->wants_write = can_write && spill->front_count > 0;
    if (held >= max && !can_write && !spill->is_writing && !spill->is_forgetting &&
        others_go_on(service, now)) {
        give_up_furthest(service);
        spill->counted_at = now;
    }
}

/* ---- writing ---- */

static void add_leaving(event_service_t *service, tail_entry_t *entry, table_id_t table_id)
{
    event_spill_t *spill = &service->spill;
    if (spill->leaving_count == spill->leaving_capacity) {
        spill->leaving_capacity = spill->leaving_capacity ? spill->leaving_capacity * 2 : 64;
        spill->leaving =
            memory_realloc(spill->leaving, spill->leaving_capacity * sizeof *spill->leaving);
    }
    if (!entry->is_leaving)
        spill->leaving_bytes += entry->bytes;
    entry->is_leaving = true;
    spill->leaving[spill->leaving_count++] = (leaving_t){tail_entry_ref(entry), table_id};
}

/* Which tables' rows of the entry are still wanted. Shortly after dispatchers came also those that
 * nobody reads, since the next to come probably does. */
static void select_parts(event_service_t *service, tail_entry_t *entry, bool has_grace)
{
    const tail_t *tail = &service->tail;
    const transaction_t *transaction = entry->item.transaction;
    bool keeps_all = has_grace && entry->item.commit_ts.v > tail->persisted.v;
    for (uint32_t i = 0; i < transaction->table_count; i++) {
        table_id_t table_id = transaction->tables[i].definition->table_id;
        const tail_table_t *table = tail_find_table(tail, table_id);
        if (table && tail_holds(table, entry) &&
            (keeps_all || (table->readers && tail->is_needed(tail->context, table, entry))))
            add_leaving(service, entry, table_id);
    }
}

static const table_rows_t *rows_of(const transaction_t *transaction, table_id_t table_id)
{
    for (uint32_t i = 0; i < transaction->table_count; i++) {
        if (transaction->tables[i].definition->table_id.v == table_id.v)
            return &transaction->tables[i];
    }
    assert(!"the table was found in it before");
    return NULL;
}

bool event_spill_next_write(event_service_t *service, store_request_t *request, mono_ns_t now)
{
    event_spill_t *spill = &service->spill;
    uint64_t bytes_max = service->options.tail_bytes_max / 8;
    if (bytes_max > EVENT_STORE_WRITE_BYTES_MAX)
        bytes_max = EVENT_STORE_WRITE_BYTES_MAX;
    if (spill->is_writing || !spill->wants_write)
        return false;
    spill->wants_write = false;
    bool has_grace = !mono_reached(service->grace_until, now);
    for (tail_entry_t *entry = service->tail.oldest; entry && spill->leaving_bytes < bytes_max;
         entry = entry->newer) {
        if (entry->item.transaction)
            select_parts(service, entry, has_grace);
    }
    if (spill->leaving_count == 0)
        return false;
    spill->is_writing = true;
    store_part_t *parts = memory_alloc(spill->leaving_count * sizeof *parts);
    for (uint32_t i = 0; i < spill->leaving_count; i++) {
        const leaving_t *leaving = &spill->leaving[i];
        transaction_t *transaction = leaving->entry->item.transaction;
        parts[i] = (store_part_t){.key = tail_entry_key(leaving->entry),
                                  .transaction = transaction_ref(transaction),
                                  .rows = rows_of(transaction, leaving->table_id)};
    }
    *request =
        (store_request_t){.kind = STORE_WRITE, .parts = parts, .part_count = spill->leaving_count};
    return true;
}

/* Between asking and answer the tail may have forgotten the rows, and the table. */
static void mark_dead(event_service_t *service, const leaving_t *leaving)
{
    store_key_t key = tail_entry_key(leaving->entry);
    tail_table_t *table = tail_table(&service->tail, leaving->table_id);
    tail_raise_floor(table, key);
    if (store_key_compare(table->stored, key) < 0)
        tail_set_stored(&service->tail, table, key);
}

/* Rows before these that were not written were not needed when the write was put together: they are
 * lost, and so is a stream that was reset to before them meanwhile. */
static void mark_stored(event_service_t *service, const leaving_t *leaving)
{
    store_key_t key = tail_entry_key(leaving->entry);
    tail_table_t *table = tail_find_table(&service->tail, leaving->table_id);
    if (!table || !tail_holds(table, leaving->entry)) {
        mark_dead(service, leaving);
        return;
    }
    while (item_queue_at(&table->queue, table->queue.first)->entry != leaving->entry)
        pop_lost(service, table);
    tail_pop_stored(&service->tail, table);
    for (registration_t *r = table->readers; r; r = r->next_of_table) {
        if (r->state == REGISTRATION_STREAMING && store_key_compare(r->passed, key) < 0)
            registration_enter_store(service, r);
        else if (r->state == REGISTRATION_STORED)
            event_service_activate(service, r);
    }
}

void event_spill_write_done(event_service_t *service, sluice_error_t error)
{
    event_spill_t *spill = &service->spill;
    spill->is_writing = false;
    for (uint32_t i = 0; i < spill->leaving_count; i++)
        spill->leaving[i].entry->is_leaving = false;
    for (uint32_t i = 0; i < spill->leaving_count; i++) {
        if (error == SLUICE_OK)
            mark_stored(service, &spill->leaving[i]);
        tail_entry_unref(&spill->leaving[i].entry);
    }
    if (error == SLUICE_OK)
        spill->state.written_bytes += spill->leaving_bytes;
    spill->leaving_count = 0;
    spill->leaving_bytes = 0;
    service->may_forget = true;
}

/* ---- forgetting ---- */

/* How far nobody needs what is in the store. */
static commit_ts_t past(const event_service_t *service, const tail_table_t *table)
{
    commit_ts_t lowest = is_pressed(service) ? COMMIT_TS_MAX : service->tail.persisted;
    for (const registration_t *r = table->readers; r; r = r->next_of_table) {
        if (r->state != REGISTRATION_IDLE && r->flushed.v < lowest.v)
            lowest = r->flushed;
    }
    return lowest.v < table->stored.commit_ts.v ? lowest : table->stored.commit_ts;
}

bool event_spill_next_forget(event_service_t *service, store_request_t *request, mono_ns_t now)
{
    event_spill_t *spill = &service->spill;
    tail_t *tail = &service->tail;
    if (spill->is_forgetting || !tail->stored_first || !mono_reached(spill->forget_at, now))
        return false;
    spill->forget_at = mono_add(now, FORGET_EACH_NS);
    store_forget_t *forgets = memory_alloc(tail->stored_count * sizeof *forgets);
    uint32_t forget_count = 0;
    tail_table_t *next;
    for (tail_table_t *table = tail->stored_first; table; table = next) {
        next = table->stored_after;
        bool is_dead = store_key_compare(table->floor, table->stored) >= 0;
        store_key_t up_to = is_dead ? table->stored : store_key_behind(past(service, table));
        if (!is_dead && store_key_compare(up_to, table->floor) <= 0)
            continue;
        forgets[forget_count++] = (store_forget_t){table->table_id, up_to};
        tail_forget_stored(tail, table, up_to);
    }
    if (forget_count == 0) {
        free(forgets);
        return false;
    }
    spill->is_forgetting = true;
    *request =
        (store_request_t){.kind = STORE_FORGET, .forgets = forgets, .forget_count = forget_count};
    return true;
}
