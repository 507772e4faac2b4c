#include "tests/testing.h"

#include <stdio.h>

#include "dispatcher/core/binlog/rows.h"
#include "tests/unit/binlog/event_builder.h"
#include "tests/unit/binlog/value_text.h"

static builder_t builder;
static arena_t arena;

static int reset(void **state)
{
    (void)state;
    builder_reset(&builder);
    arena_clear(&arena);
    return 0;
}

static bytes_t from_hex(const char *hex)
{
    size_t len = strlen(hex) / 2;
    uint8_t *data = arena_alloc(&arena, len + 1);
    for (size_t i = 0; i < len; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        data[i] = (uint8_t)byte;
    }
    return bytes_of(data, len);
}

static table_definition_t *definition_of(const column_definition_t *columns, uint32_t count)
{
    table_definition_t *definition = table_definition_new();
    definition->schema = "d";
    definition->name = "t";
    definition->columns = columns;
    definition->column_count = count;
    return definition;
}

static sluice_error_t bind_one(const column_definition_t *column, uint8_t type, const char *meta,
                               const char *optional, const table_map_t **bound,
                               error_report_t *report)
{
    table_map_event(&builder, 7, "d", "t", &type, 1, from_hex(meta), from_hex(optional));
    table_map_t *map;
    sluice_error_t error = table_map_parse(end_body(&builder), &map, report);
    if (error != SLUICE_OK)
        return error;
    *bound = map;
    const table_definition_t *definition = definition_of(column, 1);
    error = table_map_bind(map, definition, report);
    table_definition_unref(&definition);
    return error;
}

/* One value of one column through the whole decoder; NULL when it is refused. */
static const char *decode(const column_definition_t *column, uint8_t type, const char *meta,
                          const char *value)
{
    const table_map_t *map = NULL;
    error_report_t report = {0};
    if (bind_one(column, type, meta, "", &map, &report) != SLUICE_OK)
        fail_msg("%s", report.text);
    bytes_t bytes = from_hex(value);
    uint8_t *row = arena_alloc(&arena, bytes.len + 1);
    row[0] = 0xfe;
    memcpy(row + 1, bytes.data, bytes.len);
    rows_event(&builder, BINLOG_WRITE_ROWS_V1, 7, 1, bytes_of(row, bytes.len + 1));
    rows_event_t event = {ROW_INSERT, map, end_body(&builder)};
    rows_reader_t reader;
    row_change_t change;
    const char *text = NULL;
    assert_int_equal(rows_reader_init(&reader, &event, &report), SLUICE_OK);
    if (rows_reader_next(&reader, &arena, &change, &report) == SLUICE_OK) {
        text = value_text(&arena, &change.after[0]);
        assert_int_equal(rows_reader_next(&reader, &arena, &change, &report),
                         SLUICE_ERROR_NOT_FOUND);
    }
    /* The text may show bytes of the event, which the builder keeps. */
    table_map_unref(&map);
    return text;
}

typedef struct {
    column_definition_t column;
    uint8_t type;
    const char *meta, *value, *expected;
} vector_t;

static void check(const vector_t *vectors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const vector_t *v = &vectors[i];
        builder_reset(&builder);
        const char *text = decode(&v->column, v->type, v->meta, v->value);
        if (!v->expected)
            assert_null(text);
        else if (!text)
            fail_msg("vector %zu (%s) is refused", i, v->expected);
        else
            assert_string_equal(text, v->expected);
    }
}

#define CHECK(vectors) check(vectors, sizeof(vectors) / sizeof((vectors)[0]))
#define OF(column_type, ...)                                                                       \
    {                                                                                              \
        .name = "x", .type = column_type, __VA_ARGS__                                              \
    }

static void integers(void **state)
{
    (void)state;
    static const vector_t vectors[] = {
        {OF(COLUMN_TINYINT), BINLOG_TYPE_TINY, "", "80", "-128"},
        {OF(COLUMN_TINYINT), BINLOG_TYPE_TINY, "", "7f", "127"},
        {OF(COLUMN_TINYINT, .flags = COLUMN_UNSIGNED), BINLOG_TYPE_TINY, "", "ff", "255"},
        {OF(COLUMN_SMALLINT), BINLOG_TYPE_SHORT, "", "0080", "-32768"},
        {OF(COLUMN_SMALLINT, .flags = COLUMN_UNSIGNED), BINLOG_TYPE_SHORT, "", "ffff", "65535"},
        {OF(COLUMN_MEDIUMINT), BINLOG_TYPE_INT24, "", "000080", "-8388608"},
        {OF(COLUMN_MEDIUMINT), BINLOG_TYPE_INT24, "", "ffff7f", "8388607"},
        {OF(COLUMN_MEDIUMINT, .flags = COLUMN_UNSIGNED), BINLOG_TYPE_INT24, "", "ffffff",
         "16777215"},
        {OF(COLUMN_INT), BINLOG_TYPE_LONG, "", "00000080", "-2147483648"},
        {OF(COLUMN_INT, .flags = COLUMN_ZEROFILL), BINLOG_TYPE_LONG, "", "ffffffff", "4294967295"},
        {OF(COLUMN_BIGINT), BINLOG_TYPE_LONGLONG, "", "0000000000000080", "-9223372036854775808"},
        {OF(COLUMN_BIGINT, .flags = COLUMN_UNSIGNED), BINLOG_TYPE_LONGLONG, "", "ffffffffffffffff",
         "18446744073709551615"},
        {OF(COLUMN_INT), BINLOG_TYPE_LONG, "", "000000", NULL},
        {OF(COLUMN_YEAR), BINLOG_TYPE_YEAR, "", "00", "0"},
        {OF(COLUMN_YEAR), BINLOG_TYPE_YEAR, "", "01", "1901"},
        {OF(COLUMN_YEAR), BINLOG_TYPE_YEAR, "", "ff", "2155"},
    };
    CHECK(vectors);
}

static void floating_numbers(void **state)
{
    (void)state;
    static const vector_t vectors[] = {
        {OF(COLUMN_FLOAT), BINLOG_TYPE_FLOAT, "04", "ffff7f7f", "3.40282347e+38"},
        {OF(COLUMN_FLOAT), BINLOG_TYPE_FLOAT, "04", "cdccccbd", "-0.100000001"},
        {OF(COLUMN_DOUBLE), BINLOG_TYPE_DOUBLE, "08", "ffffffffffffefff",
         "-1.7976931348623157e+308"},
    };
    CHECK(vectors);
}

static void decimals(void **state)
{
    (void)state;
    static const vector_t vectors[] = {
        {OF(COLUMN_DECIMAL, .precision = 10, .scale = 2), BINLOG_TYPE_DECIMAL, "0a02", "800000010a",
         "1.10"},
        {OF(COLUMN_DECIMAL, .precision = 10, .scale = 2), BINLOG_TYPE_DECIMAL, "0a02", "7ffffffef5",
         "-1.10"},
        {OF(COLUMN_DECIMAL, .precision = 10, .scale = 2), BINLOG_TYPE_DECIMAL, "0a02", "8000000000",
         "0.00"},
        {OF(COLUMN_DECIMAL, .precision = 5, .scale = 0), BINLOG_TYPE_DECIMAL, "0500", "81869f",
         "99999"},
        {OF(COLUMN_DECIMAL, .precision = 14, .scale = 4), BINLOG_TYPE_DECIMAL, "0e04",
         "810dfb38d204d2", "1234567890.1234"},
        {OF(COLUMN_DECIMAL, .precision = 14, .scale = 4), BINLOG_TYPE_DECIMAL, "0e04",
         "7ef204c72dfb2d", "-1234567890.1234"},
        {OF(COLUMN_DECIMAL, .precision = 3, .scale = 3), BINLOG_TYPE_DECIMAL, "0303", "83e7",
         "0.999"},
        /* 1000 does not fit three digits. */
        {OF(COLUMN_DECIMAL, .precision = 3, .scale = 3), BINLOG_TYPE_DECIMAL, "0303", "83e8", NULL},
    };
    CHECK(vectors);
}

static void the_longest_decimal(void **state)
{
    (void)state;
    const column_definition_t column = OF(COLUMN_DECIMAL, .precision = 65, .scale = 38);
    const char *text = decode(&column, BINLOG_TYPE_DECIMAL, "4126",
                              "bb9ac9ff3b9ac9ff3b9ac9ff3b9ac9ff3b9ac9ff3b9ac9ff3b9ac9ff63");
    assert_string_equal(text, "999999999999999999999999999.99999999999999999999999999999999999999");
}

static void bits_enums_and_sets(void **state)
{
    (void)state;
    static const vector_t vectors[] = {
        {OF(COLUMN_BIT, .length = 1), BINLOG_TYPE_BIT, "0100", "01", "1"},
        {OF(COLUMN_BIT, .length = 13), BINLOG_TYPE_BIT, "0501", "1fff", "8191"},
        {OF(COLUMN_BIT, .length = 64), BINLOG_TYPE_BIT, "0008", "ffffffffffffffff",
         "18446744073709551615"},
        {OF(COLUMN_ENUM, .member_count = 3), BINLOG_TYPE_STRING, "f701", "00", "0"},
        {OF(COLUMN_ENUM, .member_count = 3), BINLOG_TYPE_STRING, "f701", "03", "3"},
        {OF(COLUMN_ENUM, .member_count = 3), BINLOG_TYPE_STRING, "f701", "04", NULL},
        {OF(COLUMN_ENUM, .member_count = 300), BINLOG_TYPE_STRING, "f702", "2c01", "300"},
        {OF(COLUMN_SET, .member_count = 3), BINLOG_TYPE_STRING, "f801", "07", "7"},
        {OF(COLUMN_SET, .member_count = 3), BINLOG_TYPE_STRING, "f801", "08", NULL},
        {OF(COLUMN_SET, .member_count = 64), BINLOG_TYPE_STRING, "f808", "ffffffffffffffff",
         "18446744073709551615"},
    };
    CHECK(vectors);
}

static void strings(void **state)
{
    (void)state;
    static const vector_t vectors[] = {
        {OF(COLUMN_VARCHAR, .length = 20), BINLOG_TYPE_VARCHAR, "1400", "026162", "ab"},
        {OF(COLUMN_VARCHAR, .length = 300), BINLOG_TYPE_VARCHAR, "2c01", "02006162", "ab"},
        {OF(COLUMN_VARCHAR, .length = 20), BINLOG_TYPE_VARCHAR, "1400", "036162", NULL},
        {OF(COLUMN_CHAR, .length = 5), BINLOG_TYPE_STRING, "fe14", "026162", "ab"},
        /* CHAR(200) in utf8mb4: 800 bytes, whose upper bits hide in the type byte. */
        {OF(COLUMN_CHAR, .length = 200), BINLOG_TYPE_STRING, "ce20", "02006162", "ab"},
        {OF(COLUMN_BINARY, .length = 4), BINLOG_TYPE_STRING, "fe04", "020001", "00010000"},
        {OF(COLUMN_BINARY, .length = 4), BINLOG_TYPE_STRING, "fe04", "050001020304", NULL},
        {OF(COLUMN_VARBINARY, .length = 4), BINLOG_TYPE_VARCHAR, "0400", "020001", "0001"},
        {OF(COLUMN_TINYTEXT), BINLOG_TYPE_BLOB, "01", "0161", "a"},
        {OF(COLUMN_TEXT), BINLOG_TYPE_BLOB, "02", "010061", "a"},
        {OF(COLUMN_MEDIUMTEXT), BINLOG_TYPE_BLOB, "03", "01000061", "a"},
        {OF(COLUMN_LONGTEXT), BINLOG_TYPE_BLOB, "04", "0100000061", "a"},
        {OF(COLUMN_LONGBLOB), BINLOG_TYPE_BLOB, "04", "01000000ff", "FF"},
        {OF(COLUMN_LONGBLOB), BINLOG_TYPE_BLOB, "04", "ffffffffff", NULL},
        {OF(COLUMN_INET4), BINLOG_TYPE_STRING, "fe04", "03010203", "01020300"},
        {OF(COLUMN_INET6), BINLOG_TYPE_STRING, "fe10", "0420010db8",
         "20010DB8000000000000000000000000"},
        {OF(COLUMN_UUID), BINLOG_TYPE_STRING, "fe10", "00", "00000000000000000000000000000000"},
        {OF(COLUMN_GEOMETRY), BINLOG_TYPE_GEOMETRY, "04", "0500000000000000ff", "00000000FF"},
    };
    CHECK(vectors);
}

static void compressed_columns(void **state)
{
    (void)state;
    static const vector_t vectors[] = {
        {OF(COLUMN_VARCHAR), BINLOG_TYPE_VARCHAR_COMPRESSED, "0b00", "00", ""},
        {OF(COLUMN_VARCHAR), BINLOG_TYPE_VARCHAR_COMPRESSED, "0b00", "03006162", "ab"},
        /* 'a' twenty times, as deflate packs it without a zlib header, and with one. */
        {OF(COLUMN_TEXT), BINLOG_TYPE_BLOB_COMPRESSED, "02",
         "0700"
         "89144b4cc40400",
         "aaaaaaaaaaaaaaaaaaaa"},
        {OF(COLUMN_TEXT), BINLOG_TYPE_BLOB_COMPRESSED, "02",
         "0e00"
         "8114789c4b4cc404004fa60795",
         NULL},
        {OF(COLUMN_TEXT), BINLOG_TYPE_BLOB_COMPRESSED, "02",
         "0d00"
         "8114789c4b4cc404004fa60795",
         "aaaaaaaaaaaaaaaaaaaa"},
        {OF(COLUMN_TEXT), BINLOG_TYPE_BLOB_COMPRESSED, "02",
         "0700"
         "89154b4cc40400",
         NULL},
        {OF(COLUMN_TEXT), BINLOG_TYPE_BLOB_COMPRESSED, "02",
         "0300"
         "a91461",
         NULL},
    };
    CHECK(vectors);
}

static void dates_and_times(void **state)
{
    (void)state;
    static const vector_t vectors[] = {
        {OF(COLUMN_DATE), BINLOG_TYPE_DATE, "", "000000", "0000-00-00"},
        {OF(COLUMN_DATE), BINLOG_TYPE_DATE, "", "9f1f4e", "9999-12-31"},
        {OF(COLUMN_TIME), BINLOG_TYPE_TIME2, "00", "800000", "00:00:00"},
        {OF(COLUMN_TIME), BINLOG_TYPE_TIME2, "00", "b46efb", "838:59:59"},
        {OF(COLUMN_TIME), BINLOG_TYPE_TIME2, "00", "4b9105", "-838:59:59"},
        {OF(COLUMN_TIME, .fsp = 2), BINLOG_TYPE_TIME2, "02", "7f374d9e", "-12:34:50.98"},
        {OF(COLUMN_TIME, .fsp = 6), BINLOG_TYPE_TIME2, "06", "7ffffefffffe", "-00:00:01.000002"},
        {OF(COLUMN_TIME, .fsp = 6), BINLOG_TYPE_TIME2, "06", "7fffffffffff", "-00:00:00.000001"},
        {OF(COLUMN_TIME, .fsp = 3), BINLOG_TYPE_TIME2, "03", "80000104ce", "00:00:01.123"},
        {OF(COLUMN_TIME), BINLOG_TYPE_TIME2, "00", "80003c", NULL},
        {OF(COLUMN_DATETIME), BINLOG_TYPE_DATETIME2, "00", "8000000000", "0000-00-00 00:00:00"},
        {OF(COLUMN_DATETIME, .fsp = 6), BINLOG_TYPE_DATETIME2, "06", "fef3ff7efb0f423f",
         "9999-12-31 23:59:59.999999"},
        {OF(COLUMN_DATETIME, .fsp = 1), BINLOG_TYPE_DATETIME2, "01", "99b242000032",
         "2024-01-01 00:00:00.5"},
        {OF(COLUMN_DATETIME), BINLOG_TYPE_DATETIME2, "00", "7000000000", NULL},
        {OF(COLUMN_TIMESTAMP), BINLOG_TYPE_TIMESTAMP2, "00", "00000000", "0000-00-00 00:00:00"},
        {OF(COLUMN_TIMESTAMP), BINLOG_TYPE_TIMESTAMP2, "00", "00000001", "1970-01-01 00:00:01"},
        {OF(COLUMN_TIMESTAMP, .fsp = 6), BINLOG_TYPE_TIMESTAMP2, "06", "7fffffff0f423f",
         "2038-01-19 03:14:07.999999"},
        {OF(COLUMN_TIMESTAMP), BINLOG_TYPE_TIMESTAMP2, "00", "65e07d00", "2024-02-29 12:48:00"},
    };
    CHECK(vectors);
}

static void temporal_formats_of_old_tables(void **state)
{
    (void)state;
    static const vector_t vectors[] = {
        {OF(COLUMN_TIMESTAMP), BINLOG_TYPE_TIMESTAMP, "", "007de065", "2024-02-29 12:48:00"},
        {OF(COLUMN_TIMESTAMP, .fsp = 3), BINLOG_TYPE_TIMESTAMP, "", "65e07d0003e7",
         "2024-02-29 12:48:00.999"},
        {OF(COLUMN_TIME), BINLOG_TYPE_TIME, "", "a7f57f", "838:59:59"},
        {OF(COLUMN_TIME), BINLOG_TYPE_TIME, "", "590a80", "-838:59:59"},
        {OF(COLUMN_DATETIME), BINLOG_TYPE_DATETIME, "", "ff3b7d8e185a0000", NULL},
        {OF(COLUMN_DATETIME), BINLOG_TYPE_DATETIME, "", "0000000000000000", "0000-00-00 00:00:00"},
        {OF(COLUMN_DATETIME), BINLOG_TYPE_DATETIME, "", "7787d105f15a0000", "9999-12-31 23:59:59"},
    };
    CHECK(vectors);
}

static void refuses_columns_that_are_not_the_definitions(void **state)
{
    (void)state;
    static const struct {
        column_definition_t column;
        uint8_t type;
        const char *meta, *optional;
    } mismatches[] = {
        {OF(COLUMN_INT), BINLOG_TYPE_LONGLONG, "", ""},
        {OF(COLUMN_INT), BINLOG_TYPE_LONG, "", "010180"},
        {OF(COLUMN_INT, .flags = COLUMN_UNSIGNED), BINLOG_TYPE_LONG, "", "010100"},
        {OF(COLUMN_INT), BINLOG_TYPE_LONG, "", "04020179"},
        {OF(COLUMN_DECIMAL, .precision = 10, .scale = 3), BINLOG_TYPE_DECIMAL, "0a02", ""},
        {OF(COLUMN_DATETIME, .fsp = 3), BINLOG_TYPE_DATETIME2, "06", ""},
        {OF(COLUMN_BINARY, .length = 5), BINLOG_TYPE_STRING, "fe04", ""},
        {OF(COLUMN_VARCHAR, .length = 5), BINLOG_TYPE_VARCHAR, "0500", "02013f"},
        {OF(COLUMN_BLOB), BINLOG_TYPE_BLOB, "02", "020108"},
        {OF(COLUMN_ENUM, .member_count = 2), BINLOG_TYPE_STRING, "f701",
         "060301"
         "0161"},
        {OF(COLUMN_BIT, .length = 8), BINLOG_TYPE_BIT, "0100", ""},
    };
    for (size_t i = 0; i < sizeof mismatches / sizeof mismatches[0]; i++) {
        const table_map_t *map = NULL;
        error_report_t report = {0};
        builder_reset(&builder);
        assert_int_equal(bind_one(&mismatches[i].column, mismatches[i].type, mismatches[i].meta,
                                  mismatches[i].optional, &map, &report),
                         SLUICE_ERROR_SCHEMA_MISMATCH);
        assert_non_null(strstr(report.text, "d.t"));
        table_map_unref(&map);
    }
}

static void charsets_beyond_250_and_exceptions_are_kept(void **state)
{
    (void)state;
    /* Seven columns: uuid, geometry and inet count as columns with a charset (seen in the log). */
    const uint8_t types[] = {3, 254, 255, 254, 252, 254, 254};
    table_map_event(&builder, 7, "d", "u", types, 7, from_hex("fe1004fe0302fe10fe04"),
                    from_hex("0101000206"
                             "3f02fc0009"
                             "08010008010000"));
    table_map_t *map;
    /* Two primary keys and a wrong length: the last field is cut. */
    assert_int_equal(table_map_parse(end_body(&builder), &map, NULL), SLUICE_ERROR_SOURCE_CORRUPT);
    builder_reset(&builder);
    table_map_event(&builder, 7, "d", "u", types, 7, from_hex("fe1004fe0302fe10fe04"),
                    from_hex("0101000205"
                             "3f02fc0009"
                             "080100"));
    assert_int_equal(table_map_parse(end_body(&builder), &map, NULL), SLUICE_OK);
    assert_int_equal(map->columns[1].collation, 63);
    assert_int_equal(map->columns[3].collation, 2304);
    assert_int_equal(map->columns[4].collation, 63);
    assert_int_equal(map->columns[6].collation, 63);
    assert_int_equal(map->primary_key_count, 1);
    assert_int_equal(map->primary_key[0].column, 0);
    const table_map_t *held = map;
    table_map_unref(&held);
}

static void every_cut_of_a_map_is_damage(void **state)
{
    (void)state;
    const uint8_t types[] = {3, 254};
    table_map_event(&builder, 7, "d", "u", types, 2, from_hex("fe10"),
                    from_hex("010100"
                             "0405"
                             "0269640175"));
    bytes_t body = end_body(&builder);
    size_t required = 0;
    for (size_t len = 0; len < body.len; len++) {
        table_map_t *map;
        bytes_t cut = arena_bytes(&arena, bytes_of(body.data, len));
        sluice_error_t error = table_map_parse(cut, &map, NULL);
        if (error == SLUICE_OK) {
            /* Only where one optional field has ended and the next has not begun. */
            required++;
            const table_map_t *held = map;
            table_map_unref(&held);
        } else {
            assert_int_equal(error, SLUICE_ERROR_SOURCE_CORRUPT);
        }
    }
    assert_int_equal(required, 2);
}

static void updates_carry_both_images_and_nulls(void **state)
{
    (void)state;
    const column_definition_t columns[] = {OF(COLUMN_INT), OF(COLUMN_VARCHAR, .length = 9)};
    const uint8_t types[] = {BINLOG_TYPE_LONG, BINLOG_TYPE_VARCHAR};
    table_map_event(&builder, 7, "d", "t", types, 2, from_hex("0900"), from_hex(""));
    table_map_t *map;
    assert_int_equal(table_map_parse(end_body(&builder), &map, NULL), SLUICE_OK);
    const table_definition_t *definition = definition_of(columns, 2);
    assert_int_equal(table_map_bind(map, definition, NULL), SLUICE_OK);
    rows_event(&builder, BINLOG_UPDATE_ROWS_V1, 7, 2,
               from_hex("fc010000000161"
                        "fe01000000"
                        "fd0162"
                        "ff"));
    rows_event_t event = {ROW_UPDATE, map, end_body(&builder)};
    rows_reader_t reader;
    row_change_t change;
    assert_int_equal(rows_reader_init(&reader, &event, NULL), SLUICE_OK);
    assert_int_equal(rows_reader_next(&reader, &arena, &change, NULL), SLUICE_OK);
    assert_int_equal(change.kind, ROW_UPDATE);
    assert_string_equal(value_text(&arena, &change.before[1]), "a");
    assert_string_equal(value_text(&arena, &change.after[0]), "1");
    assert_string_equal(value_text(&arena, &change.after[1]), "NULL");
    assert_int_equal(rows_reader_next(&reader, &arena, &change, NULL), SLUICE_OK);
    assert_string_equal(value_text(&arena, &change.before[0]), "NULL");
    assert_string_equal(value_text(&arena, &change.after[0]), "NULL");
    assert_int_equal(rows_reader_next(&reader, &arena, &change, NULL), SLUICE_ERROR_NOT_FOUND);
    const table_map_t *held = map;
    table_map_unref(&held);
    table_definition_unref(&definition);
}

static void version_two_bodies_lose_their_extra_data(void **state)
{
    (void)state;
    bytes_t normalized;
    assert_int_equal(rows_event_normalize(BINLOG_WRITE_ROWS,
                                          from_hex("070000000000"
                                                   "0100"
                                                   "0400aabb"
                                                   "01ff"
                                                   "fe01"),
                                          &arena, &normalized),
                     SLUICE_OK);
    assert_true(bytes_equal(normalized, from_hex("070000000000"
                                                 "0100"
                                                 "01ff"
                                                 "fe01")));
    assert_int_equal(rows_event_normalize(BINLOG_WRITE_ROWS,
                                          from_hex("070000000000"
                                                   "0100"
                                                   "0100"),
                                          &arena, &normalized),
                     SLUICE_ERROR_SOURCE_CORRUPT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, reset, reset)
    const struct CMUnitTest tests[] = {
        TEST(integers),
        TEST(floating_numbers),
        TEST(decimals),
        TEST(the_longest_decimal),
        TEST(bits_enums_and_sets),
        TEST(strings),
        TEST(compressed_columns),
        TEST(dates_and_times),
        TEST(temporal_formats_of_old_tables),
        TEST(refuses_columns_that_are_not_the_definitions),
        TEST(charsets_beyond_250_and_exceptions_are_kept),
        TEST(every_cut_of_a_map_is_damage),
        TEST(updates_carry_both_images_and_nulls),
        TEST(version_two_bodies_lose_their_extra_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
