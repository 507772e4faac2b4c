/* ALTER TABLE on a real SQLite file, directly and by rebuilding. */
#include "tests/testing.h"

#include "tests/unit/sink/sqlite_ddl_fixture.h"

/* ---- columns ---- */

static const column_definition_t id_column = {
    .name = "id", .type = COLUMN_BIGINT, .flags = COLUMN_NOT_NULL};
static const column_definition_t v_column = {
    .name = "v", .type = COLUMN_VARCHAR, .length = 100, .charset = "utf8mb4"};

static void added_columns_get_their_defaults(void **state)
{
    (void)state;
    static const char *const members[] = {"x", "y"};
    const column_definition_t columns[] = {
        id_column,
        v_column,
        {.name = "null_", .type = COLUMN_INT},
        {.name = "zero", .type = COLUMN_INT, .flags = COLUMN_NOT_NULL},
        {.name = "five", .type = COLUMN_INT, .default_kind = DEFAULT_LITERAL, .default_value = "5"},
        {.name = "text",
         .type = COLUMN_VARCHAR,
         .length = 9,
         .charset = "latin1",
         .default_kind = DEFAULT_LITERAL,
         .default_value = "p\xc3\xbc'"},
        {.name = "dec",
         .type = COLUMN_DECIMAL,
         .precision = 6,
         .scale = 2,
         .default_kind = DEFAULT_LITERAL,
         .default_value = "1.5"},
        {.name = "label",
         .type = COLUMN_ENUM,
         .flags = COLUMN_NOT_NULL,
         .members = members,
         .member_count = 2},
        {.name = "at",
         .type = COLUMN_TIMESTAMP,
         .fsp = 3,
         .default_kind = DEFAULT_EXPRESSION,
         .default_value = "current_timestamp(3)"},
        {.name = "local",
         .type = COLUMN_DATETIME,
         .default_kind = DEFAULT_EXPRESSION,
         .default_value = "current_timestamp()"},
        {.name = "big", .type = COLUMN_BIGINT, .flags = COLUMN_UNSIGNED | COLUMN_NOT_NULL},
        {.name = "bits",
         .type = COLUMN_BIT,
         .length = 5,
         .default_kind = DEFAULT_LITERAL,
         .default_value = "b'101'"},
        {.name = "bytes", .type = COLUMN_BINARY, .length = 2, .flags = COLUMN_NOT_NULL},
        {.name = "day", .type = COLUMN_DATE, .flags = COLUMN_NOT_NULL},
    };
    enum { COUNT = sizeof columns / sizeof columns[0] };
    uint32_t sources[COUNT];
    for (uint32_t i = 0; i < COUNT; i++)
        sources[i] = i < 2 ? i : COLUMN_SOURCE_NEW;
    table_definition_t *before = plain("t", 5), *after = table_of("t", 5, columns, COUNT, 1);
    create(before);
    execute("INSERT INTO \"d.t\" VALUES (1, 'x')");
    must_alter(before, after, sources);
    assert_string_equal(
        query("SELECT * FROM \"d.t\""),
        "1|x|NULL|0|5|p\xc3\xbc'|1.50|x|2023-11-14 22:13:20.123|2023-11-14 23:43:20|0|5|x'0000'|"
        "0000-00-00");
}

static void column_whose_value_cannot_be_computed_is_refused_unless_the_table_is_empty(void **state)
{
    (void)state;
    const column_definition_t refused[] = {
        {.name = "n",
         .type = COLUMN_UUID,
         .default_kind = DEFAULT_EXPRESSION,
         .default_value = "uuid()"},
        {.name = "n",
         .type = COLUMN_INT,
         .generated = GENERATED_STORED,
         .generated_expression = "`id` + 1"},
        {.name = "n", .type = COLUMN_INT, .flags = COLUMN_AUTO_INCREMENT | COLUMN_NOT_NULL},
    };
    const uint32_t sources[] = {0, 1, COLUMN_SOURCE_NEW};
    table_definition_t *before = plain("t", 5);
    create(before);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const column_definition_t columns[] = {id_column, v_column, refused[i]};
        table_definition_t *after = table_of("t", 5, columns, 3, 1);
        execute("INSERT INTO \"d.t\" (id) VALUES (1)");
        assert_int_equal(alter(before, after, sources), SLUICE_ERROR_DDL_UNSUPPORTED);
        assert_non_null(strstr(fixture.report.text, "column n"));
        execute("DELETE FROM \"d.t\"");
        must_alter(before, after, sources);
        const uint32_t back[] = {0, 1};
        must_alter(after, before, back);
    }
}

static void columns_are_dropped_with_their_indexes(void **state)
{
    (void)state;
    const column_definition_t columns[] = {id_column, v_column, {.name = "n", .type = COLUMN_INT}};
    table_definition_t *before = table_of("t", 5, columns, 3, 1), *after = plain("t", 5);
    static const key_part_t parts[] = {{0, 0}, {2, 0}};
    static const key_definition_t keys[] = {
        {.kind = KEY_PRIMARY, .name = "PRIMARY", .parts = parts, .part_count = 1},
        {.kind = KEY_UNIQUE, .name = "n", .parts = parts + 1, .part_count = 1}};
    before->keys = keys;
    before->key_count = 2;
    create(before);
    execute("INSERT INTO \"d.t\" VALUES (1, 'x', 3)");
    assert_string_equal(index_columns(), "__sluice_0000000000000005_n|n");
    const uint32_t sources[] = {0, 1};
    must_alter(before, after, sources);
    assert_string_equal(query("SELECT * FROM \"d.t\""), "1|x");
    assert_string_equal(index_columns(), "");
}

static void columns_are_renamed_and_swapped(void **state)
{
    (void)state;
    const column_definition_t columns[] = {id_column, v_column, v_column};
    table_definition_t *before = table_of("t", 5, columns, 3, 1);
    table_definition_t *after = table_of("t", 5, columns, 3, 1);
    column_definition_t *changed = (column_definition_t *)(uintptr_t)before->columns;
    changed[1].name = "x";
    changed[2].name = "y";
    changed = (column_definition_t *)(uintptr_t)after->columns;
    changed[0].name = "key";
    changed[1].name = "y";
    changed[2].name = "x";
    create(before);
    execute("INSERT INTO \"d.t\" VALUES (1, 'x', 'y')");
    const uint32_t sources[] = {0, 1, 2};
    must_alter(before, after, sources);
    assert_string_equal(query("SELECT key, x, y FROM \"d.t\""), "1|y|x");
}

static void indexes_come_and_go(void **state)
{
    (void)state;
    table_definition_t *before = plain("t", 5), *after = plain("t", 5);
    static const key_part_t parts[] = {{0, 0}, {1, 10}};
    static const key_definition_t keys[] = {
        {.kind = KEY_PRIMARY, .name = "PRIMARY", .parts = parts, .part_count = 1},
        {.kind = KEY_INDEX, .name = "v", .parts = parts + 1, .part_count = 1},
        {.kind = KEY_FULLTEXT, .name = "f", .parts = parts + 1, .part_count = 1},
        {.kind = KEY_INDEX, .name = "both", .parts = parts, .part_count = 2}};
    after->keys = keys;
    after->key_count = 4;
    create(before);
    const uint32_t sources[] = {0, 1};
    must_alter(before, after, sources);
    assert_string_equal(index_columns(), "__sluice_0000000000000005_both|id,v\n"
                                         "__sluice_0000000000000005_v|v");
    must_alter(after, before, sources);
    assert_string_equal(index_columns(), "");
}

/* ---- rebuilds ---- */

static void primary_key_changes_rebuild_the_table(void **state)
{
    (void)state;
    const column_definition_t columns[] = {
        {.name = "id", .type = COLUMN_INT, .flags = COLUMN_NOT_NULL},
        {.name = "k",
         .type = COLUMN_VARCHAR,
         .length = 5,
         .flags = COLUMN_NOT_NULL,
         .charset = "utf8mb4"}};
    table_definition_t *before = table_of("t", 5, columns, 2, 1);
    table_definition_t *after = table_of("t", 5, columns, 2, 1);
    static const key_part_t part = {1, 0};
    static const key_definition_t key = {
        .kind = KEY_PRIMARY, .name = "PRIMARY", .parts = &part, .part_count = 1};
    after->keys = &key;
    create(before);
    execute("INSERT INTO \"d.t\" VALUES (1, 'a'), (2, 'b')");
    const uint32_t sources[] = {0, 1};
    must_alter(before, after, sources);
    assert_string_equal(query("SELECT name, pk FROM pragma_table_info('d.t')"), "id|0\nk|1");
    assert_string_equal(query("SELECT * FROM \"d.t\" ORDER BY k"), "1|a\n2|b");
    table_definition_t *keyless = table_of("t", 5, columns, 2, 0);
    must_alter(after, keyless, sources);
    assert_string_equal(query("SELECT sum(pk) FROM pragma_table_info('d.t')"), "0");
    assert_string_equal(query("SELECT count(*) FROM \"d.t\""), "2");
}

static void changed_types_convert_what_is_stored(void **state)
{
    (void)state;
    const column_definition_t old[] = {id_column, {.name = "n", .type = COLUMN_INT}, v_column};
    const column_definition_t new[] = {
        {.name = "extra",
         .type = COLUMN_INT,
         .flags = COLUMN_NOT_NULL,
         .default_kind = DEFAULT_LITERAL,
         .default_value = "7"},
        id_column,
        {.name = "m", .type = COLUMN_DECIMAL, .precision = 8, .scale = 2},
        {.name = "v",
         .type = COLUMN_VARCHAR,
         .length = 3,
         .flags = COLUMN_NOT_NULL,
         .charset = "utf8mb4"}};
    table_definition_t *before = table_of("t", 5, old, 3, 1), *after = table_of("t", 5, new, 4, 0);
    static const key_part_t parts[] = {{1, 0}, {2, 0}};
    static const key_definition_t keys[] = {
        {.kind = KEY_PRIMARY, .name = "PRIMARY", .parts = parts, .part_count = 1},
        {.kind = KEY_INDEX, .name = "m", .parts = parts + 1, .part_count = 1}};
    after->keys = keys;
    after->key_count = 2;
    create(before);
    execute("INSERT INTO \"d.t\" VALUES (1, 5, 'abcdef'), (2, NULL, NULL)");
    const uint32_t sources[] = {COLUMN_SOURCE_NEW, 0, 1, 2};
    must_alter(before, after, sources);
    assert_string_equal(query("SELECT * FROM \"d.t\" ORDER BY id"), "7|1|5.00|abc\n7|2|NULL|");
    assert_string_equal(index_columns(), "__sluice_0000000000000005_m|m");
    assert_string_equal(carried_tables(), "d.t");
}

static void refused_value_names_column_and_value_and_leaves_the_table(void **state)
{
    (void)state;
    const column_definition_t changed[] = {id_column, {.name = "v", .type = COLUMN_INT}};
    table_definition_t *before = plain("t", 5), *after = table_of("t", 5, changed, 2, 1);
    create(before);
    execute("INSERT INTO \"d.t\" VALUES (1, '5'), (2, '12 monkeys')");
    const uint32_t sources[] = {0, 1};
    assert_int_equal(alter(before, after, sources), SLUICE_ERROR_DDL_UNSUPPORTED);
    assert_non_null(strstr(fixture.report.text, "column v"));
    assert_non_null(strstr(fixture.report.text, "12 monkeys"));
    assert_string_equal(query("SELECT v FROM \"d.t\""), "5\n12 monkeys");
    assert_string_equal(carried_tables(), "d.t");
}

static void rename_with_other_changes_does_both(void **state)
{
    (void)state;
    const column_definition_t columns[] = {id_column, v_column, {.name = "n", .type = COLUMN_INT}};
    table_definition_t *before = plain("t", 5), *after = table_of("u", 5, columns, 3, 1);
    create(before);
    execute("INSERT INTO \"d.t\" VALUES (1, 'x')");
    const uint32_t sources[] = {0, 1, COLUMN_SOURCE_NEW};
    table_change_t change = {TABLE_RENAMED, before, after, sources};
    must_run(DDL_ALTER_TABLE, &change, 1);
    assert_string_equal(query("SELECT id, v, n FROM \"d.u\""), "1|x|NULL");
}

static void generated_column_whose_values_would_change_is_refused(void **state)
{
    (void)state;
    const column_definition_t generated = {.name = "g",
                                           .type = COLUMN_INT,
                                           .generated = GENERATED_VIRTUAL,
                                           .generated_expression = "length(`v`)"};
    const column_definition_t narrow = {
        .name = "v", .type = COLUMN_VARCHAR, .length = 2, .charset = "utf8mb4"};
    const column_definition_t old[] = {id_column, v_column, generated};
    const column_definition_t new[] = {id_column, narrow, generated};
    table_definition_t *before = table_of("t", 5, old, 3, 1), *after = table_of("t", 5, new, 3, 1);
    create(before);
    execute("INSERT INTO \"d.t\" VALUES (1, 'xyz', 3)");
    const uint32_t sources[] = {0, 1, 2};
    assert_int_equal(alter(before, after, sources), SLUICE_ERROR_DDL_UNSUPPORTED);
    assert_non_null(strstr(fixture.report.text, "generated column g"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_FILE(added_columns_get_their_defaults),
        ON_FILE(column_whose_value_cannot_be_computed_is_refused_unless_the_table_is_empty),
        ON_FILE(columns_are_dropped_with_their_indexes),
        ON_FILE(columns_are_renamed_and_swapped),
        ON_FILE(indexes_come_and_go),
        ON_FILE(primary_key_changes_rebuild_the_table),
        ON_FILE(changed_types_convert_what_is_stored),
        ON_FILE(refused_value_names_column_and_value_and_leaves_the_table),
        ON_FILE(rename_with_other_changes_does_both),
        ON_FILE(generated_column_whose_values_would_change_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
