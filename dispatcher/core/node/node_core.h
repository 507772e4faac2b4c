/*
 * A node as one pure step: its links to maintainers (hello, heartbeats, lease), the changefeeds
 * that run here, pre-flight checks, starting again when it was called absent, and leaving in order
 * (DESIGN §2, §4, §5).
 *
 * Use: node_core_start once; hand in every message and every connection that came up, then
 * node_core_run once, with one reading of the clock. Run again when something comes in, when a feed
 * or a sink has something to take, when a check or the closing of a changefeed has ended, at
 * node_core_next_deadline, and at once when it says that there is more.
 *
 * Threads: one. Memory: arguments are copied unless said otherwise.
 */
#ifndef SLUICE_DISPATCHER_CORE_NODE_NODE_CORE_H
#define SLUICE_DISPATCHER_CORE_NODE_NODE_CORE_H

#include "dispatcher/core/node/events_port.h"
#include "dispatcher/core/node/node_changefeed.h"

/* A changefeed more is answered with an error. */
#define NODE_CHANGEFEEDS_MAX 256

typedef struct node_core node_core_t;

typedef struct {
    const char *machine, *version; /* for hello; borrowed */
    incarnation_t incarnation;
    node_settings_t settings;
    const link_port_t *links;
    uint32_t link_count;
    host_port_t host;
    events_port_t events; /* without an endpoint it has nothing to do with other nodes */
} node_core_options_t;

node_core_t *node_core_new(const node_core_options_t *options);
/* Leaves to the host what is open there. NULL is allowed. */
void node_core_destroy(node_core_t **core);

/* Connects all links. */
sluice_error_t node_core_start(node_core_t *core, error_report_t *report) SLUICE_MUST_USE;

/* A message that came over a link. What is stale, unknown or not for a node is counted and dropped.
 * Borrows the message for the call. */
void node_core_receive(node_core_t *core, uint32_t link, const message_t *message, mono_ns_t now);

typedef enum { NODE_LINK_CONTROL, NODE_LINK_STATUS } node_connection_t;

/* A connection of a link came (back) up. */
void node_core_link_up(node_core_t *core, uint32_t link, node_connection_t connection,
                       mono_ns_t now);

/* ---- other nodes (events_port.h) ---- */

/* A message from another node's session, over our events socket; whoever binds the port has checked
 * that the header's sender is who sent it. Borrowed for the call. */
void node_core_serve(node_core_t *core, const message_t *message, mono_ns_t now);
/* Whether events for other nodes' sessions are taken from the feeds now: else their being there is
 * no reason to run. */
bool node_core_serves(const node_core_t *core);
/* A message from the service of a slot. */
void node_core_hear(node_core_t *core, uint32_t slot, const message_t *message, mono_ns_t now);
/* The connection to it came up, or broke. */
void node_core_service_link(node_core_t *core, uint32_t slot, bool is_up, mono_ns_t now);

/* Takes in what feeds and sinks have, does what is due. *has_more: run again at once. An error (a
 * link could not be connected anew) ends the node. */
sluice_error_t node_core_run(node_core_t *core, mono_ns_t now, bool *has_more,
                             error_report_t *report) SLUICE_MUST_USE;
/* When it must run at the latest. */
mono_ns_t node_core_next_deadline(const node_core_t *core, mono_ns_t now);

/* Hands its spans over, then closes everything; node_core_has_ended when that is done. */
void node_core_leave(node_core_t *core, mono_ns_t now);
/* Nothing runs, and what was said last had time to go out. */
bool node_core_has_ended(const node_core_t *core, mono_ns_t now);

/* ---- views ---- */

typedef struct {
    incarnation_t incarnation;
    uint32_t links_welcome; /* maintainers that know it */
    uint32_t dispatchers;
    uint64_t messages_dropped;
    bool is_leaving;
    remote_services_state_t services;    /* of other nodes that are read */
    remote_sessions_counters_t sessions; /* of other nodes that are served */
} node_core_state_t;

node_core_state_t node_core_state(const node_core_t *core);

uint32_t node_core_changefeed_count(const node_core_t *core);
/* NULL: that one is being closed. Until the next call that is not a view. */
node_changefeed_t *node_core_changefeed(const node_core_t *core, uint32_t index);

#endif
