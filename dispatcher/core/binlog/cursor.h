/*
 * Reads a borrowed byte string from front to back. Reading past the end yields zeros and sets
 * `failed` for good, so that a parser reads a whole structure and asks once.
 *
 * Numbers are little endian unless said otherwise. Threads: a value.
 */
#ifndef SLUICE_DISPATCHER_CORE_BINLOG_CURSOR_H
#define SLUICE_DISPATCHER_CORE_BINLOG_CURSOR_H

#include "common/base/bytes.h"

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
} cursor_t;

static inline cursor_t cursor_of(bytes_t bytes)
{
    return (cursor_t){.at = bytes.data, .end = bytes.data + bytes.len, .failed = false};
}

static inline size_t cursor_left(const cursor_t *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

/* Goes to the end and stays there. */
static inline void cursor_fail(cursor_t *cursor)
{
    cursor->at = cursor->end;
    cursor->failed = true;
}

/* The next `len` bytes; none (and failed) when fewer are left. */
static inline bytes_t cursor_bytes(cursor_t *cursor, size_t len)
{
    if (len > cursor_left(cursor)) {
        cursor_fail(cursor);
        return (bytes_t){0};
    }
    bytes_t bytes = bytes_of(cursor->at, len);
    cursor->at += len;
    return bytes;
}

static inline bytes_t cursor_rest(cursor_t *cursor)
{
    return cursor_bytes(cursor, cursor_left(cursor));
}

static inline uint64_t little_endian(const uint8_t *data, size_t len)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++)
        number |= (uint64_t)data[i] << (8 * i);
    return number;
}

static inline uint64_t big_endian(const uint8_t *data, size_t len)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++)
        number = number << 8 | data[i];
    return number;
}

/* An unsigned number of 1 to 8 bytes. */
static inline uint64_t cursor_uint(cursor_t *cursor, size_t len)
{
    if (len > cursor_left(cursor)) {
        cursor_fail(cursor);
        return 0;
    }
    uint64_t number = little_endian(cursor->at, len);
    cursor->at += len;
    return number;
}

static inline uint8_t cursor_u8(cursor_t *cursor)
{
    return (uint8_t)cursor_uint(cursor, 1);
}

static inline uint16_t cursor_u16(cursor_t *cursor)
{
    return (uint16_t)cursor_uint(cursor, 2);
}

static inline uint32_t cursor_u32(cursor_t *cursor)
{
    return (uint32_t)cursor_uint(cursor, 4);
}

static inline uint64_t cursor_u64(cursor_t *cursor)
{
    return cursor_uint(cursor, 8);
}

/* MariaDB's length-encoded integer: one byte up to 250, else 0xfc, 0xfd or 0xfe and 2, 3 or 8
 * bytes. 0xfb (NULL) and 0xff are no numbers here. */
static inline uint64_t cursor_lenenc(cursor_t *cursor)
{
    uint8_t first = cursor_u8(cursor);
    if (first <= 250)
        return first;
    if (first == 0xfc)
        return cursor_uint(cursor, 2);
    if (first == 0xfd)
        return cursor_uint(cursor, 3);
    if (first == 0xfe)
        return cursor_uint(cursor, 8);
    cursor_fail(cursor);
    return 0;
}

#endif
