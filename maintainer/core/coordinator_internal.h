/* Inside of coordinator, shared by its files only. */
#ifndef SLUICE_MAINTAINER_CORE_COORDINATOR_INTERNAL_H
#define SLUICE_MAINTAINER_CORE_COORDINATOR_INTERNAL_H

#include "maintainer/core/coordinator.h"
#include "maintainer/core/log_coordinator.h"
#include "maintainer/core/maintainer.h"
#include "maintainer/core/node_set.h"

enum { REPLIES_MAX = 4096, CHECK_TEXT_MAX = 16384, CHECK_ID_BITS = 20 };

/* Persist ids: what a maintainer gives out has its number above these bits. */
#define PERSIST_TAG_SHIFT 40

/* What is being done to a changefeed. */
typedef enum {
    OPERATION_NONE,
    OPERATION_CREATE,
    OPERATION_OVERWRITE, /* resume at another position */
    OPERATION_PAUSE,
    OPERATION_RESUME,
    OPERATION_REMOVE,
    OPERATION_UPDATE
} operation_t;

/* The pre-flight of a create or overwrite. */
typedef struct {
    uint64_t check_id; /* 0: none */
    node_index_t node;
    mono_ns_t asked_at, began_at;
    uint32_t next_piece;
    bool is_complete;
    anchor_t anchor;
    effects_t received; /* the pieces, to be persisted when all are here */
    sluice_error_t error;
    char warnings[CHECK_TEXT_MAX]; /* or the error's text */
} check_t;

typedef enum {
    STEP_CHECKING,   /* pre-flight on a node */
    STEP_PERSIST,    /* `next` is to be persisted */
    STEP_PERSISTING, /* its confirmation is awaited */
    STEP_CONFIRMED,  /* or refused: `persist_error` */
    STEP_ENDING      /* nodes are closing it */
} operation_step_t;

typedef struct {
    arena_t arena; /* of stored */
    stored_changefeed_t stored;
    bool is_stored;           /* in the meta store */
    maintainer_t *maintainer; /* NULL while it does not run */
    uint64_t tag;             /* of the maintainer's persist ids */
    bool is_vacant;           /* no node can carry anything of it */
    operation_t operation;
    operation_step_t step;
    uint64_t request_id; /* of the operation */
    uint64_t persist_id; /* the operation's; 0: none under way */
    sluice_error_t persist_error;
    mono_ns_t persist_at; /* not before: a failed one is tried again later */
    check_t *check;       /* of the operation; NULL */
    /* What the changefeed becomes when the operation's persist is confirmed. */
    arena_t next_arena;
    stored_changefeed_t next;
    bool is_failure_dirty;       /* the failure has to be persisted */
    uint64_t failure_persist_id; /* and is being */
    uint64_t later_epoch;        /* that a node follows instead of ours; 0: none was seen */
    bool has_logged_later_epoch;
} feed_t;

/* Answers that need no changefeed's state, kept until the step. */
typedef struct {
    message_type_t type; /* HELLO_RESPONSE, START_AGAIN, CHANGEFEED_CLOSE */
    node_id_t node;
    incarnation_t incarnation;
    uint32_t slot;
    bool persists_slot;
    changefeed_ref_t ref;
    uint64_t maintainer_epoch;
} reply_t;

struct coordinator {
    maintainer_settings_t settings;
    node_id_t name;
    incarnation_t incarnation;
    node_set_t *nodes;
    log_coordinator_t *stores;
    feed_t **feeds;
    uint32_t feed_count, feed_capacity;
    uint64_t next_tag, next_persist_id, next_check_id;
    reply_t *replies;
    uint32_t reply_count, reply_capacity;
    uint64_t *answers; /* requests that are done and only wait for the step */
    uint32_t answer_count, answer_capacity;
    mono_ns_t confirmed_at, confirm_asked_at;
    bool has_work;
    coordinator_drops_t drops;
};

/* coordinator.c */
sender_t coordinator_sender(const coordinator_t *c, effects_t *effects, const feed_t *feed);
feed_t *coordinator_feed(const coordinator_t *c, bytes_t name);
feed_t *coordinator_feed_of(const coordinator_t *c, changefeed_uuid_t uuid);
feed_t *coordinator_add_feed(coordinator_t *c);
void coordinator_drop_feed(coordinator_t *c, feed_t *feed);

/* coordinator_feed.c */
void feed_set_stored(feed_t *feed, const stored_changefeed_t *stored);
/* Makes `next` a copy of `stored`, to be changed. */
stored_changefeed_t *feed_prepare_next(feed_t *feed);
void feed_start(coordinator_t *c, mono_ns_t now, feed_t *feed);
/* Closes it on every node for good, whether it runs or not. */
void feed_start_removing(coordinator_t *c, mono_ns_t now, feed_t *feed);
void feed_begin(feed_t *feed, operation_t operation, operation_step_t step, uint64_t request_id);
/* Ends the operation with an answer. */
void feed_end(effects_t *effects, feed_t *feed, sluice_error_t error, bytes_t text);
/* Ends its operation with an error. Returns whether the feed was dropped: one that was only to be
 * created goes with its operation, and from the store, where it may be all the same. */
bool feed_give_up(coordinator_t *c, feed_t *feed, effects_t *effects, sluice_error_t error,
                  bytes_t text);
/* May drop the feed. */
void feed_step(coordinator_t *c, mono_ns_t now, feed_t *feed, effects_t *effects);
mono_ns_t feed_deadline(const coordinator_t *c, const feed_t *feed);

/* coordinator_check.c */
void check_begin(coordinator_t *c, mono_ns_t now, feed_t *feed);
void check_clear(feed_t *feed);
/* May end the operation, and drop a feed that was to be created. */
void check_step(coordinator_t *c, mono_ns_t now, feed_t *feed, effects_t *effects);
void check_receive(coordinator_t *c, mono_ns_t now, node_index_t node,
                   const check_response_t *response);
mono_ns_t check_deadline(const coordinator_t *c, const feed_t *feed);

/* coordinator_nodes.c */
void nodes_hello(coordinator_t *c, mono_ns_t now, const message_t *message);
void nodes_start_again(coordinator_t *c, const node_id_t *node, incarnation_t incarnation);
void nodes_close_unknown(coordinator_t *c, const message_t *message, changefeed_ref_t ref);
void nodes_judge(coordinator_t *c, mono_ns_t now, effects_t *effects);
void nodes_reply(coordinator_t *c, effects_t *effects);
void nodes_answer(coordinator_t *c, mono_ns_t now, effects_t *effects);

#endif
