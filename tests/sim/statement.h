/*
 * One schema change as the simulated servers understand it: what to do to which names, and the SQL
 * that a MariaDB would log for it. Written as a few words, so that a named case can tell its log:
 *
 *   create S.T [keyless|unique|partitioned]     create_like S.T S.U      create_select S.T
 *   create_or_replace S.T                       drop S.T [S.U …]         truncate S.T
 *   rename S.T S.U [S.V S.W …]                  alter_rename S.T S.U [x]
 *   add_column S.T x [after]      drop_column S.T x     rename_column S.T x y    swap_columns S.T x
 * y add_index S.T i       drop_index S.T i      analyze S.T add_partition S.T p   drop_partition
 * S.T p  truncate_partition S.T p exchange_partition S.T p S.U create_database S     alter_database
 * S      drop_database S create_view S.V       drop_view S.V
 *
 * Threads: values.
 */
#ifndef SLUICE_TESTS_SIM_STATEMENT_H
#define SLUICE_TESTS_SIM_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    STATEMENT_CREATE,
    STATEMENT_CREATE_LIKE,
    STATEMENT_CREATE_SELECT,
    STATEMENT_CREATE_OR_REPLACE,
    STATEMENT_DROP,
    STATEMENT_TRUNCATE,
    STATEMENT_RENAME,
    STATEMENT_ALTER_RENAME,
    STATEMENT_ADD_COLUMN,
    STATEMENT_DROP_COLUMN,
    STATEMENT_RENAME_COLUMN,
    STATEMENT_SWAP_COLUMNS,
    STATEMENT_ADD_INDEX,
    STATEMENT_DROP_INDEX,
    STATEMENT_ANALYZE,
    STATEMENT_ADD_PARTITION,
    STATEMENT_DROP_PARTITION,
    STATEMENT_TRUNCATE_PARTITION,
    STATEMENT_EXCHANGE_PARTITION,
    STATEMENT_CREATE_DATABASE,
    STATEMENT_ALTER_DATABASE,
    STATEMENT_DROP_DATABASE,
    STATEMENT_CREATE_VIEW,
    STATEMENT_DROP_VIEW
} statement_kind_t;
#define STATEMENT_KINDS (STATEMENT_DROP_VIEW + 1)

enum { SIM_NAME_SIZE = 16, STATEMENT_NAMES_MAX = 6, STATEMENT_SQL_SIZE = 1536 };

typedef struct {
    char schema[SIM_NAME_SIZE];
    char table[SIM_NAME_SIZE]; /* "" the schema itself */
} sim_name_t;

typedef enum {
    TABLE_SHAPE_KEY,    /* PRIMARY KEY (id) */
    TABLE_SHAPE_UNIQUE, /* and UNIQUE (u) */
    TABLE_SHAPE_KEYLESS,
    TABLE_SHAPE_PARTITIONED /* by range of its primary key */
} table_shape_t;
#define TABLE_SHAPES (TABLE_SHAPE_PARTITIONED + 1)

typedef struct {
    statement_kind_t kind;
    table_shape_t shape; /* CREATE, CREATE_SELECT, CREATE_OR_REPLACE */
    sim_name_t names[STATEMENT_NAMES_MAX];
    uint32_t name_count;
    char words[2][SIM_NAME_SIZE]; /* columns, index, partition */
    uint64_t identity;            /* of the table that it makes: the same on every server */
} sim_statement_t;

/* False: not understood. */
bool sim_statement_parse(const char *text, sim_statement_t *statement);
bool sim_name_equal(const sim_name_t *a, const sim_name_t *b);
const char *sim_statement_kind_name(statement_kind_t kind);

#endif
