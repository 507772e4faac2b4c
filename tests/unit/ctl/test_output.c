#include "tests/testing.h"

#include <stdlib.h>

#include "maintainer/ctl/output.h"

static const output_column_t columns[] = {
    {"ID", "id"}, {"N", "number"}, {"WHY", "error.message"}, {NULL, NULL}};

static json_t *items(void)
{
    json_t *json = json_loads("[{\"id\": \"a\", \"number\": 9007199254740993},"
                              " {\"id\": \"B\\u00fccher\", \"number\": 2,"
                              "  \"error\": {\"message\": \"two\\nlines\\u001b[0m\"}}]",
                              0, NULL);
    assert_non_null(json);
    return json;
}

static void columns_are_aligned_by_characters(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    json_t *json = items();
    output_table(json, columns, out);
    fclose(out);
    assert_string_equal(text, "ID      N                 WHY\n"
                              "a       9007199254740993  -\n"
                              "B\xc3\xbc"
                              "cher  2                 two?lines?[0m\n");
    free(text);
    json_decref(json);
}

static void records_are_written_below_each_other(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    json_t *json = items();
    output_record(json_array_get(json, 0), columns, out);
    fclose(out);
    assert_string_equal(text, "ID   a\nN    9007199254740993\nWHY  -\n");
    free(text);
    json_decref(json);
}

static void every_kind_of_value_is_text(void **state)
{
    (void)state;
    json_t *json =
        json_loads("{\"t\": true, \"f\": false, \"r\": 1.26, \"n\": null, \"e\": \"\"}", 0, NULL);
    static const char *const cases[][2] = {{"t", "yes"}, {"f", "no"}, {"r", "1.3"},
                                           {"n", "-"},   {"e", "-"},  {"x.y", "-"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = output_text(json, cases[i][0]);
        assert_string_equal(text, cases[i][1]);
        free(text);
    }
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_aligned_by_characters),
        cmocka_unit_test(records_are_written_below_each_other),
        cmocka_unit_test(every_kind_of_value_is_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
