/*
 * The node's two sockets to one maintainer endpoint, and what it knows of that process: whether the
 * link is up, whether hello was answered, the lease. Messages get their header here.
 *
 * Threads: the protocol thread.
 */
#ifndef SLUICE_DISPATCHER_SHELL_MAINTAINER_LINK_H
#define SLUICE_DISPATCHER_SHELL_MAINTAINER_LINK_H

#include "common/runtime/transport.h"
#include "dispatcher/core/node/node_lease.h"

typedef struct {
    const char *control_endpoint, *status_endpoint; /* borrowed */
    node_id_t node;
    incarnation_t incarnation;
    zsock_t *control, *status;
    transport_monitor_t *control_monitor, *status_monitor;
    bool is_welcome; /* hello was answered */
    hello_response_t settings;
    node_lease_t lease;
    mono_ns_t hello_at; /* next repeat */
    uint64_t dropped;   /* messages that could not be understood */
} maintainer_link_t;

maintainer_link_t *maintainer_link_new(const char *control_endpoint, const char *status_endpoint,
                                       const node_id_t *node);
/* Closes the sockets; NULL is allowed. */
void maintainer_link_destroy(maintainer_link_t **link);

/* Opens new sockets under an incarnation; what the old ones held is dropped. */
sluice_error_t maintainer_link_connect(maintainer_link_t *link, incarnation_t incarnation,
                                       error_report_t *report) SLUICE_MUST_USE;

/* Fill the header but for type and maintainer_epoch (and sequence), encode and send without
 * waiting. SLUICE_ERROR_AGAIN: no peer, or its queue is full. */
sluice_error_t maintainer_link_send_control(maintainer_link_t *link,
                                            message_t *message) SLUICE_MUST_USE;
sluice_error_t maintainer_link_send_status(maintainer_link_t *link,
                                           message_t *message) SLUICE_MUST_USE;

/* Takes one message without waiting; it lives in the arena. SLUICE_ERROR_AGAIN: none there;
 * SLUICE_ERROR_MALFORMED: one was dropped. */
sluice_error_t maintainer_link_receive(maintainer_link_t *link, arena_t *arena,
                                       message_t *message) SLUICE_MUST_USE;

typedef struct {
    bool control_is_up, status_is_up; /* came up since the last call */
} link_changes_t;

link_changes_t maintainer_link_changes(maintainer_link_t *link);

#endif
