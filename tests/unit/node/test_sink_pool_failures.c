/* Errors of the sink: what is tried again, and whom one that stays is held against. */
#include "tests/unit/node/sink_pool_fixture.h"

#include <poll.h>

static void tries_again_what_can_pass(void **state)
{
    fixture_t *fixture = *state;
    claim_now(fixture, 1);
    plan_failures(fixture, 4, SLUICE_ERROR_SINK_CONNECTION);
    write_rows(fixture, 1, 5);
    expect_written(fixture, 1, 1, SLUICE_OK);
    assert_true(fixture->sink.connects >= 5);
    plan_failures(fixture, 2, SLUICE_ERROR_SINK_BUSY);
    sink_pool_run_ddl(fixture->pool, 1, new_ddl(6));
    expect(fixture, SINK_EXECUTED, 1, SLUICE_OK);
    plan_failures(fixture, 2, SLUICE_ERROR_SINK_BUSY);
    claim(fixture, 2);
    expect(fixture, SINK_CLAIMED, 2, SLUICE_OK);
}

static sluice_error_t retrying(fixture_t *fixture)
{
    sink_pool_state_t pool_state;
    sink_pool_state(fixture->pool, &pool_state);
    assert_int_equal(pool_state.error, SLUICE_OK);
    assert_string_equal(pool_state.text, pool_state.retrying == SLUICE_OK ? "" : "planned");
    assert_int_equal(pool_state.is_connected, pool_state.retrying == SLUICE_OK);
    return pool_state.retrying;
}

static void wait_until_retrying(fixture_t *fixture, sluice_error_t error)
{
    for (int i = 0; i < WAIT_MS && retrying(fixture) != error; i++)
        poll(NULL, 0, 1);
    assert_int_equal(retrying(fixture), error);
}

static void says_what_it_tries_to_get_over(void **state)
{
    fixture_t *fixture = *state;
    claim_now(fixture, 1);
    assert_int_equal(retrying(fixture), SLUICE_OK);
    plan_failures(fixture, UINT32_MAX, SLUICE_ERROR_NO_SPACE);
    write_rows(fixture, 1, 5);
    wait_until_retrying(fixture, SLUICE_ERROR_NO_SPACE);
    plan_failures(fixture, 0, SLUICE_OK);
    expect_written(fixture, 1, 1, SLUICE_OK);
    assert_int_equal(retrying(fixture), SLUICE_OK);
    plan_failures(fixture, UINT32_MAX, SLUICE_ERROR_SINK_BUSY);
    write_rows(fixture, 1, 6);
    wait_until_retrying(fixture, SLUICE_ERROR_SINK_BUSY);
    sink_pool_cancel(fixture->pool, 1);
    expect_written(fixture, 1, 1, SLUICE_ERROR_CLOSED);
    assert_int_equal(retrying(fixture), SLUICE_OK);
}

static void blames_only_the_span_that_fails(void **state)
{
    fixture_t *fixture = *state;
    for (uint64_t table = 1; table <= 3; table++)
        claim_now(fixture, table);
    fixture->sink.broken_table = 2;
    hold_writes(fixture, true);
    write_rows(fixture, 1, 5); /* keeps the worker busy */
    for (uint64_t table = 1; table <= 3; table++)
        write_rows(fixture, table, 6);
    write_rows(fixture, 2, 7);
    hold_writes(fixture, false);
    uint32_t good = 0, refused = 0, closed = 0;
    while (good + refused + closed < 5) {
        sink_completion_t completion = next_completion(fixture);
        if (completion.error == SLUICE_OK) {
            assert_true(completion.run != 2);
            good += completion.count;
        } else if (completion.error == SLUICE_ERROR_SINK_REFUSED) {
            assert_int_equal(completion.run, 2);
            refused += completion.count;
        } else {
            assert_int_equal(completion.error, SLUICE_ERROR_CLOSED);
            closed += completion.count;
        }
    }
    assert_int_equal(good, 3);
    assert_true(refused >= 1);
    sink_pool_state_t pool_state;
    sink_pool_state(fixture->pool, &pool_state);
    assert_int_equal(pool_state.error, SLUICE_ERROR_SINK_REFUSED);
    assert_string_equal(pool_state.text, "broken table");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(tries_again_what_can_pass),
        TEST(says_what_it_tries_to_get_over),
        TEST(blames_only_the_span_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
