#include "tests/testing.h"

#include "dispatcher/core/puller/range_backoff.h"

static const uint64_t first_ns = BACKOFF_FIRST_NS, max_ns = BACKOFF_MAX_NS;

static key_range_t range_of(const char *start, const char *end)
{
    return (key_range_t){bytes_of_text(start), bytes_of_text(end)};
}

static mono_ns_t ms(uint64_t number)
{
    return (mono_ns_t){number * NS_PER_MS};
}

typedef struct {
    range_backoff_t backoff;
    range_backoff_owner_t owner;
} fixture_t;

static void begin(fixture_t *f)
{
    *f = (fixture_t){.owner = {.number = 1}};
    range_backoff_init(&f->backoff, &RANGE_BACKOFF_DEFAULT);
}

static uint64_t fails(fixture_t *f, key_range_t range, uint64_t hint_ms, mono_ns_t now)
{
    return range_backoff_fail(&f->backoff, &f->owner, range, hint_ms, now, 0);
}

static void doubles_up_to_the_longest_with_jitter(void **state)
{
    (void)state;
    fixture_t f;
    begin(&f);
    uint64_t expected = first_ns;
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t delay = range_backoff_fail(&f.backoff, &f.owner, range_of("a", "b"), 0, ms(i),
                                            i * UINT64_C(0x9e3779b97f4a7c15));
        assert_in_range(delay, expected - expected / 2, expected);
        expected = expected * 2 < max_ns ? expected * 2 : max_ns;
    }
    range_backoff_clear(&f.backoff);
}

static void another_range_or_subscription_counts_for_itself(void **state)
{
    (void)state;
    fixture_t f;
    begin(&f);
    range_backoff_owner_t other = {.number = 2};
    fails(&f, range_of("a", "b"), 0, ms(0));
    fails(&f, range_of("a", "b"), 0, ms(0));
    fails(&f, range_of("a", ""), 0, ms(0));
    range_backoff_fail(&f.backoff, &other, range_of("a", "b"), 0, ms(0), 0);
    assert_int_equal(range_backoff_failures(&f.backoff, &f.owner, range_of("a", "b")), 2);
    assert_int_equal(range_backoff_failures(&f.backoff, &f.owner, range_of("a", "")), 1);
    assert_int_equal(range_backoff_failures(&f.backoff, &other, range_of("a", "b")), 1);
    range_backoff_clear(&f.backoff);
}

/* "ab" + "c" and "a" + "bc" are two ranges. */
static void keys_are_not_run_together(void **state)
{
    (void)state;
    fixture_t f;
    begin(&f);
    fails(&f, range_of("ab", "c"), 0, ms(0));
    assert_int_equal(range_backoff_failures(&f.backoff, &f.owner, range_of("a", "bc")), 0);
    range_backoff_clear(&f.backoff);
}

static void an_initialised_range_and_an_ended_subscription_are_forgotten(void **state)
{
    (void)state;
    fixture_t f;
    begin(&f);
    range_backoff_owner_t other = {.number = 2};
    fails(&f, range_of("a", "b"), 0, ms(0));
    fails(&f, range_of("b", "c"), 0, ms(0));
    range_backoff_fail(&f.backoff, &other, range_of("a", "b"), 0, ms(0), 0);
    range_backoff_succeed(&f.backoff, &f.owner, range_of("a", "b"));
    assert_int_equal(fails(&f, range_of("a", "b"), 0, ms(1)), first_ns);
    range_backoff_forget_owner(&f.backoff, &f.owner);
    assert_int_equal(range_backoff_failures(&f.backoff, &f.owner, range_of("b", "c")), 0);
    assert_int_equal(f.backoff.by_range.count, 1);
    range_backoff_clear(&f.backoff);
}

static void failures_are_forgotten_after_a_while(void **state)
{
    (void)state;
    fixture_t f;
    begin(&f);
    const uint64_t forget_ns = f.backoff.settings.forget_ns;
    fails(&f, range_of("old", "z"), 0, (mono_ns_t){0});
    fails(&f, range_of("live", "z"), 0, (mono_ns_t){2 * NS_PER_S});
    mono_ns_t now = {forget_ns + NS_PER_S};
    fails(&f, range_of("new", "z"), 0, now);
    assert_int_equal(f.backoff.by_range.count, 2);
    assert_int_equal(range_backoff_failures(&f.backoff, &f.owner, range_of("old", "z")), 0);
    assert_int_equal(fails(&f, range_of("live", "z"), 0, now), 2 * first_ns);
    /* It counts from the last failure. */
    assert_int_equal(fails(&f, range_of("live", "z"), 0, mono_add(now, forget_ns)), 4 * first_ns);
    assert_int_equal(fails(&f, range_of("new", "z"), 0, mono_add(now, forget_ns + 1)), first_ns);
    range_backoff_clear(&f.backoff);
}

static void a_busy_hint_is_a_floor_with_a_cap(void **state)
{
    (void)state;
    const struct {
        uint64_t hint_ms, floor_ns;
    } cases[] = {
        {0, 0},
        {20, 20 * NS_PER_MS},
        {123, 123 * NS_PER_MS},
        {10000, 10 * NS_PER_S},
        {600000, 600 * NS_PER_S},
        {660000, 600 * NS_PER_S},
        {UINT64_MAX, 600 * NS_PER_S},
        {UINT64_MAX / NS_PER_MS + 2, 600 * NS_PER_S},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture_t f;
        begin(&f);
        uint64_t delay = fails(&f, range_of("a", "b"), cases[i].hint_ms, ms(1));
        assert_int_equal(delay, cases[i].floor_ns > first_ns ? cases[i].floor_ns : first_ns);
        range_backoff_clear(&f.backoff);
    }
}

static void beyond_the_limit_the_oldest_is_forgotten(void **state)
{
    (void)state;
    fixture_t f = {.owner = {.number = 1}};
    range_backoff_settings_t settings = RANGE_BACKOFF_DEFAULT;
    settings.ranges_max = 2;
    range_backoff_init(&f.backoff, &settings);
    fails(&f, range_of("a", "b"), 0, ms(1));
    fails(&f, range_of("b", "c"), 0, ms(2));
    fails(&f, range_of("a", "b"), 0, ms(3));
    fails(&f, range_of("c", "d"), 0, ms(4));
    assert_int_equal(f.backoff.by_range.count, 2);
    assert_int_equal(range_backoff_failures(&f.backoff, &f.owner, range_of("b", "c")), 0);
    assert_int_equal(range_backoff_failures(&f.backoff, &f.owner, range_of("a", "b")), 2);
    range_backoff_clear(&f.backoff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_up_to_the_longest_with_jitter),
        cmocka_unit_test(another_range_or_subscription_counts_for_itself),
        cmocka_unit_test(keys_are_not_run_together),
        cmocka_unit_test(an_initialised_range_and_an_ended_subscription_are_forgotten),
        cmocka_unit_test(failures_are_forgotten_after_a_while),
        cmocka_unit_test(a_busy_hint_is_a_floor_with_a_cap),
        cmocka_unit_test(beyond_the_limit_the_oldest_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
