/* Files of the file sink: whole, durable, rotated, adopted; and what its lines number. */
#include "tests/testing.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dispatcher/sink/file/file_writer.h"
#include "tests/unit/sink/sink_fixture.h"

#define TABLE 5
#define LINES_OF_THEIR_OWN 300

typedef struct {
    char directory[256];
    file_writer_options_t options;
    char text[65536];
} fixture_t;

static fixture_t fixture;

static int setup(void **state)
{
    (void)state;
    fixture_make_directory(fixture.directory);
    fixture.options = (file_writer_options_t){.directory = fixture.directory,
                                              .changefeed_name = "feed",
                                              .token = "token-1",
                                              .rotate_bytes = 100,
                                              .rotate_ns = 1000,
                                              .is_synced = true};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_remove_directory(fixture.directory);
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The directory's file names in order, joined by spaces. */
static const char *files(void)
{
    char *names[64];
    int count = 0;
    DIR *directory = opendir(fixture.directory);
    const struct dirent *entry;
    while ((entry = readdir(directory)) && count < 64) {
        if (entry->d_name[0] != '.')
            names[count++] = strdup(entry->d_name);
    }
    closedir(directory);
    qsort(names, (size_t)count, sizeof names[0], compare_names);
    fixture.text[0] = '\0';
    for (int i = 0; i < count; i++) {
        strcat(fixture.text, i ? " " : "");
        strcat(fixture.text, names[i]);
        free(names[i]);
    }
    return fixture.text;
}

/* Those with that ending and something in them. */
static int count_files(const char *suffix)
{
    int count = 0;
    DIR *directory = opendir(fixture.directory);
    const struct dirent *entry;
    while ((entry = readdir(directory))) {
        char path[600];
        struct stat status;
        size_t len = strlen(entry->d_name), end = strlen(suffix);
        snprintf(path, sizeof path, "%s/%s", fixture.directory, entry->d_name);
        if (len > end && strcmp(entry->d_name + len - end, suffix) == 0 &&
            stat(path, &status) == 0 && status.st_size > 0)
            count++;
    }
    closedir(directory);
    return count;
}

static void path_of(char path[600], const char *name)
{
    snprintf(path, 600, "%s/%s", fixture.directory, name);
}

static const char *content(const char *name)
{
    char path[600];
    path_of(path, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(fixture.text, 1, sizeof fixture.text - 1, file);
    fclose(file);
    fixture.text[len] = '\0';
    return fixture.text;
}

static void put_file(const char *name, const char *text)
{
    char path[600];
    path_of(path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static sluice_error_t append(file_writer_t *writer, const char *text, uint64_t now)
{
    error_report_t report = {0};
    return file_writer_append(writer, bytes_of_text(text), (mono_ns_t){now}, &report);
}

/* ---- the writer ---- */

static void open_file_has_another_name_than_a_complete_one(void **state)
{
    (void)state;
    file_writer_t *writer = file_writer_new(&fixture.options);
    assert_string_equal(files(), "");
    assert_int_equal(append(writer, "one\n", 1), SLUICE_OK);
    assert_string_equal(files(), "feed.token-1.0000000000.json.tmp");
    assert_string_equal(content("feed.token-1.0000000000.json.tmp"), "one\n");
    file_writer_destroy(&writer);
    assert_null(writer);
    assert_string_equal(files(), "feed.token-1.0000000000.json");
    assert_string_equal(content("feed.token-1.0000000000.json"), "one\n");
}

static void files_are_completed_by_size_and_by_age(void **state)
{
    (void)state;
    file_writer_t *writer = file_writer_new(&fixture.options);
    char line[128];
    memset(line, 'x', 110);
    strcpy(line + 110, "\n");
    assert_int_equal(append(writer, line, 1), SLUICE_OK);
    assert_int_equal(append(writer, "second\n", 2), SLUICE_OK);
    assert_string_equal(files(), "feed.token-1.0000000000.json feed.token-1.0000000001.json.tmp");
    error_report_t report;
    assert_int_equal(file_writer_rotate(writer, (mono_ns_t){1001}, &report), SLUICE_OK);
    assert_string_equal(files(), "feed.token-1.0000000000.json feed.token-1.0000000001.json.tmp");
    assert_int_equal(file_writer_rotate(writer, (mono_ns_t){1002}, &report), SLUICE_OK);
    assert_string_equal(files(), "feed.token-1.0000000000.json feed.token-1.0000000001.json");
    file_writer_destroy(&writer);
}

static void file_of_a_dead_writer_is_cut_to_whole_lines_and_completed(void **state)
{
    (void)state;
    put_file("feed.dead.0000000004.json.tmp", "whole\nhal");
    put_file("feed.dead.0000000005.json.tmp", "no line at all");
    put_file("feed.other.dead.0000000005.json.tmp", "other changefeed\n");
    put_file("feed.dead.0000000003.json", "complete\n");
    file_writer_t *writer = file_writer_new(&fixture.options);
    error_report_t report;
    assert_int_equal(file_writer_adopt(writer, &report), SLUICE_OK);
    assert_string_equal(files(), "feed.dead.0000000003.json feed.dead.0000000004.json "
                                 "feed.other.dead.0000000005.json.tmp");
    assert_string_equal(content("feed.dead.0000000004.json"), "whole\n");
    file_writer_destroy(&writer);
}

static void file_of_a_live_writer_is_left_alone(void **state)
{
    (void)state;
    file_writer_options_t second = fixture.options;
    second.token = "token-2";
    file_writer_t *live = file_writer_new(&fixture.options), *other = file_writer_new(&second);
    assert_int_equal(append(live, "one\n", 1), SLUICE_OK);
    error_report_t report;
    assert_int_equal(file_writer_adopt(other, &report), SLUICE_OK);
    assert_string_equal(files(), "feed.token-1.0000000000.json.tmp");
    assert_int_equal(append(live, "two\n", 2), SLUICE_OK);
    assert_string_equal(content("feed.token-1.0000000000.json.tmp"), "one\ntwo\n");
    file_writer_destroy(&live);
    file_writer_destroy(&other);
}

#define APPENDERS 4
#define APPENDS 100

typedef struct {
    file_writer_t *writer;
    int number;
} appender_t;

static void *append_lines(void *argument)
{
    const appender_t *appender = argument;
    for (int i = 0; i < APPENDS; i++) {
        char line[64];
        snprintf(line, sizeof line, "%d %d\n", appender->number, i);
        if (append(appender->writer, line, 1) != SLUICE_OK)
            return (void *)1;
    }
    return NULL;
}

/* Reads every file in order and looks that each appender's lines are all there in their order. */
static void assert_lines_in_order(void)
{
    char names[65536];
    snprintf(names, sizeof names, "%s", files());
    int next[APPENDERS] = {0};
    char *rest;
    for (char *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
        int number, line, len;
        for (const char *at = content(name); sscanf(at, "%d %d\n%n", &number, &line, &len) == 2;
             at += len)
            assert_int_equal(line, next[number]++);
    }
    for (int i = 0; i < APPENDERS; i++)
        assert_int_equal(next[i], APPENDS);
}

static void threads_append_whole_lines_each_in_its_order(void **state)
{
    (void)state;
    fixture.options.rotate_bytes = 700;
    file_writer_t *writer = file_writer_new(&fixture.options);
    pthread_t threads[APPENDERS];
    appender_t appenders[APPENDERS];
    for (int i = 0; i < APPENDERS; i++) {
        appenders[i] = (appender_t){writer, i};
        assert_int_equal(pthread_create(&threads[i], NULL, append_lines, &appenders[i]), 0);
    }
    for (int i = 0; i < APPENDERS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    file_writer_destroy(&writer);
    assert_lines_in_order();
}

typedef struct {
    file_writer_t *writer;
    atomic_bool is_over;
} adopter_t;

static void *adopt_again_and_again(void *argument)
{
    adopter_t *adopter = argument;
    sluice_error_t error = SLUICE_OK;
    while (!error && !atomic_load(&adopter->is_over))
        error = file_writer_adopt(adopter->writer, NULL);
    return error ? (void *)1 : NULL;
}

/* Each line is a file of its own, so that it is made again and again under the adopter's eyes. */
static void file_just_made_is_not_lost_to_who_looks_for_dead_ones(void **state)
{
    (void)state;
    fixture.options.rotate_bytes = 1;
    fixture.options.is_synced = false;
    file_writer_options_t second = fixture.options;
    second.token = "token-2";
    file_writer_t *writer = file_writer_new(&fixture.options);
    adopter_t adopter = {.writer = file_writer_new(&second)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, adopt_again_and_again, &adopter), 0);
    for (int i = 0; i < LINES_OF_THEIR_OWN; i++)
        assert_int_equal(append(writer, "line\n", 1), SLUICE_OK);
    atomic_store(&adopter.is_over, true);
    void *failed;
    pthread_join(thread, &failed);
    assert_null(failed);
    file_writer_destroy(&writer);
    file_writer_destroy(&adopter.writer);
    assert_int_equal(count_files(".json"), LINES_OF_THEIR_OWN);
    assert_int_equal(count_files(".json.tmp"), 0);
}

static void append_that_finds_no_room_leaves_whole_lines(void **state)
{
    (void)state;
    struct rlimit old, limit;
    getrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, SIG_IGN);
    fixture.options.rotate_bytes = 1 << 20;
    file_writer_t *writer = file_writer_new(&fixture.options);
    assert_int_equal(append(writer, "kept\n", 1), SLUICE_OK);
    limit = (struct rlimit){.rlim_cur = 8, .rlim_max = old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_int_equal(append(writer, "too long\n", 1), SLUICE_ERROR_NO_SPACE);
    assert_true(sluice_error_is_retriable(SLUICE_ERROR_NO_SPACE));
    setrlimit(RLIMIT_FSIZE, &old);
    assert_string_equal(content("feed.token-1.0000000000.json.tmp"), "kept\n");
    assert_int_equal(append(writer, "too long\n", 1), SLUICE_OK);
    assert_string_equal(content("feed.token-1.0000000000.json.tmp"), "kept\ntoo long\n");
    file_writer_destroy(&writer);
    signal(SIGXFSZ, SIG_DFL);
}

static void check_makes_the_directory_and_leaves_nothing_in_it(void **state)
{
    (void)state;
    char path[600];
    path_of(path, "new");
    file_writer_options_t options = fixture.options;
    options.directory = path;
    error_report_t report;
    assert_int_equal(file_writer_check(&options, &report), SLUICE_OK);
    assert_int_equal(rmdir(path), 0);
    path_of(path, "no/parent");
    assert_int_equal(file_writer_check(&options, &report), SLUICE_ERROR_IO);
    assert_non_null(strstr(report.text, "no/parent"));
}

/* ---- the sink ---- */

static sink_t *open_sink(sink_connection_t **connection, const char *parameters)
{
    char uri[600];
    snprintf(uri, sizeof uri, "file://%s?%s", fixture.directory, parameters);
    sink_options_t options = fixture_options(uri);
    const sink_api_t *api = sink_find(uri);
    sink_t *sink;
    error_report_t report = {0};
    assert_int_equal(api->open(&options, &sink, &report), SLUICE_OK);
    assert_int_equal(api->connect(sink, connection, &report), SLUICE_OK);
    return sink;
}

static void close_sink(sink_t **sink, sink_connection_t **connection)
{
    const sink_api_t *api = (*sink)->api;
    api->disconnect(connection);
    api->close(sink);
}

/* The "seq" of each line of the one file there is, joined by spaces. */
static const char *sequences(void)
{
    static char found[256];
    char name[256];
    snprintf(name, sizeof name, "%s", files());
    found[0] = '\0';
    for (const char *at = content(name); (at = strstr(at, "\"seq\":")); at++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%d", found[0] ? " " : "",
                 atoi(at + strlen("\"seq\":")));
    return found;
}

static sink_write_t write_of(const sink_claim_t *claim, const table_rows_t *const *parts,
                             const commit_ts_t *ts, const wall_ms_t *time, uint32_t count,
                             bool moves_progress)
{
    return (sink_write_t){.claim = claim,
                          .parts = parts,
                          .part_ts = ts,
                          .part_time = time,
                          .part_count = count,
                          .moves_progress = moves_progress,
                          .progress = ts[count - 1]};
}

static void rows_are_counted_through_the_parts_of_a_transaction(void **state)
{
    (void)state;
    sink_connection_t *connection;
    sink_t *sink = open_sink(&connection, "");
    table_definition_t *table = fixture_plain_table("t", TABLE, true);
    fixture_rows_t *rows = fixture_rows_new(table);
    fixture_insert(rows, 1, "one");
    fixture_insert(rows, 2, "two");
    const table_rows_t *parts[] = {fixture_rows_get(rows), fixture_rows_get(rows)};
    const wall_ms_t time[] = {{1}, {1}};
    sink_claim_t claim = fixture_claim(TABLE, 1);
    fixture_claim_in(connection, &claim);
    /* Rows of 20, the first part of 21, the last part of 21, then 22. */
    const struct {
        commit_ts_t ts[2];
        uint32_t count;
        bool moves;
    } calls[] = {{{{20}, {21}}, 2, false}, {{{21}}, 1, true}, {{{22}}, 1, true}};
    for (size_t i = 0; i < 3; i++) {
        sink_write_t write =
            write_of(&claim, parts, calls[i].ts, time, calls[i].count, calls[i].moves);
        sink_write_result_t result;
        error_report_t report = {0};
        assert_int_equal(connection->api->write(connection, &write, 1, &result, &report),
                         SLUICE_OK);
        assert_int_equal(result.rows, 2 * calls[i].count);
    }
    assert_string_equal(sequences(), "1 2 1 2 3 4 1 2");
    fixture_rows_destroy(&rows);
    const table_definition_t *done = table;
    table_definition_unref(&done);
    close_sink(&sink, &connection);
}

static void table_that_starts_again_counts_again(void **state)
{
    (void)state;
    sink_connection_t *connection;
    sink_t *sink = open_sink(&connection, "");
    table_definition_t *table = fixture_plain_table("t", TABLE, true);
    fixture_rows_t *rows = fixture_rows_new(table);
    fixture_insert(rows, 1, "one");
    const table_rows_t *part = fixture_rows_get(rows);
    const commit_ts_t ts = {20};
    const wall_ms_t time = {1};
    sink_claim_t claim = fixture_claim(TABLE, 1);
    for (int life = 0; life < 2; life++) {
        fixture_claim_in(connection, &claim);
        sink_write_t write = write_of(&claim, &part, &ts, &time, 1, false);
        sink_write_result_t result;
        error_report_t report = {0};
        assert_int_equal(connection->api->write(connection, &write, 1, &result, &report),
                         SLUICE_OK);
    }
    assert_string_equal(sequences(), "1 1");
    fixture_rows_destroy(&rows);
    const table_definition_t *done = table;
    table_definition_unref(&done);
    close_sink(&sink, &connection);
}

static void watermark_is_written_when_it_moves(void **state)
{
    (void)state;
    sink_connection_t *connection;
    sink_t *sink = open_sink(&connection, "sync=no");
    error_report_t report = {0};
    const uint64_t resolved[] = {5, 5, 4, 6};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(
            connection->api->write_watermark(connection, (commit_ts_t){resolved[i]}, &report),
            SLUICE_OK);
    char name[256];
    snprintf(name, sizeof name, "%s", files());
    const char *text = content(name);
    assert_non_null(strstr(text, "\"watermarkTs\":5}"));
    assert_non_null(strstr(text, "\"watermarkTs\":6}"));
    int lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    assert_int_equal(lines, 2);
    close_sink(&sink, &connection);
}

static void bad_uris_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"file://host/dir", "absolute"},
        {"file:///", "absolute"},
        {"file:///d?rotate-bytes=1", "rotate-bytes"},
        {"file:///d?sync=maybe", "sync"},
        {"file:///d?enum-as=colour", "enum-as"},
        {"file:///d?nonsense=1", "nonsense"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sink_options_t options = fixture_options(cases[i][0]);
        sink_t *sink;
        error_report_t report = {0};
        assert_int_equal(sink_find(options.uri)->open(&options, &sink, &report),
                         SLUICE_ERROR_CONFIGURATION);
        assert_null(sink);
        assert_non_null(strstr(report.text, cases[i][1]));
    }
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(open_file_has_another_name_than_a_complete_one),
        IN_DIRECTORY(files_are_completed_by_size_and_by_age),
        IN_DIRECTORY(file_of_a_dead_writer_is_cut_to_whole_lines_and_completed),
        IN_DIRECTORY(file_of_a_live_writer_is_left_alone),
        IN_DIRECTORY(threads_append_whole_lines_each_in_its_order),
        IN_DIRECTORY(file_just_made_is_not_lost_to_who_looks_for_dead_ones),
        IN_DIRECTORY(append_that_finds_no_room_leaves_whole_lines),
        IN_DIRECTORY(check_makes_the_directory_and_leaves_nothing_in_it),
        IN_DIRECTORY(rows_are_counted_through_the_parts_of_a_transaction),
        IN_DIRECTORY(table_that_starts_again_counts_again),
        IN_DIRECTORY(watermark_is_written_when_it_moves),
        cmocka_unit_test(bad_uris_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
