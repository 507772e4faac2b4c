/* The order in which events change the table list (DESIGN §5 rule 4). */
#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "maintainer/core/barrier_internal.h"

/* ---- keys whose changes are made ---- */

static uint32_t key_place(const key_set_t *set, event_key_t key)
{
    uint32_t low = 0, high = set->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (event_key_compare(set->keys[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void key_set_add(key_set_t *set, event_key_t key)
{
    uint32_t place = key_place(set, key);
    if (place < set->count && event_key_equal(set->keys[place], key))
        return;
    if (set->count == set->capacity) {
        set->capacity = set->capacity ? set->capacity * 2 : 16;
        set->keys = memory_realloc(set->keys, set->capacity * sizeof *set->keys);
    }
    memmove(set->keys + place + 1, set->keys + place, (set->count - place) * sizeof *set->keys);
    set->keys[place] = key;
    set->count++;
}

static void key_set_forget_to(key_set_t *set, event_key_t key)
{
    if (set->count == 0)
        return;
    uint32_t gone = key_place(set, key);
    while (gone < set->count && event_key_compare(set->keys[gone], key) <= 0)
        gone++;
    memmove(set->keys, set->keys + gone, (set->count - gone) * sizeof *set->keys);
    set->count -= gone;
}

bool barrier_is_scheduled(const barrier_t *barrier, event_key_t key)
{
    if (event_key_compare(key, barrier->floor) <= 0)
        return true;
    uint32_t place = key_place(&barrier->scheduled, key);
    return place < barrier->scheduled.count && event_key_equal(barrier->scheduled.keys[place], key);
}

void barrier_raise_floor(barrier_t *barrier, event_key_t key)
{
    if (event_key_compare(key, barrier->floor) <= 0)
        return;
    barrier->floor = key;
    key_set_forget_to(&barrier->scheduled, key);
}

list_progress_t barrier_progress(const barrier_t *barrier)
{
    list_progress_t progress = {.floor = barrier->floor};
    for (uint32_t i = 0; i < barrier->event_count && !progress.has_unscheduled; i++) {
        progress.has_unscheduled = !barrier->events[i]->is_scheduled;
        progress.unscheduled = barrier->events[i]->key;
    }
    /* Reports that wait are in the order only. */
    const barrier_event_t *head = barrier->pending_count ? barrier->pending[0] : NULL;
    if (head &&
        (!progress.has_unscheduled || event_key_compare(head->key, progress.unscheduled) < 0)) {
        progress.has_unscheduled = true;
        progress.unscheduled = head->key;
    }
    return progress;
}

/* ---- the order ---- */

void barrier_enter_order(barrier_t *barrier, barrier_event_t *event)
{
    if (event->is_pending || event->is_scheduled)
        return;
    if (barrier->pending_count == barrier->pending_capacity) {
        barrier->pending_capacity = barrier->pending_capacity ? barrier->pending_capacity * 2 : 16;
        barrier->pending =
            memory_realloc(barrier->pending, barrier->pending_capacity * sizeof(barrier_event_t *));
    }
    uint32_t place = barrier->pending_count;
    while (place && event_key_compare(barrier->pending[place - 1]->key, event->key) > 0) {
        barrier->pending[place] = barrier->pending[place - 1];
        place--;
    }
    barrier->pending[place] = event;
    barrier->pending_count++;
    event->is_pending = true;
}

bool barrier_waits_before(const barrier_t *barrier, event_key_t key)
{
    return barrier->pending_count && event_key_compare(barrier->pending[0]->key, key) < 0;
}

/* ---- the changes ---- */

static void drop_table(barrier_t *barrier, table_entry_t *entry, event_key_t key)
{
    /* One of that id which is younger than the drop is another life of the same name. */
    if (!entry || event_key_compare((event_key_t){entry->created, false}, key) >= 0)
        return;
    span_table_drop(barrier->table, entry);
    barrier->tables_dropped++;
}

static void make_drops(barrier_t *barrier, const influence_t *dropped, event_key_t key)
{
    if (dropped->kind == INFLUENCE_NORMAL) {
        for (uint32_t i = 0; i < dropped->table_count; i++)
            drop_table(barrier, span_table_find(barrier->table, dropped->table_ids[i]), key);
        return;
    }
    schema_entry_t *schema = span_table_schema(barrier->table, dropped->schema);
    /* The schema's entry goes with its last table. */
    for (table_entry_t *entry = schema ? schema->first_table : NULL, *next; entry; entry = next) {
        next = entry->schema_next;
        drop_table(barrier, entry, key);
    }
}

/* A table that enters while events are open which list it already. */
static void count_gates_of(const barrier_t *barrier, table_entry_t *entry)
{
    for (uint32_t i = 0; i < barrier->event_count; i++)
        if (barrier->events[i]->payload->influence.kind == INFLUENCE_NORMAL &&
            influence_lists(&barrier->events[i]->payload->influence, entry->table_id))
            entry->gates++;
}

static void make_additions(barrier_t *barrier, const block_payload_t *payload, event_key_t key)
{
    for (uint32_t i = 0; i < payload->added_count; i++) {
        table_info_t info = payload->added[i];
        info.created = key.commit_ts;
        /* Rows of CREATE … SELECT carry its own commit_ts; the new table's dispatcher writes
         * them. */
        commit_ts_t start =
            info.created_by_select ? commit_ts_before(key.commit_ts) : key.commit_ts;
        table_entry_t *entry =
            span_table_add(barrier->table, &info, (position_t){start, {key.commit_ts, false}});
        if (!entry)
            continue;
        entry->first_span->is_fresh = true;
        count_gates_of(barrier, entry);
        barrier->tables_added++;
    }
}

static void make_moves(barrier_t *barrier, const block_payload_t *payload, event_key_t key)
{
    for (uint32_t i = 0; i < payload->move_count; i++) {
        table_entry_t *entry = span_table_find(barrier->table, payload->moves[i].table_id);
        if (!entry || event_key_compare(key, table_entry_last_change(entry)) <= 0)
            continue;
        span_table_rename(barrier->table, entry, &payload->moves[i], key);
        barrier->tables_moved++;
    }
}

static void make_changes(barrier_t *barrier, barrier_event_t *event)
{
    if (barrier_is_scheduled(barrier, event->key))
        return;
    make_drops(barrier, &event->payload->dropped, event->key);
    make_additions(barrier, event->payload, event->key);
    make_moves(barrier, event->payload, event->key);
    /* The trigger reports a blocking event only when all its earlier reports were acknowledged, so
     * nothing at or below one that it took part in is still to come. Its non-blocking reports may
     * overtake each other. */
    if (!event->is_report && barrier_event_wants_trigger(event))
        barrier_raise_floor(barrier, event->key);
    else
        key_set_add(&barrier->scheduled, event->key);
}

void barrier_note_trigger(barrier_t *barrier, const span_entry_t *span, event_key_t key)
{
    if (span != span_table_trigger(barrier->table) || span->state != SPAN_REPLICATING)
        return;
    if (event_key_compare(key, barrier->trigger_at) > 0)
        barrier->trigger_at = key;
    barrier_run_order(barrier);
}

/* Others may prove that an event was written which the trigger, begun anew further back, has not
 * come to yet: changes that it has to report before are still to come. */
static bool may_change(const barrier_t *barrier, const barrier_event_t *event)
{
    if (event->state != BARRIER_ADVANCED)
        return false;
    return event->is_report || !barrier_event_wants_trigger(event) ||
           event_key_compare(barrier->trigger_at, event->key) >= 0;
}

void barrier_run_order(barrier_t *barrier)
{
    uint32_t made = 0;
    while (made < barrier->pending_count && may_change(barrier, barrier->pending[made])) {
        barrier_event_t *event = barrier->pending[made++];
        make_changes(barrier, event);
        event->is_pending = false;
        event->is_scheduled = true;
        event->is_touched = true;
        if (event->is_report)
            barrier_event_destroy(&event);
    }
    if (made == 0)
        return;
    barrier->pending_count -= made;
    memmove(barrier->pending, barrier->pending + made,
            barrier->pending_count * sizeof(barrier_event_t *));
}
