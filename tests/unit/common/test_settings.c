#include "tests/testing.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/runtime/settings.h"

static void defaults_are_in_their_ranges(void **state)
{
    (void)state;
    arena_t arena = {0};
    settings_t settings;
    error_report_t report = {0};
    sluice_error_t error =
        config_load(&settings_table, &(config_sources_t){0}, &arena, &settings, &report);
    if (error != SLUICE_OK)
        fail_msg("%s", report.text);
    assert_string_equal(settings.log.level, "info");
    assert_int_equal(settings.node.request_queue_max, 10000);
    arena_clear(&arena);
}

static char *content_of(FILE *file)
{
    char *content = test_calloc(1, CONFIG_FILE_BYTES_MAX);
    rewind(file);
    size_t len = fread(content, 1, CONFIG_FILE_BYTES_MAX - 1, file);
    assert_true(len > 0);
    fclose(file);
    return content;
}

/* `sluicectl config example` prints the same. */
static void the_example_file_has_every_key_and_its_default(void **state)
{
    (void)state;
    FILE *written = tmpfile();
    assert_non_null(written);
    config_write(&settings_table, NULL, written);
    char *expected = content_of(written);
    FILE *file = fopen(EXAMPLE_FILE, "r");
    assert_non_null(file);
    char *example = content_of(file);
    assert_string_equal(example, expected);
    test_free(expected);
    test_free(example);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_in_their_ranges),
        cmocka_unit_test(the_example_file_has_every_key_and_its_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
