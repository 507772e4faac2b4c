/*
 * ZeroMQ sockets with the options that the protocol needs (each role its own set), and messages of
 * two frames over them. Decides nothing about their content.
 *
 * A send that succeeds means "queued here", no more: ZeroMQ loses what is in flight when a peer or
 * a link dies, so that whoever needs an answer repeats (DESIGN §2). A ROUTER does not tell when a
 * peer goes (ROUTER_NOTIFY is a draft that libzmq as distributions build it refuses): leases do.
 *
 * Threads: a socket belongs to the thread that uses it; it may be created by another one that does
 * not touch it afterwards.
 */
#ifndef SLUICE_COMMON_RUNTIME_TRANSPORT_H
#define SLUICE_COMMON_RUNTIME_TRANSPORT_H

#include <czmq.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/base/ids.h"
#include "common/wire/codec.h"

typedef enum {
    TRANSPORT_STATUS_PUSH,    /* node, one per maintainer endpoint */
    TRANSPORT_STATUS_PULL,    /* maintainer */
    TRANSPORT_CONTROL_DEALER, /* node, one per maintainer endpoint */
    TRANSPORT_CONTROL_ROUTER, /* maintainer */
    TRANSPORT_EVENTS_DEALER,  /* collector, one per service */
    TRANSPORT_EVENTS_ROUTER   /* service */
} transport_role_t;

/* Name of one incarnation of a node on a ROUTER: "node-id@incarnation". */
#define ROUTING_ID_SIZE 96
typedef struct {
    uint8_t bytes[ROUTING_ID_SIZE];
    size_t len;
} routing_id_t;

void routing_id_make(const node_id_t *node, incarnation_t incarnation, routing_id_t *id);
/* false when the bytes are not what routing_id_make makes. */
bool routing_id_parse(const routing_id_t *id, node_id_t *node, incarnation_t *incarnation);

/* A socket of that role with every option set, neither bound nor connected. `own_id` names us to
 * ROUTERs (DEALER roles; NULL for the others). Never fails (out of file descriptors ends the
 * process as out of memory does). The owner frees it with zsock_destroy. */
zsock_t *transport_socket_new(transport_role_t role, const routing_id_t *own_id);

/* Binds ("tcp://127.0.0.1:0" and "ipc://path" are allowed). A tcp endpoint that is not loopback is
 * refused unless `insecure`, as nothing on the wire is authenticated: SLUICE_ERROR_CONFIGURATION.
 * SLUICE_ERROR_IO: address in use, not ours. `bound` (may be NULL) becomes the endpoint with its
 * real port. */
#define TRANSPORT_ENDPOINT_SIZE 256
sluice_error_t transport_bind(zsock_t *socket, const char *endpoint, bool insecure,
                              char bound[TRANSPORT_ENDPOINT_SIZE],
                              error_report_t *report) SLUICE_MUST_USE;

/* Connects; that a peer is there is told by the monitor, later. SLUICE_ERROR_CONFIGURATION: no
 * endpoint. */
sluice_error_t transport_connect(zsock_t *socket, const char *endpoint,
                                 error_report_t *report) SLUICE_MUST_USE;

/* Sends without blocking. `to` is the peer for ROUTER roles, else NULL. The frames are copied.
 *   SLUICE_ERROR_AGAIN      no peer yet, or its queue is full: nothing was sent
 *   SLUICE_ERROR_NOT_FOUND  ROUTER: no such peer
 *   SLUICE_ERROR_TOO_LARGE  above the role's limit; a receiver would drop the connection over it */
sluice_error_t transport_send(zsock_t *socket, transport_role_t role, const routing_id_t *to,
                              const frames_t *frames) SLUICE_MUST_USE;

typedef struct {
    routing_id_t from; /* ROUTER roles; else empty */
    frames_t frames;   /* in the arena */
} transport_received_t;

/* Takes one message without blocking.
 *   SLUICE_ERROR_AGAIN      none there
 *   SLUICE_ERROR_MALFORMED  one was taken and dropped: wrong number of frames, routing id too long
 */
sluice_error_t transport_receive(zsock_t *socket, transport_role_t role, arena_t *arena,
                                 transport_received_t *received) SLUICE_MUST_USE;

/* Tells when connections of one socket come and go. */
typedef struct transport_monitor transport_monitor_t;

typedef enum {
    TRANSPORT_LINK_NONE, /* nothing new, or nothing that matters */
    TRANSPORT_LINK_UP,   /* handshake done: offer again what is unacknowledged */
    TRANSPORT_LINK_DOWN,
    TRANSPORT_LINK_REFUSED /* authentication: disconnect, connect again with backoff */
} transport_link_t;

/* Before connect or bind. */
transport_monitor_t *transport_monitor_new(zsock_t *socket);
/* Before the socket is destroyed. */
void transport_monitor_destroy(transport_monitor_t **monitor);
/* To be polled for input. */
zsock_t *transport_monitor_socket(transport_monitor_t *monitor);
/* Takes one event without blocking; TRANSPORT_LINK_NONE with *has_more false: none left. */
transport_link_t transport_monitor_next(transport_monitor_t *monitor, bool *has_more);

#endif
