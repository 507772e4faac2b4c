/* A configuration file: YAML of at most two levels, read event by event so that every complaint
 * has its line. */
#include <errno.h>
#include <sys/stat.h>
#include <yaml.h>

#include "common/runtime/config.h"

#define NAME_BYTES_MAX 128

typedef struct {
    const config_table_t *table;
    const char *path;
    arena_t *arena;
    void *values;
    error_report_t *report;
    yaml_parser_t parser;
    yaml_event_t event;
    size_t *lines; /* by key: where it was given, 0: not yet */
    size_t line;
    sluice_error_t error;
} reader_t;

static bool refuse(reader_t *reader, const char *what, const char *name)
{
    reader->error =
        error_report_set(reader->report, SLUICE_ERROR_CONFIGURATION, "%s:%zu: %s%s%s", reader->path,
                         reader->line, name ? name : "", name ? ": " : "", what);
    return false;
}

/* Moves to the next event; false when there is none because of an error. */
static bool next(reader_t *reader)
{
    yaml_event_delete(&reader->event);
    if (!yaml_parser_parse(&reader->parser, &reader->event)) {
        reader->line = reader->parser.problem_mark.line + 1;
        const char *problem = reader->parser.problem;
        return refuse(reader, problem ? problem : "is not YAML", NULL);
    }
    reader->line = reader->event.start_mark.line + 1;
    return true;
}

static bool is_event(const reader_t *reader, yaml_event_type_t type)
{
    return reader->event.type == type;
}

/* The scalar's text, NULL with a refusal when it holds a NUL or an anchor is set on it. */
static const char *scalar(reader_t *reader, const char *name)
{
    const char *text = (const char *)reader->event.data.scalar.value;
    if (strlen(text) != reader->event.data.scalar.length || reader->event.data.scalar.anchor) {
        refuse(reader, "NUL bytes, anchors and aliases are not allowed", name);
        return NULL;
    }
    return text;
}

/* The items of a sequence as one text with commas, which is how every other source writes a list.
 */
static const char *sequence(reader_t *reader, const char *name)
{
    const char *text = "";
    while (next(reader) && is_event(reader, YAML_SCALAR_EVENT)) {
        const char *item = scalar(reader, name);
        if (!item)
            return NULL;
        if (!*item || strchr(item, ',')) {
            refuse(reader, "an entry is empty or has a comma", name);
            return NULL;
        }
        text = arena_printf(reader->arena, "%s%s%s", text, *text ? "," : "", item);
    }
    if (reader->error == SLUICE_OK && !is_event(reader, YAML_SEQUENCE_END_EVENT))
        refuse(reader, "a list may hold only plain values", name);
    return reader->error == SLUICE_OK ? text : NULL;
}

static bool set_value(reader_t *reader, const config_key_t *key)
{
    size_t *given = &reader->lines[key - reader->table->keys];
    if (*given)
        return refuse(reader,
                      arena_printf(reader->arena, "is given twice, first in line %zu", *given),
                      key->name);
    *given = reader->line;
    const char *text = NULL;
    size_t line = reader->line;
    if (is_event(reader, YAML_SCALAR_EVENT)) {
        bool is_empty = reader->event.data.scalar.length == 0 &&
                        reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        if (is_empty)
            return refuse(reader, "has no value", key->name);
        text = scalar(reader, key->name);
    } else if (is_event(reader, YAML_SEQUENCE_START_EVENT) && key->kind == CONFIG_LIST) {
        text = sequence(reader, key->name);
    } else {
        return refuse(reader, "is not a plain value", key->name);
    }
    error_report_t why;
    if (!text)
        return false;
    if (config_set(key, text, reader->arena, reader->values, &why) == SLUICE_OK)
        return true;
    reader->line = line;
    return refuse(reader, why.text, NULL);
}

static const config_key_t *find(const reader_t *reader, const char *name)
{
    for (size_t i = 0; i < reader->table->count; i++)
        if (strcmp(reader->table->keys[i].name, name) == 0)
            return &reader->table->keys[i];
    return NULL;
}

static bool is_section(const reader_t *reader, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < reader->table->count; i++) {
        const char *key = reader->table->keys[i].name;
        if (strncmp(key, name, len) == 0 && key[len] == '.')
            return true;
    }
    return false;
}

static bool read_mapping(reader_t *reader, const char *section);

static bool read_entry(reader_t *reader, const char *section)
{
    const char *text = is_event(reader, YAML_SCALAR_EVENT) ? scalar(reader, section) : NULL;
    char name[NAME_BYTES_MAX];
    if (!text)
        return reader->error == SLUICE_OK ? refuse(reader, "a key is no plain text", section)
                                          : false;
    int len =
        snprintf(name, sizeof name, "%s%s%s", section ? section : "", section ? "." : "", text);
    const config_key_t *key = len < NAME_BYTES_MAX ? find(reader, name) : NULL;
    if (!key && (section || !is_section(reader, name)))
        return refuse(reader, "unknown key", name);
    if (!next(reader))
        return false;
    if (key)
        return set_value(reader, key);
    if (!is_event(reader, YAML_MAPPING_START_EVENT))
        return refuse(reader, "is a section: its keys belong below it, indented", name);
    return read_mapping(reader, name);
}

/* From behind the mapping's start to its end. */
static bool read_mapping(reader_t *reader, const char *section)
{
    while (next(reader) && !is_event(reader, YAML_MAPPING_END_EVENT))
        if (!read_entry(reader, section))
            return false;
    return reader->error == SLUICE_OK;
}

static bool read_document(reader_t *reader)
{
    if (!next(reader) || !next(reader) || is_event(reader, YAML_STREAM_END_EVENT))
        return reader->error == SLUICE_OK; /* nothing but comments */
    if (!next(reader))
        return false;
    bool is_empty = is_event(reader, YAML_SCALAR_EVENT) && reader->event.data.scalar.length == 0;
    if (!is_empty && !is_event(reader, YAML_MAPPING_START_EVENT))
        return refuse(reader, "keys with values are wanted", NULL);
    if (!is_empty && !read_mapping(reader, NULL))
        return false;
    if (!next(reader) || !next(reader))
        return false;
    return is_event(reader, YAML_STREAM_END_EVENT) || refuse(reader, "a second document", NULL);
}

static FILE *open_file(const char *path, error_report_t *report)
{
    FILE *file = fopen(path, "re");
    struct stat status;
    if (!file || fstat(fileno(file), &status) != 0) {
        error_report_set(report, SLUICE_ERROR_CONFIGURATION, "%s: %s", path, strerror(errno));
    } else if (S_ISDIR(status.st_mode)) {
        error_report_set(report, SLUICE_ERROR_CONFIGURATION, "%s: is a directory", path);
    } else if (S_ISREG(status.st_mode) && (status.st_mode & S_IWOTH)) {
        error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                         "%s: everybody may write it; chmod o-w", path);
    } else {
        return file;
    }
    if (file)
        fclose(file);
    return NULL;
}

sluice_error_t config_read_file(const config_table_t *table, const char *path, arena_t *arena,
                                void *values, error_report_t *report)
{
    FILE *file = open_file(path, report);
    if (!file)
        return SLUICE_ERROR_CONFIGURATION;
    uint8_t *content = arena_alloc(arena, CONFIG_FILE_BYTES_MAX + 1);
    size_t len = fread(content, 1, CONFIG_FILE_BYTES_MAX + 1, file);
    fclose(file);
    if (len > CONFIG_FILE_BYTES_MAX)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION, "%s: is larger than %d bytes",
                                path, CONFIG_FILE_BYTES_MAX);
    reader_t reader = {.table = table,
                       .path = path,
                       .arena = arena,
                       .values = values,
                       .report = report,
                       .lines = arena_calloc(arena, table->count, sizeof(size_t))};
    yaml_parser_initialize(&reader.parser);
    yaml_parser_set_input_string(&reader.parser, content, len);
    read_document(&reader);
    yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    return reader.error;
}
