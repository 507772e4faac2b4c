#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/dispatch/dispatcher_internal.h"

/* ---- saying ---- */

static sluice_error_t offer(dispatcher_t *dispatcher, dispatcher_step_t *step, block_stage_t stage,
                            event_key_t key, ddl_event_t *ddl, bool is_resend)
{
    block_status_t status = {
        .slot = dispatcher->slot,
        .stage = stage,
        .key = key,
        .passed = dispatcher->passed,
        .ddl = ddl,
        .is_resend = is_resend,
    };
    return status_path_offer(step->path, &status);
}

void gate_offer_waiting(dispatcher_t *dispatcher, dispatcher_step_t *step)
{
    gate_t *gate = &dispatcher->gate;
    if (offer(dispatcher, step, STAGE_WAITING, gate->key, gate->ddl, false) == SLUICE_ERROR_FULL)
        status_resend_soon(&gate->resend, step->resend, step->now);
}

static void offer_report(dispatcher_t *dispatcher, dispatcher_step_t *step, report_t *report,
                         bool is_resend)
{
    if (offer(dispatcher, step, STAGE_NONE, report->key, report->ddl, is_resend) ==
        SLUICE_ERROR_FULL)
        status_resend_soon(&report->resend, step->resend, step->now);
}

void gate_offer_done(dispatcher_t *dispatcher, dispatcher_step_t *step, event_key_t key)
{
    dispatcher->done_retry_at = MONO_NEVER;
    if (offer(dispatcher, step, STAGE_DONE, key, NULL, false) != SLUICE_ERROR_FULL)
        return;
    if (event_key_compare(key, dispatcher->unoffered_done) >= 0)
        dispatcher->unoffered_done = key;
    dispatcher->done_retry_at = mono_add(step->now, step->resend->retry_first_ns);
}

/* ---- reports ---- */

bool reports_is_change(const block_payload_t *payload)
{
    return payload->added_count > 0 || payload->move_count > 0 ||
           payload->dropped.kind != INFLUENCE_NORMAL || payload->dropped.table_count > 0;
}

void reports_add(dispatcher_t *dispatcher, dispatcher_step_t *step)
{
    report_t *report = memory_zalloc(sizeof *report);
    report->key = dispatcher->gate.key;
    report->ddl = ddl_event_ref(dispatcher->gate.ddl);
    report_t **last = &dispatcher->reports;
    while (*last)
        last = &(*last)->next;
    *last = report;
    status_resend_start(&report->resend, step->resend, step->now);
    offer_report(dispatcher, step, report, false);
}

static void remove_report(report_t **place)
{
    report_t *report = *place;
    *place = report->next;
    ddl_event_unref(&report->ddl);
    free(report);
}

void reports_drop(dispatcher_t *dispatcher)
{
    while (dispatcher->reports)
        remove_report(&dispatcher->reports);
}

commit_ts_t reports_first(const dispatcher_t *dispatcher)
{
    return dispatcher->reports ? dispatcher->reports->key.commit_ts : COMMIT_TS_MAX;
}

/* ---- what the maintainer says ---- */

void reports_handle_verdict(dispatcher_t *dispatcher, dispatcher_step_t *step, event_key_t key,
                            verdict_t verdict)
{
    report_t **place = &dispatcher->reports;
    while (*place && !event_key_equal((*place)->key, key))
        place = &(*place)->next;
    if (!*place)
        return;
    switch (verdict) {
    case VERDICT_ACK:
        remove_report(place);
        gate_advance(dispatcher, step);
        return;
    case VERDICT_IGNORED:
    case VERDICT_LATER:
        status_resend_retry(&(*place)->resend, step->resend, step->now);
        return;
    case VERDICT_UNKNOWN:
        dispatcher_abandon(dispatcher, step);
        return;
    }
}

static void offer_unacknowledged(dispatcher_t *dispatcher, dispatcher_step_t *step,
                                 bool forgets_acks)
{
    for (report_t *report = dispatcher->reports; report; report = report->next) {
        status_resend_start(&report->resend, step->resend, step->now);
        offer_report(dispatcher, step, report, true);
    }
    gate_t *gate = &dispatcher->gate;
    if (gate->state != GATE_WAITING || dispatcher->phase != DISPATCHER_PHASE_WORKING ||
        (!forgets_acks && status_resend_is_stopped(&gate->resend)))
        return;
    status_resend_start(&gate->resend, step->resend, step->now);
    gate_offer_waiting(dispatcher, step);
}

void dispatcher_forget_acks(dispatcher_t *dispatcher, dispatcher_step_t *step)
{
    offer_unacknowledged(dispatcher, step, true);
}

void dispatcher_offer_again(dispatcher_t *dispatcher, dispatcher_step_t *step)
{
    offer_unacknowledged(dispatcher, step, false);
}

/* ---- time ---- */

void dispatcher_tick(dispatcher_t *dispatcher, dispatcher_step_t *step)
{
    gate_t *gate = &dispatcher->gate;
    if (status_resend_due(&gate->resend, step->resend, step->now) && gate->state == GATE_WAITING)
        gate_offer_waiting(dispatcher, step);
    for (report_t *report = dispatcher->reports; report; report = report->next)
        if (status_resend_due(&report->resend, step->resend, step->now))
            offer_report(dispatcher, step, report, true);
    if (dispatcher->done_retry_at.v == UINT64_MAX ||
        !mono_reached(dispatcher->done_retry_at, step->now))
        return;
    event_key_t key = dispatcher->unoffered_done;
    dispatcher->unoffered_done = EVENT_KEY_NONE;
    gate_offer_done(dispatcher, step, key);
}

mono_ns_t dispatcher_next_deadline(const dispatcher_t *dispatcher)
{
    mono_ns_t deadline =
        mono_min(dispatcher->done_retry_at, status_resend_deadline(&dispatcher->gate.resend));
    for (const report_t *report = dispatcher->reports; report; report = report->next)
        deadline = mono_min(deadline, status_resend_deadline(&report->resend));
    return deadline;
}

/* The list must be that of where the trigger stands, which the claim may have moved. */
void dispatcher_want_table_list(dispatcher_t *dispatcher, dispatcher_step_t *step)
{
    dispatcher->wants_table_list = true;
    if (!dispatcher->is_claim_pending)
        dispatcher_effect(dispatcher, step, NODE_EFFECT_SEND_TABLE_LIST)->commit_ts =
            dispatcher_position(dispatcher).checkpoint;
}
