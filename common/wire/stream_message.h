/*
 * What a session and an event service say to each other (DESIGN §6): inside a process as it is,
 * between nodes as the two messages of the events socket. Included by common/wire/message.h.
 *
 * Ownership and threads: as there.
 */
#ifndef SLUICE_COMMON_WIRE_STREAM_MESSAGE_H
#define SLUICE_COMMON_WIRE_STREAM_MESSAGE_H

#include "common/wire/node_message.h"

typedef enum {
    STREAM_READY,        /* answer to REGISTER */
    STREAM_NOT_REUSABLE, /* answer of another node's service to REGISTER, or to RESET: it does not
                            hold what is wanted */
    STREAM_NOT_HELD,  /* answer of the node's own service to a REGISTER with others_first: it would
                         have to read the source again; the registration stays, READY comes when
                         it would not */
    STREAM_REMOVED,   /* the service does not know this dispatcher (any more) */
    STREAM_DROP,      /* data was shed: reset */
    STREAM_HANDSHAKE, /* sequence 1, opens the epoch */
    STREAM_ROWS,
    STREAM_DDL,
    STREAM_SYNCPOINT,
    STREAM_RESOLVED /* repeats the last sequence */
} stream_kind_t;

typedef enum {
    STREAM_REGISTER,
    STREAM_RESET, /* epoch, position: start sending behind it */
    STREAM_REMOVE,
    STREAM_HEARTBEAT, /* epoch, position.checkpoint: everything up to it may be forgotten for this
                         dispatcher */
    STREAM_CREDIT     /* credit_bytes of the epoch has grown; position.checkpoint as HEARTBEAT */
} stream_request_kind_t;

/* Who a request is from, as the service's owner numbers them; 0: the node's own sessions. */
typedef struct {
    uint32_t v;
} stream_peer_t;

#define STREAM_PEER_OWN ((stream_peer_t){0})

typedef struct {
    stream_request_kind_t kind;
    stream_peer_t peer; /* not on the wire: known by the connection */
    dispatcher_id_t dispatcher_id;
    span_t span;     /* REGISTER */
    pipeline_t mode; /* REGISTER */
    commit_ts_t
        created;     /* REGISTER: the DDL at this commit_ts is never delivered to this dispatcher */
    bool only_reuse; /* REGISTER at another node's service: only if nothing has to be read for it */
    bool others_first; /* REGISTER at the node's own: NOT_HELD rather than read the source again */
    uint64_t group_bytes_max; /* REGISTER at another node's service: where the sender's own reader
                                 cuts large transactions. Who cuts elsewhere sends no parts: those
                                 already forwarded could not be told from those to come */
    uint64_t epoch;
    position_t position;   /* REGISTER: where it would start now */
    uint64_t credit_bytes; /* RESET, CREDIT, HEARTBEAT: cost that may be sent in this epoch in all,
                              from its HANDSHAKE on; never smaller than said before in the epoch */
} stream_request_t;

#define STREAM_REQUESTS_MAX 2048

/* Session → service. */
typedef struct {
    changefeed_ref_t changefeed;
    const stream_request_t *requests;
    uint32_t request_count;
} stream_requests_t;

#define STREAM_EVENTS_MAX 2048
#define STREAM_DEFINITIONS_MAX 256 /* of one message */
#define STREAM_NO_DEFINITION UINT32_MAX
/* Of one event in one message. What is longer comes in pieces, one behind the other. */
#define STREAM_PIECE_BYTES_MAX (1024 * 1024)

/* One event, or a piece of one: all but the last say that it continues. */
typedef struct {
    stream_kind_t kind;
    dispatcher_id_t dispatcher_id;
    uint64_t epoch;
    uint64_t sequence;
    commit_ts_t commit_ts;
    wall_ms_t commit_time;
    uint32_t definition; /* ROWS: place in the message's list; else STREAM_NO_DEFINITION */
    bytes_t payload;     /* ROWS, DDL: encoded */
    uint32_t piece;      /* from 0 */
    bool continues;
} stream_message_event_t;

/* Service → session. Definitions are with every message that needs them, so that none depends on
 * another that may be lost. */
typedef struct {
    changefeed_ref_t changefeed;
    const bytes_t *definitions; /* encoded */
    uint32_t definition_count;
    const stream_message_event_t *events;
    uint32_t event_count;
} stream_events_t;

#endif
