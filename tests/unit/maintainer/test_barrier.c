/* Who reports, who writes, and when a gate opens. */
#include "tests/unit/maintainer/barrier_fixture.h"

/* BAR-1 to BAR-4. */
static void a_syncpoint_is_written_by_the_trigger_and_ends_with_the_last_done(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_1);
    dispatcher_id_t both[] = {f.trigger, dispatcher_of(1)};
    verdict_t *verdicts =
        fixture_hand_in(&f, node_1, STAGE_WAITING, SYNC(10), &everything, both, NULL, 2);
    assert_int_equal(verdicts[0], VERDICT_ACK);
    assert_int_equal(verdicts[1], VERDICT_ACK);
    fixture_settle(&f);
    assert_int_equal(f.sent_count, 1);
    assert_write(&f, 0, node_1, SYNC(10), f.trigger);
    assert_state(&f, SYNC(10), BARRIER_SELECTED);
    assert_non_null(fixture_logged(&f, "barrier_selected"));
    fixture_advance(&f, 2000);
    fixture_settle(&f);
    assert_int_equal(f.sent_count, 1);
    assert_write(&f, 0, node_1, SYNC(10), f.trigger);
    fixture_hand_in(&f, node_1, STAGE_DONE, SYNC(10), NULL, both, NULL, 2);
    fixture_settle(&f);
    assert_int_equal(f.sent_count, 0);
    assert_int_equal(barrier_count(f.barrier), 0);
    fixture_hand_in(&f, node_1, STAGE_DONE, SYNC(10), NULL, both, NULL, 2);
    fixture_settle(&f);
    assert_int_equal(barrier_count(f.barrier), 0);
    fixture_teardown(&f);
}

/* BAR-5 to BAR-8. */
static void the_last_reporter_writes_where_the_trigger_is_not_listed(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_1);
    fixture_add(&f, 2, 1, node_1);
    fixture_add(&f, 3, 1, node_2);
    table_info_t added = fixture_info(10, 1);
    block_payload_t payload = {
        .influence = NORMAL(3, {1}, {2}, {3}), .added = &added, .added_count = 1};
    assert_int_equal(WAITS(node_1, KEY(10), &payload, 1), VERDICT_ACK);
    assert_int_equal(WAITS(node_1, KEY(10), &payload, 2), VERDICT_ACK);
    assert_int_equal(f.sent_count, 0);
    assert_int_equal(barrier_checkpoint_bound(f.barrier).v, 9);
    assert_int_equal(WAITS(node_2, KEY(10), &payload, 3), VERDICT_ACK);
    assert_int_equal(f.sent_count, 1);
    assert_write(&f, 0, node_2, KEY(10), dispatcher_of(3));
    /* A repeated report changes nothing. */
    assert_int_equal(WAITS(node_1, KEY(10), &payload, 1), VERDICT_ACK);
    assert_int_equal(f.sent_count, 0);
    assert_true(dispatcher_id_equal(barrier_find(f.barrier, KEY(10))->writer, dispatcher_of(3)));
    assert_null(span_table_find(f.table, (table_id_t){10}));
    DONE(node_2, KEY(10), 3);
    assert_non_null(span_table_find(f.table, (table_id_t){10}));
    assert_int_equal(f.sent_count, 2);
    DONE(node_1, KEY(10), 1);
    DONE(node_1, KEY(10), 2);
    assert_int_equal(barrier_count(f.barrier), 0);
    assert_int_equal(barrier_checkpoint_bound(f.barrier).v, COMMIT_TS_MAX.v);
    /* It starts at the event that creates it and is held until it replicates. */
    span_entry_t *span = span_table_find(f.table, (table_id_t){10})->first_span;
    assert_int_equal(span->checkpoint.v, 10);
    assert_true(event_key_equal(span_entry_passed(span), KEY(10)));
    assert_true(span->is_fresh);
    fixture_teardown(&f);
}

/* BAR-9. */
static void the_trigger_writes_where_it_is_listed(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_1);
    fixture_add(&f, 2, 1, node_1);
    table_info_t added = fixture_info(10, 1);
    block_payload_t payload = {.influence = NORMAL(3, {0}, {1}, {2}),
                               .dropped = NORMAL(1, {2}),
                               .added = &added,
                               .added_count = 1};
    WAITS(node_1, KEY(10), &payload, 1);
    WAITS(node_1, KEY(10), &payload, 0);
    assert_int_equal(f.sent_count, 0);
    WAITS(node_1, KEY(10), &payload, 2);
    assert_int_equal(f.sent_count, 1);
    assert_write(&f, 0, node_1, KEY(10), f.trigger);
    DONE(node_1, KEY(10), 0);
    /* Drop first, then add; the dropped table counts as done. */
    assert_null(span_table_find(f.table, (table_id_t){2}));
    assert_non_null(span_table_find(f.table, (table_id_t){10}));
    DONE(node_1, KEY(10), 1);
    assert_int_equal(barrier_count(f.barrier), 0);
    fixture_teardown(&f);
}

/* BAR-11, BAR-12, FAN-12. */
static void a_schema_is_covered_by_its_tables_and_the_trigger(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_1);
    fixture_add(&f, 2, 1, node_1);
    fixture_add(&f, 3, 2, node_2);
    table_info_t added = fixture_info(10, 2);
    block_payload_t payload = {.influence = {.kind = INFLUENCE_DB, .schema = {1}},
                               .dropped = {.kind = INFLUENCE_DB, .schema = {1}},
                               .added = &added,
                               .added_count = 1};
    WAITS(node_1, KEY(10), &payload, 0);
    WAITS(node_1, KEY(10), &payload, 1);
    assert_int_equal(f.sent_count, 0);
    assert_int_equal(WAITS(node_1, KEY(10), &payload, 2), VERDICT_ACK);
    assert_int_equal(f.sent_count, 1);
    assert_write(&f, 0, node_1, KEY(10), f.trigger);
    assert_int_equal(WAITS(node_1, KEY(10), &payload, 2), VERDICT_ACK);
    assert_int_equal(f.sent_count, 0);
    DONE(node_1, KEY(10), 0);
    /* Nobody is left in the schema: finished without a PASS. */
    assert_int_equal(f.sent_count, 0);
    assert_int_equal(barrier_count(f.barrier), 0);
    assert_int_equal(span_table_count(f.table, SPAN_CLOSING), 2);
    assert_int_equal(span_table_count(f.table, SPAN_ABSENT), 1);
    fixture_teardown(&f);
}

/* BAR-14 to BAR-16. */
static void all_fans_out_once_a_node(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_1);
    fixture_add(&f, 2, 1, node_1);
    fixture_add(&f, 3, 1, node_2);
    for (uint64_t table = 0; table <= 2; table++)
        WAITS(node_1, SYNC(10), &everything, table);
    assert_int_equal(f.sent_count, 0);
    WAITS(node_2, SYNC(10), &everything, 3);
    assert_int_equal(f.sent_count, 1);
    DONE(node_1, SYNC(10), 0);
    assert_int_equal(f.sent_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(f.sent[i].action.kind, ACTION_PASS);
        assert_int_equal(f.sent[i].action.scope, INFLUENCE_ALL);
        assert_int_equal(f.sent[i].node.v, i + 1);
    }
    DONE(node_1, SYNC(10), 1);
    DONE(node_1, SYNC(10), 2);
    assert_int_equal(barrier_count(f.barrier), 1);
    DONE(node_2, SYNC(10), 3);
    assert_int_equal(barrier_count(f.barrier), 0);
    fixture_teardown(&f);
}

/* BAR-17, FAN-1, and that it is made exactly once. */
static void a_report_that_blocks_nobody_is_scheduled_once_and_acknowledged(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    for (uint64_t table = 1; table <= 3; table++)
        fixture_add(&f, table, 1, node_1);
    table_info_t added[] = {fixture_info(1, 1), fixture_info(2, 1)};
    block_payload_t payload = {.influence = NORMAL(1, {0}),
                               .dropped = NORMAL(3, {1}, {2}, {3}),
                               .added = added,
                               .added_count = 2};
    assert_int_equal(fixture_report(&f, node_1, STAGE_NONE, KEY(10), &payload, f.trigger),
                     VERDICT_ACK);
    assert_int_equal(barrier_count(f.barrier), 0);
    assert_int_equal(span_table_count(f.table, SPAN_ABSENT), 2);
    assert_int_equal(span_table_count(f.table, SPAN_CLOSING), 3);
    span_entry_t *span = span_table_find(f.table, (table_id_t){1})->first_span;
    assert_int_equal(fixture_report(&f, node_1, STAGE_NONE, KEY(10), &payload, f.trigger),
                     VERDICT_ACK);
    assert_ptr_equal(span_table_find(f.table, (table_id_t){1})->first_span, span);
    assert_int_equal(span_table_count(f.table, SPAN_CLOSING), 3);
    fixture_teardown(&f);
}

/* ORACLE §6.19: a late copy of CREATE does not bring back what was dropped since. */
static void a_late_copy_of_a_report_does_not_undo_a_later_drop(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    table_info_t added = fixture_info(30, 1);
    block_payload_t create = {.influence = NORMAL(1, {0}), .added = &added, .added_count = 1};
    block_payload_t drop = {.influence = NORMAL(2, {0}, {30}), .dropped = NORMAL(1, {30})};
    fixture_report(&f, node_1, STAGE_NONE, KEY(30), &create, f.trigger);
    fixture_bind(&f, 30, node_2, dispatcher_of(30));
    WAITS(node_2, KEY(31), &drop, 30);
    WAITS(node_1, KEY(31), &drop, 0);
    DONE(node_1, KEY(31), 0);
    assert_null(span_table_find(f.table, (table_id_t){30}));
    assert_int_equal(fixture_report(&f, node_1, STAGE_NONE, KEY(30), &create, f.trigger),
                     VERDICT_ACK);
    assert_null(span_table_find(f.table, (table_id_t){30}));
    fixture_teardown(&f);
}

/* A report of a smaller key that was overtaken by another is still made. */
static void reports_may_overtake_each_other(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    table_info_t first = fixture_info(10, 1), second = fixture_info(11, 1);
    block_payload_t create_10 = {.influence = NORMAL(1, {0}), .added = &first, .added_count = 1};
    block_payload_t create_11 = {.influence = NORMAL(1, {0}), .added = &second, .added_count = 1};
    fixture_report(&f, node_1, STAGE_NONE, KEY(11), &create_11, f.trigger);
    fixture_report(&f, node_1, STAGE_NONE, KEY(10), &create_10, f.trigger);
    assert_non_null(span_table_find(f.table, (table_id_t){10}));
    assert_non_null(span_table_find(f.table, (table_id_t){11}));
    fixture_teardown(&f);
}

/* BAR-18. */
static void the_trigger_alone_is_told_to_write_at_once(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    block_payload_t payload = {.influence = NORMAL(1, {0})};
    assert_int_equal(WAITS(node_1, KEY(10), &payload, 0), VERDICT_ACK);
    assert_int_equal(f.sent_count, 1);
    assert_write(&f, 0, node_1, KEY(10), f.trigger);
    span_entry_t *trigger = span_table_trigger(f.table);
    span_table_unbind(f.table, trigger);
    assert_int_equal(trigger->checkpoint.v, 9);
    fixture_teardown(&f);
}

/* BAR-22, BAR-37. */
static void without_the_trigger_nothing_wide_is_selected(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_1);
    WAITS(node_1, KEY(10), &everything, 1);
    assert_state(&f, KEY(10), BARRIER_COLLECTING);
    fixture_advance(&f, 3000);
    fixture_settle(&f);
    assert_int_equal(f.sent_count, 0);
    fixture_teardown(&f);
}

/* BAR-30, K6. */
static void waiting_raises_the_checkpoint_to_just_before(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    span_entry_t *span = fixture_add(&f, 1, 1, node_1);
    WAITS(node_1, KEY(10), &everything, 1);
    assert_int_equal(span->checkpoint.v, 9);
    assert_true(span_entry_is_at(span, KEY(10)));
    span_entry_t *other = fixture_add(&f, 2, 1, node_1);
    span_entry_raise(other, (position_t){{10}, EVENT_KEY_NONE});
    WAITS(node_1, KEY(10), &everything, 2);
    assert_int_equal(other->checkpoint.v, 10);
    fixture_teardown(&f);
}

static void a_split_table_needs_every_range(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    table_info_t info = fixture_info(1, 1);
    table_entry_t *entry = span_table_add(f.table, &info, (position_t){{1}, EVENT_KEY_NONE});
    bytes_t middle = bytes_of_text("m");
    span_table_split(f.table, entry, &middle, 1);
    span_table_assign(f.table, entry->first_span, node_1, dispatcher_of(1), 1);
    span_table_replicating(f.table, entry->first_span);
    span_entry_t *second = entry->first_span->next_in_table;
    span_table_assign(f.table, second, node_2, dispatcher_of(2), 2);
    span_table_replicating(f.table, second);
    block_payload_t payload = {.influence = NORMAL(1, {1})};
    WAITS(node_1, KEY(10), &payload, 1);
    assert_int_equal(f.sent_count, 0);
    WAITS(node_2, KEY(10), &payload, 2);
    assert_int_equal(f.sent_count, 1);
    assert_write(&f, 0, node_2, KEY(10), dispatcher_of(2));
    fixture_teardown(&f);
}

/* B19, B21. */
static void ddl_and_syncpoint_at_one_commit_ts_are_two_events(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    WAITS(node_1, KEY(10), &everything, 0);
    assert_write(&f, 0, node_1, KEY(10), f.trigger);
    DONE(node_1, KEY(10), 0);
    assert_int_equal(barrier_count(f.barrier), 0);
    WAITS(node_1, SYNC(10), &everything, 0);
    assert_int_equal(f.sent_count, 1);
    assert_write(&f, 0, node_1, SYNC(10), f.trigger);
    fixture_teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_syncpoint_is_written_by_the_trigger_and_ends_with_the_last_done),
        cmocka_unit_test(the_last_reporter_writes_where_the_trigger_is_not_listed),
        cmocka_unit_test(the_trigger_writes_where_it_is_listed),
        cmocka_unit_test(a_schema_is_covered_by_its_tables_and_the_trigger),
        cmocka_unit_test(all_fans_out_once_a_node),
        cmocka_unit_test(a_report_that_blocks_nobody_is_scheduled_once_and_acknowledged),
        cmocka_unit_test(a_late_copy_of_a_report_does_not_undo_a_later_drop),
        cmocka_unit_test(reports_may_overtake_each_other),
        cmocka_unit_test(the_trigger_alone_is_told_to_write_at_once),
        cmocka_unit_test(without_the_trigger_nothing_wide_is_selected),
        cmocka_unit_test(waiting_raises_the_checkpoint_to_just_before),
        cmocka_unit_test(a_split_table_needs_every_range),
        cmocka_unit_test(ddl_and_syncpoint_at_one_commit_ts_are_two_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
