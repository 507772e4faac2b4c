/*
 * One request to the maintainer: up to STATUSES_PER_REQUEST_MAX statuses of one mode, in groups
 * that share event, stage and payload (DESIGN §2). Owns its storage; lives in the batcher, the
 * request queue and, after it was sent, until it is answered.
 *
 * Threads: one at a time.
 */
#ifndef SLUICE_DISPATCHER_CORE_STATUS_STATUS_REQUEST_H
#define SLUICE_DISPATCHER_CORE_STATUS_STATUS_REQUEST_H

#include "dispatcher/core/status/block_status_buffer.h"

typedef enum {
    STATUS_REQUEST_BUILT,
    STATUS_REQUEST_QUEUED,
    STATUS_REQUEST_IN_FLIGHT,
    STATUS_REQUEST_SENT /* the request queue has no part in it any more */
} status_request_state_t;

/* Statuses first .. first + count - 1 of the request's arrays. */
typedef struct {
    event_key_t key;
    block_stage_t stage;
    ddl_event_t *ddl; /* one reference; NULL for DONE and sync points */
    uint32_t first, count;
} status_group_t;

typedef struct status_request {
    struct status_request *previous, *next; /* in whatever list it is in */
    status_request_state_t state;
    pipeline_t mode;
    uint64_t sequence; /* its number on the wire, 0 until it has one */
    uint64_t target;   /* maintainer epoch it is meant for */
    status_group_t *groups;
    uint32_t group_count;
    uint32_t status_count;
    status_slot_t **slots; /* one reference each */
    dispatcher_id_t *dispatchers;
    event_key_t *passed;
} status_request_t;

/* Makes a request of `count` (1 .. STATUSES_PER_REQUEST_MAX) statuses of one mode, which are
 * consumed: their references move here. A status joins a group of its event, stage and payload only
 * if that group is not before the last one that holds its dispatcher. `batch` must be new each
 * time; it marks the slots. */
status_request_t *status_request_new(block_status_t *statuses, uint32_t count, uint64_t batch);
/* Gives all references back; NULL is allowed. */
void status_request_destroy(status_request_t **request);

/* Keeps of group `group` the statuses whose `keep` is true (one value for each); slots of the
 * others are given back. Empty groups stay until status_request_compact. */
void status_request_filter_group(status_request_t *request, uint32_t group, const bool *keep);
/* Drops empty groups. */
void status_request_compact(status_request_t *request);

/* The payload of a sync point: blocks everything, changes nothing. */
extern const block_payload_t status_syncpoint_payload;

/* What the group says, NULL for DONE. */
const block_payload_t *status_group_payload(const status_group_t *group);

/* The wire's view; everything is borrowed from the request, `groups` has group_count elements. */
void status_request_view(const status_request_t *request, block_status_group_t *groups);

#endif
