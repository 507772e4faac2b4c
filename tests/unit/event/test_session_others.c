/* A session whose own service would have to read the source again (DESIGN §6). */
#include "tests/unit/event/session_fixture.h"

static const service_id_t both[] = {REMOTE_1, REMOTE_2};

static fixture_t *begin_trying_others(bool has_callback)
{
    fixture_t *f = calloc(1, sizeof *f);
    f->options = session_options_default();
    f->options.tries_others = true;
    f->position = (position_t){{10}, EVENT_KEY_NONE};
    f->now = (mono_ns_t){100 * NS_PER_S};
    f->definition = table_definition_new();
    session_start_t about = {.dispatcher_id = ID,
                             .span = {.table_id = {5}},
                             .start = f->position,
                             .has_callback = has_callback};
    session_init(&f->session, &about);
    session_step_t step = step_of(f);
    session_run(&f->session, &step);
    return f;
}

/* Local has said that it does not hold what is wanted, and the question was asked. */
static fixture_t *begin_asking(void)
{
    fixture_t *f = begin_trying_others(false);
    assert_true(expect(f, STREAM_REGISTER, SERVICE_LOCAL).others_first);
    signal_from(f, SERVICE_LOCAL, STREAM_NOT_HELD);
    stream_request_t question = expect(f, STREAM_REGISTER, SERVICE_COORDINATOR);
    assert_int_equal(question.span.table_id.v, 5);
    assert_int_equal(question.position.checkpoint.v, 10);
    expect_nothing(f);
    return f;
}

static fixture_t *begin_reading_remote(void)
{
    fixture_t *f = begin_asking();
    probe(f, both, 2);
    assert_true(expect(f, STREAM_REGISTER, REMOTE_1).only_reuse);
    signal_from(f, REMOTE_1, STREAM_READY);
    expect(f, STREAM_RESET, REMOTE_1);
    assert_int_equal(stream(f, STREAM_HANDSHAKE, 1, 10), SESSION_RESULT_OPENED);
    assert_int_equal(f->counters.reading_others, 1);
    return f;
}

static void expect_last_resort(fixture_t *f)
{
    assert_false(expect(f, STREAM_REGISTER, SERVICE_LOCAL).others_first);
    expect_nothing(f);
    assert_int_equal(f->counters.last_resorts, 1);
    signal_from(f, SERVICE_LOCAL, STREAM_NOT_HELD);
    expect_nothing(f);
    signal_from(f, SERVICE_LOCAL, STREAM_READY);
    expect(f, STREAM_RESET, SERVICE_LOCAL);
    assert_int_equal(f->session.state, SESSION_READING_LOCAL);
}

static void tick(fixture_t *f, uint64_t ns)
{
    f->now = mono_add(f->now, ns);
    session_step_t step = step_of(f);
    session_tick(&f->session, &step);
}

static void gone(fixture_t *f, service_id_t service)
{
    session_step_t step = step_of(f);
    session_service_gone(&f->session, service, &step);
}

static void what_is_held_here_asks_nobody(void **state)
{
    (void)state;
    fixture_t *f = begin_trying_others(false);
    stream_request_t request = expect(f, STREAM_REGISTER, SERVICE_LOCAL);
    assert_true(request.others_first);
    assert_int_equal(request.position.checkpoint.v, 10);
    signal_from(f, SERVICE_LOCAL, STREAM_READY);
    expect(f, STREAM_RESET, SERVICE_LOCAL);
    end(f);
}

static void where_nobody_else_may_be_tried_local_is_not_told_to_wait(void **state)
{
    (void)state;
    fixture_t *f = begin((position_t){{10}, EVENT_KEY_NONE}, false);
    assert_false(expect(f, STREAM_REGISTER, SERVICE_LOCAL).others_first);
    end(f);
    f = begin_trying_others(true);
    assert_false(expect(f, STREAM_REGISTER, SERVICE_LOCAL).others_first);
    signal_from(f, SERVICE_LOCAL, STREAM_NOT_HELD);
    expect_nothing(f);
    end(f);
}

static void the_question_is_asked_once_and_repeated_until_answered(void **state)
{
    (void)state;
    fixture_t *f = begin_asking();
    signal_from(f, SERVICE_LOCAL, STREAM_NOT_HELD);
    expect_nothing(f);
    tick(f, SESSION_ASK_REPEAT_NS);
    expect(f, STREAM_REGISTER, SERVICE_COORDINATOR);
    probe(f, &REMOTE_1, 1);
    expect(f, STREAM_REGISTER, REMOTE_1);
    tick(f, SESSION_ASK_REPEAT_NS);
    expect_nothing(f);
    end(f);
}

static void without_an_answer_local_reads_the_source(void **state)
{
    (void)state;
    fixture_t *f = begin_asking();
    uint64_t began = f->now.v;
    while (f->session.is_withheld) {
        tick_at_deadline(f);
        f->looked_at = f->requests.count - (f->session.is_withheld ? 0 : 1);
        assert_true(f->now.v - began <= SESSION_ASK_NS);
    }
    assert_int_equal(f->now.v - began, SESSION_ASK_NS);
    expect_last_resort(f);
    probe(f, both, 2);
    expect_nothing(f);
    end(f);
}

static void where_nobody_holds_it_local_reads_the_source_at_once(void **state)
{
    (void)state;
    fixture_t *f = begin_asking();
    probe(f, NULL, 0);
    expect_last_resort(f);
    end(f);
}

static void when_no_candidate_can_serve_local_reads_the_source(void **state)
{
    (void)state;
    fixture_t *f = begin_asking();
    probe(f, both, 2);
    expect(f, STREAM_REGISTER, REMOTE_1);
    signal_from(f, REMOTE_1, STREAM_NOT_REUSABLE);
    expect(f, STREAM_REGISTER, REMOTE_2);
    gone(f, REMOTE_1);
    expect_nothing(f);
    gone(f, REMOTE_2);
    expect_last_resort(f);
    end(f);
}

static void a_candidate_that_does_not_answer_is_left(void **state)
{
    (void)state;
    fixture_t *f = begin_asking();
    probe(f, both, 2);
    expect(f, STREAM_REGISTER, REMOTE_1);
    f->session.register_at = MONO_NEVER; /* repeats are not looked at here */
    tick(f, SESSION_PROBE_NS);
    expect(f, STREAM_REMOVE, REMOTE_1);
    expect(f, STREAM_REGISTER, REMOTE_2);
    signal_from(f, REMOTE_1, STREAM_READY); /* too late */
    expect_nothing(f);
    assert_int_equal(f->session.state, SESSION_PROBING);
    end(f);
}

/* Local is told how far the other one has led, and serves as soon as it can. */
static void local_takes_over_as_soon_as_it_holds_what_is_left(void **state)
{
    (void)state;
    fixture_t *f = begin_reading_remote();
    stream(f, STREAM_ROWS, 2, 15);
    f->position.checkpoint = (commit_ts_t){15};
    f->session.progress_at = f->session.heartbeat_at = MONO_NEVER;
    for (int i = 0; i < 3; i++) {
        tick(f, SESSION_REPEAT_FIRST_NS);
        stream_request_t request = expect(f, STREAM_REGISTER, SERVICE_LOCAL);
        assert_true(request.others_first);
        assert_int_equal(request.position.checkpoint.v, 15);
        signal_from(f, SERVICE_LOCAL, STREAM_NOT_HELD);
        expect_nothing(f);
    }
    signal_from(f, SERVICE_LOCAL, STREAM_READY);
    expect(f, STREAM_REMOVE, REMOTE_1);
    assert_int_equal(expect(f, STREAM_RESET, SERVICE_LOCAL).epoch, 2);
    assert_int_equal(f->counters.reading_others, 0);
    signal_from(f, REMOTE_1, STREAM_READY); /* SES-15 */
    expect(f, STREAM_REMOVE, REMOTE_1);
    end(f);
}

static void a_service_that_is_gone_is_left_for_the_next(void **state)
{
    (void)state;
    fixture_t *f = begin_reading_remote();
    gone(f, REMOTE_2);
    expect_nothing(f);
    gone(f, REMOTE_1);
    expect(f, STREAM_REGISTER, REMOTE_2);
    assert_int_equal(f->counters.reading_others, 0);
    signal_from(f, REMOTE_2, STREAM_READY);
    assert_int_equal(expect(f, STREAM_RESET, REMOTE_2).epoch, 2);
    signal_from(f, REMOTE_2, STREAM_NOT_REUSABLE); /* it no longer holds it */
    expect_last_resort(f);
    end(f);
}

static void a_service_that_says_nothing_is_left(void **state)
{
    (void)state;
    fixture_t *f = begin_reading_remote();
    f->session.register_at = f->session.heartbeat_at = MONO_NEVER;
    tick(f, SESSION_SILENCE_NS - 1);
    stream(f, STREAM_RESOLVED, 1, 12);
    tick(f, SESSION_SILENCE_NS - 1);
    f->looked_at = f->requests.count;
    tick(f, 1);
    expect(f, STREAM_REMOVE, REMOTE_1);
    expect(f, STREAM_REGISTER, REMOTE_2);
    end(f);
}

/* Reads from REMOTE_1 until it has a part of the rows of 100, then from REMOTE_2. */
static fixture_t *begin_inside_a_transaction(transaction_t *transaction)
{
    fixture_t *f = begin_reading_remote();
    f->transaction = transaction;
    f->continues = true;
    assert_int_equal(stream(f, STREAM_ROWS, 2, 100), SESSION_RESULT_DELIVER);
    gone(f, REMOTE_1);
    expect(f, STREAM_REGISTER, REMOTE_2);
    signal_from(f, REMOTE_2, STREAM_READY);
    expect(f, STREAM_RESET, REMOTE_2);
    stream(f, STREAM_HANDSHAKE, 1, 10);
    return f;
}

static void who_has_whole_what_was_begun_in_parts_is_left(void **state)
{
    (void)state;
    transaction_t part = {.is_first_part = true}, rest = {.is_last_part = true},
                  whole = {.is_first_part = true, .is_last_part = true};
    fixture_t *f = begin_inside_a_transaction(&part);
    f->transaction = &whole;
    f->continues = false;
    assert_int_equal(stream(f, STREAM_ROWS, 2, 90), SESSION_RESULT_NOTHING);
    expect_nothing(f);
    assert_int_equal(stream(f, STREAM_ROWS, 3, 100), SESSION_RESULT_NOTHING);
    expect(f, STREAM_REMOVE, REMOTE_2);
    expect_last_resort(f);
    stream(f, STREAM_HANDSHAKE, 1, 10);
    f->transaction = &part;
    f->continues = true;
    assert_int_equal(stream(f, STREAM_ROWS, 2, 100), SESSION_RESULT_NOTHING);
    f->transaction = &rest;
    f->continues = false;
    assert_int_equal(stream(f, STREAM_ROWS, 3, 100), SESSION_RESULT_DELIVER);
    remove_session(f);
    expect(f, STREAM_REMOVE, SERVICE_LOCAL);
    end(f);
}

static void who_cuts_alike_goes_on_behind_the_part_that_was_forwarded(void **state)
{
    (void)state;
    transaction_t part = {.is_first_part = true}, rest = {.is_last_part = true};
    fixture_t *f = begin_inside_a_transaction(&part);
    assert_int_equal(stream(f, STREAM_ROWS, 2, 100), SESSION_RESULT_NOTHING);
    f->transaction = &rest;
    f->continues = false;
    assert_int_equal(stream(f, STREAM_ROWS, 3, 100), SESSION_RESULT_DELIVER);
    transaction_t whole = {.is_first_part = true, .is_last_part = true};
    f->transaction = &whole;
    assert_int_equal(stream(f, STREAM_ROWS, 4, 101), SESSION_RESULT_DELIVER);
    expect_nothing(f);
    end(f);
}

static void a_connection_that_came_back_begins_a_new_epoch(void **state)
{
    (void)state;
    fixture_t *f = begin_reading_remote();
    session_step_t step = step_of(f);
    session_service_up(&f->session, REMOTE_2, &step);
    session_service_up(&f->session, SERVICE_LOCAL, &step);
    expect_nothing(f);
    session_service_up(&f->session, REMOTE_1, &step);
    assert_int_equal(expect(f, STREAM_RESET, REMOTE_1).epoch, 2);
    end(f);
}

static void a_probe_is_repeated_when_its_connection_comes_up(void **state)
{
    (void)state;
    fixture_t *f = begin_asking();
    probe(f, both, 2);
    expect(f, STREAM_REGISTER, REMOTE_1);
    session_step_t step = step_of(f);
    session_service_up(&f->session, REMOTE_1, &step);
    expect(f, STREAM_REGISTER, REMOTE_1);
    end(f);
}

static void a_remote_hears_of_it_more_often_than_local(void **state)
{
    (void)state;
    fixture_t *f = begin_reading_remote();
    assert_int_equal(f->session.heartbeat_at.v - f->now.v, SESSION_REMOTE_HEARTBEAT_NS);
    end(f);
    f = begin_open(10);
    assert_int_equal(f->session.heartbeat_at.v - f->now.v, SESSION_HEARTBEAT_NS);
    end(f);
}

/* The race of a removal while it is registered again. */
static void removed_while_it_asks_or_registers_again_it_is_silent(void **state)
{
    (void)state;
    fixture_t *f = begin_asking();
    remove_session(f);
    expect(f, STREAM_REMOVE, SERVICE_LOCAL);
    assert_int_equal(session_next_deadline(&f->session).v, MONO_NEVER.v);
    probe(f, both, 2);
    signal_from(f, SERVICE_LOCAL, STREAM_NOT_HELD);
    expect_nothing(f);
    end(f);
    f = begin_reading_remote();
    signal_from(f, REMOTE_1, STREAM_REMOVED);
    expect(f, STREAM_REGISTER, REMOTE_1);
    remove_session(f);
    expect(f, STREAM_REMOVE, SERVICE_LOCAL);
    expect(f, STREAM_REMOVE, REMOTE_1);
    signal_from(f, REMOTE_1, STREAM_READY);
    signal_from(f, REMOTE_1, STREAM_REMOVED);
    expect_nothing(f);
    assert_int_equal(session_next_deadline(&f->session).v, MONO_NEVER.v);
    end(f);
}

static void forgotten_locally_it_may_try_others_again(void **state)
{
    (void)state;
    fixture_t *f = begin_asking();
    probe(f, NULL, 0);
    expect_last_resort(f);
    signal_from(f, SERVICE_LOCAL, STREAM_REMOVED);
    assert_true(expect(f, STREAM_REGISTER, SERVICE_LOCAL).others_first);
    signal_from(f, SERVICE_LOCAL, STREAM_NOT_HELD);
    expect(f, STREAM_REGISTER, SERVICE_COORDINATOR);
    end(f);
}

static void a_remote_never_says_not_held(void **state)
{
    (void)state;
    fixture_t *f = begin_reading_remote();
    signal_from(f, REMOTE_1, STREAM_NOT_HELD);
    assert_int_equal(f->counters.refused, 1);
    assert_int_equal(f->session.state, SESSION_READING_REMOTE);
    end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_held_here_asks_nobody),
        cmocka_unit_test(where_nobody_else_may_be_tried_local_is_not_told_to_wait),
        cmocka_unit_test(the_question_is_asked_once_and_repeated_until_answered),
        cmocka_unit_test(without_an_answer_local_reads_the_source),
        cmocka_unit_test(where_nobody_holds_it_local_reads_the_source_at_once),
        cmocka_unit_test(when_no_candidate_can_serve_local_reads_the_source),
        cmocka_unit_test(a_candidate_that_does_not_answer_is_left),
        cmocka_unit_test(local_takes_over_as_soon_as_it_holds_what_is_left),
        cmocka_unit_test(a_service_that_is_gone_is_left_for_the_next),
        cmocka_unit_test(a_service_that_says_nothing_is_left),
        cmocka_unit_test(who_has_whole_what_was_begun_in_parts_is_left),
        cmocka_unit_test(who_cuts_alike_goes_on_behind_the_part_that_was_forwarded),
        cmocka_unit_test(a_connection_that_came_back_begins_a_new_epoch),
        cmocka_unit_test(a_probe_is_repeated_when_its_connection_comes_up),
        cmocka_unit_test(a_remote_hears_of_it_more_often_than_local),
        cmocka_unit_test(removed_while_it_asks_or_registers_again_it_is_silent),
        cmocka_unit_test(forgotten_locally_it_may_try_others_again),
        cmocka_unit_test(a_remote_never_says_not_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
