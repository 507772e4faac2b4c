/*
 * Sessions of other nodes that read from this node's event services: who they are, and the events
 * that are on their way to them (DESIGN §6; ORACLE §4, event streams).
 *
 * A peer is one incarnation of another node. Events wait here for its socket, at most about
 * REMOTE_SESSIONS_BYTES_MAX of memory for each; from there on it is full, has_room says no, and the
 * services give out nothing for other nodes, until less than half of that waits for it. A peer that
 * stays full for REMOTE_SESSIONS_STALLED_NS, whatever it takes meanwhile, or is not there, loses
 * what waits for it, and the services are told to forget the sessions concerned: they ask again by
 * themselves. So one slow peer holds the others up for that long at most.
 *
 * Limits: REMOTE_PEERS_MAX peers; one more makes room by the one that was silent longest, if that
 * was for REMOTE_PEER_SILENCE_NS, and is not heard otherwise.
 *
 * Threads: the node's one. Pure.
 */
#ifndef SLUICE_DISPATCHER_CORE_NODE_REMOTE_SESSIONS_H
#define SLUICE_DISPATCHER_CORE_NODE_REMOTE_SESSIONS_H

#include "dispatcher/core/node/events_port.h"
#include "dispatcher/core/stream.h"

#define REMOTE_PEERS_MAX 64
#define REMOTE_SESSIONS_BYTES_MAX (UINT64_C(8) << 20)
#define REMOTE_SESSIONS_STALLED_NS (2 * NS_PER_S)
#define REMOTE_PEER_SILENCE_NS (60 * NS_PER_S)

typedef struct remote_sessions remote_sessions_t;

remote_sessions_t *remote_sessions_new(const events_port_t *port);
/* NULL is allowed. */
void remote_sessions_destroy(remote_sessions_t **sessions);

/* The number of a peer that is heard now; STREAM_PEER_OWN: there is no room for it. */
stream_peer_t remote_sessions_hear(remote_sessions_t *sessions, const node_id_t *node,
                                   incarnation_t incarnation, mono_ns_t now);

/* An event for a session of the peer it names; consumed. Of an unknown peer it is dropped. */
void remote_sessions_give(remote_sessions_t *sessions, changefeed_ref_t changefeed,
                          stream_event_t *event);
/* Whether the services may give out more. */
bool remote_sessions_has_room(const remote_sessions_t *sessions);

/* Sends what can be sent, under the node's own incarnation. */
void remote_sessions_send(remote_sessions_t *sessions, incarnation_t own, mono_ns_t now);
mono_ns_t remote_sessions_next_deadline(const remote_sessions_t *sessions);

/* The next REMOVE that the service of a changefeed is owed, since its events were lost; false:
 * none.
 */
bool remote_sessions_take_removed(remote_sessions_t *sessions, changefeed_ref_t *changefeed,
                                  stream_request_t *request);

/* The node starts again: nothing of this life is sent. */
void remote_sessions_reset(remote_sessions_t *sessions);

typedef struct {
    uint64_t messages, bytes; /* handed to the socket; bytes about */
    uint64_t given_up;        /* events that were lost here */
} remote_sessions_counters_t;

remote_sessions_counters_t remote_sessions_counters(const remote_sessions_t *sessions);

#endif
