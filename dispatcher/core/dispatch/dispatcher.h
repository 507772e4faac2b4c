/*
 * One span's state machine (DESIGN §4, Dispatcher): claims its span in the sink, reads its event
 * stream, gives rows to the sink, stops at barrier events until the maintainer lets it write or
 * pass, and knows up to where everything is durable.
 *
 * Everything is an input with a defined answer: what is stale, repeated or for another event is
 * ignored. What shall be done goes out as node_effects_t; what is to be said of barrier events goes
 * into the status path.
 *
 * Threads: one thread owns a dispatcher (the node's protocol thread).
 */
#ifndef SLUICE_DISPATCHER_CORE_DISPATCH_DISPATCHER_H
#define SLUICE_DISPATCHER_CORE_DISPATCH_DISPATCHER_H

#include "dispatcher/core/dispatch/node_effects.h"
#include "dispatcher/core/dispatch/status_resend.h"
#include "dispatcher/core/status/status_path.h"
#include "dispatcher/core/stream.h"

typedef struct dispatcher dispatcher_t;

typedef enum {
    DISPATCHER_PHASE_CLAIMING, /* the sink is asked for the span */
    DISPATCHER_PHASE_STARTING, /* the session is asked for its first HANDSHAKE */
    DISPATCHER_PHASE_WORKING,
    DISPATCHER_PHASE_STOPPING, /* takes in nothing more; waits for what the sink has of it */
    DISPATCHER_PHASE_STOPPED,  /* terminal: may be destroyed */
    DISPATCHER_PHASE_FAILED    /* takes in nothing more; holds the checkpoint until closed */
} dispatcher_phase_t;
#define DISPATCHER_PHASE_COUNT (DISPATCHER_PHASE_FAILED + 1)

const char *dispatcher_phase_name(dispatcher_phase_t phase);

/* What a call needs from outside. */
typedef struct {
    const status_resend_options_t *resend;
    status_path_t *path;
    node_effects_t *effects;
    mono_ns_t now;
} dispatcher_step_t;

/* `create` is copied. `run`: unique on the node. `owner` is what its status slot points to until it
 * is destroyed. */
dispatcher_t *dispatcher_new(const schedule_create_t *create, uint64_t run, void *owner);
/* Sends nothing; NULL is allowed. */
void dispatcher_destroy(dispatcher_t **dispatcher);

/* First act: claims the span. */
void dispatcher_start(dispatcher_t *dispatcher, dispatcher_step_t *step);
/* The maintainer wants the trigger's table list: as soon as the span is claimed. */
void dispatcher_want_table_list(dispatcher_t *dispatcher, dispatcher_step_t *step);

/* The sink's answer to the claim; `progress` COMMIT_TS_NONE: nothing found. */
void dispatcher_handle_claimed(dispatcher_t *dispatcher, dispatcher_step_t *step,
                               sluice_error_t error, commit_ts_t progress);
/* A HANDSHAKE was accepted: it replicates from now on. */
void dispatcher_handle_opened(dispatcher_t *dispatcher, dispatcher_step_t *step);
/* The next event of the stream; its references are taken. */
void dispatcher_handle_event(dispatcher_t *dispatcher, dispatcher_step_t *step,
                             stream_event_t *event);
/* The oldest `count` WRITE_ROWS are durable, or (error) are not and will not be; CLOSED: they were
 * cancelled. */
void dispatcher_handle_written(dispatcher_t *dispatcher, dispatcher_step_t *step, uint32_t count,
                               sluice_error_t error);
/* RUN_DDL or WRITE_SYNCPOINT has ended. */
void dispatcher_handle_executed(dispatcher_t *dispatcher, dispatcher_step_t *step,
                                sluice_error_t error);

void dispatcher_handle_verdict(dispatcher_t *dispatcher, dispatcher_step_t *step, event_key_t key,
                               block_stage_t stage, verdict_t verdict);
void dispatcher_handle_action(dispatcher_t *dispatcher, dispatcher_step_t *step, action_kind_t kind,
                              event_key_t key);
/* A newer maintainer: what waits and every report is offered again at once. */
void dispatcher_forget_acks(dispatcher_t *dispatcher, dispatcher_step_t *step);
/* A connection came up: the same for what is not acknowledged. */
void dispatcher_offer_again(dispatcher_t *dispatcher, dispatcher_step_t *step);

/* The maintainer takes the span back: STOPPED once nothing of it is outstanding. */
void dispatcher_close(dispatcher_t *dispatcher, dispatcher_step_t *step);
/* The span is somebody else's, or unknown: stops without saying or starting anything more. */
void dispatcher_abandon(dispatcher_t *dispatcher, dispatcher_step_t *step);

/* Resends that are due. */
void dispatcher_tick(dispatcher_t *dispatcher, dispatcher_step_t *step);
mono_ns_t dispatcher_next_deadline(const dispatcher_t *dispatcher);

dispatcher_id_t dispatcher_id(const dispatcher_t *dispatcher);
uint64_t dispatcher_run(const dispatcher_t *dispatcher);
pipeline_t dispatcher_mode(const dispatcher_t *dispatcher);
bool dispatcher_is_trigger(const dispatcher_t *dispatcher);
dispatcher_phase_t dispatcher_phase(const dispatcher_t *dispatcher);
assignment_epoch_t dispatcher_assignment_epoch(const dispatcher_t *dispatcher);
/* As the maintainer sees it. */
dispatcher_state_t dispatcher_state(const dispatcher_t *dispatcher);
position_t dispatcher_position(const dispatcher_t *dispatcher);
commit_ts_t dispatcher_resolved(const dispatcher_t *dispatcher);
/* Schema of the last database-wide event that it met; v 0: none. */
schema_id_t dispatcher_schema(const dispatcher_t *dispatcher);

/* What it says in a bootstrap answer; keys and payload are borrowed. */
bootstrap_entry_t dispatcher_bootstrap_entry(const dispatcher_t *dispatcher);

/* What it is at, for tests and people. */
typedef struct {
    block_stage_t stage; /* NONE: at no barrier event, or not reported yet */
    event_key_t key;     /* of the event it stands at; EVENT_KEY_NONE: none */
    uint32_t rows_in_flight;
    uint32_t reports; /* NONE reports not acknowledged */
    uint32_t resends; /* statuses not acknowledged: reports and WAITING */
    uint32_t backlog;
} dispatcher_view_t;

dispatcher_view_t dispatcher_view(const dispatcher_t *dispatcher);

#endif
