/* How a line of the log looks: logfmt or JSON, always one line, never longer than LOG_LINE_MAX. */
#include <stdio.h>

#include "common/base/utf8.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "common/runtime/uri.h"

#define VALUE_MAX 2048
/* Room that is kept for what closes a line: quote, brace, newline. */
#define LINE_TAIL 4

typedef struct {
    char *text;
    size_t len;
    log_format_t format;
} line_t;

/* Appends whole or not at all: an escape is never cut in two. */
static void put(line_t *line, const char *text, size_t len)
{
    if (line->len + len <= LOG_LINE_MAX - LINE_TAIL) {
        memcpy(line->text + line->len, text, len);
        line->len += len;
    }
}

static void put_text(line_t *line, const char *text)
{
    put(line, text, strlen(text));
}

static void put_escaped_byte(line_t *line, uint8_t c)
{
    char escape[8];
    if (c == '"' || c == '\\')
        snprintf(escape, sizeof escape, "\\%c", c);
    else if (c == '\n')
        snprintf(escape, sizeof escape, "\\n");
    else
        snprintf(escape, sizeof escape, "\\u%04x", c);
    put_text(line, escape);
}

/* C1 control characters are escapes to some terminals, hence not left as they are. */
static bool is_c1_control(bytes_t text, size_t len)
{
    return len == 2 && text.data[0] == 0xC2 && text.data[1] < 0xA0;
}

static void put_quoted(line_t *line, bytes_t text)
{
    put(line, "\"", 1);
    while (text.len) {
        size_t len = utf8_character_len(text);
        uint8_t c = text.data[0];
        bool is_plain = len > 1 ? !is_c1_control(text, len)
                                : len == 1 && c >= 0x20 && c != 0x7F && c != '"' && c != '\\';
        if (is_plain)
            put(line, (const char *)text.data, len);
        else
            put_escaped_byte(line, len > 1 ? text.data[1] : c);
        size_t step = len ? len : 1;
        text = bytes_of(text.data + step, text.len - step);
    }
    /* put keeps LINE_TAIL free, so that the quote fits whatever was cut. */
    line->text[line->len++] = '"';
}

static bool is_bare(bytes_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c <= ' ' || c >= 0x7F || c == '"' || c == '=' || c == '\\')
            return false;
    }
    return text.len > 0;
}

static void put_value(line_t *line, bytes_t text)
{
    char redacted[VALUE_MAX];
    if (text.len && memmem(text.data, text.len, "://", 3)) {
        uri_redact(text, redacted, sizeof redacted);
        text = bytes_of_text(redacted);
    } else if (text.len >= VALUE_MAX) {
        text.len = VALUE_MAX - 1;
    }
    if (line->format == LOG_FORMAT_LOGFMT && is_bare(text))
        put(line, (const char *)text.data, text.len);
    else
        put_quoted(line, text);
}

/* A field goes in only while its shortest form still fits, so that names are not left alone. */
static bool put_name(line_t *line, const char *name)
{
    bool is_json = line->format == LOG_FORMAT_JSON;
    if (line->len + strlen(name) + 8 > LOG_LINE_MAX - LINE_TAIL - 24)
        return false;
    if (line->len > (is_json ? 1U : 0U))
        put_text(line, is_json ? "," : " ");
    if (is_json)
        put(line, "\"", 1);
    put_text(line, name);
    put_text(line, is_json ? "\":" : "=");
    return true;
}

static void put_field(line_t *line, const char *name, bytes_t text)
{
    if (put_name(line, name))
        put_value(line, text);
}

static void put_number(line_t *line, const char *name, uint64_t number)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    if (put_name(line, name))
        put_text(line, digits);
}

size_t log_format_line(log_format_t format, wall_ms_t at, log_level_t level, const char *component,
                       const char *changefeed, const char *message, const log_attribute_t *fields,
                       size_t field_count, char text[LOG_LINE_MAX])
{
    line_t line = {.text = text, .format = format};
    char time[CLOCK_TEXT_SIZE];
    clock_format(at, time);
    if (format == LOG_FORMAT_JSON)
        put(&line, "{", 1);
    put_field(&line, "time", bytes_of_text(time));
    put_field(&line, "level", bytes_of_text(log_level_name(level)));
    put_field(&line, "component", bytes_of_text(component));
    if (changefeed)
        put_field(&line, "changefeed", bytes_of_text(changefeed));
    put_field(&line, "message", bytes_of_text(message));
    for (size_t i = 0; i < field_count; i++) {
        if (fields[i].text.data)
            put_field(&line, fields[i].name, fields[i].text);
        else
            put_number(&line, fields[i].name, fields[i].number);
    }
    if (format == LOG_FORMAT_JSON)
        text[line.len++] = '}';
    text[line.len++] = '\n';
    return line.len;
}
