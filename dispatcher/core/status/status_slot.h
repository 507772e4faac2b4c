/*
 * What one dispatcher owns in the status path: its identity, and marks that tell which of its keys
 * are pending in the block status buffer and in the request queue, so that a repeated status is
 * recognised by one look at one cache line.
 *
 * A slot can mark one WAITING and one DONE at each place. A second key of the same stage (an old
 * DONE repeated while a new one is still queued) is remembered by the structure itself in a
 * status_key_set_t.
 *
 * Lifetime: counted. The dispatcher holds one reference, every queued status one more. Identity and
 * mode never change.
 * Threads: references and the buffer's marks: any; the rest belongs to the thread that drains.
 */
#ifndef SLUICE_DISPATCHER_CORE_STATUS_STATUS_SLOT_H
#define SLUICE_DISPATCHER_CORE_STATUS_STATUS_SLOT_H

#include <stdatomic.h>

#include "common/wire/message.h"

typedef struct {
    dispatcher_id_t dispatcher_id;
    pipeline_t mode;
    atomic_uint references;
    /* Packed keys (status_key_pack), 0: none. Written under the buffer's lock, read without. */
    _Atomic uint64_t buffered_waiting, buffered_done;
    /* The request queue's: queued or in flight. */
    uint64_t requested_waiting, requested_done;
    /* The batcher's scratch: last group that holds this dispatcher, valid for that batch only. */
    uint64_t batch;
    uint32_t batch_group;
    /* Whose slot it is; cleared when the dispatcher goes. Read by the protocol thread alone. */
    void *owner;
} status_slot_t;

/* One reference, owned by the caller. */
status_slot_t *status_slot_new(dispatcher_id_t dispatcher_id, pipeline_t mode, void *owner);
status_slot_t *status_slot_ref(status_slot_t *slot);
/* Sets *slot to NULL; NULL is allowed. */
void status_slot_unref(status_slot_t **slot);

/* A key as one number, never 0; 0 when it cannot be told so (commit_ts 0 or above 2^63 - 1). */
static inline uint64_t status_key_pack(event_key_t key)
{
    if (key.commit_ts.v == 0 || key.commit_ts.v > INT64_MAX)
        return 0;
    return key.commit_ts.v << 1 | (uint64_t)key.is_syncpoint;
}

#endif
