#include "tests/testing.h"

#include "common/runtime/uri.h"

static sluice_error_t parse(arena_t *arena, const char *text, uri_t *uri)
{
    error_report_t report;
    return uri_parse(bytes_of_text(text), arena, uri, &report);
}

static void splits_every_part(void **state)
{
    (void)state;
    arena_t arena = {0};
    uri_t uri;
    assert_int_equal(
        parse(&arena, "MariaDB://re%40pl:p%3Ass@db.example:3307/a%20b?x=1&y=%26", &uri), SLUICE_OK);
    assert_string_equal(uri.scheme, "mariadb");
    assert_string_equal(uri.user, "re@pl");
    assert_string_equal(uri.password, "p:ss");
    assert_string_equal(uri.host, "db.example");
    assert_int_equal(uri.port, 3307);
    assert_string_equal(uri.path, "/a b");
    assert_int_equal(uri.parameter_count, 2);
    assert_string_equal(uri_parameter(&uri, "x"), "1");
    assert_string_equal(uri_parameter(&uri, "y"), "&");
    assert_null(uri_parameter(&uri, "z"));
    arena_clear(&arena);
}

static void leaves_absent_parts_empty(void **state)
{
    (void)state;
    arena_t arena = {0};
    uri_t uri;
    assert_int_equal(parse(&arena, "blackhole://", &uri), SLUICE_OK);
    assert_null(uri.user);
    assert_null(uri.password);
    assert_string_equal(uri.host, "");
    assert_int_equal(uri.port, 0);
    assert_string_equal(uri.path, "");
    assert_int_equal(uri.parameter_count, 0);
    assert_int_equal(parse(&arena, "sqlite:///var/x.db", &uri), SLUICE_OK);
    assert_string_equal(uri.path, "/var/x.db");
    assert_int_equal(parse(&arena, "mariadb://root@/?socket=/run/a.sock", &uri), SLUICE_OK);
    assert_string_equal(uri.user, "root");
    assert_null(uri.password);
    assert_string_equal(uri_parameter(&uri, "socket"), "/run/a.sock");
    assert_int_equal(parse(&arena, "simulated://?tables=10", &uri), SLUICE_OK);
    assert_string_equal(uri_parameter(&uri, "tables"), "10");
    arena_clear(&arena);
}

static void takes_an_ipv6_host_from_its_brackets(void **state)
{
    (void)state;
    arena_t arena = {0};
    uri_t uri;
    assert_int_equal(parse(&arena, "mariadb://u@[::1]:3306/", &uri), SLUICE_OK);
    assert_string_equal(uri.host, "::1");
    assert_int_equal(uri.port, 3306);
    arena_clear(&arena);
}

static void refuses_what_is_no_uri(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "mariadb",
                                      "://host",
                                      "1x://host",
                                      "m y://host",
                                      "m://host:0",
                                      "m://host:65536",
                                      "m://host:",
                                      "m://host:99999999999999999999",
                                      "m://host:12x",
                                      "m://[::1",
                                      "m://[::1]x",
                                      "m://h/%4",
                                      "m://h/%",
                                      "m://h/%zz",
                                      "m://h/%00",
                                      "m://h/?a=1&a=2",
                                      "m://h/?=1",
                                      "m://h/#part"};
    arena_t arena = {0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uri_t uri;
        assert_int_equal(parse(&arena, bad[i], &uri), SLUICE_ERROR_CONFIGURATION);
    }
    uri_t uri;
    assert_int_equal(uri_parse(bytes_of("m://h\0x", 7), &arena, &uri, NULL),
                     SLUICE_ERROR_CONFIGURATION);
    arena_clear(&arena);
}

static void refuses_numbers_outside_their_range_and_unknown_parameters(void **state)
{
    (void)state;
    arena_t arena = {0};
    uri_t uri;
    error_report_t report = {0};
    uint64_t value;
    assert_int_equal(parse(&arena, "simulated://?rows=7&bad=-1&big=18446744073709551616", &uri),
                     SLUICE_OK);
    assert_int_equal(uri_parameter_number(&uri, "rows", 1, 7, 3, &value, &report), SLUICE_OK);
    assert_int_equal(value, 7);
    assert_int_equal(uri_parameter_number(&uri, "none", 1, 7, 3, &value, &report), SLUICE_OK);
    assert_int_equal(value, 3);
    assert_int_equal(uri_parameter_number(&uri, "rows", 1, 6, 3, &value, &report),
                     SLUICE_ERROR_CONFIGURATION);
    assert_non_null(strstr(report.text, "rows"));
    assert_int_equal(uri_parameter_number(&uri, "bad", 0, UINT64_MAX, 3, &value, &report),
                     SLUICE_ERROR_CONFIGURATION);
    assert_int_equal(uri_parameter_number(&uri, "big", 0, UINT64_MAX, 3, &value, &report),
                     SLUICE_ERROR_CONFIGURATION);
    static const char *const known[] = {"rows", "bad", NULL};
    assert_int_equal(uri_check_parameters(&uri, known, &report), SLUICE_ERROR_CONFIGURATION);
    assert_non_null(strstr(report.text, "big"));
    arena_clear(&arena);
}

static void redacts_every_password(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"mariadb://u:secret@h:1/", "mariadb://u:xxxxx@h:1/"},
        {"mariadb://u:se/c?r@et@h:1/", "mariadb://u:xxxxx@h:1/"},
        {"mariadb://u@h:1/", "mariadb://u@h:1/"},
        {"blackhole://", "blackhole://"},
        {"m://h/?password=secret&x=1", "m://h/?password=xxxxx&x=1"},
        {"m://u:secret@h/?x=1&password=secret", "m://u:xxxxx@h/?x=1&password=xxxxx"},
        {"from m://u:secret@h to m://v:secret@i/", "from m://u:xxxxx@h to m://v:xxxxx@i/"},
        {"cannot open 'm://u:secret@h'", "cannot open 'm://u:xxxxx@h'"},
        {"no uri: a@b", "no uri: a@b"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[128];
        uri_redact(bytes_of_text(cases[i][0]), text, sizeof text);
        assert_string_equal(text, cases[i][1]);
    }
    char small[12];
    uri_redact(bytes_of_text("m://user:secret@host/"), small, sizeof small);
    assert_string_equal(small, "m://user:xx");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_every_part),
        cmocka_unit_test(leaves_absent_parts_empty),
        cmocka_unit_test(takes_an_ipv6_host_from_its_brackets),
        cmocka_unit_test(refuses_what_is_no_uri),
        cmocka_unit_test(refuses_numbers_outside_their_range_and_unknown_parameters),
        cmocka_unit_test(redacts_every_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
