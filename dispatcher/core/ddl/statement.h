/*
 * What a DDL statement says, before it is applied to anything: the verb, the objects it names from
 * left to right, and for CREATE and ALTER TABLE the list of actions on the definition. CREATE TABLE
 * is the same actions on an empty table.
 *
 * All text is UTF-8 in the arena the statement was parsed into. Names of schemas and tables are
 * folded when the source's are. Threads: values.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_STATEMENT_H
#define SLUICE_DISPATCHER_CORE_DDL_STATEMENT_H

#include "common/model/table_definition.h"
#include "dispatcher/core/ddl/collation.h"
#include "dispatcher/core/ddl/ddl_event.h"

typedef struct {
    const char *schema; /* as written or the default schema; "" if there is neither */
    const char *name;
} object_name_t;

typedef enum { NULLNESS_UNSAID, NULLNESS_NULL, NULLNESS_NOT_NULL } nullness_t;

typedef enum {
    LITERAL_NONE, /* no DEFAULT was written */
    LITERAL_NULL,
    LITERAL_STRING,
    LITERAL_NUMBER,
    LITERAL_HEX,  /* text: digits */
    LITERAL_BITS, /* text: digits */
    LITERAL_EXPRESSION
} literal_kind_t;

typedef struct {
    literal_kind_t kind;
    bytes_t text; /* NUL-terminated; may hold NUL bytes of its own */
} literal_t;

typedef enum { PLACE_UNSAID, PLACE_FIRST, PLACE_AFTER } place_t;

typedef struct {
    const char *name; /* of the constraint and of the index it needs; NULL: not said */
    const char *const *columns;
    uint32_t column_count;
    object_name_t referenced; /* schema NULL: that of the table itself */
    const char *const *referenced_columns;
    uint32_t referenced_count;
    reference_action_t on_delete, on_update;
} foreign_key_syntax_t;

typedef struct {
    const char *name;
    /* type, length, precision, scale, fsp, members, comment, generated, check as written; charset
     * and collation NULL unless written; flags except NOT NULL, which `nullness` says. */
    column_definition_t written;
    nullness_t nullness;
    literal_t default_value;
    bool is_primary, is_unique;
    bool is_versioned;                     /* WITH SYSTEM VERSIONING */
    bool is_binary_collation;              /* the BINARY attribute */
    bool is_text_by_length;                /* TEXT(n), BLOB(n): the type follows from n */
    const foreign_key_syntax_t *reference; /* inline REFERENCES */
    place_t place;
    const char *after;
} column_syntax_t;

typedef struct {
    const char *column;
    uint32_t prefix;
    bool is_descending;
    bool is_period; /* `column` is a period, WITHOUT OVERLAPS */
} key_part_syntax_t;

typedef struct {
    key_kind_t kind;
    const char *name; /* NULL: not said */
    const key_part_syntax_t *parts;
    uint32_t part_count;
    const char *options;
} key_syntax_t;

typedef struct {
    const char *name, *value; /* value as SQL text */
} option_syntax_t;

typedef enum {
    ACTION_ADD_COLUMN,
    ACTION_MODIFY_COLUMN, /* name */
    ACTION_CHANGE_COLUMN, /* name: the old one */
    ACTION_RENAME_COLUMN, /* name, new_name */
    ACTION_DROP_COLUMN,
    ACTION_SET_DEFAULT,
    ACTION_DROP_DEFAULT,
    ACTION_ADD_KEY,
    ACTION_DROP_KEY,
    ACTION_DROP_PRIMARY_KEY,
    ACTION_RENAME_KEY,
    ACTION_IGNORE_KEY, /* ALTER INDEX … IGNORED */
    ACTION_USE_KEY,    /* … NOT IGNORED */
    ACTION_ADD_FOREIGN_KEY,
    ACTION_DROP_FOREIGN_KEY,
    ACTION_ADD_CHECK, /* name or NULL, text */
    ACTION_DROP_CONSTRAINT,
    ACTION_ADD_PERIOD, /* name, text: start column, new_name: end column */
    ACTION_DROP_PERIOD,
    ACTION_ADD_VERSIONING,
    ACTION_DROP_VERSIONING,
    ACTION_SET_CHARSET,     /* charset, collation: default of the table */
    ACTION_CONVERT_CHARSET, /* the columns too; both NULL: the schema's default */
    ACTION_SET_ENGINE,      /* text */
    ACTION_SET_COMMENT,     /* text */
    ACTION_SET_OPTION,      /* name, text */
    ACTION_RENAME_TABLE,    /* table */
    ACTION_PARTITION_BY,    /* text: the whole clause */
    ACTION_REMOVE_PARTITIONING,
    ACTION_ADD_PARTITION,         /* text: definitions, or number */
    ACTION_DROP_PARTITION,        /* names */
    ACTION_TRUNCATE_PARTITION,    /* names, none: ALL */
    ACTION_REORGANIZE_PARTITION,  /* names, text */
    ACTION_COALESCE_PARTITION,    /* number */
    ACTION_EXCHANGE_PARTITION,    /* names[0], table */
    ACTION_PARTITION_TO_TABLE,    /* names[0], table */
    ACTION_TABLE_TO_PARTITION,    /* table, text: the partition's definition */
    ACTION_PARTITION_MAINTENANCE, /* text: analyze, check, … */
    ACTION_TABLESPACE,            /* DISCARD, IMPORT: rows change outside the log */
    ACTION_NOTHING                /* ORDER BY, FORCE, ALGORITHM, …: the definition stays */
} table_action_kind_t;

typedef struct {
    table_action_kind_t kind;
    bool if_exists, if_not_exists;
    const char *name, *new_name, *text;
    const column_syntax_t *column;
    const key_syntax_t *key;
    const foreign_key_syntax_t *foreign_key;
    literal_t default_value;
    const char *charset, *collation;
    object_name_t table;
    const char *const *names;
    uint32_t name_count;
    uint32_t number;
} table_action_t;

typedef struct {
    ddl_verb_t verb;
    const char *skipped_kind; /* SKIPPED: static */
    bool is_row_change;       /* INSERT, UPDATE, … (verb SKIPPED) */
    bool or_replace, if_exists, if_not_exists, is_select;
    bool is_sequence;           /* CREATE or DROP SEQUENCE, a table with SEQUENCE=1 */
    bool is_whole;              /* read to its end; false: what follows was not understood */
    const object_name_t *names; /* tables, views; a database: its name with schema = name */
    uint32_t name_count;
    const object_name_t *targets; /* RENAME: one for each of names */
    bool is_like;
    object_name_t like;
    const table_action_t *actions;
    uint32_t action_count;
    const object_name_t *view_tables; /* CREATE VIEW: what it selects from */
    uint32_t view_table_count;
    const char *charset, *collation; /* CREATE, ALTER DATABASE; NULL: not said */
} statement_t;

typedef struct {
    const char *default_schema; /* "" none */
    uint64_t sql_mode;
    uint32_t server_version;
    bool lower_case_names;
} statement_options_t;

/* Understands `utf8`. Never fails for any text: what is not understood has verb DDL_UNKNOWN, or its
 * verb and is_whole false when the beginning was. */
void statement_parse(bytes_t utf8, const statement_options_t *options, arena_t *arena,
                     statement_t *statement);

#endif
