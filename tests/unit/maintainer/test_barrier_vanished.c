/* Writers, reporters and tables that are gone. */
#include "tests/unit/maintainer/barrier_fixture.h"

/* BAR-34, ORACLE §6.12. */
static void when_the_writer_is_gone_a_reporter_becomes_the_writer(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    span_entry_t *one = fixture_add(&f, 1, 1, node_1);
    span_entry_t *two = fixture_add(&f, 2, 1, node_2);
    block_payload_t payload = {.influence = NORMAL(2, {1}, {2})};
    WAITS(node_1, KEY(10), &payload, 1);
    WAITS(node_2, KEY(10), &payload, 2);
    span_table_unbind(f.table, two);
    fixture_advance(&f, 600);
    fixture_settle(&f);
    /* The other still waits: the role is its. */
    assert_int_equal(f.sent_count, 1);
    assert_write(&f, 0, node_1, KEY(10), dispatcher_of(1));
    span_table_unbind(f.table, one);
    fixture_advance(&f, 600);
    fixture_settle(&f);
    assert_int_equal(f.sent_count, 0);
    fixture_bind(&f, 2, node_1, (dispatcher_id_t){8, 2});
    fixture_report(&f, node_1, STAGE_WAITING, KEY(10), &payload, (dispatcher_id_t){8, 2});
    assert_int_equal(f.sent_count, 1);
    assert_write(&f, 0, node_1, KEY(10), (dispatcher_id_t){8, 2});
    fixture_teardown(&f);
}

/* The role of the trigger follows it to its next dispatcher. */
static void the_recreated_trigger_is_the_writer(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_2);
    WAITS(node_1, SYNC(10), &everything, 0);
    WAITS(node_2, SYNC(10), &everything, 1);
    span_table_unbind(f.table, span_table_trigger(f.table));
    fixture_advance(&f, 1000);
    fixture_settle(&f);
    assert_int_equal(f.sent_count, 0);
    dispatcher_id_t next = {9, 9};
    fixture_bind(&f, 0, node_2, next);
    fixture_report(&f, node_2, STAGE_WAITING, SYNC(10), &everything, next);
    assert_int_equal(f.sent_count, 1);
    assert_write(&f, 0, node_2, SYNC(10), next);
    fixture_teardown(&f);
}

/* B14: who reported and is gone does not count. */
static void a_reporter_that_is_gone_is_struck(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    span_entry_t *one = fixture_add(&f, 1, 1, node_1);
    fixture_add(&f, 2, 1, node_2);
    block_payload_t payload = {.influence = NORMAL(2, {1}, {2})};
    WAITS(node_1, KEY(10), &payload, 1);
    span_table_unbind(f.table, one);
    fixture_bind(&f, 1, node_2, (dispatcher_id_t){8, 1});
    WAITS(node_2, KEY(10), &payload, 2);
    assert_state(&f, KEY(10), BARRIER_COLLECTING);
    assert_int_equal(f.sent_count, 0);
    fixture_report(&f, node_2, STAGE_WAITING, KEY(10), &payload, (dispatcher_id_t){8, 1});
    assert_int_equal(f.sent_count, 1);
    fixture_teardown(&f);
}

/* Rule 4, second half: what the trigger's report finds missing is gone. */
static void a_listed_table_that_is_gone_counts_as_reported(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_1);
    block_payload_t drop = {.influence = NORMAL(3, {0}, {1}, {99}),
                            .dropped = NORMAL(2, {1}, {99})};
    WAITS(node_1, KEY(40), &drop, 1);
    fixture_settle(&f);
    assert_state(&f, KEY(40), BARRIER_COLLECTING);
    WAITS(node_1, KEY(40), &drop, 0);
    assert_int_equal(f.sent_count, 1);
    assert_write(&f, 0, node_1, KEY(40), f.trigger);
    fixture_teardown(&f);
}

/* An event without the trigger, met again after one of its tables was dropped by a later one. */
static void a_table_dropped_since_does_not_hold_an_event_for_ever(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_1);
    block_payload_t payload = {.influence = NORMAL(2, {1}, {2})};
    WAITS(node_1, KEY(10), &payload, 1);
    assert_state(&f, KEY(10), BARRIER_COLLECTING);
    span_entry_t *trigger = span_table_trigger(f.table);
    span_entry_raise(trigger, (position_t){{20}, EVENT_KEY_NONE});
    barrier_note_position(f.barrier, trigger);
    fixture_settle(&f);
    assert_int_equal(f.sent_count, 1);
    assert_write(&f, 0, node_1, KEY(10), dispatcher_of(1));
    fixture_teardown(&f);
}

/* A table that an earlier event is still going to add is not gone, wherever the trigger is. */
static void a_table_about_to_be_added_is_not_taken_for_dropped(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_1);
    fixture_add(&f, 2, 1, node_2);
    table_info_t added = fixture_info(10, 1);
    block_payload_t create = {.influence = NORMAL(2, {0}, {1}), .added = &added, .added_count = 1};
    block_payload_t alter = {.influence = NORMAL(2, {2}, {10})};
    WAITS(node_1, KEY(10), &create, 1);
    WAITS(node_1, KEY(10), &create, 0);
    WAITS(node_2, KEY(20), &alter, 2);
    /* The trigger's DONE is lost, its heartbeat comes first. */
    span_entry_t *trigger = span_table_trigger(f.table);
    span_entry_raise(trigger, (position_t){{20}, KEY(10)});
    barrier_note_position(f.barrier, trigger);
    fixture_settle(&f);
    assert_non_null(span_table_find(f.table, (table_id_t){10}));
    assert_state(&f, KEY(20), BARRIER_COLLECTING);
    fixture_bind(&f, 10, node_1, dispatcher_of(10));
    WAITS(node_1, KEY(20), &alter, 10);
    assert_state(&f, KEY(20), BARRIER_SELECTED);
    fixture_teardown(&f);
}

/* What the trigger passed may be a change that it has still to report. */
static void a_table_is_not_gone_because_of_what_the_trigger_passed(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_1);
    block_payload_t alter = {.influence = NORMAL(2, {1}, {79})};
    WAITS(node_1, KEY(81), &alter, 1);
    span_entry_t *trigger = span_table_trigger(f.table);
    span_entry_raise(trigger, (position_t){{75}, KEY(84)});
    barrier_note_position(f.barrier, trigger);
    fixture_settle(&f);
    assert_state(&f, KEY(81), BARRIER_COLLECTING);
    fixture_teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(when_the_writer_is_gone_a_reporter_becomes_the_writer),
        cmocka_unit_test(the_recreated_trigger_is_the_writer),
        cmocka_unit_test(a_reporter_that_is_gone_is_struck),
        cmocka_unit_test(a_listed_table_that_is_gone_counts_as_reported),
        cmocka_unit_test(a_table_dropped_since_does_not_hold_an_event_for_ever),
        cmocka_unit_test(a_table_about_to_be_added_is_not_taken_for_dropped),
        cmocka_unit_test(a_table_is_not_gone_because_of_what_the_trigger_passed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
