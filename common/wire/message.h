/*
 * What processes say to each other, as plain validated structs. The wire form is
 * proto/sluice.proto; the codec (common/wire/codec.h) is the only place that knows both.
 * proto/README.md: who sends what when, and what answers.
 *
 * Ownership: a decoded message lives in the arena it was decoded into. Built messages borrow
 * everything. Threads: values.
 */
#ifndef SLUICE_COMMON_WIRE_MESSAGE_H
#define SLUICE_COMMON_WIRE_MESSAGE_H

#include "common/base/error.h"
#include "common/base/ids.h"
#include "common/base/time.h"
#include "common/model/anchor.h"
#include "common/wire/stream_message.h"

#define SLUICE_PROTOCOL_VERSION 2
/* DESIGN §2: at most so many statuses a request, entries a piece. */
#define STATUSES_PER_REQUEST_MAX 2048
#define ENTRIES_PER_PIECE_MAX 2048
#define INFLUENCE_TABLES_MAX 1000000
#define MESSAGE_BYTES_MAX (4 * 1024 * 1024)

typedef enum {
    /* status socket, node → maintainer */
    MESSAGE_BLOCK_STATUS_REQUEST = 1,
    MESSAGE_HEARTBEAT_REQUEST = 2,
    MESSAGE_EVENT_STORE_STATE = 3,
    /* control socket, node → maintainer */
    MESSAGE_HELLO = 10,
    MESSAGE_CHECK_RESPONSE = 11,
    MESSAGE_CHANGEFEED_OPENED = 12,
    MESSAGE_CHANGEFEED_CLOSED = 13,
    MESSAGE_BOOTSTRAP_RESPONSE = 14,
    MESSAGE_TABLE_LIST = 15,
    MESSAGE_SCHEMA_SNAPSHOT = 16,
    MESSAGE_SCHEMA_DDL = 17,
    MESSAGE_CANDIDATES_REQUEST = 18,
    /* control socket, maintainer → node */
    MESSAGE_HELLO_RESPONSE = 30,
    MESSAGE_START_AGAIN = 31,
    MESSAGE_CHECK_REQUEST = 32,
    MESSAGE_CHANGEFEED_OPEN = 33,
    MESSAGE_CHANGEFEED_CLOSE = 34,
    MESSAGE_BOOTSTRAP_REQUEST = 35,
    MESSAGE_SCHEDULE_REQUEST = 36,
    MESSAGE_HEARTBEAT_RESPONSE = 37,
    MESSAGE_SCHEMA_SNAPSHOT_ACK = 38,
    MESSAGE_VERSION_MISMATCH = 39,
    MESSAGE_CANDIDATES_RESPONSE = 40,
    /* events socket, session → service */
    MESSAGE_STREAM_REQUESTS = 50,
    /* events socket, service → session */
    MESSAGE_STREAM_EVENTS = 60
} message_type_t;

/* First frame. maintainer_epoch is that of the changefeed the body names, 0 for process-wide
 * messages. sequence: a BlockStatusRequest's own number, named by its answer; else 0. */
typedef struct {
    uint32_t version;
    message_type_t type;
    node_id_t sender; /* the maintainer sends its own name */
    incarnation_t incarnation;
    uint64_t maintainer_epoch;
    uint64_t sequence;
} message_header_t;

/* ---- block status ---- */

typedef enum { STAGE_NONE = 0, STAGE_WAITING = 1, STAGE_WRITING = 2, STAGE_DONE = 3 } block_stage_t;

typedef enum { INFLUENCE_NORMAL = 0, INFLUENCE_DB = 1, INFLUENCE_ALL = 2 } influence_kind_t;

/* The set that an event blocks. NORMAL: table_ids, where TABLE_ID_TRIGGER may be one; no
 * duplicates. */
typedef struct {
    influence_kind_t kind;
    schema_id_t schema; /* DB */
    const table_id_t *table_ids;
    uint32_t table_count;
} influence_t;

/* A table of the table list: what the maintainer needs to know of it. */
typedef struct {
    table_id_t table_id;
    schema_id_t schema_id;
    bytes_t schema, name;   /* for people */
    commit_ts_t created;    /* COMMIT_TS_NONE: there at the start */
    bool created_by_select; /* starts at created - 1 */
    bool splittable;
    event_key_t last_change; /* key of its last schema move; EVENT_KEY_NONE */
} table_info_t;

/* A RENAME: the table is now listed under another schema and name. */
typedef struct {
    table_id_t table_id;
    schema_id_t from, to;
    bytes_t schema, name; /* the new ones */
} schema_move_t;

/* What a status says of its event beside the key. Immutable once offered. */
typedef struct {
    influence_t influence;
    /* Dropped: NORMAL with a list (perhaps empty), or DB. Never ALL. */
    influence_t dropped;
    const table_info_t *added;
    uint32_t added_count;
    const schema_move_t *moves;
    uint32_t move_count;
} block_payload_t;

/* One group: many dispatchers, one event, one stage, one payload. `passed[i]` is dispatcher i's. */
typedef struct {
    uint32_t index; /* its place in the request as it was sent, which answers name; set by decoding:
                       a refused group leaves no gap in the array */
    event_key_t key;
    block_stage_t stage;
    bool is_blocked; /* false only for the non-blocking report (NONE) of a change of the table list
                      */
    const block_payload_t *payload; /* NULL for DONE */
    const dispatcher_id_t *dispatchers;
    const event_key_t *passed;
    uint32_t dispatcher_count;
} block_status_group_t;

typedef struct {
    changefeed_ref_t changefeed;
    pipeline_t mode;
    const block_status_group_t *groups;
    uint32_t group_count;
} block_status_request_t;

/* ---- heartbeats ---- */

typedef enum {
    DISPATCHER_PREPARING = 0, /* claimed and registered, no HANDSHAKE yet */
    DISPATCHER_WORKING = 1,   /* "replicating" */
    DISPATCHER_STOPPED = 2,   /* close answered; position is final */
    DISPATCHER_FAILED = 3
} dispatcher_state_t;

typedef struct {
    dispatcher_id_t dispatcher_id;
    dispatcher_state_t state;
    position_t position;
} dispatcher_heartbeat_t;

/* Minimum over a node's dispatchers of one mode. seq grows by one whenever the node's set changes.
 */
typedef struct {
    uint64_t seq;
    commit_ts_t checkpoint;
    commit_ts_t resolved;
    commit_ts_t last_synced;
} watermark_t;

typedef struct {
    uint64_t heartbeat_sequence; /* the process's; named by HeartBeatResponse.newest_heartbeat */
    uint64_t answered_heartbeat; /* newest one that this maintainer's answers named; 0: none */
    bool has_changefeed;         /* false: only the lease */
    changefeed_ref_t changefeed;
    pipeline_t mode;
    bool has_watermark;
    watermark_t watermark;
    bool is_complete; /* entries hold every dispatcher of the node (all pieces together) */
    uint32_t piece;   /* from 0 */
    bool is_last_piece;
    const dispatcher_heartbeat_t *entries;
    uint32_t entry_count;
    bool has_anchor; /* newest anchor of the node's reader at or below its watermark's checkpoint */
    anchor_t anchor;
    /* Progress for people. */
    uint64_t rows_applied, bytes_applied, ddl_applied; /* since it was opened on this node */
    commit_ts_t read_ts;                               /* up to which the node has read the log */
    wall_ms_t read_commit_time;                        /* of that */
    bool is_caught_up;                                 /* the reader stands at the end of the log */
    /* The node's first error of this changefeed, until it is closed; SLUICE_OK: none. */
    sluice_error_t error;
    bytes_t error_text;
} heartbeat_request_t;

typedef enum {
    VERDICT_ACK = 0,
    VERDICT_IGNORED = 1,
    VERDICT_UNKNOWN = 2,
    VERDICT_LATER = 3
} verdict_t;

typedef struct {
    uint32_t index; /* of the dispatcher in its group */
    verdict_t verdict;
} verdict_exception_t;

/* Answer to one group of one request. */
typedef struct {
    uint64_t request_sequence;
    uint32_t group;
    verdict_t verdict;
    const verdict_exception_t *exceptions;
    uint32_t exception_count;
} group_verdict_t;

typedef enum { ACTION_WRITE = 0, ACTION_PASS = 1 } action_kind_t;

/* WRITE names its one dispatcher. PASS names dispatchers (NORMAL), or a schema / everything on the
 * node. */
typedef struct {
    action_kind_t kind;
    event_key_t key;
    influence_kind_t scope;
    schema_id_t schema;
    const dispatcher_id_t *dispatchers; /* NORMAL only */
    uint32_t dispatcher_count;
} barrier_action_t;

typedef struct {
    uint64_t newest_heartbeat; /* newest heartbeat_sequence received from this node's incarnation */
    bool has_changefeed;       /* false: only the lease */
    changefeed_ref_t changefeed;
    pipeline_t mode;
    const group_verdict_t *verdicts;
    uint32_t verdict_count;
    const barrier_action_t *actions;
    uint32_t action_count;
    commit_ts_t persisted_checkpoint;
} heartbeat_response_t;

/* ---- changefeeds ---- */

typedef struct {
    bytes_t key, value;
} option_t;

typedef enum { START_NOW, START_POSITION } start_kind_t;

typedef struct {
    bytes_t name;
    bytes_t source; /* URI: mariadb://user@host:port, mariadb+unix, binlog:///dir, simulated:// */
    bytes_t sink;   /* URI: mariadb://, sqlite:///file, file:///dir, blackhole:// */
    const bytes_t *filter_rules; /* in order; none = everything but the system schemas */
    uint32_t filter_rule_count;
    const option_t
        *options; /* further configuration keys (strings), unknown ones refused at create */
    uint32_t option_count;
    start_kind_t start;
    bytes_t start_gtid_list; /* START_POSITION */
    uint32_t domain;         /* the changefeed's one GTID domain */
} changefeed_config_t;

/* Asks a node for pre-flight and, with `wants_snapshot`, for the schema and anchor to start from.
 */
typedef struct {
    uint64_t check_id;
    changefeed_ref_t changefeed;
    changefeed_config_t config;
    uint32_t node_count; /* for checks that concern all nodes */
    bool all_on_one_host;
} check_request_t;

typedef struct {
    uint64_t check_id;
    sluice_error_t error;    /* SLUICE_OK: may start */
    bytes_t text;            /* every failure, a line each, naming setting and mending statement */
    const bytes_t *warnings; /* tables without a key, … */
    uint32_t warning_count;
    anchor_t anchor; /* start; valid when error is SLUICE_OK */
    uint32_t source_domain;
    bool lower_case_names; /* the source's lower_case_table_names != 0 */
    /* The schema snapshot at the anchor, cut into pieces; opaque to the maintainer. */
    uint32_t piece;
    bool is_last_piece;
    bytes_t snapshot;
} check_response_t;

/* One DDL that follows a snapshot: enough for a tracker to go forward. Opaque text and context. */
typedef struct {
    commit_ts_t commit_ts;
    wall_ms_t commit_time;
    bytes_t content; /* tracker's own encoding: sql, context */
} schema_ddl_t;

/* Open: repeated until CHANGEFEED_OPENED of the same epoch. In pieces: the first carries config,
 * anchor; all carry snapshot bytes; the last ones the DDLs behind it. */
typedef struct {
    changefeed_ref_t changefeed;
    changefeed_config_t config;
    anchor_t anchor;         /* persisted: where the node's reader starts */
    commit_ts_t checkpoint;  /* persisted */
    commit_ts_t snapshot_ts; /* at or below anchor.commit_ts */
    uint32_t piece;
    bool is_last_piece;
    bytes_t snapshot;
    const schema_ddl_t *ddls;
    uint32_t ddl_count;
} changefeed_open_t;

typedef struct {
    changefeed_ref_t changefeed;
    sluice_error_t error;
    bytes_t text;
} changefeed_opened_t;

typedef struct {
    changefeed_ref_t changefeed;
    bool is_removed;            /* for good: the sink, too, is to forget it */
    changefeed_config_t config; /* is_removed */
} changefeed_close_t;

typedef struct {
    changefeed_ref_t changefeed;
} changefeed_closed_t;

/* Also asks for the table list at the trigger's checkpoint, if the node has the trigger. */
typedef struct {
    changefeed_ref_t changefeed;
} bootstrap_request_t;

typedef struct {
    dispatcher_id_t dispatcher_id;
    span_t span;
    pipeline_t mode;
    dispatcher_state_t state;
    position_t position;
    assignment_epoch_t assignment_epoch;
    block_stage_t stage; /* NONE: not at a barrier event */
    event_key_t key;     /* of the event it is at */
    bool is_blocked;
    const block_payload_t *payload; /* NULL when stage is NONE */
} bootstrap_entry_t;

typedef struct {
    changefeed_ref_t changefeed;
    uint32_t piece;
    bool is_last_piece;
    uint64_t watermark_seq;
    const bootstrap_entry_t *entries;
    uint32_t entry_count;
} bootstrap_response_t;

/* Valid at `at`; sent by the node that has the trigger, after bootstrap and when a trigger is
 * created there. */
typedef struct {
    changefeed_ref_t changefeed;
    pipeline_t mode;
    commit_ts_t at;
    uint32_t piece;
    bool is_last_piece;
    const table_info_t *tables;
    uint32_t table_count;
} table_list_t;

typedef struct {
    dispatcher_id_t dispatcher_id;
    span_t span;
    pipeline_t mode;
    position_t start;
    commit_ts_t created;
    assignment_epoch_t assignment_epoch;
    bool wants_table_list; /* trigger only: answer with TABLE_LIST valid at start.checkpoint */
    bool is_split;
} schedule_create_t;

/* Idempotent, repeated until heartbeats show the state wanted. A close of an unknown id is answered
 * STOPPED. */
typedef struct {
    changefeed_ref_t changefeed;
    const schedule_create_t *creates;
    uint32_t create_count;
    const dispatcher_id_t *closes;
    uint32_t close_count;
} schedule_request_t;

/* Trigger's node → maintainer; repeated until acknowledged. A snapshot comes in pieces. */
typedef struct {
    changefeed_ref_t changefeed;
    commit_ts_t at;
    uint32_t piece;
    bool is_last_piece;
    bytes_t snapshot;
} schema_snapshot_t;

/* Every DDL in (after, up_to], perhaps none, so that it is known up to where what is persisted is
 * complete: no persisted anchor is past that. Repeated until acknowledged; every second while up_to
 * grows. `after` is the newest acknowledged position, at first the trigger's start. */
typedef struct {
    changefeed_ref_t changefeed;
    commit_ts_t after, up_to;
    const schema_ddl_t *ddls;
    uint32_t ddl_count;
} schema_ddls_t;

/* Everything up to `at` is persisted. Below a SCHEMA_DDL's `after` it asks for what is missing: the
 * DDLs behind `at`, or a whole snapshot. */
typedef struct {
    changefeed_ref_t changefeed;
    commit_ts_t at;
} schema_snapshot_ack_t;

/* ---- any message ---- */

typedef struct {
    message_header_t header;
    union {
        block_status_request_t block_status_request;
        heartbeat_request_t heartbeat_request;
        hello_t hello;
        check_response_t check_response;
        changefeed_opened_t changefeed_opened;
        changefeed_closed_t changefeed_closed;
        bootstrap_response_t bootstrap_response;
        table_list_t table_list;
        schema_snapshot_t schema_snapshot;
        schema_ddls_t schema_ddls;
        hello_response_t hello_response;
        check_request_t check_request;
        changefeed_open_t changefeed_open;
        changefeed_close_t changefeed_close;
        bootstrap_request_t bootstrap_request;
        schedule_request_t schedule_request;
        heartbeat_response_t heartbeat_response;
        schema_snapshot_ack_t schema_snapshot_ack;
        event_store_report_t event_store_state;
        candidates_request_t candidates_request;
        candidates_response_t candidates_response;
        stream_requests_t stream_requests;
        stream_events_t stream_events;
    };
} message_t;

#endif
