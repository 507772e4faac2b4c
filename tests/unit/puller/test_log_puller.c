#include "tests/unit/puller/log_puller_fixture.h"

#include <stdio.h>

static void a_subscription_is_located_requested_and_initialised_once(void **state)
{
    (void)state;
    fixture_t f = begin(2);
    subscribe(&f, dispatcher, "a", "z");
    expect(&f, LOG_PULLER_LOCATE);
    expect_keys(&f, "a", "z");
    assert_int_equal(f.last.table_id.v, 9);
    assert_true(dispatcher_id_equal(f.last.dispatcher_id, dispatcher));
    region_location_t regions[] = {region(1, "", "m", 0), region(2, "m", "", 1)};
    located(&f, f.last.number, regions, 2);
    uint64_t left = expect_request(&f, 0);
    expect_keys(&f, "a", "m");
    assert_int_equal(f.last.start.v, 100);
    uint64_t right = expect_request(&f, 1);
    expect_keys(&f, "m", "z");
    assert_int_equal(f.last.region_id, 2);
    log_puller_region_initialised(f.puller, right, f.now);
    assert_int_equal(expect(&f, LOG_PULLER_CLOSE)->store, 1);
    expect_nothing(&f);
    log_puller_region_initialised(f.puller, left, f.now);
    expect(&f, LOG_PULLER_CLOSE);
    expect(&f, LOG_PULLER_INITIALISED);
    assert_int_equal(ranges_in(&f, dispatcher, RANGE_INITIALISED), 2);
    log_puller_region_initialised(f.puller, left, f.now);
    log_puller_stream_at(f.puller, 0, 4711, (commit_ts_t){120}); /* of no stream there is */
    expect_nothing(&f);
    end(&f);
}

static void a_long_span_is_located_page_by_page(void **state)
{
    (void)state;
    fixture_t f = begin(1);
    subscribe(&f, dispatcher, "", "");
    static region_location_t regions[LOG_PULLER_PAGE_MAX];
    static char names[LOG_PULLER_PAGE_MAX + 1][8];
    for (int i = 0; i <= LOG_PULLER_PAGE_MAX; i++)
        snprintf(names[i], sizeof names[i], "%06d", i);
    for (int i = 0; i < LOG_PULLER_PAGE_MAX; i++)
        regions[i] = region(1 + (uint64_t)i, i ? names[i] : "", names[i + 1], 0);
    located(&f, expect(&f, LOG_PULLER_LOCATE)->number, regions, LOG_PULLER_PAGE_MAX);
    expect(&f, LOG_PULLER_LOCATE);
    expect_keys(&f, names[LOG_PULLER_PAGE_MAX], "");
    uint64_t number = f.last.number;
    /* One more than a page is no answer. */
    located(&f, number, regions, LOG_PULLER_PAGE_MAX + 1);
    assert_int_equal(ranges_in(&f, dispatcher, RANGE_RETRYING), 1);
    end(&f);
}

static void a_page_that_fails_or_has_a_hole_is_asked_for_again(void **state)
{
    (void)state;
    const region_location_t answers[][2] = {
        {region(1, "b", "m", 0), region(2, "m", "", 0)}, /* misses the left edge */
        {region(1, "a", "m", 0), region(2, "n", "", 0)}, /* a hole */
        {region(1, "a", "m", 0), region(2, "k", "", 0)}, /* an overlap */
        {region(1, "a", "m", 0), region(2, "m", "", 2)}, /* a store that is not there */
        {region(1, "", "a", 0), region(2, "a", "", 0)},  /* begins before it */
        {region(1, "a", "a", 0), region(2, "a", "", 0)}, /* an empty one */
    };
    fixture_t f = begin(2);
    subscribe(&f, dispatcher, "a", "z");
    for (size_t i = 0; i <= sizeof answers / sizeof answers[0]; i++) {
        expect(&f, LOG_PULLER_LOCATE);
        expect_keys(&f, "a", "z");
        if (i == 0)
            located(&f, f.last.number, NULL, 0);
        else
            located(&f, f.last.number, answers[i - 1], 2);
        expect_nothing(&f);
        pass(&f, 99 * NS_PER_MS);
        expect_nothing(&f);
        pass(&f, NS_PER_MS);
    }
    locate_at(&f, 0);
    expect_request(&f, 0);
    end(&f);
}

static void what_lies_behind_the_span_is_not_looked_at(void **state)
{
    (void)state;
    fixture_t f = begin(1);
    subscribe(&f, dispatcher, "a", "m");
    region_location_t regions[] = {region(1, "a", "n", 0), region(2, "o", "", 7)};
    located(&f, expect(&f, LOG_PULLER_LOCATE)->number, regions, 2);
    expect_request(&f, 0);
    expect_keys(&f, "a", "m");
    expect_nothing(&f);
    end(&f);
}

static void an_answer_goes_on_where_the_last_region_ends(void **state)
{
    (void)state;
    fixture_t f = begin(1);
    subscribe(&f, dispatcher, "a", "z");
    region_location_t part = region(1, "a", "m", 0);
    located(&f, expect(&f, LOG_PULLER_LOCATE)->number, &part, 1);
    expect(&f, LOG_PULLER_LOCATE);
    expect_keys(&f, "m", "z");
    expect_request(&f, 0);
    expect_keys(&f, "a", "m");
    end(&f);
}

static void an_ended_subscription_cancels_and_is_never_tried_again(void **state)
{
    (void)state;
    fixture_t f = begin(1);
    subscribe(&f, dispatcher, "a", "z");
    region_location_t regions[] = {region(1, "a", "m", 0), region(2, "m", "z", 0)};
    located(&f, expect(&f, LOG_PULLER_LOCATE)->number, regions, 2);
    uint64_t left = expect_request(&f, 0);
    uint64_t right = expect(&f, LOG_PULLER_REQUEST)->number;
    fail_region(&f, left, (region_failure_t){.kind = REGION_BUSY});
    log_puller_unsubscribe(f.puller, dispatcher);
    assert_int_equal(expect(&f, LOG_PULLER_CANCEL)->number, right);
    expect(&f, LOG_PULLER_CLOSE);
    assert_int_equal(log_puller_next_deadline(f.puller).v, MONO_NEVER.v);
    pass(&f, 3600 * NS_PER_S);
    log_puller_region_initialised(f.puller, right, f.now);
    fail_region(&f, left, (region_failure_t){.kind = REGION_BUSY});
    expect_nothing(&f);
    log_puller_state_t now = log_puller_state(f.puller);
    assert_int_equal(now.ranges, 0);
    assert_int_equal(now.subscriptions, 0);
    assert_int_equal(now.failing, 0);
    end(&f);
}

static uint32_t all_ranges(fixture_t *f, dispatcher_id_t id)
{
    uint32_t counts[RANGE_INITIALISED + 1] = {0}, count = 0;
    (void)log_puller_visit_ranges(f->puller, id, count_ranges, counts);
    for (int place = 0; place <= RANGE_INITIALISED; place++)
        count += counts[place];
    return count;
}

/* The place of one that ends is taken by the last one, which may be the next to end. */
static void subscriptions_end_in_any_order(void **state)
{
    (void)state;
    enum { COUNT = 4 };
    static const dispatcher_id_t ids[COUNT] = {{1, 1}, {1, 2}, {1, 3}, {1, 4}};
    for (int first = 0; first < COUNT; first++)
        for (int second = 0; second < COUNT; second++) {
            if (second == first)
                continue;
            fixture_t f = begin(1);
            for (int i = 0; i < COUNT; i++)
                subscribe(&f, ids[i], "", "");
            log_puller_unsubscribe(f.puller, ids[first]);
            log_puller_unsubscribe(f.puller, ids[second]);
            assert_int_equal(log_puller_state(f.puller).subscriptions, COUNT - 2);
            for (int i = 0; i < COUNT; i++)
                assert_int_equal(all_ranges(&f, ids[i]), i != first && i != second);
            subscribe(&f, ids[first], "", "");
            assert_int_equal(log_puller_state(f.puller).ranges, COUNT - 1);
            end(&f); /* of each that is left, and of nobody else */
        }
}

static void a_subscription_of_the_same_dispatcher_takes_the_place_of_the_first(void **state)
{
    (void)state;
    fixture_t f = begin(1);
    subscribe(&f, dispatcher, "", "");
    uint64_t old = expect(&f, LOG_PULLER_LOCATE)->number;
    subscribe(&f, dispatcher, "", "");
    region_location_t whole = region(1, "", "", 0);
    located(&f, old, &whole, 1);
    locate_at(&f, 0);
    log_puller_region_initialised(f.puller, expect_request(&f, 0), f.now);
    subscribe(&f, dispatcher, "", "");
    expect(&f, LOG_PULLER_CLOSE);
    expect(&f, LOG_PULLER_CANCEL); /* and nothing is said of the second one any more */
    expect(&f, LOG_PULLER_LOCATE);
    expect_nothing(&f);
    end(&f);
}

static void what_was_not_taken_before_it_was_over_is_not_said(void **state)
{
    (void)state;
    fixture_t f = begin(1);
    subscribe(&f, dispatcher, "", "");
    log_puller_step(f.puller, f.now);
    log_puller_unsubscribe(f.puller, dispatcher);
    expect_nothing(&f);
    end(&f);
}

static void adjacent_starts_share_a_stream_and_lower_ones_wait(void **state)
{
    (void)state;
    fixture_t f = begin(1);
    const dispatcher_id_t ids[] = {{1, 1}, {1, 2}, {1, 3}};
    const uint64_t starts[] = {100, 150, 50};
    uint64_t requests[3];
    for (int i = 0; i < 3; i++) {
        span_t span = {{9 + (uint64_t)i}, {0}, {0}};
        log_puller_subscribe(f.puller, ids[i], span, (commit_ts_t){starts[i]}, PULL_NORMAL);
        locate_at(&f, 0);
        if (i == 0)
            requests[0] = expect_request(&f, 0);
        else if (i == 1)
            requests[1] = expect(&f, LOG_PULLER_REQUEST)->number;
    }
    expect_nothing(&f);
    assert_int_equal(ranges_in(&f, ids[2], RANGE_QUEUED), 1);
    log_puller_region_initialised(f.puller, requests[0], f.now);
    expect(&f, LOG_PULLER_INITIALISED);
    expect_nothing(&f);
    log_puller_region_initialised(f.puller, requests[1], f.now);
    expect(&f, LOG_PULLER_CLOSE);
    expect(&f, LOG_PULLER_INITIALISED);
    assert_int_equal(expect(&f, LOG_PULLER_OPEN)->start.v, 50);
    expect(&f, LOG_PULLER_REQUEST);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_subscription_is_located_requested_and_initialised_once),
        cmocka_unit_test(a_long_span_is_located_page_by_page),
        cmocka_unit_test(a_page_that_fails_or_has_a_hole_is_asked_for_again),
        cmocka_unit_test(what_lies_behind_the_span_is_not_looked_at),
        cmocka_unit_test(an_answer_goes_on_where_the_last_region_ends),
        cmocka_unit_test(an_ended_subscription_cancels_and_is_never_tried_again),
        cmocka_unit_test(subscriptions_end_in_any_order),
        cmocka_unit_test(a_subscription_of_the_same_dispatcher_takes_the_place_of_the_first),
        cmocka_unit_test(what_was_not_taken_before_it_was_over_is_not_said),
        cmocka_unit_test(adjacent_starts_share_a_stream_and_lower_ones_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
