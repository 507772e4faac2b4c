#include "tests/testing.h"

#include "dispatcher/core/puller/initialised_ranges.h"
#include "tests/unit/puller/puller_random.h"

static bool add(initialised_ranges_t *initialised, const char *start, const char *end)
{
    key_range_t span = {bytes_of_text("a"), bytes_of_text("z")};
    key_range_t range = {bytes_of_text(start), bytes_of_text(end)};
    return initialised_ranges_add(initialised, span, range);
}

static void says_once_that_all_of_the_span_is_initialised(void **state)
{
    (void)state;
    initialised_ranges_t initialised = {0};
    assert_false(add(&initialised, "m", "x"));
    assert_false(add(&initialised, "x", "z"));
    assert_false(add(&initialised, "m", "x"));
    assert_true(add(&initialised, "a", "m"));
    assert_false(add(&initialised, "a", "z"));
    initialised_ranges_clear(&initialised);
}

static void a_region_larger_than_the_span_is_enough(void **state)
{
    (void)state;
    initialised_ranges_t initialised = {0};
    assert_false(add(&initialised, "A", "a"));
    assert_true(add(&initialised, "A", ""));
    initialised_ranges_clear(&initialised);
}

static void a_whole_table_is_one_range(void **state)
{
    (void)state;
    initialised_ranges_t initialised = {0};
    assert_true(initialised_ranges_add(&initialised, (key_range_t){0}, (key_range_t){0}));
    assert_false(initialised_ranges_add(&initialised, (key_range_t){0}, (key_range_t){0}));
    initialised_ranges_clear(&initialised);
}

/* Of 25 letters; fires exactly when the last one comes. */
static void random_ranges_are_what_a_bitmap_says(void **state)
{
    (void)state;
    uint64_t random = 3;
    for (int i = 0; i < 20000; i++) {
        initialised_ranges_t initialised = {0};
        uint32_t bits = 0;
        bool has_fired = false;
        for (int j = 0; j < 12; j++) {
            uint64_t from = draw_below(&random, 25), to = 1 + draw_below(&random, 25);
            char start[] = {(char)('a' + from), 0}, end[] = {(char)('a' + to), 0};
            for (uint64_t bit = from; bit < to; bit++)
                bits |= 1u << bit;
            bool expected = !has_fired && bits == (1u << 25) - 1;
            assert_int_equal(add(&initialised, start, end), expected);
            has_fired |= expected;
        }
        initialised_ranges_clear(&initialised);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_once_that_all_of_the_span_is_initialised),
        cmocka_unit_test(a_region_larger_than_the_span_is_enough),
        cmocka_unit_test(a_whole_table_is_one_range),
        cmocka_unit_test(random_ranges_are_what_a_bitmap_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
