/*
 * The maintainer's two sockets, status (PULL) and control (ROUTER): takes messages in bounded
 * turns, refuses what cannot be understood, and sends.
 *
 * Threads: the actor's.
 */
#ifndef SLUICE_MAINTAINER_SHELL_CONTROL_ROUTER_H
#define SLUICE_MAINTAINER_SHELL_CONTROL_ROUTER_H

#include "common/runtime/log.h"
#include "common/runtime/transport.h"
#include "maintainer/api/api.h"

/* Messages taken from one socket before it is the other's turn. */
#define CONTROL_ROUTER_TURN 64

typedef struct {
    zsock_t *status, *control;
    node_id_t name;
    incarnation_t incarnation;
    actor_counters_t *counters;
    arena_t arena; /* of the message at hand */
    log_limiter_t limiter;
    mono_ns_t mismatch_answer_at; /* no version_mismatch is sent before */
} control_router_t;

/* Binds both. `counters` is borrowed. The struct is to be cleared also when this fails. */
sluice_error_t control_router_open(control_router_t *router, const char *status_endpoint,
                                   const char *control_endpoint, bool insecure,
                                   const node_id_t *name, incarnation_t incarnation,
                                   actor_counters_t *counters,
                                   error_report_t *report) SLUICE_MUST_USE;
void control_router_close(control_router_t *router);

/* Called with each message understood; it is valid during the call. */
typedef void control_router_handler_t(void *context, const message_t *message);

/* One turn of each socket. false: both are empty. */
bool control_router_receive(control_router_t *router, mono_ns_t now,
                            control_router_handler_t *handler, void *context);

/* Encodes and sends to one incarnation of a node. What cannot be sent now is dropped and counted:
 * whoever needs an answer repeats. */
void control_router_send(control_router_t *router, mono_ns_t now, const node_id_t *node,
                         incarnation_t incarnation, const message_t *message);

#endif
