/*
 * A place in a token list, and the small readings every part of the grammar needs. A reading that
 * fails returns false and may have moved on; the statement is then not understood.
 *
 * Threads: one.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_PARSER_H
#define SLUICE_DISPATCHER_CORE_DDL_PARSER_H

#include "dispatcher/core/ddl/sql_token.h"
#include "dispatcher/core/ddl/statement.h"

typedef struct {
    token_list_t list;
    uint32_t at;
    arena_t *arena;
    const statement_options_t *options;
} parser_t;

/* The token `ahead` places on; TOKEN_END beyond the last one. */
const token_t *parser_peek(const parser_t *parser, uint32_t ahead);
void parser_next(parser_t *parser);
/* End of text, or a final ';'. */
bool parser_at_end(const parser_t *parser);

/* Keywords, without regard to case; never a quoted name. */
bool parser_is(const parser_t *parser, uint32_t ahead, const char *word);
bool parser_accept(parser_t *parser, const char *word);
/* Both or none. */
bool parser_accept2(parser_t *parser, const char *first, const char *second);
bool parser_accept3(parser_t *parser, const char *first, const char *second, const char *third);
/* Any word of a list that ends with NULL; its index, -1 for none. */
int parser_accept_any(parser_t *parser, const char *const *words);

bool parser_is_symbol(const parser_t *parser, uint32_t ahead, char symbol);
bool parser_accept_symbol(parser_t *parser, char symbol);

/* A name, quoted or not. */
bool parser_name(parser_t *parser, const char **name);
/* [schema.]name with the default schema put in and folded. */
bool parser_object(parser_t *parser, object_name_t *object);
/* ( name, … ) */
bool parser_name_list(parser_t *parser, const char *const **names, uint32_t *count);
bool parser_number(parser_t *parser, uint32_t *number);
/* ( number ), if there is one. */
bool parser_optional_length(parser_t *parser, uint32_t *number);
/* String literals side by side, with charset introducer, N'…', or hexadecimal. */
bool parser_string(parser_t *parser, bytes_t *text);
bool parser_is_string(const parser_t *parser);

/* Passes over ( … ) with everything balanced; *text is what stood between, as SQL. text may be
 * NULL. */
bool parser_parentheses(parser_t *parser, const char **text);
/* The tokens from `from` to here as SQL. */
const char *parser_text_since(const parser_t *parser, uint32_t from);

/* Folded when the source's names are. */
const char *parser_fold(const parser_t *parser, const char *name);

/* Any of IF EXISTS, IF NOT EXISTS. */
bool parser_if_exists(parser_t *parser);
bool parser_if_not_exists(parser_t *parser);

/* An array that grows in the arena. */
typedef struct {
    void *items;
    uint32_t count, capacity;
} list_t;

/* Room for one more of `size` bytes, zeroed. */
void *list_add(list_t *list, size_t size, arena_t *arena);

/* ---- parts of the grammar ---- */

/* DEFAULT's value (column_parser.c). */
bool parse_literal(parser_t *parser, literal_t *literal);
/* name type attributes; not FIRST and AFTER. */
bool parse_column(parser_t *parser, column_syntax_t *column);
/* The data type alone (type_parser.c). */
bool parse_type(parser_t *parser, column_syntax_t *column);
/* CHARACTER SET, CHARSET, ASCII, …, COLLATE of a column: *was_one. */
bool parse_column_charset(parser_t *parser, column_syntax_t *column, bool *was_one);
/* A charset's name, as a word or a string; collations are read the same way. */
bool parse_charset_name(parser_t *parser, const char **charset);
bool parse_reference(parser_t *parser, foreign_key_syntax_t *key);

/* An element of a CREATE TABLE or behind ADD that is no column (table_parser.c). *was_one. */
bool parse_constraint(parser_t *parser, list_t *actions, bool *was_one);
bool parse_table_options(parser_t *parser, list_t *actions);
bool parse_table_option(parser_t *parser, list_t *actions, bool *was_one);
/* Behind CREATE TABLE name. */
bool parse_create_body(parser_t *parser, statement_t *statement);
/* PARTITION BY … up to the end, or up to a SELECT. */
bool parse_partition_by(parser_t *parser, list_t *actions);
/* Behind the column list of an index: USING, COMMENT, …; NULL: none. */
bool parse_key_parts(parser_t *parser, key_syntax_t *key);
const char *parse_key_options(parser_t *parser, const char *before);

/* Behind ALTER TABLE name (alter_parser.c). */
bool parse_alter_body(parser_t *parser, list_t *actions);

/* Every table named in a FROM or JOIN of the rest, and INTO and UPDATE targets left out
 * (select_parser.c). */
void parse_select_tables(parser_t *parser, list_t *tables);

/* Databases, views, indexes (object_parser.c). */
bool parse_one_object(parser_t *parser, statement_t *statement);
bool parse_schema_name(parser_t *parser, statement_t *statement);
bool parse_create_schema(parser_t *parser, statement_t *statement);
bool parse_alter_schema(parser_t *parser, statement_t *statement);
bool parse_view(parser_t *parser, statement_t *statement);
bool parse_create_index(parser_t *parser, statement_t *statement, key_kind_t kind);
bool parse_drop_index(parser_t *parser, statement_t *statement);
/* WAIT n, NOWAIT, RESTRICT, CASCADE. */
void parser_skip_tail(parser_t *parser);
/* DEFINER = …, ALGORITHM = …, SQL SECURITY … */
bool parser_skip_attributes(parser_t *parser);

/* The partition clauses of ALTER TABLE (partition_parser.c). *was_one. */
bool parse_partition_clause(parser_t *parser, list_t *actions, bool *was_one);
bool parse_add_partition(parser_t *parser, list_t *actions);
bool parse_partition_names(parser_t *parser, table_action_t *action);
bool parse_convert_partition(parser_t *parser, list_t *actions);

table_action_t *add_action(parser_t *parser, list_t *actions, table_action_kind_t kind);

#endif
