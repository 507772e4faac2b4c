#include "tests/testing.h"

#include "common/model/value.h"

static void formats_temporal_values_with_their_digits(void **state)
{
    (void)state;
    char text[TEMPORAL_TEXT_SIZE];
    temporal_t t = {.year = 2026,
                    .month = 1,
                    .day = 2,
                    .hour = 3,
                    .minute = 4,
                    .second = 5,
                    .microsecond = 60000,
                    .fsp = 3};
    temporal_format(VALUE_DATETIME, &t, text);
    assert_string_equal(text, "2026-01-02 03:04:05.060");
    t.fsp = 0;
    assert_int_equal(temporal_format(VALUE_TIMESTAMP, &t, text), 19);
    temporal_format(VALUE_DATE, &t, text);
    assert_string_equal(text, "2026-01-02");
    temporal_t time = {.negative = true, .hour = 838, .minute = 59, .second = 59, .fsp = 6};
    temporal_format(VALUE_TIME, &time, text);
    assert_string_equal(text, "-838:59:59.000000");
    temporal_t zero = {0};
    temporal_format(VALUE_DATETIME, &zero, text);
    assert_string_equal(text, "0000-00-00 00:00:00");
}

static void compares_by_kind_and_content(void **state)
{
    (void)state;
    value_t a = {.kind = VALUE_TEXT, .bytes = bytes_of_text("a")};
    value_t b = {.kind = VALUE_BINARY, .bytes = bytes_of_text("a")};
    assert_false(value_equal(&a, &b));
    b.kind = VALUE_TEXT;
    assert_true(value_equal(&a, &b));
    b.bytes = bytes_of_text("A");
    assert_false(value_equal(&a, &b));
    value_t null = {.kind = VALUE_NULL};
    assert_true(value_equal(&null, &null));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_temporal_values_with_their_digits),
        cmocka_unit_test(compares_by_kind_and_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
