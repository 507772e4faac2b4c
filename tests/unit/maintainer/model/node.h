/*
 * A made-up node: what a sluice-dispatcher says and does, as far as the maintainer can tell. Its
 * dispatchers follow the made-up log into the made-up sink by the rules of DESIGN §4.
 */
#ifndef SLUICE_TESTS_UNIT_MAINTAINER_MODEL_NODE_H
#define SLUICE_TESTS_UNIT_MAINTAINER_MODEL_NODE_H

#include "common/base/time.h"
#include "tests/unit/maintainer/model/log.h"

enum {
    DISPATCHERS_MAX = 160,
    REPORTS_MAX = 64,
    REQUESTS_MAX = 64,
    GROUPS_MAX = 32,
    BEATS_MAX = 256
};

typedef struct {
    uint64_t ts;
    mono_ns_t offer_at;
} model_report_t;

typedef struct {
    bool is_used, is_working, is_acked, is_dirty;
    dispatcher_id_t id;
    int table; /* or TRIGGER */
    assignment_epoch_t epoch;
    uint64_t done; /* everything up to here is behind it */
    event_key_t passed;
    block_stage_t stage;
    event_key_t key;
    mono_ns_t works_at, offer_at, written_at;
    mono_ns_t resolved_at; /* until then the checkpoint stays before the DDL it has passed */
    model_report_t reports[REPORTS_MAX]; /* the trigger's, not acknowledged */
    int report_count;
} model_dispatcher_t;

typedef struct {
    uint64_t sequence;
    struct {
        event_key_t key;
        block_stage_t stage;
        dispatcher_id_t ids[DISPATCHERS_MAX];
        uint32_t count;
    } groups[GROUPS_MAX];
    uint32_t group_count;
} model_request_t;

typedef struct model_node model_node_t;

/* How the node's messages leave it. The message and what it points to live in `arena`, which the
 * callee takes over. */
typedef void (*model_send_t)(void *world, model_node_t *node, message_t *message, arena_t arena);

struct model_node {
    node_id_t id;
    incarnation_t incarnation;
    bool is_up;
    bool is_welcome; /* hello was answered */
    bool is_leaving;
    bool keeps_list_back; /* its table list does not arrive */
    const log_t *log;
    sink_t *sink;
    random_t *random;
    void *world;
    const mono_ns_t *now;
    model_send_t send;
    model_dispatcher_t dispatchers[DISPATCHERS_MAX];
    bool is_open;
    changefeed_ref_t ref;
    uint64_t epoch; /* maintainer's */
    uint64_t watermark_seq, heartbeat_sequence, answered_heartbeat, request_sequence;
    mono_ns_t beats[BEATS_MAX]; /* when a heartbeat was sent, by sequence */
    mono_ns_t lease_until, hello_at, beat_at, complete_at, schema_at;
    dispatcher_heartbeat_t stopped[DISPATCHERS_MAX];
    uint32_t stopped_count;
    model_request_t requests[REQUESTS_MAX];
    uint64_t schema_acked;
    commit_ts_t persisted;             /* as last told */
    int removals;                      /* closes that said so */
    sluice_error_t check_error, error; /* what it answers to a check, says with heartbeats */
    bool is_caught_up;                 /* said with heartbeats */
};

void model_node_start(model_node_t *node, mono_ns_t now, incarnation_t incarnation);
void model_node_stop(model_node_t *node);
void model_node_tick(model_node_t *node, mono_ns_t now);
void model_node_receive(model_node_t *node, mono_ns_t now, const message_t *message);
/* EFFECT_SEND_OPEN arrived. */
void model_node_open(model_node_t *node, mono_ns_t now, changefeed_ref_t ref, uint64_t epoch);

#endif
