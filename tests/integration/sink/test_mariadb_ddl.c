#include "tests/testing.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "dispatcher/sink/adapters.h"
#include "tests/integration/mariadb_fixture.h"

/* DDL in a real server: in the session of the source, by its owner alone, and once. */

#define TS UINT64_C(50)
#define LATIN1_SWEDISH_CI 8
#define UTF8MB4_GENERAL_CI 45
#define SQL_MODE_ANSI_QUOTES 4

typedef struct {
    mariadb_fixture_t *server;
    sink_t *sink;
    sink_connection_t *connection;
    ddl_event_t *event;
    error_report_t report;
} fixture_t;

static fixture_t shared;

static int group_set_up(void **state)
{
    static const char *const options[] = {"--log-bin=binlog", "--server-id=1", NULL};
    shared.server = mariadb_fixture_start(options);
    *state = &shared;
    return 0;
}

static int group_tear_down(void **state)
{
    (void)state;
    mariadb_fixture_stop(&shared.server);
    return 0;
}

static sluice_error_t claim_trigger(fixture_t *f, uint64_t epoch)
{
    sink_claim_t claim = {.epoch = {1, epoch}};
    sink_claim_result_t result = {.error = SLUICE_ERROR_BUG};
    if (mariadb_sink_api.claim(f->connection, &claim, 1, &result, &f->report) != SLUICE_OK)
        fail_msg("%s", f->report.text);
    return result.error;
}

static int set_up(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(f->server, "DROP DATABASE IF EXISTS d; DROP DATABASE IF EXISTS sluice; "
                                   "CREATE DATABASE d CHARACTER SET utf8mb4");
    sink_options_t options = {.uri = mariadb_fixture_uri(f->server),
                              .changefeed = {.uuid = {{1}}, .generation = 1},
                              .changefeed_name = "test"};
    if (mariadb_sink_api.open(&options, &f->sink, &f->report) != SLUICE_OK ||
        mariadb_sink_api.connect(f->sink, &f->connection, &f->report) != SLUICE_OK)
        fail_msg("%s", f->report.text);
    assert_int_equal(claim_trigger(f, 1), SLUICE_OK);
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;
    ddl_event_unref(&f->event);
    mariadb_sink_api.disconnect(&f->connection);
    mariadb_sink_api.close(&f->sink);
    return 0;
}

/* An event as the tracker makes it, of a session with everything at its default. */
static ddl_event_t *make(fixture_t *f, ddl_verb_t verb, const char *object, const char *sql)
{
    ddl_event_unref(&f->event);
    ddl_event_t *event = ddl_event_new();
    event->commit_ts = (commit_ts_t){TS};
    event->verb = verb;
    event->schema = "d";
    event->object = object;
    event->sql_utf8 = arena_strdup(&event->arena, sql);
    event->sql = bytes_of_text(event->sql_utf8);
    event->context = (ddl_context_t){.default_schema = "d",
                                     .has_sql_mode = true,
                                     .charset_client = UTF8MB4_GENERAL_CI,
                                     .collation_connection = UTF8MB4_GENERAL_CI,
                                     .collation_server = LATIN1_SWEDISH_CI,
                                     .has_option_flags = true,
                                     .option_flags = 1u << 24};
    f->event = event;
    return event;
}

static sluice_error_t run_as(fixture_t *f, uint64_t epoch)
{
    sink_claim_t claim = {.epoch = {1, epoch}};
    f->report = (error_report_t){0};
    return mariadb_sink_api.run_ddl(f->connection, &claim, f->event, &f->report);
}

static void run(fixture_t *f)
{
    if (run_as(f, 1) != SLUICE_OK)
        fail_msg("%s", f->report.text);
}

static void run_text(fixture_t *f, ddl_verb_t verb, const char *object, const char *sql)
{
    make(f, verb, object, sql);
    run(f);
}

/* As if the process had ended between the statement and the record "after". */
static void record_half_way(fixture_t *f)
{
    mariadb_fixture_run(f->server, "UPDATE sluice.ddl_record SET is_done=0, finished=NULL");
}

static void assert_done(fixture_t *f)
{
    assert_int_equal(
        mariadb_fixture_number(f->server, "SELECT COUNT(*) FROM sluice.ddl_record WHERE is_done"),
        1);
}

static const char *show_create(fixture_t *f, const char *table)
{
    char sql[400];
    snprintf(sql, sizeof sql,
             "SELECT GROUP_CONCAT(CONCAT(COLUMN_NAME,' ',COLUMN_TYPE,' ',IS_NULLABLE,' ',"
             "IFNULL(CHARACTER_SET_NAME,'-')) ORDER BY ORDINAL_POSITION) FROM "
             "information_schema.COLUMNS WHERE TABLE_SCHEMA='d' AND TABLE_NAME='%s'",
             table);
    return mariadb_fixture_value(f->server, sql);
}

static void runs_in_the_session_of_the_source(void **state)
{
    fixture_t *f = *state;
    ddl_event_t *event = make(f, DDL_CREATE_TABLE, "t",
                              "CREATE TABLE \"t\" (a INT, b TIMESTAMP, c CHAR(5) DEFAULT 'x') "
                              "COMMENT='\xe9'");
    event->context.sql_mode = SQL_MODE_ANSI_QUOTES;
    event->context.charset_client = LATIN1_SWEDISH_CI;
    event->context.option_flags = 0; /* explicit_defaults_for_timestamp off */
    event->context.collation_database = LATIN1_SWEDISH_CI;
    run(f);
    assert_string_equal(show_create(f, "t"),
                        "a int(11) YES -,b timestamp NO -,c char(5) YES utf8mb4");
    assert_string_equal(mariadb_fixture_value(f->server,
                                              "SELECT TABLE_COMMENT FROM information_schema.TABLES "
                                              "WHERE TABLE_SCHEMA='d' AND TABLE_NAME='t'"),
                        "é");
}

static void new_columns_get_the_moment_of_the_source(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(f->server, "CREATE TABLE d.t (a INT PRIMARY KEY); INSERT INTO d.t VALUES "
                                   "(1)");
    ddl_event_t *event =
        make(f, DDL_ALTER_TABLE, "t", "ALTER TABLE t ADD b DATETIME(6) NOT NULL DEFAULT NOW(6)");
    event->context.timestamp_us = UINT64_C(1700000000123456);
    event->context.time_zone = "+02:00";
    run(f);
    assert_string_equal(mariadb_fixture_value(f->server, "SELECT b FROM d.t"),
                        "2023-11-15 00:13:20.123456");
}

static void a_default_schema_that_the_sink_lacks_is_left_out(void **state)
{
    fixture_t *f = *state;
    ddl_event_t *event = make(f, DDL_CREATE_TABLE, "t", "CREATE TABLE d.t (a INT)");
    event->context.default_schema = "not_carried";
    run(f);
    assert_string_equal(show_create(f, "t"), "a int(11) YES -");
}

static void a_ddl_that_is_done_is_not_run_again(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(f->server, "CREATE TABLE d.t (a INT)");
    run_text(f, DDL_TRUNCATE_TABLE, "t", "TRUNCATE TABLE t");
    mariadb_fixture_run(f->server, "INSERT INTO d.t VALUES (1)");
    run(f);
    assert_int_equal(mariadb_fixture_number(f->server, "SELECT COUNT(*) FROM d.t"), 1);
    assert_done(f);
}

static void who_is_not_the_owner_runs_nothing_and_leaves_no_record(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(f->server, "CREATE TABLE d.t (a INT); INSERT INTO d.t VALUES (1)");
    make(f, DDL_TRUNCATE_TABLE, "t", "TRUNCATE TABLE t");
    assert_int_equal(claim_trigger(f, 2), SLUICE_OK);
    assert_int_equal(run_as(f, 1), SLUICE_ERROR_NOT_OWNER);
    assert_int_equal(mariadb_fixture_number(f->server, "SELECT COUNT(*) FROM d.t"), 1);
    assert_int_equal(mariadb_fixture_number(f->server, "SELECT COUNT(*) FROM sluice.ddl_record"),
                     0);
    assert_int_equal(run_as(f, 2), SLUICE_OK);
    assert_int_equal(mariadb_fixture_number(f->server, "SELECT COUNT(*) FROM d.t"), 0);
}

/* Runs it, makes the record half-way, runs it again, and compares what `question` answers. */
static void assert_once(fixture_t *f, const char *question)
{
    run(f);
    char *answer = strdup(mariadb_fixture_value(f->server, question));
    record_half_way(f);
    run(f);
    assert_string_equal(mariadb_fixture_value(f->server, question), answer);
    assert_done(f);
    free(answer);
}

static const table_definition_t *definition(const char *name)
{
    table_definition_t *made = table_definition_new();
    made->schema = "d";
    made->name = name;
    made->table_id = table_id_derive(bytes_of_text("d"), bytes_of_text(name), COMMIT_TS_NONE);
    return made;
}

static void add_renames(ddl_event_t *event, const char *const (*names)[2], uint32_t count)
{
    table_change_t *changes = arena_calloc(&event->arena, count, sizeof *changes);
    for (uint32_t i = 0; i < count; i++)
        changes[i] = (table_change_t){.kind = TABLE_RENAMED,
                                      .before = definition(names[i][0]),
                                      .after = definition(names[i][1])};
    event->changes = changes;
    event->change_count = count;
}

static void a_swap_found_half_way_is_not_swapped_back(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(f->server, "CREATE TABLE d.a (x INT); CREATE TABLE d.b (x INT); INSERT "
                                   "INTO d.a VALUES (1)");
    static const char *const names[][2] = {{"a", "c"}, {"b", "a"}, {"c", "b"}};
    add_renames(make(f, DDL_RENAME_TABLE, "a", "RENAME TABLE a TO c, b TO a, c TO b"), names, 3);
    assert_once(f, "SELECT CONCAT((SELECT COUNT(*) FROM d.a),(SELECT COUNT(*) FROM d.b))");
    assert_string_equal(mariadb_fixture_value(f->server, "SELECT COUNT(*) FROM d.b"), "1");
}

static void columns_that_change_places_do_so_once(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(f->server, "CREATE TABLE d.t (a INT, b INT); INSERT INTO d.t VALUES (1,2)");
    make(f, DDL_ALTER_TABLE, "t", "ALTER TABLE t CHANGE a b INT, CHANGE b a INT");
    assert_once(f, "SELECT CONCAT(a,b) FROM d.t");
    assert_string_equal(mariadb_fixture_value(f->server, "SELECT CONCAT(a,b) FROM d.t"), "21");
}

static void an_index_is_added_once(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(f->server, "CREATE TABLE d.t (a INT)");
    make(f, DDL_ALTER_TABLE, "t", "ALTER TABLE t ADD INDEX (a)");
    assert_once(f, "SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA='d'");
}

static void a_partition_is_truncated_and_exchanged_once(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(
        f->server, "CREATE TABLE d.`p-t` (a INT) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS "
                   "THAN (10), PARTITION p1 VALUES LESS THAN (20)); CREATE TABLE d.x (a INT); "
                   "INSERT INTO d.`p-t` VALUES (1),(11)");
    make(f, DDL_TRUNCATE_PARTITION, "p-t", "ALTER TABLE `p-t` TRUNCATE PARTITION p0");
    run(f);
    mariadb_fixture_run(f->server, "INSERT INTO d.`p-t` VALUES (2)");
    record_half_way(f);
    run(f);
    assert_int_equal(mariadb_fixture_number(f->server, "SELECT COUNT(*) FROM d.`p-t`"), 2);
    make(f, DDL_EXCHANGE_PARTITION, "p-t", "ALTER TABLE `p-t` EXCHANGE PARTITION p0 WITH TABLE x")
        ->commit_ts.v++;
    run(f);
    record_half_way(f);
    run(f);
    assert_int_equal(mariadb_fixture_number(f->server, "SELECT a FROM d.x"), 2);
}

static void a_counter_that_moved_does_not_count_as_a_change(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(f->server,
                        "CREATE TABLE d.t (a INT AUTO_INCREMENT PRIMARY KEY, b INT, KEY (b)) "
                        "COMMENT='x'; INSERT INTO d.t (b) VALUES (1)");
    make(f, DDL_TRUNCATE_TABLE, "t", "TRUNCATE TABLE nosuch");
    assert_int_equal(run_as(f, 1), SLUICE_ERROR_SINK_REFUSED);
    run_text(f, DDL_ALTER_TABLE, "t", "ALTER TABLE t COMMENT='x'");
    mariadb_fixture_run(f->server, "INSERT INTO d.t (b) VALUES (2),(3)");
    record_half_way(f);
    f->event->sql = bytes_of_text("ALTER TABLE d.t COMMENT='y'");
    f->event->sql_utf8 = "ALTER TABLE d.t COMMENT='y'";
    run(f);
    assert_string_equal(mariadb_fixture_value(f->server,
                                              "SELECT TABLE_COMMENT FROM information_schema.TABLES "
                                              "WHERE TABLE_SCHEMA='d' AND TABLE_NAME='t'"),
                        "y");
}

static void a_create_or_replace_that_only_dropped_is_run_again(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(f->server, "CREATE TABLE d.t (a INT)");
    run_text(f, DDL_CREATE_TABLE, "t", "CREATE OR REPLACE TABLE t (b INT)");
    mariadb_fixture_run(f->server, "DROP TABLE d.t");
    record_half_way(f);
    run(f);
    assert_string_equal(show_create(f, "t"), "b int(11) YES -");
}

static void a_drop_found_half_way_drops_the_rest(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(f->server, "CREATE TABLE d.a (x INT); CREATE TABLE d.b (x INT)");
    run_text(f, DDL_DROP_TABLE, "a", "DROP TABLE `a`,`d`.`b` /* generated by server */");
    record_half_way(f);
    mariadb_fixture_run(f->server, "CREATE TABLE d.b (x INT)");
    run(f);
    assert_string_equal(show_create(f, "b"), "");
    assert_done(f);
}

static void a_drop_of_a_schema_is_repeated(void **state)
{
    fixture_t *f = *state;
    make(f, DDL_DROP_DATABASE, "", "drop /* all */ schema `d`");
    run(f);
    record_half_way(f);
    run(f);
    assert_done(f);
}

static void a_failure_says_why_and_leaves_nothing_behind(void **state)
{
    fixture_t *f = *state;
    make(f, DDL_ALTER_TABLE, "t", "ALTER TABLE t ADD b INT");
    assert_int_equal(run_as(f, 1), SLUICE_ERROR_SINK_REFUSED);
    assert_non_null(strstr(f->report.text, "1146"));
    assert_int_equal(mariadb_fixture_number(f->server, "SELECT COUNT(*) FROM sluice.ddl_record"),
                     0);
    mariadb_fixture_run(f->server, "CREATE TABLE d.t (a INT)");
    run(f);
    assert_string_equal(show_create(f, "t"), "a int(11) YES -,b int(11) YES -");
}

static void other_engines_become_innodb(void **state)
{
    fixture_t *f = *state;
    run_text(f, DDL_CREATE_TABLE, "t",
             "CREATE TABLE t (a INT, engine VARCHAR(10) COMMENT 'ENGINE=MyISAM', b INT CHECK "
             "(engine = 'memory')) ENGINE = MyISAM ROW_FORMAT=FIXED");
    static const char engine[] = "SELECT CONCAT(ENGINE,TABLE_NAME) FROM information_schema.TABLES "
                                 "WHERE TABLE_SCHEMA='d'";
    assert_string_equal(mariadb_fixture_value(f->server, engine), "InnoDBt");
    assert_string_equal(show_create(f, "t"),
                        "a int(11) YES -,engine varchar(10) YES utf8mb4,b int(11) YES -");
    make(f, DDL_ALTER_TABLE, "t", "ALTER TABLE t ADD c INT, engine aria")->commit_ts.v++;
    run(f);
    assert_string_equal(mariadb_fixture_value(f->server, engine), "InnoDBt");
}

static void the_tables_of_a_ddl_are_recorded(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(f->server, "CREATE TABLE d.a (x INT); CREATE TABLE d.b (x INT)");
    ddl_event_t *event = make(f, DDL_DROP_TABLE, "a", "DROP TABLE a");
    static const table_id_t influenced[] = {{0}, {5}, {6}};
    event->payload.influence = (influence_t){.table_ids = influenced, .table_count = 3};
    table_change_t *change = arena_zalloc(&event->arena, sizeof *change);
    table_definition_t *dropped = (table_definition_t *)definition("a");
    dropped->table_id.v = 5;
    *change = (table_change_t){.kind = TABLE_DROPPED, .before = dropped};
    event->changes = change;
    event->change_count = 1;
    run(f);
    assert_string_equal(
        mariadb_fixture_value(f->server,
                              "SELECT GROUP_CONCAT(CONCAT(table_id,':',is_dropped) ORDER BY "
                              "table_id) FROM sluice.ddl_table WHERE commit_ts=50"),
        "5:1,6:0");
}

static void *run_in_thread(void *argument)
{
    fixture_t *f = argument;
    return (void *)(uintptr_t)run_as(f, 1);
}

static void a_ddl_killed_before_it_was_run_is_run_by_the_next(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(f->server, "CREATE TABLE d.t (a INT); INSERT INTO d.t VALUES (1); LOCK "
                                   "TABLES d.t READ");
    make(f, DDL_ALTER_TABLE, "t", "ALTER TABLE t ADD b INT");
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_in_thread, f), 0);
    static const char waiting[] = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE "
                                  "LIKE 'Waiting for table metadata lock'";
    mariadb_fixture_wait_value(f->server, waiting, "1");
    uint64_t id =
        mariadb_fixture_number(f->server, "SELECT ID FROM information_schema.PROCESSLIST WHERE "
                                          "STATE LIKE 'Waiting for table metadata lock'");
    mariadb_fixture_printf(f->server, "KILL %u", (unsigned)id);
    void *error;
    pthread_join(thread, &error);
    assert_int_equal((sluice_error_t)(uintptr_t)error, SLUICE_ERROR_SINK_CONNECTION);
    mariadb_fixture_run(f->server, "UNLOCK TABLES");
    assert_int_equal(mariadb_fixture_number(f->server,
                                            "SELECT COUNT(*) FROM sluice.ddl_record WHERE NOT "
                                            "is_done"),
                     1);
    run(f);
    assert_string_equal(show_create(f, "t"), "a int(11) YES -,b int(11) YES -");
}

static void a_holder_of_the_lock_that_sleeps_is_killed(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(f->server, "SET GLOBAL log_output='TABLE'; TRUNCATE mysql.general_log; SET "
                                   "GLOBAL general_log=1; CREATE TABLE d.t (a INT)");
    run_text(f, DDL_ALTER_TABLE, "t", "ALTER TABLE t ADD b INT");
    mariadb_fixture_run(f->server, "SET GLOBAL general_log=0; DELETE FROM sluice.ddl_record");
    /* Whoever had it may have gone without the server having noticed yet. */
    char lock[300];
    snprintf(lock, sizeof lock, "%s",
             mariadb_fixture_value(f->server,
                                   "SELECT REPLACE(argument, ', 0)', ', 20)') FROM "
                                   "mysql.general_log WHERE argument LIKE 'SELECT GET_LOCK%' "
                                   "LIMIT 1"));
    MYSQL *sleeper = mariadb_fixture_connect(f->server);
    assert_int_equal(mysql_query(sleeper, lock), 0);
    MYSQL_RES *result = mysql_store_result(sleeper);
    assert_string_equal(mysql_fetch_row(result)[0], "1");
    mysql_free_result(result);
    run_text(f, DDL_ALTER_TABLE, "t", "ALTER TABLE t ADD c INT");
    assert_int_not_equal(mysql_query(sleeper, "SELECT 1"), 0);
    assert_string_equal(show_create(f, "t"), "a int(11) YES -,b int(11) YES -,c int(11) YES -");
    mysql_close(sleeper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(runs_in_the_session_of_the_source),
        TEST(new_columns_get_the_moment_of_the_source),
        TEST(a_default_schema_that_the_sink_lacks_is_left_out),
        TEST(a_ddl_that_is_done_is_not_run_again),
        TEST(who_is_not_the_owner_runs_nothing_and_leaves_no_record),
        TEST(a_swap_found_half_way_is_not_swapped_back),
        TEST(columns_that_change_places_do_so_once),
        TEST(an_index_is_added_once),
        TEST(a_partition_is_truncated_and_exchanged_once),
        TEST(a_counter_that_moved_does_not_count_as_a_change),
        TEST(a_create_or_replace_that_only_dropped_is_run_again),
        TEST(a_drop_found_half_way_drops_the_rest),
        TEST(a_drop_of_a_schema_is_repeated),
        TEST(a_failure_says_why_and_leaves_nothing_behind),
        TEST(other_engines_become_innodb),
        TEST(the_tables_of_a_ddl_are_recorded),
        TEST(a_ddl_killed_before_it_was_run_is_run_by_the_next),
        TEST(a_holder_of_the_lock_that_sleeps_is_killed),
#undef TEST
    };
    return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
