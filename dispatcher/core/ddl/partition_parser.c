/* PARTITION BY, and the partition clauses of ALTER TABLE. */
#include "dispatcher/core/ddl/parser.h"

static bool is_select_start(const parser_t *parser)
{
    return parser_is(parser, 0, "SELECT") || parser_is(parser, 0, "AS") ||
           parser_is(parser, 0, "IGNORE") || parser_is(parser, 0, "REPLACE") ||
           parser_is(parser, 0, "WITH") || parser_is(parser, 0, "VALUES");
}

bool parse_partition_by(parser_t *parser, list_t *actions)
{
    uint32_t from = parser->at;
    if (!parser_accept2(parser, "PARTITION", "BY"))
        return false;
    while (!parser_at_end(parser)) {
        if (parser_is_symbol(parser, 0, '(')) {
            if (!parser_parentheses(parser, NULL))
                return false;
        } else if (is_select_start(parser)) {
            break;
        } else {
            parser_next(parser);
        }
    }
    add_action(parser, actions, ACTION_PARTITION_BY)->text = parser_text_since(parser, from);
    return true;
}

bool parse_partition_names(parser_t *parser, table_action_t *action)
{
    list_t names = {0};
    if (parser_accept(parser, "ALL"))
        return true;
    do {
        const char **name = list_add(&names, sizeof *name, parser->arena);
        if (!parser_name(parser, name))
            return false;
    } while (parser_accept_symbol(parser, ','));
    action->names = names.items;
    action->name_count = names.count;
    return true;
}

/* NO_WRITE_TO_BINLOG | LOCAL */
static void skip_binlog_words(parser_t *parser)
{
    if (!parser_accept(parser, "NO_WRITE_TO_BINLOG"))
        parser_accept(parser, "LOCAL");
}

bool parse_add_partition(parser_t *parser, list_t *actions)
{
    table_action_t *action = add_action(parser, actions, ACTION_ADD_PARTITION);
    action->if_not_exists = parser_if_not_exists(parser);
    skip_binlog_words(parser);
    if (parser_accept(parser, "PARTITIONS"))
        return parser_number(parser, &action->number);
    return parser_parentheses(parser, &action->text);
}

bool parse_convert_partition(parser_t *parser, list_t *actions)
{
    bool from_table = parser_accept(parser, "TABLE");
    if (!from_table && !parser_accept(parser, "PARTITION"))
        return false;
    table_action_t *action = add_action(
        parser, actions, from_table ? ACTION_TABLE_TO_PARTITION : ACTION_PARTITION_TO_TABLE);
    const char **names = arena_calloc(parser->arena, 1, sizeof *names);
    action->names = names;
    action->name_count = 1;
    if (!from_table)
        return parser_name(parser, &names[0]) && parser_accept2(parser, "TO", "TABLE") &&
               parser_object(parser, &action->table);
    if (!parser_object(parser, &action->table) || !parser_accept(parser, "TO"))
        return false;
    uint32_t from = parser->at;
    if (!parser_accept(parser, "PARTITION") || !parser_name(parser, &names[0]))
        return false;
    while (!parser_at_end(parser) && !parser_is_symbol(parser, 0, ',') &&
           !parser_is(parser, 0, "WITH") && !parser_is(parser, 0, "WITHOUT")) {
        if (!parser_is_symbol(parser, 0, '('))
            parser_next(parser);
        else if (!parser_parentheses(parser, NULL))
            return false;
    }
    action->text = parser_text_since(parser, from);
    parser_accept2(parser, "WITH", "VALIDATION");
    parser_accept2(parser, "WITHOUT", "VALIDATION");
    return true;
}

static bool parse_exchange(parser_t *parser, list_t *actions)
{
    table_action_t *action = add_action(parser, actions, ACTION_EXCHANGE_PARTITION);
    const char **names = arena_calloc(parser->arena, 1, sizeof *names);
    action->names = names;
    action->name_count = 1;
    if (!parser_name(parser, &names[0]) || !parser_accept2(parser, "WITH", "TABLE") ||
        !parser_object(parser, &action->table))
        return false;
    parser_accept2(parser, "WITH", "VALIDATION");
    parser_accept2(parser, "WITHOUT", "VALIDATION");
    return true;
}

static bool parse_reorganize(parser_t *parser, list_t *actions)
{
    table_action_t *action = add_action(parser, actions, ACTION_REORGANIZE_PARTITION);
    skip_binlog_words(parser);
    if (parser_at_end(parser))
        return true;
    return parse_partition_names(parser, action) && parser_accept(parser, "INTO") &&
           parser_parentheses(parser, &action->text);
}

/* TRUNCATE, COALESCE, EXCHANGE, REORGANIZE, REMOVE and the maintenance of partitions. *was_one. */
bool parse_partition_clause(parser_t *parser, list_t *actions, bool *was_one)
{
    static const char *const maintenance[] = {"ANALYZE", "CHECK",   "OPTIMIZE",
                                              "REPAIR",  "REBUILD", NULL};
    *was_one = true;
    if (parser_accept2(parser, "REMOVE", "PARTITIONING")) {
        add_action(parser, actions, ACTION_REMOVE_PARTITIONING);
        return true;
    }
    if (parser_is(parser, 0, "PARTITION") && parser_is(parser, 1, "BY"))
        return parse_partition_by(parser, actions);
    *was_one = parser_is(parser, 1, "PARTITION");
    if (!*was_one)
        return true;
    if (parser_accept2(parser, "TRUNCATE", "PARTITION"))
        return parse_partition_names(parser,
                                     add_action(parser, actions, ACTION_TRUNCATE_PARTITION));
    if (parser_accept2(parser, "COALESCE", "PARTITION")) {
        skip_binlog_words(parser);
        return parser_number(parser,
                             &add_action(parser, actions, ACTION_COALESCE_PARTITION)->number);
    }
    if (parser_accept2(parser, "EXCHANGE", "PARTITION"))
        return parse_exchange(parser, actions);
    if (parser_accept2(parser, "REORGANIZE", "PARTITION"))
        return parse_reorganize(parser, actions);
    int index = parser_accept_any(parser, maintenance);
    *was_one = index >= 0;
    if (!*was_one)
        return true;
    parser_next(parser);
    table_action_t *action = add_action(parser, actions, ACTION_PARTITION_MAINTENANCE);
    action->text = maintenance[index];
    skip_binlog_words(parser);
    if (!parse_partition_names(parser, action))
        return false;
    static const char *const words[] = {"QUICK",   "FAST",    "MEDIUM", "EXTENDED",
                                        "CHANGED", "USE_FRM", NULL};
    while (parser_accept_any(parser, words) >= 0)
        continue;
    return true;
}
