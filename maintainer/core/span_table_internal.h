/* Inside of span_table, shared by its two files only. */
#ifndef SLUICE_MAINTAINER_CORE_SPAN_TABLE_INTERNAL_H
#define SLUICE_MAINTAINER_CORE_SPAN_TABLE_INTERNAL_H

#include "maintainer/core/id_index.h"
#include "maintainer/core/span_table.h"

/* Entries in chunks, so that they never move and growing copies nothing. */
enum { CHUNK_ENTRIES = 256 };

typedef struct {
    uint8_t **chunks;
    uint32_t chunk_count, chunk_capacity;
    uint32_t used; /* numbers given out so far */
    uint32_t *free_numbers;
    uint32_t free_count, free_capacity;
    size_t entry_size;
} pool_t;

typedef struct {
    uint32_t bound, scheduling;
} node_counts_t;

struct span_table {
    pool_t spans, tables, schemas;
    id_index_t by_dispatcher, by_table, by_schema;
    span_entry_t *trigger;
    span_entry_t *first[SPAN_STATE_COUNT];
    uint32_t count[SPAN_STATE_COUNT];
    node_counts_t *nodes;
    uint32_t node_capacity;
    uint32_t table_count;
    uint64_t version;
    size_t name_bytes;
};

void pool_init(pool_t *pool, size_t entry_size);
void pool_clear(pool_t *pool);
void *pool_take(pool_t *pool, uint32_t *number); /* zeroed */
void pool_give_back(pool_t *pool, uint32_t number);
size_t pool_bytes(const pool_t *pool);

static inline void *pool_at(const pool_t *pool, uint32_t number)
{
    return pool->chunks[number / CHUNK_ENTRIES] +
           (size_t)(number % CHUNK_ENTRIES) * pool->entry_size;
}

span_entry_t *span_new(span_table_t *table, table_entry_t *entry, position_t start);
/* Unlinks from state list and index, frees; not from its table. */
void span_free(span_table_t *table, span_entry_t *span);
void span_set_state(span_table_t *table, span_entry_t *span, span_state_t state);

#endif
