#include "maintainer/core/bootstrap.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "maintainer/core/dispatcher_news.h"
#include "maintainer/core/payload.h"

/* What one node has said. */
typedef struct {
    node_index_t node;
    arena_t arena;
    bootstrap_entry_t *entries;
    uint32_t count, capacity;
    uint32_t next_piece;
    bool is_complete;
    dispatcher_news_t *news; /* NULL: none */
} told_t;

struct bootstrap {
    span_table_t *table;
    barrier_t *barrier;
    commit_ts_t checkpoint;
    pipeline_t mode;
    told_t *told;
    uint32_t told_count, told_capacity;
    /* The table list. */
    arena_t list_arena;
    table_info_t *list;
    uint32_t list_count, list_capacity;
    uint32_t list_next_piece;
    node_index_t list_node;
    commit_ts_t list_at;
    bool is_list_complete;
};

bootstrap_t *bootstrap_new(span_table_t *table, barrier_t *barrier, commit_ts_t checkpoint,
                           pipeline_t mode)
{
    bootstrap_t *bootstrap = memory_zalloc(sizeof *bootstrap);
    bootstrap->table = table;
    bootstrap->barrier = barrier;
    bootstrap->checkpoint = checkpoint;
    bootstrap->mode = mode;
    bootstrap->list_node = NODE_INDEX_NONE;
    return bootstrap;
}

/* What heartbeats said stays. */
static void told_clear(told_t *told)
{
    arena_clear(&told->arena);
    free(told->entries);
    *told = (told_t){.node = told->node, .news = told->news};
}

void bootstrap_destroy(bootstrap_t **bootstrap)
{
    bootstrap_t *gone = *bootstrap;
    if (!gone)
        return;
    *bootstrap = NULL;
    for (uint32_t i = 0; i < gone->told_count; i++) {
        told_clear(&gone->told[i]);
        dispatcher_news_destroy(&gone->told[i].news);
    }
    free(gone->told);
    arena_clear(&gone->list_arena);
    free(gone->list);
    free(gone);
}

/* ---- what nodes say ---- */

static told_t *told_of(bootstrap_t *bootstrap, node_index_t node)
{
    for (uint32_t i = 0; i < bootstrap->told_count; i++)
        if (bootstrap->told[i].node.v == node.v)
            return &bootstrap->told[i];
    if (bootstrap->told_count == bootstrap->told_capacity) {
        bootstrap->told_capacity = bootstrap->told_capacity ? bootstrap->told_capacity * 2 : 8;
        bootstrap->told =
            memory_realloc(bootstrap->told, bootstrap->told_capacity * sizeof *bootstrap->told);
    }
    told_t *told = &bootstrap->told[bootstrap->told_count++];
    *told = (told_t){.node = node};
    return told;
}

static void told_add(told_t *told, const bootstrap_entry_t *entry)
{
    if (told->count == told->capacity) {
        told->capacity = told->capacity ? told->capacity * 2 : 64;
        told->entries = memory_realloc(told->entries, told->capacity * sizeof *told->entries);
    }
    bootstrap_entry_t copy = *entry;
    copy.span.start_key = arena_bytes(&told->arena, entry->span.start_key);
    copy.span.end_key = arena_bytes(&told->arena, entry->span.end_key);
    copy.payload = entry->payload ? payload_copy(&told->arena, entry->payload) : NULL;
    told->entries[told->count++] = copy;
}

bool bootstrap_add_response(bootstrap_t *bootstrap, node_index_t node,
                            const bootstrap_response_t *response)
{
    told_t *told = told_of(bootstrap, node);
    if (told->is_complete)
        return false;
    if (response->piece == 0)
        told_clear(told);
    if (response->piece != told->next_piece)
        return false;
    told->next_piece++;
    for (uint32_t i = 0; i < response->entry_count; i++)
        if (response->entries[i].mode == bootstrap->mode &&
            !dispatcher_id_is_none(response->entries[i].dispatcher_id))
            told_add(told, &response->entries[i]);
    told->is_complete = response->is_last_piece;
    return told->is_complete;
}

void bootstrap_add_news(bootstrap_t *bootstrap, node_index_t node,
                        const dispatcher_heartbeat_t *entry)
{
    told_t *told = told_of(bootstrap, node);
    if (!told->news)
        told->news = dispatcher_news_new();
    dispatcher_news_add(told->news, entry);
}

void bootstrap_forget_node(bootstrap_t *bootstrap, node_index_t node)
{
    told_t *told = told_of(bootstrap, node);
    told_clear(told);
    dispatcher_news_destroy(&told->news);
    if (bootstrap->list_node.v == node.v && !bootstrap->is_list_complete) {
        bootstrap->list_node = NODE_INDEX_NONE;
        bootstrap->list_next_piece = 0;
    }
}

static bool is_alive(dispatcher_state_t state)
{
    return state == DISPATCHER_PREPARING || state == DISPATCHER_WORKING;
}

/* Who carries a span is never below what was persisted: this one was replaced while it slept. */
static bool is_left_behind(const bootstrap_t *bootstrap, const bootstrap_entry_t *entry)
{
    return entry->position.checkpoint.v < bootstrap->checkpoint.v;
}

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
    const dispatcher_news_t *all = told_of(bootstrap, node)->news;
    const dispatcher_heartbeat_t *news =
        all ? dispatcher_news_find(all, entry->dispatcher_id) : NULL;
    if (news && news->state != DISPATCHER_PREPARING)
        copy.state = news->state;
    table_entry_t *table = span_table_find(bootstrap->table, entry->span.table_id);
    span_entry_t *span =
        table ? table_entry_span(table, entry->span.start_key, entry->span.end_key) : NULL;
    /* A trigger that comes late begins anew where the list is: what it reported, others heard. */
    bool is_free = span && span != span_table_trigger(bootstrap->table) &&
                   span->state == SPAN_ABSENT && !is_left_behind(bootstrap, entry);
    if (is_alive(entry->state) && is_free)
        adopt(bootstrap, now, node, entry, span);
    else if (news && entry->state == DISPATCHER_STOPPED && is_free)
        inherit(bootstrap, node, entry, news->position, span);
    else if (is_alive(entry->state))
        span_table_add_closing(bootstrap->table, node, entry->dispatcher_id);
}

void bootstrap_merge_node(bootstrap_t *bootstrap, mono_ns_t now, node_index_t node)
{
    told_t *told = told_of(bootstrap, node);
    for (uint32_t i = 0; i < told->count; i++)
        match(bootstrap, now, node, &told->entries[i]);
    arena_clear(&told->arena);
    free(told->entries);
    told->entries = NULL;
    told->count = told->capacity = 0;
    dispatcher_news_destroy(&told->news);
}

/* ---- the trigger and the list ---- */

void bootstrap_place_trigger(bootstrap_t *bootstrap)
{
    const bootstrap_entry_t *newest = NULL;
    node_index_t node = NODE_INDEX_NONE;
    for (uint32_t i = 0; i < bootstrap->told_count; i++) {
        const told_t *told = &bootstrap->told[i];
        for (uint32_t j = 0; told->is_complete && j < told->count; j++) {
            const bootstrap_entry_t *entry = &told->entries[j];
            if (entry->span.table_id.v != TABLE_ID_TRIGGER.v || !is_alive(entry->state) ||
                is_left_behind(bootstrap, entry) ||
                (newest &&
                 assignment_epoch_compare(entry->assignment_epoch, newest->assignment_epoch) <= 0))
                continue;
            newest = entry;
            node = told->node;
        }
    }
    position_t start = {bootstrap->checkpoint, EVENT_KEY_NONE};
    span_entry_t *trigger = span_table_add_trigger(bootstrap->table, start)->first_span;
    if (!newest)
        return;
    span_table_adopt(bootstrap->table, trigger, node, newest->dispatcher_id,
                     newest->state == DISPATCHER_WORKING);
    span_entry_raise(trigger, newest->position);
}

static bool list_follows(bootstrap_t *bootstrap, node_index_t node, const table_list_t *list)
{
    if (list->piece == 0) {
        arena_clear(&bootstrap->list_arena);
        bootstrap->list_count = 0;
        bootstrap->list_next_piece = 0;
        bootstrap->list_node = node;
        bootstrap->list_at = list->at;
    }
    return list->piece == bootstrap->list_next_piece && node.v == bootstrap->list_node.v &&
           list->at.v == bootstrap->list_at.v;
}

bool bootstrap_add_table_list(bootstrap_t *bootstrap, node_index_t node, const table_list_t *list)
{
    const span_entry_t *trigger = span_table_trigger(bootstrap->table);
    bool is_given_out = trigger && trigger->assignment_counter;
    commit_ts_t least = is_given_out ? trigger->checkpoint : bootstrap->checkpoint;
    if (bootstrap->is_list_complete || !trigger || trigger->node.v != node.v ||
        list->mode != bootstrap->mode || list->at.v < least.v ||
        !list_follows(bootstrap, node, list))
        return false;
    bootstrap->list_next_piece++;
    if (bootstrap->list_count + list->table_count > bootstrap->list_capacity) {
        bootstrap->list_capacity = (bootstrap->list_count + list->table_count) * 2;
        bootstrap->list =
            memory_realloc(bootstrap->list, bootstrap->list_capacity * sizeof *bootstrap->list);
    }
    for (uint32_t i = 0; i < list->table_count; i++)
        if (list->tables[i].table_id.v && list->tables[i].schema_id.v)
            bootstrap->list[bootstrap->list_count++] =
                table_info_copy(&bootstrap->list_arena, &list->tables[i]);
    bootstrap->is_list_complete = list->is_last_piece;
    return bootstrap->is_list_complete;
}

bool bootstrap_has_table_list(const bootstrap_t *bootstrap)
{
    return bootstrap->is_list_complete;
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
 * is valid, meets them once more, finds them done, and reports them. */
static bool restart_trigger_if_ahead(bootstrap_t *bootstrap, span_entry_t *trigger)
{
    bool is_adopted = trigger->assignment_counter == 0;
    bool is_ahead =
        trigger->passed_ts.v > bootstrap->list_at.v || trigger->checkpoint.v > bootstrap->list_at.v;
    if (!is_adopted || !is_ahead)
        return false;
    span_table_restart(bootstrap->table, trigger, bootstrap->list_at);
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
