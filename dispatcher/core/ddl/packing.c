#include "dispatcher/core/ddl/packing.h"

void pack_number(text_builder_t *to, uint64_t value)
{
    while (value >= 0x80) {
        text_add_char(to, (char)(value | 0x80));
        value >>= 7;
    }
    text_add_char(to, (char)value);
}

void pack_bytes(text_builder_t *to, bytes_t value)
{
    pack_number(to, value.len);
    text_add_bytes(to, value.data, value.len);
}

void pack_text(text_builder_t *to, const char *text)
{
    size_t len = text ? strlen(text) : 0;
    pack_number(to, text ? len + 1 : 0);
    text_add_bytes(to, text, len);
}

unpacker_t unpacker_of(bytes_t bytes, arena_t *arena)
{
    return (unpacker_t){bytes.data, bytes.data + bytes.len, false, arena};
}

uint64_t unpack_number(unpacker_t *from)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && from->at < from->end; shift += 7) {
        uint8_t byte = *from->at++;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80) && !from->failed)
            return value;
    }
    from->failed = true;
    return 0;
}

uint32_t unpack_below(unpacker_t *from, uint32_t max)
{
    uint64_t value = unpack_number(from);
    if (value > max) {
        from->failed = true;
        return 0;
    }
    return (uint32_t)value;
}

uint32_t unpack_count_of(unpacker_t *from, uint32_t least)
{
    uint64_t count = unpack_number(from);
    if (count > (uint64_t)(from->end - from->at) / least || count > UINT32_MAX) {
        from->failed = true;
        return 0;
    }
    return (uint32_t)count;
}

uint32_t unpack_count(unpacker_t *from)
{
    return unpack_count_of(from, 1);
}

bytes_t unpack_bytes(unpacker_t *from)
{
    uint32_t len = unpack_count(from);
    bytes_t value = bytes_of(from->at, len);
    from->at += len;
    return value;
}

const char *unpack_text(unpacker_t *from)
{
    uint64_t len = unpack_number(from);
    if (len == 0)
        return NULL;
    len--;
    if (len > (uint64_t)(from->end - from->at) || memchr(from->at, '\0', len)) {
        from->failed = true;
        return NULL;
    }
    const char *text = arena_strndup(from->arena, from->at, len);
    from->at += len;
    return text;
}

const char *unpack_name(unpacker_t *from)
{
    const char *text = unpack_text(from);
    if (!text)
        from->failed = true;
    return text ? text : "";
}
