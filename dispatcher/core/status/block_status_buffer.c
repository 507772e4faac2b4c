#include "dispatcher/core/status/block_status_buffer.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/status/status_key_set.h"

/* Entries live in chunks, so that an empty buffer is small and a full one never moves. */
#define CHUNK_ENTRIES 1024

/* A block_status_t without its padding. */
typedef struct {
    status_slot_t *slot;
    ddl_event_t *ddl;
    uint64_t commit_ts, passed_ts;
    uint8_t stage;
    bool is_syncpoint, passed_is_syncpoint;
} entry_t;

typedef struct chunk {
    struct chunk *next;
    uint32_t first, end;
    entry_t entries[CHUNK_ENTRIES];
} chunk_t;

struct block_status_buffer {
    pthread_mutex_t lock;
    pthread_cond_t has_room;
    uint32_t waiting_offerers;
    bool is_closed;
    size_t capacity;
    size_t length;
    chunk_t *head, *tail, *spare;
    status_key_set_t others; /* pending keys that the slots cannot mark, and NONE copies */
    uint64_t offered[STAGE_DONE + 1];
    _Atomic uint64_t coalesced[STAGE_DONE + 1];
};

void block_status_clear(block_status_t *status)
{
    status_slot_unref(&status->slot);
    ddl_event_unref(&status->ddl);
}

block_status_buffer_t *block_status_buffer_new(int64_t capacity)
{
    block_status_buffer_t *buffer = memory_zalloc(sizeof *buffer);
    buffer->capacity = capacity < 1 ? 1 : (size_t)capacity;
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    /* The critical section is a few nanoseconds: spinning beats sleeping. */
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&buffer->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    pthread_cond_init(&buffer->has_room, NULL);
    return buffer;
}

void block_status_buffer_destroy(block_status_buffer_t **buffer)
{
    block_status_buffer_t *self = *buffer;
    if (!self)
        return;
    block_status_t status;
    while (block_status_buffer_take(self, &status, 1) == 1)
        block_status_clear(&status);
    status_key_set_clear(&self->others);
    free(self->head);
    free(self->spare);
    pthread_cond_destroy(&self->has_room);
    pthread_mutex_destroy(&self->lock);
    free(self);
    *buffer = NULL;
}

/* The slot's mark for that stage; NULL for stages without one. */
static _Atomic uint64_t *mark_of(status_slot_t *slot, block_stage_t stage)
{
    switch (stage) {
    case STAGE_WAITING:
        return &slot->buffered_waiting;
    case STAGE_DONE:
        return &slot->buffered_done;
    case STAGE_NONE:
    case STAGE_WRITING:
        return NULL;
    }
    return NULL;
}

static bool is_marked(const block_status_t *status)
{
    _Atomic uint64_t *mark = mark_of(status->slot, status->stage);
    uint64_t packed = status_key_pack(status->key);
    return mark && packed && atomic_load_explicit(mark, memory_order_acquire) == packed;
}

/* Under the lock. */
static bool is_repetition(const block_status_buffer_t *buffer, const block_status_t *status)
{
    if (status->stage == STAGE_NONE && !status->is_resend)
        return false;
    return is_marked(status) ||
           status_key_set_has(&buffer->others, status->slot, status->key, status->stage);
}

/* Under the lock: the key becomes pending together with its entry. */
static void mark(block_status_buffer_t *buffer, const block_status_t *status)
{
    _Atomic uint64_t *mark = mark_of(status->slot, status->stage);
    uint64_t packed = status_key_pack(status->key);
    if (mark && packed && atomic_load_explicit(mark, memory_order_relaxed) == 0)
        atomic_store_explicit(mark, packed, memory_order_release);
    else
        status_key_set_add(&buffer->others, status->slot, status->key, status->stage);
}

static void unmark(block_status_buffer_t *buffer, const block_status_t *status)
{
    if (is_marked(status))
        atomic_store_explicit(mark_of(status->slot, status->stage), 0, memory_order_release);
    else
        status_key_set_remove(&buffer->others, status->slot, status->key, status->stage);
}

/* Made before the lock is taken: references cost more than the rest. */
static entry_t make_entry(const block_status_t *status)
{
    return (entry_t){
        .slot = status_slot_ref(status->slot),
        .ddl = status->ddl && status->stage != STAGE_DONE ? ddl_event_ref(status->ddl) : NULL,
        .commit_ts = status->key.commit_ts.v,
        .is_syncpoint = status->key.is_syncpoint,
        .passed_ts = status->passed.commit_ts.v,
        .passed_is_syncpoint = status->passed.is_syncpoint,
        .stage = (uint8_t)status->stage,
    };
}

static void drop_entry(entry_t *entry)
{
    status_slot_unref(&entry->slot);
    ddl_event_unref(&entry->ddl);
}

static void append(block_status_buffer_t *buffer, const entry_t *entry)
{
    if (!buffer->tail || buffer->tail->end == CHUNK_ENTRIES) {
        chunk_t *chunk = buffer->spare ? buffer->spare : memory_alloc(sizeof *chunk);
        buffer->spare = NULL;
        chunk->next = NULL;
        chunk->first = chunk->end = 0;
        if (buffer->tail)
            buffer->tail->next = chunk;
        else
            buffer->head = chunk;
        buffer->tail = chunk;
    }
    buffer->tail->entries[buffer->tail->end++] = *entry;
    buffer->length++;
}

static void remove_first(block_status_buffer_t *buffer, block_status_t *taken)
{
    chunk_t *chunk = buffer->head;
    const entry_t *entry = &chunk->entries[chunk->first++];
    *taken = (block_status_t){
        .slot = entry->slot,
        .ddl = entry->ddl,
        .key = {{entry->commit_ts}, entry->is_syncpoint},
        .passed = {{entry->passed_ts}, entry->passed_is_syncpoint},
        .stage = (block_stage_t)entry->stage,
    };
    buffer->length--;
    if (chunk->first < chunk->end)
        return;
    if (chunk == buffer->tail) {
        chunk->first = chunk->end = 0;
        return;
    }
    buffer->head = chunk->next;
    if (buffer->spare)
        free(chunk);
    else
        buffer->spare = chunk;
}

static void count_coalesced(block_status_buffer_t *buffer, const block_status_t *status)
{
    atomic_fetch_add_explicit(&buffer->coalesced[status->stage], 1, memory_order_relaxed);
}

/* Under the lock. *is_kept: the entry is queued. */
static sluice_error_t admit(block_status_buffer_t *buffer, const block_status_t *status,
                            const entry_t *entry, bool *is_kept)
{
    if (buffer->is_closed)
        return SLUICE_ERROR_CLOSED;
    if (is_repetition(buffer, status)) {
        count_coalesced(buffer, status);
        return SLUICE_OK;
    }
    if (buffer->length >= buffer->capacity)
        return SLUICE_ERROR_FULL;
    mark(buffer, status);
    append(buffer, entry);
    buffer->offered[status->stage]++;
    *is_kept = true;
    return SLUICE_OK;
}

static sluice_error_t offer(block_status_buffer_t *buffer, const block_status_t *status,
                            bool may_wait)
{
    if (!status || !status->slot)
        return SLUICE_OK;
    if (is_marked(status)) {
        count_coalesced(buffer, status);
        return SLUICE_OK;
    }
    bool is_kept = false;
    entry_t entry = make_entry(status);
    pthread_mutex_lock(&buffer->lock);
    sluice_error_t error = admit(buffer, status, &entry, &is_kept);
    while (error == SLUICE_ERROR_FULL && may_wait) {
        buffer->waiting_offerers++;
        pthread_cond_wait(&buffer->has_room, &buffer->lock);
        buffer->waiting_offerers--;
        error = admit(buffer, status, &entry, &is_kept);
    }
    pthread_mutex_unlock(&buffer->lock);
    if (!is_kept)
        drop_entry(&entry);
    return error;
}

sluice_error_t block_status_buffer_offer(block_status_buffer_t *buffer,
                                         const block_status_t *status)
{
    return offer(buffer, status, true);
}

sluice_error_t block_status_buffer_try_offer(block_status_buffer_t *buffer,
                                             const block_status_t *status)
{
    return offer(buffer, status, false);
}

uint32_t block_status_buffer_take(block_status_buffer_t *buffer, block_status_t *taken,
                                  uint32_t max)
{
    uint32_t count = 0;
    pthread_mutex_lock(&buffer->lock);
    while (count < max && buffer->length > 0) {
        remove_first(buffer, &taken[count]);
        unmark(buffer, &taken[count]);
        count++;
    }
    if (count > 0 && buffer->waiting_offerers > 0)
        pthread_cond_broadcast(&buffer->has_room);
    pthread_mutex_unlock(&buffer->lock);
    return count;
}

void block_status_buffer_close(block_status_buffer_t *buffer)
{
    pthread_mutex_lock(&buffer->lock);
    buffer->is_closed = true;
    pthread_cond_broadcast(&buffer->has_room);
    pthread_mutex_unlock(&buffer->lock);
}

bool block_status_buffer_is_drained(block_status_buffer_t *buffer)
{
    pthread_mutex_lock(&buffer->lock);
    bool is_drained = buffer->is_closed && buffer->length == 0;
    pthread_mutex_unlock(&buffer->lock);
    return is_drained;
}

size_t block_status_buffer_length(block_status_buffer_t *buffer)
{
    pthread_mutex_lock(&buffer->lock);
    size_t length = buffer->length;
    pthread_mutex_unlock(&buffer->lock);
    return length;
}

block_status_counters_t block_status_buffer_counters(block_status_buffer_t *buffer)
{
    block_status_counters_t counters;
    pthread_mutex_lock(&buffer->lock);
    memcpy(counters.offered, buffer->offered, sizeof counters.offered);
    pthread_mutex_unlock(&buffer->lock);
    for (size_t stage = 0; stage <= STAGE_DONE; stage++)
        counters.coalesced[stage] =
            atomic_load_explicit(&buffer->coalesced[stage], memory_order_relaxed);
    return counters;
}
