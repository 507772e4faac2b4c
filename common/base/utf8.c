#include "common/base/utf8.h"

static size_t len_by_first_byte(uint8_t c)
{
    if (c < 0x80)
        return 1;
    if (c >= 0xC2 && c < 0xE0)
        return 2;
    if (c >= 0xE0 && c < 0xF0)
        return 3;
    return c >= 0xF0 && c <= 0xF4 ? 4 : 0;
}

/* Longer forms than needed, surrogates, and what lies above U+10FFFF show in the second byte. */
static bool is_second_byte_allowed(uint8_t first, uint8_t second)
{
    if (first == 0xE0)
        return second >= 0xA0;
    if (first == 0xED)
        return second < 0xA0;
    if (first == 0xF0)
        return second >= 0x90;
    return first != 0xF4 || second < 0x90;
}

size_t utf8_character_len(bytes_t text)
{
    size_t len = len_by_first_byte(text.data[0]);
    if (len > text.len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((text.data[i] & 0xC0) != 0x80)
            return 0;
    return len > 1 && !is_second_byte_allowed(text.data[0], text.data[1]) ? 0 : len;
}

bool utf8_is_valid(bytes_t text)
{
    size_t len;
    for (size_t at = 0; at < text.len; at += len) {
        len = utf8_character_len(bytes_of(text.data + at, text.len - at));
        if (len == 0)
            return false;
    }
    return true;
}
