/* Which rows the pool writes in one transaction of the sink, and in which order. */
#include "tests/unit/node/sink_pool_fixture.h"

#include <poll.h>

static void gathers_transactions_of_a_lane_in_order(void **state)
{
    fixture_t *fixture = *state;
    claim_now(fixture, 1);
    hold_writes(fixture, true);
    for (uint64_t ts = 1; ts <= 30; ts++)
        write_rows(fixture, 1, ts);
    hold_writes(fixture, false);
    expect_written(fixture, 1, 30, SLUICE_OK);
    uint64_t next = 1;
    for (uint32_t i = 1; i < fixture->sink.call_count; i++) {
        const call_t *call = &fixture->sink.calls[i];
        assert_int_equal(call->from_ts, next);
        assert_true(call->part_count <= 10); /* 1000 bytes */
        assert_true(call->moves_progress);
        next = call->to_ts + 1;
    }
    assert_int_equal(next, 31);
    assert_true(fixture->sink.call_count <= 6);
    sink_pool_state_t pool_state;
    sink_pool_state(fixture->pool, &pool_state);
    assert_int_equal(pool_state.rows, 30);
    assert_true(pool_state.is_connected);
}

static void gathers_lanes_into_one_transaction(void **state)
{
    fixture_t *fixture = *state;
    for (uint64_t table = 1; table <= 5; table++)
        claim_now(fixture, table);
    hold_writes(fixture, true);
    write_rows(fixture, 1, 1);
    for (uint64_t table = 2; table <= 5; table++)
        write_rows(fixture, table, 2);
    hold_writes(fixture, false);
    for (uint64_t table = 1; table <= 5; table++)
        expect_written(fixture, table, 1, SLUICE_OK);
    /* What came before the worker began went with the first. */
    const call_t *last = &fixture->sink.calls[fixture->sink.call_count - 1];
    assert_true(last[-4].in_one_call + last->in_one_call >= 5);
}

static void moves_progress_only_with_the_last_part_of_a_transaction(void **state)
{
    fixture_t *fixture = *state;
    claim_now(fixture, 1);
    hold_writes(fixture, true);
    write_rows(fixture, 1, 1); /* keeps the worker busy */
    write_rows(fixture, 1, 2);
    write_part_of(fixture, 1, 3, false);
    hold_writes(fixture, false);
    expect_written(fixture, 1, 3, SLUICE_OK);
    for (uint32_t i = 1; i < fixture->sink.call_count; i++) {
        const call_t *call = &fixture->sink.calls[i];
        assert_int_equal(call->moves_progress, call->to_ts != 3);
    }
    write_part_of(fixture, 1, 3, true);
    expect_written(fixture, 1, 1, SLUICE_OK);
    assert_true(fixture->sink.calls[fixture->sink.call_count - 1].moves_progress);
}

static void never_cuts_a_transaction_of_a_table_without_a_key(void **state)
{
    fixture_t *fixture = *state;
    table_definition_unref(&fixture->definition);
    fixture->definition = new_definition(false);
    claim_now(fixture, 1);
    for (int part = 0; part < 29; part++)
        write_part_of(fixture, 1, 5, false);
    struct pollfd poll_fd = {.fd = sink_pool_fd(fixture->pool), .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, 20), 0);
    write_part_of(fixture, 1, 5, true);
    expect_written(fixture, 1, 30, SLUICE_OK);
    const call_t *call = &fixture->sink.calls[fixture->sink.call_count - 1];
    assert_int_equal(call->part_count, 30);
    assert_true(call->moves_progress);
}

static void parts_read_by_different_nodes_are_one_transaction(void **state)
{
    fixture_t *fixture = *state;
    claim_now(fixture, 1);
    hold_writes(fixture, true);
    write_rows(fixture, 1, 1); /* keeps the worker busy */
    for (uint64_t version = 0; version < 3; version++) {
        table_definition_unref(&fixture->definition);
        table_definition_t *definition = table_definition_new();
        definition->version.v = version / 2;
        fixture->definition = definition;
        write_part_of(fixture, 1, 5 + version / 2, version > 0);
    }
    hold_writes(fixture, false);
    expect_written(fixture, 1, 4, SLUICE_OK);
    assert_int_equal(fixture->sink.call_count, 4);
    const call_t *call = &fixture->sink.calls[2];
    assert_int_equal(call->part_count, 2);
    assert_int_equal(call->to_ts, 5);
    assert_true(call->moves_progress);
}

static void keeps_order_with_many_workers(void **state)
{
    fixture_t *fixture = *state;
    sink_pool_close(&fixture->pool);
    open_pool(fixture, 4);
    for (uint64_t table = 1; table <= 4; table++)
        claim_now(fixture, table);
    for (uint64_t ts = 1; ts <= 50; ts++)
        for (uint64_t table = 1; table <= 4; table++)
            write_rows(fixture, table, ts);
    uint32_t answered = 0;
    while (answered < 200)
        answered += next_completion(fixture).count;
    uint64_t next[5] = {0, 1, 1, 1, 1};
    for (uint32_t i = 0; i < fixture->sink.call_count; i++) {
        const call_t *call = &fixture->sink.calls[i];
        if (call->kind != 'w')
            continue;
        assert_int_equal(call->from_ts, next[call->table]);
        next[call->table] = call->to_ts + 1;
    }
    for (uint64_t table = 1; table <= 4; table++)
        assert_int_equal(next[table], 51);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(gathers_transactions_of_a_lane_in_order),
        TEST(gathers_lanes_into_one_transaction),
        TEST(moves_progress_only_with_the_last_part_of_a_transaction),
        TEST(never_cuts_a_transaction_of_a_table_without_a_key),
        TEST(parts_read_by_different_nodes_are_one_transaction),
        TEST(keeps_order_with_many_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
