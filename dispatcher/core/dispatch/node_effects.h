/*
 * What the dispatchers of a changefeed want done on their node, as data, in the order in which it
 * must happen. The shell carries them out and decides nothing.
 *
 * `run` tells one life of a dispatcher from another with the same id; answers carry it back.
 *
 * Ownership: the list owns one reference of each transaction and DDL in it; who carries an effect
 * out may take the reference by setting the pointer to NULL. Keys of a span are borrowed from the
 * dispatcher until the next call into its set.
 *
 * Threads: one at a time.
 */
#ifndef SLUICE_DISPATCHER_CORE_DISPATCH_NODE_EFFECTS_H
#define SLUICE_DISPATCHER_CORE_DISPATCH_NODE_EFFECTS_H

#include "dispatcher/core/ddl/ddl_event.h"
#include "dispatcher/core/transaction.h"

typedef enum {
    NODE_EFFECT_CLAIM,           /* sink: open a lane for the run and claim the span */
    NODE_EFFECT_OPEN_SESSION,    /* from `position`; `created` */
    NODE_EFFECT_CLOSE_SESSION,   /* */
    NODE_EFFECT_RETURN_CREDIT,   /* `bytes` of delivered events need no memory any more */
    NODE_EFFECT_WRITE_ROWS,      /* sink: `transaction`, `rows` */
    NODE_EFFECT_RUN_DDL,         /* sink: `ddl` */
    NODE_EFFECT_WRITE_SYNCPOINT, /* sink: `commit_ts` */
    NODE_EFFECT_CANCEL,          /* sink: start nothing more of this run; answer what is left */
    NODE_EFFECT_CLOSE_LANE,      /* sink: the run is over, nothing of it is outstanding */
    NODE_EFFECT_SEND_TABLE_LIST, /* trigger: the list valid at `commit_ts` to the maintainer */
    NODE_EFFECT_FAIL             /* the changefeed has failed here: `error`, `text` is known to the
                                    shell unless given */
} node_effect_kind_t;

typedef struct {
    node_effect_kind_t kind;
    dispatcher_id_t dispatcher_id;
    uint64_t run;
    pipeline_t mode;
    span_t span;                         /* CLAIM, OPEN_SESSION */
    assignment_epoch_t assignment_epoch; /* CLAIM */
    position_t position;                 /* CLAIM, OPEN_SESSION */
    commit_ts_t created;                 /* OPEN_SESSION */
    commit_ts_t commit_ts;
    uint64_t bytes;
    transaction_t *transaction;
    const table_rows_t *rows;
    ddl_event_t *ddl;
    sluice_error_t error;
    const char *text; /* static */
} node_effect_t;

/* A list that grows; all zero is an empty one. */
typedef struct {
    node_effect_t *items;
    uint32_t count, capacity;
} node_effects_t;

/* Appends a zeroed effect; valid until the next append. */
node_effect_t *node_effects_add(node_effects_t *effects, node_effect_kind_t kind);
/* Gives references back that are still in the list and empties it; keeps its memory. */
void node_effects_reset(node_effects_t *effects);
/* The same, and frees the memory. */
void node_effects_clear(node_effects_t *effects);

#endif
