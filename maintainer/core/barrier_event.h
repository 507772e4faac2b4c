/*
 * One barrier event: what it blocks, how far it is, and what the span table says of it. It holds no
 * set of dispatchers; who waits and who is done is read from the spans (span_table.h). The counts
 * kept here are hints that say when reading them is worth it: too high costs a look, and what is
 * too low is mended by the next resend.
 *
 *   collecting ──full──► selected ──writer's DONE──► writer advanced ──all done──► finished
 *        └──────────── proof of passage ──────────────────▲
 *
 * Threads: one.
 */
#ifndef SLUICE_MAINTAINER_CORE_BARRIER_EVENT_H
#define SLUICE_MAINTAINER_CORE_BARRIER_EVENT_H

#include "maintainer/core/payload.h"
#include "maintainer/core/span_table.h"

typedef enum { BARRIER_COLLECTING, BARRIER_SELECTED, BARRIER_ADVANCED } barrier_state_t;

const char *barrier_state_name(barrier_state_t state);

typedef struct {
    event_key_t key;
    barrier_state_t state;
    arena_t arena;                  /* of the payload */
    const block_payload_t *payload; /* canonical */
    bool is_report;                 /* a NONE: only its changes are of interest */
    bool is_proven;                 /* somebody passed it: needs DONE only of those who wait */
    bool has_changes;               /* of the table list */
    bool is_pending;                /* in the schedule order */
    bool is_scheduled;              /* its changes are made, or it has none */
    bool is_touched;                /* something was heard of it since it was last looked at */
    dispatcher_id_t writer;         /* last reporter; not used while the trigger has the role */
    uint32_t waiting, done, required;
    bool misses_tables; /* listed ones, not in the span table and not known to be gone */
    bool is_hold_counted;
    mono_ns_t created_at, warned_at;
    bool write_sent, pass_sent, status_seen;
    mono_ns_t write_at, pass_at, status_at;
    bool is_disagreed;
    mono_ns_t disagreed_since, disagreed_at;
} barrier_event_t;

barrier_event_t *barrier_event_new(event_key_t key, const block_payload_t *payload, mono_ns_t now);
void barrier_event_destroy(barrier_event_t **event);

/* Whether the trigger writes it: DB, ALL, or the trigger is listed. */
bool barrier_event_wants_trigger(const barrier_event_t *event);

/* Whether the event blocks this table. One that was created by it or after it is not meant. */
bool barrier_event_blocks(const barrier_event_t *event, const table_entry_t *entry);

/* ---- going through the tables of its influence ---- */

typedef struct {
    const barrier_event_t *event;
    const span_table_t *table;
    uint32_t cursor;
    table_entry_t *in_schema;
    bool is_trigger_given;
    uint32_t missing; /* NORMAL: listed so far, but not in the span table */
} scope_t;

void scope_init(scope_t *scope, const barrier_event_t *event, const span_table_t *table);
table_entry_t *scope_next(scope_t *scope);

/* What the span table says of the event. */
typedef struct {
    uint32_t required; /* spans, and listed tables that are not there and not known to be gone */
    uint32_t waiting;  /* replicating and at the event */
    uint32_t done;
    uint32_t missing; /* of `required`: not there */
    bool is_full;     /* every one required waits, split tables without a gap */
} event_coverage_t;

/* Up to where the table list is known to be changed. */
typedef struct {
    event_key_t floor;       /* every change at or below it is made */
    event_key_t unscheduled; /* the first known change that is not made yet */
    bool has_unscheduled;
} list_progress_t;

event_coverage_t barrier_event_coverage(const barrier_event_t *event, const span_table_t *table,
                                        const list_progress_t *progress);

/* Strict proof that the event was written: passed >= its key, checkpoint > its commit_ts, or a
 * later key at which the span waits or waited. checkpoint == commit_ts proves nothing. */
bool span_proves(const span_entry_t *span, event_key_t key);
/* Whether the span is one that it blocks for certain. Which tables are in a schema is known when
 * the trigger stands at the event: until then an earlier change may still move one out of it. */
bool barrier_event_blocks_surely(const barrier_event_t *event, const span_table_t *table,
                                 const span_entry_t *span);
/* Whether a proof would change anything. */
static inline bool barrier_event_is_provable(const barrier_event_t *event)
{
    return event->state != BARRIER_ADVANCED && !event->is_proven;
}
/* Whether any span it blocks proves it. */
bool barrier_event_is_proven(const barrier_event_t *event, const span_table_t *table);

/* Names of what is missing, in `arena`: reporters while collecting, the writer when selected, who
 * is not done afterwards. */
const char *barrier_event_missing(const barrier_event_t *event, const span_table_t *table,
                                  const list_progress_t *progress, arena_t *arena);

#endif
