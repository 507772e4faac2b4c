#include "maintainer/core/bootstrap_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"

static void adopt(bootstrap_t *bootstrap, mono_ns_t now, node_index_t node,
                  const bootstrap_entry_t *entry, span_entry_t *span)
{
    span_table_adopt(bootstrap->table, span, node, entry->dispatcher_id,
                     entry->state == DISPATCHER_WORKING);
    span_entry_raise(span, entry->position);
    if (entry->stage != STAGE_NONE && entry->is_blocked)
        barrier_restore(bootstrap->barrier, now, span, entry->key, entry->stage, entry->payload);
    barrier_note_position(bootstrap->barrier, span);
}

/* It has ended since it was listed: its span goes on from where it stood. */
static void inherit(bootstrap_t *bootstrap, node_index_t node, const bootstrap_entry_t *entry,
                    position_t last, span_entry_t *span)
{
    span_table_adopt(bootstrap->table, span, node, entry->dispatcher_id, true);
    span_entry_raise(span, entry->position);
    span_entry_raise(span, last);
    barrier_note_position(bootstrap->barrier, span);
    span_table_unbind(bootstrap->table, span);
}

/* Gives the entry's span its dispatcher; one that nobody wants is to be closed. */
static void match(bootstrap_t *bootstrap, mono_ns_t now, node_index_t node,
                  const bootstrap_entry_t *told)
{
    if (span_table_dispatcher(bootstrap->table, told->dispatcher_id))
        return;
    bootstrap_entry_t copy = *told;
    const bootstrap_entry_t *entry = &copy;
    const dispatcher_news_t *all = bootstrap_told_of(bootstrap, node)->news;
    const dispatcher_heartbeat_t *news =
        all ? dispatcher_news_find(all, entry->dispatcher_id) : NULL;
    if (news && news->state != DISPATCHER_PREPARING)
        copy.state = news->state;
    table_entry_t *table = span_table_find(bootstrap->table, entry->span.table_id);
    span_entry_t *span =
        table ? table_entry_span(table, entry->span.start_key, entry->span.end_key) : NULL;
    /* A trigger that comes late begins anew where the list is: what it reported, others heard. */
    bool is_free = span && span != span_table_trigger(bootstrap->table) &&
                   span->state == SPAN_ABSENT && !bootstrap_is_left_behind(bootstrap, entry);
    if (bootstrap_is_alive(entry->state) && is_free)
        adopt(bootstrap, now, node, entry, span);
    else if (news && entry->state == DISPATCHER_STOPPED && is_free)
        inherit(bootstrap, node, entry, news->position, span);
    else if (bootstrap_is_alive(entry->state))
        span_table_add_closing(bootstrap->table, node, entry->dispatcher_id);
}

void bootstrap_merge_node(bootstrap_t *bootstrap, mono_ns_t now, node_index_t node)
{
    told_t *told = bootstrap_told_of(bootstrap, node);
    for (uint32_t i = 0; i < told->count; i++)
        match(bootstrap, now, node, &told->entries[i]);
    arena_clear(&told->arena);
    free(told->entries);
    told->entries = NULL;
    told->count = told->capacity = 0;
    dispatcher_news_destroy(&told->news);
}

/* ---- building ---- */

/* Where a listed table starts that no node carries. */
static position_t start_of(const bootstrap_t *bootstrap, const table_info_t *info)
{
    commit_ts_t created = info->created_by_select ? commit_ts_before(info->created) : info->created;
    position_t start = {.checkpoint = bootstrap->checkpoint};
    if (created.v > start.checkpoint.v)
        start.checkpoint = created;
    if (info->created.v)
        start.passed = (event_key_t){info->created, false};
    return start;
}

static int compare_keys(const void *a, const void *b)
{
    return bytes_compare(*(const bytes_t *)a, *(const bytes_t *)b);
}

/* Cuts tables whose dispatchers carry ranges at every boundary that one of them has. */
static void split_tables(bootstrap_t *bootstrap, const told_t *told)
{
    for (uint32_t i = 0; i < told->count; i++) {
        table_entry_t *entry = span_table_find(bootstrap->table, told->entries[i].span.table_id);
        if (span_is_whole(told->entries[i].span) || !entry || entry->first_span->range)
            continue;
        uint32_t count = 0, capacity = 16;
        bytes_t *keys = memory_alloc(capacity * sizeof *keys);
        for (uint32_t n = 0; n < bootstrap->told_count; n++)
            for (uint32_t j = 0; j < bootstrap->told[n].count; j++) {
                span_t span = bootstrap->told[n].entries[j].span;
                if (span.table_id.v != entry->table_id.v)
                    continue;
                if (count + 2 > capacity)
                    keys = memory_realloc(keys, (capacity *= 2) * sizeof *keys);
                if (span.start_key.len)
                    keys[count++] = span.start_key;
                if (span.end_key.len)
                    keys[count++] = span.end_key;
            }
        qsort(keys, count, sizeof *keys, compare_keys);
        uint32_t unique = 0;
        for (uint32_t j = 0; j < count; j++)
            if (unique == 0 || !bytes_equal(keys[unique - 1], keys[j]))
                keys[unique++] = keys[j];
        span_table_split(bootstrap->table, entry, keys, unique);
        free(keys);
    }
}

typedef struct {
    const bootstrap_entry_t *entry;
    node_index_t node;
} claim_t;

static int compare_claims(const void *a, const void *b)
{
    /* The newest first: it gets the span, an older one is closed. */
    return assignment_epoch_compare(((const claim_t *)b)->entry->assignment_epoch,
                                    ((const claim_t *)a)->entry->assignment_epoch);
}

/* A trigger that passed events behind the list's position reported them to somebody else, who may
 * not have acted on that, and will not report them again. Its next dispatcher starts where the list
 * is valid, meets them once more, finds them done, and reports them. So does that of a trigger
 * which was being restarted, or whose node has left, when the list came. */
static bool restart_trigger_if_ahead(bootstrap_t *bootstrap, span_entry_t *trigger)
{
    bool is_adopted = trigger->assignment_counter == 0;
    bool is_ahead =
        trigger->passed_ts.v > bootstrap->list_at.v || trigger->checkpoint.v > bootstrap->list_at.v;
    if (!trigger->is_pinned && (!is_adopted || !is_ahead))
        return false;
    if (bootstrap_has_trigger_somewhere(bootstrap))
        span_table_restart(bootstrap->table, trigger, bootstrap->list_at);
    else
        span_entry_pin(trigger, bootstrap->list_at);
    return true;
}

void bootstrap_build(bootstrap_t *bootstrap, mono_ns_t now)
{
    assert(bootstrap->is_list_complete && span_table_trigger(bootstrap->table));
    barrier_set_floor(bootstrap->barrier, (event_key_t){bootstrap->list_at, false});
    for (uint32_t i = 0; i < bootstrap->list_count; i++) {
        const table_info_t *info = &bootstrap->list[i];
        table_entry_t *entry = span_table_add(bootstrap->table, info, start_of(bootstrap, info));
        if (entry)
            entry->first_span->is_fresh = info->created.v > bootstrap->checkpoint.v;
    }
    uint32_t count = 0;
    for (uint32_t n = 0; n < bootstrap->told_count; n++) {
        split_tables(bootstrap, &bootstrap->told[n]);
        count += bootstrap->told[n].count;
    }
    claim_t *claims = memory_alloc((count ? count : 1) * sizeof *claims);
    count = 0;
    for (uint32_t n = 0; n < bootstrap->told_count; n++)
        for (uint32_t j = 0; bootstrap->told[n].is_complete && j < bootstrap->told[n].count; j++)
            claims[count++] = (claim_t){&bootstrap->told[n].entries[j], bootstrap->told[n].node};
    qsort(claims, count, sizeof *claims, compare_claims);
    span_entry_t *trigger = span_table_trigger(bootstrap->table);
    dispatcher_id_t trigger_id = trigger->dispatcher_id;
    bool is_restarted = restart_trigger_if_ahead(bootstrap, trigger);
    for (uint32_t i = 0; i < count; i++) {
        const bootstrap_entry_t *entry = claims[i].entry;
        if (!dispatcher_id_equal(entry->dispatcher_id, trigger_id))
            match(bootstrap, now, claims[i].node, entry);
        else if (!is_restarted && entry->stage != STAGE_NONE && entry->is_blocked)
            barrier_restore(bootstrap->barrier, now, trigger, entry->key, entry->stage,
                            entry->payload);
    }
    free(claims);
    for (uint32_t n = 0; n < bootstrap->told_count; n++)
        if (bootstrap->told[n].is_complete)
            bootstrap_merge_node(bootstrap, now, bootstrap->told[n].node);
    arena_clear(&bootstrap->list_arena);
    free(bootstrap->list);
    bootstrap->list = NULL;
    bootstrap->list_count = bootstrap->list_capacity = 0;
}
