/* What a real server logged: the rows that come out are the rows it had. */
#include "tests/testing.h"

#include "tests/unit/binlog/recorded_set.h"

static void expect_state(const char *name, uint64_t group_bytes_max, recorded_counts_t *counts)
{
    recorded_set_t *set = recorded_set_open(name, group_bytes_max);
    error_report_t report = {0};
    if (recorded_set_read(set, &report) != SLUICE_OK)
        fail_msg("%s", report.text);
    recorded_set_check_state(set);
    *counts = recorded_set_counts(set);
    recorded_set_close(&set);
}

static void every_type_and_kind_of_transaction(void **state)
{
    (void)state;
    recorded_counts_t counts;
    expect_state("types", GROUP_BYTES_MAX_DEFAULT, &counts);
    assert_true(counts.rows > 2000);
    assert_int_equal(counts.ddls, 0);
    assert_int_equal(counts.parts, counts.row_groups);
}

static void the_same_through_the_spill(void **state)
{
    (void)state;
    recorded_counts_t counts;
    expect_state("types", 256, &counts);
    assert_true(counts.parts > counts.row_groups);
}

static void compressed_and_without_checksums(void **state)
{
    (void)state;
    recorded_counts_t counts, plain;
    expect_state("compressed", GROUP_BYTES_MAX_DEFAULT, &counts);
    expect_state("types", GROUP_BYTES_MAX_DEFAULT, &plain);
    assert_int_equal(counts.rows, plain.rows);
    assert_int_equal(counts.newest.v, plain.newest.v);
}

static void temporal_formats_of_old_tables(void **state)
{
    (void)state;
    recorded_counts_t counts;
    expect_state("old", GROUP_BYTES_MAX_DEFAULT, &counts);
    assert_true(counts.rows > 5);
}

static void expect_refusal(const char *name, sluice_error_t expected)
{
    recorded_set_t *set = recorded_set_open(name, GROUP_BYTES_MAX_DEFAULT);
    error_report_t report = {0};
    assert_int_equal(recorded_set_read(set, &report), expected);
    assert_non_null(strstr(report.text, "binlog.000001:"));
    assert_int_equal(recorded_set_counts(set).rows, 1);
    recorded_set_close(&set);
}

static void minimal_row_images_are_refused(void **state)
{
    (void)state;
    expect_refusal("refused-minimal", SLUICE_ERROR_SOURCE_ROW_IMAGE);
}

static void statements_are_refused(void **state)
{
    (void)state;
    expect_refusal("refused-statement", SLUICE_ERROR_SOURCE_STATEMENT_FORMAT);
}

static void prepared_transactions_are_refused(void **state)
{
    (void)state;
    expect_refusal("refused-xa", SLUICE_ERROR_SOURCE_XA);
}

static void tables_altered_behind_the_log_are_refused(void **state)
{
    (void)state;
    expect_refusal("refused-mismatch", SLUICE_ERROR_SCHEMA_MISMATCH);
}

/* Damage that passes for data is not found; all other damage is an error, never a crash. */
static void damaged_events_are_errors_and_nothing_worse(void **state)
{
    (void)state;
    static const char *const sets[] = {"types", "compressed", "old"};
    unsigned refused = 0;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        recorded_set_t *set =
            recorded_set_open(sets[seed % 3], seed % 5 ? GROUP_BYTES_MAX_DEFAULT : 256);
        refused +=
            recorded_set_read_damaged(set, seed, 10 + (unsigned)(seed % 7) * 40) != SLUICE_OK;
        recorded_set_close(&set);
    }
    assert_true(refused > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_and_kind_of_transaction),
        cmocka_unit_test(the_same_through_the_spill),
        cmocka_unit_test(compressed_and_without_checksums),
        cmocka_unit_test(temporal_formats_of_old_tables),
        cmocka_unit_test(minimal_row_images_are_refused),
        cmocka_unit_test(statements_are_refused),
        cmocka_unit_test(prepared_transactions_are_refused),
        cmocka_unit_test(tables_altered_behind_the_log_are_refused),
        cmocka_unit_test(damaged_events_are_errors_and_nothing_worse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
