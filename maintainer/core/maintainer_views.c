/* What others ask of a maintainer, and the command to move a table. */
#include <inttypes.h>

#include "maintainer/core/maintainer_internal.h"

sluice_error_t maintainer_failure(const maintainer_t *m, bytes_t *text)
{
    *text = bytes_of_text(m->failure_text);
    return m->failure;
}

sluice_error_t maintainer_warning(const maintainer_t *m, bytes_t *text)
{
    *text = bytes_of_text(m->warning_text);
    for (uint32_t i = 0; i < m->node_count; i++)
        if (m->nodes[i].warning != SLUICE_OK)
            return m->nodes[i].warning;
    *text = bytes_of_text("the meta store does not take the checkpoint; rows flow on, and are read "
                          "again from the last one that it took after a restart");
    return m->persist_error;
}

commit_ts_t maintainer_checkpoint(const maintainer_t *m)
{
    return m->persisted;
}

const anchor_t *maintainer_anchor(const maintainer_t *m)
{
    return &m->anchor;
}

uint32_t maintainer_span_count(const maintainer_t *m, node_index_t node)
{
    return span_table_node_count(m->table, node);
}

sluice_error_t maintainer_move_table(maintainer_t *m, uint64_t request_id, table_id_t table_id,
                                     node_index_t node, error_report_t *report)
{
    table_entry_t *entry = span_table_find(m->table, table_id);
    if (m->phase != PHASE_RUNNING)
        return error_report_set(report, SLUICE_ERROR_STATE, "the changefeed is not running yet");
    if (!entry || table_id.v == TABLE_ID_TRIGGER.v)
        return error_report_set(report, SLUICE_ERROR_NOT_FOUND, "no table %" PRIu64, table_id.v);
    const node_entry_t *target = node_set_at(m->node_set, node);
    if (maintainer_feed(m, node)->state != FEED_READY || target->is_leaving || target->is_draining)
        return error_report_set(report, SLUICE_ERROR_STATE, "node %s takes no tables now",
                                target->id.text);
    bool is_elsewhere = false;
    for (span_entry_t *span = entry->first_span; span; span = span->next_in_table) {
        if (span->state != SPAN_REPLICATING)
            return error_report_set(report, SLUICE_ERROR_STATE, "the table is %s",
                                    span_state_name((span_state_t)span->state));
        is_elsewhere |= span->node.v != node.v;
    }
    if (!is_elsewhere)
        return error_report_set(report, SLUICE_ERROR_EXISTS, "the table is on %s already",
                                target->id.text);
    if (m->move_count == MOVES_ASKED_MAX)
        return error_report_set(report, SLUICE_ERROR_FULL, "too many moves are under way");
    for (span_entry_t *span = entry->first_span; span; span = span->next_in_table)
        if (span->node.v != node.v)
            span_table_place(m->table, span, node);
    m->moves[m->move_count++] = (asked_move_t){request_id, table_id, node};
    m->has_work = true;
    return SLUICE_OK;
}

static const char *phase_name(phase_t phase)
{
    switch (phase) {
    case PHASE_GATHERING:
        return "gathering";
    case PHASE_LISTING:
        return "listing";
    case PHASE_RUNNING:
        return "running";
    case PHASE_CLOSING:
        return "closing";
    case PHASE_CLOSED:
        return "closed";
    }
    return "unknown";
}

static const char *table_name(arena_t *arena, const span_entry_t *span)
{
    if (!span->table || !span->table->schema)
        return "the table trigger";
    return arena_printf(arena, "%s.%s", span->table->schema->name, span->table->name);
}

/* The table of the node that is furthest behind, by what is known of it. */
static const span_entry_t *slowest_span(const maintainer_t *m, node_index_t node)
{
    const span_entry_t *slowest = NULL;
    for (const span_entry_t *span = span_table_first(m->table, SPAN_REPLICATING); span;
         span = span->state_next)
        if (span->node.v == node.v && (!slowest || span->checkpoint.v < slowest->checkpoint.v))
            slowest = span;
    return slowest;
}

static const char *holding_node(const maintainer_t *m, arena_t *arena, node_index_t node)
{
    if (checkpoint_now(m->checkpoint).v >= checkpoint_resolved(m->checkpoint).v)
        return "";
    const char *name = node_set_at(m->node_set, node)->id.text;
    const span_entry_t *span = slowest_span(m, node);
    return span ? arena_printf(arena, "node %s is the slowest, there %s", name,
                               table_name(arena, span))
                : arena_printf(arena, "node %s is the slowest", name);
}

/* Who keeps the checkpoint where it is: the first thing people ask for. */
static const char *holding(const maintainer_t *m, arena_t *arena)
{
    checkpoint_holder_t holder = checkpoint_holder(m->checkpoint);
    switch (holder.kind) {
    case HOLDER_NONE:
        return "";
    case HOLDER_WATERMARK_MISSING:
        return arena_printf(arena, "node %s has not said how far it is",
                            node_set_at(m->node_set, holder.node)->id.text);
    case HOLDER_NODE:
        return holding_node(m, arena, holder.node);
    case HOLDER_SPAN:
        return arena_printf(arena, "no node carries %s yet", table_name(arena, holder.span));
    case HOLDER_EVENT:
        return "a DDL that adds tables";
    }
    return "";
}

void maintainer_view(const maintainer_t *m, arena_t *arena, changefeed_view_t *view)
{
    view->phase = phase_name(m->phase);
    view->maintainer_epoch = m->start.maintainer_epoch;
    view->checkpoint = m->persisted;
    view->checkpoint_now = checkpoint_now(m->checkpoint);
    /* A maintainer that has just begun knows no more than the anchor. */
    view->checkpoint_time = m->checkpoint_time.v ? m->checkpoint_time : m->anchor.commit_time;
    view->rows_per_second = m->rows_per_second;
    view->gtid_list = arena_strdup(arena, m->anchor.gtid_list);
    view->resolved = checkpoint_resolved(m->checkpoint);
    view->table_count = span_table_table_count(m->table);
    view->absent_count = span_table_count(m->table, SPAN_ABSENT);
    view->scheduling_count = span_table_count(m->table, SPAN_SCHEDULING);
    view->replicating_count = span_table_count(m->table, SPAN_REPLICATING);
    view->closing_count = span_table_count(m->table, SPAN_CLOSING);
    view->moving_count = span_table_count(m->table, SPAN_MOVING);
    view->span_count =
        view->absent_count + view->scheduling_count + view->replicating_count + view->moving_count;
    view->barrier_count = (uint32_t)barrier_count(m->barrier);
    view->is_caught_up = true;
    bool is_any = false;
    for (uint32_t i = 0; i < m->node_count; i++) {
        const feed_node_t *feed = &m->nodes[i];
        if (feed->state != FEED_READY)
            continue;
        is_any = true;
        view->rows_applied += feed->rows_applied;
        view->bytes_applied += feed->bytes_applied;
        view->ddl_applied += feed->ddl_applied;
        view->is_caught_up &= feed->is_caught_up;
        if (feed->read_commit_time.v > view->read_commit_time.v)
            view->read_commit_time = feed->read_commit_time;
    }
    view->is_caught_up &= is_any;
    view->caught_up_at = m->caught_up_at;
    view->holding = holding(m, arena);
    barrier_counters_t barrier = barrier_counters(m->barrier);
    request_buffer_counters_t buffer = request_buffer_counters(m->buffer);
    view->pass_sent = barrier.pass_sent;
    view->pass_held_quiet = barrier.pass_held_quiet;
    view->statuses_handled = barrier.statuses_handled;
    view->statuses_duplicate = buffer.statuses_duplicate;
    view->heartbeats_merged = buffer.heartbeats_merged;
}

static const char *node_name(const void *context, node_index_t node)
{
    const maintainer_t *m = context;
    return node_set_at(m->node_set, node)->id.text;
}

static table_view_t view_span(const maintainer_t *m, arena_t *arena, const span_entry_t *span)
{
    span_t range = span_entry_range(span);
    bool is_waiting = span->block_stage == STAGE_WAITING || span->block_stage == STAGE_WRITING;
    const char *node =
        node_index_is_none(span->node) ? "" : arena_strdup(arena, node_name(m, span->node));
    return (table_view_t){
        .table_id = span->table->table_id,
        .schema = span->table->schema ? arena_strdup(arena, span->table->schema->name) : "",
        .name =
            span->table->schema ? arena_strdup(arena, span->table->name) : table_name(arena, span),
        .node = node,
        .state = span_state_name((span_state_t)span->state),
        .dispatcher_id = span->dispatcher_id,
        .start_key = arena_bytes(arena, range.start_key),
        .end_key = arena_bytes(arena, range.end_key),
        .position = span_entry_position(span),
        .is_waiting = is_waiting,
        .waiting_for = is_waiting ? span_entry_block_key(span) : EVENT_KEY_NONE,
    };
}

size_t maintainer_tables(const maintainer_t *m, arena_t *arena, table_view_t **views)
{
    size_t capacity = 0, count = 0;
    for (int state = 0; state < SPAN_STATE_COUNT; state++)
        capacity += span_table_count(m->table, (span_state_t)state);
    *views = arena_calloc(arena, capacity ? capacity : 1, sizeof **views);
    uint32_t cursor = 0;
    for (table_entry_t *entry; (entry = span_table_next_table(m->table, &cursor));)
        for (span_entry_t *span = entry->first_span; span; span = span->next_in_table)
            (*views)[count++] = view_span(m, arena, span);
    return count;
}

size_t maintainer_barriers(const maintainer_t *m, mono_ns_t now, arena_t *arena,
                           barrier_view_t **views)
{
    return barrier_views(m->barrier, now, arena, node_name, m, views);
}
