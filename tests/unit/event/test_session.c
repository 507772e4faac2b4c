#include "tests/unit/event/session_fixture.h"

/* The state of SES-12 and SES-17: a remote read, another one asked. */
static void read_and_probe(fixture_t *f, service_id_t current, service_id_t probed)
{
    probe(f, &current, 1);
    expect(f, STREAM_REGISTER, current);
    signal_from(f, current, STREAM_READY);
    expect(f, STREAM_RESET, current);
    f->session.probed = probed;
}

static void registers_locally_for_everything(void **state) /* SES-1 */
{
    (void)state;
    fixture_t *f = begin((position_t){{10}, EVENT_KEY_NONE}, false);
    stream_request_t request = expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    assert_false(request.only_reuse);
    assert_int_equal(request.span.table_id.v, 5);
    assert_int_equal(request.created.v, 3);
    expect_nothing(f);
    end(f);
}

static void probes_a_remote_only_for_reuse(void **state) /* SES-2 */
{
    (void)state;
    fixture_t *f = begin((position_t){{10}, EVENT_KEY_NONE}, false);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    probe(f, &REMOTE_1, 1);
    assert_true(expect(f, STREAM_REGISTER, REMOTE_1).only_reuse);
    assert_int_equal(f->session.state, SESSION_PROBING);
    end(f);
}

static void asks_a_remote_that_forgot_it_again(void **state) /* SES-3 */
{
    (void)state;
    fixture_t *f = begin((position_t){{10}, EVENT_KEY_NONE}, false);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    read_and_probe(f, REMOTE_1, SERVICE_NONE);
    signal_from(f, REMOTE_2, STREAM_REMOVED);
    expect_nothing(f);
    uint64_t epoch = f->session.epoch;
    signal_from(f, REMOTE_1, STREAM_REMOVED);
    assert_true(expect(f, STREAM_REGISTER, REMOTE_1).only_reuse);
    assert_int_equal(f->session.state, SESSION_PROBING);
    signal_from(f, REMOTE_1, STREAM_READY);
    assert_int_equal(expect(f, STREAM_RESET, REMOTE_1).epoch, epoch + 1);
    /* It does not answer this time. */
    signal_from(f, REMOTE_1, STREAM_REMOVED);
    expect(f, STREAM_REGISTER, REMOTE_1);
    f->session.register_at = MONO_NEVER; /* repeats are not looked at here */
    mono_ns_t before = f->now;
    tick_at_deadline(f);
    assert_int_equal(f->now.v - before.v, SESSION_PROBE_NS);
    expect(f, STREAM_REMOVE, REMOTE_1);
    assert_int_equal(f->session.state, SESSION_REGISTERING);
    end(f);
}

static void ignores_ready_that_nobody_waits_for(void **state) /* SES-4, SES-5, SES-7 */
{
    (void)state;
    fixture_t *f = begin_local(10);
    signal_from(f, SERVICE_LOCAL, STREAM_READY);
    expect_nothing(f);
    end(f);

    f = begin((position_t){{10}, EVENT_KEY_NONE}, false);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    probe(f, &REMOTE_1, 1);
    expect(f, STREAM_REGISTER, REMOTE_1);
    signal_from(f, REMOTE_2, STREAM_READY);
    expect_nothing(f);
    assert_int_equal(f->session.state, SESSION_PROBING);
    signal_from(f, REMOTE_1, STREAM_READY);
    expect(f, STREAM_RESET, REMOTE_1);
    uint64_t epoch = f->session.epoch;
    signal_from(f, REMOTE_1, STREAM_READY);
    expect_nothing(f);
    assert_int_equal(f->session.epoch, epoch);
    end(f);
}

static void reads_a_probed_remote_while_local_is_pending(void **state) /* SES-6 */
{
    (void)state;
    fixture_t *f = begin((position_t){{10}, EVENT_KEY_NONE}, false);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    probe(f, &REMOTE_1, 1);
    expect(f, STREAM_REGISTER, REMOTE_1);
    signal_from(f, REMOTE_1, STREAM_READY);
    stream_request_t reset = expect(f, STREAM_RESET, REMOTE_1);
    assert_int_equal(reset.position.checkpoint.v, 10);
    assert_true(f->session.is_local_pending);
    assert_int_equal(stream(f, STREAM_HANDSHAKE, 1, 10), SESSION_RESULT_OPENED);
    assert_int_equal(stream(f, STREAM_ROWS, 2, 11), SESSION_RESULT_DELIVER);
    end(f);
}

static void goes_through_candidates_one_at_a_time(void **state) /* SES-8, SES-9, SES-16 */
{
    (void)state;
    service_id_t both[] = {REMOTE_1, REMOTE_2};
    fixture_t *f = begin((position_t){{10}, EVENT_KEY_NONE}, false);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    probe(f, both, 0);
    expect_nothing(f);
    probe(f, both, 2);
    expect(f, STREAM_REGISTER, REMOTE_1);
    probe(f, &REMOTE_2, 1);
    expect_nothing(f);
    signal_from(f, SERVICE_LOCAL, STREAM_NOT_REUSABLE);
    assert_int_equal(f->counters.refused, 1);
    signal_from(f, REMOTE_1, STREAM_NOT_REUSABLE);
    expect(f, STREAM_REGISTER, REMOTE_2);
    signal_from(f, REMOTE_2, STREAM_NOT_REUSABLE);
    expect_nothing(f);
    assert_int_equal(f->session.state, SESSION_REGISTERING);
    handle_event(f, SERVICE_LOCAL, (stream_event_t){.kind = (stream_kind_t)99});
    assert_int_equal(f->counters.refused, 2);
    end(f);
}

static void candidates_are_ignored_once_something_is_read(void **state) /* SES-16 */
{
    (void)state;
    fixture_t *f = begin((position_t){{10}, EVENT_KEY_NONE}, false);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    read_and_probe(f, REMOTE_1, SERVICE_NONE);
    probe(f, &REMOTE_2, 1);
    expect_nothing(f);
    assert_int_equal(f->session.current.v, REMOTE_1.v);
    assert_int_equal(f->session.state, SESSION_READING_REMOTE);
    end(f);
    f = begin_open(10);
    probe(f, &REMOTE_1, 1);
    expect_nothing(f);
    assert_int_equal(stream(f, STREAM_ROWS, 2, 11), SESSION_RESULT_DELIVER);
    end(f);
}

static void local_wins_over_read_and_probed_remotes(void **state) /* SES-11, SES-12 */
{
    (void)state;
    fixture_t *f = begin((position_t){{10}, EVENT_KEY_NONE}, false);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    probe(f, &REMOTE_1, 1);
    expect(f, STREAM_REGISTER, REMOTE_1);
    signal_from(f, SERVICE_LOCAL, STREAM_READY);
    expect(f, STREAM_REMOVE, REMOTE_1);
    expect(f, STREAM_RESET, SERVICE_LOCAL);
    end(f);

    f = begin((position_t){{10}, EVENT_KEY_NONE}, false);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    read_and_probe(f, REMOTE_1, REMOTE_2);
    uint64_t epoch = f->session.epoch;
    signal_from(f, SERVICE_LOCAL, STREAM_READY);
    expect(f, STREAM_REMOVE, REMOTE_1);
    expect(f, STREAM_REMOVE, REMOTE_2);
    assert_int_equal(expect(f, STREAM_RESET, SERVICE_LOCAL).epoch, epoch + 1);
    end(f);
}

static void late_remote_ready_is_told_to_go(void **state) /* SES-15 */
{
    (void)state;
    fixture_t *f = begin_open(10);
    signal_from(f, REMOTE_1, STREAM_READY);
    expect(f, STREAM_REMOVE, REMOTE_1);
    assert_int_equal(stream(f, STREAM_ROWS, 2, 11), SESSION_RESULT_DELIVER);
    end(f);
}

static void remove_is_terminal(void **state) /* SES-17 */
{
    (void)state;
    fixture_t *f = begin((position_t){{10}, EVENT_KEY_NONE}, false);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    read_and_probe(f, REMOTE_1, REMOTE_2);
    remove_session(f);
    expect(f, STREAM_REMOVE, SERVICE_LOCAL);
    expect(f, STREAM_REMOVE, REMOTE_1);
    expect(f, STREAM_REMOVE, REMOTE_2);
    signal_from(f, SERVICE_LOCAL, STREAM_READY);
    signal_from(f, REMOTE_1, STREAM_READY);
    signal_from(f, SERVICE_LOCAL, STREAM_REMOVED);
    remove_session(f);
    expect_nothing(f);
    assert_int_equal(session_next_deadline(&f->session).v, MONO_NEVER.v);
    end(f);
}

static void remove_goes_to_whoever_was_asked_and_to_nobody_else(void **state) /* SES-17, S7 */
{
    (void)state;
    enum { LOCAL_ASKED, LOCAL_READ, REMOTE_ASKED, REMOTE_READ, CASES };
    for (int i = 0; i < CASES; i++) {
        fixture_t *f = begin((position_t){{10}, EVENT_KEY_NONE}, false);
        expect(f, STREAM_REGISTER, SERVICE_LOCAL);
        if (i == LOCAL_READ) {
            signal_from(f, SERVICE_LOCAL, STREAM_READY);
            expect(f, STREAM_RESET, SERVICE_LOCAL);
        } else if (i == REMOTE_ASKED) {
            probe(f, &REMOTE_1, 1);
            expect(f, STREAM_REGISTER, REMOTE_1);
        } else if (i == REMOTE_READ) {
            read_and_probe(f, REMOTE_1, SERVICE_NONE);
        }
        remove_session(f);
        expect(f, STREAM_REMOVE, SERVICE_LOCAL);
        if (i == REMOTE_ASKED || i == REMOTE_READ)
            expect(f, STREAM_REMOVE, REMOTE_1);
        signal_from(f, REMOTE_1, STREAM_READY);
        probe(f, &REMOTE_2, 1);
        expect_nothing(f);
        end(f);
    }
}

static void registers_again_where_it_was_forgotten(void **state) /* SES-19 */
{
    (void)state;
    fixture_t *f = begin_open(10);
    signal_from(f, SERVICE_LOCAL, STREAM_REMOVED);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    signal_from(f, SERVICE_LOCAL, STREAM_READY);
    assert_int_equal(expect(f, STREAM_RESET, SERVICE_LOCAL).epoch, 2);
    assert_int_equal(f->session.current.v, SERVICE_LOCAL.v);
    assert_false(f->session.is_local_pending);
    end(f);
}

static void register_repeats_until_answered(void **state) /* S9 */
{
    (void)state;
    fixture_t *f = begin((position_t){{10}, EVENT_KEY_NONE}, false);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    uint64_t expected[] = {1, 2, 4, 8, 10, 10};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        mono_ns_t before = f->now;
        tick_at_deadline(f);
        assert_int_equal(f->now.v - before.v, expected[i] * NS_PER_S);
        expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    }
    signal_from(f, SERVICE_LOCAL, STREAM_READY);
    assert_int_equal(expect(f, STREAM_RESET, SERVICE_LOCAL).epoch, 1);
    end(f);
}

static void a_probe_repeats_beside_the_local_registration(void **state) /* S9 */
{
    (void)state;
    fixture_t *f = begin((position_t){{10}, EVENT_KEY_NONE}, false);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    probe(f, &REMOTE_1, 1);
    expect(f, STREAM_REGISTER, REMOTE_1);
    mono_ns_t before = f->now;
    tick_at_deadline(f);
    assert_int_equal(f->now.v - before.v, NS_PER_S);
    assert_false(expect(f, STREAM_REGISTER, SERVICE_LOCAL).only_reuse);
    assert_true(expect(f, STREAM_REGISTER, REMOTE_1).only_reuse);
    signal_from(f, REMOTE_1, STREAM_READY);
    expect(f, STREAM_RESET, REMOTE_1);
    stream(f, STREAM_HANDSHAKE, 1, 10);
    before = f->now;
    tick_at_deadline(f);
    assert_int_equal(f->now.v - before.v, 2 * NS_PER_S);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    expect_nothing(f);
    end(f);
}

static void reset_repeats_until_its_handshake(void **state) /* S9 */
{
    (void)state;
    fixture_t *f = begin_local(10);
    mono_ns_t before = f->now;
    tick_at_deadline(f);
    assert_int_equal(f->now.v - before.v, NS_PER_S);
    assert_int_equal(expect(f, STREAM_RESET, SERVICE_LOCAL).epoch, 1);
    before = f->now;
    tick_at_deadline(f);
    assert_int_equal(f->now.v - before.v, 2 * NS_PER_S);
    expect(f, STREAM_RESET, SERVICE_LOCAL);
    stream(f, STREAM_HANDSHAKE, 1, 10);
    tick_at_deadline(f);
    expect(f, STREAM_HEARTBEAT, SERVICE_LOCAL);
    end(f);
}

static void two_phase_add_waits_for_its_second_phase(void **state)
{
    (void)state;
    fixture_t *f = begin((position_t){{10}, EVENT_KEY_NONE}, true);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    probe(f, &REMOTE_1, 1);
    expect_nothing(f);
    assert_int_equal(signal_from(f, SERVICE_LOCAL, STREAM_READY), SESSION_RESULT_PREPARED);
    expect_nothing(f);
    assert_int_equal(f->session.candidate_count, 0);
    assert_int_equal(signal_from(f, SERVICE_LOCAL, STREAM_READY), SESSION_RESULT_NOTHING);
    f->position.checkpoint.v = 20;
    session_step_t step = step_of(f);
    session_commit(&f->session, &step);
    assert_int_equal(expect(f, STREAM_RESET, SERVICE_LOCAL).position.checkpoint.v, 20);
    session_commit(&f->session, &step);
    expect_nothing(f);
    end(f);
}

static void prepared_and_forgotten_it_is_prepared_again(void **state)
{
    (void)state;
    fixture_t *f = begin((position_t){{10}, EVENT_KEY_NONE}, true);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    assert_int_equal(signal_from(f, SERVICE_LOCAL, STREAM_READY), SESSION_RESULT_PREPARED);
    signal_from(f, REMOTE_1, STREAM_REMOVED);
    expect_nothing(f);
    signal_from(f, REMOTE_1, STREAM_READY); /* SES-15 */
    expect(f, STREAM_REMOVE, REMOTE_1);
    signal_from(f, SERVICE_LOCAL, STREAM_REMOVED);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    tick_at_deadline(f);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    assert_int_equal(signal_from(f, SERVICE_LOCAL, STREAM_READY), SESSION_RESULT_PREPARED);
    session_step_t step = step_of(f);
    session_commit(&f->session, &step);
    expect(f, STREAM_RESET, SERVICE_LOCAL);
    end(f);
}

static void commit_before_ready_probes_what_was_kept(void **state)
{
    (void)state;
    fixture_t *f = begin((position_t){{10}, EVENT_KEY_NONE}, true);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    probe(f, &REMOTE_1, 1);
    session_step_t step = step_of(f);
    session_commit(&f->session, &step);
    expect(f, STREAM_REGISTER, REMOTE_1);
    signal_from(f, SERVICE_LOCAL, STREAM_READY);
    expect(f, STREAM_REMOVE, REMOTE_1);
    expect(f, STREAM_RESET, SERVICE_LOCAL);
    end(f);
}

static void commit_after_remove_does_nothing(void **state)
{
    (void)state;
    fixture_t *f = begin((position_t){{10}, EVENT_KEY_NONE}, true);
    expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    signal_from(f, SERVICE_LOCAL, STREAM_READY);
    remove_session(f);
    expect(f, STREAM_REMOVE, SERVICE_LOCAL);
    session_step_t step = step_of(f);
    session_commit(&f->session, &step);
    expect_nothing(f);
    end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_locally_for_everything),
        cmocka_unit_test(probes_a_remote_only_for_reuse),
        cmocka_unit_test(asks_a_remote_that_forgot_it_again),
        cmocka_unit_test(ignores_ready_that_nobody_waits_for),
        cmocka_unit_test(reads_a_probed_remote_while_local_is_pending),
        cmocka_unit_test(goes_through_candidates_one_at_a_time),
        cmocka_unit_test(candidates_are_ignored_once_something_is_read),
        cmocka_unit_test(local_wins_over_read_and_probed_remotes),
        cmocka_unit_test(late_remote_ready_is_told_to_go),
        cmocka_unit_test(remove_is_terminal),
        cmocka_unit_test(remove_goes_to_whoever_was_asked_and_to_nobody_else),
        cmocka_unit_test(registers_again_where_it_was_forgotten),
        cmocka_unit_test(register_repeats_until_answered),
        cmocka_unit_test(a_probe_repeats_beside_the_local_registration),
        cmocka_unit_test(reset_repeats_until_its_handshake),
        cmocka_unit_test(two_phase_add_waits_for_its_second_phase),
        cmocka_unit_test(prepared_and_forgotten_it_is_prepared_again),
        cmocka_unit_test(commit_before_ready_probes_what_was_kept),
        cmocka_unit_test(commit_after_remove_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
