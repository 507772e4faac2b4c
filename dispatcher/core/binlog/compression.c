#include "dispatcher/core/binlog/compression.h"

#include <zlib.h>

#include "dispatcher/core/binlog/cursor.h"

/* deflate packs at most 1032 bytes into one (zlib's technical notes); more is a lie that would
 * only make us allocate. */
#define INFLATE_RATIO_MAX 1040
#define LENGTH_BYTES_MAX 4

static bool is_plausible(size_t compressed, uint64_t claimed)
{
    return claimed <= ((uint64_t)compressed + 16) * INFLATE_RATIO_MAX && claimed <= UINT32_MAX;
}

static bool inflate_exactly(bytes_t from, int window_bits, uint8_t *to, size_t len)
{
    z_stream stream = {0};
    if (from.len > UINT32_MAX || inflateInit2(&stream, window_bits) != Z_OK)
        return false;
    stream.next_in = (Bytef *)from.data;
    stream.avail_in = (uInt)from.len;
    stream.next_out = to;
    stream.avail_out = (uInt)len;
    int result = inflate(&stream, Z_FINISH);
    bool is_whole = result == Z_STREAM_END && stream.avail_out == 0;
    inflateEnd(&stream);
    return is_whole;
}

/* Header byte and length are read from the front of `cursor`; `count` length bytes follow. */
static sluice_error_t inflate_rest(cursor_t *cursor, size_t count, int window_bits, bytes_t prefix,
                                   arena_t *arena, bytes_t *inflated)
{
    if (count < 1 || count > LENGTH_BYTES_MAX)
        return SLUICE_ERROR_SOURCE_CORRUPT;
    bytes_t length = cursor_bytes(cursor, count);
    if (cursor->failed)
        return SLUICE_ERROR_SOURCE_CORRUPT;
    uint64_t len = big_endian(length.data, length.len);
    bytes_t packed = cursor_rest(cursor);
    if (!is_plausible(packed.len, len))
        return SLUICE_ERROR_SOURCE_CORRUPT;
    uint8_t *buf = arena_alloc(arena, prefix.len + (size_t)len + 1);
    if (prefix.len)
        memcpy(buf, prefix.data, prefix.len);
    if (!inflate_exactly(packed, window_bits, buf + prefix.len, (size_t)len))
        return SLUICE_ERROR_SOURCE_CORRUPT;
    *inflated = bytes_of(buf, prefix.len + (size_t)len);
    return SLUICE_OK;
}

sluice_error_t event_inflate(bytes_t compressed, bytes_t prefix, arena_t *arena, bytes_t *inflated)
{
    cursor_t cursor = cursor_of(compressed);
    uint8_t first = cursor_u8(&cursor);
    /* Bits 4 to 6 name the algorithm; 0 is zlib, the only one there is. */
    if (cursor.failed || (first & 0xf0) != 0x80)
        return SLUICE_ERROR_SOURCE_CORRUPT;
    return inflate_rest(&cursor, first & 0x0f, MAX_WBITS, prefix, arena, inflated);
}

sluice_error_t column_inflate(bytes_t stored, arena_t *arena, bytes_t *value)
{
    cursor_t cursor = cursor_of(stored);
    if (stored.len == 0) {
        *value = stored;
        return SLUICE_OK;
    }
    uint8_t first = cursor_u8(&cursor);
    if (first == 0) {
        *value = cursor_rest(&cursor);
        return SLUICE_OK;
    }
    if ((first & 0xf0) != 0x80)
        return SLUICE_ERROR_SOURCE_CORRUPT;
    int window_bits = (first & 0x08) ? -MAX_WBITS : MAX_WBITS;
    return inflate_rest(&cursor, first & 0x07, window_bits, (bytes_t){0}, arena, value);
}
