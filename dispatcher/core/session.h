/*
 * One dispatcher's side of its event stream (DESIGN §6, Session): where to register, which service
 * is read, whether an event is the next of its stream, what must be asked again.
 *
 * Everything is an input with a defined answer: late, repeated, reordered events and those of
 * services that are no longer wanted are dropped. Requests to send are appended to a list in the
 * order in which they must go out.
 *
 * What was forwarded is not forwarded twice, across resets too.
 *
 * Threads: one thread owns a session.
 */
#ifndef SLUICE_DISPATCHER_CORE_SESSION_H
#define SLUICE_DISPATCHER_CORE_SESSION_H

#include "dispatcher/core/forwarded.h"
#include "dispatcher/core/stream.h"

/* An event service as the session knows it: the node's own, or another node's by its slot. */
typedef struct {
    uint32_t v;
} service_id_t;

#define SERVICE_NONE ((service_id_t){0})
#define SERVICE_LOCAL ((service_id_t){1})

static inline service_id_t service_of_slot(uint32_t slot)
{
    return (service_id_t){slot + 2};
}

static inline bool service_equal(service_id_t a, service_id_t b)
{
    return a.v == b.v;
}

typedef struct {
    uint64_t repeat_first_ns;  /* REGISTER and RESET without an answer: first repeat, … */
    uint64_t repeat_max_ns;    /* … doubling up to this */
    uint64_t heartbeat_ns;     /* to the current service */
    uint64_t progress_ns;      /* what was flushed is reported so soon, so that it is forgotten;
                                  0: default */
    uint64_t credit_bytes_max; /* delivered and not flushed, at most about this */
} session_options_t;

#define SESSION_REPEAT_FIRST_NS (1 * NS_PER_S)
#define SESSION_REPEAT_MAX_NS (10 * NS_PER_S)
#define SESSION_HEARTBEAT_NS (10 * NS_PER_S)
#define SESSION_PROGRESS_NS (200 * NS_PER_MS)
#define SESSION_CREDIT_BYTES_MAX (UINT64_C(4) << 20)

session_options_t session_options_default(void);

typedef struct {
    service_id_t service;
    stream_request_t request; /* keys of the span are borrowed from the session */
} session_request_t;

/* A list that grows; all zero is an empty one. */
typedef struct {
    session_request_t *items;
    uint32_t count;
    uint32_t capacity;
} session_requests_t;

void session_requests_clear(session_requests_t *requests); /* frees */

typedef enum {
    SESSION_NEW,
    SESSION_REGISTERING,    /* local asked, nothing read */
    SESSION_PROBING,        /* local asked, a remote asked whether it can serve at once */
    SESSION_READING_REMOTE, /* a remote is read until local is ready */
    SESSION_PREPARED,       /* local is ready and waits for session_commit (two-phase add) */
    SESSION_READING_LOCAL,
    SESSION_REMOVED /* terminal */
} session_state_t;
#define SESSION_STATE_COUNT (SESSION_REMOVED + 1)

const char *session_state_name(session_state_t state);

/* What an event was. */
typedef enum {
    SESSION_RESULT_NOTHING,  /* handled or ignored; not for the dispatcher */
    SESSION_RESULT_OPENED,   /* HANDSHAKE accepted: the epoch is open */
    SESSION_RESULT_PREPARED, /* local is ready and the one-shot callback is due */
    SESSION_RESULT_DELIVER   /* next of the stream: give it to the dispatcher */
} session_result_t;

typedef struct {
    uint64_t refused;    /* signals that make no sense (NOT_REUSABLE from local, rows without table
                            information) */
    uint64_t stale;      /* other epoch or service */
    uint64_t duplicates; /* forwarded before */
    uint64_t resets;     /* asked for because of a gap or DROP */
} session_counters_t;

typedef struct {
    dispatcher_id_t dispatcher_id;
    span_t span; /* borrowed from whoever made the session, for its whole life */
    pipeline_t mode;
    commit_ts_t created;

    session_state_t state;
    service_id_t current;
    service_id_t probed;
    bool is_local_pending;
    bool has_callback;
    const service_id_t *candidates; /* left to probe; borrowed as `span` */
    uint32_t candidate_count;

    uint64_t epoch;
    uint64_t sequence; /* last accepted of the epoch; 0: no HANDSHAKE yet */
    commit_ts_t observed;
    forwarded_t forwarded;

    uint64_t credit_granted;  /* in this epoch */
    uint64_t credit_received; /* in this epoch */
    uint64_t unflushed_bytes;

    commit_ts_t data_ts;  /* of the last data delivered */
    commit_ts_t reported; /* checkpoint that the service knows */

    mono_ns_t register_at, reset_at, heartbeat_at, progress_at;
    uint64_t register_delay_ns, reset_delay_ns;
} session_t;

typedef struct {
    dispatcher_id_t dispatcher_id;
    span_t span;
    pipeline_t mode;
    commit_ts_t created;
    position_t start;
    bool has_callback; /* two-phase add: stop at local READY until session_commit */
} session_start_t;

/* Everything a step needs from outside. `position_of` answers where the dispatcher stands now; it
 * is asked only when a request carries that. */
typedef struct {
    const session_options_t *options;
    session_counters_t *counters;
    session_requests_t *requests; /* appended to */
    position_t (*position_of)(void *context, dispatcher_id_t dispatcher_id);
    void *context;
    mono_ns_t now;
} session_step_t;

void session_init(session_t *session, const session_start_t *start);

/* Registers locally. */
void session_run(session_t *session, session_step_t *step);

/* Remote services that may be able to serve at once, best first, for as long as local is not ready.
 * Ignored when something is read or probed already, when the list is empty, after removal. */
void session_probe(session_t *session, const service_id_t *candidates, uint32_t count,
                   session_step_t *step);

/* One event from a service. The event stays the caller's. */
session_result_t session_handle(session_t *session, service_id_t from, const stream_event_t *event,
                                session_step_t *step);

/* Second phase of a two-phase add: no callback any more; what was prepared is read from now on. */
void session_commit(session_t *session, session_step_t *step);

/* `bytes` (stream_event_cost) of delivered events need no memory any more. */
void session_flushed(session_t *session, uint64_t bytes, session_step_t *step);

/* REMOVE to local, current and probed, once each. */
void session_remove(session_t *session, session_step_t *step);

/* Repeats and heartbeats that are due. */
void session_tick(session_t *session, session_step_t *step);
mono_ns_t session_next_deadline(const session_t *session);

#endif
