/* Looking at a real server before it is read: settings, schema at one position, start positions. */
#include "tests/testing.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "common/runtime/clock.h"
#include "dispatcher/upstream/source.h"
#include "tests/integration/mariadb_fixture.h"

static mariadb_fixture_t *server;

typedef struct {
    arena_t arena;
    source_description_t description;
    error_report_t report;
} look_t;

static int start_server(void **state)
{
    (void)state;
    static const char *const options[] = {"--server-id=7",        "--log-bin=binlog",
                                          "--binlog-format=ROW",  "--binlog-row-metadata=FULL",
                                          "--gtid-strict-mode=1", NULL};
    server = mariadb_fixture_start(options);
    mariadb_fixture_run(server, "CREATE DATABASE d CHARACTER SET latin1; "
                                "CREATE TABLE d.t (a INT PRIMARY KEY, `b``c` VARCHAR(10)); "
                                "CREATE VIEW d.v AS SELECT a FROM d.t; CREATE SEQUENCE d.s; "
                                "CREATE TABLE `d`.`odd ``name` (a INT)");
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    mariadb_fixture_stop(&server);
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    mariadb_fixture_run(server, "SET GLOBAL binlog_format=ROW, GLOBAL binlog_row_image=FULL, "
                                "GLOBAL binlog_row_metadata=FULL, GLOBAL gtid_strict_mode=1");
    return 0;
}

static source_request_t request(void)
{
    return (source_request_t){.uri = mariadb_fixture_uri(server),
                              .server_id = 900,
                              .server_id_min = 800,
                              .server_id_max = 900,
                              .start = START_NOW};
}

static sluice_error_t describe(look_t *look, const source_request_t *wanted)
{
    *look = (look_t){0};
    return source_describe(wanted, &look->arena, &look->description, &look->report);
}

static void expect_ok(look_t *look, const source_request_t *wanted)
{
    if (describe(look, wanted) != SLUICE_OK)
        fail_msg("%s", look->report.text);
}

static const source_object_t *find(const look_t *look, const char *schema, const char *name)
{
    for (uint32_t i = 0; i < look->description.object_count; i++) {
        const source_object_t *object = &look->description.objects[i];
        if (strcmp(object->schema, schema) == 0 && strcmp(object->name, name) == 0)
            return object;
    }
    return NULL;
}

static void here(char list[ANCHOR_GTID_LIST_MAX])
{
    strcpy(list, mariadb_fixture_value(server, "SELECT @@global.gtid_binlog_pos"));
}

static void shows_everything_outside_the_system_schemas(void **state)
{
    (void)state;
    look_t look;
    char now[ANCHOR_GTID_LIST_MAX];
    source_request_t wanted = request();
    here(now);
    expect_ok(&look, &wanted);
    const source_description_t *d = &look.description;
    assert_string_equal(d->anchor.gtid_list, now);
    assert_int_equal(d->server_id, 7);
    assert_true(d->server_version >= 100600);
    assert_false(d->lower_case_names);
    const source_object_t *schema = find(&look, "d", "");
    assert_non_null(schema);
    assert_int_equal(schema->kind, SOURCE_SCHEMA);
    assert_string_equal(schema->charset, "latin1");
    const source_object_t *table = find(&look, "d", "t");
    assert_int_equal(table->kind, SOURCE_TABLE);
    assert_non_null(strstr(table->create, "CREATE TABLE `t`"));
    assert_int_equal(find(&look, "d", "v")->kind, SOURCE_VIEW);
    assert_int_equal(find(&look, "d", "s")->kind, SOURCE_SEQUENCE);
    assert_non_null(find(&look, "d", "odd `name"));
    assert_null(find(&look, "mysql", ""));
    arena_clear(&look.arena);
}

static void every_wrong_setting_is_named_with_its_mend(void **state)
{
    (void)state;
    look_t look;
    source_request_t wanted = request();
    wanted.server_id_min = 5;
    mariadb_fixture_run(server, "SET GLOBAL binlog_format=MIXED, GLOBAL binlog_row_image=MINIMAL, "
                                "GLOBAL binlog_row_metadata=MINIMAL, GLOBAL gtid_strict_mode=0");
    assert_int_equal(describe(&look, &wanted), SLUICE_ERROR_SOURCE_SETTINGS);
    static const char *const mends[] = {
        "SET GLOBAL binlog_format=ROW", "SET GLOBAL binlog_row_image=FULL",
        "SET GLOBAL binlog_row_metadata=FULL", "SET GLOBAL gtid_strict_mode=1", "server-id-base"};
    for (size_t i = 0; i < sizeof mends / sizeof mends[0]; i++)
        if (!strstr(look.report.text, mends[i]))
            fail_msg("no '%s' in: %s", mends[i], look.report.text);
    arena_clear(&look.arena);
}

static void a_domain_without_any_group_is_refused(void **state)
{
    (void)state;
    look_t look;
    source_request_t wanted = request();
    wanted.domain = 5;
    assert_int_equal(describe(&look, &wanted), SLUICE_ERROR_SOURCE_SETTINGS);
    assert_non_null(strstr(look.report.text, "choose domain 0"));
    arena_clear(&look.arena);
}

static void a_user_without_replication_rights_is_refused(void **state)
{
    (void)state;
    look_t look;
    char uri[512];
    mariadb_fixture_run(server, "CREATE USER reader IDENTIFIED BY 'x'; "
                                "GRANT SELECT, SHOW VIEW ON *.* TO reader");
    snprintf(uri, sizeof uri, "mariadb+unix://reader:x@%s", mariadb_fixture_socket(server));
    source_request_t wanted = request();
    wanted.uri = uri;
    assert_int_equal(describe(&look, &wanted), SLUICE_ERROR_SOURCE_PRIVILEGE);
    assert_non_null(strstr(look.report.text, "GRANT REPLICATION SLAVE"));
    arena_clear(&look.arena);
    mariadb_fixture_run(server, "GRANT REPLICATION SLAVE ON *.* TO reader");
    expect_ok(&look, &wanted);
    arena_clear(&look.arena);
}

static void prepared_transactions_are_refused(void **state)
{
    (void)state;
    look_t look;
    source_request_t wanted = request();
    MYSQL *connection = mariadb_fixture_connect(server);
    static const char *const steps[] = {"XA START 'x'", "INSERT INTO d.t VALUES (1, 'x')",
                                        "XA END 'x'", "XA PREPARE 'x'"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(mysql_query(connection, steps[i]), 0);
    assert_int_equal(describe(&look, &wanted), SLUICE_ERROR_SOURCE_XA);
    arena_clear(&look.arena);
    assert_int_equal(mysql_query(connection, "XA ROLLBACK 'x'"), 0);
    mysql_close(connection);
}

static void a_stored_position_is_good_until_a_schema_change(void **state)
{
    (void)state;
    look_t look;
    char start[ANCHOR_GTID_LIST_MAX];
    source_request_t wanted = request();
    here(start);
    wanted.start = START_POSITION;
    wanted.start_gtid_list = start;
    mariadb_fixture_run(server, "INSERT INTO d.t VALUES (5, 'x')");
    expect_ok(&look, &wanted);
    assert_string_equal(look.description.anchor.gtid_list, start);
    arena_clear(&look.arena);
    mariadb_fixture_run(server, "ALTER TABLE d.t ADD COLUMN later INT");
    assert_int_equal(describe(&look, &wanted), SLUICE_ERROR_STATE);
    assert_non_null(strstr(look.report.text, "ADD COLUMN later"));
    arena_clear(&look.arena);
}

static void schema_changes_outside_the_filter_do_not_hinder(void **state)
{
    (void)state;
    look_t look;
    char start[ANCHOR_GTID_LIST_MAX];
    const bytes_t inside[] = {bytes_of_text("d.t")}, other[] = {bytes_of_text("d.elsewhere")};
    source_request_t wanted = request();
    here(start);
    mariadb_fixture_run(server, "CREATE TABLE d.elsewhere (a INT); DROP TABLE d.elsewhere; "
                                "FLUSH TABLES; ANALYZE TABLE d.t");
    wanted.start = START_POSITION;
    wanted.start_gtid_list = start;
    wanted.filter_rules = inside;
    wanted.filter_rule_count = 1;
    expect_ok(&look, &wanted);
    assert_string_equal(look.description.anchor.gtid_list, start);
    arena_clear(&look.arena);
    wanted.filter_rules = other;
    assert_int_equal(describe(&look, &wanted), SLUICE_ERROR_STATE);
    assert_non_null(strstr(look.report.text, "CREATE TABLE d.elsewhere"));
    arena_clear(&look.arena);
}

static void a_position_that_never_was_is_refused(void **state)
{
    (void)state;
    look_t look;
    source_request_t wanted = request();
    wanted.start = START_POSITION;
    wanted.start_gtid_list = "0-7-1000000";
    assert_int_equal(describe(&look, &wanted), SLUICE_ERROR_SOURCE_DIVERGED);
    arena_clear(&look.arena);
    wanted.start_gtid_list = "nonsense";
    assert_int_equal(describe(&look, &wanted), SLUICE_ERROR_CONFIGURATION);
    arena_clear(&look.arena);
}

static atomic_bool is_altering;

/* Adds and drops columns; each statement leaves the table with one column more or less. The pause
 * is part of the load: some looks must find a moment without a change. */
static void *alter_again_and_again(void *context)
{
    MYSQL *connection = context;
    for (unsigned i = 0; atomic_load(&is_altering); i++) {
        char sql[128];
        snprintf(sql, sizeof sql,
                 i % 2 ? "ALTER TABLE d.busy DROP COLUMN x%u"
                       : "ALTER TABLE d.busy ADD COLUMN x%u INT",
                 i / 2);
        if (mysql_query(connection, sql) != 0 || mysql_query(connection, "DO SLEEP(0.2)") != 0)
            break;
    }
    return NULL;
}

/* The definition at the anchor, by what the log says was done up to there. */
static void the_schema_is_that_of_its_position(void **state)
{
    (void)state;
    mariadb_fixture_run(server, "CREATE TABLE d.busy (a INT)");
    uint64_t base;
    assert_int_equal(
        gtid_list_sequence(mariadb_fixture_value(server, "SELECT @@global.gtid_binlog_pos"), 0,
                           &base),
        SLUICE_OK);
    MYSQL *connection = mariadb_fixture_connect(server);
    pthread_t thread;
    atomic_store(&is_altering, true);
    assert_int_equal(pthread_create(&thread, NULL, alter_again_and_again, connection), 0);
    source_request_t wanted = request();
    unsigned compared = 0;
    for (int i = 0; i < 50 && compared < 5; i++) {
        look_t look;
        sluice_error_t error = describe(&look, &wanted);
        if (error == SLUICE_OK) {
            bool has_column = (look.description.anchor.commit_ts.v - base) % 2 == 1;
            const source_object_t *busy = find(&look, "d", "busy");
            assert_non_null(busy);
            assert_int_equal(strstr(busy->create, "`x") != NULL, has_column);
            compared++;
        } else if (error != SLUICE_ERROR_SOURCE_BUSY) {
            print_error("%s\n", look.report.text);
            assert_int_equal(error, SLUICE_ERROR_SOURCE_BUSY);
        }
        arena_clear(&look.arena);
    }
    atomic_store(&is_altering, false);
    pthread_join(thread, NULL);
    mysql_close(connection);
    assert_int_equal(compared, 5);
}

static void ten_thousand_tables_take_seconds(void **state)
{
    (void)state;
    look_t look;
    mariadb_fixture_run(server,
                        "CREATE DATABASE many; SET SESSION sql_log_bin=0; "
                        "BEGIN NOT ATOMIC DECLARE n INT DEFAULT 0; WHILE n < 10000 DO "
                        "EXECUTE IMMEDIATE CONCAT('CREATE TABLE many.t', n, "
                        "' (id INT PRIMARY KEY, v VARCHAR(20)) ENGINE=Aria TRANSACTIONAL=0'); "
                        "SET n = n + 1; END WHILE; END; SET SESSION sql_log_bin=1");
    source_request_t wanted = request();
    mono_ns_t start = clock_mono();
    expect_ok(&look, &wanted);
    uint64_t took_ns = mono_elapsed(start, clock_mono());
    assert_true(look.description.object_count >= 10000);
    assert_non_null(find(&look, "many", "t9999"));
    print_message("10,000 tables in %llu ms\n", (unsigned long long)(took_ns / NS_PER_MS));
    arena_clear(&look.arena);
    assert_true(took_ns < 30 * NS_PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_everything_outside_the_system_schemas),
        cmocka_unit_test_teardown(every_wrong_setting_is_named_with_its_mend, clean_up),
        cmocka_unit_test(a_domain_without_any_group_is_refused),
        cmocka_unit_test(a_user_without_replication_rights_is_refused),
        cmocka_unit_test(prepared_transactions_are_refused),
        cmocka_unit_test(a_stored_position_is_good_until_a_schema_change),
        cmocka_unit_test(schema_changes_outside_the_filter_do_not_hinder),
        cmocka_unit_test(a_position_that_never_was_is_refused),
        cmocka_unit_test(the_schema_is_that_of_its_position),
        cmocka_unit_test(ten_thousand_tables_take_seconds),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
