/* The clauses of ALTER TABLE. */
#include "dispatcher/core/ddl/parser.h"

static bool parse_place(parser_t *parser, column_syntax_t *column)
{
    if (parser_accept(parser, "FIRST"))
        column->place = PLACE_FIRST;
    else if (parser_accept(parser, "AFTER")) {
        column->place = PLACE_AFTER;
        return parser_name(parser, &column->after);
    }
    return true;
}

static bool parse_placed_column(parser_t *parser, table_action_t *action)
{
    column_syntax_t *column = arena_zalloc(parser->arena, sizeof *column);
    action->column = column;
    return parse_column(parser, column) && parse_place(parser, column);
}

/* ADD COLUMN (a INT, KEY (a), …) */
static bool parse_add_list(parser_t *parser, list_t *actions)
{
    parser_next(parser);
    do {
        bool was_one = false;
        if (!parse_constraint(parser, actions, &was_one))
            return false;
        if (was_one)
            continue;
        table_action_t action = {.kind = ACTION_ADD_COLUMN};
        if (!parse_placed_column(parser, &action))
            return false;
        *add_action(parser, actions, ACTION_ADD_COLUMN) = action;
    } while (parser_accept_symbol(parser, ','));
    return parser_accept_symbol(parser, ')');
}

static bool parse_add(parser_t *parser, list_t *actions)
{
    bool was_one = false;
    if (parser_accept(parser, "PARTITION"))
        return parse_add_partition(parser, actions);
    if (parser_accept2(parser, "SYSTEM", "VERSIONING")) {
        add_action(parser, actions, ACTION_ADD_VERSIONING);
        return true;
    }
    bool is_column = parser_accept(parser, "COLUMN");
    if (!is_column && !parse_constraint(parser, actions, &was_one))
        return false;
    if (was_one)
        return true;
    bool if_not_exists = parser_if_not_exists(parser);
    if (parser_is_symbol(parser, 0, '('))
        return parse_add_list(parser, actions);
    table_action_t action = {.kind = ACTION_ADD_COLUMN, .if_not_exists = if_not_exists};
    if (!parse_placed_column(parser, &action))
        return false;
    *add_action(parser, actions, ACTION_ADD_COLUMN) = action;
    return true;
}

/* ALTER [COLUMN] c SET DEFAULT …, DROP DEFAULT; ALTER INDEX i IGNORED */
static bool parse_alter(parser_t *parser, list_t *actions)
{
    if (parser_accept(parser, "INDEX") || parser_accept(parser, "KEY")) {
        table_action_t *action = add_action(parser, actions, ACTION_IGNORE_KEY);
        action->if_exists = parser_if_exists(parser);
        if (!parser_name(parser, &action->name))
            return false;
        if (parser_accept(parser, "NOT"))
            action->kind = ACTION_USE_KEY;
        return parser_accept(parser, "IGNORED");
    }
    parser_accept(parser, "COLUMN");
    table_action_t *action = add_action(parser, actions, ACTION_SET_DEFAULT);
    action->if_exists = parser_if_exists(parser);
    if (!parser_name(parser, &action->name))
        return false;
    if (parser_accept2(parser, "SET", "DEFAULT"))
        return parse_literal(parser, &action->default_value);
    action->kind = ACTION_DROP_DEFAULT;
    return parser_accept2(parser, "DROP", "DEFAULT");
}

static bool parse_change(parser_t *parser, list_t *actions)
{
    table_action_t *action = add_action(parser, actions, ACTION_CHANGE_COLUMN);
    parser_accept(parser, "COLUMN");
    action->if_exists = parser_if_exists(parser);
    return parser_name(parser, &action->name) && parse_placed_column(parser, action);
}

static bool parse_modify(parser_t *parser, list_t *actions)
{
    table_action_t *action = add_action(parser, actions, ACTION_MODIFY_COLUMN);
    parser_accept(parser, "COLUMN");
    action->if_exists = parser_if_exists(parser);
    if (!parse_placed_column(parser, action))
        return false;
    action->name = action->column->name;
    return true;
}

static table_action_kind_t drop_kind(parser_t *parser)
{
    if (parser_accept2(parser, "FOREIGN", "KEY"))
        return ACTION_DROP_FOREIGN_KEY;
    if (parser_accept(parser, "INDEX") || parser_accept(parser, "KEY"))
        return ACTION_DROP_KEY;
    if (parser_accept(parser, "CONSTRAINT") || parser_accept(parser, "CHECK"))
        return ACTION_DROP_CONSTRAINT;
    if (parser_accept2(parser, "PERIOD", "FOR"))
        return ACTION_DROP_PERIOD;
    parser_accept(parser, "COLUMN");
    return ACTION_DROP_COLUMN;
}

static bool parse_drop(parser_t *parser, list_t *actions)
{
    if (parser_accept2(parser, "PRIMARY", "KEY")) {
        add_action(parser, actions, ACTION_DROP_PRIMARY_KEY);
        return true;
    }
    if (parser_accept2(parser, "SYSTEM", "VERSIONING")) {
        add_action(parser, actions, ACTION_DROP_VERSIONING);
        return true;
    }
    if (parser_accept(parser, "PARTITION")) {
        table_action_t *action = add_action(parser, actions, ACTION_DROP_PARTITION);
        action->if_exists = parser_if_exists(parser);
        return parse_partition_names(parser, action);
    }
    table_action_kind_t kind = drop_kind(parser);
    table_action_t *action = add_action(parser, actions, kind);
    action->if_exists = parser_if_exists(parser);
    if (!parser_name(parser, &action->name))
        return false;
    if (!parser_accept(parser, "RESTRICT"))
        parser_accept(parser, "CASCADE");
    return true;
}

static bool parse_rename(parser_t *parser, list_t *actions)
{
    bool is_column = parser_accept(parser, "COLUMN");
    bool is_key = !is_column && ((parser_is(parser, 0, "INDEX") || parser_is(parser, 0, "KEY")));
    if (is_key)
        parser_next(parser);
    if (!is_column && !is_key) {
        if (!parser_accept(parser, "TO") && !parser_accept(parser, "AS"))
            parser_accept_symbol(parser, '=');
        return parser_object(parser, &add_action(parser, actions, ACTION_RENAME_TABLE)->table);
    }
    table_action_t *action =
        add_action(parser, actions, is_column ? ACTION_RENAME_COLUMN : ACTION_RENAME_KEY);
    action->if_exists = parser_if_exists(parser);
    return parser_name(parser, &action->name) && parser_accept(parser, "TO") &&
           parser_name(parser, &action->new_name);
}

static bool parse_convert_charset(parser_t *parser, list_t *actions)
{
    table_action_t *action = add_action(parser, actions, ACTION_CONVERT_CHARSET);
    if (!parser_accept(parser, "CHARSET") && !parser_accept2(parser, "CHARACTER", "SET"))
        return false;
    if (!parser_accept(parser, "DEFAULT") && !parse_charset_name(parser, &action->charset))
        return false;
    if (!parser_accept(parser, "COLLATE"))
        return true;
    if (!parse_charset_name(parser, &action->collation))
        return false;
    action->collation = collation_normalise(bytes_of_text(action->collation), parser->arena);
    return true;
}

static bool parse_convert(parser_t *parser, list_t *actions)
{
    return parser_accept(parser, "TO") ? parse_convert_charset(parser, actions)
                                       : parse_convert_partition(parser, actions);
}

/* ORDER BY a, b DESC: its commas are no commas of the ALTER. */
static bool parse_order_by(parser_t *parser)
{
    do {
        const char *ignored;
        do {
            if (!parser_name(parser, &ignored))
                return false;
        } while (parser_accept_symbol(parser, '.'));
        if (!parser_accept(parser, "ASC"))
            parser_accept(parser, "DESC");
    } while (parser_is_symbol(parser, 0, ',') &&
             (parser_is_symbol(parser, 2, ',') || parser_is_symbol(parser, 2, ';') ||
              parser_is_symbol(parser, 2, '.') || parser_is(parser, 2, "ASC") ||
              parser_is(parser, 2, "DESC") || parser_peek(parser, 2)->kind == TOKEN_END) &&
             parser_accept_symbol(parser, ','));
    return true;
}

/* What leaves the definition as it is. *was_one. */
static bool parse_idle_clause(parser_t *parser, list_t *actions, bool *was_one)
{
    bool is_valued = parser_is(parser, 0, "ALGORITHM") || parser_is(parser, 0, "LOCK");
    *was_one = true;
    if (is_valued) {
        parser_next(parser);
        parser_accept_symbol(parser, '=');
        parser_next(parser);
    } else if (parser_accept2(parser, "ORDER", "BY")) {
        if (!parse_order_by(parser))
            return false;
    } else if (!parser_accept(parser, "FORCE") && !parser_accept2(parser, "DISABLE", "KEYS") &&
               !parser_accept2(parser, "ENABLE", "KEYS") &&
               !parser_accept2(parser, "WITH", "VALIDATION") &&
               !parser_accept2(parser, "WITHOUT", "VALIDATION")) {
        *was_one = false;
        return true;
    }
    add_action(parser, actions, ACTION_NOTHING);
    return true;
}

static bool parse_clause(parser_t *parser, list_t *actions)
{
    bool was_one = false;
    if (!parse_partition_clause(parser, actions, &was_one))
        return false;
    if (was_one)
        return true;
    if (parser_accept(parser, "ADD"))
        return parse_add(parser, actions);
    if (parser_accept(parser, "ALTER"))
        return parse_alter(parser, actions);
    if (parser_accept(parser, "CHANGE"))
        return parse_change(parser, actions);
    if (parser_accept(parser, "MODIFY"))
        return parse_modify(parser, actions);
    if (parser_accept(parser, "DROP"))
        return parse_drop(parser, actions);
    if (parser_accept(parser, "RENAME"))
        return parse_rename(parser, actions);
    if (parser_accept(parser, "CONVERT"))
        return parse_convert(parser, actions);
    if (parser_accept2(parser, "DISCARD", "TABLESPACE") ||
        parser_accept2(parser, "IMPORT", "TABLESPACE")) {
        add_action(parser, actions, ACTION_TABLESPACE);
        return true;
    }
    if (!parse_idle_clause(parser, actions, &was_one))
        return false;
    if (was_one)
        return true;
    return parse_table_option(parser, actions, &was_one) && was_one;
}

bool parse_alter_body(parser_t *parser, list_t *actions)
{
    uint32_t ignored = 0;
    if (parser_accept(parser, "WAIT")) {
        if (!parser_number(parser, &ignored))
            return false;
    } else {
        parser_accept(parser, "NOWAIT");
    }
    while (!parser_at_end(parser)) {
        if (!parse_clause(parser, actions))
            return false;
        /* Options may follow each other, and partition clauses the others, without a comma. */
        parser_accept_symbol(parser, ',');
    }
    return true;
}
