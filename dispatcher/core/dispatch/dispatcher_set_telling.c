#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/dispatch/dispatcher_set_internal.h"

/* Stopped dispatchers that the maintainer was not told of yet; beyond it the oldest are dropped,
 * since a repeated close is answered again. */
#define STOPPED_MAX 65536
/* Told with every heartbeat; so many at once stop only when all do, and the node is on its way out.
 */
#define UNASKED_MAX 512

static dispatcher_heartbeat_t *entry_at(const entry_list_t *list, uint32_t index)
{
    return &list->entries[(list->first + index) & (list->capacity - 1)];
}

static void drop_first(entry_list_t *list, uint32_t count)
{
    list->first = (list->first + count) & (list->capacity - 1);
    list->count -= count;
}

static void grow(entry_list_t *list)
{
    uint32_t capacity = list->capacity ? list->capacity * 2 : 16;
    dispatcher_heartbeat_t *entries = memory_alloc(capacity * sizeof *entries);
    for (uint32_t i = 0; i < list->count; i++)
        entries[i] = *entry_at(list, i);
    free(list->entries);
    list->entries = entries;
    list->first = 0;
    list->capacity = capacity;
}

static void add_entry(entry_list_t *list, uint32_t max, dispatcher_id_t id, position_t position)
{
    if (list->count == max)
        drop_first(list, 1);
    if (list->count == list->capacity)
        grow(list);
    *entry_at(list, list->count++) = (dispatcher_heartbeat_t){
        .dispatcher_id = id, .state = DISPATCHER_STOPPED, .position = position};
}

static void copy_entries(const entry_list_t *list, dispatcher_heartbeat_t *entries, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        entries[i] = *entry_at(list, i);
}

void dispatcher_set_add_stopped(dispatcher_set_t *set, pipeline_t mode, dispatcher_id_t id,
                                position_t position)
{
    add_entry(&set->stopped[mode], STOPPED_MAX, id, position);
}

void dispatcher_set_add_unasked(dispatcher_set_t *set, pipeline_t mode, dispatcher_id_t id,
                                position_t position)
{
    add_entry(&set->unasked[mode], UNASKED_MAX, id, position);
}

void dispatcher_set_forget_unasked(dispatcher_set_t *set, dispatcher_id_t id)
{
    for (int mode = 0; mode < PIPELINE_COUNT; mode++) {
        entry_list_t *list = &set->unasked[mode];
        for (uint32_t i = list->count; i-- > 0;)
            if (dispatcher_id_equal(entry_at(list, i)->dispatcher_id, id))
                *entry_at(list, i) = *entry_at(list, --list->count);
    }
}

/* At the head of every list that is told; leaves room for others. */
static uint32_t put_unasked(const dispatcher_set_t *set, pipeline_t mode,
                            dispatcher_heartbeat_t *entries, uint32_t max)
{
    const entry_list_t *list = &set->unasked[mode];
    uint32_t count = list->count < max / 2 ? list->count : max / 2;
    copy_entries(list, entries, count);
    return count;
}

static void link_changed(dispatcher_set_t *set, member_t *member)
{
    pipeline_t mode = dispatcher_mode(member->dispatcher);
    member->changed_before = set->changed_last[mode];
    member->changed_after = NULL;
    if (set->changed_last[mode])
        set->changed_last[mode]->changed_after = member;
    else
        set->changed_first[mode] = member;
    set->changed_last[mode] = member;
}

static void unlink_changed(dispatcher_set_t *set, member_t *member)
{
    pipeline_t mode = dispatcher_mode(member->dispatcher);
    if (member->changed_before)
        member->changed_before->changed_after = member->changed_after;
    else
        set->changed_first[mode] = member->changed_after;
    if (member->changed_after)
        member->changed_after->changed_before = member->changed_before;
    else
        set->changed_last[mode] = member->changed_before;
}

void member_set_changed(dispatcher_set_t *set, member_t *member, bool is_changed)
{
    if (member->is_changed == is_changed)
        return;
    member->is_changed = is_changed;
    if (is_changed)
        link_changed(set, member);
    else
        unlink_changed(set, member);
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

position_t dispatcher_set_position(const dispatcher_set_t *set, dispatcher_id_t id)
{
    const member_t *member = dispatcher_set_member(set, id);
    return member ? dispatcher_position(member->dispatcher) : (position_t){0};
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
    return set->changed_first[mode] || set->stopped[mode].count > 0;
}

uint32_t dispatcher_set_take_changed(dispatcher_set_t *set, pipeline_t mode,
                                     dispatcher_heartbeat_t *entries, uint32_t max)
{
    entry_list_t *stopped = &set->stopped[mode];
    uint32_t count = put_unasked(set, mode, entries, max);
    uint32_t news = stopped->count < max - count ? stopped->count : max - count;
    copy_entries(stopped, entries + count, news);
    drop_first(stopped, news);
    count += news;
    while (set->changed_first[mode] && count < max) {
        member_t *member = set->changed_first[mode];
        member_set_changed(set, member, false);
        entries[count++] = entry_of(member);
    }
    return count;
}

uint32_t dispatcher_set_list(const dispatcher_set_t *set, pipeline_t mode, uint32_t *cursor,
                             dispatcher_heartbeat_t *entries, uint32_t max)
{
    uint32_t count = put_unasked(set, mode, entries, max);
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
