/* Lanes and orders: what the pool starts, when, and how it answers. */
#include "tests/unit/node/sink_pool_fixture.h"

#include <poll.h>

static void starts_nothing_without_a_lease(void **state)
{
    fixture_t *fixture = *state;
    claim(fixture, 1);
    struct pollfd poll_fd = {.fd = sink_pool_fd(fixture->pool), .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, 20), 0);
    assert_int_equal(fixture->sink.call_count, 0);
    sink_pool_set_lease(fixture->pool, LEASE_FOREVER);
    sink_completion_t completion = next_completion(fixture);
    assert_int_equal(completion.kind, SINK_CLAIMED);
    assert_int_equal(completion.progress.v, 10);
    assert_true(dispatcher_id_equal(completion.dispatcher_id, (dispatcher_id_t){1, 1}));
}

static void claims_many_in_one_transaction_before_any_rows(void **state)
{
    fixture_t *fixture = *state;
    for (uint64_t table = 1; table <= 20; table++)
        claim(fixture, table);
    sink_pool_set_lease(fixture->pool, LEASE_FOREVER);
    for (uint64_t table = 1; table <= 20; table++)
        expect(fixture, SINK_CLAIMED, table, SLUICE_OK);
    assert_true(fixture->sink.calls[0].in_one_call + fixture->sink.calls[19].in_one_call >= 20);
}

static void ends_a_lane_that_is_not_owned(void **state)
{
    fixture_t *fixture = *state;
    fixture->sink.foreign_table = 2;
    claim_now(fixture, 1);
    claim(fixture, 2);
    expect(fixture, SINK_CLAIMED, 2, SLUICE_ERROR_NOT_OWNER);
    write_rows(fixture, 2, 5);
    expect_written(fixture, 2, 1, SLUICE_ERROR_CLOSED);
    pthread_mutex_lock(&fixture->sink.lock);
    fixture->sink.foreign_table = 1;
    pthread_mutex_unlock(&fixture->sink.lock);
    write_rows(fixture, 1, 6);
    expect_written(fixture, 1, 1, SLUICE_ERROR_NOT_OWNER);
    write_rows(fixture, 1, 7);
    expect_written(fixture, 1, 1, SLUICE_ERROR_CLOSED);
    sink_pool_state_t pool_state;
    sink_pool_state(fixture->pool, &pool_state);
    assert_int_equal(pool_state.error, SLUICE_OK);
}

static void answers_cancelled_rows_behind_those_being_written(void **state)
{
    fixture_t *fixture = *state;
    claim_now(fixture, 1);
    hold_writes(fixture, true);
    for (uint64_t ts = 1; ts <= 30; ts++)
        write_rows(fixture, 1, ts);
    sink_pool_cancel(fixture->pool, 1);
    write_rows(fixture, 1, 31);
    hold_writes(fixture, false);
    uint32_t answered = 0;
    sluice_error_t newest = SLUICE_OK;
    while (answered < 31) {
        sink_completion_t completion = next_completion(fixture);
        assert_true(completion.error == newest || completion.error == SLUICE_ERROR_CLOSED);
        newest = completion.error;
        answered += completion.count;
    }
    assert_int_equal(newest, SLUICE_ERROR_CLOSED);
    sink_pool_close_lane(fixture->pool, 1);
}

static void runs_ddl_while_rows_are_held_up(void **state)
{
    fixture_t *fixture = *state;
    claim_now(fixture, 1);
    claim_now(fixture, 2);
    plan_failures(fixture, 0, SLUICE_OK);
    hold_writes(fixture, true);
    write_rows(fixture, 1, 5);
    sink_pool_run_ddl(fixture->pool, 2, new_ddl(7));
    expect(fixture, SINK_EXECUTED, 2, SLUICE_OK);
    sink_pool_write_syncpoint(fixture->pool, 2, (commit_ts_t){8});
    expect(fixture, SINK_EXECUTED, 2, SLUICE_OK);
    hold_writes(fixture, false);
    expect_written(fixture, 1, 1, SLUICE_OK);
    sink_pool_state_t pool_state;
    sink_pool_state(fixture->pool, &pool_state);
    assert_int_equal(pool_state.ddls, 2);
}

static void writes_watermark_and_cleans_up(void **state)
{
    fixture_t *fixture = *state;
    claim_now(fixture, 1);
    sink_pool_watermark(fixture->pool, (commit_ts_t){50});
    sink_pool_clean_up(fixture->pool, (commit_ts_t){40});
    /* Behind it, so that both are done when it is answered or soon after. */
    bool has_both = false;
    for (uint64_t ts = 1; !has_both && ts < 200; ts++) {
        sink_pool_write_syncpoint(fixture->pool, 1, (commit_ts_t){ts});
        expect(fixture, SINK_EXECUTED, 1, SLUICE_OK);
        pthread_mutex_lock(&fixture->sink.lock);
        bool has_watermark = false, has_clean_up = false;
        for (uint32_t i = 0; i < fixture->sink.call_count; i++) {
            has_watermark |= fixture->sink.calls[i].kind == 'm';
            has_clean_up |= fixture->sink.calls[i].kind == 'u';
        }
        has_both = has_watermark && has_clean_up;
        pthread_mutex_unlock(&fixture->sink.lock);
    }
    assert_true(has_both);
}

static void closes_while_the_sink_does_not_answer(void **state)
{
    fixture_t *fixture = *state;
    claim_now(fixture, 1);
    hold_writes(fixture, true);
    for (uint64_t ts = 1; ts <= 30; ts++)
        write_rows(fixture, 1, ts);
    sink_pool_close(&fixture->pool);
    assert_null(fixture->pool);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(starts_nothing_without_a_lease),
        TEST(claims_many_in_one_transaction_before_any_rows),
        TEST(ends_a_lane_that_is_not_owned),
        TEST(answers_cancelled_rows_behind_those_being_written),
        TEST(runs_ddl_while_rows_are_held_up),
        TEST(writes_watermark_and_cleans_up),
        TEST(closes_while_the_sink_does_not_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
