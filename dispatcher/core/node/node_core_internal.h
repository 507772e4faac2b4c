/*
 * Shared by node_core.c (links, leaving), node_messages.c (what maintainers say), node_events.c
 * (other nodes), node_checks.c (pre-flight) and node_changefeeds.c (opening and closing). Nobody
 * else includes this.
 */
#ifndef SLUICE_DISPATCHER_CORE_NODE_NODE_CORE_INTERNAL_H
#define SLUICE_DISPATCHER_CORE_NODE_NODE_CORE_INTERNAL_H

#include "dispatcher/core/node/changefeed_opening.h"
#include "dispatcher/core/node/node_core.h"

/* A changefeed on its way from open to gone. */
typedef struct {
    node_changefeed_t *changefeed; /* NULL once the host was told to end it */
    void *hosted;
    changefeed_ref_t ref;
    uint64_t maintainer_epoch;
    node_link_t *link;
    bool is_stopping;
    bool answers_closed; /* the maintainer waits for CHANGEFEED_CLOSED */
    bool is_removed;     /* the sink is to forget it */
    mono_ns_t give_up_at;
} open_changefeed_t;

/* The newest maintainer of a changefeed that this node has listened to, also when it has closed it
 * since: an earlier one that wakes must not get it opened again. */
typedef struct {
    changefeed_uuid_t uuid;
    uint64_t maintainer_epoch;
} followed_epoch_t;

typedef struct {
    bool is_used;
    uint64_t check_id;
    node_link_t *link; /* that waits for the answer; NULL: it has it */
} node_check_t;

struct node_core {
    const char *machine, *version;
    node_settings_t settings;
    host_port_t host;
    events_port_t events;
    node_others_t others; /* nothing in it without an events endpoint */
    incarnation_t incarnation;
    node_link_t *links;
    uint32_t link_count;
    uint64_t heartbeat_sequence;
    mono_ns_t heartbeat_sent_at;
    open_changefeed_t *changefeeds[NODE_CHANGEFEEDS_MAX];
    uint32_t changefeed_count;
    followed_epoch_t followed[NODE_CHANGEFEEDS_MAX]; /* the oldest makes room */
    uint32_t followed_next;
    changefeed_opening_t opening; /* one at a time: another one's first piece begins anew */
    node_check_t checks[NODE_CHECKS_MAX];
    bool is_starting_again;
    bool is_leaving;
    uint32_t dispatchers_left;
    mono_ns_t leave_by;
    bool is_stopping; /* every changefeed is being closed, then the node ends */
    bool has_stopped; /* nothing runs any more */
    uint64_t messages_dropped;
};

/* node_core.c */
void node_say_hello(node_core_t *core, node_link_t *link, mono_ns_t now);
uint32_t node_dispatchers(const node_core_t *core);

/* node_events.c */
bool node_has_others(const node_core_t *core);
/* A new life: nothing of the one before is left. */
void node_others_start(node_core_t *core);
void node_run_others(node_core_t *core, mono_ns_t now);
mono_ns_t node_others_deadline(const node_core_t *core);

/* node_checks.c */
void node_begin_check(node_core_t *core, node_link_t *link, const check_request_t *request);
void node_answer_checks(node_core_t *core);

/* node_changefeeds.c */
open_changefeed_t *node_find(const node_core_t *core, changefeed_ref_t ref);
void node_open(node_core_t *core, node_link_t *link, uint64_t maintainer_epoch,
               const changefeed_open_t *open, mono_ns_t now);
/* CHANGEFEED_CLOSE. */
void node_close_as_told(node_core_t *core, node_link_t *link, uint64_t maintainer_epoch,
                        const changefeed_close_t *close, mono_ns_t now);
void node_close(open_changefeed_t *open, bool gracefully, mono_ns_t now);
/* A maintainer of that epoch was listened to. */
void node_follow(node_core_t *core, changefeed_uuid_t uuid, uint64_t maintainer_epoch);
/* Moves what is being closed on. */
void node_reap(node_core_t *core, mono_ns_t now);
mono_ns_t node_reap_deadline(const node_core_t *core, mono_ns_t now);

#endif
