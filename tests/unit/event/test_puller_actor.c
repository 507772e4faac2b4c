#include "tests/testing.h"

#include "dispatcher/shell/puller_actor.h"

static void sync_points_need_one_server(void **state)
{
    (void)state;
    puller_actor_t *puller = NULL;
    error_report_t report;
    const puller_options_t options = {.uri = "mariadb://u@a:1,b:2",
                                      .changefeed = "feed",
                                      .spill_directory = "/tmp",
                                      .syncpoint_interval_ms = 1000};
    assert_int_equal(puller_actor_start(&options, &puller, &report), SLUICE_ERROR_CONFIGURATION);
    assert_null(puller);
    assert_non_null(strstr(report.text, "sync points"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sync_points_need_one_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
