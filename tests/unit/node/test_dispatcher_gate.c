#include "tests/unit/node/dispatcher_fixture.h"

static int set_up(void **state)
{
    return set_up_work(state, TABLE, 3);
}

static void waits_at_a_blocking_ddl_until_acknowledged_and_beyond(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_of_two(5));
    assert_int_equal(view(fixture).stage, STAGE_WAITING);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_RUN_DDL), 0);
    assert_int_equal(checkpoint(fixture), 4);
    assert_int_equal(view(fixture).resends, 1);
    assert_int_equal(offered(fixture, STAGE_WAITING), 1);
    verdict(fixture, ddl_key(5), STAGE_WAITING, VERDICT_ACK);
    assert_int_equal(view(fixture).resends, 0);
    assert_int_equal(view(fixture).stage, STAGE_WAITING);
    assert_true(dispatcher_next_deadline(fixture->dispatcher).v == UINT64_MAX);
}

static void ignores_an_action_that_it_does_not_know(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_of_two(5));
    action(fixture, (action_kind_t)9, ddl_key(5));
    assert_int_equal(view(fixture).stage, STAGE_WAITING);
    assert_int_equal(fixture->effects.count, 0);
}

static void writes_when_told_and_says_done_once(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_of_two(5));
    action(fixture, ACTION_WRITE, ddl_key(5));
    const node_effect_t *run = find_effect(fixture, NODE_EFFECT_RUN_DDL);
    assert_int_equal(run->commit_ts.v, 5);
    assert_int_equal(run->run, 1);
    assert_int_equal(dispatcher_bootstrap_entry(fixture->dispatcher).stage, STAGE_WRITING);
    assert_int_equal(offered(fixture, STAGE_DONE), 0);
    executed(fixture, SLUICE_OK);
    assert_int_equal(offered(fixture, STAGE_DONE), 1);
    assert_int_equal(checkpoint(fixture), 4);
    assert_int_equal(view(fixture).stage, STAGE_NONE);
    assert_int_equal(view(fixture).key.commit_ts.v, 0);
    assert_true(event_key_equal(dispatcher_position(fixture->dispatcher).passed, ddl_key(5)));
    executed(fixture, SLUICE_OK);
    assert_int_equal(offered(fixture, STAGE_DONE), 1);
}

static void passes_a_syncpoint(void **state)
{
    fixture_t *fixture = *state;
    deliver_syncpoint(fixture, 6);
    assert_int_equal(view(fixture).stage, STAGE_WAITING);
    verdict(fixture, sync_key(6), STAGE_WAITING, VERDICT_ACK);
    assert_int_equal(view(fixture).resends, 0);
    action(fixture, ACTION_PASS, sync_key(6));
    assert_int_equal(checkpoint(fixture), 5);
    assert_int_equal(offered(fixture, STAGE_DONE), 1);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_WRITE_SYNCPOINT), 0);
}

static void writes_a_syncpoint(void **state)
{
    fixture_t *fixture = *state;
    deliver_syncpoint(fixture, 6);
    action(fixture, ACTION_WRITE, sync_key(6));
    assert_int_equal(find_effect(fixture, NODE_EFFECT_WRITE_SYNCPOINT)->commit_ts.v, 6);
    executed(fixture, SLUICE_OK);
    assert_true(event_key_equal(dispatcher_position(fixture->dispatcher).passed, sync_key(6)));
}

static void never_lets_an_action_for_the_ddl_release_the_syncpoint(void **state)
{
    fixture_t *fixture = *state;
    deliver_syncpoint(fixture, 6);
    action(fixture, ACTION_PASS, ddl_key(6));
    assert_int_equal(view(fixture).stage, STAGE_WAITING);
    assert_int_equal(offered(fixture, STAGE_DONE), 0);
    verdict(fixture, ddl_key(6), STAGE_WAITING, VERDICT_ACK);
    assert_int_equal(view(fixture).resends, 1);
}

static void meets_ddl_before_syncpoint_at_one_commit_ts(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_of_two(6));
    deliver_syncpoint(fixture, 6);
    assert_true(event_key_equal(view(fixture).key, ddl_key(6)));
    action(fixture, ACTION_PASS, ddl_key(6));
    assert_true(event_key_equal(view(fixture).key, sync_key(6)));
    assert_int_equal(offered(fixture, STAGE_WAITING), 2);
    action(fixture, ACTION_PASS, sync_key(6));
    assert_int_equal(offered(fixture, STAGE_DONE), 2);
}

static void flushes_once_before_it_reports(void **state)
{
    fixture_t *fixture = *state;
    deliver_rows(fixture, 8);
    deliver_rows(fixture, 9);
    deliver_ddl(fixture, ddl_of_two(10));
    assert_int_equal(offered(fixture, STAGE_WAITING), 0);
    assert_int_equal(view(fixture).stage, STAGE_NONE);
    written(fixture, 1, SLUICE_OK);
    assert_int_equal(offered(fixture, STAGE_WAITING), 0);
    written(fixture, 1, SLUICE_OK);
    assert_int_equal(offered(fixture, STAGE_WAITING), 1);
    node_effects_reset(&fixture->effects);
    action(fixture, ACTION_WRITE, ddl_key(10));
    assert_int_equal(fixture->effects.count, 1);
    assert_int_equal(fixture->effects.items[0].kind, NODE_EFFECT_RUN_DDL);
}

static void keeps_later_events_behind_the_gate_in_order(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_of_two(5));
    deliver_rows(fixture, 6);
    deliver_resolved(fixture, 6);
    deliver_resolved(fixture, 7);
    deliver_ddl(fixture, ddl_of_two(8));
    deliver_rows(fixture, 9);
    assert_int_equal(view(fixture).backlog, 4);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_WRITE_ROWS), 0);
    action(fixture, ACTION_PASS, ddl_key(5));
    assert_int_equal(count_effects(fixture, NODE_EFFECT_WRITE_ROWS), 1);
    assert_true(event_key_equal(view(fixture).key, ddl_key(8)));
    assert_int_equal(offered(fixture, STAGE_WAITING), 1);
    written(fixture, 1, SLUICE_OK);
    assert_int_equal(offered(fixture, STAGE_WAITING), 2);
    assert_int_equal(checkpoint(fixture), 7);
    action(fixture, ACTION_PASS, ddl_key(8));
    assert_int_equal(view(fixture).backlog, 0);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_WRITE_ROWS), 2);
}

static void lets_any_ddl_of_a_split_table_block(void **state)
{
    (void)state;
    fixture_t fixture;
    schedule_create_t create = create_of(TABLE, 3);
    create.span.end_key = bytes_of("m", 1);
    start_with(&fixture, &create);
    make_work(&fixture);
    deliver_ddl(&fixture, ddl_of_one(5, TABLE));
    assert_int_equal(view(&fixture).stage, STAGE_WAITING);
    assert_int_equal(count_effects(&fixture, NODE_EFFECT_RUN_DDL), 0);
    end(&fixture);
}

static void fails_when_a_split_table_cannot_be_split_any_more(void **state)
{
    (void)state;
    fixture_t fixture;
    schedule_create_t create = create_of(TABLE, 3);
    create.is_split = true;
    start_with(&fixture, &create);
    make_work(&fixture);
    ddl_event_t *ddl = ddl_of_one(5, TABLE);
    table_definition_t *without_key = table_definition_new();
    without_key->table_id = (table_id_t){TABLE};
    table_change_t *change = arena_calloc(&ddl->arena, 1, sizeof *change);
    change->kind = TABLE_ALTERED;
    change->after = without_key;
    ddl->changes = change;
    ddl->change_count = 1;
    deliver_ddl(&fixture, ddl);
    assert_int_equal(dispatcher_state(fixture.dispatcher), DISPATCHER_FAILED);
    assert_int_equal(find_effect(&fixture, NODE_EFFECT_FAIL)->error, SLUICE_ERROR_DDL_UNSUPPORTED);
    assert_int_equal(offered(&fixture, STAGE_WAITING), 0);
    end(&fixture);
}

/* ---- verdicts and resends ---- */

static void resends_waiting_every_interval(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_of_two(5));
    send_statuses(fixture);
    tick_after(fixture, STATUS_RESEND_INTERVAL_NS - 1);
    assert_int_equal(offered(fixture, STAGE_WAITING), 1);
    tick_after(fixture, 1);
    assert_int_equal(offered(fixture, STAGE_WAITING), 2);
    send_statuses(fixture);
    tick_after(fixture, STATUS_RESEND_INTERVAL_NS);
    assert_int_equal(offered(fixture, STAGE_WAITING), 3);
}

static void retries_sooner_when_ignored_and_keeps_the_periodic_resend(void **state)
{
    verdict_t verdicts[] = {VERDICT_IGNORED, VERDICT_LATER};
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_of_two(5));
    mono_ns_t started = fixture->now;
    uint64_t delay = STATUS_RETRY_FIRST_NS;
    for (uint64_t i = 1; i <= 4; i++) {
        send_statuses(fixture);
        verdict(fixture, ddl_key(5), STAGE_WAITING, verdicts[i % 2]);
        assert_int_equal(dispatcher_next_deadline(fixture->dispatcher).v, fixture->now.v + delay);
        tick_after(fixture, delay);
        assert_int_equal(offered(fixture, STAGE_WAITING), 1 + i);
        delay *= 2;
    }
    assert_int_equal(dispatcher_next_deadline(fixture->dispatcher).v,
                     started.v + STATUS_RESEND_INTERVAL_NS);
    for (uint64_t i = 0; i < 9; i++) {
        verdict(fixture, ddl_key(5), STAGE_WAITING, VERDICT_IGNORED);
        fixture->now = mono_add(fixture->now, STATUS_RESEND_INTERVAL_NS);
        tick_after(fixture, 0);
    }
    verdict(fixture, ddl_key(5), STAGE_WAITING, VERDICT_IGNORED);
    assert_true(dispatcher_next_deadline(fixture->dispatcher).v <=
                fixture->now.v + STATUS_RESEND_INTERVAL_NS);
    verdict(fixture, ddl_key(5), STAGE_WAITING, VERDICT_ACK);
    assert_int_equal(view(fixture).resends, 0);
}

static void ignores_verdicts_for_other_events(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_of_two(5));
    verdict(fixture, ddl_key(4), STAGE_WAITING, VERDICT_ACK);
    verdict(fixture, sync_key(5), STAGE_WAITING, VERDICT_ACK);
    verdict(fixture, ddl_key(5), STAGE_NONE, VERDICT_ACK);
    verdict(fixture, ddl_key(5), STAGE_DONE, VERDICT_UNKNOWN);
    verdict(fixture, ddl_key(4), STAGE_WAITING, VERDICT_UNKNOWN);
    assert_int_equal(view(fixture).resends, 1);
    assert_int_equal(dispatcher_phase(fixture->dispatcher), DISPATCHER_PHASE_WORKING);
}

static void stops_without_writing_when_unknown(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_of_two(5));
    verdict(fixture, ddl_key(5), STAGE_WAITING, VERDICT_UNKNOWN);
    assert_int_equal(dispatcher_phase(fixture->dispatcher), DISPATCHER_PHASE_STOPPED);
    assert_true(dispatcher_next_deadline(fixture->dispatcher).v == UINT64_MAX);
    action(fixture, ACTION_WRITE, ddl_key(5));
    action(fixture, ACTION_PASS, ddl_key(1));
    assert_int_equal(count_effects(fixture, NODE_EFFECT_RUN_DDL), 0);
    assert_int_equal(offered(fixture, STAGE_DONE), 0);
}

static void forgets_the_acknowledgement_for_a_new_maintainer(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_of_two(5));
    send_statuses(fixture);
    verdict(fixture, ddl_key(5), STAGE_WAITING, VERDICT_ACK);
    dispatcher_step_t step = step_of(fixture);
    dispatcher_offer_again(fixture->dispatcher, &step);
    assert_int_equal(offered(fixture, STAGE_WAITING), 1);
    dispatcher_forget_acks(fixture->dispatcher, &step);
    assert_int_equal(offered(fixture, STAGE_WAITING), 2);
    assert_int_equal(view(fixture).resends, 1);
}

static void offers_again_at_once_when_the_connection_comes_back(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_of_two(5));
    send_statuses(fixture);
    dispatcher_step_t step = step_of(fixture);
    dispatcher_offer_again(fixture->dispatcher, &step);
    assert_int_equal(offered(fixture, STAGE_WAITING), 2);
}

/* ---- actions that match nothing at hand ---- */

static void ignores_actions_for_what_lies_ahead(void **state)
{
    fixture_t *fixture = *state;
    action(fixture, ACTION_PASS, ddl_key(50));
    assert_int_equal(offered(fixture, STAGE_DONE), 0);
    deliver_ddl(fixture, ddl_of_two(5));
    action(fixture, ACTION_PASS, ddl_key(50));
    action(fixture, ACTION_WRITE, ddl_key(50));
    assert_int_equal(offered(fixture, STAGE_DONE), 0);
    assert_int_equal(view(fixture).stage, STAGE_WAITING);
    action(fixture, ACTION_PASS, EVENT_KEY_NONE);
    assert_int_equal(offered(fixture, STAGE_DONE), 0);
}

static void says_done_again_for_what_lies_behind(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_of_two(5));
    action(fixture, ACTION_PASS, ddl_key(5));
    send_statuses(fixture);
    action(fixture, ACTION_PASS, ddl_key(5));
    assert_int_equal(offered(fixture, STAGE_DONE), 2);
    deliver_ddl(fixture, ddl_of_two(9));
    send_statuses(fixture);
    action(fixture, ACTION_PASS, ddl_key(5));
    assert_int_equal(offered(fixture, STAGE_DONE), 3);
    assert_int_equal(view(fixture).stage, STAGE_WAITING);
}

static void takes_a_checkpoint_above_as_proof_but_not_one_that_is_equal(void **state)
{
    fixture_t *fixture = *state;
    deliver_resolved(fixture, 10);
    action(fixture, ACTION_PASS, ddl_key(10));
    assert_int_equal(offered(fixture, STAGE_DONE), 0);
    action(fixture, ACTION_PASS, ddl_key(9));
    assert_int_equal(offered(fixture, STAGE_DONE), 1);
}

static void never_says_done_while_writing(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_of_two(5));
    action(fixture, ACTION_WRITE, ddl_key(5));
    action(fixture, ACTION_WRITE, ddl_key(5));
    action(fixture, ACTION_PASS, ddl_key(5));
    assert_int_equal(offered(fixture, STAGE_DONE), 0);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_RUN_DDL), 1);
    executed(fixture, SLUICE_OK);
    assert_int_equal(offered(fixture, STAGE_DONE), 1);
}

static void meets_again_what_it_passed_before_its_restart(void **state)
{
    (void)state;
    fixture_t fixture;
    schedule_create_t create = create_of(TABLE, 19);
    create.start.passed = ddl_key(20);
    start_with(&fixture, &create);
    make_work(&fixture);
    deliver_ddl(&fixture, ddl_of_two(20));
    assert_int_equal(view(&fixture).stage, STAGE_WAITING);
    status_path_step(fixture.path, fixture.now);
    status_path_step(fixture.path, mono_add(fixture.now, 20 * NS_PER_MS));
    const status_request_t *request = status_path_next(fixture.path);
    assert_true(event_key_equal(request->passed[0], ddl_key(20)));
    status_path_complete(fixture.path, request, REQUEST_SENT, fixture.now);
    action(&fixture, ACTION_PASS, ddl_key(20));
    assert_int_equal(view(&fixture).key.commit_ts.v, 0);
    end(&fixture);
}

static void tries_again_when_the_buffer_is_full(void **state)
{
    (void)state;
    fixture_t fixture;
    schedule_create_t create = create_of(TABLE, 3);
    start_with(&fixture, &create);
    status_path_destroy(&fixture.path);
    status_path_options_t options = status_path_options_default();
    options.buffer_capacity = 1;
    fixture.path = status_path_new(&options);
    make_work(&fixture);
    deliver_ddl(&fixture, ddl_of_two(5));
    action(&fixture, ACTION_PASS, ddl_key(5));
    assert_int_equal(offered(&fixture, STAGE_DONE), 0);
    send_statuses(&fixture);
    assert_int_equal(dispatcher_next_deadline(fixture.dispatcher).v,
                     fixture.now.v + STATUS_RETRY_FIRST_NS);
    tick_after(&fixture, STATUS_RETRY_FIRST_NS);
    assert_int_equal(offered(&fixture, STAGE_DONE), 1);
    assert_true(dispatcher_next_deadline(fixture.dispatcher).v == UINT64_MAX);
    end(&fixture);
}

/* Else those who come late wait longest, and are overtaken again and again. */
static void asks_for_room_at_the_same_pace_however_long_it_takes(void **state)
{
    (void)state;
    fixture_t fixture;
    schedule_create_t create = create_of(TABLE, 3);
    start_with(&fixture, &create);
    status_path_destroy(&fixture.path);
    status_path_options_t options = status_path_options_default();
    options.buffer_capacity = 1;
    fixture.path = status_path_new(&options);
    make_work(&fixture);
    status_slot_t *other = status_slot_new((dispatcher_id_t){9, 9}, PIPELINE_DEFAULT, NULL);
    block_status_t status = {.slot = other, .stage = STAGE_DONE, .key = ddl_key(4)};
    assert_int_equal(status_path_offer(fixture.path, &status), SLUICE_OK);
    deliver_ddl(&fixture, ddl_of_two(5));
    for (int i = 0; i < 10; i++) {
        assert_int_equal(dispatcher_next_deadline(fixture.dispatcher).v,
                         fixture.now.v + STATUS_RETRY_FIRST_NS);
        tick_after(&fixture, STATUS_RETRY_FIRST_NS);
    }
    send_statuses(&fixture);
    tick_after(&fixture, STATUS_RETRY_FIRST_NS);
    assert_int_equal(offered(&fixture, STAGE_WAITING), 1);
    end(&fixture);
    status_slot_unref(&other);
}

static void tells_a_new_maintainer_where_it_stands(void **state)
{
    fixture_t *fixture = *state;
    bootstrap_entry_t entry = dispatcher_bootstrap_entry(fixture->dispatcher);
    assert_int_equal(entry.stage, STAGE_NONE);
    assert_null(entry.payload);
    deliver_rows(fixture, 4);
    deliver_ddl(fixture, ddl_of_two(5));
    assert_int_equal(dispatcher_bootstrap_entry(fixture->dispatcher).stage, STAGE_NONE);
    written(fixture, 1, SLUICE_OK);
    entry = dispatcher_bootstrap_entry(fixture->dispatcher);
    assert_int_equal(entry.stage, STAGE_WAITING);
    assert_true(event_key_equal(entry.key, ddl_key(5)));
    assert_int_equal(entry.payload->influence.table_count, 2);
    assert_int_equal(entry.state, DISPATCHER_WORKING);
    action(fixture, ACTION_PASS, ddl_key(5));
    deliver_syncpoint(fixture, 6);
    entry = dispatcher_bootstrap_entry(fixture->dispatcher);
    assert_int_equal(entry.payload->influence.kind, INFLUENCE_ALL);
    assert_true(event_key_equal(entry.position.passed, ddl_key(5)));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(waits_at_a_blocking_ddl_until_acknowledged_and_beyond),
        TEST(ignores_an_action_that_it_does_not_know),
        TEST(writes_when_told_and_says_done_once),
        TEST(passes_a_syncpoint),
        TEST(writes_a_syncpoint),
        TEST(never_lets_an_action_for_the_ddl_release_the_syncpoint),
        TEST(meets_ddl_before_syncpoint_at_one_commit_ts),
        TEST(flushes_once_before_it_reports),
        TEST(keeps_later_events_behind_the_gate_in_order),
        cmocka_unit_test(lets_any_ddl_of_a_split_table_block),
        cmocka_unit_test(fails_when_a_split_table_cannot_be_split_any_more),
        TEST(resends_waiting_every_interval),
        TEST(retries_sooner_when_ignored_and_keeps_the_periodic_resend),
        TEST(ignores_verdicts_for_other_events),
        TEST(stops_without_writing_when_unknown),
        TEST(forgets_the_acknowledgement_for_a_new_maintainer),
        TEST(offers_again_at_once_when_the_connection_comes_back),
        TEST(ignores_actions_for_what_lies_ahead),
        TEST(says_done_again_for_what_lies_behind),
        TEST(takes_a_checkpoint_above_as_proof_but_not_one_that_is_equal),
        TEST(never_says_done_while_writing),
        cmocka_unit_test(meets_again_what_it_passed_before_its_restart),
        cmocka_unit_test(tries_again_when_the_buffer_is_full),
        cmocka_unit_test(asks_for_room_at_the_same_pace_however_long_it_takes),
        TEST(tells_a_new_maintainer_where_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
