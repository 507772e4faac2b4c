/*
 * What session.c (registration, repeats) and session_stream.c (epoch, sequence, credit) share.
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
