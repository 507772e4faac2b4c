/*
 * What the sink's own table looks like, as far as writing to it needs to know: a value compared
 * with a text column must have that column's charset and collation, or no index can be used.
 */
#ifndef SLUICE_DISPATCHER_SINK_MARIADB_COLUMNS_H
#define SLUICE_DISPATCHER_SINK_MARIADB_COLUMNS_H

#include "common/model/table_definition.h"
#include "dispatcher/sink/mariadb/session.h"

typedef struct {
    const char *charset, *collation; /* NULL: not text */
} mariadb_column_t;

/* One entry for each column of `definition`, in `arena`. SLUICE_ERROR_SCHEMA_MISMATCH, naming table
 * and column: the sink lacks the table or a column, or has one that the source has not. */
sluice_error_t mariadb_columns_read(mariadb_session_t *session,
                                    const table_definition_t *definition, arena_t *arena,
                                    const mariadb_column_t **columns,
                                    error_report_t *report) SLUICE_MUST_USE;

#endif
