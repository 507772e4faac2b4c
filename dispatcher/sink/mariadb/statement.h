/*
 * One prepared statement that is run for many rows at once (bulk array binding), its parameters
 * taken from row images. Splits what is larger than the server takes in one packet.
 *
 * Threads: that of its session.
 */
#ifndef SLUICE_DISPATCHER_SINK_MARIADB_STATEMENT_H
#define SLUICE_DISPATCHER_SINK_MARIADB_STATEMENT_H

#include "common/model/table_definition.h"
#include "common/model/value.h"
#include "dispatcher/sink/mariadb/session.h"

typedef struct mariadb_statement mariadb_statement_t;

/* Which value a parameter is: a column of the image before or after the change. */
typedef struct {
    uint32_t column;
    bool is_before;
} mariadb_parameter_t;

/* The images of `count` rows; the side that no parameter names may be NULL. */
typedef struct {
    const value_t *const *before;
    const value_t *const *after;
    uint32_t count;
} mariadb_images_t;

/* Prepares `sql`, with one `?` for each parameter. `definition` is borrowed until the end,
 * `parameters` are copied. */
sluice_error_t mariadb_statement_new(mariadb_session_t *session,
                                     const table_definition_t *definition, const char *sql,
                                     const mariadb_parameter_t *parameters,
                                     uint32_t parameter_count, mariadb_statement_t **statement,
                                     error_report_t *report) SLUICE_MUST_USE;
void mariadb_statement_destroy(mariadb_statement_t **statement);

/* Runs it for each row in order. `matched` counts the rows of the sink it found. What it binds is
 * allocated from `arena`. A value that the sink altered while storing it is
 * SLUICE_ERROR_SINK_REFUSED with the server's warning. */
sluice_error_t mariadb_statement_run(mariadb_statement_t *statement, const mariadb_images_t *images,
                                     arena_t *arena, uint64_t *matched,
                                     error_report_t *report) SLUICE_MUST_USE;

#endif
