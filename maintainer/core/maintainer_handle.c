/* What nodes report: heartbeats and block statuses. */
#include "maintainer/core/maintainer_internal.h"

/* A dispatcher that so many complete heartbeats in a row do not name is lost at its node. One may
 * have been written before the dispatcher was there. */
enum { ROUNDS_MISSED_MAX = 2, ROUNDS = 255 };

#define RATE_INTERVAL_NS (2 * NS_PER_S)

static void handle_state(maintainer_t *m, const merged_heartbeat_t *heartbeat,
                         const dispatcher_heartbeat_t *entry, span_entry_t *span)
{
    switch (entry->state) {
    case DISPATCHER_PREPARING:
        span->is_acknowledged = true;
        break;
    case DISPATCHER_WORKING:
        span->is_acknowledged = true;
        if (span->state != SPAN_SCHEDULING)
            break;
        span_table_replicating(m->table, span);
        /* It may have begun further on than anybody said of it, at the persisted checkpoint. */
        if (span->table)
            barrier_note_position(m->barrier, span);
        span->complete_round = maintainer_feed(m, heartbeat->node)->round;
        checkpoint_require(m->checkpoint, heartbeat->node,
                           heartbeat->has_watermark ? heartbeat->watermark.seq : 0);
        break;
    case DISPATCHER_STOPPED:
        span_table_unbind(m->table, span);
        break;
    case DISPATCHER_FAILED:
        /* The heartbeat that says why fails the changefeed. */
        break;
    }
}

static void handle_entry(maintainer_t *m, const merged_heartbeat_t *heartbeat,
                         const dispatcher_heartbeat_t *entry)
{
    span_entry_t *span = span_table_dispatcher(m->table, entry->dispatcher_id);
    bool is_alive = entry->state == DISPATCHER_PREPARING || entry->state == DISPATCHER_WORKING;
    if (!span) {
        /* One that we do not know of: an older assignment, or its table is gone. */
        if (is_alive && m->phase == PHASE_RUNNING && !dispatcher_id_is_none(entry->dispatcher_id))
            span_table_add_closing(m->table, heartbeat->node, entry->dispatcher_id);
        if (m->phase == PHASE_LISTING)
            bootstrap_add_news(m->bootstrap, heartbeat->node, entry);
        return;
    }
    if (span->node.v != heartbeat->node.v)
        return;
    feed_node_t *feed = maintainer_feed(m, heartbeat->node);
    span->complete_round = feed->round;
    if (span->table && span_entry_raise(span, entry->position))
        barrier_note_position(m->barrier, span);
    handle_state(m, heartbeat, entry, span);
}

static uint8_t rounds_since(uint8_t round, uint8_t then)
{
    return (uint8_t)((round + ROUNDS - then) % ROUNDS);
}

/* Everything the node has was named: what we believe it has and it did not name is lost. */
static void strike_lost(maintainer_t *m, node_index_t node, uint8_t round)
{
    static const span_state_t states[] = {SPAN_SCHEDULING, SPAN_REPLICATING};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        span_entry_t *next;
        for (span_entry_t *span = span_table_first(m->table, states[i]); span; span = next) {
            next = span->state_next;
            if (span->node.v == node.v && span->is_acknowledged &&
                rounds_since(round, span->complete_round) >= ROUNDS_MISSED_MAX)
                span_table_unbind(m->table, span);
        }
    }
}

/* A complete heartbeat may come in pieces over several steps. */
static void begin_round(feed_node_t *feed, const merged_heartbeat_t *heartbeat)
{
    if (heartbeat->complete_next == heartbeat->complete_first && !heartbeat->complete_last)
        return;
    if (heartbeat->complete_first == 0) {
        feed->round = (uint8_t)((feed->round + 1) % ROUNDS);
        feed->in_round = true;
    } else if (heartbeat->complete_first != feed->round_next_piece) {
        feed->in_round = false;
    }
    feed->round_next_piece = heartbeat->complete_next;
}

static void handle_progress(feed_node_t *feed, const merged_heartbeat_t *heartbeat)
{
    feed->rows_applied = heartbeat->rows_applied;
    feed->bytes_applied = heartbeat->bytes_applied;
    feed->ddl_applied = heartbeat->ddl_applied;
    feed->read_commit_time = heartbeat->read_commit_time;
    feed->is_caught_up = heartbeat->is_caught_up;
}

static void note_caught_up(maintainer_t *m)
{
    bool is_caught_up = checkpoint_now(m->checkpoint).v >= checkpoint_resolved(m->checkpoint).v;
    for (uint32_t i = 0; i < m->node_count && is_caught_up; i++)
        is_caught_up = m->nodes[i].state != FEED_READY || m->nodes[i].is_caught_up;
    if (is_caught_up)
        m->caught_up_at = m->stepped_at;
}

static void handle_heartbeat(maintainer_t *m, const merged_heartbeat_t *heartbeat)
{
    feed_node_t *feed = maintainer_feed(m, heartbeat->node);
    maintainer_note_error(m, feed, heartbeat->error, heartbeat->error_text);
    if (heartbeat->mode != PIPELINE_DEFAULT)
        return;
    if (feed->state != FEED_READY) {
        for (uint32_t i = 0; feed->state == FEED_BOOTSTRAPPING && i < heartbeat->entry_count; i++)
            bootstrap_add_news(m->bootstrap, heartbeat->node, &heartbeat->entries[i]);
        return;
    }
    begin_round(feed, heartbeat);
    for (uint32_t i = 0; i < heartbeat->entry_count; i++)
        handle_entry(m, heartbeat, &heartbeat->entries[i]);
    if (heartbeat->has_watermark)
        checkpoint_watermark(m->checkpoint, heartbeat->node, &heartbeat->watermark);
    if (heartbeat->has_anchor)
        checkpoint_add_anchor(m->checkpoint, &heartbeat->anchor);
    if (feed->in_round && heartbeat->complete_last) {
        feed->in_round = false;
        feed->owes_persisted = true;
        strike_lost(m, heartbeat->node, feed->round);
    }
    handle_progress(feed, heartbeat);
    commit_times_add(&m->commit_times, heartbeat->read_ts, heartbeat->read_commit_time);
    note_caught_up(m);
}

/* Over all nodes; one that starts again counts from 0. */
static void measure_rows(maintainer_t *m)
{
    uint64_t rows = 0, passed_ns = mono_elapsed(m->rows_at, m->stepped_at);
    if (passed_ns < RATE_INTERVAL_NS)
        return;
    for (uint32_t i = 0; i < m->node_count; i++)
        rows += m->nodes[i].rows_applied;
    bool is_measured = m->rows_at.v && rows >= m->rows;
    m->rows_per_second =
        is_measured ? (uint64_t)((double)(rows - m->rows) * 1e9 / (double)passed_ns) : 0;
    m->rows_at = m->stepped_at;
    m->rows = rows;
}

void maintainer_handle_heartbeats(maintainer_t *m)
{
    const merged_heartbeat_t *heartbeats;
    size_t count = request_buffer_heartbeats(m->buffer, &heartbeats);
    for (size_t i = 0; i < count; i++)
        handle_heartbeat(m, &heartbeats[i]);
    request_buffer_release_heartbeats(m->buffer);
    measure_rows(m);
}

void maintainer_handle_statuses(maintainer_t *m, mono_ns_t now)
{
    const buffered_group_t *groups;
    size_t count = request_buffer_groups(m->buffer, &groups);
    for (size_t i = 0; i < count; i++) {
        const buffered_group_t *group = &groups[i];
        uint32_t n = group->content.dispatcher_count;
        bool is_known = maintainer_feed(m, group->node)->state == FEED_READY;
        if (!is_known)
            continue; /* not told yet what it has: nothing can be said of its dispatchers */
        if (group->mode == PIPELINE_DEFAULT)
            barrier_handle_group(m->barrier, now, group, m->verdicts);
        else
            for (uint32_t j = 0; j < n; j++)
                m->verdicts[j] = VERDICT_UNKNOWN;
        if (group->content.stage != STAGE_DONE)
            outbox_add_verdicts(m->outbox, group->node, group->request_sequence, group->group,
                                m->verdicts, n);
    }
    request_buffer_release_groups(m->buffer);
}
