/* What stands in a CREATE TABLE beside its columns: keys, constraints, options, partitions. */
#include "common/filter/name_case.h"
#include "dispatcher/core/ddl/parser.h"
#include "dispatcher/core/ddl/text_builder.h"

/* ---- keys ---- */

static bool parse_key_part(parser_t *parser, key_part_syntax_t *part)
{
    if (!parser_name(parser, &part->column) || !parser_optional_length(parser, &part->prefix))
        return false;
    part->is_period = parser_accept2(parser, "WITHOUT", "OVERLAPS");
    part->is_descending = parser_accept(parser, "DESC");
    parser_accept(parser, "ASC");
    return true;
}

bool parse_key_parts(parser_t *parser, key_syntax_t *key)
{
    list_t parts = {0};
    if (!parser_accept_symbol(parser, '('))
        return false;
    do {
        key_part_syntax_t *part = list_add(&parts, sizeof *part, parser->arena);
        if (!parse_key_part(parser, part))
            return false;
    } while (parser_accept_symbol(parser, ','));
    key->parts = parts.items;
    key->part_count = parts.count;
    return parser_accept_symbol(parser, ')');
}

/* Everything up to the next ',' or ')' outside parentheses; ALGORITHM and LOCK of a CREATE INDEX
 * are no options of the key. */
const char *parse_key_options(parser_t *parser, const char *before)
{
    uint32_t from = parser->at;
    while (!parser_at_end(parser) && !parser_is_symbol(parser, 0, ',') &&
           !parser_is_symbol(parser, 0, ')') && !parser_is(parser, 0, "ALGORITHM") &&
           !parser_is(parser, 0, "LOCK") && !parser_is(parser, 0, "WAIT") &&
           !parser_is(parser, 0, "NOWAIT"))
        parser_next(parser);
    const char *options = parser->at > from ? parser_text_since(parser, from) : NULL;
    if (!before || !options)
        return before ? before : options;
    return arena_printf(parser->arena, "%s %s", before, options);
}

/* USING type in front of the columns. */
static bool parse_using(parser_t *parser, const char **options)
{
    uint32_t from = parser->at;
    const char *ignored;
    if (!parser_accept(parser, "USING") && !parser_accept(parser, "TYPE"))
        return true;
    if (!parser_name(parser, &ignored))
        return false;
    *options = parser_text_since(parser, from);
    return true;
}

static bool is_using(const parser_t *parser)
{
    return parser_is(parser, 0, "USING") ||
           (parser_is(parser, 0, "TYPE") && !parser_is_symbol(parser, 1, '('));
}

/* [IF NOT EXISTS] [name] [USING …] (parts) options */
static bool parse_key_rest(parser_t *parser, list_t *actions, key_kind_t kind, const char *name)
{
    bool if_not_exists = parser_if_not_exists(parser);
    const char *options = NULL;
    key_syntax_t *key = arena_zalloc(parser->arena, sizeof *key);
    key->kind = kind;
    key->name = name;
    if (!parser_is_symbol(parser, 0, '(') && !is_using(parser) && !parser_name(parser, &key->name))
        return false;
    if (!parse_using(parser, &options) || !parse_key_parts(parser, key))
        return false;
    key->options = parse_key_options(parser, options);
    if (kind == KEY_PRIMARY)
        key->name = "PRIMARY";
    table_action_t *action = add_action(parser, actions, ACTION_ADD_KEY);
    action->key = key;
    action->if_not_exists = if_not_exists;
    return true;
}

/* ---- constraints ---- */

static bool parse_foreign_key(parser_t *parser, list_t *actions, const char *name)
{
    foreign_key_syntax_t *key = arena_zalloc(parser->arena, sizeof *key);
    bool if_not_exists = parser_if_not_exists(parser);
    /* The index that it needs has the same name. */
    if (!parser_is_symbol(parser, 0, '(') && !parser_name(parser, &key->name))
        return false;
    if (name)
        key->name = name;
    if (!parser_name_list(parser, &key->columns, &key->column_count) ||
        !parse_reference(parser, key))
        return false;
    table_action_t *action = add_action(parser, actions, ACTION_ADD_FOREIGN_KEY);
    action->foreign_key = key;
    action->if_not_exists = if_not_exists;
    return true;
}

static bool parse_period(parser_t *parser, list_t *actions)
{
    const char *const *columns;
    uint32_t count = 0;
    table_action_t *action = add_action(parser, actions, ACTION_ADD_PERIOD);
    action->if_not_exists = parser_if_not_exists(parser);
    if (!parser_name(parser, &action->name) || !parser_name_list(parser, &columns, &count) ||
        count != 2)
        return false;
    action->text = columns[0];
    action->new_name = columns[1];
    return true;
}

static bool parse_check(parser_t *parser, list_t *actions, const char *name, bool if_not_exists)
{
    table_action_t *action = add_action(parser, actions, ACTION_ADD_CHECK);
    action->name = name;
    action->if_not_exists = if_not_exists;
    return parser_parentheses(parser, &action->text);
}

/* The constraint's name, which may be left out. */
static bool parse_constraint_name(parser_t *parser, const char **name, bool *if_not_exists)
{
    if (!parser_accept(parser, "CONSTRAINT"))
        return true;
    *if_not_exists = parser_if_not_exists(parser);
    if (parser_is(parser, 0, "PRIMARY") || parser_is(parser, 0, "UNIQUE") ||
        parser_is(parser, 0, "FOREIGN") || parser_is(parser, 0, "CHECK"))
        return true;
    return parser_name(parser, name);
}

static bool accept_key_word(parser_t *parser)
{
    return parser_accept(parser, "KEY") || parser_accept(parser, "INDEX");
}

bool parse_constraint(parser_t *parser, list_t *actions, bool *was_one)
{
    const char *name = NULL;
    bool if_not_exists = false;
    *was_one = true;
    if (!parse_constraint_name(parser, &name, &if_not_exists))
        return false;
    if (parser_accept2(parser, "PRIMARY", "KEY"))
        return parse_key_rest(parser, actions, KEY_PRIMARY, name);
    if (parser_accept2(parser, "FOREIGN", "KEY"))
        return parse_foreign_key(parser, actions, name);
    if (parser_accept(parser, "CHECK"))
        return parse_check(parser, actions, name, if_not_exists);
    if (parser_accept2(parser, "PERIOD", "FOR"))
        return parse_period(parser, actions);
    key_kind_t kind = KEY_INDEX;
    if (parser_accept(parser, "UNIQUE"))
        kind = KEY_UNIQUE;
    else if (parser_accept(parser, "FULLTEXT"))
        kind = KEY_FULLTEXT;
    else if (parser_accept(parser, "SPATIAL"))
        kind = KEY_SPATIAL;
    bool has_word = accept_key_word(parser);
    if (kind != KEY_INDEX || has_word)
        return parse_key_rest(parser, actions, kind, name);
    *was_one = false;
    return true;
}

/* ( element, … ) */
static bool parse_elements(parser_t *parser, list_t *actions)
{
    if (!parser_accept_symbol(parser, '('))
        return false;
    do {
        bool was_one = false;
        if (!parse_constraint(parser, actions, &was_one))
            return false;
        if (was_one)
            continue;
        column_syntax_t *column = arena_zalloc(parser->arena, sizeof *column);
        if (!parse_column(parser, column))
            return false;
        add_action(parser, actions, ACTION_ADD_COLUMN)->column = column;
    } while (parser_accept_symbol(parser, ','));
    return parser_accept_symbol(parser, ')');
}

/* ---- options ---- */

static bool parse_charset_option(parser_t *parser, list_t *actions, bool is_collation)
{
    const char *name;
    bytes_t text;
    parser_accept_symbol(parser, '=');
    if (parser_is_string(parser)) {
        if (!parser_string(parser, &text))
            return false;
    } else if (parser_name(parser, &name)) {
        text = bytes_of_text(name);
    } else {
        return false;
    }
    /* CHARSET x COLLATE y is one choice. */
    table_action_t *last =
        actions->count ? (table_action_t *)actions->items + actions->count - 1 : NULL;
    if (!last || last->kind != ACTION_SET_CHARSET)
        last = add_action(parser, actions, ACTION_SET_CHARSET);
    if (is_collation)
        last->collation = collation_normalise(text, parser->arena);
    else
        last->charset =
            name_equal_ascii(text, "DEFAULT") ? NULL : charset_normalise(text, parser->arena);
    return true;
}

/* A name, number, string or ( … ) as SQL. */
static bool parse_option_value(parser_t *parser, const char **value)
{
    uint32_t from = parser->at;
    bytes_t ignored;
    if (parser_is_symbol(parser, 0, '(')) {
        if (!parser_parentheses(parser, NULL))
            return false;
    } else if (parser_is_string(parser)) {
        if (!parser_string(parser, &ignored))
            return false;
    } else if (parser_at_end(parser) || parser_peek(parser, 0)->kind == TOKEN_SYMBOL) {
        return false;
    } else {
        parser_next(parser);
    }
    *value = parser_text_since(parser, from);
    return true;
}

static bool parse_text_option(parser_t *parser, list_t *actions, table_action_kind_t kind)
{
    table_action_t *action = add_action(parser, actions, kind);
    bytes_t text;
    parser_accept_symbol(parser, '=');
    if (kind == ACTION_SET_ENGINE && !parser_is_string(parser))
        return parser_name(parser, &action->text);
    if (!parser_string(parser, &text))
        return false;
    action->text = (const char *)text.data;
    return true;
}

/* Options of two words, and those that need no '='; every other one is NAME [=] value. */
static bool parse_other_option(parser_t *parser, list_t *actions, bool *was_one)
{
    static const char *const known[] = {"AUTO_INCREMENT",
                                        "AVG_ROW_LENGTH",
                                        "CHECKSUM",
                                        "CONNECTION",
                                        "DELAY_KEY_WRITE",
                                        "INSERT_METHOD",
                                        "KEY_BLOCK_SIZE",
                                        "MAX_ROWS",
                                        "MIN_ROWS",
                                        "PACK_KEYS",
                                        "PAGE_CHECKSUM",
                                        "PASSWORD",
                                        "ROW_FORMAT",
                                        "SEQUENCE",
                                        "STATS_AUTO_RECALC",
                                        "STATS_PERSISTENT",
                                        "STATS_SAMPLE_PAGES",
                                        "STORAGE",
                                        "TABLE_CHECKSUM",
                                        "TABLESPACE",
                                        "TRANSACTIONAL",
                                        "UNION",
                                        NULL};
    const char *name = NULL;
    if (parser_accept2(parser, "DATA", "DIRECTORY"))
        name = "DATA DIRECTORY";
    else if (parser_accept2(parser, "INDEX", "DIRECTORY"))
        name = "INDEX DIRECTORY";
    int index = name ? -1 : parser_accept_any(parser, known);
    if (index >= 0)
        name = known[index];
    token_kind_t kind = parser_peek(parser, 0)->kind;
    if (!name && (kind == TOKEN_WORD || kind == TOKEN_NAME) && parser_is_symbol(parser, 1, '=')) {
        if (!parser_name(parser, &name))
            return false;
    }
    *was_one = name != NULL;
    if (!name)
        return true;
    parser_accept_symbol(parser, '=');
    table_action_t *action = add_action(parser, actions, ACTION_SET_OPTION);
    action->name = name;
    return parse_option_value(parser, &action->text);
}

bool parse_table_option(parser_t *parser, list_t *actions, bool *was_one)
{
    *was_one = true;
    bool is_default = parser_is(parser, 0, "DEFAULT") && !parser_is_symbol(parser, 1, '=');
    if (is_default)
        parser_next(parser);
    if (parser_accept(parser, "CHARSET") || parser_accept2(parser, "CHARACTER", "SET") ||
        parser_accept2(parser, "CHAR", "SET"))
        return parse_charset_option(parser, actions, false);
    if (parser_accept(parser, "COLLATE"))
        return parse_charset_option(parser, actions, true);
    if (parser_accept(parser, "ENGINE") || parser_accept2(parser, "STORAGE", "ENGINE"))
        return parse_text_option(parser, actions, ACTION_SET_ENGINE);
    if (parser_accept(parser, "COMMENT"))
        return parse_text_option(parser, actions, ACTION_SET_COMMENT);
    if (parser_accept3(parser, "WITH", "SYSTEM", "VERSIONING")) {
        add_action(parser, actions, ACTION_ADD_VERSIONING);
        return true;
    }
    return parse_other_option(parser, actions, was_one) && !(is_default && !*was_one);
}

bool parse_table_options(parser_t *parser, list_t *actions)
{
    bool was_one = true;
    while (was_one) {
        if (!parse_table_option(parser, actions, &was_one))
            return false;
        if (was_one)
            parser_accept_symbol(parser, ',');
    }
    return true;
}

/* ---- CREATE TABLE ---- */

static void note_select(parser_t *parser, statement_t *statement)
{
    if (!parser_accept(parser, "IGNORE"))
        parser_accept(parser, "REPLACE");
    parser_accept(parser, "AS");
    while (parser_accept_symbol(parser, '('))
        continue;
    if (!parser_is(parser, 0, "SELECT") && !parser_is(parser, 0, "WITH") &&
        !parser_is(parser, 0, "VALUES"))
        return;
    statement->is_select = true;
    while (!parser_at_end(parser))
        parser_next(parser);
}

bool parse_create_body(parser_t *parser, statement_t *statement)
{
    list_t actions = {0};
    bool in_parentheses = parser_is_symbol(parser, 0, '(') && parser_is(parser, 1, "LIKE");
    if (in_parentheses)
        parser_next(parser);
    if (parser_accept(parser, "LIKE")) {
        statement->is_like = true;
        return parser_object(parser, &statement->like) &&
               (!in_parentheses || parser_accept_symbol(parser, ')'));
    }
    bool is_bare_select = parser_is_symbol(parser, 0, '(') &&
                          (parser_is(parser, 1, "SELECT") || parser_is_symbol(parser, 1, '('));
    bool ok = true;
    if (parser_is_symbol(parser, 0, '(') && !is_bare_select)
        ok = parse_elements(parser, &actions);
    ok = ok && parse_table_options(parser, &actions);
    if (ok && parser_is(parser, 0, "PARTITION"))
        ok = parse_partition_by(parser, &actions);
    if (ok && !parser_at_end(parser))
        note_select(parser, statement);
    statement->actions = actions.items;
    statement->action_count = actions.count;
    return ok;
}
