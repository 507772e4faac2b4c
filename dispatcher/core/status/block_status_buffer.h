/*
 * What dispatchers have to say about barrier events, between them and the thread that speaks to the
 * maintainer: bounded, first in first out, at most one WAITING and one DONE of a key at a time
 * (DESIGN §4, ORACLE C1-C8).
 *
 * A key is (dispatcher, mode, commit_ts, is_syncpoint, stage). While a WAITING or DONE of a key is
 * queued, further offers of it are dropped without allocating anything; taking it frees the key at
 * once. NONE reports are never dropped, unless offered as a resend while an earlier copy is queued.
 *
 * Payloads are the reference-counted, immutable DDL events; DONE is its bare key.
 *
 * Threads: offer and try_offer: any. take: one at a time. This is the one core with a lock.
 */
#ifndef SLUICE_DISPATCHER_CORE_STATUS_BLOCK_STATUS_BUFFER_H
#define SLUICE_DISPATCHER_CORE_STATUS_BLOCK_STATUS_BUFFER_H

#include "dispatcher/core/ddl/ddl_event.h"
#include "dispatcher/core/status/status_slot.h"

#define BLOCK_STATUS_BUFFER_CAPACITY 1048576

typedef struct block_status_buffer block_status_buffer_t;

/* One status. In an offer `slot` and `ddl` are borrowed; in what was taken they are references that
 * block_status_clear gives back. */
typedef struct {
    status_slot_t *slot;
    ddl_event_t *ddl; /* NULL for DONE and for sync points */
    event_key_t key;
    event_key_t passed;
    block_stage_t stage;
    bool is_resend; /* only of an offer, for NONE */
} block_status_t;

void block_status_clear(block_status_t *status);

/* Whether it is reported as blocking: all but the NONE report of a changed table list. */
static inline bool block_status_is_blocked(const block_status_t *status)
{
    return status->stage != STAGE_NONE;
}

/* A capacity below 1 is taken as 1. */
block_status_buffer_t *block_status_buffer_new(int64_t capacity);
/* Drops what is queued; nobody may wait in it any more. NULL is allowed. */
void block_status_buffer_destroy(block_status_buffer_t **buffer);

/* Queues a status, or drops it as a repetition. Waits while the buffer is full. A status without
 * slot is ignored. SLUICE_ERROR_CLOSED: closed, nothing was queued. */
sluice_error_t block_status_buffer_offer(block_status_buffer_t *buffer,
                                         const block_status_t *status) SLUICE_MUST_USE;
/* The same without waiting: SLUICE_ERROR_FULL. For the thread that drains and for the protocol
 * thread. */
sluice_error_t block_status_buffer_try_offer(block_status_buffer_t *buffer,
                                             const block_status_t *status) SLUICE_MUST_USE;

/* Takes up to `max`, oldest first, without waiting; each is cleared by the caller. */
uint32_t block_status_buffer_take(block_status_buffer_t *buffer, block_status_t *taken,
                                  uint32_t max);

/* No offers from now on; who waits gets SLUICE_ERROR_CLOSED; what is queued can still be taken. */
void block_status_buffer_close(block_status_buffer_t *buffer);
/* Closed and empty. */
bool block_status_buffer_is_drained(block_status_buffer_t *buffer);

/* What is queued here; what a taker holds does not count. */
size_t block_status_buffer_length(block_status_buffer_t *buffer);

typedef struct {
    uint64_t offered[STAGE_DONE + 1];   /* queued, by stage */
    uint64_t coalesced[STAGE_DONE + 1]; /* dropped as repetitions, by stage */
} block_status_counters_t;

block_status_counters_t block_status_buffer_counters(block_status_buffer_t *buffer);

#endif
