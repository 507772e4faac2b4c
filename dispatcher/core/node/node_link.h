/*
 * What a node knows of the maintainer process behind one endpoint: whether hello was answered, what
 * it was told there, the lease.
 *
 * Threads: a value, one thread.
 */
#ifndef SLUICE_DISPATCHER_CORE_NODE_NODE_LINK_H
#define SLUICE_DISPATCHER_CORE_NODE_NODE_LINK_H

#include "dispatcher/core/node/node_lease.h"
#include "dispatcher/core/node/node_ports.h"

typedef struct {
    link_port_t port;
    bool is_welcome; /* hello was answered */
    bool is_greeted; /* on the connection of now: who is behind it knows this node */
    hello_response_t settings;
    node_lease_t lease;
    mono_ns_t heard_at; /* newest answer to a hello or a heartbeat */
    mono_ns_t hello_at; /* next repeat, or when to look whether one is needed */
    mono_ns_t heartbeat_at;
} node_link_t;

static inline sluice_error_t node_link_send_control(const node_link_t *link, message_t *message)
{
    return link->port.send_control(link->port.self, message);
}

static inline sluice_error_t node_link_send_status(const node_link_t *link, message_t *message)
{
    return link->port.send_status(link->port.self, message);
}

#endif
