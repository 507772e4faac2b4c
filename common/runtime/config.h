/*
 * Configuration from a table of keys: defaults < file < environment < flags.
 *
 * The file is YAML, strict: "section: {key: value}" or "key: value", each key once, known, of its
 * type and inside its range; else it is refused naming key, file and line. A key "section.key" is
 * SLUICE_SECTION_KEY in the environment and --section-key on the command line ("_" becomes "-").
 *
 * Values:
 *   text, choice   as they are
 *   number         digits
 *   duration       digits and a unit: ns us ms s m h; held in nanoseconds
 *   bytes          digits and perhaps KiB MiB GiB
 *   boolean        true false
 *   list           a YAML sequence; in environment and flags separated by commas
 *
 * Threads: the main one, at start.
 */
#ifndef SLUICE_COMMON_RUNTIME_CONFIG_H
#define SLUICE_COMMON_RUNTIME_CONFIG_H

#include <stdio.h>

#include "common/base/arena.h"
#include "common/base/error.h"

#define CONFIG_FILE_BYTES_MAX (1024 * 1024)
#define CONFIG_LIST_MAX 64

typedef enum {
    CONFIG_TEXT,     /* const char * */
    CONFIG_CHOICE,   /* const char *, one of `choices` */
    CONFIG_NUMBER,   /* uint64_t */
    CONFIG_DURATION, /* uint64_t, nanoseconds */
    CONFIG_BYTES,    /* uint64_t */
    CONFIG_BOOLEAN,  /* bool */
    CONFIG_LIST      /* config_list_t */
} config_kind_t;

typedef struct {
    const char *const *items;
    uint32_t count;
} config_list_t;

typedef struct {
    const char *name; /* "section.key" or "key" */
    config_kind_t kind;
    size_t offset;              /* of its field in the values */
    const char *otherwise;      /* the default, written as in the environment */
    uint64_t min, max;          /* NUMBER, DURATION, BYTES */
    const char *const *choices; /* CHOICE; NULL at the end */
    const char *help;           /* one line for the example file */
} config_key_t;

typedef struct {
    const config_key_t *keys;
    size_t count;
} config_table_t;

/* Everything that was said on the command line: `name` as in the table. */
typedef struct {
    const char *name, *value;
} config_flag_t;

typedef struct {
    const char *path; /* NULL: no file */
    bool use_environment;
    const config_flag_t *flags;
    uint32_t flag_count;
} config_sources_t;

/* Fills `values` (the struct that the table's offsets are of); text lives in the arena. Blocks
 * while it reads the file. SLUICE_ERROR_CONFIGURATION with a line that names key and place;
 * `values` is then not to be used. */
sluice_error_t config_load(const config_table_t *table, const config_sources_t *sources,
                           arena_t *arena, void *values, error_report_t *report) SLUICE_MUST_USE;

/* The key of a flag: "--log-level" and "log-level" are log.level; NULL if there is none. */
const config_key_t *config_find_flag(const config_table_t *table, const char *flag);

/* Writes a file with every key, its help, and its value; `values` NULL: the defaults, commented
 * out. */
void config_write(const config_table_t *table, const void *values, FILE *out);

/* ---- parts, for the above and their tests ---- */

/* Reads one value into its field. The report names the key and what is wanted, not the place. */
sluice_error_t config_set(const config_key_t *key, const char *text, arena_t *arena, void *values,
                          error_report_t *report) SLUICE_MUST_USE;

/* Reads a file's settings into `values`. */
sluice_error_t config_read_file(const config_table_t *table, const char *path, arena_t *arena,
                                void *values, error_report_t *report) SLUICE_MUST_USE;

/* The value as it would be written in a file, in the arena; a list as "[a, b]". */
const char *config_value_text(const config_key_t *key, const void *values, arena_t *arena);

#endif
