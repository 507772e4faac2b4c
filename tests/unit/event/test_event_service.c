#include "tests/unit/event/event_service_fixture.h"

static void answers_register_and_reset_at_once(void **state)
{
    (void)state;
    fixture_t f = begin();
    register_table(&f, 1, 1, 0);
    run(&f);
    assert_sent(&f, 1, 0, "r");
    reset_at(&f, 1, 1, (position_t){{BASE}, EVENT_KEY_NONE}, 1);
    run(&f);
    assert_sent(&f, 1, 0, "H100");
    reset_at(&f, 1, 1, (position_t){{BASE}, EVENT_KEY_NONE}, 1);
    run(&f);
    assert_sent(&f, 1, 0, "H100");
    end(&f);
}

static void repeated_reset_after_data_is_not_answered(void **state)
{
    (void)state;
    fixture_t f = begin();
    open_stream(&f, 1, BASE);
    append(&f, ROWS(101, 1));
    run(&f);
    assert_sent(&f, 1, 0, "r H100 R101 =101");
    reset_at(&f, 1, 1, (position_t){{BASE}, EVENT_KEY_NONE}, 1);
    run(&f);
    assert_sent(&f, 1, 2, "");
    reset_at(&f, 1, 2, (position_t){{BASE}, EVENT_KEY_NONE}, CREDIT_PLENTY);
    run(&f);
    assert_sent(&f, 1, 0, "H100 R101 =101");
    reset_at(&f, 1, 1, (position_t){{BASE}, EVENT_KEY_NONE}, 1);
    run(&f);
    assert_sent(&f, 1, 2, "");
    end(&f);
}

static void repeated_reset_after_resolved_is_not_answered(void **state)
{
    (void)state;
    fixture_t f = begin();
    open_stream(&f, 1, BASE);
    append(&f, build_resolved(101));
    run(&f);
    assert_sent(&f, 1, 0, "r H100 =101");
    reset_at(&f, 1, 1, (position_t){{BASE}, EVENT_KEY_NONE}, 1);
    run(&f);
    assert_sent(&f, 1, 1, "");
    end(&f);
}

static void strangers_are_told_that_they_are_removed(void **state)
{
    (void)state;
    fixture_t f = begin();
    flushed(&f, 1, 100);
    flushed(&f, 1, 100);
    reset_at(&f, 2, 1, (position_t){{BASE}, EVENT_KEY_NONE}, 1);
    request(&f, (stream_request_t){.kind = STREAM_REMOVE, .dispatcher_id = id_of(3)});
    run(&f);
    assert_sent(&f, 1, 0, "x");
    assert_sent(&f, 2, 0, "x");
    assert_int_equal(f.count, 2);
    end(&f);
}

static void removed_dispatchers_get_nothing_more(void **state)
{
    (void)state;
    fixture_t f = begin();
    open_stream(&f, 1, BASE);
    open_stream(&f, 2, BASE);
    append(&f, ROWS(101, 1, 2));
    request(&f, (stream_request_t){.kind = STREAM_REMOVE, .dispatcher_id = id_of(1)});
    run(&f);
    assert_sent(&f, 1, 0, "");
    assert_sent(&f, 2, 0, "r H100 R101 =101");
    end(&f);
}

static void each_table_gets_its_rows_and_the_ddls_that_concern_it(void **state)
{
    (void)state;
    fixture_t f = begin();
    for (uint64_t number = 0; number <= 3; number++)
        open_stream(&f, number, BASE);
    append(&f, ROWS(101, 1, 2));
    append(&f, DDL(102, 2));
    append(&f, ROWS(103, 3));
    append(&f, DDL_ALL(104));
    append(&f, DDL_TRIGGER_ONLY(105));
    append(&f, ROWS(106, 1));
    run(&f);
    assert_sent(&f, 0, 0, "r H100 D102 D104 D105 =106");
    assert_sent(&f, 1, 0, "r H100 R101 D104 R106 =106");
    assert_sent(&f, 2, 0, "r H100 R101 D102 D104 =106");
    assert_sent(&f, 3, 0, "r H100 R103 D104 =106");
    end(&f);
}

static void the_ddl_that_created_a_table_is_never_sent_to_it(void **state)
{
    (void)state;
    fixture_t f = begin();
    register_table(&f, 5, 5, 103);
    /* CREATE TABLE … SELECT: starts before its creation to write the rows that came with it. */
    reset_at(&f, 5, 1, (position_t){{102}, EVENT_KEY_NONE}, CREDIT_PLENTY);
    append(&f, build_resolved(102));
    feed_item_t create = DDL(103, 5);
    create.completes = false;
    append(&f, create);
    append(&f, ROWS(103, 5));
    append(&f, DDL(104, 5));
    run(&f);
    assert_sent(&f, 5, 0, "r H102 R103 D104 =104");
    end(&f);
}

static void starts_behind_the_position_of_the_reset(void **state)
{
    (void)state;
    fixture_t f = begin();
    append(&f, ROWS(101, 1));
    append(&f, DDL(102, 1));
    append(&f, ROWS(103, 1));
    append(&f, DDL_ALL(104));
    append(&f, ROWS(105, 1));
    open_stream(&f, 1, 102);
    run(&f);
    assert_sent(&f, 1, 0, "r H102 R103 D104 R105 =105");
    reset_at(&f, 1, 2, (position_t){{104}, {{104}, false}}, CREDIT_PLENTY);
    run(&f);
    assert_sent(&f, 1, 0, "H104 R105 =105");
    end(&f);
}

static void a_dispatcher_may_stand_ahead_of_the_reader(void **state)
{
    (void)state;
    fixture_t f = begin();
    open_stream(&f, 1, 103);
    append(&f, ROWS(101, 1));
    append(&f, DDL_ALL(102));
    append(&f, DDL(103, 1));
    run(&f);
    assert_sent(&f, 1, 0, "r H103");
    append(&f, ROWS(104, 1));
    run(&f);
    assert_sent(&f, 1, 1, "R104 =104");
    end(&f);
}

static void a_sync_point_at_the_checkpoint_is_met_unless_passed(void **state)
{
    (void)state;
    fixture_t f = begin();
    append(&f, DDL_ALL(101));
    append(&f, build_syncpoint(101));
    append(&f, ROWS(102, 1, 2));
    register_table(&f, 1, 1, 0);
    reset_at(&f, 1, 1, (position_t){{101}, {{101}, false}}, CREDIT_PLENTY);
    register_table(&f, 2, 2, 0);
    reset_at(&f, 2, 1, (position_t){{101}, {{101}, true}}, CREDIT_PLENTY);
    register_table(&f, 0, 0, 0);
    reset_at(&f, 0, 1, (position_t){{100}, EVENT_KEY_NONE}, CREDIT_PLENTY);
    run(&f);
    assert_sent(&f, 1, 0, "r H101 S101 R102 =102");
    assert_sent(&f, 2, 0, "r H101 R102 =102");
    assert_sent(&f, 0, 0, "r H100 D101 S101 =102");
    end(&f);
}

static void at_one_commit_ts_ddl_comes_before_rows_before_sync_point(void **state)
{
    (void)state;
    fixture_t f = begin();
    open_stream(&f, 1, BASE);
    feed_item_t ddl = DDL(101, 1);
    ddl.completes = false;
    append(&f, ddl);
    append(&f, ROWS(101, 1));
    append(&f, build_syncpoint(101));
    append(&f, build_resolved(102));
    run(&f);
    assert_sent(&f, 1, 0, "r H100 D101 R101 S101 =102");
    end(&f);
}

static void resolved_never_passes_parts_that_are_missing(void **state)
{
    (void)state;
    fixture_t f = begin();
    open_stream(&f, 1, BASE);
    append(&f, build_resolved(101));
    feed_item_t part = ROWS(102, 1);
    part.completes = false;
    append(&f, part);
    run(&f);
    assert_sent(&f, 1, 0, "r H100 R102 =101");
    append(&f, ROWS(102, 1));
    run(&f);
    assert_sent(&f, 1, 2, "R102 =102");
    end(&f);
}

static void stops_without_credit_and_goes_on_with_more(void **state)
{
    (void)state;
    fixture_t f = begin();
    register_table(&f, 1, 1, 0);
    reset_at(&f, 1, 1, (position_t){{BASE}, EVENT_KEY_NONE}, 1);
    open_stream(&f, 2, BASE);
    for (uint64_t ts = 101; ts <= 104; ts++)
        append(&f, ROWS(ts, 1, 2));
    run(&f);
    assert_sent(&f, 1, 0, "r H100 R101 =101");
    assert_sent(&f, 2, 0, "r H100 R101 R102 R103 R104 =104");
    stream_request_t credit = {.kind = STREAM_CREDIT,
                               .dispatcher_id = id_of(1),
                               .epoch = 1,
                               .position = {.checkpoint = {101}},
                               .credit_bytes = 2500};
    request(&f, credit);
    request(&f, credit);
    run(&f);
    assert_sent(&f, 1, 2, "R102 R103 =103");
    credit.epoch = 2;
    credit.credit_bytes = CREDIT_PLENTY;
    request(&f, credit);
    run(&f);
    assert_sent(&f, 1, 4, "");
    end(&f);
}

static void many_idle_tables_are_resolved_once_an_interval(void **state)
{
    (void)state;
    fixture_t f = begin();
    for (uint64_t number = 1; number <= 10000; number++)
        open_stream(&f, number, BASE);
    run(&f);
    forget_events(&f);
    mono_ns_t from = f.now;
    uint64_t ts = BASE, resolved = 0;
    static stream_event_t events[1000];
    while (mono_elapsed(from, f.now) < NS_PER_S) {
        append(&f, build_resolved(++ts));
        uint32_t taken;
        while ((taken = event_service_take(f.service, events, 1000, f.now)))
            resolved += taken;
        f.now = mono_add(f.now, NS_PER_MS);
    }
    /* 10,000 tables at 10 µs each: one round in 100 ms. */
    assert_true(resolved >= 10 * 10000 && resolved <= 11 * 10000);
    end(&f);
}

static void a_lone_transaction_is_resolved_at_once_for_its_table(void **state)
{
    (void)state;
    fixture_t f = begin();
    open_stream(&f, 1, BASE);
    open_stream(&f, 2, BASE);
    append(&f, build_resolved(101));
    run(&f);
    append(&f, ROWS(102, 1));
    forget_events(&f);
    f.count = event_service_take(f.service, f.events, 100, f.now);
    assert_sent(&f, 1, 1, "R102 =102");
    assert_sent(&f, 2, 1, "");
    mono_ns_t due = event_service_next_deadline(f.service);
    assert_true(due.v > f.now.v && due.v <= f.now.v + NS_PER_MS);
    f.now = due;
    forget_events(&f);
    f.count = event_service_take(f.service, f.events, 100, f.now);
    assert_sent(&f, 2, 1, "=102");
    assert_int_equal(event_service_next_deadline(f.service).v, MONO_NEVER.v);
    end(&f);
}

static void a_stream_opened_behind_the_sweep_is_resolved_too(void **state)
{
    (void)state;
    fixture_t f = begin();
    open_stream(&f, 1, BASE);
    append(&f, build_resolved(105));
    run(&f);
    open_stream(&f, 2, BASE);
    run(&f);
    assert_sent(&f, 2, 0, "r H100 =105");
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_register_and_reset_at_once),
        cmocka_unit_test(repeated_reset_after_data_is_not_answered),
        cmocka_unit_test(repeated_reset_after_resolved_is_not_answered),
        cmocka_unit_test(strangers_are_told_that_they_are_removed),
        cmocka_unit_test(removed_dispatchers_get_nothing_more),
        cmocka_unit_test(each_table_gets_its_rows_and_the_ddls_that_concern_it),
        cmocka_unit_test(the_ddl_that_created_a_table_is_never_sent_to_it),
        cmocka_unit_test(starts_behind_the_position_of_the_reset),
        cmocka_unit_test(a_dispatcher_may_stand_ahead_of_the_reader),
        cmocka_unit_test(a_sync_point_at_the_checkpoint_is_met_unless_passed),
        cmocka_unit_test(at_one_commit_ts_ddl_comes_before_rows_before_sync_point),
        cmocka_unit_test(resolved_never_passes_parts_that_are_missing),
        cmocka_unit_test(stops_without_credit_and_goes_on_with_more),
        cmocka_unit_test(many_idle_tables_are_resolved_once_an_interval),
        cmocka_unit_test(a_lone_transaction_is_resolved_at_once_for_its_table),
        cmocka_unit_test(a_stream_opened_behind_the_sweep_is_resolved_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
