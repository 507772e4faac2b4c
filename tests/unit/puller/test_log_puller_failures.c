#include "tests/unit/puller/log_puller_fixture.h"

static const uint64_t first_ns = BACKOFF_FIRST_NS, debounce_ns = 25 * NS_PER_MS;

/* A subscription whose only region is requested at store 0. */
static uint64_t begin_requested(fixture_t *f, uint32_t stores)
{
    *f = begin(stores);
    subscribe(f, dispatcher, "", "");
    locate_at(f, 0);
    return expect_request(f, 0);
}

/* A subscription whose two regions are to be requested at store 0. */
static void begin_two_regions(fixture_t *f)
{
    *f = begin(1);
    subscribe(f, dispatcher, "a", "z");
    region_location_t regions[] = {region(1, "", "m", 0), region(2, "m", "", 0)};
    located(f, expect(f, LOG_PULLER_LOCATE)->number, regions, 2);
}

/* What the core itself is asked about the delay it chose: never early. */
static uint64_t pass_to_deadline(fixture_t *f)
{
    uint64_t delay = mono_elapsed(f->now, log_puller_next_deadline(f->puller));
    pass(f, delay - 1);
    expect_nothing(f);
    pass(f, 1);
    return delay;
}

static void not_leader_is_retried_at_the_leader_that_is_named(void **state)
{
    (void)state;
    fixture_t f;
    uint64_t request = begin_requested(&f, 3);
    fail_region(&f, request, (region_failure_t){.kind = REGION_NOT_LEADER, .leader = 2});
    expect(&f, LOG_PULLER_CLOSE);
    assert_int_equal(ranges_in(&f, dispatcher, RANGE_RETRYING), 1);
    assert_in_range(pass_to_deadline(&f), first_ns / 2, first_ns);
    expect_request(&f, 2);
    end(&f);
}

static void what_has_moved_is_located_again(void **state)
{
    (void)state;
    const region_failure_t failures[] = {
        {.kind = REGION_NOT_LEADER, .leader = REGION_LEADER_UNKNOWN},
        {.kind = REGION_NOT_LEADER, .leader = 17},
        {.kind = REGION_EPOCH_NOT_MATCH},
        {.kind = REGION_NOT_FOUND},
        {.kind = REGION_NO_ROUTE},
    };
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        fixture_t f;
        uint64_t request = begin_requested(&f, 2);
        fail_region(&f, request, failures[i]);
        expect(&f, LOG_PULLER_CLOSE);
        assert_in_range(pass_to_deadline(&f), first_ns / 2, first_ns);
        expect_nothing(&f);
        assert_int_equal(ranges_in(&f, dispatcher, RANGE_RELOADING), 1);
        assert_int_equal(pass_to_deadline(&f), debounce_ns);
        locate_at(&f, 1);
        expect_request(&f, 1);
        assert_int_equal(log_puller_store_allowed_at(f.puller, 0).v, 0);
        end(&f);
    }
}

static void many_ranges_are_located_again_at_once(void **state) /* G2 */
{
    (void)state;
    log_puller_options_t options = log_puller_options_default(1);
    options.reload.ranges_max = 2;
    fixture_t f = begin_with(&options);
    subscribe(&f, dispatcher, "a", "z");
    region_location_t regions[] = {region(1, "", "m", 0), region(2, "m", "", 0)};
    located(&f, expect(&f, LOG_PULLER_LOCATE)->number, regions, 2);
    uint64_t left = expect_request(&f, 0);
    uint64_t right = expect(&f, LOG_PULLER_REQUEST)->number;
    fail_region(&f, left, (region_failure_t){.kind = REGION_NOT_FOUND});
    fail_region(&f, right, (region_failure_t){.kind = REGION_NOT_FOUND});
    expect(&f, LOG_PULLER_CLOSE);
    pass(&f, first_ns); /* both are due, and the second one is one too many to wait */
    expect(&f, LOG_PULLER_LOCATE);
    expect_keys(&f, "a", "z");
    pass(&f, debounce_ns);
    expect_nothing(&f);
    assert_int_equal(log_puller_state(f.puller).reloads, 1);
    end(&f);
}

static void what_ends_while_it_is_collected_is_never_located(void **state) /* R5, G4 */
{
    (void)state;
    fixture_t f;
    uint64_t request = begin_requested(&f, 1);
    fail_region(&f, request, (region_failure_t){.kind = REGION_NOT_FOUND});
    expect(&f, LOG_PULLER_CLOSE);
    pass_to_deadline(&f);
    expect_nothing(&f);
    assert_int_equal(ranges_in(&f, dispatcher, RANGE_RELOADING), 1);
    log_puller_unsubscribe(f.puller, dispatcher);
    assert_int_equal(log_puller_next_deadline(f.puller).v, MONO_NEVER.v);
    pass(&f, NS_PER_S);
    expect_nothing(&f);
    assert_int_equal(log_puller_state(f.puller).ranges, 0);
    end(&f);
}

/* Its delay is not the other one's, who begins at the same moment. */
static void pullers_of_different_seeds_do_not_try_again_together(void **state) /* R1 */
{
    (void)state;
    uint64_t delays[2];
    for (uint64_t i = 0; i < 2; i++) {
        log_puller_options_t options = log_puller_options_default(1);
        options.seed = 1 + i * UINT64_C(0x9e3779b97f4a7c15);
        fixture_t f = begin_with(&options);
        subscribe(&f, dispatcher, "", "");
        locate_at(&f, 0);
        fail_region(&f, expect_request(&f, 0), (region_failure_t){.kind = REGION_BUSY});
        expect(&f, LOG_PULLER_CLOSE);
        delays[i] = pass_to_deadline(&f);
        end(&f);
    }
    assert_int_not_equal(delays[0], delays[1]);
}

/* Nor are two ranges of one puller, though they failed at the same moment. */
static void ranges_that_fail_together_are_not_tried_again_together(void **state) /* R1 */
{
    (void)state;
    fixture_t f;
    begin_two_regions(&f);
    uint64_t left = expect_request(&f, 0);
    uint64_t right = expect(&f, LOG_PULLER_REQUEST)->number;
    fail_region(&f, left, (region_failure_t){.kind = REGION_BUSY});
    fail_region(&f, right, (region_failure_t){.kind = REGION_BUSY});
    expect(&f, LOG_PULLER_CLOSE);
    (void)pass_to_deadline(&f);
    expect_request(&f, 0);
    expect_nothing(&f);
    assert_int_equal(ranges_in(&f, dispatcher, RANGE_RETRYING), 1);
    end(&f);
}

static void busy_and_congested_wait_for_the_hint(void **state)
{
    (void)state;
    const region_failure_kind_t kinds[] = {REGION_BUSY, REGION_CONGESTED};
    for (size_t i = 0; i < 2; i++) {
        fixture_t f = begin(2);
        subscribe(&f, dispatcher, "", "");
        locate_at(&f, 1);
        uint64_t request = expect_request(&f, 1);
        fail_region(&f, request, (region_failure_t){.kind = kinds[i], .hint_ms = UINT64_MAX});
        expect(&f, LOG_PULLER_CLOSE);
        assert_int_equal(pass_to_deadline(&f), 600 * NS_PER_S);
        expect_request(&f, 1);
        end(&f);
    }
}

static void a_store_that_failed_is_left_alone_and_its_region_served_elsewhere(void **state)
{
    (void)state;
    const region_failure_kind_t kinds[] = {REGION_STREAM_FAILED, REGION_UNCLASSIFIED};
    for (size_t i = 0; i < 2; i++) {
        fixture_t f;
        uint64_t request = begin_requested(&f, 2);
        mono_ns_t failed_at = f.now;
        fail_region(&f, request, (region_failure_t){.kind = kinds[i]});
        expect(&f, LOG_PULLER_CLOSE);
        assert_int_equal(log_puller_store_allowed_at(f.puller, 0).v,
                         mono_add(failed_at, 200 * NS_PER_MS).v);
        pass_to_deadline(&f);
        expect_nothing(&f);
        pass_to_deadline(&f);
        locate_at(&f, 1);
        expect_request(&f, 1);
        assert_int_equal(log_puller_state(f.puller).unclassified, i);
        end(&f);
    }
}

static void nothing_is_sent_to_the_only_store_before_its_cooldown_ends(void **state)
{
    (void)state;
    fixture_t f;
    uint64_t request = begin_requested(&f, 1);
    mono_ns_t until = mono_add(f.now, 200 * NS_PER_MS);
    fail_region(&f, request, (region_failure_t){.kind = REGION_STREAM_FAILED});
    expect(&f, LOG_PULLER_CLOSE);
    while (f.now.v < until.v - NS_PER_MS) {
        pass(&f, NS_PER_MS);
        while (take(&f)) {
            assert_int_equal(f.last.kind, LOG_PULLER_LOCATE);
            region_location_t whole = region(1, "", "", 0);
            located(&f, f.last.number, &whole, 1);
        }
    }
    assert_int_equal(log_puller_next_deadline(f.puller).v, until.v);
    f.now = until;
    request = expect_request(&f, 0);
    assert_int_equal(log_puller_store_allowed_at(f.puller, 0).v, until.v);
    log_puller_region_initialised(f.puller, request, f.now);
    assert_int_equal(log_puller_store_allowed_at(f.puller, 0).v, 0);
    end(&f);
}

static void the_cooldown_doubles_and_a_success_ends_it(void **state)
{
    (void)state;
    fixture_t f;
    uint64_t request = begin_requested(&f, 1);
    for (uint64_t i = 0; i < 8; i++) {
        uint64_t cooldown = (UINT64_C(200) << i) < 5000 ? UINT64_C(200) << i : 5000;
        mono_ns_t failed_at = f.now;
        fail_region(&f, request, (region_failure_t){.kind = REGION_STREAM_FAILED});
        assert_int_equal(log_puller_store_allowed_at(f.puller, 0).v,
                         mono_add(failed_at, cooldown * NS_PER_MS).v);
        request = 0;
        while (request == 0) {
            while (take(&f)) {
                region_location_t whole = region(1, "", "", 0);
                if (f.last.kind == LOG_PULLER_LOCATE)
                    located(&f, f.last.number, &whole, 1);
                if (f.last.kind == LOG_PULLER_REQUEST)
                    request = f.last.number;
            }
            if (request == 0)
                f.now = log_puller_next_deadline(f.puller);
        }
    }
    log_puller_store_serves(f.puller, 0);
    assert_int_equal(log_puller_store_allowed_at(f.puller, 0).v, 0);
    end(&f);
}

static void what_trying_again_cannot_mend_fails_the_changefeed_once(void **state)
{
    (void)state;
    fixture_t f;
    begin_two_regions(&f);
    uint64_t left = expect_request(&f, 0);
    uint64_t right = expect(&f, LOG_PULLER_REQUEST)->number;
    fail_region(&f, left,
                (region_failure_t){.kind = REGION_FATAL, .error = SLUICE_ERROR_SOURCE_PURGED});
    assert_int_equal(expect(&f, LOG_PULLER_FAILED)->error, SLUICE_ERROR_SOURCE_PURGED);
    fail_region(&f, right,
                (region_failure_t){.kind = REGION_FATAL, .error = SLUICE_ERROR_SOURCE_DIVERGED});
    expect(&f, LOG_PULLER_CLOSE);
    expect_nothing(&f);
    assert_int_equal(log_puller_next_deadline(f.puller).v, MONO_NEVER.v);
    end(&f);
}

static void a_region_of_a_stopped_subscription_is_forgotten(void **state)
{
    (void)state;
    fixture_t f;
    uint64_t request = begin_requested(&f, 1);
    fail_region(&f, request, (region_failure_t){.kind = REGION_STOPPED});
    assert_int_equal(log_puller_state(f.puller).subscriptions, 0);
    assert_int_equal(log_puller_next_deadline(f.puller).v, MONO_NEVER.v);
    end(&f);
}

static void nothing_is_left_of_a_subscription_that_has_ended(void **state) /* RTY-6 */
{
    (void)state;
    const dispatcher_id_t ids[] = {{1, 1}, {1, 2}, {1, 3}};
    fixture_t f = begin(1);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3; i++) {
            subscribe(&f, ids[i], "a", "z");
            locate_at(&f, 0);
            uint64_t request = expect_request(&f, 0);
            fail_region(&f, request, (region_failure_t){.kind = REGION_BUSY});
            expect(&f, LOG_PULLER_CLOSE);
        }
        log_puller_unsubscribe(f.puller, ids[0]);
        log_puller_unsubscribe(f.puller, ids[2]);
        assert_false(log_puller_visit_ranges(f.puller, ids[0], count_ranges, NULL));
        log_puller_unsubscribe(f.puller, ids[1]);
        pass(&f, 301 * NS_PER_S); /* what failed so long ago is forgotten with the next failure */
    }
    end(&f);
}

/* The second region has the first one's range: the delay is that of a second failure. */
static void the_backoff_survives_another_region(void **state)
{
    (void)state;
    fixture_t f;
    uint64_t request = begin_requested(&f, 1);
    fail_region(&f, request, (region_failure_t){.kind = REGION_EPOCH_NOT_MATCH});
    expect(&f, LOG_PULLER_CLOSE);
    pass_to_deadline(&f);
    expect_nothing(&f);
    pass_to_deadline(&f);
    region_location_t other = region(2, "", "", 0);
    located(&f, expect(&f, LOG_PULLER_LOCATE)->number, &other, 1);
    request = expect_request(&f, 0);
    assert_int_equal(f.last.region_id, 2);
    fail_region(&f, request, (region_failure_t){.kind = REGION_BUSY});
    expect(&f, LOG_PULLER_CLOSE);
    assert_in_range(pass_to_deadline(&f), first_ns, 2 * first_ns);
    request = expect_request(&f, 0);
    log_puller_region_initialised(f.puller, request, f.now);
    expect(&f, LOG_PULLER_CLOSE);
    expect(&f, LOG_PULLER_INITIALISED);
    fail_region(&f, request, (region_failure_t){.kind = REGION_BUSY});
    assert_in_range(pass_to_deadline(&f), first_ns / 2, first_ns);
    end(&f);
}

static void a_failure_that_is_told_twice_counts_once(void **state)
{
    (void)state;
    fixture_t f;
    uint64_t request = begin_requested(&f, 1);
    fail_region(&f, request, (region_failure_t){.kind = REGION_BUSY, .hint_ms = 100});
    fail_region(&f, request, (region_failure_t){.kind = REGION_BUSY, .hint_ms = 400});
    expect(&f, LOG_PULLER_CLOSE);
    assert_int_equal(pass_to_deadline(&f), 100 * NS_PER_MS);
    expect_request(&f, 0);
    pass(&f, NS_PER_S);
    expect_nothing(&f);
    end(&f);
}

static void a_stream_that_fails_takes_along_what_it_carries_and_what_waits_there(void **state)
{
    (void)state;
    fixture_t f = begin(1);
    const dispatcher_id_t ids[] = {{1, 1}, {1, 2}, {1, 3}};
    const uint64_t starts[] = {100, 150, 50};
    uint64_t stream = 0;
    for (int i = 0; i < 3; i++) {
        span_t span = {{9 + (uint64_t)i}, {0}, {0}};
        log_puller_subscribe(f.puller, ids[i], span, (commit_ts_t){starts[i]}, PULL_NORMAL);
        locate_at(&f, 0);
        while (take(&f))
            stream = f.last.stream;
    }
    log_puller_stream_at(f.puller, 0, stream, (commit_ts_t){120});
    region_failure_t failure = {.kind = REGION_STREAM_FAILED};
    log_puller_stream_failed(f.puller, 0, stream, &failure, f.now);
    expect_nothing(&f); /* it is closed already */
    for (int i = 0; i < 3; i++)
        assert_int_equal(ranges_in(&f, ids[i], RANGE_RETRYING), 1);
    /* One outage: the shortest cooldown, and each goes on where it was. */
    pass(&f, 200 * NS_PER_MS);
    commit_ts_t from[3] = {{0}};
    while (take(&f)) {
        region_location_t whole = region(1, "", "", 0);
        if (f.last.kind == LOG_PULLER_LOCATE)
            located(&f, f.last.number, &whole, 1);
        if (f.last.kind == LOG_PULLER_REQUEST)
            from[f.last.dispatcher_id.lo - 1] = f.last.start;
        if (f.last.kind == LOG_PULLER_OPEN)
            assert_int_equal(f.last.start.v, 50);
    }
    assert_int_equal(from[0].v, 120);
    assert_int_equal(from[1].v, 150);
    assert_int_equal(from[2].v, 50);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(not_leader_is_retried_at_the_leader_that_is_named),
        cmocka_unit_test(what_has_moved_is_located_again),
        cmocka_unit_test(many_ranges_are_located_again_at_once),
        cmocka_unit_test(what_ends_while_it_is_collected_is_never_located),
        cmocka_unit_test(pullers_of_different_seeds_do_not_try_again_together),
        cmocka_unit_test(ranges_that_fail_together_are_not_tried_again_together),
        cmocka_unit_test(busy_and_congested_wait_for_the_hint),
        cmocka_unit_test(a_store_that_failed_is_left_alone_and_its_region_served_elsewhere),
        cmocka_unit_test(nothing_is_sent_to_the_only_store_before_its_cooldown_ends),
        cmocka_unit_test(the_cooldown_doubles_and_a_success_ends_it),
        cmocka_unit_test(what_trying_again_cannot_mend_fails_the_changefeed_once),
        cmocka_unit_test(a_region_of_a_stopped_subscription_is_forgotten),
        cmocka_unit_test(nothing_is_left_of_a_subscription_that_has_ended),
        cmocka_unit_test(the_backoff_survives_another_region),
        cmocka_unit_test(a_failure_that_is_told_twice_counts_once),
        cmocka_unit_test(a_stream_that_fails_takes_along_what_it_carries_and_what_waits_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
