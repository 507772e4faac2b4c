#include "tests/testing.h"

#include <string.h>

#include "maintainer/core/settings.h"

static void defaults_are_accepted(void **state)
{
    (void)state;
    maintainer_settings_t settings;
    maintainer_settings_default(&settings);
    assert_int_equal(maintainer_settings_check(&settings, NULL), SLUICE_OK);
}

static void a_quiet_interval_not_above_the_resend_interval_is_refused(void **state)
{
    (void)state;
    maintainer_settings_t settings;
    maintainer_settings_default(&settings);
    settings.pass_quiet_ns = settings.action_resend_ns;
    error_report_t report;
    assert_int_equal(maintainer_settings_check(&settings, &report), SLUICE_ERROR_CONFIGURATION);
    assert_non_null(strstr(report.text, "pass_quiet"));
}

static void zero_is_refused_by_name(void **state)
{
    (void)state;
    maintainer_settings_t settings;
    maintainer_settings_default(&settings);
    settings.moves_max = 0;
    error_report_t report;
    assert_int_equal(maintainer_settings_check(&settings, &report), SLUICE_ERROR_CONFIGURATION);
    assert_non_null(strstr(report.text, "moves_max"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_accepted),
        cmocka_unit_test(a_quiet_interval_not_above_the_resend_interval_is_refused),
        cmocka_unit_test(zero_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
