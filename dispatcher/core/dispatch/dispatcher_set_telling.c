#include "common/base/memory.h"
#include "dispatcher/core/dispatch/dispatcher_set_internal.h"

/* Stopped dispatchers that the maintainer was not told of yet; beyond it the oldest are dropped,
 * since a repeated close is answered again. */
#define STOPPED_MAX 65536

void dispatcher_set_add_stopped(dispatcher_set_t *set, pipeline_t mode, dispatcher_id_t id,
                                position_t position)
{
    entry_list_t *list = &set->stopped[mode];
    if (list->count == STOPPED_MAX) {
        list->count--;
        memmove(list->entries, list->entries + 1, list->count * sizeof *list->entries);
    }
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 16;
        list->entries = memory_realloc(list->entries, list->capacity * sizeof *list->entries);
    }
    list->entries[list->count++] = (dispatcher_heartbeat_t){
        .dispatcher_id = id, .state = DISPATCHER_STOPPED, .position = position};
}

void member_set_changed(dispatcher_set_t *set, member_t *member, bool is_changed)
{
    if (member->is_changed == is_changed)
        return;
    member->is_changed = is_changed;
    uint32_t *count = &set->changed_count[dispatcher_mode(member->dispatcher)];
    *count = is_changed ? *count + 1 : *count - 1;
}

/* ---- telling ---- */

node_effects_t *dispatcher_set_effects(dispatcher_set_t *set)
{
    return &set->effects;
}

status_path_t *dispatcher_set_path(dispatcher_set_t *set)
{
    return set->path;
}

uint64_t dispatcher_set_epoch(const dispatcher_set_t *set)
{
    return set->maintainer_epoch;
}

uint32_t dispatcher_set_count(const dispatcher_set_t *set)
{
    return set->count;
}

sluice_error_t dispatcher_set_error(const dispatcher_set_t *set)
{
    return set->error;
}

const dispatcher_t *dispatcher_set_find(const dispatcher_set_t *set, dispatcher_id_t id)
{
    const member_t *member = dispatcher_set_member(set, id);
    return member ? member->dispatcher : NULL;
}

const dispatcher_t *dispatcher_set_trigger(const dispatcher_set_t *set, pipeline_t mode)
{
    return set->trigger[mode];
}

bool dispatcher_set_watermark(const dispatcher_set_t *set, pipeline_t mode, watermark_t *watermark)
{
    *watermark = (watermark_t){.seq = set->watermark_seq[mode]};
    if (set->mode_count[mode] == 0)
        return false;
    bool is_mixed = set->mode_count[mode] != set->count;
    uint64_t checkpoint = UINT64_MAX, resolved = UINT64_MAX;
    for (uint32_t i = 0; i < set->count; i++) {
        if (is_mixed && dispatcher_mode(set->members[i]->dispatcher) != mode)
            continue;
        checkpoint = set->checkpoints[i] < checkpoint ? set->checkpoints[i] : checkpoint;
        resolved = set->resolved[i] < resolved ? set->resolved[i] : resolved;
    }
    /* A dispatcher whose claim found progress beyond its start has received nothing yet and is
     * durable up to there all the same. */
    watermark->checkpoint = (commit_ts_t){checkpoint};
    watermark->resolved = (commit_ts_t){resolved > checkpoint ? resolved : checkpoint};
    return true;
}

static dispatcher_heartbeat_t entry_of(const member_t *member)
{
    return (dispatcher_heartbeat_t){
        .dispatcher_id = member->id,
        .state = dispatcher_state(member->dispatcher),
        .position = dispatcher_position(member->dispatcher),
    };
}

bool dispatcher_set_has_changed(const dispatcher_set_t *set, pipeline_t mode)
{
    return set->changed_count[mode] > 0 || set->stopped[mode].count > 0;
}

uint32_t dispatcher_set_take_changed(dispatcher_set_t *set, pipeline_t mode,
                                     dispatcher_heartbeat_t *entries, uint32_t max)
{
    entry_list_t *stopped = &set->stopped[mode];
    uint32_t count = stopped->count < max ? stopped->count : max;
    if (count > 0) {
        memcpy(entries, stopped->entries, count * sizeof *entries);
        stopped->count -= count;
        memmove(stopped->entries, stopped->entries + count,
                stopped->count * sizeof *stopped->entries);
    }
    for (uint32_t i = 0; i < set->count && set->changed_count[mode] > 0 && count < max; i++) {
        member_t *member = set->members[i];
        if (!member->is_changed || dispatcher_mode(member->dispatcher) != mode)
            continue;
        member_set_changed(set, member, false);
        entries[count++] = entry_of(member);
    }
    return count;
}

uint32_t dispatcher_set_list(const dispatcher_set_t *set, pipeline_t mode, uint32_t *cursor,
                             dispatcher_heartbeat_t *entries, uint32_t max)
{
    uint32_t count = 0;
    for (; *cursor < set->count && count < max; (*cursor)++)
        if (dispatcher_mode(set->members[*cursor]->dispatcher) == mode)
            entries[count++] = entry_of(set->members[*cursor]);
    return count;
}

uint32_t dispatcher_set_list_bootstrap(const dispatcher_set_t *set, uint32_t *cursor,
                                       bootstrap_entry_t *entries, uint32_t max)
{
    uint32_t count = 0;
    for (; *cursor < set->count && count < max; (*cursor)++)
        entries[count++] = dispatcher_bootstrap_entry(set->members[*cursor]->dispatcher);
    return count;
}
