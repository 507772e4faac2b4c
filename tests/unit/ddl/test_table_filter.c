#include "tests/testing.h"

#include "common/filter/table_filter.h"

static table_filter_t *filter_of(const char *const *rules, bool lower_case_names)
{
    bytes_t list[16];
    uint32_t count = 0;
    for (; rules[count]; count++)
        list[count] = bytes_of_text(rules[count]);
    table_filter_t *filter = NULL;
    error_report_t report;
    if (table_filter_new(list, count, lower_case_names, &filter, &report) != SLUICE_OK)
        fail_msg("%s", report.text);
    return filter;
}

#define FILTER(...) filter_of((const char *const[]){__VA_ARGS__, NULL}, false)

static bool takes(const table_filter_t *filter, const char *schema, const char *table)
{
    return table_filter_takes(filter, bytes_of_text(schema), bytes_of_text(table));
}

static void takes_everything_but_system_schemas_without_rules(void **state)
{
    (void)state;
    table_filter_t *filter = filter_of((const char *const[]){NULL}, false);
    assert_true(takes(filter, "db", "t"));
    assert_true(table_filter_takes_whole_schema(filter, bytes_of_text("db")));
    static const char *const system[] = {
        "mysql", "information_schema", "performance_schema", "sys", "sluice", "MYSQL"};
    for (size_t i = 0; i < 6; i++) {
        assert_false(takes(filter, system[i], "t"));
        assert_false(table_filter_takes_whole_schema(filter, bytes_of_text(system[i])));
        assert_false(table_filter_may_take_schema(filter, bytes_of_text(system[i])));
    }
    table_filter_destroy(&filter);
}

static void never_takes_a_system_schema_even_when_named(void **state)
{
    (void)state;
    table_filter_t *filter = FILTER("mysql.user", "sluice.*", "/^sys/");
    assert_false(takes(filter, "mysql", "user"));
    assert_false(takes(filter, "sluice", "progress"));
    assert_false(takes(filter, "sys", "x"));
    assert_true(takes(filter, "system", "x"));
    table_filter_destroy(&filter);
}

static void last_matching_rule_decides(void **state)
{
    (void)state;
    table_filter_t *filter = FILTER("db.*", "!db.t", "db.t");
    assert_true(takes(filter, "db", "t"));
    table_filter_destroy(&filter);
    filter = FILTER("db.*", "db.t", "!db.t");
    assert_false(takes(filter, "db", "t"));
    assert_true(takes(filter, "db", "u"));
    assert_false(takes(filter, "other", "u"));
    table_filter_destroy(&filter);
}

static void only_negative_rules_take_nothing(void **state)
{
    (void)state;
    table_filter_t *filter = FILTER("!db.t");
    assert_false(takes(filter, "db", "u"));
    table_filter_destroy(&filter);
}

static void matches_wildcards_sets_quotes_and_escapes(void **state)
{
    (void)state;
    static const struct {
        const char *rule, *schema, *table;
        bool taken;
    } cases[] = {
        {"db.order_?", "db", "order_1", true},
        {"db.order_?", "db", "order_12", false},
        {"db.order_?", "db", "order_é", true},
        {"db.t[0-9]", "db", "t7", true},
        {"db.t[0-9]", "db", "tx", false},
        {"db.t[!0-9]", "db", "tx", true},
        {"db.t[!0-9]", "db", "t7", false},
        {"db.*_log", "db", "a_log_log", true},
        {"db.*_log", "db", "a_log_", false},
        {"d*b.t", "ddb", "t", true},
        {"`d.b`.t", "d.b", "t", true},
        {"`d``b`.`*`", "d`b", "*", true},
        {"`d``b`.`*`", "d`b", "t", false},
        {"\"d\"\"b\".t", "d\"b", "t", true},
        {"d\\.b.t", "d.b", "t", true},
        {"db.a\\*", "db", "a*", true},
        {"db.a\\*", "db", "ab", false},
        {"db.t[a.b]", "db", "t.", true},
        {"  db.t  ", "db", "t", true},
        {"db.T", "db", "t", false},
        {"/^db\\.(a|b)[0-9]+$/", "db", "b12", true},
        {"/^db\\.(a|b)[0-9]+$/", "db", "c12", false},
        {"/b.t/", "db", "tx", true},
        {"db./x/", "db", "x", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        table_filter_t *filter = FILTER(cases[i].rule);
        if (takes(filter, cases[i].schema, cases[i].table) != cases[i].taken)
            fail_msg("%s on %s.%s", cases[i].rule, cases[i].schema, cases[i].table);
        table_filter_destroy(&filter);
    }
}

static void ignores_case_when_the_source_does(void **state)
{
    (void)state;
    table_filter_t *filter =
        filter_of((const char *const[]){"Db.*", "!dB.ÄRger", "!/^DB\\.x/", NULL}, true);
    assert_true(takes(filter, "DB", "T"));
    assert_false(takes(filter, "db", "ärGER"));
    assert_false(takes(filter, "db", "X1"));
    table_filter_destroy(&filter);
}

static void knows_when_the_whole_schema_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *rules[4];
        bool whole, may;
    } cases[] = {
        {{"db.*"}, true, true},
        {{"*.*"}, true, true},
        {{"db.t"}, false, true},
        {{"db.*", "!db.t"}, false, true},
        {{"!db.t", "db.*"}, true, true},
        {{"db.*", "!other.t"}, true, true},
        {{"db.*", "!*.tmp"}, false, true},
        {{"db.*", "!/tmp/"}, false, true},
        {{"!/tmp/", "db.*"}, true, true},
        {{"/./"}, false, true},
        {{"*.*", "!db.*"}, false, false},
        {{"*.*", "!db.*", "db.t"}, false, true},
        {{"other.*"}, false, false},
        {{"d?.**"}, true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        table_filter_t *filter = filter_of(cases[i].rules, false);
        bytes_t schema = bytes_of_text("db");
        if (table_filter_takes_whole_schema(filter, schema) != cases[i].whole ||
            table_filter_may_take_schema(filter, schema) != cases[i].may)
            fail_msg("case %zu, first rule %s", i, cases[i].rules[0]);
        table_filter_destroy(&filter);
    }
}

static void names_the_rule_that_decides(void **state)
{
    (void)state;
    table_filter_t *filter = FILTER("db.*", "!db.tmp*");
    bytes_t schema = bytes_of_text("db");
    assert_string_equal(table_filter_deciding_rule(filter, schema, bytes_of_text("tmp1")),
                        "!db.tmp*");
    assert_string_equal(table_filter_deciding_rule(filter, schema, bytes_of_text("x")), "db.*");
    assert_null(table_filter_deciding_rule(filter, bytes_of_text("x"), bytes_of_text("x")));
    table_filter_destroy(&filter);
}

static void refuses_bad_rules_by_name(void **state)
{
    (void)state;
    static const char *const bad[] = {"db",     "db.",  ".t",  "db.t.u", "!",
                                      "db.[a",  "/a",   "/(/", "//",     "`db.t",
                                      "db.a\\", "a..b", "! ",  "!/[/",   "db.`t"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        bytes_t rules[] = {bytes_of_text("good.*"), bytes_of_text(bad[i])};
        table_filter_t *filter = NULL;
        error_report_t report = {0};
        sluice_error_t error = table_filter_new(rules, 2, false, &filter, &report);
        if (error != SLUICE_ERROR_CONFIGURATION || !strstr(report.text, "rule 2"))
            fail_msg("'%s' was answered '%s'", bad[i], report.text);
        assert_null(filter);
    }
}

static void passes_over_blank_rules_and_remarks(void **state)
{
    (void)state;
    table_filter_t *filter = FILTER("", "  ", "# all of it", "db.*");
    assert_true(takes(filter, "db", "t"));
    assert_false(takes(filter, "x", "t"));
    table_filter_destroy(&filter);
}

static void does_not_take_names_longer_than_any_name(void **state)
{
    (void)state;
    table_filter_t *filter = FILTER("*.*");
    static uint8_t longest[TABLE_FILTER_NAME_BYTES_MAX + 1];
    memset(longest, 'a', sizeof longest);
    assert_false(table_filter_takes(filter, bytes_of(longest, sizeof longest), bytes_of_text("t")));
    table_filter_destroy(&filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_everything_but_system_schemas_without_rules),
        cmocka_unit_test(never_takes_a_system_schema_even_when_named),
        cmocka_unit_test(last_matching_rule_decides),
        cmocka_unit_test(only_negative_rules_take_nothing),
        cmocka_unit_test(matches_wildcards_sets_quotes_and_escapes),
        cmocka_unit_test(ignores_case_when_the_source_does),
        cmocka_unit_test(knows_when_the_whole_schema_is_taken),
        cmocka_unit_test(names_the_rule_that_decides),
        cmocka_unit_test(refuses_bad_rules_by_name),
        cmocka_unit_test(passes_over_blank_rules_and_remarks),
        cmocka_unit_test(does_not_take_names_longer_than_any_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
