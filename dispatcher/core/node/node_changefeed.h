/*
 * One changefeed on this node: sessions and dispatchers, what goes between them, its feed and its
 * sink, and what the maintainer must know of it.
 *
 * Threads: the node's one.
 */
#ifndef SLUICE_DISPATCHER_CORE_NODE_NODE_CHANGEFEED_H
#define SLUICE_DISPATCHER_CORE_NODE_NODE_CHANGEFEED_H

#include "dispatcher/core/dispatch/dispatcher_set.h"
#include "dispatcher/core/node/node_link.h"
#include "dispatcher/core/node/remote_services.h"
#include "dispatcher/core/node/remote_sessions.h"
#include "dispatcher/core/session_set.h"

typedef struct node_changefeed node_changefeed_t;

typedef struct {
    /* The maintainer's resend interval counts if it names one. */
    dispatcher_set_options_t dispatchers;
    session_options_t session;
    /* Another node's service must have read to at most so long before what is wanted of it. */
    uint64_t candidate_lag_ms;
} node_settings_t;

/* What a node has for reading from others and serving them; borrowed. */
typedef struct {
    remote_services_t *services;
    remote_sessions_t *sessions;
    incarnation_t own; /* of now */
} node_others_t;

typedef struct {
    const node_settings_t *settings;
    const host_port_t *host;     /* borrowed for its life */
    const node_others_t *others; /* likewise; NULL: it has nothing to do with other nodes */
    node_link_t *link;           /* likewise, the one it listens to */
    uint64_t maintainer_epoch;
} node_changefeed_options_t;

/* Has the host open feed and sink. Else the report says why not. */
sluice_error_t node_changefeed_open(const node_changefeed_options_t *options,
                                    const changefeed_open_t *open, node_changefeed_t **changefeed,
                                    error_report_t *report) SLUICE_MUST_USE;
/* Lets go of feed and sink, which stay open: host_port_t.begin_close ends them. NULL is allowed. */
void node_changefeed_destroy(node_changefeed_t **changefeed);

changefeed_ref_t node_changefeed_ref(const node_changefeed_t *changefeed);
const char *node_changefeed_name(const node_changefeed_t *changefeed);
node_link_t *node_changefeed_link(const node_changefeed_t *changefeed);
/* Its name at the host. */
void *node_changefeed_hosted(const node_changefeed_t *changefeed);
uint64_t node_changefeed_epoch(const node_changefeed_t *changefeed);
uint32_t node_changefeed_dispatchers(const node_changefeed_t *changefeed);

/* SCHEDULE_REQUEST, BOOTSTRAP_REQUEST, HEARTBEAT_RESPONSE, SCHEMA_SNAPSHOT_ACK of this changefeed
 * that came over `link`. False: of a maintainer that is not its own (any more), ignored. */
bool node_changefeed_handle(node_changefeed_t *changefeed, node_link_t *link,
                            const message_t *message, mono_ns_t now);
/* A maintainer opens it again: a newer epoch is taken over. False: an older one. */
bool node_changefeed_reopen(node_changefeed_t *changefeed, node_link_t *link,
                            uint64_t maintainer_epoch, mono_ns_t now);
/* Its link came up: what is unacknowledged is offered again. */
void node_changefeed_link_up(node_changefeed_t *changefeed, mono_ns_t now);

/* Takes in what there is, does what is due, and carries out what comes of it. True: there is more
 * at once. */
bool node_changefeed_run(node_changefeed_t *changefeed, mono_ns_t now);
mono_ns_t node_changefeed_next_deadline(const node_changefeed_t *changefeed);

/* ---- other nodes ---- */

/* A request of another node's session. */
void node_changefeed_request(node_changefeed_t *changefeed, const stream_request_t *request);
/* Events that another node's service sent; they are consumed. */
void node_changefeed_hear(node_changefeed_t *changefeed, service_id_t service,
                          const stream_events_t *message, mono_ns_t now);
/* Another node's service cannot be reached any more; its connection came up. */
void node_changefeed_service_gone(node_changefeed_t *changefeed, service_id_t service,
                                  mono_ns_t now);
void node_changefeed_service_up(node_changefeed_t *changefeed, service_id_t service, mono_ns_t now);
/* Moves events for other nodes' sessions on as long as there is room. */
void node_changefeed_serve(node_changefeed_t *changefeed);

/* Sends its heartbeat under the process's sequence. */
void node_changefeed_heartbeat(node_changefeed_t *changefeed, uint64_t sequence, mono_ns_t now);

/* Whether a heartbeat should go out at once. */
bool node_changefeed_has_news(const node_changefeed_t *changefeed);

/* No new work: `gracefully` lets dispatchers finish what they have told the sink to write. */
void node_changefeed_stop(node_changefeed_t *changefeed, bool gracefully, mono_ns_t now);
/* No dispatcher is left. */
bool node_changefeed_is_idle(const node_changefeed_t *changefeed);

typedef struct {
    uint32_t dispatchers;
    commit_ts_t checkpoint, resolved;
    uint64_t rows, bytes, ddls;
    bool is_sink_connected, is_caught_up;
    sluice_error_t error;
    char error_text[ERROR_REPORT_TEXT_MAX];
    status_path_state_t statuses;
    event_feed_state_t feed;
    session_counters_t sessions;
} node_changefeed_state_t;

void node_changefeed_state(node_changefeed_t *changefeed, node_changefeed_state_t *state);

#endif
