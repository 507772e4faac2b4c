/*
 * A dispatcher's state, shared by dispatcher.c (life, rows, progress), dispatcher_gate.c (barrier
 * events) and dispatcher_report.c (what is said of them, and said again). Nobody else includes
 * this.
 */
#ifndef SLUICE_DISPATCHER_CORE_DISPATCH_DISPATCHER_INTERNAL_H
#define SLUICE_DISPATCHER_CORE_DISPATCH_DISPATCHER_INTERNAL_H

#include "dispatcher/core/dispatch/dispatcher.h"
#include "dispatcher/core/dispatch/event_backlog.h"
#include "dispatcher/core/dispatch/rows_in_flight.h"

typedef enum {
    GATE_OPEN,     /* at no event */
    GATE_FLUSHING, /* earlier rows are not durable yet */
    GATE_HELD,     /* trigger: an earlier report is not acknowledged */
    GATE_WAITING,  /* reported; the maintainer decides */
    GATE_WRITING,  /* told to write; executing */
    GATE_ALONE     /* blocks nobody else; executing */
} gate_state_t;
#define GATE_STATE_COUNT (GATE_ALONE + 1)

/* The event at which the dispatcher stands. */
typedef struct {
    gate_state_t state;
    bool is_blocking;
    event_key_t key;
    ddl_event_t *ddl; /* NULL: sync point */
    uint64_t cost;
    status_resend_t resend; /* WAITING */
} gate_t;

/* A change of the table list that the maintainer has not acknowledged (NONE). */
typedef struct report {
    struct report *next;
    event_key_t key;
    ddl_event_t *ddl;
    status_resend_t resend;
} report_t;

struct dispatcher {
    dispatcher_id_t id;
    uint64_t run;
    span_t span; /* keys owned */
    pipeline_t mode;
    assignment_epoch_t assignment_epoch;
    commit_ts_t created;
    bool is_split;
    bool wants_table_list;

    dispatcher_phase_t phase;
    bool has_opened; /* it replicates, or did */
    bool is_claim_pending;
    bool is_abandoned; /* says nothing more */

    commit_ts_t start;    /* where it began */
    commit_ts_t resolved; /* everything up to it was received */
    commit_ts_t seen;     /* newest commit_ts of rows given to the sink or of an event done with */
    event_key_t passed;
    bool is_frozen; /* something failed: the checkpoint stays */
    commit_ts_t frozen_checkpoint;
    schema_id_t schema;

    rows_in_flight_t rows;
    event_backlog_t backlog;
    gate_t gate;
    report_t *reports;          /* oldest first */
    event_key_t unoffered_done; /* found no room; EVENT_KEY_NONE: none */
    mono_ns_t done_retry_at;
    status_slot_t *slot;
};

/* dispatcher.c */
void dispatcher_set_phase(dispatcher_t *dispatcher, dispatcher_phase_t phase);
node_effect_t *dispatcher_effect(const dispatcher_t *dispatcher, dispatcher_step_t *step,
                                 node_effect_kind_t kind);
void dispatcher_return_credit(const dispatcher_t *dispatcher, dispatcher_step_t *step,
                              uint64_t bytes);
void dispatcher_note_seen(dispatcher_t *dispatcher, commit_ts_t commit_ts);
/* Ends in FAILED and tells; the checkpoint stays where it is. */
void dispatcher_fail(dispatcher_t *dispatcher, dispatcher_step_t *step, sluice_error_t error,
                     const char *text);
/* Takes in what lies behind the gate, until the next gate. */
void dispatcher_drain_backlog(dispatcher_t *dispatcher, dispatcher_step_t *step);
/* STOPPED when nothing is outstanding. */
void dispatcher_try_stop(dispatcher_t *dispatcher, dispatcher_step_t *step);

/* dispatcher_gate.c */
void gate_meet_ddl(dispatcher_t *dispatcher, dispatcher_step_t *step, stream_event_t *event);
void gate_meet_syncpoint(dispatcher_t *dispatcher, dispatcher_step_t *step, commit_ts_t commit_ts);
/* Earlier rows became durable, or a report was acknowledged. */
void gate_advance(dispatcher_t *dispatcher, dispatcher_step_t *step);
bool gate_is_executing(const dispatcher_t *dispatcher);
/* Drops the event at hand without a word. */
void gate_drop(dispatcher_t *dispatcher);

/* dispatcher_report.c */
void gate_offer_waiting(dispatcher_t *dispatcher, dispatcher_step_t *step);
/* A DONE that finds no room is tried again, the newest alone: older ones heal by the resend of
 * their action. */
void gate_offer_done(dispatcher_t *dispatcher, dispatcher_step_t *step, event_key_t key);
/* Whether the table list changes: a list that names nothing changes nothing; a whole schema does.
 */
bool reports_is_change(const block_payload_t *payload);
/* Reports the event of the gate. */
void reports_add(dispatcher_t *dispatcher, dispatcher_step_t *step);
void reports_handle_verdict(dispatcher_t *dispatcher, dispatcher_step_t *step, event_key_t key,
                            verdict_t verdict);
void reports_drop(dispatcher_t *dispatcher);
/* Least commit_ts of an unacknowledged report; COMMIT_TS_MAX: none. The checkpoint stays below it,
 * so that whoever comes next meets it again. */
commit_ts_t reports_first(const dispatcher_t *dispatcher);

#endif
