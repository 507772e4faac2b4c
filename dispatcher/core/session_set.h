/*
 * All sessions of one changefeed on one node: by dispatcher id, with their deadlines in one heap,
 * so that 100,000 idle sessions cost nothing but their heartbeats.
 *
 * Use: after every call that may have something to say (add, remove, handle, flushed, tick), take
 * the requests with session_set_take_requests and hand each to its service in this order; for
 * SERVICE_LOCAL that is event_feed_request. Call session_set_tick at session_set_next_deadline.
 *
 * Threads: one thread owns a set (the node's protocol thread).
 */
#ifndef SLUICE_DISPATCHER_CORE_SESSION_SET_H
#define SLUICE_DISPATCHER_CORE_SESSION_SET_H

#include "dispatcher/core/session.h"

typedef struct session_set session_set_t;

typedef struct {
    session_options_t session;
    /* The dispatcher's position now: asked when a stream is reset and for heartbeats, for ids that
     * were added and not removed. Must not call back into the set. */
    position_t (*position_of)(void *context, dispatcher_id_t dispatcher_id);
    void *context;
} session_set_options_t;

session_set_t *session_set_new(const session_set_options_t *options);
/* Sends nothing; NULL is allowed. */
void session_set_destroy(session_set_t **set);

/* Opens a session and registers it locally; keys of the span are copied. SLUICE_ERROR_EXISTS: the
 * id has one already, nothing was changed. */
sluice_error_t session_set_add(session_set_t *set, const session_start_t *start,
                               mono_ns_t now) SLUICE_MUST_USE;
/* Ends a session; false: there is none. Later events for it are dropped. */
bool session_set_remove(session_set_t *set, dispatcher_id_t dispatcher_id, mono_ns_t now);
/* Remote services to probe, copied; see session_probe. Nothing happens for an id without session.
 */
void session_set_probe(session_set_t *set, dispatcher_id_t dispatcher_id,
                       const service_id_t *candidates, uint32_t count, mono_ns_t now);
/* For all sessions that ask or read this service; see session_service_gone, session_service_up. */
void session_set_service_gone(session_set_t *set, service_id_t service, mono_ns_t now);
void session_set_service_up(session_set_t *set, service_id_t service, mono_ns_t now);
/* Second phase of a two-phase add. Nothing happens for an id without session. */
void session_set_commit(session_set_t *set, dispatcher_id_t dispatcher_id, mono_ns_t now);

/* One event from a service: SESSION_RESULT_DELIVER means that it is the dispatcher's next event.
 * The event stays the caller's, who clears it once the dispatcher has it (or at once otherwise). */
session_result_t session_set_handle(session_set_t *set, service_id_t from,
                                    const stream_event_t *event, mono_ns_t now);
/* An event of that dispatcher comes some events later: what finding it needs is fetched meanwhile.
 */
void session_set_prefetch(const session_set_t *set, dispatcher_id_t dispatcher_id);
/* Gives credit back: the sum of stream_event_cost over delivered events that are done with. */
void session_set_flushed(session_set_t *set, dispatcher_id_t dispatcher_id, uint64_t bytes,
                         mono_ns_t now);

void session_set_tick(session_set_t *set, mono_ns_t now);
mono_ns_t session_set_next_deadline(const session_set_t *set); /* MONO_NEVER: none */

/* Moves up to `max` requests out, oldest first; 0: none left. Keys of a span stay valid until the
 * next call of any function that is not this one. */
uint32_t session_set_take_requests(session_set_t *set, session_request_t *requests, uint32_t max);

uint32_t session_set_count(const session_set_t *set);
session_counters_t session_set_counters(const session_set_t *set);

#endif
