#include "dispatcher/core/session.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"

#define ALL_PARTS UINT32_MAX

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
    [SESSION_READING_REMOTE] = {"reading_remote", BIT(SESSION_PROBING) | BIT(SESSION_PREPARED) |
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
                               .credit_bytes_max = SESSION_CREDIT_BYTES_MAX};
}

static bool is_none(service_id_t service)
{
    return service.v == 0;
}

static bool is_local(service_id_t service)
{
    return service_equal(service, SERVICE_LOCAL);
}

static void check_invariant(const session_t *session)
{
    switch (session->state) {
    case SESSION_NEW:
    case SESSION_REMOVED:
        assert(is_none(session->current) && is_none(session->probed));
        break;
    case SESSION_REGISTERING:
        assert(session->is_local_pending && is_none(session->current) && is_none(session->probed));
        break;
    case SESSION_PROBING:
        assert(session->is_local_pending && is_none(session->current) && !is_none(session->probed));
        break;
    case SESSION_READING_REMOTE:
        assert(session->is_local_pending && !is_none(session->current) &&
               !is_local(session->current));
        break;
    case SESSION_PREPARED:
        assert(!session->is_local_pending && session->has_callback && is_none(session->current));
        break;
    case SESSION_READING_LOCAL:
        assert(!session->is_local_pending && is_local(session->current) &&
               is_none(session->probed));
        break;
    }
}

static void set_state(session_t *session, session_state_t state)
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

static stream_request_t *emit(session_t *session, session_step_t *step, service_id_t service,
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

static void emit_register(session_t *session, session_step_t *step, service_id_t service)
{
    stream_request_t *request = emit(session, step, service, STREAM_REGISTER);
    request->span = session->span;
    request->created = session->created;
    request->only_reuse = !is_local(service);
}

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

static void emit_reset(session_t *session, session_step_t *step, position_t position)
{
    stream_request_t *request = emit(session, step, session->current, STREAM_RESET);
    request->epoch = session->epoch;
    request->position = position;
    request->credit_bytes = session->credit_granted;
}

/* HEARTBEAT or CREDIT: never beyond what was seen of this epoch. */
static void emit_progress(session_t *session, session_step_t *step, stream_request_kind_t kind)
{
    stream_request_t *request = emit(session, step, session->current, kind);
    request->epoch = session->epoch;
    request->credit_bytes = session->credit_granted;
    request->position = position_now(session, step);
    if (request->position.checkpoint.v > session->observed.v)
        request->position.checkpoint = session->observed;
}

/* A new epoch on the current service. Rows of the transaction that was being let through come
 * again from its first part on if the position is below it. */
static void reset(session_t *session, session_step_t *step)
{
    session->epoch++;
    session->sequence = 0;
    position_t position = position_now(session, step);
    session->observed = position.checkpoint;
    session->parts_to_skip = session->forwarded_parts;
    session->credit_received = 0;
    session->credit_granted = credit_wanted(session, step->options);
    session->reset_delay_ns = step->options->repeat_first_ns;
    session->reset_at = mono_add(step->now, session->reset_delay_ns);
    session->heartbeat_at = mono_add(step->now, step->options->heartbeat_ns);
    emit_reset(session, step, position);
}

static void start_registering(session_t *session, session_step_t *step)
{
    session->register_delay_ns = step->options->repeat_first_ns;
    session->register_at = mono_add(step->now, session->register_delay_ns);
}

static void stop_reading(session_t *session)
{
    session->current = SERVICE_NONE;
    session->reset_at = MONO_NEVER;
    session->heartbeat_at = MONO_NEVER;
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
                           .forwarded_ts = start->start.checkpoint,
                           .forwarded = FORWARDED_ROWS,
                           .forwarded_parts = ALL_PARTS,
                           .parts_to_skip = ALL_PARTS};
    event_key_t at_start = {start->start.checkpoint, true};
    if (start->start.checkpoint.v && event_key_compare(start->start.passed, at_start) >= 0)
        session->forwarded = FORWARDED_SYNCPOINT;
}

void session_run(session_t *session, session_step_t *step)
{
    if (session->state != SESSION_NEW)
        return;
    session->is_local_pending = true;
    set_state(session, SESSION_REGISTERING);
    start_registering(session, step);
    emit_register(session, step, SERVICE_LOCAL);
}

static void probe_next(session_t *session, session_step_t *step)
{
    if (session->candidate_count == 0 || session->has_callback)
        return;
    session->probed = session->candidates[0];
    session->candidates++;
    session->candidate_count--;
    set_state(session, SESSION_PROBING);
    start_registering(session, step);
    emit_register(session, step, session->probed);
}

void session_probe(session_t *session, const service_id_t *candidates, uint32_t count,
                   session_step_t *step)
{
    if (session->state != SESSION_REGISTERING || count == 0)
        return;
    session->candidates = candidates;
    session->candidate_count = count;
    probe_next(session, step);
}

void session_commit(session_t *session, session_step_t *step)
{
    if (session->state == SESSION_REMOVED)
        return;
    session->has_callback = false;
    if (session->state == SESSION_REGISTERING) {
        probe_next(session, step);
    } else if (session->state == SESSION_PREPARED) {
        session->current = SERVICE_LOCAL;
        set_state(session, SESSION_READING_LOCAL);
        reset(session, step);
    }
}

void session_remove(session_t *session, session_step_t *step)
{
    if (session->state == SESSION_REMOVED)
        return;
    if (session->state != SESSION_NEW)
        emit(session, step, SERVICE_LOCAL, STREAM_REMOVE);
    if (!is_none(session->current) && !is_local(session->current))
        emit(session, step, session->current, STREAM_REMOVE);
    if (!is_none(session->probed) && !service_equal(session->probed, session->current))
        emit(session, step, session->probed, STREAM_REMOVE);
    stop_reading(session);
    session->probed = SERVICE_NONE;
    session->candidate_count = 0;
    session->is_local_pending = false;
    session->register_at = MONO_NEVER;
    set_state(session, SESSION_REMOVED);
}

/* Local wins over whatever else was read or asked. */
static session_result_t ready_from_local(session_t *session, session_step_t *step)
{
    if (!session->is_local_pending)
        return SESSION_RESULT_NOTHING;
    if (!is_none(session->current))
        emit(session, step, session->current, STREAM_REMOVE);
    if (!is_none(session->probed) && !service_equal(session->probed, session->current))
        emit(session, step, session->probed, STREAM_REMOVE);
    session->probed = SERVICE_NONE;
    session->candidate_count = 0;
    session->is_local_pending = false;
    session->register_at = MONO_NEVER;
    stop_reading(session);
    if (session->has_callback) {
        set_state(session, SESSION_PREPARED);
        return SESSION_RESULT_PREPARED;
    }
    session->current = SERVICE_LOCAL;
    set_state(session, SESSION_READING_LOCAL);
    reset(session, step);
    return SESSION_RESULT_NOTHING;
}

static session_result_t ready_from_remote(session_t *session, service_id_t from,
                                          session_step_t *step)
{
    if (session->state == SESSION_READING_LOCAL || session->state == SESSION_PREPARED) {
        emit(session, step, from, STREAM_REMOVE);
    } else if (session->state == SESSION_PROBING && service_equal(from, session->probed)) {
        session->current = from;
        session->probed = SERVICE_NONE;
        set_state(session, SESSION_READING_REMOTE);
        reset(session, step);
    }
    return SESSION_RESULT_NOTHING;
}

static session_result_t not_reusable(session_t *session, service_id_t from, session_step_t *step)
{
    if (is_local(from)) {
        step->counters->refused++;
    } else if (session->state == SESSION_PROBING && service_equal(from, session->probed)) {
        session->probed = SERVICE_NONE;
        set_state(session, SESSION_REGISTERING);
        probe_next(session, step);
    }
    return SESSION_RESULT_NOTHING;
}

/* The service forgot us: ask it again, each in its own role. */
static session_result_t removed_by_service(session_t *session, service_id_t from,
                                           session_step_t *step)
{
    if (session->state == SESSION_PREPARED && is_local(from)) {
        session->is_local_pending = true;
        set_state(session, SESSION_REGISTERING);
    } else if (is_none(session->current) || !service_equal(from, session->current)) {
        return SESSION_RESULT_NOTHING;
    } else if (is_local(from)) {
        stop_reading(session);
        session->is_local_pending = true;
        set_state(session, SESSION_REGISTERING);
    } else {
        stop_reading(session);
        session->probed = from;
        set_state(session, SESSION_PROBING);
    }
    start_registering(session, step);
    emit_register(session, step, from);
    return SESSION_RESULT_NOTHING;
}

static session_result_t gap(session_t *session, session_step_t *step)
{
    step->counters->resets++;
    reset(session, step);
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

static void forward(session_t *session, commit_ts_t ts, forwarded_t phase, uint32_t parts)
{
    if (session->forwarded_ts.v != ts.v)
        session->parts_to_skip = 0;
    session->forwarded_ts = ts;
    session->forwarded = phase;
    session->forwarded_parts = parts;
}

/* Whether (ts, phase) lies behind everything let through so far; then it is noted. */
static bool is_new(session_t *session, commit_ts_t ts, forwarded_t phase)
{
    if (ts.v < session->forwarded_ts.v ||
        (ts.v == session->forwarded_ts.v && phase <= session->forwarded))
        return false;
    forward(session, ts, phase, phase == FORWARDED_DDL ? 0 : ALL_PARTS);
    return true;
}

/* Rows of one commit_ts may come in parts, the same ones in every epoch. */
static bool are_rows_new(session_t *session, commit_ts_t ts)
{
    if (ts.v < session->forwarded_ts.v)
        return false;
    if (ts.v > session->forwarded_ts.v || session->forwarded < FORWARDED_ROWS) {
        forward(session, ts, FORWARDED_ROWS, 1);
        session->parts_to_skip = 0;
        return true;
    }
    if (session->forwarded == FORWARDED_SYNCPOINT || session->forwarded_parts == ALL_PARTS)
        return false;
    if (session->parts_to_skip > 0) {
        session->parts_to_skip--;
        return false;
    }
    session->forwarded_parts++;
    return true;
}

/* Everything up to ts was sent, but a sync point at ts may still follow. */
static void note_resolved(session_t *session, commit_ts_t ts)
{
    if (ts.v > session->forwarded_ts.v ||
        (ts.v == session->forwarded_ts.v && session->forwarded <= FORWARDED_ROWS))
        forward(session, ts, FORWARDED_ROWS, ALL_PARTS);
}

static void grant_credit(session_t *session, session_step_t *step)
{
    uint64_t wanted = credit_wanted(session, step->options);
    if (is_none(session->current) ||
        wanted < session->credit_granted + step->options->credit_bytes_max / 4)
        return;
    session->credit_granted = wanted;
    emit_progress(session, step, STREAM_CREDIT);
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
    session->sequence++;
    if (event->commit_ts.v > session->observed.v)
        session->observed = event->commit_ts;
    uint64_t cost = stream_event_cost(event);
    session->credit_received += cost;
    bool is_next;
    if (event->kind == STREAM_ROWS)
        is_next = are_rows_new(session, event->commit_ts);
    else
        is_next = is_new(session, event->commit_ts,
                         event->kind == STREAM_DDL ? FORWARDED_DDL : FORWARDED_SYNCPOINT);
    if (is_next) {
        session->unflushed_bytes += cost;
        return SESSION_RESULT_DELIVER;
    }
    step->counters->duplicates++;
    grant_credit(session, step);
    return SESSION_RESULT_NOTHING;
}

static session_result_t resolved(session_t *session, const stream_event_t *event,
                                 session_step_t *step)
{
    if (session->sequence == 0 || event->sequence != session->sequence)
        return gap(session, step);
    if (event->commit_ts.v > session->observed.v)
        session->observed = event->commit_ts;
    note_resolved(session, event->commit_ts);
    return SESSION_RESULT_DELIVER;
}

static session_result_t of_stream(session_t *session, service_id_t from,
                                  const stream_event_t *event, session_step_t *step)
{
    if (is_none(session->current) || !service_equal(from, session->current) ||
        event->epoch != session->epoch) {
        step->counters->stale++;
        return SESSION_RESULT_NOTHING;
    }
    if (event->kind == STREAM_HANDSHAKE)
        return handshake(session, event, step);
    if (event->kind == STREAM_DROP)
        return gap(session, step);
    if (event->kind == STREAM_RESOLVED)
        return resolved(session, event, step);
    return data(session, event, step);
}

session_result_t session_handle(session_t *session, service_id_t from, const stream_event_t *event,
                                session_step_t *step)
{
    if (session->state == SESSION_REMOVED || session->state == SESSION_NEW || is_none(from))
        return SESSION_RESULT_NOTHING;
    switch (event->kind) {
    case STREAM_READY:
        return is_local(from) ? ready_from_local(session, step)
                              : ready_from_remote(session, from, step);
    case STREAM_NOT_REUSABLE:
        return not_reusable(session, from, step);
    case STREAM_REMOVED:
        return removed_by_service(session, from, step);
    case STREAM_DROP:
    case STREAM_HANDSHAKE:
    case STREAM_ROWS:
    case STREAM_DDL:
    case STREAM_SYNCPOINT:
    case STREAM_RESOLVED:
        return of_stream(session, from, event, step);
    }
    step->counters->refused++;
    return SESSION_RESULT_NOTHING;
}

void session_flushed(session_t *session, uint64_t bytes, session_step_t *step)
{
    session->unflushed_bytes -= bytes < session->unflushed_bytes ? bytes : session->unflushed_bytes;
    grant_credit(session, step);
}

static void heartbeat(session_t *session, session_step_t *step)
{
    uint64_t wanted = credit_wanted(session, step->options);
    if (wanted > session->credit_granted)
        session->credit_granted = wanted;
    emit_progress(session, step, STREAM_HEARTBEAT);
    session->heartbeat_at = mono_add(step->now, step->options->heartbeat_ns);
}

static uint64_t doubled(uint64_t delay_ns, uint64_t max_ns)
{
    return delay_ns > max_ns / 2 ? max_ns : delay_ns * 2;
}

void session_tick(session_t *session, session_step_t *step)
{
    if (mono_reached(session->register_at, step->now)) {
        if (session->is_local_pending)
            emit_register(session, step, SERVICE_LOCAL);
        if (!is_none(session->probed))
            emit_register(session, step, session->probed);
        session->register_delay_ns =
            doubled(session->register_delay_ns, step->options->repeat_max_ns);
        session->register_at = mono_add(step->now, session->register_delay_ns);
    }
    if (mono_reached(session->reset_at, step->now)) {
        emit_reset(session, step, position_now(session, step));
        session->reset_delay_ns = doubled(session->reset_delay_ns, step->options->repeat_max_ns);
        session->reset_at = mono_add(step->now, session->reset_delay_ns);
    }
    if (mono_reached(session->heartbeat_at, step->now))
        heartbeat(session, step);
}

mono_ns_t session_next_deadline(const session_t *session)
{
    return mono_min(session->register_at, mono_min(session->reset_at, session->heartbeat_at));
}
