/* What a node does for a changefeed: check, open, tables, block statuses, close. */
#include "tests/wire/node_fixture.h"

static void carries_a_changefeed_from_check_to_close(void **state)
{
    fixture_t *fixture = *state;
    start_everything(fixture, SOURCE);
    fixture->wanted_checkpoint = (commit_ts_t){TRANSACTIONS};
    fake_maintainer_run(&fixture->maintainer, note, is_through, fixture);
    assert_int_equal(fixture->rows, 3 * TRANSACTIONS);
    message_t close = message_of(MESSAGE_CHANGEFEED_CLOSE);
    close.changefeed_close.changefeed = changefeed;
    fake_maintainer_send(&fixture->maintainer, &close);
    fake_maintainer_expect(&fixture->maintainer, MESSAGE_CHANGEFEED_CLOSED, NULL, NULL);
    stop(fixture);
}

static void tells_why_a_check_failed(void **state)
{
    fixture_t *fixture = *state;
    welcome(fixture);
    message_t request = message_of(MESSAGE_CHECK_REQUEST);
    request.check_request =
        (check_request_t){.check_id = 6, .changefeed = changefeed, .config = config_of(SOURCE)};
    request.check_request.config.sink = bytes_of_text("nowhere://");
    fake_maintainer_send(&fixture->maintainer, &request);
    const message_t *message =
        fake_maintainer_expect(&fixture->maintainer, MESSAGE_CHECK_RESPONSE, NULL, NULL);
    assert_int_equal(message->check_response.error, SLUICE_ERROR_CONFIGURATION);
    assert_true(message->check_response.text.len > 0);
}

static bool is_repeated(void *context)
{
    return ((fixture_t *)context)->times >= 3;
}

static void repeats_a_status_that_is_not_acknowledged(void **state)
{
    fixture_t *fixture = *state;
    start_everything(fixture, "simulated://?tables=4&transactions=60&ddl_every=7");
    fake_maintainer_run(&fixture->maintainer, note, is_repeated, fixture);
    assert_true(fixture->stage == STAGE_NONE || fixture->stage == STAGE_WAITING);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(carries_a_changefeed_from_check_to_close),
        TEST(tells_why_a_check_failed),
        TEST(repeats_a_status_that_is_not_acknowledged),
    };
    zsys_handler_set(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    zsys_shutdown();
    return failed;
}
