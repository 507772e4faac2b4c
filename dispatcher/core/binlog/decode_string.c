#include "dispatcher/core/binlog/column_decoder.h"
#include "dispatcher/core/binlog/compression.h"

/* The server strips trailing zero bytes of fixed-length binary values. */
static bytes_t pad(bytes_t stored, uint32_t pad_to, arena_t *arena)
{
    uint8_t *whole = arena_zalloc(arena, pad_to);
    if (stored.len)
        memcpy(whole, stored.data, stored.len);
    return bytes_of(whole, pad_to);
}

bool decode_string(const column_decoder_t *decoder, cursor_t *cursor, arena_t *arena,
                   value_t *value)
{
    size_t len = (size_t)cursor_uint(cursor, decoder->size);
    bytes_t stored = cursor_bytes(cursor, len);
    if (cursor->failed)
        return false;
    value->kind = decoder->kind;
    value->bytes = stored;
    if (decoder->pad_to) {
        if (stored.len > decoder->pad_to)
            return false;
        if (stored.len < decoder->pad_to)
            value->bytes = pad(stored, decoder->pad_to, arena);
    }
    if (decoder->is_compressed)
        return column_inflate(stored, arena, &value->bytes) == SLUICE_OK;
    return true;
}
