#include "maintainer/ctl/output.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

#define COLUMNS_MAX 16

void output_json(const json_t *json, FILE *out)
{
    json_dumpf(json, out, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    fputc('\n', out);
}

static const json_t *find(const json_t *item, const char *path)
{
    while (item && *path) {
        char name[64];
        size_t len = strcspn(path, ".");
        snprintf(name, sizeof name, "%.*s", (int)len, path);
        item = json_object_get(item, name);
        path += len;
        path += *path == '.';
    }
    return item;
}

char *output_text(const json_t *item, const char *path)
{
    const json_t *value = find(item, path);
    char text[64] = "-";
    if (json_is_string(value) && json_string_length(value)) {
        char *copy = memory_strdup(json_string_value(value));
        for (char *c = copy; *c; c++)
            if ((unsigned char)*c < ' ' || *c == 0x7F)
                *c = '?';
        return copy;
    }
    if (json_is_integer(value))
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(text, sizeof text, "%.1f", json_real_value(value));
    else if (json_is_boolean(value))
        snprintf(text, sizeof text, "%s", json_is_true(value) ? "yes" : "no");
    return memory_strdup(text);
}

/* Characters, not bytes: continuation bytes of UTF-8 take no room. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static void put_cell(const char *text, size_t width, bool is_last, FILE *out)
{
    fputs(text, out);
    for (size_t i = width_of(text); i < width + 2 && !is_last; i++)
        fputc(' ', out);
}

static void measure(const json_t *items, const output_column_t *columns, size_t *widths)
{
    for (size_t c = 0; columns[c].title && c < COLUMNS_MAX; c++) {
        widths[c] = width_of(columns[c].title);
        for (size_t i = 0; i < json_array_size(items); i++) {
            char *text = output_text(json_array_get(items, i), columns[c].path);
            size_t width = width_of(text);
            if (width > widths[c])
                widths[c] = width;
            free(text);
        }
    }
}

void output_table(const json_t *items, const output_column_t *columns, FILE *out)
{
    size_t widths[COLUMNS_MAX] = {0};
    measure(items, columns, widths);
    for (size_t c = 0; columns[c].title; c++)
        put_cell(columns[c].title, widths[c], !columns[c + 1].title, out);
    fputc('\n', out);
    for (size_t i = 0; i < json_array_size(items); i++) {
        for (size_t c = 0; columns[c].title; c++) {
            char *text = output_text(json_array_get(items, i), columns[c].path);
            put_cell(text, widths[c], !columns[c + 1].title, out);
            free(text);
        }
        fputc('\n', out);
    }
}

void output_record(const json_t *item, const output_column_t *columns, FILE *out)
{
    size_t width = 0;
    for (size_t c = 0; columns[c].title; c++)
        if (width_of(columns[c].title) > width)
            width = width_of(columns[c].title);
    for (size_t c = 0; columns[c].title; c++) {
        char *text = output_text(item, columns[c].path);
        put_cell(columns[c].title, width, false, out);
        fprintf(out, "%s\n", text);
        free(text);
    }
}
