/*
 * Requests on their way to the maintainer: bounded, in order, with a second window against
 * repetitions: a WAITING or DONE whose key is queued or in flight for the same maintainer is
 * dropped when its request is enqueued; a request emptied by that takes no place. NONE passes
 * (DESIGN §4, ORACLE Q3-Q8).
 *
 * A key is held from the enqueue of its request until that was sent, or dropped.
 * Threads: one thread owns a queue.
 */
#ifndef SLUICE_DISPATCHER_CORE_STATUS_REQUEST_QUEUE_H
#define SLUICE_DISPATCHER_CORE_STATUS_REQUEST_QUEUE_H

#include "dispatcher/core/status/status_request.h"

#define REQUEST_QUEUE_CAPACITY 10000

typedef struct request_queue request_queue_t;

/* A capacity below 1 is taken as 1. */
request_queue_t *request_queue_new(int64_t capacity);
/* Destroys what is queued and what is in flight; NULL is allowed. */
void request_queue_destroy(request_queue_t **queue);

/* The maintainer epoch that requests enqueued from now on are meant for. Queued requests for
 * another one are dropped and their keys freed; those in flight when they are completed. */
void request_queue_set_target(request_queue_t *queue, uint64_t target);

/* Takes a request over; NULL is ignored. SLUICE_ERROR_FULL: *request stays the caller's. */
sluice_error_t request_queue_enqueue(request_queue_t *queue,
                                     status_request_t **request) SLUICE_MUST_USE;

/* The oldest request, now in flight; it stays the queue's until completed. NULL: none queued. */
status_request_t *request_queue_dequeue(request_queue_t *queue);

typedef enum {
    REQUEST_SENT,   /* handed to the socket: keys are free, the request becomes the caller's */
    REQUEST_FAILED, /* would block: back to the head of the queue, in flight no more */
    REQUEST_DROPPED /* cannot be sent: keys are free, the request is destroyed */
} request_outcome_t;

/* Ends the flight. Returns the request when it is the caller's now (sent), else NULL. NULL and
 * requests that are not in flight are ignored. */
status_request_t *request_queue_complete(request_queue_t *queue, status_request_t *request,
                                         request_outcome_t outcome);

bool request_queue_is_full(const request_queue_t *queue);
/* Requests queued, those in flight not counted. */
size_t request_queue_length(const request_queue_t *queue);
/* Neither queued nor in flight: then no key is held. */
bool request_queue_is_idle(const request_queue_t *queue);
/* Whether a copy of this NONE report is queued or in flight. */
bool request_queue_has_report(const request_queue_t *queue, const status_slot_t *slot,
                              event_key_t key);
/* Keys held, repetitions of NONE not counted. */
size_t request_queue_key_count(const request_queue_t *queue);

#endif
