/*
 * A coordinator, made-up nodes, a lossy network between them, a meta store in memory, virtual time.
 * Checks from outside what the coordinator sends and persists (ORACLE B1 to B5, B11, K1, K3).
 */
#ifndef SLUICE_TESTS_UNIT_MAINTAINER_MODEL_WORLD_H
#define SLUICE_TESTS_UNIT_MAINTAINER_MODEL_WORLD_H

#include "maintainer/core/coordinator.h"
#include "tests/unit/maintainer/model/node.h"

enum { NODES_MAX = 4 };

typedef struct packet packet_t;

typedef struct {
    random_t random;
    mono_ns_t now;
    log_t log;
    sink_t sink;
    maintainer_settings_t settings;
    coordinator_t *coordinator; /* NULL while it is down */
    model_node_t *nodes;
    int node_count;
    packet_t *packets;
    /* Percent. */
    uint32_t loss, duplication;
    uint64_t delay_ms_max;
    bool is_cut[NODES_MAX];           /* nothing gets through */
    mono_ns_t last_due[NODES_MAX][2]; /* of what keeps its order, per node and direction */
    /* The meta store. */
    bool has_changefeed;
    stored_changefeed_t stored;
    arena_t stored_arena;
    uint32_t slots[NODES_MAX];
    bool has_slot[NODES_MAX];
    bool is_asleep;     /* the maintainer's loop stands still */
    bool is_store_gone; /* the meta store takes nothing and confirms nothing */
    /* What was seen. */
    uint64_t writes_seen, passes_seen, answers_seen, failures_seen;
    sluice_error_t last_answer;
    uint64_t packets_lost, packets_sent, answered_request;
    char answer_text[256];
} world_t;

void world_start(world_t *world, uint64_t seed, int nodes, uint64_t log_length, int tables);
void world_end(world_t *world);

void world_start_coordinator(world_t *world);
void world_stop_coordinator(world_t *world);
void world_create_changefeed(world_t *world);

/* Lets time pass, in steps of 10 ms. */
void world_run(world_t *world, uint64_t ms);
/* Runs until everything is replicated and at rest, at most `ms`; whether it is. */
bool world_settle(world_t *world, uint64_t ms);
bool world_is_at_rest(const world_t *world);

#endif
