/*
 * A bump allocator: many small allocations that die together. Nothing in it is freed alone.
 * Threads: one at a time.
 */
#ifndef SLUICE_COMMON_BASE_ARENA_H
#define SLUICE_COMMON_BASE_ARENA_H

#include "common/base/bytes.h"

typedef struct arena_chunk arena_chunk_t;

/* A value; all zero is an empty arena. */
typedef struct {
    arena_chunk_t *head;
    size_t bytes; /* taken from the system, headers included */
} arena_t;

void arena_init(arena_t *arena);

/* Frees everything; the arena is empty and usable afterwards. */
void arena_clear(arena_t *arena);

/* Forgets everything but keeps the newest chunk for reuse: for decode loops. */
void arena_reset(arena_t *arena);

/* `size` bytes aligned for any type, uninitialised. Never NULL: running out of memory ends the
 * process with a message, since no caller could go on without losing data it has already taken. */
void *arena_alloc(arena_t *arena, size_t size) __attribute__((returns_nonnull));
void *arena_zalloc(arena_t *arena, size_t size) __attribute__((returns_nonnull));

/* `count` elements of `size` bytes, zeroed; a product that overflows ends the process. */
void *arena_calloc(arena_t *arena, size_t count, size_t size) __attribute__((returns_nonnull));

/* Copies, NUL-terminated behind the copied length. */
char *arena_strndup(arena_t *arena, const void *text, size_t len) __attribute__((returns_nonnull));
char *arena_strdup(arena_t *arena, const char *text) __attribute__((returns_nonnull));
bytes_t arena_bytes(arena_t *arena, bytes_t from);
char *arena_printf(arena_t *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2), noinline));

#endif
