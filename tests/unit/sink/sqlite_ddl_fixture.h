/*
 * A SQLite file and the DDL that is run on it, for the tests of DDL.
 */
#ifndef SLUICE_TESTS_UNIT_SINK_SQLITE_DDL_FIXTURE_H
#define SLUICE_TESTS_UNIT_SINK_SQLITE_DDL_FIXTURE_H

#include "tests/unit/sink/sqlite_fixture.h"

#define TABLES_MAX 16

typedef struct {
    sqlite_fixture_t *file;
    table_definition_t *tables[TABLES_MAX];
    int table_count;
    uint64_t ts;
    error_report_t report; /* of the last DDL */
} ddl_fixture_t;

extern ddl_fixture_t fixture;

int ddl_setup(void **state);
int ddl_teardown(void **state);

#define ON_FILE(test) cmocka_unit_test_setup_teardown(test, ddl_setup, ddl_teardown)

/* Definitions are kept until the test's end. */
table_definition_t *table_of(const char *name, uint64_t id, const column_definition_t *columns,
                             uint32_t count, uint32_t keys);
table_definition_t *plain(const char *name, uint64_t id);

/* Runs a DDL of these changes as the trigger; must_… assert that it succeeds. */
sluice_error_t run(ddl_verb_t verb, const table_change_t *changes, uint32_t count);
void must_run(ddl_verb_t verb, const table_change_t *changes, uint32_t count);
void create(const table_definition_t *table);
sluice_error_t alter(const table_definition_t *before, const table_definition_t *after,
                     const uint32_t *sources);
void must_alter(const table_definition_t *before, const table_definition_t *after,
                const uint32_t *sources);

const char *query(const char *sql);
void execute(const char *sql);
/* Names in order, joined by spaces. */
const char *carried_tables(void);
/* One line an index: its name and columns. */
const char *index_columns(void);

#endif
