/* What proves that an event was passed (DESIGN §4). */
#include "tests/unit/maintainer/barrier_fixture.h"

/* B6: strict comparisons. */
static void equal_checkpoint_proves_nothing(void **state)
{
    (void)state;
    span_entry_t span = {.checkpoint = {10}};
    assert_false(span_proves(&span, KEY(10)));
    assert_false(span_proves(&span, SYNC(10)));
    assert_true(span_proves(&span, KEY(9)));
    assert_true(span_proves(&span, SYNC(9)));
    span.passed_ts = (commit_ts_t){10};
    assert_true(span_proves(&span, KEY(10)));
    assert_false(span_proves(&span, SYNC(10)));
    span.passed_is_syncpoint = true;
    assert_true(span_proves(&span, SYNC(10)));
    span = (span_entry_t){.block_ts = {11}, .block_stage = STAGE_WAITING};
    assert_true(span_proves(&span, SYNC(10)));
    assert_false(span_proves(&span, KEY(11)));
}

/* ORACLE §6.3: a table restarted before a finished RENAME meets it again. */
static void passage_is_proven_by_what_another_passed(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_2);
    block_payload_t rename = {.influence = NORMAL(2, {0}, {1})};
    dispatcher_id_t trigger = f.trigger;
    /* The trigger says something of 21 and that it has passed 20. */
    event_key_t passed = KEY(20);
    WAITS(node_2, KEY(20), &rename, 1);
    assert_state(&f, KEY(20), BARRIER_COLLECTING);
    table_info_t added = fixture_info(21, 1);
    block_payload_t create = {.influence = NORMAL(1, {0}), .added = &added, .added_count = 1};
    fixture_hand_in(&f, node_1, STAGE_NONE, KEY(21), &create, &trigger, &passed, 1);
    fixture_settle(&f);
    assert_int_equal(f.sent_count, 1);
    assert_int_equal(f.sent[0].action.kind, ACTION_PASS);
    assert_state(&f, KEY(20), BARRIER_ADVANCED);
    /* Only those who wait have to be done. */
    DONE(node_2, KEY(20), 1);
    assert_int_equal(barrier_count(f.barrier), 0);
    fixture_teardown(&f);
}

/* Whose DONE is lost says by what it reports next that it is through. */
static void a_proven_event_ends_when_the_last_who_waits_has_moved_on(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_2);
    block_payload_t all = {.influence = {.kind = INFLUENCE_ALL}};
    dispatcher_id_t trigger = f.trigger, one = dispatcher_of(1);
    event_key_t passed = KEY(20);
    WAITS(node_2, KEY(20), &all, 1);
    fixture_report(&f, node_1, STAGE_WAITING, KEY(20), &all, trigger);
    assert_state(&f, KEY(20), BARRIER_SELECTED);
    fixture_hand_in(&f, node_1, STAGE_DONE, KEY(20), NULL, &trigger, &passed, 1);
    fixture_settle(&f);
    assert_state(&f, KEY(20), BARRIER_ADVANCED);
    fixture_hand_in(&f, node_2, STAGE_WAITING, KEY(30), &all, &one, &passed, 1);
    fixture_settle(&f);
    assert_int_equal(barrier_count(f.barrier), 1);
    fixture_teardown(&f);
}

/* The table is far behind the event of its schema when the new maintainer hears of it. */
static void a_restored_event_of_a_schema_is_proven_by_who_is_behind_it(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    span_entry_t *one = fixture_add(&f, 1, 1, node_2);
    span_entry_raise(one, (position_t){{65}, EVENT_KEY_NONE});
    barrier_note_position(f.barrier, one);
    block_payload_t alter = {.influence = {.kind = INFLUENCE_DB, .schema = {1}}};
    barrier_restore(f.barrier, f.now, span_table_trigger(f.table), KEY(46), STAGE_WAITING, &alter);
    fixture_settle(&f);
    assert_state(&f, KEY(46), BARRIER_ADVANCED);
    assert_int_equal(f.sent_count, 1);
    assert_int_equal(f.sent[0].action.kind, ACTION_PASS);
    fixture_teardown(&f);
}

static void a_heartbeat_beyond_the_event_proves_it(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_2);
    span_entry_t *two = fixture_add(&f, 2, 1, node_1);
    fixture_add(&f, 3, 1, node_1);
    block_payload_t payload = {.influence = NORMAL(2, {1}, {2})};
    WAITS(node_2, KEY(20), &payload, 1);
    span_entry_t *three = span_table_find(f.table, (table_id_t){3})->first_span;
    span_entry_raise(three, (position_t){{500}, EVENT_KEY_NONE});
    barrier_note_position(f.barrier, three);
    fixture_settle(&f);
    assert_state(&f, KEY(20), BARRIER_COLLECTING);
    span_entry_raise(two, (position_t){{20}, EVENT_KEY_NONE});
    barrier_note_position(f.barrier, two);
    fixture_settle(&f);
    assert_state(&f, KEY(20), BARRIER_COLLECTING);
    span_entry_raise(two, (position_t){{21}, EVENT_KEY_NONE});
    barrier_note_position(f.barrier, two);
    fixture_settle(&f);
    assert_state(&f, KEY(20), BARRIER_ADVANCED);
    assert_int_equal(f.sent_count, 1);
    fixture_teardown(&f);
}

/* B10, rule 4: the trigger's later report waits for the change that has to come first. */
static void the_trigger_is_put_off_while_an_earlier_change_waits(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_1);
    fixture_add(&f, 2, 1, node_2);
    table_info_t added = fixture_info(10, 1);
    /* Not listed: so the trigger may come to a later event meanwhile. */
    block_payload_t change = {.influence = NORMAL(2, {1}, {2}), .added = &added, .added_count = 1};
    WAITS(node_1, KEY(10), &change, 1);
    WAITS(node_2, KEY(10), &change, 2);
    assert_state(&f, KEY(10), BARRIER_SELECTED);
    assert_int_equal(WAITS(node_1, KEY(20), &everything, 0), VERDICT_LATER);
    assert_null(barrier_find(f.barrier, KEY(20)));
    /* Also when somebody else has reported the event already. */
    fixture_add(&f, 3, 1, node_1);
    assert_int_equal(WAITS(node_1, KEY(20), &everything, 3), VERDICT_ACK);
    assert_int_equal(WAITS(node_1, KEY(20), &everything, 0), VERDICT_LATER);
    assert_false(span_entry_is_at(span_table_trigger(f.table), KEY(20)));
    table_info_t later = fixture_info(15, 1);
    block_payload_t create = {.influence = NORMAL(1, {0}), .added = &later, .added_count = 1};
    assert_int_equal(fixture_report(&f, node_1, STAGE_NONE, KEY(15), &create, f.trigger),
                     VERDICT_LATER);
    assert_null(span_table_find(f.table, (table_id_t){15}));
    DONE(node_2, KEY(10), 2);
    assert_non_null(span_table_find(f.table, (table_id_t){10}));
    assert_non_null(span_table_find(f.table, (table_id_t){15}));
    assert_int_equal(fixture_report(&f, node_1, STAGE_NONE, KEY(15), &create, f.trigger),
                     VERDICT_ACK);
    assert_int_equal(WAITS(node_1, KEY(20), &everything, 0), VERDICT_ACK);
    /* Its table set holds the added ones: they have to report too. */
    assert_state(&f, KEY(20), BARRIER_COLLECTING);
    barrier_settle(f.barrier, f.now, f.outbox, &f.effects, bytes_of_text("feed"));
    event_coverage_t coverage = barrier_event_coverage(barrier_find(f.barrier, KEY(20)), f.table,
                                                       &(list_progress_t){.floor = KEY(15)});
    assert_int_equal(coverage.required, 6);
    fixture_teardown(&f);
}

/* A dispatcher may have said DONE from what its table passed before, and meet the event after. */
static void who_waits_after_it_said_done_is_passed(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_1);
    fixture_add(&f, 2, 1, node_2);
    block_payload_t payload = {.influence = NORMAL(2, {1}, {2})};
    dispatcher_id_t one = dispatcher_of(1);
    event_key_t passed = KEY(30);
    WAITS(node_2, KEY(30), &payload, 2);
    fixture_hand_in(&f, node_1, STAGE_DONE, KEY(30), NULL, &one, &passed, 1);
    fixture_settle(&f);
    assert_int_equal(f.sent[0].action.kind, ACTION_PASS);
    DONE(node_2, KEY(30), 2);
    assert_int_equal(barrier_count(f.barrier), 0);
    assert_int_equal(WAITS(node_1, KEY(30), &payload, 1), VERDICT_ACK);
    assert_int_equal(f.sent_count, 1);
    assert_int_equal(f.sent[0].action.kind, ACTION_PASS);
    DONE(node_1, KEY(30), 1);
    assert_int_equal(barrier_count(f.barrier), 0);
    /* Also when it said so, was heard, and comes once more. */
    assert_int_equal(WAITS(node_1, KEY(30), &payload, 1), VERDICT_ACK);
    assert_int_equal(f.sent_count, 1);
    fixture_teardown(&f);
}

/* Which tables a schema has is known when the trigger stands at the event: a table beyond it may
 * have been moved out by a change that is not made yet. */
static void a_table_proves_a_schema_event_only_once_the_trigger_is_at_it(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    span_entry_t *moved = fixture_add(&f, 1, 1, node_1);
    fixture_add(&f, 2, 1, node_1);
    block_payload_t drop = {.influence = {.kind = INFLUENCE_DB, .schema = {1}},
                            .dropped = {.kind = INFLUENCE_DB, .schema = {1}}};
    schema_move_t away = {.table_id = {1}, .from = {1}, .to = {2}, .schema = bytes_of_text("d2")};
    block_payload_t rename = {.influence = NORMAL(2, {0}, {1}), .moves = &away, .move_count = 1};
    WAITS(node_1, KEY(67), &drop, 2);
    span_entry_raise(moved, (position_t){{80}, KEY(66)});
    barrier_note_position(f.barrier, moved);
    fixture_settle(&f);
    assert_state(&f, KEY(67), BARRIER_COLLECTING);
    WAITS(node_1, KEY(66), &rename, 0);
    DONE(node_1, KEY(66), 0);
    assert_int_equal(moved->table->schema->schema_id.v, 2);
    WAITS(node_1, KEY(67), &drop, 0);
    assert_state(&f, KEY(67), BARRIER_SELECTED);
    assert_write(&f, 0, node_1, KEY(67), f.trigger);
    DONE(node_1, KEY(67), 0);
    assert_non_null(span_table_find(f.table, (table_id_t){1}));
    assert_null(span_table_find(f.table, (table_id_t){2}));
    fixture_teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_checkpoint_proves_nothing),
        cmocka_unit_test(passage_is_proven_by_what_another_passed),
        cmocka_unit_test(a_proven_event_ends_when_the_last_who_waits_has_moved_on),
        cmocka_unit_test(a_restored_event_of_a_schema_is_proven_by_who_is_behind_it),
        cmocka_unit_test(a_heartbeat_beyond_the_event_proves_it),
        cmocka_unit_test(the_trigger_is_put_off_while_an_earlier_change_waits),
        cmocka_unit_test(who_waits_after_it_said_done_is_passed),
        cmocka_unit_test(a_table_proves_a_schema_event_only_once_the_trigger_is_at_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
