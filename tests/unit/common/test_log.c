#include "tests/testing.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/runtime/log.h"

#define AT ((wall_ms_t){1767225599123})
#define AT_TEXT "2025-12-31T23:59:59.123Z"

static void line_is(log_format_t format, const char *changefeed, const char *message,
                    const log_attribute_t *fields, size_t field_count, const char *expected)
{
    char line[LOG_LINE_MAX + 1];
    size_t len = log_format_line(format, AT, LOG_LEVEL_WARNING, "node", changefeed, message, fields,
                                 field_count, line);
    line[len] = '\0';
    assert_string_equal(line, expected);
}

static void writes_logfmt(void **state)
{
    (void)state;
    const log_attribute_t fields[] = {log_number("commit_ts", 7), log_text("table", "a b"),
                                      log_text("empty", "")};
    line_is(LOG_FORMAT_LOGFMT, "feed", "gate open", fields, 3,
            "time=" AT_TEXT " level=warning component=node changefeed=feed "
            "message=\"gate open\" commit_ts=7 table=\"a b\" empty=\"\"\n");
    line_is(LOG_FORMAT_LOGFMT, NULL, "up", NULL, 0,
            "time=" AT_TEXT " level=warning component=node message=up\n");
}

static void writes_json(void **state)
{
    (void)state;
    const log_attribute_t fields[] = {log_number("commit_ts", 7), log_text("table", "a\"b")};
    line_is(LOG_FORMAT_JSON, NULL, "up", fields, 2,
            "{\"time\":\"" AT_TEXT "\",\"level\":\"warning\",\"component\":\"node\","
            "\"message\":\"up\",\"commit_ts\":7,\"table\":\"a\\\"b\"}\n");
}

static void keeps_a_line_a_line(void **state)
{
    (void)state;
    const log_attribute_t fields[] = {
        log_bytes("id", bytes_of("a\nlevel=error\x1b[0m\0\xff\xc2\x85", 21))};
    line_is(LOG_FORMAT_LOGFMT, NULL, "x", fields, 1,
            "time=" AT_TEXT " level=warning component=node message=x "
            "id=\"a\\nlevel=error\\u001b[0m\\u0000\\u00ff\\u0085\"\n");
}

static void redacts_passwords(void **state)
{
    (void)state;
    const log_attribute_t fields[] = {log_text("sink", "mariadb://u:secret@h/")};
    line_is(LOG_FORMAT_LOGFMT, NULL, "cannot reach m://u:secret@h", fields, 1,
            "time=" AT_TEXT " level=warning component=node "
            "message=\"cannot reach m://u:xxxxx@h\" sink=mariadb://u:xxxxx@h/\n");
}

static void cuts_what_is_too_long_and_stays_well_formed(void **state)
{
    (void)state;
    char *big = malloc(LOG_LINE_MAX * 2);
    memset(big, '"', LOG_LINE_MAX * 2 - 1);
    big[LOG_LINE_MAX * 2 - 1] = '\0';
    log_attribute_t fields[64];
    for (size_t i = 0; i < 64; i++)
        fields[i] = log_text("field", big);
    for (int format = LOG_FORMAT_LOGFMT; format <= LOG_FORMAT_JSON; format++) {
        char line[LOG_LINE_MAX];
        size_t len = log_format_line((log_format_t)format, AT, LOG_LEVEL_INFO, "node", NULL, big,
                                     fields, 64, line);
        assert_true(len <= LOG_LINE_MAX);
        assert_int_equal(line[len - 1], '\n');
        assert_int_equal(line[len - 2], format == LOG_FORMAT_JSON ? '}' : '"');
        assert_null(memchr(line, '\n', len - 1));
    }
    free(big);
}

static void limits_lines_in_a_window_and_tells_how_many_it_held_back(void **state)
{
    (void)state;
    log_limiter_t limiter = {0};
    uint64_t suppressed = 99;
    mono_ns_t now = {1000};
    for (int i = 0; i < LOG_LIMITER_LINES; i++) {
        assert_true(log_limiter_allow(&limiter, now, &suppressed));
        assert_int_equal(suppressed, 0);
    }
    for (int i = 0; i < 3; i++)
        assert_false(log_limiter_allow(&limiter, now, &suppressed));
    now = mono_add(now, LOG_LIMITER_WINDOW_NS);
    assert_true(log_limiter_allow(&limiter, now, &suppressed));
    assert_int_equal(suppressed, 3);
}

static void never_blocks_on_a_full_pipe(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[1]);
    assert_int_equal(log_open(path, LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO), SLUICE_OK);
    for (int i = 0; i < 4000; i++)
        log_printf(LOG_LEVEL_INFO, "test", NULL, "a line that nobody reads, number %d", i);
    assert_true(log_dropped() > 0);
    assert_int_equal(log_open(NULL, LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO), SLUICE_OK);
    close(ends[0]);
    close(ends[1]);
}

static void reopens_its_file_by_name(void **state)
{
    (void)state;
    char directory[] = "/tmp/sluice-log-XXXXXX";
    assert_non_null(mkdtemp(directory));
    char path[64], moved[64];
    snprintf(path, sizeof path, "%s/log", directory);
    snprintf(moved, sizeof moved, "%s/log.1", directory);
    assert_int_equal(log_open(path, LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO), SLUICE_OK);
    log_printf(LOG_LEVEL_INFO, "test", NULL, "first");
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(log_reopen(), SLUICE_OK);
    log_printf(LOG_LEVEL_INFO, "test", NULL, "second");
    log_printf(LOG_LEVEL_DEBUG, "test", NULL, "below the level");
    assert_int_equal(log_open(NULL, LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO), SLUICE_OK);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char line[256], more[2];
    assert_non_null(fgets(line, sizeof line, file));
    assert_non_null(strstr(line, "message=second"));
    assert_null(fgets(more, sizeof more, file));
    fclose(file);
    unlink(path);
    unlink(moved);
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_logfmt),
        cmocka_unit_test(writes_json),
        cmocka_unit_test(keeps_a_line_a_line),
        cmocka_unit_test(redacts_passwords),
        cmocka_unit_test(cuts_what_is_too_long_and_stays_well_formed),
        cmocka_unit_test(limits_lines_in_a_window_and_tells_how_many_it_held_back),
        cmocka_unit_test(never_blocks_on_a_full_pipe),
        cmocka_unit_test(reopens_its_file_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
