/*
 * What the parts of the event service share: event_service.c (registrations and requests),
 * event_intake.c (what the reader brings, and how much of it is held), event_delivery.c (what each
 * dispatcher is sent), event_catch_up.c (rounds).
 */
#ifndef SLUICE_DISPATCHER_CORE_EVENT_SERVICE_INTERNAL_H
#define SLUICE_DISPATCHER_CORE_EVENT_SERVICE_INTERNAL_H

#include "dispatcher/core/event_service.h"
#include "dispatcher/core/tail.h"

typedef enum {
    REGISTRATION_IDLE,       /* registered, no RESET yet */
    REGISTRATION_STREAMING,  /* reads the tail, perhaps behind what a round left for it */
    REGISTRATION_WAITING,    /* starts below the tail, waits for a catch-up round */
    REGISTRATION_CATCHING_UP /* fed by the round */
} registration_state_t;

typedef struct registration registration_t;

/* One reading of older log. */
typedef struct catch_up_round catch_up_round_t;
struct catch_up_round {
    uint64_t number;
    commit_ts_t read;
    bool has_syncpoint;  /* the one at `read` has been handed out, too */
    commit_ts_t inside;  /* the group some parts of which have been handed out; none: between two */
    uint32_t count;      /* registrations CATCHING_UP with it */
    commit_ts_t join_at; /* nobody can join before the round has come so far */
    catch_up_round_t *after;
};

struct registration {
    dispatcher_id_t dispatcher_id;
    pipeline_t mode;
    commit_ts_t created;
    tail_table_t *table;
    registration_t *next_of_table;
    uint32_t index; /* in event_service.all */

    registration_state_t state;
    uint64_t epoch;
    uint64_t sequence;
    bool owes_ready, owes_handshake, owes_drop;

    commit_ts_t start;         /* position of the epoch */
    commit_ts_t flushed;       /* everything up to it may be forgotten for this dispatcher */
    commit_ts_t skip_through;  /* rows and DDL up to it are not sent */
    bool wants_syncpoint;      /* the sync point at skip_through is */
    uint64_t next, next_broad; /* numbers in the table's queue and the broad one */
    item_queue_t caught_up;    /* items of a round, to be sent before those of the tail */
    uint64_t caught_up_bytes;
    catch_up_round_t *round; /* CATCHING_UP */
    uint64_t request;        /* CATCHING_UP: whose it is */
    event_key_t fed;         /* rounds have handed it everything up to here in this epoch */
    commit_ts_t resolved_sent;
    uint64_t credit_limit, credit_used;
    mono_ns_t progress_at; /* last RESET, CREDIT or item taken */

    bool is_ready; /* in the list of those with something to send */
    registration_t *ready_before, *ready_after;
};

/* An answer to somebody who is not registered. */
typedef struct {
    dispatcher_id_t dispatcher_id;
    stream_kind_t answer; /* REMOVED, NOT_REUSABLE */
} stranger_t;

struct event_service {
    event_service_options_t options;
    tail_t tail;
    key_map_t by_id;
    registration_t **all;
    uint32_t count, capacity;
    registration_t *ready_first, *ready_last;

    stranger_t *strangers;
    uint32_t stranger_count;

    commit_ts_t resolved;
    wall_ms_t resolved_time;
    bool is_caught_up;

    commit_ts_t swept; /* resolved_ts of the last sweep */
    bool is_sweeping;
    uint32_t sweep_next; /* index in `all` */
    mono_ns_t sweep_at;

    mono_ns_t grace_until;
    mono_ns_t shed_at; /* shedding that found nothing is not tried again before */
    bool is_waiting_for_room;
    bool may_forget; /* something was flushed or persisted since the last time */

    catch_up_round_t *rounds;
    uint32_t waiting_count, catching_up_count;
    uint64_t round_bytes; /* of all rounds */
    catch_up_note_t *notes;
    uint32_t note_first, note_count, note_capacity;

    uint64_t rounds_begun, drops, refused, events;
};

#define STRANGERS_MAX 1024

registration_t *event_service_find(const event_service_t *service, dispatcher_id_t dispatcher_id);

/* Puts it among those that have something to send, and takes it out. */
void event_service_activate(event_service_t *service, registration_t *registration);
void event_service_deactivate(event_service_t *service, registration_t *registration);

/* Whether an entry above its position concerns the dispatcher. */
bool registration_wants(const registration_t *registration, const feed_item_t *item);

void registration_set_state(event_service_t *service, registration_t *registration,
                            registration_state_t state);
/* Reads the tail from `from` on. */
void registration_join_tail(event_service_t *service, registration_t *registration,
                            commit_ts_t from);
/* Says what has become of it to those who organise catch-up rounds. */
void registration_note(event_service_t *service, const registration_t *registration,
                       catch_up_note_kind_t kind);
/* Forgets what rounds left for it. */
void registration_clear_caught_up(event_service_t *service, registration_t *registration);

#endif
