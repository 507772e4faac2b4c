#include "tests/testing.h"

#include "tests/unit/sink/sink_fixture.h"

typedef struct {
    sink_t *sink;
    sink_connection_t *connection;
} fixture_t;

static int setup(void **state)
{
    static fixture_t fixture;
    sink_options_t options = fixture_options("blackhole://");
    const sink_api_t *api = sink_find(options.uri);
    assert_non_null(api);
    assert_int_equal(api->open(&options, &fixture.sink, NULL), SLUICE_OK);
    assert_int_equal(api->connect(fixture.sink, &fixture.connection, NULL), SLUICE_OK);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    fixture_t *fixture = *state;
    const sink_api_t *api = fixture->sink->api;
    api->disconnect(&fixture->connection);
    assert_null(fixture->connection);
    api->close(&fixture->sink);
    assert_null(fixture->sink);
    return 0;
}

static void schemes_find_their_adapter(void **state)
{
    (void)state;
    assert_string_equal(sink_find("BLACKHOLE://")->scheme, "blackhole");
    assert_null(sink_find("blackhole:"));
    assert_null(sink_find("black://"));
    assert_null(sink_find("oracle://host"));
}

static void parameters_are_refused(void **state)
{
    (void)state;
    sink_options_t options = fixture_options("blackhole://?fast=yes");
    sink_t *sink;
    error_report_t report;
    assert_int_equal(sink_find(options.uri)->open(&options, &sink, &report),
                     SLUICE_ERROR_CONFIGURATION);
    assert_null(sink);
    assert_non_null(strstr(report.text, "fast"));
}

static void rows_are_decoded_and_counted(void **state)
{
    fixture_t *fixture = *state;
    table_definition_t *table = fixture_plain_table("t", 5, true);
    fixture_rows_t *rows = fixture_rows_new(table);
    fixture_insert(rows, 1, "one");
    fixture_update(rows, 1, "one", 2, NULL);
    fixture_delete(rows, 2, NULL);
    sink_claim_t claim = fixture_claim(5, 1);
    assert_int_equal(fixture_claim_in(fixture->connection, &claim).progress.v, 0);
    sink_write_result_t result =
        fixture_write(fixture->connection, &claim, fixture_rows_get(rows), 10);
    assert_int_equal(result.error, SLUICE_OK);
    assert_int_equal(result.rows, 3);
    assert_int_equal(result.bytes, fixture_rows_get(rows)->bytes);
    fixture_rows_destroy(&rows);
    const table_definition_t *done = table;
    table_definition_unref(&done);
}

static void bytes_that_are_no_row_are_an_error(void **state)
{
    fixture_t *fixture = *state;
    table_definition_t *table = fixture_plain_table("t", 5, true);
    fixture_rows_t *rows = fixture_rows_new(table);
    fixture_insert(rows, 1, "one");
    rows->made[0].body.len -= 2;
    sink_claim_t claim = fixture_claim(5, 1);
    const table_rows_t *part = fixture_rows_get(rows);
    sink_write_t write = {.claim = &claim, .parts = &part, .part_count = 1};
    sink_write_result_t result;
    error_report_t report;
    assert_int_equal(
        fixture->connection->api->write(fixture->connection, &write, 1, &result, &report),
        SLUICE_ERROR_SOURCE_CORRUPT);
    fixture_rows_destroy(&rows);
    const table_definition_t *done = table;
    table_definition_unref(&done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schemes_find_their_adapter),
        cmocka_unit_test(parameters_are_refused),
        cmocka_unit_test_setup_teardown(rows_are_decoded_and_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_row_are_an_error, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
