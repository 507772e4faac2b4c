#include "dispatcher/core/dispatch/dispatcher.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/dispatch/dispatcher_internal.h"

typedef struct {
    const char *name;
    uint32_t next; /* phases it may go to, a bit each */
} phase_rule_t;

#define TO(phase) (1u << DISPATCHER_PHASE_##phase)

static const phase_rule_t phase_rules[DISPATCHER_PHASE_COUNT] = {
    [DISPATCHER_PHASE_CLAIMING] = {"claiming", TO(STARTING) | TO(STOPPING) | TO(FAILED)},
    [DISPATCHER_PHASE_STARTING] = {"starting", TO(WORKING) | TO(STOPPING) | TO(FAILED)},
    [DISPATCHER_PHASE_WORKING] = {"working", TO(STOPPING) | TO(FAILED)},
    [DISPATCHER_PHASE_STOPPING] = {"stopping", TO(STOPPED)},
    [DISPATCHER_PHASE_STOPPED] = {"stopped", 0},
    [DISPATCHER_PHASE_FAILED] = {"failed", TO(STOPPING)},
};

const char *dispatcher_phase_name(dispatcher_phase_t phase)
{
    return phase_rules[phase].name;
}

void dispatcher_set_phase(dispatcher_t *dispatcher, dispatcher_phase_t phase)
{
    assert(phase_rules[dispatcher->phase].next & (1u << phase));
    dispatcher->phase = phase;
}

static bytes_t copy_key(bytes_t key)
{
    if (key.len == 0)
        return (bytes_t){0};
    uint8_t *copy = memory_alloc(key.len);
    memcpy(copy, key.data, key.len);
    return bytes_of(copy, key.len);
}

dispatcher_t *dispatcher_new(const schedule_create_t *create, uint64_t run, void *owner)
{
    dispatcher_t *dispatcher = memory_zalloc(sizeof *dispatcher);
    dispatcher->id = create->dispatcher_id;
    dispatcher->run = run;
    dispatcher->span = (span_t){.table_id = create->span.table_id,
                                .start_key = copy_key(create->span.start_key),
                                .end_key = copy_key(create->span.end_key)};
    dispatcher->mode = create->mode;
    dispatcher->assignment_epoch = create->assignment_epoch;
    dispatcher->created = create->created;
    dispatcher->is_split = create->is_split || !span_is_whole(create->span);
    dispatcher->wants_table_list = create->wants_table_list;
    dispatcher->start = dispatcher->resolved = create->start.checkpoint;
    dispatcher->passed = create->start.passed;
    dispatcher->done_retry_at = MONO_NEVER;
    status_resend_stop(&dispatcher->gate.resend);
    dispatcher->slot = status_slot_new(create->dispatcher_id, create->mode, owner);
    return dispatcher;
}

void dispatcher_destroy(dispatcher_t **dispatcher)
{
    dispatcher_t *self = *dispatcher;
    if (!self)
        return;
    gate_drop(self);
    reports_drop(self);
    event_backlog_clear(&self->backlog);
    rows_in_flight_clear(&self->rows);
    self->slot->owner = NULL;
    status_slot_unref(&self->slot);
    free((void *)(uintptr_t)self->span.start_key.data);
    free((void *)(uintptr_t)self->span.end_key.data);
    free(self);
    *dispatcher = NULL;
}

/* ---- effects ---- */

node_effect_t *dispatcher_effect(const dispatcher_t *dispatcher, dispatcher_step_t *step,
                                 node_effect_kind_t kind)
{
    node_effect_t *effect = node_effects_add(step->effects, kind);
    effect->dispatcher_id = dispatcher->id;
    effect->run = dispatcher->run;
    effect->mode = dispatcher->mode;
    return effect;
}

void dispatcher_return_credit(const dispatcher_t *dispatcher, dispatcher_step_t *step,
                              uint64_t bytes)
{
    if (bytes > 0 && dispatcher->phase != DISPATCHER_PHASE_STOPPING)
        dispatcher_effect(dispatcher, step, NODE_EFFECT_RETURN_CREDIT)->bytes = bytes;
}

/* ---- life ---- */

void dispatcher_start(dispatcher_t *dispatcher, dispatcher_step_t *step)
{
    dispatcher->is_claim_pending = true;
    node_effect_t *claim = dispatcher_effect(dispatcher, step, NODE_EFFECT_CLAIM);
    claim->span = dispatcher->span;
    claim->assignment_epoch = dispatcher->assignment_epoch;
    claim->position = dispatcher_position(dispatcher);
}

void dispatcher_handle_claimed(dispatcher_t *dispatcher, dispatcher_step_t *step,
                               sluice_error_t error, commit_ts_t progress)
{
    if (!dispatcher->is_claim_pending)
        return;
    dispatcher->is_claim_pending = false;
    if (dispatcher->phase != DISPATCHER_PHASE_CLAIMING) {
        dispatcher_try_stop(dispatcher, step);
        return;
    }
    if (error != SLUICE_OK) {
        dispatcher_fail(dispatcher, step, error, NULL);
        return;
    }
    /* The trigger has no progress of its own and meets its DDLs again (DESIGN §5), but not those
     * that the sink has forgotten because they were behind a persisted checkpoint. */
    if (progress.v > dispatcher->start.v)
        dispatcher->start = dispatcher->resolved = progress;
    dispatcher_set_phase(dispatcher, DISPATCHER_PHASE_STARTING);
    if (dispatcher->wants_table_list)
        dispatcher_want_table_list(dispatcher, step);
    node_effect_t *session = dispatcher_effect(dispatcher, step, NODE_EFFECT_OPEN_SESSION);
    session->span = dispatcher->span;
    session->position = dispatcher_position(dispatcher);
    session->created = dispatcher->created;
}

void dispatcher_handle_opened(dispatcher_t *dispatcher, dispatcher_step_t *step)
{
    (void)step;
    if (dispatcher->phase != DISPATCHER_PHASE_STARTING)
        return;
    dispatcher_set_phase(dispatcher, DISPATCHER_PHASE_WORKING);
    dispatcher->has_opened = true;
}

static void freeze(dispatcher_t *dispatcher)
{
    if (dispatcher->is_frozen)
        return;
    dispatcher->frozen_checkpoint = dispatcher_position(dispatcher).checkpoint;
    dispatcher->is_frozen = true;
}

void dispatcher_fail(dispatcher_t *dispatcher, dispatcher_step_t *step, sluice_error_t error,
                     const char *text)
{
    if (error == SLUICE_ERROR_NOT_OWNER) {
        dispatcher_abandon(dispatcher, step);
        return;
    }
    freeze(dispatcher);
    if (dispatcher->phase == DISPATCHER_PHASE_STOPPING) {
        dispatcher_try_stop(dispatcher, step);
        return;
    }
    if (dispatcher->phase == DISPATCHER_PHASE_FAILED)
        return;
    dispatcher_set_phase(dispatcher, DISPATCHER_PHASE_FAILED);
    dispatcher_effect(dispatcher, step, NODE_EFFECT_CANCEL);
    node_effect_t *failure = dispatcher_effect(dispatcher, step, NODE_EFFECT_FAIL);
    failure->error = error;
    failure->text = text;
    status_resend_stop(&dispatcher->gate.resend);
}

static void begin_stop(dispatcher_t *dispatcher, dispatcher_step_t *step)
{
    bool has_session = dispatcher->phase != DISPATCHER_PHASE_CLAIMING;
    dispatcher_set_phase(dispatcher, DISPATCHER_PHASE_STOPPING);
    if (has_session)
        dispatcher_effect(dispatcher, step, NODE_EFFECT_CLOSE_SESSION);
    dispatcher_effect(dispatcher, step, NODE_EFFECT_CANCEL);
    event_backlog_clear(&dispatcher->backlog);
    if (!gate_is_executing(dispatcher))
        gate_drop(dispatcher);
}

void dispatcher_close(dispatcher_t *dispatcher, dispatcher_step_t *step)
{
    if (dispatcher->phase == DISPATCHER_PHASE_STOPPING ||
        dispatcher->phase == DISPATCHER_PHASE_STOPPED)
        return;
    /* What is not acknowledged may never be: the maintainer listens to who replicates. The next
     * dispatcher begins below it, meets it again and reports it. */
    if (dispatcher->reports)
        freeze(dispatcher);
    reports_drop(dispatcher);
    begin_stop(dispatcher, step);
    dispatcher_try_stop(dispatcher, step);
}

void dispatcher_abandon(dispatcher_t *dispatcher, dispatcher_step_t *step)
{
    if (dispatcher->phase == DISPATCHER_PHASE_STOPPED)
        return;
    freeze(dispatcher);
    dispatcher->is_abandoned = true;
    dispatcher->unoffered_done = EVENT_KEY_NONE;
    dispatcher->done_retry_at = MONO_NEVER;
    reports_drop(dispatcher);
    if (dispatcher->phase != DISPATCHER_PHASE_STOPPING)
        begin_stop(dispatcher, step);
    dispatcher_try_stop(dispatcher, step);
}

void dispatcher_try_stop(dispatcher_t *dispatcher, dispatcher_step_t *step)
{
    if (dispatcher->phase != DISPATCHER_PHASE_STOPPING || dispatcher->is_claim_pending ||
        dispatcher->rows.count > 0 || gate_is_executing(dispatcher))
        return;
    freeze(dispatcher);
    dispatcher_set_phase(dispatcher, DISPATCHER_PHASE_STOPPED);
    dispatcher_effect(dispatcher, step, NODE_EFFECT_CLOSE_LANE);
}

/* ---- events ---- */

void dispatcher_note_seen(dispatcher_t *dispatcher, commit_ts_t commit_ts)
{
    if (commit_ts.v > dispatcher->seen.v)
        dispatcher->seen = commit_ts;
}

/* Rows of a table without a key are written with the whole of their transaction: the rest must come
 * whatever the credit. */
static bool must_wait_for_end(const stream_event_t *event)
{
    return event->rows->continues && !table_definition_row_key(event->rows->definition);
}

static void take_rows(dispatcher_t *dispatcher, dispatcher_step_t *step, stream_event_t *event)
{
    uint64_t cost = stream_event_cost(event);
    if (event->commit_ts.v <= dispatcher->resolved.v) {
        dispatcher_return_credit(dispatcher, step, cost);
        return;
    }
    if (must_wait_for_end(event)) {
        dispatcher_return_credit(dispatcher, step, cost);
        cost = 0;
    }
    rows_in_flight_push(&dispatcher->rows, event->commit_ts, cost);
    dispatcher_note_seen(dispatcher, event->commit_ts);
    node_effect_t *write = dispatcher_effect(dispatcher, step, NODE_EFFECT_WRITE_ROWS);
    write->commit_ts = event->commit_ts;
    write->rows = event->rows;
    write->transaction = event->transaction;
    event->transaction = NULL;
    event->rows = NULL;
}

static void take_in(dispatcher_t *dispatcher, dispatcher_step_t *step, stream_event_t *event)
{
    switch (event->kind) {
    case STREAM_ROWS:
        take_rows(dispatcher, step, event);
        break;
    case STREAM_DDL:
        gate_meet_ddl(dispatcher, step, event);
        break;
    case STREAM_SYNCPOINT:
        gate_meet_syncpoint(dispatcher, step, event->commit_ts);
        break;
    case STREAM_RESOLVED:
        if (event->commit_ts.v > dispatcher->resolved.v)
            dispatcher->resolved = event->commit_ts;
        break;
    case STREAM_READY:
    case STREAM_NOT_REUSABLE:
    case STREAM_NOT_HELD:
    case STREAM_REMOVED:
    case STREAM_DROP:
    case STREAM_HANDSHAKE:
        break;
    }
    stream_event_clear(event);
}

void dispatcher_handle_event(dispatcher_t *dispatcher, dispatcher_step_t *step,
                             stream_event_t *event)
{
    if (dispatcher->phase != DISPATCHER_PHASE_WORKING)
        stream_event_clear(event);
    else if (dispatcher->gate.state != GATE_OPEN || dispatcher->backlog.count > 0)
        event_backlog_push(&dispatcher->backlog, event);
    else
        take_in(dispatcher, step, event);
}

void dispatcher_drain_backlog(dispatcher_t *dispatcher, dispatcher_step_t *step)
{
    stream_event_t event;
    while (dispatcher->phase == DISPATCHER_PHASE_WORKING && dispatcher->gate.state == GATE_OPEN &&
           event_backlog_pop(&dispatcher->backlog, &event))
        take_in(dispatcher, step, &event);
}

void dispatcher_handle_written(dispatcher_t *dispatcher, dispatcher_step_t *step, uint32_t count,
                               sluice_error_t error)
{
    if (error != SLUICE_OK)
        freeze(dispatcher);
    dispatcher_return_credit(dispatcher, step, rows_in_flight_pop(&dispatcher->rows, count));
    if (error != SLUICE_OK && error != SLUICE_ERROR_CLOSED) {
        dispatcher_fail(dispatcher, step, error, NULL);
        return;
    }
    gate_advance(dispatcher, step);
    dispatcher_try_stop(dispatcher, step);
}

/* ---- what it knows ---- */

assignment_epoch_t dispatcher_assignment_epoch(const dispatcher_t *dispatcher)
{
    return dispatcher->assignment_epoch;
}

position_t dispatcher_position(const dispatcher_t *dispatcher)
{
    if (dispatcher->is_frozen)
        return (position_t){dispatcher->frozen_checkpoint, dispatcher->passed};
    uint64_t checkpoint = dispatcher_resolved(dispatcher).v;
    uint64_t unflushed = commit_ts_before(rows_in_flight_first(&dispatcher->rows)).v;
    if (unflushed < checkpoint)
        checkpoint = unflushed;
    uint64_t unacknowledged = commit_ts_before(reports_first(dispatcher)).v;
    if (unacknowledged < checkpoint)
        checkpoint = unacknowledged;
    return (position_t){{checkpoint}, dispatcher->passed};
}

/* An event at a commit_ts says that everything before was received. */
commit_ts_t dispatcher_resolved(const dispatcher_t *dispatcher)
{
    commit_ts_t before = commit_ts_before(dispatcher->seen);
    return before.v > dispatcher->resolved.v ? before : dispatcher->resolved;
}

dispatcher_id_t dispatcher_id(const dispatcher_t *dispatcher)
{
    return dispatcher->id;
}

uint64_t dispatcher_run(const dispatcher_t *dispatcher)
{
    return dispatcher->run;
}

pipeline_t dispatcher_mode(const dispatcher_t *dispatcher)
{
    return dispatcher->mode;
}

bool dispatcher_is_trigger(const dispatcher_t *dispatcher)
{
    return dispatcher->span.table_id.v == TABLE_ID_TRIGGER.v;
}

schema_id_t dispatcher_schema(const dispatcher_t *dispatcher)
{
    return dispatcher->schema;
}

dispatcher_phase_t dispatcher_phase(const dispatcher_t *dispatcher)
{
    return dispatcher->phase;
}

dispatcher_state_t dispatcher_state(const dispatcher_t *dispatcher)
{
    switch (dispatcher->phase) {
    case DISPATCHER_PHASE_CLAIMING:
    case DISPATCHER_PHASE_STARTING:
        return DISPATCHER_PREPARING;
    case DISPATCHER_PHASE_WORKING:
        return DISPATCHER_WORKING;
    case DISPATCHER_PHASE_STOPPING:
        return dispatcher->has_opened ? DISPATCHER_WORKING : DISPATCHER_PREPARING;
    case DISPATCHER_PHASE_STOPPED:
        return DISPATCHER_STOPPED;
    case DISPATCHER_PHASE_FAILED:
        return DISPATCHER_FAILED;
    }
    return DISPATCHER_FAILED;
}
