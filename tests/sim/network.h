/*
 * The wires between nodes and maintainers: per pair a status socket (node to maintainer) and a
 * control socket (both ways); and from a node to each other one that it reads events from. They are
 * as ZeroMQ behaves (ORACLE §4). What is sent on a connection arrives
 * in order or is lost; what dies with a connection is lost without an error; a sender learns of a
 * dead peer late; a full queue is an error.
 *
 * Messages go through the real codec.
 *
 * Threads: one.
 */
#ifndef SLUICE_TESTS_SIM_NETWORK_H
#define SLUICE_TESTS_SIM_NETWORK_H

#include "common/wire/message.h"
#include "tests/sim/world_internal.h"

typedef enum {
    SIM_STATUS_UP,
    SIM_CONTROL_UP,
    SIM_CONTROL_DOWN,
    SIM_LINK_WIRES,                 /* between a node and a maintainer */
    SIM_EVENTS_UP = SIM_LINK_WIRES, /* sessions of a node to another one's services */
    SIM_EVENTS_DOWN,
    SIM_WIRE_COUNT
} sim_wire_t;

sim_network_t *sim_network_new(sim_world_t *world);
void sim_network_destroy(sim_network_t **network);

/* ---- for node and maintainer processes ---- */

/* Node → maintainer. The header is complete. SLUICE_ERROR_AGAIN: no connection, or full. */
sluice_error_t sim_network_send_up(sim_process_t *node, sim_process_t *maintainer, sim_wire_t wire,
                                   const message_t *message);
/* Maintainer → that incarnation of a node. No such peer: forgotten. */
void sim_network_send_down(sim_process_t *maintainer, const node_id_t *node,
                           incarnation_t incarnation, const message_t *message);
/* Takes the oldest message of the inbox, decoded into the arena; false: none. `from` is who sent
 * it. */
bool sim_network_take(sim_process_t *process, arena_t *arena, message_t *message,
                      sim_process_t **from);
/* The node's sockets are new ones, under this incarnation. */
void sim_network_connect(sim_process_t *node, sim_process_t *maintainer, incarnation_t incarnation);
/* Whether the wire came up since the last call. */
bool sim_network_came_up(sim_process_t *node, sim_process_t *maintainer, sim_wire_t wire);

/* The events socket of a node to another one's: connects, under this incarnation, and ends. */
void sim_network_read_from(sim_process_t *client, sim_process_t *server, incarnation_t incarnation);
void sim_network_leave(sim_process_t *client, sim_process_t *server);
/* Whether the connection came up or broke since the last call, and how it is now. */
bool sim_network_link_changed(sim_process_t *client, sim_process_t *server, bool *is_up);
/* SLUICE_ERROR_AGAIN: no connection, or full. */
sluice_error_t sim_network_send_requests(sim_process_t *client, sim_process_t *server,
                                         const message_t *message);
/* Further SLUICE_ERROR_NOT_FOUND: that life of the node is not connected. */
sluice_error_t sim_network_send_events(sim_process_t *server, const node_id_t *node,
                                       incarnation_t incarnation, const message_t *message);

/* ---- for process.c ---- */

void sim_network_process_started(sim_process_t *process);
void sim_network_process_ended(sim_process_t *process);
void sim_network_process_stopped(sim_process_t *process);
void sim_network_process_continued(sim_process_t *process);

/* ---- faults ---- */

typedef struct {
    uint32_t loss;         /* of a thousand messages */
    uint32_t duplication;  /* of a thousand */
    uint64_t delay_max_ns; /* of one message */
    uint32_t slow;         /* of a thousand: delayed up to a hundred times as long */
    bool overtakes;        /* statuses, heartbeats and their answers need not keep their order */
    uint32_t queue_max;    /* messages accepted and not yet read, per wire */
} sim_network_rates_t;

sim_network_rates_t *sim_network_rates(sim_world_t *world);

/* Nothing gets through on the wires of the mask (1 << sim_wire_t) until joined: lost at once
 * (`holds` false) or held back and delivered then. Connections are kept. */
void sim_network_cut(sim_world_t *world, int node, int maintainer, unsigned wires, bool holds);
void sim_network_join(sim_world_t *world, int node, int maintainer);
/* The connections of this pair break: what is on its way is lost, or with `keeps_backlog` comes
 * again after they are back. */
/* The same for what one node reads from another: cut for longer than the transport's heartbeats
 * the connection breaks. */
void sim_network_cut_readers(sim_world_t *world, int client, int server, bool holds);
void sim_network_join_readers(sim_world_t *world, int client, int server);
void sim_network_reset_readers(sim_world_t *world, int client, int server);
void sim_network_reset(sim_world_t *world, int node, int maintainer, bool keeps_backlog);

#endif
