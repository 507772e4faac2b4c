/* How a node and its maintainers come together and part: hello, epoch, lease. */
#include "tests/wire/node_fixture.h"

#include <signal.h>

#include "tests/wire/child_process.h"

static void writes_nothing_without_an_answered_heartbeat(void **state)
{
    fixture_t *fixture = *state;
    fixture->maintainer.answers_heartbeats = false;
    start_t start;
    welcome(fixture);
    check(fixture, SOURCE, &start);
    open_changefeed(fixture, SOURCE, &start);
    schedule_create_t trigger = create_of(0, TABLE_ID_TRIGGER, start.anchor.commit_ts);
    schedule(fixture, &trigger, 1);
    /* Its claim is not even tried: many heartbeats later it still prepares. */
    for (int i = 0; i < 20; i++) {
        const message_t *message =
            fake_maintainer_expect(&fixture->maintainer, MESSAGE_HEARTBEAT_REQUEST, NULL, NULL);
        note(fixture, message);
    }
    assert_int_equal(fixture->entry_count, 1);
    assert_int_equal(fixture->entries[0].state, DISPATCHER_PREPARING);
    fixture->maintainer.answers_heartbeats = true;
    while (fixture->entries[0].state != DISPATCHER_WORKING)
        note(fixture,
             fake_maintainer_expect(&fixture->maintainer, MESSAGE_HEARTBEAT_REQUEST, NULL, NULL));
}

/* Of two maintainers, say on two copies of one meta store, the later one counts. */
static void tells_an_older_maintainer_whom_it_follows(void **state)
{
    fixture_t *fixture = *state;
    start_t start;
    fixture->maintainer.epoch = 7;
    welcome(fixture);
    check(fixture, SOURCE, &start);
    open_changefeed(fixture, SOURCE, &start);
    fixture->maintainer.epoch = 6;
    open_changefeed(fixture, SOURCE, &start);
    assert_int_equal(fixture->opened_epoch, 7);
    stop(fixture);
}

static void starts_again_with_a_new_incarnation_when_told(void **state)
{
    fixture_t *fixture = *state;
    start_everything(fixture, SOURCE);
    incarnation_t before = fixture->maintainer.incarnation;
    message_t again = message_of(MESSAGE_START_AGAIN);
    fake_maintainer_send(&fixture->maintainer, &again);
    const message_t *hello =
        fake_maintainer_expect(&fixture->maintainer, MESSAGE_HELLO, NULL, NULL);
    while (hello->header.incarnation.v == before.v)
        hello = fake_maintainer_expect(&fixture->maintainer, MESSAGE_HELLO, NULL, NULL);
    assert_true(hello->header.incarnation.v > before.v);
    stop(fixture);
}

static void tells_that_it_leaves(void **state)
{
    fixture_t *fixture = *state;
    start_everything(fixture, SOURCE);
    child_process_signal(fixture->node, SIGTERM);
    const message_t *hello =
        fake_maintainer_expect(&fixture->maintainer, MESSAGE_HELLO, NULL, NULL);
    while (!hello->hello.is_leaving)
        hello = fake_maintainer_expect(&fixture->maintainer, MESSAGE_HELLO, NULL, NULL);
    dispatcher_id_t ids[TABLES + 1];
    for (uint64_t i = 0; i <= TABLES; i++)
        ids[i] = (dispatcher_id_t){42, i};
    message_t request = message_of(MESSAGE_SCHEDULE_REQUEST);
    request.schedule_request =
        (schedule_request_t){.changefeed = changefeed, .closes = ids, .close_count = TABLES + 1};
    fake_maintainer_send(&fixture->maintainer, &request);
    assert_int_equal(child_process_wait(fixture->node, 20), 0);
    fixture->node = 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(writes_nothing_without_an_answered_heartbeat),
        TEST(tells_an_older_maintainer_whom_it_follows),
        TEST(starts_again_with_a_new_incarnation_when_told),
        TEST(tells_that_it_leaves),
    };
    zsys_handler_set(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    zsys_shutdown();
    return failed;
}
