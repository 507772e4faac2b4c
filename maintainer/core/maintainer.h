/*
 * The maintainer of one running changefeed, composed of its cores: request buffer, bootstrap, span
 * table, barrier, scheduler, checkpoint, schema log. It lives from the opening of the changefeed
 * under one maintainer_epoch to its end; pausing ends it, resuming makes a new one.
 *
 *   gathering ──nodes known──► listing ──table list──► running
 *        └──────────────┴─────────────┴──maintainer_close──► closing ──every node closed──► closed
 *
 * Gathering waits until every node that may have dispatchers has answered, at most one lease + 2 s.
 * Listing waits for the table list from the trigger's node. Until running, statuses are buffered.
 *
 * Threads: one. The node set is borrowed for its life.
 */
#ifndef SLUICE_MAINTAINER_CORE_MAINTAINER_H
#define SLUICE_MAINTAINER_CORE_MAINTAINER_H

#include "maintainer/core/node_set.h"
#include "maintainer/core/sender.h"
#include "maintainer/core/views.h"

typedef struct maintainer maintainer_t;

typedef struct {
    changefeed_ref_t ref;
    uint64_t maintainer_epoch;
    commit_ts_t checkpoint; /* persisted */
    anchor_t anchor;        /* persisted */
    bool is_new;            /* never opened: no node can carry anything of it */
    uint64_t persist_base;  /* persist ids of this maintainer begin here */
} maintainer_start_t;

/* `nodes_known`: indexes of nodes that may have dispatchers of it, to be heard before a span is
 * called absent (present or not); copied. */
maintainer_t *maintainer_new(const maintainer_settings_t *settings, const node_set_t *nodes,
                             const maintainer_start_t *start, const node_index_t *nodes_known,
                             uint32_t known_count, mono_ns_t now);
void maintainer_destroy(maintainer_t **maintainer);

/* ---- events ---- */

/* A node said hello with a new incarnation. */
void maintainer_node_joined(maintainer_t *maintainer, mono_ns_t now, node_index_t node);
/* A node was called absent, or its incarnation was replaced: its spans are absent at once. */
void maintainer_node_left(maintainer_t *maintainer, mono_ns_t now, node_index_t node);

/* A message of a present node about this changefeed, generation and maintainer_epoch. Copied. */
void maintainer_receive(maintainer_t *maintainer, mono_ns_t now, node_index_t node,
                        const message_t *message);

/* Outcome of a persist effect with an id of this maintainer. */
void maintainer_persisted(maintainer_t *maintainer, mono_ns_t now, uint64_t persist_id,
                          sluice_error_t error);

/* Handles what was received and everything due. */
void maintainer_step(maintainer_t *maintainer, mono_ns_t now, const sender_t *sender);
mono_ns_t maintainer_next_deadline(const maintainer_t *maintainer);

/* Ends it on every node. */
void maintainer_close(maintainer_t *maintainer, mono_ns_t now, bool is_removed);
bool maintainer_is_closed(const maintainer_t *maintainer);

/* ---- commands ---- */

/* NOT_FOUND: no such table; EXISTS: it is there; STATE: on the move, or not running, or the node
 * does not take spans. */
sluice_error_t maintainer_move_table(maintainer_t *maintainer, uint64_t request_id,
                                     table_id_t table_id, node_index_t node,
                                     error_report_t *report) SLUICE_MUST_USE;

/* ---- what the coordinator asks ---- */

/* The first error that fails the changefeed; SLUICE_OK: none. `text` lives as long as the
 * maintainer. */
sluice_error_t maintainer_failure(const maintainer_t *maintainer, bytes_t *text);
/* An error that is being retried; SLUICE_OK: none. */
sluice_error_t maintainer_warning(const maintainer_t *maintainer, bytes_t *text);
/* Persisted, confirmed. */
commit_ts_t maintainer_checkpoint(const maintainer_t *maintainer);
const anchor_t *maintainer_anchor(const maintainer_t *maintainer);

uint32_t maintainer_span_count(const maintainer_t *maintainer, node_index_t node);

/* Fills what a maintainer knows of the view. */
void maintainer_view(const maintainer_t *maintainer, arena_t *arena, changefeed_view_t *view);
size_t maintainer_tables(const maintainer_t *maintainer, arena_t *arena, table_view_t **views);
size_t maintainer_barriers(const maintainer_t *maintainer, mono_ns_t now, arena_t *arena,
                           barrier_view_t **views);

#endif
