#include "maintainer/core/heartbeat_merge.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "maintainer/core/id_index.h"

enum { ERROR_TEXT_MAX = 2048 };

/* One (node, mode). */
typedef struct {
    merged_heartbeat_t merged; /* entries and error_text are set when listed */
    dispatcher_heartbeat_t *entries;
    uint32_t entry_count, entry_capacity;
    id_index_t by_dispatcher;
    char error_text[ERROR_TEXT_MAX];
    uint32_t error_text_len;
} record_t;

struct heartbeat_merge {
    record_t **records;
    uint32_t record_count, record_capacity;
    merged_heartbeat_t *list;
    uint32_t list_capacity;
    uint64_t count;
};

static index_key_t entry_key(const void *owner, uint32_t number)
{
    const record_t *record = owner;
    dispatcher_id_t id = record->entries[number].dispatcher_id;
    return (index_key_t){id.hi, id.lo};
}

heartbeat_merge_t *heartbeat_merge_new(void)
{
    return memory_zalloc(sizeof(heartbeat_merge_t));
}

static void record_free(record_t *record)
{
    id_index_clear(&record->by_dispatcher);
    free(record->entries);
    free(record);
}

void heartbeat_merge_destroy(heartbeat_merge_t **merge)
{
    heartbeat_merge_t *gone = *merge;
    if (!gone)
        return;
    *merge = NULL;
    heartbeat_merge_reset(gone);
    free(gone->records);
    free(gone->list);
    free(gone);
}

static record_t *record_find(heartbeat_merge_t *merge, node_index_t node, pipeline_t mode)
{
    for (uint32_t i = 0; i < merge->record_count; i++)
        if (merge->records[i]->merged.node.v == node.v && merge->records[i]->merged.mode == mode)
            return merge->records[i];
    return NULL;
}

static record_t *record_add(heartbeat_merge_t *merge, node_index_t node, pipeline_t mode,
                            incarnation_t incarnation)
{
    if (merge->record_count == merge->record_capacity) {
        merge->record_capacity = merge->record_capacity ? merge->record_capacity * 2 : 8;
        merge->records =
            memory_realloc(merge->records, merge->record_capacity * sizeof *merge->records);
    }
    record_t *record = memory_zalloc(sizeof *record);
    record->merged = (merged_heartbeat_t){.node = node, .mode = mode, .incarnation = incarnation};
    id_index_init(&record->by_dispatcher, record, entry_key);
    merge->records[merge->record_count++] = record;
    return record;
}

/* A new incarnation starts from nothing. */
static void record_restart(record_t *record, incarnation_t incarnation)
{
    record->merged = (merged_heartbeat_t){
        .node = record->merged.node, .mode = record->merged.mode, .incarnation = incarnation};
    record->entry_count = 0;
    id_index_clear(&record->by_dispatcher);
    record->error_text_len = 0;
}

void watermark_merge(watermark_t *held, bool has_held, const watermark_t *given)
{
    if (!has_held) {
        *held = *given;
        return;
    }
    commit_ts_t last_synced =
        held->last_synced.v > given->last_synced.v ? held->last_synced : given->last_synced;
    if (given->seq > held->seq) {
        *held = *given;
    } else if (given->seq == held->seq) {
        if (given->checkpoint.v > held->checkpoint.v)
            held->checkpoint = given->checkpoint;
        if (given->resolved.v > held->resolved.v)
            held->resolved = given->resolved;
    }
    held->last_synced = last_synced;
}

static void merge_entry(record_t *record, const dispatcher_heartbeat_t *entry)
{
    index_key_t key = {entry->dispatcher_id.hi, entry->dispatcher_id.lo};
    uint32_t number = id_index_find(&record->by_dispatcher, key);
    if (number == ID_INDEX_NONE) {
        if (record->entry_count == REQUEST_BUFFER_ENTRIES_MAX)
            return;
        if (record->entry_count == record->entry_capacity) {
            record->entry_capacity = record->entry_capacity ? record->entry_capacity * 2 : 16;
            record->entries =
                memory_realloc(record->entries, record->entry_capacity * sizeof *record->entries);
        }
        record->entries[record->entry_count] = *entry;
        id_index_insert(&record->by_dispatcher, record->entry_count++);
        return;
    }
    dispatcher_heartbeat_t *held = &record->entries[number];
    if (entry->state > held->state)
        held->state = entry->state;
    if (entry->position.checkpoint.v > held->position.checkpoint.v)
        held->position.checkpoint = entry->position.checkpoint;
    if (event_key_compare(entry->position.passed, held->position.passed) > 0)
        held->position.passed = entry->position.passed;
}

/* Which pieces of the newest complete heartbeat are in, as long as none is missing between. */
static void merge_completeness(merged_heartbeat_t *merged, const heartbeat_request_t *heartbeat)
{
    if (!heartbeat->is_complete)
        return;
    if (heartbeat->piece != merged->complete_next || merged->complete_last ||
        heartbeat->piece == 0) {
        merged->complete_first = heartbeat->piece;
        merged->complete_last = false;
    }
    merged->complete_next = heartbeat->piece + 1;
    if (heartbeat->is_last_piece)
        merged->complete_last = true;
}

static void merge_progress(record_t *record, const heartbeat_request_t *heartbeat)
{
    merged_heartbeat_t *merged = &record->merged;
    if (heartbeat->heartbeat_sequence < merged->newest_sequence)
        return;
    merged->newest_sequence = heartbeat->heartbeat_sequence;
    merged->rows_applied = heartbeat->rows_applied;
    merged->bytes_applied = heartbeat->bytes_applied;
    merged->ddl_applied = heartbeat->ddl_applied;
    merged->read_ts = heartbeat->read_ts;
    merged->read_commit_time = heartbeat->read_commit_time;
    merged->is_caught_up = heartbeat->is_caught_up;
}

void heartbeat_merge_add(heartbeat_merge_t *merge, node_index_t node, incarnation_t incarnation,
                         const heartbeat_request_t *heartbeat)
{
    merge->count++;
    record_t *record = record_find(merge, node, heartbeat->mode);
    if (!record)
        record = record_add(merge, node, heartbeat->mode, incarnation);
    else if (incarnation.v < record->merged.incarnation.v)
        return;
    else if (incarnation.v > record->merged.incarnation.v)
        record_restart(record, incarnation);
    merged_heartbeat_t *merged = &record->merged;
    if (heartbeat->has_watermark) {
        watermark_merge(&merged->watermark, merged->has_watermark, &heartbeat->watermark);
        merged->has_watermark = true;
    }
    for (uint32_t i = 0; i < heartbeat->entry_count; i++)
        merge_entry(record, &heartbeat->entries[i]);
    merge_completeness(merged, heartbeat);
    merge_progress(record, heartbeat);
    if (heartbeat->has_anchor &&
        (!merged->has_anchor || heartbeat->anchor.commit_ts.v > merged->anchor.commit_ts.v)) {
        merged->has_anchor = true;
        merged->anchor = heartbeat->anchor;
    }
    if (heartbeat->error != SLUICE_OK && merged->error == SLUICE_OK) {
        merged->error = heartbeat->error;
        record->error_text_len = heartbeat->error_text.len < ERROR_TEXT_MAX
                                     ? (uint32_t)heartbeat->error_text.len
                                     : ERROR_TEXT_MAX;
        if (record->error_text_len)
            memcpy(record->error_text, heartbeat->error_text.data, record->error_text_len);
    }
}

void heartbeat_merge_forget(heartbeat_merge_t *merge, node_index_t node)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < merge->record_count; i++) {
        if (merge->records[i]->merged.node.v == node.v)
            record_free(merge->records[i]);
        else
            merge->records[kept++] = merge->records[i];
    }
    merge->record_count = kept;
}

size_t heartbeat_merge_list(heartbeat_merge_t *merge, const merged_heartbeat_t **heartbeats)
{
    if (merge->list_capacity < merge->record_count) {
        merge->list_capacity = merge->record_count;
        merge->list = memory_realloc(merge->list, merge->list_capacity * sizeof *merge->list);
    }
    for (uint32_t i = 0; i < merge->record_count; i++) {
        record_t *record = merge->records[i];
        merge->list[i] = record->merged;
        merge->list[i].entries = record->entries;
        merge->list[i].entry_count = record->entry_count;
        merge->list[i].error_text = bytes_of(record->error_text, record->error_text_len);
    }
    *heartbeats = merge->list;
    return merge->record_count;
}

void heartbeat_merge_reset(heartbeat_merge_t *merge)
{
    for (uint32_t i = 0; i < merge->record_count; i++)
        record_free(merge->records[i]);
    merge->record_count = 0;
}

size_t heartbeat_merge_bytes(const heartbeat_merge_t *merge)
{
    size_t bytes = sizeof *merge + merge->record_capacity * sizeof *merge->records +
                   merge->list_capacity * sizeof *merge->list;
    for (uint32_t i = 0; i < merge->record_count; i++) {
        const record_t *record = merge->records[i];
        bytes += sizeof *record + record->entry_capacity * sizeof *record->entries +
                 (record->by_dispatcher.slots ? (size_t)record->by_dispatcher.mask + 1 : 0) * 4;
    }
    return bytes;
}

uint64_t heartbeat_merge_count(const heartbeat_merge_t *merge)
{
    return merge->count;
}
