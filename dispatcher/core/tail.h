/*
 * The newest stretch of the log: transactions, DDLs and sync points of every table inside the
 * filter, found by table, and forgotten from the oldest on.
 *
 * What is needed is the owner's to say (a local span that has not flushed it). Ways to let go:
 *   tail_forget   what is persisted and not needed, from the oldest on
 *   tail_shed     when memory is short: whatever is not needed, wherever it lies. A table then has
 *                 a floor: at or below it the tail has holes and cannot serve that table.
 *   tail_pop_stored  rows of a table that were written to the event store: everything of the
 *                 table's rows above its floor, up to and with `stored`, is there and not here.
 * What every dispatcher meets ("broad") is few and only forgotten once persisted; DDLs are few and
 * never leave for the store.
 *
 * A transaction that came in parts may be larger than the tail: the owner may say of a part that it
 * is not needed though nothing of its transaction is flushed, once it is sent.
 *
 * Threads: one owner.
 */
#ifndef SLUICE_DISPATCHER_CORE_TAIL_H
#define SLUICE_DISPATCHER_CORE_TAIL_H

#include "common/base/key_map.h"
#include "dispatcher/core/item_queue.h"
#include "dispatcher/core/store_request.h"

struct tail_entry {
    feed_item_t item;
    uint32_t references;
    bool is_linked;  /* in a tail */
    bool is_leaving; /* on its way to the store: the owner's; it is not forgotten meanwhile */
    uint64_t number; /* ascending from oldest to newest; 0: never in a tail */
    size_t bytes;
    tail_entry_t *older, *newer;
};

static inline store_key_t tail_entry_key(const tail_entry_t *entry)
{
    return (store_key_t){entry->item.commit_ts, entry->number};
}

tail_entry_t *tail_entry_ref(tail_entry_t *entry);
/* Sets *entry to NULL. */
void tail_entry_unref(tail_entry_t **entry);
/* An entry outside any tail, with one reference; the item is consumed. */
tail_entry_t *tail_entry_new(feed_item_t *item);

typedef struct tail_table tail_table_t;

struct tail_table {
    table_id_t table_id;
    item_queue_t queue; /* its rows */
    item_queue_t ddls;  /* DDLs whose influence it is in */
    store_key_t floor;  /* rows at or below it are gone, and nobody who starts below its commit_ts
                           can be served; zero: no hole */
    store_key_t stored; /* its rows above the floor, up to and with this, are in the store; number
                           0: none */
    tail_table_t *stored_before, *stored_after; /* among those with rows in the store */
    void *readers; /* the owner's; a table with readers is never dropped */
};

typedef bool tail_is_needed_fn(void *context, const tail_table_t *table, const tail_entry_t *entry);

typedef struct {
    tail_entry_t *oldest, *newest;
    key_map_t tables;
    tail_table_t *stored_first; /* tables with rows in the store */
    uint32_t stored_count;
    item_queue_t broad; /* owns its entries */
    commit_ts_t base;   /* where reading began: nothing at or below it */
    commit_ts_t persisted;
    commit_ts_t broad_floor; /* highest broad entry that was forgotten */
    uint64_t bytes;
    uint64_t entry_count;
    uint64_t last_number;
    tail_is_needed_fn *is_needed;
    void *context;
} tail_t;

/* `is_needed` says whether a reader of `table` still needs its part of the entry. */
void tail_init(tail_t *tail, commit_ts_t base, tail_is_needed_fn *is_needed, void *context);
void tail_clear(tail_t *tail);

/* The table, made if need be. */
tail_table_t *tail_table(tail_t *tail, table_id_t table_id);
/* NULL: nothing of it was ever there. */
tail_table_t *tail_find_table(const tail_t *tail, table_id_t table_id);

/* Appends; the item is consumed. Calls `on_push` (may be NULL) for every table it concerns, with
 * NULL for a broad one. FEED_RESOLVED items are only cleared. */
void tail_append(tail_t *tail, feed_item_t *item,
                 void (*on_push)(void *context, tail_table_t *table));

/* Whether everything of `table` above `from` is here, in the store, or still to be read. */
bool tail_can_serve(const tail_t *tail, const tail_table_t *table, commit_ts_t from);

/* Forgets from the oldest on what is persisted and not needed. `all_flushed`: every local reader
 * has flushed that far, for what is broad. */
void tail_forget(tail_t *tail, commit_ts_t all_flushed);

/* Forgets what is not needed, oldest first, what is persisted before what is not, until no more
 * than `bytes_wanted` are held. With `only_persisted` nothing else goes. Returns how many entries
 * were looked at. */
uint64_t tail_shed(tail_t *tail, uint64_t bytes_wanted, bool only_persisted);

/* Whether the rows of this entry for this table are here. */
bool tail_holds(const tail_table_t *table, const tail_entry_t *entry);

/* Rows of the table, in its queue or not, are in the store. */
void tail_set_stored(tail_t *tail, tail_table_t *table, store_key_t through);
/* The first rows in the table's queue are in the store: they leave the queue, and their entry with
 * them if nobody needs it for another table. */
void tail_pop_stored(tail_t *tail, tail_table_t *table);
/* The first rows in the table's queue go without being in the store: the floor rises. */
void tail_pop_lost(tail_t *tail, tail_table_t *table);
/* What is in the store at or below `up_to` is not there any more. */
void tail_forget_stored(tail_t *tail, tail_table_t *table, store_key_t up_to);
void tail_raise_floor(tail_table_t *table, store_key_t floor);

/* Lets go of a table that holds nothing any more. */
void tail_release_table(tail_t *tail, tail_table_t *table);

#endif
