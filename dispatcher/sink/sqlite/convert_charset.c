/* From UTF-8 back to a column's charset: whether it can hold a text, and as which bytes. */
#include "common/model/utf8.h"
#include "dispatcher/sink/sqlite/convert_internal.h"

static bool is_one_of(const charset_t *charset, const char *const *names)
{
    for (; *names; names++) {
        if (strcmp(charset_name(charset), *names) == 0)
            return true;
    }
    return false;
}

static bool is_beyond_bmp(bytes_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] >= 0xf0)
            return true;
    }
    return false;
}

static size_t character_len(bytes_t text, size_t at)
{
    size_t len = 1;
    while (at + len < text.len && (text.data[at + len] & 0xc0) == 0x80)
        len++;
    return len;
}

/* The one byte that means this character; tried one by one, since only an ALTER asks. */
static bool find_byte(const convert_context_t *context, const charset_t *charset, bytes_t character,
                      uint8_t *byte)
{
    for (unsigned i = 0; i < 256; i++) {
        uint8_t candidate = (uint8_t)i;
        bytes_t utf8;
        if (charset_to_utf8(context->converter, charset, bytes_of(&candidate, 1), context->arena,
                            &utf8) == SLUICE_OK &&
            bytes_equal(utf8, character)) {
            *byte = candidate;
            return true;
        }
    }
    return false;
}

static bool encode_single(const convert_context_t *context, const charset_t *charset, bytes_t text,
                          bytes_t *encoded)
{
    uint8_t *out = arena_alloc(context->arena, text.len + 1);
    size_t len = 0;
    for (size_t at = 0; at < text.len;) {
        size_t character = character_len(text, at);
        if (!find_byte(context, charset, bytes_of(text.data + at, character), &out[len++]))
            return false;
        at += character;
    }
    *encoded = bytes_of(out, len);
    return true;
}

bool convert_encode(const convert_context_t *context, const charset_t *charset, bytes_t text,
                    bytes_t *encoded)
{
    static const char *const utf8[] = {"utf8mb4", "utf8mb3", NULL};
    static const char *const wide[] = {"ucs2", "utf16", "utf16le", "utf32", NULL};
    static const char *const east_asian[] = {"big5", "cp932", "eucjpms", "euckr", "gb2312",
                                             "gbk",  "sjis",  "ujis",    NULL};
    bool is_ascii = utf8_ascii_prefix(text) == text.len;
    *encoded = text;
    if (is_one_of(charset, utf8))
        return strcmp(charset_name(charset), "utf8mb4") == 0 || !is_beyond_bmp(text);
    if (is_one_of(charset, wide))
        return text.len == 0;
    if (is_one_of(charset, east_asian))
        return is_ascii;
    return (is_ascii && strcmp(charset_name(charset), "swe7") != 0) ||
           encode_single(context, charset, text, encoded);
}
