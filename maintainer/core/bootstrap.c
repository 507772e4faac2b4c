#include "maintainer/core/bootstrap_internal.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "maintainer/core/payload.h"

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

told_t *bootstrap_told_of(bootstrap_t *bootstrap, node_index_t node)
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

bool bootstrap_is_alive(dispatcher_state_t state)
{
    return state == DISPATCHER_PREPARING || state == DISPATCHER_WORKING;
}

bool bootstrap_is_left_behind(const bootstrap_t *bootstrap, const bootstrap_entry_t *entry)
{
    return entry->position.checkpoint.v < bootstrap->checkpoint.v;
}

/* Other triggers, and who was replaced while it slept. They are not waited with until there is a
 * list: one that stands at a gate of long ago may keep its node from reading on to where the list
 * is valid. */
static void close_replaced(bootstrap_t *bootstrap, told_t *told)
{
    for (uint32_t i = 0; i < told->count; i++) {
        bootstrap_entry_t *entry = &told->entries[i];
        bool is_replaced = entry->span.table_id.v == TABLE_ID_TRIGGER.v ||
                           bootstrap_is_left_behind(bootstrap, entry);
        if (!is_replaced || !bootstrap_is_alive(entry->state) ||
            span_table_dispatcher(bootstrap->table, entry->dispatcher_id))
            continue;
        span_table_add_closing(bootstrap->table, told->node, entry->dispatcher_id);
        entry->state = DISPATCHER_STOPPED;
    }
}

bool bootstrap_add_response(bootstrap_t *bootstrap, node_index_t node,
                            const bootstrap_response_t *response)
{
    told_t *told = bootstrap_told_of(bootstrap, node);
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
    if (told->is_complete && span_table_trigger(bootstrap->table))
        close_replaced(bootstrap, told);
    return told->is_complete;
}

void bootstrap_add_news(bootstrap_t *bootstrap, node_index_t node,
                        const dispatcher_heartbeat_t *entry)
{
    told_t *told = bootstrap_told_of(bootstrap, node);
    if (!told->news)
        told->news = dispatcher_news_new();
    dispatcher_news_add(told->news, entry);
}

void bootstrap_forget_node(bootstrap_t *bootstrap, node_index_t node)
{
    told_t *told = bootstrap_told_of(bootstrap, node);
    told_clear(told);
    dispatcher_news_destroy(&told->news);
    if (bootstrap->list_node.v == node.v && !bootstrap->is_list_complete) {
        bootstrap->list_node = NODE_INDEX_NONE;
        bootstrap->list_next_piece = 0;
    }
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
            if (entry->span.table_id.v != TABLE_ID_TRIGGER.v || !bootstrap_is_alive(entry->state) ||
                bootstrap_is_left_behind(bootstrap, entry) ||
                (newest &&
                 assignment_epoch_compare(entry->assignment_epoch, newest->assignment_epoch) <= 0))
                continue;
            newest = entry;
            node = told->node;
        }
    }
    position_t start = {bootstrap->checkpoint, EVENT_KEY_NONE};
    span_entry_t *trigger = span_table_add_trigger(bootstrap->table, start)->first_span;
    if (newest) {
        span_table_adopt(bootstrap->table, trigger, node, newest->dispatcher_id,
                         newest->state == DISPATCHER_WORKING);
        span_entry_raise(trigger, newest->position);
    }
    for (uint32_t i = 0; i < bootstrap->told_count; i++)
        if (bootstrap->told[i].is_complete)
            close_replaced(bootstrap, &bootstrap->told[i]);
}

bool bootstrap_has_trigger_somewhere(const bootstrap_t *bootstrap)
{
    span_state_t state = span_table_trigger(bootstrap->table)->state;
    return state == SPAN_SCHEDULING || state == SPAN_REPLICATING;
}

bool bootstrap_restart_trigger(bootstrap_t *bootstrap)
{
    span_entry_t *trigger = span_table_trigger(bootstrap->table);
    if (!bootstrap_has_trigger_somewhere(bootstrap) ||
        trigger->checkpoint.v <= bootstrap->checkpoint.v)
        return false;
    span_table_restart(bootstrap->table, trigger, bootstrap->checkpoint);
    return true;
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
        list->mode != bootstrap->mode || (list->piece == 0 && list->at.v < least.v) ||
        !list_follows(bootstrap, node, list))
        return false;
    bootstrap->list_next_piece++;
    bootstrap->pieces_taken++;
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

uint32_t bootstrap_pieces_taken(const bootstrap_t *bootstrap)
{
    return bootstrap->pieces_taken;
}

bool bootstrap_has_table_list(const bootstrap_t *bootstrap)
{
    return bootstrap->is_list_complete;
}
