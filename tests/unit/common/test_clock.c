#include "tests/testing.h"

#include "common/runtime/clock.h"

static void monotonic_clock_does_not_go_back(void **state)
{
    (void)state;
    mono_ns_t first = clock_mono();
    assert_true(clock_mono().v >= first.v);
    assert_true(first.v > 0);
}

static void poll_timeout_never_ends_early(void **state)
{
    (void)state;
    mono_ns_t now = {5 * NS_PER_S};
    assert_int_equal(clock_poll_timeout(MONO_NEVER, now), -1);
    assert_int_equal(clock_poll_timeout((mono_ns_t){0}, now), 0);
    assert_int_equal(clock_poll_timeout(now, now), 0);
    assert_int_equal(clock_poll_timeout(mono_add(now, 1), now), 1);
    assert_int_equal(clock_poll_timeout(mono_add(now, 2 * NS_PER_MS), now), 2);
    assert_int_equal(clock_poll_timeout((mono_ns_t){UINT64_MAX - 1}, now), INT32_MAX);
}

static void formats_utc_with_milliseconds(void **state)
{
    (void)state;
    char text[CLOCK_TEXT_SIZE];
    clock_format((wall_ms_t){0}, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    clock_format((wall_ms_t){1767225599123}, text);
    assert_string_equal(text, "2025-12-31T23:59:59.123Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monotonic_clock_does_not_go_back),
        cmocka_unit_test(poll_timeout_never_ends_early),
        cmocka_unit_test(formats_utc_with_milliseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
