/*
 * Rows for sink tests as the log of a real server has them: what is done to tables of schema `s` is
 * read back from the server's binlog as transactions for tables of schema `k`, which the sink
 * fills. Source and sink can thus be compared inside one server.
 *
 * Start the fixture with LOG_SOURCE_OPTIONS.
 */
#ifndef SLUICE_TESTS_INTEGRATION_SINK_LOG_SOURCE_H
#define SLUICE_TESTS_INTEGRATION_SINK_LOG_SOURCE_H

#include "dispatcher/core/transaction.h"
#include "tests/integration/mariadb_fixture.h"

#define LOG_SOURCE_OPTIONS                                                                         \
    "--log-bin=binlog", "--binlog-format=ROW", "--binlog-row-metadata=FULL", "--server-id=1"

typedef struct log_source log_source_t;

/* Makes schemas s and k. */
log_source_t *log_source_new(mariadb_fixture_t *server);
void log_source_destroy(log_source_t **source);

/* Takes in what s.`table` looks like now. The definition says schema k; one reference stays with
 * the source until the table is defined again. */
const table_definition_t *log_source_define(log_source_t *source, const char *table);

/* The transactions that were committed since the last call, for defined tables only. They and the
 * array stay good until the next call. */
uint32_t log_source_read(log_source_t *source, transaction_t *const **transactions);

/* Fails the test unless s.`table` and k.`table` hold the same rows, byte by byte, duplicates
 * counted. */
void log_source_assert_equal(log_source_t *source, const char *table);

#endif
