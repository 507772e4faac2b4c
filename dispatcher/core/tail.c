#include "dispatcher/core/tail.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"

static map_key_t key_of(table_id_t table_id)
{
    return (map_key_t){0, table_id.v};
}

tail_entry_t *tail_entry_new(feed_item_t *item)
{
    tail_entry_t *entry = memory_zalloc(sizeof *entry);
    entry->references = 1;
    entry->bytes = feed_item_bytes(item) + sizeof *entry - sizeof entry->item;
    entry->item = *item;
    *item = (feed_item_t){0};
    return entry;
}

tail_entry_t *tail_entry_ref(tail_entry_t *entry)
{
    entry->references++;
    return entry;
}

void tail_entry_unref(tail_entry_t **entry)
{
    tail_entry_t *self = *entry;
    *entry = NULL;
    assert(self->references > 0);
    if (--self->references > 0)
        return;
    feed_item_clear(&self->item);
    free(self);
}

void tail_init(tail_t *tail, commit_ts_t base, tail_is_needed_fn *is_needed, void *context)
{
    *tail = (tail_t){.base = base, .is_needed = is_needed, .context = context};
}

void tail_clear(tail_t *tail)
{
    size_t at = 0;
    tail_table_t *table;
    while ((table = key_map_next(&tail->tables, &at))) {
        item_queue_clear(&table->queue);
        item_queue_clear(&table->ddls);
        free(table);
    }
    key_map_clear(&tail->tables);
    while (tail->broad.count) {
        queue_item_t item = item_queue_pop(&tail->broad);
        tail_entry_unref(&item.entry);
    }
    while (tail->oldest) {
        tail_entry_t *entry = tail->oldest;
        tail->oldest = entry->newer;
        tail_entry_unref(&entry);
    }
    *tail = (tail_t){0};
}

tail_table_t *tail_find_table(const tail_t *tail, table_id_t table_id)
{
    return key_map_get(&tail->tables, key_of(table_id));
}

tail_table_t *tail_table(tail_t *tail, table_id_t table_id)
{
    tail_table_t *table = tail_find_table(tail, table_id);
    if (!table) {
        table = memory_zalloc(sizeof *table);
        table->table_id = table_id;
        key_map_put(&tail->tables, key_of(table_id), table);
    }
    return table;
}

void tail_release_table(tail_t *tail, tail_table_t *table)
{
    if (table->readers || table->queue.count || table->ddls.count || table->stored.number ||
        table->floor.commit_ts.v > tail->persisted.v)
        return;
    key_map_take(&tail->tables, key_of(table->table_id));
    item_queue_clear(&table->queue);
    item_queue_clear(&table->ddls);
    free(table);
}

static void push(tail_t *tail, table_id_t table_id, tail_entry_t *entry, const table_rows_t *rows,
                 void (*on_push)(void *context, tail_table_t *table))
{
    tail_table_t *table = tail_table(tail, table_id);
    queue_item_t item = {.entry = entry, .rows = rows, .commit_ts = entry->item.commit_ts};
    item_queue_push(rows ? &table->queue : &table->ddls, &item);
    if (on_push)
        on_push(tail->context, table);
}

/* The tables an entry lies in the queues of: those of its rows, or those of its DDL and the
 * trigger's. */
static uint32_t entry_table_count(const tail_entry_t *entry)
{
    if (entry->item.transaction)
        return entry->item.transaction->table_count;
    return entry->item.table_count + 1;
}

static table_id_t entry_table(const tail_entry_t *entry, uint32_t index)
{
    if (entry->item.transaction)
        return entry->item.transaction->tables[index].definition->table_id;
    return index < entry->item.table_count ? entry->item.tables[index] : TABLE_ID_TRIGGER;
}

void tail_append(tail_t *tail, feed_item_t *item,
                 void (*on_push)(void *context, tail_table_t *table))
{
    if (item->kind == FEED_RESOLVED) {
        feed_item_clear(item);
        return;
    }
    tail_entry_t *entry = tail_entry_new(item);
    entry->number = ++tail->last_number;
    entry->is_linked = true;
    tail->bytes += entry->bytes;
    tail->entry_count++;
    if (feed_item_is_broad(&entry->item)) {
        queue_item_t broad = {.entry = entry, .commit_ts = entry->item.commit_ts};
        item_queue_push(&tail->broad, &broad);
        if (on_push)
            on_push(tail->context, NULL);
        return;
    }
    entry->older = tail->newest;
    if (tail->newest)
        tail->newest->newer = entry;
    else
        tail->oldest = entry;
    tail->newest = entry;
    for (uint32_t i = 0; i < entry_table_count(entry); i++) {
        const transaction_t *transaction = entry->item.transaction;
        push(tail, entry_table(entry, i), entry, transaction ? &transaction->tables[i] : NULL,
             on_push);
    }
}

bool tail_can_serve(const tail_t *tail, const tail_table_t *table, commit_ts_t from)
{
    return from.v >= tail->base.v && from.v >= table->floor.commit_ts.v &&
           from.v >= tail->broad_floor.v;
}

bool tail_holds(const tail_table_t *table, const tail_entry_t *entry)
{
    const item_queue_t *queue = entry->item.transaction ? &table->queue : &table->ddls;
    return queue->count && item_queue_at(queue, queue->first)->entry->number <= entry->number;
}

static bool is_needed(const tail_t *tail, const tail_entry_t *entry)
{
    if (entry->is_leaving)
        return true;
    for (uint32_t i = 0; i < entry_table_count(entry); i++) {
        const tail_table_t *table = tail_find_table(tail, entry_table(entry, i));
        if (table && table->readers && tail_holds(table, entry) &&
            tail->is_needed(tail->context, table, entry))
            return true;
    }
    return false;
}

static void unlink_entry(tail_t *tail, tail_entry_t *entry)
{
    if (entry->older)
        entry->older->newer = entry->newer;
    else
        tail->oldest = entry->newer;
    if (entry->newer)
        entry->newer->older = entry->older;
    else
        tail->newest = entry->older;
    entry->older = NULL;
    entry->newer = NULL;
    entry->is_linked = false;
}

/* Lets go of everything up to and with the entry, which may be gone already. Behind it there may be
 * further parts of its transaction. */
static void pop_through(item_queue_t *queue, const tail_entry_t *entry)
{
    while (queue->count && item_queue_at(queue, queue->first)->entry->number <= entry->number)
        item_queue_pop(queue);
}

void tail_raise_floor(tail_table_t *table, store_key_t floor)
{
    if (store_key_compare(table->floor, floor) < 0)
        table->floor = floor;
}

/* Nothing that lies at or below the floor is served, so each queue lets go of it: none is left with
 * a reference to this entry. Older entries that other tables need stay. A table that does not hold
 * the entry has let go of it before, to the store or with a higher floor. */
static void forget_entry(tail_t *tail, tail_entry_t *entry)
{
    for (uint32_t i = 0; i < entry_table_count(entry); i++) {
        tail_table_t *table = tail_find_table(tail, entry_table(entry, i));
        if (!table)
            continue;
        if (tail_holds(table, entry)) {
            tail_raise_floor(table, tail_entry_key(entry));
            pop_through(&table->queue, entry);
            pop_through(&table->ddls, entry);
        }
        tail_release_table(tail, table);
    }
    unlink_entry(tail, entry);
    tail->bytes -= entry->bytes;
    tail->entry_count--;
    tail_entry_unref(&entry);
}

/* A sync point at commit_ts is met again by whoever starts at commit_ts. */
static bool is_broad_done(const tail_entry_t *entry, commit_ts_t position)
{
    return entry->item.kind == FEED_SYNCPOINT ? position.v > entry->item.commit_ts.v
                                              : position.v >= entry->item.commit_ts.v;
}

void tail_forget(tail_t *tail, commit_ts_t all_flushed)
{
    while (tail->oldest && tail->oldest->item.commit_ts.v <= tail->persisted.v &&
           !is_needed(tail, tail->oldest))
        forget_entry(tail, tail->oldest);
    while (tail->broad.count) {
        tail_entry_t *entry = item_queue_at(&tail->broad, tail->broad.first)->entry;
        if (!is_broad_done(entry, tail->persisted) || !is_broad_done(entry, all_flushed))
            break;
        item_queue_pop(&tail->broad);
        tail->broad_floor = entry->item.commit_ts;
        tail->bytes -= entry->bytes;
        tail->entry_count--;
        tail_entry_unref(&entry);
    }
}

static uint64_t shed_pass(tail_t *tail, uint64_t bytes_wanted, commit_ts_t up_to)
{
    uint64_t looked_at = 0;
    tail_entry_t *entry = tail->oldest;
    while (entry && tail->bytes > bytes_wanted && entry->item.commit_ts.v <= up_to.v) {
        tail_entry_t *newer = entry->newer;
        looked_at++;
        if (!is_needed(tail, entry))
            forget_entry(tail, entry);
        entry = newer;
    }
    return looked_at;
}

uint64_t tail_shed(tail_t *tail, uint64_t bytes_wanted, bool only_persisted)
{
    uint64_t looked_at = shed_pass(tail, bytes_wanted, tail->persisted);
    if (!only_persisted)
        looked_at += shed_pass(tail, bytes_wanted, COMMIT_TS_MAX);
    return looked_at;
}

/* ---- the event store ---- */

static void add_stored(tail_t *tail, tail_table_t *table)
{
    table->stored_before = NULL;
    table->stored_after = tail->stored_first;
    if (tail->stored_first)
        tail->stored_first->stored_before = table;
    tail->stored_first = table;
    tail->stored_count++;
}

static void take_stored(tail_t *tail, tail_table_t *table)
{
    if (table->stored_before)
        table->stored_before->stored_after = table->stored_after;
    else
        tail->stored_first = table->stored_after;
    if (table->stored_after)
        table->stored_after->stored_before = table->stored_before;
    tail->stored_count--;
    table->stored = (store_key_t){0};
}

void tail_set_stored(tail_t *tail, tail_table_t *table, store_key_t through)
{
    if (table->stored.number == 0)
        add_stored(tail, table);
    table->stored = through;
}

static void pop_first(tail_t *tail, tail_table_t *table)
{
    tail_entry_t *entry = item_queue_pop(&table->queue).entry;
    if (entry->is_linked && !is_needed(tail, entry))
        forget_entry(tail, entry);
}

void tail_pop_stored(tail_t *tail, tail_table_t *table)
{
    const tail_entry_t *entry = item_queue_at(&table->queue, table->queue.first)->entry;
    tail_set_stored(tail, table, tail_entry_key(entry));
    pop_first(tail, table);
}

void tail_pop_lost(tail_t *tail, tail_table_t *table)
{
    const tail_entry_t *entry = item_queue_at(&table->queue, table->queue.first)->entry;
    tail_raise_floor(table, tail_entry_key(entry));
    pop_first(tail, table);
}

void tail_forget_stored(tail_t *tail, tail_table_t *table, store_key_t up_to)
{
    tail_raise_floor(table, up_to);
    if (table->stored.number && store_key_compare(table->stored, table->floor) <= 0)
        take_stored(tail, table);
    tail_release_table(tail, table);
}
