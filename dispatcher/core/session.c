#include "dispatcher/core/session_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"

typedef struct {
    const char *name;
    unsigned next; /* bit set of the states that may follow */
} session_state_row_t;

#define BIT(state) (1u << (state))

static const session_state_row_t state_table[SESSION_STATE_COUNT] = {
    [SESSION_NEW] = {"new", BIT(SESSION_REGISTERING) | BIT(SESSION_REMOVED)},
    [SESSION_REGISTERING] = {"registering", BIT(SESSION_PROBING) | BIT(SESSION_PREPARED) |
                                                BIT(SESSION_READING_LOCAL) | BIT(SESSION_REMOVED)},
    [SESSION_PROBING] = {"probing", BIT(SESSION_REGISTERING) | BIT(SESSION_READING_REMOTE) |
                                        BIT(SESSION_PREPARED) | BIT(SESSION_READING_LOCAL) |
                                        BIT(SESSION_REMOVED)},
    [SESSION_READING_REMOTE] = {"reading_remote", BIT(SESSION_REGISTERING) | BIT(SESSION_PROBING) |
                                                      BIT(SESSION_PREPARED) |
                                                      BIT(SESSION_READING_LOCAL) |
                                                      BIT(SESSION_REMOVED)},
    [SESSION_PREPARED] = {"prepared", BIT(SESSION_REGISTERING) | BIT(SESSION_READING_LOCAL) |
                                          BIT(SESSION_REMOVED)},
    [SESSION_READING_LOCAL] = {"reading_local", BIT(SESSION_REGISTERING) | BIT(SESSION_REMOVED)},
    [SESSION_REMOVED] = {"removed", 0},
};

const char *session_state_name(session_state_t state)
{
    return (unsigned)state < SESSION_STATE_COUNT ? state_table[state].name : "unknown";
}

session_options_t session_options_default(void)
{
    return (session_options_t){.repeat_first_ns = SESSION_REPEAT_FIRST_NS,
                               .repeat_max_ns = SESSION_REPEAT_MAX_NS,
                               .heartbeat_ns = SESSION_HEARTBEAT_NS,
                               .progress_ns = SESSION_PROGRESS_NS,
                               .credit_bytes_max = SESSION_CREDIT_BYTES_MAX};
}

static void check_invariant(const session_t *session)
{
    switch (session->state) {
    case SESSION_NEW:
    case SESSION_REMOVED:
        assert(service_is_none(session->current) && service_is_none(session->probed));
        break;
    case SESSION_REGISTERING:
        assert(session->is_local_pending && service_is_none(session->current) &&
               service_is_none(session->probed));
        break;
    case SESSION_PROBING:
        assert(session->is_local_pending && service_is_none(session->current) &&
               !service_is_none(session->probed));
        break;
    case SESSION_READING_REMOTE:
        assert(session->is_local_pending && !service_is_none(session->current) &&
               !service_is_local(session->current));
        break;
    case SESSION_PREPARED:
        assert(!session->is_local_pending && session->has_callback &&
               service_is_none(session->current));
        break;
    case SESSION_READING_LOCAL:
        assert(!session->is_local_pending && service_is_local(session->current) &&
               service_is_none(session->probed));
        break;
    }
}

void session_set_state(session_t *session, session_state_t state)
{
    assert(state == session->state || (state_table[session->state].next & BIT(state)));
    session->state = state;
    check_invariant(session);
}

void session_requests_clear(session_requests_t *requests)
{
    free(requests->items);
    *requests = (session_requests_t){0};
}

stream_request_t *session_emit(session_t *session, session_step_t *step, service_id_t service,
                               stream_request_kind_t kind)
{
    session_requests_t *requests = step->requests;
    if (requests->count == requests->capacity) {
        requests->capacity = requests->capacity ? requests->capacity * 2 : 16;
        requests->items =
            memory_realloc(requests->items, requests->capacity * sizeof *requests->items);
    }
    session_request_t *slot = &requests->items[requests->count++];
    *slot = (session_request_t){
        .service = service,
        .request = {.kind = kind, .dispatcher_id = session->dispatcher_id, .mode = session->mode}};
    return &slot->request;
}

void session_register(session_t *session, session_step_t *step, service_id_t service)
{
    stream_request_t *request = session_emit(session, step, service, STREAM_REGISTER);
    request->span = session->span;
    request->created = session->created;
    request->position = step->position_of(step->context, session->dispatcher_id);
    request->only_reuse = !service_is_local(service);
    /* With a callback nobody else is tried before it is used up. */
    request->others_first = service_is_local(service) && step->options->tries_others &&
                            !session->is_last_resort && !session->has_callback;
}

void session_start_registering(session_t *session, session_step_t *step)
{
    session->register_delay_ns = step->options->repeat_first_ns;
    session->register_at = mono_add(step->now, session->register_delay_ns);
}

void session_stop_reading(session_t *session, session_step_t *step)
{
    if (session->state == SESSION_READING_REMOTE)
        step->counters->reading_others--;
    session->current = SERVICE_NONE;
    session->reset_at = MONO_NEVER;
    session->heartbeat_at = MONO_NEVER;
    session->progress_at = MONO_NEVER;
    session->silent_at = MONO_NEVER;
}

void session_init(session_t *session, const session_start_t *start)
{
    *session = (session_t){.dispatcher_id = start->dispatcher_id,
                           .span = start->span,
                           .mode = start->mode,
                           .created = start->created,
                           .has_callback = start->has_callback,
                           .state = SESSION_NEW,
                           .register_at = MONO_NEVER,
                           .reset_at = MONO_NEVER,
                           .heartbeat_at = MONO_NEVER,
                           .progress_at = MONO_NEVER,
                           .ask_at = MONO_NEVER,
                           .ask_until = MONO_NEVER,
                           .probe_until = MONO_NEVER,
                           .silent_at = MONO_NEVER};
    forwarded_init(&session->forwarded, start->start);
}

void session_run(session_t *session, session_step_t *step)
{
    if (session->state != SESSION_NEW)
        return;
    session->is_local_pending = true;
    session_set_state(session, SESSION_REGISTERING);
    session_start_registering(session, step);
    session_register(session, step, SERVICE_LOCAL);
}

void session_commit(session_t *session, session_step_t *step)
{
    if (session->state == SESSION_REMOVED)
        return;
    session->has_callback = false;
    if (session->state == SESSION_REGISTERING) {
        if (session->candidate_count)
            session_probe_next(session, step);
    } else if (session->state == SESSION_PREPARED) {
        session->current = SERVICE_LOCAL;
        session_set_state(session, SESSION_READING_LOCAL);
        session_reset(session, step);
    }
}

void session_remove(session_t *session, session_step_t *step)
{
    if (session->state == SESSION_REMOVED)
        return;
    if (session->state != SESSION_NEW)
        session_emit(session, step, SERVICE_LOCAL, STREAM_REMOVE);
    if (!service_is_none(session->current) && !service_is_local(session->current))
        session_emit(session, step, session->current, STREAM_REMOVE);
    if (!service_is_none(session->probed) && !service_equal(session->probed, session->current))
        session_emit(session, step, session->probed, STREAM_REMOVE);
    session_stop_reading(session, step);
    session_end_others(session);
    session->is_local_pending = false;
    session->register_at = MONO_NEVER;
    session_set_state(session, SESSION_REMOVED);
}

/* Local wins over whatever else was read or asked. */
static session_result_t ready_from_local(session_t *session, session_step_t *step)
{
    if (!session->is_local_pending)
        return SESSION_RESULT_NOTHING;
    if (!service_is_none(session->current))
        session_emit(session, step, session->current, STREAM_REMOVE);
    if (!service_is_none(session->probed) && !service_equal(session->probed, session->current))
        session_emit(session, step, session->probed, STREAM_REMOVE);
    session_end_others(session);
    session->is_local_pending = false;
    session->register_at = MONO_NEVER;
    session_stop_reading(session, step);
    if (session->has_callback) {
        session_set_state(session, SESSION_PREPARED);
        return SESSION_RESULT_PREPARED;
    }
    session->current = SERVICE_LOCAL;
    session_set_state(session, SESSION_READING_LOCAL);
    session_reset(session, step);
    return SESSION_RESULT_NOTHING;
}

static session_result_t ready_from_remote(session_t *session, service_id_t from,
                                          session_step_t *step)
{
    if (session->state == SESSION_READING_LOCAL || session->state == SESSION_PREPARED) {
        session_emit(session, step, from, STREAM_REMOVE);
    } else if (session->state == SESSION_PROBING && service_equal(from, session->probed)) {
        session->current = from;
        session->probed = SERVICE_NONE;
        session->probe_until = MONO_NEVER;
        session->silent_at = mono_add(step->now, SESSION_SILENCE_NS);
        session_set_state(session, SESSION_READING_REMOTE);
        step->counters->reading_others++;
        step->counters->others_read++;
        session_reset(session, step);
    }
    return SESSION_RESULT_NOTHING;
}

/* The service forgot us: ask it again, each in its own role. */
static session_result_t removed_by_service(session_t *session, service_id_t from,
                                           session_step_t *step)
{
    if (session->state == SESSION_PREPARED && service_is_local(from)) {
        session->is_local_pending = true;
        session_set_state(session, SESSION_REGISTERING);
    } else if (service_is_none(session->current) || !service_equal(from, session->current)) {
        return SESSION_RESULT_NOTHING;
    } else if (service_is_local(from)) {
        session_stop_reading(session, step);
        session->is_local_pending = true;
        session_set_state(session, SESSION_REGISTERING);
    } else {
        session_stop_reading(session, step);
        session->probed = from;
        session->probe_until = mono_add(step->now, SESSION_PROBE_NS);
        session_set_state(session, SESSION_PROBING);
    }
    session_start_registering(session, step);
    session_register(session, step, from);
    return SESSION_RESULT_NOTHING;
}

session_result_t session_handle(session_t *session, service_id_t from, const stream_event_t *event,
                                session_step_t *step)
{
    if (session->state == SESSION_REMOVED || session->state == SESSION_NEW || service_is_none(from))
        return SESSION_RESULT_NOTHING;
    switch (event->kind) {
    case STREAM_READY:
        return service_is_local(from) ? ready_from_local(session, step)
                                      : ready_from_remote(session, from, step);
    case STREAM_NOT_REUSABLE:
        if (service_is_local(from))
            step->counters->refused++;
        else
            session_not_reusable(session, from, step);
        return SESSION_RESULT_NOTHING;
    case STREAM_NOT_HELD:
        if (service_is_local(from))
            session_not_held(session, step);
        else
            step->counters->refused++;
        return SESSION_RESULT_NOTHING;
    case STREAM_REMOVED:
        return removed_by_service(session, from, step);
    case STREAM_DROP:
    case STREAM_HANDSHAKE:
    case STREAM_ROWS:
    case STREAM_DDL:
    case STREAM_SYNCPOINT:
    case STREAM_RESOLVED:
        return session_handle_stream(session, from, event, step);
    }
    step->counters->refused++;
    return SESSION_RESULT_NOTHING;
}

static uint64_t doubled(uint64_t delay_ns, uint64_t max_ns)
{
    return delay_ns > max_ns / 2 ? max_ns : delay_ns * 2;
}

void session_tick(session_t *session, session_step_t *step)
{
    if (mono_reached(session->register_at, step->now)) {
        if (session->is_local_pending)
            session_register(session, step, SERVICE_LOCAL);
        if (!service_is_none(session->probed))
            session_register(session, step, session->probed);
        /* What withholds READY has answered: it is told each time how far the others have led. */
        if (!session->is_withheld)
            session->register_delay_ns =
                doubled(session->register_delay_ns, step->options->repeat_max_ns);
        session->register_at = mono_add(step->now, session->register_delay_ns);
    }
    if (mono_reached(session->reset_at, step->now)) {
        session_repeat_reset(session, step);
        session->reset_delay_ns = doubled(session->reset_delay_ns, step->options->repeat_max_ns);
        session->reset_at = mono_add(step->now, session->reset_delay_ns);
    }
    if (mono_reached(session->progress_at, step->now))
        session_progress(session, step);
    if (mono_reached(session->heartbeat_at, step->now))
        session_heartbeat(session, step);
    session_others_tick(session, step);
}

mono_ns_t session_next_deadline(const session_t *session)
{
    mono_ns_t repeat_at = mono_min(session->register_at, session->reset_at);
    mono_ns_t tell_at = mono_min(session->heartbeat_at, session->progress_at);
    mono_ns_t ask_at = mono_min(session->ask_at, session->ask_until);
    mono_ns_t leave_at = mono_min(session->probe_until, session->silent_at);
    return mono_min(mono_min(repeat_at, tell_at), mono_min(ask_at, leave_at));
}
