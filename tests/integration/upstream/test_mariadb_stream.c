/* The live log of a real server: what comes, in what order, and what each refusal means. */
#include "tests/testing.h"

#include <pthread.h>
#include <stdio.h>

#include "common/runtime/clock.h"
#include "dispatcher/core/binlog/group_assembler.h"
#include "dispatcher/upstream/upstream.h"
#include "tests/integration/mariadb_fixture.h"

static mariadb_fixture_t *server;

static int start_server(void **state)
{
    (void)state;
    static const char *const options[] = {"--server-id=7",        "--log-bin=binlog",
                                          "--binlog-format=ROW",  "--binlog-row-metadata=FULL",
                                          "--gtid-strict-mode=1", NULL};
    server = mariadb_fixture_start(options);
    mariadb_fixture_run(server, "CREATE DATABASE d; CREATE TABLE d.t (a INT PRIMARY KEY)");
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    mariadb_fixture_stop(&server);
    return 0;
}

typedef struct {
    upstream_t *upstream;
    group_assembler_t *assembler;
    error_report_t report;
} stream_t;

static const table_definition_t *resolve_nothing(void *context, bytes_t schema, bytes_t table)
{
    (void)context;
    (void)schema;
    (void)table;
    return NULL;
}

static bool touch_nothing(void *context, const binlog_query_t *query)
{
    (void)context;
    (void)query;
    return false;
}

static sluice_error_t try_open_uri(stream_t *stream, const char *uri, const char *gtid_list,
                                   uint32_t server_id)
{
    *stream = (stream_t){0};
    upstream_options_t options = {.uri = uri,
                                  .server_id = server_id,
                                  .heartbeat_ns = NS_PER_S / 10,
                                  .read_timeout_ns = 3 * NS_PER_S};
    strcpy(options.anchor.gtid_list, gtid_list);
    group_assembler_options_t assembler = {
        .anchor = options.anchor,
        .group_bytes_max = GROUP_BYTES_MAX_DEFAULT,
        .resolver = {.resolve = resolve_nothing, .may_touch = touch_nothing}};
    sluice_error_t error = upstream_find(uri)->open(&options, &stream->upstream, &stream->report);
    if (error == SLUICE_OK)
        assert_int_equal(group_assembler_new(&assembler, &stream->assembler), SLUICE_OK);
    return error;
}

static void open_at(stream_t *stream, const char *gtid_list)
{
    if (try_open_uri(stream, mariadb_fixture_uri(server), gtid_list, 100) != SLUICE_OK)
        fail_msg("%s", stream->report.text);
}

static void close_stream(stream_t *stream)
{
    if (stream->upstream)
        stream->upstream->api->close(&stream->upstream);
    group_assembler_destroy(&stream->assembler);
}

/* Reads until a whole group came or something else than an event. */
static upstream_result_t next_group(stream_t *stream, group_t *group)
{
    for (;;) {
        raw_event_t event;
        upstream_result_t result =
            stream->upstream->api->next(stream->upstream, &event, &stream->report);
        if (result != UPSTREAM_EVENT)
            return result;
        if (group_assembler_push(stream->assembler, event.bytes, event.location, &stream->report) !=
                SLUICE_OK ||
            group_assembler_take(stream->assembler, group, &stream->report) != SLUICE_OK)
            fail_msg("%s", stream->report.text);
        if (group->kind != GROUP_NONE)
            return UPSTREAM_EVENT;
    }
}

static uint64_t position(void)
{
    const char *list = mariadb_fixture_value(server, "SELECT @@global.gtid_binlog_pos");
    uint64_t sequence;
    assert_int_equal(gtid_list_sequence(list, 0, &sequence), SLUICE_OK);
    return sequence;
}

static void here(char list[ANCHOR_GTID_LIST_MAX])
{
    strcpy(list, mariadb_fixture_value(server, "SELECT @@global.gtid_binlog_pos"));
}

static void sends_what_follows_the_position_and_then_heartbeats(void **state)
{
    (void)state;
    stream_t stream;
    group_t group;
    char start[ANCHOR_GTID_LIST_MAX];
    here(start);
    open_at(&stream, start);
    uint64_t first = position();
    mariadb_fixture_run(server, "INSERT INTO d.t VALUES (1); FLUSH BINARY LOGS; "
                                "INSERT INTO d.t VALUES (2)");
    assert_int_equal(next_group(&stream, &group), UPSTREAM_EVENT);
    assert_int_equal(group.commit_ts.v, first + 1);
    assert_int_equal(next_group(&stream, &group), UPSTREAM_EVENT);
    assert_int_equal(group.commit_ts.v, first + 2);
    assert_int_equal(next_group(&stream, &group), UPSTREAM_CAUGHT_UP);
    mariadb_fixture_run(server, "ALTER TABLE d.t ADD COLUMN b INT");
    upstream_result_t result;
    while ((result = next_group(&stream, &group)) == UPSTREAM_CAUGHT_UP)
        ;
    assert_int_equal(result, UPSTREAM_EVENT);
    assert_int_equal(group.kind, GROUP_DDL);
    assert_true(bytes_equal(group.query->sql, bytes_of_text("ALTER TABLE d.t ADD COLUMN b INT")));
    close_stream(&stream);
}

static void sends_events_of_many_packets_whole(void **state)
{
    (void)state;
    stream_t stream;
    group_t group;
    char start[ANCHOR_GTID_LIST_MAX];
    mariadb_fixture_run(server, "CREATE TABLE d.big (b LONGBLOB); "
                                "SET GLOBAL max_allowed_packet = 64 * 1024 * 1024");
    here(start);
    MYSQL *connection = mariadb_fixture_connect(server);
    assert_int_equal(mysql_query(connection, "INSERT INTO d.big VALUES (REPEAT('x', 20000000))"),
                     0);
    mysql_close(connection);
    open_at(&stream, start);
    assert_int_equal(next_group(&stream, &group), UPSTREAM_EVENT);
    assert_int_equal(group.commit_ts.v, position());
    close_stream(&stream);
}

static void sends_a_log_without_checksums(void **state)
{
    (void)state;
    stream_t stream;
    group_t group;
    char start[ANCHOR_GTID_LIST_MAX];
    here(start);
    mariadb_fixture_run(server, "INSERT INTO d.t VALUES (10, 1); "
                                "SET GLOBAL binlog_checksum = NONE; "
                                "INSERT INTO d.t VALUES (11, 1)");
    open_at(&stream, start);
    assert_int_equal(next_group(&stream, &group), UPSTREAM_EVENT);
    assert_int_equal(next_group(&stream, &group), UPSTREAM_EVENT);
    assert_int_equal(group.commit_ts.v, position());
    assert_int_equal(next_group(&stream, &group), UPSTREAM_CAUGHT_UP);
    close_stream(&stream);
    mariadb_fixture_run(server, "SET GLOBAL binlog_checksum = CRC32; "
                                "INSERT INTO d.t VALUES (12, 1)");
}

static void sends_compressed_events_as_they_were_logged(void **state)
{
    (void)state;
    stream_t stream;
    group_t group;
    char start[ANCHOR_GTID_LIST_MAX];
    static const char *const sql = "ALTER TABLE d.t COMMENT 'long long long long long long long'";
    here(start);
    mariadb_fixture_run(server,
                        "SET GLOBAL log_bin_compress=1, GLOBAL log_bin_compress_min_len=10");
    MYSQL *connection = mariadb_fixture_connect(server);
    assert_int_equal(mysql_query(connection, sql), 0);
    assert_int_equal(mysql_query(connection, "INSERT INTO d.t VALUES (15, 1), (16, 1)"), 0);
    mysql_close(connection);
    open_at(&stream, start);
    assert_int_equal(next_group(&stream, &group), UPSTREAM_EVENT);
    assert_int_equal(group.kind, GROUP_DDL);
    assert_true(bytes_equal(group.query->sql, bytes_of_text(sql)));
    assert_int_equal(next_group(&stream, &group), UPSTREAM_EVENT);
    assert_int_equal(group.commit_ts.v, position());
    close_stream(&stream);
    mariadb_fixture_run(server, "SET GLOBAL log_bin_compress=0");
}

/* The client library does not understand the first event of a LOAD DATA logged as a statement. */
static void sends_what_the_library_cannot_decode(void **state)
{
    (void)state;
    stream_t stream;
    group_t group;
    char start[ANCHOR_GTID_LIST_MAX], path[256], sql[512];
    snprintf(path, sizeof path, "%s/rows", mariadb_fixture_directory(server));
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs("1\n2\n", file);
    fclose(file);
    mariadb_fixture_run(server, "CREATE TABLE d.loaded (a INT)");
    here(start);
    MYSQL *connection = mariadb_fixture_connect(server);
    assert_int_equal(mysql_query(connection, "SET SESSION binlog_format=STATEMENT"), 0);
    snprintf(sql, sizeof sql, "LOAD DATA INFILE '%s' INTO TABLE d.loaded", path);
    assert_int_equal(mysql_query(connection, sql), 0);
    mysql_close(connection);
    open_at(&stream, start);
    assert_int_equal(next_group(&stream, &group), UPSTREAM_EVENT);
    assert_int_equal(group.commit_ts.v, position());
    assert_int_equal(next_group(&stream, &group), UPSTREAM_CAUGHT_UP);
    close_stream(&stream);
}

static void *interrupt_it(void *context)
{
    stream_t *stream = context;
    stream->upstream->api->interrupt(stream->upstream);
    return NULL;
}

static void an_interrupt_ends_a_blocked_read(void **state)
{
    (void)state;
    stream_t stream;
    group_t group;
    char start[ANCHOR_GTID_LIST_MAX];
    here(start);
    open_at(&stream, start);
    assert_int_equal(next_group(&stream, &group), UPSTREAM_CAUGHT_UP);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, interrupt_it, &stream), 0);
    upstream_result_t result;
    while ((result = next_group(&stream, &group)) == UPSTREAM_CAUGHT_UP)
        ;
    assert_int_equal(result, UPSTREAM_INTERRUPTED);
    pthread_join(thread, NULL);
    close_stream(&stream);
}

/* The error of the first read at this position. */
static sluice_error_t error_at(const char *gtid_list)
{
    stream_t stream;
    group_t group;
    open_at(&stream, gtid_list);
    upstream_result_t result = next_group(&stream, &group);
    close_stream(&stream);
    return result == UPSTREAM_FAILED ? stream.report.code : SLUICE_OK;
}

static void a_purged_position_says_so(void **state)
{
    (void)state;
    mariadb_fixture_run(server, "FLUSH BINARY LOGS; INSERT INTO d.t VALUES (20, 1)");
    MYSQL *connection = mariadb_fixture_connect(server);
    assert_int_equal(mysql_query(connection, "SHOW MASTER STATUS"), 0);
    MYSQL_RES *result = mysql_store_result(connection);
    mariadb_fixture_printf(server, "PURGE BINARY LOGS TO '%s'", mysql_fetch_row(result)[0]);
    mysql_free_result(result);
    mysql_close(connection);
    assert_int_equal(error_at("0-7-1"), SLUICE_ERROR_SOURCE_PURGED);
    assert_int_equal(error_at(""), SLUICE_ERROR_SOURCE_PURGED);
}

static void a_position_the_server_never_had_has_diverged(void **state)
{
    (void)state;
    char list[64];
    snprintf(list, sizeof list, "0-7-%llu", (unsigned long long)position() + 1000);
    assert_int_equal(error_at(list), SLUICE_ERROR_SOURCE_DIVERGED);
    snprintf(list, sizeof list, "0-8-%llu", (unsigned long long)position());
    assert_int_equal(error_at(list), SLUICE_ERROR_SOURCE_DIVERGED);
}

static void with_user(const char *user, char uri[512])
{
    snprintf(uri, 512, "mariadb+unix://%s@%s", user, mariadb_fixture_socket(server));
}

/* Opens at the server's present position, whose group it has been told was committed then, and
 * reads to the end. */
static sluice_error_t read_known_since(uint64_t commit_time_s, error_report_t *report)
{
    upstream_options_t options = {.uri = mariadb_fixture_uri(server),
                                  .server_id = 100,
                                  .heartbeat_ns = NS_PER_S / 10,
                                  .read_timeout_ns = 3 * NS_PER_S};
    here(options.anchor.gtid_list);
    options.anchor.commit_ts = (commit_ts_t){position()};
    options.anchor.commit_time = (wall_ms_t){commit_time_s * 1000};
    upstream_t *upstream;
    sluice_error_t error = upstream_find(options.uri)->open(&options, &upstream, report);
    if (error != SLUICE_OK)
        return error;
    raw_event_t event;
    upstream_result_t result;
    do
        result = upstream->api->next(upstream, &event, report);
    while (result == UPSTREAM_EVENT);
    if (result == UPSTREAM_FAILED)
        error = report->code;
    upstream->api->close(&upstream);
    return error;
}

/* As after RESET MASTER, when the log has grown past the position again. */
static void a_group_that_was_committed_later_is_another_log(void **state)
{
    (void)state;
    static const char *const befores[] = {
        "",
        "SET gtid_seq_no=1000;",
        "SET server_id=9;",
        "SET gtid_domain_id=3;",
    };
    for (size_t i = 0; i < sizeof befores / sizeof befores[0]; i++) {
        error_report_t report = {0};
        char sql[256];
        snprintf(sql, sizeof sql,
                 "SET timestamp=2000000000; %s INSERT INTO d.t VALUES (%zu, 1); "
                 "SET gtid_domain_id=0, server_id=7, timestamp=2000000100; "
                 "INSERT INTO d.t VALUES (%zu, 1)",
                 befores[i], 1000 + i, 2000 + i);
        mariadb_fixture_run(server, sql);
        uint64_t now = clock_wall().v / 1000;
        assert_int_equal(read_known_since(2000000100, &report), SLUICE_OK);
        assert_int_equal(read_known_since(2000000200, &report), SLUICE_OK);
        /* Its file was there before: another server's idea of the time. */
        assert_int_equal(read_known_since(now, &report), SLUICE_OK);
        assert_int_equal(read_known_since(now - 3600, &report), SLUICE_ERROR_SOURCE_DIVERGED);
        assert_non_null(strstr(report.text, "RESET MASTER"));
    }
}

static void a_group_that_was_purged_says_nothing(void **state)
{
    (void)state;
    mariadb_fixture_run(server, "FLUSH BINARY LOGS");
    char file[128];
    snprintf(file, sizeof file, "%s", mariadb_fixture_value(server, "SHOW MASTER STATUS"));
    /* The server keeps a log until the engine has let go of it. */
    for (int i = 0; i < 10000; i++) {
        mariadb_fixture_printf(server, "PURGE BINARY LOGS TO '%s'", file);
        if (strcmp(mariadb_fixture_value(server, "SHOW BINARY LOGS"), file) == 0)
            break;
    }
    error_report_t report = {0};
    assert_int_equal(read_known_since(1, &report), SLUICE_OK);
}

static void credentials_and_rights_are_told_apart(void **state)
{
    (void)state;
    stream_t stream;
    group_t group;
    char uri[512];
    mariadb_fixture_run(server, "CREATE USER weak IDENTIFIED BY 'secret'");
    with_user("weak:wrong", uri);
    assert_int_equal(try_open_uri(&stream, uri, "", 100), SLUICE_ERROR_SOURCE_CREDENTIALS);
    assert_null(strstr(stream.report.text, "wrong"));
    close_stream(&stream);
    with_user("weak:secret", uri);
    sluice_error_t error = try_open_uri(&stream, uri, "", 100);
    if (error == SLUICE_OK) {
        assert_int_equal(next_group(&stream, &group), UPSTREAM_FAILED);
        error = stream.report.code;
    }
    assert_int_equal(error, SLUICE_ERROR_SOURCE_PRIVILEGE);
    close_stream(&stream);
}

static void the_older_reader_with_the_same_server_id_is_told(void **state)
{
    (void)state;
    stream_t older, newer;
    group_t group;
    char start[ANCHOR_GTID_LIST_MAX];
    here(start);
    assert_int_equal(try_open_uri(&older, mariadb_fixture_uri(server), start, 55), SLUICE_OK);
    assert_int_equal(next_group(&older, &group), UPSTREAM_CAUGHT_UP);
    assert_int_equal(try_open_uri(&newer, mariadb_fixture_uri(server), start, 55), SLUICE_OK);
    assert_int_equal(next_group(&newer, &group), UPSTREAM_CAUGHT_UP);
    upstream_result_t result;
    while ((result = next_group(&older, &group)) == UPSTREAM_CAUGHT_UP)
        ;
    assert_int_equal(result, UPSTREAM_FAILED);
    assert_int_equal(older.report.code, SLUICE_ERROR_SOURCE_SERVER_ID);
    close_stream(&older);
    close_stream(&newer);
}

static void without_a_server_id_it_ends_where_the_log_does_and_nobody_is_told(void **state)
{
    (void)state;
    stream_t streams[2];
    group_t group;
    char start[ANCHOR_GTID_LIST_MAX];
    here(start);
    mariadb_fixture_run(server, "INSERT INTO d.t VALUES (40, 1)");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(try_open_uri(&streams[i], mariadb_fixture_uri(server), start, 0),
                         SLUICE_OK);
        assert_int_equal(next_group(&streams[i], &group), UPSTREAM_EVENT);
        assert_int_equal(group.commit_ts.v, position());
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(next_group(&streams[i], &group), UPSTREAM_END);
        close_stream(&streams[i]);
    }
}

static void a_server_that_dies_can_be_read_again(void **state)
{
    (void)state;
    stream_t stream;
    group_t group;
    char start[ANCHOR_GTID_LIST_MAX];
    here(start);
    open_at(&stream, start);
    assert_int_equal(next_group(&stream, &group), UPSTREAM_CAUGHT_UP);
    mariadb_fixture_kill(server);
    upstream_result_t result;
    while ((result = next_group(&stream, &group)) == UPSTREAM_CAUGHT_UP)
        ;
    assert_int_equal(result, UPSTREAM_FAILED);
    assert_int_equal(stream.report.code, SLUICE_ERROR_SOURCE_CONNECTION);
    assert_true(sluice_error_is_retriable(stream.report.code));
    close_stream(&stream);
    assert_int_equal(try_open_uri(&stream, mariadb_fixture_uri(server), start, 100),
                     SLUICE_ERROR_SOURCE_CONNECTION);
    mariadb_fixture_start_again(server);
    open_at(&stream, start);
    mariadb_fixture_run(server, "INSERT INTO d.t VALUES (30, 1)");
    assert_int_equal(next_group(&stream, &group), UPSTREAM_EVENT);
    assert_int_equal(group.commit_ts.v, position());
    close_stream(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_what_follows_the_position_and_then_heartbeats),
        cmocka_unit_test(sends_events_of_many_packets_whole),
        cmocka_unit_test(sends_a_log_without_checksums),
        cmocka_unit_test(sends_compressed_events_as_they_were_logged),
        cmocka_unit_test(sends_what_the_library_cannot_decode),
        cmocka_unit_test(an_interrupt_ends_a_blocked_read),
        cmocka_unit_test(a_purged_position_says_so),
        cmocka_unit_test(a_position_the_server_never_had_has_diverged),
        cmocka_unit_test(a_group_that_was_committed_later_is_another_log),
        cmocka_unit_test(a_group_that_was_purged_says_nothing),
        cmocka_unit_test(credentials_and_rights_are_told_apart),
        cmocka_unit_test(the_older_reader_with_the_same_server_id_is_told),
        cmocka_unit_test(without_a_server_id_it_ends_where_the_log_does_and_nobody_is_told),
        cmocka_unit_test(a_server_that_dies_can_be_read_again),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
