/*
 * The node's two sockets to one maintainer endpoint. Messages get their header here.
 *
 * Threads: the protocol thread.
 */
#ifndef SLUICE_DISPATCHER_SHELL_MAINTAINER_LINK_H
#define SLUICE_DISPATCHER_SHELL_MAINTAINER_LINK_H

#include "common/runtime/transport.h"
#include "dispatcher/core/node/node_ports.h"

typedef struct {
    const char *control_endpoint, *status_endpoint; /* borrowed */
    node_id_t node;
    incarnation_t incarnation;
    zsock_t *control, *status;
    transport_monitor_t *control_monitor, *status_monitor;
} maintainer_link_t;

maintainer_link_t *maintainer_link_new(const char *control_endpoint, const char *status_endpoint,
                                       const node_id_t *node);
/* Closes the sockets; NULL is allowed. */
void maintainer_link_destroy(maintainer_link_t **link);

/* Connects (new sockets under the incarnation) and sends for the node's core; valid as long as the
 * link. */
link_port_t maintainer_link_port(maintainer_link_t *link);

/* Takes one message without waiting; it lives in the arena. SLUICE_ERROR_AGAIN: none there;
 * SLUICE_ERROR_MALFORMED: one was dropped. */
sluice_error_t maintainer_link_receive(maintainer_link_t *link, arena_t *arena,
                                       message_t *message) SLUICE_MUST_USE;

typedef struct {
    bool control_is_up, status_is_up; /* came up since the last call */
} link_changes_t;

link_changes_t maintainer_link_changes(maintainer_link_t *link);

#endif
