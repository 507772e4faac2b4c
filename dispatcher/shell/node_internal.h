/*
 * Shared by node.c (loop, stopping), node_messages.c (what maintainers say), node_changefeeds.c
 * (opening and closing) and node_http.c. Nobody else includes this.
 */
#ifndef SLUICE_DISPATCHER_SHELL_NODE_INTERNAL_H
#define SLUICE_DISPATCHER_SHELL_NODE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/runtime/http_server.h"
#include "common/runtime/log.h"
#include "dispatcher/core/node/changefeed_opening.h"
#include "dispatcher/shell/node.h"
#include "dispatcher/shell/node_changefeed.h"
#include "dispatcher/shell/preflight.h"

#define NODE_CHANGEFEEDS_MAX 256
#define NODE_PREFLIGHTS_MAX 8
#define NODE_HOST_SIZE 128

/* A changefeed on its way from open to gone. */
typedef struct {
    node_changefeed_t *changefeed; /* NULL once its end was begun by a thread */
    changefeed_ref_t ref;
    uint64_t maintainer_epoch;
    maintainer_link_t *link;
    bool is_stopping;
    bool answers_closed; /* the maintainer waits for CHANGEFEED_CLOSED */
    mono_ns_t give_up_at;
    node_changefeed_t *ending; /* what the thread destroys */
    pthread_t thread;
    bool has_thread;
    atomic_bool is_gone;
} open_changefeed_t;

struct node {
    node_options_t options;
    const settings_t *settings;
    node_id_t id;
    char host[NODE_HOST_SIZE];
    int preflight_fd, timer_fd;
    incarnation_t incarnation;
    maintainer_link_t **links;
    uint32_t link_count;
    mono_ns_t *heartbeat_at; /* by link */
    uint64_t heartbeat_sequence;
    mono_ns_t heartbeat_sent_at;
    open_changefeed_t *changefeeds[NODE_CHANGEFEEDS_MAX];
    uint32_t changefeed_count;
    changefeed_opening_t opening; /* one at a time: another one's first piece begins anew */
    preflight_t *preflights[NODE_PREFLIGHTS_MAX];
    maintainer_link_t *preflight_links[NODE_PREFLIGHTS_MAX];
    bool is_starting_again;
    bool is_leaving;
    uint32_t dispatchers_left;
    mono_ns_t leave_by;
    bool is_stopping; /* every changefeed is being closed, then the process ends */
    bool has_ended;   /* nothing runs any more */
    http_server_t *http;
    uint64_t watchdog_ns;
    mono_ns_t watchdog_at;
    log_limiter_t refused_limiter;
    uint64_t messages_dropped;
};

/* node_messages.c */
void node_handle_messages(node_t *node, maintainer_link_t *link, mono_ns_t now);
void node_say_hello(node_t *node, maintainer_link_t *link, mono_ns_t now);
void node_answer_preflights(node_t *node);
void node_send_closed(maintainer_link_t *link, changefeed_ref_t ref, uint64_t maintainer_epoch);

/* node_changefeeds.c */
open_changefeed_t *node_find(const node_t *node, changefeed_ref_t ref);
/* Any generation. */
open_changefeed_t *node_find_uuid(const node_t *node, changefeed_uuid_t uuid);
void node_open(node_t *node, maintainer_link_t *link, uint64_t maintainer_epoch,
               const changefeed_open_t *open, mono_ns_t now);
void node_close(open_changefeed_t *open, bool gracefully, mono_ns_t now);
/* Moves what is being closed on. */
void node_reap(node_t *node, mono_ns_t now);
mono_ns_t node_reap_deadline(const node_t *node, mono_ns_t now);
uint32_t node_dispatchers(const node_t *node);

/* node_http.c */
void node_handle_http(void *node, http_request_t *request);
void node_log_state(node_t *node);

#endif
