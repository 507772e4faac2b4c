#include "tests/testing.h"

#include <stdio.h>

#include "maintainer/ctl/compare/row_difference.h"

static const char *const columns[] = {"id", "name"};

static void add(row_difference_t *difference, side_t side, const char *id, const char *name)
{
    cell_t cells[2] = {
        {.bytes = bytes_of_text(id)},
        {.bytes = bytes_of_text(name ? name : ""), .is_null = !name},
    };
    row_difference_add(difference, side, cells, 1, cells);
}

typedef struct {
    char text[1024];
} lines_t;

static void collect(const char *line, void *context)
{
    lines_t *lines = context;
    size_t len = strlen(lines->text);
    snprintf(lines->text + len, sizeof lines->text - len, "%s\n", line);
}

static void names_key_and_columns_of_rows_that_differ(void **state)
{
    (void)state;
    row_difference_t *difference = row_difference_new(columns, 2);
    add(difference, SIDE_SOURCE, "1", "same");
    add(difference, SIDE_SOURCE, "2", "a");
    add(difference, SIDE_SOURCE, "3", "lost");
    add(difference, SIDE_SINK, "4", "invented");
    add(difference, SIDE_SINK, "2", NULL);
    add(difference, SIDE_SINK, "1", "same");
    lines_t lines = {""};
    assert_int_equal(row_difference_finish(difference, collect, &lines, 10), 3);
    assert_non_null(strstr(lines.text, "row ('2'): name: source 'a', sink NULL;"));
    assert_non_null(strstr(lines.text, "row ('3'): only in the source"));
    assert_non_null(strstr(lines.text, "row ('4'): only in the sink"));
    row_difference_destroy(&difference);
}

static void counts_rows_that_are_there_twice(void **state)
{
    (void)state;
    row_difference_t *difference = row_difference_new(columns, 2);
    add(difference, SIDE_SOURCE, "1", "x");
    add(difference, SIDE_SOURCE, "1", "x");
    add(difference, SIDE_SINK, "1", "x");
    lines_t lines = {""};
    assert_int_equal(row_difference_finish(difference, collect, &lines, 10), 1);
    assert_non_null(strstr(lines.text, "2 times in the source, 1 in the sink"));
    row_difference_destroy(&difference);
}

static void sums_differ_only_where_rows_do(void **state)
{
    (void)state;
    static row_sums_t a, b;
    static bool differs[ROW_SUMS_CHUNKS];
    row_sums_init(&a);
    row_sums_init(&b);
    for (int i = 0; i < 5000; i++) {
        cell_t cells[2] = {{.bytes = bytes_of(&i, sizeof i)}, {.is_null = i % 3 == 0}};
        row_digest_t key = row_digest(cells, 1);
        row_sums_add(&a, key, row_digest(cells, 2));
        cell_t changed[2] = {cells[0], cells[1]};
        changed[1].is_null ^= i == 4321;
        row_sums_add(&b, key, row_digest(changed, 2));
    }
    assert_int_equal(row_sums_differ(&a, &a, differs), 0);
    assert_int_equal(row_sums_differ(&a, &b, differs), 1);
    int changed_row = 4321;
    cell_t key = {.bytes = bytes_of(&changed_row, sizeof changed_row)};
    assert_true(differs[row_chunk(row_digest(&key, 1))]);
}

static void null_and_empty_are_different(void **state)
{
    (void)state;
    cell_t null = {.is_null = true}, empty = {.bytes = bytes_of("", 0)};
    assert_int_not_equal(row_digest(&null, 1).low, row_digest(&empty, 1).low);
    cell_t split_one[2] = {{.bytes = bytes_of_text("ab")}, {.bytes = bytes_of_text("c")}};
    cell_t split_two[2] = {{.bytes = bytes_of_text("a")}, {.bytes = bytes_of_text("bc")}};
    assert_int_not_equal(row_digest(split_one, 2).low, row_digest(split_two, 2).low);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_key_and_columns_of_rows_that_differ),
        cmocka_unit_test(counts_rows_that_are_there_twice),
        cmocka_unit_test(sums_differ_only_where_rows_do),
        cmocka_unit_test(null_and_empty_are_different),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
