#include "tests/testing.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maintainer/ctl/options.h"

static bool parse(ctl_options_t *options, char **argv)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    optind = 0; /* getopt begins anew */
    opterr = 0;
    return ctl_options_parse(argc, argv, options);
}

#define ARGUMENTS(...) ((char *[]){(char *)"sluicectl", __VA_ARGS__, NULL})
#define A(text) ((char *)(text))

static void words_and_options_may_be_mixed(void **state)
{
    (void)state;
    ctl_options_t options;
    assert_true(parse(&options, ARGUMENTS(A("--output"), A("json"), A("changefeed"), A("create"),
                                          A("--source=a://b"), A("orders"), A("--sink"), A("c://d"),
                                          A("--filter"), A("x.*"), A("--filter"), A("!x.y"),
                                          A("--option"), A("k=v"), A("--wait=5"))));
    assert_int_equal(options.word_count, 3);
    assert_string_equal(options.words[0], "changefeed");
    assert_string_equal(options.words[2], "orders");
    assert_true(options.is_json);
    assert_string_equal(options.source, "a://b");
    assert_string_equal(options.sink, "c://d");
    assert_int_equal(options.filter_count, 2);
    assert_string_equal(options.filters[1], "!x.y");
    assert_string_equal(options.settings[0], "k=v");
    assert_int_equal(options.wait_seconds, 5);
    assert_string_equal(options.server, CTL_SERVER_DEFAULT);
}

static void waits_are_off_unless_wanted(void **state)
{
    (void)state;
    ctl_options_t options;
    assert_true(parse(&options, ARGUMENTS(A("version"))));
    assert_int_equal(options.wait_seconds, 0);
    assert_true(parse(&options, ARGUMENTS(A("version"), A("--wait"))));
    assert_int_equal(options.wait_seconds, 60);
}

static void the_server_comes_from_the_environment_or_the_option(void **state)
{
    (void)state;
    ctl_options_t options;
    setenv("SLUICE_SERVER", "http://here:1", 1);
    assert_true(parse(&options, ARGUMENTS(A("version"))));
    assert_string_equal(options.server, "http://here:1");
    assert_true(parse(&options, ARGUMENTS(A("version"), A("--server"), A("http://there:2"))));
    assert_string_equal(options.server, "http://there:2");
    unsetenv("SLUICE_SERVER");
}

static void refuses_what_it_does_not_know(void **state)
{
    (void)state;
    ctl_options_t options;
    static char *const bad[] = {A("--nothing"),  A("--output=xml"),  A("--wait=0"), A("--wait=x"),
                                A("--wait=-1"),  A("--source"),      A("-x"),       A("--lines=0"),
                                A("--wait=1e3"), A("--wait=9999999")};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(parse(&options, ARGUMENTS(bad[i])));
    assert_false(parse(&options, ARGUMENTS(A("a"), A("b"), A("c"), A("d"))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_options_may_be_mixed),
        cmocka_unit_test(waits_are_off_unless_wanted),
        cmocka_unit_test(the_server_comes_from_the_environment_or_the_option),
        cmocka_unit_test(refuses_what_it_does_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
