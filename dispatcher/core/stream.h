/*
 * What flows between an event service and a dispatcher's session (DESIGN §6), in the form it has
 * inside one process. The remote form is the same with payloads encoded.
 *
 * Ownership: an event with a payload carries one reference; whoever takes the event gives it back
 * with stream_event_clear.
 */
#ifndef SLUICE_DISPATCHER_CORE_STREAM_H
#define SLUICE_DISPATCHER_CORE_STREAM_H

#include "dispatcher/core/ddl/ddl_event.h"
#include "dispatcher/core/transaction.h"

typedef enum {
    STREAM_READY,        /* answer to REGISTER */
    STREAM_NOT_REUSABLE, /* answer to an only-reuse REGISTER */
    STREAM_REMOVED,      /* the service does not know this dispatcher (any more) */
    STREAM_DROP,         /* data was shed: reset */
    STREAM_HANDSHAKE,    /* sequence 1, opens the epoch */
    STREAM_ROWS,
    STREAM_DDL,
    STREAM_SYNCPOINT,
    STREAM_RESOLVED /* repeats the last sequence */
} stream_kind_t;

typedef struct {
    stream_kind_t kind;
    dispatcher_id_t dispatcher_id;
    uint64_t epoch;
    uint64_t sequence;
    commit_ts_t commit_ts; /* HANDSHAKE: start; RESOLVED: resolved_ts */
    wall_ms_t commit_time;
    transaction_t *transaction; /* ROWS: one reference */
    const table_rows_t *rows;   /* ROWS: inside the transaction */
    ddl_event_t *ddl;           /* DDL: one reference */
} stream_event_t;

void stream_event_clear(stream_event_t *event);

/* What an event takes from its stream's credit: the bytes it keeps alive for ROWS and DDL, 0 for
 * everything else. Service and session count with this same function. */
uint64_t stream_event_cost(const stream_event_t *event);

typedef enum {
    STREAM_REGISTER,
    STREAM_RESET, /* epoch, position: start sending behind it */
    STREAM_REMOVE,
    STREAM_HEARTBEAT, /* epoch, position.checkpoint: everything up to it may be forgotten for this
                         dispatcher */
    STREAM_CREDIT     /* credit_bytes of the epoch has grown; position.checkpoint as HEARTBEAT */
} stream_request_kind_t;

typedef struct {
    stream_request_kind_t kind;
    dispatcher_id_t dispatcher_id;
    span_t span;     /* REGISTER */
    pipeline_t mode; /* REGISTER */
    commit_ts_t
        created;     /* REGISTER: the DDL at this commit_ts is never delivered to this dispatcher */
    bool only_reuse; /* REGISTER */
    uint64_t epoch;
    position_t position;
    uint64_t credit_bytes; /* RESET, CREDIT, HEARTBEAT: cost that may be sent in this epoch in all,
                              from its HANDSHAKE on; never smaller than said before in the epoch */
} stream_request_t;

#endif
