/* A node and another one that reads events from it. */
#include "tests/wire/node_reader.h"

static void serves_another_node_what_it_holds(void **state)
{
    fixture_t *fixture = *state;
    start_everything(fixture, SOURCE "&ddl_every=10");
    connect_reader(fixture);
    stream_request_t request = trigger_request(STREAM_REGISTER);
    ask(fixture, changefeed, &request);
    assert_true(dispatcher_id_equal(expect_event(fixture, STREAM_READY).dispatcher_id,
                                    (dispatcher_id_t){66, 1}));
    request = trigger_request(STREAM_RESET);
    ask(fixture, changefeed, &request);
    assert_int_equal(expect_event(fixture, STREAM_HANDSHAKE).sequence, 1);
    stream_message_event_t ddl = expect_event(fixture, STREAM_DDL);
    assert_int_equal(ddl.sequence, 2);
    assert_true(ddl.payload.len > 0);
    request = trigger_request(STREAM_REMOVE);
    ask(fixture, changefeed, &request);
    request = trigger_request(STREAM_HEARTBEAT);
    ask(fixture, changefeed, &request);
    expect_event(fixture, STREAM_REMOVED);
    stop(fixture);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(serves_another_node_what_it_holds),
    };
    zsys_handler_set(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    zsys_shutdown();
    return failed;
}
