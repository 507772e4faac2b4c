#include "dispatcher/core/status/status_request.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"

const block_payload_t status_syncpoint_payload = {.influence = {.kind = INFLUENCE_ALL}};

/* Newest group of each (key, stage, payload) of the request being built. */
#define GROUP_INDEX_SIZE (2 * STATUSES_PER_REQUEST_MAX)

typedef struct {
    status_group_t *groups;
    uint32_t group_count;
    uint16_t newest[GROUP_INDEX_SIZE]; /* group + 1; 0: free */
} grouping_t;

static bool belongs(const status_group_t *group, const block_status_t *status)
{
    return group->ddl == status->ddl && group->stage == status->stage &&
           event_key_equal(group->key, status->key);
}

static uint32_t hash_of(const block_status_t *status)
{
    uint64_t mix = status->key.commit_ts.v * UINT64_C(0x9E3779B97F4A7C15);
    mix ^= (uint64_t)(uintptr_t)status->ddl * UINT64_C(0xC2B2AE3D27D4EB4F);
    mix += ((uint64_t)status->stage << 1) + status->key.is_syncpoint;
    mix *= UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(mix >> 40);
}

/* The place of the newest group that the status could join, or of the free entry for a new one. */
static uint16_t *find_newest(grouping_t *grouping, const block_status_t *status)
{
    uint32_t at = hash_of(status) % GROUP_INDEX_SIZE;
    while (grouping->newest[at] != 0 &&
           !belongs(&grouping->groups[grouping->newest[at] - 1], status))
        at = (at + 1) % GROUP_INDEX_SIZE;
    return &grouping->newest[at];
}

static uint32_t assign_group(grouping_t *grouping, block_status_t *status, uint64_t batch)
{
    status_slot_t *slot = status->slot;
    uint16_t *newest = find_newest(grouping, status);
    bool may_join = *newest != 0 && (slot->batch != batch || *newest - 1u >= slot->batch_group);
    if (!may_join) {
        status_group_t *group = &grouping->groups[grouping->group_count++];
        *group = (status_group_t){.key = status->key, .stage = status->stage, .ddl = status->ddl};
        if (group->ddl)
            ddl_event_ref(group->ddl);
        *newest = (uint16_t)grouping->group_count;
    }
    slot->batch = batch;
    slot->batch_group = *newest - 1u;
    grouping->groups[slot->batch_group].count++;
    return slot->batch_group;
}

/* One block: the request, then its arrays in falling order of alignment. */
static status_request_t *allocate(uint32_t groups, uint32_t statuses)
{
    size_t size =
        sizeof(status_request_t) + groups * sizeof(status_group_t) +
        statuses * (sizeof(status_slot_t *) + sizeof(dispatcher_id_t) + sizeof(event_key_t));
    status_request_t *request = memory_alloc(size);
    *request = (status_request_t){.group_count = groups, .status_count = statuses};
    request->groups = (status_group_t *)(request + 1);
    request->dispatchers = (dispatcher_id_t *)(request->groups + groups);
    request->passed = (event_key_t *)(request->dispatchers + statuses);
    request->slots = (status_slot_t **)(request->passed + statuses);
    return request;
}

status_request_t *status_request_new(block_status_t *statuses, uint32_t count, uint64_t batch)
{
    assert(count > 0 && count <= STATUSES_PER_REQUEST_MAX);
    status_group_t groups[STATUSES_PER_REQUEST_MAX];
    uint16_t group_of[STATUSES_PER_REQUEST_MAX];
    grouping_t grouping = {.groups = groups};
    for (uint32_t i = 0; i < count; i++)
        group_of[i] = (uint16_t)assign_group(&grouping, &statuses[i], batch);

    status_request_t *request = allocate(grouping.group_count, count);
    request->mode = statuses[0].slot->mode;
    uint32_t first = 0;
    for (uint32_t i = 0; i < grouping.group_count; i++) {
        request->groups[i] = groups[i];
        request->groups[i].first = first;
        request->groups[i].count = 0;
        first += groups[i].count;
    }
    for (uint32_t i = 0; i < count; i++) {
        status_group_t *group = &request->groups[group_of[i]];
        uint32_t at = group->first + group->count++;
        request->slots[at] = statuses[i].slot;
        request->dispatchers[at] = statuses[i].slot->dispatcher_id;
        request->passed[at] = statuses[i].passed;
        ddl_event_unref(&statuses[i].ddl);
    }
    return request;
}

void status_request_destroy(status_request_t **request)
{
    status_request_t *self = *request;
    if (!self)
        return;
    for (uint32_t i = 0; i < self->group_count; i++) {
        status_group_t *group = &self->groups[i];
        for (uint32_t j = 0; j < group->count; j++)
            status_slot_unref(&self->slots[group->first + j]);
        ddl_event_unref(&group->ddl);
    }
    free(self);
    *request = NULL;
}

void status_request_filter_group(status_request_t *request, uint32_t group_index, const bool *keep)
{
    status_group_t *group = &request->groups[group_index];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < group->count; i++) {
        uint32_t from = group->first + i, to = group->first + kept;
        if (!keep[i]) {
            status_slot_unref(&request->slots[from]);
            continue;
        }
        request->slots[to] = request->slots[from];
        request->dispatchers[to] = request->dispatchers[from];
        request->passed[to] = request->passed[from];
        kept++;
    }
    request->status_count -= group->count - kept;
    group->count = kept;
}

void status_request_compact(status_request_t *request)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < request->group_count; i++) {
        if (request->groups[i].count == 0)
            ddl_event_unref(&request->groups[i].ddl);
        else
            request->groups[kept++] = request->groups[i];
    }
    request->group_count = kept;
}

const block_payload_t *status_group_payload(const status_group_t *group)
{
    if (group->stage == STAGE_DONE)
        return NULL;
    return group->ddl ? &group->ddl->payload : &status_syncpoint_payload;
}

void status_request_view(const status_request_t *request, block_status_group_t *groups)
{
    for (uint32_t i = 0; i < request->group_count; i++) {
        const status_group_t *group = &request->groups[i];
        groups[i] = (block_status_group_t){
            .index = i,
            .key = group->key,
            .stage = group->stage,
            .is_blocked = group->stage != STAGE_NONE,
            .payload = status_group_payload(group),
            .dispatchers = request->dispatchers + group->first,
            .passed = request->passed + group->first,
            .dispatcher_count = group->count,
        };
    }
}
