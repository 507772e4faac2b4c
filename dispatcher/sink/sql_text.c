#include "dispatcher/sink/sql_text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"

#define ROOM_AT_FIRST 256

static char *text_extend(sql_text_t *text, size_t len)
{
    size_t wanted = text->len + len + 1;
    if (wanted > text->room) {
        size_t room = text->room ? text->room : ROOM_AT_FIRST;
        while (room < wanted)
            room *= 2;
        text->data = memory_realloc(text->data, room);
        text->room = room;
    }
    char *at = text->data + text->len;
    text->len += len;
    text->data[text->len] = '\0';
    return at;
}

void sql_text_clear(sql_text_t *text)
{
    free(text->data);
    *text = (sql_text_t){0};
}

void sql_text_reset(sql_text_t *text)
{
    text->len = 0;
    if (text->data)
        text->data[0] = '\0';
}

void sql_text_add_bytes(sql_text_t *text, bytes_t bytes)
{
    char *at = text_extend(text, bytes.len);
    if (bytes.len > 0)
        memcpy(at, bytes.data, bytes.len);
}

void sql_text_add(sql_text_t *text, const char *sql)
{
    sql_text_add_bytes(text, bytes_of_text(sql));
}

void sql_text_printf(sql_text_t *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    assert(len >= 0);
    char *at = text_extend(text, (size_t)len);
    va_start(arguments, format);
    vsnprintf(at, (size_t)len + 1, format, arguments);
    va_end(arguments);
}

static void add_quoted(sql_text_t *text, const char *value, char quote, char escape)
{
    char *at = text_extend(text, 2 * strlen(value) + 2);
    *at++ = quote;
    for (; *value; value++) {
        if (*value == quote)
            *at++ = quote;
        else if (escape && *value == escape)
            *at++ = escape;
        *at++ = *value;
    }
    *at++ = quote;
    text->len = (size_t)(at - text->data);
    *at = '\0';
}

void sql_text_add_name(sql_text_t *text, const char *name)
{
    add_quoted(text, name, '`', '\0');
}

void sql_text_add_table(sql_text_t *text, const char *schema, const char *name)
{
    sql_text_add_name(text, schema);
    sql_text_add(text, ".");
    sql_text_add_name(text, name);
}

void sql_text_add_string(sql_text_t *text, const char *value)
{
    add_quoted(text, value, '\'', '\\');
}

void sql_text_add_hex(sql_text_t *text, bytes_t bytes)
{
    static const char digits[] = "0123456789ABCDEF";
    char *at = text_extend(text, 2 * bytes.len + 3);
    *at++ = 'X';
    *at++ = '\'';
    for (size_t i = 0; i < bytes.len; i++) {
        *at++ = digits[bytes.data[i] >> 4];
        *at++ = digits[bytes.data[i] & 15];
    }
    *at = '\'';
}

const char *sql_text_get(const sql_text_t *text)
{
    return text->data ? text->data : "";
}
