#include "tests/unit/node/sink_pool_fixture.h"

#include <poll.h>
#include <stdlib.h>

#include "common/base/memory.h"

void open_pool(fixture_t *fixture, uint32_t row_workers)
{
    sink_pool_options_t options = {
        .api = &fake_api,
        .sink = &fixture->sink.base,
        .row_workers = row_workers,
        .ddl_workers = 1,
        .batch_bytes_max = 1000,
        .retry_first_ns = NS_PER_MS,
        .retry_max_ns = 2 * NS_PER_MS,
        .changefeed_name = "test",
    };
    fixture->pool = sink_pool_open(&options);
}

const table_definition_t *new_definition(bool has_key)
{
    table_definition_t *definition = table_definition_new();
    if (!has_key)
        return definition;
    column_definition_t *column = arena_calloc(&definition->arena, 1, sizeof *column);
    *column = (column_definition_t){.name = "id", .type = COLUMN_INT, .flags = COLUMN_NOT_NULL};
    key_part_t *part = arena_calloc(&definition->arena, 1, sizeof *part);
    key_definition_t *key = arena_calloc(&definition->arena, 1, sizeof *key);
    *key =
        (key_definition_t){.kind = KEY_PRIMARY, .name = "PRIMARY", .parts = part, .part_count = 1};
    definition->columns = column;
    definition->column_count = 1;
    definition->keys = key;
    definition->key_count = 1;
    return definition;
}

int set_up(void **state)
{
    fixture_t *fixture = memory_zalloc(sizeof *fixture);
    pthread_mutex_init(&fixture->sink.lock, NULL);
    pthread_cond_init(&fixture->sink.released, NULL);
    fixture->definition = new_definition(true);
    open_pool(fixture, 1);
    *state = fixture;
    return 0;
}

int tear_down(void **state)
{
    fixture_t *fixture = *state;
    sink_pool_close(&fixture->pool);
    table_definition_unref(&fixture->definition);
    pthread_mutex_destroy(&fixture->sink.lock);
    pthread_cond_destroy(&fixture->sink.released);
    free(fixture);
    return 0;
}

/* ---- completions ---- */

sink_completion_t next_completion(fixture_t *fixture)
{
    struct pollfd poll_fd = {.fd = sink_pool_fd(fixture->pool), .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, WAIT_MS), 1);
    sink_completion_t completion;
    assert_int_equal(sink_pool_take(fixture->pool, &completion, 1), 1);
    return completion;
}

void expect(fixture_t *fixture, sink_completion_kind_t kind, uint64_t run, sluice_error_t error)
{
    sink_completion_t completion = next_completion(fixture);
    assert_int_equal(completion.kind, kind);
    assert_int_equal(completion.run, run);
    assert_int_equal(completion.error, error);
}

void expect_written(fixture_t *fixture, uint64_t run, uint32_t count, sluice_error_t error)
{
    while (count > 0) {
        sink_completion_t completion = next_completion(fixture);
        assert_int_equal(completion.kind, SINK_WRITTEN);
        assert_int_equal(completion.run, run);
        assert_int_equal(completion.error, error);
        assert_true(completion.count <= count);
        count -= completion.count;
    }
}

/* ---- orders ---- */

void claim(fixture_t *fixture, uint64_t table)
{
    sink_claim_t order = {.span = {.table_id = {table}}};
    sink_pool_claim(fixture->pool, (dispatcher_id_t){1, table}, table, &order);
}

void claim_now(fixture_t *fixture, uint64_t table)
{
    sink_pool_set_lease(fixture->pool, LEASE_FOREVER);
    claim(fixture, table);
    expect(fixture, SINK_CLAIMED, table, SLUICE_OK);
}

void write_part_of(fixture_t *fixture, uint64_t table, uint64_t ts, bool is_last_part)
{
    transaction_t *transaction = transaction_new();
    transaction->commit_ts = (commit_ts_t){ts};
    transaction->is_last_part = is_last_part;
    table_rows_t *rows = arena_calloc(&transaction->arena, 1, sizeof *rows);
    rows->definition = table_definition_ref(fixture->definition);
    rows->bytes = 100;
    rows->continues = !is_last_part;
    transaction->tables = rows;
    transaction->table_count = 1;
    sink_pool_write(fixture->pool, table, transaction, rows);
}

void write_rows(fixture_t *fixture, uint64_t table, uint64_t ts)
{
    write_part_of(fixture, table, ts, true);
}

ddl_event_t *new_ddl(uint64_t ts)
{
    ddl_event_t *ddl = ddl_event_new();
    ddl->commit_ts = (commit_ts_t){ts};
    return ddl;
}

/* ---- what the sink does ---- */

void hold_writes(fixture_t *fixture, bool holds)
{
    pthread_mutex_lock(&fixture->sink.lock);
    fixture->sink.holds_writes = holds;
    pthread_cond_broadcast(&fixture->sink.released);
    pthread_mutex_unlock(&fixture->sink.lock);
}

void plan_failures(fixture_t *fixture, uint32_t count, sluice_error_t error)
{
    pthread_mutex_lock(&fixture->sink.lock);
    fixture->sink.failures_left = count;
    fixture->sink.failure = error;
    pthread_mutex_unlock(&fixture->sink.lock);
}
