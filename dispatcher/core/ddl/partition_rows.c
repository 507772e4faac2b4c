#include "dispatcher/core/ddl/partition_rows.h"

#include <stdlib.h>

#include "dispatcher/core/ddl/parser.h"
#include "dispatcher/core/ddl/partitioning.h"

typedef enum { VIA_COLUMN, VIA_YEAR, VIA_TO_DAYS, VIA_UNIX_TIMESTAMP } via_t;

typedef struct {
    bool is_list;
    via_t via;
    uint32_t column;
    column_type_t type;
} method_t;

static bool open_text(parser_t *parser, const char *text, arena_t *arena)
{
    static const statement_options_t plain = {.default_schema = ""};
    *parser = (parser_t){.arena = arena, .options = &plain};
    return sql_tokenize(bytes_of_text(text), 0, 0, arena, &parser->list) == SLUICE_OK;
}

/* ---- what the table is partitioned by ---- */

static bool parse_via(parser_t *parser, via_t *via)
{
    static const char *const functions[] = {"YEAR", "TO_DAYS", "UNIX_TIMESTAMP", NULL};
    *via = VIA_COLUMN;
    if (!parser_is_symbol(parser, 1, '('))
        return true;
    int index = parser_accept_any(parser, functions);
    if (index < 0)
        return false;
    *via = (via_t)(VIA_YEAR + index);
    return parser_accept_symbol(parser, '(');
}

static bool is_integer(column_type_t type)
{
    return type <= COLUMN_BIGINT || type == COLUMN_YEAR;
}

static bool is_date(column_type_t type)
{
    return type == COLUMN_DATE || type == COLUMN_DATETIME;
}

static bool suits(const method_t *method)
{
    switch (method->via) {
    case VIA_COLUMN:
        return is_integer(method->type) || is_date(method->type);
    case VIA_YEAR:
    case VIA_TO_DAYS:
        return is_date(method->type) && !method->is_list;
    case VIA_UNIX_TIMESTAMP:
        return method->type == COLUMN_TIMESTAMP && !method->is_list;
    }
    return false;
}

static bool parse_method(const table_definition_t *definition, const char *head, arena_t *arena,
                         method_t *method)
{
    parser_t parser;
    const char *name;
    if (!open_text(&parser, head, arena) || !parser_accept2(&parser, "PARTITION", "BY"))
        return false;
    method->is_list = parser_accept(&parser, "LIST");
    if (!method->is_list && !parser_accept(&parser, "RANGE"))
        return false;
    parser_accept(&parser, "COLUMNS");
    if (!parser_accept_symbol(&parser, '(') || !parse_via(&parser, &method->via) ||
        !parser_name(&parser, &name))
        return false;
    if (method->via != VIA_COLUMN && !parser_accept_symbol(&parser, ')'))
        return false;
    if (!parser_accept_symbol(&parser, ')'))
        return false;
    int column = table_definition_find_column(definition, bytes_of_text(name));
    if (column < 0)
        return false;
    method->column = (uint32_t)column;
    method->type = definition->columns[column].type;
    return suits(method);
}

/* ---- values ---- */

/* Civil date of a day number that counts 1970-01-01 as 0 (H. Hinnant, "chrono-Compatible Low-Level
 * Date Algorithms"). */
static const char *date_of_day(int64_t day, arena_t *arena)
{
    day += 719468;
    int64_t era = day / 146097, in_era = day % 146097;
    int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * in_year + 2) / 153;
    return arena_printf(arena, "%04lld-%02lld-%02lld",
                        (long long)(year + era * 400 + (month >= 10)),
                        (long long)(month < 10 ? month + 3 : month - 9),
                        (long long)(in_year - (153 * month + 2) / 5 + 1));
}

/* TO_DAYS ('1970-01-01') */
#define DAYS_BEFORE_1970 719528
#define DAYS_MAX 3652424 /* 9999-12-31 */

static const char *value_of_number(via_t via, const char *text, arena_t *arena)
{
    char *end;
    long long number = strtoll(text, &end, 10);
    if (via == VIA_COLUMN)
        return text;
    if (*end != '\0' || number < 0)
        return NULL;
    switch (via) {
    case VIA_YEAR:
        return number <= 9999 ? arena_printf(arena, "%04lld-01-01", number) : NULL;
    case VIA_TO_DAYS:
        return number >= 366 && number <= DAYS_MAX ? date_of_day(number - DAYS_BEFORE_1970, arena)
                                                   : NULL;
    case VIA_UNIX_TIMESTAMP:
        if (number > UINT32_MAX)
            return NULL;
        return arena_printf(arena, "%s %02lld:%02lld:%02lld", date_of_day(number / 86400, arena),
                            number / 3600 % 24, number / 60 % 60, number % 60);
    case VIA_COLUMN:
        break;
    }
    return NULL;
}

/* YYYY-MM-DD[ HH:MM:SS], nothing shorter. */
static bool is_plain_date(const char *text)
{
    static const char *const shapes[] = {"dddd-dd-dd", "dddd-dd-dd dd:dd:dd"};
    for (int i = 0; i < 2; i++) {
        const char *shape = shapes[i], *at = text;
        while (*shape && (*shape == 'd' ? *at >= '0' && *at <= '9' : *at == *shape))
            shape++, at++;
        if (!*shape && !*at)
            return true;
    }
    return false;
}

/* TO_DAYS ('2020-01-01') as people type it: the date itself. */
static bool parse_called_value(parser_t *parser, const method_t *method, const char **value)
{
    bytes_t text;
    if (method->via != VIA_TO_DAYS || !parser_accept(parser, "TO_DAYS") ||
        !parser_accept_symbol(parser, '(') || !parser_string(parser, &text) ||
        !parser_accept_symbol(parser, ')'))
        return false;
    *value = (const char *)text.data;
    return is_plain_date(*value);
}

/* One value; *is_null for NULL. */
static bool parse_value(parser_t *parser, const method_t *method, const char **value, bool *is_null)
{
    literal_t literal = {0};
    *is_null = false;
    if (parser_is(parser, 0, "TO_DAYS"))
        return parse_called_value(parser, method, value);
    if (!parse_literal(parser, &literal))
        return false;
    const char *text = (const char *)literal.text.data;
    bool is_string = literal.kind == LITERAL_STRING;
    if (literal.kind == LITERAL_NULL) {
        *is_null = true;
        return true;
    }
    if (is_string && method->via == VIA_COLUMN && is_date(method->type)) {
        *value = text;
        return is_plain_date(text) && (method->type == COLUMN_DATETIME || strlen(text) == 10);
    }
    if (literal.kind != LITERAL_NUMBER || (method->via == VIA_COLUMN && is_date(method->type)))
        return false;
    *value = value_of_number(method->via, text, parser->arena);
    return *value != NULL;
}

/* VALUES LESS THAN …; *bound NULL for MAXVALUE. */
static bool parse_bound(const method_t *method, const char *text, arena_t *arena,
                        const char **bound)
{
    parser_t parser;
    bool is_null = false;
    *bound = NULL;
    if (!open_text(&parser, text, arena) || !parser_accept3(&parser, "VALUES", "LESS", "THAN"))
        return false;
    bool is_open = parser_accept_symbol(&parser, '(');
    if (parser_accept(&parser, "MAXVALUE"))
        return !is_open || parser_accept_symbol(&parser, ')');
    return is_open && parse_value(&parser, method, bound, &is_null) && !is_null &&
           parser_accept_symbol(&parser, ')');
}

static bool find_range(const method_t *method, const partitioning_t *all, uint32_t index,
                       arena_t *arena, partition_rows_t *rows)
{
    rows->holds_null = index == 0;
    return parse_bound(method, all->partitions[index].text, arena, &rows->upper) &&
           (index == 0 ||
            (parse_bound(method, all->partitions[index - 1].text, arena, &rows->lower) &&
             rows->lower));
}

static bool find_list(const method_t *method, const char *text, arena_t *arena,
                      partition_rows_t *rows)
{
    parser_t parser;
    list_t values = {0};
    if (!open_text(&parser, text, arena) || !parser_accept2(&parser, "VALUES", "IN") ||
        !parser_accept_symbol(&parser, '('))
        return false;
    do {
        const char *value = NULL;
        bool is_null = false;
        if (!parse_value(&parser, method, &value, &is_null))
            return false;
        rows->holds_null = rows->holds_null || is_null;
        if (!is_null)
            *(const char **)list_add(&values, sizeof value, arena) = value;
    } while (parser_accept_symbol(&parser, ','));
    rows->values = values.items;
    rows->value_count = values.count;
    return parser_accept_symbol(&parser, ')');
}

bool partition_rows_find(const table_definition_t *definition, const char *partition,
                         arena_t *arena, partition_rows_t *rows)
{
    partitioning_t all;
    method_t method = {0};
    *rows = (partition_rows_t){0};
    if (!definition->partition_text ||
        !partitioning_parse(definition->partition_text, arena, &all) ||
        !parse_method(definition, all.head, arena, &method))
        return false;
    int index = partitioning_find(&all, partition);
    if (index < 0)
        return false;
    rows->column = method.column;
    rows->is_list = method.is_list;
    return method.is_list ? find_list(&method, all.partitions[index].text, arena, rows)
                          : find_range(&method, &all, (uint32_t)index, arena, rows);
}
