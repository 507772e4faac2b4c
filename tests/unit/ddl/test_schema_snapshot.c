#include <stdio.h>

#include "tests/unit/ddl/tracker_fixture.h"

/* ---- snapshot and forward ---- */

static bytes_t snapshot_at(source_t *source, uint64_t at)
{
    bytes_t snapshot;
    assert_int_equal(schema_tracker_snapshot(source->tracker, (commit_ts_t){at}, false,
                                             &source->arena, &snapshot),
                     SLUICE_OK);
    return snapshot;
}

static const char *const history[] = {
    "CREATE TABLE n (id INT PRIMARY KEY, v TEXT, g INT AS (id + 1), KEY k (v(5)) COMMENT 'x')",
    "RENAME TABLE a TO z, b TO a",
    "ALTER TABLE n ADD d DATETIME(3) DEFAULT now(3), PARTITION BY HASH (id) PARTITIONS 4",
    "CREATE TABLE skip7 (e ENUM('a','b') CHARACTER SET gbk DEFAULT 'b', CHECK (e <> 'a'))",
    "CREATE TABLE m LIKE skip7",
    "CREATE DATABASE whole9 CHARACTER SET gbk",
    "CREATE TABLE whole9.t (v VARCHAR(9))",
    "CREATE TABLE fk.allowed (p INT, FOREIGN KEY (p) REFERENCES fk.p (id) ON DELETE SET NULL)",
    "CREATE VIEW w AS SELECT * FROM n",
    "DROP TABLE c",
    "CREATE SEQUENCE s2",
    "ALTER TABLE other.o ADD later INT",
    "DROP DATABASE part",
};

static void a_snapshot_is_the_same_state(void **state)
{
    (void)state;
    source_t *source = source_open();
    for (size_t i = 0; i < sizeof history / sizeof history[0]; i++)
        if (apply(source, history[i]) != SLUICE_OK)
            fail_msg("%s: %s", history[i], source->report.text);
    for (uint64_t at = 100; at <= source->ts; at++) {
        bytes_t snapshot = snapshot_at(source, at);
        schema_tracker_options_t options = options_of(source);
        schema_tracker_t *restored;
        assert_int_equal(
            schema_tracker_from_snapshot(&options, snapshot, &restored, &source->report),
            SLUICE_OK);
        assert_int_equal(schema_tracker_position(restored).v, at);
        bytes_t again;
        assert_int_equal(
            schema_tracker_snapshot(restored, (commit_ts_t){at}, false, &source->arena, &again),
            SLUICE_OK);
        assert_true(bytes_equal(snapshot, again));
        schema_tracker_destroy(&restored);
    }
    source_close(source);
}

static const char *file_of_version_1;

/* What the program before shapes were shared made of the same history. */
static void a_snapshot_of_version_1_is_read(void **state)
{
    (void)state;
    source_t *source = source_open();
    for (size_t i = 0; i < sizeof history / sizeof history[0]; i++)
        assert_int_equal(apply(source, history[i]), SLUICE_OK);
    uint8_t bytes[4096];
    FILE *file = fopen(file_of_version_1, "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    schema_tracker_options_t options = options_of(source);
    schema_tracker_t *restored;
    for (size_t cut = 8; cut < len; cut++)
        assert_int_equal(
            schema_tracker_from_snapshot(&options, bytes_of(bytes, cut), &restored, NULL),
            SLUICE_ERROR_MALFORMED);
    assert_int_equal(
        schema_tracker_from_snapshot(&options, bytes_of(bytes, len), &restored, &source->report),
        SLUICE_OK);
    bytes_t again;
    assert_int_equal(
        schema_tracker_snapshot(restored, (commit_ts_t){source->ts}, false, &source->arena, &again),
        SLUICE_OK);
    assert_true(bytes_equal(snapshot_at(source, source->ts), again));
    schema_tracker_destroy(&restored);
    source_close(source);
}

static void a_snapshot_and_the_ddls_behind_it_come_to_the_same_state(void **state)
{
    (void)state;
    source_t *source = source_open();
    schema_tracker_options_t options = options_of(source);
    schema_tracker_t *follower;
    assert_int_equal(schema_tracker_from_snapshot(&options, snapshot_at(source, 100), &follower,
                                                  &source->report),
                     SLUICE_OK);
    for (size_t i = 0; i < sizeof history / sizeof history[0]; i++) {
        assert_int_equal(apply(source, history[i]), SLUICE_OK);
        schema_ddl_t encoded;
        if (source->outcome.kind == SCHEMA_EVENT) {
            encoded = schema_ddl_of_event(source->outcome.event);
        } else {
            assert_true(source->outcome.changes_schema);
            logged_ddl_t plain = {.commit_ts = {source->ts},
                                  .sql = bytes_of_text(history[i]),
                                  .context = {.default_schema = "db",
                                              .charset_client = 45,
                                              .collation_server = 8,
                                              .has_sql_mode = true}};
            encoded = schema_ddl_encode(&plain, &source->arena);
        }
        logged_ddl_t decoded;
        schema_outcome_t outcome;
        assert_int_equal(schema_ddl_decode(&encoded, &source->arena, &decoded), SLUICE_OK);
        assert_int_equal(schema_tracker_apply(follower, &decoded, &outcome, &source->report),
                         SLUICE_OK);
        ddl_event_unref(&outcome.event);
        bytes_t mine = snapshot_at(source, source->ts), theirs;
        assert_int_equal(schema_tracker_snapshot(follower, (commit_ts_t){source->ts}, false,
                                                 &source->arena, &theirs),
                         SLUICE_OK);
        if (!bytes_equal(mine, theirs))
            fail_msg("states differ after %s", history[i]);
    }
    schema_tracker_destroy(&follower);
    source_close(source);
}

static void a_snapshot_says_what_the_source_is(void **state)
{
    (void)state;
    source_t *source = source_open();
    schema_tracker_options_t options = {.filter = source->filter, .lower_case_names = true};
    schema_tracker_t *restored;
    assert_int_equal(schema_tracker_from_snapshot(&options, snapshot_at(source, 100), &restored,
                                                  &source->report),
                     SLUICE_OK);
    logged_ddl_t ddl = {.commit_ts = {101},
                        .sql = bytes_of_text("CREATE TABLE `Up` (a VARCHAR(3) /*!101119 , b INT */ "
                                             "/*!101120 , c INT */)"),
                        .context = {.default_schema = "Case"}};
    schema_outcome_t outcome;
    assert_int_equal(schema_tracker_apply(restored, &ddl, &outcome, &source->report), SLUICE_OK);
    const table_definition_t *made = outcome.event->changes[0].after;
    assert_string_equal(made->name, "Up");
    assert_int_equal(made->column_count, 2);
    assert_string_equal(made->columns[0].charset, "latin1");
    ddl_event_unref(&outcome.event);
    schema_tracker_destroy(&restored);
    source_close(source);
}

static void a_broken_snapshot_is_an_error(void **state)
{
    (void)state;
    source_t *source = source_open();
    bytes_t snapshot = snapshot_at(source, 100);
    schema_tracker_options_t options = options_of(source);
    schema_tracker_t *restored;
    for (size_t len = 0; len < snapshot.len; len += 7) {
        assert_int_equal(
            schema_tracker_from_snapshot(&options, bytes_of(snapshot.data, len), &restored, NULL),
            SLUICE_ERROR_MALFORMED);
        assert_null(restored);
    }
    uint8_t *copy = memory_alloc(snapshot.len);
    uint32_t seed = 1;
    for (int i = 0; i < 3000; i++) {
        memcpy(copy, snapshot.data, snapshot.len);
        for (int j = 0; j < 3; j++) {
            seed = seed * 1664525u + 1013904223u;
            copy[(seed >> 8) % snapshot.len] = (uint8_t)(seed >> 24);
        }
        if (schema_tracker_from_snapshot(&options, bytes_of(copy, snapshot.len), &restored, NULL) ==
            SLUICE_OK)
            schema_tracker_destroy(&restored);
    }
    memcpy(copy, snapshot.data, snapshot.len);
    copy[5] = 99; /* the version, behind a magic of five bytes */
    assert_int_equal(
        schema_tracker_from_snapshot(&options, bytes_of(copy, snapshot.len), &restored, NULL),
        SLUICE_ERROR_UNSUPPORTED);
    free(copy);
    source_close(source);
}

static void a_snapshot_keeps_thousands_of_tables_and_what_they_share_once(void **state)
{
    (void)state;
    source_t *source = source_open();
    for (int i = 0; i < 10000; i++) {
        const char *create =
            arena_printf(&source->arena,
                         "CREATE TABLE `t%d` (`id` int(11) NOT NULL, `v` varchar(10) DEFAULT "
                         "NULL, PRIMARY KEY (`id`))",
                         i);
        assert_int_equal(schema_tracker_add_table(source->tracker, bytes_of_text("db"),
                                                  bytes_of_text(create), &source->report),
                         SLUICE_OK);
    }
    bytes_t snapshot = snapshot_at(source, 100);
    assert_true(snapshot.len < 10000 * 40);
    schema_tracker_options_t options = options_of(source);
    schema_tracker_t *restored;
    const table_info_t *tables;
    uint32_t count;
    assert_int_equal(schema_tracker_from_snapshot(&options, snapshot, &restored, NULL), SLUICE_OK);
    assert_int_equal(schema_tracker_table_list(restored, (commit_ts_t){100}, false, &source->arena,
                                               &tables, &count),
                     SLUICE_OK);
    assert_int_equal(count, 10010);
    schema_tracker_destroy(&restored);
    source_close(source);
}

static void refuses_a_table_it_cannot_read_only_inside_the_filter(void **state)
{
    (void)state;
    source_t *source = source_open();
    bytes_t create = bytes_of_text("CREATE TABLE `bad` (`a` frobtype DEFAULT NULL)");
    assert_int_equal(
        schema_tracker_add_table(source->tracker, bytes_of_text("db"), create, &source->report),
        SLUICE_ERROR_DDL_UNSUPPORTED);
    assert_non_null(strstr(source->report.text, "bad"));
    assert_int_equal(
        schema_tracker_add_table(source->tracker, bytes_of_text("other"), create, &source->report),
        SLUICE_OK);
    source_close(source);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    file_of_version_1 = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snapshot_is_the_same_state),
        cmocka_unit_test(a_snapshot_of_version_1_is_read),
        cmocka_unit_test(a_snapshot_and_the_ddls_behind_it_come_to_the_same_state),
        cmocka_unit_test(a_snapshot_says_what_the_source_is),
        cmocka_unit_test(a_broken_snapshot_is_an_error),
        cmocka_unit_test(a_snapshot_keeps_thousands_of_tables_and_what_they_share_once),
        cmocka_unit_test(refuses_a_table_it_cannot_read_only_inside_the_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
