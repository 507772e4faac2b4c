#include "tests/testing.h"

#include "maintainer/core/commit_times.h"

static uint64_t time_at(commit_times_t *times, uint64_t ts)
{
    return commit_times_reach(times, (commit_ts_t){ts}).v;
}

static void add(commit_times_t *times, uint64_t ts, uint64_t time)
{
    commit_times_add(times, (commit_ts_t){ts}, (wall_ms_t){time});
}

static void tells_the_time_of_the_newest_known_position_at_or_below(void **state)
{
    (void)state;
    commit_times_t times = {0};
    assert_int_equal(time_at(&times, 100), 0);
    add(&times, 10, 1000);
    add(&times, 20, 2000);
    add(&times, 30, 2000);
    assert_int_equal(time_at(&times, 9), 0);
    assert_int_equal(time_at(&times, 10), 1000);
    assert_int_equal(time_at(&times, 19), 1000);
    assert_int_equal(time_at(&times, 20), 2000);
    assert_int_equal(time_at(&times, 500), 2000);
    add(&times, 600, 9000);
    assert_int_equal(time_at(&times, 599), 2000);
}

/* Several nodes tell of one log; one that reads for the first time has no time yet. */
static void ignores_what_is_known_older_or_without_time(void **state)
{
    (void)state;
    commit_times_t times = {0};
    add(&times, 20, 2000);
    add(&times, 20, 2500);
    add(&times, 15, 1500);
    add(&times, 25, 0);
    assert_int_equal(time_at(&times, 19), 0);
    assert_int_equal(time_at(&times, 30), 2000);
}

static void stays_near_when_the_checkpoint_is_far_behind(void **state)
{
    (void)state;
    commit_times_t times = {0};
    for (uint64_t i = 1; i <= 100000; i++)
        add(&times, i * 10, i * 1000);
    assert_true(times.count <= COMMIT_TIMES_MAX);
    for (uint64_t ts = 10; ts <= 1000000; ts += 990) {
        uint64_t exact = ts / 10 * 1000, told = time_at(&times, ts);
        assert_true(told <= exact && exact - told <= 100000 * 1000 / (COMMIT_TIMES_MAX / 4));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_time_of_the_newest_known_position_at_or_below),
        cmocka_unit_test(ignores_what_is_known_older_or_without_time),
        cmocka_unit_test(stays_near_when_the_checkpoint_is_far_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
