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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heartbeat_says_no_more_than_was_seen),
        cmocka_unit_test(heartbeat_of_a_new_epoch_knows_nothing_of_the_old),
        cmocka_unit_test(little_progress_is_reported_soon_too),
        cmocka_unit_test(credit_grows_with_what_was_flushed),
        cmocka_unit_test(credit_is_never_exhausted_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
