#include "dispatcher/core/ddl/partitioning.h"

#include <strings.h>

#include "dispatcher/core/ddl/parser.h"
#include "dispatcher/core/ddl/text_builder.h"

static const statement_options_t plain_options = {.default_schema = ""};

static bool open_text(parser_t *parser, const char *text, arena_t *arena)
{
    *parser = (parser_t){.arena = arena, .options = &plain_options};
    return sql_tokenize(bytes_of_text(text), 0, 0, arena, &parser->list) == SLUICE_OK;
}

static void add_token_text(parser_t *parser, text_builder_t *text)
{
    const token_t *token = parser_peek(parser, 0);
    if (text->len > 0 && token->is_spaced)
        text_add_char(text, ' ');
    text_add(text, sql_tokens_text(&parser->list, parser->at, parser->at + 1, parser->arena));
    parser_next(parser);
}

/* ENGINE = x says nothing about rows, and a sink has its own. */
static bool skip_engine(parser_t *parser)
{
    if (!parser_accept(parser, "ENGINE") && !parser_accept2(parser, "STORAGE", "ENGINE"))
        return false;
    parser_accept_symbol(parser, '=');
    parser_next(parser);
    return true;
}

/* Up to a ',' outside parentheses, or the end. */
static const char *element_text(parser_t *parser)
{
    text_builder_t text;
    text_builder_init(&text, parser->arena);
    uint32_t depth = 0;
    while (!parser_at_end(parser) && (depth > 0 || !parser_is_symbol(parser, 0, ','))) {
        if (skip_engine(parser))
            continue;
        if (parser_is_symbol(parser, 0, '('))
            depth++;
        else if (parser_is_symbol(parser, 0, ')') && depth > 0)
            depth--;
        add_token_text(parser, &text);
    }
    return text_finish(&text);
}

bool partitioning_parse_list(const char *text, arena_t *arena, partition_t **partitions,
                             uint32_t *count)
{
    parser_t parser;
    list_t list = {0};
    if (!open_text(&parser, text, arena))
        return false;
    do {
        partition_t *partition = list_add(&list, sizeof *partition, arena);
        if (!parser_accept(&parser, "PARTITION") || !parser_name(&parser, &partition->name))
            return false;
        partition->text = element_text(&parser);
    } while (parser_accept_symbol(&parser, ','));
    *partitions = list.items;
    *count = list.count;
    return parser_at_end(&parser);
}

bool partitioning_parse(const char *text, arena_t *arena, partitioning_t *partitioning)
{
    parser_t parser;
    text_builder_t head;
    *partitioning = (partitioning_t){0};
    text_builder_init(&head, arena);
    if (!open_text(&parser, text, arena))
        return false;
    uint32_t depth = 0;
    while (!parser_at_end(&parser)) {
        if (depth == 0 && parser_is_symbol(&parser, 0, '(') && parser_is(&parser, 1, "PARTITION"))
            break;
        if (depth == 0 && parser_accept(&parser, "PARTITIONS")) {
            if (!parser_number(&parser, &partitioning->number))
                return false;
            continue;
        }
        if (parser_is_symbol(&parser, 0, '('))
            depth++;
        else if (parser_is_symbol(&parser, 0, ')') && depth > 0)
            depth--;
        add_token_text(&parser, &head);
    }
    partitioning->head = text_finish(&head);
    if (parser_at_end(&parser))
        return true;
    const char *list;
    return parser_parentheses(&parser, &list) && parser_at_end(&parser) &&
           partitioning_parse_list(list, arena, &partitioning->partitions,
                                   &partitioning->partition_count);
}

const char *partitioning_text(const partitioning_t *partitioning, arena_t *arena)
{
    text_builder_t text;
    text_builder_init(&text, arena);
    text_add(&text, partitioning->head);
    if (partitioning->number > 0 && partitioning->partition_count == 0)
        text_add_format(&text, " PARTITIONS %u", partitioning->number);
    for (uint32_t i = 0; i < partitioning->partition_count; i++) {
        text_add(&text, i == 0 ? " (PARTITION " : ", PARTITION ");
        text_add_identifier(&text, partitioning->partitions[i].name);
        if (*partitioning->partitions[i].text)
            text_add_char(&text, ' ');
        text_add(&text, partitioning->partitions[i].text);
    }
    if (partitioning->partition_count > 0)
        text_add_char(&text, ')');
    return text_finish(&text);
}

int partitioning_find(const partitioning_t *partitioning, const char *name)
{
    for (uint32_t i = 0; i < partitioning->partition_count; i++)
        if (strcasecmp(partitioning->partitions[i].name, name) == 0)
            return (int)i;
    return -1;
}
