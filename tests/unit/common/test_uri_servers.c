#include "tests/testing.h"

#include "common/runtime/uri.h"
#include "common/runtime/uri_servers.h"

static sluice_error_t parse(arena_t *arena, const char *text, const uri_server_t **servers,
                            uint32_t *count)
{
    error_report_t report;
    return uri_servers_parse(bytes_of_text(text), arena, servers, count, &report);
}

static void each_server_has_user_and_parameters_of_all(void **state)
{
    (void)state;
    arena_t arena = {0};
    const uri_server_t *servers;
    uint32_t count;
    assert_int_equal(parse(&arena, "mariadb://re,pl:p@ss@db1:3306,[::1]:3307,db3/?tls=1&tls-ca=a,b",
                           &servers, &count),
                     SLUICE_OK);
    assert_int_equal(count, 3);
    assert_string_equal(servers[0].uri, "mariadb://re,pl:p@ss@db1:3306/?tls=1&tls-ca=a,b");
    assert_string_equal(servers[0].name, "db1:3306");
    assert_string_equal(servers[1].uri, "mariadb://re,pl:p@ss@[::1]:3307/?tls=1&tls-ca=a,b");
    assert_string_equal(servers[2].uri, "mariadb://re,pl:p@ss@db3/?tls=1&tls-ca=a,b");
    arena_clear(&arena);
}

static void any_other_uri_is_a_list_of_one(void **state)
{
    (void)state;
    static const char *const texts[] = {"mariadb://repl@db1",
                                        "mariadb://repl@db1:3306?tls=1",
                                        "mariadb+unix://root@/run/a,b.sock",
                                        "binlog:///a,b",
                                        "mariadb://root@/?socket=/run/s.sock",
                                        "simulated://"};
    arena_t arena = {0};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const uri_server_t *servers;
        uint32_t count;
        assert_int_equal(parse(&arena, texts[i], &servers, &count), SLUICE_OK);
        assert_int_equal(count, 1);
        assert_string_equal(servers[0].uri, texts[i]);
    }
    arena_clear(&arena);
}

static void refuses_lists_that_are_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"m://u@a,,b",
                                        "m://u@a,",
                                        "m://u@,a",
                                        "m://u@a:1,b:0",
                                        "m://u@a,b,a",
                                        "m://u@a:1,a:1",
                                        "m://u@a,b/?socket=/s",
                                        "no uri",
                                        "",
                                        "m://1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"};
    arena_t arena = {0};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const uri_server_t *servers;
        uint32_t count;
        assert_int_equal(parse(&arena, texts[i], &servers, &count), SLUICE_ERROR_CONFIGURATION);
    }
    arena_clear(&arena);
}

static void who_wants_one_host_refuses_a_list(void **state)
{
    (void)state;
    arena_t arena = {0};
    uri_t uri;
    error_report_t report;
    assert_int_equal(uri_parse(bytes_of_text("mariadb://u@a:1,b:2"), &arena, &uri, &report),
                     SLUICE_ERROR_CONFIGURATION);
    assert_non_null(strstr(report.text, "several hosts"));
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_server_has_user_and_parameters_of_all),
        cmocka_unit_test(any_other_uri_is_a_list_of_one),
        cmocka_unit_test(refuses_lists_that_are_none),
        cmocka_unit_test(who_wants_one_host_refuses_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
