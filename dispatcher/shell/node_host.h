/*
 * What a node's core asks of its process (node_ports.h): feeds and sinks of changefeeds with their
 * threads, pre-flight checks, lines of the log. Carries out, decides nothing.
 *
 * Threads: the protocol thread; what ends a changefeed is a thread of its own, behind this.
 */
#ifndef SLUICE_DISPATCHER_SHELL_NODE_HOST_H
#define SLUICE_DISPATCHER_SHELL_NODE_HOST_H

#include "common/runtime/settings.h"
#include "dispatcher/core/node/node_ports.h"

typedef struct node_host node_host_t;

/* `settings` are borrowed for its life. */
node_host_t *node_host_new(const settings_t *settings);
/* Waits for all threads; NULL is allowed. The core must be gone before. */
void node_host_destroy(node_host_t **host);

/* Valid as long as the host. */
host_port_t node_host_port(node_host_t *host);

/* At most so many descriptors to poll for input; their number is returned. `serves`: also for
 * events of other nodes' sessions. */
#define NODE_HOST_FDS_MAX 900
uint32_t node_host_fds(const node_host_t *host, bool serves, int fds[NODE_HOST_FDS_MAX]);
/* To be called when one of them is readable: what is not drained by the core itself. */
void node_host_drain(node_host_t *host);

#endif
