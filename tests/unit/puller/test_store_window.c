#include "tests/testing.h"

#include "dispatcher/core/puller/store_window.h"

static uint64_t numbers;

static window_request_t at(uint64_t start, pull_priority_t priority)
{
    return (window_request_t){.start = {start}, .priority = priority};
}

static window_request_t *pop(store_window_t *window)
{
    bool is_new;
    return store_window_pop(window, ++numbers, &is_new);
}

static store_window_t window_of(uint32_t streams_max, uint32_t high_multiplier)
{
    store_window_t window;
    store_window_init(&window, streams_max, high_multiplier);
    return window;
}

static void one_stream_at_a_time(void **state)
{
    (void)state;
    store_window_t window = window_of(1, 1);
    window_request_t first = at(50, PULL_NORMAL), second = at(10, PULL_NORMAL);
    store_window_submit(&window, &first);
    bool is_new;
    assert_ptr_equal(store_window_pop(&window, 7, &is_new), &first);
    assert_true(is_new);
    assert_int_equal(first.stream->number, 7);
    store_window_submit(&window, &second);
    assert_null(pop(&window));
    assert_int_equal(window.waiting, 1);
    assert_int_equal(store_window_leave(&window, &first), 7);
    assert_ptr_equal(pop(&window), &second);
    store_window_leave(&window, &second);
    store_window_clear(&window);
}

static void high_priority_may_use_a_second_one_and_jumps_the_queue(void **state)
{
    (void)state;
    store_window_t window = window_of(1, 2);
    window_request_t first = at(50, PULL_NORMAL), normal = at(40, PULL_NORMAL),
                     high = at(45, PULL_HIGH);
    store_window_submit(&window, &first);
    assert_ptr_equal(pop(&window), &first);
    store_window_submit(&window, &normal);
    store_window_submit(&window, &high);
    assert_ptr_equal(pop(&window), &high);
    assert_null(pop(&window));
    store_window_leave(&window, &first);
    assert_null(pop(&window));
    store_window_leave(&window, &high);
    assert_ptr_equal(pop(&window), &normal);
    store_window_leave(&window, &normal);
    store_window_clear(&window);
}

static void first_come_first_served_inside_a_priority(void **state)
{
    (void)state;
    store_window_t window = window_of(1, 1);
    window_request_t requests[] = {at(9, PULL_LOW), at(9, PULL_NORMAL), at(9, PULL_HIGH),
                                   at(9, PULL_NORMAL)};
    for (int i = 0; i < 4; i++)
        store_window_submit(&window, &requests[i]);
    const int order[] = {2, 1, 3, 0};
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(pop(&window), &requests[order[i]]);
    for (int i = 0; i < 4; i++)
        store_window_leave(&window, &requests[i]);
    store_window_clear(&window);
}

static void who_starts_above_a_stream_rides_on_it(void **state)
{
    (void)state;
    store_window_t window = window_of(1, 1);
    window_request_t high = at(60, PULL_HIGH), lower = at(50, PULL_HIGH), low = at(55, PULL_LOW),
                     below = at(49, PULL_NORMAL), late = at(80, PULL_NORMAL);
    store_window_submit(&window, &high);
    store_window_submit(&window, &lower);
    store_window_submit(&window, &low);
    store_window_submit(&window, &below);
    assert_ptr_equal(pop(&window), &high);
    assert_int_equal(high.stream->from.v, 50);
    assert_ptr_equal(pop(&window), &lower);
    assert_ptr_equal(pop(&window), &low);
    assert_null(pop(&window));
    assert_int_equal(store_window_progress(&window, high.stream, (commit_ts_t){80}), 0);
    store_window_submit(&window, &late);
    assert_ptr_equal(pop(&window), &late);
    assert_ptr_equal(late.stream, high.stream);
    assert_int_equal(window.stream_count, 1);
    assert_int_equal(window.waiting, 1);
    /* It could only be opened further back: then `below` rides, too. */
    store_window_progress(&window, high.stream, (commit_ts_t){40});
    assert_ptr_equal(pop(&window), &below);
    store_window_clear(&window);
}

static void who_was_not_sent_before_the_stream_passed_its_start_waits_again(void **state)
{
    (void)state;
    store_window_t window = window_of(1, 1);
    window_request_t first = at(50, PULL_NORMAL), rider = at(60, PULL_NORMAL);
    store_window_submit(&window, &first);
    assert_ptr_equal(pop(&window), &first);
    store_window_submit(&window, &rider);
    uint64_t number = first.stream->number;
    store_window_leave(&window, &first);
    assert_int_equal(window.stream_count, 1);
    assert_int_equal(store_window_progress(&window, rider.stream, (commit_ts_t){61}), number);
    assert_int_equal(window.waiting, 1);
    bool is_new;
    assert_ptr_equal(store_window_pop(&window, 99, &is_new), &rider);
    assert_true(is_new);
    store_window_leave(&window, &rider);
    store_window_clear(&window);
}

static void a_request_that_is_in_is_not_taken_in_again(void **state)
{
    (void)state;
    store_window_t window = window_of(1, 1);
    window_request_t request = at(5, PULL_NORMAL);
    assert_true(store_window_submit(&window, &request));
    assert_ptr_equal(pop(&window), &request);
    window_stream_t *stream = request.stream;
    assert_false(store_window_submit(&window, &request));
    assert_ptr_equal(request.stream, stream);
    assert_null(pop(&window));
    assert_int_equal(window.stream_count, 1);
    assert_int_not_equal(store_window_leave(&window, &request), 0);
    assert_int_equal(store_window_leave(&window, &request), 0);
    assert_int_equal(window.stream_count, 0);
    store_window_clear(&window);
}

static void those_that_wait_can_be_taken_back(void **state)
{
    (void)state;
    store_window_t window = window_of(1, 1);
    window_request_t first = at(50, PULL_NORMAL), one = at(1, PULL_LOW), two = at(2, PULL_HIGH);
    store_window_submit(&window, &first);
    assert_ptr_equal(pop(&window), &first);
    store_window_submit(&window, &one);
    store_window_submit(&window, &two);
    assert_ptr_equal(store_window_first_waiting(&window), &two);
    store_window_leave(&window, &two);
    assert_ptr_equal(store_window_first_waiting(&window), &one);
    store_window_leave(&window, &one);
    assert_null(store_window_first_waiting(&window));
    assert_int_equal(window.waiting, 0);
    store_window_clear(&window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_stream_at_a_time),
        cmocka_unit_test(high_priority_may_use_a_second_one_and_jumps_the_queue),
        cmocka_unit_test(first_come_first_served_inside_a_priority),
        cmocka_unit_test(who_starts_above_a_stream_rides_on_it),
        cmocka_unit_test(who_was_not_sent_before_the_stream_passed_its_start_waits_again),
        cmocka_unit_test(a_request_that_is_in_is_not_taken_in_again),
        cmocka_unit_test(those_that_wait_can_be_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
