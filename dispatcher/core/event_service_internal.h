/*
 * What the parts of the event service share: event_service.c (requests), event_registration.c (who
 * is there), event_intake.c (what the reader brings, and how much of it is held), event_delivery.c
 * (what each dispatcher is sent), event_lists.c (whose turn it is), event_catch_up.c (rounds),
 * event_spill.c (what leaves for the event store and is forgotten there), event_store_talk.c
 * (requests to it, answers, failures), event_read_back.c (what comes back), event_others.c
 * (sessions of other nodes, and dispatchers of this one that others may serve).
 */
#ifndef SLUICE_DISPATCHER_CORE_EVENT_SERVICE_INTERNAL_H
#define SLUICE_DISPATCHER_CORE_EVENT_SERVICE_INTERNAL_H

#include "dispatcher/core/event_service.h"
#include "dispatcher/core/tail.h"

typedef enum {
    REGISTRATION_IDLE,       /* registered, no RESET yet */
    REGISTRATION_WITHHELD,   /* likewise, and not READY: it would have to be caught up */
    REGISTRATION_STREAMING,  /* reads the tail, perhaps behind what a round left for it */
    REGISTRATION_STORED,     /* likewise, but rows that it was not sent are in the event store */
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
typedef enum {
    LIST_READY,     /* has something to send */
    LIST_WANTS_READ /* waits for rows from the event store */
} registration_list_kind_t;
#define REGISTRATION_LISTS 2

/* First come, first served. */
typedef struct {
    registration_t *first, *last;
} registration_list_t;

typedef struct {
    registration_t *before, *after;
    bool is_in;
} registration_link_t;

struct registration {
    dispatcher_id_t dispatcher_id;
    stream_peer_t peer;
    uint64_t group_bytes_max; /* where the peer's reader cuts */
    mono_ns_t heard_at;
    pipeline_t mode;
    commit_ts_t created;
    tail_table_t *table;
    registration_t *next_of_table;
    uint32_t index; /* in event_service.all */

    registration_state_t state;
    uint64_t epoch;
    uint64_t sequence;
    bool owes_ready, owes_not_held, owes_handshake, owes_drop;
    bool owes_resolved; /* even if it says nothing new: an answer to a peer's heartbeat */
    bool is_parked;     /* has something to send that is not allowed now */

    commit_ts_t start;        /* position of the epoch */
    commit_ts_t flushed;      /* everything up to it may be forgotten for this dispatcher */
    commit_ts_t skip_through; /* rows and DDL up to it are not sent */
    bool wants_syncpoint;     /* the sync point at skip_through is */
    uint64_t next, next_ddl, next_broad; /* numbers in the table's queues and the broad one */
    store_key_t passed;                  /* rows up to it were sent */
    item_queue_t caught_up;              /* items of a round, to be sent before those of the tail */
    uint64_t caught_up_bytes;
    catch_up_round_t *round; /* CATCHING_UP */
    uint64_t request;        /* CATCHING_UP: whose it is */
    event_key_t fed;         /* rounds have handed it everything up to here in this epoch */
    item_queue_t read_back;  /* STORED: rows from the store, not sent yet */
    uint64_t read_back_bytes;
    store_key_t fetched;  /* STORED: rows up to it were sent or are in read_back */
    uint64_t read_ticket; /* of the read that is under way; 0: none */
    commit_ts_t resolved_sent;
    uint64_t credit_limit, credit_used;
    mono_ns_t progress_at; /* last RESET, CREDIT or item taken */
    uint32_t stalls;       /* times it was dropped from a round since it flushed anything */
    bool is_held;          /* IDLE: a round is asked for only later, at: */
    mono_ns_t held_until;

    registration_link_t links[REGISTRATION_LISTS];
};

/* An answer to somebody who is not registered. */
typedef struct {
    dispatcher_id_t dispatcher_id;
    stream_peer_t peer;
    stream_kind_t answer; /* REMOVED, NOT_REUSABLE */
} stranger_t;

/* Rows that are being written: their entries stay until it is done. */
typedef struct {
    tail_entry_t *entry; /* one reference */
    table_id_t table_id;
} leaving_t;

typedef struct {
    leaving_t *leaving; /* of the write that is under way */
    uint32_t leaving_count, leaving_capacity;
    uint64_t leaving_bytes;
    bool is_writing, is_forgetting, is_wiping;
    uint64_t full_bytes; /* what it held when it said that it was full */
    bool must_wipe;      /* it failed: nothing else is asked of it before it is empty */
    bool wants_write;    /* memory is short, and somebody waits for what comes behind */
    uint32_t reading_count;
    uint64_t read_bytes; /* read back and not sent */
    uint64_t last_ticket;
    mono_ns_t wipe_at, usable_at; /* after a failure */
    uint32_t unanswered;          /* requests */
    uint32_t overdue;             /* of them given up; the store is asked nothing while there are */
    mono_ns_t heard_at; /* its last answer, or when it was asked after it had answered all */
    mono_ns_t forget_at;
    mono_ns_t flushed_at;  /* somebody flushed rows */
    mono_ns_t counted_at;  /* when these were counted: */
    uint32_t front_count;  /* who has nothing to be sent, the trigger not among them … */
    uint32_t busy_count;   /* … and was sent rows before */
    uint32_t behind_count; /* who has rows to be sent */
    event_store_state_t state;
} event_spill_t;

struct event_service {
    uint32_t held_count; /* registrations with is_held */
    mono_ns_t held_at;   /* when they are looked at again */
    event_service_options_t options;
    tail_t tail;
    key_map_t by_id;
    registration_t **all;
    uint32_t count, capacity;
    registration_list_t lists[REGISTRATION_LISTS];
    event_spill_t spill;

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

    uint32_t remote_count, withheld_count;
    bool is_remote_allowed;
    bool spares_withheld; /* what withheld registrations will need is not kept now */
    mono_ns_t silence_at; /* silent peers are looked for then */

    uint64_t rounds_begun, drops, refused, events;
};

#define STRANGERS_MAX 1024
/* Who was dropped from a round because it took nothing is read for again after stalled_ns, doubling
 * this often at most until it has flushed something. */
#define STALL_DOUBLINGS_MAX 4
/* What is read back from the store takes at most this part of the tail's memory. */
#define EVENT_STORE_READ_SHARE 8

static inline map_key_t registration_key(dispatcher_id_t id)
{
    return (map_key_t){id.hi, id.lo};
}

static inline bool registration_is_remote(const registration_t *registration)
{
    return registration->peer.v != STREAM_PEER_OWN.v;
}

registration_t *event_service_find(const event_service_t *service, dispatcher_id_t dispatcher_id);

/* Puts it at the end of a list, if it is not in it, and takes it out, if it is. */
void registration_enlist(event_service_t *service, registration_t *registration,
                         registration_list_kind_t kind);
void registration_delist(event_service_t *service, registration_t *registration,
                         registration_list_kind_t kind);
/* Puts it among those that have something to send. */
void event_service_activate(event_service_t *service, registration_t *registration);

static inline bool registration_reads_tail(const registration_t *registration)
{
    return registration->state == REGISTRATION_STREAMING ||
           registration->state == REGISTRATION_STORED;
}

/* ---- event_registration.c ---- */

registration_t *event_service_add(event_service_t *service, const stream_request_t *request);
void event_service_remove(event_service_t *service, registration_t *registration);
void registration_free(event_service_t *service, registration_t *registration);
void event_service_tell_stranger(event_service_t *service, const stream_request_t *request,
                                 stream_kind_t answer);

/* ---- event_others.c ---- */

/* Whether everything of the table above `from` is held or still to be read. */
bool event_service_can_serve(const event_service_t *service, table_id_t table_id, commit_ts_t from);
/* Answers REGISTER of a registration that is there. */
void registration_answer_register(event_service_t *service, registration_t *registration,
                                  const stream_request_t *request);
/* Another node's session cannot be served any more. */
void registration_give_up(event_service_t *service, registration_t *registration);
/* Whether another node's registration is a leftover: the dispatcher registers elsewhere by now. */
bool registration_gives_way(const registration_t *registration, const stream_request_t *request,
                            mono_ns_t now);
/* Whether an item may go to it: parts only if its own reader cuts alike. */
bool registration_may_send(const event_service_t *service, const registration_t *registration,
                           const feed_item_t *item);
/* Whether the tail keeps rows of its table that it has not flushed. */
bool registration_holds_up(const registration_t *registration);
/* Gives up peers' sessions that say nothing any more. */
void event_service_drop_silent(event_service_t *service, mono_ns_t now);
/* The tail has no room, and nothing is leaving it: what it keeps for withheld dispatchers goes, and
 * without a store peers' sessions that take nothing are given up. */
void event_service_spare_others(event_service_t *service, mono_ns_t now);

/* Whether an entry above its position concerns the dispatcher. */
bool registration_wants(const registration_t *registration, const feed_item_t *item);

void registration_set_state(event_service_t *service, registration_t *registration,
                            registration_state_t state);
/* Reads the tail from `from` on. */
void registration_join_tail(event_service_t *service, registration_t *registration,
                            commit_ts_t from);
/* Waits for a round, at once or, if it took nothing of the last ones, later. */
void registration_wait(event_service_t *service, registration_t *registration, mono_ns_t now);
/* What it has flushed, or is persisted, need not be read for it, and perhaps
 * cannot: the places from which the log can be opened are forgotten with that checkpoint.
 * (A session tells no more of its epoch than it has seen of it, so rows of the epoch before show in
 * the persisted checkpoint alone.) */
void registration_begin_later(event_service_t *service, registration_t *registration);
/* It need not wait any longer to be read for. */
void registration_release(event_service_t *service, registration_t *registration);
/* Those whose time has come. */
void event_service_release_held(event_service_t *service, mono_ns_t now);
/* Says what has become of it to those who organise catch-up rounds. */
void registration_note(event_service_t *service, const registration_t *registration,
                       catch_up_note_kind_t kind);
/* Forgets what rounds left for it. */
void registration_clear_caught_up(event_service_t *service, registration_t *registration);
/* Gives its stream up: it starts again. */
void registration_drop(event_service_t *service, registration_t *registration);

/* ---- event_spill.c ---- */

void event_spill_clear(event_service_t *service);
/* After forgetting: what of the tail has to leave. */
void event_spill_steer(event_service_t *service, mono_ns_t now);
bool event_spill_next_write(event_service_t *service, store_request_t *request, mono_ns_t now);
bool event_spill_next_forget(event_service_t *service, store_request_t *request, mono_ns_t now);
void event_spill_write_done(event_service_t *service, sluice_error_t error);
void event_spill_drop_those_that_must_read(event_service_t *service, tail_table_t *table);

/* ---- event_store_talk.c ---- */

/* Gives the store up that has not answered for EVENT_STORE_PATIENCE_NS. */
void event_store_look_at_the_clock(event_service_t *service, mono_ns_t now);
mono_ns_t event_store_next_deadline(const event_service_t *service);

/* ---- event_delivery.c ---- */

/* Whether the dispatcher has rows, DDLs or sync points before it that it was not sent. */
bool registration_has_pending(event_service_t *service, registration_t *registration);

/* ---- event_read_back.c ---- */

/* Rows that it was not sent have left for the store. */
void registration_enter_store(event_service_t *service, registration_t *registration);
/* Whether rows of it are in the store that were not read back yet. */
bool registration_must_read(const registration_t *registration);
/* Waits in the list for a read, if it needs one and may be sent what it brings. */
void registration_want_read(event_service_t *service, registration_t *registration);
/* One item of read_back was sent. */
void registration_pop_read_back(event_service_t *service, registration_t *registration);
/* Forgets what was read back, and what is still to come. */
void registration_clear_read_back(event_service_t *service, registration_t *registration);
/* The next read to ask for. */
bool event_read_back_next(event_service_t *service, store_request_t *request);
void event_read_back_done(event_service_t *service, store_answer_t *answer);

#endif
