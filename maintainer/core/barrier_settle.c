/* What follows from the reports and from the time: selection, WRITE, PASS, completion, warnings. */
#include <inttypes.h>
#include <stdio.h>

#include "maintainer/core/barrier_internal.h"

typedef struct {
    barrier_t *barrier;
    mono_ns_t now;
    outbox_t *outbox;
    effects_t *effects;
    bytes_t changefeed;
} settling_t;

static void be_awake_at(barrier_t *barrier, mono_ns_t at)
{
    barrier->deadline = mono_min(barrier->deadline, at);
}

/* ---- log ---- */

static void log_event(settling_t *s, const barrier_event_t *event, log_level_t level,
                      const char *line, const char *missing)
{
    char ts[24], reported[24], required[24], writer[DISPATCHER_ID_TEXT_SIZE];
    snprintf(ts, sizeof ts, "%" PRIu64, event->key.commit_ts.v);
    bool is_advanced = event->state == BARRIER_ADVANCED;
    snprintf(reported, sizeof reported, "%" PRIu32, is_advanced ? event->done : event->waiting);
    snprintf(required, sizeof required, "%" PRIu32, event->required);
    dispatcher_id_format(event->writer, writer);
    const span_entry_t *trigger = span_table_trigger(s->barrier->table);
    if (barrier_event_wants_trigger(event) && trigger)
        dispatcher_id_format(trigger->dispatcher_id, writer);
    log_field_t fields[] = {
        {"commit_ts", ts},
        {"syncpoint", event->key.is_syncpoint ? "true" : "false"},
        {"state", barrier_state_name(event->state)},
        {"writer", event->state == BARRIER_COLLECTING ? "" : writer},
        {is_advanced ? "done" : "reported", reported},
        {"required", required},
        {"missing", missing},
    };
    effects_log(s->effects, level, line, s->changefeed, fields, missing ? 7 : 6);
}

static void log_faults(settling_t *s)
{
    barrier_t *barrier = s->barrier;
    if (barrier->fault_count == 0)
        return;
    mono_ns_t next = mono_add(barrier->fault_logged_at, barrier->settings.unresolved_ns);
    if (barrier->fault_was_logged && !mono_reached(next, s->now))
        return;
    char count[24];
    snprintf(count, sizeof count, "%" PRIu32, barrier->fault_count);
    log_field_t fields[] = {{"reason", barrier->fault}, {"count", count}};
    effects_log(s->effects, LOG_LEVEL_WARNING, "block_status_refused", s->changefeed, fields, 2);
    barrier->fault_count = 0;
    barrier->fault_was_logged = true;
    barrier->fault_logged_at = s->now;
}

static void log_changes(settling_t *s)
{
    barrier_t *barrier = s->barrier;
    if (!barrier->tables_added && !barrier->tables_dropped && !barrier->tables_moved)
        return;
    char added[24], dropped[24], moved[24];
    snprintf(added, sizeof added, "%" PRIu32, barrier->tables_added);
    snprintf(dropped, sizeof dropped, "%" PRIu32, barrier->tables_dropped);
    snprintf(moved, sizeof moved, "%" PRIu32, barrier->tables_moved);
    log_field_t fields[] = {{"added", added}, {"dropped", dropped}, {"moved", moved}};
    effects_log(s->effects, LOG_LEVEL_INFO, "table_list_changed", s->changefeed, fields, 3);
    barrier->tables_added = barrier->tables_dropped = barrier->tables_moved = 0;
}

/* ---- selection and WRITE ---- */

static void look_at(settling_t *s, barrier_event_t *event, event_coverage_t *coverage)
{
    list_progress_t progress = barrier_progress(s->barrier);
    *coverage = barrier_event_coverage(event, s->barrier->table, &progress);
    event->waiting = coverage->waiting;
    event->required = coverage->required;
    event->done = coverage->done;
    event->misses_tables = coverage->missing > 0;
}

static span_entry_t *any_waiting(settling_t *s, const barrier_event_t *event)
{
    scope_t scope;
    scope_init(&scope, event, s->barrier->table);
    for (table_entry_t *entry; (entry = scope_next(&scope));)
        for (span_entry_t *span = entry->first_span; span; span = span->next_in_table)
            if (span->state == SPAN_REPLICATING && span_entry_is_at(span, event->key))
                return span;
    return NULL;
}

/* Who writes now; NULL while nobody can. The role goes to another only when the dispatcher that
 * had it is gone. */
static span_entry_t *current_writer(settling_t *s, barrier_event_t *event)
{
    span_entry_t *writer;
    if (barrier_event_wants_trigger(event)) {
        writer = span_table_trigger(s->barrier->table);
    } else {
        writer = span_table_dispatcher(s->barrier->table, event->writer);
        if (!writer || writer->state == SPAN_CLOSING) {
            writer = any_waiting(s, event);
            if (writer)
                event->writer = writer->dispatcher_id;
        }
    }
    return writer && writer->state == SPAN_REPLICATING && span_entry_is_at(writer, event->key)
               ? writer
               : NULL;
}

static void advance(settling_t *s, barrier_event_t *event)
{
    event->state = BARRIER_ADVANCED;
    if (!event->is_scheduled)
        barrier_enter_order(s->barrier, event);
}

static void collect(settling_t *s, barrier_event_t *event, bool is_changed)
{
    bool may_be_full = event->is_touched && event->waiting >= event->required;
    if (!is_changed && !may_be_full && !event->misses_tables)
        return;
    event_coverage_t coverage;
    look_at(s, event, &coverage);
    if (!coverage.is_full)
        return;
    event->state = BARRIER_SELECTED;
    event->done = 0;
    event->pass_sent = false;
    if (!event->is_scheduled)
        barrier_enter_order(s->barrier, event);
    current_writer(s, event);
    log_event(s, event, LOG_LEVEL_INFO, "barrier_selected", NULL);
}

static void send_write(settling_t *s, barrier_event_t *event)
{
    mono_ns_t due = mono_add(event->write_at, s->barrier->settings.action_resend_ns);
    span_entry_t *writer = current_writer(s, event);
    /* No target: nothing is sent and the slot is not used; its report will wake us. */
    if (!writer)
        return;
    if (!event->write_sent || mono_reached(due, s->now)) {
        barrier_action_t action = {.kind = ACTION_WRITE,
                                   .key = event->key,
                                   .scope = INFLUENCE_NORMAL,
                                   .dispatchers = &writer->dispatcher_id,
                                   .dispatcher_count = 1};
        outbox_add_action(s->outbox, writer->node, &action);
        event->write_sent = true;
        event->write_at = s->now;
        due = mono_add(s->now, s->barrier->settings.action_resend_ns);
    }
    be_awake_at(s->barrier, due);
}

/* ---- PASS ---- */

/* A proven event is over for everybody but those who wait for it. */
static bool wants_pass(const barrier_event_t *event, const span_entry_t *span)
{
    return !event->is_proven || span_entry_is_at(span, event->key);
}

/* One action a node, naming every dispatcher of the event's tables there. */
static bool send_pass_listed(settling_t *s, const barrier_event_t *event)
{
    arena_t arena = {0};
    struct {
        node_index_t node;
        dispatcher_id_t id;
    } *targets = NULL;
    uint32_t count = 0, capacity = 0;
    scope_t scope;
    scope_init(&scope, event, s->barrier->table);
    for (table_entry_t *entry; (entry = scope_next(&scope));)
        for (span_entry_t *span = entry->first_span; span; span = span->next_in_table) {
            if (span->state != SPAN_REPLICATING || !wants_pass(event, span))
                continue;
            if (count == capacity) {
                void *old = targets;
                capacity = capacity ? capacity * 2 : 16;
                targets = arena_calloc(&arena, capacity, sizeof *targets);
                if (count)
                    memcpy(targets, old, count * sizeof *targets);
            }
            targets[count].node = span->node;
            targets[count++].id = span->dispatcher_id;
        }
    dispatcher_id_t *ids = arena_calloc(&arena, count ? count : 1, sizeof *ids);
    for (uint32_t first = 0; first < count; first++) {
        if (node_index_is_none(targets[first].node))
            continue;
        node_index_t node = targets[first].node;
        uint32_t id_count = 0;
        for (uint32_t i = first; i < count; i++)
            if (targets[i].node.v == node.v) {
                ids[id_count++] = targets[i].id;
                targets[i].node = NODE_INDEX_NONE;
            }
        barrier_action_t action = {.kind = ACTION_PASS,
                                   .key = event->key,
                                   .scope = INFLUENCE_NORMAL,
                                   .dispatchers = ids,
                                   .dispatcher_count = id_count};
        outbox_add_action(s->outbox, node, &action);
    }
    arena_clear(&arena);
    return count > 0;
}

/* One action for every node that has a span of the influence. */
static bool send_pass_wide(settling_t *s, const barrier_event_t *event)
{
    bool is_sent[NODE_INDEX_MAX] = {false};
    bool is_any = false;
    barrier_action_t action = {.kind = ACTION_PASS,
                               .key = event->key,
                               .scope = event->payload->influence.kind,
                               .schema = event->payload->influence.schema};
    scope_t scope;
    scope_init(&scope, event, s->barrier->table);
    for (table_entry_t *entry; (entry = scope_next(&scope));)
        for (span_entry_t *span = entry->first_span; span; span = span->next_in_table) {
            if (node_index_is_none(span->node) || is_sent[span->node.v] || !wants_pass(event, span))
                continue;
            is_sent[span->node.v] = is_any = true;
            outbox_add_action(s->outbox, span->node, &action);
            s->barrier->counters.pass_sent++;
        }
    return is_any;
}

/* When the next PASS may go. Fan-out PASS, once sent, waits until the answers to the last one have
 * stopped coming, but not for ever: each makes every dispatcher of a node answer. */
static mono_ns_t pass_due(const barrier_t *barrier, const barrier_event_t *event)
{
    if (!event->pass_sent)
        return (mono_ns_t){0};
    mono_ns_t due = mono_add(event->pass_at, barrier->settings.action_resend_ns);
    if (event->payload->influence.kind == INFLUENCE_NORMAL || !event->status_seen)
        return due;
    mono_ns_t since = event->status_at.v > event->pass_at.v ? event->status_at : event->pass_at;
    mono_ns_t quiet = mono_add(since, barrier->settings.pass_quiet_ns);
    mono_ns_t ceiling = mono_add(event->pass_at, barrier->settings.pass_quiet_max_ns);
    mono_ns_t held = mono_min(quiet, ceiling);
    return held.v > due.v ? held : due;
}

static void send_pass(settling_t *s, barrier_event_t *event)
{
    barrier_t *barrier = s->barrier;
    mono_ns_t due = pass_due(barrier, event);
    if (!mono_reached(due, s->now)) {
        mono_ns_t resend = mono_add(event->pass_at, barrier->settings.action_resend_ns);
        if (mono_reached(resend, s->now) && !event->is_hold_counted) {
            barrier->counters.pass_held_quiet++;
            event->is_hold_counted = true;
        }
        be_awake_at(barrier, due);
        return;
    }
    bool is_listed = event->payload->influence.kind == INFLUENCE_NORMAL;
    bool is_sent = is_listed ? send_pass_listed(s, event) : send_pass_wide(s, event);
    if (!is_sent)
        return;
    if (is_listed)
        barrier->counters.pass_sent++;
    event->pass_sent = true;
    event->is_hold_counted = false;
    event->pass_at = s->now;
    be_awake_at(barrier, pass_due(barrier, event));
}

/* ---- completion ---- */

static bool is_finished(settling_t *s, barrier_event_t *event, bool is_changed)
{
    bool is_worth_it = event->is_proven || event->done >= event->required;
    if (!is_changed && !(event->is_touched && is_worth_it))
        return false;
    event_coverage_t coverage;
    look_at(s, event, &coverage);
    return event->is_proven ? coverage.waiting == 0 : coverage.done == coverage.required;
}

static void finish(settling_t *s, barrier_event_t *event)
{
    log_event(s, event, LOG_LEVEL_INFO, "barrier_finished", NULL);
    s->barrier->counters.finished++;
    barrier_close(s->barrier, event);
}

/* ---- time ---- */

static void warn(settling_t *s, barrier_event_t *event)
{
    barrier_t *barrier = s->barrier;
    mono_ns_t due = mono_add(event->warned_at, barrier->settings.unresolved_ns);
    if (mono_reached(due, s->now)) {
        event->warned_at = s->now;
        due = mono_add(s->now, barrier->settings.unresolved_ns);
        event_coverage_t coverage;
        look_at(s, event, &coverage);
        list_progress_t progress = barrier_progress(barrier);
        log_event(s, event, LOG_LEVEL_WARNING, "barrier_unresolved",
                  barrier_event_missing(event, barrier->table, &progress, &s->effects->arena));
    }
    be_awake_at(barrier, due);
}

static void judge_disagreement(settling_t *s, barrier_event_t *event)
{
    barrier_t *barrier = s->barrier;
    if (!event->is_disagreed)
        return;
    /* Whoever is refused comes again within the resend interval; silence means that it is gone. */
    mono_ns_t settled = mono_add(event->disagreed_at, 3 * barrier->settings.status_resend_ns);
    mono_ns_t fails = mono_add(event->disagreed_since, barrier->settings.disagreement_max_ns);
    if (mono_reached(settled, s->now)) {
        event->is_disagreed = false;
        return;
    }
    if (mono_reached(fails, s->now) && barrier->failure == SLUICE_OK) {
        barrier->failure = SLUICE_ERROR_SCHEMA_MISMATCH;
        snprintf(barrier->failure_text, sizeof barrier->failure_text,
                 "nodes disagree on what the event at %" PRIu64
                 " blocks or changes; see their logs for its statement",
                 event->key.commit_ts.v);
    }
    be_awake_at(barrier, mono_min(settled, fails));
}

/* ---- all of it ---- */

static void settle_events(settling_t *s)
{
    barrier_t *barrier = s->barrier;
    bool is_changed = barrier->version_seen != span_table_version(barrier->table);
    barrier->version_seen = span_table_version(barrier->table);
    barrier->deadline = MONO_NEVER;
    /* What is proven changes the table list before later events look at it. */
    for (uint32_t i = 0; i < barrier->event_count; i++)
        if (barrier->events[i]->is_proven && barrier->events[i]->state != BARRIER_ADVANCED)
            advance(s, barrier->events[i]);
    barrier_run_order(barrier);
    for (uint32_t i = 0; i < barrier->event_count; i++) {
        if (barrier->events[i]->state == BARRIER_COLLECTING)
            collect(s, barrier->events[i], is_changed);
        if (barrier->events[i]->state == BARRIER_SELECTED)
            send_write(s, barrier->events[i]);
    }
    barrier_run_order(barrier);
    for (uint32_t i = 0; i < barrier->event_count;) {
        barrier_event_t *event = barrier->events[i];
        bool may_pass = event->state == BARRIER_ADVANCED && event->is_scheduled;
        if (may_pass && is_finished(s, event, is_changed)) {
            finish(s, event);
            continue;
        }
        if (may_pass)
            send_pass(s, event);
        event->is_touched = false;
        warn(s, event);
        judge_disagreement(s, event);
        i++;
    }
}

void barrier_settle(barrier_t *barrier, mono_ns_t now, outbox_t *outbox, effects_t *effects,
                    bytes_t changefeed)
{
    settling_t s = {barrier, now, outbox, effects, changefeed};
    /* A change of the table list can complete another event: a table it waited for is gone. Every
     * turn makes at least one change, so this ends. */
    do
        settle_events(&s);
    while (barrier->version_seen != span_table_version(barrier->table));
    log_faults(&s);
    log_changes(&s);
}

mono_ns_t barrier_next_deadline(const barrier_t *barrier)
{
    if (barrier->version_seen != span_table_version(barrier->table) && barrier->event_count)
        return (mono_ns_t){0};
    return barrier->deadline;
}
