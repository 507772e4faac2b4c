#include "tests/testing.h"

#include "dispatcher/core/puller/retry_scheduler.h"
#include "tests/unit/puller/puller_random.h"

static mono_ns_t ms(uint64_t number)
{
    return (mono_ns_t){number * NS_PER_MS};
}

static void hands_over_what_is_due_and_never_early(void **state)
{
    (void)state;
    retry_scheduler_t scheduler = {0};
    retry_item_t item = {0};
    assert_int_equal(retry_scheduler_next_deadline(&scheduler).v, MONO_NEVER.v);
    retry_scheduler_put(&scheduler, &item, ms(50), PULL_NORMAL);
    assert_int_equal(retry_scheduler_next_deadline(&scheduler).v, ms(50).v);
    assert_null(retry_scheduler_take(&scheduler, ms(20)));
    assert_null(retry_scheduler_take(&scheduler, (mono_ns_t){ms(50).v - 1}));
    assert_ptr_equal(retry_scheduler_take(&scheduler, ms(50)), &item);
    assert_null(retry_scheduler_take(&scheduler, MONO_NEVER));
    retry_scheduler_clear(&scheduler);
}

static void ties_go_by_priority_then_first_in(void **state)
{
    (void)state;
    retry_scheduler_t scheduler = {0};
    retry_item_t low = {0}, first = {0}, second = {0}, high = {0}, early = {0};
    retry_scheduler_put(&scheduler, &low, ms(5), PULL_LOW);
    retry_scheduler_put(&scheduler, &first, ms(5), PULL_NORMAL);
    retry_scheduler_put(&scheduler, &second, ms(5), PULL_NORMAL);
    retry_scheduler_put(&scheduler, &high, ms(5), PULL_HIGH);
    retry_scheduler_put(&scheduler, &early, ms(4), PULL_LOW);
    retry_item_t *order[] = {&early, &high, &first, &second, &low};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        assert_ptr_equal(retry_scheduler_take(&scheduler, ms(5)), order[i]);
    retry_scheduler_clear(&scheduler);
}

static void the_newest_time_of_an_item_counts(void **state)
{
    (void)state;
    retry_scheduler_t scheduler = {0};
    retry_item_t item = {0};
    retry_scheduler_put(&scheduler, &item, ms(100), PULL_NORMAL);
    retry_scheduler_put(&scheduler, &item, ms(200), PULL_NORMAL);
    assert_null(retry_scheduler_take(&scheduler, ms(199)));
    assert_ptr_equal(retry_scheduler_take(&scheduler, ms(200)), &item);
    assert_null(retry_scheduler_take(&scheduler, ms(1000)));
    retry_scheduler_clear(&scheduler);
}

static void what_is_removed_never_comes(void **state)
{
    (void)state;
    retry_scheduler_t scheduler = {0};
    retry_item_t items[3] = {{{0}}};
    for (uint64_t i = 0; i < 3; i++)
        retry_scheduler_put(&scheduler, &items[i], ms(i), PULL_NORMAL);
    retry_scheduler_remove(&scheduler, &items[1]);
    retry_scheduler_remove(&scheduler, &items[1]);
    assert_ptr_equal(retry_scheduler_take(&scheduler, ms(9)), &items[0]);
    assert_ptr_equal(retry_scheduler_take(&scheduler, ms(9)), &items[2]);
    assert_null(retry_scheduler_take(&scheduler, ms(9)));
    retry_scheduler_clear(&scheduler);
}

#define ITEMS 200

/* Against a list that is searched through. */
static void random_puts_and_removals_come_in_order(void **state)
{
    (void)state;
    uint64_t random = 7;
    retry_scheduler_t scheduler = {0};
    retry_item_t items[ITEMS] = {{{0}}};
    for (int step = 0; step < 50000; step++) {
        retry_item_t *item = &items[draw_below(&random, ITEMS)];
        uint64_t what = draw_below(&random, 4);
        if (what < 2) {
            retry_scheduler_put(&scheduler, item, ms(draw_below(&random, 50)),
                                (pull_priority_t)draw_below(&random, 3));
        } else if (what == 2) {
            retry_scheduler_remove(&scheduler, item);
        } else {
            mono_ns_t now = ms(draw_below(&random, 50));
            const retry_item_t *best = NULL;
            for (int i = 0; i < ITEMS; i++) {
                const retry_item_t *at = &items[i];
                if (at->place && at->due.v <= now.v &&
                    (!best || at->due.v < best->due.v ||
                     (at->due.v == best->due.v &&
                      (at->priority < best->priority ||
                       (at->priority == best->priority && at->number < best->number)))))
                    best = at;
            }
            assert_ptr_equal(retry_scheduler_take(&scheduler, now), best);
        }
    }
    retry_scheduler_clear(&scheduler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_over_what_is_due_and_never_early),
        cmocka_unit_test(ties_go_by_priority_then_first_in),
        cmocka_unit_test(the_newest_time_of_an_item_counts),
        cmocka_unit_test(what_is_removed_never_comes),
        cmocka_unit_test(random_puts_and_removals_come_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
