/* The spans of a span_table: their states, positions and block states. */
#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "maintainer/core/span_table_internal.h"

const char *span_state_name(span_state_t state)
{
    switch (state) {
    case SPAN_ABSENT:
        return "absent";
    case SPAN_SCHEDULING:
        return "scheduling";
    case SPAN_REPLICATING:
        return "replicating";
    case SPAN_CLOSING:
        return "closing";
    case SPAN_MOVING:
        return "moving";
    }
    return "unknown";
}

/* Which states may follow; a bit a state. */
static const uint8_t states_after[SPAN_STATE_COUNT] = {
    [SPAN_ABSENT] = 1u << SPAN_SCHEDULING | 1u << SPAN_REPLICATING | 1u << SPAN_CLOSING,
    [SPAN_SCHEDULING] =
        1u << SPAN_REPLICATING | 1u << SPAN_MOVING | 1u << SPAN_CLOSING | 1u << SPAN_ABSENT,
    [SPAN_REPLICATING] = 1u << SPAN_MOVING | 1u << SPAN_CLOSING | 1u << SPAN_ABSENT,
    [SPAN_CLOSING] = 0,
    [SPAN_MOVING] = 1u << SPAN_ABSENT | 1u << SPAN_CLOSING,
};

static bool counts_for_node(span_state_t state)
{
    return state == SPAN_SCHEDULING || state == SPAN_REPLICATING || state == SPAN_MOVING;
}

static node_counts_t *counts_of(span_table_t *table, node_index_t node)
{
    assert(node.v < NODE_INDEX_MAX);
    if (node.v >= table->node_capacity) {
        uint32_t capacity = node.v + 16;
        table->nodes = memory_realloc(table->nodes, capacity * sizeof *table->nodes);
        memset(table->nodes + table->node_capacity, 0,
               (capacity - table->node_capacity) * sizeof *table->nodes);
        table->node_capacity = capacity;
    }
    return &table->nodes[node.v];
}

static void count_for_node(span_table_t *table, const span_entry_t *span, uint32_t by)
{
    if (node_index_is_none(span->node))
        return;
    node_counts_t *counts = counts_of(table, span->node);
    if (counts_for_node((span_state_t)span->state))
        counts->bound += by;
    if (span->state == SPAN_SCHEDULING)
        counts->scheduling += by;
}

static void state_link(span_table_t *table, span_entry_t *span, span_state_t state)
{
    span->state = (uint8_t)state;
    span->state_previous = NULL;
    span->state_next = table->first[state];
    if (span->state_next)
        span->state_next->state_previous = span;
    table->first[state] = span;
    table->count[state]++;
    count_for_node(table, span, 1);
}

static void state_unlink(span_table_t *table, span_entry_t *span)
{
    count_for_node(table, span, UINT32_MAX);
    if (span->state_previous)
        span->state_previous->state_next = span->state_next;
    else
        table->first[span->state] = span->state_next;
    if (span->state_next)
        span->state_next->state_previous = span->state_previous;
    table->count[span->state]--;
}

void span_set_state(span_table_t *table, span_entry_t *span, span_state_t state)
{
    assert(states_after[span->state] & 1u << state);
    state_unlink(table, span);
    state_link(table, span, state);
    span->sent_at = (mono_ns_t){0};
    table->version++;
}

span_entry_t *span_new(span_table_t *table, table_entry_t *entry, position_t start)
{
    uint32_t number;
    span_entry_t *span = pool_take(&table->spans, &number);
    span->number = number;
    span->table = entry;
    span->node = span->target = NODE_INDEX_NONE;
    span->checkpoint = start.checkpoint;
    span->passed_ts = start.passed.commit_ts;
    span->passed_is_syncpoint = start.passed.is_syncpoint;
    state_link(table, span, SPAN_ABSENT);
    return span;
}

void span_free(span_table_t *table, span_entry_t *span)
{
    state_unlink(table, span);
    if (!dispatcher_id_is_none(span->dispatcher_id))
        id_index_remove(&table->by_dispatcher,
                        (index_key_t){span->dispatcher_id.hi, span->dispatcher_id.lo});
    free(span->range);
    span->range = NULL;
    pool_give_back(&table->spans, span->number);
    table->version++;
}

static key_range_t *range_new(bytes_t start_key, bytes_t end_key)
{
    assert(start_key.len <= UINT16_MAX && end_key.len <= UINT16_MAX);
    key_range_t *range = memory_alloc(sizeof *range + start_key.len + end_key.len);
    range->start_len = (uint16_t)start_key.len;
    range->end_len = (uint16_t)end_key.len;
    if (start_key.len)
        memcpy(range->bytes, start_key.data, start_key.len);
    if (end_key.len)
        memcpy(range->bytes + start_key.len, end_key.data, end_key.len);
    return range;
}

void span_table_split(span_table_t *table, table_entry_t *entry, const bytes_t *boundaries,
                      uint32_t boundary_count)
{
    span_entry_t *first = entry->first_span;
    assert(first->state == SPAN_ABSENT && !first->range && !first->next_in_table);
    if (boundary_count == 0)
        return;
    first->range = range_new((bytes_t){0}, boundaries[0]);
    span_entry_t *last = first;
    for (uint32_t i = 0; i < boundary_count; i++) {
        span_entry_t *span = span_new(table, entry, span_entry_position(first));
        span->is_fresh = first->is_fresh;
        span->range =
            range_new(boundaries[i], i + 1 < boundary_count ? boundaries[i + 1] : (bytes_t){0});
        last->next_in_table = span;
        last = span;
    }
    table->version++;
}

span_t span_entry_range(const span_entry_t *span)
{
    span_t whole = {.table_id = span->table ? span->table->table_id : TABLE_ID_TRIGGER};
    if (!span->range)
        return whole;
    whole.start_key = bytes_of(span->range->bytes, span->range->start_len);
    whole.end_key = bytes_of(span->range->bytes + span->range->start_len, span->range->end_len);
    return whole;
}

span_entry_t *table_entry_span(const table_entry_t *entry, bytes_t start_key, bytes_t end_key)
{
    for (span_entry_t *span = entry->first_span; span; span = span->next_in_table) {
        span_t range = span_entry_range(span);
        if (bytes_equal(range.start_key, start_key) && bytes_equal(range.end_key, end_key))
            return span;
    }
    return NULL;
}

static void bind(span_table_t *table, span_entry_t *span, node_index_t node, dispatcher_id_t id)
{
    assert(!span_table_dispatcher(table, id));
    span->is_placed &= span->target.v == node.v;
    span->node = node;
    span->target = NODE_INDEX_NONE;
    span->dispatcher_id = id;
    span->is_acknowledged = span->is_pinned = false;
    span->assignment_counter = 0;
    span->complete_round = 0;
    id_index_insert(&table->by_dispatcher, span->number);
}

void span_table_assign(span_table_t *table, span_entry_t *span, node_index_t node,
                       dispatcher_id_t id, uint64_t assignment_counter)
{
    assert(span->state == SPAN_ABSENT);
    bind(table, span, node, id);
    span->assignment_counter = assignment_counter;
    span_set_state(table, span, SPAN_SCHEDULING);
}

void span_table_adopt(span_table_t *table, span_entry_t *span, node_index_t node,
                      dispatcher_id_t id, bool is_replicating)
{
    assert(span->state == SPAN_ABSENT);
    bind(table, span, node, id);
    span->is_acknowledged = true;
    if (is_replicating)
        span->is_fresh = false;
    span_set_state(table, span, is_replicating ? SPAN_REPLICATING : SPAN_SCHEDULING);
}

span_entry_t *span_table_add_closing(span_table_t *table, node_index_t node, dispatcher_id_t id)
{
    span_entry_t *span = span_new(table, NULL, (position_t){0});
    bind(table, span, node, id);
    span_set_state(table, span, SPAN_CLOSING);
    return span;
}

void span_table_replicating(span_table_t *table, span_entry_t *span)
{
    span->is_fresh = false;
    span_set_state(table, span, SPAN_REPLICATING);
}

void span_table_move(span_table_t *table, span_entry_t *span, node_index_t target)
{
    span->target = target;
    span->is_placed = false;
    span_set_state(table, span, SPAN_MOVING);
}

void span_table_place(span_table_t *table, span_entry_t *span, node_index_t target)
{
    span_table_move(table, span, target);
    span->is_placed = true;
}

void span_table_restart(span_table_t *table, span_entry_t *span, commit_ts_t checkpoint)
{
    span_table_move(table, span, span->node);
    span_entry_pin(span, checkpoint);
}

void span_entry_pin(span_entry_t *span, commit_ts_t checkpoint)
{
    span->checkpoint = checkpoint;
    span->is_pinned = true;
}

static void raise_checkpoint(span_entry_t *span, commit_ts_t to)
{
    if (span->checkpoint.v < to.v && !span->is_pinned)
        span->checkpoint = to;
}

/* What a dispatcher has passed may be known sooner than how far it is, and what it passed it need
 * not meet again. Not so the trigger: its checkpoint stays below what it has to report again. */
static void settle_passed(span_entry_t *span)
{
    const table_entry_t *table = span->table;
    event_key_t passed = span_entry_passed(span);
    bool is_trigger = table->table_id.v == TABLE_ID_TRIGGER.v;
    bool is_creation = event_key_equal(passed, (event_key_t){table->created, false});
    if (!is_trigger && !is_creation)
        raise_checkpoint(span, passed.commit_ts);
}

/* At WAITING every row before the event was flushed; for a sync point also those at its
 * commit_ts, so that only the sync point is met again. */
static void settle_position(span_entry_t *span)
{
    event_key_t key = span_entry_block_key(span);
    settle_passed(span);
    if (span->block_stage == STAGE_WAITING || span->block_stage == STAGE_WRITING)
        raise_checkpoint(span, key.is_syncpoint ? key.commit_ts : commit_ts_before(key.commit_ts));
}

position_t span_entry_start(const span_entry_t *span)
{
    position_t start = span_entry_position(span);
    bool is_creation = event_key_equal(start.passed, (event_key_t){span->table->created, false});
    if (start.passed.commit_ts.v > start.checkpoint.v && !is_creation)
        start.passed = start.checkpoint.v ? (event_key_t){start.checkpoint, true} : EVENT_KEY_NONE;
    return start;
}

void span_table_unbind(span_table_t *table, span_entry_t *span)
{
    assert(span->state != SPAN_ABSENT);
    if (span->state == SPAN_CLOSING) {
        span_free(table, span);
        return;
    }
    settle_position(span);
    span->block_ts = COMMIT_TS_NONE;
    span->block_is_syncpoint = false;
    span->block_stage = STAGE_NONE;
    id_index_remove(&table->by_dispatcher,
                    (index_key_t){span->dispatcher_id.hi, span->dispatcher_id.lo});
    span->dispatcher_id = (dispatcher_id_t){0};
    span->is_acknowledged = false;
    state_unlink(table, span);
    span->node = NODE_INDEX_NONE;
    state_link(table, span, SPAN_ABSENT);
    span->sent_at = (mono_ns_t){0};
    table->version++;
}

void span_entry_set_target(span_entry_t *span, node_index_t target)
{
    span->target = target;
}

position_t span_entry_position(const span_entry_t *span)
{
    return (position_t){.checkpoint = span->checkpoint, .passed = span_entry_passed(span)};
}

bool span_entry_raise(span_entry_t *span, position_t position)
{
    bool is_raised = false;
    if (position.checkpoint.v > span->checkpoint.v && !span->is_pinned) {
        span->checkpoint = position.checkpoint;
        is_raised = true;
    }
    if (event_key_compare(position.passed, span_entry_passed(span)) > 0) {
        span->passed_ts = position.passed.commit_ts;
        span->passed_is_syncpoint = position.passed.is_syncpoint;
        is_raised = true;
    }
    return is_raised;
}

void span_entry_set_block(span_entry_t *span, event_key_t key, block_stage_t stage)
{
    span->block_ts = key.commit_ts;
    span->block_is_syncpoint = key.is_syncpoint;
    span->block_stage = (uint8_t)stage;
}

span_entry_t *span_table_first(const span_table_t *table, span_state_t state)
{
    return table->first[state];
}

uint32_t span_table_count(const span_table_t *table, span_state_t state)
{
    return table->count[state];
}

uint32_t span_table_node_capacity(const span_table_t *table)
{
    return table->node_capacity;
}

uint32_t span_table_node_count(const span_table_t *table, node_index_t node)
{
    return node.v < table->node_capacity ? table->nodes[node.v].bound : 0;
}

uint32_t span_table_node_scheduling(const span_table_t *table, node_index_t node)
{
    return node.v < table->node_capacity ? table->nodes[node.v].scheduling : 0;
}
