/* A barrier's actions, statuses and verdicts find the dispatchers that they are about. */
#include "tests/unit/node/dispatcher_set_fixture.h"

/* An event for all, at 20. */
static void tables_meet_20(fixture_t *fixture, uint64_t first, uint64_t last)
{
    ddl_event_t *ddl = new_ddl(20, INFLUENCE_ALL, 0);
    for (uint64_t table = first; table <= last; table++) {
        make_work(fixture, table, 10);
        deliver_ddl(fixture, table, ddl);
    }
    ddl_event_unref(&ddl);
}

static void fans_out_to_everything_on_the_node(void **state)
{
    fixture_t *fixture = *state;
    tables_meet_20(fixture, 0, 3);
    assert_int_equal(offered(fixture, STAGE_WAITING), 4);
    dispatcher_id_t writer = id_of(0);
    act(fixture, EPOCH,
        (barrier_action_t){.kind = ACTION_WRITE,
                           .key = ddl_key(20),
                           .scope = INFLUENCE_ALL,
                           .dispatchers = &writer,
                           .dispatcher_count = 1});
    assert_int_equal(count_effects(fixture, NODE_EFFECT_RUN_DDL), 1);
    barrier_action_t pass = {.kind = ACTION_PASS, .key = ddl_key(20), .scope = INFLUENCE_ALL};
    act(fixture, EPOCH, pass);
    assert_int_equal(offered(fixture, STAGE_DONE), 3);
    assert_int_equal(stage_of(fixture, 0), STAGE_WRITING);
    dispatcher_set_executed(fixture->set, id_of(0), run_of(fixture, 0), SLUICE_OK, fixture->now);
    assert_int_equal(offered(fixture, STAGE_DONE), 4);
    send_statuses(fixture);
    act(fixture, EPOCH, pass);
    assert_int_equal(offered(fixture, STAGE_DONE), 8);
}

static void fans_out_to_one_schema_and_the_trigger(void **state)
{
    fixture_t *fixture = *state;
    ddl_event_t *ddl = new_ddl(20, INFLUENCE_DB, 77);
    for (uint64_t table = 0; table <= 2; table++)
        make_work(fixture, table, 10);
    deliver_ddl(fixture, 0, ddl);
    deliver_ddl(fixture, 1, ddl);
    ddl_event_unref(&ddl);
    deliver_resolved(fixture, 2, 30);
    barrier_action_t pass = {
        .kind = ACTION_PASS, .key = ddl_key(20), .scope = INFLUENCE_DB, .schema = {77}};
    act(fixture, EPOCH, pass);
    assert_int_equal(offered(fixture, STAGE_DONE), 2);
    send_statuses(fixture);
    act(fixture, EPOCH, pass);
    assert_int_equal(offered(fixture, STAGE_DONE), 4);
}

static void names_dispatchers_of_a_normal_event(void **state)
{
    fixture_t *fixture = *state;
    tables_meet_20(fixture, 1, 2);
    dispatcher_id_t named[] = {id_of(2), id_of(44)};
    act(fixture, EPOCH,
        (barrier_action_t){.kind = ACTION_PASS,
                           .key = ddl_key(20),
                           .scope = INFLUENCE_NORMAL,
                           .dispatchers = named,
                           .dispatcher_count = 2});
    assert_int_equal(stage_of(fixture, 1), STAGE_WAITING);
    assert_int_equal(stage_of(fixture, 2), STAGE_NONE);
}

static void applies_verdicts_by_request_and_group(void **state)
{
    fixture_t *fixture = *state;
    tables_meet_20(fixture, 1, 3);
    uint64_t sequence = send_statuses(fixture);
    verdict_exception_t unknown = {.index = 1, .verdict = VERDICT_UNKNOWN};
    group_verdict_t verdict = {.request_sequence = sequence,
                               .verdict = VERDICT_ACK,
                               .exceptions = &unknown,
                               .exception_count = 1};
    heartbeat_response_t response = {.verdicts = &verdict, .verdict_count = 1};
    assert_true(dispatcher_set_respond(fixture->set, EPOCH, &response, fixture->now));
    assert_int_equal(dispatcher_set_count(fixture->set), 2);
    assert_null(dispatcher_set_find(fixture->set, id_of(2)));
    assert_int_equal(dispatcher_view(dispatcher_set_find(fixture->set, id_of(1))).resends, 0);
    send_statuses(fixture);
    fixture->now = mono_add(fixture->now, 2 * STATUS_RESEND_INTERVAL_NS);
    dispatcher_set_tick(fixture->set, fixture->now);
    assert_int_equal(offered(fixture, STAGE_WAITING), 3);
}

static void resends_what_is_not_acknowledged(void **state)
{
    fixture_t *fixture = *state;
    tables_meet_20(fixture, 1, 3);
    send_statuses(fixture);
    fixture->now = mono_add(fixture->now, STATUS_RESEND_INTERVAL_NS);
    assert_true(dispatcher_set_next_deadline(fixture->set).v <= fixture->now.v);
    dispatcher_set_tick(fixture->set, fixture->now);
    assert_int_equal(offered(fixture, STAGE_WAITING), 6);
    send_statuses(fixture);
    dispatcher_set_offer_again(fixture->set, fixture->now);
    assert_int_equal(offered(fixture, STAGE_WAITING), 9);
}

static void offers_everything_again_to_a_newer_maintainer(void **state)
{
    fixture_t *fixture = *state;
    make_work(fixture, 1, 10);
    ddl_event_t *ddl = new_ddl(20, INFLUENCE_ALL, 0);
    deliver_ddl(fixture, 1, ddl);
    ddl_event_unref(&ddl);
    uint64_t sequence = send_statuses(fixture);
    group_verdict_t ack = {.request_sequence = sequence, .verdict = VERDICT_ACK};
    heartbeat_response_t response = {.verdicts = &ack, .verdict_count = 1};
    dispatcher_set_respond(fixture->set, EPOCH, &response, fixture->now);

    assert_true(dispatcher_set_bootstrap(fixture->set, EPOCH, fixture->now));
    assert_int_equal(offered(fixture, STAGE_WAITING), 1);
    assert_false(dispatcher_set_bootstrap(fixture->set, EPOCH - 1, fixture->now));
    assert_false(dispatcher_set_bootstrap(fixture->set, UINT64_MAX, fixture->now));
    assert_true(dispatcher_set_bootstrap(fixture->set, EPOCH + 1, fixture->now));
    assert_int_equal(offered(fixture, STAGE_WAITING), 2);
    assert_int_equal(dispatcher_set_epoch(fixture->set), EPOCH + 1);
    assert_false(schedule_create(fixture, EPOCH, create_of(2, 1)));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(fans_out_to_everything_on_the_node),
        TEST(fans_out_to_one_schema_and_the_trigger),
        TEST(names_dispatchers_of_a_normal_event),
        TEST(applies_verdicts_by_request_and_group),
        TEST(resends_what_is_not_acknowledged),
        TEST(offers_everything_again_to_a_newer_maintainer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
