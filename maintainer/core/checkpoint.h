/*
 * The checkpoint of one changefeed and pipeline (DESIGN §5): the minimum over the watermarks of
 * nodes that own spans and over spans that nobody carries. Where something is not known it does not
 * advance; it never goes back.
 *
 * Also the anchors that came with heartbeats, so that one at or below a checkpoint can be persisted
 * with it.
 *
 * Threads: one.
 */
#ifndef SLUICE_MAINTAINER_CORE_CHECKPOINT_H
#define SLUICE_MAINTAINER_CORE_CHECKPOINT_H

#include "maintainer/core/span_table.h"

#define ANCHORS_HELD_MAX 32

typedef struct checkpoint checkpoint_t;

checkpoint_t *checkpoint_new(commit_ts_t start);
void checkpoint_destroy(checkpoint_t **checkpoint);

/* A node's watermark; a lower seq is ignored. */
void checkpoint_watermark(checkpoint_t *checkpoint, node_index_t node, const watermark_t *given);
/* A span of the node was seen replicating in a heartbeat of this seq: watermarks below do not count
 * it. */
void checkpoint_require(checkpoint_t *checkpoint, node_index_t node, uint64_t seq);
/* The node is gone, or starts anew. */
void checkpoint_forget_node(checkpoint_t *checkpoint, node_index_t node);

/* What keeps the checkpoint where it is. */
typedef enum {
    HOLDER_NONE,
    HOLDER_WATERMARK_MISSING, /* `node` owns spans, and no usable watermark came */
    HOLDER_NODE,              /* `node` is the slowest */
    HOLDER_SPAN,              /* `span` is not carried yet */
    HOLDER_EVENT              /* a barrier event that adds tables */
} checkpoint_holder_kind_t;

typedef struct {
    checkpoint_holder_kind_t kind;
    node_index_t node;
    const span_entry_t *span;
} checkpoint_holder_t;

/* Advances as far as it may and returns where it is. `event_bound` is the barrier's. */
commit_ts_t checkpoint_advance(checkpoint_t *checkpoint, const span_table_t *table,
                               commit_ts_t event_bound);
commit_ts_t checkpoint_now(const checkpoint_t *checkpoint);
/* Lowest resolved_ts of the nodes that own spans, as of the last advance. */
commit_ts_t checkpoint_resolved(const checkpoint_t *checkpoint);
checkpoint_holder_t checkpoint_holder(const checkpoint_t *checkpoint);

/* ---- anchors ---- */

void checkpoint_add_anchor(checkpoint_t *checkpoint, const anchor_t *anchor);
/* The newest at or below `at_most`, NULL if there is none; those below it are forgotten. Valid
 * until the next add. */
const anchor_t *checkpoint_pick_anchor(checkpoint_t *checkpoint, commit_ts_t at_most);

#endif
