#include "tests/testing.h"

#include <stdio.h>

#include "dispatcher/core/schema_history.h"

static void add(schema_history_t *history, uint64_t ts)
{
    char text[16];
    snprintf(text, sizeof text, "ddl %d", (int)ts);
    schema_ddl_t ddl = {.commit_ts = {ts}, .content = bytes_of_text(text)};
    schema_history_add(history, &ddl);
}

static void assert_read(const schema_history_t *history, uint64_t after, uint64_t up_to,
                        uint32_t max, const uint64_t *expected, uint32_t expected_count,
                        uint64_t expected_up_to)
{
    arena_t arena = {0};
    commit_ts_t through = {up_to};
    const schema_ddl_t *ddls;
    uint32_t count;
    assert_int_equal(
        schema_history_read(history, (commit_ts_t){after}, &through, max, &arena, &ddls, &count),
        SLUICE_OK);
    assert_int_equal(count, expected_count);
    for (uint32_t i = 0; i < count; i++) {
        char text[16];
        snprintf(text, sizeof text, "ddl %d", (int)expected[i]);
        assert_int_equal(ddls[i].commit_ts.v, expected[i]);
        assert_true(bytes_equal(ddls[i].content, bytes_of_text(text)));
    }
    assert_int_equal(through.v, expected_up_to);
    arena_clear(&arena);
}

static void answers_what_lies_in_between(void **state)
{
    (void)state;
    schema_history_t history;
    schema_history_init(&history, (commit_ts_t){100});
    assert_read(&history, 100, 200, 10, NULL, 0, 200);
    for (uint64_t ts = 110; ts <= 150; ts += 10)
        add(&history, ts);
    assert_read(&history, 100, 200, 10, (uint64_t[]){110, 120, 130, 140, 150}, 5, 200);
    assert_read(&history, 110, 130, 10, (uint64_t[]){120, 130}, 2, 130);
    assert_read(&history, 111, 119, 10, NULL, 0, 119);
    assert_read(&history, 100, 200, 2, (uint64_t[]){110, 120}, 2, 120);
    assert_read(&history, 130, 150, 2, (uint64_t[]){140, 150}, 2, 150);
    schema_history_clear(&history);
}

static void what_was_forgotten_needs_a_whole_snapshot(void **state)
{
    (void)state;
    schema_history_t history;
    schema_history_init(&history, (commit_ts_t){100});
    for (uint64_t ts = 101; ts <= 1000; ts++) {
        add(&history, ts);
        if (ts % 3 == 0)
            schema_history_forget(&history, (commit_ts_t){ts - 20});
    }
    commit_ts_t up_to = {1000};
    arena_t arena = {0};
    const schema_ddl_t *ddls;
    uint32_t count;
    assert_int_equal(
        schema_history_read(&history, (commit_ts_t){978}, &up_to, 10, &arena, &ddls, &count),
        SLUICE_ERROR_NOT_FOUND);
    assert_read(&history, 998, 1000, 10, (uint64_t[]){999, 1000}, 2, 1000);
    assert_int_equal(history.count, 1000 - 979);
    schema_history_clear(&history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_what_lies_in_between),
        cmocka_unit_test(what_was_forgotten_needs_a_whole_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
