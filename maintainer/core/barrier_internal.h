/* Inside of barrier, shared by its files only. */
#ifndef SLUICE_MAINTAINER_CORE_BARRIER_INTERNAL_H
#define SLUICE_MAINTAINER_CORE_BARRIER_INTERNAL_H

#include "maintainer/core/barrier.h"

enum { BARRIER_FAULT_TEXT_MAX = 512 };

typedef struct {
    event_key_t *keys; /* ascending */
    uint32_t count, capacity;
} key_set_t;

struct barrier {
    maintainer_settings_t settings;
    span_table_t *table;
    pipeline_t mode;
    barrier_event_t **events; /* by key */
    uint32_t event_count, event_capacity;
    barrier_event_t **pending; /* wait to change the table list, by key; reports belong to it */
    uint32_t pending_count, pending_capacity;
    event_key_t trigger_at; /* the furthest that a replicating trigger has told of */
    event_key_t floor;      /* every change at or below it is made */
    key_set_t scheduled;    /* above the floor, made already */
    uint32_t wide_count;    /* open events of influence DB or ALL */
    uint64_t version_seen;
    uint64_t highest_ts; /* highest commit_ts believed so far */
    mono_ns_t deadline;
    /* One refused status, to be logged at the next settle. */
    char fault[BARRIER_FAULT_TEXT_MAX];
    mono_ns_t fault_logged_at;
    bool fault_was_logged;
    uint32_t fault_count;
    /* Changes of the table list made since the last settle, for the log. */
    uint32_t tables_added, tables_dropped, tables_moved;
    sluice_error_t failure;
    char failure_text[BARRIER_FAULT_TEXT_MAX];
    barrier_counters_t counters;
};

/* barrier.c */
barrier_event_t *barrier_event_of(const barrier_t *barrier, event_key_t key);
barrier_event_t *barrier_open(barrier_t *barrier, mono_ns_t now, event_key_t key,
                              const block_payload_t *payload);
/* Takes the event out and frees it. */
void barrier_close(barrier_t *barrier, barrier_event_t *event);
void barrier_fault(barrier_t *barrier, event_key_t key, const char *what);

/* barrier_schedule.c */
list_progress_t barrier_progress(const barrier_t *barrier);
void key_set_add(key_set_t *set, event_key_t key);
bool barrier_is_scheduled(const barrier_t *barrier, event_key_t key);
/* Puts the event into the order of those that change the table list. */
void barrier_enter_order(barrier_t *barrier, barrier_event_t *event);
/* Whether one with a smaller key still waits. */
bool barrier_waits_before(const barrier_t *barrier, event_key_t key);
/* The span tells of an event, or stands at it: if it is the trigger, what waited for that goes on.
 */
void barrier_note_trigger(barrier_t *barrier, const span_entry_t *span, event_key_t key);
/* Makes the changes of every event at the head of the order that may. */
void barrier_run_order(barrier_t *barrier);
void barrier_raise_floor(barrier_t *barrier, event_key_t key);

#endif
