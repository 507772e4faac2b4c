/* What heartbeats tell of the set: watermark, error, states and lists. */
#include "tests/unit/node/dispatcher_set_fixture.h"

static void takes_the_minimum_as_watermark_and_counts_changes_of_the_set(void **state)
{
    fixture_t *fixture = *state;
    watermark_t watermark;
    assert_false(dispatcher_set_watermark(fixture->set, PIPELINE_DEFAULT, &watermark));
    make_work(fixture, 1, 10);
    make_work(fixture, 2, 10);
    make_work(fixture, 3, 10);
    deliver_resolved(fixture, 1, 100);
    deliver_resolved(fixture, 2, 80);
    deliver_resolved(fixture, 3, 120);
    assert_true(dispatcher_set_watermark(fixture->set, PIPELINE_DEFAULT, &watermark));
    assert_int_equal(watermark.checkpoint.v, 80);
    assert_int_equal(watermark.resolved.v, 80);
    uint64_t seq = watermark.seq;
    deliver_resolved(fixture, 2, 110);
    dispatcher_set_watermark(fixture->set, PIPELINE_DEFAULT, &watermark);
    assert_int_equal(watermark.checkpoint.v, 100);
    assert_int_equal(watermark.seq, seq);
    schedule_close(fixture, id_of(1));
    dispatcher_set_watermark(fixture->set, PIPELINE_DEFAULT, &watermark);
    assert_int_equal(watermark.checkpoint.v, 110);
    assert_int_equal(watermark.seq, seq + 1);
    schedule_create(fixture, EPOCH, create_of(4, 50));
    dispatcher_set_watermark(fixture->set, PIPELINE_DEFAULT, &watermark);
    assert_int_equal(watermark.checkpoint.v, 50);
    assert_int_equal(watermark.seq, seq + 2);
}

static void keeps_modes_apart(void **state)
{
    fixture_t *fixture = *state;
    make_work(fixture, 1, 100);
    schedule_create_t redo = create_of(2, 40);
    redo.mode = PIPELINE_REDO;
    schedule_create(fixture, EPOCH, redo);
    watermark_t watermark;
    dispatcher_set_watermark(fixture->set, PIPELINE_DEFAULT, &watermark);
    assert_int_equal(watermark.checkpoint.v, 100);
    dispatcher_set_watermark(fixture->set, PIPELINE_REDO, &watermark);
    assert_int_equal(watermark.checkpoint.v, 40);
    dispatcher_heartbeat_t entries[4];
    uint32_t cursor = 0;
    assert_int_equal(dispatcher_set_list(fixture->set, PIPELINE_REDO, &cursor, entries, 4), 1);
    assert_true(dispatcher_id_equal(entries[0].dispatcher_id, id_of(2)));
    assert_int_equal(dispatcher_set_take_changed(fixture->set, PIPELINE_REDO, entries, 4), 1);

    ddl_event_t *ddl = new_ddl(200, INFLUENCE_ALL, 0);
    deliver_ddl(fixture, 1, ddl);
    ddl_event_unref(&ddl);
    barrier_action_t pass = {.kind = ACTION_PASS, .key = ddl_key(200), .scope = INFLUENCE_ALL};
    heartbeat_response_t response = {.mode = PIPELINE_REDO, .actions = &pass, .action_count = 1};
    dispatcher_set_respond(fixture->set, EPOCH, &response, fixture->now);
    assert_int_equal(stage_of(fixture, 1), STAGE_WAITING);
}

static void tells_new_states_at_once_and_everything_in_pieces(void **state)
{
    fixture_t *fixture = *state;
    for (uint64_t table = 1; table <= 5; table++)
        make_work(fixture, table, 10);
    dispatcher_heartbeat_t entries[8];
    uint32_t told = 0;
    while (dispatcher_set_has_changed(fixture->set, PIPELINE_DEFAULT))
        told += dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 2);
    assert_int_equal(told, 5);
    assert_int_equal(entries[0].state, DISPATCHER_WORKING);
    deliver_resolved(fixture, 1, 99);
    assert_false(dispatcher_set_has_changed(fixture->set, PIPELINE_DEFAULT));

    uint32_t cursor = 0, listed = 0, pieces = 0, some = 0;
    while ((some = dispatcher_set_list(fixture->set, PIPELINE_DEFAULT, &cursor, entries, 2)) > 0) {
        listed += some;
        pieces++;
    }
    assert_int_equal(listed, 5);
    assert_int_equal(pieces, 3);
    bootstrap_entry_t bootstrap[8];
    cursor = 0;
    assert_int_equal(dispatcher_set_list_bootstrap(fixture->set, &cursor, bootstrap, 8), 5);
    assert_int_equal(bootstrap[0].assignment_epoch.maintainer_epoch, EPOCH);
}

/* First, last or between: what has ended is told of once, the others in the order of their news. */
static void tells_of_what_ends_before_it_was_told_only_that(void **state)
{
    fixture_t *fixture = *state;
    dispatcher_heartbeat_t entries[8];
    for (uint64_t ended = 1; ended <= 3; ended++) {
        for (uint64_t table = 1; table <= 3; table++)
            make_work(fixture, table, 10);
        schedule_close(fixture, id_of(ended));
        uint32_t count = dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 8);
        assert_int_equal(count, 3);
        assert_true(dispatcher_id_equal(entries[0].dispatcher_id, id_of(ended)));
        assert_int_equal(entries[0].state, DISPATCHER_STOPPED);
        assert_true(dispatcher_id_equal(entries[1].dispatcher_id, id_of(ended == 1 ? 2 : 1)));
        assert_true(dispatcher_id_equal(entries[2].dispatcher_id, id_of(ended == 3 ? 2 : 3)));
        assert_int_equal(entries[2].state, DISPATCHER_WORKING);
        assert_false(dispatcher_set_has_changed(fixture->set, PIPELINE_DEFAULT));
        for (uint64_t table = 1; table <= 3; table++)
            schedule_close(fixture, id_of(table));
        while (dispatcher_set_has_changed(fixture->set, PIPELINE_DEFAULT))
            dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 8);
    }
}

static void remembers_the_first_error(void **state)
{
    fixture_t *fixture = *state;
    make_work(fixture, 1, 10);
    make_work(fixture, 2, 10);
    transaction_t *transaction = transaction_new();
    transaction->is_last_part = true;
    table_rows_t *rows = arena_calloc(&transaction->arena, 1, sizeof *rows);
    deliver(fixture, 1,
            (stream_event_t){
                .kind = STREAM_ROWS, .commit_ts = {11}, .transaction = transaction, .rows = rows});
    dispatcher_set_written(fixture->set, id_of(1), run_of(fixture, 1), 1,
                           SLUICE_ERROR_SOURCE_CORRUPT, fixture->now);
    assert_int_equal(dispatcher_set_error(fixture->set), SLUICE_ERROR_SOURCE_CORRUPT);
    dispatcher_heartbeat_t entries[4];
    dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 4);
    deliver_resolved(fixture, 2, 100);
    watermark_t watermark;
    dispatcher_set_watermark(fixture->set, PIPELINE_DEFAULT, &watermark);
    assert_int_equal(watermark.checkpoint.v, 10);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(takes_the_minimum_as_watermark_and_counts_changes_of_the_set),
        TEST(keeps_modes_apart),
        TEST(tells_new_states_at_once_and_everything_in_pieces),
        TEST(tells_of_what_ends_before_it_was_told_only_that),
        TEST(remembers_the_first_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
