#include "tests/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/runtime/secret.h"

typedef struct {
    arena_t arena;
    char path[64];
} fixture_t;

static int set_up(void **state)
{
    fixture_t *fixture = calloc(1, sizeof *fixture);
    strcpy(fixture->path, "/tmp/sluice-secret-XXXXXX");
    int file = mkstemp(fixture->path);
    if (file < 0 || write(file, "from file\r\nrest\n", 16) != 16)
        return -1;
    close(file);
    setenv("SLUICE_TEST_PASSWORD", "from environment", 1);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *fixture = *state;
    unlink(fixture->path);
    arena_clear(&fixture->arena);
    free(fixture);
    return 0;
}

static const char *password_of(fixture_t *fixture, const char *text, const char *environment)
{
    uri_t uri;
    const char *password = NULL;
    assert_int_equal(uri_parse(bytes_of_text(text), &fixture->arena, &uri, NULL), SLUICE_OK);
    assert_int_equal(secret_password(&uri, environment, &fixture->arena, &password, NULL),
                     SLUICE_OK);
    return password;
}

static void uri_goes_before_file_before_environment(void **state)
{
    fixture_t *fixture = *state;
    char text[256];
    snprintf(text, sizeof text, "m://u:own@h/?password-file=%s", fixture->path);
    assert_string_equal(password_of(fixture, text, "SLUICE_TEST_PASSWORD"), "own");
    snprintf(text, sizeof text, "m://u@h/?password-file=%s", fixture->path);
    assert_string_equal(password_of(fixture, text, "SLUICE_TEST_PASSWORD"), "from file");
    assert_string_equal(password_of(fixture, "m://u@h", "SLUICE_TEST_PASSWORD"),
                        "from environment");
    assert_null(password_of(fixture, "m://u@h", "SLUICE_TEST_PASSWORD_UNSET"));
    assert_null(password_of(fixture, "m://u@h", NULL));
}

static void refuses_a_password_file_that_is_missing_or_empty(void **state)
{
    fixture_t *fixture = *state;
    static const char *const bad[] = {"m://u@h/?password-file=/nonexistent",
                                      "m://u@h/?password-file=/dev/null"};
    for (size_t i = 0; i < 2; i++) {
        uri_t uri;
        const char *password;
        error_report_t report;
        assert_int_equal(uri_parse(bytes_of_text(bad[i]), &fixture->arena, &uri, NULL), SLUICE_OK);
        assert_int_equal(
            secret_password(&uri, "SLUICE_TEST_PASSWORD", &fixture->arena, &password, &report),
            SLUICE_ERROR_CONFIGURATION);
        assert_null(password);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(uri_goes_before_file_before_environment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_a_password_file_that_is_missing_or_empty, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
