#include "tests/unit/maintainer/barrier_fixture.h"

static const block_payload_t everything = {.influence = {.kind = INFLUENCE_ALL}};

#define WAITS(node, key, payload, table)                                                           \
    fixture_report(&f, node, STAGE_WAITING, key, payload, dispatcher_of(table))
#define DONE(node, key, table)                                                                     \
    (void)fixture_report(&f, node, STAGE_DONE, key, NULL, dispatcher_of(table))

static void assert_write(const fixture_t *f, uint32_t i, node_index_t node, event_key_t key,
                         dispatcher_id_t writer)
{
    assert_true(i < f->sent_count);
    assert_int_equal(f->sent[i].node.v, node.v);
    assert_int_equal(f->sent[i].action.kind, ACTION_WRITE);
    assert_true(event_key_equal(f->sent[i].action.key, key));
    assert_int_equal(f->sent[i].action.dispatcher_count, 1);
    assert_true(dispatcher_id_equal(f->sent[i].action.dispatchers[0], writer));
}

static void assert_state(const fixture_t *f, event_key_t key, barrier_state_t state)
{
    const barrier_event_t *event = barrier_find(f->barrier, key);
    assert_non_null(event);
    assert_int_equal(event->state, state);
}

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
        cmocka_unit_test(who_does_not_replicate_is_ignored_and_strangers_are_unknown),
        cmocka_unit_test(waiting_raises_the_checkpoint_to_just_before),
        cmocka_unit_test(done_of_another_than_the_writer_releases_nobody),
        cmocka_unit_test(when_the_writer_is_gone_a_reporter_becomes_the_writer),
        cmocka_unit_test(the_recreated_trigger_is_the_writer),
        cmocka_unit_test(a_reporter_that_is_gone_is_struck),
        cmocka_unit_test(equal_checkpoint_proves_nothing),
        cmocka_unit_test(passage_is_proven_by_what_another_passed),
        cmocka_unit_test(a_restored_event_of_a_schema_is_proven_by_who_is_behind_it),
        cmocka_unit_test(a_proven_event_ends_when_the_last_who_waits_has_moved_on),
        cmocka_unit_test(a_heartbeat_beyond_the_event_proves_it),
        cmocka_unit_test(the_trigger_is_put_off_while_an_earlier_change_waits),
        cmocka_unit_test(a_listed_table_that_is_gone_counts_as_reported),
        cmocka_unit_test(a_table_dropped_since_does_not_hold_an_event_for_ever),
        cmocka_unit_test(a_table_about_to_be_added_is_not_taken_for_dropped),
        cmocka_unit_test(who_waits_after_it_said_done_is_passed),
        cmocka_unit_test(a_table_proves_a_schema_event_only_once_the_trigger_is_at_it),
        cmocka_unit_test(a_table_is_not_gone_because_of_what_the_trigger_passed),
        cmocka_unit_test(ddl_and_syncpoint_at_one_commit_ts_are_two_events),
        cmocka_unit_test(disagreement_is_refused_and_fails_the_changefeed_after_a_minute),
        cmocka_unit_test(what_cannot_be_meant_is_refused),
        cmocka_unit_test(
            what_others_passed_does_not_take_the_place_of_what_the_trigger_has_to_report),
        cmocka_unit_test(a_late_report_is_answered_from_what_is_known),
        cmocka_unit_test(a_split_table_needs_every_range),
        cmocka_unit_test(a_move_is_made_only_if_it_is_newer_than_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
