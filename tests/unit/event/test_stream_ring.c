#include "tests/testing.h"

#include <poll.h>

#include "dispatcher/shell/stream_ring.h"

static void count_call(void *context)
{
    ++*(int *)context;
}

static bool is_readable(const stream_ring_t *ring)
{
    struct pollfd fd = {.fd = stream_ring_fd(ring), .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

static void put(stream_ring_t *ring, uint64_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        stream_event_t event = {.kind = STREAM_RESOLVED, .commit_ts = {first + i}};
        stream_ring_put(ring, &event, 1);
    }
}

static void is_readable_while_there_are_events(void **state)
{
    (void)state;
    int calls = 0;
    stream_ring_t *ring;
    stream_event_t events[4];
    assert_int_equal(stream_ring_new(count_call, &calls, &ring), SLUICE_OK);
    assert_false(is_readable(ring));
    put(ring, 1, 6);
    assert_true(is_readable(ring));
    assert_int_equal(stream_ring_take(ring, events, 4), 4);
    assert_int_equal(events[3].commit_ts.v, 4);
    assert_true(is_readable(ring));
    assert_int_equal(stream_ring_take(ring, events, 4), 2);
    assert_int_equal(events[1].commit_ts.v, 6);
    assert_false(is_readable(ring));
    assert_int_equal(stream_ring_take(ring, events, 4), 0);
    put(ring, 7, 1);
    assert_true(is_readable(ring));
    assert_int_equal(calls, 0);
    stream_ring_destroy(&ring);
}

static void tells_once_that_there_is_room_again(void **state)
{
    (void)state;
    int calls = 0;
    stream_ring_t *ring;
    stream_event_t events[100];
    assert_int_equal(stream_ring_new(count_call, &calls, &ring), SLUICE_OK);
    put(ring, 0, STREAM_RING_EVENTS_MAX - 3);
    assert_int_equal(stream_ring_room(ring, 3), 3);
    stream_ring_take(ring, events, 1);
    assert_int_equal(calls, 0);
    assert_int_equal(stream_ring_room(ring, 8), 4);
    stream_ring_take(ring, events, 100);
    stream_ring_take(ring, events, 100);
    assert_int_equal(calls, 1);
    stream_ring_destroy(&ring);
}

static void keeps_the_order_around_its_end(void **state)
{
    (void)state;
    int calls = 0;
    stream_ring_t *ring;
    stream_event_t events[1000];
    assert_int_equal(stream_ring_new(count_call, &calls, &ring), SLUICE_OK);
    uint64_t next_in = 0, next_out = 0;
    while (next_out < 5 * STREAM_RING_EVENTS_MAX) {
        put(ring, next_in, 700);
        next_in += 700;
        uint32_t count = stream_ring_take(ring, events, 650);
        for (uint32_t i = 0; i < count; i++)
            assert_int_equal(events[i].commit_ts.v, next_out++);
        if (stream_ring_room(ring, 700) < 700) {
            while ((count = stream_ring_take(ring, events, 1000)))
                for (uint32_t i = 0; i < count; i++)
                    assert_int_equal(events[i].commit_ts.v, next_out++);
        }
    }
    stream_ring_destroy(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_readable_while_there_are_events),
        cmocka_unit_test(tells_once_that_there_is_room_again),
        cmocka_unit_test(keeps_the_order_around_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
