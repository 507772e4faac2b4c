#include "tests/testing.h"

#include <stdio.h>

#include "dispatcher/sink/adapters.h"
#include "dispatcher/sink/mariadb/check.h"
#include "tests/integration/sink/log_source.h"

/* What keeps a changefeed from being created on a MariaDB sink, each with the mend. Tables are
 * defined in schema s and looked for in schema k. */

typedef struct {
    mariadb_fixture_t *server;
    log_source_t *source;
    error_report_t report;
} fixture_t;

static fixture_t shared;

static int group_set_up(void **state)
{
    static const char *const options[] = {LOG_SOURCE_OPTIONS, NULL};
    shared.server = mariadb_fixture_start(options);
    shared.source = log_source_new(shared.server);
    *state = &shared;
    return 0;
}

static int group_tear_down(void **state)
{
    (void)state;
    log_source_destroy(&shared.source);
    mariadb_fixture_stop(&shared.server);
    return 0;
}

static sluice_error_t check_as(fixture_t *f, const char *uri, const char *source_identity,
                               const table_definition_t *const *tables, uint32_t count)
{
    sink_options_t options = {
        .uri = uri, .changefeed_name = "test", .source_identity = source_identity};
    sink_t *sink;
    f->report = (error_report_t){0};
    if (mariadb_sink_api.open(&options, &sink, &f->report) != SLUICE_OK)
        return f->report.code;
    sluice_error_t error = mariadb_sink_api.check(sink, tables, count, &f->report);
    mariadb_sink_api.close(&sink);
    return error;
}

static sluice_error_t check(fixture_t *f, const table_definition_t *table)
{
    return check_as(f, mariadb_fixture_uri(f->server), NULL, &table, 1);
}

static void assert_refused(fixture_t *f, const char *source, const char *sink, const char *word)
{
    mariadb_fixture_printf(f->server,
                           "DROP TABLE IF EXISTS s.t,k.t; CREATE TABLE s.t %s; CREATE TABLE k.t %s",
                           source, sink);
    assert_int_not_equal(check(f, log_source_define(f->source, "t")), SLUICE_OK);
    assert_non_null(strstr(f->report.text, "k.t"));
    if (!strstr(f->report.text, word))
        fail_msg("no '%s' in: %s", word, f->report.text);
}

static void a_table_loaded_from_the_source_is_accepted(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(
        f->server,
        "CREATE TABLE s.all_types (id INT UNSIGNED PRIMARY KEY, a TINYINT, b DECIMAL(10,3), c "
        "FLOAT(7,3), d BIT(9), e YEAR, g TIME(2), h DATETIME, i TIMESTAMP(6) NULL, j CHAR(5), k "
        "VARCHAR(20) CHARACTER SET latin1, l JSON, m BLOB, n ENUM('x','y'), o SET('p','q'), p "
        "POINT, q UUID, r INET6, s INT AS (a+1), t INT INVISIBLE, u TEXT COMPRESSED, UNIQUE (k)); "
        "CREATE TABLE k.all_types LIKE s.all_types");
    if (check(f, log_source_define(f->source, "all_types")) != SLUICE_OK)
        fail_msg("%s", f->report.text);
    assert_int_equal(mariadb_fixture_number(f->server,
                                            "SELECT COUNT(*) FROM information_schema.TABLES WHERE "
                                            "TABLE_SCHEMA='sluice'"),
                     6);
}

static void a_missing_table_is_named(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(f->server, "CREATE TABLE s.absent (a INT)");
    assert_int_equal(check(f, log_source_define(f->source, "absent")),
                     SLUICE_ERROR_SCHEMA_MISMATCH);
    assert_non_null(strstr(f->report.text, "k.absent"));
    assert_non_null(strstr(f->report.text, "load it"));
}

static void columns_must_be_the_same(void **state)
{
    fixture_t *f = *state;
    assert_refused(f, "(a INT)", "(a INT, b INT)", "column b");
    assert_refused(f, "(a INT, b INT)", "(a INT)", "column b");
    assert_refused(f, "(a INT)", "(a INT UNSIGNED)", "column a");
    assert_refused(f, "(a VARCHAR(10))", "(a VARCHAR(9))", "column a");
    assert_refused(f, "(a ENUM('x','y'))", "(a ENUM('y','x'))", "column a");
    assert_refused(f, "(a TEXT CHARACTER SET latin1)", "(a TEXT CHARACTER SET utf8mb4)", "utf8mb4");
}

static void the_row_key_must_be_there(void **state)
{
    fixture_t *f = *state;
    assert_refused(f, "(a INT PRIMARY KEY)", "(a INT)", "key");
    assert_refused(f, "(a INT NOT NULL, b INT NOT NULL, PRIMARY KEY (b,a))",
                   "(a INT NOT NULL, b INT NOT NULL, PRIMARY KEY (b))", "key");
}

static void other_engines_and_triggers_are_refused(void **state)
{
    fixture_t *f = *state;
    assert_refused(f, "(a INT)", "(a INT) ENGINE=MyISAM", "ENGINE=InnoDB");
    assert_refused(f, "(a INT)",
                   "(a INT); CREATE TRIGGER k.fires BEFORE INSERT ON k.t FOR EACH "
                   "ROW SET NEW.a=1",
                   "fires");
}

static void every_failure_has_its_line(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(f->server, "CREATE TABLE s.one (a INT); CREATE TABLE s.two (a INT)");
    const table_definition_t *tables[] = {log_source_define(f->source, "two"),
                                          log_source_define(f->source, "one")};
    check_as(f, mariadb_fixture_uri(f->server), NULL, tables, 2);
    assert_non_null(strstr(f->report.text, "k.one"));
    assert_non_null(strstr(f->report.text, "\ntable k.two"));
}

static void a_user_without_privileges_is_told_which(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(f->server, "CREATE USER poor@localhost IDENTIFIED BY 'p'");
    char uri[500];
    snprintf(uri, sizeof uri, "mariadb://poor:p@localhost/?socket=%s",
             mariadb_fixture_socket(f->server));
    assert_int_equal(check_as(f, uri, NULL, NULL, 0), SLUICE_ERROR_SINK_SETTINGS);
    assert_non_null(strstr(f->report.text, "GRANT PROCESS"));
    mariadb_fixture_run(f->server, "GRANT PROCESS ON *.* TO poor@localhost; DROP DATABASE IF "
                                   "EXISTS sluice");
    assert_int_equal(check_as(f, uri, NULL, NULL, 0), SLUICE_ERROR_SINK_SETTINGS);
    assert_non_null(strstr(f->report.text, "GRANT ALL ON sluice.*"));
    snprintf(uri, sizeof uri, "mariadb://poor:wrong@localhost/?socket=%s",
             mariadb_fixture_socket(f->server));
    assert_int_equal(check_as(f, uri, NULL, NULL, 0), SLUICE_ERROR_SINK_SETTINGS);
    assert_null(strstr(f->report.text, "wrong@"));
}

static void settings_that_lose_rows_are_refused(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(f->server, "SET GLOBAL binlog_format='STATEMENT', read_only=1");
    assert_int_equal(check_as(f, mariadb_fixture_uri(f->server), NULL, NULL, 0),
                     SLUICE_ERROR_SINK_SETTINGS);
    mariadb_fixture_run(f->server, "SET GLOBAL binlog_format='ROW', read_only=0");
    assert_non_null(strstr(f->report.text, "binlog_format"));
    assert_non_null(strstr(f->report.text, "read-only"));
}

static void the_source_itself_is_no_sink(void **state)
{
    fixture_t *f = *state;
    char identity[300];
    snprintf(identity, sizeof identity, "%s",
             mariadb_fixture_value(f->server, MARIADB_IDENTITY_SQL));
    const char *uri = mariadb_fixture_uri(f->server);
    assert_int_equal(check_as(f, uri, identity, NULL, 0), SLUICE_ERROR_CONFIGURATION);
    assert_non_null(strstr(f->report.text, "same server"));
    assert_int_equal(check_as(f, uri, "another:3306:/server", NULL, 0), SLUICE_OK);
}

static void a_uri_that_cannot_work_is_refused_at_once(void **state)
{
    fixture_t *f = *state;
    assert_int_equal(check_as(f, "mariadb://localhost:3306", NULL, NULL, 0),
                     SLUICE_ERROR_CONFIGURATION);
    assert_int_equal(check_as(f, "mariadb://root@localhost/schema", NULL, NULL, 0),
                     SLUICE_ERROR_CONFIGURATION);
    assert_int_equal(check_as(f, "mariadb://root@localhost/?nosuch=1", NULL, NULL, 0),
                     SLUICE_ERROR_CONFIGURATION);
    assert_int_equal(check_as(f, "mariadb://root@localhost/?socket=/nonexistent", NULL, NULL, 0),
                     SLUICE_ERROR_SINK_CONNECTION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_loaded_from_the_source_is_accepted),
        cmocka_unit_test(a_missing_table_is_named),
        cmocka_unit_test(columns_must_be_the_same),
        cmocka_unit_test(the_row_key_must_be_there),
        cmocka_unit_test(other_engines_and_triggers_are_refused),
        cmocka_unit_test(every_failure_has_its_line),
        cmocka_unit_test(a_user_without_privileges_is_told_which),
        cmocka_unit_test(settings_that_lose_rows_are_refused),
        cmocka_unit_test(the_source_itself_is_no_sink),
        cmocka_unit_test(a_uri_that_cannot_work_is_refused_at_once),
    };
    return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
