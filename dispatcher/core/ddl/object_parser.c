/* Databases, views and indexes. */
#include "common/filter/name_case.h"
#include "dispatcher/core/ddl/parser.h"

/* WAIT n, NOWAIT, RESTRICT, CASCADE at the end of a statement. */
void parser_skip_tail(parser_t *parser)
{
    uint32_t ignored;
    for (;;) {
        if (parser_accept(parser, "WAIT"))
            (void)!parser_number(parser, &ignored);
        else if (!parser_accept(parser, "NOWAIT") && !parser_accept(parser, "RESTRICT") &&
                 !parser_accept(parser, "CASCADE"))
            return;
    }
}

bool parse_one_object(parser_t *parser, statement_t *statement)
{
    object_name_t *name = arena_zalloc(parser->arena, sizeof *name);
    if (!parser_object(parser, name))
        return false;
    statement->names = name;
    statement->name_count = 1;
    return true;
}

/* ---- databases ---- */

bool parse_schema_name(parser_t *parser, statement_t *statement)
{
    object_name_t *name = arena_zalloc(parser->arena, sizeof *name);
    name->name = "";
    if (!parser_name(parser, &name->schema))
        return false;
    name->schema = parser_fold(parser, name->schema);
    statement->names = name;
    statement->name_count = 1;
    return true;
}

static bool is_schema_option(const parser_t *parser)
{
    return parser_is(parser, 0, "DEFAULT") || parser_is(parser, 0, "CHARACTER") ||
           parser_is(parser, 0, "CHARSET") || parser_is(parser, 0, "CHAR") ||
           parser_is(parser, 0, "COLLATE") || parser_is(parser, 0, "COMMENT");
}

static bool parse_schema_options(parser_t *parser, statement_t *statement)
{
    list_t actions = {0};
    if (!parse_table_options(parser, &actions))
        return false;
    const table_action_t *items = actions.items;
    for (uint32_t i = 0; i < actions.count; i++) {
        if (items[i].kind != ACTION_SET_CHARSET)
            continue;
        statement->charset = items[i].charset;
        statement->collation = items[i].collation;
    }
    return true;
}

bool parse_create_schema(parser_t *parser, statement_t *statement)
{
    statement->verb = DDL_CREATE_DATABASE;
    statement->if_not_exists = parser_if_not_exists(parser);
    return parse_schema_name(parser, statement) && parse_schema_options(parser, statement);
}

bool parse_alter_schema(parser_t *parser, statement_t *statement)
{
    statement->verb = DDL_ALTER_DATABASE;
    if (is_schema_option(parser)) {
        object_name_t *name = arena_zalloc(parser->arena, sizeof *name);
        name->schema = parser_fold(parser, parser->options->default_schema);
        name->name = "";
        statement->names = name;
        statement->name_count = 1;
    } else if (!parse_schema_name(parser, statement)) {
        return false;
    }
    return parse_schema_options(parser, statement);
}

/* ---- views ---- */

bool parse_view(parser_t *parser, statement_t *statement)
{
    list_t tables = {0};
    const char *const *columns;
    uint32_t count = 0;
    statement->verb = DDL_CREATE_VIEW;
    statement->if_not_exists = parser_if_not_exists(parser);
    if (!parse_one_object(parser, statement))
        return false;
    if (parser_is_symbol(parser, 0, '(') && !parser_name_list(parser, &columns, &count))
        return false;
    if (!parser_accept(parser, "AS"))
        return false;
    parse_select_tables(parser, &tables);
    statement->view_tables = tables.items;
    statement->view_table_count = tables.count;
    return true;
}

/* DEFINER = user@host, ALGORITHM = …, SQL SECURITY …: before VIEW, TRIGGER, PROCEDURE, … */
bool parser_skip_attributes(parser_t *parser)
{
    for (;;) {
        if (parser_accept2(parser, "SQL", "SECURITY")) {
            parser_next(parser);
        } else if (parser_is(parser, 0, "ALGORITHM") && parser_is_symbol(parser, 1, '=')) {
            parser->at += 2;
            parser_next(parser);
        } else if (parser_is(parser, 0, "DEFINER") && parser_is_symbol(parser, 1, '=')) {
            parser->at += 2;
            parser_next(parser);
            if (parser_is_symbol(parser, 0, '('))
                (void)!parser_parentheses(parser, NULL);
            /* user@host is a name and a variable token, or quoted names around '@'. */
            if (parser_peek(parser, 0)->kind == TOKEN_VARIABLE)
                parser_next(parser);
        } else {
            return true;
        }
    }
}

/* ---- indexes ---- */

bool parse_create_index(parser_t *parser, statement_t *statement, key_kind_t kind)
{
    list_t actions = {0};
    statement->verb = DDL_ALTER_TABLE;
    key_syntax_t *key = arena_zalloc(parser->arena, sizeof *key);
    key->kind = kind;
    bool if_not_exists = parser_if_not_exists(parser);
    if (!parser_name(parser, &key->name))
        return false;
    const char *options = NULL, *type;
    if (parser_accept(parser, "USING") || parser_accept(parser, "TYPE")) {
        if (!parser_name(parser, &type))
            return false;
        options = arena_printf(parser->arena, "USING %s", type);
    }
    if (!parser_accept(parser, "ON") || !parse_one_object(parser, statement))
        return false;
    parser_skip_tail(parser);
    if (!parse_key_parts(parser, key))
        return false;
    key->options = parse_key_options(parser, options);
    if (statement->or_replace) {
        table_action_t *drop = add_action(parser, &actions, ACTION_DROP_KEY);
        drop->name = key->name;
        drop->if_exists = true;
    }
    table_action_t *add = add_action(parser, &actions, ACTION_ADD_KEY);
    add->key = key;
    add->if_not_exists = if_not_exists;
    statement->or_replace = false;
    bool ok = parse_alter_body(parser, &actions);
    statement->actions = actions.items;
    statement->action_count = actions.count;
    return ok;
}

bool parse_drop_index(parser_t *parser, statement_t *statement)
{
    list_t actions = {0};
    statement->verb = DDL_ALTER_TABLE;
    table_action_t *drop = add_action(parser, &actions, ACTION_DROP_KEY);
    drop->if_exists = parser_if_exists(parser);
    if (!parser_name(parser, &drop->name) || !parser_accept(parser, "ON") ||
        !parse_one_object(parser, statement))
        return false;
    if (name_equal_ascii(bytes_of_text(drop->name), "PRIMARY"))
        drop->kind = ACTION_DROP_PRIMARY_KEY;
    parser_skip_tail(parser);
    bool ok = parse_alter_body(parser, &actions);
    statement->actions = actions.items;
    statement->action_count = actions.count;
    return ok;
}
