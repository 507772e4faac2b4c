/*
 * Turns a stream of statuses into requests (DESIGN §4, Batcher). A batch closes
 *   at the cap, STATUSES_PER_REQUEST_MAX statuses of one mode,
 *   when the window since its first status has ended, however many still arrive,
 *   as soon as buffer and request queue have been empty, and nothing was offered or handed to the
 *   socket, for the idle window: neither a lone gate nor the rest of a burst is held up.
 * A closed batch becomes one request for each mode in it, the default mode first.
 *
 * Threads: one thread owns a batcher.
 */
#ifndef SLUICE_DISPATCHER_CORE_STATUS_STATUS_BATCHER_H
#define SLUICE_DISPATCHER_CORE_STATUS_STATUS_BATCHER_H

#include "common/base/time.h"
#include "dispatcher/core/status/request_queue.h"

#define STATUS_BATCHER_WINDOW_NS (10 * NS_PER_MS)
#define STATUS_BATCHER_IDLE_NS (50 * NS_PER_US)

typedef struct {
    uint64_t window_ns, idle_ns;
} status_batcher_options_t;

typedef struct status_batcher status_batcher_t;

status_batcher_t *status_batcher_new(const status_batcher_options_t *options);
/* Drops an open batch; NULL is allowed. */
void status_batcher_destroy(status_batcher_t **batcher);

/* Takes what the buffer holds and enqueues what is due at `now`. While the queue is full nothing is
 * taken. */
void status_batcher_step(status_batcher_t *batcher, block_status_buffer_t *buffer,
                         request_queue_t *queue, mono_ns_t now);
/* A request was handed to the socket: the idle window starts anew. */
void status_batcher_note_sent(status_batcher_t *batcher, mono_ns_t now);
/* Closes the open batch at once (shutdown). SLUICE_ERROR_FULL: the queue has no room. */
sluice_error_t status_batcher_flush(status_batcher_t *batcher,
                                    request_queue_t *queue) SLUICE_MUST_USE;

/* When the open batch closes if nothing else happens; MONO_NEVER without one, or while the queue
 * is full. */
mono_ns_t status_batcher_next_deadline(const status_batcher_t *batcher,
                                       const request_queue_t *queue);

#endif
