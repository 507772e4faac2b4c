/*
 * Up to where the persisted schema is complete, and what of it may be forgotten (DESIGN §5,
 * Checkpoint).
 *
 * A node starts from (whole snapshot at S) + (DDLs in (S, A]) + (anchor A). So an anchor may be
 * persisted only where that chain has no gap. Two chains are known: the one the persisted anchor is
 * in, and a newer one that begins with a whole snapshot behind a gap.
 *
 * Threads: one.
 */
#ifndef SLUICE_MAINTAINER_CORE_SCHEMA_LOG_H
#define SLUICE_MAINTAINER_CORE_SCHEMA_LOG_H

#include "maintainer/core/sender.h"

typedef struct schema_log schema_log_t;

/* `complete_to`: position of the persisted anchor, up to which the stored schema is complete. */
schema_log_t *schema_log_new(commit_ts_t complete_to);
void schema_log_destroy(schema_log_t **log);

/* From the trigger's node. Emits persist effects with ids taken from *next_persist_id, or an
 * acknowledgement when nothing has to be persisted. What does not follow is dropped; the node
 * repeats. */
void schema_log_ddls(schema_log_t *log, node_index_t node, const schema_ddls_t *ddls,
                     const sender_t *sender, uint64_t *next_persist_id);
void schema_log_snapshot(schema_log_t *log, node_index_t node, const schema_snapshot_t *snapshot,
                         const sender_t *sender, uint64_t *next_persist_id);

/* Outcome of a persist effect; false when the id is not one of this log. The acknowledgement goes
 * to the node it came from. */
bool schema_log_persisted(schema_log_t *log, uint64_t persist_id, sluice_error_t error,
                          const sender_t *sender);

/* The highest position at or below `checkpoint` where an anchor may be. */
commit_ts_t schema_log_bound(const schema_log_t *log, commit_ts_t checkpoint);

/* Whether this position is inside a chain. */
bool schema_log_allows(const schema_log_t *log, commit_ts_t anchor);

/* An anchor was persisted: what is older than the snapshot it starts from is forgotten. */
void schema_log_anchored(schema_log_t *log, commit_ts_t anchor, const sender_t *sender);

commit_ts_t schema_log_complete_to(const schema_log_t *log);

#endif
