#include "dispatcher/core/ddl/parser.h"

#include <stdlib.h>

#include "common/filter/name_case.h"
#include "dispatcher/core/ddl/text_builder.h"

const token_t *parser_peek(const parser_t *parser, uint32_t ahead)
{
    uint64_t index = (uint64_t)parser->at + ahead;
    uint32_t last = parser->list.count - 1;
    return &parser->list.tokens[index < last ? index : last];
}

void parser_next(parser_t *parser)
{
    if (parser->at + 1 < parser->list.count)
        parser->at++;
}

bool parser_is_symbol(const parser_t *parser, uint32_t ahead, char symbol)
{
    const token_t *token = parser_peek(parser, ahead);
    return token->kind == TOKEN_SYMBOL && token->value.data[0] == (uint8_t)symbol;
}

bool parser_at_end(const parser_t *parser)
{
    uint32_t ahead = 0;
    while (parser_is_symbol(parser, ahead, ';'))
        ahead++;
    return parser_peek(parser, ahead)->kind == TOKEN_END;
}

bool parser_is(const parser_t *parser, uint32_t ahead, const char *word)
{
    const token_t *token = parser_peek(parser, ahead);
    return token->kind == TOKEN_WORD && name_equal_ascii(token->value, word);
}

bool parser_accept(parser_t *parser, const char *word)
{
    if (!parser_is(parser, 0, word))
        return false;
    parser_next(parser);
    return true;
}

bool parser_accept2(parser_t *parser, const char *first, const char *second)
{
    if (!parser_is(parser, 0, first) || !parser_is(parser, 1, second))
        return false;
    parser->at += 2;
    return true;
}

bool parser_accept3(parser_t *parser, const char *first, const char *second, const char *third)
{
    if (!parser_is(parser, 0, first) || !parser_is(parser, 1, second) ||
        !parser_is(parser, 2, third))
        return false;
    parser->at += 3;
    return true;
}

int parser_accept_any(parser_t *parser, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (parser_accept(parser, words[i]))
            return i;
    return -1;
}

bool parser_accept_symbol(parser_t *parser, char symbol)
{
    if (!parser_is_symbol(parser, 0, symbol))
        return false;
    parser_next(parser);
    return true;
}

bool parser_name(parser_t *parser, const char **name)
{
    const token_t *token = parser_peek(parser, 0);
    if (token->kind != TOKEN_WORD && token->kind != TOKEN_NAME)
        return false;
    *name = arena_strndup(parser->arena, token->value.data, token->value.len);
    parser_next(parser);
    return true;
}

const char *parser_fold(const parser_t *parser, const char *name)
{
    if (!parser->options->lower_case_names)
        return name;
    char *folded = arena_strdup(parser->arena, name);
    name_fold(bytes_of_text(folded), (uint8_t *)folded);
    return folded;
}

bool parser_object(parser_t *parser, object_name_t *object)
{
    const char *name;
    object->schema = parser->options->default_schema;
    if (!parser_name(parser, &name))
        return false;
    if (parser_accept_symbol(parser, '.')) {
        object->schema = name;
        if (!parser_name(parser, &name))
            return false;
    }
    object->schema = parser_fold(parser, object->schema);
    object->name = parser_fold(parser, name);
    return true;
}

bool parser_name_list(parser_t *parser, const char *const **names, uint32_t *count)
{
    list_t list = {0};
    if (!parser_accept_symbol(parser, '('))
        return false;
    do {
        const char **name = list_add(&list, sizeof *name, parser->arena);
        if (!parser_name(parser, name))
            return false;
    } while (parser_accept_symbol(parser, ','));
    *names = list.items;
    *count = list.count;
    return parser_accept_symbol(parser, ')');
}

bool parser_number(parser_t *parser, uint32_t *number)
{
    const token_t *token = parser_peek(parser, 0);
    if (token->kind != TOKEN_NUMBER || token->value.len > 20)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < token->value.len; i++) {
        uint8_t digit = token->value.data[i];
        if (digit < '0' || digit > '9')
            return false;
        value = value * 10 + (digit - '0');
        if (value > UINT32_MAX)
            value = UINT32_MAX;
    }
    *number = (uint32_t)value;
    parser_next(parser);
    return true;
}

bool parser_optional_length(parser_t *parser, uint32_t *number)
{
    if (!parser_accept_symbol(parser, '('))
        return true;
    if (parser_accept_symbol(parser, ')'))
        return true;
    return parser_number(parser, number) && parser_accept_symbol(parser, ')');
}

/* _utf8mb4'…' */
static bool is_introducer(const parser_t *parser)
{
    const token_t *token = parser_peek(parser, 0);
    token_kind_t next = parser_peek(parser, 1)->kind;
    return token->kind == TOKEN_WORD && token->value.len > 1 && token->value.data[0] == '_' &&
           (next == TOKEN_STRING || next == TOKEN_HEX || next == TOKEN_BITS);
}

bool parser_is_string(const parser_t *parser)
{
    return parser_peek(parser, 0)->kind == TOKEN_STRING || is_introducer(parser);
}

static uint8_t hex_value(uint8_t digit)
{
    return (uint8_t)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
}

static void add_hex(text_builder_t *text, bytes_t digits)
{
    size_t i = 0;
    if (digits.len % 2)
        text_add_char(text, (char)hex_value(digits.data[i++]));
    for (; i + 1 < digits.len; i += 2)
        text_add_char(text, (char)(hex_value(digits.data[i]) << 4 | hex_value(digits.data[i + 1])));
}

bool parser_string(parser_t *parser, bytes_t *text)
{
    text_builder_t builder;
    text_builder_init(&builder, parser->arena);
    if (is_introducer(parser))
        parser_next(parser);
    const token_t *token = parser_peek(parser, 0);
    if (token->kind == TOKEN_HEX) {
        add_hex(&builder, token->value);
        parser_next(parser);
    } else if (token->kind != TOKEN_STRING) {
        return false;
    }
    for (; parser_peek(parser, 0)->kind == TOKEN_STRING; parser_next(parser)) {
        token = parser_peek(parser, 0);
        text_add_bytes(&builder, token->value.data, token->value.len);
    }
    const char *data = text_finish(&builder);
    *text = bytes_of(data, builder.len);
    return true;
}

const char *parser_text_since(const parser_t *parser, uint32_t from)
{
    return sql_tokens_text(&parser->list, from, parser->at, parser->arena);
}

bool parser_parentheses(parser_t *parser, const char **text)
{
    if (!parser_accept_symbol(parser, '('))
        return false;
    uint32_t from = parser->at, depth = 1;
    for (; parser_peek(parser, 0)->kind != TOKEN_END; parser_next(parser)) {
        if (parser_is_symbol(parser, 0, '('))
            depth++;
        else if (parser_is_symbol(parser, 0, ')') && --depth == 0)
            break;
    }
    if (depth > 0)
        return false;
    if (text)
        *text = parser_text_since(parser, from);
    parser_next(parser);
    return true;
}

bool parser_if_exists(parser_t *parser)
{
    return parser_accept2(parser, "IF", "EXISTS");
}

bool parser_if_not_exists(parser_t *parser)
{
    return parser_accept3(parser, "IF", "NOT", "EXISTS");
}

void *list_add(list_t *list, size_t size, arena_t *arena)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity ? list->capacity * 2 : 8;
        void *items = arena_calloc(arena, capacity, size);
        if (list->count > 0)
            memcpy(items, list->items, list->count * size);
        list->items = items;
        list->capacity = capacity;
    }
    void *item = (char *)list->items + list->count * size;
    list->count++;
    return item;
}

table_action_t *add_action(parser_t *parser, list_t *actions, table_action_kind_t kind)
{
    table_action_t *action = list_add(actions, sizeof *action, parser->arena);
    action->kind = kind;
    return action;
}
