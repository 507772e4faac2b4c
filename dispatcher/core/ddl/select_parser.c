/* Which tables a SELECT names: what follows FROM and JOIN, in subqueries too, less the names that
 * WITH gives to its own queries. */
#include "common/filter/name_case.h"
#include "dispatcher/core/ddl/parser.h"

#define SELECT_DEPTH_MAX 256

typedef enum { SCOPE_OTHER, SCOPE_SELECT, SCOPE_FROM } scope_t;

typedef struct {
    parser_t *parser;
    list_t *tables;
    list_t with_names; /* const char * */
    scope_t scopes[SELECT_DEPTH_MAX];
    uint32_t depth;
    bool wants_table; /* the next name is a table */
} scan_t;

static bool is_with_name(const scan_t *scan, const char *name)
{
    const char *const *names = scan->with_names.items;
    for (uint32_t i = 0; i < scan->with_names.count; i++)
        if (name_equal_ascii(bytes_of_text(name), names[i]))
            return true;
    return false;
}

static void take_table(scan_t *scan)
{
    parser_t *parser = scan->parser;
    bool is_qualified = parser_is_symbol(parser, 1, '.');
    object_name_t table;
    scan->wants_table = false;
    if (!parser_object(parser, &table))
        return;
    /* JSON_TABLE (…) and other table functions are no tables. */
    if (!is_qualified && (parser_is_symbol(parser, 0, '(') || is_with_name(scan, table.name) ||
                          name_equal_ascii(bytes_of_text(table.name), "dual")))
        return;
    object_name_t *item = list_add(scan->tables, sizeof *item, parser->arena);
    *item = table;
}

/* name [(columns)] AS ( … : remembers the name, stops before the '('. */
static void take_with_name(scan_t *scan)
{
    parser_t *parser = scan->parser;
    const char **name = list_add(&scan->with_names, sizeof *name, parser->arena);
    parser_accept(parser, "RECURSIVE");
    if (!parser_name(parser, name)) {
        *name = "";
        return;
    }
    const char *const *columns;
    uint32_t count = 0;
    if (parser_is_symbol(parser, 0, '('))
        (void)!parser_name_list(parser, &columns, &count);
    parser_accept(parser, "AS");
}

static bool ends_from(const parser_t *parser)
{
    static const char *const words[] = {"WHERE", "GROUP",     "HAVING", "ORDER",  "LIMIT",
                                        "UNION", "INTERSECT", "EXCEPT", "WINDOW", "PROCEDURE",
                                        "INTO",  "FOR",       "LOCK",   "SELECT", NULL};
    for (int i = 0; words[i]; i++)
        if (parser_is(parser, 0, words[i]))
            return true;
    return false;
}

/* A symbol; parentheses open and close scopes. */
static void step_symbol(scan_t *scan)
{
    parser_t *parser = scan->parser;
    if (parser_accept_symbol(parser, '(')) {
        bool in_from = scan->wants_table;
        if (scan->depth + 1 < SELECT_DEPTH_MAX)
            scan->scopes[++scan->depth] = in_from ? SCOPE_FROM : SCOPE_OTHER;
        scan->wants_table = in_from && !parser_is(parser, 0, "SELECT") &&
                            !parser_is(parser, 0, "WITH") && !parser_is(parser, 0, "VALUES");
        return;
    }
    if (parser_is_symbol(parser, 0, ')') && scan->depth > 0)
        scan->depth--;
    scan->wants_table = parser_is_symbol(parser, 0, ',') && scan->scopes[scan->depth] == SCOPE_FROM;
    parser_next(parser);
}

static void step_word(scan_t *scan)
{
    parser_t *parser = scan->parser;
    scope_t *scope = &scan->scopes[scan->depth];
    if (ends_from(parser))
        *scope = SCOPE_SELECT;
    if (*scope == SCOPE_SELECT && parser_accept(parser, "FROM")) {
        *scope = SCOPE_FROM;
        scan->wants_table = true;
    } else if (parser_accept(parser, "JOIN") || parser_accept(parser, "STRAIGHT_JOIN")) {
        scan->wants_table = *scope == SCOPE_FROM;
    } else {
        parser_next(parser);
    }
}

void parse_select_tables(parser_t *parser, list_t *tables)
{
    scan_t *scan = arena_zalloc(parser->arena, sizeof *scan);
    scan->parser = parser;
    scan->tables = tables;
    bool wants_with_name = false;
    while (!parser_at_end(parser)) {
        token_kind_t kind = parser_peek(parser, 0)->kind;
        bool is_name = kind == TOKEN_WORD || kind == TOKEN_NAME;
        if (parser_accept(parser, "WITH")) {
            wants_with_name = true;
        } else if (wants_with_name && is_name) {
            take_with_name(scan);
            wants_with_name = false;
        } else if (scan->wants_table && is_name && !parser_is(parser, 0, "LATERAL")) {
            take_table(scan);
        } else if (kind == TOKEN_SYMBOL) {
            bool closes = parser_is_symbol(parser, 0, ')');
            step_symbol(scan);
            /* ) , name [(columns)] AS ( : the next query of the same WITH. */
            if (closes && parser_is_symbol(parser, 0, ',') &&
                (parser_is(parser, 2, "AS") && parser_is_symbol(parser, 3, '('))) {
                parser_next(parser);
                wants_with_name = true;
            }
        } else if (is_name) {
            step_word(scan);
        } else {
            parser_next(parser);
        }
    }
}
