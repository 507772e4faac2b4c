/*
 * What the event service asks of the event store and what it is answered: rows that no longer fit
 * the tail, by (table, commit_ts, number).
 *
 * Requests are carried out one after another in the order in which they were made. After one that
 * failed every later one fails as well, until a WIPE: what the store holds is then lost as a whole.
 * A WRITE that is answered with SLUICE_ERROR_FULL has written nothing and lost nothing.
 *
 * Ownership: parts carry one reference to their transaction each. Threads: values.
 */
#ifndef SLUICE_DISPATCHER_CORE_STORE_REQUEST_H
#define SLUICE_DISPATCHER_CORE_STORE_REQUEST_H

#include "common/base/error.h"
#include "dispatcher/core/transaction.h"

/* A place in the log, finer than commit_ts: the parts of one large transaction have several. */
typedef struct {
    commit_ts_t commit_ts;
    uint64_t number; /* ascending over everything that the live reader brought */
} store_key_t;

/* Behind everything at `commit_ts`. */
static inline store_key_t store_key_behind(commit_ts_t commit_ts)
{
    return (store_key_t){commit_ts, UINT64_MAX};
}

static inline int store_key_compare(store_key_t a, store_key_t b)
{
    if (a.commit_ts.v != b.commit_ts.v)
        return a.commit_ts.v < b.commit_ts.v ? -1 : 1;
    return (a.number > b.number) - (a.number < b.number);
}

/* One table's rows of a transaction or of a part of one. */
typedef struct {
    store_key_t key;
    transaction_t *transaction;
    const table_rows_t *rows; /* of it */
} store_part_t;

typedef enum {
    STORE_WRITE,  /* parts, ascending */
    STORE_READ,   /* of table_id above `after` up to and with `through`, about bytes_max of it, at
                     least one part if there is any */
    STORE_FORGET, /* what `forgets` names */
    STORE_WIPE    /* everything */
} store_request_kind_t;

/* Everything of the table up to and with `up_to`: later parts of the same commit_ts may be being
 * written. */
typedef struct {
    table_id_t table_id;
    store_key_t up_to;
} store_forget_t;

typedef struct {
    store_request_kind_t kind;
    table_id_t table_id; /* READ, and the next four */
    uint64_t ticket;     /* comes back with the answer */
    store_key_t after, through;
    uint64_t bytes_max;
    store_part_t *parts; /* WRITE; one block, to be freed */
    uint32_t part_count;
    store_forget_t *forgets; /* likewise */
    uint32_t forget_count;
} store_request_t;

typedef struct {
    store_request_kind_t kind;
    sluice_error_t error;
    uint64_t bytes; /* that the store takes on the disk now */
    table_id_t table_id;
    uint64_t ticket;
    store_key_t reached; /* READ: everything of the table up to here is among the parts */
    store_part_t *parts; /* READ: ascending; one block, to be freed */
    uint32_t part_count;
} store_answer_t;

typedef struct {
    uint64_t bytes;  /* on the disk */
    uint32_t tables; /* with rows there */
    uint64_t written_bytes, read_bytes;
    uint64_t given_up; /* tables whose readers were dropped since there was no place */
    uint64_t failures; /* times that all it held was lost */
    bool is_full;
    bool is_hanging; /* it has not answered for EVENT_STORE_PATIENCE_NS, and was given up */
} event_store_state_t;

/* Gives back what it holds. */
void store_request_clear(store_request_t *request);
void store_answer_clear(store_answer_t *answer);

#endif
