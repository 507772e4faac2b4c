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
/* None that serves: what is asked here is who else could, of the log coordinator. */
#define SERVICE_COORDINATOR ((service_id_t){UINT32_MAX})

static inline service_id_t service_of_slot(uint32_t slot)
{
    return (service_id_t){slot + 2};
}

/* Only of another node's. */
static inline uint32_t service_slot(service_id_t service)
{
    return service.v - 2;
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
    bool tries_others;         /* other nodes' services before the source is read again */
} session_options_t;

#define SESSION_REPEAT_FIRST_NS (1 * NS_PER_S)
#define SESSION_REPEAT_MAX_NS (10 * NS_PER_S)
#define SESSION_HEARTBEAT_NS (10 * NS_PER_S)
#define SESSION_PROGRESS_NS (200 * NS_PER_MS)
#define SESSION_CREDIT_BYTES_MAX (UINT64_C(4) << 20)
/* The question who else could serve is repeated after this, and given up after that. */
#define SESSION_ASK_REPEAT_NS (500 * NS_PER_MS)
#define SESSION_ASK_NS (2 * NS_PER_S)
/* A probed service that does not answer for so long is left for the next candidate. */
#define SESSION_PROBE_NS (2 * NS_PER_S)
/* Another node's service hears of the session this often at least, answers with RESOLVED, and is
 * left when nothing of the epoch came for so long. */
#define SESSION_REMOTE_HEARTBEAT_NS (5 * NS_PER_S)
#define SESSION_SILENCE_NS (15 * NS_PER_S)

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
    SESSION_REGISTERING,    /* local asked, nothing read; perhaps asking who else could serve */
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
    uint64_t refused;        /* what makes no sense (NOT_REUSABLE from local, rows without table
                                information) or cannot be used (a transaction cut otherwise) */
    uint64_t stale;          /* other epoch or service */
    uint64_t duplicates;     /* forwarded before */
    uint64_t resets;         /* asked for because of a gap or DROP */
    uint64_t others_read;    /* times that reading from another node's service began */
    uint64_t reading_others; /* sessions that read from one now */
    uint64_t last_resorts;   /* times that local had to read the source, since no other held it */
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
    bool is_withheld;    /* local would have to read the source again, and waits with READY */
    bool is_last_resort; /* no other service is left to try: local may read the source again */
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
    mono_ns_t ask_at, ask_until; /* the question who else could serve */
    mono_ns_t probe_until;
    mono_ns_t silent_at; /* a remote that is read is left then */
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
 * Ignored when something is read or probed already, after removal, and when the list is empty
 * unless it is the answer to the session's question: then local reads the source. */
void session_probe(session_t *session, const service_id_t *candidates, uint32_t count,
                   session_step_t *step);

/* One event from a service. The event stays the caller's. */
session_result_t session_handle(session_t *session, service_id_t from, const stream_event_t *event,
                                session_step_t *step);

/* A remote service cannot be reached any more, or forgot everything: whoever asks it or reads from
 * it goes on with the next candidate, or locally. */
void session_service_gone(session_t *session, service_id_t service, session_step_t *step);
/* The connection to it came up: what was sent before may be lost. */
void session_service_up(session_t *session, service_id_t service, session_step_t *step);

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
