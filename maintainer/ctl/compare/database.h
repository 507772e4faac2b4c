/*
 * One database to compare: MariaDB or SQLite behind one small interface. Rows come as canonical
 * cells, the same bytes on both sides for the same value:
 *
 *   integers, DECIMAL, YEAR, BIT(≤63)   decimal text
 *   FLOAT, DOUBLE                       %.17g of the double
 *   temporal types                      text, TIMESTAMP in UTC
 *   BIT(64)                             its 8 bytes
 *   text, ENUM, SET                     bytes: between two MariaDB servers in the column's charset,
 *                                       else UTF-8
 *   binary, GEOMETRY                    bytes
 *   INET, UUID                          canonical text
 *
 * Threads: one at a time. Strings returned live in the arena given.
 */
#ifndef SLUICE_MAINTAINER_CTL_COMPARE_DATABASE_H
#define SLUICE_MAINTAINER_CTL_COMPARE_DATABASE_H

#include "common/base/arena.h"
#include "common/base/error.h"
#include "maintainer/ctl/compare/row_sums.h"

typedef enum {
    CANON_PLAIN,
    CANON_TEXT,
    CANON_REAL,
    CANON_UNSIGNED,
    CANON_DECIMAL, /* shown with zeros in front that are not part of the number */
    CANON_LABEL
} canon_t;

typedef struct {
    const char *name;
    canon_t canon;
    bool in_key;
} compare_column_t;

typedef struct {
    const char *schema, *name;
    const char
        *definition; /* SHOW CREATE text that must be equal; NULL where the database has none */
    bool is_view;
    compare_column_t *columns;
    uint32_t column_count;
} compare_table_t;

typedef struct database database_t;

/* Called for each row; cells are valid during the call. A return other than OK ends the reading
 * with it. */
typedef sluice_error_t database_row_t(const cell_t *cells, void *context);

typedef struct {
    void (*close)(database_t **database);
    /* Every table and view, system schemas left out, ordered by schema and name; columns not
     * filled. */
    sluice_error_t (*tables)(database_t *database, arena_t *arena, compare_table_t **tables,
                             uint32_t *count, error_report_t *report);
    /* Fills definition and columns. */
    sluice_error_t (*describe)(database_t *database, arena_t *arena, compare_table_t *table,
                               error_report_t *report);
    /* Reads all rows with these columns; `as_utf8`: text is converted. */
    sluice_error_t (*rows)(database_t *database, const compare_table_t *table, bool as_utf8,
                           database_row_t *row, void *context, error_report_t *report);
} database_api_t;

struct database {
    const database_api_t *api;
    bool has_definitions; /* SHOW CREATE texts can be compared with another such database */
};

sluice_error_t database_open_mariadb(const char *uri, const char *password_variable,
                                     database_t **database, error_report_t *report);
sluice_error_t database_open_sqlite(const char *path, database_t **database,
                                    error_report_t *report);

#endif
