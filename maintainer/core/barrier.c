#include "maintainer/core/barrier.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "maintainer/core/barrier_internal.h"

barrier_t *barrier_new(const maintainer_settings_t *settings, span_table_t *table, pipeline_t mode)
{
    barrier_t *barrier = memory_zalloc(sizeof *barrier);
    barrier->settings = *settings;
    barrier->table = table;
    barrier->mode = mode;
    barrier->deadline = MONO_NEVER;
    return barrier;
}

void barrier_destroy(barrier_t **barrier)
{
    barrier_t *gone = *barrier;
    if (!gone)
        return;
    *barrier = NULL;
    for (uint32_t i = 0; i < gone->pending_count; i++)
        if (gone->pending[i]->is_report)
            barrier_event_destroy(&gone->pending[i]);
    for (uint32_t i = 0; i < gone->event_count; i++)
        barrier_event_destroy(&gone->events[i]);
    free(gone->events);
    free(gone->pending);
    free(gone->scheduled.keys);
    free(gone);
}

void barrier_set_floor(barrier_t *barrier, event_key_t key)
{
    barrier_raise_floor(barrier, key);
    if (barrier->highest_ts < key.commit_ts.v)
        barrier->highest_ts = key.commit_ts.v;
}

/* ---- open events, in the order of keys ---- */

/* Where the key is, or belongs. */
static uint32_t event_place(const barrier_t *barrier, event_key_t key)
{
    uint32_t low = 0, high = barrier->event_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (event_key_compare(barrier->events[middle]->key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

barrier_event_t *barrier_event_of(const barrier_t *barrier, event_key_t key)
{
    uint32_t place = event_place(barrier, key);
    if (place < barrier->event_count && event_key_equal(barrier->events[place]->key, key))
        return barrier->events[place];
    return NULL;
}

static void count_gates(barrier_t *barrier, const barrier_event_t *event, bool is_opened)
{
    const influence_t *influence = &event->payload->influence;
    if (influence->kind != INFLUENCE_NORMAL) {
        barrier->wide_count += is_opened ? 1 : UINT32_MAX;
        return;
    }
    for (uint32_t i = 0; i < influence->table_count; i++) {
        table_entry_t *entry = span_table_find(barrier->table, influence->table_ids[i]);
        if (entry && is_opened)
            entry->gates++;
        else if (entry && entry->gates)
            entry->gates--;
    }
}

barrier_event_t *barrier_open(barrier_t *barrier, mono_ns_t now, event_key_t key,
                              const block_payload_t *payload)
{
    if (barrier->event_count == barrier->event_capacity) {
        barrier->event_capacity = barrier->event_capacity ? barrier->event_capacity * 2 : 16;
        barrier->events =
            memory_realloc(barrier->events, barrier->event_capacity * sizeof(barrier_event_t *));
    }
    uint32_t place = event_place(barrier, key);
    memmove(barrier->events + place + 1, barrier->events + place,
            (barrier->event_count - place) * sizeof(barrier_event_t *));
    barrier_event_t *event = barrier_event_new(key, payload, now);
    barrier->events[place] = event;
    barrier->event_count++;
    count_gates(barrier, event, true);
    list_progress_t progress = barrier_progress(barrier);
    event_coverage_t coverage = barrier_event_coverage(event, barrier->table, &progress);
    event->required = coverage.required;
    event->misses_tables = coverage.missing > 0;
    event->is_proven = barrier_event_is_proven(event, barrier->table);
    if (event->has_changes)
        event->is_scheduled = barrier_is_scheduled(barrier, key);
    return event;
}

void barrier_close(barrier_t *barrier, barrier_event_t *event)
{
    uint32_t place = event_place(barrier, event->key);
    assert(barrier->events[place] == event && !event->is_pending);
    count_gates(barrier, event, false);
    barrier->event_count--;
    memmove(barrier->events + place, barrier->events + place + 1,
            (barrier->event_count - place) * sizeof(barrier_event_t *));
    barrier_event_destroy(&event);
}

/* ---- proof of passage ---- */

/* `reported`: key of what the span reports, EVENT_KEY_NONE when it is its position only. Whether an
 * event was proven. */
static bool note_front(barrier_t *barrier, const span_entry_t *span, event_key_t reported)
{
    const table_entry_t *entry = span->table;
    if (!entry || (!entry->gates && !barrier->wide_count))
        return false;
    bool is_any = false;
    for (uint32_t i = 0; i < barrier->event_count; i++) {
        barrier_event_t *event = barrier->events[i];
        /* What does not prove an event proves no later one. */
        if (!span_proves(span, event->key) && event_key_compare(reported, event->key) <= 0)
            break;
        if (!barrier_event_blocks_surely(event, barrier->table, span))
            continue;
        /* One that is proven may have waited for this span only. */
        event->is_touched |= event->is_proven;
        if (barrier_event_is_provable(event))
            event->is_proven = event->is_touched = is_any = true;
    }
    return is_any;
}

void barrier_note_position(barrier_t *barrier, const span_entry_t *span)
{
    if (barrier->highest_ts < span->checkpoint.v)
        barrier->highest_ts = span->checkpoint.v;
    note_front(barrier, span, EVENT_KEY_NONE);
}

/* An event that was just proven may change the table list at once, so that what comes behind it in
 * the same request finds the changes made. */
static void advance_proven(barrier_t *barrier)
{
    for (uint32_t i = 0; i < barrier->event_count; i++) {
        barrier_event_t *event = barrier->events[i];
        if (!event->is_proven || event->state == BARRIER_ADVANCED)
            continue;
        event->state = BARRIER_ADVANCED;
        if (!event->is_scheduled)
            barrier_enter_order(barrier, event);
    }
    barrier_run_order(barrier);
}

/* ---- refusals ---- */

void barrier_fault(barrier_t *barrier, event_key_t key, const char *what)
{
    barrier->fault_count++;
    barrier->counters.statuses_refused++;
    snprintf(barrier->fault, sizeof barrier->fault, "event %" PRIu64 "%s: %s", key.commit_ts.v,
             key.is_syncpoint ? " (sync point)" : "", what);
}

/* NULL when the group can be acted on. */
static const char *group_fault(const barrier_t *barrier, const block_status_group_t *group)
{
    if (group->key.commit_ts.v == 0)
        return "status without a commit_ts";
    if (group->key.commit_ts.v > barrier->highest_ts &&
        group->key.commit_ts.v - barrier->highest_ts > BARRIER_TS_JUMP_MAX)
        return "status of an event absurdly far ahead";
    switch (group->stage) {
    case STAGE_NONE:
        if (group->is_blocked || !group->payload)
            return "report of a change that blocks, or without a change";
        return payload_fault(group->payload);
    case STAGE_WAITING:
        if (!group->is_blocked || !group->payload)
            return "WAITING that blocks nothing";
        return payload_fault(group->payload);
    case STAGE_WRITING:
        return "WRITING is not reported";
    case STAGE_DONE:
        return NULL;
    }
    return "unknown stage";
}

static verdict_t disagree(barrier_t *barrier, mono_ns_t now, barrier_event_t *event)
{
    if (!event->is_disagreed) {
        event->is_disagreed = true;
        event->disagreed_since = now;
    }
    event->disagreed_at = now;
    barrier_fault(barrier, event->key,
                  "reporters disagree on what it blocks or changes; nothing is written until they "
                  "agree");
    return VERDICT_LATER;
}

/* ---- statuses ---- */

static verdict_t handle_waiting(barrier_t *barrier, mono_ns_t now, span_entry_t *span,
                                const block_status_group_t *group)
{
    event_key_t key = group->key;
    if (span->state != SPAN_REPLICATING)
        return VERDICT_IGNORED;
    /* A late copy of what this dispatcher has left behind: nobody waits for the answer. */
    if (event_key_compare(key, span_entry_block_key(span)) < 0)
        return VERDICT_ACK;
    barrier_event_t *event = barrier_event_of(barrier, key);
    if (!event && span == span_table_trigger(barrier->table) && barrier_waits_before(barrier, key))
        return VERDICT_LATER;
    if (event && !payload_equal(event->payload, group->payload))
        return disagree(barrier, now, event);
    if (!event)
        event = barrier_open(barrier, now, key, group->payload);
    if (!barrier_event_blocks(event, span->table)) {
        barrier_fault(barrier, key, "reported by a dispatcher that it does not block");
        if (event->waiting == 0 && event->state == BARRIER_COLLECTING && !event->is_pending)
            barrier_close(barrier, event);
        return VERDICT_LATER;
    }
    if (span == span_table_trigger(barrier->table) && barrier_waits_before(barrier, key))
        return VERDICT_LATER;
    if (!span_entry_is_at(span, key)) {
        span_entry_set_block(span, key, STAGE_WAITING);
        span_entry_raise(span, (position_t){commit_ts_before(key.commit_ts), EVENT_KEY_NONE});
        event->waiting++;
        if (span == span_table_trigger(barrier->table) && barrier_event_is_provable(event))
            event->is_proven = barrier_event_is_proven(event, barrier->table);
    }
    event->writer = event->state == BARRIER_COLLECTING ? span->dispatcher_id : event->writer;
    event->is_touched = true;
    event->status_seen = true;
    event->status_at = now;
    if (barrier->highest_ts < key.commit_ts.v)
        barrier->highest_ts = key.commit_ts.v;
    return VERDICT_ACK;
}

/* A change of the table list that blocked nobody. Made once: what a repeat tells is known by its
 * key, or by the trigger's checkpoint, which stays below it until the report was acknowledged. */
static verdict_t handle_report(barrier_t *barrier, mono_ns_t now, const span_entry_t *span,
                               const block_status_group_t *group)
{
    event_key_t key = group->key;
    const span_entry_t *trigger = span_table_trigger(barrier->table);
    if (barrier_is_scheduled(barrier, key) ||
        (trigger && trigger->checkpoint.v >= key.commit_ts.v && span == trigger))
        return VERDICT_ACK;
    if (span->state != SPAN_REPLICATING)
        return VERDICT_IGNORED;
    for (uint32_t i = 0; i < barrier->pending_count; i++)
        if (event_key_equal(barrier->pending[i]->key, key))
            return VERDICT_LATER;
    barrier_event_t *report = barrier_event_new(key, group->payload, now);
    report->is_report = true;
    report->state = BARRIER_ADVANCED;
    barrier_enter_order(barrier, report);
    barrier_run_order(barrier);
    return barrier_is_scheduled(barrier, key) ? VERDICT_ACK : VERDICT_LATER;
}

static void handle_done(barrier_t *barrier, mono_ns_t now, span_entry_t *span, event_key_t key)
{
    barrier_event_t *event = barrier_event_of(barrier, key);
    if (!event || !span->table || !barrier_event_blocks(event, span->table))
        return;
    /* One that does not stand at it answers from what its table passed before it was given away. */
    if (span_entry_is_at(span, key)) {
        event->waiting -= event->waiting ? 1 : 0;
        span_entry_set_block(span, key, STAGE_DONE);
    }
    event->done++;
    event->is_touched = true;
    event->status_seen = true;
    event->status_at = now;
    bool is_writer = barrier_event_wants_trigger(event)
                         ? span == span_table_trigger(barrier->table)
                         : dispatcher_id_equal(span->dispatcher_id, event->writer);
    if (event->state == BARRIER_SELECTED && event->write_sent && is_writer) {
        event->state = BARRIER_ADVANCED;
        if (!event->is_scheduled)
            barrier_enter_order(barrier, event);
        barrier_run_order(barrier);
    }
}

static verdict_t handle_status(barrier_t *barrier, mono_ns_t now, const buffered_group_t *buffered,
                               uint32_t i)
{
    const block_status_group_t *group = &buffered->content;
    span_entry_t *span = span_table_dispatcher(barrier->table, group->dispatchers[i]);
    if (!span || span->node.v != buffered->node.v)
        return VERDICT_UNKNOWN;
    barrier->counters.statuses_handled++;
    if (span->table) {
        /* What a span has passed is true whatever becomes of this status. */
        span_entry_raise(span, (position_t){COMMIT_TS_NONE, group->passed[i]});
        if (note_front(barrier, span, group->stage == STAGE_DONE ? EVENT_KEY_NONE : group->key))
            advance_proven(barrier);
        barrier_note_trigger(barrier, span, group->key);
    }
    switch (group->stage) {
    case STAGE_NONE:
        return handle_report(barrier, now, span, group);
    case STAGE_WAITING:
        return handle_waiting(barrier, now, span, group);
    case STAGE_DONE:
        handle_done(barrier, now, span, group->key);
        return VERDICT_ACK;
    case STAGE_WRITING:
        break;
    }
    return VERDICT_LATER;
}

void barrier_handle_group(barrier_t *barrier, mono_ns_t now, const buffered_group_t *group,
                          verdict_t *verdicts)
{
    const char *fault = group_fault(barrier, &group->content);
    if (fault)
        barrier_fault(barrier, group->content.key, fault);
    for (uint32_t i = 0; i < group->content.dispatcher_count; i++) {
        span_table_prefetch(barrier->table, group->content.dispatchers,
                            group->content.dispatcher_count, i);
        bool is_skipped = fault || (group->duplicate_count && group->is_duplicate[i]);
        verdicts[i] = is_skipped ? VERDICT_LATER : handle_status(barrier, now, group, i);
    }
}
