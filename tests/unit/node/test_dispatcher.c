/* A dispatcher from its claim to its end, whatever ends it. */
#include "tests/unit/node/dispatcher_fixture.h"

static void claims_before_it_reads_and_starts_at_the_larger_of_checkpoint_and_progress(void **state)
{
    (void)state;
    fixture_t fixture;
    schedule_create_t create = create_of(TABLE, 100);
    create.start.passed = ddl_key(90);
    create.created = (commit_ts_t){90};
    start_with(&fixture, &create);
    dispatcher_step_t step = step_of(&fixture);
    dispatcher_start(fixture.dispatcher, &step);
    assert_int_equal(fixture.effects.count, 1);
    assert_int_equal(fixture.effects.items[0].kind, NODE_EFFECT_CLAIM);
    assert_int_equal(dispatcher_state(fixture.dispatcher), DISPATCHER_PREPARING);
    dispatcher_handle_claimed(fixture.dispatcher, &step, SLUICE_OK, (commit_ts_t){120});
    const node_effect_t *session = find_effect(&fixture, NODE_EFFECT_OPEN_SESSION);
    assert_int_equal(session->position.checkpoint.v, 120);
    assert_true(event_key_equal(session->position.passed, ddl_key(90)));
    assert_int_equal(session->created.v, 90);
    assert_int_equal(dispatcher_state(fixture.dispatcher), DISPATCHER_PREPARING);
    dispatcher_handle_opened(fixture.dispatcher, &step);
    assert_int_equal(dispatcher_state(fixture.dispatcher), DISPATCHER_WORKING);
    end(&fixture);
}

/* DDLs whose record the sink has forgotten must not be met again, whatever an older copy of the
 * meta store says; and the table list is that of where the trigger starts. */
static void starts_the_trigger_behind_what_the_sink_has_forgotten(void **state)
{
    (void)state;
    fixture_t fixture;
    schedule_create_t create = create_of(0, 100);
    create.wants_table_list = true;
    start_with(&fixture, &create);
    dispatcher_step_t step = step_of(&fixture);
    dispatcher_start(fixture.dispatcher, &step);
    assert_int_equal(count_effects(&fixture, NODE_EFFECT_SEND_TABLE_LIST), 0);
    dispatcher_handle_claimed(fixture.dispatcher, &step, SLUICE_OK, (commit_ts_t){120});
    assert_int_equal(find_effect(&fixture, NODE_EFFECT_OPEN_SESSION)->position.checkpoint.v, 120);
    assert_int_equal(find_effect(&fixture, NODE_EFFECT_SEND_TABLE_LIST)->commit_ts.v, 120);
    end(&fixture);
}

static void stops_when_the_span_is_somebody_elses(void **state)
{
    (void)state;
    fixture_t fixture;
    schedule_create_t create = create_of(TABLE, 100);
    start_with(&fixture, &create);
    dispatcher_step_t step = step_of(&fixture);
    dispatcher_start(fixture.dispatcher, &step);
    dispatcher_handle_claimed(fixture.dispatcher, &step, SLUICE_ERROR_NOT_OWNER, COMMIT_TS_NONE);
    assert_int_equal(dispatcher_phase(fixture.dispatcher), DISPATCHER_PHASE_STOPPED);
    assert_int_equal(count_effects(&fixture, NODE_EFFECT_OPEN_SESSION), 0);
    end(&fixture);
}

static void fails_when_the_sink_refuses_the_claim(void **state)
{
    (void)state;
    fixture_t fixture;
    schedule_create_t create = create_of(TABLE, 100);
    start_with(&fixture, &create);
    dispatcher_step_t step = step_of(&fixture);
    dispatcher_start(fixture.dispatcher, &step);
    dispatcher_handle_claimed(fixture.dispatcher, &step, SLUICE_ERROR_SINK_REFUSED, COMMIT_TS_NONE);
    assert_int_equal(dispatcher_state(fixture.dispatcher), DISPATCHER_FAILED);
    assert_int_equal(find_effect(&fixture, NODE_EFFECT_FAIL)->error, SLUICE_ERROR_SINK_REFUSED);
    assert_int_equal(checkpoint(&fixture), 100);
    dispatcher_close(fixture.dispatcher, &step);
    assert_int_equal(dispatcher_phase(fixture.dispatcher), DISPATCHER_PHASE_STOPPED);
    end(&fixture);
}

static void waits_for_the_claim_before_it_stops(void **state)
{
    (void)state;
    fixture_t fixture;
    schedule_create_t create = create_of(TABLE, 100);
    start_with(&fixture, &create);
    dispatcher_step_t step = step_of(&fixture);
    dispatcher_start(fixture.dispatcher, &step);
    dispatcher_close(fixture.dispatcher, &step);
    assert_int_equal(dispatcher_phase(fixture.dispatcher), DISPATCHER_PHASE_STOPPING);
    dispatcher_handle_claimed(fixture.dispatcher, &step, SLUICE_OK, COMMIT_TS_NONE);
    assert_int_equal(dispatcher_phase(fixture.dispatcher), DISPATCHER_PHASE_STOPPED);
    assert_int_equal(count_effects(&fixture, NODE_EFFECT_OPEN_SESSION), 0);
    assert_int_equal(count_effects(&fixture, NODE_EFFECT_CLOSE_LANE), 1);
    end(&fixture);
}

static void closes_at_once_with_nothing_outstanding(void **state)
{
    fixture_t *fixture = *state;
    deliver_resolved(fixture, 50);
    dispatcher_step_t step = step_of(fixture);
    dispatcher_close(fixture->dispatcher, &step);
    assert_int_equal(dispatcher_state(fixture->dispatcher), DISPATCHER_STOPPED);
    assert_int_equal(checkpoint(fixture), 50);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_CLOSE_SESSION), 1);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_CLOSE_LANE), 1);
}

static void does_not_close_before_its_rows_are_answered(void **state)
{
    fixture_t *fixture = *state;
    deliver_rows(fixture, 5);
    deliver_rows(fixture, 6);
    dispatcher_step_t step = step_of(fixture);
    dispatcher_close(fixture->dispatcher, &step);
    assert_int_equal(dispatcher_state(fixture->dispatcher), DISPATCHER_WORKING);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_CANCEL), 1);
    written(fixture, 1, SLUICE_OK);
    assert_int_equal(dispatcher_state(fixture->dispatcher), DISPATCHER_WORKING);
    written(fixture, 1, SLUICE_ERROR_CLOSED);
    assert_int_equal(dispatcher_state(fixture->dispatcher), DISPATCHER_STOPPED);
    assert_int_equal(checkpoint(fixture), 5);
}

static void does_not_close_while_it_executes_a_ddl(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_of_one(5, TABLE));
    expect_effects(fixture, NODE_EFFECT_RUN_DDL, 1);
    dispatcher_step_t step = step_of(fixture);
    dispatcher_close(fixture->dispatcher, &step);
    assert_int_equal(dispatcher_state(fixture->dispatcher), DISPATCHER_WORKING);
    executed(fixture, SLUICE_OK);
    assert_int_equal(dispatcher_state(fixture->dispatcher), DISPATCHER_STOPPED);
    assert_true(event_key_equal(dispatcher_position(fixture->dispatcher).passed, ddl_key(5)));
}

static void swallows_events_while_stopping(void **state)
{
    fixture_t *fixture = *state;
    deliver_rows(fixture, 5);
    dispatcher_step_t step = step_of(fixture);
    dispatcher_close(fixture->dispatcher, &step);
    node_effects_reset(&fixture->effects);
    deliver_rows(fixture, 6);
    deliver_ddl(fixture, ddl_of_two(7));
    assert_int_equal(fixture->effects.count, 0);
    assert_int_equal(view(fixture).rows_in_flight, 1);
}

static void holds_its_checkpoint_after_a_failure_and_still_closes(void **state)
{
    fixture_t *fixture = *state;
    deliver_rows(fixture, 5);
    deliver_rows(fixture, 6);
    deliver_resolved(fixture, 9);
    written(fixture, 1, SLUICE_OK);
    written(fixture, 1, SLUICE_ERROR_SINK_REFUSED);
    assert_int_equal(dispatcher_state(fixture->dispatcher), DISPATCHER_FAILED);
    assert_int_equal(checkpoint(fixture), 5);
    deliver_resolved(fixture, 20);
    assert_int_equal(checkpoint(fixture), 5);
    dispatcher_step_t step = step_of(fixture);
    dispatcher_close(fixture->dispatcher, &step);
    assert_int_equal(dispatcher_state(fixture->dispatcher), DISPATCHER_STOPPED);
    assert_int_equal(checkpoint(fixture), 5);
}

static void stays_failed_when_the_rest_is_cancelled(void **state)
{
    fixture_t *fixture = *state;
    deliver_rows(fixture, 5);
    deliver_rows(fixture, 6);
    written(fixture, 1, SLUICE_ERROR_SOURCE_CORRUPT);
    written(fixture, 1, SLUICE_ERROR_CLOSED);
    assert_int_equal(dispatcher_state(fixture->dispatcher), DISPATCHER_FAILED);
    assert_int_equal(checkpoint(fixture), 4);
}

static void writes_nothing_more_when_it_is_not_the_owner(void **state)
{
    fixture_t *fixture = *state;
    deliver_rows(fixture, 5);
    deliver_rows(fixture, 6);
    node_effects_reset(&fixture->effects);
    written(fixture, 1, SLUICE_ERROR_NOT_OWNER);
    assert_int_equal(dispatcher_phase(fixture->dispatcher), DISPATCHER_PHASE_STOPPING);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_CANCEL), 1);
    written(fixture, 1, SLUICE_ERROR_CLOSED);
    assert_int_equal(dispatcher_phase(fixture->dispatcher), DISPATCHER_PHASE_STOPPED);
    assert_int_equal(checkpoint(fixture), 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_table, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            claims_before_it_reads_and_starts_at_the_larger_of_checkpoint_and_progress),
        cmocka_unit_test(starts_the_trigger_behind_what_the_sink_has_forgotten),
        cmocka_unit_test(stops_when_the_span_is_somebody_elses),
        cmocka_unit_test(fails_when_the_sink_refuses_the_claim),
        cmocka_unit_test(waits_for_the_claim_before_it_stops),
        TEST(closes_at_once_with_nothing_outstanding),
        TEST(does_not_close_before_its_rows_are_answered),
        TEST(does_not_close_while_it_executes_a_ddl),
        TEST(swallows_events_while_stopping),
        TEST(holds_its_checkpoint_after_a_failure_and_still_closes),
        TEST(stays_failed_when_the_rest_is_cancelled),
        TEST(writes_nothing_more_when_it_is_not_the_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
