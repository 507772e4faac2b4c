/*
 * What a node says of itself to its maintainers: who it is, what its event stores hold, and who
 * else could serve a table (DESIGN §6, log coordinator). Included by common/wire/message.h.
 *
 * Ownership and threads: as there.
 */
#ifndef SLUICE_COMMON_WIRE_NODE_MESSAGE_H
#define SLUICE_COMMON_WIRE_NODE_MESSAGE_H

#include "common/base/ids.h"
#include "common/base/time.h"

/* Which changefeed a body is about. */
typedef struct {
    changefeed_uuid_t uuid;
    uint64_t generation;
} changefeed_ref_t;

/* "tcp://host:port" or "ipc://path". */
#define ENDPOINT_BYTES_MAX 255

typedef struct {
    bytes_t host;    /* machine id, to see that all nodes of a SQLite changefeed are on one host */
    bytes_t version; /* of the program, for people */
    bool is_leaving; /* TERM was received: hand its spans over, open nothing new */
    uint32_t slot_held; /* slot + 1 of an earlier answer, as its server ids are; 0: none */
    bytes_t events; /* where other nodes reach its event services; empty: they are its own alone */
} hello_t;

/* A maintainer may give out as many slots as this. */
#define NODE_SLOTS_MAX 1024

typedef struct {
    uint32_t slot;
    uint32_t slot_count_max;
    uint64_t lease_ms, heartbeat_ms, complete_heartbeat_ms, resend_ms;
} hello_response_t;

/* ---- who could serve what ---- */

/* Tables with holes that are named; for more than these the highest of the other floors counts as
 * everybody else's. */
#define STORE_FLOORS_MAX 2048

/* Every row and DDL of the table above `floor` is held, nothing below is sure to be. */
typedef struct {
    table_id_t table_id;
    commit_ts_t floor;
} store_floor_t;

/* What the event service of one changefeed on the sender holds; every second if it has changed. */
typedef struct {
    changefeed_ref_t changefeed;
    bool is_served;       /* false: it serves nobody (any more) */
    commit_ts_t floor;    /* of every table that is not named */
    commit_ts_t resolved; /* read so far */
    wall_ms_t resolved_time;
    const store_floor_t *floors; /* higher ones, each table once */
    uint32_t floor_count;
} event_store_report_t;

/* One dispatcher's question: who holds its table above `start`? */
typedef struct {
    dispatcher_id_t dispatcher_id;
    table_id_t table_id;
    commit_ts_t start;
    wall_ms_t resolved_time_min; /* who has not read so far is too far behind */
} candidates_question_t;

#define CANDIDATES_QUESTIONS_MAX 2048

typedef struct {
    changefeed_ref_t changefeed;
    const candidates_question_t *questions;
    uint32_t question_count;
} candidates_request_t;

typedef struct {
    node_id_t node;
    incarnation_t incarnation;
    uint32_t slot;
    bytes_t events; /* its endpoint */
} candidate_t;

#define CANDIDATES_MAX 4 /* of one answer */

/* Best first; perhaps none. */
typedef struct {
    dispatcher_id_t dispatcher_id;
    uint32_t nodes[CANDIDATES_MAX]; /* places in the response's list */
    uint32_t count;
} candidates_answer_t;

typedef struct {
    changefeed_ref_t changefeed;
    const candidate_t *nodes;
    uint32_t node_count;
    const candidates_answer_t *answers;
    uint32_t answer_count;
} candidates_response_t;

#endif
