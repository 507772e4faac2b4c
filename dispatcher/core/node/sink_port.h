/*
 * How a node's core reaches the sink of one changefeed: lanes, one a run of a dispatcher, to which
 * it gives claims, rows, DDLs and sync points, and whose completions it takes. The shell binds it
 * to the sink pool (threads), the simulator to a simulated sink.
 *
 * Rows of a lane are written in the order given; after an error, or when cancelled, nothing more of
 * it is started and what is left is answered with SLUICE_ERROR_CLOSED. No call of the sink is
 * started after the lease has ended.
 *
 * Threads: the node's one; nothing blocks.
 */
#ifndef SLUICE_DISPATCHER_CORE_NODE_SINK_PORT_H
#define SLUICE_DISPATCHER_CORE_NODE_SINK_PORT_H

#include "common/base/error.h"
#include "common/base/time.h"
#include "dispatcher/core/ddl/ddl_event.h"
#include "dispatcher/core/transaction.h"

/* One span as its present owner sees it. Borrowed. */
typedef struct {
    span_t span;
    pipeline_t mode;
    assignment_epoch_t epoch;
    commit_ts_t checkpoint; /* known to the maintainer when the span was given out */
} sink_claim_t;

typedef enum { SINK_CLAIMED, SINK_WRITTEN, SINK_EXECUTED } sink_completion_kind_t;

typedef struct {
    sink_completion_kind_t kind;
    dispatcher_id_t dispatcher_id;
    uint64_t run;
    uint32_t count; /* WRITTEN: oldest so many */
    sluice_error_t error;
    commit_ts_t progress; /* CLAIMED */
} sink_completion_t;

typedef struct {
    uint64_t rows, bytes, ddls;
    bool is_connected;                /* a worker has reached the sink, and none is retrying */
    sluice_error_t error;             /* first that ended a lane; SLUICE_OK: none */
    sluice_error_t retrying;          /* what a worker tries to get over; SLUICE_OK: nothing */
    char text[ERROR_REPORT_TEXT_MAX]; /* of `error`, else of `retrying`, or "" */
} sink_pool_state_t;

typedef struct {
    void *self; /* first argument of everything */
    /* Opens a lane and claims its span. Keys of the span are copied. */
    void (*claim)(void *self, dispatcher_id_t dispatcher_id, uint64_t run,
                  const sink_claim_t *claim);
    /* Appends rows to a lane; `transaction` is one reference, taken. Unknown lanes: dropped. */
    void (*write)(void *self, uint64_t run, transaction_t *transaction, const table_rows_t *rows);
    /* One DDL at a time a lane; `ddl` is one reference, taken. */
    void (*run_ddl)(void *self, uint64_t run, ddl_event_t *ddl);
    void (*write_syncpoint)(void *self, uint64_t run, commit_ts_t commit_ts);
    void (*cancel)(void *self, uint64_t run);
    /* The lane is over; nothing of it may be outstanding. */
    void (*close_lane)(void *self, uint64_t run);
    /* Everything on this node is durable up to `resolved`; the newest counts. */
    void (*watermark)(void *self, commit_ts_t resolved);
    /* Records up to `persisted` may go; the newest counts. */
    void (*clean_up)(void *self, commit_ts_t persisted);
    /* Sink calls may be started until then. */
    void (*set_lease)(void *self, mono_ns_t until);
    /* Moves up to `max` completions out; 0: none left. */
    uint32_t (*take)(void *self, sink_completion_t *completions, uint32_t max);
    void (*state)(void *self, sink_pool_state_t *state);
} sink_port_t;

#endif
