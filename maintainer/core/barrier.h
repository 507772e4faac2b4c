/*
 * The barrier of one changefeed and one pipeline: DESIGN §5 rules 1 to 9. Statuses come in with
 * barrier_handle_group, positions from heartbeats with barrier_note_position; barrier_settle then
 * does everything that follows from them and from the time: selection, WRITE, changes of the table
 * list in key order, PASS, resends, warnings.
 *
 * It changes the span table itself (block states, tables added, dropped, moved); who carries what
 * is the scheduler's.
 *
 * Threads: one. The span table is borrowed for its life.
 */
#ifndef SLUICE_MAINTAINER_CORE_BARRIER_H
#define SLUICE_MAINTAINER_CORE_BARRIER_H

#include "maintainer/core/barrier_event.h"
#include "maintainer/core/effects.h"
#include "maintainer/core/outbox.h"
#include "maintainer/core/request_buffer.h"
#include "maintainer/core/settings.h"
#include "maintainer/core/views.h"

/* No log jumps by so many transactions between two heartbeats: a status that says so is refused,
 * since it would carry the checkpoint with it. */
#define BARRIER_TS_JUMP_MAX (UINT64_C(1) << 32)

typedef struct barrier barrier_t;

barrier_t *barrier_new(const maintainer_settings_t *settings, span_table_t *table, pipeline_t mode);
void barrier_destroy(barrier_t **barrier);

/* Changes of the table list at or below `key` are in the table list that was loaded. */
void barrier_set_floor(barrier_t *barrier, event_key_t key);

/* One dispatcher's block state as a bootstrap told it. WAITING counts as reported, WRITING makes
 * the writer, DONE means the writer has advanced. `payload` need not be canonical. */
void barrier_restore(barrier_t *barrier, mono_ns_t now, span_entry_t *span, event_key_t key,
                     block_stage_t stage, const block_payload_t *payload);

/* One group; fills verdicts[i] for each of its dispatchers (LATER for those the group marks as
 * duplicates). For a group of DONE the verdicts mean nothing. */
void barrier_handle_group(barrier_t *barrier, mono_ns_t now, const buffered_group_t *group,
                          verdict_t *verdicts);

/* After a span's position was raised by something other than a status. */
void barrier_note_position(barrier_t *barrier, const span_entry_t *span);

/* Everything due: actions into the outbox, lines into effects (under the name `changefeed`). */
void barrier_settle(barrier_t *barrier, mono_ns_t now, outbox_t *outbox, effects_t *effects,
                    bytes_t changefeed);

/* When barrier_settle must be called at the latest. */
mono_ns_t barrier_next_deadline(const barrier_t *barrier);

/* The changefeed fails: reporters went on disagreeing. SLUICE_OK: no. `text` is valid until the
 * next call into the barrier. */
sluice_error_t barrier_failure(const barrier_t *barrier, bytes_t *text);

/* Whether the span stands in, or belongs to, an open gate: not to be moved now. */
bool barrier_holds(const barrier_t *barrier, const span_entry_t *span);

/* The checkpoint stays at or below this: commit_ts - 1 of every event whose new tables are not in
 * the span table yet. COMMIT_TS_MAX: no bound. */
commit_ts_t barrier_checkpoint_bound(const barrier_t *barrier);

size_t barrier_count(const barrier_t *barrier);
const barrier_event_t *barrier_find(const barrier_t *barrier, event_key_t key);
/* `node_name` gives the text for a node, for the views. */
typedef const char *(*node_name_t)(const void *context, node_index_t node);
size_t barrier_views(const barrier_t *barrier, mono_ns_t now, arena_t *arena, node_name_t node_name,
                     const void *context, barrier_view_t **views);

typedef struct {
    uint64_t statuses_handled, statuses_refused, pass_sent, pass_held_quiet, finished;
} barrier_counters_t;
barrier_counters_t barrier_counters(const barrier_t *barrier);

#endif
