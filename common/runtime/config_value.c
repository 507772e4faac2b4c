/* Values of the configuration: from text, and back. */
#include <stdlib.h>

#include "common/base/time.h"
#include "common/runtime/config.h"

typedef struct {
    const char *name;
    uint64_t factor;
} unit_t;

/* Largest first, so that a value is written in the largest unit that divides it. */
static const unit_t durations[] = {{"h", 3600 * NS_PER_S},
                                   {"m", 60 * NS_PER_S},
                                   {"s", NS_PER_S},
                                   {"ms", NS_PER_MS},
                                   {"us", NS_PER_US},
                                   {"ns", 1},
                                   {NULL, 0}};
static const unit_t sizes[] = {
    {"GiB", 1024 * 1024 * 1024}, {"MiB", 1024 * 1024}, {"KiB", 1024}, {"", 1}, {NULL, 0}};
static const unit_t plain[] = {{"", 1}, {NULL, 0}};

static const unit_t *units_of(config_kind_t kind)
{
    if (kind == CONFIG_DURATION)
        return durations;
    return kind == CONFIG_BYTES ? sizes : plain;
}

static const char *wanted(config_kind_t kind)
{
    if (kind == CONFIG_DURATION)
        return "a duration such as 10s, 200ms, 5m";
    return kind == CONFIG_BYTES ? "a size such as 4096, 64KiB, 1GiB" : "a whole number";
}

static char *quantity_text(const unit_t *units, uint64_t value, arena_t *arena)
{
    const unit_t *unit = units;
    while (unit[1].name && (value == 0 || value % unit->factor != 0))
        unit++;
    return arena_printf(arena, "%llu%s", (unsigned long long)(value / unit->factor), unit->name);
}

static bool parse_quantity(const unit_t *units, const char *text, uint64_t *value)
{
    uint64_t number = 0;
    size_t digits = 0;
    for (; text[digits] >= '0' && text[digits] <= '9'; digits++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(text[digits] - '0'), &number))
            return false;
    if (digits == 0)
        return false;
    for (const unit_t *unit = units; unit->name; unit++)
        if (strcmp(text + digits, unit->name) == 0)
            return !__builtin_mul_overflow(number, unit->factor, value);
    return false;
}

static sluice_error_t set_quantity(const config_key_t *key, const char *text, uint64_t *value,
                                   error_report_t *report)
{
    const unit_t *units = units_of(key->kind);
    if (!parse_quantity(units, text, value))
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION, "%s: '%.64s' is not %s",
                                key->name, text, wanted(key->kind));
    if (*value >= key->min && *value <= key->max)
        return SLUICE_OK;
    arena_t arena = {0};
    error_report_set(report, SLUICE_ERROR_CONFIGURATION, "%s: %.64s is outside %s to %s", key->name,
                     text, quantity_text(units, key->min, &arena),
                     quantity_text(units, key->max, &arena));
    arena_clear(&arena);
    return SLUICE_ERROR_CONFIGURATION;
}

static sluice_error_t set_boolean(const config_key_t *key, const char *text, bool *value,
                                  error_report_t *report)
{
    *value = strcmp(text, "true") == 0;
    if (!*value && strcmp(text, "false") != 0)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "%s: '%.64s' is neither true nor false", key->name, text);
    return SLUICE_OK;
}

static sluice_error_t set_choice(const config_key_t *key, const char *text, arena_t *arena,
                                 const char **value, error_report_t *report)
{
    char choices[256] = "";
    for (const char *const *choice = key->choices; *choice; choice++) {
        if (strcmp(*choice, text) == 0) {
            *value = arena_strdup(arena, text);
            return SLUICE_OK;
        }
        size_t len = strlen(choices);
        snprintf(choices + len, sizeof choices - len, " %s", *choice);
    }
    return error_report_set(report, SLUICE_ERROR_CONFIGURATION, "%s: '%.64s' is none of%s",
                            key->name, text, choices);
}

static sluice_error_t set_list(const config_key_t *key, const char *text, arena_t *arena,
                               config_list_t *list, error_report_t *report)
{
    const char **items = arena_calloc(arena, CONFIG_LIST_MAX, sizeof *items);
    *list = (config_list_t){.items = items};
    while (*text) {
        size_t len = strcspn(text, ",");
        if (len == 0 || list->count == CONFIG_LIST_MAX)
            return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                    "%s: an empty or one entry more than %d", key->name,
                                    CONFIG_LIST_MAX);
        items[list->count++] = arena_strndup(arena, text, len);
        text += len;
        text += *text == ',';
    }
    return SLUICE_OK;
}

sluice_error_t config_set(const config_key_t *key, const char *text, arena_t *arena, void *values,
                          error_report_t *report)
{
    void *field = (char *)values + key->offset;
    switch (key->kind) {
    case CONFIG_TEXT:
        *(const char **)field = arena_strdup(arena, text);
        return SLUICE_OK;
    case CONFIG_CHOICE:
        return set_choice(key, text, arena, field, report);
    case CONFIG_NUMBER:
    case CONFIG_DURATION:
    case CONFIG_BYTES:
        return set_quantity(key, text, field, report);
    case CONFIG_BOOLEAN:
        return set_boolean(key, text, field, report);
    case CONFIG_LIST:
        return set_list(key, text, arena, field, report);
    }
    return SLUICE_ERROR_BUG;
}

/* Single-quoted YAML: only the quote itself is doubled. */
static char *quoted(const char *text, arena_t *arena)
{
    char *out = arena_alloc(arena, strlen(text) * 2 + 3);
    size_t len = 0;
    out[len++] = '\'';
    for (; *text; text++) {
        if (*text == '\'')
            out[len++] = '\'';
        out[len++] = *text;
    }
    out[len++] = '\'';
    out[len] = '\0';
    return out;
}

static const char *list_text(const config_list_t *list, arena_t *arena)
{
    const char *text = "[";
    for (uint32_t i = 0; i < list->count; i++)
        text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", quoted(list->items[i], arena));
    return arena_printf(arena, "%s]", text);
}

static const char *default_text(const config_key_t *key, arena_t *arena)
{
    config_list_t list;
    if (key->kind == CONFIG_TEXT || key->kind == CONFIG_CHOICE)
        return quoted(key->otherwise, arena);
    if (key->kind != CONFIG_LIST || set_list(key, key->otherwise, arena, &list, NULL) != SLUICE_OK)
        return key->otherwise;
    return list_text(&list, arena);
}

const char *config_value_text(const config_key_t *key, const void *values, arena_t *arena)
{
    if (!values)
        return default_text(key, arena);
    const void *field = (const char *)values + key->offset;
    switch (key->kind) {
    case CONFIG_TEXT:
    case CONFIG_CHOICE:
        return quoted(*(const char *const *)field, arena);
    case CONFIG_NUMBER:
    case CONFIG_DURATION:
    case CONFIG_BYTES:
        return quantity_text(units_of(key->kind), *(const uint64_t *)field, arena);
    case CONFIG_BOOLEAN:
        return *(const bool *)field ? "true" : "false";
    case CONFIG_LIST:
        return list_text(field, arena);
    }
    return "";
}
