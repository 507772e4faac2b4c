/*
 * Shared by node_changefeed.c (life), node_changefeed_run.c (effects, events, completions),
 * node_changefeed_others.c (other nodes) and node_changefeed_telling.c (heartbeats, bootstrap,
 * table list, schema). Nobody else includes this.
 */
#ifndef SLUICE_DISPATCHER_CORE_NODE_NODE_CHANGEFEED_INTERNAL_H
#define SLUICE_DISPATCHER_CORE_NODE_NODE_CHANGEFEED_INTERNAL_H

#include "dispatcher/core/node/node_changefeed.h"
#include "dispatcher/core/node/schema_report.h"

#define LISTED_DDLS_MAX 256
#define SNAPSHOT_PIECE_BYTES (1024 * 1024)

/* The trigger's table list that the maintainer waits for. */
typedef struct {
    bool is_wanted;
    commit_ts_t at;
    mono_ns_t try_at;
} wanted_list_t;

/* For the log coordinator, with the next run. */
typedef struct {
    candidates_question_t *items;
    uint32_t count, capacity;
} node_questions_t;

/* What the log coordinator was told last. */
typedef struct {
    event_store_report_t told;
    store_floor_t *floors;
    uint64_t told_epoch; /* of the maintainer; 0: none was told */
    mono_ns_t at;        /* next look */
    mono_ns_t repeat_at; /* told again though it has not changed */
} node_store_report_t;

typedef struct {
    mono_ns_t at; /* not before */
    uint64_t others_read, reading_others, last_resorts;
} node_others_log_t;

struct node_changefeed {
    const host_port_t *host;
    const node_others_t *others; /* NULL: none */
    uint64_t candidate_lag_ms;
    node_questions_t questions;
    node_store_report_t store;
    node_others_log_t logged_others;
    node_link_t *link;
    arena_t arena; /* what lives as long as it does */
    changefeed_ref_t ref;
    const char *name;
    bool lower_case_names;

    void *hosted; /* the host's name for it */
    feed_port_t feed;
    sink_port_t sink;
    session_set_t *sessions;
    dispatcher_set_t *dispatchers;

    wanted_list_t table_list[PIPELINE_COUNT];
    schema_report_t schema;
    uint64_t schema_run; /* of the trigger that it is about */
    mono_ns_t complete_at;
    mono_ns_t send_at; /* statuses that could not be sent */
    mono_ns_t clean_up_at;
    commit_ts_t persisted;
    sluice_error_t error; /* found here, not in feed or sink */
    char error_text[ERROR_REPORT_TEXT_MAX];
    bool has_logged_error;
};

/* node_changefeed_run.c */
void node_changefeed_carry_out(node_changefeed_t *changefeed, mono_ns_t now);
/* Consumes the event. */
void node_changefeed_take_event(node_changefeed_t *changefeed, service_id_t from,
                                stream_event_t *event, mono_ns_t now);

/* node_changefeed_others.c */
/* Who else could serve the dispatcher of that REGISTER? */
void node_changefeed_ask(node_changefeed_t *changefeed, const stream_request_t *request);
void node_changefeed_ask_service(node_changefeed_t *changefeed, service_id_t service,
                                 const stream_request_t *request, mono_ns_t now);
void node_changefeed_handle_candidates(node_changefeed_t *changefeed,
                                       const candidates_response_t *response, mono_ns_t now);
void node_changefeed_run_others(node_changefeed_t *changefeed, mono_ns_t now);
void node_changefeed_clear_others(node_changefeed_t *changefeed);

/* node_changefeed_telling.c */
void node_changefeed_send_bootstrap(node_changefeed_t *changefeed);
void node_changefeed_want_table_list(node_changefeed_t *changefeed, pipeline_t mode,
                                     commit_ts_t at);
void node_changefeed_send_table_lists(node_changefeed_t *changefeed, mono_ns_t now);
void node_changefeed_report_schema(node_changefeed_t *changefeed, mono_ns_t now);
message_t node_changefeed_message(const node_changefeed_t *changefeed, message_type_t type);

#endif
