#include "dispatcher/core/session_internal.h"

static uint64_t credit_wanted(const session_t *session, const session_options_t *options)
{
    uint64_t room = options->credit_bytes_max > session->unflushed_bytes
                        ? options->credit_bytes_max - session->unflushed_bytes
                        : 0;
    return session->credit_received + room;
}

static position_t position_now(const session_t *session, const session_step_t *step)
{
    return step->position_of(step->context, session->dispatcher_id);
}

static uint64_t heartbeat_ns(const session_t *session, const session_step_t *step)
{
    uint64_t wanted = step->options->heartbeat_ns;
    bool is_short = service_is_local(session->current) || wanted < SESSION_REMOTE_HEARTBEAT_NS;
    return is_short ? wanted : SESSION_REMOTE_HEARTBEAT_NS;
}

static void emit_reset(session_t *session, session_step_t *step, position_t position)
{
    stream_request_t *request = session_emit(session, step, session->current, STREAM_RESET);
    request->epoch = session->epoch;
    request->position = position;
    request->credit_bytes = session->credit_granted;
}

/* HEARTBEAT or CREDIT: never beyond what was seen of this epoch. */
static void emit_progress(session_t *session, session_step_t *step, stream_request_kind_t kind)
{
    position_t position = position_now(session, step);
    if (position.checkpoint.v > session->observed.v)
        position.checkpoint = session->observed;
    uint64_t wanted = credit_wanted(session, step->options);
    if (wanted > session->credit_granted)
        session->credit_granted = wanted;
    session->reported = position.checkpoint;
    session->progress_at = MONO_NEVER;
    stream_request_t *request = session_emit(session, step, session->current, kind);
    request->epoch = session->epoch;
    request->credit_bytes = session->credit_granted;
    request->position = position;
}

void session_reset(session_t *session, session_step_t *step)
{
    session->epoch++;
    session->sequence = 0;
    position_t position = position_now(session, step);
    session->observed = position.checkpoint;
    session->reported = position.checkpoint;
    session->progress_at = MONO_NEVER;
    forwarded_reset(&session->forwarded);
    session->credit_received = 0;
    session->credit_granted = credit_wanted(session, step->options);
    session->reset_delay_ns = step->options->repeat_first_ns;
    session->reset_at = mono_add(step->now, session->reset_delay_ns);
    session->heartbeat_at = mono_add(step->now, heartbeat_ns(session, step));
    emit_reset(session, step, position);
}

static session_result_t gap(session_t *session, session_step_t *step)
{
    step->counters->resets++;
    session_reset(session, step);
    return SESSION_RESULT_NOTHING;
}

static session_result_t handshake(session_t *session, const stream_event_t *event,
                                  session_step_t *step)
{
    if (session->sequence != 0 || event->sequence != 1) {
        step->counters->stale++;
        return SESSION_RESULT_NOTHING;
    }
    session->sequence = 1;
    session->reset_at = MONO_NEVER;
    return SESSION_RESULT_OPENED;
}

static void grant_credit(session_t *session, session_step_t *step)
{
    uint64_t wanted = credit_wanted(session, step->options);
    if (service_is_none(session->current) ||
        wanted < session->credit_granted + step->options->credit_bytes_max / 4)
        return;
    emit_progress(session, step, STREAM_CREDIT);
}

/* Another node's service that has the transaction whole was asked for the rest of one that was
 * given in parts: its reader cuts where ours does not, so what is left cannot be told from what was
 * forwarded. Our own service cuts as whatever was forwarded so far (stream_request_t). */
static bool is_cut_otherwise(const session_t *session, const stream_event_t *event)
{
    const transaction_t *transaction = event->transaction;
    return event->kind == STREAM_ROWS && !service_is_local(session->current) && transaction &&
           transaction->is_first_part && transaction->is_last_part &&
           forwarded_is_inside(&session->forwarded, event->commit_ts);
}

static session_result_t leave_who_cuts_otherwise(session_t *session, session_step_t *step)
{
    step->counters->refused++;
    session_emit(session, step, session->current, STREAM_REMOVE);
    session_not_reusable(session, session->current, step);
    return SESSION_RESULT_NOTHING;
}

static session_result_t data(session_t *session, const stream_event_t *event, session_step_t *step)
{
    if (session->sequence == 0 || event->sequence != session->sequence + 1)
        return gap(session, step);
    if ((event->kind == STREAM_ROWS && (!event->rows || !event->rows->definition)) ||
        (event->kind == STREAM_DDL && !event->ddl)) {
        step->counters->refused++;
        return gap(session, step);
    }
    if (is_cut_otherwise(session, event))
        return leave_who_cuts_otherwise(session, step);
    session->sequence++;
    if (event->commit_ts.v > session->observed.v)
        session->observed = event->commit_ts;
    uint64_t cost = stream_event_cost(event);
    session->credit_received += cost;
    bool is_next;
    if (event->kind == STREAM_ROWS)
        is_next =
            forwarded_admit_rows(&session->forwarded, event->commit_ts, !event->rows->continues);
    else
        is_next = forwarded_admit(&session->forwarded, event->commit_ts,
                                  event->kind == STREAM_DDL ? FORWARDED_DDL : FORWARDED_SYNCPOINT);
    if (is_next) {
        session->unflushed_bytes += cost;
        session->data_ts = event->commit_ts;
        return SESSION_RESULT_DELIVER;
    }
    step->counters->duplicates++;
    grant_credit(session, step);
    return SESSION_RESULT_NOTHING;
}

/* Data that the service holds for us may have become durable. */
static void expect_progress(session_t *session, const session_step_t *step)
{
    if (!service_is_none(session->current) && session->reported.v < session->data_ts.v &&
        session->progress_at.v == MONO_NEVER.v)
        session->progress_at = mono_add(step->now, step->options->progress_ns);
}

void session_progress(session_t *session, session_step_t *step)
{
    session->progress_at = MONO_NEVER;
    if (position_now(session, step).checkpoint.v > session->reported.v)
        emit_progress(session, step, STREAM_CREDIT);
}

static session_result_t resolved(session_t *session, const stream_event_t *event,
                                 session_step_t *step)
{
    if (session->sequence == 0 || event->sequence != session->sequence)
        return gap(session, step);
    if (event->commit_ts.v > session->observed.v)
        session->observed = event->commit_ts;
    forwarded_note_resolved(&session->forwarded, event->commit_ts);
    expect_progress(session, step);
    return SESSION_RESULT_DELIVER;
}

session_result_t session_handle_stream(session_t *session, service_id_t from,
                                       const stream_event_t *event, session_step_t *step)
{
    if (service_is_none(session->current) || !service_equal(from, session->current) ||
        event->epoch != session->epoch) {
        step->counters->stale++;
        return SESSION_RESULT_NOTHING;
    }
    if (session->silent_at.v != MONO_NEVER.v)
        session->silent_at = mono_add(step->now, SESSION_SILENCE_NS);
    if (event->kind == STREAM_HANDSHAKE)
        return handshake(session, event, step);
    if (event->kind == STREAM_DROP)
        return gap(session, step);
    if (event->kind == STREAM_RESOLVED)
        return resolved(session, event, step);
    return data(session, event, step);
}

void session_repeat_reset(session_t *session, session_step_t *step)
{
    emit_reset(session, step, position_now(session, step));
}

void session_flushed(session_t *session, uint64_t bytes, session_step_t *step)
{
    session->unflushed_bytes -= bytes < session->unflushed_bytes ? bytes : session->unflushed_bytes;
    grant_credit(session, step);
    expect_progress(session, step);
}

void session_heartbeat(session_t *session, session_step_t *step)
{
    emit_progress(session, step, STREAM_HEARTBEAT);
    session->heartbeat_at = mono_add(step->now, heartbeat_ns(session, step));
}
