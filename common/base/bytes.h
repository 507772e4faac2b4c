/*
 * Borrowed byte strings: a pointer and a length, owned by somebody else. Text is UTF-8 unless said
 * otherwise and not NUL-terminated.
 */
#ifndef SLUICE_COMMON_BASE_BYTES_H
#define SLUICE_COMMON_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    const uint8_t *data;
    size_t len;
} bytes_t;

static inline bytes_t bytes_of(const void *data, size_t len)
{
    return (bytes_t){.data = data, .len = len};
}

static inline bytes_t bytes_of_text(const char *text)
{
    return (bytes_t){.data = (const uint8_t *)text, .len = strlen(text)};
}

static inline bool bytes_equal(bytes_t a, bytes_t b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Order of memcmp, a shorter string before one that continues it. */
static inline int bytes_compare(bytes_t a, bytes_t b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

#endif
