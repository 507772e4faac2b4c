/* Reports that come late, contradict each other, or cannot be meant. */
#include "tests/unit/maintainer/barrier_fixture.h"

/* BAR-25, BAR-26, BAR-28. */
static void who_does_not_replicate_is_ignored_and_strangers_are_unknown(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    table_info_t info = fixture_info(1, 1);
    span_entry_t *span =
        span_table_add(f.table, &info, (position_t){{1}, EVENT_KEY_NONE})->first_span;
    span_table_assign(f.table, span, node_1, dispatcher_of(1), 1);
    assert_int_equal(WAITS(node_1, KEY(10), &everything, 1), VERDICT_IGNORED);
    assert_int_equal(barrier_count(f.barrier), 0);
    assert_int_equal(span->block_stage, STAGE_NONE);
    assert_int_equal(WAITS(node_1, KEY(10), &everything, 99), VERDICT_UNKNOWN);
    /* Its dispatcher lives on node 1. */
    assert_int_equal(WAITS(node_2, KEY(10), &everything, 0), VERDICT_UNKNOWN);
    DONE(node_1, KEY(10), 0);
    assert_int_equal(barrier_count(f.barrier), 0);
    assert_int_equal(f.sent_count, 0);
    fixture_teardown(&f);
}

/* BAR-31. */
static void done_of_another_than_the_writer_releases_nobody(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_1);
    fixture_add(&f, 2, 1, node_2);
    block_payload_t payload = {.influence = NORMAL(2, {1}, {2})};
    WAITS(node_1, KEY(10), &payload, 1);
    WAITS(node_2, KEY(10), &payload, 2);
    DONE(node_1, KEY(10), 1);
    assert_int_equal(f.sent_count, 0);
    assert_state(&f, KEY(10), BARRIER_SELECTED);
    DONE(node_2, KEY(10), 2);
    assert_int_equal(barrier_count(f.barrier), 0);
    fixture_teardown(&f);
}

/* Rule 9. */
static void disagreement_is_refused_and_fails_the_changefeed_after_a_minute(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_1);
    fixture_add(&f, 2, 1, node_2);
    block_payload_t one = {.influence = NORMAL(2, {1}, {2})};
    block_payload_t same = {.influence = NORMAL(2, {2}, {1})};
    block_payload_t other = {.influence = NORMAL(3, {1}, {2}, {3})};
    assert_int_equal(WAITS(node_1, KEY(10), &one, 1), VERDICT_ACK);
    assert_int_equal(WAITS(node_1, KEY(10), &same, 1), VERDICT_ACK);
    bytes_t text;
    for (int second = 0; second < 61; second += 5) {
        assert_int_equal(barrier_failure(f.barrier, &text), SLUICE_OK);
        assert_int_equal(WAITS(node_2, KEY(10), &other, 2), VERDICT_LATER);
        assert_int_equal(f.sent_count, 0);
        fixture_advance(&f, 5000);
    }
    fixture_settle(&f);
    assert_int_equal(barrier_failure(f.barrier, &text), SLUICE_ERROR_SCHEMA_MISMATCH);
    assert_true(text.len > 0);
    fixture_teardown(&f);
}

/* ORACLE §5.23, 26, 28. */
static void what_cannot_be_meant_is_refused(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_1);
    block_payload_t empty = {.influence = {.kind = INFLUENCE_NORMAL}};
    block_payload_t twice = {.influence = NORMAL(2, {1}, {1})};
    block_payload_t nowhere = {.influence = {.kind = INFLUENCE_DB}};
    block_payload_t drop_all = {.influence = {.kind = INFLUENCE_ALL},
                                .dropped = {.kind = INFLUENCE_ALL}};
    block_payload_t others = {.influence = NORMAL(2, {8}, {9})};
    assert_int_equal(WAITS(node_1, KEY(10), &empty, 1), VERDICT_LATER);
    assert_non_null(fixture_logged(&f, "block_status_refused"));
    assert_int_equal(WAITS(node_1, KEY(10), &twice, 1), VERDICT_LATER);
    assert_int_equal(WAITS(node_1, KEY(10), &nowhere, 1), VERDICT_LATER);
    assert_int_equal(WAITS(node_1, KEY(10), &drop_all, 1), VERDICT_LATER);
    assert_int_equal(WAITS(node_1, KEY(10), &others, 1), VERDICT_LATER);
    assert_int_equal(WAITS(node_1, KEY(0), &everything, 1), VERDICT_LATER);
    assert_int_equal(WAITS(node_1, KEY(UINT64_MAX), &everything, 1), VERDICT_LATER);
    assert_int_equal(fixture_report(&f, node_1, STAGE_WRITING, KEY(10), &everything, f.trigger),
                     VERDICT_LATER);
    assert_int_equal(barrier_count(f.barrier), 0);
    assert_int_equal(barrier_counters(f.barrier).statuses_refused, 8);
    fixture_teardown(&f);
}

/* ORACLE §5.22: a report from behind. */
/* After a takeover the trigger begins where the table list is valid and comes to every change
 * again, while others may have passed some of them already. */
static void
what_others_passed_does_not_take_the_place_of_what_the_trigger_has_to_report(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_1);
    fixture_add(&f, 2, 1, node_2);
    dispatcher_id_t one = dispatcher_of(1);
    block_payload_t drop = {.influence = NORMAL(3, {0}, {1}, {2}), .dropped = NORMAL(1, {2})};
    WAITS(node_2, KEY(20), &drop, 2);
    fixture_hand_in(&f, node_1, STAGE_WAITING, KEY(20), &drop, &one, &(event_key_t){{20}, false},
                    1);
    fixture_settle(&f);
    assert_state(&f, KEY(20), BARRIER_ADVANCED);
    assert_non_null(span_table_find(f.table, (table_id_t){2}));
    /* It reports what it comes to first, and then stands at the event. */
    table_info_t added = fixture_info(19, 1);
    block_payload_t create = {.influence = NORMAL(1, {0}), .added = &added, .added_count = 1};
    assert_int_equal(fixture_report(&f, node_1, STAGE_NONE, KEY(19), &create, f.trigger),
                     VERDICT_ACK);
    assert_non_null(span_table_find(f.table, (table_id_t){19}));
    assert_int_equal(fixture_report(&f, node_1, STAGE_WAITING, KEY(20), &drop, f.trigger),
                     VERDICT_ACK);
    assert_null(span_table_find(f.table, (table_id_t){2}));
    fixture_teardown(&f);
}

static void a_late_report_is_answered_from_what_is_known(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    span_entry_t *span = fixture_add(&f, 1, 1, node_1);
    fixture_add(&f, 2, 1, node_1);
    block_payload_t payload = {.influence = NORMAL(2, {1}, {2})};
    span_entry_raise(span, (position_t){{50}, KEY(40)});
    assert_int_equal(WAITS(node_1, KEY(30), &payload, 1), VERDICT_ACK);
    assert_true(f.sent_count > 0);
    assert_int_equal(f.sent[0].action.kind, ACTION_PASS);
    DONE(node_1, KEY(30), 1);
    assert_int_equal(barrier_count(f.barrier), 0);
    /* And a copy of what it was at before the event it is at now. */
    WAITS(node_1, KEY(60), &payload, 1);
    assert_int_equal(WAITS(node_1, KEY(55), &payload, 1), VERDICT_ACK);
    assert_null(barrier_find(f.barrier, KEY(55)));
    assert_true(span_entry_is_at(span, KEY(60)));
    fixture_teardown(&f);
}

/* ORACLE §6.27, moves by the key of the table's last change. */
static void a_move_is_made_only_if_it_is_newer_than_the_last(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_1);
    schema_move_t away = {.table_id = {1},
                          .from = {1},
                          .to = {2},
                          .schema = bytes_of_text("d2"),
                          .name = bytes_of_text("t1")};
    schema_move_t back = {.table_id = {1},
                          .from = {2},
                          .to = {1},
                          .schema = bytes_of_text("d1"),
                          .name = bytes_of_text("t1")};
    block_payload_t go = {.influence = NORMAL(2, {0}, {1}), .moves = &away, .move_count = 1};
    block_payload_t come = {.influence = NORMAL(2, {0}, {1}), .moves = &back, .move_count = 1};
    WAITS(node_1, KEY(20), &go, 0);
    WAITS(node_1, KEY(20), &go, 1);
    DONE(node_1, KEY(20), 0);
    DONE(node_1, KEY(20), 1);
    table_entry_t *entry = span_table_find(f.table, (table_id_t){1});
    assert_int_equal(entry->schema->schema_id.v, 2);
    WAITS(node_1, KEY(25), &come, 0);
    WAITS(node_1, KEY(25), &come, 1);
    DONE(node_1, KEY(25), 0);
    DONE(node_1, KEY(25), 1);
    assert_int_equal(entry->schema->schema_id.v, 1);
    /* Its dispatcher is lost, the next one meets 20 again. */
    span_table_unbind(f.table, entry->first_span);
    fixture_bind(&f, 1, node_2, (dispatcher_id_t){8, 1});
    event_key_t passed = KEY(25);
    span_entry_t *trigger = span_table_trigger(f.table);
    span_entry_raise(trigger, (position_t){{25}, passed});
    fixture_report(&f, node_2, STAGE_WAITING, KEY(20), &go, (dispatcher_id_t){8, 1});
    assert_int_equal(f.sent[0].action.kind, ACTION_PASS);
    assert_int_equal(entry->schema->schema_id.v, 1);
    fixture_teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_does_not_replicate_is_ignored_and_strangers_are_unknown),
        cmocka_unit_test(done_of_another_than_the_writer_releases_nobody),
        cmocka_unit_test(disagreement_is_refused_and_fails_the_changefeed_after_a_minute),
        cmocka_unit_test(what_cannot_be_meant_is_refused),
        cmocka_unit_test(
            what_others_passed_does_not_take_the_place_of_what_the_trigger_has_to_report),
        cmocka_unit_test(a_late_report_is_answered_from_what_is_known),
        cmocka_unit_test(a_move_is_made_only_if_it_is_newer_than_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
