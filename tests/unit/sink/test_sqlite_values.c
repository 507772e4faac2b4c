/* The mapping of dispatcher/sink/sqlite/column.h, type by type, through a real STRICT table. */
#include "tests/testing.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "dispatcher/sink/sqlite/column.h"
#include "dispatcher/sink/sqlite/table_text.h"
#include "tests/unit/sink/sink_fixture.h"

typedef struct {
    sqlite3 *handle;
    sqlite_binder_t binder;
} fixture_t;

static int setup(void **state)
{
    fixture_t *fixture = calloc(1, sizeof *fixture);
    assert_int_equal(sqlite3_open(":memory:", &fixture->handle), SQLITE_OK);
    fixture->binder.converter = charset_converter_new();
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    fixture_t *fixture = *state;
    sqlite3_close(fixture->handle);
    charset_converter_destroy(&fixture->binder.converter);
    arena_clear(&fixture->binder.arena);
    free(fixture);
    return 0;
}

static sqlite3_stmt *prepare(fixture_t *fixture, const char *sql)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(fixture->handle, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(fixture->handle));
    return statement;
}

/* Makes the table, puts the value in and reads back "type value"; BLOBs as hexadecimal digits. */
static void assert_stored(void **state, const column_definition_t *column, const value_t *value,
                          const char *expected)
{
    fixture_t *fixture = *state;
    column_definition_t named = *column;
    named.name = "c";
    table_definition_t *definition = fixture_table("t", 5, &named, 1, 0);
    sink_text_t sql = {0};
    sqlite_table_text_create(&sql, definition, "d.t");
    assert_int_equal(sqlite3_exec(fixture->handle, sql.text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_stmt *insert = prepare(fixture, "INSERT INTO \"d.t\" VALUES (?)");
    error_report_t report = {0};
    assert_int_equal(sqlite_value_bind(insert, 1, &named, sqlite_column_charset(&named), value,
                                       &fixture->binder, &report),
                     SLUICE_OK);
    assert_int_equal(sqlite3_step(insert), SQLITE_DONE);
    sqlite3_finalize(insert);
    sqlite3_stmt *read = prepare(
        fixture, "SELECT typeof(c) || ' ' || CASE typeof(c) WHEN 'blob' THEN hex(c) WHEN 'real' "
                 "THEN printf('%!.17g', c) WHEN 'null' THEN '' ELSE c END FROM \"d.t\"");
    assert_int_equal(sqlite3_step(read), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(read, 0), expected);
    sqlite3_finalize(read);
    assert_int_equal(sqlite3_exec(fixture->handle, "DROP TABLE \"d.t\"", NULL, NULL, NULL),
                     SQLITE_OK);
    sink_text_clear(&sql);
    const table_definition_t *done = definition;
    table_definition_unref(&done);
}

#define COLUMN(...) (&(column_definition_t){__VA_ARGS__})
#define VALUE(...) (&(value_t){__VA_ARGS__})
#define TEXT_VALUE(text) VALUE(.kind = VALUE_TEXT, .bytes = bytes_of(text, sizeof(text) - 1))
#define BINARY_VALUE(text) VALUE(.kind = VALUE_BINARY, .bytes = bytes_of(text, sizeof(text) - 1))

static void integers_are_integer_but_for_unsigned_bigint(void **state)
{
    assert_stored(state, COLUMN(.type = COLUMN_TINYINT), VALUE(.kind = VALUE_INT, .i64 = -128),
                  "integer -128");
    assert_stored(state, COLUMN(.type = COLUMN_INT, .flags = COLUMN_UNSIGNED),
                  VALUE(.kind = VALUE_UINT, .u64 = 4294967295), "integer 4294967295");
    assert_stored(state, COLUMN(.type = COLUMN_BIGINT), VALUE(.kind = VALUE_INT, .i64 = INT64_MIN),
                  "integer -9223372036854775808");
    assert_stored(state, COLUMN(.type = COLUMN_BIGINT, .flags = COLUMN_UNSIGNED),
                  VALUE(.kind = VALUE_UINT, .u64 = UINT64_MAX), "text 18446744073709551615");
    assert_stored(state, COLUMN(.type = COLUMN_BIGINT, .flags = COLUMN_UNSIGNED),
                  VALUE(.kind = VALUE_UINT, .u64 = 7), "text 7");
    assert_stored(state, COLUMN(.type = COLUMN_BIGINT, .flags = COLUMN_ZEROFILL),
                  VALUE(.kind = VALUE_UINT, .u64 = 7), "text 7");
    assert_stored(state, COLUMN(.type = COLUMN_YEAR), VALUE(.kind = VALUE_UINT, .u64 = 2155),
                  "integer 2155");
}

static void decimals_keep_every_digit(void **state)
{
    assert_stored(state, COLUMN(.type = COLUMN_DECIMAL, .precision = 65, .scale = 30),
                  VALUE(.kind = VALUE_DECIMAL,
                        .bytes = bytes_of_text("-99999999999999999999999999999999999.10")),
                  "text -99999999999999999999999999999999999.10");
    assert_stored(state, COLUMN(.type = COLUMN_DECIMAL, .precision = 10, .scale = 2),
                  VALUE(.kind = VALUE_DECIMAL, .bytes = bytes_of_text("1.10")), "text 1.10");
}

static void floats_are_real(void **state)
{
    assert_stored(state, COLUMN(.type = COLUMN_DOUBLE), VALUE(.kind = VALUE_DOUBLE, .f64 = 0.1),
                  "real 0.10000000000000001");
    assert_stored(state, COLUMN(.type = COLUMN_FLOAT), VALUE(.kind = VALUE_FLOAT, .f32 = 0.1f),
                  "real 0.10000000149011612");
    assert_stored(state, COLUMN(.type = COLUMN_DOUBLE), VALUE(.kind = VALUE_DOUBLE, .f64 = 3),
                  "real 3.0");
}

static void bits_are_integer_up_to_63(void **state)
{
    assert_stored(state, COLUMN(.type = COLUMN_BIT, .length = 63),
                  VALUE(.kind = VALUE_BIT, .u64 = INT64_MAX), "integer 9223372036854775807");
    assert_stored(state, COLUMN(.type = COLUMN_BIT, .length = 64),
                  VALUE(.kind = VALUE_BIT, .u64 = UINT64_C(0x8000000000000001)),
                  "blob 8000000000000001");
}

static void texts_are_utf8_and_stay_text(void **state)
{
    assert_stored(state, COLUMN(.type = COLUMN_VARCHAR, .charset = "latin1"), TEXT_VALUE("\xe9"),
                  "text \xc3\xa9");
    assert_stored(state, COLUMN(.type = COLUMN_TEXT, .charset = "gbk"), TEXT_VALUE("\xd6\xd0"),
                  "text \xe4\xb8\xad");
    assert_stored(state, COLUMN(.type = COLUMN_CHAR, .charset = "utf8mb4"), TEXT_VALUE("007"),
                  "text 007");
    assert_stored(state, COLUMN(.type = COLUMN_CHAR, .charset = "utf8mb4"), TEXT_VALUE(""),
                  "text ");
    assert_stored(state,
                  COLUMN(.type = COLUMN_LONGTEXT, .flags = COLUMN_IS_JSON, .charset = "utf8mb4"),
                  TEXT_VALUE("123"), "text 123");
}

static void labels_are_text(void **state)
{
    static const char *const members[] = {"01", "b", "c"};
    const column_definition_t *column =
        COLUMN(.type = COLUMN_ENUM, .members = members, .member_count = 3);
    const column_definition_t *set =
        COLUMN(.type = COLUMN_SET, .members = members, .member_count = 3);
    assert_stored(state, column, VALUE(.kind = VALUE_ENUM, .u64 = 1), "text 01");
    assert_stored(state, column, VALUE(.kind = VALUE_ENUM, .u64 = 0), "text ");
    assert_stored(state, set, VALUE(.kind = VALUE_SET, .u64 = 0), "text ");
    assert_stored(state, set, VALUE(.kind = VALUE_SET, .u64 = 2), "text b");
    assert_stored(state, set, VALUE(.kind = VALUE_SET, .u64 = 7), "text 01,b,c");
}

static void temporals_are_text_with_all_their_digits(void **state)
{
    const temporal_t time = {.year = 2024,
                             .month = 2,
                             .day = 29,
                             .hour = 23,
                             .minute = 59,
                             .second = 58,
                             .fsp = 6,
                             .microsecond = 120000};
    assert_stored(state, COLUMN(.type = COLUMN_DATE), VALUE(.kind = VALUE_DATE, .temporal = time),
                  "text 2024-02-29");
    assert_stored(state, COLUMN(.type = COLUMN_DATE), VALUE(.kind = VALUE_DATE), "text 0000-00-00");
    assert_stored(state, COLUMN(.type = COLUMN_DATETIME, .fsp = 6),
                  VALUE(.kind = VALUE_DATETIME, .temporal = time),
                  "text 2024-02-29 23:59:58.120000");
    assert_stored(state, COLUMN(.type = COLUMN_TIMESTAMP), VALUE(.kind = VALUE_TIMESTAMP),
                  "text 0000-00-00 00:00:00");
    assert_stored(
        state, COLUMN(.type = COLUMN_TIME, .fsp = 2),
        VALUE(.kind = VALUE_TIME,
              .temporal = {.hour = 838, .minute = 59, .second = 59, .fsp = 2, .negative = true}),
        "text -838:59:59.00");
}

static void addresses_are_text_as_the_server_writes_them(void **state)
{
    static const struct {
        column_type_t type;
        const char *bytes;
        size_t len;
        const char *text;
    } cases[] = {
        {COLUMN_INET4, "\x01\x02\x03\x04", 4, "text 1.2.3.4"},
        {COLUMN_INET6, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02", 16, "text ::2"},
        {COLUMN_INET6, "\0\x01\0\0\0\x02\0\x03\0\x04\0\x05\0\x06\0\x07", 16, "text 1::2:3:4:5:6:7"},
        {COLUMN_INET6, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x01\x02\x03\x04", 16, "text ::ffff:1.2.3.4"},
        {COLUMN_INET6, "\x20\x01\x0d\xb8\0\0\0\0\0\x01\0\0\0\0\0\x01", 16,
         "text 2001:db8::1:0:0:1"},
        {COLUMN_INET6, "\0\0\0\0\0\0\0\0\0\0\0\0\x01\x02\x03\x04", 16, "text ::1.2.3.4"},
        {COLUMN_INET6, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, "text ::"},
        {COLUMN_INET6, "\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, "text 1::"},
        {COLUMN_UUID, "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16,
         "text 00112233-4455-6677-8899-aabbccddeeff"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_stored(state, COLUMN(.type = cases[i].type),
                      VALUE(.kind = VALUE_BINARY, .bytes = bytes_of(cases[i].bytes, cases[i].len)),
                      cases[i].text);
}

static void binaries_are_blob(void **state)
{
    assert_stored(state, COLUMN(.type = COLUMN_BINARY, .length = 3), BINARY_VALUE("a\0\0"),
                  "blob 610000");
    assert_stored(state, COLUMN(.type = COLUMN_BLOB), BINARY_VALUE(""), "blob ");
    assert_stored(state, COLUMN(.type = COLUMN_GEOMETRY),
                  VALUE(.kind = VALUE_GEOMETRY, .bytes = bytes_of("\0\x01", 2)), "blob 0001");
}

static void null_is_null(void **state)
{
    assert_stored(state, COLUMN(.type = COLUMN_BLOB), VALUE(.kind = VALUE_NULL), "null ");
}

static void value_its_column_cannot_have_is_an_error(void **state)
{
    fixture_t *fixture = *state;
    static const char *const members[] = {"a"};
    const column_definition_t column = {
        .name = "c", .type = COLUMN_ENUM, .members = members, .member_count = 1};
    sqlite3_stmt *statement = prepare(fixture, "SELECT ?");
    error_report_t report = {0};
    value_t value = {.kind = VALUE_ENUM, .u64 = 2};
    assert_int_equal(
        sqlite_value_bind(statement, 1, &column, NULL, &value, &fixture->binder, &report),
        SLUICE_ERROR_SOURCE_CORRUPT);
    value = (value_t){.kind = VALUE_SET, .u64 = 4};
    assert_int_equal(
        sqlite_value_bind(statement, 1, &column, NULL, &value, &fixture->binder, &report),
        SLUICE_ERROR_SOURCE_CORRUPT);
    const column_definition_t uuid = {.name = "c", .type = COLUMN_UUID};
    value = (value_t){.kind = VALUE_BINARY, .bytes = bytes_of("x", 1)};
    assert_int_equal(
        sqlite_value_bind(statement, 1, &uuid, NULL, &value, &fixture->binder, &report),
        SLUICE_ERROR_SOURCE_CORRUPT);
    sqlite3_finalize(statement);
}

static const char *create_text(const column_definition_t *columns, uint32_t count, uint32_t keys)
{
    static char text[512];
    table_definition_t *definition = fixture_table("t", 5, columns, count, keys);
    sink_text_t sql = {0};
    sqlite_table_text_create(&sql, definition, "d.t");
    snprintf(text, sizeof text, "%s", sql.text);
    sink_text_clear(&sql);
    const table_definition_t *done = definition;
    table_definition_unref(&done);
    return text;
}

static void keys_are_rowid_or_without_rowid(void **state)
{
    (void)state;
    const column_definition_t numbers[] = {
        {.name = "id", .type = COLUMN_INT, .flags = COLUMN_NOT_NULL},
        {.name = "a\"b", .type = COLUMN_VARCHAR, .flags = COLUMN_NOT_NULL, .charset = "ascii"}};
    assert_string_equal(
        create_text(numbers, 2, 1),
        "CREATE TABLE \"d.t\" (\"id\" INTEGER PRIMARY KEY, \"a\"\"b\" TEXT) STRICT");
    assert_string_equal(create_text(numbers, 2, 2),
                        "CREATE TABLE \"d.t\" (\"id\" INTEGER NOT NULL, \"a\"\"b\" TEXT NOT NULL, "
                        "PRIMARY KEY (\"id\", \"a\"\"b\")) STRICT, WITHOUT ROWID");
    assert_string_equal(create_text(numbers + 1, 1, 1),
                        "CREATE TABLE \"d.t\" (\"a\"\"b\" TEXT NOT NULL, PRIMARY KEY (\"a\"\"b\")) "
                        "STRICT, WITHOUT ROWID");
    assert_string_equal(create_text(numbers, 1, 0), "CREATE TABLE \"d.t\" (\"id\" INTEGER) STRICT");
}

#define IN_MEMORY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_MEMORY(integers_are_integer_but_for_unsigned_bigint),
        IN_MEMORY(decimals_keep_every_digit),
        IN_MEMORY(floats_are_real),
        IN_MEMORY(bits_are_integer_up_to_63),
        IN_MEMORY(texts_are_utf8_and_stay_text),
        IN_MEMORY(labels_are_text),
        IN_MEMORY(temporals_are_text_with_all_their_digits),
        IN_MEMORY(addresses_are_text_as_the_server_writes_them),
        IN_MEMORY(binaries_are_blob),
        IN_MEMORY(null_is_null),
        IN_MEMORY(value_its_column_cannot_have_is_an_error),
        cmocka_unit_test(keys_are_rowid_or_without_rowid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
