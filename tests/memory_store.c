#include "tests/memory_store.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/binlog/rows_codec.h"

static void free_part(memory_store_t *store, memory_part_t *part)
{
    store->bytes -= part->bytes;
    transaction_unref(&part->part.transaction);
    table_definition_unref(&part->definition);
    free((uint8_t *)(uintptr_t)part->encoded.data);
}

void memory_store_clear(memory_store_t *store)
{
    for (uint32_t i = 0; i < store->count; i++)
        free_part(store, &store->parts[i]);
    free(store->parts);
    store->parts = NULL;
    store->count = store->capacity = 0;
}

static bytes_t encode(const store_part_t *part)
{
    size_t size = rows_codec_size(part->transaction, part->rows);
    uint8_t *bytes = memory_alloc(size);
    rows_codec_encode(part->transaction, part->rows, bytes);
    return bytes_of(bytes, size);
}

static void add(memory_store_t *store, store_part_t *part)
{
    if (store->count == store->capacity) {
        store->capacity = store->capacity ? store->capacity * 2 : 64;
        store->parts = memory_realloc(store->parts, store->capacity * sizeof *store->parts);
    }
    memory_part_t *kept = &store->parts[store->count++];
    *kept = (memory_part_t){.part = *part,
                            .definition = table_definition_ref(part->rows->definition),
                            .bytes = part->rows->bytes};
    part->transaction = NULL;
    store->bytes += kept->bytes;
    if (!store->as_bytes)
        return;
    kept->encoded = encode(&kept->part);
    transaction_unref(&kept->part.transaction);
    kept->part.rows = NULL;
}

static sluice_error_t write_parts(memory_store_t *store, store_request_t *request)
{
    uint64_t wanted = 0;
    for (uint32_t i = 0; i < request->part_count; i++)
        wanted += request->parts[i].rows->bytes;
    if (store->bytes_max && store->bytes + wanted > store->bytes_max)
        return SLUICE_ERROR_FULL;
    for (uint32_t i = 0; i < request->part_count; i++)
        add(store, &request->parts[i]);
    return SLUICE_OK;
}

static bool is_in(const memory_part_t *part, const store_request_t *request)
{
    return part->definition->table_id.v == request->table_id.v &&
           store_key_compare(part->part.key, request->after) > 0 &&
           store_key_compare(part->part.key, request->through) <= 0;
}

static store_part_t copy_of(const memory_part_t *kept)
{
    store_part_t part = kept->part;
    if (part.transaction) {
        part.transaction = transaction_ref(part.transaction);
        return part;
    }
    sluice_error_t error =
        rows_codec_decode(kept->encoded, kept->definition, NULL, &part.transaction, NULL);
    assert(error == SLUICE_OK);
    part.rows = &part.transaction->tables[0];
    return part;
}

/* Parts of one table were written in ascending order. */
static void read_parts(const memory_store_t *store, const store_request_t *request,
                       store_answer_t *answer)
{
    uint64_t bytes = 0;
    answer->parts = memory_alloc((store->count + 1) * sizeof *answer->parts);
    answer->reached = request->through;
    for (uint32_t i = 0; i < store->count; i++) {
        if (!is_in(&store->parts[i], request))
            continue;
        if (bytes >= request->bytes_max && bytes > 0) {
            answer->reached = answer->parts[answer->part_count - 1].key;
            return;
        }
        answer->parts[answer->part_count++] = copy_of(&store->parts[i]);
        bytes += store->parts[i].bytes;
    }
}

static bool is_forgotten(const memory_part_t *part, const store_request_t *request)
{
    for (uint32_t i = 0; i < request->forget_count; i++) {
        if (request->forgets[i].table_id.v == part->definition->table_id.v &&
            store_key_compare(part->part.key, request->forgets[i].up_to) <= 0)
            return true;
    }
    return false;
}

static void forget_parts(memory_store_t *store, const store_request_t *request)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < store->count; i++) {
        if (is_forgotten(&store->parts[i], request))
            free_part(store, &store->parts[i]);
        else
            store->parts[kept++] = store->parts[i];
    }
    store->count = kept;
}

static sluice_error_t execute(memory_store_t *store, store_request_t *request,
                              store_answer_t *answer)
{
    store->has_failed |= store->fails;
    if (store->fails || (store->has_failed && request->kind != STORE_WIPE)) {
        store->fails = false;
        return SLUICE_ERROR_IO;
    }
    switch (request->kind) {
    case STORE_WRITE:
        return write_parts(store, request);
    case STORE_READ:
        read_parts(store, request, answer);
        return SLUICE_OK;
    case STORE_FORGET:
        forget_parts(store, request);
        return SLUICE_OK;
    case STORE_WIPE:
        memory_store_clear(store);
        store->has_failed = false;
        return SLUICE_OK;
    }
    return SLUICE_ERROR_BUG;
}

void memory_store_execute(memory_store_t *store, store_request_t *request, store_answer_t *answer)
{
    *answer = (store_answer_t){
        .kind = request->kind, .table_id = request->table_id, .ticket = request->ticket};
    answer->error = execute(store, request, answer);
    answer->bytes = store->bytes;
    store_request_clear(request);
}
