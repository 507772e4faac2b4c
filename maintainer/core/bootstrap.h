/*
 * How a maintainer learns what its nodes carry already, and builds span table and barrier from it
 * (DESIGN §5, Nodes): dispatchers and block states from bootstrap responses, the table list from
 * the node of the trigger.
 *
 * Until the list is here, what nodes said is kept as it came. bootstrap_build makes the tables of
 * the list, gives each its dispatcher if some node has it, and has the others closed. What a node
 * says later is matched against the span table at once.
 *
 * Threads: one. Messages are copied.
 */
#ifndef SLUICE_MAINTAINER_CORE_BOOTSTRAP_H
#define SLUICE_MAINTAINER_CORE_BOOTSTRAP_H

#include "maintainer/core/barrier.h"
#include "maintainer/core/span_table.h"

typedef struct bootstrap bootstrap_t;

/* `checkpoint`: persisted; no span starts below it. Span table and barrier are borrowed. */
bootstrap_t *bootstrap_new(span_table_t *table, barrier_t *barrier, commit_ts_t checkpoint,
                           pipeline_t mode);
void bootstrap_destroy(bootstrap_t **bootstrap);

/* One piece of a node's response. true: it was the last missing one, the node is known. A piece
 * that does not follow is dropped (false); asked again, the node begins at 0. */
bool bootstrap_add_response(bootstrap_t *bootstrap, node_index_t node,
                            const bootstrap_response_t *response);
/* A heartbeat of the node said so while the span table did not know the dispatcher: it counts when
 * the node is matched, whatever the response says, which was written before. */
void bootstrap_add_news(bootstrap_t *bootstrap, node_index_t node,
                        const dispatcher_heartbeat_t *entry);
/* The node is gone; what it said is forgotten. Its spans are the caller's. */
void bootstrap_forget_node(bootstrap_t *bootstrap, node_index_t node);

/* Puts the trigger into the span table: with the newest dispatcher that a node has of it, or absent
 * at the persisted checkpoint. Others of it are to be closed, and who is below the persisted
 * checkpoint, also those that a node names later. Called once. */
void bootstrap_place_trigger(bootstrap_t *bootstrap);
/* A node has it and was not told to give it back. */
bool bootstrap_has_trigger_somewhere(const bootstrap_t *bootstrap);
/* No list comes: the trigger's node may not be able to read on to where that stands before a gate
 * is opened for which the list is needed. It is started again at the persisted checkpoint, where
 * every node gets to. False: it is there, or on its way. */
bool bootstrap_restart_trigger(bootstrap_t *bootstrap);

/* One piece of the table list; only from the node the trigger is at, and not of one that was there
 * before: not below the persisted checkpoint, nor below where a trigger that was given out starts,
 * which would not report again what lies between. One that was told to give the trigger back may
 * still send it. true: it is complete. */
bool bootstrap_add_table_list(bootstrap_t *bootstrap, node_index_t node, const table_list_t *list);
/* How many pieces were taken so far, of this list and of others. */
uint32_t bootstrap_pieces_taken(const bootstrap_t *bootstrap);
bool bootstrap_has_table_list(const bootstrap_t *bootstrap);

/* The list is complete: builds everything. */
void bootstrap_build(bootstrap_t *bootstrap, mono_ns_t now);

/* After bootstrap_build: what a node that came later said is matched now. */
void bootstrap_merge_node(bootstrap_t *bootstrap, mono_ns_t now, node_index_t node);

#endif
