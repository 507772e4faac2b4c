/* What a column's text means: charset, implicit attributes, default values. MariaDB's
 * documentation: "Data Types", "CREATE TABLE", explicit_defaults_for_timestamp. */
#include <stdlib.h>
#include <strings.h>

#include "dispatcher/core/ddl/draft.h"
#include "dispatcher/core/ddl/text_builder.h"

static bool is_integer(column_type_t type)
{
    return type <= COLUMN_BIGINT;
}

static bool is_text(column_type_t type)
{
    return (type >= COLUMN_CHAR && type <= COLUMN_LONGTEXT) || type == COLUMN_ENUM ||
           type == COLUMN_SET;
}

static uint32_t default_width(const column_definition_t *column)
{
    static const uint8_t widths[][2] = {{4, 3}, {6, 5}, {9, 8}, {11, 10}, {20, 20}};
    return widths[column->type][column->flags & COLUMN_UNSIGNED ? 1 : 0];
}

/* The smallest of four types that has room for so many bytes. */
static column_type_t blob_of_size(column_type_t tiny, uint64_t bytes)
{
    if (bytes < 256)
        return tiny;
    return (column_type_t)(tiny + (bytes < 65536 ? 1 : bytes < 16777216 ? 2 : 3));
}

static void make_binary(column_definition_t *column)
{
    if (column->type == COLUMN_CHAR)
        column->type = COLUMN_BINARY;
    else if (column->type == COLUMN_VARCHAR)
        column->type = COLUMN_VARBINARY;
    else if (column->type >= COLUMN_TINYTEXT && column->type <= COLUMN_LONGTEXT)
        column->type = (column_type_t)(COLUMN_TINYBLOB + (int)(column->type - COLUMN_TINYTEXT));
    if (column->type != COLUMN_ENUM && column->type != COLUMN_SET)
        column->charset = column->collation = NULL;
}

static void resolve_charset(draft_t *draft, const column_syntax_t *syntax,
                            column_definition_t *column)
{
    if (!is_text(column->type)) {
        column->charset = column->collation = NULL;
        return;
    }
    charset_choice_t inherited = draft->charset;
    if ((column->flags & COLUMN_IS_JSON) && !column->charset && !column->collation)
        inherited = (charset_choice_t){"utf8mb4", "utf8mb4_bin"};
    charset_choice_t choice =
        charset_choose(column->charset, column->collation, inherited, draft->arena);
    if (syntax->is_binary_collation && choice.charset && strcmp(choice.charset, "binary") != 0)
        choice.collation = arena_printf(draft->arena, "%s_bin", choice.charset);
    column->charset = choice.charset;
    column->collation = choice.collation;
    if (choice.charset && strcmp(choice.charset, "binary") == 0)
        make_binary(column);
}

/* TEXT(n), and VARCHAR beyond what a row can hold, which a server that is not strict makes a
 * TEXT. */
static void resolve_size(const column_syntax_t *syntax, column_definition_t *column)
{
    uint64_t bytes = (uint64_t)column->length * charset_bytes_max(column->charset);
    if (column->type == COLUMN_VARCHAR && bytes > 65535) {
        column->type = blob_of_size(COLUMN_TINYTEXT, bytes);
    } else if (column->type == COLUMN_VARBINARY && column->length > 65535) {
        column->type = blob_of_size(COLUMN_TINYBLOB, bytes);
    } else if (syntax->is_text_by_length && column->length > 0) {
        bool is_blob = column->type >= COLUMN_TINYBLOB && column->type <= COLUMN_LONGBLOB;
        column->type = blob_of_size(is_blob ? COLUMN_TINYBLOB : COLUMN_TINYTEXT, bytes);
    }
    if ((column->type >= COLUMN_TINYTEXT && column->type <= COLUMN_LONGTEXT) ||
        (column->type >= COLUMN_TINYBLOB && column->type <= COLUMN_LONGBLOB))
        column->length = 0;
}

static void resolve_numbers(column_definition_t *column)
{
    if (is_integer(column->type) && column->length == 0)
        column->length = default_width(column);
    if (column->type == COLUMN_YEAR && column->length != 2)
        column->length = 4;
    if (column->type > COLUMN_DOUBLE)
        column->flags &= ~(uint32_t)(COLUMN_UNSIGNED | COLUMN_ZEROFILL);
}

/* json_valid(name) as people write it. */
static bool is_json_check(const column_definition_t *column)
{
    size_t len = strlen(column->name);
    const char *check = column->check;
    return strncasecmp(check, "json_valid(", 11) == 0 &&
           strncasecmp(check + 11, column->name, len) == 0 && strcmp(check + 11 + len, ")") == 0;
}

static void resolve_json(draft_t *draft, column_definition_t *column)
{
    text_builder_t expected;
    text_builder_init(&expected, draft->arena);
    text_add(&expected, "json_valid(");
    text_add_identifier(&expected, column->name);
    text_add(&expected, ")");
    const char *text = text_finish(&expected);
    if ((column->flags & COLUMN_IS_JSON) && !column->check)
        column->check = text;
    column->flags &= ~(uint32_t)COLUMN_IS_JSON;
    if (column->check && column->type == COLUMN_LONGTEXT &&
        (strcmp(column->check, text) == 0 || is_json_check(column)))
        column->flags |= COLUMN_IS_JSON;
}

/* ---- defaults ---- */

static uint64_t digits_value(bytes_t digits, unsigned base)
{
    uint64_t value = 0;
    for (size_t i = 0; i < digits.len; i++) {
        uint8_t c = digits.data[i];
        unsigned digit = (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        value = value * base + digit;
    }
    return value;
}

/* Bytes that 0x… or 0b… stand for where text is wanted. */
static bytes_t digits_bytes(bytes_t digits, unsigned bits, arena_t *arena)
{
    size_t total = digits.len * bits, len = (total + 7) / 8;
    uint8_t *data = arena_zalloc(arena, len + 1);
    for (size_t i = 0; i < digits.len; i++) {
        unsigned value = (unsigned)digits_value((bytes_t){digits.data + i, 1}, 16);
        for (unsigned bit = 0; bit < bits; bit++) {
            size_t from_end = total - 1 - (i * bits + bit);
            if (value >> (bits - 1 - bit) & 1)
                data[len - 1 - from_end / 8] |= (uint8_t)(1u << from_end % 8);
        }
    }
    return bytes_of(data, len);
}

/* Text of a literal whatever it was written as, for a column of this type. */
static bytes_t literal_text(const column_definition_t *column, const literal_t *literal,
                            arena_t *arena)
{
    bool is_digits = literal->kind == LITERAL_HEX || literal->kind == LITERAL_BITS;
    if (!is_digits)
        return literal->text;
    if (is_text(column->type) || column->type >= COLUMN_BINARY)
        return digits_bytes(literal->text, literal->kind == LITERAL_HEX ? 4 : 1, arena);
    return bytes_of_text(arena_printf(
        arena, "%llu",
        (unsigned long long)digits_value(literal->text, literal->kind == LITERAL_HEX ? 16 : 2)));
}

/* "1.5" with two digits after the point is "1.50". */
static const char *decimal_text(const char *text, uint8_t scale, arena_t *arena)
{
    if (*text == '\0' || strspn(text, "+-0123456789.") != strlen(text))
        return text;
    text += *text == '+';
    const char *point = strchr(text, '.');
    size_t digits = point ? strlen(point + 1) : 0;
    if (digits > scale)
        return text;
    text_builder_t builder;
    text_builder_init(&builder, arena);
    if (*text == '.')
        text_add_char(&builder, '0');
    text_add(&builder, text);
    if (scale > 0 && !point)
        text_add_char(&builder, '.');
    for (; digits < scale; digits++)
        text_add_char(&builder, '0');
    return text_finish(&builder);
}

static const char *float_text(const char *text, bool is_double, arena_t *arena)
{
    char *end;
    double value = strtod(text, &end);
    if (*text == '\0' || *end != '\0')
        return text;
    for (int digits = 1; digits <= 17; digits++) {
        char *shorter = arena_printf(arena, "%.*g", digits, value);
        double again = strtod(shorter, NULL);
        if (is_double ? again == value : (float)again == (float)value)
            return strpbrk(shorter, "e") ? arena_printf(arena, "%.0f", value) : shorter;
    }
    return text;
}

/* A time has as many digits behind the second as its column. */
static const char *fraction_text(const char *text, uint8_t fsp, arena_t *arena)
{
    const char *point = strchr(text, '.');
    size_t digits = point ? strlen(point + 1) : 0;
    if (digits >= fsp || strlen(text) < 8)
        return text;
    return arena_printf(arena, "%s%s%.*s", text, point ? "" : ".", (int)(fsp - digits), "000000");
}

/* A date alone has midnight as its time; zero is the zero date; the fraction has fsp digits. */
static const char *datetime_text(const char *text, uint8_t fsp, arena_t *arena)
{
    if (strcmp(text, "0") == 0)
        text = "0000-00-00 00:00:00";
    else if (strlen(text) == 10 && text[4] == '-' && text[7] == '-')
        text = arena_printf(arena, "%s 00:00:00", text);
    return fraction_text(text, fsp, arena);
}

/* As SHOW CREATE TABLE writes the value. */
static const char *normal_value(const column_definition_t *column, const char *text, arena_t *arena)
{
    size_t len = strlen(text);
    if (column->flags & COLUMN_ZEROFILL)
        while (text[0] == '0' && text[1] >= '0' && text[1] <= '9')
            text++;
    if (column->type == COLUMN_DECIMAL)
        return decimal_text(text, column->scale, arena);
    if (column->type == COLUMN_FLOAT || column->type == COLUMN_DOUBLE)
        return column->precision ? decimal_text(text, column->scale, arena)
                                 : float_text(text, column->type == COLUMN_DOUBLE, arena);
    if (column->type == COLUMN_DATETIME || column->type == COLUMN_TIMESTAMP)
        return datetime_text(text, column->fsp, arena);
    if (column->type == COLUMN_TIME && len == 5 && text[2] == ':')
        text = arena_printf(arena, "%s:00", text);
    return column->type == COLUMN_TIME ? fraction_text(text, column->fsp, arena) : text;
}

static void set_literal_value(draft_t *draft, column_definition_t *column, const literal_t *literal)
{
    bytes_t text = literal_text(column, literal, draft->arena);
    if (column->type == COLUMN_BINARY)
        while (text.len > 0 && text.data[text.len - 1] == '\0')
            text.len--;
    if (memchr(text.data, '\0', text.len)) {
        /* A value with NUL bytes cannot be text here; it stays SQL. */
        column->default_kind = DEFAULT_EXPRESSION;
        column->default_value = sql_string_literal(text, draft->arena);
        return;
    }
    const char *value = arena_strndup(draft->arena, text.data, text.len);
    if (literal->kind == LITERAL_NUMBER && column->type == COLUMN_ENUM) {
        unsigned long index = strtoul(value, NULL, 10);
        if (index >= 1 && index <= column->member_count)
            value = column->members[index - 1];
    }
    column->default_kind = DEFAULT_LITERAL;
    column->default_value = normal_value(column, value, draft->arena);
}

void draft_set_default(draft_t *draft, column_definition_t *column, const literal_t *literal)
{
    column->default_value = NULL;
    switch (literal->kind) {
    case LITERAL_NONE:
        column->default_kind = DEFAULT_NONE;
        return;
    case LITERAL_NULL:
        column->default_kind = DEFAULT_NULL;
        return;
    case LITERAL_EXPRESSION:
        column->default_kind = DEFAULT_EXPRESSION;
        column->default_value = (const char *)literal->text.data;
        return;
    case LITERAL_STRING:
    case LITERAL_NUMBER:
    case LITERAL_HEX:
    case LITERAL_BITS:
        set_literal_value(draft, column, literal);
        return;
    }
}

/* Without explicit_defaults_for_timestamp a TIMESTAMP is NOT NULL unless it says NULL, the first
 * one of a statement takes the time of each change, the others begin at zero. */
static void resolve_timestamp(draft_t *draft, const column_syntax_t *syntax,
                              column_definition_t *column)
{
    bool is_first = syntax == draft->first_timestamp;
    if (column->type != COLUMN_TIMESTAMP || draft->context->explicit_timestamp_defaults ||
        (column->flags & (COLUMN_ROW_START | COLUMN_ROW_END)) || column->generated)
        return;
    if (syntax->nullness == NULLNESS_NULL)
        return;
    column->flags |= COLUMN_NOT_NULL;
    if (syntax->default_value.kind != LITERAL_NONE || (column->flags & COLUMN_ON_UPDATE_NOW)) {
        if (syntax->default_value.kind == LITERAL_NONE) {
            column->default_kind = DEFAULT_LITERAL;
            column->default_value = datetime_text("0", column->fsp, draft->arena);
        }
        return;
    }
    if (is_first) {
        column->flags |= COLUMN_ON_UPDATE_NOW;
        column->default_kind = DEFAULT_EXPRESSION;
        column->default_value =
            column->fsp ? arena_printf(draft->arena, "current_timestamp(%u)", column->fsp)
                        : "current_timestamp()";
    } else {
        column->default_kind = DEFAULT_LITERAL;
        column->default_value = datetime_text("0", column->fsp, draft->arena);
    }
}

static void resolve_default(draft_t *draft, const column_syntax_t *syntax,
                            column_definition_t *column)
{
    draft_set_default(draft, column, &syntax->default_value);
    bool may_be_null = !(column->flags & (COLUMN_NOT_NULL | COLUMN_ROW_START | COLUMN_ROW_END)) &&
                       !column->generated;
    if (syntax->default_value.kind == LITERAL_NONE && may_be_null &&
        !draft->context->is_show_create)
        column->default_kind = DEFAULT_NULL;
    resolve_timestamp(draft, syntax, column);
    if (column->flags & COLUMN_AUTO_INCREMENT) {
        column->flags |= COLUMN_NOT_NULL;
        column->default_kind = DEFAULT_NONE;
    }
    if (column->default_kind == DEFAULT_NULL && (column->flags & COLUMN_NOT_NULL))
        column->default_kind = DEFAULT_NONE;
}

column_definition_t draft_resolve_column(draft_t *draft, const column_syntax_t *syntax)
{
    column_definition_t column = syntax->written;
    column.name = syntax->name;
    if (syntax->nullness == NULLNESS_NOT_NULL)
        column.flags |= COLUMN_NOT_NULL;
    resolve_numbers(&column);
    resolve_charset(draft, syntax, &column);
    resolve_size(syntax, &column);
    resolve_json(draft, &column);
    resolve_default(draft, syntax, &column);
    return column;
}

void draft_convert_column(column_definition_t *column, charset_choice_t to, bool is_old)
{
    if (!is_text(column->type) || !column->charset || strcmp(column->charset, "binary") == 0 ||
        !to.charset)
        return;
    uint32_t old_size = charset_bytes_max(column->charset), size = charset_bytes_max(to.charset);
    column->charset = to.charset;
    column->collation = to.collation;
    if (strcmp(to.charset, "binary") == 0) {
        make_binary(column);
        return;
    }
    /* As many characters of an old column as before have to fit. */
    if (is_old && column->type >= COLUMN_TINYTEXT && column->type < COLUMN_LONGTEXT &&
        size > old_size)
        column->type = (column_type_t)(column->type + 1);
    column_syntax_t plain = {0};
    resolve_size(&plain, column);
}
