/* Periods and options of a table, which a definition keeps as text. */
#include <strings.h>

#include "common/filter/name_case.h"
#include "dispatcher/core/ddl/draft.h"
#include "dispatcher/core/ddl/text_builder.h"

static void open_text(draft_t *draft, parser_t *parser, const char *text)
{
    static const statement_options_t plain = {.default_schema = ""};
    *parser = (parser_t){.arena = draft->arena, .options = &plain};
    if (!text || sql_tokenize(bytes_of_text(text), 0, 0, draft->arena, &parser->list) != SLUICE_OK)
        (void)!sql_tokenize(bytes_of_text(""), 0, 0, draft->arena, &parser->list);
}

void draft_read_periods(draft_t *draft, const char *text)
{
    parser_t parser;
    open_text(draft, &parser, text);
    while (parser_accept2(&parser, "PERIOD", "FOR")) {
        draft_period_t period;
        if (!parser_name(&parser, &period.name) || !parser_accept_symbol(&parser, '(') ||
            !parser_name(&parser, &period.start) || !parser_accept_symbol(&parser, ',') ||
            !parser_name(&parser, &period.end) || !parser_accept_symbol(&parser, ')'))
            return;
        *(draft_period_t *)list_add(&draft->periods, sizeof period, draft->arena) = period;
        parser_accept_symbol(&parser, ',');
    }
}

const char *draft_periods_text(draft_t *draft)
{
    const draft_period_t *periods = draft->periods.items;
    text_builder_t text;
    text_builder_init(&text, draft->arena);
    for (uint32_t i = 0; i < draft->periods.count; i++) {
        text_add(&text, i == 0 ? "PERIOD FOR " : ", PERIOD FOR ");
        text_add_identifier(&text, periods[i].name);
        text_add(&text, " (");
        text_add_identifier(&text, periods[i].start);
        text_add(&text, ", ");
        text_add_identifier(&text, periods[i].end);
        text_add(&text, ")");
    }
    return text.len ? text_finish(&text) : NULL;
}

/* The system's period follows from its columns; others make theirs NOT NULL. */
void draft_change_periods(draft_t *draft, const table_action_t *action)
{
    draft_period_t *periods = draft->periods.items;
    if (strcasecmp(action->name, "SYSTEM_TIME") == 0)
        return;
    uint32_t at = 0;
    while (at < draft->periods.count && strcasecmp(periods[at].name, action->name) != 0)
        at++;
    bool exists = at < draft->periods.count;
    if (action->kind == ACTION_DROP_PERIOD && exists) {
        periods[at] = periods[--draft->periods.count];
    } else if (action->kind == ACTION_ADD_PERIOD && !exists) {
        draft_period_t *period = list_add(&draft->periods, sizeof *period, draft->arena);
        *period = (draft_period_t){action->name, action->text, action->new_name};
    }
}

void draft_finish_periods(draft_t *draft)
{
    const draft_period_t *periods = draft->periods.items;
    for (uint32_t i = 0; i < draft->periods.count * 2; i++) {
        const char *name = i % 2 ? periods[i / 2].end : periods[i / 2].start;
        uint32_t place = draft_find_column(draft, name);
        if (place == DRAFT_NOWHERE)
            continue;
        column_definition_t *column = &draft_column(draft, place)->definition;
        column->flags |= COLUMN_NOT_NULL;
        if (column->default_kind == DEFAULT_NULL)
            column->default_kind = DEFAULT_NONE;
    }
}

/* What a copy elsewhere must not take over: places on the source's disk, counters. */
static bool is_kept_option(const char *name)
{
    static const char *const left_out[] = {"AUTO_INCREMENT", "DATA DIRECTORY", "INDEX DIRECTORY",
                                           "CONNECTION",     "UNION",          "INSERT_METHOD",
                                           "TABLESPACE",     "PASSWORD",       "SEQUENCE"};
    for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++)
        if (strcasecmp(name, left_out[i]) == 0)
            return false;
    return true;
}

void draft_set_option(draft_t *draft, const char *name, const char *value)
{
    option_syntax_t *options = draft->options.items;
    if (!is_kept_option(name))
        return;
    for (uint32_t i = 0; i < draft->options.count; i++) {
        if (strcasecmp(options[i].name, name) == 0) {
            options[i].value = value;
            return;
        }
    }
    option_syntax_t *option = list_add(&draft->options, sizeof *option, draft->arena);
    *option = (option_syntax_t){name, value};
}

void draft_read_options(draft_t *draft, const char *text)
{
    parser_t parser;
    const char *name;
    open_text(draft, &parser, text);
    while (parser_name(&parser, &name) && parser_accept_symbol(&parser, '=')) {
        uint32_t from = parser.at;
        parser_next(&parser);
        draft_set_option(draft, name, parser_text_since(&parser, from));
    }
}

static bool is_plain_word(const char *name)
{
    for (; *name; name++)
        if (!(*name == '_' || (*name >= 'A' && *name <= 'Z') || (*name >= 'a' && *name <= 'z')))
            return false;
    return true;
}

const char *draft_options_text(draft_t *draft)
{
    const option_syntax_t *options = draft->options.items;
    text_builder_t text;
    text_builder_init(&text, draft->arena);
    for (uint32_t i = 0; i < draft->options.count; i++) {
        if (name_equal_ascii(bytes_of_text(options[i].value), "DEFAULT"))
            continue;
        if (text.len > 0)
            text_add_char(&text, ' ');
        if (is_plain_word(options[i].name))
            text_add(&text, options[i].name);
        else
            text_add_identifier(&text, options[i].name);
        text_add_char(&text, '=');
        text_add(&text, options[i].value);
    }
    return text.len ? text_finish(&text) : NULL;
}
