#include "tests/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/time.h"
#include "common/runtime/config.h"

typedef struct {
    const char *text, *choice;
    uint64_t number, duration_ns, bytes;
    bool boolean;
    config_list_t list;
} values_t;

static const char *const choices[] = {"one", "two", NULL};
static const config_key_t keys[] = {
    {"top", CONFIG_BOOLEAN, offsetof(values_t, boolean), "false", 0, 0, NULL, "A switch."},
    {"a.text", CONFIG_TEXT, offsetof(values_t, text), "it's", 0, 0, NULL, "Some text."},
    {"a.choice", CONFIG_CHOICE, offsetof(values_t, choice), "one", 0, 0, choices, "A choice."},
    {"a.number_max", CONFIG_NUMBER, offsetof(values_t, number), "7", 1, 100, NULL, "A number."},
    {"b.wait", CONFIG_DURATION, offsetof(values_t, duration_ns), "10s", NS_PER_MS, 3600 * NS_PER_S,
     NULL, "A duration."},
    {"b.room", CONFIG_BYTES, offsetof(values_t, bytes), "4KiB", 1, UINT64_C(1) << 40, NULL,
     "A size."},
    {"b.list", CONFIG_LIST, offsetof(values_t, list), "x,y", 0, 0, NULL, "A list."},
};
static const config_table_t table = {keys, sizeof keys / sizeof keys[0]};

typedef struct {
    arena_t arena;
    char path[64];
    values_t values;
    error_report_t report;
} fixture_t;

static int set_up(void **state)
{
    fixture_t *fixture = test_calloc(1, sizeof *fixture);
    strcpy(fixture->path, "/tmp/sluice-config-XXXXXX");
    int file = mkstemp(fixture->path);
    close(file);
    *state = fixture;
    return file < 0;
}

static int tear_down(void **state)
{
    fixture_t *fixture = *state;
    unlink(fixture->path);
    arena_clear(&fixture->arena);
    test_free(fixture);
    return 0;
}

static sluice_error_t load(fixture_t *fixture, const config_sources_t *sources)
{
    return config_load(&table, sources, &fixture->arena, &fixture->values, &fixture->report);
}

static sluice_error_t load_file(fixture_t *fixture, const char *content)
{
    FILE *file = fopen(fixture->path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
    return load(fixture, &(config_sources_t){.path = fixture->path});
}

static void defaults_hold_without_any_source(void **state)
{
    fixture_t *fixture = *state;
    assert_int_equal(load(fixture, &(config_sources_t){0}), SLUICE_OK);
    const values_t *values = &fixture->values;
    assert_false(values->boolean);
    assert_string_equal(values->text, "it's");
    assert_string_equal(values->choice, "one");
    assert_int_equal(values->number, 7);
    assert_int_equal(values->duration_ns, 10 * NS_PER_S);
    assert_int_equal(values->bytes, 4096);
    assert_int_equal(values->list.count, 2);
    assert_string_equal(values->list.items[1], "y");
}

static void file_goes_over_defaults(void **state)
{
    fixture_t *fixture = *state;
    assert_int_equal(load_file(fixture, "# comment\ntop: true\na:\n  text: 'x: y'\n  choice: two\n"
                                        "b: {wait: 250ms, room: 2MiB, list: [p, q, 'r s']}\n"),
                     SLUICE_OK);
    const values_t *values = &fixture->values;
    assert_true(values->boolean);
    assert_string_equal(values->text, "x: y");
    assert_string_equal(values->choice, "two");
    assert_int_equal(values->number, 7);
    assert_int_equal(values->duration_ns, 250 * NS_PER_MS);
    assert_int_equal(values->bytes, 2 * 1024 * 1024);
    assert_int_equal(values->list.count, 3);
    assert_string_equal(values->list.items[2], "r s");
}

static void environment_goes_over_file_and_flags_over_all(void **state)
{
    fixture_t *fixture = *state;
    assert_int_equal(load_file(fixture, "a: {number_max: 8, choice: two, text: file}\n"),
                     SLUICE_OK);
    setenv("SLUICE_A_NUMBER_MAX", "9", 1);
    setenv("SLUICE_A_TEXT", "environment", 1);
    const config_flag_t flags[] = {{"a.number_max", "10"}};
    config_sources_t sources = {
        .path = fixture->path, .use_environment = true, .flags = flags, .flag_count = 1};
    assert_int_equal(load(fixture, &sources), SLUICE_OK);
    assert_int_equal(fixture->values.number, 10);
    assert_string_equal(fixture->values.text, "environment");
    assert_string_equal(fixture->values.choice, "two");
    setenv("SLUICE_A_NUMBER_MAX", "zero", 1);
    assert_int_equal(load(fixture, &sources), SLUICE_ERROR_CONFIGURATION);
    assert_non_null(strstr(fixture->report.text, "SLUICE_A_NUMBER_MAX"));
    unsetenv("SLUICE_A_NUMBER_MAX");
    unsetenv("SLUICE_A_TEXT");
}

static void empty_files_say_nothing(void **state)
{
    fixture_t *fixture = *state;
    static const char *const empty[] = {"", "# only\n", "---\n", "\n\n"};
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++)
        assert_int_equal(load_file(fixture, empty[i]), SLUICE_OK);
}

static void complaints_name_key_and_line(void **state)
{
    fixture_t *fixture = *state;
    static const struct {
        const char *content, *key;
        unsigned line;
    } cases[] = {
        {"top: true\nnothing: 1\n", "nothing: unknown key", 2},
        {"a:\n  text: x\n  typo: 1\n", "a.typo: unknown key", 3},
        {"c:\n  text: x\n", "c: unknown key", 1},
        {"top: true\n\ntop: false\n", "top: is given twice, first in line 1", 3},
        {"a:\n  text: x\nb:\n  wait: 1s\na:\n  text: y\n", "a.text: is given twice", 6},
        {"top: yes\n", "top: 'yes' is neither", 1},
        {"a:\n  number_max: 0\n", "a.number_max: 0 is outside 1 to 100", 2},
        {"a:\n  number_max: 101\n", "a.number_max", 2},
        {"a:\n  number_max: -1\n", "a.number_max: '-1' is not", 2},
        {"a:\n  number_max: 1e2\n", "a.number_max", 2},
        {"a:\n  number_max: .nan\n", "a.number_max", 2},
        {"a:\n  number_max: 99999999999999999999\n", "a.number_max", 2},
        {"a:\n  number_max: [1]\n", "a.number_max: is not a plain value", 2},
        {"a:\n  number_max:\n", "a.number_max: has no value", 2},
        {"a:\n  choice: three\n", "a.choice: 'three' is none of one two", 2},
        {"b:\n  wait: 5\n", "b.wait: '5' is not a duration", 2},
        {"b:\n  wait: -1s\n", "b.wait", 2},
        {"b:\n  wait: 1e400s\n", "b.wait", 2},
        {"b:\n  wait: 99999999999h\n", "b.wait", 2},
        {"b:\n  wait: 2h\n", "b.wait: 2h is outside 1ms to 1h", 2},
        {"b:\n  room: 5MB\n", "b.room", 2},
        {"b:\n  list:\n    - x\n    - {y: z}\n", "b.list", 4},
        {"b:\n  list: [x, '']\n", "b.list", 2},
        {"a: 5\n", "a: is a section", 1},
        {"- a\n", "keys with values", 1},
        {"a:\n  text: &x y\n", "a.text: NUL bytes, anchors", 2},
        {"a:\n  text: \"x\\0y\"\n", "a.text: NUL bytes", 2},
        {"top: true\n---\ntop: false\n", "a second document", 2},
        {"top: [\n", "", 1},
        {"\ttop: 1\n", "", 1},
        {"? {a: b}\n: c\n", "a key is no plain text", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(load_file(fixture, cases[i].content), SLUICE_ERROR_CONFIGURATION);
        char place[96];
        snprintf(place, sizeof place, "%s:%u: ", fixture->path, cases[i].line);
        if (!strstr(fixture->report.text, place) || !strstr(fixture->report.text, cases[i].key))
            fail_msg("case %zu says: %s", i, fixture->report.text);
    }
}

static void refuses_files_that_are_none(void **state)
{
    fixture_t *fixture = *state;
    assert_int_equal(load(fixture, &(config_sources_t){.path = "/nonexistent"}),
                     SLUICE_ERROR_CONFIGURATION);
    assert_int_equal(load(fixture, &(config_sources_t){.path = "/tmp"}),
                     SLUICE_ERROR_CONFIGURATION);
    assert_non_null(strstr(fixture->report.text, "directory"));
    assert_int_equal(load_file(fixture, "top: true\n"), SLUICE_OK);
    chmod(fixture->path, 0666);
    assert_int_equal(load(fixture, &(config_sources_t){.path = fixture->path}),
                     SLUICE_ERROR_CONFIGURATION);
    chmod(fixture->path, 0600);
    assert_int_equal(truncate(fixture->path, CONFIG_FILE_BYTES_MAX + 1), 0);
    assert_int_equal(load(fixture, &(config_sources_t){.path = fixture->path}),
                     SLUICE_ERROR_CONFIGURATION);
    assert_non_null(strstr(fixture->report.text, "larger"));
}

static void flags_are_found_by_their_spelling(void **state)
{
    (void)state;
    assert_string_equal(config_find_flag(&table, "--a-number-max")->name, "a.number_max");
    assert_string_equal(config_find_flag(&table, "top")->name, "top");
    assert_null(config_find_flag(&table, "--a-number"));
    assert_null(config_find_flag(&table, "--a.number_max"));
}

static void what_is_written_reads_back_the_same(void **state)
{
    fixture_t *fixture = *state;
    const config_flag_t flags[] = {{"a.text", "it's '#1'"}, {"b.wait", "1500ms"}, {"b.list", ""}};
    assert_int_equal(load(fixture, &(config_sources_t){.flags = flags, .flag_count = 3}),
                     SLUICE_OK);
    FILE *file = fopen(fixture->path, "w");
    config_write(&table, &fixture->values, file);
    fclose(file);
    memset(&fixture->values, 0, sizeof fixture->values);
    assert_int_equal(load(fixture, &(config_sources_t){.path = fixture->path}), SLUICE_OK);
    assert_string_equal(fixture->values.text, "it's '#1'");
    assert_int_equal(fixture->values.duration_ns, 1500 * NS_PER_MS);
    assert_int_equal(fixture->values.bytes, 4096);
    assert_int_equal(fixture->values.list.count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(defaults_hold_without_any_source),
        TEST(file_goes_over_defaults),
        TEST(environment_goes_over_file_and_flags_over_all),
        TEST(empty_files_say_nothing),
        TEST(complaints_name_key_and_line),
        TEST(refuses_files_that_are_none),
        TEST(flags_are_found_by_their_spelling),
        TEST(what_is_written_reads_back_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
