/*
 * How a node's core reaches other nodes' event services, and they its own: the events socket that
 * others connect to, and a connection to each node that is read from, named by that node's slot.
 * The shell binds it to sockets, the simulator to its network.
 *
 * Threads: the node's one; nothing blocks.
 */
#ifndef SLUICE_DISPATCHER_CORE_NODE_EVENTS_PORT_H
#define SLUICE_DISPATCHER_CORE_NODE_EVENTS_PORT_H

#include "common/wire/message.h"

typedef struct {
    void *self;
    /* What others connect to; borrowed. NULL: the node neither serves others nor reads from them,
     * and nothing else of the port is used. */
    const char *endpoint;
    /* Begins to connect under the node's own incarnation; a connection of that slot is replaced.
     * That it is up is told to the core later. An error: the endpoint is none. */
    sluice_error_t (*connect)(void *self, uint32_t slot, const char *endpoint, incarnation_t own);
    void (*disconnect)(void *self, uint32_t slot);
    /* The header has type and incarnation; the rest is filled behind the port.
     * SLUICE_ERROR_AGAIN: no connection, or no room. SLUICE_OK does not say that it arrives. */
    sluice_error_t (*send_requests)(void *self, uint32_t slot, message_t *message);
    /* To a node that has connected to us; further SLUICE_ERROR_NOT_FOUND: it is not there. */
    sluice_error_t (*send_events)(void *self, const node_id_t *node, incarnation_t incarnation,
                                  message_t *message);
} events_port_t;

#endif
