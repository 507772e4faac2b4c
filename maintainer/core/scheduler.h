/*
 * Who carries which span of one changefeed and pipeline: gives absent spans to nodes, repeats
 * creates and closes until heartbeats show the state wanted, evens out by span count when nodes
 * come, empties those that leave. The trigger goes first.
 *
 * A span that moves is closed at its node and created at the next one only when the first says
 * stopped, or is gone. Each time it is given away it gets a new dispatcher id and assignment epoch.
 *
 * Threads: one. Span table and barrier are borrowed for its life.
 */
#ifndef SLUICE_MAINTAINER_CORE_SCHEDULER_H
#define SLUICE_MAINTAINER_CORE_SCHEDULER_H

#include "maintainer/core/barrier.h"
#include "maintainer/core/sender.h"
#include "maintainer/core/span_table.h"

typedef struct scheduler scheduler_t;

/* A node that can be talked to about this changefeed. */
typedef struct {
    node_index_t node;
    bool takes_spans; /* not leaving, not draining */
    bool is_leaving;  /* goes away soon: does not wait for open gates */
} scheduler_node_t;

typedef struct {
    const scheduler_node_t *nodes;
    uint32_t node_count;
    commit_ts_t checkpoint; /* no span starts below it */
    bool wants_table_list;  /* asked of the node that gets the trigger */
    bool only_trigger;      /* nothing else is scheduled yet */
} schedule_situation_t;

scheduler_t *scheduler_new(const maintainer_settings_t *settings, span_table_t *table,
                           const barrier_t *barrier, changefeed_uuid_t uuid,
                           uint64_t maintainer_epoch, pipeline_t mode);
void scheduler_destroy(scheduler_t **scheduler);

/* Assigns, moves, and sends what is new or due. */
void scheduler_run(scheduler_t *scheduler, mono_ns_t now, const schedule_situation_t *situation,
                   const sender_t *sender);

/* When scheduler_run must be called at the latest. */
mono_ns_t scheduler_next_deadline(const scheduler_t *scheduler);

/* Spans that have to leave the node before it may go. */
uint32_t scheduler_left(const scheduler_t *scheduler, node_index_t node);

#endif
