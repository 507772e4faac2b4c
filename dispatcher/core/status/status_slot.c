#include "dispatcher/core/status/status_slot.h"

#include <stdlib.h>

#include "common/base/memory.h"

status_slot_t *status_slot_new(dispatcher_id_t dispatcher_id, pipeline_t mode, void *owner)
{
    status_slot_t *slot = memory_zalloc(sizeof *slot);
    slot->dispatcher_id = dispatcher_id;
    slot->mode = mode;
    slot->owner = owner;
    atomic_init(&slot->references, 1);
    return slot;
}

status_slot_t *status_slot_ref(status_slot_t *slot)
{
    atomic_fetch_add_explicit(&slot->references, 1, memory_order_relaxed);
    return slot;
}

void status_slot_unref(status_slot_t **slot)
{
    if (!*slot)
        return;
    if (atomic_fetch_sub_explicit(&(*slot)->references, 1, memory_order_acq_rel) == 1)
        free(*slot);
    *slot = NULL;
}
