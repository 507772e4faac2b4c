/* What the service hears of progress, and the credit that it gets. */
#include "tests/unit/event/session_fixture.h"

static void heartbeat_says_no_more_than_was_seen(void **state) /* HB-1, HB-3, S8 */
{
    (void)state;
    fixture_t *f = begin((position_t){{100}, EVENT_KEY_NONE}, false);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    f->now.v += 60 * NS_PER_S;
    session_step_t step = step_of(f);
    session_tick(&f->session, &step);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    expect_nothing(f);
    signal_from(f, SERVICE_LOCAL, STREAM_READY);
    expect(f, STREAM_RESET, SERVICE_LOCAL);
    stream(f, STREAM_HANDSHAKE, 1, 100);
    stream(f, STREAM_RESOLVED, 1, 150);
    f->position.checkpoint.v = 200;
    tick_at_deadline(f);
    stream_request_t heartbeat = expect(f, STREAM_HEARTBEAT, SERVICE_LOCAL);
    assert_int_equal(heartbeat.position.checkpoint.v, 150);
    assert_int_equal(heartbeat.epoch, 1);
    mono_ns_t before = f->now;
    f->position.checkpoint.v = 140;
    tick_at_deadline(f);
    assert_int_equal(f->now.v - before.v, SESSION_HEARTBEAT_NS);
    assert_int_equal(expect(f, STREAM_HEARTBEAT, SERVICE_LOCAL).position.checkpoint.v, 140);
    end(f);
}

static void heartbeat_of_a_new_epoch_knows_nothing_of_the_old(void **state) /* S8 */
{
    (void)state;
    fixture_t *f = begin_open(100);
    stream(f, STREAM_RESOLVED, 1, 150);
    f->position.checkpoint.v = 120;
    stream(f, STREAM_DROP, 0, 0);
    expect(f, STREAM_RESET, SERVICE_LOCAL);
    stream(f, STREAM_HANDSHAKE, 1, 120);
    f->position.checkpoint.v = 140;
    tick_at_deadline(f);
    stream_request_t heartbeat = expect(f, STREAM_HEARTBEAT, SERVICE_LOCAL);
    assert_int_equal(heartbeat.position.checkpoint.v, 120);
    assert_int_equal(heartbeat.epoch, 2);
    end(f);
}

/* An epoch more, at the service that is read. */
static void drop(fixture_t *f)
{
    service_id_t service = f->session.current;
    stream(f, STREAM_DROP, 0, 0);
    expect(f, STREAM_RESET, service);
    stream(f, STREAM_HANDSHAKE, 1, f->position.checkpoint.v);
}

static void heartbeats_go_to_the_service_that_is_read(void **state) /* HB-1 */
{
    (void)state;
    fixture_t *f = begin((position_t){{100}, EVENT_KEY_NONE}, false);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    probe(f, &REMOTE_1, 1);
    expect(f, STREAM_REGISTER, REMOTE_1);
    signal_from(f, REMOTE_1, STREAM_READY);
    expect(f, STREAM_RESET, REMOTE_1);
    for (int i = 0; i < 4; i++)
        drop(f);
    stream(f, STREAM_RESOLVED, 1, 210);
    f->position.checkpoint.v = 220;
    f->session.register_at = MONO_NEVER; /* repeats are not looked at here */
    mono_ns_t before = f->now;
    tick_at_deadline(f);
    assert_int_equal(f->now.v - before.v, SESSION_REMOTE_HEARTBEAT_NS);
    stream_request_t heartbeat = expect(f, STREAM_HEARTBEAT, REMOTE_1);
    assert_int_equal(heartbeat.position.checkpoint.v, 210);
    assert_int_equal(heartbeat.epoch, 5);
    end(f);
}

static void what_was_seen_grows_with_data_and_never_falls(void **state) /* S8 */
{
    (void)state;
    fixture_t *f = begin_open(100);
    f->position.checkpoint.v = 200;
    stream(f, STREAM_ROWS, 2, 105);
    tick_at_deadline(f);
    assert_int_equal(expect(f, STREAM_HEARTBEAT, SERVICE_LOCAL).position.checkpoint.v, 105);
    stream(f, STREAM_RESOLVED, 2, 150);
    stream(f, STREAM_RESOLVED, 2, 140);
    stream(f, STREAM_ROWS, 3, 130);
    f->session.progress_at = MONO_NEVER;
    tick_at_deadline(f);
    assert_int_equal(expect(f, STREAM_HEARTBEAT, SERVICE_LOCAL).position.checkpoint.v, 150);
    end(f);
}

static void without_a_service_nobody_hears_of_progress(void **state) /* HB-3 */
{
    (void)state;
    fixture_t *f = begin_open(100);
    stream(f, STREAM_ROWS, 2, 101);
    stream(f, STREAM_RESOLVED, 2, 101);
    f->position.checkpoint.v = 101;
    signal_from(f, SERVICE_LOCAL, STREAM_REMOVED);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    session_step_t step = step_of(f);
    session_flushed(&f->session, f->session.unflushed_bytes, &step);
    for (int i = 0; i < 8; i++) {
        expect_nothing(f);
        tick_at_deadline(f);
        expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    }
    end(f);
}

/* A table of few rows holds back what the service may forget no longer than one of many. */
static void little_progress_is_reported_soon_too(void **state)
{
    (void)state;
    fixture_t *f = begin_open(100);
    stream(f, STREAM_ROWS, 2, 101);
    session_step_t step = step_of(f);
    session_flushed(&f->session, 10, &step);
    expect_nothing(f);
    mono_ns_t before = f->now;
    tick_at_deadline(f);
    assert_int_equal(f->now.v - before.v, SESSION_PROGRESS_NS);
    expect_nothing(f); /* the checkpoint has not moved */
    f->position.checkpoint.v = 105;
    stream(f, STREAM_RESOLVED, 2, 105);
    before = f->now;
    tick_at_deadline(f);
    assert_int_equal(f->now.v - before.v, SESSION_PROGRESS_NS);
    assert_int_equal(expect(f, STREAM_CREDIT, SERVICE_LOCAL).position.checkpoint.v, 105);
    stream(f, STREAM_RESOLVED, 2, 110);
    f->position.checkpoint.v = 110;
    tick_at_deadline(f);
    expect(f, STREAM_HEARTBEAT, SERVICE_LOCAL); /* without data nobody waits for it */
    end(f);
}

static void credit_grows_with_what_was_flushed(void **state)
{
    (void)state;
    fixture_t *f = begin((position_t){{10}, EVENT_KEY_NONE}, false);
    f->options.credit_bytes_max = 4000;
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    signal_from(f, SERVICE_LOCAL, STREAM_READY);
    assert_int_equal(expect(f, STREAM_RESET, SERVICE_LOCAL).credit_bytes, 4000);
    stream(f, STREAM_HANDSHAKE, 1, 10);
    stream(f, STREAM_ROWS, 2, 11);
    stream(f, STREAM_ROWS, 3, 12);
    expect_nothing(f);
    uint64_t cost = f->session.credit_received / 2;
    session_step_t step = step_of(f);
    session_flushed(&f->session, cost, &step);
    stream_request_t credit = expect(f, STREAM_CREDIT, SERVICE_LOCAL);
    assert_int_equal(credit.credit_bytes, 4000 + cost);
    assert_int_equal(credit.epoch, 1);
    /* A new epoch counts anew, less what is still unflushed. */
    stream(f, STREAM_DROP, 0, 0);
    assert_int_equal(expect(f, STREAM_RESET, SERVICE_LOCAL).credit_bytes, 4000 - cost);
    end(f);
}

static void credit_is_never_exhausted_for_good(void **state)
{
    (void)state;
    fixture_t *f = begin((position_t){{10}, EVENT_KEY_NONE}, false);
    f->options.credit_bytes_max = 500; /* less than one event costs */
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    signal_from(f, SERVICE_LOCAL, STREAM_READY);
    uint64_t granted = expect(f, STREAM_RESET, SERVICE_LOCAL).credit_bytes;
    stream(f, STREAM_HANDSHAKE, 1, 10);
    for (uint64_t i = 0; i < 10; i++) {
        assert_true(granted > f->session.credit_received);
        stream(f, STREAM_ROWS, 2 + i, 11 + i);
        f->looked_at = f->requests.count;
        session_step_t step = step_of(f);
        session_flushed(&f->session, f->session.unflushed_bytes, &step);
        granted = expect(f, STREAM_CREDIT, SERVICE_LOCAL).credit_bytes;
    }
    end(f);
}

static void what_is_repeated_uses_up_no_credit(void **state) /* PUL-14 */
{
    (void)state;
    fixture_t *f = begin((position_t){{10}, EVENT_KEY_NONE}, false);
    f->options.credit_bytes_max = 4000;
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    signal_from(f, SERVICE_LOCAL, STREAM_READY);
    uint64_t granted = expect(f, STREAM_RESET, SERVICE_LOCAL).credit_bytes;
    stream(f, STREAM_HANDSHAKE, 1, 10);
    stream(f, STREAM_ROWS, 2, 11);
    uint64_t unflushed = f->session.unflushed_bytes;
    for (uint64_t i = 0; i < 20; i++) {
        assert_true(granted > f->session.credit_received);
        assert_int_equal(stream(f, STREAM_ROWS, 3 + i, 11), SESSION_RESULT_NOTHING);
        granted = expect(f, STREAM_CREDIT, SERVICE_LOCAL).credit_bytes;
    }
    assert_int_equal(f->session.unflushed_bytes, unflushed);
    end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heartbeat_says_no_more_than_was_seen),
        cmocka_unit_test(heartbeat_of_a_new_epoch_knows_nothing_of_the_old),
        cmocka_unit_test(heartbeats_go_to_the_service_that_is_read),
        cmocka_unit_test(what_was_seen_grows_with_data_and_never_falls),
        cmocka_unit_test(without_a_service_nobody_hears_of_progress),
        cmocka_unit_test(little_progress_is_reported_soon_too),
        cmocka_unit_test(credit_grows_with_what_was_flushed),
        cmocka_unit_test(credit_is_never_exhausted_for_good),
        cmocka_unit_test(what_is_repeated_uses_up_no_credit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
