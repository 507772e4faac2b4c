#include "maintainer/core/request_buffer.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "maintainer/core/heartbeat_merge.h"
#include "maintainer/core/payload.h"

/* A reserved key. `round` tells whether the slot is in use, so that release costs nothing. */
typedef struct {
    dispatcher_id_t dispatcher;
    uint64_t commit_ts;
    uint32_t node;
    uint32_t flags; /* stage, mode, sync bit */
    uint32_t round;
} reservation_t;

/* Answers kept for groups of which nothing is new. What does not fit is answered when the node
 * asks again. */
enum { SUPPRESSED_MAX = 65536, RESERVATION_SLOTS_MIN = 256 };

/* Slots are fetched from memory so many statuses before they are looked at. */
enum { PREFETCHED = 8 };

struct request_buffer {
    bool is_closed;
    arena_t arena; /* of the groups */
    buffered_group_t *groups;
    uint32_t group_count, group_capacity;
    suppressed_group_t *suppressed;
    uint32_t suppressed_count, suppressed_capacity;
    reservation_t *slots;
    uint32_t slot_mask, reserved, round;
    heartbeat_merge_t *heartbeats;
    request_buffer_counters_t counters;
};

request_buffer_t *request_buffer_new(void)
{
    request_buffer_t *buffer = memory_zalloc(sizeof *buffer);
    buffer->round = 1;
    buffer->heartbeats = heartbeat_merge_new();
    return buffer;
}

void request_buffer_destroy(request_buffer_t **buffer)
{
    request_buffer_t *gone = *buffer;
    if (!gone)
        return;
    *buffer = NULL;
    arena_clear(&gone->arena);
    heartbeat_merge_destroy(&gone->heartbeats);
    free(gone->groups);
    free(gone->suppressed);
    free(gone->slots);
    free(gone);
}

/* ---- reservations ---- */

static uint32_t reservation_hash(const reservation_t *key)
{
    uint64_t hash = key->dispatcher.lo * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= (key->dispatcher.hi + (hash << 6) + (hash >> 2)) * UINT64_C(0xbf58476d1ce4e5b9);
    hash ^= (key->commit_ts + (hash << 6) + (hash >> 2)) * UINT64_C(0x94d049bb133111eb);
    hash ^= ((uint64_t)key->node << 8 | key->flags) + (hash << 6) + (hash >> 2);
    return (uint32_t)(hash ^ hash >> 31);
}

static bool reservation_equal(const reservation_t *a, const reservation_t *b)
{
    return dispatcher_id_equal(a->dispatcher, b->dispatcher) && a->commit_ts == b->commit_ts &&
           a->node == b->node && a->flags == b->flags;
}

static reservation_t *reservation_slot(request_buffer_t *buffer, const reservation_t *key)
{
    uint32_t slot = reservation_hash(key) & buffer->slot_mask;
    while (buffer->slots[slot].round == buffer->round &&
           !reservation_equal(&buffer->slots[slot], key))
        slot = (slot + 1) & buffer->slot_mask;
    return &buffer->slots[slot];
}

static void reservations_grow(request_buffer_t *buffer)
{
    reservation_t *old = buffer->slots;
    uint32_t old_count = old ? buffer->slot_mask + 1 : 0;
    uint32_t count = old_count ? old_count * 2 : RESERVATION_SLOTS_MIN;
    buffer->slots = memory_zalloc(count * sizeof *buffer->slots);
    buffer->slot_mask = count - 1;
    for (uint32_t i = 0; i < old_count; i++)
        if (old[i].round == buffer->round)
            *reservation_slot(buffer, &old[i]) = old[i];
    free(old);
}

/* Whether the key was free. */
static bool reserve(request_buffer_t *buffer, reservation_t key)
{
    if (!buffer->slots || (buffer->reserved + 1) * 2 > buffer->slot_mask)
        reservations_grow(buffer);
    key.round = buffer->round;
    reservation_t *slot = reservation_slot(buffer, &key);
    if (slot->round == buffer->round)
        return false;
    *slot = key;
    buffer->reserved++;
    return true;
}

/* ---- statuses ---- */

static void add_suppressed(request_buffer_t *buffer, const suppressed_group_t *group)
{
    if (!group->wants_answer || buffer->suppressed_count == SUPPRESSED_MAX)
        return;
    if (buffer->suppressed_count == buffer->suppressed_capacity) {
        buffer->suppressed_capacity =
            buffer->suppressed_capacity ? buffer->suppressed_capacity * 2 : 64;
        buffer->suppressed = memory_realloc(buffer->suppressed, buffer->suppressed_capacity *
                                                                    sizeof *buffer->suppressed);
    }
    buffer->suppressed[buffer->suppressed_count++] = *group;
}

static buffered_group_t *add_group(request_buffer_t *buffer)
{
    if (buffer->group_count == buffer->group_capacity) {
        buffer->group_capacity = buffer->group_capacity ? buffer->group_capacity * 2 : 64;
        buffer->groups =
            memory_realloc(buffer->groups, buffer->group_capacity * sizeof *buffer->groups);
    }
    return &buffer->groups[buffer->group_count++];
}

static reservation_t reservation_of(node_index_t node, pipeline_t mode,
                                    const block_status_group_t *group, uint32_t i)
{
    return (reservation_t){
        .dispatcher = group->dispatchers[i],
        .commit_ts = group->key.commit_ts.v,
        .node = node.v,
        .flags = (uint32_t)group->stage << 2 | (uint32_t)mode << 1 | group->key.is_syncpoint,
    };
}

/* Reserves what is new in the group; returns how many, and which were not. */
static uint32_t admit(request_buffer_t *buffer, node_index_t node, pipeline_t mode,
                      const block_status_group_t *group, bool *is_duplicate)
{
    uint32_t admitted = 0;
    for (uint32_t i = 0; i < group->dispatcher_count; i++) {
        reservation_t key = reservation_of(node, mode, group, i);
        if (i + PREFETCHED < group->dispatcher_count && buffer->slots) {
            reservation_t later = reservation_of(node, mode, group, i + PREFETCHED);
            __builtin_prefetch(&buffer->slots[reservation_hash(&later) & buffer->slot_mask]);
        }
        bool is_full = buffer->reserved >= REQUEST_BUFFER_STATUSES_MAX;
        is_duplicate[i] = is_full || !reserve(buffer, key);
        if (is_full)
            buffer->counters.statuses_refused++;
        else if (is_duplicate[i])
            buffer->counters.statuses_duplicate++;
        else
            admitted++;
    }
    buffer->counters.statuses_admitted += admitted;
    return admitted;
}

static void copy_group(request_buffer_t *buffer, buffered_group_t *to,
                       const block_status_group_t *from, const bool *is_duplicate)
{
    uint32_t count = from->dispatcher_count;
    dispatcher_id_t *dispatchers = arena_calloc(&buffer->arena, count, sizeof *dispatchers);
    event_key_t *passed = arena_calloc(&buffer->arena, count, sizeof *passed);
    memcpy(dispatchers, from->dispatchers, count * sizeof *dispatchers);
    if (from->passed)
        memcpy(passed, from->passed, count * sizeof *passed);
    to->content = *from;
    to->content.dispatchers = dispatchers;
    to->content.passed = passed;
    to->content.payload = from->payload ? payload_copy(&buffer->arena, from->payload) : NULL;
    if (to->duplicate_count) {
        bool *copy = arena_calloc(&buffer->arena, count, sizeof *copy);
        memcpy(copy, is_duplicate, count * sizeof *copy);
        to->is_duplicate = copy;
    }
}

static void add_status_group(request_buffer_t *buffer, const suppressed_group_t *about,
                             const block_status_group_t *group, bool *is_duplicate)
{
    uint32_t admitted = admit(buffer, about->node, about->mode, group, is_duplicate);
    if (admitted == 0) {
        add_suppressed(buffer, about);
        return;
    }
    buffered_group_t *added = add_group(buffer);
    *added = (buffered_group_t){.node = about->node,
                                .incarnation = about->incarnation,
                                .request_sequence = about->request_sequence,
                                .group = about->group,
                                .mode = about->mode,
                                .duplicate_count = group->dispatcher_count - admitted};
    copy_group(buffer, added, group, is_duplicate);
}

void request_buffer_add_statuses(request_buffer_t *buffer, node_index_t node,
                                 incarnation_t incarnation, uint64_t request_sequence,
                                 const block_status_request_t *request)
{
    if (buffer->is_closed)
        return;
    bool is_duplicate[STATUSES_PER_REQUEST_MAX];
    for (uint32_t i = 0; i < request->group_count; i++) {
        const block_status_group_t *group = &request->groups[i];
        if (group->dispatcher_count == 0 || group->dispatcher_count > STATUSES_PER_REQUEST_MAX)
            continue;
        suppressed_group_t about = {.node = node,
                                    .incarnation = incarnation,
                                    .request_sequence = request_sequence,
                                    .group = group->index,
                                    .mode = request->mode,
                                    .wants_answer = group->stage != STAGE_DONE};
        add_status_group(buffer, &about, group, is_duplicate);
    }
}

void request_buffer_add_heartbeat(request_buffer_t *buffer, node_index_t node,
                                  incarnation_t incarnation, const heartbeat_request_t *heartbeat)
{
    if (!buffer->is_closed)
        heartbeat_merge_add(buffer->heartbeats, node, incarnation, heartbeat);
}

void request_buffer_close(request_buffer_t *buffer)
{
    request_buffer_release_groups(buffer);
    request_buffer_release_suppressed(buffer);
    request_buffer_release_heartbeats(buffer);
    buffer->is_closed = true;
}

void request_buffer_forget_node(request_buffer_t *buffer, node_index_t node)
{
    heartbeat_merge_forget(buffer->heartbeats, node);
    uint32_t kept = 0;
    /* Their reservations stay until the next release: a smaller wrong than searching for them. */
    for (uint32_t i = 0; i < buffer->group_count; i++)
        if (buffer->groups[i].node.v != node.v)
            buffer->groups[kept++] = buffer->groups[i];
    buffer->group_count = kept;
    kept = 0;
    for (uint32_t i = 0; i < buffer->suppressed_count; i++)
        if (buffer->suppressed[i].node.v != node.v)
            buffer->suppressed[kept++] = buffer->suppressed[i];
    buffer->suppressed_count = kept;
}

size_t request_buffer_groups(const request_buffer_t *buffer, const buffered_group_t **groups)
{
    *groups = buffer->groups;
    return buffer->group_count;
}

size_t request_buffer_suppressed(const request_buffer_t *buffer, const suppressed_group_t **groups)
{
    *groups = buffer->suppressed;
    return buffer->suppressed_count;
}

size_t request_buffer_heartbeats(const request_buffer_t *buffer,
                                 const merged_heartbeat_t **heartbeats)
{
    return heartbeat_merge_list(buffer->heartbeats, heartbeats);
}

void request_buffer_release_groups(request_buffer_t *buffer)
{
    if (buffer->group_count == 0 && buffer->reserved == 0)
        return;
    buffer->group_count = 0;
    buffer->reserved = 0;
    arena_reset(&buffer->arena);
    if (++buffer->round == 0) {
        /* After 2^32 rounds old slots would look used again. */
        free(buffer->slots);
        buffer->slots = NULL;
        buffer->slot_mask = 0;
        buffer->round = 1;
    }
}

void request_buffer_release_suppressed(request_buffer_t *buffer)
{
    buffer->suppressed_count = 0;
}

void request_buffer_release_heartbeats(request_buffer_t *buffer)
{
    heartbeat_merge_reset(buffer->heartbeats);
}

size_t request_buffer_reserved(const request_buffer_t *buffer)
{
    return buffer->reserved;
}

size_t request_buffer_bytes(const request_buffer_t *buffer)
{
    size_t slots = buffer->slots ? (size_t)buffer->slot_mask + 1 : 0;
    return sizeof *buffer + buffer->arena.bytes + buffer->group_capacity * sizeof *buffer->groups +
           buffer->suppressed_capacity * sizeof *buffer->suppressed +
           slots * sizeof *buffer->slots + heartbeat_merge_bytes(buffer->heartbeats);
}

request_buffer_counters_t request_buffer_counters(const request_buffer_t *buffer)
{
    request_buffer_counters_t counters = buffer->counters;
    counters.heartbeats_merged = heartbeat_merge_count(buffer->heartbeats);
    return counters;
}
