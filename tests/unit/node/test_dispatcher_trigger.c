/* The trigger's reports of DDLs that change the table list. */
#include "tests/unit/node/dispatcher_fixture.h"

static void reports_a_drop_after_writing_it_until_acknowledged(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_that_drops(3));
    assert_int_equal(offered(fixture, STAGE_NONE), 0);
    executed(fixture, SLUICE_OK);
    assert_int_equal(offered(fixture, STAGE_NONE), 1);
    assert_int_equal(view(fixture).resends, 1);
    assert_int_equal(checkpoint(fixture), 2);
    verdict(fixture, ddl_key(3), STAGE_NONE, VERDICT_ACK);
    assert_int_equal(view(fixture).resends, 0);
}

static void holds_its_checkpoint_below_an_add_until_acknowledged(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_that_adds(100));
    assert_true(checkpoint(fixture) < 100);
    executed(fixture, SLUICE_OK);
    deliver_resolved(fixture, 200);
    assert_int_equal(checkpoint(fixture), 99);
    verdict(fixture, ddl_key(2), STAGE_NONE, VERDICT_ACK);
    verdict(fixture, ddl_key(100), STAGE_WAITING, VERDICT_ACK);
    assert_int_equal(view(fixture).reports, 1);
    assert_int_equal(checkpoint(fixture), 99);
    verdict(fixture, ddl_key(100), STAGE_NONE, VERDICT_ACK);
    assert_int_equal(view(fixture).reports, 0);
    assert_int_equal(checkpoint(fixture), 200);
}

static void releases_the_hold_when_the_write_fails(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_that_adds(100));
    executed(fixture, SLUICE_ERROR_SINK_REFUSED);
    assert_int_equal(view(fixture).reports, 0);
    assert_true(checkpoint(fixture) < 100);
}

static void says_nothing_of_a_ddl_that_changes_no_table_list(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_of_one(5, 0));
    executed(fixture, SLUICE_OK);
    assert_int_equal(offered(fixture, STAGE_NONE), 0);
    ddl_event_t *ddl = ddl_of_one(6, 0);
    ddl->payload.dropped.kind = INFLUENCE_DB;
    deliver_ddl(fixture, ddl);
    executed(fixture, SLUICE_OK);
    assert_int_equal(offered(fixture, STAGE_NONE), 1);
}

static void resends_a_report_every_interval(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_that_adds(5));
    executed(fixture, SLUICE_OK);
    tick_after(fixture, STATUS_RESEND_INTERVAL_NS);
    assert_int_equal(offered(fixture, STAGE_NONE), 1); /* its copy is still queued */
    send_statuses(fixture);
    tick_after(fixture, STATUS_RESEND_INTERVAL_NS);
    assert_int_equal(offered(fixture, STAGE_NONE), 2);
    assert_int_equal(dispatcher_next_deadline(fixture->dispatcher).v,
                     fixture->now.v + STATUS_RESEND_INTERVAL_NS);
}

static void holds_a_blocking_event_while_a_report_is_unacknowledged(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_that_adds(5));
    executed(fixture, SLUICE_OK);
    deliver_ddl(fixture, new_ddl(6, INFLUENCE_ALL, 0, NULL));
    assert_int_equal(offered(fixture, STAGE_WAITING), 0);
    assert_int_equal(view(fixture).stage, STAGE_NONE);
    action(fixture, ACTION_WRITE, ddl_key(6));
    assert_int_equal(count_effects(fixture, NODE_EFFECT_RUN_DDL), 1);
    verdict(fixture, ddl_key(5), STAGE_NONE, VERDICT_ACK);
    assert_int_equal(offered(fixture, STAGE_WAITING), 1);
    assert_int_equal(view(fixture).stage, STAGE_WAITING);
}

static void goes_on_with_what_blocks_nobody_while_a_report_is_unacknowledged(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_that_adds(5));
    executed(fixture, SLUICE_OK);
    deliver_ddl(fixture, ddl_that_adds(6));
    executed(fixture, SLUICE_OK);
    assert_int_equal(view(fixture).reports, 2);
    deliver_resolved(fixture, 9);
    assert_int_equal(checkpoint(fixture), 4);
    verdict(fixture, ddl_key(6), STAGE_NONE, VERDICT_ACK);
    assert_int_equal(checkpoint(fixture), 4);
    verdict(fixture, ddl_key(5), STAGE_NONE, VERDICT_ACK);
    assert_int_equal(checkpoint(fixture), 9);
}

static void holds_its_checkpoint_below_a_drop_until_acknowledged(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_that_drops(3));
    executed(fixture, SLUICE_OK);
    deliver_resolved(fixture, 200);
    assert_int_equal(checkpoint(fixture), 2);
    verdict(fixture, ddl_key(3), STAGE_NONE, VERDICT_ACK);
    assert_int_equal(checkpoint(fixture), 200);
}

static void closes_with_an_unacknowledged_report_and_stays_below_it(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_that_adds(100));
    executed(fixture, SLUICE_OK);
    deliver_resolved(fixture, 200);
    dispatcher_step_t step = step_of(fixture);
    dispatcher_close(fixture->dispatcher, &step);
    assert_int_equal(dispatcher_state(fixture->dispatcher), DISPATCHER_STOPPED);
    assert_int_equal(checkpoint(fixture), 99);
    assert_int_equal(view(fixture).reports, 0);
}

/* A maintainer that takes the trigger back hears no report of it any more. */
static void closes_when_the_ddl_that_it_executes_has_ended_and_leaves_the_report(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_that_adds(50));
    executed(fixture, SLUICE_OK);
    deliver_ddl(fixture, ddl_that_adds(100));
    dispatcher_step_t step = step_of(fixture);
    dispatcher_close(fixture->dispatcher, &step);
    assert_int_equal(dispatcher_state(fixture->dispatcher), DISPATCHER_WORKING);
    executed(fixture, SLUICE_OK);
    assert_int_equal(dispatcher_state(fixture->dispatcher), DISPATCHER_STOPPED);
    assert_int_equal(checkpoint(fixture), 49);
    assert_int_equal(view(fixture).reports, 0);
}

static void closes_with_an_unacknowledged_add_when_the_sink_has_failed(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_that_adds(100));
    executed(fixture, SLUICE_OK);
    deliver_resolved(fixture, 200);
    deliver_ddl(fixture, ddl_of_one(201, 0));
    executed(fixture, SLUICE_ERROR_SINK_REFUSED);
    dispatcher_step_t step = step_of(fixture);
    dispatcher_close(fixture->dispatcher, &step);
    assert_int_equal(dispatcher_state(fixture->dispatcher), DISPATCHER_STOPPED);
    assert_int_equal(checkpoint(fixture), 99);
    assert_int_equal(dispatcher_resolved(fixture->dispatcher).v, 200);
}

static void lets_the_trigger_go_past_what_concerns_it_not(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_of_one(5, TABLE));
    assert_int_equal(count_effects(fixture, NODE_EFFECT_RUN_DDL), 0);
    assert_int_equal(view(fixture).key.commit_ts.v, 0);
    assert_int_equal(checkpoint(fixture), 4);
    assert_true(event_key_equal(dispatcher_position(fixture->dispatcher).passed, EVENT_KEY_NONE));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_trigger, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(reports_a_drop_after_writing_it_until_acknowledged),
        TEST(holds_its_checkpoint_below_an_add_until_acknowledged),
        TEST(releases_the_hold_when_the_write_fails),
        TEST(says_nothing_of_a_ddl_that_changes_no_table_list),
        TEST(resends_a_report_every_interval),
        TEST(holds_a_blocking_event_while_a_report_is_unacknowledged),
        TEST(goes_on_with_what_blocks_nobody_while_a_report_is_unacknowledged),
        TEST(holds_its_checkpoint_below_a_drop_until_acknowledged),
        TEST(closes_with_an_unacknowledged_report_and_stays_below_it),
        TEST(closes_when_the_ddl_that_it_executes_has_ended_and_leaves_the_report),
        TEST(closes_with_an_unacknowledged_add_when_the_sink_has_failed),
        TEST(lets_the_trigger_go_past_what_concerns_it_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
