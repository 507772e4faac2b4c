#include "tests/testing.h"

#include "dispatcher/core/ddl/partition_rows.h"
#include "dispatcher/core/ddl/text_builder.h"
#include "tests/unit/ddl/ddl_testing.h"

/* "column >= lower < upper", "column in (…)", with "or null"; "no" when the rows cannot be told. */
static const char *rows_of(const char *create, const char *partition, arena_t *arena)
{
    const char *why;
    partition_rows_t rows;
    text_builder_t text;
    const table_definition_t *table = testing_create(create, &testing_context, arena, &why);
    if (!table)
        fail_msg("%s: %s", create, why);
    if (!partition_rows_find(table, partition, arena, &rows)) {
        table_definition_unref(&table);
        return "no";
    }
    text_builder_init(&text, arena);
    text_add(&text, table->columns[rows.column].name);
    table_definition_unref(&table);
    if (rows.lower)
        text_add_format(&text, " >= %s", rows.lower);
    if (rows.upper)
        text_add_format(&text, " < %s", rows.upper);
    for (uint32_t i = 0; i < rows.value_count; i++)
        text_add_format(&text, "%s%s", i ? "," : " in ", rows.values[i]);
    assert_true(rows.is_list || rows.value_count == 0);
    if (rows.holds_null)
        text_add(&text, " or null");
    return text_finish(&text);
}

typedef struct {
    const char *create, *partition, *expected;
} case_t;

static void check_cases(const case_t *cases, size_t count)
{
    arena_t arena;
    arena_init(&arena);
    for (size_t i = 0; i < count; i++) {
        const char *found = rows_of(cases[i].create, cases[i].partition, &arena);
        if (strcmp(found, cases[i].expected) != 0)
            fail_msg("%s, %s\n  wanted: %s\n  found:  %s", cases[i].create, cases[i].partition,
                     cases[i].expected, found);
    }
    arena_clear(&arena);
}

#define INTS                                                                                       \
    "CREATE TABLE t (a INT, b INT) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (-5), "   \
    "PARTITION p1 VALUES LESS THAN (10) ENGINE = InnoDB, PARTITION p2 VALUES LESS THAN MAXVALUE)"
#define DATES                                                                                      \
    "CREATE TABLE t (a DATE) PARTITION BY RANGE COLUMNS (a) (PARTITION p0 VALUES LESS THAN "       \
    "('2020-01-01'), PARTITION p1 VALUES LESS THAN ('2021-01-01') COMMENT 'x', PARTITION p2 "      \
    "VALUES LESS THAN (MAXVALUE))"
#define YEARS                                                                                      \
    "CREATE TABLE t (a DATETIME) PARTITION BY RANGE (YEAR(a)) (PARTITION p0 VALUES LESS THAN "     \
    "(2020), PARTITION p1 VALUES LESS THAN (2021))"
#define DAYS                                                                                       \
    "CREATE TABLE t (a DATE) PARTITION BY RANGE (TO_DAYS(`a`)) (PARTITION p0 VALUES LESS THAN "    \
    "(738156), PARTITION p1 VALUES LESS THAN (to_days('2021-03-01')), PARTITION p2 VALUES LESS "   \
    "THAN (738215))"
#define STAMPS                                                                                     \
    "CREATE TABLE t (a TIMESTAMP) PARTITION BY RANGE (UNIX_TIMESTAMP(a)) (PARTITION p0 VALUES "    \
    "LESS THAN (0), PARTITION p1 VALUES LESS THAN (1709210096), PARTITION p2 VALUES LESS THAN "    \
    "(UNIX_TIMESTAMP('2030-01-01')))"
#define LISTS                                                                                      \
    "CREATE TABLE t (a INT) PARTITION BY LIST (a) (PARTITION p0 VALUES IN (1, -2, NULL), "         \
    "PARTITION p1 VALUES IN (3), PARTITION p2 DEFAULT)"

static void tells_ranges_of_a_column(void **state)
{
    (void)state;
    static const case_t cases[] = {{INTS, "p0", "a < -5 or null"},
                                   {INTS, "P1", "a >= -5 < 10"},
                                   {INTS, "p2", "a >= 10"},
                                   {INTS, "p3", "no"},
                                   {DATES, "p0", "a < 2020-01-01 or null"},
                                   {DATES, "p1", "a >= 2020-01-01 < 2021-01-01"},
                                   {DATES, "p2", "a >= 2021-01-01"}};
    check_cases(cases, sizeof cases / sizeof cases[0]);
}

static void makes_bounds_of_functions_dates_again(void **state)
{
    (void)state;
    static const case_t cases[] = {{YEARS, "p0", "a < 2020-01-01 or null"},
                                   {YEARS, "p1", "a >= 2020-01-01 < 2021-01-01"},
                                   {DAYS, "p0", "a < 2021-01-01 or null"},
                                   {DAYS, "p1", "a >= 2021-01-01 < 2021-03-01"},
                                   {DAYS, "p2", "a >= 2021-03-01 < 2021-03-01"},
                                   {STAMPS, "p0", "a < 1970-01-01 00:00:00 or null"},
                                   {STAMPS, "p1", "a >= 1970-01-01 00:00:00 < 2024-02-29 12:34:56"},
                                   {STAMPS, "p2", "no"}};
    check_cases(cases, sizeof cases / sizeof cases[0]);
}

static void tells_lists(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {LISTS, "p0", "a in 1,-2 or null"}, {LISTS, "p1", "a in 3"}, {LISTS, "p2", "no"}};
    check_cases(cases, sizeof cases / sizeof cases[0]);
}

static void does_not_guess(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"CREATE TABLE t (a INT) PARTITION BY HASH (a) PARTITIONS 4", "p0", "no"},
        {"CREATE TABLE t (a INT)", "p0", "no"},
        {"CREATE TABLE t (a INT) PARTITION BY RANGE (a % 5) (PARTITION p0 VALUES LESS THAN (2))",
         "p0", "no"},
        {"CREATE TABLE t (a INT) PARTITION BY RANGE (ABS(a)) (PARTITION p0 VALUES LESS THAN (2))",
         "p0", "no"},
        {"CREATE TABLE t (a INT, b INT) PARTITION BY RANGE COLUMNS (a, b) (PARTITION p0 VALUES "
         "LESS "
         "THAN (2, 3))",
         "p0", "no"},
        {"CREATE TABLE t (a VARCHAR(5)) PARTITION BY LIST COLUMNS (a) (PARTITION p0 VALUES IN "
         "('x'))",
         "p0", "no"},
        {"CREATE TABLE t (a INT) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (1 + 1))",
         "p0", "no"},
        {"CREATE TABLE t (a DATE) PARTITION BY RANGE COLUMNS (a) (PARTITION p0 VALUES LESS THAN "
         "('20-1-1'))",
         "p0", "no"},
        {"CREATE TABLE t (a DATE) PARTITION BY RANGE COLUMNS (a) (PARTITION p0 VALUES LESS THAN "
         "('2020-01-01 00:00:00'))",
         "p0", "no"}};
    check_cases(cases, sizeof cases / sizeof cases[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_ranges_of_a_column),
        cmocka_unit_test(makes_bounds_of_functions_dates_again),
        cmocka_unit_test(tells_lists),
        cmocka_unit_test(does_not_guess),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
