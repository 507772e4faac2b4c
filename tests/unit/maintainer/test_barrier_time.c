/* Resends, the quiet interval, warnings, bootstrap, and the cost of a wide barrier. */
#include "tests/unit/maintainer/barrier_fixture.h"

#include <stdlib.h>
#include <time.h>

static const block_payload_t schema_1 = {.influence = {.kind = INFLUENCE_DB, .schema = {1}}};

static void waits(fixture_t *f, node_index_t node, event_key_t key, const block_payload_t *payload,
                  uint64_t table)
{
    assert_int_equal(fixture_report(f, node, STAGE_WAITING, key, payload, dispatcher_of(table)),
                     VERDICT_ACK);
}

static void done(fixture_t *f, node_index_t node, event_key_t key, uint64_t table)
{
    (void)fixture_report(f, node, STAGE_DONE, key, NULL, dispatcher_of(table));
}

/* FAN-2, FAN-3, B16. */
static void write_is_repeated_every_half_second_until_done(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    waits(&f, node_1, SYNC(10), &everything, 0);
    assert_int_equal(f.sent_count, 1);
    uint32_t writes = 0;
    for (int i = 0; i < 100; i++) {
        fixture_advance(&f, 100);
        fixture_settle(&f);
        writes += f.sent_count;
    }
    assert_int_equal(writes, 20);
    assert_true(barrier_next_deadline(f.barrier).v <= f.now.v + 500 * NS_PER_MS);
    fixture_teardown(&f);
}

/* FAN-4, FAN-6. */
static void normal_names_its_dispatchers_and_does_not_wait_for_quiet(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_1);
    fixture_add(&f, 2, 1, node_1);
    block_payload_t payload = {.influence = NORMAL(2, {1}, {2})};
    waits(&f, node_1, KEY(10), &payload, 1);
    waits(&f, node_1, KEY(10), &payload, 2);
    done(&f, node_1, KEY(10), 2);
    assert_int_equal(f.sent_count, 1);
    assert_int_equal(f.sent[0].action.kind, ACTION_PASS);
    assert_int_equal(f.sent[0].action.scope, INFLUENCE_NORMAL);
    assert_int_equal(f.sent[0].action.dispatcher_count, 2);
    fixture_advance(&f, 400);
    waits(&f, node_1, KEY(10), &payload, 1);
    assert_int_equal(f.sent_count, 0);
    fixture_advance(&f, 100);
    fixture_settle(&f);
    assert_int_equal(f.sent_count, 1);
    fixture_teardown(&f);
}

/* FAN-4, FAN-7. */
static void a_schema_fans_out_to_its_nodes_and_the_triggers(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_2);
    fixture_add(&f, 2, 2, (node_index_t){3});
    waits(&f, node_1, KEY(10), &schema_1, 0);
    waits(&f, node_2, KEY(10), &schema_1, 1);
    done(&f, node_1, KEY(10), 0);
    assert_int_equal(f.sent_count, 2);
    assert_int_equal(f.sent[0].node.v, 1);
    assert_int_equal(f.sent[1].node.v, 2);
    assert_int_equal(f.sent[1].action.scope, INFLUENCE_DB);
    assert_int_equal(f.sent[1].action.schema.v, 1);
    fixture_teardown(&f);
}

/* FAN-5, FAN-13, rule 6. */
static void fan_out_waits_until_answers_stop_but_not_for_ever(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    for (uint64_t table = 1; table <= 3; table++)
        fixture_add(&f, table, 1, node_1);
    for (uint64_t table = 0; table <= 3; table++)
        waits(&f, node_1, SYNC(10), &everything, table);
    done(&f, node_1, SYNC(10), 0);
    assert_int_equal(f.sent_count, 1);
    /* Somebody goes on saying that it waits. */
    uint64_t silent_ms = 0;
    for (uint64_t ms = 0; ms < 5000; ms += 100, silent_ms += 100) {
        assert_true(ms == 0 || f.sent_count == 0);
        fixture_advance(&f, 100);
        (void)fixture_report(&f, node_1, STAGE_WAITING, SYNC(10), &everything, dispatcher_of(1));
    }
    assert_int_equal(f.sent_count, 1);
    assert_true(barrier_counters(f.barrier).pass_held_quiet > 0);
    /* Quiet for a second after the last status. */
    (void)fixture_report(&f, node_1, STAGE_WAITING, SYNC(10), &everything, dispatcher_of(1));
    fixture_advance(&f, 900);
    fixture_settle(&f);
    assert_int_equal(f.sent_count, 0);
    fixture_advance(&f, 100);
    fixture_settle(&f);
    assert_int_equal(f.sent_count, 1);
    fixture_teardown(&f);
}

static void unresolved_names_who_is_missing_every_ten_seconds(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    fixture_add(&f, 1, 1, node_1);
    fixture_add(&f, 2, 2, node_1);
    waits(&f, node_1, SYNC(10), &everything, 0);
    waits(&f, node_1, SYNC(10), &everything, 1);
    fixture_advance(&f, 9999);
    fixture_settle(&f);
    assert_null(fixture_logged(&f, "barrier_unresolved"));
    fixture_advance(&f, 1);
    fixture_settle(&f);
    const log_line_t *line = fixture_logged(&f, "barrier_unresolved");
    assert_non_null(line);
    assert_int_equal(line->level, LOG_LEVEL_WARNING);
    assert_string_equal(fixture_log_value(line, "missing"), "d2.t2");
    assert_string_equal(fixture_log_value(line, "reported"), "2");
    assert_string_equal(fixture_log_value(line, "required"), "3");
    fixture_settle(&f);
    assert_null(fixture_logged(&f, "barrier_unresolved"));
    fixture_advance(&f, 10000);
    fixture_settle(&f);
    assert_non_null(fixture_logged(&f, "barrier_unresolved"));
    fixture_teardown(&f);
}

/* BOOT-1. */
static void restored_waiting_is_reported_but_selects_when_offered_again(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    span_entry_t *one = fixture_add(&f, 1, 1, node_1), *two = fixture_add(&f, 2, 1, node_1);
    block_payload_t payload = {.influence = NORMAL(2, {2}, {1})};
    barrier_restore(f.barrier, f.now, one, KEY(6), STAGE_WAITING, &payload);
    barrier_restore(f.barrier, f.now, two, KEY(6), STAGE_WAITING, &payload);
    fixture_settle(&f);
    const barrier_event_t *event = barrier_find(f.barrier, KEY(6));
    assert_int_equal(event->state, BARRIER_COLLECTING);
    assert_int_equal(event->waiting, 2);
    waits(&f, node_1, KEY(6), &payload, 1);
    assert_int_equal(event->state, BARRIER_SELECTED);
    assert_int_equal(f.sent_count, 1);
    fixture_teardown(&f);
}

/* BOOT-2. */
static void restored_writing_is_the_writer(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    span_entry_t *one = fixture_add(&f, 1, 1, node_1), *two = fixture_add(&f, 2, 1, node_1);
    block_payload_t payload = {.influence = NORMAL(2, {1}, {2})};
    barrier_restore(f.barrier, f.now, one, KEY(6), STAGE_WAITING, &payload);
    barrier_restore(f.barrier, f.now, two, KEY(6), STAGE_WRITING, &payload);
    fixture_settle(&f);
    const barrier_event_t *event = barrier_find(f.barrier, KEY(6));
    assert_int_equal(event->state, BARRIER_SELECTED);
    assert_true(dispatcher_id_equal(event->writer, dispatcher_of(2)));
    done(&f, node_1, KEY(6), 2);
    assert_int_equal(f.sent_count, 1);
    assert_int_equal(f.sent[0].action.kind, ACTION_PASS);
    fixture_teardown(&f);
}

/* BOOT-3, BOOT-4. */
static void restored_done_means_that_the_writer_has_advanced(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    span_entry_t *one = fixture_add(&f, 1, 1, node_1), *two = fixture_add(&f, 2, 1, node_1);
    fixture_add(&f, 3, 1, node_1);
    block_payload_t payload = {.influence = NORMAL(3, {1}, {2}, {3})};
    barrier_restore(f.barrier, f.now, one, KEY(6), STAGE_DONE, &payload);
    barrier_restore(f.barrier, f.now, two, KEY(6), STAGE_DONE, &payload);
    barrier_restore(f.barrier, f.now, two, KEY(7), STAGE_NONE, NULL);
    assert_int_equal(barrier_count(f.barrier), 1);
    assert_int_equal(barrier_find(f.barrier, KEY(6))->state, BARRIER_ADVANCED);
    fixture_settle(&f);
    assert_int_equal(f.sent_count, 1);
    assert_int_equal(f.sent[0].action.kind, ACTION_PASS);
    waits(&f, node_1, KEY(6), &payload, 3);
    done(&f, node_1, KEY(6), 3);
    assert_int_equal(barrier_count(f.barrier), 0);
    fixture_teardown(&f);
}

/* What lies at or below the position of the table list is in it already. */
static void nothing_below_the_table_list_is_scheduled(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    barrier_set_floor(f.barrier, KEY(10));
    table_info_t added = fixture_info(10, 1);
    block_payload_t create = {.influence = NORMAL(1, {0}), .added = &added, .added_count = 1};
    assert_int_equal(fixture_report(&f, node_1, STAGE_NONE, KEY(10), &create, f.trigger),
                     VERDICT_ACK);
    assert_null(span_table_find(f.table, (table_id_t){10}));
    fixture_teardown(&f);
}

/* CREATE … SELECT: the new table's dispatcher writes the rows that carry its own commit_ts. */
static void created_by_select_starts_just_before(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    table_info_t added = fixture_info(10, 1);
    added.created_by_select = true;
    block_payload_t create = {.influence = NORMAL(1, {0}), .added = &added, .added_count = 1};
    fixture_report(&f, node_1, STAGE_NONE, KEY(10), &create, f.trigger);
    span_entry_t *span = span_table_find(f.table, (table_id_t){10})->first_span;
    assert_int_equal(span->checkpoint.v, 9);
    assert_true(event_key_equal(span_entry_passed(span), KEY(10)));
    /* The checkpoint of the changefeed is held below it, not its own start. */
    fixture_teardown(&f);
}

static void an_open_gate_holds_its_spans(void **state)
{
    (void)state;
    fixture_t f;
    fixture_setup(&f);
    span_entry_t *one = fixture_add(&f, 1, 1, node_1), *two = fixture_add(&f, 2, 1, node_1),
                 *three = fixture_add(&f, 3, 2, node_1);
    block_payload_t payload = {.influence = NORMAL(2, {1}, {2})};
    waits(&f, node_1, KEY(10), &payload, 1);
    assert_true(barrier_holds(f.barrier, one));
    assert_true(barrier_holds(f.barrier, two));
    assert_false(barrier_holds(f.barrier, three));
    waits(&f, node_1, KEY(10), &payload, 2);
    done(&f, node_1, KEY(10), 2);
    done(&f, node_1, KEY(10), 1);
    assert_false(barrier_holds(f.barrier, one));
    waits(&f, node_1, SYNC(20), &everything, 1);
    assert_true(barrier_holds(f.barrier, three));
    fixture_teardown(&f);
}

/* A barrier over everything, 100,000 dispatchers on two nodes, in requests of 2,048. The bound is
 * on processor time and far above what it takes (sanitizers included): it fails when the work is
 * not linear. */
static void a_hundred_thousand_dispatchers_pass_without_quadratic_work(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    fixture_t f;
    fixture_setup(&f);
    for (uint64_t table = 1; table <= COUNT; table++)
        fixture_add(&f, table, 1 + table % 3, table % 2 ? node_1 : node_2);
    dispatcher_id_t *ids = calloc(STATUSES_PER_REQUEST_MAX, sizeof *ids);
    clock_t started = clock();
    for (int round = 0; round < 2; round++) {
        block_stage_t stage = round ? STAGE_DONE : STAGE_WAITING;
        const block_payload_t *payload = round ? NULL : &everything;
        for (uint64_t parity = 0; parity < 2; parity++) {
            uint32_t count = 0;
            for (uint64_t table = parity; table <= COUNT; table += 2) {
                bool is_trigger = table == 0;
                if (!is_trigger)
                    ids[count++] = dispatcher_of(table);
                if (count == STATUSES_PER_REQUEST_MAX || table + 2 > COUNT) {
                    fixture_hand_in(&f, parity ? node_1 : node_2, stage, SYNC(10), payload, ids,
                                    NULL, count);
                    fixture_settle(&f);
                    count = 0;
                }
            }
        }
        dispatcher_id_t trigger = f.trigger;
        if (round == 0) {
            fixture_hand_in(&f, node_1, stage, SYNC(10), payload, &trigger, NULL, 1);
            fixture_settle(&f);
            assert_int_equal(f.sent_count, 1);
            done(&f, node_1, SYNC(10), 0);
            assert_int_equal(f.sent_count, 2);
        }
    }
    assert_int_equal(barrier_count(f.barrier), 0);
    double seconds = (double)(clock() - started) / CLOCKS_PER_SEC;
    assert_true(seconds < 2.0);
    free(ids);
    fixture_teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_is_repeated_every_half_second_until_done),
        cmocka_unit_test(normal_names_its_dispatchers_and_does_not_wait_for_quiet),
        cmocka_unit_test(a_schema_fans_out_to_its_nodes_and_the_triggers),
        cmocka_unit_test(fan_out_waits_until_answers_stop_but_not_for_ever),
        cmocka_unit_test(unresolved_names_who_is_missing_every_ten_seconds),
        cmocka_unit_test(restored_waiting_is_reported_but_selects_when_offered_again),
        cmocka_unit_test(restored_writing_is_the_writer),
        cmocka_unit_test(restored_done_means_that_the_writer_has_advanced),
        cmocka_unit_test(nothing_below_the_table_list_is_scheduled),
        cmocka_unit_test(created_by_select_starts_just_before),
        cmocka_unit_test(an_open_gate_holds_its_spans),
        cmocka_unit_test(a_hundred_thousand_dispatchers_pass_without_quadratic_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
