/*
 * malloc that does not fail: running out of memory ends the process with one line on stderr (exit
 * code 75, "restart me"), because everything durable is in the sink and the meta store, and going
 * on half-done is worse. Memory that a peer asks for is bounded before it comes here.
 */
#ifndef SLUICE_COMMON_BASE_MEMORY_H
#define SLUICE_COMMON_BASE_MEMORY_H

#include <stddef.h>

void *memory_alloc(size_t size) __attribute__((returns_nonnull, malloc));
void *memory_zalloc(size_t size) __attribute__((returns_nonnull, malloc));
void *memory_realloc(void *memory, size_t size) __attribute__((returns_nonnull));
char *memory_strdup(const char *text) __attribute__((returns_nonnull));
_Noreturn void memory_exhausted(size_t size);

#endif
