#include "tests/testing.h"

#include "dispatcher/core/backoff.h"

static void doubles_up_to_its_longest_with_jitter(void **state) /* R1 */
{
    (void)state;
    backoff_t backoff = backoff_default();
    uint64_t full = BACKOFF_FIRST_NS, random = 12345;
    for (int i = 0; i < 50; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint64_t delay = backoff_fail(&backoff, random);
        assert_in_range(delay, full / 2, full);
        full = full * 2 < BACKOFF_MAX_NS ? full * 2 : BACKOFF_MAX_NS;
    }
    backoff_succeed(&backoff);
    assert_in_range(backoff_fail(&backoff, 3), BACKOFF_FIRST_NS / 2, BACKOFF_FIRST_NS);
}

/* Those that fail together do not try again together. */
static void spreads_over_the_upper_half(void **state) /* R1 */
{
    (void)state;
    uint64_t random = 1, shortest = UINT64_MAX, longest = 0;
    for (int i = 0; i < 1000; i++) {
        backoff_t backoff = backoff_default();
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint64_t delay = backoff_fail(&backoff, random >> 16);
        shortest = delay < shortest ? delay : shortest;
        longest = delay > longest ? delay : longest;
    }
    assert_in_range(shortest, BACKOFF_FIRST_NS / 2, BACKOFF_FIRST_NS * 55 / 100);
    assert_in_range(longest, BACKOFF_FIRST_NS * 95 / 100, BACKOFF_FIRST_NS);
}

static void does_not_overflow(void **state)
{
    (void)state;
    backoff_t backoff = backoff_default();
    backoff.failures = UINT64_C(1) << 32;
    assert_in_range(backoff_fail(&backoff, UINT64_MAX), BACKOFF_MAX_NS / 2, BACKOFF_MAX_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_up_to_its_longest_with_jitter),
        cmocka_unit_test(spreads_over_the_upper_half),
        cmocka_unit_test(does_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
