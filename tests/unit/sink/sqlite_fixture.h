/*
 * A SQLite file in a directory of its own, a look into it from outside, and the sink's connections
 * to it.
 */
#ifndef SLUICE_TESTS_UNIT_SINK_SQLITE_FIXTURE_H
#define SLUICE_TESTS_UNIT_SINK_SQLITE_FIXTURE_H

#include <sqlite3.h>

#include "tests/unit/sink/sink_fixture.h"

typedef struct {
    char directory[256];
    char path[300];
    char uri[400];
    sink_t *sink;
    sink_connection_t *connection;
    char text[8192]; /* the last answer */
    /* Of the next DDL. */
    const char *const *partitions;
    uint32_t partition_count;
    bool names_all_partitions;
} sqlite_fixture_t;

/* With a connection. `parameters` goes behind the URI's '?'. */
sqlite_fixture_t *sqlite_fixture_new(const char *parameters);
void sqlite_fixture_destroy(sqlite_fixture_t **fixture);

/* Closes everything and opens it again, as a new process would. */
void sqlite_fixture_reopen(sqlite_fixture_t *fixture);

/* The answer of a query over a connection of its own: columns joined by '|', NULL as "NULL", BLOB
 * as x'…', rows joined by '\n'. */
const char *sqlite_fixture_query(sqlite_fixture_t *fixture, const char *sql);
/* Runs statements over a connection of its own. */
void sqlite_fixture_execute(sqlite_fixture_t *fixture, const char *sql);

/* Runs a DDL at `ts` that is the one change, as the trigger or table that `claim` speaks for. */
sluice_error_t sqlite_fixture_ddl(sqlite_fixture_t *fixture, const sink_claim_t *claim, uint64_t ts,
                                  ddl_verb_t verb, const table_change_t *changes,
                                  uint32_t change_count, error_report_t *report);

#endif
