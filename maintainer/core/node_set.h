/*
 * The nodes of the process: who is there, under which incarnation and slot, and who is to be called
 * absent (DESIGN §5, lease).
 *
 * Absence is judged by silence that the maintainer itself was awake for: node_set_judge, called
 * after the inbox was drained, adds at most NODE_JUDGE_STEP_NS of it, so that time in which our own
 * loop stood still is not held against anybody. A node that is heard but does not hear us, because
 * its link is dead in one direction, starts no write either: it is absent after the same time.
 *
 * Threads: one.
 */
#ifndef SLUICE_MAINTAINER_CORE_NODE_SET_H
#define SLUICE_MAINTAINER_CORE_NODE_SET_H

#include "maintainer/core/settings.h"
#include "maintainer/core/span_table.h"

#define NODE_JUDGE_STEP_NS (500 * NS_PER_MS)
#define NODE_TEXT_MAX 128

typedef struct node_set node_set_t;

typedef struct {
    node_id_t id;
    incarnation_t incarnation;
    uint32_t slot;
    bool has_slot;
    bool is_used;          /* false: the entry is free */
    bool is_present;       /* heard, and not called absent */
    bool must_start_again; /* called absent under this incarnation */
    bool is_leaving, is_draining;
    char host[NODE_TEXT_MAX], version[NODE_TEXT_MAX];
    char events[ENDPOINT_BYTES_MAX + 1]; /* where others reach its event services; "": nowhere */
    uint64_t silence_ns;                 /* counted while present and while absent */
    uint64_t
        deafness_ns; /* since it confirmed an answer, while there are answers to be confirmed */
    uint64_t newest_heartbeat;
    uint64_t answered_heartbeat;
    uint64_t confirmed_heartbeat; /* newest one of which it knows that it was answered */
    mono_ns_t answered_at;
} node_entry_t;

node_set_t *node_set_new(const maintainer_settings_t *settings, mono_ns_t now);
void node_set_destroy(node_set_t **nodes);

/* A slot that the meta store remembers; its holder may still be alive somewhere. */
void node_set_load_slot(node_set_t *nodes, const node_id_t *id, uint32_t slot);

typedef enum {
    HELLO_JOINED,      /* a new incarnation; is it the first, or was an older one there? */
    HELLO_AGAIN,       /* the one that is there: answer once more */
    HELLO_START_AGAIN, /* was called absent: has to come with a new incarnation */
    HELLO_STALE,       /* of an older incarnation: no answer */
    HELLO_FULL         /* no slot is free: no answer */
} hello_outcome_t;

typedef struct {
    hello_outcome_t outcome;
    node_index_t node;
    bool replaced;    /* JOINED: an older incarnation was present until now */
    bool slot_is_new; /* JOINED: to be persisted before the answer */
} hello_result_t;

hello_result_t node_set_hello(node_set_t *nodes, const node_id_t *id, incarnation_t incarnation,
                              const hello_t *hello);

typedef enum { HEARD, HEARD_START_AGAIN, HEARD_STALE, HEARD_UNKNOWN } heard_t;

/* Any message of a node; HEARD: *node is it, and its silence is over. For START_AGAIN *node is set
 * too. */
heard_t node_set_hear(node_set_t *nodes, const node_id_t *id, incarnation_t incarnation,
                      node_index_t *node);

/* `confirmed`: the newest one that the node knows to be answered. */
void node_set_heartbeat(node_set_t *nodes, node_index_t node, uint64_t heartbeat_sequence,
                        uint64_t confirmed);

/* Counts silence and gives the next node that is to be called absent, or NODE_INDEX_NONE. Call
 * until then; `now` must be the same. */
node_index_t node_set_judge(node_set_t *nodes, mono_ns_t now);

/* Next node whose heartbeat is to be answered now, or NODE_INDEX_NONE; marks it as answered. */
node_index_t node_set_next_answer(node_set_t *nodes, mono_ns_t now);
/* Something that names the newest heartbeat goes to the node anyway. */
void node_set_answered(node_set_t *nodes, node_index_t node, mono_ns_t now);

void node_set_drain(node_set_t *nodes, node_index_t node);

mono_ns_t node_set_next_deadline(const node_set_t *nodes);

const node_entry_t *node_set_at(const node_set_t *nodes, node_index_t node);
/* NODE_INDEX_NONE. */
node_index_t node_set_find(const node_set_t *nodes, const node_id_t *id);
uint32_t node_set_capacity(const node_set_t *nodes); /* indexes are below it */
uint32_t node_set_present_count(const node_set_t *nodes);

#endif
