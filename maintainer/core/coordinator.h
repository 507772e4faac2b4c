/*
 * The maintainer process as one pure step: all nodes and all changefeeds. It decides which node
 * carries which span, when a barrier event is written and passed, what the checkpoint is, and what
 * must be persisted before what is sent.
 *
 * Use: receive every message of the inbox with coordinator_receive, then coordinator_step once,
 * with one reading of the clock, and carry out its effects in order. Step again when a message
 * came, coordinator_persisted was called, a command was given, or coordinator_next_deadline is
 * reached. A step judges absence of nodes, so it must follow a drained inbox.
 *
 * Threads: one. Memory: arguments are copied unless said otherwise.
 */
#ifndef SLUICE_MAINTAINER_CORE_COORDINATOR_H
#define SLUICE_MAINTAINER_CORE_COORDINATOR_H

#include "maintainer/core/effects.h"
#include "maintainer/core/settings.h"
#include "maintainer/core/views.h"

typedef struct coordinator coordinator_t;

/* `name` and `incarnation` are the maintainer's own, put into headers. `settings` must have passed
 * maintainer_settings_check. */
coordinator_t *coordinator_new(const maintainer_settings_t *settings, const node_id_t *name,
                               incarnation_t incarnation, mono_ns_t now);
void coordinator_destroy(coordinator_t **coordinator);

/* ---- loading, before the first step ---- */

/* A slot that the meta store remembers. */
void coordinator_load_slot(coordinator_t *coordinator, const node_id_t *node, uint32_t slot);

/* A changefeed of the meta store, whose maintainer_epoch the shell has already raised by one and
 * persisted. SLUICE_ERROR_EXISTS: that uuid or name is loaded; SLUICE_ERROR_MALFORMED: checkpoint
 * or anchor contradict each other (anchor above checkpoint). */
sluice_error_t coordinator_load_changefeed(coordinator_t *coordinator, mono_ns_t now,
                                           const stored_changefeed_t *stored,
                                           error_report_t *report) SLUICE_MUST_USE;

/* ---- the loop ---- */

/* Takes in a decoded message of a node; cheap, answers come with the next step. What is stale,
 * unknown or not for a maintainer is counted and dropped. Borrows the message for the call. */
void coordinator_receive(coordinator_t *coordinator, mono_ns_t now, const message_t *message);

/* Handles everything received and every deadline reached; appends to `effects`. */
void coordinator_step(coordinator_t *coordinator, mono_ns_t now, effects_t *effects);

/* When coordinator_step must be called at the latest. */
mono_ns_t coordinator_next_deadline(const coordinator_t *coordinator);

/* Outcome of the persist effect with that id. A failure is retried or fails the changefeed by
 * `error`. Unknown ids are ignored. */
void coordinator_persisted(coordinator_t *coordinator, mono_ns_t now, uint64_t persist_id,
                           sluice_error_t error);

/* The meta store confirmed, at a time not before `now`, that it is still ours. Without this for a
 * lease the coordinator sends nothing more. */
void coordinator_epoch_confirmed(coordinator_t *coordinator, mono_ns_t now);

/* ---- commands ----
 * Each returns at once: an error with a line for the person, or SLUICE_OK, meaning accepted; then
 * EFFECT_ANSWER with `request_id` comes when it is done. request_id 0: no answer wanted. */

/* Pre-flight on a node, then persist, then open. `uuid` is 16 fresh random bytes. Errors: EXISTS,
 * CONFIGURATION (name), STATE (no node is there). */
sluice_error_t coordinator_create(coordinator_t *coordinator, mono_ns_t now, uint64_t request_id,
                                  changefeed_uuid_t uuid, const changefeed_config_t *config,
                                  error_report_t *report) SLUICE_MUST_USE;

/* Errors of the following: NOT_FOUND, STATE (pause twice, resume running, …). */
sluice_error_t coordinator_pause(coordinator_t *coordinator, mono_ns_t now, uint64_t request_id,
                                 bytes_t name, error_report_t *report) SLUICE_MUST_USE;

/* `gtid_list` empty: at its checkpoint. Else the position is overwritten: pre-flight again, new
 * generation. */
sluice_error_t coordinator_resume(coordinator_t *coordinator, mono_ns_t now, uint64_t request_id,
                                  bytes_t name, bytes_t gtid_list,
                                  error_report_t *report) SLUICE_MUST_USE;

sluice_error_t coordinator_remove(coordinator_t *coordinator, mono_ns_t now, uint64_t request_id,
                                  bytes_t name, error_report_t *report) SLUICE_MUST_USE;

/* New sink and options for a stopped or failed changefeed; source, filter and domain must be the
 * same (CONFIGURATION): with others it is another changefeed. */
sluice_error_t coordinator_update(coordinator_t *coordinator, mono_ns_t now, uint64_t request_id,
                                  bytes_t name, const changefeed_config_t *config,
                                  error_report_t *report) SLUICE_MUST_USE;

/* Moves every span of one table to `node`; answered when it replicates there. EXISTS: it is there;
 * STATE: a move of it is under way, or the changefeed does not run. */
sluice_error_t coordinator_move_table(coordinator_t *coordinator, mono_ns_t now,
                                      uint64_t request_id, bytes_t name, table_id_t table_id,
                                      const node_id_t *node,
                                      error_report_t *report) SLUICE_MUST_USE;

/* Hands the node's spans over and gives it none until it says hello anew; answered at once. Its
 * node_view tells what is left. STATE: it is the only node. */
sluice_error_t coordinator_drain(coordinator_t *coordinator, mono_ns_t now, uint64_t request_id,
                                 const node_id_t *node, error_report_t *report) SLUICE_MUST_USE;

/* ---- views ---- */

size_t coordinator_nodes(const coordinator_t *coordinator, mono_ns_t now, arena_t *arena,
                         node_view_t **views);
size_t coordinator_changefeeds(const coordinator_t *coordinator, mono_ns_t now, arena_t *arena,
                               changefeed_view_t **views);
/* NOT_FOUND. */
sluice_error_t coordinator_changefeed(const coordinator_t *coordinator, mono_ns_t now, bytes_t name,
                                      arena_t *arena, changefeed_view_t *view) SLUICE_MUST_USE;
sluice_error_t coordinator_tables(const coordinator_t *coordinator, bytes_t name, arena_t *arena,
                                  table_view_t **views, size_t *count) SLUICE_MUST_USE;
sluice_error_t coordinator_barriers(const coordinator_t *coordinator, mono_ns_t now, bytes_t name,
                                    arena_t *arena, barrier_view_t **views,
                                    size_t *count) SLUICE_MUST_USE;

/* Messages dropped since the start, for /metrics: not understood here, stale, or of strangers. */
typedef struct {
    uint64_t unknown_node, stale_incarnation, stale_epoch, unknown_changefeed, unexpected_type;
} coordinator_drops_t;
coordinator_drops_t coordinator_drops(const coordinator_t *coordinator);

#endif
