/*
 * What people and the API see of the cores' state. Built on request into the caller's arena, which
 * owns every pointer in them.
 */
#ifndef SLUICE_MAINTAINER_CORE_VIEWS_H
#define SLUICE_MAINTAINER_CORE_VIEWS_H

#include "maintainer/core/effects.h"

typedef struct {
    const char *id;
    uint64_t incarnation;
    uint32_t slot;
    const char *host, *version;
    bool is_present; /* false: called absent, only its slot is kept */
    bool is_leaving, is_draining;
    uint64_t silence_ms;      /* since its newest message */
    uint64_t span_count;      /* over all changefeeds */
    uint64_t span_left_count; /* draining or leaving: still to be handed over */
} node_view_t;

typedef struct {
    changefeed_ref_t ref;
    const char *name;
    changefeed_state_t state;
    const char *phase; /* "checking", "bootstrapping", "running", "closing", "stopped", … */
    sluice_error_t error;
    const char *error_text;
    uint64_t maintainer_epoch;
    const changefeed_config_t *config; /* passwords are not in it; URIs are to be redacted */
    commit_ts_t checkpoint;            /* persisted */
    commit_ts_t checkpoint_now;        /* computed, not yet persisted */
    wall_ms_t checkpoint_time;         /* its commit_time */
    commit_ts_t resolved;
    const char *gtid_list; /* of the persisted anchor */
    uint32_t table_count, span_count;
    uint32_t absent_count, scheduling_count, replicating_count, closing_count, moving_count;
    uint32_t barrier_count;
    uint64_t rows_applied, bytes_applied, ddl_applied; /* sums over nodes since they opened it */
    uint64_t rows_per_second;                          /* applied, of late */
    wall_ms_t read_commit_time;                        /* newest that a node has read */
    bool is_caught_up;                                 /* every node stands at the end of the log */
    mono_ns_t caught_up_at; /* when all that the source had was known to be in the sink; 0: never */
    const char *holding;    /* what keeps the checkpoint from moving; "" nothing known */
    /* Counters for /metrics. */
    uint64_t pass_sent, pass_held_quiet, heartbeats_merged, statuses_duplicate, statuses_handled;
} changefeed_view_t;

typedef struct {
    table_id_t table_id;
    const char *schema, *name;
    const char *node;  /* "" none */
    const char *state; /* absent, scheduling, replicating, closing, moving */
    dispatcher_id_t dispatcher_id;
    bytes_t start_key, end_key;
    position_t position;
    bool is_waiting; /* at the event `waiting_for` */
    event_key_t waiting_for;
} table_view_t;

typedef struct {
    event_key_t key;
    const char *state; /* collecting, selected, writer_advanced */
    influence_kind_t scope;
    const char *writer_node; /* "" none */
    dispatcher_id_t writer;
    uint32_t reported, required, done;
    uint64_t age_ms;
    const char *missing; /* names of tables and nodes that have not reported or are not done */
} barrier_view_t;

#endif
