#include "common/filter/name_case.h"

#include <strings.h>

/* Lower case of a two-byte character, whose lower case also takes two bytes. */
static uint32_t fold_character(uint32_t c)
{
    if (c >= 0xC0 && c <= 0xDE && c != 0xD7)
        return c + 0x20;
    if ((c >= 0x100 && c <= 0x137 && c != 0x130 && c != 0x131) || (c >= 0x14A && c <= 0x177))
        return c | 1;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E))
        return c % 2 ? c + 1 : c;
    if (c == 0x178)
        return 0xFF;
    if (c >= 0x391 && c <= 0x3AB && c != 0x3A2)
        return c + 0x20;
    if (c >= 0x400 && c <= 0x40F)
        return c + 0x50;
    if (c >= 0x410 && c <= 0x42F)
        return c + 0x20;
    return c;
}

size_t name_fold(bytes_t text, uint8_t *folded)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.data[i];
        folded[i] = byte;
        if (byte >= 'A' && byte <= 'Z') {
            folded[i] = (uint8_t)(byte + 0x20);
        } else if (byte >= 0xC2 && byte <= 0xDF && i + 1 < text.len &&
                   (text.data[i + 1] & 0xC0) == 0x80) {
            uint32_t c = fold_character((uint32_t)(byte & 0x1F) << 6 | (text.data[i + 1] & 0x3F));
            folded[i] = (uint8_t)(0xC0 | c >> 6);
            folded[++i] = (uint8_t)(0x80 | (c & 0x3F));
        }
    }
    return text.len;
}

bool name_equal_ascii(bytes_t a, const char *b)
{
    return strlen(b) == a.len && strncasecmp((const char *)a.data, b, a.len) == 0;
}
