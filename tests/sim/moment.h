/*
 * Moments at which something becomes visible from outside a process: what was sent, delivered,
 * persisted, done in the sink. Checkers judge them, named cases wait for them.
 *
 * Threads: values, valid during the call.
 */
#ifndef SLUICE_TESTS_SIM_MOMENT_H
#define SLUICE_TESTS_SIM_MOMENT_H

#include "common/wire/message.h"
#include "dispatcher/core/stream.h"
#include "maintainer/core/effects.h"

typedef struct sim_process sim_process_t;

typedef enum {
    /* network: `message`, `from`, `to` */
    SIM_SENT,      /* left the process, may still be lost */
    SIM_DELIVERED, /* taken from its inbox by the receiver, about to be handled */
    /* a node's sessions and its own event service: `request` of `from`; `event` for `to` */
    SIM_ASKED,
    SIM_TOLD,
    /* meta store: `from` is the maintainer; `effect` */
    SIM_PERSISTING, /* about to be durable: a crash now loses it */
    SIM_PERSISTED,  /* durable */
    SIM_LOGGED,     /* a maintainer's line: `effect` */
    /* sink: `from` is the node whose connection did it (it may be dead by now) */
    SIM_CLAIMED,       /* `dispatcher_id`, `table_id`, `epoch`, `commit_ts`: progress found */
    SIM_CLAIM_REFUSED, /* a higher epoch is there */
    SIM_ROWS_SENDING,  /* a transaction of `table_id` is about to be committed, up to `commit_ts` */
    SIM_ROWS_COMMITTED, /* `table_id`, `commit_ts` */
    SIM_DDL_LOCKING,    /* `key`, before the lock is asked for */
    SIM_DDL_BEFORE,     /* the record "before" is written */
    SIM_DDL_RAN,        /* executed, the record "after" not yet written */
    SIM_DDL_AFTER,      /* the record "after" is written */
    SIM_SYNCPOINT,      /* `key` inserted */
    SIM_NOT_OWNER       /* a call was refused: `table_id`, `key` or `commit_ts` */
} sim_moment_kind_t;

/* "ddl ran": for traces. */
const char *sim_moment_name(sim_moment_kind_t kind);

typedef struct {
    sim_moment_kind_t kind;
    sim_process_t *from, *to;
    const message_t *message;
    const effect_t *effect;
    const stream_request_t *request;
    const stream_event_t *event;
    changefeed_ref_t changefeed;
    dispatcher_id_t dispatcher_id;
    assignment_epoch_t epoch;
    table_id_t table_id;
    event_key_t key;
    commit_ts_t commit_ts;
} sim_moment_t;

#endif
