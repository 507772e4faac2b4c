/*
 * The status path of one changefeed on a node, whole: buffer, batcher, request queue, and what was
 * sent and waits for its answer (DESIGN §4). The shell sends what status_path_next gives and tells
 * what became of it.
 *
 * Threads: status_path_offer: any. All else: the protocol thread.
 */
#ifndef SLUICE_DISPATCHER_CORE_STATUS_STATUS_PATH_H
#define SLUICE_DISPATCHER_CORE_STATUS_STATUS_PATH_H

#include "common/base/time.h"
#include "dispatcher/core/status/status_batcher.h"

typedef struct {
    int64_t buffer_capacity;
    int64_t queue_capacity;
    status_batcher_options_t batcher;
    uint64_t answer_wait_ns; /* (sequence, group) is remembered so long: twice the resend interval
                              */
} status_path_options_t;

status_path_options_t status_path_options_default(void);

typedef struct status_path status_path_t;

status_path_t *status_path_new(const status_path_options_t *options);
/* Drops everything; NULL is allowed. */
void status_path_destroy(status_path_t **path);

/* Never waits. SLUICE_ERROR_FULL: try again later; SLUICE_ERROR_CLOSED. The resend of a NONE whose
 * earlier copy is still queued anywhere here is dropped (SLUICE_OK); protocol thread only for
 * those. */
sluice_error_t status_path_offer(status_path_t *path, const block_status_t *status) SLUICE_MUST_USE;

/* Requests are meant for this maintainer epoch from now on; others are dropped, answers to what was
 * sent before count no more. */
void status_path_set_target(status_path_t *path, uint64_t maintainer_epoch);

/* Batches what is due, forgets what was never answered. */
void status_path_step(status_path_t *path, mono_ns_t now);
mono_ns_t status_path_next_deadline(const status_path_t *path);

/* The next request to send, with its sequence set; NULL: none. Stays the path's until
 * status_path_complete, which must follow. */
const status_request_t *status_path_next(status_path_t *path);
void status_path_complete(status_path_t *path, const status_request_t *request,
                          request_outcome_t outcome, mono_ns_t now);

typedef void (*status_path_verdict_fn)(void *context, status_slot_t *slot, event_key_t key,
                                       block_stage_t stage, verdict_t verdict);

/* Applies an answer to each status it is about, in the order sent. Unknown sequences, groups and
 * repeated answers are ignored. */
void status_path_answer(status_path_t *path, const group_verdict_t *answer,
                        status_path_verdict_fn apply, void *context);

/* Shutdown: closes the buffer and turns what is in it into requests; true when nothing is left but
 * requests to send. */
bool status_path_drain(status_path_t *path, mono_ns_t now);

typedef struct {
    size_t buffered;
    size_t queued_requests;
    size_t unanswered_requests;
    uint64_t sent_requests, sent_statuses;
    block_status_counters_t statuses;
} status_path_state_t;

status_path_state_t status_path_state(status_path_t *path);

#endif
