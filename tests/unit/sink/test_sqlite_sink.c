/* Fencing, progress and the ledger of the SQLite sink (DESIGN §5). */
#include "tests/testing.h"

#include "tests/unit/sink/sqlite_fixture.h"

#define TABLE 5

typedef struct {
    sqlite_fixture_t *file;
    table_definition_t *table;
} fixture_t;

static fixture_t fixture;

static int setup_with(bool has_key)
{
    fixture.file = sqlite_fixture_new("busy-timeout-ms=50");
    fixture.table = fixture_plain_table("t", TABLE, has_key);
    sink_claim_t trigger = fixture_claim(0, 1);
    fixture_claim_in(fixture.file->connection, &trigger);
    table_change_t change = {.kind = TABLE_CREATED, .after = fixture.table};
    error_report_t report = {0};
    assert_int_equal(
        sqlite_fixture_ddl(fixture.file, &trigger, 10, DDL_CREATE_TABLE, &change, 1, &report),
        SLUICE_OK);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    return setup_with(true);
}

static int setup_without_key(void **state)
{
    (void)state;
    return setup_with(false);
}

static int teardown(void **state)
{
    (void)state;
    const table_definition_t *table = fixture.table;
    table_definition_unref(&table);
    sqlite_fixture_destroy(&fixture.file);
    return 0;
}

/* One insert at `ts`. */
static sink_write_result_t insert(const sink_claim_t *claim, uint64_t ts, int64_t id,
                                  const char *text)
{
    fixture_rows_t *rows = fixture_rows_new(fixture.table);
    fixture_insert(rows, id, text);
    sink_write_result_t result =
        fixture_write(fixture.file->connection, claim, fixture_rows_get(rows), ts);
    fixture_rows_destroy(&rows);
    return result;
}

static const char *rows(void)
{
    return sqlite_fixture_query(fixture.file, "SELECT id, v FROM \"d.t\" ORDER BY id, v");
}

static const char *progress(void)
{
    return sqlite_fixture_query(fixture.file,
                                "SELECT progress FROM __sluice_progress WHERE table_id = 5");
}

static void first_claim_finds_only_the_ddl_that_made_the_table(void **state)
{
    (void)state;
    sink_claim_t claim = fixture_claim(TABLE, 1);
    sink_claim_result_t result = fixture_claim_in(fixture.file->connection, &claim);
    assert_int_equal(result.error, SLUICE_OK);
    assert_int_equal(result.progress.v, 9);
}

static void rows_and_progress_are_one_transaction(void **state)
{
    (void)state;
    sink_claim_t claim = fixture_claim(TABLE, 1);
    fixture_claim_in(fixture.file->connection, &claim);
    sink_write_result_t result = insert(&claim, 20, 1, "one");
    assert_int_equal(result.error, SLUICE_OK);
    assert_int_equal(result.rows, 1);
    assert_string_equal(rows(), "1|one");
    assert_string_equal(progress(), "20");
}

static void net_effect_of_changes_is_written(void **state)
{
    (void)state;
    sink_claim_t claim = fixture_claim(TABLE, 1);
    fixture_claim_in(fixture.file->connection, &claim);
    insert(&claim, 20, 1, "one");
    insert(&claim, 21, 2, "two");
    fixture_rows_t *changes = fixture_rows_new(fixture.table);
    fixture_update(changes, 1, "one", 3, "moved");
    fixture_delete(changes, 2, "two");
    fixture_insert(changes, 4, NULL);
    fixture_update(changes, 4, NULL, 4, "four");
    sink_write_result_t result =
        fixture_write(fixture.file->connection, &claim, fixture_rows_get(changes), 22);
    assert_int_equal(result.rows, 4);
    fixture_rows_destroy(&changes);
    assert_string_equal(rows(), "3|moved\n4|four");
}

static void keyless_table_changes_one_row_per_change(void **state)
{
    (void)state;
    sink_claim_t claim = fixture_claim(TABLE, 1);
    fixture_claim_in(fixture.file->connection, &claim);
    fixture_rows_t *changes = fixture_rows_new(fixture.table);
    for (int i = 0; i < 3; i++)
        fixture_insert(changes, 1, NULL);
    fixture_delete(changes, 1, NULL);
    fixture_update(changes, 1, NULL, 1, "changed");
    fixture_write(fixture.file->connection, &claim, fixture_rows_get(changes), 20);
    fixture_rows_destroy(&changes);
    assert_string_equal(rows(), "1|NULL\n1|changed");
}

static void row_missing_from_a_keyless_table_is_an_error_and_changes_nothing(void **state)
{
    (void)state;
    sink_claim_t claim = fixture_claim(TABLE, 1);
    fixture_claim_in(fixture.file->connection, &claim);
    fixture_rows_t *changes = fixture_rows_new(fixture.table);
    fixture_insert(changes, 1, "one");
    fixture_delete(changes, 2, "two");
    const table_rows_t *part = fixture_rows_get(changes);
    sink_write_t write = {
        .claim = &claim, .parts = &part, .part_count = 1, .moves_progress = true, .progress = {20}};
    sink_write_result_t result;
    error_report_t report = {0};
    sink_connection_t *connection = fixture.file->connection;
    assert_int_equal(connection->api->write(connection, &write, 1, &result, &report),
                     SLUICE_ERROR_SCHEMA_MISMATCH);
    assert_non_null(strstr(report.text, "d.t"));
    fixture_rows_destroy(&changes);
    assert_string_equal(rows(), "");
    assert_string_equal(progress(), "9");
}

static void commit_whose_answer_was_lost_is_not_repeated(void **state)
{
    (void)state;
    sink_claim_t claim = fixture_claim(TABLE, 1);
    fixture_claim_in(fixture.file->connection, &claim);
    insert(&claim, 20, 1, "one");
    sqlite_fixture_reopen(fixture.file);
    sink_write_result_t again = insert(&claim, 20, 1, "one");
    assert_int_equal(again.error, SLUICE_OK);
    assert_string_equal(rows(), "1|one");
}

static void earlier_owner_is_shut_out(void **state)
{
    (void)state;
    sink_claim_t old = fixture_claim(TABLE, 1), new = fixture_claim(TABLE, 2);
    fixture_claim_in(fixture.file->connection, &old);
    insert(&old, 20, 1, "one");
    sink_claim_result_t taken = fixture_claim_in(fixture.file->connection, &new);
    assert_int_equal(taken.error, SLUICE_OK);
    assert_int_equal(taken.progress.v, 20);
    assert_int_equal(insert(&old, 21, 2, "stale").error, SLUICE_ERROR_NOT_OWNER);
    assert_int_equal(fixture_claim_in(fixture.file->connection, &old).error,
                     SLUICE_ERROR_NOT_OWNER);
    assert_string_equal(rows(), "1|one");
    assert_int_equal(insert(&new, 21, 2, "fresh").error, SLUICE_OK);
    assert_string_equal(rows(), "1|one\n2|fresh");
}

static void progress_never_goes_back(void **state)
{
    (void)state;
    sink_claim_t claim = fixture_claim(TABLE, 1);
    fixture_claim_in(fixture.file->connection, &claim);
    insert(&claim, 20, 1, "one");
    assert_int_equal(insert(&claim, 19, 1, "older").error, SLUICE_ERROR_NOT_OWNER);
    assert_string_equal(rows(), "1|one");
}

static void write_of_one_who_is_no_owner_leaves_the_others_in(void **state)
{
    (void)state;
    sink_claim_t claim = fixture_claim(TABLE, 1), stranger = fixture_claim(77, 1);
    fixture_claim_in(fixture.file->connection, &claim);
    fixture_rows_t *changes = fixture_rows_new(fixture.table);
    fixture_insert(changes, 1, "one");
    const table_rows_t *part = fixture_rows_get(changes);
    sink_write_t writes[2] = {{.claim = &stranger,
                               .parts = &part,
                               .part_count = 1,
                               .moves_progress = true,
                               .progress = {20}},
                              {.claim = &claim,
                               .parts = &part,
                               .part_count = 1,
                               .moves_progress = true,
                               .progress = {20}}};
    sink_write_result_t results[2];
    error_report_t report = {0};
    sink_connection_t *connection = fixture.file->connection;
    assert_int_equal(connection->api->write(connection, writes, 2, results, &report), SLUICE_OK);
    assert_int_equal(results[0].error, SLUICE_ERROR_NOT_OWNER);
    assert_int_equal(results[1].error, SLUICE_OK);
    fixture_rows_destroy(&changes);
    assert_string_equal(rows(), "1|one");
}

static void part_of_a_large_transaction_does_not_move_progress(void **state)
{
    (void)state;
    sink_claim_t claim = fixture_claim(TABLE, 1);
    fixture_claim_in(fixture.file->connection, &claim);
    fixture_rows_t *changes = fixture_rows_new(fixture.table);
    fixture_insert(changes, 1, "one");
    const table_rows_t *part = fixture_rows_get(changes);
    sink_write_t write = {.claim = &claim, .parts = &part, .part_count = 1};
    sink_write_result_t result;
    error_report_t report = {0};
    sink_connection_t *connection = fixture.file->connection;
    assert_int_equal(connection->api->write(connection, &write, 1, &result, &report), SLUICE_OK);
    assert_int_equal(result.error, SLUICE_OK);
    assert_string_equal(rows(), "1|one");
    assert_string_equal(progress(), "9");
    sink_claim_t later = fixture_claim(TABLE, 2);
    fixture_claim_in(connection, &later);
    assert_int_equal(connection->api->write(connection, &write, 1, &result, &report), SLUICE_OK);
    assert_int_equal(result.error, SLUICE_ERROR_NOT_OWNER);
    fixture_rows_destroy(&changes);
}

static void claim_of_a_half_leaves_the_other_half_its_owner(void **state)
{
    (void)state;
    sink_connection_t *connection = fixture.file->connection;
    sink_claim_t whole = fixture_claim(TABLE, 1), left = fixture_claim(TABLE, 2),
                 right = fixture_claim(TABLE, 3);
    fixture_claim_in(connection, &whole);
    insert(&whole, 20, 1, "one");
    left.span.end_key = bytes_of("m", 1);
    right.span.start_key = bytes_of("m", 1);
    assert_int_equal(fixture_claim_in(connection, &left).progress.v, 20);
    assert_int_equal(insert(&whole, 21, 2, "x").error, SLUICE_ERROR_NOT_OWNER);
    insert(&left, 25, 3, "left");
    assert_int_equal(fixture_claim_in(connection, &right).progress.v, 20);
    sink_claim_t merged = fixture_claim(TABLE, 4);
    assert_int_equal(fixture_claim_in(connection, &merged).progress.v, 20);
    assert_string_equal(
        sqlite_fixture_query(fixture.file,
                             "SELECT count(*) FROM __sluice_progress WHERE table_id = 5"),
        "1");
}

static void claim_of_a_span_that_is_not_covered_finds_no_progress(void **state)
{
    (void)state;
    sink_connection_t *connection = fixture.file->connection;
    sqlite_fixture_execute(fixture.file, "DELETE FROM __sluice_ddl_table");
    sink_claim_t left = fixture_claim(TABLE, 1), whole = fixture_claim(TABLE, 2);
    left.span.end_key = bytes_of("m", 1);
    fixture_claim_in(connection, &left);
    insert(&left, 20, 1, "one");
    assert_int_equal(fixture_claim_in(connection, &whole).progress.v, 0);
}

static void later_generation_takes_over_without_progress(void **state)
{
    (void)state;
    sqlite_fixture_execute(fixture.file, "DELETE FROM __sluice_ddl_table");
    sink_options_t options = fixture_options(fixture.file->uri);
    options.changefeed.generation = 2;
    sink_t *sink;
    sink_connection_t *second;
    error_report_t report = {0};
    assert_int_equal(sink_find(options.uri)->open(&options, &sink, &report), SLUICE_OK);
    assert_int_equal(sink->api->connect(sink, &second, &report), SLUICE_OK);
    sink_claim_t old = fixture_claim(TABLE, 9), new = fixture_claim(TABLE, 2);
    fixture_claim_in(fixture.file->connection, &old);
    insert(&old, 20, 1, "one");
    assert_int_equal(fixture_claim_in(second, &new).progress.v, 0);
    assert_int_equal(insert(&old, 21, 2, "stale").error, SLUICE_ERROR_NOT_OWNER);
    sink_claim_result_t result;
    assert_int_equal(sink->api->claim(fixture.file->connection, &old, 1, &result, &report),
                     SLUICE_ERROR_SINK_REFUSED);
    assert_non_null(strstr(report.text, "generation 2"));
    assert_string_equal(rows(), "1|one");
    sink->api->disconnect(&second);
    sink->api->close(&sink);
}

static void ddl_is_run_once_and_raises_what_a_claim_finds(void **state)
{
    (void)state;
    sink_connection_t *connection = fixture.file->connection;
    sink_claim_t claim = fixture_claim(TABLE, 1);
    fixture_claim_in(connection, &claim);
    insert(&claim, 20, 1, "one");
    table_change_t change = {
        .kind = TABLE_TRUNCATED, .before = fixture.table, .after = fixture.table};
    error_report_t report = {0};
    assert_int_equal(
        sqlite_fixture_ddl(fixture.file, &claim, 30, DDL_TRUNCATE_TABLE, &change, 1, &report),
        SLUICE_OK);
    assert_string_equal(rows(), "");
    insert(&claim, 31, 2, "after");
    assert_int_equal(
        sqlite_fixture_ddl(fixture.file, &claim, 30, DDL_TRUNCATE_TABLE, &change, 1, &report),
        SLUICE_OK);
    assert_string_equal(rows(), "2|after");
    sqlite_fixture_execute(fixture.file, "UPDATE __sluice_progress SET progress = 20");
    sink_claim_t later = fixture_claim(TABLE, 2);
    assert_int_equal(fixture_claim_in(connection, &later).progress.v, 29);
}

static void ddl_of_an_earlier_owner_is_not_run(void **state)
{
    (void)state;
    sink_claim_t claim = fixture_claim(TABLE, 1), later = fixture_claim(TABLE, 2);
    fixture_claim_in(fixture.file->connection, &claim);
    insert(&claim, 20, 1, "one");
    fixture_claim_in(fixture.file->connection, &later);
    table_change_t change = {
        .kind = TABLE_TRUNCATED, .before = fixture.table, .after = fixture.table};
    error_report_t report = {0};
    assert_int_equal(
        sqlite_fixture_ddl(fixture.file, &claim, 30, DDL_TRUNCATE_TABLE, &change, 1, &report),
        SLUICE_ERROR_NOT_OWNER);
    sink_claim_t never = fixture_claim(99, 5);
    assert_int_equal(
        sqlite_fixture_ddl(fixture.file, &never, 30, DDL_TRUNCATE_TABLE, &change, 1, &report),
        SLUICE_ERROR_NOT_OWNER);
    assert_string_equal(rows(), "1|one");
}

static void failed_ddl_leaves_no_trace(void **state)
{
    (void)state;
    sink_claim_t trigger = fixture_claim(0, 1);
    table_change_t changes[2] = {{.kind = TABLE_DROPPED, .before = fixture.table},
                                 {.kind = TABLE_CREATED, .after = fixture.table}};
    sqlite_fixture_execute(fixture.file, "CREATE VIEW \"D.T2\" AS SELECT 1");
    table_definition_t *second = fixture_plain_table("t2", 6, true);
    changes[1].after = second;
    error_report_t report = {0};
    assert_int_equal(
        sqlite_fixture_ddl(fixture.file, &trigger, 30, DDL_CREATE_TABLE, changes, 2, &report),
        SLUICE_ERROR_DDL_UNSUPPORTED);
    assert_non_null(strstr(report.text, "D.T2"));
    assert_string_equal(rows(), "");
    assert_string_equal(sqlite_fixture_query(fixture.file, "SELECT commit_ts FROM __sluice_ddl"),
                        "10");
    const table_definition_t *done = second;
    table_definition_unref(&done);
}

static void sync_point_is_written_once(void **state)
{
    (void)state;
    sink_connection_t *connection = fixture.file->connection;
    sink_claim_t trigger = fixture_claim(0, 1), stranger = fixture_claim(0, 9);
    error_report_t report = {0};
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            connection->api->write_syncpoint(connection, &trigger, (commit_ts_t){40}, &report),
            SLUICE_OK);
    assert_int_equal(
        connection->api->write_syncpoint(connection, &stranger, (commit_ts_t){41}, &report),
        SLUICE_ERROR_NOT_OWNER);
    assert_string_equal(
        sqlite_fixture_query(fixture.file, "SELECT commit_ts FROM __sluice_syncpoint"), "40");
}

static void clean_up_forgets_dropped_tables_behind_the_checkpoint(void **state)
{
    (void)state;
    sink_connection_t *connection = fixture.file->connection;
    sink_claim_t claim = fixture_claim(TABLE, 1), trigger = fixture_claim(0, 1);
    fixture_claim_in(connection, &claim);
    table_change_t change = {.kind = TABLE_DROPPED, .before = fixture.table};
    error_report_t report = {0};
    assert_int_equal(
        sqlite_fixture_ddl(fixture.file, &trigger, 30, DDL_DROP_TABLE, &change, 1, &report),
        SLUICE_OK);
    static const char state_sql[] =
        "SELECT (SELECT count(*) FROM __sluice_progress), (SELECT count(*) FROM __sluice_ddl),"
        " (SELECT count(*) FROM __sluice_ddl_table)";
    assert_int_equal(connection->api->clean_up(connection, (commit_ts_t){29}, &report), SLUICE_OK);
    assert_string_equal(sqlite_fixture_query(fixture.file, state_sql), "2|1|1");
    assert_int_equal(connection->api->clean_up(connection, (commit_ts_t){30}, &report), SLUICE_OK);
    assert_string_equal(sqlite_fixture_query(fixture.file, state_sql), "1|0|0");
}

/* A meta store brought back from an older copy: records of DDLs up to the checkpoint are gone. */
static void nothing_starts_before_what_was_cleaned_up(void **state)
{
    (void)state;
    sink_connection_t *connection = fixture.file->connection;
    sink_claim_t claim = fixture_claim(TABLE, 1), trigger = fixture_claim(0, 1);
    error_report_t report = {0};
    fixture_claim_in(connection, &trigger);
    fixture_claim_in(connection, &claim);
    assert_int_equal(connection->api->clean_up(connection, (commit_ts_t){80}, &report), SLUICE_OK);
    assert_int_equal(connection->api->clean_up(connection, (commit_ts_t){60}, &report), SLUICE_OK);
    assert_int_equal(fixture_claim_in(connection, &trigger).progress.v, 80);
    assert_int_equal(fixture_claim_in(connection, &claim).progress.v, 80);
    insert(&claim, 95, 1, "one");
    assert_int_equal(fixture_claim_in(connection, &claim).progress.v, 95);
}

static void removed_nothing_but_that_fact_is_left_and_nobody_writes(void **state)
{
    (void)state;
    sink_connection_t *connection = fixture.file->connection;
    sink_claim_t claim = fixture_claim(TABLE, 1);
    fixture_claim_in(connection, &claim);
    insert(&claim, 20, 1, "one");
    error_report_t report = {0};
    for (int i = 0; i < 2; i++)
        assert_int_equal(connection->api->forget(connection, &report), SLUICE_OK);
    assert_string_equal(sqlite_fixture_query(fixture.file,
                                             "SELECT (SELECT count(*) FROM __sluice_progress),"
                                             " (SELECT count(*) FROM __sluice_ddl),"
                                             " (SELECT count(*) FROM __sluice_ddl_table),"
                                             " (SELECT is_removed FROM __sluice_changefeed)"),
                        "0|0|0|1");
    assert_int_equal(insert(&claim, 21, 2, "late").error, SLUICE_ERROR_NOT_OWNER);
    sink_claim_result_t result;
    assert_int_equal(connection->api->claim(connection, &claim, 1, &result, &report),
                     SLUICE_ERROR_SINK_REFUSED);
    assert_string_equal(rows(), "1|one");
}

static void file_held_by_another_writer_is_busy_in_bounded_time(void **state)
{
    (void)state;
    sink_claim_t claim = fixture_claim(TABLE, 1);
    sink_connection_t *connection = fixture.file->connection;
    sqlite3 *other;
    assert_int_equal(sqlite3_open(fixture.file->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    sink_claim_result_t result;
    error_report_t report = {0};
    assert_int_equal(connection->api->claim(connection, &claim, 1, &result, &report),
                     SLUICE_ERROR_SINK_BUSY);
    assert_true(sluice_error_is_retriable(SLUICE_ERROR_SINK_BUSY));
    sqlite3_exec(other, "COMMIT", NULL, NULL, NULL);
    sqlite3_close(other);
    assert_int_equal(fixture_claim_in(connection, &claim).error, SLUICE_OK);
}

static void connections_of_one_process_write_one_after_the_other(void **state)
{
    (void)state;
    sink_connection_t *second;
    error_report_t report = {0};
    assert_int_equal(fixture.file->sink->api->connect(fixture.file->sink, &second, &report),
                     SLUICE_OK);
    sink_claim_t claim = fixture_claim(TABLE, 1), other = fixture_claim(6, 1);
    fixture_claim_in(fixture.file->connection, &claim);
    fixture_claim_in(second, &other);
    insert(&claim, 20, 1, "one");
    assert_int_equal(fixture_claim_in(second, &claim).progress.v, 20);
    fixture.file->sink->api->disconnect(&second);
}

static void interrupted_connection_answers_closed(void **state)
{
    (void)state;
    sink_claim_t claim = fixture_claim(TABLE, 1);
    sink_connection_t *connection = fixture.file->connection;
    connection->api->interrupt(connection);
    sink_claim_result_t result;
    error_report_t report = {0};
    assert_int_equal(connection->api->claim(connection, &claim, 1, &result, &report),
                     SLUICE_ERROR_CLOSED);
}

#define WITH_TABLE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define WITHOUT_KEY(test) cmocka_unit_test_setup_teardown(test, setup_without_key, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_TABLE(first_claim_finds_only_the_ddl_that_made_the_table),
        WITH_TABLE(rows_and_progress_are_one_transaction),
        WITH_TABLE(net_effect_of_changes_is_written),
        WITHOUT_KEY(keyless_table_changes_one_row_per_change),
        WITHOUT_KEY(row_missing_from_a_keyless_table_is_an_error_and_changes_nothing),
        WITHOUT_KEY(commit_whose_answer_was_lost_is_not_repeated),
        WITH_TABLE(earlier_owner_is_shut_out),
        WITH_TABLE(progress_never_goes_back),
        WITH_TABLE(write_of_one_who_is_no_owner_leaves_the_others_in),
        WITH_TABLE(part_of_a_large_transaction_does_not_move_progress),
        WITH_TABLE(claim_of_a_half_leaves_the_other_half_its_owner),
        WITH_TABLE(claim_of_a_span_that_is_not_covered_finds_no_progress),
        WITH_TABLE(later_generation_takes_over_without_progress),
        WITH_TABLE(ddl_is_run_once_and_raises_what_a_claim_finds),
        WITH_TABLE(ddl_of_an_earlier_owner_is_not_run),
        WITH_TABLE(failed_ddl_leaves_no_trace),
        WITH_TABLE(sync_point_is_written_once),
        WITH_TABLE(clean_up_forgets_dropped_tables_behind_the_checkpoint),
        WITH_TABLE(nothing_starts_before_what_was_cleaned_up),
        WITH_TABLE(removed_nothing_but_that_fact_is_left_and_nobody_writes),
        WITH_TABLE(file_held_by_another_writer_is_busy_in_bounded_time),
        WITH_TABLE(connections_of_one_process_write_one_after_the_other),
        WITH_TABLE(interrupted_connection_answers_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
