/*
 * What the maintainer's cores want done, as plain data in the order in which it must happen. The
 * shell carries effects out one by one and decides nothing. A persist effect comes before what
 * depends on it; when it carries a persist_id, the outcome is given back with
 * coordinator_persisted.
 *
 * Ownership: effects and everything they point to live in the list's arena until effects_reset.
 * Threads: one at a time.
 */
#ifndef SLUICE_MAINTAINER_CORE_EFFECTS_H
#define SLUICE_MAINTAINER_CORE_EFFECTS_H

#include "common/base/arena.h"
#include "common/base/log_level.h"
#include "common/wire/changefeed_config.h"
#include "common/wire/message.h"

typedef enum {
    EFFECT_SEND,               /* a message to a node */
    EFFECT_SEND_OPEN,          /* CHANGEFEED_OPEN in pieces, its content read from the meta store */
    EFFECT_PERSIST_SLOT,       /* node id → slot; an older holder of the slot loses it */
    EFFECT_PERSIST_CHANGEFEED, /* new, or replaced as a whole (configuration, generation, start) */
    EFFECT_PERSIST_STATE,      /* state, epoch and error of a changefeed */
    EFFECT_PERSIST_CHECKPOINT, /* checkpoint and anchor, only if the stored epoch is this one */
    EFFECT_PERSIST_SNAPSHOT,   /* one piece of a whole schema snapshot; the first one's come before
                                  EFFECT_PERSIST_CHANGEFEED */
    EFFECT_PERSIST_DDLS,      /* DDLs that follow a snapshot (upsert by commit_ts), and schema_to */
    EFFECT_FORGET_SCHEMA,     /* snapshots before `at`, DDLs at or before it, are not needed */
    EFFECT_FORGET_CHANGEFEED, /* everything stored of it */
    EFFECT_CONFIRM_EPOCH, /* see that the meta store is still ours; coordinator_epoch_confirmed */
    EFFECT_LOG,           /* one line */
    EFFECT_ANSWER         /* an operator's request has its outcome */
} effect_kind_t;

/* States as people see them (OPERATORS.md). */
typedef enum {
    CHANGEFEED_NORMAL,
    CHANGEFEED_WARNING, /* runs, with an error that is being retried */
    CHANGEFEED_FAILED,
    CHANGEFEED_STOPPED,
    CHANGEFEED_FINISHED,
    CHANGEFEED_REMOVED
} changefeed_state_t;

const char *changefeed_state_name(changefeed_state_t state);

/* Everything the meta store keeps of a changefeed, beside schema snapshots and DDLs. */
typedef struct {
    changefeed_ref_t ref;
    uint64_t maintainer_epoch; /* of whoever writes it */
    changefeed_config_t config;
    changefeed_state_t state;
    sluice_error_t error;
    bytes_t error_text;
    commit_ts_t checkpoint;
    anchor_t anchor;       /* at or below the checkpoint; the persisted schema leads to it */
    commit_ts_t schema_to; /* snapshot and DDLs persisted hold every DDL up to here, and perhaps
                              further: where there is none, nothing is persisted */
} stored_changefeed_t;

typedef struct {
    const char *key; /* static */
    const char *value;
} log_field_t;

/* `event` is a static stable name ("barrier_selected"); fields in order. */
typedef struct {
    log_level_t level;
    const char *event;
    bytes_t changefeed; /* name; empty for process-wide lines */
    const log_field_t *fields;
    uint32_t field_count;
} log_line_t;

typedef struct {
    effect_kind_t kind;
    uint64_t persist_id;         /* 0: nobody waits for the outcome */
    node_id_t node;              /* SEND, SEND_OPEN, PERSIST_SLOT */
    incarnation_t incarnation;   /* SEND, SEND_OPEN: of the receiver */
    changefeed_ref_t changefeed; /* all that concern one */
    uint64_t maintainer_epoch;   /* SEND_OPEN, PERSIST_* */
    union {
        const message_t *message;   /* SEND: complete with header */
        uint32_t slot;              /* PERSIST_SLOT */
        stored_changefeed_t stored; /* PERSIST_CHANGEFEED: everything; PERSIST_STATE: state, error,
                                       error_text and the epoch, the rest is unset */
        struct {
            commit_ts_t checkpoint;
            anchor_t anchor;
        } position; /* PERSIST_CHECKPOINT; SEND_OPEN: what the node is told */
        struct {
            commit_ts_t at;
            uint32_t piece;
            bool is_last_piece;
            bytes_t content;
        } snapshot; /* PERSIST_SNAPSHOT; piece 0 replaces an unfinished one of the same `at` */
        struct {
            const schema_ddl_t *list;
            uint32_t count;
            commit_ts_t schema_to;
        } ddls;         /* PERSIST_DDLS */
        commit_ts_t at; /* FORGET_SCHEMA */
        log_line_t log; /* LOG */
        struct {
            uint64_t request_id;
            sluice_error_t error;
            bytes_t text; /* for the person who asked; error text or warnings, a line each */
        } answer;         /* ANSWER */
    };
} effect_t;

/* A value; all zero is an empty list. */
typedef struct {
    arena_t arena;
    effect_t *items;
    size_t count, capacity;
} effects_t;

void effects_init(effects_t *effects);
/* Empties the list and everything it pointed to; keeps memory for the next round. */
void effects_reset(effects_t *effects);
void effects_clear(effects_t *effects);

/* Appends a zeroed effect; valid until the next append. */
effect_t *effects_add(effects_t *effects, effect_kind_t kind);

/* Appends a SEND and gives the zeroed message to fill. */
message_t *effects_add_send(effects_t *effects, const node_id_t *node, incarnation_t incarnation,
                            message_type_t type);

/* Appends a LOG line; `fields` is copied, with the values. */
void effects_log(effects_t *effects, log_level_t level, const char *event, bytes_t changefeed,
                 const log_field_t *fields, uint32_t field_count);

#endif
