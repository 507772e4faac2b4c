#include "tests/testing.h"

#include "dispatcher/sink/mariadb/column_equal.h"
#include "dispatcher/sink/mariadb/error.h"

/* Errors by their class, and columns compared; both decide without a server. */

static void what_passes_is_tried_again(void **state)
{
    (void)state;
    static const unsigned numbers[] = {1205, 1213, 1040, 1290, 1836, 2002, 2003, 2006, 2013,
                                       1927, 1053, 1021, 1114, 1412, 1615, 1317, 2026};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        assert_true(sluice_error_is_retriable(mariadb_error_class(numbers[i], "")));
    assert_int_equal(mariadb_error_class(1021, ""), SLUICE_ERROR_NO_SPACE);
    assert_int_equal(mariadb_error_class(1030, "Got error 28 \"No space left on device\" from "
                                               "storage engine InnoDB"),
                     SLUICE_ERROR_NO_SPACE);
}

static void what_does_not_pass_fails(void **state)
{
    (void)state;
    static const unsigned numbers[] = {1146, 1054, 1062, 1064, 1050, 1406, 1366, 1030, 1153, 9999};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        assert_int_equal(mariadb_error_class(numbers[i], "x"), SLUICE_ERROR_SINK_REFUSED);
    assert_int_equal(mariadb_error_class(1045, ""), SLUICE_ERROR_SINK_SETTINGS);
    assert_int_equal(mariadb_error_class(1665, ""), SLUICE_ERROR_SINK_SETTINGS);
}

static void only_lost_connections_are_closed(void **state)
{
    (void)state;
    assert_true(mariadb_error_ends_connection(2013));
    assert_true(mariadb_error_ends_connection(1927));
    assert_false(mariadb_error_ends_connection(1205));
    assert_false(mariadb_error_ends_connection(1146));
}

static const sink_column_t int_column = {.data_type = "int",
                                         .column_type = "int(11)",
                                         .precision = "10",
                                         .scale = "0",
                                         .is_nullable = true};

static void the_sign_of_an_integer_counts(void **state)
{
    (void)state;
    column_definition_t source = {.type = COLUMN_INT};
    sink_column_t sink = int_column;
    assert_true(mariadb_column_equal(&source, &sink));
    sink.column_type = "int(10) unsigned";
    assert_false(mariadb_column_equal(&source, &sink));
    source.flags = COLUMN_UNSIGNED;
    assert_true(mariadb_column_equal(&source, &sink));
}

static void a_sink_that_takes_no_null_differs(void **state)
{
    (void)state;
    column_definition_t source = {.type = COLUMN_INT};
    sink_column_t sink = int_column;
    sink.is_nullable = false;
    assert_false(mariadb_column_equal(&source, &sink));
    source.flags = COLUMN_NOT_NULL;
    assert_true(mariadb_column_equal(&source, &sink));
}

static void text_differs_by_charset_and_length(void **state)
{
    (void)state;
    column_definition_t source = {.type = COLUMN_VARCHAR, .length = 20, .charset = "utf8"};
    sink_column_t sink = {.data_type = "varchar",
                          .column_type = "varchar(20)",
                          .charset = "utf8mb3",
                          .length = "20",
                          .is_nullable = true};
    assert_true(mariadb_column_equal(&source, &sink));
    sink.charset = "latin1";
    assert_false(mariadb_column_equal(&source, &sink));
    sink.charset = "utf8mb3";
    sink.length = "19";
    assert_false(mariadb_column_equal(&source, &sink));
}

static void labels_count_in_their_order(void **state)
{
    (void)state;
    static const char *const members[] = {"a", "b"};
    column_definition_t source = {.type = COLUMN_ENUM, .members = members, .member_count = 2};
    sink_column_t sink = {.data_type = "enum", .column_type = "enum('a','b')", .is_nullable = true};
    assert_true(mariadb_column_equal(&source, &sink));
    sink.column_type = "enum('b','a')";
    assert_false(mariadb_column_equal(&source, &sink));
}

static void digits_and_fractions_count(void **state)
{
    (void)state;
    column_definition_t source = {.type = COLUMN_DECIMAL, .precision = 10, .scale = 2};
    sink_column_t sink = {.data_type = "decimal",
                          .column_type = "decimal(10,2)",
                          .precision = "10",
                          .scale = "2",
                          .is_nullable = true};
    assert_true(mariadb_column_equal(&source, &sink));
    sink.scale = "1";
    assert_false(mariadb_column_equal(&source, &sink));
    column_definition_t moment = {.type = COLUMN_DATETIME, .fsp = 3};
    sink_column_t sink_moment = {
        .data_type = "datetime", .column_type = "datetime", .fsp = "0", .is_nullable = true};
    assert_false(mariadb_column_equal(&moment, &sink_moment));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_passes_is_tried_again),
        cmocka_unit_test(what_does_not_pass_fails),
        cmocka_unit_test(only_lost_connections_are_closed),
        cmocka_unit_test(the_sign_of_an_integer_counts),
        cmocka_unit_test(a_sink_that_takes_no_null_differs),
        cmocka_unit_test(text_differs_by_charset_and_length),
        cmocka_unit_test(labels_count_in_their_order),
        cmocka_unit_test(digits_and_fractions_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
