#include "tests/testing.h"

#include "dispatcher/core/anchor_list.h"

static void add(anchor_list_t *list, uint64_t ts)
{
    anchor_t anchor = {.commit_ts = {ts}};
    anchor_list_add(list, &anchor);
}

static void names_the_newest_at_or_below(void **state)
{
    (void)state;
    anchor_list_t list = {0};
    assert_null(anchor_list_find(&list, (commit_ts_t){5}));
    add(&list, 10);
    add(&list, 20);
    add(&list, 20);
    add(&list, 15);
    assert_int_equal(list.count, 2);
    assert_null(anchor_list_find(&list, (commit_ts_t){9}));
    assert_int_equal(anchor_list_find(&list, (commit_ts_t){10})->commit_ts.v, 10);
    assert_int_equal(anchor_list_find(&list, (commit_ts_t){19})->commit_ts.v, 10);
    assert_int_equal(anchor_list_find(&list, (commit_ts_t){99})->commit_ts.v, 20);
    anchor_list_clear(&list);
}

static void forgets_what_nobody_can_ask_for(void **state)
{
    (void)state;
    anchor_list_t list = {0};
    for (uint64_t ts = 10; ts <= 50; ts += 10)
        add(&list, ts);
    anchor_list_forget(&list, (commit_ts_t){35});
    assert_int_equal(list.count, 3);
    assert_int_equal(anchor_list_find(&list, (commit_ts_t){35})->commit_ts.v, 30);
    anchor_list_forget(&list, (commit_ts_t){5});
    assert_int_equal(list.count, 3);
    anchor_list_clear(&list);
}

static void at_its_limit_it_keeps_the_first_and_the_newest(void **state)
{
    (void)state;
    anchor_list_t list = {0};
    for (uint64_t ts = 1; ts <= 100000; ts++) {
        add(&list, ts);
        assert_true(list.count <= ANCHOR_LIST_MAX);
    }
    assert_int_equal(anchor_list_find(&list, (commit_ts_t){100000})->commit_ts.v, 100000);
    assert_int_equal(anchor_list_find(&list, (commit_ts_t){1})->commit_ts.v, 1);
    uint64_t half = anchor_list_find(&list, (commit_ts_t){50000})->commit_ts.v;
    assert_true(half > 0 && half <= 50000);
    anchor_list_clear(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_the_newest_at_or_below),
        cmocka_unit_test(forgets_what_nobody_can_ask_for),
        cmocka_unit_test(at_its_limit_it_keeps_the_first_and_the_newest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
