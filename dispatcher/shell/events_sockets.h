/*
 * The sockets between nodes (DESIGN §2, events): a ROUTER that other nodes' sessions connect to,
 * and a DEALER for each node whose event services are read. Messages get version and sender here.
 *
 * What comes in must name who sent it as the socket knows it. What cannot be understood is dropped
 * and told to the caller, who counts it.
 *
 * Threads: the protocol thread.
 */
#ifndef SLUICE_DISPATCHER_SHELL_EVENTS_SOCKETS_H
#define SLUICE_DISPATCHER_SHELL_EVENTS_SOCKETS_H

#include "common/runtime/transport.h"
#include "dispatcher/core/node/events_port.h"
#include "dispatcher/core/node/remote_services.h"

typedef struct events_sockets events_sockets_t;

typedef struct {
    const char *bind;      /* ""; or where other nodes connect: tcp://host:port, ipc://path */
    const char *advertise; /* what they are told; "": the bound one */
    bool insecure;
    const node_id_t *node; /* borrowed for the sockets' life, as the texts are */
} events_sockets_options_t;

events_sockets_t *events_sockets_new(const events_sockets_options_t *options);
/* Closes; NULL is allowed. */
void events_sockets_destroy(events_sockets_t **sockets);

/* Binds, if that is configured. SLUICE_ERROR_CONFIGURATION, SLUICE_ERROR_IO: see transport_bind;
 * also when all addresses are bound and it is not said which one others may use. */
sluice_error_t events_sockets_open(events_sockets_t *sockets,
                                   error_report_t *report) SLUICE_MUST_USE;

/* Valid as long as the sockets; its endpoint is right once they are open. */
events_port_t events_sockets_port(events_sockets_t *sockets);

#define EVENTS_SOCKETS_POLL_MAX (1 + 2 * REMOTE_SERVICES_MAX)
/* Items to poll for input; returns how many. */
int events_sockets_poll(const events_sockets_t *sockets,
                        zmq_pollitem_t items[EVENTS_SOCKETS_POLL_MAX]);

typedef enum {
    EVENTS_NOTHING, /* no more for now */
    EVENTS_REFUSED, /* a message could not be understood, or named somebody else */
    EVENTS_REQUEST, /* of another node's session */
    EVENTS_ANSWER,  /* of the service of `slot` */
    EVENTS_UP,      /* the connection to it */
    EVENTS_DOWN
} events_input_t;

/* Takes the next one without waiting; a message lives in the arena. */
events_input_t events_sockets_take(events_sockets_t *sockets, arena_t *arena, message_t *message,
                                   uint32_t *slot);

#endif
