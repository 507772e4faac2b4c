#include "common/model/utf8.h"

size_t utf8_put(uint32_t character, uint8_t utf8[4])
{
    if (character < 0x80) {
        utf8[0] = (uint8_t)character;
        return 1;
    }
    if (character < 0x800) {
        utf8[0] = (uint8_t)(0xc0 | character >> 6);
        utf8[1] = (uint8_t)(0x80 | (character & 0x3f));
        return 2;
    }
    if (character < 0x10000) {
        utf8[0] = (uint8_t)(0xe0 | character >> 12);
        utf8[1] = (uint8_t)(0x80 | (character >> 6 & 0x3f));
        utf8[2] = (uint8_t)(0x80 | (character & 0x3f));
        return 3;
    }
    utf8[0] = (uint8_t)(0xf0 | character >> 18);
    utf8[1] = (uint8_t)(0x80 | (character >> 12 & 0x3f));
    utf8[2] = (uint8_t)(0x80 | (character >> 6 & 0x3f));
    utf8[3] = (uint8_t)(0x80 | (character & 0x3f));
    return 4;
}

size_t utf8_ascii_prefix(bytes_t text)
{
    size_t at = 0;
    for (; at + 8 <= text.len; at += 8) {
        uint64_t word;
        memcpy(&word, text.data + at, 8);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    while (at < text.len && text.data[at] < 0x80)
        at++;
    return at;
}

/* Length of the well-formed sequence at `at` (Unicode 15, table 3-7), 0 if there is none. */
static size_t utf8_sequence(bytes_t text, size_t at)
{
    const uint8_t *p = text.data + at;
    size_t left = text.len - at;
    uint8_t lead = p[0];
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    size_t len = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (left < len)
        return 0;
    uint8_t least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < least || p[1] > most)
        return 0;
    for (size_t i = 2; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return len;
}

size_t utf8_valid_prefix(bytes_t text)
{
    size_t at = utf8_ascii_prefix(text);
    while (at < text.len) {
        size_t len = utf8_sequence(text, at);
        if (len == 0)
            break;
        at += len;
    }
    return at;
}
