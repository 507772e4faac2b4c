#include "tests/testing.h"

#include <stdio.h>

#include "dispatcher/core/event_service.h"
#include "tests/unit/event/feed_builder.h"

#define EVENTS_MAX 65536
#define CREDIT_PLENTY (UINT64_C(1) << 40)
#define BASE 100

typedef struct {
    event_service_t *service;
    mono_ns_t now;
    stream_event_t *events;
    uint32_t count, looked_at;
} fixture_t;

static fixture_t begin_with(uint64_t tail_bytes_max, uint64_t catch_up_bytes_max)
{
    fixture_t f = {.now = {NS_PER_S}, .events = calloc(EVENTS_MAX, sizeof *f.events)};
    event_service_options_t options = event_service_options_default((commit_ts_t){BASE});
    options.tail_bytes_max = tail_bytes_max;
    options.catch_up_bytes_max = catch_up_bytes_max;
    f.service = event_service_new(&options, f.now);
    return f;
}

static fixture_t begin(void)
{
    return begin_with(EVENT_SERVICE_TAIL_BYTES_MAX, EVENT_SERVICE_CATCH_UP_BYTES_MAX);
}

static void forget_events(fixture_t *f)
{
    for (uint32_t i = 0; i < f->count; i++)
        stream_event_clear(&f->events[i]);
    f->count = 0;
    f->looked_at = 0;
}

static void end(fixture_t *f)
{
    forget_events(f);
    free(f->events);
    event_service_destroy(&f->service);
}

/* Everything there is to say now, and RESOLVED of the next sweep. */
static void run(fixture_t *f)
{
    forget_events(f);
    f->now = mono_add(f->now, 2 * NS_PER_S);
    uint32_t taken;
    do {
        taken = event_service_take(f->service, f->events + f->count, 100, f->now);
        f->count += taken;
    } while (taken && f->count + 100 < EVENTS_MAX);
}

static dispatcher_id_t id_of(uint64_t number)
{
    return (dispatcher_id_t){3, number};
}

static void request(fixture_t *f, stream_request_t what)
{
    event_service_request(f->service, &what, f->now);
}

static void reset_at(fixture_t *f, uint64_t number, uint64_t epoch, position_t position,
                     uint64_t credit)
{
    request(f, (stream_request_t){.kind = STREAM_RESET,
                                  .dispatcher_id = id_of(number),
                                  .epoch = epoch,
                                  .position = position,
                                  .credit_bytes = credit});
}

static void register_table(fixture_t *f, uint64_t number, uint64_t table, uint64_t created)
{
    request(f, (stream_request_t){.kind = STREAM_REGISTER,
                                  .dispatcher_id = id_of(number),
                                  .span = {.table_id = {table}},
                                  .created = {created}});
}

/* A dispatcher `number` of table `number` (0: the trigger) that has everything up to `checkpoint`.
 */
static void open_stream(fixture_t *f, uint64_t number, uint64_t checkpoint)
{
    register_table(f, number, number, 0);
    reset_at(f, number, 1, (position_t){{checkpoint}, {{checkpoint}, true}}, CREDIT_PLENTY);
}

static void flushed(fixture_t *f, uint64_t number, uint64_t checkpoint)
{
    request(f, (stream_request_t){.kind = STREAM_HEARTBEAT,
                                  .dispatcher_id = id_of(number),
                                  .epoch = 1,
                                  .position = {.checkpoint = {checkpoint}}});
}

static void append(fixture_t *f, feed_item_t item)
{
    event_service_append(f->service, &item);
}

static void catch_up(fixture_t *f, feed_item_t item)
{
    event_service_catch_up_append(f->service, &item);
}

/* The next event of one dispatcher among those taken; others are passed over. */
static const stream_event_t *next_of(fixture_t *f, uint64_t number, uint32_t *at)
{
    while (*at < f->count) {
        const stream_event_t *event = &f->events[(*at)++];
        if (dispatcher_id_equal(event->dispatcher_id, id_of(number)))
            return event;
    }
    return NULL;
}

static const char letters[] = {
    [STREAM_READY] = 'r', [STREAM_NOT_REUSABLE] = 'n', [STREAM_REMOVED] = 'x',
    [STREAM_DROP] = 'd',  [STREAM_HANDSHAKE] = 'H',    [STREAM_ROWS] = 'R',
    [STREAM_DDL] = 'D',   [STREAM_SYNCPOINT] = 'S',    [STREAM_RESOLVED] = '=',
};

/* What one dispatcher was sent: "r H101 R103 =105". Checks the numbers of the stream on the way. */
static void assert_sent(fixture_t *f, uint64_t number, uint64_t sequence, const char *expected)
{
    char text[4096] = "";
    size_t len = 0;
    uint32_t at = 0;
    const stream_event_t *event;
    while ((event = next_of(f, number, &at))) {
        if (event->kind >= STREAM_HANDSHAKE) {
            if (event->kind != STREAM_RESOLVED)
                sequence++;
            assert_int_equal(event->sequence, sequence);
        }
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%c", len ? " " : "",
                                letters[event->kind]);
        if (event->kind >= STREAM_HANDSHAKE)
            len += (size_t)snprintf(text + len, sizeof text - len, "%lu",
                                    (unsigned long)event->commit_ts.v);
    }
    assert_string_equal(text, expected);
}

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

static void remote_reuse_is_granted_only_for_tables_read_here(void **state)
{
    (void)state;
    fixture_t f = begin();
    request(&f, (stream_request_t){.kind = STREAM_REGISTER,
                                   .dispatcher_id = id_of(8),
                                   .span = {.table_id = {1}},
                                   .only_reuse = true});
    open_stream(&f, 1, BASE);
    run(&f);
    assert_sent(&f, 8, 0, "n");
    request(&f, (stream_request_t){.kind = STREAM_REGISTER,
                                   .dispatcher_id = id_of(9),
                                   .span = {.table_id = {1}},
                                   .only_reuse = true});
    run(&f);
    assert_sent(&f, 9, 0, "r");
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

static void what_was_forgotten_for_all_is_not_left_out_for_one(void **state)
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
    commit_ts_t from;
    assert_true(event_service_wants_catch_up(f.service, &from));
    assert_int_equal(from.v, 100);
    run(&f);
    assert_sent(&f, 1, 0, "r H100");
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
    commit_ts_t from;
    assert_false(event_service_wants_catch_up(f.service, &from));
    open_stream(&f, 1, 102);
    run(&f);
    assert_sent(&f, 1, 0, "r H102");
    assert_true(event_service_wants_catch_up(f.service, &from));
    assert_int_equal(from.v, 102);
    event_service_catch_up_begin(f.service, (commit_ts_t){101});
    assert_false(event_service_wants_catch_up(f.service, &from));
    catch_up(&f, ROWS(102, 1));
    catch_up(&f, ROWS(103, 1, 2));
    run(&f);
    assert_sent(&f, 1, 1, "R103 =103");
    assert_sent(&f, 2, 1, "");
    uint64_t ts = 104;
    for (; !event_service_catch_up_is_done(f.service); ts++) {
        assert_true(ts <= 121);
        catch_up(&f, ts == 121 ? DDL(ts, 1) : ROWS(ts, 1));
    }
    assert_int_equal(ts, 122);
    append(&f, ROWS(160, 1));
    event_service_catch_up_end(f.service);
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

static void a_round_that_ends_early_drops_whom_it_fed(void **state)
{
    (void)state;
    fixture_t f = begin_with_hole(1 << 20);
    open_stream(&f, 1, 102);
    event_service_catch_up_begin(f.service, (commit_ts_t){101});
    catch_up(&f, ROWS(103, 1));
    run(&f);
    assert_sent(&f, 1, 0, "r H102 R103 =103");
    event_service_catch_up_end(f.service);
    run(&f);
    assert_sent(&f, 1, 2, "d");
    reset_at(&f, 1, 2, (position_t){{103}, EVENT_KEY_NONE}, CREDIT_PLENTY);
    commit_ts_t from;
    assert_true(event_service_wants_catch_up(f.service, &from));
    assert_int_equal(from.v, 103);
    end(&f);
}

static void who_takes_nothing_is_dropped_from_a_full_round(void **state)
{
    (void)state;
    fixture_t f = begin_with_hole(3000);
    register_table(&f, 1, 1, 0);
    reset_at(&f, 1, 1, (position_t){{102}, EVENT_KEY_NONE}, 1);
    event_service_catch_up_begin(f.service, (commit_ts_t){102});
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
    assert_true(event_service_catch_up_is_done(f.service));
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
        cmocka_unit_test(answers_register_and_reset_at_once),
        cmocka_unit_test(repeated_reset_after_data_is_not_answered),
        cmocka_unit_test(repeated_reset_after_resolved_is_not_answered),
        cmocka_unit_test(strangers_are_told_that_they_are_removed),
        cmocka_unit_test(removed_dispatchers_get_nothing_more),
        cmocka_unit_test(remote_reuse_is_granted_only_for_tables_read_here),
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
        cmocka_unit_test(forgets_what_is_persisted_and_flushed),
        cmocka_unit_test(a_sync_point_is_kept_until_its_commit_ts_is_passed),
        cmocka_unit_test(what_was_forgotten_for_all_is_not_left_out_for_one),
        cmocka_unit_test(a_full_tail_sheds_what_no_local_span_needs),
        cmocka_unit_test(the_reader_waits_for_what_local_spans_need),
        cmocka_unit_test(nothing_unpersisted_is_shed_before_dispatchers_have_come),
        cmocka_unit_test(a_stopped_dispatcher_does_not_stop_the_others),
        cmocka_unit_test(a_transaction_may_be_larger_than_the_tail),
        cmocka_unit_test(a_part_without_credit_to_send_it_stays),
        cmocka_unit_test(a_start_below_the_tail_is_fed_by_a_round_and_joins),
        cmocka_unit_test(a_round_that_ends_early_drops_whom_it_fed),
        cmocka_unit_test(who_takes_nothing_is_dropped_from_a_full_round),
        cmocka_unit_test(a_start_below_the_readers_own_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
