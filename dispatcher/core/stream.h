/*
 * The events that flow from an event service to a dispatcher's session (DESIGN §6), in the form
 * they have inside one process. Their kinds and the requests that go the other way are those of the
 * wire (common/wire/stream_message.h).
 *
 * Ownership: an event with a payload carries one reference; whoever takes the event gives it back
 * with stream_event_clear.
 */
#ifndef SLUICE_DISPATCHER_CORE_STREAM_H
#define SLUICE_DISPATCHER_CORE_STREAM_H

#include "dispatcher/core/ddl/ddl_event.h"
#include "dispatcher/core/transaction.h"

typedef struct {
    stream_kind_t kind;
    stream_peer_t peer; /* whose session it is for */
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

#endif
