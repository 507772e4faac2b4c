/*
 * The thread of the event service: takes what the readers put into their inboxes and what the
 * sessions request, steps the core, and leaves events for the protocol thread.
 *
 * Readings of older log beside the live one are organised by catch_up_streams.h. What no longer
 * fits the memory goes through a thread of its own to the event store, so that this one never waits
 * for a disk.
 *
 * Threads: started and destroyed by one. request, take, take_remote, fds, holds and set_persisted:
 * the protocol thread. ring and state: any.
 */
#ifndef SLUICE_DISPATCHER_SHELL_SERVICE_ACTOR_H
#define SLUICE_DISPATCHER_SHELL_SERVICE_ACTOR_H

#include "common/base/error.h"
#include "dispatcher/core/event_service.h"
#include "dispatcher/shell/catch_up_streams.h"
#include "dispatcher/store/event_store.h"

typedef struct service_actor service_actor_t;

typedef struct {
    event_service_options_t service;
    catch_up_source_t catch_up;
    log_puller_options_t puller;    /* of the catch-up readings */
    const event_store_api_t *store; /* with service.store_bytes_max */
    const char *store_parent; /* the directory in which it makes its own; borrowed until started */
    const char *changefeed;   /* for log lines; likewise */
} service_actor_options_t;

sluice_error_t service_actor_new(const service_actor_options_t *options, service_actor_t **actor,
                                 error_report_t *report) SLUICE_MUST_USE;
/* Starts the thread. */
sluice_error_t service_actor_start(service_actor_t *actor, error_report_t *report) SLUICE_MUST_USE;
/* Joins the thread; the live reader must not put any more. NULL is allowed. */
void service_actor_destroy(service_actor_t **actor);

/* Where the live reader puts its items; the actor's. */
feed_inbox_t *service_actor_inbox(service_actor_t *actor);

/* Readable while events can be taken. */
int service_actor_fd(const service_actor_t *actor);
uint32_t service_actor_take(service_actor_t *actor, stream_event_t *events, uint32_t max);
/* The same for events of other nodes' sessions. While they are not taken only those wait. */
int service_actor_remote_fd(const service_actor_t *actor);
uint32_t service_actor_take_remote(service_actor_t *actor, stream_event_t *events, uint32_t max);
/* What the service held when it was asked last, and asks again; false: it was not asked before.
 * `floors` has room for STORE_FLOORS_MAX. */
bool service_actor_holds(service_actor_t *actor, event_store_report_t *state,
                         store_floor_t *floors);
/* Copied, keys of the span too. */
void service_actor_request(service_actor_t *actor, const stream_request_t *request);
void service_actor_set_persisted(service_actor_t *actor, commit_ts_t persisted);

event_service_state_t service_actor_state(service_actor_t *actor);
/* Of the log puller for older log. */
log_puller_state_t service_actor_pulls(service_actor_t *actor);

#endif
