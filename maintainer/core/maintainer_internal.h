/* Inside of maintainer, shared by its files only. */
#ifndef SLUICE_MAINTAINER_CORE_MAINTAINER_INTERNAL_H
#define SLUICE_MAINTAINER_CORE_MAINTAINER_INTERNAL_H

#include "maintainer/core/barrier.h"
#include "maintainer/core/bootstrap.h"
#include "maintainer/core/checkpoint.h"
#include "maintainer/core/commit_times.h"
#include "maintainer/core/maintainer.h"
#include "maintainer/core/outbox.h"
#include "maintainer/core/request_buffer.h"
#include "maintainer/core/scheduler.h"
#include "maintainer/core/schema_log.h"

typedef enum { PHASE_GATHERING, PHASE_LISTING, PHASE_RUNNING, PHASE_CLOSING, PHASE_CLOSED } phase_t;

/* Where one node stands with this changefeed. */
typedef enum {
    FEED_OUT,           /* not there */
    FEED_OPENING,       /* CHANGEFEED_OPEN sent, not answered */
    FEED_BOOTSTRAPPING, /* opened, has not told yet what it has */
    FEED_READY,
    FEED_CLOSING,
    FEED_CLOSED
} feed_state_t;

typedef struct {
    feed_state_t state;
    bool is_awaited; /* may have dispatchers, and was not heard since the maintainer began */
    mono_ns_t sent_at;
    uint64_t resend_ns;
    bool wants_close_again; /* it speaks of a changefeed that was closed */
    sluice_error_t warning; /* an error that it is trying to get over; SLUICE_OK: none */
    bool owes_persisted;    /* to be told what is persisted, though that is as before */
    /* Complete heartbeats. */
    uint8_t round;
    bool in_round;
    uint32_t round_next_piece;
    /* For people. */
    uint64_t rows_applied, bytes_applied, ddl_applied;
    wall_ms_t read_commit_time;
    bool is_caught_up;
} feed_node_t;

enum { MAINTAINER_TEXT_MAX = 1024, MOVES_ASKED_MAX = 256 };

/* Schema messages held between two steps; more are dropped, the node repeats. */
#define SCHEMA_INBOX_BYTES_MAX (UINT64_C(256) * 1024 * 1024)

typedef struct {
    uint64_t request_id;
    table_id_t table_id;
    node_index_t node;
} asked_move_t;

typedef struct {
    node_index_t node;
    message_type_t type;
    union {
        schema_snapshot_t snapshot;
        schema_ddls_t ddls;
    };
} inbox_item_t;

typedef struct {
    uint64_t id;
    sluice_error_t error;
} confirmation_t;

struct maintainer {
    maintainer_settings_t settings;
    const node_set_t *node_set;
    maintainer_start_t start;
    phase_t phase;
    mono_ns_t began_at, stepped_at;
    bool is_removed;
    feed_node_t *nodes; /* by node index */
    uint32_t node_count;

    request_buffer_t *buffer;
    span_table_t *table;
    barrier_t *barrier;
    bootstrap_t *bootstrap;
    scheduler_t *scheduler;
    checkpoint_t *checkpoint;
    schema_log_t *schema_log;
    outbox_t *outbox;

    /* For people. */
    commit_times_t commit_times;
    wall_ms_t checkpoint_time; /* commit_time of the persisted checkpoint; 0: not known */
    mono_ns_t rows_at;         /* when `rows` was so many */
    mono_ns_t caught_up_at;    /* all that the source had was in the sink; 0: never */
    uint64_t rows, rows_per_second;

    mono_ns_t list_asked_at;
    mono_ns_t list_awaited_since; /* nothing came of it, though the trigger is somewhere */
    bool has_work;                /* something was received since the last step */

    /* Persisting the checkpoint. */
    uint64_t next_persist_id;
    uint64_t checkpoint_id; /* of the one under way; 0: none */
    commit_ts_t persisting, persisted;
    anchor_t anchor_persisting, anchor;
    mono_ns_t persist_at;          /* not before */
    sluice_error_t persist_error;  /* of the last checkpoint; SLUICE_OK: it is persisted */
    confirmation_t *confirmations; /* to be handled at the next step */
    uint32_t confirmation_count, confirmation_capacity;

    /* Messages about the schema, copied until the next step. */
    arena_t inbox_arena;
    inbox_item_t *inbox;
    uint32_t inbox_count, inbox_capacity;
    bool is_announcing; /* nodes are to be told the new persisted checkpoint */

    asked_move_t moves[MOVES_ASKED_MAX];
    uint32_t move_count;

    sluice_error_t failure;
    /* An error of the log waits here until what was read before it is written. */
    sluice_error_t held_failure;
    char held_text[MAINTAINER_TEXT_MAX];
    commit_ts_t held_checkpoint; /* where the checkpoint was at held_since */
    mono_ns_t held_since;        /* 0: not looked at yet */
    char failure_text[MAINTAINER_TEXT_MAX], warning_text[MAINTAINER_TEXT_MAX];
    verdict_t *verdicts; /* STATUSES_PER_REQUEST_MAX, scratch */
};

/* maintainer.c */
feed_node_t *maintainer_feed(maintainer_t *m, node_index_t node);
void maintainer_fail(maintainer_t *m, sluice_error_t error, bytes_t text);
/* What a node says of itself: an error fails the changefeed, or warns while it is being retried. */
void maintainer_note_error(maintainer_t *m, feed_node_t *feed, sluice_error_t error, bytes_t text);
void maintainer_log(const sender_t *sender, log_level_t level, const char *event, const char *key,
                    const char *value);

/* maintainer_open.c: getting nodes in and out. */
void maintainer_open_nodes(maintainer_t *m, mono_ns_t now, const sender_t *sender);
void maintainer_close_nodes(maintainer_t *m, mono_ns_t now, const sender_t *sender);
void maintainer_opened(maintainer_t *m, node_index_t node, const changefeed_opened_t *opened);
void maintainer_advance_phase(maintainer_t *m, mono_ns_t now, const sender_t *sender);
mono_ns_t maintainer_open_deadline(const maintainer_t *m);

/* maintainer_handle.c: what nodes report. */
void maintainer_handle_heartbeats(maintainer_t *m);
void maintainer_handle_statuses(maintainer_t *m, mono_ns_t now);

/* maintainer_send.c */
void maintainer_finish_moves(maintainer_t *m, const sender_t *sender);
void maintainer_flush(maintainer_t *m, const sender_t *sender);

/* maintainer_persist.c */
void maintainer_persist_checkpoint(maintainer_t *m, mono_ns_t now, const sender_t *sender);
void maintainer_confirm(maintainer_t *m, mono_ns_t now, const sender_t *sender);

#endif
