#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "dispatcher/sink/sqlite/convert_internal.h"

/* ---- implicit values ---- */

static stored_value_t zeros(const column_definition_t *column, arena_t *arena)
{
    size_t len = column->type == COLUMN_BINARY ? column->length : 0;
    return stored_blob(bytes_of(arena_zalloc(arena, len + 1), len));
}

static stored_value_t zero_temporal(value_kind_t kind, uint8_t fsp, arena_t *arena)
{
    char text[TEMPORAL_TEXT_SIZE];
    size_t len = temporal_format(kind, &(temporal_t){.fsp = fsp}, text);
    return stored_text(arena_bytes(arena, bytes_of(text, len)));
}

static stored_value_t zero_decimal(const column_definition_t *column, arena_t *arena)
{
    char text[DECIMAL_TEXT_SIZE];
    size_t len = decimal_rescale(bytes_of("0", 1), column->precision, column->scale, false, text);
    return stored_text(arena_bytes(arena, bytes_of(text, len)));
}

static stored_value_t zero_number(const column_definition_t *column)
{
    switch (sqlite_column_storage(column)) {
    case SQLITE_STORAGE_TEXT:
        return stored_text(bytes_of("0", 1));
    case SQLITE_STORAGE_REAL:
        return stored_real(0);
    case SQLITE_STORAGE_BLOB:
        return stored_blob(bytes_of("\0\0\0\0\0\0\0\0", 8));
    case SQLITE_STORAGE_INTEGER:
        break;
    }
    return stored_integer(0);
}

stored_value_t sqlite_implicit_value(const column_definition_t *column, arena_t *arena)
{
    switch (column_family(column)) {
    case FAMILY_INTEGER:
    case FAMILY_REAL:
    case FAMILY_BIT:
    case FAMILY_YEAR:
        return zero_number(column);
    case FAMILY_DECIMAL:
        return zero_decimal(column, arena);
    case FAMILY_DATE:
        return zero_temporal(VALUE_DATE, 0, arena);
    case FAMILY_TIME:
        return zero_temporal(VALUE_TIME, column->fsp, arena);
    case FAMILY_DATETIME:
    case FAMILY_TIMESTAMP:
        return zero_temporal(VALUE_DATETIME, column->fsp, arena);
    case FAMILY_TEXT:
    case FAMILY_SET:
        return stored_text(bytes_of("", 0));
    case FAMILY_ENUM:
        return stored_text(bytes_of_text(column->member_count ? column->members[0] : ""));
    case FAMILY_ADDRESS:
        return stored_text(bytes_of_text(column->type == COLUMN_INET4   ? "0.0.0.0"
                                         : column->type == COLUMN_INET6 ? "::"
                                                                        : "00000000-0000-0000-0000-"
                                                                          "000000000000"));
    case FAMILY_BINARY:
    case FAMILY_GEOMETRY:
        break;
    }
    return zeros(column, arena);
}

/* ---- DEFAULT ---- */

static sluice_error_t refuse_default(const column_definition_t *column, const char *what,
                                     error_report_t *report)
{
    return error_report_set(report, SLUICE_ERROR_DDL_UNSUPPORTED,
                            "column %s is added to a table that has rows, and the value that they "
                            "get (%s) cannot be computed for SQLite",
                            column->name, what);
}

/* "current_timestamp()" with or without digits between the parentheses. */
static bool is_now(const char *expression)
{
    static const char name[] = "current_timestamp";
    if (strncasecmp(expression, name, strlen(name)) != 0)
        return false;
    expression += strlen(name);
    if (*expression == '\0')
        return true;
    if (*expression++ != '(')
        return false;
    while (isdigit((unsigned char)*expression))
        expression++;
    return strcmp(expression, ")") == 0;
}

static sluice_error_t now_value(const convert_context_t *context, const column_definition_t *column,
                                stored_value_t *value, error_report_t *report)
{
    column_family_t family = column_family(column);
    if (family != FAMILY_DATETIME && family != FAMILY_TIMESTAMP)
        return refuse_default(column, column->default_value, report);
    if (family == FAMILY_DATETIME && !context->has_offset)
        return refuse_default(column,
                              "the current time in a time zone that is no fixed offset; say which "
                              "SYSTEM is by system-time-zone=+HH:MM in the sink's URI",
                              report);
    int64_t offset = family == FAMILY_DATETIME ? context->offset_seconds : 0;
    temporal_t now;
    char text[TEMPORAL_TEXT_SIZE];
    temporal_of_epoch((int64_t)context->timestamp_us + offset * 1000000, &now);
    /* current_timestamp(n) has n digits, the rest of the column's are 0. */
    const char *parenthesis = strchr(column->default_value, '(');
    int digits = parenthesis ? atoi(parenthesis + 1) : 0;
    uint32_t unit = 1000000;
    for (int i = 0; i < digits && unit > 1; i++)
        unit /= 10;
    now.microsecond -= now.microsecond % unit;
    now.fsp = column->fsp;
    size_t len = temporal_format(VALUE_DATETIME, &now, text);
    *value = stored_text(arena_bytes(context->arena, bytes_of(text, len)));
    return SLUICE_OK;
}

/* Digits, or b'101' as the server shows them. */
static sluice_error_t bit_value(const convert_context_t *context, const column_definition_t *column,
                                stored_value_t *value, error_report_t *report)
{
    const char *text = column->default_value;
    bool is_binary = (text[0] == 'b' || text[0] == 'B') && text[1] == '\'';
    char *end;
    uint64_t bits = strtoull(is_binary ? text + 2 : text, &end, is_binary ? 2 : 10);
    if (strcmp(end, is_binary ? "'" : "") != 0 || end == text)
        return refuse_default(column, text, report);
    if (sqlite_column_storage(column) == SQLITE_STORAGE_INTEGER) {
        *value = stored_integer((int64_t)bits);
        return SLUICE_OK;
    }
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(bits >> (56 - 8 * i));
    *value = stored_blob(arena_bytes(context->arena, bytes_of(bytes, sizeof bytes)));
    return SLUICE_OK;
}

static sluice_error_t literal_value(const convert_context_t *context,
                                    const column_definition_t *column, const char *literal,
                                    stored_value_t *value, error_report_t *report)
{
    /* In the column's own charset: the server has taken the literal into it. */
    const column_definition_t text = {
        .name = "", .type = COLUMN_LONGTEXT, .charset = column->charset};
    stored_value_t from = stored_text(bytes_of_text(literal));
    return sqlite_convert(context, &text, column, &from, value, report);
}

/* A literal in parentheses, '…' or a number; NULL if the expression is anything else. */
static const char *parenthesized_literal(const char *expression, arena_t *arena)
{
    size_t len = strlen(expression);
    while (len >= 2 && expression[0] == '(' && expression[len - 1] == ')') {
        expression++;
        len -= 2;
    }
    if (len >= 2 && expression[0] == '\'' && expression[len - 1] == '\'' &&
        !memchr(expression + 1, '\'', len - 2) && !memchr(expression, '\\', len))
        return arena_strndup(arena, expression + 1, len - 2);
    const char *text = arena_strndup(arena, expression, len);
    return len && strspn(text, "+-.0123456789") == len ? text : NULL;
}

static sluice_error_t expression_value(const convert_context_t *context,
                                       const column_definition_t *column, stored_value_t *value,
                                       error_report_t *report)
{
    if (is_now(column->default_value))
        return now_value(context, column, value, report);
    const char *literal = parenthesized_literal(column->default_value, context->arena);
    if (!literal)
        return refuse_default(column, column->default_value, report);
    return literal_value(context, column, literal, value, report);
}

sluice_error_t sqlite_default_value(const convert_context_t *context,
                                    const column_definition_t *column, stored_value_t *value,
                                    error_report_t *report)
{
    if (column->generated != GENERATED_NO)
        return refuse_default(column, column->generated_expression, report);
    if (column->flags & COLUMN_AUTO_INCREMENT)
        return refuse_default(column, "AUTO_INCREMENT", report);
    switch (column->default_kind) {
    case DEFAULT_NONE:
    case DEFAULT_NULL:
        *value = column->flags & COLUMN_NOT_NULL ? sqlite_implicit_value(column, context->arena)
                                                 : (stored_value_t){.type = SQLITE_NULL};
        return SLUICE_OK;
    case DEFAULT_LITERAL:
        if (column->type == COLUMN_BIT)
            return bit_value(context, column, value, report);
        return literal_value(context, column, column->default_value, value, report);
    case DEFAULT_EXPRESSION:
        return expression_value(context, column, value, report);
    }
    return refuse_default(column, "unknown", report);
}
