/* A pool of workers before a sink that records, and its completions. For the pool's tests. */
#ifndef SLUICE_TESTS_UNIT_NODE_SINK_POOL_FIXTURE_H
#define SLUICE_TESTS_UNIT_NODE_SINK_POOL_FIXTURE_H

#include "tests/testing.h"

#include "tests/unit/node/fake_sink.h"

typedef struct {
    fake_sink_t sink;
    sink_pool_t *pool;
    const table_definition_t *definition;
} fixture_t;

#define LEASE_FOREVER ((mono_ns_t){UINT64_MAX})
#define WAIT_MS 10000

/* The pool has one worker for rows. */
int set_up(void **state);
int tear_down(void **state);

void open_pool(fixture_t *fixture, uint32_t row_workers);

/* Of a table with a primary key or none; the reference is the caller's. */
const table_definition_t *new_definition(bool has_key);

/* ---- orders ---- */

/* The run of a table's lane is the table. */
void claim(fixture_t *fixture, uint64_t table);
void claim_now(fixture_t *fixture, uint64_t table);

void write_part_of(fixture_t *fixture, uint64_t table, uint64_t ts, bool is_last_part);
void write_rows(fixture_t *fixture, uint64_t table, uint64_t ts);

ddl_event_t *new_ddl(uint64_t ts);

/* ---- what the sink does ---- */

void hold_writes(fixture_t *fixture, bool holds);

/* So many calls fail first. */
void plan_failures(fixture_t *fixture, uint32_t count, sluice_error_t error);

/* ---- completions ---- */

sink_completion_t next_completion(fixture_t *fixture);
void expect(fixture_t *fixture, sink_completion_kind_t kind, uint64_t run, sluice_error_t error);

/* Rows may be answered in any number of pieces. */
void expect_written(fixture_t *fixture, uint64_t run, uint32_t count, sluice_error_t error);

#endif
