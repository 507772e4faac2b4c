/* Sessions of other nodes, and dispatchers of this one that other nodes may serve. */
#include "tests/unit/event/event_service_fixture.h"

#define PEER ((stream_peer_t){4})
#define TAIL_BYTES 20000

static void remote_register(fixture_t *f, stream_peer_t peer, uint64_t number, uint64_t table,
                            uint64_t checkpoint)
{
    request(f, (stream_request_t){.kind = STREAM_REGISTER,
                                  .peer = peer,
                                  .dispatcher_id = id_of(number),
                                  .span = {.table_id = {table}},
                                  .only_reuse = true,
                                  .group_bytes_max = 1000,
                                  .position = {{checkpoint}, EVENT_KEY_NONE}});
}

static void remote(fixture_t *f, uint64_t number, stream_request_kind_t kind, uint64_t epoch,
                   uint64_t checkpoint)
{
    request(f, (stream_request_t){.kind = kind,
                                  .peer = PEER,
                                  .dispatcher_id = id_of(number),
                                  .epoch = epoch,
                                  .position = {{checkpoint}, {{checkpoint}, true}},
                                  .credit_bytes = CREDIT_PLENTY});
}

/* Another node's session `number` of table `table` that has everything up to `checkpoint`. */
static void open_remote(fixture_t *f, uint64_t number, uint64_t table, uint64_t checkpoint)
{
    remote_register(f, PEER, number, table, checkpoint);
    remote(f, number, STREAM_RESET, 1, checkpoint);
}

static void own_register(fixture_t *f, uint64_t number, uint64_t table, uint64_t checkpoint,
                         bool others_first)
{
    request(f, (stream_request_t){.kind = STREAM_REGISTER,
                                  .dispatcher_id = id_of(number),
                                  .span = {.table_id = {table}},
                                  .others_first = others_first,
                                  .position = {{checkpoint}, EVENT_KEY_NONE}});
}

/* Rows of table 2 until the tail has lost some of them; returns the floor. */
static uint64_t shed(fixture_t *f, uint64_t *ts)
{
    f->now = mono_add(f->now, 3 * NS_PER_S);
    while (event_service_state(f->service).tail_bytes < TAIL_BYTES)
        append(f, ROWS(++*ts, 2));
    assert_true(event_service_has_room(f->service, f->now));
    store_floor_t floors[STORE_FLOORS_MAX];
    event_store_report_t state;
    event_service_holds(f->service, &state, floors);
    assert_int_equal(state.floor_count, 1);
    assert_int_equal(state.floors[0].table_id.v, 2);
    return state.floors[0].floor.v;
}

/* Somebody reads, so that the tail is in a hurry. */
static fixture_t begin_holed(uint64_t *ts, uint64_t *floor)
{
    fixture_t f = begin_with(TAIL_BYTES, 1 << 20);
    open_stream(&f, 1, BASE);
    *ts = BASE;
    *floor = shed(&f, ts);
    run(&f);
    return f;
}

static void assert_nothing_is_read(fixture_t *f)
{
    catch_up_note_t note;
    assert_false(event_service_take_note(f->service, &note));
    assert_int_equal(event_service_state(f->service).catching_up, 0);
}

static void others_are_served_what_is_held_and_nothing_is_read_for_them(void **state)
{
    (void)state;
    uint64_t ts, floor;
    fixture_t f = begin_holed(&ts, &floor);
    remote_register(&f, PEER, 20, 2, floor - 1);
    open_remote(&f, 21, 2, floor);
    open_remote(&f, 22, 77, BASE);
    remote_register(&f, PEER, 23, 77, BASE - 1);
    run(&f);
    assert_sent(&f, 20, 0, "n");
    uint32_t at = 0;
    assert_int_equal(next_of(&f, 21, &at)->kind, STREAM_READY);
    assert_int_equal(next_of(&f, 21, &at)->kind, STREAM_HANDSHAKE);
    const stream_event_t *rows = next_of(&f, 21, &at);
    assert_int_equal(rows->kind, STREAM_ROWS);
    assert_int_equal(rows->commit_ts.v, floor + 1);
    assert_int_equal(rows->peer.v, PEER.v);
    assert_sent(&f, 23, 0, "n");
    assert_nothing_is_read(&f);
    assert_int_equal(event_service_state(f.service).remote, 2);
    end(&f);
}

static void a_reset_to_what_is_gone_ends_it(void **state)
{
    (void)state;
    uint64_t ts, floor;
    fixture_t f = begin_holed(&ts, &floor);
    open_remote(&f, 21, 2, floor);
    run(&f);
    remote(&f, 21, STREAM_RESET, 2, floor - 1);
    run(&f);
    assert_sent(&f, 21, 0, "n");
    remote(&f, 21, STREAM_HEARTBEAT, 2, floor);
    run(&f);
    assert_sent(&f, 21, 0, "x");
    assert_int_equal(event_service_state(f.service).remote, 0);
    end(&f);
}

static void ready_is_withheld_while_the_source_would_be_read_again(void **state)
{
    (void)state;
    uint64_t ts, floor;
    fixture_t f = begin_holed(&ts, &floor);
    own_register(&f, 2, 2, floor - 1, true);
    run(&f);
    assert_sent(&f, 2, 0, "h");
    own_register(&f, 2, 2, floor - 1, true);
    run(&f);
    assert_sent(&f, 2, 0, "h");
    assert_int_equal(event_service_state(f.service).withheld, 1);
    assert_nothing_is_read(&f);
    own_register(&f, 2, 2, floor, true);
    run(&f);
    assert_sent(&f, 2, 0, "r");
    assert_int_equal(event_service_state(f.service).withheld, 0);
    reset_at(&f, 2, 1, (position_t){{floor}, {{floor}, true}}, CREDIT_PLENTY);
    assert_nothing_is_read(&f);
    end(&f);
}

static void what_is_held_or_must_be_read_is_ready_at_once(void **state)
{
    (void)state;
    uint64_t ts, floor;
    fixture_t f = begin_holed(&ts, &floor);
    own_register(&f, 2, 2, floor, true);
    own_register(&f, 3, 2, floor - 1, false);
    own_register(&f, 4, 2, floor - 1, true);
    own_register(&f, 4, 2, floor - 1, false);
    run(&f);
    assert_sent(&f, 2, 0, "r");
    assert_sent(&f, 3, 0, "r");
    assert_sent(&f, 4, 0, "r");
    end(&f);
}

static void what_a_withheld_dispatcher_will_need_is_kept_while_there_is_room(void **state)
{
    (void)state;
    uint64_t ts, floor;
    fixture_t f = begin_holed(&ts, &floor);
    own_register(&f, 2, 2, floor - 1, true);
    f.now = mono_add(f.now, 3 * NS_PER_S);
    while (event_service_state(f.service).tail_bytes < TAIL_BYTES)
        append(&f, ROWS(++ts, 3));
    assert_true(event_service_has_room(f.service, f.now));
    own_register(&f, 2, 2, floor, true);
    run(&f);
    assert_sent(&f, 2, 0, "r");
    /* It is not what the reader waits for. */
    own_register(&f, 9, 2, floor - 1, true);
    f.now = mono_add(f.now, 3 * NS_PER_S);
    while (event_service_state(f.service).tail_bytes < TAIL_BYTES)
        append(&f, ROWS(++ts, 2));
    assert_true(event_service_has_room(f.service, f.now));
    end(&f);
}

static void rows_from_another_node_that_are_flushed_late_are_not_read_again(void **state)
{
    (void)state;
    uint64_t ts, floor;
    fixture_t f = begin_holed(&ts, &floor);
    open_stream(&f, 2, floor - 2);
    catch_up_note_t note;
    assert_true(next_note(&f, 2, &note));
    assert_int_equal(note.start.v, floor - 2);
    reset_at(&f, 2, 1, (position_t){{floor - 2}, EVENT_KEY_NONE}, CREDIT_PLENTY);
    assert_false(next_note(&f, 2, &note));
    reset_at(&f, 2, 1, (position_t){{floor - 1}, EVENT_KEY_NONE}, CREDIT_PLENTY);
    assert_true(next_note(&f, 2, &note));
    assert_int_equal(note.kind, CATCH_UP_LEFT);
    assert_true(next_note(&f, 2, &note));
    assert_int_equal(note.kind, CATCH_UP_WAITS);
    assert_int_equal(note.start.v, floor - 1);
    end(&f);
}

/* Its HANDSHAKE has come, so that it does not repeat its RESET. */
static void what_is_persisted_is_not_read_for_whoever_waits(void **state)
{
    (void)state;
    uint64_t ts, floor;
    fixture_t f = begin_holed(&ts, &floor);
    open_stream(&f, 2, floor - 2);
    run(&f);
    catch_up_note_t note;
    assert_true(next_note(&f, 2, &note));
    event_service_set_persisted(f.service, (commit_ts_t){floor - 1});
    assert_true(next_note(&f, 2, &note));
    assert_int_equal(note.kind, CATCH_UP_LEFT);
    assert_true(next_note(&f, 2, &note));
    assert_int_equal(note.kind, CATCH_UP_WAITS);
    assert_int_equal(note.start.v, floor - 1);
    end(&f);
}

static void what_is_persisted_during_a_round_that_fails_is_not_read_again(void **state)
{
    (void)state;
    uint64_t ts, floor;
    fixture_t f = begin_holed(&ts, &floor);
    open_stream(&f, 2, floor - 2);
    run(&f);
    catch_up_note_t note;
    assert_true(next_note(&f, 2, &note));
    begin_round(&f, 2, floor - 2);
    event_service_set_persisted(f.service, (commit_ts_t){floor - 1});
    event_service_catch_up_end(f.service, ROUND);
    assert_true(next_note(&f, 2, &note));
    assert_int_equal(note.kind, CATCH_UP_LEFT);
    assert_true(next_note(&f, 2, &note));
    assert_int_equal(note.kind, CATCH_UP_WAITS);
    assert_int_equal(note.start.v, floor - 1);
    end(&f);
}

/* The tail is full of rows of dispatcher 2, which leaves. */
static fixture_t begin_leaving(bool has_flushed)
{
    fixture_t f = begin_with(TAIL_BYTES, 1 << 20);
    open_stream(&f, 1, BASE);
    open_stream(&f, 2, BASE);
    uint64_t ts = BASE;
    while (event_service_state(f.service).tail_bytes < TAIL_BYTES)
        append(&f, ROWS(++ts, 2));
    run(&f);
    f.now = mono_add(f.now, 3 * NS_PER_S);
    if (has_flushed)
        flushed(&f, 2, ts);
    request(&f, (stream_request_t){.kind = STREAM_REMOVE, .dispatcher_id = id_of(2)});
    return f;
}

static void what_a_dispatcher_that_leaves_did_not_flush_is_kept_for_a_while(void **state)
{
    (void)state;
    fixture_t f = begin_leaving(false);
    assert_false(event_service_has_room(f.service, f.now));
    remote_register(&f, PEER, 21, 2, BASE);
    run(&f);
    assert_sent(&f, 21, 0, "r");
    request(&f,
            (stream_request_t){.kind = STREAM_REMOVE, .peer = PEER, .dispatcher_id = id_of(21)});
    f.now = mono_add(f.now, 3 * NS_PER_S);
    assert_true(event_service_has_room(f.service, f.now));
    end(&f);
    f = begin_leaving(true);
    assert_true(event_service_has_room(f.service, f.now));
    end(&f);
}

static void a_heartbeat_of_another_node_is_answered_with_resolved(void **state)
{
    (void)state;
    fixture_t f = begin();
    open_remote(&f, 21, 2, BASE);
    append(&f, ROWS(101, 2));
    run(&f);
    assert_sent(&f, 21, 0, "r H100 R101 =101");
    run(&f);
    assert_sent(&f, 21, 2, "");
    remote(&f, 21, STREAM_HEARTBEAT, 1, BASE);
    run(&f);
    assert_sent(&f, 21, 2, "=101");
    remote(&f, 21, STREAM_CREDIT, 1, BASE);
    remote(&f, 21, STREAM_HEARTBEAT, 7, BASE);
    run(&f);
    assert_sent(&f, 21, 2, "");
    end(&f);
}

static void who_says_nothing_any_more_is_forgotten(void **state)
{
    (void)state;
    fixture_t f = begin();
    open_remote(&f, 21, 2, BASE);
    open_remote(&f, 22, 2, BASE);
    open_stream(&f, 1, BASE);
    f.now = mono_add(f.now, EVENT_SERVICE_SILENCE_NS - NS_PER_S);
    remote(&f, 22, STREAM_HEARTBEAT, 1, BASE);
    run(&f);
    assert_int_equal(event_service_state(f.service).remote, 1);
    assert_int_equal(event_service_state(f.service).registrations, 2);
    mono_ns_t due = event_service_next_deadline(f.service);
    assert_true(due.v <= f.now.v + 2 * NS_PER_S);
    end(&f);
}

static void who_takes_nothing_is_given_up_when_there_is_no_room(void **state)
{
    (void)state;
    fixture_t f = begin_with(TAIL_BYTES, 1 << 20);
    open_stream(&f, 1, BASE);
    open_remote(&f, 21, 2, BASE);
    open_remote(&f, 23, 3, BASE);
    run(&f);
    uint64_t ts = BASE;
    while (event_service_state(f.service).tail_bytes < TAIL_BYTES)
        append(&f, ROWS(++ts, 2));
    run(&f);
    assert_false(event_service_has_room(f.service, f.now));
    f.now = mono_add(f.now, EVENT_SERVICE_STALLED_NS);
    (void)event_service_has_room(f.service, f.now);
    f.now = mono_add(f.now, NS_PER_S);
    assert_true(event_service_has_room(f.service, f.now));
    run(&f);
    assert_sent(&f, 21, 0, "n");
    assert_int_equal(event_service_state(f.service).remote, 1);
    end(&f);
}

static void parts_go_only_to_who_cuts_alike(void **state)
{
    (void)state;
    for (int is_alike = 0; is_alike < 2; is_alike++) {
        fixture_t f = {.now = {NS_PER_S}, .events = calloc(EVENTS_MAX, sizeof *f.events)};
        event_service_options_t options = event_service_options_default((commit_ts_t){BASE});
        options.group_bytes_max = is_alike ? 1000 : 2000;
        f.service = event_service_new(&options, f.now);
        open_remote(&f, 21, 2, BASE);
        open_stream(&f, 3, BASE);
        feed_item_t whole = ROWS(101, 2, 3), part = ROWS(102, 2, 3);
        part.transaction->is_last_part = false;
        part.completes = false;
        append(&f, whole);
        append(&f, part);
        run(&f);
        assert_sent(&f, 21, 0, is_alike ? "r H100 R101 R102 =101" : "r H100 R101 n");
        assert_sent(&f, 3, 0, "r H100 R101 R102 =101");
        end(&f);
    }
}

static void without_room_for_others_its_own_go_on(void **state)
{
    (void)state;
    fixture_t f = begin();
    open_remote(&f, 21, 2, BASE);
    open_stream(&f, 3, BASE);
    run(&f);
    event_service_allow_remote(f.service, false);
    append(&f, ROWS(101, 2, 3));
    remote_register(&f, PEER, 22, 2, BASE - 1);
    run(&f);
    assert_sent(&f, 21, 1, "");
    assert_sent(&f, 22, 0, "");
    assert_sent(&f, 3, 1, "R101 =101");
    assert_int_not_equal(event_service_next_deadline(f.service).v, 0);
    event_service_allow_remote(f.service, true);
    run(&f);
    assert_sent(&f, 21, 1, "R101 =101");
    assert_sent(&f, 22, 0, "n");
    end(&f);
}

static void a_dispatcher_of_somebody_else_is_not_touched(void **state)
{
    (void)state;
    fixture_t f = begin();
    open_stream(&f, 1, BASE);
    remote_register(&f, PEER, 1, 1, BASE);
    remote(&f, 1, STREAM_REMOVE, 1, BASE);
    run(&f);
    uint32_t at = 0;
    const stream_event_t *event = next_of(&f, 1, &at);
    assert_int_equal(event->kind, STREAM_NOT_REUSABLE);
    assert_int_equal(event->peer.v, PEER.v);
    remote(&f, 1, STREAM_RESET, 9, BASE);
    append(&f, ROWS(101, 1));
    run(&f);
    at = 0;
    assert_int_equal(next_of(&f, 1, &at)->kind, STREAM_REMOVED);
    assert_int_equal(next_of(&f, 1, &at)->kind, STREAM_ROWS);
    end(&f);
}

static void what_another_node_left_gives_way_to_the_dispatchers_own_node(void **state)
{
    (void)state;
    fixture_t f = begin();
    open_remote(&f, 1, 1, BASE);
    run(&f);
    open_stream(&f, 1, BASE);
    append(&f, ROWS(101, 1));
    run(&f);
    uint32_t at = 0;
    const stream_event_t *event = next_of(&f, 1, &at);
    assert_int_equal(event->kind, STREAM_NOT_REUSABLE);
    assert_int_equal(event->peer.v, PEER.v);
    event = next_of(&f, 1, &at);
    assert_int_equal(event->kind, STREAM_READY);
    assert_int_equal(event->peer.v, STREAM_PEER_OWN.v);
    assert_int_equal(next_of(&f, 1, &at)->kind, STREAM_HANDSHAKE);
    assert_int_equal(next_of(&f, 1, &at)->kind, STREAM_ROWS);
    assert_int_equal(event_service_state(f.service).remote, 0);
    end(&f);
}

static void what_another_node_left_gives_way_to_a_third_once_it_is_silent(void **state)
{
    (void)state;
    const stream_peer_t third = {5};
    fixture_t f = begin();
    open_remote(&f, 1, 1, BASE);
    f.now = mono_add(f.now, EVENT_SERVICE_LEFT_NS);
    remote_register(&f, third, 1, 1, BASE);
    run(&f);
    uint32_t at = 0;
    const stream_event_t *event = next_of(&f, 1, &at);
    assert_int_equal(event->kind, STREAM_NOT_REUSABLE);
    assert_int_equal(event->peer.v, third.v);
    remote_register(&f, third, 1, 1, BASE);
    run(&f);
    at = 0;
    event = next_of(&f, 1, &at);
    assert_int_equal(event->kind, STREAM_NOT_REUSABLE);
    assert_int_equal(event->peer.v, PEER.v);
    event = next_of(&f, 1, &at);
    assert_int_equal(event->kind, STREAM_READY);
    assert_int_equal(event->peer.v, third.v);
    end(&f);
}

static void a_session_begun_anew_is_told_that_it_must_register(void **state)
{
    (void)state;
    fixture_t f = begin();
    open_remote(&f, 21, 2, BASE);
    remote(&f, 21, STREAM_RESET, 5, BASE);
    run(&f);
    open_remote(&f, 21, 2, BASE);
    run(&f);
    assert_sent(&f, 21, 0, "x");
    append(&f, ROWS(101, 2));
    remote_register(&f, PEER, 21, 2, BASE);
    remote(&f, 21, STREAM_RESET, 2, BASE);
    run(&f);
    assert_sent(&f, 21, 0, "r H100 R101 =101");
    /* What is late of an own session's epoch before says nothing. */
    open_stream(&f, 1, BASE);
    reset_at(&f, 1, 4, (position_t){{BASE}, {{BASE}, true}}, CREDIT_PLENTY);
    reset_at(&f, 1, 3, (position_t){{BASE}, {{BASE}, true}}, CREDIT_PLENTY);
    run(&f);
    assert_int_equal(event_service_state(f.service).registrations, 2);
    end(&f);
}

static void tables_with_holes_are_named_up_to_a_limit(void **state)
{
    (void)state;
    static store_floor_t floors[STORE_FLOORS_MAX];
    event_store_report_t held;
    fixture_t f = begin_with(TAIL_BYTES, 1 << 20);
    open_stream(&f, 1, BASE);
    f.now = mono_add(f.now, 3 * NS_PER_S);
    uint64_t ts = BASE, tables = 3 * STORE_FLOORS_MAX;
    for (uint64_t table = 10; table < 10 + tables; table++) {
        append(&f, ROWS(++ts, table));
        f.now = mono_add(f.now, NS_PER_MS);
        (void)event_service_has_room(f.service, f.now);
    }
    event_service_holds(f.service, &held, floors);
    assert_int_equal(held.resolved.v, ts);
    assert_true(held.floor_count >= STORE_FLOORS_MAX / 2);
    assert_true(held.floor_count <= STORE_FLOORS_MAX);
    for (uint32_t i = 0; i < held.floor_count; i++)
        assert_true(floors[i].floor.v > held.floor.v);
    /* Of a table that is not named it is the floor, or a higher one. */
    assert_true(held.floor.v >= BASE + tables - held.floor_count - TAIL_BYTES / BUILT_ROWS_BYTES);
    end(&f);
}

/* HB-4: each changefeed has a service of its own. */
static void the_last_session_of_a_changefeed_leaves_nothing_behind(void **state)
{
    (void)state;
    fixture_t f = begin(), another = begin();
    for (uint64_t number = 21; number <= 22; number++) {
        open_remote(&f, number, number, BASE);
        open_remote(&another, number, number, BASE);
    }
    run(&f);
    run(&another);
    remote(&f, 21, STREAM_REMOVE, 1, BASE);
    assert_int_equal(event_service_state(f.service).remote, 1);
    remote(&f, 22, STREAM_REMOVE, 1, BASE);
    assert_int_equal(event_service_state(f.service).remote, 0);
    assert_int_equal(event_service_state(f.service).registrations, 0);
    append(&f, ROWS(101, 21));
    append(&f, ROWS(102, 22));
    append(&another, ROWS(101, 21));
    run(&f);
    assert_int_equal(f.count, 0);
    remote(&f, 22, STREAM_HEARTBEAT, 1, BASE);
    run(&f);
    assert_sent(&f, 22, 0, "x");
    assert_int_equal(f.count, 1);
    run(&another);
    assert_sent(&another, 21, 1, "R101 =101");
    assert_int_equal(event_service_state(another.service).remote, 2);
    end(&another);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_are_served_what_is_held_and_nothing_is_read_for_them),
        cmocka_unit_test(a_reset_to_what_is_gone_ends_it),
        cmocka_unit_test(ready_is_withheld_while_the_source_would_be_read_again),
        cmocka_unit_test(what_is_held_or_must_be_read_is_ready_at_once),
        cmocka_unit_test(what_a_withheld_dispatcher_will_need_is_kept_while_there_is_room),
        cmocka_unit_test(what_is_persisted_is_not_read_for_whoever_waits),
        cmocka_unit_test(what_is_persisted_during_a_round_that_fails_is_not_read_again),
        cmocka_unit_test(rows_from_another_node_that_are_flushed_late_are_not_read_again),
        cmocka_unit_test(what_a_dispatcher_that_leaves_did_not_flush_is_kept_for_a_while),
        cmocka_unit_test(a_heartbeat_of_another_node_is_answered_with_resolved),
        cmocka_unit_test(who_says_nothing_any_more_is_forgotten),
        cmocka_unit_test(who_takes_nothing_is_given_up_when_there_is_no_room),
        cmocka_unit_test(parts_go_only_to_who_cuts_alike),
        cmocka_unit_test(without_room_for_others_its_own_go_on),
        cmocka_unit_test(a_dispatcher_of_somebody_else_is_not_touched),
        cmocka_unit_test(what_another_node_left_gives_way_to_the_dispatchers_own_node),
        cmocka_unit_test(what_another_node_left_gives_way_to_a_third_once_it_is_silent),
        cmocka_unit_test(a_session_begun_anew_is_told_that_it_must_register),
        cmocka_unit_test(tables_with_holes_are_named_up_to_a_limit),
        cmocka_unit_test(the_last_session_of_a_changefeed_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
