#include "maintainer/core/checkpoint.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "maintainer/core/heartbeat_merge.h"

typedef struct {
    bool has_watermark;
    watermark_t watermark;
    uint64_t required_seq;
} node_mark_t;

struct checkpoint {
    commit_ts_t now, resolved;
    node_mark_t *marks; /* by node index */
    uint32_t mark_count;
    checkpoint_holder_t holder;
    anchor_t *anchors; /* ascending */
    uint32_t anchor_count;
};

checkpoint_t *checkpoint_new(commit_ts_t start)
{
    checkpoint_t *checkpoint = memory_zalloc(sizeof *checkpoint);
    checkpoint->now = checkpoint->resolved = start;
    checkpoint->anchors = memory_alloc(ANCHORS_HELD_MAX * sizeof *checkpoint->anchors);
    return checkpoint;
}

void checkpoint_destroy(checkpoint_t **checkpoint)
{
    if (!*checkpoint)
        return;
    free((*checkpoint)->marks);
    free((*checkpoint)->anchors);
    free(*checkpoint);
    *checkpoint = NULL;
}

static node_mark_t *mark_of(checkpoint_t *checkpoint, node_index_t node)
{
    if (node.v >= checkpoint->mark_count) {
        uint32_t count = node.v + 8;
        checkpoint->marks = memory_realloc(checkpoint->marks, count * sizeof *checkpoint->marks);
        memset(checkpoint->marks + checkpoint->mark_count, 0,
               (count - checkpoint->mark_count) * sizeof *checkpoint->marks);
        checkpoint->mark_count = count;
    }
    return &checkpoint->marks[node.v];
}

void checkpoint_watermark(checkpoint_t *checkpoint, node_index_t node, const watermark_t *given)
{
    node_mark_t *mark = mark_of(checkpoint, node);
    watermark_merge(&mark->watermark, mark->has_watermark, given);
    mark->has_watermark = true;
}

void checkpoint_require(checkpoint_t *checkpoint, node_index_t node, uint64_t seq)
{
    node_mark_t *mark = mark_of(checkpoint, node);
    if (mark->required_seq < seq)
        mark->required_seq = seq;
}

void checkpoint_forget_node(checkpoint_t *checkpoint, node_index_t node)
{
    if (node.v < checkpoint->mark_count)
        checkpoint->marks[node.v] = (node_mark_t){0};
}

/* What the nodes allow; false when one that owns spans says nothing usable. */
static bool bound_of_nodes(checkpoint_t *checkpoint, const span_table_t *table, commit_ts_t *bound,
                           commit_ts_t *resolved)
{
    for (uint32_t i = 0; i < span_table_node_capacity(table); i++) {
        node_index_t node = {i};
        uint32_t owned =
            span_table_node_count(table, node) - span_table_node_scheduling(table, node);
        if (owned == 0)
            continue;
        const node_mark_t *mark = i < checkpoint->mark_count ? &checkpoint->marks[i] : NULL;
        bool is_usable = mark && mark->has_watermark && mark->watermark.seq >= mark->required_seq &&
                         mark->watermark.checkpoint.v != 0 &&
                         mark->watermark.checkpoint.v != COMMIT_TS_MAX.v;
        if (!is_usable) {
            checkpoint->holder = (checkpoint_holder_t){HOLDER_WATERMARK_MISSING, node, NULL};
            return false;
        }
        if (mark->watermark.checkpoint.v < bound->v) {
            *bound = mark->watermark.checkpoint;
            checkpoint->holder = (checkpoint_holder_t){HOLDER_NODE, node, NULL};
        }
        if (mark->watermark.resolved.v < resolved->v)
            *resolved = mark->watermark.resolved;
    }
    return true;
}

/* What spans allow that no watermark speaks for: a moving one may have left its node's already.
 * What keeps the checkpoint where it is says enough: while tables wait for a node, all of them do.
 */
static void bound_of_spans(checkpoint_t *checkpoint, const span_table_t *table, commit_ts_t *bound)
{
    static const span_state_t states[] = {SPAN_ABSENT, SPAN_SCHEDULING, SPAN_MOVING};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        for (const span_entry_t *span = span_table_first(table, states[i]);
             span && bound->v > checkpoint->now.v; span = span->state_next) {
            commit_ts_t at = span->checkpoint;
            commit_ts_t before = span->table ? commit_ts_before(span->table->created) : at;
            if (span->is_fresh && before.v < at.v)
                at = before;
            if (at.v >= bound->v)
                continue;
            *bound = at;
            checkpoint->holder = (checkpoint_holder_t){HOLDER_SPAN, NODE_INDEX_NONE, span};
        }
}

commit_ts_t checkpoint_advance(checkpoint_t *checkpoint, const span_table_t *table,
                               commit_ts_t event_bound)
{
    commit_ts_t bound = COMMIT_TS_MAX, resolved = COMMIT_TS_MAX;
    checkpoint->holder = (checkpoint_holder_t){HOLDER_NONE, NODE_INDEX_NONE, NULL};
    if (!bound_of_nodes(checkpoint, table, &bound, &resolved))
        return checkpoint->now;
    bound_of_spans(checkpoint, table, &bound);
    if (event_bound.v < bound.v) {
        bound = event_bound;
        checkpoint->holder = (checkpoint_holder_t){HOLDER_EVENT, NODE_INDEX_NONE, NULL};
    }
    if (resolved.v != COMMIT_TS_MAX.v && resolved.v > checkpoint->resolved.v)
        checkpoint->resolved = resolved;
    if (bound.v != COMMIT_TS_MAX.v && bound.v > checkpoint->now.v)
        checkpoint->now = bound;
    return checkpoint->now;
}

commit_ts_t checkpoint_now(const checkpoint_t *checkpoint)
{
    return checkpoint->now;
}

commit_ts_t checkpoint_resolved(const checkpoint_t *checkpoint)
{
    return checkpoint->resolved;
}

checkpoint_holder_t checkpoint_holder(const checkpoint_t *checkpoint)
{
    return checkpoint->holder;
}

/* Makes room by dropping every second anchor but the newest: what is left is spread evenly over
 * what was held. */
static void thin_out(checkpoint_t *checkpoint)
{
    uint32_t kept = 0;
    for (uint32_t i = 1; i < checkpoint->anchor_count; i += 2)
        checkpoint->anchors[kept++] = checkpoint->anchors[i];
    checkpoint->anchor_count = kept;
}

void checkpoint_add_anchor(checkpoint_t *checkpoint, const anchor_t *anchor)
{
    if (anchor->commit_ts.v == 0 || anchor->commit_ts.v == COMMIT_TS_MAX.v)
        return;
    uint32_t count = checkpoint->anchor_count;
    if (count && anchor->commit_ts.v <= checkpoint->anchors[count - 1].commit_ts.v)
        return;
    if (count == ANCHORS_HELD_MAX)
        thin_out(checkpoint);
    checkpoint->anchors[checkpoint->anchor_count++] = *anchor;
}

const anchor_t *checkpoint_pick_anchor(checkpoint_t *checkpoint, commit_ts_t at_most)
{
    uint32_t found = checkpoint->anchor_count;
    while (found && checkpoint->anchors[found - 1].commit_ts.v > at_most.v)
        found--;
    if (found == 0)
        return NULL;
    checkpoint->anchor_count -= found - 1;
    memmove(checkpoint->anchors, checkpoint->anchors + found - 1,
            checkpoint->anchor_count * sizeof *checkpoint->anchors);
    return &checkpoint->anchors[0];
}
