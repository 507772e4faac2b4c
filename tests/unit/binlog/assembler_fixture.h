/* An assembler with tables d.a and d.b, and what is pushed into it. */
#ifndef SLUICE_TESTS_UNIT_BINLOG_ASSEMBLER_FIXTURE_H
#define SLUICE_TESTS_UNIT_BINLOG_ASSEMBLER_FIXTURE_H

#include "tests/testing.h"

#include "dispatcher/core/binlog/group_assembler.h"
#include "tests/unit/binlog/event_builder.h"

/* Tables d.a and d.b (one INT column) are in the filter, d.new once `knows_new` is set; every other
 * name is outside. */
typedef struct {
    group_assembler_t *assembler;
    builder_t builder;
    table_definition_t *a, *b, *new_table;
    bool knows_new;
    bool statement_may_touch;
    group_t group;
    error_report_t report;
    uint8_t spill[1 << 16];
    uint64_t spill_size, spill_peak;
    bool spill_fails;
} fixture_t;

/* Setup and teardown of a test; *state is the fixture. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);
#define ASSEMBLER_TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

/* Replaces the assembler by one behind this position with this limit. */
void open_at(fixture_t *f, const char *gtid_list, uint64_t bytes_max);

/* The event is forgotten afterwards; all but try_push_event fail the test on an error. */
sluice_error_t try_push_event(fixture_t *f, bytes_t event);
void push_event(fixture_t *f, bytes_t event);
void send_gtid(fixture_t *f, uint64_t sequence, uint8_t flags);
void send_map(fixture_t *f, uint64_t map_id, const char *table);
void send_insert(fixture_t *f, uint64_t map_id, uint8_t value);
void send_query(fixture_t *f, const char *sql);
void send_commit(fixture_t *f);
/* A ROWS event with one row of one INT. */
bytes_t int_row(fixture_t *f, uint8_t type, uint64_t map_id, uint8_t value);

/* The next group, also in f->group; the one before is given back. */
const group_t *take_group(fixture_t *f);
void expect_none(fixture_t *f);
void expect_empty(fixture_t *f);
void expect_anchor(fixture_t *f, const char *gtid_list);

/* The values inserted into a table, as "1 2 3". */
const char *values_of(const table_rows_t *table);

#endif
