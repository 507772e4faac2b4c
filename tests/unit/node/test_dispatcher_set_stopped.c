/* How those that have stopped are told, asked for or not. */
#include "tests/unit/node/dispatcher_set_fixture.h"

static uint32_t told_stopped(const dispatcher_heartbeat_t *entries, uint32_t count, uint64_t table)
{
    uint32_t told = 0;
    for (uint32_t i = 0; i < count; i++)
        told += entries[i].state == DISPATCHER_STOPPED &&
                dispatcher_id_equal(entries[i].dispatcher_id, id_of(table));
    return told;
}

static uint32_t heartbeat_tells_stopped(fixture_t *fixture, uint64_t table)
{
    dispatcher_heartbeat_t entries[8];
    uint32_t count = dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 8);
    return told_stopped(entries, count, table);
}

/* The watermark goes on without it: a maintainer that hears the one must hear the other. */
static void who_stopped_unasked_is_told_with_every_list_until_it_is_closed(void **state)
{
    fixture_t *fixture = *state;
    make_work(fixture, 7, 100);
    make_work(fixture, 8, 100);
    assert_true(schedule_create(fixture, EPOCH, create_of(9, 100)));
    dispatcher_set_claimed(fixture->set, id_of(9), run_of(fixture, 9), SLUICE_ERROR_NOT_OWNER,
                           COMMIT_TS_NONE, fixture->now);
    assert_int_equal(dispatcher_set_count(fixture->set), 2);
    assert_true(heartbeat_tells_stopped(fixture, 9) > 0);
    assert_false(dispatcher_set_has_changed(fixture->set, PIPELINE_DEFAULT));
    assert_int_equal(heartbeat_tells_stopped(fixture, 9), 1);
    dispatcher_heartbeat_t entries[4];
    uint32_t cursor = 0;
    assert_int_equal(dispatcher_set_list(fixture->set, PIPELINE_DEFAULT, &cursor, entries, 2), 2);
    assert_int_equal(told_stopped(entries, 2, 9), 1);
    assert_int_equal(dispatcher_set_list(fixture->set, PIPELINE_DEFAULT, &cursor, entries, 2), 2);
    assert_int_equal(told_stopped(entries, 2, 9), 1);
    assert_int_equal(dispatcher_set_list(fixture->set, PIPELINE_DEFAULT, &cursor, entries, 2), 1);
    schedule_close(fixture, id_of(9));
    assert_int_equal(heartbeat_tells_stopped(fixture, 9), 1);
    assert_int_equal(heartbeat_tells_stopped(fixture, 9), 0);
    forget_effects(fixture);
}

/* A node that leaves with more than it can name: the newest of those nobody asked for, and all of
 * them once, in the order in which they stopped, however they are taken. */
static void many_that_stop_at_once_are_told_in_order(void **state)
{
    enum { COUNT = 1000, NAMED = 512 };
    fixture_t *fixture = *state;
    static dispatcher_heartbeat_t entries[4 * COUNT];
    for (uint64_t table = 0; table < COUNT; table++)
        make_work(fixture, table, 10);
    dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 2 * COUNT);
    dispatcher_set_abandon_all(fixture->set, fixture->now);
    uint64_t next = COUNT;
    while (dispatcher_set_has_changed(fixture->set, PIPELINE_DEFAULT)) {
        uint32_t count =
            dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 2 * NAMED + 70);
        for (uint32_t i = 0; i < NAMED; i++)
            assert_int_equal(entries[i].dispatcher_id.lo, id_of(NAMED - 1 - i).lo);
        for (uint32_t i = NAMED; i < count; i++)
            assert_int_equal(entries[i].dispatcher_id.lo, id_of(--next).lo);
    }
    assert_int_equal(next, 0);
}

static void who_was_closed_is_told_once(void **state)
{
    fixture_t *fixture = *state;
    make_work(fixture, 7, 100);
    schedule_close(fixture, id_of(7));
    assert_int_equal(heartbeat_tells_stopped(fixture, 7), 1);
    assert_int_equal(heartbeat_tells_stopped(fixture, 7), 0);
    forget_effects(fixture);
}

/* A close of the maintainer before ends after the one of now was told that it works. */
static void a_close_of_the_maintainer_before_counts_as_unasked(void **state)
{
    fixture_t *fixture = *state;
    make_work(fixture, 7, 100);
    transaction_t *transaction = transaction_new();
    transaction->is_last_part = true;
    table_rows_t *rows = arena_calloc(&transaction->arena, 1, sizeof *rows);
    deliver(fixture, 7,
            (stream_event_t){
                .kind = STREAM_ROWS, .commit_ts = {105}, .transaction = transaction, .rows = rows});
    schedule_close(fixture, id_of(7));
    assert_int_equal(dispatcher_set_count(fixture->set), 1);
    assert_true(dispatcher_set_bootstrap(fixture->set, EPOCH + 1, fixture->now));
    dispatcher_set_written(fixture->set, id_of(7), run_of(fixture, 7), 1, SLUICE_OK, fixture->now);
    assert_int_equal(dispatcher_set_count(fixture->set), 0);
    heartbeat_tells_stopped(fixture, 7);
    assert_int_equal(heartbeat_tells_stopped(fixture, 7), 1);
    /* The next one is told what there is. */
    assert_true(dispatcher_set_bootstrap(fixture->set, EPOCH + 2, fixture->now));
    assert_int_equal(heartbeat_tells_stopped(fixture, 7), 0);
    forget_effects(fixture);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(who_stopped_unasked_is_told_with_every_list_until_it_is_closed),
        TEST(many_that_stop_at_once_are_told_in_order),
        TEST(who_was_closed_is_told_once),
        TEST(a_close_of_the_maintainer_before_counts_as_unasked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
