/* Checks, generated columns and default expressions name columns, and follow them. */
#include <strings.h>

#include "dispatcher/core/ddl/draft.h"
#include "dispatcher/core/ddl/text_builder.h"

/* The new name of a column of the table as it was; NULL if it keeps its own. */
static const char *new_name_of(const draft_t *draft, bytes_t name)
{
    int index = table_definition_find_column(draft->before, name);
    if (index < 0)
        return NULL;
    const char *now = draft_column(draft, (uint32_t)index)->definition.name;
    return strcasecmp(now, draft->before->columns[index].name) != 0 ? now : NULL;
}

static const char *rename_in(draft_t *draft, const char *expression)
{
    static const statement_options_t plain = {.default_schema = ""};
    parser_t parser = {.arena = draft->arena, .options = &plain};
    text_builder_t text;
    if (!expression ||
        sql_tokenize(bytes_of_text(expression), 0, 0, draft->arena, &parser.list) != SLUICE_OK)
        return expression;
    text_builder_init(&text, draft->arena);
    for (; parser_peek(&parser, 0)->kind != TOKEN_END; parser_next(&parser)) {
        const token_t *token = parser_peek(&parser, 0);
        bool is_name = (token->kind == TOKEN_WORD && !parser_is_symbol(&parser, 1, '(')) ||
                       token->kind == TOKEN_NAME;
        const char *renamed = is_name ? new_name_of(draft, token->value) : NULL;
        if (token->is_spaced)
            text_add_char(&text, ' ');
        if (renamed)
            text_add_identifier(&text, renamed);
        else
            text_add(&text, sql_tokens_text(&parser.list, parser.at, parser.at + 1, draft->arena));
    }
    return text_finish(&text);
}

static bool renames_columns(const draft_t *draft)
{
    for (uint32_t i = 0; draft->before && i < draft->before->column_count; i++)
        if (new_name_of(draft, bytes_of_text(draft->before->columns[i].name)))
            return true;
    return false;
}

void draft_rename_in_expressions(draft_t *draft)
{
    if (!renames_columns(draft))
        return;
    draft_check_t *checks = draft->checks.items;
    for (uint32_t i = 0; i < draft->checks.count; i++)
        checks[i].expression = rename_in(draft, checks[i].expression);
    for (uint32_t i = 0; i < draft->columns.count; i++) {
        draft_column_t *column = draft_column(draft, i);
        if (column->is_written)
            continue;
        column->definition.check = rename_in(draft, column->definition.check);
        column->definition.generated_expression =
            rename_in(draft, column->definition.generated_expression);
        if (column->definition.default_kind == DEFAULT_EXPRESSION)
            column->definition.default_value = rename_in(draft, column->definition.default_value);
    }
}
