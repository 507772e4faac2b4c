#include "dispatcher/core/dispatch/dispatcher_internal.h"

#include <assert.h>

static const uint32_t gate_next[GATE_STATE_COUNT] = {
    [GATE_OPEN] = 1u << GATE_FLUSHING,
    [GATE_FLUSHING] = 1u << GATE_HELD | 1u << GATE_WAITING | 1u << GATE_ALONE | 1u << GATE_OPEN,
    [GATE_HELD] = 1u << GATE_WAITING | 1u << GATE_OPEN,
    [GATE_WAITING] = 1u << GATE_WRITING | 1u << GATE_OPEN,
    [GATE_WRITING] = 1u << GATE_OPEN,
    [GATE_ALONE] = 1u << GATE_OPEN,
};

static void set_gate(dispatcher_t *dispatcher, gate_state_t state)
{
    assert(gate_next[dispatcher->gate.state] & (1u << state));
    dispatcher->gate.state = state;
}

void gate_drop(dispatcher_t *dispatcher)
{
    ddl_event_unref(&dispatcher->gate.ddl);
    dispatcher->gate = (gate_t){.state = GATE_OPEN};
    status_resend_stop(&dispatcher->gate.resend);
}

bool gate_is_executing(const dispatcher_t *dispatcher)
{
    return dispatcher->gate.state == GATE_WRITING || dispatcher->gate.state == GATE_ALONE;
}

/* ---- meeting an event ---- */

static bool concerns(const dispatcher_t *dispatcher, const influence_t *influence)
{
    if (influence->kind != INFLUENCE_NORMAL)
        return true;
    for (uint32_t i = 0; i < influence->table_count; i++)
        if (influence->table_ids[i].v == dispatcher->span.table_id.v)
            return true;
    return false;
}

/* A table is split only where its first key column orders as its bytes do and nothing else must be
 * unique over all spans (DESIGN §5, Order of rows). */
static bool is_splittable(const table_definition_t *table)
{
    const key_definition_t *key = table_definition_row_key(table);
    if (!key || table_definition_has_other_unique(table))
        return false;
    column_type_t type = table->columns[key->parts[0].column].type;
    return type <= COLUMN_BIGINT || type == COLUMN_BINARY || type == COLUMN_VARBINARY;
}

static bool makes_unsplittable(const dispatcher_t *dispatcher, const ddl_event_t *ddl)
{
    for (uint32_t i = 0; i < ddl->change_count; i++) {
        const table_definition_t *after = ddl->changes[i].after;
        if (after && after->table_id.v == dispatcher->span.table_id.v && !is_splittable(after))
            return true;
    }
    return false;
}

/* What lies before it is behind the dispatcher as soon as it is flushed: its service need not keep
 * that while the gate is closed. */
static void meet(dispatcher_t *dispatcher, dispatcher_step_t *step, const gate_t *gate)
{
    dispatcher_note_seen(dispatcher, gate->key.commit_ts);
    set_gate(dispatcher, GATE_FLUSHING);
    dispatcher->gate = *gate;
    dispatcher->gate.state = GATE_FLUSHING;
    status_resend_stop(&dispatcher->gate.resend);
    gate_advance(dispatcher, step);
}

void gate_meet_ddl(dispatcher_t *dispatcher, dispatcher_step_t *step, stream_event_t *event)
{
    ddl_event_t *ddl = event->ddl;
    uint64_t cost = stream_event_cost(event);
    if (event->commit_ts.v <= dispatcher->resolved.v) {
        dispatcher_return_credit(dispatcher, step, cost);
        return;
    }
    if (!concerns(dispatcher, &ddl->payload.influence)) {
        dispatcher_note_seen(dispatcher, event->commit_ts);
        dispatcher_return_credit(dispatcher, step, cost);
        return;
    }
    if (dispatcher->is_split && makes_unsplittable(dispatcher, ddl)) {
        dispatcher_fail(dispatcher, step, SLUICE_ERROR_DDL_UNSUPPORTED,
                        "the DDL leaves a split table that cannot be split");
        return;
    }
    if (ddl->payload.influence.kind == INFLUENCE_DB)
        dispatcher->schema = ddl->payload.influence.schema;
    gate_t gate = {
        .key = {event->commit_ts, false},
        .ddl = ddl,
        .cost = cost,
        .is_blocking = dispatcher->is_split || ddl_event_blocks_others(ddl),
    };
    event->ddl = NULL;
    meet(dispatcher, step, &gate);
}

void gate_meet_syncpoint(dispatcher_t *dispatcher, dispatcher_step_t *step, commit_ts_t commit_ts)
{
    /* It lies behind its commit_ts, which may be resolved already. */
    if (dispatcher->mode == PIPELINE_REDO || commit_ts.v < dispatcher->resolved.v)
        return;
    gate_t gate = {.key = {commit_ts, true}, .is_blocking = true};
    meet(dispatcher, step, &gate);
}

static void execute(dispatcher_t *dispatcher, dispatcher_step_t *step, gate_state_t state)
{
    gate_t *gate = &dispatcher->gate;
    set_gate(dispatcher, state);
    status_resend_stop(&gate->resend);
    node_effect_t *effect = dispatcher_effect(
        dispatcher, step, gate->ddl ? NODE_EFFECT_RUN_DDL : NODE_EFFECT_WRITE_SYNCPOINT);
    effect->commit_ts = gate->key.commit_ts;
    if (gate->ddl)
        effect->ddl = ddl_event_ref(gate->ddl);
}

void gate_advance(dispatcher_t *dispatcher, dispatcher_step_t *step)
{
    gate_t *gate = &dispatcher->gate;
    if (dispatcher->phase != DISPATCHER_PHASE_WORKING ||
        (gate->state != GATE_FLUSHING && gate->state != GATE_HELD) || dispatcher->rows.count > 0)
        return;
    if (!gate->is_blocking) {
        execute(dispatcher, step, GATE_ALONE);
        return;
    }
    if (dispatcher->reports) {
        if (gate->state == GATE_FLUSHING)
            set_gate(dispatcher, GATE_HELD);
        return;
    }
    set_gate(dispatcher, GATE_WAITING);
    status_resend_start(&gate->resend, step->resend, step->now);
    gate_offer_waiting(dispatcher, step);
}

/* The event was written or passed: what lies behind it goes on. */
static void finish(dispatcher_t *dispatcher, dispatcher_step_t *step)
{
    gate_t *gate = &dispatcher->gate;
    event_key_t key = gate->key;
    bool is_blocking = gate->is_blocking;
    if (event_key_compare(key, dispatcher->passed) > 0)
        dispatcher->passed = key;
    dispatcher_note_seen(dispatcher, key.commit_ts);
    if (!is_blocking && reports_is_change(&gate->ddl->payload) &&
        dispatcher->phase == DISPATCHER_PHASE_WORKING)
        reports_add(dispatcher, step);
    dispatcher_return_credit(dispatcher, step, gate->cost);
    gate_drop(dispatcher);
    if (is_blocking && !dispatcher->is_abandoned)
        gate_offer_done(dispatcher, step, key);
    dispatcher_drain_backlog(dispatcher, step);
    dispatcher_try_stop(dispatcher, step);
}

void dispatcher_handle_executed(dispatcher_t *dispatcher, dispatcher_step_t *step,
                                sluice_error_t error)
{
    if (!gate_is_executing(dispatcher))
        return;
    if (error == SLUICE_OK) {
        finish(dispatcher, step);
        return;
    }
    gate_drop(dispatcher);
    if (error == SLUICE_ERROR_CLOSED)
        dispatcher_try_stop(dispatcher, step);
    else
        dispatcher_fail(dispatcher, step, error, NULL);
}

/* ---- what the maintainer says ---- */

static void handle_waiting_verdict(dispatcher_t *dispatcher, dispatcher_step_t *step,
                                   event_key_t key, verdict_t verdict)
{
    gate_t *gate = &dispatcher->gate;
    if (gate->state != GATE_WAITING || !event_key_equal(gate->key, key))
        return;
    switch (verdict) {
    case VERDICT_ACK:
        status_resend_stop(&gate->resend);
        return;
    case VERDICT_IGNORED:
    case VERDICT_LATER:
        status_resend_retry(&gate->resend, step->resend, step->now);
        return;
    case VERDICT_UNKNOWN:
        dispatcher_abandon(dispatcher, step);
        return;
    }
}

void dispatcher_handle_verdict(dispatcher_t *dispatcher, dispatcher_step_t *step, event_key_t key,
                               block_stage_t stage, verdict_t verdict)
{
    switch (stage) {
    case STAGE_NONE:
        reports_handle_verdict(dispatcher, step, key, verdict);
        return;
    case STAGE_WAITING:
        handle_waiting_verdict(dispatcher, step, key, verdict);
        return;
    case STAGE_WRITING:
    case STAGE_DONE:
        return;
    }
}

/* Passed, or so far below what is durable that it must have been: checkpoint == commit_ts proves
 * nothing, since a dispatcher can be created there. */
static bool is_behind(const dispatcher_t *dispatcher, event_key_t key)
{
    if (key.commit_ts.v == 0)
        return false;
    return event_key_compare(key, dispatcher->passed) <= 0 ||
           key.commit_ts.v < dispatcher_position(dispatcher).checkpoint.v;
}

void dispatcher_handle_action(dispatcher_t *dispatcher, dispatcher_step_t *step, action_kind_t kind,
                              event_key_t key)
{
    gate_t *gate = &dispatcher->gate;
    if (dispatcher->phase == DISPATCHER_PHASE_FAILED || dispatcher->is_abandoned)
        return;
    if (gate->state == GATE_OPEN || !event_key_equal(gate->key, key)) {
        if (is_behind(dispatcher, key))
            gate_offer_done(dispatcher, step, key);
        return;
    }
    if (gate->state != GATE_WAITING)
        return;
    switch (kind) {
    case ACTION_WRITE:
        execute(dispatcher, step, GATE_WRITING);
        return;
    case ACTION_PASS:
        finish(dispatcher, step);
        return;
    }
}

/* ---- what it says of itself ---- */

static block_stage_t stage_of(const gate_t *gate)
{
    switch (gate->state) {
    case GATE_WAITING:
        return STAGE_WAITING;
    case GATE_WRITING:
        return STAGE_WRITING;
    case GATE_OPEN:
    case GATE_FLUSHING:
    case GATE_HELD:
    case GATE_ALONE:
        return STAGE_NONE;
    }
    return STAGE_NONE;
}

bootstrap_entry_t dispatcher_bootstrap_entry(const dispatcher_t *dispatcher)
{
    const gate_t *gate = &dispatcher->gate;
    bootstrap_entry_t entry = {
        .dispatcher_id = dispatcher->id,
        .span = dispatcher->span,
        .mode = dispatcher->mode,
        .state = dispatcher_state(dispatcher),
        .position = dispatcher_position(dispatcher),
        .assignment_epoch = dispatcher->assignment_epoch,
        .stage = stage_of(gate),
    };
    if (entry.stage != STAGE_NONE) {
        entry.key = gate->key;
        entry.is_blocked = true;
        entry.payload = gate->ddl ? &gate->ddl->payload : &status_syncpoint_payload;
    }
    return entry;
}

dispatcher_view_t dispatcher_view(const dispatcher_t *dispatcher)
{
    dispatcher_view_t view = {
        .stage = stage_of(&dispatcher->gate),
        .key = dispatcher->gate.key,
        .rows_in_flight = dispatcher->rows.count,
        .backlog = dispatcher->backlog.count,
        .resends = !status_resend_is_stopped(&dispatcher->gate.resend),
    };
    for (const report_t *report = dispatcher->reports; report; report = report->next) {
        view.reports++;
        view.resends++;
    }
    return view;
}
