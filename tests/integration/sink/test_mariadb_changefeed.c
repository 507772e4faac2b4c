#include "tests/testing.h"

#include <stdio.h>

#include "dispatcher/sink/adapters.h"
#include "dispatcher/sink/mariadb/ddl.h"
#include "tests/integration/mariadb_fixture.h"
#include "tests/unit/sink/sink_fixture.h"

/* What the sink knows of a changefeed as a whole, in a real server: how far it was persisted, that
 * a later generation has begun, that it was removed. Nobody who comes late gets anything in. */

#define FEED "X'01000000000000000000000000000000'"
#define HALF_WAY_TS 90

typedef struct {
    sink_t *sink;
    sink_connection_t *connection;
} owner_t;

typedef struct {
    mariadb_fixture_t *server;
    table_definition_t *keyed;
    owner_t first, newer, other; /* generation 1 and 2 of one changefeed, and another one */
    error_report_t report;
} fixture_t;

static fixture_t shared;

static void owner_begin(fixture_t *f, owner_t *owner, uint8_t uuid, uint64_t generation)
{
    sink_options_t options = {.uri = mariadb_fixture_uri(f->server),
                              .changefeed = {.uuid = {{uuid}}, .generation = generation},
                              .changefeed_name = "it's"};
    if (mariadb_sink_api.open(&options, &owner->sink, &f->report) != SLUICE_OK ||
        mariadb_sink_api.connect(owner->sink, &owner->connection, &f->report) != SLUICE_OK)
        fail_msg("%s", f->report.text);
}

static void owner_end(owner_t *owner)
{
    mariadb_sink_api.disconnect(&owner->connection);
    mariadb_sink_api.close(&owner->sink);
}

static int group_set_up(void **state)
{
    static const char *const options[] = {"--log-bin=binlog", "--server-id=1", NULL};
    shared.server = mariadb_fixture_start(options);
    shared.keyed = fixture_plain_table("t", 7, true);
    *state = &shared;
    return 0;
}

static int group_tear_down(void **state)
{
    (void)state;
    const table_definition_t *definition = shared.keyed;
    table_definition_unref(&definition);
    mariadb_fixture_stop(&shared.server);
    return 0;
}

static int set_up(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(f->server,
                        "DROP DATABASE IF EXISTS d; DROP DATABASE IF EXISTS sluice; CREATE "
                        "DATABASE d; CREATE TABLE d.t (id BIGINT PRIMARY KEY, v VARCHAR(100)) "
                        "CHARSET utf8mb4");
    owner_begin(f, &f->first, 1, 1);
    owner_begin(f, &f->newer, 1, 2);
    owner_begin(f, &f->other, 2, 1);
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;
    owner_end(&f->first);
    owner_end(&f->newer);
    owner_end(&f->other);
    return 0;
}

static sluice_error_t try_claim(fixture_t *f, const owner_t *owner, const sink_claim_t *claim,
                                sink_claim_result_t *result)
{
    f->report = (error_report_t){0};
    return mariadb_sink_api.claim(owner->connection, claim, 1, result, &f->report);
}

static commit_ts_t claim(fixture_t *f, const owner_t *owner, uint64_t table_id, uint64_t epoch)
{
    sink_claim_t wanted = fixture_claim(table_id, epoch);
    sink_claim_result_t result = {.error = SLUICE_ERROR_BUG};
    if (try_claim(f, owner, &wanted, &result) != SLUICE_OK)
        fail_msg("%s", f->report.text);
    assert_int_equal(result.error, SLUICE_OK);
    return result.progress;
}

static sluice_error_t insert(fixture_t *f, const owner_t *owner, uint64_t epoch, int64_t id,
                             uint64_t ts)
{
    sink_claim_t of = fixture_claim(7, epoch);
    fixture_rows_t *rows = fixture_rows_new(f->keyed);
    fixture_insert(rows, id, "v");
    sink_write_result_t result = fixture_write(owner->connection, &of, fixture_rows_get(rows), ts);
    fixture_rows_destroy(&rows);
    return result.error;
}

static void clean_up(fixture_t *f, uint64_t persisted)
{
    if (mariadb_sink_api.clean_up(f->first.connection, (commit_ts_t){persisted}, &f->report) !=
        SLUICE_OK)
        fail_msg("%s", f->report.text);
}

static void forget(fixture_t *f)
{
    if (mariadb_sink_api.forget(f->first.connection, &f->report) != SLUICE_OK)
        fail_msg("%s", f->report.text);
}

static uint64_t rows_of_feed(fixture_t *f, const char *feed)
{
    static const char *const tables[] = {"claim", "progress", "ddl_record", "ddl_table",
                                         "syncpoint"};
    uint64_t count = 0;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        char sql[128];
        snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM sluice.%s WHERE feed=%s", tables[i], feed);
        count += mariadb_fixture_number(f->server, sql);
    }
    return count;
}

/* A meta store brought back from an older copy: the records of the DDLs up to 80 are gone. */
static void nothing_starts_before_what_was_cleaned_up(void **state)
{
    fixture_t *f = *state;
    claim(f, &f->first, 0, 1);
    claim(f, &f->first, 7, 1);
    insert(f, &f->first, 1, 1, 50);
    clean_up(f, 80);
    clean_up(f, 60);
    assert_int_equal(claim(f, &f->first, 0, 2).v, 80);
    assert_int_equal(claim(f, &f->first, 7, 2).v, 80);
    assert_int_equal(claim(f, &f->first, 8, 2).v, 80);
    insert(f, &f->first, 2, 2, 95);
    assert_int_equal(claim(f, &f->first, 7, 3).v, 95);
}

static void a_new_generation_starts_anew_and_is_not_cleaned_up_by_the_old_one(void **state)
{
    fixture_t *f = *state;
    claim(f, &f->first, 7, 1);
    clean_up(f, 80);
    assert_int_equal(claim(f, &f->newer, 7, 1).v, 0);
    clean_up(f, 90);
    assert_int_equal(claim(f, &f->newer, 7, 2).v, 0);
    assert_int_equal(mariadb_fixture_number(f->server, "SELECT generation FROM sluice.changefeed"),
                     2);
}

static void removed_it_leaves_nothing_but_that_fact(void **state)
{
    fixture_t *f = *state;
    claim(f, &f->first, 0, 1);
    claim(f, &f->first, 7, 1);
    claim(f, &f->other, 7, 1);
    sink_claim_t trigger = fixture_claim(0, 1);
    assert_int_equal(mariadb_sink_api.write_syncpoint(f->first.connection, &trigger,
                                                      (commit_ts_t){40}, &f->report),
                     SLUICE_OK);
    mariadb_fixture_run(
        f->server,
        "INSERT INTO sluice.ddl_record (feed,generation,commit_ts,concerns_all,statement,"
        "objects_before,is_done) VALUES (" FEED ",1,70,0,'','',1),(" FEED ",1,90,0,'','',0);"
        "INSERT INTO sluice.ddl_table VALUES (" FEED ",1,7,70,1)");
    assert_int_equal(rows_of_feed(f, FEED), 8);
    forget(f);
    forget(f);
    assert_int_equal(rows_of_feed(f, FEED), 0);
    assert_int_equal(rows_of_feed(f, "X'02000000000000000000000000000000'"), 2);
    assert_string_equal(
        mariadb_fixture_value(f->server, "SELECT name FROM sluice.changefeed WHERE is_removed"),
        "it's");
}

static void whoever_comes_late_to_a_removed_one_is_refused(void **state)
{
    fixture_t *f = *state;
    sink_claim_result_t result;
    sink_claim_t late = fixture_claim(7, 1), later = fixture_claim(7, 2);
    claim(f, &f->first, 7, 1);
    forget(f);
    assert_int_equal(insert(f, &f->first, 1, 1, 10), SLUICE_ERROR_NOT_OWNER);
    assert_int_equal(mariadb_fixture_number(f->server, "SELECT COUNT(*) FROM d.t"), 0);
    assert_int_equal(
        mariadb_sink_api.write_syncpoint(f->first.connection, &late, (commit_ts_t){11}, &f->report),
        SLUICE_ERROR_NOT_OWNER);
    assert_int_equal(try_claim(f, &f->first, &later, &result), SLUICE_ERROR_SINK_REFUSED);
    assert_non_null(strstr(f->report.text, "removed"));
    assert_int_equal(try_claim(f, &f->newer, &later, &result), SLUICE_ERROR_SINK_REFUSED);
    clean_up(f, 80);
    assert_int_equal(rows_of_feed(f, FEED), 0);
}

static void what_was_never_there_is_removed_without_a_word(void **state)
{
    fixture_t *f = *state;
    forget(f);
    assert_int_equal(mariadb_sink_api.forget(f->other.connection, &f->report), SLUICE_OK);
}

/* A node stopped in the middle of a transaction. */
static void a_transaction_that_a_stopped_owner_has_open_ends_with_the_removal(void **state)
{
    fixture_t *f = *state;
    claim(f, &f->first, 7, 1);
    MYSQL *stopped = mariadb_fixture_connect(f->server);
    assert_int_equal(mysql_query(stopped, "BEGIN"), 0);
    assert_int_equal(mysql_query(stopped, "UPDATE sluice.progress SET progress=99"), 0);
    assert_int_equal(mysql_query(stopped, "INSERT INTO d.t VALUES (1,'late')"), 0);
    forget(f);
    assert_int_not_equal(mysql_query(stopped, "COMMIT"), 0);
    mysql_close(stopped);
    assert_int_equal(mariadb_fixture_number(f->server, "SELECT COUNT(*) FROM d.t"), 0);
    assert_int_equal(rows_of_feed(f, FEED), 0);
}

/* A node stopped between its record "before" and the statement: it has proved its right. */
static MYSQL *stopped_before_its_ddl(fixture_t *f)
{
    char name[MARIADB_DDL_LOCK_NAME_SIZE], sql[128];
    changefeed_ref_t feed = {.uuid = {{1}}, .generation = 1};
    mariadb_ddl_lock_name(&feed, (commit_ts_t){HALF_WAY_TS}, name);
    mariadb_fixture_run(
        f->server,
        "INSERT INTO sluice.ddl_record (feed,generation,commit_ts,concerns_all,statement,"
        "objects_before,is_done) VALUES (" FEED ",1,90,0,'','',0)");
    MYSQL *stopped = mariadb_fixture_connect(f->server);
    snprintf(sql, sizeof sql, "DO GET_LOCK('%s',0)", name);
    assert_int_equal(mysql_query(stopped, sql), 0);
    return stopped;
}

static void a_ddl_of_a_stopped_owner_is_not_run_after_the_removal(void **state)
{
    fixture_t *f = *state;
    claim(f, &f->first, 7, 1);
    MYSQL *stopped = stopped_before_its_ddl(f);
    forget(f);
    assert_int_not_equal(mysql_query(stopped, "DROP TABLE d.t"), 0);
    mysql_close(stopped);
    assert_int_equal(mariadb_fixture_number(f->server, "SELECT COUNT(*) FROM d.t"), 0);
}

static void a_ddl_of_a_stopped_owner_is_not_run_in_a_later_generation(void **state)
{
    fixture_t *f = *state;
    claim(f, &f->first, 7, 1);
    MYSQL *stopped = stopped_before_its_ddl(f);
    claim(f, &f->newer, 8, 1);
    assert_int_not_equal(mysql_query(stopped, "DROP TABLE d.t"), 0);
    mysql_close(stopped);
    assert_int_equal(insert(f, &f->first, 1, 1, 10), SLUICE_ERROR_NOT_OWNER);
    assert_int_equal(mariadb_fixture_number(f->server, "SELECT COUNT(*) FROM sluice.ddl_record"),
                     0);
}

/* The sink of a version that did not have the row. */
static void a_sink_without_the_row_gets_one(void **state)
{
    fixture_t *f = *state;
    claim(f, &f->first, 7, 1);
    insert(f, &f->first, 1, 1, 50);
    mariadb_fixture_run(f->server, "DROP TABLE sluice.changefeed");
    assert_int_equal(claim(f, &f->first, 7, 2).v, 50);
    assert_int_equal(mariadb_fixture_number(f->server, "SELECT COUNT(*) FROM sluice.changefeed"),
                     1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(nothing_starts_before_what_was_cleaned_up),
        TEST(a_new_generation_starts_anew_and_is_not_cleaned_up_by_the_old_one),
        TEST(removed_it_leaves_nothing_but_that_fact),
        TEST(whoever_comes_late_to_a_removed_one_is_refused),
        TEST(what_was_never_there_is_removed_without_a_word),
        TEST(a_transaction_that_a_stopped_owner_has_open_ends_with_the_removal),
        TEST(a_ddl_of_a_stopped_owner_is_not_run_after_the_removal),
        TEST(a_ddl_of_a_stopped_owner_is_not_run_in_a_later_generation),
        TEST(a_sink_without_the_row_gets_one),
#undef TEST
    };
    return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
