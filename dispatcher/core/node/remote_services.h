/*
 * Other nodes' event services that this node's sessions read from (DESIGN §6; ORACLE §4, event
 * streams): one connection for each such node, made when the log coordinator names it, dropped when
 * nothing was asked of it for REMOTE_SERVICE_IDLE_NS.
 *
 * A service is gone when it cannot be reached for REMOTE_SERVICE_LOST_NS, or when another life of
 * its node, or another node, answers in its place: whoever reads from it goes on elsewhere.
 * Requests of which the socket takes none are tried again every 10 ms, for REMOTE_SERVICE_TRIES_MAX
 * times; then they are dropped, as those to a service that is not connected are: sessions repeat.
 *
 * Limits: REMOTE_SERVICES_MAX connections, REMOTE_REQUESTS_MAX requests that wait for each.
 *
 * Threads: the node's one. Pure.
 */
#ifndef SLUICE_DISPATCHER_CORE_NODE_REMOTE_SERVICES_H
#define SLUICE_DISPATCHER_CORE_NODE_REMOTE_SERVICES_H

#include "dispatcher/core/node/events_port.h"
#include "dispatcher/core/node/stream_decoder.h"
#include "dispatcher/core/session.h"

#define REMOTE_SERVICES_MAX 32
#define REMOTE_REQUESTS_MAX 8192
#define REMOTE_SERVICE_TRIES_MAX 100
#define REMOTE_SERVICE_LOST_NS (2 * NS_PER_S)
#define REMOTE_SERVICE_IDLE_NS (30 * NS_PER_S)

typedef struct remote_services remote_services_t;

remote_services_t *remote_services_new(const events_port_t *port);
/* Disconnects; NULL is allowed. */
void remote_services_destroy(remote_services_t **services);

/* The service of a candidate, connected to under the node's own incarnation if it is not known yet.
 * SERVICE_NONE: no room, or its endpoint is none. */
service_id_t remote_services_meet(remote_services_t *services, const candidate_t *candidate,
                                  incarnation_t own, mono_ns_t now);

/* A request of a session; copied. When too many wait already, those are sent first. */
void remote_services_request(remote_services_t *services, service_id_t service,
                             changefeed_ref_t changefeed, const stream_request_t *request,
                             mono_ns_t now);
/* Sends what can be sent, and looks who is gone. */
void remote_services_run(remote_services_t *services, mono_ns_t now);
mono_ns_t remote_services_next_deadline(const remote_services_t *services);

/* The connection of a slot came up or broke; the service, SERVICE_NONE: none of ours. */
service_id_t remote_services_link(remote_services_t *services, uint32_t slot, bool is_up,
                                  mono_ns_t now);
/* A message came from there: its service, or SERVICE_NONE if it is not of the life that was met. */
service_id_t remote_services_hear(remote_services_t *services, uint32_t slot,
                                  const message_header_t *header, mono_ns_t now);
/* What decodes its events; NULL: no such service. */
stream_decoder_t *remote_services_decoder(remote_services_t *services, service_id_t service);

/* The next one that is gone; SERVICE_NONE: no more. */
service_id_t remote_services_take_gone(remote_services_t *services);

/* The node starts again: all connections end, and no session is left. */
void remote_services_reset(remote_services_t *services);

typedef struct {
    uint32_t connected;
    uint64_t lost;    /* services that were found gone */
    uint64_t dropped; /* requests that were not sent */
    uint64_t refused; /* events of services that could not be decoded */
} remote_services_state_t;

remote_services_state_t remote_services_state(const remote_services_t *services);

#endif
