/*
 * What session.c (registration, repeats), session_others.c (other nodes' services) and
 * session_stream.c (epoch, sequence, credit) share.
 */
#ifndef SLUICE_DISPATCHER_CORE_SESSION_INTERNAL_H
#define SLUICE_DISPATCHER_CORE_SESSION_INTERNAL_H

#include "dispatcher/core/session.h"

static inline bool service_is_none(service_id_t service)
{
    return service.v == 0;
}

static inline bool service_is_local(service_id_t service)
{
    return service_equal(service, SERVICE_LOCAL);
}

/* Appends a request; what goes beyond kind, id and mode is the caller's to fill in. */
stream_request_t *session_emit(session_t *session, session_step_t *step, service_id_t service,
                               stream_request_kind_t kind);

/* Checks the edge and the invariant. */
void session_set_state(session_t *session, session_state_t state);
void session_register(session_t *session, session_step_t *step, service_id_t service);
/* Repeats of what is asked start again from the first interval. */
void session_start_registering(session_t *session, session_step_t *step);
void session_stop_reading(session_t *session, session_step_t *step);

/* ---- session_others.c ---- */

/* Asks the next candidate; none left: local, which may read the source if it withheld READY. */
void session_probe_next(session_t *session, session_step_t *step);
/* NOT_HELD from local. */
void session_not_held(session_t *session, session_step_t *step);
/* NOT_REUSABLE from another node's service. */
void session_not_reusable(session_t *session, service_id_t from, session_step_t *step);
/* Local serves: nobody else is asked or wanted. */
void session_end_others(session_t *session);
void session_others_tick(session_t *session, session_step_t *step);

/* ---- session_stream.c ---- */

/* A new epoch on the current service. */
void session_reset(session_t *session, session_step_t *step);
/* Asks for the same epoch again. */
void session_repeat_reset(session_t *session, session_step_t *step);
void session_heartbeat(session_t *session, session_step_t *step);
/* Tells the service what was flushed since it last heard of it. */
void session_progress(session_t *session, session_step_t *step);

/* An event of the stream itself: from HANDSHAKE to RESOLVED, and DROP. */
session_result_t session_handle_stream(session_t *session, service_id_t from,
                                       const stream_event_t *event, session_step_t *step);

#endif
