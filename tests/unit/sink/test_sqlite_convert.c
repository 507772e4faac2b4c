/* dispatcher/sink/sqlite/convert.h against what a server answered (conversion_cases.h). */
#include "tests/testing.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "dispatcher/sink/sqlite/convert.h"
#include "tests/unit/sink/conversion_cases.h"

#define MEMBERS_MAX 8

typedef struct {
    column_definition_t column;
    char text[80];
    const char *members[MEMBERS_MAX];
} parsed_t;

static const char *const type_names[] = {
    "tinyint",   "smallint", "mediumint", "int",        "bigint",     "decimal",  "float",
    "double",    "bit",      "year",      "date",       "time",       "datetime", "timestamp",
    "char",      "varchar",  "tinytext",  "text",       "mediumtext", "longtext", "binary",
    "varbinary", "tinyblob", "blob",      "mediumblob", "longblob",   "enum",     "set",
    "geometry",  "inet4",    "inet6",     "uuid"};

static column_type_t type_of(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof type_names / sizeof type_names[0]; i++) {
        if (strlen(type_names[i]) == len && strncmp(type_names[i], name, len) == 0)
            return (column_type_t)i;
    }
    fail_msg("unknown type %s", name);
    return COLUMN_INT;
}

static void parse_members(parsed_t *parsed, char *list)
{
    parsed->column.members = parsed->members;
    for (char *member = strtok(list, ",'"); member; member = strtok(NULL, ",'"))
        parsed->members[parsed->column.member_count++] = member;
}

static void parse_argument(parsed_t *parsed, char *argument)
{
    column_definition_t *column = &parsed->column;
    unsigned first = (unsigned)atoi(argument);
    const char *comma = strchr(argument, ',');
    if (column->type == COLUMN_ENUM || column->type == COLUMN_SET) {
        parse_members(parsed, argument);
    } else if (column->type == COLUMN_DECIMAL) {
        column->precision = (uint8_t)first;
        column->scale = (uint8_t)atoi(comma + 1);
    } else if (column->type >= COLUMN_TIME && column->type <= COLUMN_TIMESTAMP) {
        column->fsp = (uint8_t)first;
    } else {
        column->length = first;
    }
}

/* "varchar(20) charset latin1", "decimal(10,2) unsigned", "enum('a','b')". */
static void parse_column(parsed_t *parsed, const char *definition)
{
    *parsed = (parsed_t){0};
    snprintf(parsed->text, sizeof parsed->text, "%s", definition);
    parsed->column.name = "c";
    parsed->column.type = type_of(parsed->text, strcspn(parsed->text, "( "));
    parsed->column.charset = strstr(definition, "latin1")    ? "latin1"
                             : strstr(definition, "utf8mb3") ? "utf8mb3"
                                                             : "utf8mb4";
    if (strstr(definition, "unsigned"))
        parsed->column.flags |= COLUMN_UNSIGNED;
    if (strstr(definition, "zerofill"))
        parsed->column.flags |= COLUMN_UNSIGNED | COLUMN_ZEROFILL;
    if (strstr(definition, "not null"))
        parsed->column.flags |= COLUMN_NOT_NULL;
    char *open = strchr(parsed->text, '('), *close = strrchr(parsed->text, ')');
    if (open && close) {
        *close = '\0';
        parse_argument(parsed, open + 1);
    }
}

static bytes_t parse_hex(const char *digits, arena_t *arena)
{
    size_t len = strlen(digits) / 2;
    uint8_t *bytes = arena_alloc(arena, len + 1);
    for (size_t i = 0; i < len; i++) {
        char pair[3] = {digits[2 * i], digits[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return bytes_of(bytes, len);
}

static stored_value_t parse_value(const char *text, arena_t *arena)
{
    switch (text[0]) {
    case 'i':
        return (stored_value_t){.type = SQLITE_INTEGER, .integer = strtoll(text + 1, NULL, 10)};
    case 'r':
        return (stored_value_t){.type = SQLITE_FLOAT, .real = strtod(text + 1, NULL)};
    case 't':
        return (stored_value_t){.type = SQLITE_TEXT, .bytes = bytes_of_text(text + 1)};
    case 'b':
        return (stored_value_t){.type = SQLITE_BLOB, .bytes = parse_hex(text + 1, arena)};
    default:
        return (stored_value_t){.type = SQLITE_NULL};
    }
}

static bool is_same(const stored_value_t *a, const stored_value_t *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == SQLITE_INTEGER)
        return a->integer == b->integer;
    if (a->type == SQLITE_FLOAT)
        return memcmp(&a->real, &b->real, sizeof a->real) == 0;
    return a->type == SQLITE_NULL || bytes_equal(a->bytes, b->bytes);
}

typedef struct {
    arena_t arena;
    convert_context_t context;
} fixture_t;

static fixture_t fixture;

static int setup(void **state)
{
    (void)state;
    fixture = (fixture_t){0};
    fixture.context = (convert_context_t){.has_offset = true,
                                          .offset_seconds = 7200,
                                          .converter = charset_converter_new(),
                                          .arena = &fixture.arena};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    charset_converter_destroy(&fixture.context.converter);
    arena_clear(&fixture.arena);
    return 0;
}

static sluice_error_t convert(const case_t *one, stored_value_t *to, bool *is_identity,
                              error_report_t *report)
{
    parsed_t before, after;
    parse_column(&before, one->before);
    parse_column(&after, one->after);
    stored_value_t from = parse_value(one->from, &fixture.arena);
    *is_identity = sqlite_convert_is_identity(&before.column, &after.column);
    sluice_error_t error =
        sqlite_convert(&fixture.context, &before.column, &after.column, &from, to, report);
    /* Labels live in the definitions. */
    if (!error && to->type == SQLITE_TEXT)
        to->bytes = arena_bytes(&fixture.arena, to->bytes);
    return error;
}

static void values_become_what_the_server_makes_of_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof converted / sizeof converted[0]; i++) {
        const case_t *one = &converted[i];
        error_report_t report = {0};
        stored_value_t to, expected = parse_value(one->to, &fixture.arena);
        bool is_identity;
        if (convert(one, &to, &is_identity, &report) != SLUICE_OK)
            fail_msg("%s to %s: %s", one->before, one->after, report.text);
        if (!is_same(&to, &expected))
            fail_msg("%s to %s: %s is not %s", one->before, one->after, one->from, one->to);
    }
}

static void no_copy_is_left_out_that_would_change_a_value(void **state)
{
    (void)state;
    size_t identities = 0;
    for (size_t i = 0; i < sizeof converted / sizeof converted[0]; i++) {
        const case_t *one = &converted[i];
        stored_value_t to, from = parse_value(one->from, &fixture.arena);
        bool is_identity;
        assert_int_equal(convert(one, &to, &is_identity, NULL), SLUICE_OK);
        if (!is_identity)
            continue;
        identities++;
        stored_value_t expected = parse_value(one->to, &fixture.arena);
        if (!is_same(&from, &expected))
            fail_msg("%s to %s needs a copy for %s", one->before, one->after, one->from);
    }
    assert_true(identities >= 5);
}

static void what_is_not_sure_is_refused_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const case_t *one = &refused[i];
        error_report_t report = {0};
        stored_value_t to;
        bool is_identity;
        if (convert(one, &to, &is_identity, &report) != SLUICE_ERROR_DDL_UNSUPPORTED)
            fail_msg("%s to %s: %s is not refused", one->before, one->after, one->from);
        assert_non_null(strstr(report.text, "column c"));
    }
}

static void times_need_to_know_the_zone(void **state)
{
    (void)state;
    fixture.context.has_offset = false;
    const case_t moves = {"timestamp(3)", "datetime(3)", "t2024-02-29 12:13:14.000", NULL};
    const case_t stays = {"timestamp(3)", "timestamp", "t2024-02-29 12:13:14.987", NULL};
    error_report_t report = {0};
    stored_value_t to;
    bool is_identity;
    assert_int_equal(convert(&moves, &to, &is_identity, &report), SLUICE_ERROR_DDL_UNSUPPORTED);
    assert_non_null(strstr(report.text, "system-time-zone"));
    assert_int_equal(convert(&stays, &to, &is_identity, &report), SLUICE_OK);
}

#define WITH_ZONE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ZONE(values_become_what_the_server_makes_of_them),
        WITH_ZONE(no_copy_is_left_out_that_would_change_a_value),
        WITH_ZONE(what_is_not_sure_is_refused_by_name),
        WITH_ZONE(times_need_to_know_the_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
