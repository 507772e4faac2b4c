#include "tests/testing.h"

#include "dispatcher/core/ddl/cascade_option.h"

static sluice_error_t read_option(const char *key, const char *value, table_filter_t **allowed,
                                  error_report_t *report)
{
    option_t option = {bytes_of_text(key), bytes_of_text(value)};
    changefeed_config_t config = {.options = &option, .option_count = 1};
    return cascade_option_read(&config, false, allowed, report);
}

static void allows_nothing_without_the_key(void **state)
{
    (void)state;
    table_filter_t *allowed;
    assert_int_equal(read_option("other", "*.*", &allowed, NULL), SLUICE_OK);
    assert_null(allowed);
    assert_false(cascade_option_allows(allowed, "db", "t"));
    assert_int_equal(read_option("allow-cascade", "", &allowed, NULL), SLUICE_OK);
    assert_null(allowed);
}

static void allows_the_tables_of_its_list(void **state)
{
    (void)state;
    table_filter_t *allowed;
    assert_int_equal(read_option("allow-cascade", "db.t, x.*", &allowed, NULL), SLUICE_OK);
    assert_true(cascade_option_allows(allowed, "db", "t"));
    assert_true(cascade_option_allows(allowed, "x", "y"));
    assert_false(cascade_option_allows(allowed, "db", "u"));
    table_filter_destroy(&allowed);
}

static void names_a_wrong_rule(void **state)
{
    (void)state;
    table_filter_t *allowed;
    error_report_t report;
    assert_int_equal(read_option("allow-cascade", "db.t,nothing", &allowed, &report),
                     SLUICE_ERROR_CONFIGURATION);
    assert_non_null(strstr(report.text, "nothing"));
    assert_null(allowed);
}

static void a_list_of_nothing_allows_nothing(void **state)
{
    (void)state;
    table_filter_t *allowed;
    assert_int_equal(read_option("allow-cascade", " , ", &allowed, NULL), SLUICE_OK);
    assert_false(cascade_option_allows(allowed, "db", "t"));
    table_filter_destroy(&allowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allows_nothing_without_the_key),
        cmocka_unit_test(allows_the_tables_of_its_list),
        cmocka_unit_test(names_a_wrong_rule),
        cmocka_unit_test(a_list_of_nothing_allows_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
