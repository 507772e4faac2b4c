#include "tests/unit/ddl/tracker_fixture.h"

/* ---- identities, versions, lists ---- */

static tracked_table_t find(const source_t *source, const char *schema, const char *name)
{
    return schema_tracker_find(source->tracker, bytes_of_text(schema), bytes_of_text(name));
}

static void identity_survives_rename_and_truncate_but_not_a_new_table(void **state)
{
    (void)state;
    source_t *source = source_open();
    table_id_t id = find(source, "db", "a").definition->table_id;
    assert_true(id.v == table_id_derive(bytes_of_text("db"), bytes_of_text("a"), COMMIT_TS_NONE).v);
    assert_int_equal(apply(source, "RENAME TABLE a TO z"), SLUICE_OK);
    const table_definition_t *renamed = find(source, "db", "z").definition;
    assert_true(renamed->table_id.v == id.v);
    assert_int_equal(renamed->last_change.commit_ts.v, 101);
    assert_int_equal(renamed->version.v, 101);
    assert_int_equal(apply(source, "TRUNCATE z"), SLUICE_OK);
    assert_int_equal(apply(source, "ALTER TABLE z ADD q INT"), SLUICE_OK);
    assert_true(find(source, "db", "z").definition->table_id.v == id.v);
    assert_int_equal(apply(source, "DROP TABLE z"), SLUICE_OK);
    assert_int_equal(apply(source, "CREATE TABLE z (a INT)"), SLUICE_OK);
    const table_definition_t *again = find(source, "db", "z").definition;
    assert_true(again->table_id.v != id.v);
    assert_int_equal(again->created.v, 105);
    source_close(source);
}

static void answers_for_every_commit_ts_that_is_not_forgotten(void **state)
{
    (void)state;
    source_t *source = source_open();
    bytes_t db = bytes_of_text("db"), a = bytes_of_text("a");
    assert_int_equal(apply(source, "ALTER TABLE a ADD one INT"), SLUICE_OK);
    assert_int_equal(apply(source, "ALTER TABLE a ADD two INT"), SLUICE_OK);
    assert_int_equal(apply(source, "DROP TABLE a"), SLUICE_OK);
    schema_tracker_t *tracker = source->tracker;
    static const uint32_t columns[] = {2, 3, 4};
    for (uint64_t ts = 100; ts < 103; ts++)
        assert_int_equal(
            schema_tracker_find_at(tracker, db, a, (commit_ts_t){ts}).definition->column_count,
            columns[ts - 100]);
    assert_null(schema_tracker_find(tracker, db, a).definition);
    const table_info_t *tables;
    uint32_t before = 0, after = 0;
    assert_int_equal(schema_tracker_table_list(tracker, (commit_ts_t){102}, false, &source->arena,
                                               &tables, &before),
                     SLUICE_OK);
    for (uint32_t i = 1; i < before; i++)
        assert_true(tables[i - 1].table_id.v < tables[i].table_id.v);
    assert_int_equal(schema_tracker_table_list(tracker, (commit_ts_t){103}, false, &source->arena,
                                               &tables, &after),
                     SLUICE_OK);
    assert_int_equal(before, 10);
    assert_int_equal(after, 9);
    assert_int_equal(schema_tracker_table_list(tracker, (commit_ts_t){104}, false, &source->arena,
                                               &tables, &after),
                     SLUICE_ERROR_AGAIN);
    assert_int_equal(schema_tracker_table_list(tracker, (commit_ts_t){104}, true, &source->arena,
                                               &tables, &after),
                     SLUICE_OK);
    schema_tracker_forget(tracker, (commit_ts_t){102});
    assert_int_equal(schema_tracker_table_list(tracker, (commit_ts_t){101}, false, &source->arena,
                                               &tables, &after),
                     SLUICE_ERROR_NOT_FOUND);
    assert_int_equal(
        schema_tracker_find_at(tracker, db, a, (commit_ts_t){102}).definition->column_count, 4);
    schema_tracker_forget(tracker, (commit_ts_t){103});
    assert_null(schema_tracker_find_at(tracker, db, a, (commit_ts_t){103}).definition);
    source_close(source);
}

static void events_outlive_the_tracker(void **state)
{
    (void)state;
    source_t *source = source_open();
    assert_int_equal(apply(source, "ALTER TABLE a DROP v, ADD w INT FIRST"), SLUICE_OK);
    ddl_event_t *event = ddl_event_ref(source->outcome.event);
    source_close(source);
    assert_string_equal(event->changes[0].before->columns[1].name, "v");
    assert_string_equal(event->changes[0].after->columns[0].name, "w");
    assert_int_equal(event->changes[0].column_sources[0], COLUMN_SOURCE_NEW);
    assert_int_equal(event->changes[0].column_sources[1], 0);
    assert_string_equal(event->sql_utf8, "ALTER TABLE a DROP v, ADD w INT FIRST");
    assert_string_equal(event->context.default_schema, "db");
    assert_string_equal(event->schema, "db");
    assert_string_equal(event->object, "a");
    ddl_event_unref(&event);
}

static void
an_alter_that_takes_a_table_out_of_the_filter_says_what_becomes_of_its_columns(void **state)
{
    (void)state;
    source_t *source = source_open();
    assert_int_equal(apply(source, "ALTER TABLE a DROP v, ADD w INT FIRST, RENAME TO other.a"),
                     SLUICE_OK);
    const table_change_t *change = &source->outcome.event->changes[0];
    assert_int_equal(change->kind, TABLE_LEFT_FILTER);
    assert_non_null(change->column_sources);
    assert_int_equal(change->column_sources[0], COLUMN_SOURCE_NEW);
    assert_int_equal(change->column_sources[1], 0);
    source_close(source);
}

static void partition_ddl_names_its_partitions(void **state)
{
    (void)state;
    source_t *source = source_open();
    assert_int_equal(apply(source, "ALTER TABLE r TRUNCATE PARTITION p0, p1"), SLUICE_OK);
    assert_int_equal(source->outcome.event->partition_count, 2);
    assert_string_equal(source->outcome.event->partitions[1], "p1");
    assert_int_equal(apply(source, "ALTER TABLE r TRUNCATE PARTITION ALL"), SLUICE_OK);
    assert_true(source->outcome.event->names_all_partitions);
    assert_int_equal(apply(source, "ALTER TABLE r DROP PARTITION p0"), SLUICE_OK);
    const table_change_t *change = &source->outcome.event->changes[0];
    assert_string_equal(change->before->partition_text,
                        "PARTITION BY RANGE (`id`) (PARTITION `p0` VALUES LESS THAN (10), "
                        "PARTITION `p1` VALUES LESS THAN (20))");
    assert_string_equal(change->after->partition_text,
                        "PARTITION BY RANGE (`id`) (PARTITION `p1` VALUES LESS THAN (20))");
    source_close(source);
}

static void references_follow_renames(void **state)
{
    (void)state;
    source_t *source = source_open();
    assert_int_equal(apply(source, "RENAME TABLE fk.p TO fk.q, fk.k TO fk.kk"), SLUICE_OK);
    const foreign_key_t *key = &find(source, "fk", "kk").definition->foreign_keys[0];
    assert_string_equal(key->referenced_table, "q");
    assert_string_equal(key->name, "kk_ibfk_1");
    assert_int_equal(apply(source, "RENAME TABLE fk.tree TO fk.forest"), SLUICE_OK);
    assert_string_equal(find(source, "fk", "forest").definition->foreign_keys[0].referenced_table,
                        "forest");
    assert_string_equal(source->outcome.event->changes[0].after->foreign_keys[0].referenced_table,
                        "forest");
    assert_int_equal(apply(source, "ALTER TABLE fk.q CHANGE id pid INT NOT NULL"), SLUICE_OK);
    key = &find(source, "fk", "kk").definition->foreign_keys[0];
    assert_string_equal(key->referenced_columns[0], "pid");
    source_close(source);
}

static void new_tables_take_the_charset_of_their_schema(void **state)
{
    (void)state;
    source_t *source = source_open();
    assert_int_equal(apply(source, "CREATE TABLE n1 (v VARCHAR(3))"), SLUICE_OK);
    assert_string_equal(find(source, "db", "n1").definition->columns[0].charset, "latin1");
    assert_int_equal(apply(source, "ALTER DATABASE db CHARACTER SET utf8mb4"), SLUICE_OK);
    assert_int_equal(apply(source, "CREATE TABLE n2 (v VARCHAR(3))"), SLUICE_OK);
    assert_string_equal(find(source, "db", "n2").definition->columns[0].charset, "utf8mb4");
    assert_int_equal(apply(source, "CREATE DATABASE whole2 COLLATE gbk_bin"), SLUICE_OK);
    assert_int_equal(apply(source, "CREATE DATABASE IF NOT EXISTS whole2"), SLUICE_OK);
    assert_int_equal(apply(source, "CREATE TABLE whole2.n (v VARCHAR(3))"), SLUICE_OK);
    assert_string_equal(find(source, "whole2", "n").definition->collation, "gbk_bin");
    assert_int_equal(apply(source, "CREATE DATABASE whole3"), SLUICE_OK);
    assert_int_equal(apply(source, "CREATE TABLE whole3.n (v VARCHAR(3))"), SLUICE_OK);
    assert_string_equal(find(source, "whole3", "n").definition->collation, "latin1_swedish_ci");
    source_close(source);
}

static void reads_statements_in_the_charset_of_their_session(void **state)
{
    (void)state;
    source_t *source = source_open();
    /* In gbk 0x95 0x5c is one character whose second byte is a backslash. */
    logged_ddl_t ddl = {
        .commit_ts = {101},
        .sql = bytes_of_text("CREATE TABLE g (a VARCHAR(9) COMMENT '\x95\x5c', b INT)"),
        .context = {.default_schema = "db", .charset_client = 28}};
    assert_int_equal(schema_tracker_apply(source->tracker, &ddl, &source->outcome, &source->report),
                     SLUICE_OK);
    const table_definition_t *table = find(source, "db", "g").definition;
    assert_int_equal(table->column_count, 2);
    assert_string_equal(table->columns[0].comment, "\xe6\x98\x9e");
    assert_true(bytes_equal(source->outcome.event->sql, ddl.sql));
    source_close(source);
}

static void the_session_decides_how_text_reads(void **state)
{
    (void)state;
    source_t *source = source_open();
    logged_ddl_t ddl = {.commit_ts = {101},
                        .sql = bytes_of_text("CREATE TABLE \"q\" (\"a\" TIMESTAMP, b TIMESTAMP, c "
                                             "VARCHAR(5) DEFAULT '\\')"),
                        .context = {.default_schema = "db",
                                    .charset_client = 45,
                                    .has_sql_mode = true,
                                    .sql_mode = 0x4 | 0x100000,
                                    .has_option_flags = true,
                                    .option_flags = 0}};
    assert_int_equal(schema_tracker_apply(source->tracker, &ddl, &source->outcome, &source->report),
                     SLUICE_OK);
    const table_definition_t *table = find(source, "db", "q").definition;
    assert_int_equal(table->column_count, 3);
    assert_true(table->columns[0].flags & COLUMN_ON_UPDATE_NOW);
    assert_string_equal(table->columns[1].default_value, "0000-00-00 00:00:00");
    assert_string_equal(table->columns[2].default_value, "\\");
    source_close(source);
}

static void finds_nothing_in_system_schemas(void **state)
{
    (void)state;
    source_t *source = source_open();
    assert_int_equal(apply(source, "CREATE TABLE mysql.n (a INT)"), SLUICE_OK);
    assert_null(find(source, "mysql", "n").definition);
    assert_false(find(source, "db", "skip1").is_carried);
    assert_non_null(find(source, "db", "skip1").definition);
    assert_false(find(source, "db", "seq").is_carried);
    assert_true(find(source, "db", "a").is_carried);
    source_close(source);
}

static void names_fold_when_the_source_folds_them(void **state)
{
    (void)state;
    table_filter_t *filter;
    bytes_t rule = bytes_of_text("DB.*");
    assert_int_equal(table_filter_new(&rule, 1, true, &filter, NULL), SLUICE_OK);
    schema_tracker_options_t options = {.filter = filter, .lower_case_names = true};
    schema_tracker_t *tracker = schema_tracker_new(&options);
    assert_int_equal(schema_tracker_add_table(tracker, bytes_of_text("db"),
                                              bytes_of_text("CREATE TABLE `tab` (`a` int(11))"),
                                              NULL),
                     SLUICE_OK);
    schema_outcome_t outcome;
    logged_ddl_t ddl = {.commit_ts = {5},
                        .sql = bytes_of_text("ALTER TABLE TAB ADD x INT"),
                        .context = {.default_schema = "Db"}};
    assert_int_equal(schema_tracker_apply(tracker, &ddl, &outcome, NULL), SLUICE_OK);
    assert_int_equal(outcome.kind, SCHEMA_EVENT);
    ddl_event_unref(&outcome.event);
    tracked_table_t found = schema_tracker_find(tracker, bytes_of_text("DB"), bytes_of_text("Tab"));
    assert_int_equal(found.definition->column_count, 2);
    schema_tracker_destroy(&tracker);
    table_filter_destroy(&filter);
}

static void tells_which_tables_can_be_split(void **state)
{
    (void)state;
    static const struct {
        const char *create;
        bool splittable;
    } cases[] = {
        {"CREATE TABLE s1 (a INT PRIMARY KEY)", true},
        {"CREATE TABLE s2 (a BIGINT UNSIGNED, b INT, PRIMARY KEY (a, b))", true},
        {"CREATE TABLE s3 (a BINARY(16) PRIMARY KEY)", true},
        {"CREATE TABLE s4 (a VARCHAR(5) PRIMARY KEY)", false},
        {"CREATE TABLE s5 (a INT PRIMARY KEY, b INT UNIQUE)", false},
        {"CREATE TABLE s6 (a INT)", false},
        {"CREATE TABLE s7 (a INT NOT NULL UNIQUE)", true},
        {"CREATE TABLE s8 (a INT PRIMARY KEY) WITH SYSTEM VERSIONING", false},
    };
    source_t *source = source_open();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(apply(source, cases[i].create), SLUICE_OK);
        if (source->outcome.event->payload.added[0].splittable != cases[i].splittable)
            fail_msg("%s", cases[i].create);
    }
    source_close(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity_survives_rename_and_truncate_but_not_a_new_table),
        cmocka_unit_test(answers_for_every_commit_ts_that_is_not_forgotten),
        cmocka_unit_test(events_outlive_the_tracker),
        cmocka_unit_test(
            an_alter_that_takes_a_table_out_of_the_filter_says_what_becomes_of_its_columns),
        cmocka_unit_test(partition_ddl_names_its_partitions),
        cmocka_unit_test(references_follow_renames),
        cmocka_unit_test(new_tables_take_the_charset_of_their_schema),
        cmocka_unit_test(reads_statements_in_the_charset_of_their_session),
        cmocka_unit_test(the_session_decides_how_text_reads),
        cmocka_unit_test(finds_nothing_in_system_schemas),
        cmocka_unit_test(names_fold_when_the_source_folds_them),
        cmocka_unit_test(tells_which_tables_can_be_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
