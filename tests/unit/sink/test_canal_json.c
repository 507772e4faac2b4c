/* The mapping of MARIADB.md §9.1, type by type. */
#include "tests/testing.h"

#include <stdio.h>
#include <stdlib.h>

#include "dispatcher/sink/file/canal_json.h"
#include "dispatcher/sink/file/json_text.h"
#include "tests/unit/sink/sink_fixture.h"

typedef struct {
    sink_text_t out;
    charset_converter_t *converter;
    arena_t arena;
} fixture_t;

static int setup(void **state)
{
    fixture_t *fixture = calloc(1, sizeof *fixture);
    fixture->converter = charset_converter_new();
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    fixture_t *fixture = *state;
    charset_converter_destroy(&fixture->converter);
    sink_text_clear(&fixture->out);
    arena_clear(&fixture->arena);
    free(fixture);
    return 0;
}

static const canal_position_t position = {
    .commit_ts = {77}, .commit_time = {1000}, .now = {2000}, .seq = 3, .watermark = {70}};

/* The line of an INSERT into a table of the one column "c". */
static const char *line_of(void **state, const column_definition_t *column, const value_t *value,
                           canal_options_t options)
{
    fixture_t *fixture = *state;
    column_definition_t named = *column;
    named.name = "c";
    table_definition_t *definition = fixture_table("t", 5, &named, 1, 0);
    canal_table_t *table = canal_table_new(definition, options);
    row_change_t change = {.kind = ROW_INSERT, .after = value};
    sink_text_reset(&fixture->out);
    error_report_t report = {0};
    assert_int_equal(canal_json_row(&fixture->out, table, &change, &position, fixture->converter,
                                    &fixture->arena, &report),
                     SLUICE_OK);
    canal_table_destroy(&table);
    const table_definition_t *done = definition;
    table_definition_unref(&done);
    return fixture->out.text;
}

static void assert_value(void **state, const column_definition_t *column, const value_t *value,
                         const char *sql_type, const char *mysql_type, const char *json)
{
    char expected[512];
    snprintf(expected, sizeof expected,
             "{\"id\":0,\"database\":\"d\",\"table\":\"t\",\"pkNames\":null,\"isDdl\":false,"
             "\"type\":\"INSERT\",\"es\":1000,\"ts\":2000,\"sql\":\"\",\"sqlType\":{\"c\":%s},"
             "\"mysqlType\":{\"c\":\"%s\"},\"data\":[{\"c\":%s}],\"old\":null,"
             "\"_cdc\":{\"commitTs\":77,\"seq\":3,\"tableId\":\"0000000000000005\",\"watermarkTs\":"
             "70}}\n",
             sql_type, mysql_type, json);
    assert_string_equal(line_of(state, column, value, (canal_options_t){0}), expected);
}

#define COLUMN(...) (&(column_definition_t){__VA_ARGS__})
#define VALUE(...) (&(value_t){__VA_ARGS__})

static void signed_integers(void **state)
{
    assert_value(state, COLUMN(.type = COLUMN_TINYINT), VALUE(.kind = VALUE_INT, .i64 = -128), "-6",
                 "tinyint", "\"-128\"");
    assert_value(state, COLUMN(.type = COLUMN_SMALLINT), VALUE(.kind = VALUE_INT, .i64 = 5), "5",
                 "smallint", "\"5\"");
    assert_value(state, COLUMN(.type = COLUMN_MEDIUMINT), VALUE(.kind = VALUE_INT, .i64 = 0), "4",
                 "mediumint", "\"0\"");
    assert_value(state, COLUMN(.type = COLUMN_INT), VALUE(.kind = VALUE_INT, .i64 = -1), "4", "int",
                 "\"-1\"");
    assert_value(state, COLUMN(.type = COLUMN_BIGINT), VALUE(.kind = VALUE_INT, .i64 = INT64_MIN),
                 "-5", "bigint", "\"-9223372036854775808\"");
}

static void unsigned_integers_are_promoted_by_value(void **state)
{
    static const struct {
        column_type_t type;
        uint64_t value;
        const char *code, *name, *json;
    } cases[] = {
        {COLUMN_TINYINT, 127, "-6", "tinyint unsigned", "\"127\""},
        {COLUMN_TINYINT, 128, "5", "tinyint unsigned", "\"128\""},
        {COLUMN_SMALLINT, 32767, "5", "smallint unsigned", "\"32767\""},
        {COLUMN_SMALLINT, 32768, "4", "smallint unsigned", "\"32768\""},
        {COLUMN_INT, 2147483647, "4", "int unsigned", "\"2147483647\""},
        {COLUMN_INT, 2147483648, "-5", "int unsigned", "\"2147483648\""},
        {COLUMN_BIGINT, INT64_MAX, "-5", "bigint unsigned", "\"9223372036854775807\""},
        {COLUMN_BIGINT, UINT64_MAX, "3", "bigint unsigned", "\"18446744073709551615\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_value(state, COLUMN(.type = cases[i].type, .flags = COLUMN_UNSIGNED),
                     VALUE(.kind = VALUE_UINT, .u64 = cases[i].value), cases[i].code, cases[i].name,
                     cases[i].json);
    assert_value(state, COLUMN(.type = COLUMN_INT, .flags = COLUMN_UNSIGNED),
                 VALUE(.kind = VALUE_NULL), "4", "int unsigned", "null");
}

static void other_numbers(void **state)
{
    assert_value(state, COLUMN(.type = COLUMN_DECIMAL, .precision = 10, .scale = 2),
                 VALUE(.kind = VALUE_DECIMAL, .bytes = bytes_of_text("-12.30")), "3", "decimal",
                 "\"-12.30\"");
    assert_value(state, COLUMN(.type = COLUMN_FLOAT), VALUE(.kind = VALUE_FLOAT, .f32 = 0.1f), "7",
                 "float", "\"0.1\"");
    assert_value(state, COLUMN(.type = COLUMN_FLOAT),
                 VALUE(.kind = VALUE_FLOAT, .f32 = 16777217.0f / 3), "7", "float", "\"5592405.5\"");
    assert_value(state, COLUMN(.type = COLUMN_DOUBLE),
                 VALUE(.kind = VALUE_DOUBLE, .f64 = 0.1 + 0.2), "8", "double",
                 "\"0.30000000000000004\"");
    assert_value(state, COLUMN(.type = COLUMN_BIT, .length = 64),
                 VALUE(.kind = VALUE_BIT, .u64 = UINT64_MAX), "-7", "bit",
                 "\"18446744073709551615\"");
    assert_value(state, COLUMN(.type = COLUMN_YEAR), VALUE(.kind = VALUE_UINT, .u64 = 2155), "12",
                 "year", "\"2155\"");
}

static void temporals(void **state)
{
    const temporal_t time = {.year = 2024,
                             .month = 2,
                             .day = 29,
                             .hour = 23,
                             .minute = 59,
                             .second = 58,
                             .fsp = 3,
                             .microsecond = 120000};
    assert_value(state, COLUMN(.type = COLUMN_DATE), VALUE(.kind = VALUE_DATE, .temporal = time),
                 "91", "date", "\"2024-02-29\"");
    assert_value(state, COLUMN(.type = COLUMN_DATETIME, .fsp = 3),
                 VALUE(.kind = VALUE_DATETIME, .temporal = time), "93", "datetime",
                 "\"2024-02-29 23:59:58.120\"");
    assert_value(state, COLUMN(.type = COLUMN_TIMESTAMP, .fsp = 3),
                 VALUE(.kind = VALUE_TIMESTAMP, .temporal = time), "93", "timestamp",
                 "\"2024-02-29 23:59:58.120\"");
    assert_value(state, COLUMN(.type = COLUMN_TIME),
                 VALUE(.kind = VALUE_TIME,
                       .temporal = {.hour = 838, .minute = 59, .second = 59, .negative = true}),
                 "92", "time", "\"-838:59:59\"");
}

static void texts_are_converted_and_escaped(void **state)
{
    assert_value(state, COLUMN(.type = COLUMN_VARCHAR, .charset = "latin1"),
                 VALUE(.kind = VALUE_TEXT, .bytes = bytes_of_text("\xe9\"\\/\n\r\t\b<")), "12",
                 "varchar", "\"\xc3\xa9\\\"\\\\/\\n\\r\\t\\u0008\\u003c\"");
    assert_value(state, COLUMN(.type = COLUMN_CHAR, .charset = "utf8mb4"),
                 VALUE(.kind = VALUE_TEXT, .bytes = bytes_of_text("\xe2\x80\xa8\xf0\x9f\x98\x80")),
                 "1", "char", "\"\\u2028\xf0\x9f\x98\x80\"");
    assert_value(state, COLUMN(.type = COLUMN_LONGTEXT, .charset = "utf8mb4"),
                 VALUE(.kind = VALUE_TEXT, .bytes = bytes_of("a\0b", 3)), "2005", "longtext",
                 "\"a\\u0000b\"");
    assert_value(state,
                 COLUMN(.type = COLUMN_LONGTEXT, .charset = "utf8mb4", .flags = COLUMN_IS_JSON),
                 VALUE(.kind = VALUE_TEXT, .bytes = bytes_of_text("[1]")), "12", "json", "\"[1]\"");
    assert_value(state, COLUMN(.type = COLUMN_TEXT, .charset = "utf8mb4"),
                 VALUE(.kind = VALUE_TEXT, .bytes = bytes_of_text("\xff")), "2005", "text",
                 "\"\xef\xbf\xbd\"");
}

static void binaries_are_latin1_characters(void **state)
{
    static const uint8_t vector[] = {5,   7,  10, 15,  36,  50, 43, 99,
                                     120, 60, 38, 255, 254, 45, 55, 70};
    assert_value(state, COLUMN(.type = COLUMN_VARBINARY),
                 VALUE(.kind = VALUE_BINARY, .bytes = bytes_of(vector, sizeof vector)), "2004",
                 "varbinary", "\"\\u0005\\u0007\\n\\u000f$2+cx\\u003c\\u0026\xc3\xbf\xc3\xbe-7F\"");
    assert_value(state, COLUMN(.type = COLUMN_GEOMETRY, .geometry_name = "point"),
                 VALUE(.kind = VALUE_GEOMETRY, .bytes = bytes_of("\0\0\0\0\x80", 5)), "2004",
                 "point", "\"\\u0000\\u0000\\u0000\\u0000\xc2\x80\"");
}

static void addresses_are_text(void **state)
{
    assert_value(state, COLUMN(.type = COLUMN_INET4),
                 VALUE(.kind = VALUE_BINARY, .bytes = bytes_of("\x01\x02\x03\xff", 4)), "12",
                 "inet4", "\"1.2.3.255\"");
    assert_value(
        state, COLUMN(.type = COLUMN_INET6),
        VALUE(.kind = VALUE_BINARY, .bytes = bytes_of("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 16)),
        "12", "inet6", "\"::1\"");
}

static void labels_are_numbers_or_names(void **state)
{
    static const char *const members[] = {"a", "b\"", "c"};
    const column_definition_t *column =
        COLUMN(.type = COLUMN_ENUM, .members = members, .member_count = 3);
    const column_definition_t *set =
        COLUMN(.type = COLUMN_SET, .members = members, .member_count = 3);
    assert_value(state, column, VALUE(.kind = VALUE_ENUM, .u64 = 2), "4", "enum", "\"2\"");
    assert_value(state, set, VALUE(.kind = VALUE_SET, .u64 = 5), "-7", "set", "\"5\"");
    canal_options_t names = {.has_labels = true};
    assert_non_null(strstr(line_of(state, column, VALUE(.kind = VALUE_ENUM, .u64 = 2), names),
                           "\"data\":[{\"c\":\"b\\\"\"}]"));
    assert_non_null(strstr(line_of(state, set, VALUE(.kind = VALUE_SET, .u64 = 5), names),
                           "\"data\":[{\"c\":\"a,c\"}]"));
}

static void content_compatible_lines_have_full_types(void **state)
{
    canal_options_t options = {.is_content_compatible = true};
    static const char *const members[] = {"a", "it's"};
    static const struct {
        column_definition_t column;
        const char *type;
    } cases[] = {
        {{.type = COLUMN_DECIMAL, .precision = 10, .scale = 4}, "decimal(10,4)"},
        {{.type = COLUMN_INT, .length = 11, .flags = COLUMN_UNSIGNED}, "int(11) unsigned"},
        {{.type = COLUMN_VARCHAR, .length = 20, .charset = "ascii"}, "varchar(20)"},
        {{.type = COLUMN_DATETIME, .fsp = 6}, "datetime(6)"},
        {{.type = COLUMN_ENUM, .members = members, .member_count = 2}, "enum('a','it''s')"},
        {{.type = COLUMN_TEXT, .charset = "ascii"}, "text"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[64];
        snprintf(expected, sizeof expected, "\"mysqlType\":{\"c\":\"%s\"}", cases[i].type);
        assert_non_null(
            strstr(line_of(state, &cases[i].column, VALUE(.kind = VALUE_NULL), options), expected));
    }
}

static const char *change_line(void **state, canal_options_t options, row_kind_t kind)
{
    fixture_t *fixture = *state;
    table_definition_t *definition = fixture_plain_table("t", 5, true);
    canal_table_t *table = canal_table_new(definition, options);
    const value_t before[] = {{.kind = VALUE_INT, .i64 = 1},
                              {.kind = VALUE_TEXT, .bytes = bytes_of_text("x")}};
    const value_t after[] = {{.kind = VALUE_INT, .i64 = 1}, {.kind = VALUE_NULL}};
    row_change_t change = {kind, before, after};
    sink_text_reset(&fixture->out);
    assert_int_equal(canal_json_row(&fixture->out, table, &change, &position, fixture->converter,
                                    &fixture->arena, NULL),
                     SLUICE_OK);
    canal_table_destroy(&table);
    const table_definition_t *done = definition;
    table_definition_unref(&done);
    return fixture->out.text;
}

static void updates_and_deletes_carry_old_images(void **state)
{
    const char *line = change_line(state, (canal_options_t){0}, ROW_UPDATE);
    assert_non_null(strstr(line, "\"pkNames\":[\"id\"]"));
    assert_non_null(strstr(line, "\"type\":\"UPDATE\""));
    assert_non_null(strstr(line, "\"data\":[{\"id\":\"1\",\"v\":null}],"
                                 "\"old\":[{\"id\":\"1\",\"v\":\"x\"}]"));
    line = change_line(state, (canal_options_t){.is_content_compatible = true}, ROW_UPDATE);
    assert_non_null(strstr(line, "\"old\":[{\"v\":\"x\"}]"));
    line = change_line(state, (canal_options_t){0}, ROW_DELETE);
    assert_non_null(strstr(line, "\"type\":\"DELETE\""));
    assert_non_null(strstr(line, "\"data\":[{\"id\":\"1\",\"v\":\"x\"}],\"old\":null"));
}

static void value_its_column_cannot_have_leaves_no_line(void **state)
{
    fixture_t *fixture = *state;
    const column_definition_t column = {.name = "c", .type = COLUMN_INET4};
    table_definition_t *definition = fixture_table("t", 5, &column, 1, 0);
    canal_table_t *table = canal_table_new(definition, (canal_options_t){0});
    value_t value = {.kind = VALUE_BINARY, .bytes = bytes_of("\x01", 1)};
    row_change_t change = {.kind = ROW_INSERT, .after = &value};
    error_report_t report = {0};
    sink_text_text(&fixture->out, "before");
    assert_int_equal(canal_json_row(&fixture->out, table, &change, &position, fixture->converter,
                                    &fixture->arena, &report),
                     SLUICE_ERROR_SOURCE_CORRUPT);
    assert_int_equal(fixture->out.len, strlen("before"));
    assert_non_null(strstr(report.text, "d.t"));
    canal_table_destroy(&table);
    const table_definition_t *done = definition;
    table_definition_unref(&done);
}

static void ddl_lines_carry_statement_and_changes(void **state)
{
    fixture_t *fixture = *state;
    ddl_event_t *ddl = ddl_event_new();
    table_definition_t *before = fixture_plain_table("t", 5, true);
    table_definition_t *after = fixture_plain_table("u", 5, true);
    const uint32_t sources[] = {0, COLUMN_SOURCE_NEW};
    table_change_t change = {TABLE_RENAMED, before, after, sources};
    ddl->verb = DDL_RENAME_TABLE;
    ddl->commit_ts = (commit_ts_t){9};
    ddl->commit_time = (wall_ms_t){1000};
    ddl->schema = "d";
    ddl->object = "t";
    ddl->sql_utf8 = "RENAME TABLE \"t\" TO u";
    ddl->changes = &change;
    ddl->change_count = 1;
    canal_json_ddl(&fixture->out, ddl, (commit_ts_t){8}, (wall_ms_t){2000});
    assert_string_equal(
        fixture->out.text,
        "{\"id\":0,\"database\":\"d\",\"table\":\"t\",\"pkNames\":null,\"isDdl\":true,\"type\":"
        "\"RENAME\",\"es\":1000,\"ts\":2000,\"sql\":\"RENAME TABLE \\\"t\\\" TO u\",\"sqlType\":"
        "null,\"mysqlType\":null,\"data\":null,\"old\":null,\"_cdc\":{\"commitTs\":9,"
        "\"watermarkTs\":8,\"changes\":"
        "[{\"kind\":\"renamed\",\"tableId\":\"0000000000000005\",\"from\":{\"database\":\"d\","
        "\"table\":\"t\"},\"to\":{\"database\":\"d\",\"table\":\"u\"},\"pkNames\":[\"id\"],"
        "\"columns\":[{\"name\":\"id\",\"mysqlType\":\"bigint\",\"notNull\":true,\"from\":\"id\","
        "\"fromType\":\"bigint\"},{\"name\":\"v\",\"mysqlType\":\"varchar(100)\",\"notNull\":false,"
        "\"from\":null,\"defaultKind\":\"none\",\"default\":null}]}]}}\n");
    ddl_event_unref(&ddl);
}

static void watermark_and_sync_point_lines(void **state)
{
    fixture_t *fixture = *state;
    canal_json_watermark(&fixture->out, (commit_ts_t){50}, (wall_ms_t){7});
    assert_non_null(strstr(fixture->out.text, "\"type\":\"WATERMARK\",\"es\":7,\"ts\":7"));
    assert_non_null(strstr(fixture->out.text, "\"_cdc\":{\"watermarkTs\":50}}\n"));
    sink_text_reset(&fixture->out);
    canal_json_syncpoint(&fixture->out, (commit_ts_t){51}, (commit_ts_t){50}, (wall_ms_t){7});
    assert_non_null(strstr(fixture->out.text, "\"type\":\"SYNCPOINT\""));
    assert_non_null(strstr(fixture->out.text, "\"_cdc\":{\"commitTs\":51,\"watermarkTs\":50}}\n"));
}

#define WITH_OUT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_OUT(signed_integers),
        WITH_OUT(unsigned_integers_are_promoted_by_value),
        WITH_OUT(other_numbers),
        WITH_OUT(temporals),
        WITH_OUT(texts_are_converted_and_escaped),
        WITH_OUT(binaries_are_latin1_characters),
        WITH_OUT(addresses_are_text),
        WITH_OUT(labels_are_numbers_or_names),
        WITH_OUT(content_compatible_lines_have_full_types),
        WITH_OUT(updates_and_deletes_carry_old_images),
        WITH_OUT(value_its_column_cannot_have_leaves_no_line),
        WITH_OUT(ddl_lines_carry_statement_and_changes),
        WITH_OUT(watermark_and_sync_point_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
