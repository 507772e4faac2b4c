#include "tests/testing.h"

#include <stdio.h>

#include "dispatcher/sink/adapters.h"
#include "tests/integration/mariadb_fixture.h"
#include "tests/integration/sink/cutting_proxy.h"
#include "tests/unit/sink/sink_fixture.h"

/* Who owns a span and who does not, in a real server; what is committed once and what is decided
 * when an answer is lost. */

#define FEED "feed=X'01000000000000000000000000000000'"

typedef struct {
    mariadb_fixture_t *server;
    table_definition_t *keyed, *bag;
    sink_t *sinks[3]; /* two owners of generation 1, one of generation 2 */
    sink_connection_t *connections[3];
    sink_connection_t *a, *b, *newer;
} fixture_t;

static fixture_t shared;

static void connect_sink(fixture_t *f, int index, const char *uri, uint64_t generation)
{
    error_report_t report = {0};
    sink_options_t options = {.uri = uri,
                              .changefeed = {.uuid = {{1}}, .generation = generation},
                              .changefeed_name = "test"};
    if (mariadb_sink_api.open(&options, &f->sinks[index], &report) != SLUICE_OK ||
        mariadb_sink_api.connect(f->sinks[index], &f->connections[index], &report) != SLUICE_OK)
        fail_msg("%s", report.text);
}

static void disconnect_sink(fixture_t *f, int index)
{
    mariadb_sink_api.disconnect(&f->connections[index]);
    mariadb_sink_api.close(&f->sinks[index]);
}

static int group_set_up(void **state)
{
    static const char *const options[] = {"--log-bin=binlog", "--server-id=1", NULL};
    shared.server = mariadb_fixture_start(options);
    shared.keyed = fixture_plain_table("t", 7, true);
    shared.bag = fixture_plain_table("bag", 8, false);
    *state = &shared;
    return 0;
}

static int group_tear_down(void **state)
{
    (void)state;
    const table_definition_t *definitions[] = {shared.keyed, shared.bag};
    table_definition_unref(&definitions[0]);
    table_definition_unref(&definitions[1]);
    mariadb_fixture_stop(&shared.server);
    return 0;
}

static int set_up(void **state)
{
    fixture_t *f = *state;
    mariadb_fixture_run(f->server,
                        "DROP DATABASE IF EXISTS d; DROP DATABASE IF EXISTS sluice; CREATE "
                        "DATABASE d; CREATE TABLE d.t (id BIGINT PRIMARY KEY, v VARCHAR(100)) "
                        "CHARSET utf8mb4; CREATE TABLE d.bag (id BIGINT NOT NULL, v VARCHAR(100)) "
                        "CHARSET utf8mb4");
    connect_sink(f, 0, mariadb_fixture_uri(f->server), 1);
    connect_sink(f, 1, mariadb_fixture_uri(f->server), 1);
    connect_sink(f, 2, mariadb_fixture_uri(f->server), 2);
    f->a = f->connections[0];
    f->b = f->connections[1];
    f->newer = f->connections[2];
    return 0;
}

static int tear_down(void **state)
{
    for (int i = 0; i < 3; i++)
        disconnect_sink(*state, i);
    return 0;
}

static sink_claim_result_t claim_in(sink_connection_t *connection, const sink_claim_t *claim)
{
    error_report_t report = {0};
    sink_claim_result_t result = {.error = SLUICE_ERROR_BUG};
    if (mariadb_sink_api.claim(connection, claim, 1, &result, &report) != SLUICE_OK)
        fail_msg("%s", report.text);
    return result;
}

static sink_claim_t claim_of(uint64_t table_id, uint64_t epoch, const char *start, const char *end)
{
    return (sink_claim_t){.span = {.table_id = {table_id},
                                   .start_key = bytes_of_text(start),
                                   .end_key = bytes_of_text(end)},
                          .epoch = {1, epoch}};
}

static sink_claim_t claim_whole(sink_connection_t *connection, uint64_t table_id, uint64_t epoch)
{
    sink_claim_t claim = claim_of(table_id, epoch, "", "");
    assert_int_equal(claim_in(connection, &claim).error, SLUICE_OK);
    return claim;
}

static sluice_error_t try_insert(sink_connection_t *connection, const sink_claim_t *claim,
                                 const table_definition_t *definition, int64_t id, uint64_t ts,
                                 sink_write_result_t *result)
{
    error_report_t report = {0};
    fixture_rows_t *rows = fixture_rows_new(definition);
    fixture_insert(rows, id, "v");
    const table_rows_t *part = fixture_rows_get(rows);
    sink_write_t write = {
        .claim = claim, .parts = &part, .part_count = 1, .moves_progress = true, .progress = {ts}};
    sluice_error_t error = mariadb_sink_api.write(connection, &write, 1, result, &report);
    fixture_rows_destroy(&rows);
    return error;
}

static sluice_error_t insert(sink_connection_t *connection, const sink_claim_t *claim,
                             const table_definition_t *definition, int64_t id, uint64_t ts)
{
    sink_write_result_t result;
    assert_int_equal(try_insert(connection, claim, definition, id, ts, &result), SLUICE_OK);
    return result.error;
}

static uint64_t rows_in(fixture_t *f, const char *table)
{
    char sql[100];
    snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM d.%s", table);
    return mariadb_fixture_number(f->server, sql);
}

static uint64_t progress_of(fixture_t *f, uint64_t table_id)
{
    char sql[200];
    snprintf(sql, sizeof sql,
             "SELECT MAX(progress) FROM sluice.progress WHERE " FEED " AND table_id=%u",
             (unsigned)table_id);
    return mariadb_fixture_number(f->server, sql);
}

static void the_first_claim_finds_nothing(void **state)
{
    fixture_t *f = *state;
    sink_claim_t claim = claim_of(7, 1, "", "");
    sink_claim_result_t result = claim_in(f->a, &claim);
    assert_int_equal(result.error, SLUICE_OK);
    assert_int_equal(result.progress.v, 0);
    assert_int_equal(mariadb_fixture_number(f->server, "SELECT COUNT(*) FROM sluice.progress"), 1);
}

static void rows_and_progress_are_committed_together(void **state)
{
    fixture_t *f = *state;
    sink_claim_t claim = claim_whole(f->a, 7, 1);
    assert_int_equal(insert(f->a, &claim, f->keyed, 1, 10), SLUICE_OK);
    assert_int_equal(insert(f->a, &claim, f->keyed, 2, 20), SLUICE_OK);
    assert_int_equal(rows_in(f, "t"), 2);
    assert_int_equal(progress_of(f, 7), 20);
}

static void a_later_assignment_takes_the_progress_over(void **state)
{
    fixture_t *f = *state;
    sink_claim_t old = claim_whole(f->a, 7, 1);
    insert(f->a, &old, f->keyed, 1, 10);
    sink_claim_t later = claim_of(7, 2, "", "");
    sink_claim_result_t result = claim_in(f->b, &later);
    assert_int_equal(result.error, SLUICE_OK);
    assert_int_equal(result.progress.v, 10);
    assert_int_equal(insert(f->b, &later, f->keyed, 2, 11), SLUICE_OK);
}

static void the_earlier_owner_writes_nothing_any_more(void **state)
{
    fixture_t *f = *state;
    sink_claim_t old = claim_whole(f->a, 7, 1);
    claim_whole(f->b, 7, 2);
    assert_int_equal(insert(f->a, &old, f->keyed, 1, 10), SLUICE_ERROR_NOT_OWNER);
    assert_int_equal(rows_in(f, "t"), 0);
    assert_int_equal(claim_in(f->a, &old).error, SLUICE_ERROR_NOT_OWNER);
    assert_int_equal(progress_of(f, 7), 0);
}

static void a_claim_again_by_the_same_assignment_keeps_its_progress(void **state)
{
    fixture_t *f = *state;
    sink_claim_t claim = claim_whole(f->a, 7, 1);
    insert(f->a, &claim, f->keyed, 1, 10);
    assert_int_equal(claim_in(f->b, &claim).progress.v, 10);
    assert_int_equal(insert(f->a, &claim, f->keyed, 2, 11), SLUICE_OK);
}

static void a_newer_generation_ends_the_older_and_starts_anew(void **state)
{
    fixture_t *f = *state;
    sink_claim_t old = claim_whole(f->a, 7, 5);
    insert(f->a, &old, f->keyed, 1, 100);
    sink_claim_t claim = claim_of(7, 1, "", "");
    sink_claim_result_t result = claim_in(f->newer, &claim);
    assert_int_equal(result.error, SLUICE_OK);
    assert_int_equal(result.progress.v, 0);
    assert_int_equal(insert(f->a, &old, f->keyed, 2, 101), SLUICE_ERROR_NOT_OWNER);
    sink_claim_t again = claim_of(7, 9, "", "");
    error_report_t report = {0};
    assert_int_equal(mariadb_sink_api.claim(f->a, &again, 1, &result, &report),
                     SLUICE_ERROR_SINK_REFUSED);
    assert_non_null(strstr(report.text, "generation 2"));
    assert_int_equal(insert(f->newer, &claim, f->keyed, 3, 50), SLUICE_OK);
}

static void a_table_split_while_its_owner_is_cut_off(void **state)
{
    fixture_t *f = *state;
    sink_claim_t whole = claim_whole(f->a, 7, 1);
    insert(f->a, &whole, f->keyed, 1, 30);
    sink_claim_t low = claim_of(7, 2, "", "m"), high = claim_of(7, 3, "m", "");
    assert_int_equal(claim_in(f->b, &low).progress.v, 30);
    assert_int_equal(insert(f->a, &whole, f->keyed, 2, 31), SLUICE_ERROR_NOT_OWNER);
    assert_int_equal(claim_in(f->b, &high).progress.v, 30);
    assert_int_equal(insert(f->b, &low, f->keyed, 3, 31), SLUICE_OK);
    assert_int_equal(insert(f->b, &high, f->keyed, 4, 40), SLUICE_OK);
    sink_claim_t joined = claim_of(7, 4, "", "");
    assert_int_equal(claim_in(f->a, &joined).progress.v, 31);
    assert_int_equal(insert(f->b, &high, f->keyed, 5, 41), SLUICE_ERROR_NOT_OWNER);
    assert_int_equal(mariadb_fixture_number(f->server, "SELECT COUNT(*) FROM sluice.progress"), 1);
}

static void a_ddl_that_was_run_raises_what_is_found(void **state)
{
    fixture_t *f = *state;
    sink_claim_t low = claim_of(7, 1, "", "m"), high = claim_of(7, 2, "m", "");
    claim_in(f->a, &low);
    claim_in(f->a, &high);
    insert(f->a, &low, f->keyed, 1, 100);
    insert(f->a, &high, f->keyed, 2, 50);
    mariadb_fixture_run(
        f->server,
        "INSERT INTO sluice.ddl_record (feed,generation,commit_ts,concerns_all,statement,"
        "objects_before,is_done) VALUES (X'01000000000000000000000000000000',1,70,0,'','',1),"
        "(X'01000000000000000000000000000000',1,90,0,'','',0);"
        "INSERT INTO sluice.ddl_table VALUES (X'01000000000000000000000000000000',1,7,70,0),"
        "(X'01000000000000000000000000000000',1,7,90,0)");
    sink_claim_t joined = claim_of(7, 3, "", "");
    assert_int_equal(claim_in(f->b, &joined).progress.v, 69);
}

static void the_trigger_starts_at_its_checkpoint_whatever_was_run(void **state)
{
    fixture_t *f = *state;
    claim_whole(f->a, 0, 1);
    mariadb_fixture_run(
        f->server,
        "INSERT INTO sluice.ddl_record (feed,generation,commit_ts,concerns_all,statement,"
        "objects_before,is_done) VALUES (X'01000000000000000000000000000000',1,70,1,'','',1)");
    sink_claim_t trigger = claim_of(0, 2, "", ""), table = claim_of(7, 3, "", "");
    assert_int_equal(claim_in(f->b, &trigger).progress.v, 0);
    assert_int_equal(claim_in(f->b, &table).progress.v, 69);
}

static void many_claims_go_in_one_call(void **state)
{
    fixture_t *f = *state;
    enum { COUNT = 1300 };
    static sink_claim_t claims[COUNT];
    static sink_claim_result_t results[COUNT];
    for (uint32_t i = 0; i < COUNT; i++)
        claims[i] = claim_of(1000 + (i * 7919) % COUNT, 1, "", "");
    error_report_t report = {0};
    sink_claim_t stolen = claim_of(1000, 2, "", "");
    claim_in(f->b, &stolen);
    assert_int_equal(mariadb_sink_api.claim(f->a, claims, COUNT, results, &report), SLUICE_OK);
    uint32_t ours = 0;
    for (uint32_t i = 0; i < COUNT; i++)
        ours += results[i].error == SLUICE_OK;
    assert_int_equal(ours, COUNT - 1);
    assert_int_equal(results[0].error, SLUICE_ERROR_NOT_OWNER);
    assert_int_equal(mariadb_fixture_number(f->server, "SELECT COUNT(*) FROM sluice.progress"),
                     COUNT);
}

static void of_several_writes_only_those_of_lost_spans_are_left_out(void **state)
{
    fixture_t *f = *state;
    sink_claim_t claims[] = {claim_whole(f->a, 7, 1), claim_whole(f->a, 8, 1)};
    claim_whole(f->b, 7, 2);
    fixture_rows_t *rows[] = {fixture_rows_new(f->keyed), fixture_rows_new(f->bag)};
    sink_write_t writes[2];
    const table_rows_t *parts[2];
    for (int i = 0; i < 2; i++) {
        fixture_insert(rows[i], 1, "v");
        parts[i] = fixture_rows_get(rows[i]);
        writes[i] = (sink_write_t){.claim = &claims[i],
                                   .parts = &parts[i],
                                   .part_count = 1,
                                   .moves_progress = true,
                                   .progress = {5}};
    }
    sink_write_result_t results[2];
    error_report_t report = {0};
    assert_int_equal(mariadb_sink_api.write(f->a, writes, 2, results, &report), SLUICE_OK);
    assert_int_equal(results[0].error, SLUICE_ERROR_NOT_OWNER);
    assert_int_equal(results[1].error, SLUICE_OK);
    assert_int_equal(rows_in(f, "t"), 0);
    assert_int_equal(rows_in(f, "bag"), 1);
    for (int i = 0; i < 2; i++)
        fixture_rows_destroy(&rows[i]);
}

static void a_part_that_does_not_move_the_progress_still_needs_the_span(void **state)
{
    fixture_t *f = *state;
    sink_claim_t claim = claim_whole(f->a, 7, 1);
    fixture_rows_t *rows = fixture_rows_new(f->keyed);
    fixture_insert(rows, 1, "v");
    const table_rows_t *part = fixture_rows_get(rows);
    sink_write_t write = {.claim = &claim, .parts = &part, .part_count = 1, .progress = {9}};
    sink_write_result_t result;
    error_report_t report = {0};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(mariadb_sink_api.write(f->a, &write, 1, &result, &report), SLUICE_OK);
        assert_int_equal(result.error, SLUICE_OK);
    }
    assert_int_equal(progress_of(f, 7), 0);
    assert_int_equal(rows_in(f, "t"), 1);
    claim_whole(f->b, 7, 2);
    assert_int_equal(mariadb_sink_api.write(f->a, &write, 1, &result, &report), SLUICE_OK);
    assert_int_equal(result.error, SLUICE_ERROR_NOT_OWNER);
    fixture_rows_destroy(&rows);
}

static void a_write_without_parts_moves_the_progress(void **state)
{
    fixture_t *f = *state;
    sink_claim_t claim = claim_whole(f->a, 7, 1);
    sink_write_t write = {.claim = &claim, .moves_progress = true, .progress = {33}};
    sink_write_result_t result;
    error_report_t report = {0};
    assert_int_equal(mariadb_sink_api.write(f->a, &write, 1, &result, &report), SLUICE_OK);
    assert_int_equal(progress_of(f, 7), 33);
}

static void a_commit_whose_answer_was_lost_is_not_repeated(void **state)
{
    fixture_t *f = *state;
    char path[200], uri[300];
    snprintf(path, sizeof path, "%s/proxy", mariadb_fixture_directory(f->server));
    snprintf(uri, sizeof uri, "mariadb://root@localhost/?socket=%s", path);
    cutting_proxy_t *proxy = cutting_proxy_start(path, mariadb_fixture_socket(f->server));
    disconnect_sink(f, 0);
    connect_sink(f, 0, uri, 1);
    f->a = f->connections[0];
    sink_claim_t claim = claim_whole(f->a, 8, 1);
    assert_int_equal(insert(f->a, &claim, f->bag, 1, 10), SLUICE_OK);
    cutting_proxy_lose_next_commit(proxy);
    sink_write_result_t result;
    assert_int_equal(try_insert(f->a, &claim, f->bag, 2, 11, &result),
                     SLUICE_ERROR_SINK_CONNECTION);
    assert_int_equal(try_insert(f->a, &claim, f->bag, 2, 11, &result), SLUICE_OK);
    assert_int_equal(result.error, SLUICE_OK);
    assert_int_equal(result.rows, 1);
    assert_int_equal(rows_in(f, "bag"), 2);
    disconnect_sink(f, 0);
    cutting_proxy_stop(&proxy);
    remove(path);
}

static void a_killed_connection_is_replaced_and_nothing_is_doubled(void **state)
{
    fixture_t *f = *state;
    sink_claim_t claim = claim_whole(f->a, 8, 1);
    assert_int_equal(insert(f->a, &claim, f->bag, 1, 10), SLUICE_OK);
    mariadb_sink_api.interrupt(f->a);
    sink_write_result_t result;
    assert_int_equal(try_insert(f->a, &claim, f->bag, 2, 11, &result),
                     SLUICE_ERROR_SINK_CONNECTION);
    assert_int_equal(insert(f->a, &claim, f->bag, 2, 11), SLUICE_OK);
    assert_int_equal(rows_in(f, "bag"), 2);
}

/* An owner that was stopped inside its transaction: it holds the progress row and a new row. */
static MYSQL *stopped_owner(fixture_t *f)
{
    MYSQL *connection = mariadb_fixture_connect(f->server);
    static const char *const statements[] = {
        "BEGIN",
        "UPDATE sluice.progress SET progress=99 WHERE " FEED
        " AND mode=0 AND table_id=7 AND generation=1 AND start_key=''",
        "INSERT INTO d.t VALUES (1,'of the stopped owner')"};
    for (size_t i = 0; i < 3; i++) {
        if (mysql_query(connection, statements[i]) != 0)
            fail_msg("%s", mysql_error(connection));
    }
    return connection;
}

static void a_stopped_owner_is_killed_by_the_one_that_takes_over(void **state)
{
    fixture_t *f = *state;
    claim_whole(f->a, 7, 1);
    MYSQL *stopped = stopped_owner(f);
    sink_claim_t later = claim_of(7, 2, "", "");
    sink_claim_result_t result = claim_in(f->b, &later);
    assert_int_equal(result.error, SLUICE_OK);
    assert_int_equal(result.progress.v, 0);
    assert_int_not_equal(mysql_query(stopped, "COMMIT"), 0);
    assert_int_equal(insert(f->b, &later, f->keyed, 1, 5), SLUICE_OK);
    assert_string_equal(mariadb_fixture_value(f->server, "SELECT v FROM d.t"), "v");
    mysql_close(stopped);
}

static void an_earlier_owner_that_wakes_leaves_the_later_one_alone(void **state)
{
    fixture_t *f = *state;
    sink_claim_t earlier = claim_whole(f->a, 7, 1);
    sink_claim_t later = claim_of(7, 2, "", "");
    assert_int_equal(claim_in(f->b, &later).error, SLUICE_OK);
    MYSQL *busy = stopped_owner(f);
    assert_int_equal(insert(f->a, &earlier, f->keyed, 1, 5), SLUICE_ERROR_NOT_OWNER);
    assert_int_equal(mysql_query(busy, "COMMIT"), 0);
    assert_int_equal(progress_of(f, 7), 99);
    mysql_close(busy);
}

static void a_connection_of_our_own_that_was_lost_is_killed_too(void **state)
{
    fixture_t *f = *state;
    sink_claim_t claim = claim_whole(f->a, 7, 1);
    assert_int_equal(insert(f->a, &claim, f->keyed, 5, 5), SLUICE_OK);
    MYSQL *stopped = stopped_owner(f);
    assert_int_equal(insert(f->a, &claim, f->keyed, 1, 6), SLUICE_OK);
    assert_int_not_equal(mysql_query(stopped, "COMMIT"), 0);
    assert_int_equal(progress_of(f, 7), 6);
    mysql_close(stopped);
}

static void an_open_transaction_of_another_table_is_left_alone(void **state)
{
    fixture_t *f = *state;
    sink_claim_t old = claim_whole(f->a, 7, 1);
    insert(f->a, &old, f->keyed, 9, 1);
    claim_whole(f->a, 6, 1);
    claim_whole(f->a, 8, 1);
    mariadb_fixture_run(
        f->server,
        "INSERT INTO sluice.ddl_record (feed,generation,commit_ts,concerns_all,statement,"
        "objects_before,is_done) VALUES (X'01000000000000000000000000000000',1,3,0,'','',1);"
        "INSERT INTO sluice.ddl_table VALUES (X'01000000000000000000000000000000',1,8,3,1)");
    MYSQL *busy = stopped_owner(f);
    sink_claim_t taken = claim_of(6, 2, "", ""), split = claim_of(8, 2, "m", "");
    error_report_t report = {0};
    assert_int_equal(claim_in(f->b, &taken).error, SLUICE_OK);
    assert_int_equal(claim_in(f->b, &split).error, SLUICE_OK);
    assert_int_equal(mariadb_sink_api.clean_up(f->b, (commit_ts_t){5}, &report), SLUICE_OK);
    assert_int_equal(mysql_query(busy, "COMMIT"), 0);
    assert_int_equal(progress_of(f, 7), 99);
    mysql_close(busy);
}

static void a_server_that_crashed_is_found_as_it_was_left(void **state)
{
    fixture_t *f = *state;
    sink_claim_t claim = claim_whole(f->a, 8, 1);
    insert(f->a, &claim, f->bag, 1, 10);
    mariadb_fixture_run(f->server,
                        "FLUSH ENGINE LOGS; SET GLOBAL innodb_flush_log_at_trx_commit=1");
    insert(f->a, &claim, f->bag, 2, 20);
    mariadb_fixture_kill(f->server);
    sink_write_result_t result;
    assert_int_equal(try_insert(f->a, &claim, f->bag, 3, 30, &result),
                     SLUICE_ERROR_SINK_CONNECTION);
    assert_int_equal(try_insert(f->a, &claim, f->bag, 3, 30, &result),
                     SLUICE_ERROR_SINK_CONNECTION);
    mariadb_fixture_start_again(f->server);
    assert_int_equal(insert(f->a, &claim, f->bag, 2, 20), SLUICE_OK);
    assert_int_equal(insert(f->a, &claim, f->bag, 3, 30), SLUICE_OK);
    assert_int_equal(rows_in(f, "bag"), 3);
}

static void a_sync_point_is_written_once_and_only_by_the_owner(void **state)
{
    fixture_t *f = *state;
    static const char count[] = "SELECT COUNT(*) FROM sluice.syncpoint";
    sink_claim_t trigger = claim_whole(f->a, 0, 1);
    error_report_t report = {0};
    commit_ts_t ts = {40};
    assert_int_equal(mariadb_sink_api.write_syncpoint(f->a, &trigger, ts, &report), SLUICE_OK);
    mariadb_fixture_run(f->server, "UPDATE sluice.syncpoint SET sink_position='first'");
    assert_int_equal(mariadb_sink_api.write_syncpoint(f->a, &trigger, ts, &report), SLUICE_OK);
    assert_string_equal(
        mariadb_fixture_value(f->server, "SELECT sink_position FROM sluice.syncpoint"), "first");
    claim_whole(f->b, 0, 2);
    ts.v = 41;
    assert_int_equal(mariadb_sink_api.write_syncpoint(f->a, &trigger, ts, &report),
                     SLUICE_ERROR_NOT_OWNER);
    assert_int_equal(mariadb_fixture_number(f->server, count), 1);
}

static void what_lies_behind_the_checkpoint_is_cleaned_up(void **state)
{
    fixture_t *f = *state;
    claim_whole(f->a, 7, 1);
    claim_whole(f->a, 8, 1);
    mariadb_fixture_run(
        f->server,
        "INSERT INTO sluice.ddl_record (feed,generation,commit_ts,concerns_all,statement,"
        "objects_before,is_done) VALUES (X'01000000000000000000000000000000',1,70,0,'','',1),"
        "(X'01000000000000000000000000000000',1,90,0,'','',1);"
        "INSERT INTO sluice.ddl_table VALUES (X'01000000000000000000000000000000',1,7,70,1),"
        "(X'01000000000000000000000000000000',1,8,90,1)");
    error_report_t report = {0};
    assert_int_equal(mariadb_sink_api.clean_up(f->b, (commit_ts_t){80}, &report), SLUICE_OK);
    assert_string_equal(
        mariadb_fixture_value(f->server, "SELECT GROUP_CONCAT(commit_ts) FROM sluice.ddl_record"),
        "90");
    assert_string_equal(
        mariadb_fixture_value(f->server, "SELECT GROUP_CONCAT(table_id) FROM sluice.progress"),
        "8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(the_first_claim_finds_nothing),
        TEST(rows_and_progress_are_committed_together),
        TEST(a_later_assignment_takes_the_progress_over),
        TEST(the_earlier_owner_writes_nothing_any_more),
        TEST(a_claim_again_by_the_same_assignment_keeps_its_progress),
        TEST(a_newer_generation_ends_the_older_and_starts_anew),
        TEST(a_table_split_while_its_owner_is_cut_off),
        TEST(a_ddl_that_was_run_raises_what_is_found),
        TEST(the_trigger_starts_at_its_checkpoint_whatever_was_run),
        TEST(many_claims_go_in_one_call),
        TEST(of_several_writes_only_those_of_lost_spans_are_left_out),
        TEST(a_part_that_does_not_move_the_progress_still_needs_the_span),
        TEST(a_write_without_parts_moves_the_progress),
        TEST(a_commit_whose_answer_was_lost_is_not_repeated),
        TEST(a_killed_connection_is_replaced_and_nothing_is_doubled),
        TEST(a_stopped_owner_is_killed_by_the_one_that_takes_over),
        TEST(an_earlier_owner_that_wakes_leaves_the_later_one_alone),
        TEST(a_connection_of_our_own_that_was_lost_is_killed_too),
        TEST(an_open_transaction_of_another_table_is_left_alone),
        TEST(a_server_that_crashed_is_found_as_it_was_left),
        TEST(a_sync_point_is_written_once_and_only_by_the_owner),
        TEST(what_lies_behind_the_checkpoint_is_cleaned_up),
#undef TEST
    };
    return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
