/* Shared by node.c (the loop), node_http.c and node_metrics.c. Nobody else includes this. */
#ifndef SLUICE_DISPATCHER_SHELL_NODE_INTERNAL_H
#define SLUICE_DISPATCHER_SHELL_NODE_INTERNAL_H

#include "common/runtime/http_server.h"
#include "common/runtime/log.h"
#include "dispatcher/core/node/node_core.h"
#include "dispatcher/shell/events_sockets.h"
#include "dispatcher/shell/maintainer_link.h"
#include "dispatcher/shell/node.h"
#include "dispatcher/shell/node_host.h"

#define NODE_MACHINE_SIZE 128

struct node {
    node_options_t options;
    const settings_t *settings;
    node_id_t id;
    char machine[NODE_MACHINE_SIZE];
    int timer_fd;
    maintainer_link_t **links;
    uint32_t link_count;
    events_sockets_t *events;
    node_host_t *host;
    node_core_t *core;
    http_server_t *http;
    bool is_leaving;
    uint64_t watchdog_ns;
    mono_ns_t watchdog_at;
    log_limiter_t refused_limiter;
    uint64_t messages_refused; /* could not be understood */
};

/* node_http.c */
void node_handle_http(void *node, http_request_t *request);
void node_log_state(node_t *node);
/* Not understood, stale, or not for a node. */
uint64_t node_messages_dropped(const node_t *node);

/* node_metrics.c */
void node_respond_metrics(node_t *node, http_request_t **request);

#endif
