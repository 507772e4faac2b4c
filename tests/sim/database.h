/*
 * A small database server's content: schemas, views, tables with their rows, and what statements do
 * to them. The made-up source writes its log from one, the simulated sink is one.
 *
 * Every value is a number (or NULL). Each row carries where it comes from:
 *   id      key, unless the table has none      u    a second, unique number
 *   origin  identity of the table it was written to
 *   seq     number of the change that wrote it  ts   commit_ts of that change
 * and further columns that DDLs add.
 *
 * Each table keeps a hash of its form (names included) and one of its rows, in any order, so that
 * two servers' tables are compared at no cost at any moment.
 *
 * Threads: one owner.
 */
#ifndef SLUICE_TESTS_SIM_DATABASE_H
#define SLUICE_TESTS_SIM_DATABASE_H

#include "common/base/error.h"
#include "tests/sim/statement.h"

enum {
    COLUMN_SLOT_ID,
    COLUMN_SLOT_U,
    COLUMN_SLOT_ORIGIN,
    COLUMN_SLOT_SEQ,
    COLUMN_SLOT_TS,
    COLUMN_SLOT_EXTRA, /* the first that a DDL adds */
    COLUMN_SLOTS = 10,
    TABLE_PARTITIONS_MAX = 6,
    TABLE_INDEXES_MAX = 3
};

#define COLUMN_DEFAULT INT64_C(7) /* of added columns */
#define PARTITION_ROWS INT64_C(100000)

typedef struct {
    int64_t values[COLUMN_SLOTS];
    uint32_t nulls; /* a bit a slot */
} sim_row_t;

typedef struct {
    char name[SIM_NAME_SIZE];
    uint8_t slot;
} sim_column_t;

typedef struct {
    char name[SIM_NAME_SIZE];
    int64_t end; /* ids below; INT64_MAX: the rest */
} sim_partition_t;

typedef struct sim_table {
    struct sim_table *next;
    sim_name_t name;
    uint64_t identity; /* the same on all servers, kept by RENAME and TRUNCATE */
    uint64_t physical; /* this server's own, new whenever InnoDB would make the table anew */
    table_shape_t shape;
    bool is_view;
    sim_column_t columns[COLUMN_SLOTS];
    uint32_t column_count;
    char indexes[TABLE_INDEXES_MAX][SIM_NAME_SIZE];
    uint32_t index_count;
    sim_partition_t partitions[TABLE_PARTITIONS_MAX];
    uint32_t partition_count;
    sim_row_t *rows;
    uint32_t row_count, row_capacity;
    uint64_t form_hash, rows_hash;
    uint64_t last_ddl, last_row; /* commit_ts of the newest of each; the owner's */
    uint64_t map_id;             /* the source's */
    int64_t next_id;             /* the source's */
} sim_table_t;

typedef struct sim_schema {
    struct sim_schema *next;
    char name[SIM_NAME_SIZE];
    uint32_t version; /* grows with ALTER DATABASE */
} sim_schema_t;

typedef struct {
    sim_schema_t *schemas;
    sim_table_t *tables; /* views among them */
    uint64_t physicals;
} sim_database_t;

void sim_database_clear(sim_database_t *database);
/* A deep copy. */
void sim_database_copy(sim_database_t *to, const sim_database_t *from);

/* NULL: there is none. */
sim_table_t *sim_database_find(const sim_database_t *database, const sim_name_t *name);
sim_table_t *sim_database_find_identity(const sim_database_t *database, uint64_t identity);
sim_schema_t *sim_database_find_schema(const sim_database_t *database, const char *schema);

/* Runs it. `if_exists`: names that are not there are passed over by a DROP. An error says what a
 * server would refuse, and nothing is changed then. `touched` (NULL: not wanted) is told of every
 * table that it is about, before a dropped one is freed and after any other change. */
typedef void sim_touched_fn(void *context, sim_table_t *table, bool is_dropped);
bool sim_database_execute(sim_database_t *database, const sim_statement_t *statement,
                          bool if_exists, sim_touched_fn *touched, void *context,
                          error_report_t *report);

/* What SHOW CREATE says. */
void sim_table_show(const sim_table_t *table, char *text, size_t size);
/* The SQL that the log has for the statement; the tables it names are as they were before it. */
void sim_database_sql(const sim_database_t *database, const sim_statement_t *statement, char *text,
                      size_t size);
/* Whether the objects that a statement names look the same: text and physical identity. */
uint64_t sim_database_describe(const sim_database_t *database, const sim_statement_t *statement);

/* ---- rows ---- */

/* The row with that id, NULL: there is none. */
sim_row_t *sim_table_find_row(const sim_table_t *table, int64_t id);
/* The first row that is equal in every column. */
sim_row_t *sim_table_find_equal(const sim_table_t *table, const sim_row_t *row);
void sim_table_add_row(sim_table_t *table, const sim_row_t *row);
void sim_table_remove_row(sim_table_t *table, sim_row_t *row);
bool sim_row_equal(const sim_table_t *table, const sim_row_t *a, const sim_row_t *b);

/* Says the first difference between two tables; false: they are equal. */
bool sim_table_differs(const sim_table_t *expected, const sim_table_t *found, char *text,
                       size_t size);

#endif
