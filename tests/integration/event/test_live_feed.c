/* The feed over a real server: nothing is lost or comes twice when connections end, the server
 * crashes, or a transaction is larger than the reader's limit. */
#include "tests/testing.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "common/base/memory.h"
#include "dispatcher/core/binlog/rows.h"
#include "dispatcher/upstream/source.h"
#include "tests/integration/mariadb_fixture.h"
#include "tests/unit/event/feed_node.h"

#define KEYS_MAX 200000

static mariadb_fixture_t *server;
static const bytes_t rule = {(const uint8_t *)"d.*", 3};
static const changefeed_config_t config = {.filter_rules = &rule, .filter_rule_count = 1};

static int start_server(void **state)
{
    (void)state;
    static const char *const options[] = {"--server-id=7",
                                          "--log-bin=binlog",
                                          "--binlog-format=ROW",
                                          "--binlog-row-metadata=FULL",
                                          "--gtid-strict-mode=1",
                                          "--sync-binlog=1",
                                          NULL};
    server = mariadb_fixture_start(options);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    mariadb_fixture_stop(&server);
    return 0;
}

/* What arrived, by the value of the integer column `id`. */
typedef struct {
    uint8_t rows[KEYS_MAX];
    uint64_t row_count;
    uint64_t parts;
    uint64_t ddls;
    uint64_t wanted;
    commit_ts_t end;
} arrivals_t;

static arrivals_t arrivals;

static void see_rows(feed_node_t *node, const stream_event_t *event)
{
    (void)node;
    arena_t arena = {0};
    error_report_t report;
    arrivals.parts++;
    for (uint32_t i = 0; i < event->rows->event_count; i++) {
        rows_reader_t reader;
        row_change_t change;
        assert_int_equal(rows_reader_init(&reader, &event->rows->events[i], &report), SLUICE_OK);
        while (rows_reader_next(&reader, &arena, &change, &report) == SLUICE_OK) {
            assert_int_equal(change.kind, ROW_INSERT);
            assert_in_range(change.after[0].i64, 0, KEYS_MAX - 1);
            arrivals.rows[change.after[0].i64]++;
            arrivals.row_count++;
        }
    }
    arena_clear(&arena);
}

static void see_ddl(feed_node_t *node, const stream_event_t *event)
{
    (void)node;
    (void)event;
    arrivals.ddls++;
}

static schema_tracker_t *describe(anchor_t *anchor, table_filter_t **filter)
{
    arena_t arena = {0};
    error_report_t report = {.code = SLUICE_OK};
    assert_int_equal(
        table_filter_new(config.filter_rules, config.filter_rule_count, false, filter, &report),
        SLUICE_OK);
    source_request_t request = {.uri = mariadb_fixture_uri(server),
                                .server_id = 900,
                                .server_id_min = 1000,
                                .server_id_max = 1100,
                                .start = START_NOW};
    source_description_t source;
    if (source_describe(&request, &arena, &source, &report) != SLUICE_OK)
        fail_msg("%s", report.text);
    schema_tracker_options_t how = {.filter = *filter, .server_version = source.server_version};
    schema_tracker_t *tracker = schema_tracker_new(&how);
    for (uint32_t i = 0; i < source.object_count; i++) {
        const source_object_t *object = &source.objects[i];
        bytes_t schema = bytes_of_text(object->schema);
        sluice_error_t error =
            object->kind == SOURCE_SCHEMA
                ? schema_tracker_add_schema(tracker, schema, object->charset, object->collation,
                                            &report)
                : schema_tracker_add_table(tracker, schema, bytes_of_text(object->create), &report);
        if (error != SLUICE_OK)
            fail_msg("%s", report.text);
    }
    *anchor = source.anchor;
    schema_tracker_set_position(tracker, anchor->commit_ts);
    arena_clear(&arena);
    return tracker;
}

static feed_node_t *open_node(const event_feed_options_t *limits)
{
    anchor_t anchor;
    table_filter_t *filter;
    schema_tracker_t *tracker = describe(&anchor, &filter);
    event_feed_options_t options = *limits;
    options.config = &config;
    feed_node_t *node = feed_node_open(mariadb_fixture_uri(server), &anchor, tracker, &options);
    node->on_rows = see_rows;
    node->on_ddl = see_ddl;
    arrivals = (arrivals_t){0};
    feed_node_add(node, TABLE_ID_TRIGGER, anchor.commit_ts, COMMIT_TS_NONE);
    feed_node_add_listed(node, anchor.commit_ts);
    schema_tracker_destroy(&tracker);
    table_filter_destroy(&filter);
    return node;
}

static bool has_all_rows(const feed_node_t *node)
{
    (void)node;
    return arrivals.row_count >= arrivals.wanted;
}

static bool has_come_to_the_end(const feed_node_t *node)
{
    return feed_node_checkpoint(node).v >= arrivals.end.v;
}

static void run_to_the_end(feed_node_t *node)
{
    const char *position = mariadb_fixture_value(server, "SELECT @@gtid_binlog_pos");
    uint64_t sequence;
    assert_int_equal(gtid_list_sequence(position, 0, &sequence), SLUICE_OK);
    arrivals.end.v = sequence;
    feed_node_run(node, has_come_to_the_end, false);
}

static void assert_each_once(uint32_t count)
{
    assert_int_equal(arrivals.row_count, count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(arrivals.rows[i], 1);
}

static void rows_and_schema_changes_arrive(void **state)
{
    (void)state;
    mariadb_fixture_run(server, "CREATE OR REPLACE DATABASE d; CREATE TABLE d.t (id INT PRIMARY "
                                "KEY); CREATE OR REPLACE DATABASE other");
    feed_node_t *node = open_node(&(event_feed_options_t){0});
    mariadb_fixture_run(server,
                        "INSERT INTO d.t VALUES (0); INSERT INTO d.t VALUES (1), (2); "
                        "ALTER TABLE d.t ADD COLUMN a VARCHAR(20) DEFAULT 'x'; "
                        "INSERT INTO d.t VALUES (3, 'y'); "
                        "CREATE TABLE d.n (id INT PRIMARY KEY) SELECT id + 4 AS id FROM d.t; "
                        "CREATE TABLE other.o (id INT); INSERT INTO other.o VALUES (1); "
                        "RENAME TABLE d.n TO d.m; INSERT INTO d.m VALUES (8); "
                        "ANALYZE TABLE d.t");
    run_to_the_end(node);
    assert_each_once(9);
    assert_int_equal(arrivals.ddls, 3);
    assert_int_equal(node->table_ddls, 2);
    feed_node_close(&node);
}

static atomic_bool is_writing;

static void *write_rows(void *context)
{
    MYSQL *connection = context;
    char sql[100];
    for (int i = 0; i < 3000; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO d.t VALUES (%d)", i);
        if (mysql_query(connection, sql) != 0)
            fail_msg("%s", mysql_error(connection));
    }
    atomic_store(&is_writing, false);
    return NULL;
}

/* Ends every connection that reads the log; one may have ended by itself (error 1094). */
static void kill_readers(void)
{
    mariadb_fixture_run(
        server,
        "BEGIN NOT ATOMIC DECLARE CONTINUE HANDLER FOR 1094 BEGIN END; FOR r IN (SELECT id FROM "
        "information_schema.processlist WHERE "
        "command = 'Binlog Dump') DO EXECUTE IMMEDIATE CONCAT('KILL ', r.id); END FOR; END");
}

static bool has_some_more(const feed_node_t *node)
{
    (void)node;
    return arrivals.row_count >= arrivals.wanted || !atomic_load(&is_writing);
}

static void connections_that_end_lose_and_repeat_nothing(void **state)
{
    (void)state;
    mariadb_fixture_run(server,
                        "CREATE OR REPLACE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY)");
    feed_node_t *node = open_node(&(event_feed_options_t){0});
    pthread_t writer;
    MYSQL *connection = mariadb_fixture_connect(server);
    atomic_store(&is_writing, true);
    assert_int_equal(pthread_create(&writer, NULL, write_rows, connection), 0);
    while (atomic_load(&is_writing)) {
        arrivals.wanted = arrivals.row_count + 200;
        feed_node_run(node, has_some_more, false);
        kill_readers();
    }
    pthread_join(writer, NULL);
    mysql_close(connection);
    run_to_the_end(node);
    assert_each_once(3000);
    feed_node_close(&node);
}

static void a_crash_of_the_server_is_survived(void **state)
{
    (void)state;
    mariadb_fixture_run(server,
                        "CREATE OR REPLACE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY)");
    feed_node_t *node = open_node(&(event_feed_options_t){0});
    mariadb_fixture_run(server, "INSERT INTO d.t SELECT seq FROM d.seq_0_to_99");
    arrivals.wanted = 100;
    feed_node_run(node, has_all_rows, false);
    mariadb_fixture_kill(server);
    mariadb_fixture_start_again(server);
    mariadb_fixture_run(server, "FLUSH BINARY LOGS; INSERT INTO d.t SELECT seq FROM "
                                "d.seq_100_to_199; FLUSH BINARY LOGS");
    run_to_the_end(node);
    assert_each_once(200);
    feed_node_close(&node);
}

static void a_transaction_larger_than_the_limit_comes_in_parts(void **state)
{
    (void)state;
    mariadb_fixture_run(server, "CREATE OR REPLACE DATABASE d; CREATE TABLE d.t (id INT PRIMARY "
                                "KEY, a VARCHAR(200))");
    event_feed_options_t limits = {.tail_bytes_max = 4 << 20, .group_bytes_max = 512 << 10};
    feed_node_t *node = open_node(&limits);
    mariadb_fixture_run(server,
                        "INSERT INTO d.t SELECT seq, REPEAT('x', 150) FROM d.seq_0_to_99999; "
                        "INSERT INTO d.t VALUES (100000, 'y')");
    run_to_the_end(node);
    assert_each_once(100001);
    assert_true(arrivals.parts > 10);
    feed_node_close(&node);
}

/* Files that a connection still reads are passed over, so those are ended and it is tried again. */
static void purge_all_but_the_newest(void)
{
    MYSQL *connection = mariadb_fixture_connect(server);
    uint64_t files;
    do {
        kill_readers();
        assert_int_equal(mysql_query(connection, "SHOW MASTER STATUS"), 0);
        MYSQL_RES *result = mysql_store_result(connection);
        mariadb_fixture_printf(server, "PURGE BINARY LOGS TO '%s'", mysql_fetch_row(result)[0]);
        mysql_free_result(result);
        assert_int_equal(mysql_query(connection, "SHOW BINARY LOGS"), 0);
        result = mysql_store_result(connection);
        files = mysql_num_rows(result);
        mysql_free_result(result);
    } while (files > 1);
    mysql_close(connection);
}

static bool never(const feed_node_t *node)
{
    (void)node;
    return false;
}

static void a_position_that_was_purged_ends_the_feed(void **state)
{
    (void)state;
    mariadb_fixture_run(server,
                        "CREATE OR REPLACE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY)");
    anchor_t anchor;
    table_filter_t *filter;
    schema_tracker_t *tracker = describe(&anchor, &filter);
    mariadb_fixture_run(server, "INSERT INTO d.t VALUES (0); FLUSH BINARY LOGS; "
                                "INSERT INTO d.t VALUES (1); FLUSH BINARY LOGS");
    purge_all_but_the_newest();
    feed_node_t *node =
        feed_node_open(mariadb_fixture_uri(server), &anchor, tracker, &(event_feed_options_t){0});
    feed_node_run(node, never, true);
    assert_int_equal(node->error, SLUICE_ERROR_SOURCE_PURGED);
    feed_node_close(&node);
    schema_tracker_destroy(&tracker);
    table_filter_destroy(&filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_schema_changes_arrive),
        cmocka_unit_test(connections_that_end_lose_and_repeat_nothing),
        cmocka_unit_test(a_crash_of_the_server_is_survived),
        cmocka_unit_test(a_transaction_larger_than_the_limit_comes_in_parts),
        cmocka_unit_test(a_position_that_was_purged_ends_the_feed),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
