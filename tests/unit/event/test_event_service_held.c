#include "tests/unit/event/event_service_fixture.h"

/* ---- what is held ---- */

static void forgets_what_is_persisted_and_flushed(void **state)
{
    (void)state;
    fixture_t f = begin();
    open_stream(&f, 1, BASE);
    append(&f, ROWS(101, 1));
    append(&f, ROWS(102, 2));
    append(&f, DDL_ALL(103));
    append(&f, ROWS(104, 1));
    run(&f);
    assert_int_equal(event_service_state(f.service).tail_entries, 4);
    flushed(&f, 1, 102);
    event_service_has_room(f.service, f.now);
    assert_int_equal(event_service_state(f.service).tail_entries, 4);
    event_service_set_persisted(f.service, (commit_ts_t){101});
    event_service_has_room(f.service, f.now);
    assert_int_equal(event_service_state(f.service).tail_entries, 3);
    event_service_set_persisted(f.service, (commit_ts_t){104});
    event_service_has_room(f.service, f.now);
    assert_int_equal(event_service_state(f.service).tail_entries, 2);
    flushed(&f, 1, 104);
    event_service_has_room(f.service, f.now);
    assert_int_equal(event_service_state(f.service).tail_entries, 0);
    assert_int_equal(event_service_state(f.service).tail_bytes, 0);
    end(&f);
}

/* Whoever starts at its commit_ts may have to meet it again. */
static void a_sync_point_is_kept_until_its_commit_ts_is_passed(void **state)
{
    (void)state;
    fixture_t f = begin();
    open_stream(&f, 1, BASE);
    append(&f, build_resolved(101));
    append(&f, build_syncpoint(101));
    append(&f, build_resolved(102));
    const struct {
        uint64_t persisted, flushed, left;
    } steps[] = {{101, 101, 1}, {101, 102, 1}, {102, 102, 0}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        event_service_set_persisted(f.service, (commit_ts_t){steps[i].persisted});
        flushed(&f, 1, steps[i].flushed);
        event_service_has_room(f.service, f.now);
        assert_int_equal(event_service_state(f.service).tail_entries, steps[i].left);
    }
    end(&f);
}

static void who_starts_below_what_is_persisted_is_taken_there(void **state)
{
    (void)state;
    fixture_t f = begin();
    append(&f, DDL_ALL(101));
    append(&f, build_resolved(102));
    event_service_set_persisted(f.service, (commit_ts_t){102});
    event_service_has_room(f.service, f.now);
    assert_int_equal(event_service_state(f.service).tail_entries, 0);
    open_stream(&f, 1, 100);
    open_stream(&f, 2, 101);
    catch_up_note_t note;
    assert_true(event_service_take_note(f.service, &note));
    assert_int_equal(note.start.v, 102);
    assert_false(event_service_take_note(f.service, &note));
    run(&f);
    assert_sent(&f, 1, 0, "r H100 =102");
    assert_sent(&f, 2, 0, "r H101 =102");
    end(&f);
}

static void a_full_tail_sheds_what_no_local_span_needs(void **state)
{
    (void)state;
    fixture_t f = begin_with(20000, 1 << 20);
    open_stream(&f, 1, BASE);
    f.now = mono_add(f.now, 3 * NS_PER_S);
    append(&f, ROWS(101, 1));
    for (uint64_t ts = 102; event_service_state(f.service).tail_bytes < 20000; ts++)
        append(&f, ROWS(ts, 2));
    assert_true(event_service_has_room(f.service, f.now));
    assert_true(event_service_state(f.service).tail_bytes <= 20000 / 8 * 7);
    run(&f);
    uint32_t at = 0;
    next_of(&f, 1, &at);
    next_of(&f, 1, &at);
    assert_int_equal(next_of(&f, 1, &at)->commit_ts.v, 101);
    end(&f);
}

static void the_reader_waits_for_what_local_spans_need(void **state)
{
    (void)state;
    fixture_t f = begin_with(20000, 1 << 20);
    open_stream(&f, 1, BASE);
    f.now = mono_add(f.now, 3 * NS_PER_S);
    uint64_t ts = BASE;
    while (event_service_state(f.service).tail_bytes < 20000)
        append(&f, ROWS(++ts, 1));
    assert_false(event_service_has_room(f.service, f.now));
    assert_true(event_service_state(f.service).is_waiting_for_room);
    flushed(&f, 1, 105);
    f.now = mono_add(f.now, NS_PER_S);
    assert_true(event_service_has_room(f.service, f.now));
    end(&f);
}

static void nothing_unpersisted_is_shed_before_dispatchers_have_come(void **state)
{
    (void)state;
    fixture_t f = begin_with(20000, 1 << 20);
    uint64_t ts = BASE;
    while (event_service_state(f.service).tail_bytes < 20000)
        append(&f, ROWS(++ts, 2));
    f.now = mono_add(f.now, 60 * NS_PER_S);
    assert_false(event_service_has_room(f.service, f.now));
    open_stream(&f, 1, BASE);
    f.now = mono_add(f.now, NS_PER_S);
    assert_false(event_service_has_room(f.service, f.now));
    f.now = mono_add(f.now, NS_PER_S);
    assert_true(event_service_has_room(f.service, f.now));
    end(&f);
}

/* As where a node starts behind the checkpoint: nothing is told after these were read. */
static void what_was_persisted_before_it_was_read_makes_room(void **state)
{
    (void)state;
    fixture_t f = begin_with(20000, 1 << 20);
    event_service_set_persisted(f.service, (commit_ts_t){1000});
    open_stream(&f, 1, 1000);
    assert_true(event_service_has_room(f.service, f.now));
    f.now = mono_add(f.now, 3 * NS_PER_S);
    for (uint64_t ts = BASE + 1; ts < 400; ts++) {
        append(&f, DDL_ALL(ts));
        f.now = mono_add(f.now, NS_PER_MS);
        assert_true(event_service_has_room(f.service, f.now));
    }
    end(&f);
}

/* A dispatcher that has stopped at a gate holds its own table's rows only. */
static void a_stopped_dispatcher_does_not_stop_the_others(void **state)
{
    (void)state;
    fixture_t f = begin_with(40000, 1 << 20);
    open_stream(&f, 1, BASE);
    open_stream(&f, 2, BASE);
    f.now = mono_add(f.now, 3 * NS_PER_S);
    for (uint64_t ts = 101; ts < 400; ts++) {
        append(&f, ROWS(ts, ts % 60 == 0 ? 1 : 2));
        flushed(&f, 2, ts);
        f.now = mono_add(f.now, NS_PER_MS);
        assert_true(event_service_has_room(f.service, f.now));
    }
    run(&f);
    assert_sent(&f, 1, 0, "r H100 R120 R180 R240 R300 R360 =399");
    end(&f);
}

static feed_item_t build_part(uint64_t commit_ts, bool is_last)
{
    feed_item_t item = ROWS(commit_ts, 1, 2);
    item.transaction->is_last_part = is_last;
    item.completes = is_last;
    return item;
}

/* Nothing of it can be flushed before its end is there, so what was sent must make room for it. */
static void a_transaction_may_be_larger_than_the_tail(void **state)
{
    (void)state;
    fixture_t f = begin_with(20000, 1 << 20);
    open_stream(&f, 1, BASE);
    register_table(&f, 2, 2, 0);
    reset_at(&f, 2, 1, (position_t){{BASE}, {{BASE}, true}}, 30000);
    append(&f, ROWS(101, 1));
    f.now = mono_add(f.now, 3 * NS_PER_S);
    uint32_t rows = 0;
    stream_request_t credit = {
        .kind = STREAM_CREDIT, .dispatcher_id = id_of(2), .epoch = 1, .credit_bytes = 30000};
    for (int part = 1; part <= 100; part++) {
        append(&f, build_part(102, part == 100));
        if (part % 20 == 0) {
            credit.credit_bytes += 30000;
            request(&f, credit);
        }
        run(&f);
        uint32_t at = 0;
        while (next_of(&f, 2, &at))
            rows++;
        assert_true(event_service_has_room(f.service, f.now));
        assert_true(event_service_state(f.service).tail_bytes < 20000);
    }
    assert_int_equal(rows, 1 + 1 + 100 + 2); /* READY, HANDSHAKE, parts, RESOLVED */
    flushed(&f, 1, 102);
    flushed(&f, 2, 102);
    event_service_set_persisted(f.service, (commit_ts_t){102});
    assert_true(event_service_has_room(f.service, f.now));
    assert_int_equal(event_service_state(f.service).tail_bytes, 0);
    end(&f);
}

static void a_part_without_credit_to_send_it_stays(void **state)
{
    (void)state;
    fixture_t f = begin_with(20000, 1 << 20);
    open_stream(&f, 1, BASE);
    register_table(&f, 2, 2, 0);
    reset_at(&f, 2, 1, (position_t){{BASE}, {{BASE}, true}}, 1);
    f.now = mono_add(f.now, 3 * NS_PER_S);
    for (int part = 1; part <= 12; part++)
        append(&f, build_part(102, false));
    run(&f);
    assert_sent(&f, 2, 0, "r H100 R102");
    assert_false(event_service_has_room(f.service, f.now));
    stream_request_t credit = {.kind = STREAM_CREDIT,
                               .dispatcher_id = id_of(2),
                               .epoch = 1,
                               .credit_bytes = CREDIT_PLENTY};
    request(&f, credit);
    run(&f);
    assert_sent(&f, 2, 2, "R102 R102 R102 R102 R102 R102 R102 R102 R102 R102 R102");
    assert_true(event_service_has_room(f.service, f.now));
    end(&f);
}

/* ---- catch-up ---- */

/* A service whose tail has lost all of table 1 for the rows that table 2's dispatcher needs. */
static fixture_t begin_with_hole(uint64_t catch_up_bytes_max)
{
    fixture_t f = begin_with(30000, catch_up_bytes_max);
    open_stream(&f, 2, BASE);
    f.now = mono_add(f.now, 3 * NS_PER_S);
    for (uint64_t ts = 101; ts <= 120; ts++)
        append(&f, ROWS(ts, 1));
    append(&f, DDL(121, 1));
    append(&f, build_syncpoint(121));
    flushed(&f, 2, 120);
    for (uint64_t ts = 122; ts < 160; ts++)
        append(&f, ROWS(ts, 2));
    assert_false(event_service_has_room(f.service, f.now));
    run(&f);
    return f;
}

static void a_start_below_the_tail_is_fed_by_a_round_and_joins(void **state)
{
    (void)state;
    fixture_t f = begin_with_hole(1 << 20);
    catch_up_note_t note;
    assert_false(next_note(&f, 1, &note));
    open_stream(&f, 1, 102);
    run(&f);
    assert_sent(&f, 1, 0, "r H102");
    assert_true(next_note(&f, 1, &note));
    assert_int_equal(note.kind, CATCH_UP_WAITS);
    assert_int_equal(note.start.v, 102);
    assert_int_equal(note.table_id.v, 1);
    assert_false(note.is_new);
    begin_round(&f, 1, 101);
    catch_up(&f, ROWS(102, 1));
    catch_up(&f, ROWS(103, 1, 2));
    run(&f);
    assert_sent(&f, 1, 1, "R103 =103");
    assert_sent(&f, 2, 1, "");
    uint64_t ts = 104;
    for (; !next_note(&f, 1, &note); ts++) {
        assert_true(ts <= 121);
        catch_up(&f, ts == 121 ? DDL(ts, 1) : ROWS(ts, 1));
    }
    assert_int_equal(note.kind, CATCH_UP_JOINED);
    assert_int_equal(note.request, 1);
    assert_int_equal(ts, 122);
    append(&f, ROWS(160, 1));
    event_service_catch_up_end(f.service, ROUND);
    run(&f);
    uint32_t at = 0;
    const stream_event_t *event = NULL;
    for (uint64_t expected = 104; expected <= 121; expected++) {
        event = next_of(&f, 1, &at);
        assert_non_null(event);
        assert_int_equal(event->commit_ts.v, expected);
        assert_int_equal(event->sequence, expected - 101);
    }
    assert_int_equal(event->kind, STREAM_DDL);
    event = next_of(&f, 1, &at);
    assert_int_equal(event->kind, STREAM_SYNCPOINT);
    assert_int_equal(event->commit_ts.v, 121);
    assert_int_equal(next_of(&f, 1, &at)->commit_ts.v, 160);
    assert_int_equal(next_of(&f, 1, &at)->kind, STREAM_RESOLVED);
    assert_null(next_of(&f, 1, &at));
    assert_int_equal(event_service_state(f.service).catching_up, 0);
    end(&f);
}

/* The next one may begin further back: what was handed out is not handed out again. */
static void a_round_goes_on_where_another_one_ended(void **state)
{
    (void)state;
    fixture_t f = begin_with_hole(1 << 20);
    catch_up_note_t note;
    open_stream(&f, 1, 102);
    begin_round(&f, 1, 101);
    catch_up(&f, ROWS(102, 1));
    catch_up(&f, ROWS(103, 1));
    catch_up(&f, ROWS(104, 1));
    catch_up(&f, build_syncpoint(104));
    assert_int_equal(event_service_catch_up_position(f.service, ROUND).read.v, 104);
    event_service_catch_up_end(f.service, ROUND);
    assert_true(next_note(&f, 1, &note));
    assert_false(next_note(&f, 1, &note)); /* it waits as before */
    run(&f);
    assert_sent(&f, 1, 0, "r H102 R103 R104 S104 =104");
    event_service_catch_up_begin(f.service, ROUND, (commit_ts_t){105});
    assert_false(event_service_catch_up_admit(f.service, ROUND, id_of(1), 2));
    begin_round(&f, 1, 102);
    catch_up(&f, ROWS(103, 1));
    catch_up(&f, ROWS(104, 1));
    catch_up(&f, build_syncpoint(104));
    catch_up(&f, ROWS(105, 1));
    run(&f);
    assert_sent(&f, 1, 4, "R105 =105");
    end(&f);
}

/* Of CREATE … SELECT the DDL is there, and the rows are not. */
static void a_round_that_ends_inside_a_group_drops_whom_it_fed(void **state)
{
    (void)state;
    fixture_t f = begin_with_hole(1 << 20);
    catch_up_note_t note;
    open_stream(&f, 1, 102);
    begin_round(&f, 1, 101);
    catch_up(&f, ROWS(103, 1));
    feed_item_t part = ROWS(104, 1);
    part.completes = false;
    run(&f);
    catch_up(&f, part);
    assert_int_equal(event_service_catch_up_position(f.service, ROUND).read.v, 103);
    assert_int_equal(event_service_catch_up_position(f.service, ROUND).admits.v, 104);
    event_service_catch_up_end(f.service, ROUND);
    run(&f);
    assert_sent(&f, 1, 2, "d");
    assert_true(next_note(&f, 1, &note));
    assert_true(next_note(&f, 1, &note));
    assert_int_equal(note.kind, CATCH_UP_LEFT);
    reset_at(&f, 1, 2, (position_t){{103}, EVENT_KEY_NONE}, CREDIT_PLENTY);
    assert_true(next_note(&f, 1, &note));
    assert_int_equal(note.kind, CATCH_UP_WAITS);
    assert_int_equal(note.start.v, 103);
    end(&f);
}

static void rounds_feed_only_whom_they_took_in(void **state)
{
    (void)state;
    fixture_t f = begin_with_hole(1 << 20);
    open_stream(&f, 1, 102);
    register_table(&f, 3, 1, 0);
    reset_at(&f, 3, 1, (position_t){{110}, EVENT_KEY_NONE}, CREDIT_PLENTY);
    begin_round(&f, 1, 102);
    event_service_catch_up_begin(f.service, ROUND + 1, (commit_ts_t){110});
    assert_true(event_service_catch_up_admit(f.service, ROUND + 1, id_of(3), 3));
    assert_false(event_service_catch_up_admit(f.service, ROUND + 1, id_of(1), 1));
    catch_up(&f, ROWS(103, 1));
    feed_item_t item = ROWS(111, 1);
    event_service_catch_up_append(f.service, ROUND + 1, &item);
    run(&f);
    assert_sent(&f, 1, 0, "r H102 R103 =103");
    assert_sent(&f, 3, 0, "r H110 R111 =111");
    event_service_catch_up_end(f.service, ROUND);
    assert_int_equal(event_service_state(f.service).catching_up, 2);
    assert_int_equal(event_service_state(f.service).rounds, 2);
    end(&f);
}

static void a_new_start_and_an_end_are_told(void **state)
{
    (void)state;
    fixture_t f = begin_with_hole(1 << 20);
    catch_up_note_t note;
    register_table(&f, 1, 1, 103);
    reset_at(&f, 1, 1, (position_t){{103}, EVENT_KEY_NONE}, CREDIT_PLENTY);
    assert_true(next_note(&f, 1, &note));
    assert_true(note.is_new);
    reset_at(&f, 1, 2, (position_t){{104}, EVENT_KEY_NONE}, CREDIT_PLENTY);
    assert_true(next_note(&f, 1, &note));
    assert_int_equal(note.kind, CATCH_UP_LEFT);
    assert_true(next_note(&f, 1, &note));
    assert_int_equal(note.kind, CATCH_UP_WAITS);
    assert_int_equal(note.start.v, 104);
    assert_false(note.is_new);
    request(&f, (stream_request_t){.kind = STREAM_REMOVE, .dispatcher_id = id_of(1)});
    assert_true(next_note(&f, 1, &note));
    assert_int_equal(note.kind, CATCH_UP_LEFT);
    assert_false(event_service_catch_up_admit(f.service, ROUND, id_of(1), 1));
    end(&f);
}

static void who_takes_nothing_is_dropped_from_a_full_round(void **state)
{
    (void)state;
    fixture_t f = begin_with_hole(3000);
    register_table(&f, 1, 1, 0);
    reset_at(&f, 1, 1, (position_t){{102}, EVENT_KEY_NONE}, 1);
    begin_round(&f, 1, 102);
    uint64_t ts = 103;
    while (event_service_catch_up_has_room(f.service, f.now)) {
        catch_up(&f, ROWS(ts, 1));
        assert_true(++ts < 120);
    }
    run(&f);
    assert_sent(&f, 1, 0, "r H102 R103 =103");
    assert_true(event_service_catch_up_has_room(f.service, f.now));
    while (event_service_catch_up_has_room(f.service, f.now))
        catch_up(&f, ROWS(ts++, 1));
    f.now = mono_add(f.now, EVENT_SERVICE_STALLED_NS);
    assert_true(event_service_catch_up_has_room(f.service, f.now));
    run(&f);
    assert_sent(&f, 1, 2, "d");
    assert_int_equal(event_service_state(f.service).catching_up, 0);
    end(&f);
}

static bool waits(const fixture_t *f)
{
    return event_service_state(f->service).catching_up > 0;
}

/* It begins again and takes nothing of the next round; how long it had to wait for that. */
static uint64_t stall_again(fixture_t *f, uint64_t epoch)
{
    event_service_catch_up_end(f->service, ROUND);
    reset_at(f, 1, epoch, (position_t){{102}, EVENT_KEY_NONE}, 0);
    uint64_t waited = 0;
    for (; run(f), !waits(f); waited++)
        assert_true(waited < 100);
    begin_round(f, 1, 102);
    for (uint64_t ts = 103; waits(f); ts++) {
        assert_true(ts < 120);
        if (event_service_catch_up_has_room(f->service, f->now) && waits(f))
            catch_up(f, ROWS(ts, 1));
        f->now = mono_add(f->now, NS_PER_S);
    }
    return waited;
}

static void who_takes_nothing_is_read_for_less_and_less_often(void **state)
{
    (void)state;
    fixture_t f = begin_with_hole(3000);
    register_table(&f, 1, 1, 0);
    assert_int_equal(stall_again(&f, 1), 0);
    uint64_t before = 0;
    for (uint64_t epoch = 2; epoch <= 5; epoch++) {
        uint64_t waited = stall_again(&f, epoch);
        assert_true(epoch == 2 || waited > before);
        before = waited;
    }
    /* No longer once it has flushed something. */
    reset_at(&f, 1, 6, (position_t){{102}, EVENT_KEY_NONE}, CREDIT_PLENTY);
    assert_false(waits(&f));
    request(&f, (stream_request_t){.kind = STREAM_HEARTBEAT,
                                   .dispatcher_id = id_of(1),
                                   .epoch = 6,
                                   .position = {.checkpoint = {103}}});
    assert_true(waits(&f));
    catch_up_note_t note, last = {0};
    while (next_note(&f, 1, &note))
        last = note;
    assert_int_equal(last.kind, CATCH_UP_WAITS);
    assert_int_equal(last.start.v, 103);
    end(&f);
}

/* Rows of the epoch before are flushed while it waits: what lies below can be forgotten. */
static void who_flushes_while_it_waits_is_read_for_from_there(void **state)
{
    (void)state;
    fixture_t f = begin_with_hole(1 << 20);
    open_stream(&f, 1, 102);
    catch_up_note_t note;
    assert_true(next_note(&f, 1, &note));
    assert_int_equal(note.start.v, 102);
    flushed(&f, 1, 105);
    assert_true(next_note(&f, 1, &note));
    assert_int_equal(note.kind, CATCH_UP_LEFT);
    assert_true(next_note(&f, 1, &note));
    assert_int_equal(note.kind, CATCH_UP_WAITS);
    assert_int_equal(note.start.v, 105);
    begin_round(&f, 1, 104);
    for (uint64_t ts = 105; ts <= 107; ts++)
        catch_up(&f, ROWS(ts, 1));
    run(&f);
    assert_sent(&f, 1, 0, "r H102 R106 R107 =107");
    end(&f);
}

/* The log cannot be opened below what is persisted, and nobody needs again what is. */
static void what_is_persisted_is_not_read_again(void **state)
{
    (void)state;
    fixture_t f = begin_with_hole(1 << 20);
    open_stream(&f, 1, 102);
    begin_round(&f, 1, 102);
    for (uint64_t ts = 103; ts <= 105; ts++)
        catch_up(&f, ROWS(ts, 1));
    run(&f);
    reset_at(&f, 1, 2, (position_t){{102}, EVENT_KEY_NONE}, CREDIT_PLENTY);
    catch_up_note_t note;
    while (next_note(&f, 1, &note))
        ;
    assert_int_equal(note.start.v, 102);
    event_service_set_persisted(f.service, (commit_ts_t){104});
    while (next_note(&f, 1, &note))
        ;
    assert_int_equal(note.kind, CATCH_UP_WAITS);
    assert_int_equal(note.start.v, 104);
    event_service_set_persisted(f.service, (commit_ts_t){110});
    while (next_note(&f, 1, &note))
        ;
    assert_int_equal(note.start.v, 110);
    end(&f);
}

static void a_start_below_the_readers_own_is_refused(void **state)
{
    (void)state;
    fixture_t f = begin();
    open_stream(&f, 1, BASE - 1);
    run(&f);
    assert_sent(&f, 1, 0, "r");
    assert_int_equal(event_service_state(f.service).refused, 1);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forgets_what_is_persisted_and_flushed),
        cmocka_unit_test(a_sync_point_is_kept_until_its_commit_ts_is_passed),
        cmocka_unit_test(who_starts_below_what_is_persisted_is_taken_there),
        cmocka_unit_test(a_full_tail_sheds_what_no_local_span_needs),
        cmocka_unit_test(the_reader_waits_for_what_local_spans_need),
        cmocka_unit_test(nothing_unpersisted_is_shed_before_dispatchers_have_come),
        cmocka_unit_test(what_was_persisted_before_it_was_read_makes_room),
        cmocka_unit_test(a_stopped_dispatcher_does_not_stop_the_others),
        cmocka_unit_test(a_transaction_may_be_larger_than_the_tail),
        cmocka_unit_test(a_part_without_credit_to_send_it_stays),
        cmocka_unit_test(a_start_below_the_tail_is_fed_by_a_round_and_joins),
        cmocka_unit_test(a_round_goes_on_where_another_one_ended),
        cmocka_unit_test(a_round_that_ends_inside_a_group_drops_whom_it_fed),
        cmocka_unit_test(rounds_feed_only_whom_they_took_in),
        cmocka_unit_test(a_new_start_and_an_end_are_told),
        cmocka_unit_test(who_takes_nothing_is_dropped_from_a_full_round),
        cmocka_unit_test(who_flushes_while_it_waits_is_read_for_from_there),
        cmocka_unit_test(what_is_persisted_is_not_read_again),
        cmocka_unit_test(who_takes_nothing_is_read_for_less_and_less_often),
        cmocka_unit_test(a_start_below_the_readers_own_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
