#include "tests/testing.h"

#include "dispatcher/core/syncpoint_option.h"

static sluice_error_t read_option(const char *value, uint64_t *interval_ms)
{
    const option_t options[] = {{bytes_of_text("other"), bytes_of_text("7")},
                                {bytes_of_text("sync-point-interval"), bytes_of_text(value)}};
    changefeed_config_t config = {.options = options, .option_count = value[0] == '-' ? 1 : 2};
    error_report_t report;
    return syncpoint_option_read(&config, interval_ms, &report);
}

static void is_off_unless_given(void **state)
{
    (void)state;
    uint64_t interval_ms = 5;
    assert_int_equal(read_option("-", &interval_ms), SLUICE_OK);
    assert_int_equal(interval_ms, 0);
}

static void takes_whole_seconds(void **state)
{
    (void)state;
    uint64_t interval_ms;
    assert_int_equal(read_option("1", &interval_ms), SLUICE_OK);
    assert_int_equal(interval_ms, 1000);
    assert_int_equal(read_option("86400", &interval_ms), SLUICE_OK);
    assert_int_equal(interval_ms, 86400000);
}

static void refuses_everything_else(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "0", "86401", "1s", "+1", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t interval_ms;
        assert_int_equal(read_option(bad[i], &interval_ms), SLUICE_ERROR_CONFIGURATION);
        assert_int_equal(interval_ms, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_off_unless_given),
        cmocka_unit_test(takes_whole_seconds),
        cmocka_unit_test(refuses_everything_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
