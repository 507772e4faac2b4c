/*
 * What the log reader makes of the log, in commit_ts order, and what the event service keeps: one
 * transaction (or part of one), one DDL, one sync point, or only a new resolved_ts.
 *
 * Ownership: an item owns its references and its table list; feed_item_clear gives them back.
 * Threads: values.
 */
#ifndef SLUICE_DISPATCHER_CORE_FEED_ITEM_H
#define SLUICE_DISPATCHER_CORE_FEED_ITEM_H

#include "dispatcher/core/ddl/ddl_event.h"
#include "dispatcher/core/transaction.h"

/* In the order in which they lie at one commit_ts. */
typedef enum {
    FEED_DDL,
    FEED_TRANSACTION,
    FEED_RESOLVED, /* nothing but the position */
    FEED_SYNCPOINT
} feed_item_kind_t;

typedef struct {
    feed_item_kind_t kind;
    commit_ts_t commit_ts;
    wall_ms_t commit_time;
    bool completes; /* everything up to commit_ts has been handed out with this item; but a sync
                       point at commit_ts may follow */
    transaction_t *transaction;
    ddl_event_t *ddl;
    /* DDL of influence NORMAL or DB: the tables whose dispatchers meet it, the trigger not among
     * them; ALL: none. */
    table_id_t *tables;
    uint32_t table_count;
} feed_item_t;

void feed_item_clear(feed_item_t *item);

/* Every dispatcher meets it: a sync point or a DDL of influence ALL. */
static inline bool feed_item_is_broad(const feed_item_t *item)
{
    return item->kind == FEED_SYNCPOINT ||
           (item->kind == FEED_DDL && item->ddl->payload.influence.kind == INFLUENCE_ALL);
}

/* What it takes in memory. */
size_t feed_item_bytes(const feed_item_t *item);

#endif
