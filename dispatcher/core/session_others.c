/*
 * Reading from another node while the node's own service would have to read the source again for
 * this dispatcher: local says NOT_HELD and keeps the registration, the log coordinator is asked who
 * holds what is wanted, those are asked one at a time. Whatever comes of it, it ends in a bounded
 * time with something being read: local is the last resort, and then it may read the source.
 */
#include "dispatcher/core/session_internal.h"

static void ask(session_t *session, session_step_t *step)
{
    stream_request_t *request = session_emit(session, step, SERVICE_COORDINATOR, STREAM_REGISTER);
    request->span = session->span;
    request->position = step->position_of(step->context, session->dispatcher_id);
    session->ask_at = mono_add(step->now, SESSION_ASK_REPEAT_NS);
}

static void end_asking(session_t *session)
{
    session->ask_at = MONO_NEVER;
    session->ask_until = MONO_NEVER;
}

void session_not_held(session_t *session, session_step_t *step)
{
    if (session->state != SESSION_REGISTERING || session->is_withheld || session->is_last_resort ||
        session->has_callback)
        return;
    session->is_withheld = true;
    session_start_registering(session, step);
    session->ask_until = mono_add(step->now, SESSION_ASK_NS);
    ask(session, step);
}

static void resort_to_local(session_t *session, session_step_t *step)
{
    session_end_others(session);
    session->is_last_resort = true;
    step->counters->last_resorts++;
    session_start_registering(session, step);
    session_register(session, step, SERVICE_LOCAL);
}

void session_probe_next(session_t *session, session_step_t *step)
{
    end_asking(session);
    session->probed = SERVICE_NONE;
    session->probe_until = MONO_NEVER;
    if (session->candidate_count == 0 || session->has_callback) {
        session_set_state(session, SESSION_REGISTERING);
        if (session->is_withheld)
            resort_to_local(session, step);
        return;
    }
    session->probed = session->candidates[0];
    session->candidates++;
    session->candidate_count--;
    session->probe_until = mono_add(step->now, SESSION_PROBE_NS);
    session_set_state(session, SESSION_PROBING);
    session_start_registering(session, step);
    session_register(session, step, session->probed);
}

void session_probe(session_t *session, const service_id_t *candidates, uint32_t count,
                   session_step_t *step)
{
    bool is_answer = session->ask_until.v != MONO_NEVER.v;
    if (session->state != SESSION_REGISTERING || session->is_last_resort ||
        (count == 0 && !is_answer))
        return;
    session->candidates = candidates;
    session->candidate_count = count;
    session_probe_next(session, step);
}

/* What is read ends, and with it what was asked. */
static void leave_current(session_t *session, session_step_t *step)
{
    session_stop_reading(session, step);
    session_probe_next(session, step);
}

void session_not_reusable(session_t *session, service_id_t from, session_step_t *step)
{
    if (session->state == SESSION_PROBING && service_equal(from, session->probed))
        session_probe_next(session, step);
    else if (session->state == SESSION_READING_REMOTE && service_equal(from, session->current))
        leave_current(session, step);
}

void session_service_gone(session_t *session, service_id_t service, session_step_t *step)
{
    if (!service_is_local(service))
        session_not_reusable(session, service, step);
}

void session_service_up(session_t *session, service_id_t service, session_step_t *step)
{
    if (service_is_none(service) || service_is_local(service))
        return;
    if (service_equal(service, session->current))
        session_reset(session, step);
    if (service_equal(service, session->probed))
        session_register(session, step, service);
}

void session_end_others(session_t *session)
{
    end_asking(session);
    session->probed = SERVICE_NONE;
    session->probe_until = MONO_NEVER;
    session->candidate_count = 0;
    session->is_withheld = false;
    session->is_last_resort = false;
}

void session_others_tick(session_t *session, session_step_t *step)
{
    if (mono_reached(session->ask_until, step->now))
        session_probe_next(session, step);
    else if (mono_reached(session->ask_at, step->now))
        ask(session, step);
    if (mono_reached(session->probe_until, step->now)) {
        session_emit(session, step, session->probed, STREAM_REMOVE);
        session_probe_next(session, step);
    }
    if (mono_reached(session->silent_at, step->now)) {
        session_emit(session, step, session->current, STREAM_REMOVE);
        leave_current(session, step);
    }
}
