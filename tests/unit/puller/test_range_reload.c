#include "tests/testing.h"

#include "dispatcher/core/puller/range_reload.h"
#include "tests/unit/puller/puller_random.h"

static mono_ns_t ms(uint64_t number)
{
    return (mono_ns_t){number * NS_PER_MS};
}

static const range_reload_settings_t settings = {.debounce_ns = 10 * NS_PER_MS, .ranges_max = 128};

static void add(range_reload_t *reload, const char *start, const char *end,
                pull_priority_t priority, mono_ns_t now)
{
    reload_range_t range = {{bytes_of_text(start), bytes_of_text(end)}, {5}, priority};
    range_reload_add(reload, &settings, &range, now);
}

static void expect(const reload_range_t *range, const char *start, const char *end,
                   pull_priority_t priority)
{
    assert_true(bytes_equal(range->range.start, bytes_of_text(start)));
    assert_true(bytes_equal(range->range.end, bytes_of_text(end)));
    assert_int_equal(range->priority, priority);
}

static void adjacent_ranges_become_one_with_the_strongest_priority_lowered(void **state)
{
    (void)state;
    range_reload_t reload = {0};
    add(&reload, "a", "b", PULL_HIGH, ms(0));
    add(&reload, "b", "c", PULL_LOW, ms(1));
    add(&reload, "d", "e", PULL_HIGH, ms(2));
    assert_int_equal(range_reload_deadline(&reload).v, ms(10).v);
    uint32_t count;
    reload_range_t *ranges = range_reload_take(&reload, &count);
    assert_int_equal(count, 2);
    expect(&ranges[0], "a", "c", PULL_NORMAL);
    expect(&ranges[1], "d", "e", PULL_NORMAL);
    range_reload_free(ranges, count);
    assert_int_equal(range_reload_deadline(&reload).v, MONO_NEVER.v);
    assert_null(range_reload_take(&reload, &count));
    assert_int_equal(count, 0);
}

static void the_order_in_which_they_come_does_not_matter(void **state)
{
    (void)state;
    range_reload_t reload = {0};
    const char *pairs[][2] = {{"d", "e"}, {"a", "b"}, {"b", "c"}, {"c", "d"}};
    for (size_t i = 0; i < 4; i++)
        add(&reload, pairs[i][0], pairs[i][1], PULL_LOW, ms(0));
    uint32_t count;
    reload_range_t *ranges = range_reload_take(&reload, &count);
    assert_int_equal(count, 1);
    expect(&ranges[0], "a", "e", PULL_LOW);
    range_reload_free(ranges, count);
}

static void many_are_given_out_at_once(void **state)
{
    (void)state;
    range_reload_t reload = {0};
    for (uint32_t i = 0; i < settings.ranges_max; i++) {
        assert_true(i == 0 || range_reload_deadline(&reload).v == ms(13).v);
        add(&reload, "a", "b", PULL_NORMAL, i == 0 ? ms(3) : ms(4));
    }
    assert_int_equal(range_reload_deadline(&reload).v, ms(4).v);
    range_reload_clear(&reload);
}

static void empty_ranges_are_ignored(void **state)
{
    (void)state;
    range_reload_t reload = {0};
    add(&reload, "b", "b", PULL_HIGH, ms(0));
    add(&reload, "c", "b", PULL_HIGH, ms(0));
    assert_int_equal(range_reload_deadline(&reload).v, MONO_NEVER.v);
    range_reload_clear(&reload);
}

static void what_is_merged_is_wanted_from_the_lowest_position(void **state)
{
    (void)state;
    range_reload_t reload = {0};
    reload_range_t first = {{bytes_of_text("a"), bytes_of_text("")}, {9}, PULL_LOW};
    reload_range_t second = {{bytes_of_text("b"), bytes_of_text("c")}, {4}, PULL_LOW};
    range_reload_add(&reload, &settings, &first, ms(0));
    range_reload_add(&reload, &settings, &second, ms(0));
    uint32_t count;
    reload_range_t *ranges = range_reload_take(&reload, &count);
    assert_int_equal(count, 1);
    expect(&ranges[0], "a", "", PULL_LOW);
    assert_int_equal(ranges[0].start.v, 4);
    range_reload_free(ranges, count);
}

/* ---- against a bitmap: keys are the letters of an alphabet of 64, the last end is unbounded ----
 */

#define LETTERS 64

static char letters[LETTERS];

static bytes_t key_of(uint64_t letter)
{
    letters[letter % LETTERS] = (char)(' ' + letter);
    return letter == LETTERS || letter == 0 ? (bytes_t){0} : bytes_of(&letters[letter], 1);
}

static uint64_t bits_of(uint64_t from, uint64_t to)
{
    uint64_t below_to = to == LETTERS ? UINT64_MAX : (UINT64_C(1) << to) - 1;
    return below_to & ~((UINT64_C(1) << from) - 1);
}

static uint64_t letter_of(bytes_t key, uint64_t when_empty)
{
    return key.len ? (uint64_t)(key.data[0] - ' ') : when_empty;
}

typedef struct {
    uint64_t bits;
    pull_priority_t priority;
} model_range_t;

/* Everything that overlaps or touches what came out has the strength that it says. */
static pull_priority_t strongest(const model_range_t *inputs, uint32_t count, uint64_t bits)
{
    pull_priority_t priority = PULL_LOW;
    for (uint32_t i = 0; i < count; i++)
        if (inputs[i].bits & bits)
            priority = pull_priority_stronger(priority, inputs[i].priority);
    return priority;
}

static void check_set(uint64_t *random)
{
    range_reload_t reload = {0};
    model_range_t inputs[12];
    uint32_t count = 0, wanted = 1 + (uint32_t)draw_below(random, 12);
    uint64_t all = 0;
    for (uint32_t i = 0; i < wanted; i++) {
        uint64_t from = draw_below(random, LETTERS), to = 1 + draw_below(random, LETTERS);
        if (draw_below(random, 2) == 0 && to > from + 4)
            to = from + 4;
        reload_range_t range = {
            {key_of(from), key_of(to)}, {1}, (pull_priority_t)draw_below(random, 3)};
        range_reload_add(&reload, &settings, &range, ms(0));
        if (from >= to)
            continue;
        inputs[count] = (model_range_t){bits_of(from, to), range.priority};
        all |= inputs[count++].bits;
    }
    uint32_t merged;
    reload_range_t *ranges = range_reload_take(&reload, &merged);
    assert_true(merged <= count);
    uint64_t found = 0, end = 0;
    for (uint32_t i = 0; i < merged; i++) {
        uint64_t from = letter_of(ranges[i].range.start, 0);
        uint64_t to = letter_of(ranges[i].range.end, LETTERS);
        assert_true(from < to);
        assert_true(i == 0 || from > end); /* in order, disjoint, not adjacent */
        end = to;
        uint64_t bits = bits_of(from, to);
        found |= bits;
        assert_int_equal(ranges[i].priority, pull_priority_lowered(strongest(inputs, count, bits)));
    }
    assert_true(found == all);
    range_reload_free(ranges, merged);
}

static void random_sets_are_what_a_bitmap_says(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (int i = 0; i < 100000; i++)
        check_set(&random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adjacent_ranges_become_one_with_the_strongest_priority_lowered),
        cmocka_unit_test(the_order_in_which_they_come_does_not_matter),
        cmocka_unit_test(many_are_given_out_at_once),
        cmocka_unit_test(empty_ranges_are_ignored),
        cmocka_unit_test(what_is_merged_is_wanted_from_the_lowest_position),
        cmocka_unit_test(random_sets_are_what_a_bitmap_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
