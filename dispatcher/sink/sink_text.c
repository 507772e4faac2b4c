#include "dispatcher/sink/sink_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"

#define SINK_TEXT_FIRST 256

void sink_text_clear(sink_text_t *builder)
{
    free(builder->text);
    *builder = (sink_text_t){0};
}

void sink_text_reset(sink_text_t *builder)
{
    builder->len = 0;
    if (builder->text)
        builder->text[0] = '\0';
}

char *sink_text_reserve(sink_text_t *builder, size_t more)
{
    size_t need = builder->len + more + 1;
    if (need > builder->size) {
        size_t size = builder->size ? builder->size * 2 : SINK_TEXT_FIRST;
        builder->size = size > need ? size : need;
        builder->text = memory_realloc(builder->text, builder->size);
    }
    return builder->text + builder->len;
}

void sink_text_bytes(sink_text_t *builder, bytes_t bytes)
{
    char *at = sink_text_reserve(builder, bytes.len);
    if (bytes.len)
        memcpy(at, bytes.data, bytes.len);
    builder->len += bytes.len;
    builder->text[builder->len] = '\0';
}

void sink_text_text(sink_text_t *builder, const char *text)
{
    sink_text_bytes(builder, bytes_of_text(text));
}

void sink_text_char(sink_text_t *builder, char c)
{
    sink_text_bytes(builder, bytes_of(&c, 1));
}

void sink_text_printf(sink_text_t *builder, const char *format, ...)
{
    size_t room = SINK_TEXT_FIRST;
    for (;;) {
        va_list arguments;
        va_start(arguments, format);
        int len = vsnprintf(sink_text_reserve(builder, room), room + 1, format, arguments);
        va_end(arguments);
        if (len < 0)
            return;
        if ((size_t)len <= room) {
            builder->len += (size_t)len;
            return;
        }
        room = (size_t)len;
    }
}

void sink_text_unsigned(sink_text_t *builder, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    sink_text_bytes(builder, bytes_of(digits + at, sizeof digits - at));
}

static void put_quoted(sink_text_t *builder, bytes_t text, char quote)
{
    char *at = sink_text_reserve(builder, 2 * text.len + 2);
    *at++ = quote;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == (uint8_t)quote)
            *at++ = quote;
        *at++ = (char)text.data[i];
    }
    *at++ = quote;
    *at = '\0';
    builder->len = (size_t)(at - builder->text);
}

void sink_text_identifier(sink_text_t *builder, const char *name)
{
    put_quoted(builder, bytes_of_text(name), '"');
}

void sink_text_literal(sink_text_t *builder, bytes_t text)
{
    put_quoted(builder, text, '\'');
}
