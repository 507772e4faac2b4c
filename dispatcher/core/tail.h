/*
 * The newest stretch of the log in memory: transactions, DDLs and sync points of every table inside
 * the filter, found by table, and forgotten from the oldest on.
 *
 * What is needed is the owner's to say (a local span that has not flushed it). Two ways to forget:
 *   tail_forget   what is persisted and not needed, from the oldest on
 *   tail_shed     when memory is short: whatever is not needed, wherever it lies. A table then has
 *                 a floor: at or below it the tail has holes and cannot serve that table.
 * What every dispatcher meets ("broad") is few and only forgotten once persisted.
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

struct tail_entry {
    feed_item_t item;
    uint32_t references;
    uint64_t number; /* ascending from oldest to newest */
    size_t bytes;
    tail_entry_t *older, *newer;
};

tail_entry_t *tail_entry_ref(tail_entry_t *entry);
/* Sets *entry to NULL. */
void tail_entry_unref(tail_entry_t **entry);
/* An entry outside any tail, with one reference; the item is consumed. */
tail_entry_t *tail_entry_new(feed_item_t *item);

typedef struct {
    table_id_t table_id;
    item_queue_t queue;
    commit_ts_t floor; /* nothing at or below it can be served; COMMIT_TS_NONE: no hole */
    void *readers;     /* the owner's; a table with readers is never dropped */
} tail_table_t;

typedef bool tail_is_needed_fn(void *context, const tail_table_t *table, const tail_entry_t *entry);

typedef struct {
    tail_entry_t *oldest, *newest;
    key_map_t tables;
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

/* Whether everything of `table` above `from` is here (or still to be read). */
bool tail_can_serve(const tail_t *tail, const tail_table_t *table, commit_ts_t from);

/* Forgets from the oldest on what is persisted and not needed. `all_flushed`: every local reader
 * has flushed that far, for what is broad. */
void tail_forget(tail_t *tail, commit_ts_t all_flushed);

/* Forgets what is not needed, oldest first, what is persisted before what is not, until no more
 * than `bytes_wanted` are held. With `only_persisted` nothing else goes. Returns how many entries
 * were looked at. */
uint64_t tail_shed(tail_t *tail, uint64_t bytes_wanted, bool only_persisted);

/* Lets go of a table that holds nothing any more. */
void tail_release_table(tail_t *tail, tail_table_t *table);

#endif
