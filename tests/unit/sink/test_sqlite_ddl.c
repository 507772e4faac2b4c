/* DDL of tables, databases and views on a real SQLite file, and its pre-flight. */
#include "tests/testing.h"

#include <stdio.h>

#include "tests/unit/sink/sqlite_ddl_fixture.h"

/* ---- tables ---- */

static void tables_are_created_and_dropped(void **state)
{
    (void)state;
    table_definition_t *t = plain("t", 5), *u = plain("u", 6);
    create(t);
    create(u);
    assert_string_equal(carried_tables(), "d.t d.u");
    table_change_t changes[] = {{.kind = TABLE_DROPPED, .before = t},
                                {.kind = TABLE_DROPPED, .before = u}};
    must_run(DDL_DROP_TABLE, changes, 2);
    assert_string_equal(carried_tables(), "NULL");
}

static void create_or_replace_makes_an_empty_table_of_the_new_form(void **state)
{
    (void)state;
    table_definition_t *t = plain("t", 5);
    const column_definition_t columns[] = {
        {.name = "k", .type = COLUMN_UUID, .flags = COLUMN_NOT_NULL}};
    table_definition_t *replaced = table_of("t", 6, columns, 1, 1);
    create(t);
    execute("INSERT INTO \"d.t\" VALUES (1, 'x')");
    table_change_t changes[] = {{.kind = TABLE_DROPPED, .before = t},
                                {.kind = TABLE_CREATED, .after = replaced}};
    must_run(DDL_CREATE_TABLE, changes, 2);
    assert_string_equal(query("SELECT name, type FROM pragma_table_info('d.t')"), "k|TEXT");
    assert_string_equal(query("SELECT count(*) FROM \"d.t\""), "0");
}

static void names_that_differ_by_case_alone_are_refused(void **state)
{
    (void)state;
    create(plain("t", 5));
    table_change_t change = {.kind = TABLE_CREATED, .after = plain("T", 6)};
    assert_int_equal(run(DDL_CREATE_TABLE, &change, 1), SLUICE_ERROR_DDL_UNSUPPORTED);
    assert_non_null(strstr(fixture.report.text, "d.T"));
    assert_non_null(strstr(fixture.report.text, "d.t"));
}

static void system_versioned_table_is_refused(void **state)
{
    (void)state;
    table_definition_t *t = plain("t", 5);
    t->is_system_versioned = true;
    table_change_t change = {.kind = TABLE_CREATED, .after = t};
    assert_int_equal(run(DDL_CREATE_TABLE, &change, 1), SLUICE_ERROR_DDL_UNSUPPORTED);
    assert_non_null(strstr(fixture.report.text, "d.t"));
}

static void truncate_empties(void **state)
{
    (void)state;
    table_definition_t *t = plain("t", 5);
    create(t);
    execute("INSERT INTO \"d.t\" VALUES (1, 'x')");
    table_change_t change = {.kind = TABLE_TRUNCATED, .before = t, .after = t};
    must_run(DDL_TRUNCATE_TABLE, &change, 1);
    assert_string_equal(query("SELECT count(*) FROM \"d.t\""), "0");
}

/* ---- renames ---- */

static table_change_t renamed(const table_definition_t *before, const table_definition_t *after)
{
    return (table_change_t){.kind = TABLE_RENAMED, .before = before, .after = after};
}

static void rename_keeps_rows_and_indexes(void **state)
{
    (void)state;
    table_definition_t *t = plain("t", 5), *u = plain("u", 5);
    create(t);
    execute("INSERT INTO \"d.t\" VALUES (1, 'x'); CREATE VIEW v AS SELECT * FROM \"d.t\"");
    table_change_t change = renamed(t, u);
    must_run(DDL_RENAME_TABLE, &change, 1);
    assert_string_equal(carried_tables(), "d.u");
    assert_string_equal(query("SELECT * FROM \"d.u\""), "1|x");
}

static void tables_are_swapped_step_by_step(void **state)
{
    (void)state;
    table_definition_t *a = plain("a", 5), *b = plain("b", 6), *c = plain("c", 5);
    table_definition_t *a_of_b = plain("a", 6), *b_of_a = plain("b", 5);
    create(a);
    create(b);
    execute("INSERT INTO \"d.a\" VALUES (1, 'a'); INSERT INTO \"d.b\" VALUES (2, 'b')");
    table_change_t changes[] = {renamed(a, c), renamed(b, a_of_b), renamed(c, b_of_a)};
    must_run(DDL_RENAME_TABLE, changes, 3);
    assert_string_equal(query("SELECT v FROM \"d.a\" UNION ALL SELECT v FROM \"d.b\""), "b\na");
}

static void tables_are_swapped_as_a_whole(void **state)
{
    (void)state;
    table_definition_t *a = plain("a", 5), *b = plain("b", 6);
    table_definition_t *a_of_b = plain("a", 6), *b_of_a = plain("b", 5);
    create(a);
    create(b);
    execute("INSERT INTO \"d.a\" VALUES (1, 'a'); INSERT INTO \"d.b\" VALUES (2, 'b')");
    table_change_t changes[] = {renamed(a, b_of_a), renamed(b, a_of_b)};
    must_run(DDL_RENAME_TABLE, changes, 2);
    assert_string_equal(query("SELECT v FROM \"d.a\" UNION ALL SELECT v FROM \"d.b\""), "b\na");
    assert_string_equal(carried_tables(), "d.a d.b");
}

static void rename_by_case_alone(void **state)
{
    (void)state;
    table_definition_t *t = plain("t", 5), *upper = plain("T", 5);
    create(t);
    table_change_t change = renamed(t, upper);
    must_run(DDL_RENAME_TABLE, &change, 1);
    assert_string_equal(carried_tables(), "d.T");
}

static void rename_onto_a_foreign_table_is_refused(void **state)
{
    (void)state;
    table_definition_t *t = plain("t", 5), *u = plain("u", 5);
    create(t);
    create(plain("u", 6));
    table_change_t change = renamed(t, u);
    assert_int_equal(run(DDL_RENAME_TABLE, &change, 1), SLUICE_ERROR_DDL_UNSUPPORTED);
    assert_string_equal(carried_tables(), "d.t d.u");
}

/* ---- what is not tables ---- */

static void databases_need_nothing_but_drop_takes_their_tables(void **state)
{
    (void)state;
    table_definition_t *t = plain("t", 5);
    must_run(DDL_CREATE_DATABASE, NULL, 0);
    must_run(DDL_ALTER_DATABASE, NULL, 0);
    create(t);
    table_change_t change = {.kind = TABLE_DROPPED, .before = t};
    must_run(DDL_DROP_DATABASE, &change, 1);
    assert_string_equal(carried_tables(), "NULL");
}

static void views_are_left_out(void **state)
{
    (void)state;
    must_run(DDL_CREATE_VIEW, NULL, 0);
    must_run(DDL_DROP_VIEW, NULL, 0);
    assert_string_equal(query("SELECT count(*) FROM __sluice_ddl"), "2");
}

static void run_partitions(ddl_verb_t verb, const table_definition_t *table,
                           const char *const *partitions, uint32_t count)
{
    static const uint32_t sources[] = {0, 1};
    table_change_t change = {TABLE_ALTERED, table, table, sources};
    fixture.file->partitions = partitions;
    fixture.file->partition_count = count;
    fixture.file->names_all_partitions = count == 0;
    must_run(verb, &change, 1);
}

static void lost_partitions_lose_their_rows(void **state)
{
    (void)state;
    const column_definition_t columns[] = {
        {.name = "id", .type = COLUMN_INT, .length = 11},
        {.name = "at", .type = COLUMN_DATETIME, .flags = COLUMN_NOT_NULL}};
    table_definition_t *t = table_of("t", 5, columns, 2, 0);
    t->partition_text = "PARTITION BY RANGE (id) (PARTITION `p0` VALUES LESS THAN (10), PARTITION "
                        "`p1` VALUES LESS THAN (20), PARTITION `p2` VALUES LESS THAN MAXVALUE)";
    create(t);
    execute("INSERT INTO \"d.t\" VALUES (NULL, '2020-12-31 23:59:59'), (-5, '2021-01-01 "
            "00:00:00'), (9, '2021-06-01 00:00:00'), (10, '2021-12-31 23:59:59'), (19, '2022-01-01 "
            "00:00:00'), (20, '2023-01-01 00:00:00')");
    run_partitions(DDL_TRUNCATE_PARTITION, t, (const char *const[]){"p1", "nothing"}, 2);
    assert_string_equal(query("SELECT group_concat(ifnull(id, 'null')) FROM \"d.t\""),
                        "null,-5,9,20");
    t->partition_text = "PARTITION BY RANGE (YEAR(`at`)) (PARTITION `y0` VALUES LESS THAN (2021), "
                        "PARTITION `y1` VALUES LESS THAN (2022))";
    run_partitions(DDL_DROP_PARTITION, t, (const char *const[]){"y1"}, 1);
    assert_string_equal(query("SELECT group_concat(ifnull(id, 'null')) FROM \"d.t\""), "null,20");
    t->partition_text = "PARTITION BY LIST (id) (PARTITION `l0` VALUES IN (1, NULL), PARTITION "
                        "`l1` VALUES IN (20))";
    run_partitions(DDL_TRUNCATE_PARTITION, t, (const char *const[]){"L0"}, 1);
    assert_string_equal(query("SELECT group_concat(id) FROM \"d.t\""), "20");
    run_partitions(DDL_TRUNCATE_PARTITION, t, NULL, 0);
    assert_string_equal(query("SELECT count(*) FROM \"d.t\""), "0");
}

static void partitions_whose_rows_cannot_be_told_are_refused_by_name(void **state)
{
    (void)state;
    static const uint32_t sources[] = {0, 1};
    static const char *const partitions[] = {"p0"};
    static const char *const texts[] = {
        "PARTITION BY HASH (`id`) PARTITIONS 4", NULL,
        "PARTITION BY RANGE (`id` % 7) (PARTITION `p0` VALUES LESS THAN (10))"};
    table_definition_t *t = plain("t", 5);
    create(t);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        t->partition_text = texts[i];
        table_change_t change = {TABLE_ALTERED, t, t, sources};
        fixture.file->partitions = partitions;
        fixture.file->partition_count = 1;
        assert_int_equal(run(DDL_DROP_PARTITION, &change, 1), SLUICE_ERROR_DDL_UNSUPPORTED);
        assert_non_null(strstr(fixture.report.text, "p0 of d.t"));
    }
}

static void partition_statements_and_unknown_ones_are_refused_by_name(void **state)
{
    (void)state;
    static const ddl_verb_t verbs[] = {DDL_TRUNCATE_PARTITION, DDL_DROP_PARTITION,
                                       DDL_EXCHANGE_PARTITION, DDL_CONVERT_PARTITION, DDL_UNKNOWN};
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        assert_int_equal(run(verbs[i], NULL, 0), SLUICE_ERROR_DDL_UNSUPPORTED);
        assert_non_null(strstr(fixture.report.text, "THE STATEMENT"));
    }
    assert_string_equal(query("SELECT count(*) FROM __sluice_ddl"), "0");
}

/* ---- pre-flight ---- */

static sluice_error_t check(const table_definition_t *table, const char *parameters)
{
    char uri[600];
    snprintf(uri, sizeof uri, "sqlite://%s?%s", fixture.file->path, parameters);
    sink_options_t options = fixture_options(uri);
    sink_t *sink;
    fixture.report = (error_report_t){0};
    assert_int_equal(sink_find(uri)->open(&options, &sink, &fixture.report), SLUICE_OK);
    sluice_error_t error = sink->api->check(sink, &table, 1, &fixture.report);
    sink->api->close(&sink);
    return error;
}

static void check_wants_each_table_in_its_form(void **state)
{
    (void)state;
    table_definition_t *t = plain("t", 5);
    assert_int_equal(check(t, ""), SLUICE_ERROR_SCHEMA_MISMATCH);
    assert_non_null(strstr(fixture.report.text, "d.t"));
    create(t);
    assert_int_equal(check(t, ""), SLUICE_OK);
    execute("DROP TABLE \"d.t\"; CREATE TABLE \"d.t\" (id INTEGER PRIMARY KEY, v)");
    assert_int_equal(check(t, ""), SLUICE_ERROR_SCHEMA_MISMATCH);
    assert_non_null(strstr(fixture.report.text, "column v"));
    execute("DROP TABLE \"d.t\"; CREATE TABLE \"d.t\" (id INTEGER, v TEXT)");
    assert_int_equal(check(t, ""), SLUICE_ERROR_SCHEMA_MISMATCH);
    assert_non_null(strstr(fixture.report.text, "primary key"));
    execute("DROP TABLE \"d.t\"; CREATE TABLE \"d.t\" (id INTEGER PRIMARY KEY, v TEXT, w TEXT)");
    assert_int_equal(check(t, ""), SLUICE_ERROR_SCHEMA_MISMATCH);
}

static void check_makes_missing_tables_when_told_so(void **state)
{
    (void)state;
    assert_int_equal(check(plain("t", 5), "create-tables=yes"), SLUICE_OK);
    assert_string_equal(carried_tables(), "d.t");
}

static void check_refuses_a_file_that_is_no_database(void **state)
{
    (void)state;
    char uri[600];
    snprintf(uri, sizeof uri, "sqlite://%s/missing/x.db", fixture.file->directory);
    sink_options_t options = fixture_options(uri);
    sink_t *sink;
    assert_int_equal(sink_find(uri)->open(&options, &sink, &fixture.report), SLUICE_OK);
    assert_int_not_equal(sink->api->check(sink, NULL, 0, &fixture.report), SLUICE_OK);
    assert_non_null(strstr(fixture.report.text, "missing/x.db"));
    sink->api->close(&sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_FILE(tables_are_created_and_dropped),
        ON_FILE(create_or_replace_makes_an_empty_table_of_the_new_form),
        ON_FILE(names_that_differ_by_case_alone_are_refused),
        ON_FILE(system_versioned_table_is_refused),
        ON_FILE(truncate_empties),
        ON_FILE(rename_keeps_rows_and_indexes),
        ON_FILE(tables_are_swapped_step_by_step),
        ON_FILE(tables_are_swapped_as_a_whole),
        ON_FILE(rename_by_case_alone),
        ON_FILE(rename_onto_a_foreign_table_is_refused),
        ON_FILE(databases_need_nothing_but_drop_takes_their_tables),
        ON_FILE(views_are_left_out),
        ON_FILE(lost_partitions_lose_their_rows),
        ON_FILE(partitions_whose_rows_cannot_be_told_are_refused_by_name),
        ON_FILE(partition_statements_and_unknown_ones_are_refused_by_name),
        ON_FILE(check_wants_each_table_in_its_form),
        ON_FILE(check_makes_missing_tables_when_told_so),
        ON_FILE(check_refuses_a_file_that_is_no_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
