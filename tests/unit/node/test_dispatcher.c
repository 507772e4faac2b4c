#include "tests/unit/node/dispatcher_fixture.h"

static int set_up_table(void **state)
{
    static fixture_t fixture;
    schedule_create_t create = create_of(TABLE, 0);
    start_with(&fixture, &create);
    make_work(&fixture);
    *state = &fixture;
    return 0;
}

static int set_up_trigger(void **state)
{
    static fixture_t fixture;
    schedule_create_t create = create_of(0, 0);
    start_with(&fixture, &create);
    make_work(&fixture);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    end(*state);
    return 0;
}

/* ---- life ---- */

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

/* ---- rows and progress ---- */

static void knows_rows_as_durable_only_after_the_flush(void **state)
{
    fixture_t *fixture = *state;
    deliver_rows(fixture, 2);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_WRITE_ROWS), 1);
    assert_int_equal(checkpoint(fixture), 1);
    assert_int_equal(view(fixture).rows_in_flight, 1);
    assert_int_equal(dispatcher_resolved(fixture->dispatcher).v, 1);
    node_effects_reset(&fixture->effects);
    written(fixture, 1, SLUICE_OK);
    assert_int_equal(checkpoint(fixture), 1);
    assert_int_equal(view(fixture).rows_in_flight, 0);
    const node_effect_t *credit = find_effect(fixture, NODE_EFFECT_RETURN_CREDIT);
    assert_non_null(credit);
    assert_true(credit->bytes >= 100);
}

static void returns_credit_once_for_rows_flushed_in_two_parts(void **state)
{
    fixture_t *fixture = *state;
    for (uint64_t ts = 2; ts <= 4; ts++)
        deliver_rows(fixture, ts);
    const node_effect_t *write = find_effect(fixture, NODE_EFFECT_WRITE_ROWS);
    assert_int_equal(write->commit_ts.v, 2);
    assert_non_null(write->transaction);
    node_effects_reset(&fixture->effects);
    written(fixture, 2, SLUICE_OK);
    assert_int_equal(checkpoint(fixture), 3);
    written(fixture, 1, SLUICE_OK);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_RETURN_CREDIT), 2);
    deliver_resolved(fixture, 9);
    assert_int_equal(checkpoint(fixture), 9);
}

static void lets_the_rest_of_a_transaction_come_whose_rows_cannot_be_cut(void **state)
{
    fixture_t *fixture = *state;
    for (int part = 0; part < 2; part++) {
        transaction_t *transaction = transaction_new();
        table_rows_t *rows = arena_calloc(&transaction->arena, 1, sizeof *rows);
        rows->definition = table_definition_new();
        rows->bytes = 100;
        transaction->tables = rows;
        transaction->table_count = 1;
        transaction->is_last_part = part == 1;
        rows->continues = part == 0;
        deliver(fixture, (stream_event_t){.kind = STREAM_ROWS,
                                          .commit_ts = {5},
                                          .transaction = transaction,
                                          .rows = rows});
        assert_int_equal(count_effects(fixture, NODE_EFFECT_RETURN_CREDIT), 1);
    }
    assert_int_equal(view(fixture).rows_in_flight, 2);
    written(fixture, 2, SLUICE_OK);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_RETURN_CREDIT), 2);
    assert_int_equal(checkpoint(fixture), 4);
}

static void follows_resolved_when_idle(void **state)
{
    fixture_t *fixture = *state;
    deliver_resolved(fixture, 7);
    assert_int_equal(checkpoint(fixture), 7);
    assert_int_equal(dispatcher_resolved(fixture->dispatcher).v, 7);
    deliver_resolved(fixture, 6);
    assert_int_equal(checkpoint(fixture), 7);
}

static void ignores_stale_events(void **state)
{
    fixture_t *fixture = *state;
    deliver_resolved(fixture, 10);
    deliver_rows(fixture, 9);
    deliver_ddl(fixture, ddl_of_two(8));
    deliver_syncpoint(fixture, 9);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_WRITE_ROWS), 0);
    assert_int_equal(view(fixture).stage, STAGE_NONE);
    assert_int_equal(view(fixture).key.commit_ts.v, 0);
    assert_int_equal(checkpoint(fixture), 10);
    assert_true(count_effects(fixture, NODE_EFFECT_RETURN_CREDIT) >= 1);
}

static void accepts_a_syncpoint_at_what_is_resolved(void **state)
{
    fixture_t *fixture = *state;
    deliver_resolved(fixture, 10);
    deliver_syncpoint(fixture, 10);
    assert_int_equal(view(fixture).stage, STAGE_WAITING);
    assert_true(event_key_equal(view(fixture).key, sync_key(10)));
    deliver_resolved(fixture, 20);
    assert_int_equal(checkpoint(fixture), 10);
    action(fixture, ACTION_PASS, sync_key(10));
    assert_int_equal(checkpoint(fixture), 20);
}

static void ignores_syncpoints_in_redo_mode(void **state)
{
    (void)state;
    fixture_t fixture;
    schedule_create_t create = create_of(TABLE, 0);
    create.mode = PIPELINE_REDO;
    start_with(&fixture, &create);
    make_work(&fixture);
    deliver_syncpoint(&fixture, 5);
    assert_int_equal(view(&fixture).key.commit_ts.v, 0);
    deliver_resolved(&fixture, 6);
    assert_int_equal(checkpoint(&fixture), 6);
    end(&fixture);
}

static void writes_a_ddl_of_its_table_alone_at_once(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_of_one(2, TABLE));
    expect_effects(fixture, NODE_EFFECT_RUN_DDL, 1);
    executed(fixture, SLUICE_OK);
    assert_int_equal(view(fixture).key.commit_ts.v, 0);
    assert_int_equal(view(fixture).stage, STAGE_NONE);
    assert_int_equal(view(fixture).resends, 0);
    assert_int_equal(offered(fixture, STAGE_NONE), 0);
    assert_int_equal(offered(fixture, STAGE_DONE), 0);
    assert_int_equal(checkpoint(fixture), 1);
    deliver_resolved(fixture, 2);
    assert_int_equal(checkpoint(fixture), 2);
}

static void flushes_before_a_ddl_of_its_table_alone(void **state)
{
    fixture_t *fixture = *state;
    deliver_rows(fixture, 2);
    deliver_ddl(fixture, ddl_of_one(3, TABLE));
    deliver_rows(fixture, 4);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_RUN_DDL), 0);
    node_effects_reset(&fixture->effects);
    written(fixture, 1, SLUICE_OK);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_RUN_DDL), 1);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_WRITE_ROWS), 0);
    node_effects_reset(&fixture->effects);
    executed(fixture, SLUICE_OK);
    expect_effects(fixture, NODE_EFFECT_WRITE_ROWS, 1);
    assert_int_equal(checkpoint(fixture), 3);
}

static void fails_when_a_ddl_fails(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_of_one(5, TABLE));
    executed(fixture, SLUICE_ERROR_SINK_REFUSED);
    assert_int_equal(dispatcher_state(fixture->dispatcher), DISPATCHER_FAILED);
    assert_true(checkpoint(fixture) < 5);
    action(fixture, ACTION_WRITE, ddl_key(5));
    assert_int_equal(count_effects(fixture, NODE_EFFECT_RUN_DDL), 1);
}

/* ---- the trigger's reports ---- */

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

#define TABLE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_table, tear_down)
#define TRIGGER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_trigger, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            claims_before_it_reads_and_starts_at_the_larger_of_checkpoint_and_progress),
        cmocka_unit_test(starts_the_trigger_behind_what_the_sink_has_forgotten),
        cmocka_unit_test(stops_when_the_span_is_somebody_elses),
        cmocka_unit_test(fails_when_the_sink_refuses_the_claim),
        cmocka_unit_test(waits_for_the_claim_before_it_stops),
        cmocka_unit_test(ignores_syncpoints_in_redo_mode),
        TABLE_TEST(closes_at_once_with_nothing_outstanding),
        TABLE_TEST(does_not_close_before_its_rows_are_answered),
        TABLE_TEST(does_not_close_while_it_executes_a_ddl),
        TABLE_TEST(swallows_events_while_stopping),
        TABLE_TEST(holds_its_checkpoint_after_a_failure_and_still_closes),
        TABLE_TEST(stays_failed_when_the_rest_is_cancelled),
        TABLE_TEST(writes_nothing_more_when_it_is_not_the_owner),
        TABLE_TEST(knows_rows_as_durable_only_after_the_flush),
        TABLE_TEST(returns_credit_once_for_rows_flushed_in_two_parts),
        TABLE_TEST(lets_the_rest_of_a_transaction_come_whose_rows_cannot_be_cut),
        TABLE_TEST(follows_resolved_when_idle),
        TABLE_TEST(ignores_stale_events),
        TABLE_TEST(accepts_a_syncpoint_at_what_is_resolved),
        TABLE_TEST(writes_a_ddl_of_its_table_alone_at_once),
        TABLE_TEST(flushes_before_a_ddl_of_its_table_alone),
        TABLE_TEST(fails_when_a_ddl_fails),
        TRIGGER_TEST(reports_a_drop_after_writing_it_until_acknowledged),
        TRIGGER_TEST(holds_its_checkpoint_below_an_add_until_acknowledged),
        TRIGGER_TEST(releases_the_hold_when_the_write_fails),
        TRIGGER_TEST(says_nothing_of_a_ddl_that_changes_no_table_list),
        TRIGGER_TEST(resends_a_report_every_interval),
        TRIGGER_TEST(holds_a_blocking_event_while_a_report_is_unacknowledged),
        TRIGGER_TEST(goes_on_with_what_blocks_nobody_while_a_report_is_unacknowledged),
        TRIGGER_TEST(holds_its_checkpoint_below_a_drop_until_acknowledged),
        TRIGGER_TEST(closes_with_an_unacknowledged_report_and_stays_below_it),
        TRIGGER_TEST(closes_when_the_ddl_that_it_executes_has_ended_and_leaves_the_report),
        TRIGGER_TEST(closes_with_an_unacknowledged_add_when_the_sink_has_failed),
        TRIGGER_TEST(lets_the_trigger_go_past_what_concerns_it_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
