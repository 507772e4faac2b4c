#include "dispatcher/core/session_set.h"

#include <stdlib.h>

#include "common/base/key_map.h"
#include "common/base/memory.h"

typedef struct entry {
    session_t session;
    mono_ns_t due;        /* what the heap holds */
    uint32_t heap_index;  /* position in the heap */
    struct entry *next;   /* in the list of removed ones */
    service_id_t *probes; /* copy of the candidates */
    uint8_t keys[];
} entry_t;

struct session_set {
    session_set_options_t options;
    key_map_t by_id;
    entry_t **heap; /* binary, soonest first */
    uint32_t heap_count;
    uint32_t heap_capacity;
    session_requests_t requests;
    uint32_t requests_taken;
    entry_t *removed; /* their keys are named by requests not yet taken */
    session_counters_t counters;
};

static map_key_t key_of(dispatcher_id_t id)
{
    return (map_key_t){id.hi, id.lo};
}

session_set_t *session_set_new(const session_set_options_t *options)
{
    session_set_t *set = memory_zalloc(sizeof *set);
    set->options = *options;
    if (set->options.session.progress_ns == 0)
        set->options.session.progress_ns = SESSION_PROGRESS_NS;
    return set;
}

static void entry_free(entry_t *entry)
{
    free(entry->probes);
    free(entry);
}

static void free_removed(session_set_t *set)
{
    while (set->removed) {
        entry_t *entry = set->removed;
        set->removed = entry->next;
        entry_free(entry);
    }
}

void session_set_destroy(session_set_t **set)
{
    session_set_t *self = *set;
    *set = NULL;
    if (!self)
        return;
    size_t at = 0;
    entry_t *entry;
    while ((entry = key_map_next(&self->by_id, &at)))
        entry_free(entry);
    free_removed(self);
    key_map_clear(&self->by_id);
    session_requests_clear(&self->requests);
    free(self->heap);
    free(self);
}

/* ---- the heap of deadlines ---- */

static void heap_place(session_set_t *set, entry_t *entry, uint32_t index)
{
    set->heap[index] = entry;
    entry->heap_index = index;
}

static void heap_sift_up(session_set_t *set, entry_t *entry)
{
    uint32_t index = entry->heap_index;
    while (index > 0) {
        entry_t *parent = set->heap[(index - 1) / 2];
        if (parent->due.v <= entry->due.v)
            break;
        heap_place(set, parent, index);
        index = (index - 1) / 2;
    }
    heap_place(set, entry, index);
}

static void heap_sift_down(session_set_t *set, entry_t *entry)
{
    uint32_t index = entry->heap_index;
    for (;;) {
        uint32_t child = 2 * index + 1;
        if (child >= set->heap_count)
            break;
        if (child + 1 < set->heap_count && set->heap[child + 1]->due.v < set->heap[child]->due.v)
            child++;
        if (set->heap[child]->due.v >= entry->due.v)
            break;
        heap_place(set, set->heap[child], index);
        index = child;
    }
    heap_place(set, entry, index);
}

static void heap_add(session_set_t *set, entry_t *entry)
{
    if (set->heap_count == set->heap_capacity) {
        set->heap_capacity = set->heap_capacity ? set->heap_capacity * 2 : 16;
        set->heap = memory_realloc(set->heap, set->heap_capacity * sizeof *set->heap);
    }
    heap_place(set, entry, set->heap_count++);
    heap_sift_up(set, entry);
}

static void heap_remove(session_set_t *set, entry_t *entry)
{
    entry_t *last = set->heap[--set->heap_count];
    if (last == entry)
        return;
    heap_place(set, last, entry->heap_index);
    heap_sift_up(set, last);
    heap_sift_down(set, last);
}

static void heap_update(session_set_t *set, entry_t *entry)
{
    mono_ns_t due = session_next_deadline(&entry->session);
    if (due.v == entry->due.v)
        return;
    bool is_sooner = due.v < entry->due.v;
    entry->due = due;
    if (is_sooner)
        heap_sift_up(set, entry);
    else
        heap_sift_down(set, entry);
}

/* ---- steps ---- */

static session_step_t step_at(session_set_t *set, mono_ns_t now)
{
    return (session_step_t){.options = &set->options.session,
                            .counters = &set->counters,
                            .requests = &set->requests,
                            .position_of = set->options.position_of,
                            .context = set->options.context,
                            .now = now};
}

static entry_t *find(const session_set_t *set, dispatcher_id_t dispatcher_id)
{
    return key_map_get(&set->by_id, key_of(dispatcher_id));
}

sluice_error_t session_set_add(session_set_t *set, const session_start_t *start, mono_ns_t now)
{
    if (find(set, start->dispatcher_id))
        return SLUICE_ERROR_EXISTS;
    size_t start_len = start->span.start_key.len, end_len = start->span.end_key.len;
    entry_t *entry = memory_zalloc(sizeof *entry + start_len + end_len);
    session_start_t own = *start;
    if (start_len)
        memcpy(entry->keys, start->span.start_key.data, start_len);
    if (end_len)
        memcpy(entry->keys + start_len, start->span.end_key.data, end_len);
    own.span.start_key = bytes_of(entry->keys, start_len);
    own.span.end_key = bytes_of(entry->keys + start_len, end_len);
    session_init(&entry->session, &own);
    key_map_put(&set->by_id, key_of(start->dispatcher_id), entry);
    session_step_t step = step_at(set, now);
    session_run(&entry->session, &step);
    entry->due = session_next_deadline(&entry->session);
    heap_add(set, entry);
    return SLUICE_OK;
}

bool session_set_remove(session_set_t *set, dispatcher_id_t dispatcher_id, mono_ns_t now)
{
    entry_t *entry = find(set, dispatcher_id);
    if (!entry)
        return false;
    session_step_t step = step_at(set, now);
    session_remove(&entry->session, &step);
    key_map_take(&set->by_id, key_of(dispatcher_id));
    heap_remove(set, entry);
    entry->next = set->removed;
    set->removed = entry;
    return true;
}

void session_set_probe(session_set_t *set, dispatcher_id_t dispatcher_id,
                       const service_id_t *candidates, uint32_t count, mono_ns_t now)
{
    entry_t *entry = find(set, dispatcher_id);
    if (!entry || entry->session.state != SESSION_REGISTERING)
        return;
    size_t size = count * sizeof *candidates;
    if (count) {
        entry->probes = memory_realloc(entry->probes, size);
        memcpy(entry->probes, candidates, size);
    }
    session_step_t step = step_at(set, now);
    session_probe(&entry->session, entry->probes, count, &step);
    heap_update(set, entry);
}

static void for_service(session_set_t *set, service_id_t service, mono_ns_t now,
                        void (*act)(session_t *, service_id_t, session_step_t *))
{
    session_step_t step = step_at(set, now);
    size_t at = 0;
    entry_t *entry;
    while ((entry = key_map_next(&set->by_id, &at))) {
        act(&entry->session, service, &step);
        heap_update(set, entry);
    }
}

void session_set_service_gone(session_set_t *set, service_id_t service, mono_ns_t now)
{
    for_service(set, service, now, session_service_gone);
}

void session_set_service_up(session_set_t *set, service_id_t service, mono_ns_t now)
{
    for_service(set, service, now, session_service_up);
}

void session_set_commit(session_set_t *set, dispatcher_id_t dispatcher_id, mono_ns_t now)
{
    entry_t *entry = find(set, dispatcher_id);
    if (!entry)
        return;
    session_step_t step = step_at(set, now);
    session_commit(&entry->session, &step);
    heap_update(set, entry);
}

session_result_t session_set_handle(session_set_t *set, service_id_t from,
                                    const stream_event_t *event, mono_ns_t now)
{
    entry_t *entry = find(set, event->dispatcher_id);
    if (!entry) {
        set->counters.stale++;
        return SESSION_RESULT_NOTHING;
    }
    session_step_t step = step_at(set, now);
    session_result_t result = session_handle(&entry->session, from, event, &step);
    heap_update(set, entry);
    return result;
}

void session_set_prefetch(const session_set_t *set, dispatcher_id_t dispatcher_id)
{
    key_map_prefetch(&set->by_id, key_of(dispatcher_id));
}

void session_set_flushed(session_set_t *set, dispatcher_id_t dispatcher_id, uint64_t bytes,
                         mono_ns_t now)
{
    entry_t *entry = find(set, dispatcher_id);
    if (!entry)
        return;
    session_step_t step = step_at(set, now);
    session_flushed(&entry->session, bytes, &step);
    heap_update(set, entry);
}

void session_set_tick(session_set_t *set, mono_ns_t now)
{
    while (set->heap_count && mono_reached(set->heap[0]->due, now)) {
        entry_t *entry = set->heap[0];
        session_step_t step = step_at(set, now);
        session_tick(&entry->session, &step);
        heap_update(set, entry);
    }
}

mono_ns_t session_set_next_deadline(const session_set_t *set)
{
    return set->heap_count ? set->heap[0]->due : MONO_NEVER;
}

uint32_t session_set_take_requests(session_set_t *set, session_request_t *requests, uint32_t max)
{
    uint32_t left = set->requests.count - set->requests_taken;
    uint32_t count = left < max ? left : max;
    if (count == 0) {
        set->requests.count = 0;
        set->requests_taken = 0;
        free_removed(set);
        return 0;
    }
    memcpy(requests, set->requests.items + set->requests_taken, count * sizeof *requests);
    set->requests_taken += count;
    return count;
}

uint32_t session_set_count(const session_set_t *set)
{
    return (uint32_t)set->by_id.count;
}

session_counters_t session_set_counters(const session_set_t *set)
{
    return set->counters;
}
