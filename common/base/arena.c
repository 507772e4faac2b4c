#include "common/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"

#define ARENA_CHUNK_FIRST 1024
#define ARENA_CHUNK_MAX (256 * 1024)
#define ARENA_ALIGNMENT (sizeof(max_align_t))

struct arena_chunk {
    arena_chunk_t *next;
    size_t size;
    size_t used;
    _Alignas(max_align_t) uint8_t data[];
};

void arena_init(arena_t *arena)
{
    *arena = (arena_t){0};
}

void arena_clear(arena_t *arena)
{
    arena_chunk_t *chunk = arena->head;
    while (chunk) {
        arena_chunk_t *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    *arena = (arena_t){0};
}

void arena_reset(arena_t *arena)
{
    if (!arena->head)
        return;
    arena_chunk_t *kept = arena->head;
    arena->head = kept->next;
    arena_clear(arena);
    kept->next = NULL;
    kept->used = 0;
    arena->head = kept;
    arena->bytes = kept->size + sizeof *kept;
}

static arena_chunk_t *arena_grow(arena_t *arena, size_t need)
{
    size_t size = arena->head ? arena->head->size * 2 : ARENA_CHUNK_FIRST;
    if (size > ARENA_CHUNK_MAX)
        size = ARENA_CHUNK_MAX;
    if (size < need)
        size = need;
    arena_chunk_t *chunk = memory_alloc(sizeof *chunk + size);
    *chunk = (arena_chunk_t){.next = arena->head, .size = size};
    arena->head = chunk;
    arena->bytes += size + sizeof *chunk;
    return chunk;
}

void *arena_alloc(arena_t *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        memory_exhausted(size);
    size_t rounded = (size + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
    arena_chunk_t *chunk = arena->head;
    if (!chunk || chunk->size - chunk->used < rounded)
        chunk = arena_grow(arena, rounded);
    void *memory = chunk->data + chunk->used;
    chunk->used += rounded;
    return memory;
}

void *arena_zalloc(arena_t *arena, size_t size)
{
    void *memory = arena_alloc(arena, size);
    memset(memory, 0, size);
    return memory;
}

void *arena_calloc(arena_t *arena, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        memory_exhausted(SIZE_MAX);
    return arena_zalloc(arena, count * size);
}

char *arena_strndup(arena_t *arena, const void *text, size_t len)
{
    char *copy = arena_alloc(arena, len + 1);
    if (len)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *arena_strdup(arena_t *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

bytes_t arena_bytes(arena_t *arena, bytes_t from)
{
    return bytes_of(arena_strndup(arena, from.data, from.len), from.len);
}

char *arena_printf(arena_t *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char probe[1];
    int len = vsnprintf(probe, sizeof probe, format, arguments);
    va_end(arguments);
    size_t size = len > 0 ? (size_t)len + 1 : 1;
    char *text = arena_zalloc(arena, size);
    va_start(arguments, format);
    vsnprintf(text, size, format, arguments);
    va_end(arguments);
    return text;
}
