#include "common/runtime/config.h"

#include <ctype.h>
#include <stdlib.h>

#define NAME_MAX_LEN 128

/* "section.key-word" as SLUICE_SECTION_KEY_WORD. */
static void environment_name(const config_key_t *key, char name[NAME_MAX_LEN])
{
    size_t len = (size_t)snprintf(name, NAME_MAX_LEN, "SLUICE_%s", key->name);
    for (size_t i = 0; i < len && i < NAME_MAX_LEN; i++)
        name[i] = name[i] == '.' || name[i] == '-' ? '_' : (char)toupper((unsigned char)name[i]);
}

static sluice_error_t read_environment(const config_table_t *table, arena_t *arena, void *values,
                                       error_report_t *report)
{
    for (size_t i = 0; i < table->count; i++) {
        char name[NAME_MAX_LEN];
        environment_name(&table->keys[i], name);
        const char *text = getenv(name);
        error_report_t why;
        if (text && config_set(&table->keys[i], text, arena, values, &why) != SLUICE_OK)
            return error_report_set(report, SLUICE_ERROR_CONFIGURATION, "environment %s: %s", name,
                                    why.text);
    }
    return SLUICE_OK;
}

static const config_key_t *find_key(const config_table_t *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->keys[i].name, name) == 0)
            return &table->keys[i];
    return NULL;
}

static sluice_error_t read_flags(const config_table_t *table, const config_sources_t *sources,
                                 arena_t *arena, void *values, error_report_t *report)
{
    for (uint32_t i = 0; i < sources->flag_count; i++) {
        const config_key_t *key = find_key(table, sources->flags[i].name);
        error_report_t why;
        if (!key)
            return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                    "command line: unknown key '%s'", sources->flags[i].name);
        if (config_set(key, sources->flags[i].value, arena, values, &why) != SLUICE_OK)
            return error_report_set(report, SLUICE_ERROR_CONFIGURATION, "command line: %s",
                                    why.text);
    }
    return SLUICE_OK;
}

static sluice_error_t set_defaults(const config_table_t *table, arena_t *arena, void *values,
                                   error_report_t *report)
{
    for (size_t i = 0; i < table->count; i++)
        if (config_set(&table->keys[i], table->keys[i].otherwise, arena, values, report) !=
            SLUICE_OK)
            return SLUICE_ERROR_BUG;
    return SLUICE_OK;
}

sluice_error_t config_load(const config_table_t *table, const config_sources_t *sources,
                           arena_t *arena, void *values, error_report_t *report)
{
    sluice_error_t error = set_defaults(table, arena, values, report);
    if (error == SLUICE_OK && sources->path)
        error = config_read_file(table, sources->path, arena, values, report);
    if (error == SLUICE_OK && sources->use_environment)
        error = read_environment(table, arena, values, report);
    if (error == SLUICE_OK)
        error = read_flags(table, sources, arena, values, report);
    return error;
}

static bool is_flag_of(const config_key_t *key, const char *flag)
{
    size_t i = 0;
    for (; key->name[i]; i++)
        if (flag[i] != (strchr("._", key->name[i]) ? '-' : key->name[i]))
            return false;
    return flag[i] == '\0';
}

const config_key_t *config_find_flag(const config_table_t *table, const char *flag)
{
    if (strncmp(flag, "--", 2) == 0)
        flag += 2;
    for (size_t i = 0; i < table->count; i++)
        if (is_flag_of(&table->keys[i], flag))
            return &table->keys[i];
    return NULL;
}

/* Length of "section" in "section.key", 0 for a key without one. */
static size_t section_len(const char *name)
{
    const char *dot = strchr(name, '.');
    return dot ? (size_t)(dot - name) : 0;
}

static bool is_same_section(const char *a, const char *b)
{
    size_t len = section_len(a);
    return len == section_len(b) && strncmp(a, b, len) == 0;
}

static void write_key(const config_key_t *key, const void *values, FILE *out)
{
    size_t section = section_len(key->name);
    const char *name = section ? key->name + section + 1 : key->name;
    const char *indent = section ? "  " : "";
    arena_t arena = {0};
    fprintf(out, "%s# %s\n", indent, key->help);
    if (values)
        fprintf(out, "%s%s: %s\n", indent, name, config_value_text(key, values, &arena));
    else
        fprintf(out, "%s#%s: %s\n", indent, name, config_value_text(key, NULL, &arena));
    arena_clear(&arena);
}

void config_write(const config_table_t *table, const void *values, FILE *out)
{
    const char *previous = "";
    for (size_t i = 0; i < table->count; i++) {
        const config_key_t *key = &table->keys[i];
        size_t section = section_len(key->name);
        if (i > 0 && !is_same_section(previous, key->name))
            fprintf(out, "\n");
        if (section && !is_same_section(previous, key->name))
            fprintf(out, "%s%.*s:\n", values ? "" : "#", (int)section, key->name);
        write_key(key, values, out);
        previous = key->name;
    }
}
