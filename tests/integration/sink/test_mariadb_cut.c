#include "tests/testing.h"

#include <stdio.h>

#include "dispatcher/sink/adapters.h"
#include "tests/integration/mariadb_fixture.h"
#include "tests/integration/sink/cutting_proxy.h"
#include "tests/unit/sink/sink_fixture.h"

/* The connection to a real server ends before each of the statements of each call arrives, one
 * after the other, and in place of each answer: the call says that it is to be made again, and made
 * again it does its work once. */

#define ATTEMPTS_MAX 3
#define UTF8MB4_GENERAL_CI 45

typedef struct {
    mariadb_fixture_t *server;
    cutting_proxy_t *proxy;
    char path[200], uri[300];
    table_definition_t *table;
    sink_t *sink;
    sink_connection_t *connection;
    ddl_event_t *ddl;
    error_report_t report;
} fixture_t;

typedef struct {
    void (*prepare)(fixture_t *f);
    sluice_error_t (*call)(fixture_t *f);
    void (*verify)(fixture_t *f);
    unsigned statements_min; /* a call has at least so many */
} operation_t;

static int group_set_up(void **state)
{
    static const char *const options[] = {"--log-bin=binlog", "--server-id=1", NULL};
    static fixture_t shared;
    fixture_t *f = &shared;
    f->server = mariadb_fixture_start(options);
    snprintf(f->path, sizeof f->path, "%s/proxy", mariadb_fixture_directory(f->server));
    snprintf(f->uri, sizeof f->uri, "mariadb://root@localhost/?socket=%s", f->path);
    f->proxy = cutting_proxy_start(f->path, mariadb_fixture_socket(f->server));
    f->table = fixture_plain_table("t", 7, true);
    f->ddl = ddl_event_new();
    f->ddl->commit_ts = (commit_ts_t){50};
    f->ddl->verb = DDL_ALTER_TABLE;
    f->ddl->schema = "d";
    f->ddl->object = "t";
    f->ddl->sql_utf8 = "ALTER TABLE t ADD COLUMN c INT";
    f->ddl->sql = bytes_of_text(f->ddl->sql_utf8);
    f->ddl->context = (ddl_context_t){.default_schema = "d",
                                      .charset_client = UTF8MB4_GENERAL_CI,
                                      .collation_connection = UTF8MB4_GENERAL_CI,
                                      .collation_server = UTF8MB4_GENERAL_CI};
    *state = f;
    return 0;
}

static int group_tear_down(void **state)
{
    fixture_t *f = *state;
    const table_definition_t *table = f->table;
    table_definition_unref(&table);
    ddl_event_unref(&f->ddl);
    cutting_proxy_stop(&f->proxy);
    mariadb_fixture_stop(&f->server);
    return 0;
}

static void begin(fixture_t *f)
{
    mariadb_fixture_run(f->server, "DROP DATABASE IF EXISTS d; DROP DATABASE IF EXISTS sluice; "
                                   "CREATE DATABASE d; CREATE TABLE d.t (id BIGINT PRIMARY KEY, v "
                                   "VARCHAR(100)) CHARSET utf8mb4");
    sink_options_t options = fixture_options(f->uri);
    if (mariadb_sink_api.open(&options, &f->sink, &f->report) != SLUICE_OK ||
        mariadb_sink_api.connect(f->sink, &f->connection, &f->report) != SLUICE_OK)
        fail_msg("%s", f->report.text);
}

static void end(fixture_t *f)
{
    mariadb_sink_api.disconnect(&f->connection);
    mariadb_sink_api.close(&f->sink);
}

static void must(fixture_t *f, sluice_error_t error)
{
    if (error != SLUICE_OK)
        fail_msg("%s", f->report.text);
}

/* Until a call is over before it comes to the cut. */
static void survives_cuts(fixture_t *f, const operation_t *operation, bool arrives)
{
    bool was_cut = true;
    for (unsigned n = 1; was_cut; n++) {
        begin(f);
        if (operation->prepare)
            operation->prepare(f);
        cutting_proxy_cut_at(f->proxy, n, arrives);
        sluice_error_t error = operation->call(f);
        for (int i = 1; i < ATTEMPTS_MAX && sluice_error_is_retriable(error); i++)
            error = operation->call(f);
        was_cut = !cutting_proxy_is_armed(f->proxy);
        cutting_proxy_cut_at(f->proxy, 0, false);
        must(f, error);
        operation->verify(f);
        end(f);
        assert_true(was_cut || n > operation->statements_min);
    }
}

static void survives_every_cut(fixture_t *f, const operation_t *operation)
{
    survives_cuts(f, operation, false);
    survives_cuts(f, operation, true);
}

static sluice_error_t claim(fixture_t *f, uint64_t table_id, uint64_t epoch)
{
    sink_claim_t wanted = fixture_claim(table_id, epoch);
    sink_claim_result_t result = {.error = SLUICE_ERROR_BUG};
    sluice_error_t error = mariadb_sink_api.claim(f->connection, &wanted, 1, &result, &f->report);
    return error == SLUICE_OK ? result.error : error;
}

static void claimed(fixture_t *f)
{
    must(f, claim(f, 0, 1));
    must(f, claim(f, 7, 1));
}

static uint64_t number(fixture_t *f, const char *sql)
{
    return mariadb_fixture_number(f->server, sql);
}

/* ---- claims ---- */

static sluice_error_t claim_first(fixture_t *f)
{
    return claim(f, 7, 1);
}

static sluice_error_t claim_second(fixture_t *f)
{
    return claim(f, 7, 2);
}

static void one_owner(fixture_t *f)
{
    assert_int_equal(number(f, "SELECT COUNT(*) FROM sluice.progress WHERE table_id=7"), 1);
}

static void a_first_claim_and_the_tables_it_needs(void **state)
{
    survives_every_cut(*state, &(operation_t){NULL, claim_first, one_owner, 10});
}

static void a_take_over(void **state)
{
    survives_every_cut(*state, &(operation_t){claimed, claim_second, one_owner, 3});
}

/* ---- rows ---- */

static sluice_error_t write_row(fixture_t *f)
{
    sink_claim_t of = fixture_claim(7, 1);
    fixture_rows_t *rows = fixture_rows_new(f->table);
    fixture_insert(rows, 1, "v");
    const table_rows_t *part = fixture_rows_get(rows);
    sink_write_t write = {
        .claim = &of, .parts = &part, .part_count = 1, .moves_progress = true, .progress = {10}};
    sink_write_result_t result = {.error = SLUICE_ERROR_BUG};
    sluice_error_t error = mariadb_sink_api.write(f->connection, &write, 1, &result, &f->report);
    fixture_rows_destroy(&rows);
    return error == SLUICE_OK ? result.error : error;
}

static void one_row(fixture_t *f)
{
    assert_int_equal(number(f, "SELECT COUNT(*) FROM d.t"), 1);
    assert_int_equal(number(f, "SELECT progress FROM sluice.progress WHERE table_id=7"), 10);
}

/* Found to be in already by its progress: looked at, and not written. */
static void written(fixture_t *f)
{
    claimed(f);
    must(f, write_row(f));
}

static void rows_of_a_transaction(void **state)
{
    survives_every_cut(*state, &(operation_t){claimed, write_row, one_row, 3});
}

static void rows_that_are_there_already(void **state)
{
    survives_every_cut(*state, &(operation_t){written, write_row, one_row, 2});
}

/* ---- schema changes and sync points ---- */

static sluice_error_t run_ddl(fixture_t *f)
{
    sink_claim_t trigger = fixture_claim(0, 1);
    return mariadb_sink_api.run_ddl(f->connection, &trigger, f->ddl, &f->report);
}

static void one_column(fixture_t *f)
{
    assert_int_equal(number(f, "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE "
                               "TABLE_SCHEMA='d' AND TABLE_NAME='t'"),
                     3);
    assert_int_equal(number(f, "SELECT COUNT(*) FROM sluice.ddl_record WHERE is_done"), 1);
}

static void a_schema_change(void **state)
{
    survives_every_cut(*state, &(operation_t){claimed, run_ddl, one_column, 6});
}

static sluice_error_t write_syncpoint(fixture_t *f)
{
    sink_claim_t trigger = fixture_claim(0, 1);
    return mariadb_sink_api.write_syncpoint(f->connection, &trigger, (commit_ts_t){20}, &f->report);
}

static void one_syncpoint(fixture_t *f)
{
    assert_int_equal(number(f, "SELECT COUNT(*) FROM sluice.syncpoint"), 1);
}

static void a_sync_point(void **state)
{
    survives_every_cut(*state, &(operation_t){claimed, write_syncpoint, one_syncpoint, 2});
}

/* ---- the end ---- */

static void changed(fixture_t *f)
{
    claimed(f);
    must(f, run_ddl(f));
}

static sluice_error_t clean_up(fixture_t *f)
{
    return mariadb_sink_api.clean_up(f->connection, (commit_ts_t){60}, &f->report);
}

static void no_record(fixture_t *f)
{
    assert_int_equal(number(f, "SELECT COUNT(*) FROM sluice.ddl_record"), 0);
    assert_int_equal(number(f, "SELECT checkpoint FROM sluice.changefeed"), 60);
}

static void what_is_persisted(void **state)
{
    survives_every_cut(*state, &(operation_t){changed, clean_up, no_record, 3});
}

static sluice_error_t forget(fixture_t *f)
{
    return mariadb_sink_api.forget(f->connection, &f->report);
}

static void nothing_left(fixture_t *f)
{
    assert_int_equal(number(f, "SELECT COUNT(*) FROM sluice.progress"), 0);
    assert_int_equal(number(f, "SELECT is_removed FROM sluice.changefeed"), 1);
}

static void a_removal(void **state)
{
    survives_every_cut(*state, &(operation_t){changed, forget, nothing_left, 3});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_claim_and_the_tables_it_needs),
        cmocka_unit_test(a_take_over),
        cmocka_unit_test(rows_of_a_transaction),
        cmocka_unit_test(rows_that_are_there_already),
        cmocka_unit_test(a_schema_change),
        cmocka_unit_test(a_sync_point),
        cmocka_unit_test(what_is_persisted),
        cmocka_unit_test(a_removal),
    };
    return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
