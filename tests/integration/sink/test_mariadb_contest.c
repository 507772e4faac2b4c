#include "tests/testing.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "dispatcher/sink/adapters.h"
#include "tests/integration/mariadb_fixture.h"
#include "tests/unit/sink/sink_fixture.h"

/* Several owners take one span from each other again and again, each going on where the sink says
 * that the last one ended, while their connections are killed. The table has no key, so that every
 * row lost or doubled would be seen. */

#define OWNERS 3
#define KILLS 60
#define ROWS_AT_LEAST 100
#define KILL_INTERVAL_NS 15000000
#define TENURE 40 /* rows after which the next one takes over */

typedef struct {
    mariadb_fixture_t *server;
    table_definition_t *bag;
    atomic_bool is_ending;
    atomic_uint_fast64_t epoch;
    atomic_uint_fast64_t takeovers, retries;
} contest_t;

static contest_t contest;

static sluice_error_t row_write(sink_connection_t *connection, const sink_claim_t *claim,
                                uint64_t number, error_report_t *report)
{
    fixture_rows_t *rows = fixture_rows_new(contest.bag);
    fixture_insert(rows, (int64_t)number, "v");
    const table_rows_t *part = fixture_rows_get(rows);
    sink_write_t write = {.claim = claim,
                          .parts = &part,
                          .part_count = 1,
                          .moves_progress = true,
                          .progress = {number}};
    sink_write_result_t result;
    sluice_error_t error = mariadb_sink_api.write(connection, &write, 1, &result, report);
    fixture_rows_destroy(&rows);
    return error == SLUICE_OK ? result.error : error;
}

/* Whether the call is to be made again, unchanged. */
static bool is_again(sluice_error_t error, const error_report_t *report)
{
    if (error != SLUICE_OK && error != SLUICE_ERROR_NOT_OWNER && !sluice_error_is_retriable(error))
        fail_msg("%s", report->text);
    bool again = sluice_error_is_retriable(error) && !atomic_load(&contest.is_ending);
    atomic_fetch_add(&contest.retries, again);
    return again;
}

static void tenure(sink_connection_t *connection)
{
    error_report_t report = {0};
    sink_claim_t claim = {.span = {.table_id = contest.bag->table_id},
                          .epoch = {1, atomic_fetch_add(&contest.epoch, 1)}};
    sink_claim_result_t result = {.error = SLUICE_ERROR_NOT_OWNER};
    sluice_error_t error;
    do
        error = mariadb_sink_api.claim(connection, &claim, 1, &result, &report);
    while (is_again(error, &report));
    if (error != SLUICE_OK || result.error != SLUICE_OK)
        return;
    atomic_fetch_add(&contest.takeovers, 1);
    for (uint64_t i = 1; i <= TENURE; i++) {
        do
            error = row_write(connection, &claim, result.progress.v + i, &report);
        while (is_again(error, &report));
        if (error != SLUICE_OK)
            return;
    }
}

static void *owner_run(void *argument)
{
    (void)argument;
    error_report_t report = {0};
    sink_options_t options = {.uri = mariadb_fixture_uri(contest.server),
                              .changefeed = {.uuid = {{1}}, .generation = 1},
                              .changefeed_name = "contest"};
    sink_t *sink;
    sink_connection_t *connection;
    if (mariadb_sink_api.open(&options, &sink, &report) != SLUICE_OK)
        fail_msg("%s", report.text);
    /* The killer may end a connection that is only being made. */
    sluice_error_t error;
    do
        error = mariadb_sink_api.connect(sink, &connection, &report);
    while (is_again(error, &report));
    if (error != SLUICE_OK)
        fail_msg("%s", report.text);
    while (!atomic_load(&contest.is_ending))
        tenure(connection);
    mariadb_sink_api.disconnect(&connection);
    mariadb_sink_api.close(&sink);
    return NULL;
}

static void one_connection_kill(MYSQL *connection, uint32_t number)
{
    char sql[200];
    snprintf(sql, sizeof sql,
             "SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND<>'Daemon' AND "
             "ID<>CONNECTION_ID() AND HOST='localhost' ORDER BY MD5(ID+%u) LIMIT 1",
             number);
    assert_int_equal(mysql_query(connection, sql), 0);
    MYSQL_RES *result = mysql_store_result(connection);
    MYSQL_ROW row = mysql_fetch_row(result);
    if (row) {
        snprintf(sql, sizeof sql, "KILL %s", row[0]);
        mysql_query(connection, sql); /* it may have ended by itself */
    }
    mysql_free_result(result);
}

static void no_row_is_lost_or_doubled_whoever_writes(void **state)
{
    (void)state;
    pthread_t owners[OWNERS];
    for (int i = 0; i < OWNERS; i++)
        assert_int_equal(pthread_create(&owners[i], NULL, owner_run, NULL), 0);
    MYSQL *killer = mariadb_fixture_connect(contest.server);
    for (uint32_t i = 0; i < KILLS; i++) {
        one_connection_kill(killer, i);
        nanosleep(&(struct timespec){.tv_nsec = KILL_INTERVAL_NS}, NULL);
    }
    atomic_store(&contest.is_ending, true);
    for (int i = 0; i < OWNERS; i++)
        pthread_join(owners[i], NULL);
    mysql_close(killer);
    mariadb_fixture_t *checker = contest.server;
    mariadb_fixture_reconnect(checker);
    uint64_t rows = mariadb_fixture_number(checker, "SELECT COUNT(*) FROM d.bag");
    assert_true(rows >= ROWS_AT_LEAST);
    assert_true(atomic_load(&contest.takeovers) > 3);
    assert_true(atomic_load(&contest.retries) > 3);
    assert_int_equal(mariadb_fixture_number(checker, "SELECT COUNT(DISTINCT id) FROM d.bag"), rows);
    assert_int_equal(mariadb_fixture_number(checker, "SELECT MAX(id) FROM d.bag"), rows);
    assert_int_equal(mariadb_fixture_number(checker, "SELECT progress FROM sluice.progress"), rows);
}

static int set_up(void **state)
{
    (void)state;
    contest.server = mariadb_fixture_start(NULL);
    contest.bag = fixture_plain_table("bag", 8, false);
    atomic_store(&contest.epoch, 1);
    mariadb_fixture_run(contest.server, "CREATE DATABASE d; CREATE TABLE d.bag (id BIGINT NOT "
                                        "NULL, v VARCHAR(100)) CHARSET utf8mb4");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    const table_definition_t *definition = contest.bag;
    table_definition_unref(&definition);
    mariadb_fixture_stop(&contest.server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_row_is_lost_or_doubled_whoever_writes, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
