/*
 * Counts of (slot, key, stage): what does not fit into a slot's marks, and the copies of NONE
 * reports that are queued. Small in practice, so that clarity wins over speed.
 *
 * Slots are borrowed: whoever adds holds a reference until the removal.
 * Threads: one at a time.
 */
#ifndef SLUICE_DISPATCHER_CORE_STATUS_STATUS_KEY_SET_H
#define SLUICE_DISPATCHER_CORE_STATUS_STATUS_KEY_SET_H

#include "dispatcher/core/status/status_slot.h"

typedef struct status_key_entry status_key_entry_t;

/* All zero is an empty set. */
typedef struct {
    status_key_entry_t *entries;
} status_key_set_t;

void status_key_set_add(status_key_set_t *set, const status_slot_t *slot, event_key_t key,
                        block_stage_t stage);
/* Takes one copy out; false: there is none. */
bool status_key_set_remove(status_key_set_t *set, const status_slot_t *slot, event_key_t key,
                           block_stage_t stage);
bool status_key_set_has(const status_key_set_t *set, const status_slot_t *slot, event_key_t key,
                        block_stage_t stage);
/* Number of different entries. */
size_t status_key_set_count(const status_key_set_t *set);
void status_key_set_clear(status_key_set_t *set);

#endif
