/*
 * What one changefeed carries, in one pipeline: the tables, their spans, and for each span who
 * carries it, how far it is, and at which barrier event it stands. The table trigger dispatcher is
 * the span of table 0.
 *
 *   absent ─assign─► scheduling ─"replicating"─► replicating ─close─► moving ─"stopped"─► absent
 *   any bound state ─node gone─► absent        bound and its table dropped ─► closing ─► freed
 *
 * A span holds its dispatcher's block state itself (key and stage), so that a barrier event needs
 * no set of its own: who waits for k is whose block state is (k, WAITING).
 *
 * `version` grows whenever the set of spans, or of replicating ones, changes.
 *
 * Entries never move in memory. Fields are read freely, and written only through the functions
 * below. Memory per whole-table span is at most 256 bytes, its name included. Threads: one.
 */
#ifndef SLUICE_MAINTAINER_CORE_SPAN_TABLE_H
#define SLUICE_MAINTAINER_CORE_SPAN_TABLE_H

#include "common/base/arena.h"
#include "common/wire/message.h"

/* A node's dense number, given by node_set. */
typedef struct {
    uint32_t v;
} node_index_t;
#define NODE_INDEX_NONE ((node_index_t){UINT32_MAX})
#define NODE_INDEX_MAX 4096

static inline bool node_index_is_none(node_index_t node)
{
    return node.v == UINT32_MAX;
}

typedef enum {
    SPAN_ABSENT,
    SPAN_SCHEDULING,
    SPAN_REPLICATING,
    SPAN_CLOSING, /* its table is gone; kept until the node says stopped */
    SPAN_MOVING   /* being closed at `node`, to be created elsewhere */
} span_state_t;
#define SPAN_STATE_COUNT 5

const char *span_state_name(span_state_t state);

typedef struct table_entry table_entry_t;
typedef struct schema_entry schema_entry_t;
typedef struct span_entry span_entry_t;
typedef struct span_table span_table_t;

typedef struct {
    uint16_t start_len, end_len;
    uint8_t bytes[];
} key_range_t;

struct span_entry {
    dispatcher_id_t dispatcher_id; /* none while absent */
    uint64_t assignment_counter;
    commit_ts_t checkpoint;
    commit_ts_t passed_ts;
    commit_ts_t block_ts; /* of the event it is at or was last at */
    mono_ns_t sent_at;    /* newest create or close of it; 0: none in this state */
    table_entry_t *table; /* NULL when closing */
    key_range_t *range;   /* NULL: the whole table */
    span_entry_t *next_in_table;
    span_entry_t *state_previous, *state_next;
    node_index_t node;
    node_index_t target; /* moving, or absent in a move: where it shall go */
    uint32_t number;     /* dense, reused */
    uint8_t state;       /* span_state_t */
    uint8_t block_stage; /* block_stage_t */
    bool passed_is_syncpoint : 1;
    bool block_is_syncpoint : 1;
    bool is_acknowledged : 1; /* scheduling: the node has it, it is preparing */
    bool is_fresh : 1;        /* added by a DDL and never yet replicating */
    bool is_placed : 1;       /* an operator put it where it is, or where it goes */
    bool is_pinned : 1;       /* its next dispatcher starts at this checkpoint, whatever is heard */
    uint8_t complete_round;   /* of the complete heartbeat that named it last */
};

struct table_entry {
    table_id_t table_id;
    commit_ts_t created;
    commit_ts_t last_change_ts;
    schema_entry_t *schema; /* NULL for the trigger */
    char *name;             /* NULL for the trigger */
    span_entry_t *first_span;
    table_entry_t *schema_previous, *schema_next;
    uint32_t number;
    uint32_t gates : 27; /* open barrier events of influence NORMAL that list it */
    bool last_change_is_syncpoint : 1;
    bool created_by_select : 1;
    bool is_splittable : 1;
};

struct schema_entry {
    schema_id_t schema_id;
    char *name;
    table_entry_t *first_table;
    uint32_t table_count;
    uint32_t number;
};

span_table_t *span_table_new(void);
void span_table_destroy(span_table_t **table);

/* ---- tables ---- */

/* Adds a table with one absent span over all of it. NULL when the id is there already. */
table_entry_t *span_table_add(span_table_t *table, const table_info_t *info, position_t start);
/* Adds the trigger. NULL when it is there already. */
table_entry_t *span_table_add_trigger(span_table_t *table, position_t start);
/* Takes the table away: bound spans become closing, others are freed. */
void span_table_drop(span_table_t *table, table_entry_t *entry);
/* Lists the table under another schema and name, as of `key`. */
void span_table_rename(span_table_t *table, table_entry_t *entry, const schema_move_t *move,
                       event_key_t key);

table_entry_t *span_table_find(const span_table_t *table, table_id_t table_id);
schema_entry_t *span_table_schema(const span_table_t *table, schema_id_t schema_id);
/* The trigger's one span, NULL before it was added. */
span_entry_t *span_table_trigger(const span_table_t *table);
event_key_t table_entry_last_change(const table_entry_t *entry);
/* Every table, the trigger too; start with NULL. The given one may be dropped before the call. */
table_entry_t *span_table_next_table(const span_table_t *table, uint32_t *cursor);
uint32_t span_table_table_count(const span_table_t *table); /* without the trigger */

/* ---- spans ---- */

/* Cuts a table whose one span is absent and whole into ranges; `boundaries` ascend, so that n of
 * them make n + 1 spans at the same position. */
void span_table_split(span_table_t *table, table_entry_t *entry, const bytes_t *boundaries,
                      uint32_t boundary_count);

/* The span with that dispatcher, also when closing; NULL. */
span_entry_t *span_table_dispatcher(const span_table_t *table, dispatcher_id_t id);
/* Of `count` dispatchers that are looked for one after the other, the i-th is next: has what comes
 * soon fetched from memory meanwhile. */
void span_table_prefetch(const span_table_t *table, const dispatcher_id_t *ids, uint32_t count,
                         uint32_t i);
/* The span of a table that covers exactly this range; NULL. */
span_entry_t *table_entry_span(const table_entry_t *entry, bytes_t start_key, bytes_t end_key);
span_t span_entry_range(const span_entry_t *span);

/* absent → scheduling. */
void span_table_assign(span_table_t *table, span_entry_t *span, node_index_t node,
                       dispatcher_id_t id, uint64_t assignment_counter);
/* absent → scheduling or replicating, with a dispatcher that a bootstrap told of. */
void span_table_adopt(span_table_t *table, span_entry_t *span, node_index_t node,
                      dispatcher_id_t id, bool is_replicating);
/* A dispatcher nobody wants, to be closed at its node. */
span_entry_t *span_table_add_closing(span_table_t *table, node_index_t node, dispatcher_id_t id);
/* scheduling → replicating. */
void span_table_replicating(span_table_t *table, span_entry_t *span);
/* scheduling, replicating → moving, to `target` (NODE_INDEX_NONE: anywhere). */
void span_table_move(span_table_t *table, span_entry_t *span, node_index_t target);
/* scheduling, replicating → moving, back to the same node, to start anew at `checkpoint`. */
void span_table_restart(span_table_t *table, span_entry_t *span, commit_ts_t checkpoint);
/* Whatever is heard of it meanwhile, its next dispatcher starts there. */
void span_entry_pin(span_entry_t *span, commit_ts_t checkpoint);
/* The same for an operator: evening out leaves it there, as long as that node lives. */
void span_table_place(span_table_t *table, span_entry_t *span, node_index_t target);
/* Its dispatcher is no more: closing → freed, else → absent at the position where it has to start
 * (DESIGN §5: caught in a DDL at commit_ts - 1, in a sync point at commit_ts). */
void span_table_unbind(span_table_t *table, span_entry_t *span);
/* Where an absent span shall go; NODE_INDEX_NONE: anywhere. */
void span_entry_set_target(span_entry_t *span, node_index_t target);

position_t span_entry_position(const span_entry_t *span);
/* Where its next dispatcher starts. It will meet everything above the checkpoint, so it must not
 * believe that it passed some of that. */
position_t span_entry_start(const span_entry_t *span);
static inline event_key_t span_entry_block_key(const span_entry_t *span)
{
    return (event_key_t){span->block_ts, span->block_is_syncpoint};
}
static inline event_key_t span_entry_passed(const span_entry_t *span)
{
    return (event_key_t){span->passed_ts, span->passed_is_syncpoint};
}
/* Takes over what is further; never back. Returns whether anything was. */
bool span_entry_raise(span_entry_t *span, position_t position);
void span_entry_set_block(span_entry_t *span, event_key_t key, block_stage_t stage);
/* Its dispatcher waits for, or writes, this event. */
static inline bool span_entry_is_at(const span_entry_t *span, event_key_t key)
{
    return (span->block_stage == STAGE_WAITING || span->block_stage == STAGE_WRITING) &&
           event_key_equal(span_entry_block_key(span), key);
}

/* Lists by state; newest first. */
span_entry_t *span_table_first(const span_table_t *table, span_state_t state);
uint32_t span_table_count(const span_table_t *table, span_state_t state);
/* Node indexes with spans are below it. */
uint32_t span_table_node_capacity(const span_table_t *table);
/* Spans on the node in state scheduling, replicating or moving. */
uint32_t span_table_node_count(const span_table_t *table, node_index_t node);
/* Of these, scheduling. */
uint32_t span_table_node_scheduling(const span_table_t *table, node_index_t node);

uint64_t span_table_version(const span_table_t *table);
void span_table_touch(span_table_t *table);
/* Bytes taken from the system, for tests and /metrics. */
size_t span_table_bytes(const span_table_t *table);

#endif
