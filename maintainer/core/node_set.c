#include "maintainer/core/node_set.h"

#include <stdlib.h>

#include "common/base/memory.h"

struct node_set {
    maintainer_settings_t settings;
    node_entry_t *entries;
    uint32_t count, capacity;
    mono_ns_t judged_at;
};

node_set_t *node_set_new(const maintainer_settings_t *settings, mono_ns_t now)
{
    node_set_t *nodes = memory_zalloc(sizeof *nodes);
    nodes->settings = *settings;
    nodes->judged_at = now;
    return nodes;
}

void node_set_destroy(node_set_t **nodes)
{
    if (!*nodes)
        return;
    free((*nodes)->entries);
    free(*nodes);
    *nodes = NULL;
}

const node_entry_t *node_set_at(const node_set_t *nodes, node_index_t node)
{
    return &nodes->entries[node.v];
}

node_index_t node_set_find(const node_set_t *nodes, const node_id_t *id)
{
    for (uint32_t i = 0; i < nodes->count; i++)
        if (nodes->entries[i].is_used && node_id_equal(&nodes->entries[i].id, id))
            return (node_index_t){i};
    return NODE_INDEX_NONE;
}

uint32_t node_set_capacity(const node_set_t *nodes)
{
    return nodes->count;
}

uint32_t node_set_present_count(const node_set_t *nodes)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < nodes->count; i++)
        count += nodes->entries[i].is_present;
    return count;
}

/* A free entry for the id, NODE_INDEX_NONE when there are too many. */
static node_index_t take_entry(node_set_t *nodes, const node_id_t *id)
{
    uint32_t i = 0;
    while (i < nodes->count && nodes->entries[i].is_used)
        i++;
    if (i == NODE_INDEX_MAX)
        return NODE_INDEX_NONE;
    if (i == nodes->count) {
        if (nodes->count == nodes->capacity) {
            nodes->capacity = nodes->capacity ? nodes->capacity * 2 : 8;
            nodes->entries =
                memory_realloc(nodes->entries, nodes->capacity * sizeof *nodes->entries);
        }
        nodes->count++;
    }
    nodes->entries[i] = (node_entry_t){.id = *id, .is_used = true};
    return (node_index_t){i};
}

void node_set_load_slot(node_set_t *nodes, const node_id_t *id, uint32_t slot)
{
    node_index_t node = node_set_find(nodes, id);
    if (node_index_is_none(node))
        node = take_entry(nodes, id);
    if (node_index_is_none(node) || slot >= nodes->settings.slot_count_max)
        return;
    nodes->entries[node.v].slot = slot;
    nodes->entries[node.v].has_slot = true;
}

static uint64_t absence_after(const node_set_t *nodes)
{
    return nodes->settings.lease_ns + nodes->settings.lease_grace_ns;
}

static node_entry_t *slot_holder(node_set_t *nodes, uint32_t slot)
{
    for (uint32_t i = 0; i < nodes->count; i++)
        if (nodes->entries[i].is_used && nodes->entries[i].has_slot &&
            nodes->entries[i].slot == slot)
            return &nodes->entries[i];
    return NULL;
}

/* Who was heard in this life stays known without its slot, so that it is told to start again: it
 * would go on to read the source under the slot's server ids. */
static void take_slot(node_set_t *nodes, node_entry_t *holder)
{
    uint32_t without_slot = 0;
    for (uint32_t i = 0; i < nodes->count; i++)
        without_slot += nodes->entries[i].is_used && !nodes->entries[i].has_slot;
    holder->has_slot = false;
    holder->is_used = holder->incarnation.v != 0 && without_slot <= nodes->settings.slot_count_max;
}

/* The lowest slot nobody holds, else the lowest whose holder was silent for as long as it takes to
 * be called absent. It would read the source under the same server_id otherwise. */
static bool give_slot(node_set_t *nodes, node_entry_t *entry)
{
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t slot = 0; slot < nodes->settings.slot_count_max; slot++) {
            node_entry_t *holder = slot_holder(nodes, slot);
            if (holder &&
                (pass == 0 || holder->is_present || holder->silence_ns < absence_after(nodes)))
                continue;
            if (holder)
                take_slot(nodes, holder);
            entry->slot = slot;
            entry->has_slot = true;
            return true;
        }
    return false;
}

/* A node that runs keeps the slot that an earlier process gave it, though a store brought back from
 * an older copy does not know: others may not read the source under its server ids. */
static bool keeps_slot(node_set_t *nodes, node_entry_t *entry, uint32_t slot_held)
{
    uint32_t slot = slot_held - 1;
    if (slot_held == 0 || slot >= nodes->settings.slot_count_max || slot_holder(nodes, slot))
        return false;
    entry->slot = slot;
    entry->has_slot = true;
    return true;
}

static void copy_text(char *to, size_t size, bytes_t from)
{
    size_t len = from.len < size ? from.len : size - 1;
    if (len)
        memcpy(to, from.data, len);
    to[len] = '\0';
}

static hello_result_t hello_known(node_entry_t *entry, node_index_t node, const hello_t *hello)
{
    if (entry->must_start_again)
        return (hello_result_t){.outcome = HELLO_START_AGAIN, .node = node};
    entry->silence_ns = 0;
    entry->is_leaving |= hello->is_leaving;
    return (hello_result_t){.outcome = HELLO_AGAIN, .node = node};
}

hello_result_t node_set_hello(node_set_t *nodes, const node_id_t *id, incarnation_t incarnation,
                              const hello_t *hello)
{
    node_index_t node = node_set_find(nodes, id);
    node_entry_t *entry = node_index_is_none(node) ? NULL : &nodes->entries[node.v];
    if (entry && entry->incarnation.v > incarnation.v)
        return (hello_result_t){.outcome = HELLO_STALE, .node = node};
    if (entry && entry->incarnation.v == incarnation.v && incarnation.v != 0)
        return hello_known(entry, node, hello);
    hello_result_t result = {.outcome = HELLO_JOINED};
    if (!entry) {
        node = take_entry(nodes, id);
        if (node_index_is_none(node))
            return (hello_result_t){.outcome = HELLO_FULL, .node = node};
        entry = &nodes->entries[node.v];
    }
    result.node = node;
    result.replaced = entry->is_present;
    if (keeps_slot(nodes, entry, hello->slot_held))
        result.slot_is_new = true;
    if (!entry->has_slot) {
        result.slot_is_new = true;
        if (!give_slot(nodes, entry)) {
            entry->is_used = false;
            return (hello_result_t){.outcome = HELLO_FULL, .node = NODE_INDEX_NONE};
        }
    }
    node_entry_t fresh = {.id = *id,
                          .incarnation = incarnation,
                          .slot = entry->slot,
                          .has_slot = true,
                          .is_used = true,
                          .is_present = true,
                          .is_leaving = hello->is_leaving};
    copy_text(fresh.host, sizeof fresh.host, hello->host);
    copy_text(fresh.version, sizeof fresh.version, hello->version);
    copy_text(fresh.events, sizeof fresh.events, hello->events);
    *entry = fresh;
    return result;
}

heard_t node_set_hear(node_set_t *nodes, const node_id_t *id, incarnation_t incarnation,
                      node_index_t *node)
{
    *node = node_set_find(nodes, id);
    if (node_index_is_none(*node))
        return HEARD_UNKNOWN;
    node_entry_t *entry = &nodes->entries[node->v];
    if (entry->incarnation.v == 0 || incarnation.v > entry->incarnation.v)
        return HEARD_UNKNOWN;
    if (incarnation.v < entry->incarnation.v)
        return HEARD_STALE;
    if (entry->must_start_again)
        return HEARD_START_AGAIN;
    entry->silence_ns = 0;
    return HEARD;
}

void node_set_heartbeat(node_set_t *nodes, node_index_t node, uint64_t heartbeat_sequence,
                        uint64_t confirmed)
{
    node_entry_t *entry = &nodes->entries[node.v];
    if (confirmed > entry->confirmed_heartbeat) {
        entry->confirmed_heartbeat = confirmed;
        entry->deafness_ns = 0;
    }
    if (heartbeat_sequence > entry->newest_heartbeat)
        entry->newest_heartbeat = heartbeat_sequence;
}

node_index_t node_set_judge(node_set_t *nodes, mono_ns_t now)
{
    uint64_t step = mono_elapsed(nodes->judged_at, now);
    if (step > NODE_JUDGE_STEP_NS)
        step = NODE_JUDGE_STEP_NS;
    nodes->judged_at = now;
    for (uint32_t i = 0; step && i < nodes->count; i++) {
        node_entry_t *entry = &nodes->entries[i];
        entry->silence_ns += step;
        if (entry->answered_heartbeat > entry->confirmed_heartbeat)
            entry->deafness_ns += step;
    }
    for (uint32_t i = 0; i < nodes->count; i++) {
        node_entry_t *entry = &nodes->entries[i];
        if (!entry->is_present ||
            (entry->silence_ns < absence_after(nodes) && entry->deafness_ns < absence_after(nodes)))
            continue;
        entry->is_present = false;
        entry->must_start_again = true;
        return (node_index_t){i};
    }
    return NODE_INDEX_NONE;
}

node_index_t node_set_next_answer(node_set_t *nodes, mono_ns_t now)
{
    for (uint32_t i = 0; i < nodes->count; i++) {
        node_entry_t *entry = &nodes->entries[i];
        mono_ns_t due = mono_add(entry->answered_at, nodes->settings.lease_answer_ns);
        if (!entry->is_present || entry->newest_heartbeat == entry->answered_heartbeat ||
            !mono_reached(due, now))
            continue;
        node_set_answered(nodes, (node_index_t){i}, now);
        return (node_index_t){i};
    }
    return NODE_INDEX_NONE;
}

void node_set_answered(node_set_t *nodes, node_index_t node, mono_ns_t now)
{
    node_entry_t *entry = &nodes->entries[node.v];
    entry->answered_heartbeat = entry->newest_heartbeat;
    entry->answered_at = now;
}

void node_set_drain(node_set_t *nodes, node_index_t node)
{
    nodes->entries[node.v].is_draining = true;
}

mono_ns_t node_set_next_deadline(const node_set_t *nodes)
{
    mono_ns_t deadline = MONO_NEVER;
    for (uint32_t i = 0; i < nodes->count; i++) {
        const node_entry_t *entry = &nodes->entries[i];
        if (!entry->is_present)
            continue;
        deadline = mono_min(deadline, mono_add(nodes->judged_at, NODE_JUDGE_STEP_NS / 2));
        if (entry->newest_heartbeat != entry->answered_heartbeat)
            deadline =
                mono_min(deadline, mono_add(entry->answered_at, nodes->settings.lease_answer_ns));
    }
    return deadline;
}
