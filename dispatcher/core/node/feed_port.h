/*
 * How a node's core reaches the event path of one changefeed: reader, tail and event service. It
 * asks with stream requests and takes stream events. The shell binds it to the event feed
 * (threads), the simulator to the same cores without threads.
 *
 * Threads: the node's one; nothing blocks.
 */
#ifndef SLUICE_DISPATCHER_CORE_NODE_FEED_PORT_H
#define SLUICE_DISPATCHER_CORE_NODE_FEED_PORT_H

#include "common/base/arena.h"
#include "common/wire/message.h"
#include "dispatcher/core/store_request.h"
#include "dispatcher/core/stream.h"

typedef struct {
    commit_ts_t resolved; /* read and handed out up to here */
    wall_ms_t resolved_time;
    bool is_caught_up;
    uint64_t tail_bytes;
    bool is_waiting_for_room; /* tail full of what local spans still need */
    uint32_t streams;         /* registered dispatchers */
    uint32_t remote_streams;  /* of them, other nodes' */
    uint32_t withheld;        /* of them, not ready since the source would be read again */
    uint32_t catching_up;     /* of them, below the tail: fed by a second reading of the log */
    uint64_t catch_ups;       /* such readings begun so far */
    /* What they were asked for: tables requested of a server, requests that failed and are made
     * again, tables whose server was looked for anew. */
    uint64_t older_requests, older_failures, older_reloads;
    uint64_t drops; /* streams given up: they took nothing, or there was no place for them */
    event_store_state_t store;
    sluice_error_t error;    /* the first fatal error */
    sluice_error_t retrying; /* what a reader tries to get over; SLUICE_OK: nothing */
    char error_text[ERROR_REPORT_TEXT_MAX]; /* of `error`, else of `retrying` */
} event_feed_state_t;

typedef struct {
    void *self; /* first argument of everything */
    /* Moves up to `max` events out; each must be cleared by the caller. 0: none left. */
    uint32_t (*take)(void *self, stream_event_t *events, uint32_t max);
    /* Hands a request to the service; copied. */
    void (*request)(void *self, const stream_request_t *request);
    /* The same for events that are for other nodes' sessions (stream_event_t.peer). */
    uint32_t (*take_remote)(void *self, stream_event_t *events, uint32_t max);
    /* Where its readers cut large transactions; see stream_request_t. */
    uint64_t group_bytes_max;
    /* What the service holds: fills all but the changefeed and is_served; `floors` has room for
     * STORE_FLOORS_MAX. False: that has to be found out first, ask again later. */
    bool (*holds)(void *self, event_store_report_t *state, store_floor_t *floors);
    /* Everything up to `persisted` is persisted by the maintainer: older versions and data may be
     * forgotten; of the schema's history what it has acknowledged, `told` (COMMIT_TS_MAX: nobody
     * here has to tell it). */
    void (*set_persisted)(void *self, commit_ts_t persisted, commit_ts_t told);
    /* The table list valid at `at`, in the arena given. SLUICE_ERROR_AGAIN: the reader has not come
     * that far. SLUICE_ERROR_NOT_FOUND: older than what is kept. */
    sluice_error_t (*table_list)(void *self, commit_ts_t at, arena_t *arena,
                                 const table_info_t **tables, uint32_t *count);
    /* The whole schema snapshot valid at `at`, encoded, in the arena; same errors. */
    sluice_error_t (*snapshot)(void *self, commit_ts_t at, arena_t *arena, bytes_t *snapshot);
    /* At most `max` DDLs in (after, *up_to], oldest first, in the arena; if there are more, *up_to
     * becomes the commit_ts of the last one returned. Same errors, NOT_FOUND: of `after`. */
    sluice_error_t (*schema_ddls)(void *self, commit_ts_t after, commit_ts_t *up_to, uint32_t max,
                                  arena_t *arena, const schema_ddl_t **ddls, uint32_t *count);
    /* The newest anchor at or below `ts`; false if none is known. */
    bool (*anchor)(void *self, commit_ts_t ts, anchor_t *anchor);
    void (*state)(void *self, event_feed_state_t *state);
    /* No connection to the source is opened later than this: by then another node may have our slot
     * and read under our server ids. NULL: there is no such connection. */
    void (*set_lease)(void *self, mono_ns_t until);
} feed_port_t;

#endif
