/*
 * Serves the event streams of a changefeed on one node (DESIGN §6, Event service and store): takes
 * what the reader made of the log into the tail and hands each registered dispatcher what concerns
 * it, in commit_ts order: rows of its table, DDLs of whose influence it is, sync points, and how
 * far the log has been read. Never blocks: whoever has no credit is passed over.
 *
 * A dispatcher that starts below what the tail holds is fed by a catch-up round: another reading of
 * the log from further back, whose items go to those only that were admitted to it; each joins the
 * tail as soon as the round has come to where the tail is whole for its table. Who is admitted to
 * which round is decided elsewhere (puller/catch_up.h).
 *
 * Who took nothing of a round is read for again only after a while, longer each time.
 *
 * When memory is short, what no dispatcher needs goes first. What one that lags still needs leaves
 * for the event store on disk, oldest first, as long as another one waits for what comes behind; if
 * none does, the reader waits, and nobody is the worse for it. Rows that have left are read back
 * under the credit of whom they are for. The store's limits: when it is full or fails while others
 * go on, the dispatcher that lags furthest is dropped, and a catch-up round reads for it again;
 * when nobody has anything flushed any more, the reader waits. What is in the store is forgotten
 * when all dispatchers of its table and the persisted checkpoint are past it, and as soon as the
 * dispatchers are when the disk runs short.
 *
 * Other nodes' sessions are served from what is held or not at all (NOT_REUSABLE), and given up
 * when there is no room for what they hold up. A dispatcher of this node that other nodes may serve
 * (others_first) is not READY while it would have to be caught up: it says with each REGISTER where
 * it stands by then, and what it will need is kept while there is room.
 *
 * Pure. Threads: one owner (the service thread).
 */
#ifndef SLUICE_DISPATCHER_CORE_EVENT_SERVICE_H
#define SLUICE_DISPATCHER_CORE_EVENT_SERVICE_H

#include "dispatcher/core/feed_item.h"
#include "dispatcher/core/store_request.h"
#include "dispatcher/core/stream.h"

typedef struct event_service event_service_t;

typedef struct {
    commit_ts_t base; /* where the reader begins: everything above it is appended */
    uint64_t tail_bytes_max;
    uint64_t catch_up_bytes_max; /* of all rounds' items that were not handed out yet */
    /* After a registration or reset nothing that is not persisted is shed for so long: the next
     * dispatchers to come probably need it. */
    uint64_t grace_ns;
    uint64_t stalled_ns; /* when a round is out of room, or another node's session holds what there
                            is no room for: who took nothing for so long is dropped */
    uint64_t silence_ns; /* another node's session that says nothing for so long is gone */
    uint64_t group_bytes_max; /* where the readers cut large transactions; see stream_request_t */
    /* Between two rounds of RESOLVED to all: so long for each dispatcher, within these limits. */
    uint64_t resolved_each_ns, resolved_min_ns, resolved_max_ns;
    uint64_t store_bytes_max; /* of the event store on disk; 0: there is none */
} event_service_options_t;

#define EVENT_SERVICE_TAIL_BYTES_MAX (UINT64_C(256) << 20)
#define EVENT_SERVICE_CATCH_UP_BYTES_MAX (UINT64_C(64) << 20)
#define EVENT_SERVICE_GRACE_NS (2 * NS_PER_S)
#define EVENT_SERVICE_STALLED_NS (2 * NS_PER_S)
#define EVENT_SERVICE_SILENCE_NS (20 * NS_PER_S)
/* Who is served here speaks every SESSION_REMOTE_HEARTBEAT_NS: another node's session that did not
 * for so long gives way when the same dispatcher registers from yet another one. */
#define EVENT_SERVICE_LEFT_NS (6 * NS_PER_S)
#define EVENT_SERVICE_RESOLVED_EACH_NS (10 * NS_PER_US)
#define EVENT_SERVICE_RESOLVED_MIN_NS (1 * NS_PER_MS)
#define EVENT_SERVICE_RESOLVED_MAX_NS (1 * NS_PER_S)

#define EVENT_SERVICE_TAKE_MIN 8

event_service_options_t event_service_options_default(commit_ts_t base);

event_service_t *event_service_new(const event_service_options_t *options, mono_ns_t now);
void event_service_destroy(event_service_t **service);

/* One request of a session; what has to be answered comes out of event_service_take. */
void event_service_request(event_service_t *service, const stream_request_t *request,
                           mono_ns_t now);

/* The reader's next item; consumed. Accepted whether or not there is room. */
void event_service_append(event_service_t *service, feed_item_t *item);
/* Whether the reader stands at the end of the log. */
void event_service_set_caught_up(event_service_t *service, bool is_caught_up);
void event_service_set_persisted(event_service_t *service, commit_ts_t persisted);

/* Whether the tail has room for more, after forgetting what may be forgotten now. */
bool event_service_has_room(event_service_t *service, mono_ns_t now);

/* The next events for dispatchers, at most `max` (EVENT_SERVICE_TAKE_MIN at least); each is the
 * caller's to clear. 0: nothing to say until the next call of another function or the next
 * deadline. */
uint32_t event_service_take(event_service_t *service, stream_event_t *events, uint32_t max,
                            mono_ns_t now);
mono_ns_t event_service_next_deadline(const event_service_t *service);
/* Whether events for other nodes' sessions are given out: not while there is no room for them.
 * Those of the node's own sessions go on. */
void event_service_allow_remote(event_service_t *service, bool is_allowed);

/* What it holds, for the log coordinator: `floors` has room for STORE_FLOORS_MAX. Sets floor,
 * resolved, resolved_time, floors and floor_count. */
void event_service_holds(const event_service_t *service, event_store_report_t *state,
                         store_floor_t *floors);

/* ---- catch-up rounds ---- */

typedef enum {
    CATCH_UP_WAITS,  /* the dispatcher starts below the tail: it waits for a round */
    CATCH_UP_JOINED, /* it has come to where the tail is whole for its table */
    CATCH_UP_LEFT    /* it waits for none any more, and is fed by none */
} catch_up_note_kind_t;

typedef struct {
    catch_up_note_kind_t kind;
    dispatcher_id_t dispatcher_id;
    table_id_t table_id;
    commit_ts_t start; /* WAITS: everything above it is wanted */
    bool is_new;       /* WAITS: its table was created where it starts */
    uint64_t request;  /* JOINED: as it was admitted */
} catch_up_note_t;

/* The next thing that has happened; false: nothing since the last time. */
bool event_service_take_note(event_service_t *service, catch_up_note_t *note);

/* A round begins that reads everything above `from`; nobody is fed by it yet. Numbers are the
 * caller's, each used once; said again before its first item: it begins there. */
void event_service_catch_up_begin(event_service_t *service, uint64_t round, commit_ts_t from);
/* A dispatcher that waits is fed by the round from now on. False: it does not wait, or the round is
 * past where it starts. */
bool event_service_catch_up_admit(event_service_t *service, uint64_t round,
                                  dispatcher_id_t dispatcher_id, uint64_t request);
/* Its next item; consumed. */
void event_service_catch_up_append(event_service_t *service, uint64_t round, feed_item_t *item);

/* Where a round is. */
typedef struct {
    commit_ts_t read;   /* everything up to it has been handed out */
    commit_ts_t admits; /* whoever starts here or above may be admitted */
} catch_up_position_t;

catch_up_position_t event_service_catch_up_position(const event_service_t *service, uint64_t round);
/* Whether the rounds may hand in more. */
bool event_service_catch_up_has_room(event_service_t *service, mono_ns_t now);
/* The round is over, complete or not: who has not joined the tail waits for another one, which goes
 * on where this one ended; whoever has parts of a group only is dropped. */
void event_service_catch_up_end(event_service_t *service, uint64_t round);

/* ---- the event store ---- */

/* At most this much is written at once (or an eighth of the tail, if that is less; an entry at
 * least), and one write is under way at a time. */
#define EVENT_STORE_WRITE_BYTES_MAX (UINT64_C(4) << 20)
/* Read for one dispatcher at once; one larger entry is read all the same. */
#define EVENT_STORE_READ_BYTES_MAX (UINT64_C(256) << 10)
#define EVENT_STORE_READS_MAX 4
/* After a failure nothing is written for so long. */
#define EVENT_STORE_PAUSE_NS (5 * NS_PER_S)
/* A store that answers nothing for so long has failed; it is not asked again before it answers. */
#define EVENT_STORE_PATIENCE_NS (30 * NS_PER_S)

/* What is to be asked of the store next; the request is the caller's to clear. False: nothing until
 * the next call of another function. */
bool event_service_store_next(event_service_t *service, store_request_t *request, mono_ns_t now);
/* The answer to one request; consumed. Answers come in the order of the requests. */
void event_service_store_done(event_service_t *service, store_answer_t *answer, mono_ns_t now);

typedef struct {
    commit_ts_t resolved;
    wall_ms_t resolved_time;
    bool is_caught_up;
    uint64_t tail_bytes;
    uint64_t tail_entries;
    bool is_waiting_for_room;
    uint32_t registrations;
    uint32_t remote;      /* of them, of other nodes' sessions */
    uint32_t withheld;    /* of them, not READY since the source would be read again */
    uint32_t catching_up; /* of them, fed by a round or waiting for one */
    uint64_t rounds;      /* catch-up rounds begun */
    uint64_t drops;       /* DROP sent */
    uint64_t refused;     /* RESET below the place where reading began */
    uint64_t events;      /* handed out */
    event_store_state_t store;
} event_service_state_t;

event_service_state_t event_service_state(const event_service_t *service);

#endif
