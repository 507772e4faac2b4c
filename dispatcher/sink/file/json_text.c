#include "dispatcher/sink/file/json_text.h"

/* The longest form of one byte: \u00XX. */
#define ESCAPED_MAX 6

static const char hex_digits[] = "0123456789abcdef";

static char *put_escape(char *at, uint8_t byte)
{
    *at++ = '\\';
    switch (byte) {
    case '"':
    case '\\':
        *at++ = (char)byte;
        return at;
    case '\n':
        *at++ = 'n';
        return at;
    case '\r':
        *at++ = 'r';
        return at;
    case '\t':
        *at++ = 't';
        return at;
    default:
        *at++ = 'u';
        *at++ = '0';
        *at++ = '0';
        *at++ = hex_digits[byte >> 4];
        *at++ = hex_digits[byte & 15];
        return at;
    }
}

static bool needs_escape(uint8_t byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\' || byte == '<' || byte == '>' || byte == '&';
}

/* U+2028 and U+2029 are line ends to JavaScript. */
static bool is_line_separator(bytes_t text, size_t at)
{
    return text.data[at] == 0xe2 && at + 2 < text.len && text.data[at + 1] == 0x80 &&
           (text.data[at + 2] == 0xa8 || text.data[at + 2] == 0xa9);
}

void json_text_string(sink_text_t *out, bytes_t text)
{
    char *at = sink_text_reserve(out, text.len * ESCAPED_MAX + 2);
    *at++ = '"';
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.data[i];
        if (needs_escape(byte)) {
            at = put_escape(at, byte);
        } else if (is_line_separator(text, i)) {
            memcpy(at, text.data[i + 2] == 0xa8 ? "\\u2028" : "\\u2029", 6);
            at += 6;
            i += 2;
        } else {
            *at++ = (char)byte;
        }
    }
    *at++ = '"';
    *at = '\0';
    out->len = (size_t)(at - out->text);
}

void json_text_binary(sink_text_t *out, bytes_t bytes)
{
    char *at = sink_text_reserve(out, bytes.len * ESCAPED_MAX + 2);
    *at++ = '"';
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t byte = bytes.data[i];
        if (needs_escape(byte)) {
            at = put_escape(at, byte);
        } else if (byte < 0x80) {
            *at++ = (char)byte;
        } else {
            *at++ = (char)(0xc0 | byte >> 6);
            *at++ = (char)(0x80 | (byte & 0x3f));
        }
    }
    *at++ = '"';
    *at = '\0';
    out->len = (size_t)(at - out->text);
}
