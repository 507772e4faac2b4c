/* Tokens written as text again. */
#include "dispatcher/core/ddl/sql_token.h"
#include "dispatcher/core/ddl/text_builder.h"

const char *sql_tokens_text(const token_list_t *list, uint32_t from, uint32_t to, arena_t *arena)
{
    text_builder_t builder;
    text_builder_init(&builder, arena);
    for (uint32_t i = from; i < to; i++) {
        const token_t *token = &list->tokens[i];
        if (i > from && token->is_spaced)
            text_add_char(&builder, ' ');
        if (token->kind == TOKEN_NAME)
            text_add_identifier(&builder,
                                arena_strndup(arena, token->value.data, token->value.len));
        else if (token->kind == TOKEN_STRING)
            text_add_literal(&builder, token->value);
        else
            text_add_bytes(&builder, list->text.data + token->begin, token->end - token->begin);
    }
    return text_finish(&builder);
}

const char *sql_string_literal(bytes_t value, arena_t *arena)
{
    text_builder_t builder;
    text_builder_init(&builder, arena);
    text_add_literal(&builder, value);
    return text_finish(&builder);
}
