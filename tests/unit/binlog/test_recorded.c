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

/* What the log of set `ddl` has: one line of its workload each. */
static const struct {
    uint64_t sequence;
    const char *start;
} expected_ddls[] = {
    {2, "ALTER TABLE a ADD COLUMN n INT"},
    {4, "ALTER TABLE a MODIFY v"},
    {5, "ALTER TABLE a DROP COLUMN first_one"},
    {6, "ALTER TABLE a DROP CONSTRAINT"},
    {7, "CREATE INDEX iv"},
    {8, "DROP INDEX iv"},
    {10, "RENAME TABLE a TO tmp_name, b TO a, tmp_name TO b"},
    {13, "TRUNCATE TABLE a"},
    {15, "CREATE TABLE like_b LIKE b"},
    {17, "CREATE TABLE `selected` ("},
    {18, "CREATE OR REPLACE TABLE `selected` ("},
    {20, "CREATE OR REPLACE TABLE like_b"},
    {21, "CREATE TABLE child"},
    {24, "DROP TABLE `like_b`,`child`"},
    {25, "DROP TABLE IF EXISTS `like_b`,`never_there`"},
    {26, "ALTER TABLE parts TRUNCATE PARTITION"},
    {27, "ALTER TABLE parts DROP PARTITION"},
    {28, "ALTER TABLE parts EXCHANGE PARTITION"},
    {29, "ALTER TABLE parts ADD COLUMN w"},
    {30, "ALTER TABLE parts REMOVE PARTITIONING"},
    {31, "CREATE ALGORITHM=UNDEFINED DEFINER="},
    {32, "ALTER ALGORITHM=UNDEFINED DEFINER="},
    {33, "CREATE OR REPLACE ALGORITHM=UNDEFINED"},
    {34, "DROP VIEW vw"},
    {35, "CREATE SEQUENCE s1"},
    {37, "DROP SEQUENCE `s1`"},
    {38, "CREATE DEFINER=`root`@`localhost` TRIGGER"},
    {39, "DROP TRIGGER"},
    {40, "CREATE DEFINER=`root`@`localhost` PROCEDURE"},
    {41, "DROP PROCEDURE"},
    {42, "CREATE USER"},
    {43, "GRANT"},
    {44, "DROP USER"},
    {45, "ANALYZE"},
    {46, "OPTIMIZE"},
    {47, "FLUSH"},
    {49, "CREATE DATABASE other"},
    {50, "CREATE TABLE other.t"},
    {52, "ALTER DATABASE other"},
    {53, "CREATE TABLE other.u"},
    {54, "RENAME TABLE other.t TO d.moved"},
    {55, "ALTER TABLE d.moved RENAME TO other.t2"},
    {56, "DROP DATABASE gone"},
    {57, "CREATE TABLE \"ansi\""},
    {58, "DROP TABLE \"ansi\""},
    {59, "ALTER TABLE b ADD COLUMN e"},
    {60, "ALTER TABLE b ADD COLUMN ts"},
    /* In two phases: 61 and 63 are the starts of these. */
    {62, "ALTER TABLE b ADD COLUMN two_phase"},
    {64, "/*!100000 ALTER TABLE b ADD COLUMN in_comment"},
};
#define EXPECTED_DDLS (sizeof expected_ddls / sizeof expected_ddls[0])

#define MODE_ANSI_QUOTES 4
#define CHARSET_LATIN1 8

static void check_context(uint64_t sequence, const ddl_context_t *context)
{
    assert_true(context->has_sql_mode && context->has_option_flags);
    assert_int_equal((context->sql_mode & MODE_ANSI_QUOTES) != 0, sequence == 57 || sequence == 58);
    assert_int_equal(context->charset_client == CHARSET_LATIN1, sequence == 59);
    assert_int_equal(context->timestamp_us == 1700000000123456, sequence == 60);
    const char *schema = sequence == 49 || sequence == 52 ? "other" : sequence == 56 ? "gone" : "d";
    assert_string_equal(context->default_schema, schema);
}

static void check_ddl(void *context, const group_t *group)
{
    size_t *next = context;
    assert_true(*next < EXPECTED_DDLS);
    uint64_t sequence = expected_ddls[*next].sequence;
    const char *start = expected_ddls[*next].start;
    assert_int_equal(group->commit_ts.v, sequence);
    assert_true(group->query->sql.len >= strlen(start));
    assert_memory_equal(group->query->sql.data, start, strlen(start));
    assert_int_equal(group->is_last, sequence != 17 && sequence != 18);
    check_context(sequence, &group->query->context);
    ++*next;
}

static void schema_changes_come_once_and_with_their_session(void **state)
{
    (void)state;
    recorded_set_t *set = recorded_set_open("ddl", GROUP_BYTES_MAX_DEFAULT);
    error_report_t report = {0};
    size_t next = 0;
    recorded_set_carry_nothing(set);
    recorded_set_on_ddl(set, check_ddl, &next);
    if (recorded_set_read(set, &report) != SLUICE_OK)
        fail_msg("%s", report.text);
    assert_int_equal(next, EXPECTED_DDLS);
    assert_int_equal(recorded_set_counts(set).groups, recorded_set_counts(set).newest.v);
    recorded_set_close(&set);
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
        cmocka_unit_test(schema_changes_come_once_and_with_their_session),
        cmocka_unit_test(minimal_row_images_are_refused),
        cmocka_unit_test(statements_are_refused),
        cmocka_unit_test(prepared_transactions_are_refused),
        cmocka_unit_test(tables_altered_behind_the_log_are_refused),
        cmocka_unit_test(damaged_events_are_errors_and_nothing_worse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
