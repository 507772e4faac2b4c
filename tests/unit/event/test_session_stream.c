/* The stream itself: epoch, sequence, and what was forwarded before. */
#include "tests/unit/event/session_fixture.h"

static void data_before_the_handshake_resets_once(void **state) /* SEQ-1, S2 */
{
    (void)state;
    fixture_t *f = begin_local(10);
    stream_event_t early = {.kind = STREAM_RESOLVED, .epoch = 1, .sequence = 1, .commit_ts = {11}};
    assert_int_equal(handle_event(f, SERVICE_LOCAL, early), SESSION_RESULT_NOTHING);
    assert_int_equal(expect(f, STREAM_RESET, SERVICE_LOCAL).epoch, 2);
    assert_int_equal(handle_event(f, SERVICE_LOCAL, early), SESSION_RESULT_NOTHING);
    assert_int_equal(stream(f, STREAM_HANDSHAKE, 2, 10), SESSION_RESULT_NOTHING);
    expect_nothing(f);
    assert_int_equal(stream(f, STREAM_HANDSHAKE, 1, 10), SESSION_RESULT_OPENED);
    assert_int_equal(stream(f, STREAM_HANDSHAKE, 1, 10), SESSION_RESULT_NOTHING);
    assert_int_equal(stream(f, STREAM_ROWS, 2, 11), SESSION_RESULT_DELIVER);
    expect_nothing(f);
    end(f);
}

static void only_its_handshake_opens_an_epoch(void **state) /* SEQ-1, S2 */
{
    (void)state;
    const struct {
        stream_kind_t kind;
        uint64_t sequence;
    } early[] = {{STREAM_ROWS, 1},      {STREAM_DDL, 1},      {STREAM_SYNCPOINT, 1},
                 {STREAM_RESOLVED, 1},  {STREAM_RESOLVED, 0}, {STREAM_ROWS, 2},
                 {STREAM_SYNCPOINT, 2}, {STREAM_DDL, 0}};
    for (size_t i = 0; i < sizeof early / sizeof *early; i++) {
        fixture_t *f = begin_local(10);
        assert_int_equal(stream(f, STREAM_HANDSHAKE, 0, 10), SESSION_RESULT_NOTHING);
        expect_nothing(f);
        assert_int_equal(stream(f, early[i].kind, early[i].sequence, 11), SESSION_RESULT_NOTHING);
        assert_int_equal(expect(f, STREAM_RESET, SERVICE_LOCAL).epoch, 2);
        assert_int_equal(stream(f, STREAM_HANDSHAKE, 1, 10), SESSION_RESULT_OPENED);
        assert_int_equal(stream(f, STREAM_ROWS, 2, 11), SESSION_RESULT_DELIVER);
        end(f);
    }
}

static void every_kind_of_data_takes_the_next_number(void **state) /* SEQ-2, SEQ-3, HB-5 */
{
    (void)state;
    fixture_t *f = begin_open(10);
    assert_int_equal(stream(f, STREAM_DDL, 2, 11), SESSION_RESULT_DELIVER);
    assert_int_equal(stream(f, STREAM_ROWS, 3, 12), SESSION_RESULT_DELIVER);
    assert_int_equal(stream(f, STREAM_SYNCPOINT, 4, 12), SESSION_RESULT_DELIVER);
    assert_int_equal(stream(f, STREAM_RESOLVED, 4, 13), SESSION_RESULT_DELIVER);
    assert_int_equal(stream(f, STREAM_RESOLVED, 4, 14), SESSION_RESULT_DELIVER);
    assert_int_equal(stream(f, STREAM_ROWS, 5, 15), SESSION_RESULT_DELIVER);
    expect_nothing(f);
    end(f);
    const struct {
        stream_kind_t kind;
        uint64_t sequence;
    } wrong[] = {{STREAM_ROWS, 3},     {STREAM_ROWS, 1},      {STREAM_DDL, 4},
                 {STREAM_DDL, 1},      {STREAM_SYNCPOINT, 5}, {STREAM_SYNCPOINT, 1},
                 {STREAM_RESOLVED, 2}, {STREAM_RESOLVED, 0}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        f = begin_open(10);
        assert_int_equal(stream(f, wrong[i].kind, wrong[i].sequence, 11), SESSION_RESULT_NOTHING);
        assert_int_equal(expect(f, STREAM_RESET, SERVICE_LOCAL).epoch, 2);
        end(f);
    }
}

static void other_epochs_never_pass(void **state) /* SEQ-6, SEQ-7, S5 */
{
    (void)state;
    fixture_t *f = begin_open(10);
    const stream_kind_t kinds[] = {STREAM_HANDSHAKE, STREAM_ROWS,     STREAM_DDL,
                                   STREAM_SYNCPOINT, STREAM_RESOLVED, STREAM_DROP};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        for (uint64_t epoch = 0; epoch <= 2; epoch += 2) {
            stream_event_t event = {
                .kind = kinds[i], .epoch = epoch, .sequence = 2, .commit_ts = {11}};
            assert_int_equal(handle_event(f, SERVICE_LOCAL, event), SESSION_RESULT_NOTHING);
        }
        stream_event_t foreign = {.kind = kinds[i], .epoch = 1, .sequence = 2, .commit_ts = {11}};
        assert_int_equal(handle_event(f, REMOTE_1, foreign), SESSION_RESULT_NOTHING);
    }
    expect_nothing(f);
    assert_int_equal(stream(f, STREAM_ROWS, 2, 11), SESSION_RESULT_DELIVER);
    end(f);
}

static void drop_resets(void **state)
{
    (void)state;
    fixture_t *f = begin_open(10);
    stream(f, STREAM_ROWS, 2, 11);
    f->position.checkpoint.v = 11;
    stream(f, STREAM_DROP, 0, 0);
    stream_request_t reset = expect(f, STREAM_RESET, SERVICE_LOCAL);
    assert_int_equal(reset.epoch, 2);
    assert_int_equal(reset.position.checkpoint.v, 11);
    end(f);
}

static void nothing_is_forwarded_twice_after_a_reset(void **state) /* SEQ-4, SEQ-10, S4 */
{
    (void)state;
    fixture_t *f = begin_open(99);
    assert_int_equal(stream(f, STREAM_DDL, 2, 100), SESSION_RESULT_DELIVER);
    assert_int_equal(stream(f, STREAM_DDL, 3, 100), SESSION_RESULT_NOTHING);
    assert_int_equal(stream(f, STREAM_ROWS, 4, 100), SESSION_RESULT_DELIVER);
    assert_int_equal(stream(f, STREAM_SYNCPOINT, 5, 100), SESSION_RESULT_DELIVER);
    assert_int_equal(stream(f, STREAM_SYNCPOINT, 6, 100), SESSION_RESULT_NOTHING);
    assert_int_equal(stream(f, STREAM_ROWS, 7, 90), SESSION_RESULT_NOTHING);
    expect_nothing(f);
    stream(f, STREAM_DROP, 0, 0);
    expect(f, STREAM_RESET, SERVICE_LOCAL);
    stream(f, STREAM_HANDSHAKE, 1, 99);
    assert_int_equal(stream(f, STREAM_DDL, 2, 100), SESSION_RESULT_NOTHING);
    assert_int_equal(stream(f, STREAM_ROWS, 3, 100), SESSION_RESULT_NOTHING);
    assert_int_equal(stream(f, STREAM_SYNCPOINT, 4, 100), SESSION_RESULT_NOTHING);
    assert_int_equal(stream(f, STREAM_ROWS, 5, 110), SESSION_RESULT_DELIVER);
    assert_int_equal(f->counters.duplicates, 6);
    end(f);
}

static void goes_on_with_the_part_that_was_not_forwarded(void **state)
{
    (void)state;
    fixture_t *f = begin_open(99);
    f->continues = true;
    assert_int_equal(stream(f, STREAM_ROWS, 2, 100), SESSION_RESULT_DELIVER);
    assert_int_equal(stream(f, STREAM_ROWS, 3, 100), SESSION_RESULT_DELIVER);
    for (int round = 0; round < 2; round++) {
        stream(f, STREAM_DROP, 0, 0);
        expect(f, STREAM_RESET, SERVICE_LOCAL);
        stream(f, STREAM_HANDSHAKE, 1, 99);
        assert_int_equal(stream(f, STREAM_ROWS, 2, 100), SESSION_RESULT_NOTHING);
    }
    assert_int_equal(stream(f, STREAM_ROWS, 3, 100), SESSION_RESULT_NOTHING);
    assert_int_equal(stream(f, STREAM_ROWS, 4, 100), SESSION_RESULT_DELIVER);
    assert_int_equal(stream(f, STREAM_RESOLVED, 4, 100), SESSION_RESULT_DELIVER);
    stream(f, STREAM_DROP, 0, 0);
    expect(f, STREAM_RESET, SERVICE_LOCAL);
    stream(f, STREAM_HANDSHAKE, 1, 99);
    for (uint64_t part = 2; part <= 4; part++)
        assert_int_equal(stream(f, STREAM_ROWS, part, 100), SESSION_RESULT_NOTHING);
    end(f);
}

/* Another service may cut it elsewhere. */
static void a_whole_transaction_is_not_repeated_in_however_many_parts(void **state)
{
    (void)state;
    fixture_t *f = begin_open(99);
    f->continues = true;
    assert_int_equal(stream(f, STREAM_ROWS, 2, 100), SESSION_RESULT_DELIVER);
    f->continues = false;
    assert_int_equal(stream(f, STREAM_ROWS, 3, 100), SESSION_RESULT_DELIVER);
    stream(f, STREAM_DROP, 0, 0);
    expect(f, STREAM_RESET, SERVICE_LOCAL);
    stream(f, STREAM_HANDSHAKE, 1, 99);
    for (uint64_t part = 2; part <= 5; part++)
        assert_int_equal(stream(f, STREAM_ROWS, part, 100), SESSION_RESULT_NOTHING);
    assert_int_equal(stream(f, STREAM_ROWS, 6, 101), SESSION_RESULT_DELIVER);
    end(f);
}

static void sync_point_may_follow_resolved(void **state)
{
    (void)state;
    fixture_t *f = begin_open(99);
    stream(f, STREAM_RESOLVED, 1, 110);
    assert_int_equal(stream(f, STREAM_ROWS, 2, 110), SESSION_RESULT_NOTHING);
    assert_int_equal(stream(f, STREAM_SYNCPOINT, 3, 110), SESSION_RESULT_DELIVER);
    assert_int_equal(stream(f, STREAM_RESOLVED, 3, 110), SESSION_RESULT_DELIVER);
    assert_int_equal(stream(f, STREAM_SYNCPOINT, 4, 110), SESSION_RESULT_NOTHING);
    end(f);
}

static void sync_point_at_the_start_passes_unless_passed(void **state)
{
    (void)state;
    const struct {
        event_key_t passed;
        session_result_t result;
    } rows[] = {{{{10}, false}, SESSION_RESULT_DELIVER},
                {EVENT_KEY_NONE, SESSION_RESULT_DELIVER},
                {{{10}, true}, SESSION_RESULT_NOTHING}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fixture_t *f = begin((position_t){{10}, rows[i].passed}, false);
        expect(f, STREAM_REGISTER, SERVICE_LOCAL);
        signal_from(f, SERVICE_LOCAL, STREAM_READY);
        stream_request_t reset = expect(f, STREAM_RESET, SERVICE_LOCAL);
        assert_true(event_key_equal(reset.position.passed, rows[i].passed));
        stream(f, STREAM_HANDSHAKE, 1, 10);
        assert_int_equal(stream(f, STREAM_DDL, 2, 10), SESSION_RESULT_NOTHING);
        assert_int_equal(stream(f, STREAM_SYNCPOINT, 3, 10), rows[i].result);
        end(f);
    }
}

static void data_without_its_content_is_refused(void **state) /* SEQ-11 */
{
    (void)state;
    table_rows_t rows = {.bytes = 1000}; /* of no table */
    stream_event_t wrong[] = {{.kind = STREAM_ROWS}, {.kind = STREAM_ROWS}, {.kind = STREAM_DDL}};
    wrong[1].rows = &rows;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        fixture_t *f = begin_open(10);
        wrong[i].epoch = 1;
        wrong[i].sequence = 2;
        wrong[i].commit_ts.v = 11;
        assert_int_equal(handle_event(f, SERVICE_LOCAL, wrong[i]), SESSION_RESULT_NOTHING);
        assert_int_equal(expect(f, STREAM_RESET, SERVICE_LOCAL).epoch, 2);
        assert_int_equal(f->counters.refused, 1);
        end(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_before_the_handshake_resets_once),
        cmocka_unit_test(only_its_handshake_opens_an_epoch),
        cmocka_unit_test(every_kind_of_data_takes_the_next_number),
        cmocka_unit_test(other_epochs_never_pass),
        cmocka_unit_test(drop_resets),
        cmocka_unit_test(nothing_is_forwarded_twice_after_a_reset),
        cmocka_unit_test(goes_on_with_the_part_that_was_not_forwarded),
        cmocka_unit_test(a_whole_transaction_is_not_repeated_in_however_many_parts),
        cmocka_unit_test(sync_point_may_follow_resolved),
        cmocka_unit_test(sync_point_at_the_start_passes_unless_passed),
        cmocka_unit_test(data_without_its_content_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
