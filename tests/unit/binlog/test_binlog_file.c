#include "tests/testing.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "dispatcher/upstream/upstream.h"
#include "tests/unit/binlog/event_builder.h"

typedef struct {
    char directory[64];
    builder_t builder;
    upstream_t *upstream;
    error_report_t report;
} fixture_t;

static void path_of(const fixture_t *f, const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", f->directory, name);
}

static int set_up(void **state)
{
    fixture_t *f = test_calloc(1, sizeof *f);
    strcpy(f->directory, "/tmp/sluice-test-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;
    if (f->upstream)
        f->upstream->api->close(&f->upstream);
    for (int i = 1; i <= 3; i++) {
        char name[32], path[128];
        snprintf(name, sizeof name, "%s.%06d", i == 3 ? "other" : "binlog", i);
        path_of(f, name, path);
        unlink(path);
    }
    assert_int_equal(rmdir(f->directory), 0);
    test_free(f);
    return 0;
}

/* Ends the event begun last with a checksum. */
static void seal(fixture_t *f)
{
    bytes_t event = end_event(&f->builder);
    f->builder.data[f->builder.event + 9] = (uint8_t)(event.len + 4);
    put_uint(&f->builder, crc32(0, event.data, (uInt)event.len), 4);
}

static void begin_file(fixture_t *f, uint64_t listed)
{
    builder_reset(&f->builder);
    put_text(&f->builder, "\xfe"
                          "bin");
    begin_event(&f->builder, BINLOG_FORMAT_DESCRIPTION, 0);
    const char version[50] = "10.11.19-MariaDB-log";
    put_uint(&f->builder, 4, 2);
    put_bytes(&f->builder, version, sizeof version);
    put_uint(&f->builder, 1000, 4);
    put_uint(&f->builder, 19, 1);
    put_uint(&f->builder, BINLOG_CHECKSUM_CRC32, 1);
    seal(f);
    begin_event(&f->builder, BINLOG_GTID_LIST, 0);
    put_uint(&f->builder, listed ? 1 : 0, 4);
    if (listed) {
        put_uint(&f->builder, 0, 4);
        put_uint(&f->builder, 1, 4);
        put_uint(&f->builder, listed, 8);
    }
    seal(f);
}

static void add_group(fixture_t *f, uint64_t sequence)
{
    gtid_event(&f->builder, 0, sequence, GTID_TRANSACTIONAL);
    seal(f);
    xid_event(&f->builder);
    seal(f);
}

static void write_file(fixture_t *f, const char *name, size_t len, int flags)
{
    char path[128];
    path_of(f, name, path);
    int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, f->builder.data, len), len);
    close(fd);
}

static void two_files(fixture_t *f)
{
    begin_file(f, 0);
    add_group(f, 1);
    add_group(f, 2);
    write_file(f, "binlog.000001", f->builder.len, O_TRUNC);
    begin_file(f, 2);
    add_group(f, 3);
    write_file(f, "binlog.000002", f->builder.len, O_TRUNC);
}

static sluice_error_t try_open(fixture_t *f, const char *tail, const char *gtid_list)
{
    char uri[160];
    snprintf(uri, sizeof uri, "binlog://%s%s", f->directory, tail);
    upstream_options_t options = {.uri = uri, .heartbeat_ns = 1};
    strcpy(options.anchor.gtid_list, gtid_list);
    const upstream_api_t *api = upstream_find(uri);
    assert_non_null(api);
    return api->open(&options, &f->upstream, &f->report);
}

static void open_log(fixture_t *f, const char *tail, const char *gtid_list)
{
    if (try_open(f, tail, gtid_list) != SLUICE_OK)
        fail_msg("%s", f->report.text);
}

/* The sequence of the next GTID event, 0 when something else than an event comes first. */
static uint64_t next_gtid(fixture_t *f, upstream_result_t *result)
{
    raw_event_t event;
    while ((*result = f->upstream->api->next(f->upstream, &event, &f->report)) == UPSTREAM_EVENT) {
        binlog_header_t header;
        bytes_t body;
        binlog_gtid_t gtid;
        assert_int_equal(binlog_header_parse(event.bytes, &header, &body), SLUICE_OK);
        if (header.type == BINLOG_GTID) {
            assert_int_equal(binlog_gtid_parse(&header, body, &gtid), SLUICE_OK);
            assert_memory_equal(event.location, "binlog.00000", 12);
            return gtid.sequence;
        }
    }
    return 0;
}

static void reads_all_files_in_order_and_ends(void **state)
{
    fixture_t *f = *state;
    two_files(f);
    open_log(f, "", "");
    upstream_result_t result;
    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(next_gtid(f, &result), i);
    assert_int_equal(next_gtid(f, &result), 0);
    assert_int_equal(result, UPSTREAM_END);
}

static void starts_with_the_file_that_holds_the_position(void **state)
{
    fixture_t *f = *state;
    two_files(f);
    upstream_result_t result;
    open_log(f, "", "0-1-2");
    assert_int_equal(next_gtid(f, &result), 3);
    f->upstream->api->close(&f->upstream);
    open_log(f, "", "0-1-1");
    assert_int_equal(next_gtid(f, &result), 1);
}

static void a_position_before_the_first_file_is_purged(void **state)
{
    fixture_t *f = *state;
    begin_file(f, 2);
    add_group(f, 3);
    write_file(f, "binlog.000002", f->builder.len, O_TRUNC);
    assert_int_equal(try_open(f, "", "0-1-1"), SLUICE_ERROR_SOURCE_PURGED);
    assert_null(f->upstream);
}

static void one_file_can_be_named(void **state)
{
    fixture_t *f = *state;
    two_files(f);
    open_log(f, "/binlog.000001", "");
    upstream_result_t result;
    assert_int_equal(next_gtid(f, &result), 1);
    assert_int_equal(next_gtid(f, &result), 2);
    assert_int_equal(next_gtid(f, &result), 0);
    assert_int_equal(result, UPSTREAM_END);
}

static void several_sets_of_logs_need_a_name(void **state)
{
    fixture_t *f = *state;
    two_files(f);
    write_file(f, "other.000003", f->builder.len, O_TRUNC);
    assert_int_equal(try_open(f, "", ""), SLUICE_ERROR_CONFIGURATION);
    open_log(f, "?base=binlog", "");
}

static void places_without_logs_are_refused(void **state)
{
    fixture_t *f = *state;
    assert_int_equal(try_open(f, "", ""), SLUICE_ERROR_CONFIGURATION);
    assert_int_equal(try_open(f, "/nowhere", ""), SLUICE_ERROR_CONFIGURATION);
    assert_int_equal(try_open(f, "?unknown=1", ""), SLUICE_ERROR_CONFIGURATION);
}

static void damage_is_named_by_file_and_offset(void **state)
{
    fixture_t *f = *state;
    begin_file(f, 0);
    add_group(f, 1);
    size_t second = f->builder.len;
    add_group(f, 2);
    f->builder.data[f->builder.len - 6] ^= 1;
    write_file(f, "binlog.000001", f->builder.len, O_TRUNC);
    open_log(f, "", "");
    upstream_result_t result;
    assert_int_equal(next_gtid(f, &result), 1);
    assert_int_equal(next_gtid(f, &result), 2);
    assert_int_equal(next_gtid(f, &result), 0);
    assert_int_equal(result, UPSTREAM_FAILED);
    assert_int_equal(f->report.code, SLUICE_ERROR_SOURCE_CORRUPT);
    char expected[64];
    snprintf(expected, sizeof expected, "before offset %zu is whole", second);
    assert_non_null(strstr(f->report.text, expected));
    assert_non_null(strstr(f->report.text, "binlog.000001"));
}

static void a_cut_file_is_damaged_wherever_it_is_cut(void **state)
{
    fixture_t *f = *state;
    begin_file(f, 0);
    add_group(f, 1);
    size_t len = f->builder.len;
    unsigned whole = 0;
    for (size_t cut = 4; cut < len; cut++) {
        write_file(f, "binlog.000001", cut, O_TRUNC);
        open_log(f, "", "");
        upstream_result_t result;
        while (next_gtid(f, &result))
            ;
        if (result == UPSTREAM_END)
            whole++;
        else
            assert_int_equal(f->report.code, SLUICE_ERROR_SOURCE_CORRUPT);
        f->upstream->api->close(&f->upstream);
    }
    /* Between two of the four events, and right behind the magic. */
    assert_int_equal(whole, 4);
}

static void waits_for_growth_when_it_follows(void **state)
{
    fixture_t *f = *state;
    begin_file(f, 0);
    add_group(f, 1);
    size_t first = f->builder.len;
    add_group(f, 2);
    size_t len = f->builder.len;
    write_file(f, "binlog.000001", first + 7, O_TRUNC);
    open_log(f, "?follow=1", "");
    upstream_result_t result;
    assert_int_equal(next_gtid(f, &result), 1);
    assert_int_equal(next_gtid(f, &result), 0);
    assert_int_equal(result, UPSTREAM_CAUGHT_UP);
    memmove(f->builder.data, f->builder.data + first + 7, len - first - 7);
    write_file(f, "binlog.000001", len - first - 7, O_APPEND);
    assert_int_equal(next_gtid(f, &result), 2);
    begin_file(f, 2);
    add_group(f, 3);
    write_file(f, "binlog.000002", f->builder.len, O_TRUNC);
    assert_int_equal(next_gtid(f, &result), 3);
    f->upstream->api->interrupt(f->upstream);
    assert_int_equal(next_gtid(f, &result), 0);
    assert_int_equal(result, UPSTREAM_INTERRUPTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_all_files_in_order_and_ends),
        TEST(starts_with_the_file_that_holds_the_position),
        TEST(a_position_before_the_first_file_is_purged),
        TEST(one_file_can_be_named),
        TEST(several_sets_of_logs_need_a_name),
        TEST(places_without_logs_are_refused),
        TEST(damage_is_named_by_file_and_offset),
        TEST(a_cut_file_is_damaged_wherever_it_is_cut),
        TEST(waits_for_growth_when_it_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
