#include "tests/memory_store.h"
#include "tests/unit/event/event_service_fixture.h"

#define TAIL_BYTES 20000
#define STORE_BYTES (UINT64_C(1) << 30)

typedef struct {
    fixture_t f;
    memory_store_t store;
    uint64_t ts;
} spill_t;

static spill_t begin_spill(uint64_t store_bytes_max)
{
    spill_t s = {.f = {.now = {NS_PER_S}, .events = calloc(EVENTS_MAX, sizeof *s.f.events)},
                 .store = {.bytes_max = store_bytes_max},
                 .ts = BASE};
    event_service_options_t options = event_service_options_default((commit_ts_t){BASE});
    options.tail_bytes_max = TAIL_BYTES;
    options.store_bytes_max = store_bytes_max;
    s.f.service = event_service_new(&options, s.f.now);
    return s;
}

static void end_spill(spill_t *s)
{
    memory_store_clear(&s->store);
    end(&s->f);
}

static bool next_request(spill_t *s, store_request_t *request)
{
    return event_service_store_next(s->f.service, request, s->f.now);
}

static void answer(spill_t *s, store_request_t *request)
{
    store_answer_t done;
    memory_store_execute(&s->store, request, &done);
    event_service_store_done(s->f.service, &done, s->f.now);
}

/* All that is asked of the store is done; whether the reader may go on. */
static bool turn(spill_t *s)
{
    bool has_room = event_service_has_room(s->f.service, s->f.now);
    store_request_t request;
    while (next_request(s, &request))
        answer(s, &request);
    return has_room;
}

static event_store_state_t state_of(const spill_t *s)
{
    return event_service_state(s->f.service).store;
}

/* Dispatcher 1 has the credit of two transactions, dispatcher 2 keeps up. */
static void open_both(spill_t *s)
{
    register_table(&s->f, 1, 1, 0);
    reset_at(&s->f, 1, 1, (position_t){{BASE}, {{BASE}, true}}, 2000);
    open_stream(&s->f, 2, BASE);
    run(&s->f);
    s->f.now = mono_add(s->f.now, 3 * NS_PER_S);
}

/* One more transaction of both; dispatcher 2 takes it and flushes it. False: no room. */
static bool step(spill_t *s)
{
    append(&s->f, ROWS(++s->ts, 1, 2));
    run(&s->f);
    flushed(&s->f, 2, s->ts);
    return turn(s);
}

static void give_credit(spill_t *s, uint64_t number, uint64_t credit)
{
    request(&s->f, (stream_request_t){.kind = STREAM_CREDIT,
                                      .dispatcher_id = id_of(number),
                                      .epoch = 1,
                                      .position = {.checkpoint = {BASE}},
                                      .credit_bytes = credit});
}

/* The commit_ts of all that a dispatcher was sent since, which has to be from..to, one after
 * another; reads from the store as often as it needs. */
static void assert_sent_rows(spill_t *s, uint64_t number, uint64_t from, uint64_t to)
{
    uint64_t next = from;
    for (int idle = 0; idle < 3; idle++) {
        run(&s->f);
        uint32_t at = 0;
        const stream_event_t *event;
        while ((event = next_of(&s->f, number, &at))) {
            if (event->kind != STREAM_ROWS)
                continue;
            assert_int_equal(event->commit_ts.v, next);
            next++;
            idle = 0;
        }
        turn(s);
    }
    assert_int_equal(next, to + 1);
}

static void what_lags_leaves_for_the_store_and_comes_back(void **state)
{
    (void)state;
    spill_t s = begin_spill(STORE_BYTES);
    open_both(&s);
    for (int i = 0; i < 300; i++) {
        assert_true(step(&s));
        assert_true(event_service_state(s.f.service).tail_bytes < TAIL_BYTES);
    }
    assert_int_equal(state_of(&s).tables, 1);
    assert_true(state_of(&s).bytes > 200 * BUILT_ROWS_BYTES);
    give_credit(&s, 1, CREDIT_PLENTY);
    assert_sent_rows(&s, 1, BASE + 3, s.ts);
    assert_int_equal(state_of(&s).given_up, 0);
    /* Then it reads the tail. */
    for (int i = 0; i < 3; i++)
        step(&s);
    flushed(&s.f, 1, s.ts);
    event_service_set_persisted(s.f.service, (commit_ts_t){s.ts});
    s.f.now = mono_add(s.f.now, NS_PER_S);
    turn(&s);
    assert_int_equal(state_of(&s).tables, 0);
    assert_int_equal(state_of(&s).bytes, 0);
    assert_int_equal(event_service_state(s.f.service).tail_entries, 0);
    end_spill(&s);
}

static void ddls_and_sync_points_keep_their_places(void **state)
{
    (void)state;
    spill_t s = begin_spill(STORE_BYTES);
    open_both(&s);
    for (int i = 0; i < 30; i++)
        step(&s);
    append(&s.f, DDL(++s.ts, 1));
    for (int i = 0; i < 30; i++)
        step(&s);
    append(&s.f, build_syncpoint(s.ts));
    append(&s.f, DDL_ALL(++s.ts));
    for (int i = 0; i < 60; i++)
        step(&s);
    assert_true(state_of(&s).bytes > 70 * BUILT_ROWS_BYTES);
    give_credit(&s, 1, CREDIT_PLENTY);
    char text[64] = "";
    size_t len = 0;
    uint64_t rows = 2;
    for (int i = 0; i < 300; i++) {
        run(&s.f);
        uint32_t at = 0;
        const stream_event_t *event;
        while ((event = next_of(&s.f, 1, &at))) {
            rows += event->kind == STREAM_ROWS;
            if (event->kind == STREAM_DDL || event->kind == STREAM_SYNCPOINT)
                len += (size_t)snprintf(text + len, sizeof text - len, "%c%lu after %lu rows; ",
                                        letters[event->kind], (unsigned long)event->commit_ts.v,
                                        (unsigned long)rows);
        }
        turn(&s);
    }
    assert_string_equal(text, "D131 after 30 rows; S161 after 60 rows; D162 after 60 rows; ");
    assert_int_equal(rows, 120);
    end_spill(&s);
}

/* RESOLVED never passes what is still in the store. */
static void resolved_waits_for_what_is_in_the_store(void **state)
{
    (void)state;
    spill_t s = begin_spill(STORE_BYTES);
    open_both(&s);
    for (int i = 0; i < 100; i++)
        step(&s);
    run(&s.f);
    give_credit(&s, 1, 12 * 1128);
    uint64_t rows = BASE + 2, resolved = 0;
    for (int i = 0; i < 30; i++) {
        run(&s.f);
        uint32_t at = 0;
        const stream_event_t *event;
        while ((event = next_of(&s.f, 1, &at))) {
            if (event->kind == STREAM_ROWS)
                rows = event->commit_ts.v;
            if (event->kind == STREAM_RESOLVED)
                resolved = event->commit_ts.v;
            assert_true(resolved <= rows);
        }
        turn(&s);
    }
    /* Of the last one another part might follow. */
    assert_int_equal(rows, BASE + 12);
    assert_int_equal(resolved, BASE + 11);
    end_spill(&s);
}

static void the_reader_waits_when_nobody_is_ahead(void **state)
{
    (void)state;
    spill_t s = begin_spill(STORE_BYTES);
    register_table(&s.f, 1, 1, 0);
    reset_at(&s.f, 1, 1, (position_t){{BASE}, {{BASE}, true}}, 2000);
    open_stream(&s.f, 0, BASE); /* the trigger needs nothing that lies ahead */
    s.f.now = mono_add(s.f.now, 3 * NS_PER_S);
    bool has_room = true;
    for (int i = 0; i < 30 && has_room; i++) {
        append(&s.f, ROWS(++s.ts, 1));
        run(&s.f);
        has_room = turn(&s);
    }
    assert_false(has_room);
    assert_int_equal(state_of(&s).bytes, 0);
    end_spill(&s);
}

static void a_full_disk_costs_the_one_that_lags_furthest(void **state)
{
    (void)state;
    spill_t s = begin_spill(50 * BUILT_ROWS_BYTES);
    open_both(&s);
    open_stream(&s.f, 3, BASE);
    bool is_dropped = false;
    for (int i = 0; i < 200 && !is_dropped; i++) {
        append(&s.f, ROWS(++s.ts, 1, 2, 3));
        run(&s.f);
        flushed(&s.f, 2, s.ts);
        flushed(&s.f, 3, s.ts);
        turn(&s);
        uint32_t at = 0;
        const stream_event_t *event;
        run(&s.f);
        while ((event = next_of(&s.f, 1, &at)))
            is_dropped |= event->kind == STREAM_DROP;
    }
    assert_true(is_dropped);
    assert_int_equal(state_of(&s).given_up, 1);
    assert_true(s.ts > BASE + 50);
    s.f.now = mono_add(s.f.now, NS_PER_S);
    for (int i = 0; i < 100; i++)
        assert_true(step(&s));
    assert_int_equal(state_of(&s).bytes, 0);
    /* It is read for again. */
    reset_at(&s.f, 1, 2, (position_t){{BASE + 2}, {{BASE + 2}, true}}, CREDIT_PLENTY);
    catch_up_note_t note;
    assert_true(next_note(&s.f, 1, &note));
    assert_int_equal(note.kind, CATCH_UP_WAITS);
    assert_int_equal(note.start.v, BASE + 2);
    /* What was given back is used again. */
    assert_false(state_of(&s).is_full);
    begin_round(&s.f, 1, BASE + 2);
    for (int i = 0; i < 30; i++)
        step(&s);
    assert_true(state_of(&s).bytes > 0);
    end_spill(&s);
}

static void the_reader_waits_at_a_full_disk_when_most_lag(void **state)
{
    (void)state;
    spill_t s = begin_spill(50 * BUILT_ROWS_BYTES);
    open_both(&s);
    for (uint64_t number = 3; number <= 4; number++) {
        register_table(&s.f, number, number, 0);
        reset_at(&s.f, number, 1, (position_t){{BASE}, {{BASE}, true}}, 2000);
    }
    s.f.now = mono_add(s.f.now, 3 * NS_PER_S);
    bool has_room = true;
    for (int i = 0; i < 100 && has_room; i++) {
        append(&s.f, ROWS(++s.ts, 1, 2, 3, 4));
        run(&s.f);
        flushed(&s.f, 2, s.ts);
        has_room = turn(&s);
    }
    assert_false(has_room);
    assert_int_equal(state_of(&s).given_up, 0);
    assert_int_equal(event_service_state(s.f.service).drops, 0);
    end_spill(&s);
}

static void what_the_store_loses_is_read_for_again(void **state)
{
    (void)state;
    spill_t s = begin_spill(STORE_BYTES);
    open_both(&s);
    for (int i = 0; i < 100; i++)
        step(&s);
    s.store.fails = true;
    give_credit(&s, 1, CREDIT_PLENTY);
    run(&s.f);
    turn(&s);
    run(&s.f);
    assert_sent(&s.f, 1, 3, "d");
    assert_int_equal(state_of(&s).failures, 1);
    assert_int_equal(s.store.count, 0);
    /* It is left alone for a while, then used again. */
    reset_at(&s.f, 1, 2, (position_t){{s.ts}, {{s.ts}, true}}, 0);
    s.f.now = mono_add(s.f.now, 10 * NS_PER_S);
    for (int i = 0; i < 100; i++)
        assert_true(step(&s));
    assert_true(state_of(&s).bytes > 0);
    end_spill(&s);
}

/* A disk that hangs holds up neither who needs what is there nor the reader. */
static void a_store_that_does_not_answer_is_given_up(void **state)
{
    (void)state;
    spill_t s = begin_spill(STORE_BYTES);
    open_both(&s);
    for (int i = 0; i < 30; i++)
        assert_true(step(&s));
    give_credit(&s, 1, CREDIT_PLENTY);
    run(&s.f);
    store_request_t reading, writing, other;
    assert_true(next_request(&s, &reading));
    assert_int_equal(reading.kind, STORE_READ);
    while (next_request(&s, &other))
        answer(&s, &other);
    mono_ns_t asked_at = s.f.now;
    do {
        append(&s.f, ROWS(++s.ts, 1, 2));
        run(&s.f);
        flushed(&s.f, 2, s.ts);
        event_service_has_room(s.f.service, s.f.now);
    } while (!next_request(&s, &writing));
    assert_int_equal(writing.kind, STORE_WRITE);
    assert_false(state_of(&s).is_hanging);
    while (mono_elapsed(asked_at, s.f.now) < 2 * EVENT_STORE_PATIENCE_NS) {
        append(&s.f, ROWS(++s.ts, 1, 2));
        run(&s.f);
        flushed(&s.f, 2, s.ts);
        assert_false(state_of(&s).is_hanging && next_request(&s, &other));
        event_service_has_room(s.f.service, s.f.now);
    }
    assert_true(state_of(&s).is_hanging);
    assert_int_equal(state_of(&s).failures, 1);
    assert_true(event_service_has_room(s.f.service, s.f.now));
    assert_true(event_service_state(s.f.service).tail_bytes < TAIL_BYTES);
    /* Late answers mean nothing; then it is emptied and used again. */
    answer(&s, &reading);
    assert_false(next_request(&s, &other));
    answer(&s, &writing);
    assert_false(state_of(&s).is_hanging);
    assert_true(next_request(&s, &other));
    assert_int_equal(other.kind, STORE_WIPE);
    answer(&s, &other);
    assert_int_equal(state_of(&s).bytes, 0);
    end_spill(&s);
}

static void what_failed_to_be_written_stays(void **state)
{
    (void)state;
    spill_t s = begin_spill(STORE_BYTES);
    open_both(&s);
    s.store.fails = true;
    for (int i = 0; i < 17 && s.store.fails; i++)
        step(&s);
    assert_false(s.store.fails);
    assert_int_equal(state_of(&s).failures, 1);
    give_credit(&s, 1, CREDIT_PLENTY);
    assert_sent_rows(&s, 1, BASE + 3, s.ts);
    end_spill(&s);
}

static void a_stream_reset_while_its_rows_leave_misses_nothing(void **state)
{
    (void)state;
    spill_t s = begin_spill(STORE_BYTES);
    open_both(&s);
    store_request_t write = {0};
    while (write.kind != STORE_WRITE || !write.parts) {
        append(&s.f, ROWS(++s.ts, 1, 2));
        run(&s.f);
        flushed(&s.f, 2, s.ts);
        event_service_has_room(s.f.service, s.f.now);
        next_request(&s, &write);
    }
    /* Dispatcher 2 has flushed them, and now starts again before them. */
    reset_at(&s.f, 2, 2, (position_t){{BASE}, {{BASE}, true}}, CREDIT_PLENTY);
    answer(&s, &write);
    assert_sent_rows(&s, 2, BASE + 1, s.ts);
    give_credit(&s, 1, CREDIT_PLENTY);
    assert_sent_rows(&s, 1, BASE + 3, s.ts);
    end_spill(&s);
}

static void what_is_read_for_somebody_who_left_is_let_go(void **state)
{
    (void)state;
    spill_t s = begin_spill(STORE_BYTES);
    open_both(&s);
    for (int i = 0; i < 100; i++)
        step(&s);
    give_credit(&s, 1, CREDIT_PLENTY);
    run(&s.f);
    event_service_has_room(s.f.service, s.f.now);
    store_request_t read;
    assert_true(next_request(&s, &read));
    assert_int_equal(read.kind, STORE_READ);
    request(&s.f, (stream_request_t){.kind = STREAM_REMOVE, .dispatcher_id = id_of(1)});
    answer(&s, &read);
    /* Whoever comes next for the table finds it all there. */
    open_stream(&s.f, 5, BASE);
    request(&s.f, (stream_request_t){.kind = STREAM_REMOVE, .dispatcher_id = id_of(5)});
    register_table(&s.f, 5, 1, 0);
    reset_at(&s.f, 5, 1, (position_t){{BASE + 2}, {{BASE + 2}, true}}, CREDIT_PLENTY);
    assert_sent_rows(&s, 5, BASE + 3, s.ts);
    end_spill(&s);
}

static void what_is_persisted_is_forgotten_as_all_are_past_it(void **state)
{
    (void)state;
    spill_t s = begin_spill(STORE_BYTES);
    open_both(&s);
    for (int i = 0; i < 100; i++)
        step(&s);
    uint64_t full = state_of(&s).bytes;
    give_credit(&s, 1, CREDIT_PLENTY);
    assert_sent_rows(&s, 1, BASE + 3, s.ts);
    flushed(&s.f, 1, BASE + 50);
    s.f.now = mono_add(s.f.now, NS_PER_S);
    turn(&s);
    assert_int_equal(state_of(&s).bytes, full);
    event_service_set_persisted(s.f.service, (commit_ts_t){BASE + 20});
    s.f.now = mono_add(s.f.now, NS_PER_S);
    turn(&s);
    assert_int_equal(state_of(&s).bytes, full - 20 * BUILT_ROWS_BYTES);
    end_spill(&s);
}

static feed_item_t build_part(uint64_t commit_ts, bool is_last)
{
    feed_item_t item = ROWS(commit_ts, 1, 2);
    item.transaction->is_last_part = is_last;
    item.completes = is_last;
    return item;
}

/* Parts that were sent are shed; those behind them at the same commit_ts are not lost with them. */
static void later_parts_stay_when_earlier_ones_are_gone(void **state)
{
    (void)state;
    spill_t s = begin_spill(STORE_BYTES);
    open_both(&s);
    uint32_t rows = 0;
    for (int part = 1; part <= 100; part++) {
        append(&s.f, build_part(101, part == 100));
        if (part == 40)
            give_credit(&s, 1, 20000);
        run(&s.f);
        uint32_t at = 0;
        const stream_event_t *event;
        while ((event = next_of(&s.f, 1, &at)))
            rows += event->kind == STREAM_ROWS;
        s.f.now = mono_add(s.f.now, NS_PER_S);
        assert_true(turn(&s));
    }
    assert_true(rows > 10 && rows < 20);
    assert_true(state_of(&s).bytes > 60 * BUILT_ROWS_BYTES);
    give_credit(&s, 1, CREDIT_PLENTY);
    for (int i = 0; i < 200; i++) {
        run(&s.f);
        uint32_t at = 0;
        const stream_event_t *event;
        while ((event = next_of(&s.f, 1, &at)))
            rows += event->kind == STREAM_ROWS;
        turn(&s);
    }
    assert_int_equal(rows, 100);
    end_spill(&s);
}

/* Without the time that run() lets pass; how many rows dispatcher 1 was sent. */
static uint32_t take_at_once(spill_t *s)
{
    mono_ns_t now = s->f.now;
    run(&s->f);
    s->f.now = now;
    uint32_t at = 0, rows = 0;
    const stream_event_t *event;
    while ((event = next_of(&s->f, 1, &at)))
        rows += event->kind == STREAM_ROWS;
    return rows;
}

/* What is forgotten of the first parts of a transaction does not take with it later ones that are
 * being written meanwhile. */
static void parts_that_are_being_written_are_not_forgotten(void **state)
{
    (void)state;
    spill_t s = begin_spill(STORE_BYTES);
    open_both(&s);
    uint32_t rows = 0, parts = 0;
    while (parts < 40) {
        append(&s.f, build_part(101, false));
        parts++;
        rows += take_at_once(&s);
        turn(&s);
    }
    uint32_t in_front = 2 + s.store.count;
    for (uint64_t credit = 2000; rows < in_front + 3; credit += 500) {
        give_credit(&s, 1, credit);
        rows += take_at_once(&s);
        turn(&s);
    }
    s.f.now = mono_add(s.f.now, NS_PER_S);
    turn(&s);
    store_request_t write = {0}, forget = {0};
    while (!write.parts) {
        append(&s.f, build_part(101, false));
        parts++;
        rows += take_at_once(&s);
        event_service_has_room(s.f.service, s.f.now);
        next_request(&s, &write);
    }
    s.f.now = mono_add(s.f.now, NS_PER_S);
    assert_true(next_request(&s, &forget));
    assert_int_equal(forget.kind, STORE_FORGET);
    answer(&s, &write);
    answer(&s, &forget);
    append(&s.f, build_part(101, true));
    parts++;
    give_credit(&s, 1, CREDIT_PLENTY);
    for (int i = 0; i < 100; i++) {
        rows += take_at_once(&s);
        turn(&s);
    }
    assert_int_equal(rows, parts);
    end_spill(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_lags_leaves_for_the_store_and_comes_back),
        cmocka_unit_test(ddls_and_sync_points_keep_their_places),
        cmocka_unit_test(resolved_waits_for_what_is_in_the_store),
        cmocka_unit_test(the_reader_waits_when_nobody_is_ahead),
        cmocka_unit_test(a_full_disk_costs_the_one_that_lags_furthest),
        cmocka_unit_test(the_reader_waits_at_a_full_disk_when_most_lag),
        cmocka_unit_test(what_the_store_loses_is_read_for_again),
        cmocka_unit_test(a_store_that_does_not_answer_is_given_up),
        cmocka_unit_test(what_failed_to_be_written_stays),
        cmocka_unit_test(a_stream_reset_while_its_rows_leave_misses_nothing),
        cmocka_unit_test(what_is_read_for_somebody_who_left_is_let_go),
        cmocka_unit_test(later_parts_stay_when_earlier_ones_are_gone),
        cmocka_unit_test(parts_that_are_being_written_are_not_forgotten),
        cmocka_unit_test(what_is_persisted_is_forgotten_as_all_are_past_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
