#include "dispatcher/core/ddl/text_builder.h"

#include <stdarg.h>
#include <stdio.h>

void text_builder_init(text_builder_t *builder, arena_t *arena)
{
    *builder = (text_builder_t){.arena = arena};
}

static char *reserve(text_builder_t *builder, size_t more)
{
    size_t needed = builder->len + more + 1;
    if (needed > builder->capacity) {
        size_t capacity = builder->capacity ? builder->capacity * 2 : 64;
        if (capacity < needed)
            capacity = needed;
        char *data = arena_alloc(builder->arena, capacity);
        if (builder->len > 0)
            memcpy(data, builder->data, builder->len);
        builder->data = data;
        builder->capacity = capacity;
    }
    return builder->data + builder->len;
}

void text_add_bytes(text_builder_t *builder, const void *data, size_t len)
{
    char *at = reserve(builder, len);
    if (len > 0)
        memcpy(at, data, len);
    builder->len += len;
}

void text_add(text_builder_t *builder, const char *text)
{
    text_add_bytes(builder, text, strlen(text));
}

void text_add_char(text_builder_t *builder, char c)
{
    text_add_bytes(builder, &c, 1);
}

void text_add_format(text_builder_t *builder, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int len = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (len > 0) {
        vsnprintf(reserve(builder, (size_t)len), (size_t)len + 1, format, again);
        builder->len += (size_t)len;
    }
    va_end(again);
}

void text_add_identifier(text_builder_t *builder, const char *name)
{
    text_add_char(builder, '`');
    for (; *name; name++) {
        if (*name == '`')
            text_add_char(builder, '`');
        text_add_char(builder, *name);
    }
    text_add_char(builder, '`');
}

void text_add_qualified(text_builder_t *builder, const char *schema, const char *name)
{
    if (schema) {
        text_add_identifier(builder, schema);
        text_add_char(builder, '.');
    }
    text_add_identifier(builder, name);
}

void text_add_literal(text_builder_t *builder, bytes_t value)
{
    text_add_char(builder, '\'');
    for (size_t i = 0; i < value.len; i++) {
        char c = (char)value.data[i];
        if (c == '\0') {
            text_add(builder, "\\0");
            continue;
        }
        if (c == '\'' || c == '\\')
            text_add_char(builder, c);
        text_add_char(builder, c);
    }
    text_add_char(builder, '\'');
}

char *text_finish(text_builder_t *builder)
{
    *reserve(builder, 0) = '\0';
    return builder->data;
}
