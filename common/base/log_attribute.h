/*
 * A field of a line of the log. Here, because cores say lines too, and the runtime writes them.
 * Threads: values.
 */
#ifndef SLUICE_COMMON_BASE_LOG_ATTRIBUTE_H
#define SLUICE_COMMON_BASE_LOG_ATTRIBUTE_H

#include "common/base/bytes.h"

/* Text is borrowed until the line is written. */
typedef struct {
    const char *name;
    bytes_t text; /* data NULL: `number` counts */
    uint64_t number;
} log_attribute_t;

static inline log_attribute_t log_text(const char *name, const char *text)
{
    return (log_attribute_t){.name = name, .text = bytes_of_text(text ? text : "")};
}

static inline log_attribute_t log_bytes(const char *name, bytes_t text)
{
    return (log_attribute_t){.name = name,
                             .text = bytes_of(text.data ? (const void *)text.data : "", text.len)};
}

static inline log_attribute_t log_number(const char *name, uint64_t number)
{
    return (log_attribute_t){.name = name, .number = number};
}

#endif
