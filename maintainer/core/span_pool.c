#include <stdlib.h>

#include "common/base/memory.h"
#include "maintainer/core/span_table_internal.h"

void pool_init(pool_t *pool, size_t entry_size)
{
    *pool = (pool_t){.entry_size = entry_size};
}

void pool_clear(pool_t *pool)
{
    for (uint32_t i = 0; i < pool->chunk_count; i++)
        free(pool->chunks[i]);
    free(pool->chunks);
    free(pool->free_numbers);
    *pool = (pool_t){.entry_size = pool->entry_size};
}

static void pool_add_chunk(pool_t *pool)
{
    if (pool->chunk_count == pool->chunk_capacity) {
        pool->chunk_capacity = pool->chunk_capacity ? pool->chunk_capacity * 2 : 8;
        pool->chunks = memory_realloc(pool->chunks, pool->chunk_capacity * sizeof *pool->chunks);
    }
    pool->chunks[pool->chunk_count++] = memory_alloc(CHUNK_ENTRIES * pool->entry_size);
}

void *pool_take(pool_t *pool, uint32_t *number)
{
    if (pool->free_count) {
        *number = pool->free_numbers[--pool->free_count];
    } else {
        if (pool->used == pool->chunk_count * CHUNK_ENTRIES)
            pool_add_chunk(pool);
        *number = pool->used++;
    }
    return memset(pool_at(pool, *number), 0, pool->entry_size);
}

void pool_give_back(pool_t *pool, uint32_t number)
{
    if (pool->free_count == pool->free_capacity) {
        pool->free_capacity = pool->free_capacity ? pool->free_capacity * 2 : 64;
        pool->free_numbers =
            memory_realloc(pool->free_numbers, pool->free_capacity * sizeof *pool->free_numbers);
    }
    pool->free_numbers[pool->free_count++] = number;
}

size_t pool_bytes(const pool_t *pool)
{
    return (size_t)pool->chunk_count * CHUNK_ENTRIES * pool->entry_size +
           pool->chunk_capacity * sizeof *pool->chunks +
           pool->free_capacity * sizeof *pool->free_numbers;
}
