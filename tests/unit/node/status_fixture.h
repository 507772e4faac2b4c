/* Slots, statuses and requests for the tests of the status path. */
#ifndef SLUICE_TESTS_UNIT_NODE_STATUS_FIXTURE_H
#define SLUICE_TESTS_UNIT_NODE_STATUS_FIXTURE_H

#include "tests/testing.h"

#include "dispatcher/core/status/status_request.h"

static inline status_slot_t *new_slot(uint64_t number, pipeline_t mode)
{
    return status_slot_new((dispatcher_id_t){1, number}, mode, NULL);
}

static inline event_key_t ddl_key(uint64_t ts)
{
    return (event_key_t){{ts}, false};
}

static inline event_key_t sync_key(uint64_t ts)
{
    return (event_key_t){{ts}, true};
}

static inline block_status_t status_of(status_slot_t *slot, block_stage_t stage, event_key_t key)
{
    return (block_status_t){.slot = slot, .stage = stage, .key = key};
}

/* A status as the buffer hands it out: with its own reference. */
static inline block_status_t taken_status(status_slot_t *slot, block_stage_t stage, event_key_t key)
{
    return status_of(status_slot_ref(slot), stage, key);
}

static inline status_request_t *request_of_one(status_slot_t *slot, block_stage_t stage,
                                               event_key_t key)
{
    static uint64_t batch = UINT64_C(1) << 32;
    block_status_t status = taken_status(slot, stage, key);
    return status_request_new(&status, 1, ++batch);
}

#endif
