/*
 * What a table looks like at one moment: columns, keys, options. Immutable once built and shared by
 * reference count between reader, dispatchers and sinks, each of which may stand at a different
 * version.
 *
 * All text is UTF-8, NUL-terminated, and lives as long as the definition. Index values are
 * positions in `columns`. Tables of one shape, as those of many tenants, may share everything but
 * their names.
 *
 * Threads: built by one; afterwards read by any. The reference count is atomic.
 */
#ifndef SLUICE_COMMON_MODEL_TABLE_DEFINITION_H
#define SLUICE_COMMON_MODEL_TABLE_DEFINITION_H

#include <stdatomic.h>

#include "common/base/arena.h"
#include "common/base/ids.h"

/* The type as declared; JSON is LONGTEXT with COLUMN_IS_JSON, BOOL is TINYINT(1). */
typedef enum {
    COLUMN_TINYINT,
    COLUMN_SMALLINT,
    COLUMN_MEDIUMINT,
    COLUMN_INT,
    COLUMN_BIGINT,
    COLUMN_DECIMAL,
    COLUMN_FLOAT,
    COLUMN_DOUBLE,
    COLUMN_BIT,
    COLUMN_YEAR,
    COLUMN_DATE,
    COLUMN_TIME,
    COLUMN_DATETIME,
    COLUMN_TIMESTAMP,
    COLUMN_CHAR,
    COLUMN_VARCHAR,
    COLUMN_TINYTEXT,
    COLUMN_TEXT,
    COLUMN_MEDIUMTEXT,
    COLUMN_LONGTEXT,
    COLUMN_BINARY,
    COLUMN_VARBINARY,
    COLUMN_TINYBLOB,
    COLUMN_BLOB,
    COLUMN_MEDIUMBLOB,
    COLUMN_LONGBLOB,
    COLUMN_ENUM,
    COLUMN_SET,
    COLUMN_GEOMETRY, /* every spatial type; `geometry_name` tells which */
    COLUMN_INET4,
    COLUMN_INET6,
    COLUMN_UUID
} column_type_t;

typedef enum { GENERATED_NO, GENERATED_VIRTUAL, GENERATED_STORED } generated_t;

typedef enum { DEFAULT_NONE, DEFAULT_NULL, DEFAULT_LITERAL, DEFAULT_EXPRESSION } default_kind_t;

enum {
    COLUMN_UNSIGNED = 1 << 0,
    COLUMN_ZEROFILL = 1 << 1,
    COLUMN_NOT_NULL = 1 << 2,
    COLUMN_AUTO_INCREMENT = 1 << 3,
    COLUMN_INVISIBLE = 1 << 4,
    COLUMN_COMPRESSED = 1 << 5,
    COLUMN_IS_JSON = 1 << 6,
    COLUMN_ON_UPDATE_NOW = 1 << 7,
    COLUMN_ROW_START = 1 << 8, /* GENERATED ALWAYS AS ROW START / END of system versioning */
    COLUMN_ROW_END = 1 << 9,
    COLUMN_WITHOUT_VERSIONING = 1 << 10,
    COLUMN_HIDDEN = 1 << 11 /* row_start and row_end of a table WITH SYSTEM VERSIONING that names
                               none: in every row image, never written in SQL */
};

typedef struct {
    const char *name;
    column_type_t type;
    uint32_t flags;
    uint32_t length;       /* CHAR, VARCHAR: characters; BINARY, VARBINARY: bytes; BIT: bits; ints:
                              display width or 0 */
    uint8_t precision;     /* DECIMAL; FLOAT(p,s), DOUBLE(p,s) or 0 */
    uint8_t scale;         /* DECIMAL; FLOAT, DOUBLE or 0 */
    uint8_t fsp;           /* fractional digits of TIME, DATETIME, TIMESTAMP */
    const char *charset;   /* "utf8mb4", "latin1", …; NULL for types without one */
    const char *collation; /* NULL for types without one or where only the charset is known */
    const char *geometry_name;  /* "point", …; NULL for other types */
    const char *const *members; /* ENUM, SET: labels in UTF-8 */
    uint32_t member_count;
    generated_t generated;
    const char *generated_expression; /* SQL text; NULL unless generated */
    default_kind_t default_kind;
    const char
        *default_value;  /* LITERAL: its value as text, unquoted; EXPRESSION: SQL text; else NULL */
    const char *comment; /* NULL: none */
    const char *check;   /* CHECK of the column as SQL text; NULL: none */
} column_definition_t;

typedef enum { KEY_PRIMARY, KEY_UNIQUE, KEY_INDEX, KEY_FULLTEXT, KEY_SPATIAL } key_kind_t;

typedef struct {
    uint32_t column;
    uint32_t prefix; /* characters, 0: the whole column */
    bool is_descending;
} key_part_t;

typedef struct {
    key_kind_t kind;
    const char *name; /* "PRIMARY" for the primary key */
    const key_part_t *parts;
    uint32_t part_count;
    const char *options; /* USING …, COMMENT …, as SQL text; NULL: none */
} key_definition_t;

typedef enum {
    REFERENCE_RESTRICT, /* also NO ACTION and nothing written */
    REFERENCE_CASCADE,
    REFERENCE_SET_NULL,
    REFERENCE_SET_DEFAULT
} reference_action_t;

typedef struct {
    const char *name;
    const uint32_t *columns;
    uint32_t column_count;
    const char *referenced_schema; /* always given, also where the statement left it out */
    const char *referenced_table;
    const char *const *referenced_columns;
    reference_action_t on_delete, on_update;
} foreign_key_t;

typedef struct table_definition table_definition_t;

struct table_definition {
    atomic_uint references;
    arena_t arena;
    /* One reference to an equal table, in whose memory all texts and lists but the names are; NULL:
     * they are in the arena. */
    const table_definition_t *shape;
    table_id_t table_id;
    commit_ts_t created;     /* of what created the table; COMMIT_TS_NONE: was there at the start */
    bool created_by_select;  /* CREATE TABLE … SELECT: its rows carry `created` themselves */
    commit_ts_t version;     /* commit_ts of the DDL that made this version */
    event_key_t last_change; /* key of the last schema move (RENAME); orders repeated moves */
    const char *schema;
    const char *name;
    const column_definition_t *columns;
    uint32_t column_count;
    const key_definition_t *keys;
    uint32_t key_count;
    const foreign_key_t *foreign_keys;
    uint32_t foreign_key_count;
    const char *const *checks;            /* names of the table's CHECK constraints */
    const char *const *check_expressions; /* as SQL text, in the order of `checks` */
    uint32_t check_count;
    const char *charset; /* default of the table */
    const char *collation;
    const char *engine; /* NULL: not said */
    const char *comment;
    const char *options;        /* further table options as SQL text (ROW_FORMAT=…); NULL: none */
    const char *period_text;    /* further PERIOD FOR elements as SQL; NULL: none */
    const char *partition_text; /* the PARTITION BY clause as SQL; NULL: not partitioned */
    bool is_view;
    bool is_sequence;
    bool is_system_versioned;
};

/* An empty definition with one reference, to be filled by its builder through its arena. */
table_definition_t *table_definition_new(void);
/* Takes one more reference. The cast away of const is for the count only. */
const table_definition_t *table_definition_ref(const table_definition_t *definition);
/* Gives back one reference and sets *definition to NULL; NULL is allowed. */
void table_definition_unref(const table_definition_t **definition);

/* Everything but the count, which others change meanwhile, and whose the memory is: a shallow copy
 * to change and clone. `to` is as good as `from` lives. */
void table_definition_copy_fields(table_definition_t *to, const table_definition_t *from);

/* A deep copy with one reference: the start of every ALTER. */
table_definition_t *table_definition_clone(const table_definition_t *from);

/* The table `from`, with one reference, that takes everything but identity and names from `shape`,
 * which must be equal to it in all that, has no shape itself, and is kept by a reference. */
table_definition_t *table_definition_shaped(const table_definition_t *from,
                                            const table_definition_t *shape);

/* The primary key, NULL if there is none. */
const key_definition_t *table_definition_primary_key(const table_definition_t *definition);

/* The key that identifies rows: the primary key, else the first UNIQUE key whose parts are all NOT
 * NULL and whole columns, else NULL ("a table without a key"). */
const key_definition_t *table_definition_row_key(const table_definition_t *definition);

/* Whether a further UNIQUE key beside `table_definition_row_key` exists (then deletes must go
 * first). */
bool table_definition_has_other_unique(const table_definition_t *definition);

/* The type's word as the server writes it, "int"; of a spatial type its own one if it is known. */
const char *column_type_name(const column_definition_t *column);

/* Position by name (ASCII case-insensitive, as MariaDB), -1 if there is none. */
int table_definition_find_column(const table_definition_t *definition, bytes_t name);

#endif
