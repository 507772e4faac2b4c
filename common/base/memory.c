#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void memory_exhausted(size_t size)
{
    (void)size;
    static const char text[] = "out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    _exit(75);
}

void *memory_alloc(size_t size)
{
    void *memory = malloc(size ? size : 1);
    if (!memory)
        memory_exhausted(size);
    return memory;
}

void *memory_zalloc(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (!memory)
        memory_exhausted(size);
    return memory;
}

void *memory_realloc(void *memory, size_t size)
{
    void *grown = realloc(memory, size ? size : 1);
    if (!grown)
        memory_exhausted(size);
    return grown;
}

char *memory_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memory_alloc(size);
    memcpy(copy, text, size);
    return copy;
}
