#include "tests/testing.h"

#include "dispatcher/shell/source_servers.h"

static source_servers_t servers_of(const char *uri)
{
    source_servers_t servers;
    error_report_t report;
    server_choice_settings_t settings = server_choice_default();
    assert_int_equal(source_servers_init(&servers, uri, &settings, 1, &report), SLUICE_OK);
    return servers;
}

static bool fails(source_servers_t *servers, sluice_error_t error, const char *text, uint64_t at_s,
                  error_report_t *report)
{
    mono_ns_t now = {at_s * NS_PER_S};
    (void)source_servers_next(servers, now);
    (void)error_report_set(report, error, "%s", text);
    return source_servers_failed(servers, report, now);
}

static void what_others_refused_with_is_told_beside_the_failure(void **state)
{
    (void)state;
    source_servers_t servers = servers_of("mariadb://u@a:1,b:2");
    error_report_t report;
    assert_string_equal(source_servers_current(&servers)->uri, "mariadb://u@a:1");
    assert_true(fails(&servers, SLUICE_ERROR_SOURCE_PURGED, "too old", 1, &report));
    /* A code that fails a changefeed is not told of what is tried again. */
    assert_true(sluice_error_is_retriable(report.code));
    assert_string_equal(report.text, "a:1: too old");
    assert_true(fails(&servers, SLUICE_ERROR_SOURCE_CONNECTION, "away", 2, &report));
    assert_string_equal(report.text, "b:2: away; a:1: too old");
    assert_false(fails(&servers, SLUICE_ERROR_SOURCE_DIVERGED, "another", 3, &report));
    assert_int_equal(report.code, SLUICE_ERROR_SOURCE_DIVERGED);
    assert_string_equal(report.text, "b:2: another; a:1: too old");
    source_servers_clear(&servers);
}

static void the_only_server_is_not_named(void **state)
{
    (void)state;
    source_servers_t servers = servers_of("mariadb://u@a:1");
    error_report_t report;
    assert_true(fails(&servers, SLUICE_ERROR_SOURCE_SERVER_ID, "taken", 1, &report));
    assert_true(sluice_error_is_retriable(report.code));
    assert_string_equal(report.text, "taken");
    assert_false(fails(&servers, SLUICE_ERROR_SOURCE_SERVER_ID, "taken", 2, &report));
    assert_int_equal(report.code, SLUICE_ERROR_SOURCE_SERVER_ID);
    source_servers_clear(&servers);
}

static void times_are_known_of_the_server_that_delivered(void **state)
{
    (void)state;
    source_servers_t servers = servers_of("mariadb://u@a:1,b:2");
    error_report_t report;
    (void)source_servers_next(&servers, (mono_ns_t){1});
    assert_false(source_servers_know_times(&servers));
    source_servers_delivered(&servers);
    assert_true(source_servers_know_times(&servers));
    assert_true(fails(&servers, SLUICE_ERROR_SOURCE_CONNECTION, "away", 1, &report));
    (void)source_servers_next(&servers, (mono_ns_t){NS_PER_S});
    assert_string_equal(source_servers_current(&servers)->name, "b:2");
    assert_false(source_servers_know_times(&servers));
    source_servers_clear(&servers);
    servers = servers_of("simulated://");
    assert_true(source_servers_know_times(&servers));
    source_servers_clear(&servers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_others_refused_with_is_told_beside_the_failure),
        cmocka_unit_test(the_only_server_is_not_named),
        cmocka_unit_test(times_are_known_of_the_server_that_delivered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
