/* One column of a CREATE or ALTER TABLE: name, type, attributes. */
#include "common/filter/name_case.h"
#include "dispatcher/core/ddl/parser.h"
#include "dispatcher/core/ddl/text_builder.h"

static void set_literal(parser_t *parser, literal_t *literal, literal_kind_t kind, bytes_t text)
{
    literal->kind = kind;
    literal->text = bytes_of(arena_strndup(parser->arena, text.data, text.len), text.len);
}

static bool parse_signed_number(parser_t *parser, literal_t *literal)
{
    bool is_negative = false;
    while (parser_is_symbol(parser, 0, '-') || parser_is_symbol(parser, 0, '+')) {
        is_negative ^= parser_is_symbol(parser, 0, '-');
        parser_next(parser);
    }
    const token_t *token = parser_peek(parser, 0);
    if (token->kind != TOKEN_NUMBER)
        return false;
    const char *text = arena_printf(parser->arena, "%s%.*s", is_negative ? "-" : "",
                                    (int)token->value.len, (const char *)token->value.data);
    set_literal(parser, literal, LITERAL_NUMBER, bytes_of_text(text));
    parser_next(parser);
    return true;
}

/* now(), localtime(3), current_timestamp without parentheses: one spelling for all. */
static bool parse_now(parser_t *parser, literal_t *literal)
{
    static const char *const names[] = {"CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP",
                                        NULL};
    uint32_t digits = 0;
    if (parser_accept_any(parser, names) < 0)
        return false;
    if (!parser_optional_length(parser, &digits))
        return false;
    const char *text = digits > 0 ? arena_printf(parser->arena, "current_timestamp(%u)", digits)
                                  : "current_timestamp()";
    set_literal(parser, literal, LITERAL_EXPRESSION, bytes_of_text(text));
    return true;
}

static bool is_now(const parser_t *parser)
{
    return parser_is(parser, 0, "CURRENT_TIMESTAMP") || parser_is(parser, 0, "LOCALTIMESTAMP") ||
           parser_is(parser, 0, "LOCALTIME") ||
           (parser_is(parser, 0, "NOW") && parser_is_symbol(parser, 1, '('));
}

/* CASE … END */
static bool skip_case(parser_t *parser)
{
    uint32_t depth = 0;
    do {
        if (parser_at_end(parser))
            return false;
        if (parser_is(parser, 0, "CASE"))
            depth++;
        else if (parser_is(parser, 0, "END"))
            depth--;
        parser_next(parser);
    } while (depth > 0);
    return true;
}

/* ( value ), (( value )): the parentheses around a single value mean nothing. false: it is more
 * than that; the parser is where it was. */
static bool parse_wrapped(parser_t *parser, literal_t *literal)
{
    uint32_t from = parser->at, depth = 0;
    literal_t inner = {0};
    while (parser_accept_symbol(parser, '('))
        depth++;
    bool ok = parse_literal(parser, &inner);
    while (ok && depth > 0 && parser_accept_symbol(parser, ')'))
        depth--;
    if (ok && depth == 0) {
        *literal = inner;
        return true;
    }
    parser->at = from;
    return false;
}

/* An expression that needs no parentheses around it: ( … ), f(…), a.b, a variable, CASE … END, NEXT
 * VALUE FOR s. */
static bool parse_expression(parser_t *parser, literal_t *literal)
{
    uint32_t from = parser->at;
    bool ok = true;
    const char *ignored;
    if (parser_is_symbol(parser, 0, '(')) {
        ok = parser_parentheses(parser, NULL);
    } else if (parser_is(parser, 0, "CASE")) {
        ok = skip_case(parser);
    } else if (parser_accept3(parser, "NEXT", "VALUE", "FOR") ||
               parser_accept3(parser, "PREVIOUS", "VALUE", "FOR")) {
        object_name_t sequence;
        ok = parser_object(parser, &sequence);
    } else if (parser_peek(parser, 0)->kind == TOKEN_VARIABLE) {
        parser_next(parser);
    } else {
        ok = parser_name(parser, &ignored);
        while (ok && parser_accept_symbol(parser, '.'))
            ok = parser_name(parser, &ignored);
        if (ok && parser_is_symbol(parser, 0, '('))
            ok = parser_parentheses(parser, NULL);
    }
    if (!ok)
        return false;
    set_literal(parser, literal, LITERAL_EXPRESSION,
                bytes_of_text(parser_text_since(parser, from)));
    return true;
}

static bool is_temporal_literal(const parser_t *parser)
{
    return (parser_is(parser, 0, "DATE") || parser_is(parser, 0, "TIME") ||
            parser_is(parser, 0, "TIMESTAMP")) &&
           parser_peek(parser, 1)->kind == TOKEN_STRING;
}

bool parse_literal(parser_t *parser, literal_t *literal)
{
    const token_t *token = parser_peek(parser, 0);
    if (parser_accept(parser, "NULL")) {
        literal->kind = LITERAL_NULL;
        return true;
    }
    if (token->kind == TOKEN_NUMBER || token->kind == TOKEN_SYMBOL) {
        if (!parser_is_symbol(parser, 0, '('))
            return parse_signed_number(parser, literal);
    } else if (token->kind == TOKEN_HEX || token->kind == TOKEN_BITS) {
        set_literal(parser, literal, token->kind == TOKEN_HEX ? LITERAL_HEX : LITERAL_BITS,
                    token->value);
        parser_next(parser);
        return true;
    } else if (parser_is(parser, 0, "TRUE") || parser_is(parser, 0, "FALSE")) {
        bool is_true = parser_accept(parser, "TRUE");
        if (!is_true)
            parser_next(parser);
        set_literal(parser, literal, LITERAL_NUMBER, bytes_of_text(is_true ? "1" : "0"));
        return true;
    }
    if (parser_is_symbol(parser, 0, '(') && parse_wrapped(parser, literal))
        return true;
    if (is_temporal_literal(parser))
        parser_next(parser);
    if (parser_is_string(parser)) {
        bytes_t text;
        const char *ignored;
        if (!parser_string(parser, &text))
            return false;
        set_literal(parser, literal, LITERAL_STRING, text);
        return !parser_accept(parser, "COLLATE") || parser_name(parser, &ignored);
    }
    return is_now(parser) ? parse_now(parser, literal) : parse_expression(parser, literal);
}

static bool parse_reference_action(parser_t *parser, reference_action_t *action)
{
    if (parser_accept(parser, "CASCADE"))
        *action = REFERENCE_CASCADE;
    else if (parser_accept2(parser, "SET", "NULL"))
        *action = REFERENCE_SET_NULL;
    else if (parser_accept2(parser, "SET", "DEFAULT"))
        *action = REFERENCE_SET_DEFAULT;
    else if (parser_accept(parser, "RESTRICT") || parser_accept2(parser, "NO", "ACTION"))
        *action = REFERENCE_RESTRICT;
    else
        return false;
    return true;
}

bool parse_reference(parser_t *parser, foreign_key_syntax_t *key)
{
    if (!parser_accept(parser, "REFERENCES"))
        return false;
    bool is_qualified = parser_is_symbol(parser, 1, '.');
    if (!parser_object(parser, &key->referenced))
        return false;
    /* Without a schema the parent is looked for beside the child, not in the default schema. */
    if (!is_qualified)
        key->referenced.schema = NULL;
    if (parser_is_symbol(parser, 0, '(') &&
        !parser_name_list(parser, &key->referenced_columns, &key->referenced_count))
        return false;
    for (;;) {
        if (parser_accept2(parser, "ON", "DELETE")) {
            if (!parse_reference_action(parser, &key->on_delete))
                return false;
        } else if (parser_is(parser, 0, "ON") && parser_is(parser, 1, "UPDATE")) {
            parser->at += 2;
            if (!parse_reference_action(parser, &key->on_update))
                return false;
        } else if (parser_accept(parser, "MATCH")) {
            parser_next(parser);
        } else {
            return true;
        }
    }
}

static bool parse_generated(parser_t *parser, column_syntax_t *column)
{
    column_definition_t *written = &column->written;
    if (parser_accept2(parser, "ROW", "START")) {
        written->flags |= COLUMN_ROW_START;
        return true;
    }
    if (parser_accept2(parser, "ROW", "END")) {
        written->flags |= COLUMN_ROW_END;
        return true;
    }
    written->generated = GENERATED_VIRTUAL;
    if (!parser_parentheses(parser, &written->generated_expression))
        return false;
    if (parser_accept(parser, "PERSISTENT") || parser_accept(parser, "STORED"))
        written->generated = GENERATED_STORED;
    else
        parser_accept(parser, "VIRTUAL");
    return true;
}

/* UNSIGNED and such, which stand right behind the type. */
static bool parse_flag(parser_t *parser, column_syntax_t *column)
{
    column_definition_t *written = &column->written;
    if (parser_accept(parser, "UNSIGNED"))
        written->flags |= COLUMN_UNSIGNED;
    else if (parser_accept(parser, "ZEROFILL"))
        written->flags |= COLUMN_ZEROFILL | COLUMN_UNSIGNED;
    else if (parser_accept(parser, "INVISIBLE"))
        written->flags |= COLUMN_INVISIBLE;
    else if (parser_accept(parser, "AUTO_INCREMENT"))
        written->flags |= COLUMN_AUTO_INCREMENT;
    else if (parser_accept3(parser, "WITHOUT", "SYSTEM", "VERSIONING"))
        written->flags |= COLUMN_WITHOUT_VERSIONING;
    else if (parser_accept3(parser, "WITH", "SYSTEM", "VERSIONING"))
        column->is_versioned = true;
    else
        return parser_accept(parser, "SIGNED");
    return true;
}

static bool parse_column_key(parser_t *parser, column_syntax_t *column)
{
    if (parser_accept(parser, "UNIQUE")) {
        column->is_unique = true;
        parser_accept(parser, "KEY");
    } else if (parser_accept2(parser, "PRIMARY", "KEY") || parser_accept(parser, "KEY")) {
        column->is_primary = true;
    } else if (parser_accept3(parser, "SERIAL", "DEFAULT", "VALUE")) {
        column->is_unique = true;
        column->nullness = NULLNESS_NOT_NULL;
        column->written.flags |= COLUMN_AUTO_INCREMENT;
    } else {
        return false;
    }
    return true;
}

/* name = value of the storage engine, COMPRESSED, COLUMN_FORMAT, STORAGE, REF_SYSTEM_ID. */
static bool parse_engine_attribute(parser_t *parser, column_definition_t *written)
{
    const char *ignored;
    if (parser_accept(parser, "COMPRESSED")) {
        written->flags |= COLUMN_COMPRESSED;
        return !parser_accept_symbol(parser, '=') || parser_name(parser, &ignored);
    }
    if (parser_accept(parser, "COLUMN_FORMAT") || parser_accept(parser, "STORAGE")) {
        parser_next(parser);
        return true;
    }
    token_kind_t kind = parser_peek(parser, 0)->kind;
    if ((kind != TOKEN_WORD && kind != TOKEN_NAME) || !parser_is_symbol(parser, 1, '='))
        return false;
    parser->at += 2;
    parser_next(parser);
    return true;
}

/* Attributes with a value of their own. */
static bool parse_valued_attribute(parser_t *parser, column_syntax_t *column, bool *was_one)
{
    column_definition_t *written = &column->written;
    *was_one = true;
    if (parser_accept(parser, "DEFAULT"))
        return parse_literal(parser, &column->default_value);
    if (parser_is(parser, 0, "ON") && parser_is(parser, 1, "UPDATE")) {
        literal_t ignored;
        parser->at += 2;
        written->flags |= COLUMN_ON_UPDATE_NOW;
        return parse_now(parser, &ignored);
    }
    if (parser_accept(parser, "COMMENT")) {
        bytes_t text;
        if (!parser_string(parser, &text))
            return false;
        written->comment = text.len ? (const char *)text.data : NULL;
        return true;
    }
    if (parser_is(parser, 0, "CONSTRAINT")) {
        const char *ignored;
        parser_next(parser);
        if (!parser_is(parser, 0, "CHECK") && !parser_name(parser, &ignored))
            return false;
        return parser_is(parser, 0, "CHECK");
    }
    if (parser_accept(parser, "CHECK"))
        return parser_parentheses(parser, &written->check);
    if (parser_accept2(parser, "GENERATED", "ALWAYS"))
        return parser_accept(parser, "AS") && parse_generated(parser, column);
    if (parser_accept(parser, "AS"))
        return parse_generated(parser, column);
    if (parser_is(parser, 0, "REFERENCES")) {
        foreign_key_syntax_t *key = arena_zalloc(parser->arena, sizeof *key);
        const char **names = arena_calloc(parser->arena, 1, sizeof *names);
        names[0] = column->name;
        key->columns = names;
        key->column_count = 1;
        column->reference = key;
        return parse_reference(parser, key);
    }
    *was_one = false;
    return true;
}

bool parse_column(parser_t *parser, column_syntax_t *column)
{
    if (!parser_name(parser, &column->name) || !parse_type(parser, column))
        return false;
    while (!parser_at_end(parser) && !parser_is_symbol(parser, 0, ',') &&
           !parser_is_symbol(parser, 0, ')') && !parser_is(parser, 0, "FIRST") &&
           !parser_is(parser, 0, "AFTER") && !parser_is(parser, 0, "PARTITION") &&
           !parser_is(parser, 0, "REMOVE")) {
        bool was_one = false;
        if (parser_accept2(parser, "NOT", "NULL"))
            column->nullness = NULLNESS_NOT_NULL;
        else if (parser_accept(parser, "NULL"))
            column->nullness = NULLNESS_NULL;
        else if (parse_flag(parser, column) || parse_column_key(parser, column))
            continue;
        else if (!parse_column_charset(parser, column, &was_one))
            return false;
        else if (was_one)
            continue;
        else if (!parse_valued_attribute(parser, column, &was_one))
            return false;
        else if (!was_one && !parse_engine_attribute(parser, &column->written))
            return false;
    }
    return true;
}
