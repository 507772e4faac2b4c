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
    signal_from(f, REMOTE_1, STREAM_REMOVED);
    assert_true(expect(f, STREAM_REGISTER, REMOTE_1).only_reuse);
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

static void rows_without_table_are_refused(void **state) /* SEQ-11 */
{
    (void)state;
    fixture_t *f = begin_open(10);
    stream_event_t event = {.kind = STREAM_ROWS, .epoch = 1, .sequence = 2, .commit_ts = {11}};
    assert_int_equal(handle_event(f, SERVICE_LOCAL, event), SESSION_RESULT_NOTHING);
    assert_int_equal(expect(f, STREAM_RESET, SERVICE_LOCAL).epoch, 2);
    assert_int_equal(f->counters.refused, 1);
    end(f);
}

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
        cmocka_unit_test(registers_locally_for_everything),
        cmocka_unit_test(probes_a_remote_only_for_reuse),
        cmocka_unit_test(asks_a_remote_that_forgot_it_again),
        cmocka_unit_test(ignores_ready_that_nobody_waits_for),
        cmocka_unit_test(reads_a_probed_remote_while_local_is_pending),
        cmocka_unit_test(goes_through_candidates_one_at_a_time),
        cmocka_unit_test(local_wins_over_read_and_probed_remotes),
        cmocka_unit_test(late_remote_ready_is_told_to_go),
        cmocka_unit_test(remove_is_terminal),
        cmocka_unit_test(registers_again_where_it_was_forgotten),
        cmocka_unit_test(register_repeats_until_answered),
        cmocka_unit_test(reset_repeats_until_its_handshake),
        cmocka_unit_test(data_before_the_handshake_resets_once),
        cmocka_unit_test(every_kind_of_data_takes_the_next_number),
        cmocka_unit_test(other_epochs_never_pass),
        cmocka_unit_test(drop_resets),
        cmocka_unit_test(nothing_is_forwarded_twice_after_a_reset),
        cmocka_unit_test(goes_on_with_the_part_that_was_not_forwarded),
        cmocka_unit_test(a_whole_transaction_is_not_repeated_in_however_many_parts),
        cmocka_unit_test(sync_point_may_follow_resolved),
        cmocka_unit_test(sync_point_at_the_start_passes_unless_passed),
        cmocka_unit_test(rows_without_table_are_refused),
        cmocka_unit_test(heartbeat_says_no_more_than_was_seen),
        cmocka_unit_test(heartbeat_of_a_new_epoch_knows_nothing_of_the_old),
        cmocka_unit_test(little_progress_is_reported_soon_too),
        cmocka_unit_test(two_phase_add_waits_for_its_second_phase),
        cmocka_unit_test(commit_before_ready_probes_what_was_kept),
        cmocka_unit_test(commit_after_remove_does_nothing),
        cmocka_unit_test(credit_grows_with_what_was_flushed),
        cmocka_unit_test(credit_is_never_exhausted_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
