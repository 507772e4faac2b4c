#include "tests/testing.h"

#include <stdlib.h>

#include "dispatcher/core/session_set.h"

#define MANY 20000

static position_t position_of(void *context, dispatcher_id_t dispatcher_id)
{
    (void)context;
    return (position_t){{dispatcher_id.lo}, EVENT_KEY_NONE};
}

static session_set_t *new_set(void)
{
    session_set_options_t options = {.session = session_options_default(),
                                     .position_of = position_of};
    return session_set_new(&options);
}

static dispatcher_id_t id_of(uint64_t number)
{
    return (dispatcher_id_t){1, number};
}

static sluice_error_t add(session_set_t *set, uint64_t number, mono_ns_t now)
{
    uint8_t key[2] = {(uint8_t)number, 1};
    session_start_t start = {
        .dispatcher_id = id_of(number),
        .span = {.table_id = {number}, .start_key = bytes_of(key, 1), .end_key = bytes_of(key, 2)},
        .start = position_of(NULL, id_of(number))};
    return session_set_add(set, &start, now);
}

static stream_request_t take_one(session_set_t *set)
{
    session_request_t request;
    assert_int_equal(session_set_take_requests(set, &request, 1), 1);
    assert_int_equal(request.service.v, SERVICE_LOCAL.v);
    return request.request;
}

static void take_none(session_set_t *set)
{
    session_request_t request;
    assert_int_equal(session_set_take_requests(set, &request, 1), 0);
}

static session_result_t handle(session_set_t *set, stream_kind_t kind, uint64_t number,
                               uint64_t sequence, mono_ns_t now)
{
    stream_event_t event = {.kind = kind,
                            .dispatcher_id = id_of(number),
                            .epoch = 1,
                            .sequence = sequence,
                            .commit_ts = {number + 10}};
    return session_set_handle(set, SERVICE_LOCAL, &event, now);
}

static void copies_the_keys_of_a_span(void **state)
{
    (void)state;
    session_set_t *set = new_set();
    assert_int_equal(add(set, 5, (mono_ns_t){1}), SLUICE_OK);
    assert_int_equal(add(set, 5, (mono_ns_t){1}), SLUICE_ERROR_EXISTS);
    stream_request_t request = take_one(set);
    assert_int_equal(request.kind, STREAM_REGISTER);
    assert_int_equal(request.span.start_key.len, 1);
    assert_int_equal(request.span.start_key.data[0], 5);
    assert_int_equal(request.span.end_key.len, 2);
    take_none(set);
    session_set_destroy(&set);
}

/* The keys of REGISTER are still readable when the session is gone meanwhile. */
static void remove_goes_out_after_the_register_in_flight(void **state)
{
    (void)state;
    session_set_t *set = new_set();
    assert_int_equal(add(set, 5, (mono_ns_t){1}), SLUICE_OK);
    assert_true(session_set_remove(set, id_of(5), (mono_ns_t){1}));
    assert_false(session_set_remove(set, id_of(5), (mono_ns_t){1}));
    assert_int_equal(session_set_count(set), 0);
    stream_request_t request = take_one(set);
    assert_int_equal(request.kind, STREAM_REGISTER);
    assert_int_equal(request.span.start_key.data[0], 5);
    assert_int_equal(take_one(set).kind, STREAM_REMOVE);
    take_none(set);
    assert_int_equal(session_set_next_deadline(set).v, MONO_NEVER.v);
    assert_int_equal(handle(set, STREAM_READY, 5, 0, (mono_ns_t){2}), SESSION_RESULT_NOTHING);
    take_none(set);
    session_set_destroy(&set);
}

static void each_dispatcher_has_its_own_stream(void **state)
{
    (void)state;
    session_set_t *set = new_set();
    mono_ns_t now = {NS_PER_S};
    for (uint64_t i = 1; i <= 2; i++) {
        assert_int_equal(add(set, i, now), SLUICE_OK);
        take_one(set);
        handle(set, STREAM_READY, i, 0, now);
        stream_request_t reset = take_one(set);
        assert_int_equal(reset.kind, STREAM_RESET);
        assert_int_equal(reset.position.checkpoint.v, i);
    }
    assert_int_equal(handle(set, STREAM_HANDSHAKE, 1, 1, now), SESSION_RESULT_OPENED);
    assert_int_equal(handle(set, STREAM_SYNCPOINT, 1, 2, now), SESSION_RESULT_DELIVER);
    assert_int_equal(handle(set, STREAM_HANDSHAKE, 2, 1, now), SESSION_RESULT_OPENED);
    assert_int_equal(handle(set, STREAM_RESOLVED, 2, 1, now), SESSION_RESULT_DELIVER);
    assert_int_equal(handle(set, STREAM_RESOLVED, 3, 1, now), SESSION_RESULT_NOTHING);
    assert_int_equal(session_set_counters(set).stale, 1);
    session_set_destroy(&set);
}

/* Deadlines of many sessions in random order come out exactly once each and in order. */
static void ticks_many_sessions_when_each_is_due(void **state)
{
    (void)state;
    session_set_t *set = new_set();
    for (uint64_t i = 0; i < MANY; i++) {
        uint64_t shuffled = i * 7919 % MANY;
        assert_int_equal(add(set, shuffled, (mono_ns_t){shuffled * NS_PER_US}), SLUICE_OK);
        take_one(set);
    }
    take_none(set);
    for (uint64_t i = 0; i < MANY; i++) {
        mono_ns_t due = session_set_next_deadline(set);
        assert_int_equal(due.v, SESSION_REPEAT_FIRST_NS + i * NS_PER_US);
        session_set_tick(set, due);
        assert_int_equal(take_one(set).dispatcher_id.lo, i);
        take_none(set);
    }
    for (uint64_t i = 0; i < MANY; i += 2)
        assert_true(session_set_remove(set, id_of(i), (mono_ns_t){0}));
    assert_int_equal(session_set_count(set), MANY / 2);
    while (session_set_take_requests(set, &(session_request_t){0}, 1))
        continue;
    for (uint64_t i = 1; i < MANY; i += 2) {
        mono_ns_t due = session_set_next_deadline(set);
        session_set_tick(set, due);
        assert_int_equal(take_one(set).dispatcher_id.lo, i);
    }
    session_set_destroy(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_the_keys_of_a_span),
        cmocka_unit_test(remove_goes_out_after_the_register_in_flight),
        cmocka_unit_test(each_dispatcher_has_its_own_stream),
        cmocka_unit_test(ticks_many_sessions_when_each_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
