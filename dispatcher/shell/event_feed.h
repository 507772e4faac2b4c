/*
 * A node's view of one changefeed's event path: reader, tail, event service (their threads are
 * behind it). The node's protocol thread asks with stream requests and takes stream events; nothing
 * here ever blocks it.
 *
 * Threads: all functions by the protocol thread only, unless said otherwise.
 */
#ifndef SLUICE_DISPATCHER_SHELL_EVENT_FEED_H
#define SLUICE_DISPATCHER_SHELL_EVENT_FEED_H

#include "dispatcher/core/node/feed_port.h"
#include "dispatcher/core/puller/log_puller.h"
#include "dispatcher/core/puller/server_choice.h"

typedef struct event_feed event_feed_t;

typedef struct {
    changefeed_ref_t changefeed;
    const changefeed_config_t *config; /* copied */
    bool lower_case_names;
    uint32_t server_id_first; /* of the node: base + SERVER_IDS_PER_NODE * slot (server_ids.h) */
    anchor_t anchor;
    bytes_t snapshot; /* whole, of snapshot_ts; copied */
    commit_ts_t snapshot_ts;
    const schema_ddl_t
        *ddls; /* behind the snapshot; those at or below the anchor are applied; copied */
    uint32_t ddl_count;
    uint64_t tail_bytes_max;      /* 0: default */
    uint64_t group_bytes_max;     /* a larger transaction goes through a file, in parts; 0: default;
                                   at most a quarter of the tail */
    uint64_t shed_grace_ns;       /* nothing unpersisted is given up so soon after a dispatcher
                                     came; 0: default */
    uint64_t store_bytes_max;     /* of rows on disk that a lagging dispatcher needs; 0: none */
    const char *spill_directory;  /* copied */
    uint64_t source_heartbeat_ns; /* 0: default */
    uint64_t source_read_timeout_ns;                /* 0: default */
    const server_choice_settings_t *source_servers; /* copied; NULL: default */
    const log_puller_options_t *older; /* of readings of older log; the number of stores is set
                                          here; copied; NULL: default */
    uint64_t syncpoint_interval_ms;    /* 0: off */
} event_feed_options_t;

/* Starts the threads. Errors that need no I/O (bad configuration, snapshot that does not decode)
 * are reported here; later ones by event_feed_state. */
sluice_error_t event_feed_open(const event_feed_options_t *options, event_feed_t **feed,
                               error_report_t *report);
/* Stops and joins the threads; gives everything back; NULL is allowed. */
void event_feed_close(event_feed_t **feed);

/* Readable while events can be taken (eventfd or socket). */
int event_feed_fd(const event_feed_t *feed);
/* Takes up to `max` events; each must be cleared by the caller. */
uint32_t event_feed_take(event_feed_t *feed, stream_event_t *events, uint32_t max);
/* The same for events of other nodes' sessions. */
int event_feed_remote_fd(const event_feed_t *feed);
uint32_t event_feed_take_remote(event_feed_t *feed, stream_event_t *events, uint32_t max);
/* Where its readers cut large transactions. */
uint64_t event_feed_group_bytes_max(const event_feed_t *feed);
/* What it holds; see feed_port_t. */
bool event_feed_holds(event_feed_t *feed, event_store_report_t *state, store_floor_t *floors);
/* Hands a request to the service; copied. */
void event_feed_request(event_feed_t *feed, const stream_request_t *request);

/* Everything up to `persisted` is persisted by the maintainer: older versions and data may be
 * forgotten; of the schema's history what it has acknowledged, `told` (COMMIT_TS_MAX: nobody here
 * has to tell it). */
void event_feed_set_persisted(event_feed_t *feed, commit_ts_t persisted, commit_ts_t told);

/* The table list valid at `at`, in the arena given. SLUICE_ERROR_AGAIN: the reader has not come
 * that far. Without a reader that could: SLUICE_ERROR_NOT_FOUND (older than what is kept). */
sluice_error_t event_feed_table_list(event_feed_t *feed, commit_ts_t at, arena_t *arena,
                                     const table_info_t **tables, uint32_t *count);
/* The whole schema snapshot valid at `at`, encoded; same errors. */
sluice_error_t event_feed_snapshot(event_feed_t *feed, commit_ts_t at, arena_t *arena,
                                   bytes_t *snapshot);
/* Every DDL in (after, *up_to] that changed the schema, also where it concerns nothing the filter
 * takes, oldest first, as the maintainer persists it; in the arena. At most `max`: if there are
 * more, *up_to becomes the commit_ts of the last one returned. Kept for everything above the
 * persisted position (event_feed_set_persisted). SLUICE_ERROR_AGAIN: the reader has not come to
 * *up_to; SLUICE_ERROR_NOT_FOUND: `after` is older than what is kept, send a whole snapshot. */
sluice_error_t event_feed_schema_ddls(event_feed_t *feed, commit_ts_t after, commit_ts_t *up_to,
                                      uint32_t max, arena_t *arena, const schema_ddl_t **ddls,
                                      uint32_t *count);

/* No connection to the source is opened later than this. Until told: no limit. */
void event_feed_set_lease(event_feed_t *feed, mono_ns_t until);

void event_feed_state(event_feed_t *feed, event_feed_state_t *state);

/* The newest anchor at or below `ts`; false if none is known. */
bool event_feed_anchor(event_feed_t *feed, commit_ts_t ts, anchor_t *anchor);

#endif
