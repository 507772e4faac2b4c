/* The text form of a schema beside binary log files; source.h has the format. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dispatcher/upstream/source.h"

#define FORMAT_VERSION 1
#define FILE_BYTES_MAX (UINT64_C(4) << 30)
#define WORDS_MAX 5

static const char *const kinds[] = {[SOURCE_SCHEMA] = "schema",
                                    [SOURCE_TABLE] = "table",
                                    [SOURCE_VIEW] = "view",
                                    [SOURCE_SEQUENCE] = "sequence"};

/* ---- writing ---- */

static void put_name(FILE *file, const char *name)
{
    if (!name || name[0] == '\0') {
        fputs(" -", file);
        return;
    }
    fputc(' ', file);
    for (; *name; name++) {
        unsigned char c = (unsigned char)*name;
        if (c <= ' ' || c == '%' || c == '-' || c == 127)
            fprintf(file, "%%%02X", c);
        else
            fputc(c, file);
    }
}

static void put_text(FILE *file, const char *key, const char *value)
{
    if (value && value[0] != '\0')
        fprintf(file, "%s %s\n", key, value);
}

static void put_header(FILE *file, const source_description_t *description)
{
    const anchor_t *anchor = &description->anchor;
    fprintf(file, "sluice-schema %d\n", FORMAT_VERSION);
    put_text(file, "gtid-list", anchor->gtid_list);
    fprintf(file, "commit-time %" PRIu64 "\n", anchor->commit_time.v);
    fprintf(file, "domain %" PRIu32 "\n", description->domain);
    fprintf(file, "server-id %" PRIu32 "\n", description->server_id);
    fprintf(file, "server-version %" PRIu32 "\n", description->server_version);
    fprintf(file, "lower-case-names %d\n", description->lower_case_names);
    put_text(file, "default-charset", description->default_charset);
    put_text(file, "default-collation", description->default_collation);
    fputc('\n', file);
}

static void put_object(FILE *file, const source_object_t *object)
{
    fputs(kinds[object->kind], file);
    put_name(file, object->schema);
    if (object->kind == SOURCE_SCHEMA) {
        put_name(file, object->charset);
        put_name(file, object->collation);
        fputc('\n', file);
        return;
    }
    put_name(file, object->name);
    fprintf(file, " %zu\n%s\n", strlen(object->create), object->create);
}

sluice_error_t source_schema_write(const char *path, const source_description_t *description,
                                   error_report_t *report)
{
    arena_t arena = {0};
    const char *temporary = arena_printf(&arena, "%s.new", path);
    FILE *file = fopen(temporary, "we");
    bool is_good = file != NULL;
    if (file) {
        put_header(file, description);
        for (uint32_t i = 0; i < description->object_count; i++)
            put_object(file, &description->objects[i]);
        fprintf(file, "end %" PRIu32 "\n", description->object_count);
        is_good = fflush(file) == 0 && !ferror(file) && fsync(fileno(file)) == 0;
        is_good = fclose(file) == 0 && is_good;
    }
    is_good = is_good && rename(temporary, path) == 0;
    sluice_error_t error = SLUICE_OK;
    if (!is_good) {
        error = error_report_set(report, errno == ENOSPC ? SLUICE_ERROR_NO_SPACE : SLUICE_ERROR_IO,
                                 "%s cannot be written: %s", path, strerror(errno));
        unlink(temporary);
    }
    arena_clear(&arena);
    return error;
}

/* ---- reading ---- */

typedef struct {
    const char *path;
    arena_t *arena;
    const char *at, *end;
    unsigned line;
    char *words[WORDS_MAX]; /* of the present line, in the arena */
    unsigned word_count;
    source_description_t *description;
    source_object_t *objects;
    uint32_t count, max;
    error_report_t *report;
} parser_t;

static sluice_error_t malformed(const parser_t *parser, const char *what)
{
    return error_report_set(parser->report, SLUICE_ERROR_MALFORMED, "%s, line %u: %s", parser->path,
                            parser->line, what);
}

/* Splits the next line at blanks; false at the end of the file or without its newline. */
static bool next_line(parser_t *parser)
{
    const char *newline = memchr(parser->at, '\n', (size_t)(parser->end - parser->at));
    if (!newline)
        return false;
    parser->line++;
    char *text = arena_strndup(parser->arena, parser->at, (size_t)(newline - parser->at));
    parser->at = newline + 1;
    parser->word_count = 0;
    char *save = NULL;
    for (char *word = strtok_r(text, " ", &save); word && parser->word_count < WORDS_MAX;
         word = strtok_r(NULL, " ", &save))
        parser->words[parser->word_count++] = word;
    return true;
}

static bool parse_number(const char *word, uint64_t max, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(word, &end, 10);
    return word[0] >= '0' && word[0] <= '9' && *end == '\0' && errno == 0 && *number <= max;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes in place; NULL for "-". */
static bool decode_name(char *word, const char **name)
{
    *name = strcmp(word, "-") == 0 ? NULL : word;
    char *to = word;
    for (const char *at = word; *at; at++) {
        if (*at != '%') {
            *to++ = *at;
            continue;
        }
        int high = hex_digit(at[1]), low = high < 0 ? -1 : hex_digit(at[2]);
        if (low < 0 || (high == 0 && low == 0))
            return false;
        *to++ = (char)(high * 16 + low);
        at += 2;
    }
    *to = '\0';
    return true;
}

static sluice_error_t take_header(parser_t *parser)
{
    source_description_t *d = parser->description;
    const char *key = parser->words[0];
    char *value = parser->words[1];
    uint64_t number = 0, unused;
    bool is_number = parse_number(value, UINT64_MAX, &number);
    if (strcmp(key, "gtid-list") == 0) {
        if (strlen(value) >= sizeof d->anchor.gtid_list ||
            gtid_list_sequence(value, 0, &unused) != SLUICE_OK)
            return malformed(parser, "no GTID list");
        strcpy(d->anchor.gtid_list, value);
    } else if (strcmp(key, "default-charset") == 0) {
        d->default_charset = value;
    } else if (strcmp(key, "default-collation") == 0) {
        d->default_collation = value;
    } else if (!is_number) {
        return malformed(parser, "an unknown key, or no number");
    } else if (strcmp(key, "commit-time") == 0) {
        d->anchor.commit_time = (wall_ms_t){number};
    } else if (number > UINT32_MAX) {
        return malformed(parser, "a number that is too large");
    } else if (strcmp(key, "domain") == 0) {
        d->domain = (uint32_t)number;
    } else if (strcmp(key, "server-id") == 0) {
        d->server_id = (uint32_t)number;
    } else if (strcmp(key, "server-version") == 0) {
        d->server_version = (uint32_t)number;
    } else if (strcmp(key, "lower-case-names") == 0) {
        d->lower_case_names = number != 0;
    } else {
        return malformed(parser, "an unknown key");
    }
    return SLUICE_OK;
}

static sluice_error_t parse_header(parser_t *parser)
{
    uint64_t version;
    if (!next_line(parser) || parser->word_count != 2 ||
        strcmp(parser->words[0], "sluice-schema") != 0 ||
        !parse_number(parser->words[1], UINT32_MAX, &version))
        return malformed(parser, "this is no schema file");
    if (version != FORMAT_VERSION)
        return error_report_set(parser->report, SLUICE_ERROR_UNSUPPORTED,
                                "%s has format %" PRIu64 ", this program reads %d", parser->path,
                                version, FORMAT_VERSION);
    for (;;) {
        if (!next_line(parser))
            return malformed(parser, "the file ends in its header");
        if (parser->word_count == 0)
            break;
        if (parser->word_count != 2)
            return malformed(parser, "not a key and a value");
        sluice_error_t error = take_header(parser);
        if (error != SLUICE_OK)
            return error;
    }
    anchor_t *anchor = &parser->description->anchor;
    return gtid_list_sequence(anchor->gtid_list, parser->description->domain, &anchor->commit_ts.v);
}

static source_object_t *add_object(parser_t *parser, source_object_kind_t kind)
{
    if (parser->count == parser->max) {
        uint32_t max = parser->max ? parser->max * 2 : 64;
        source_object_t *objects = arena_calloc(parser->arena, max, sizeof *objects);
        if (parser->count)
            memcpy(objects, parser->objects, parser->count * sizeof *objects);
        parser->objects = objects;
        parser->max = max;
    }
    source_object_t *object = &parser->objects[parser->count++];
    *object = (source_object_t){.kind = kind, .schema = "", .name = "", .create = ""};
    return object;
}

static sluice_error_t take_create(parser_t *parser, source_object_t *object)
{
    uint64_t len;
    if (!parse_number(parser->words[3], (uint64_t)(parser->end - parser->at), &len) ||
        len >= (uint64_t)(parser->end - parser->at) || parser->at[len] != '\n')
        return malformed(parser, "the number of bytes does not fit the statement below");
    object->create = arena_strndup(parser->arena, parser->at, (size_t)len);
    if (strlen(object->create) != len)
        return malformed(parser, "a statement with a zero byte");
    for (uint64_t i = 0; i <= len; i++)
        parser->line += parser->at[i] == '\n';
    parser->at += len + 1;
    return SLUICE_OK;
}

static sluice_error_t take_object(parser_t *parser)
{
    source_object_kind_t kind = SOURCE_SCHEMA;
    while (kind <= SOURCE_SEQUENCE && strcmp(parser->words[0], kinds[kind]) != 0)
        kind++;
    if (kind > SOURCE_SEQUENCE || parser->word_count != 4)
        return malformed(parser, "neither schema, table, view nor sequence, nor the end");
    source_object_t *object = add_object(parser, kind);
    const char *schema, *name, *collation = NULL;
    bool is_good =
        decode_name(parser->words[1], &schema) && decode_name(parser->words[2], &name) && schema;
    if (kind == SOURCE_SCHEMA)
        is_good = is_good && decode_name(parser->words[3], &collation);
    if (!is_good)
        return malformed(parser, "a name that is none");
    object->schema = schema;
    if (kind == SOURCE_SCHEMA) {
        object->charset = name;
        object->collation = collation;
        return SLUICE_OK;
    }
    object->name = name ? name : "";
    return take_create(parser, object);
}

static sluice_error_t parse_objects(parser_t *parser)
{
    for (;;) {
        if (!next_line(parser) || parser->word_count == 0)
            return malformed(parser, "the file is cut: it has no end line");
        uint64_t count;
        if (strcmp(parser->words[0], "end") == 0) {
            if (parser->word_count != 2 || !parse_number(parser->words[1], UINT32_MAX, &count) ||
                count != parser->count)
                return malformed(parser, "another number of objects than the file has");
            return SLUICE_OK;
        }
        sluice_error_t error = take_object(parser);
        if (error != SLUICE_OK)
            return error;
    }
}

static sluice_error_t load(const char *path, char **text, size_t *len, error_report_t *report)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "%s: %s; the schema must be recorded beside the binary logs", path,
                                strerror(errno));
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    sluice_error_t error = SLUICE_OK;
    *text = NULL;
    if (size < 0 || (uint64_t)size > FILE_BYTES_MAX) {
        error = error_report_set(report, SLUICE_ERROR_IO, "%s cannot be read", path);
    } else {
        rewind(file);
        *len = (size_t)size;
        *text = malloc(*len + 1);
        if (!*text || fread(*text, 1, *len, file) != *len)
            error = error_report_set(report, SLUICE_ERROR_IO, "%s cannot be read", path);
    }
    fclose(file);
    return error;
}

sluice_error_t source_schema_read(const char *path, arena_t *arena,
                                  source_description_t *description, error_report_t *report)
{
    *description = (source_description_t){.identity = ""};
    char *text = NULL;
    size_t len = 0;
    sluice_error_t error = load(path, &text, &len, report);
    if (error == SLUICE_OK) {
        parser_t parser = {.path = path,
                           .arena = arena,
                           .at = text,
                           .end = text + len,
                           .description = description,
                           .report = report};
        error = parse_header(&parser);
        if (error == SLUICE_OK)
            error = parse_objects(&parser);
        description->objects = parser.objects;
        description->object_count = parser.count;
        free(text);
    }
    return error;
}
