/* From the first words of a statement to its verb and objects. */
#include "common/filter/name_case.h"
#include "dispatcher/core/ddl/parser.h"

typedef struct {
    const char *word, *kind;
} skipped_word_t;

/* First words of statements that are never replicated, or whose object is (CREATE, ALTER, DROP). */
static const skipped_word_t skipped_statements[] = {
    {"ANALYZE", "analyze"},
    {"OPTIMIZE", "optimize"},
    {"REPAIR", "repair"},
    {"CHECK", "check"},
    {"CHECKSUM", "checksum"},
    {"FLUSH", "flush"},
    {"GRANT", "grant"},
    {"REVOKE", "revoke"},
    {"SET", "set"},
    {"INSTALL", "plugin"},
    {"UNINSTALL", "plugin"},
    {"RESET", "reset"},
    {"CACHE", "cache"},
    {"KILL", "kill"},
    {"PURGE", "purge"},
    {"BEGIN", "transaction"},
    {"COMMIT", "transaction"},
    {"ROLLBACK", "transaction"},
    {"SAVEPOINT", "transaction"},
    {"START", "transaction"},
    {"RELEASE", "transaction"},
    {"XA", "transaction"},
    {"USE", "use"},
    {"LOCK", "lock"},
    {"UNLOCK", "lock"},
    {"SHOW", "show"},
    {"BACKUP", "backup"},
};

static const skipped_word_t skipped_objects[] = {
    {"TRIGGER", "trigger"},    {"PROCEDURE", "routine"}, {"FUNCTION", "routine"},
    {"PACKAGE", "routine"},    {"EVENT", "event"},       {"USER", "user"},
    {"ROLE", "role"},          {"SERVER", "server"},     {"TABLESPACE", "tablespace"},
    {"LOGFILE", "tablespace"}, {"INSTANCE", "instance"}, {"UNDO", "tablespace"},
    {"AGGREGATE", "routine"},
};

static const char *const row_changes[] = {"INSERT", "UPDATE", "DELETE", "REPLACE",
                                          "LOAD",   "CALL",   "DO",     NULL};

static const char *accept_skipped(parser_t *parser, const skipped_word_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (parser_accept(parser, words[i].word))
            return words[i].kind;
    return NULL;
}

static void skip_statement(statement_t *statement, const char *kind)
{
    statement->verb = DDL_SKIPPED;
    statement->skipped_kind = kind;
    statement->is_whole = true;
}

static bool accept_table_word(parser_t *parser)
{
    return parser_accept(parser, "TABLE") || parser_accept(parser, "TABLES");
}

static bool accept_schema_word(parser_t *parser)
{
    return parser_accept(parser, "DATABASE") || parser_accept(parser, "SCHEMA");
}

/* name, name, … */
static bool parse_objects(parser_t *parser, statement_t *statement)
{
    list_t names = {0};
    do {
        object_name_t *name = list_add(&names, sizeof *name, parser->arena);
        if (!parser_object(parser, name))
            return false;
        parser_accept_symbol(parser, '.'); /* t.* of old DELETE syntax is no DDL */
    } while (parser_accept_symbol(parser, ','));
    statement->names = names.items;
    statement->name_count = names.count;
    return true;
}

/* ---- CREATE, ALTER, DROP ---- */

static bool parse_create_table(parser_t *parser, statement_t *statement)
{
    statement->verb = DDL_CREATE_TABLE;
    statement->if_not_exists = parser_if_not_exists(parser);
    if (!parse_one_object(parser, statement) || !parse_create_body(parser, statement))
        return false;
    for (uint32_t i = 0; i < statement->action_count; i++)
        if (statement->actions[i].kind == ACTION_SET_OPTION &&
            name_equal_ascii(bytes_of_text(statement->actions[i].name), "SEQUENCE") &&
            strcmp(statement->actions[i].text, "0") != 0)
            statement->is_sequence = true;
    return true;
}

static bool parse_sequence(parser_t *parser, statement_t *statement, ddl_verb_t verb)
{
    statement->verb = verb;
    statement->is_sequence = true;
    if (verb == DDL_DROP_TABLE)
        statement->if_exists = parser_if_exists(parser);
    else
        statement->if_not_exists = parser_if_not_exists(parser);
    bool ok = parse_objects(parser, statement);
    while (!parser_at_end(parser))
        parser_next(parser);
    return ok;
}

static bool parse_create(parser_t *parser, statement_t *statement)
{
    const char *kind;
    statement->or_replace = parser_accept2(parser, "OR", "REPLACE");
    if (!parser_skip_attributes(parser))
        return false;
    bool is_temporary = parser_accept(parser, "TEMPORARY");
    if (parser_accept(parser, "TABLE")) {
        if (!is_temporary)
            return parse_create_table(parser, statement);
        skip_statement(statement, "temporary table");
        return true;
    }
    if (parser_accept(parser, "SEQUENCE")) {
        if (!is_temporary)
            return parse_sequence(parser, statement, DDL_CREATE_TABLE);
        skip_statement(statement, "temporary table");
        return true;
    }
    if (accept_schema_word(parser))
        return parse_create_schema(parser, statement);
    if (parser_accept(parser, "VIEW"))
        return parse_view(parser, statement);
    kind =
        accept_skipped(parser, skipped_objects, sizeof skipped_objects / sizeof skipped_objects[0]);
    if (kind) {
        skip_statement(statement, kind);
        return true;
    }
    key_kind_t key_kind = parser_accept(parser, "UNIQUE")     ? KEY_UNIQUE
                          : parser_accept(parser, "FULLTEXT") ? KEY_FULLTEXT
                          : parser_accept(parser, "SPATIAL")  ? KEY_SPATIAL
                                                              : KEY_INDEX;
    return parser_accept(parser, "INDEX") && parse_create_index(parser, statement, key_kind);
}

/* What the clauses make of an ALTER TABLE. */
static ddl_verb_t alter_verb(const statement_t *statement)
{
    for (uint32_t i = 0; i < statement->action_count; i++) {
        table_action_kind_t kind = statement->actions[i].kind;
        if (kind == ACTION_RENAME_TABLE)
            return DDL_RENAME_TABLE;
        if (kind == ACTION_DROP_PARTITION)
            return DDL_DROP_PARTITION;
        if (kind == ACTION_TRUNCATE_PARTITION)
            return DDL_TRUNCATE_PARTITION;
        if (kind == ACTION_EXCHANGE_PARTITION)
            return DDL_EXCHANGE_PARTITION;
        if (kind == ACTION_PARTITION_TO_TABLE || kind == ACTION_TABLE_TO_PARTITION)
            return DDL_CONVERT_PARTITION;
    }
    return DDL_ALTER_TABLE;
}

static bool parse_alter_table(parser_t *parser, statement_t *statement)
{
    list_t actions = {0};
    statement->verb = DDL_ALTER_TABLE;
    statement->if_exists = parser_if_exists(parser);
    if (!parse_one_object(parser, statement))
        return false;
    bool ok = parse_alter_body(parser, &actions);
    statement->actions = actions.items;
    statement->action_count = actions.count;
    statement->verb = alter_verb(statement);
    const table_action_t *first = actions.items;
    if (ok && actions.count == 1 && first->kind == ACTION_PARTITION_MAINTENANCE &&
        strcmp(first->text, "REBUILD") != 0)
        skip_statement(statement, "analyze");
    return ok;
}

static bool parse_alter(parser_t *parser, statement_t *statement)
{
    if (!parser_accept(parser, "ONLINE"))
        parser_accept(parser, "OFFLINE");
    parser_accept(parser, "IGNORE");
    if (parser_accept(parser, "TABLE"))
        return parse_alter_table(parser, statement);
    if (accept_schema_word(parser))
        return parse_alter_schema(parser, statement);
    if (!parser_skip_attributes(parser))
        return false;
    if (parser_accept(parser, "VIEW"))
        return parse_view(parser, statement);
    if (parser_accept(parser, "SEQUENCE")) {
        skip_statement(statement, "sequence");
        return true;
    }
    const char *kind =
        accept_skipped(parser, skipped_objects, sizeof skipped_objects / sizeof skipped_objects[0]);
    if (kind)
        skip_statement(statement, kind);
    return kind != NULL;
}

static bool parse_drop(parser_t *parser, statement_t *statement)
{
    bool is_temporary = parser_accept(parser, "TEMPORARY");
    if (is_temporary) {
        skip_statement(statement, "temporary table");
        return true;
    }
    if (parser_accept(parser, "SEQUENCE"))
        return parse_sequence(parser, statement, DDL_DROP_TABLE);
    bool is_view = parser_is(parser, 0, "VIEW");
    if (accept_table_word(parser) || parser_accept(parser, "VIEW")) {
        statement->verb = is_view ? DDL_DROP_VIEW : DDL_DROP_TABLE;
        statement->if_exists = parser_if_exists(parser);
        bool ok = parse_objects(parser, statement);
        parser_skip_tail(parser);
        return ok;
    }
    if (accept_schema_word(parser)) {
        statement->verb = DDL_DROP_DATABASE;
        statement->if_exists = parser_if_exists(parser);
        return parse_schema_name(parser, statement);
    }
    if (parser_accept(parser, "INDEX"))
        return parse_drop_index(parser, statement);
    const char *kind = parser_accept(parser, "PREPARE")
                           ? "prepare"
                           : accept_skipped(parser, skipped_objects,
                                            sizeof skipped_objects / sizeof skipped_objects[0]);
    if (kind)
        skip_statement(statement, kind);
    return kind != NULL;
}

/* ---- the rest ---- */

static bool parse_rename(parser_t *parser, statement_t *statement)
{
    list_t names = {0}, targets = {0};
    uint32_t ignored;
    if (parser_accept(parser, "USER")) {
        skip_statement(statement, "user");
        return true;
    }
    if (!accept_table_word(parser))
        return false;
    statement->verb = DDL_RENAME_TABLE;
    statement->if_exists = parser_if_exists(parser);
    do {
        object_name_t *name = list_add(&names, sizeof *name, parser->arena);
        object_name_t *target = list_add(&targets, sizeof *target, parser->arena);
        if (!parser_object(parser, name))
            return false;
        if (parser_accept(parser, "WAIT"))
            (void)!parser_number(parser, &ignored);
        else
            parser_accept(parser, "NOWAIT");
        if (!parser_accept(parser, "TO") || !parser_object(parser, target))
            return false;
    } while (parser_accept_symbol(parser, ','));
    statement->names = names.items;
    statement->targets = targets.items;
    statement->name_count = names.count;
    return true;
}

static bool parse_truncate(parser_t *parser, statement_t *statement)
{
    parser_accept(parser, "TABLE");
    statement->verb = DDL_TRUNCATE_TABLE;
    bool ok = parse_one_object(parser, statement);
    parser_skip_tail(parser);
    return ok;
}

/* Only a change of one table says which one. */
static void parse_row_change(parser_t *parser, statement_t *statement)
{
    static const char *const modifiers[] = {"LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "QUICK",
                                            "IGNORE",       "INTO",          "FROM",    NULL};
    while (parser_accept_any(parser, modifiers) >= 0)
        continue;
    bool has_name = parse_one_object(parser, statement);
    if (!has_name || parser_is_symbol(parser, 0, ',') || parser_is(parser, 0, "JOIN") ||
        parser_is(parser, 0, "FROM") || parser_is(parser, 0, "USING"))
        statement->name_count = 0;
    skip_statement(statement, "row change");
    statement->is_row_change = true;
}

/* SET STATEMENT variable = value, … FOR statement is logged with what it is for. */
static bool skip_set_statement(parser_t *parser)
{
    if (!parser_accept2(parser, "SET", "STATEMENT"))
        return true;
    while (!parser_is(parser, 0, "FOR")) {
        if (parser_at_end(parser))
            return false;
        if (!parser_is_symbol(parser, 0, '('))
            parser_next(parser);
        else if (!parser_parentheses(parser, NULL))
            return false;
    }
    parser_next(parser);
    return true;
}

static bool parse_verb(parser_t *parser, statement_t *statement)
{
    if (!skip_set_statement(parser))
        return false;
    if (parser_accept(parser, "CREATE"))
        return parse_create(parser, statement);
    if (parser_accept(parser, "ALTER"))
        return parse_alter(parser, statement);
    if (parser_accept(parser, "DROP"))
        return parse_drop(parser, statement);
    if (parser_accept(parser, "RENAME"))
        return parse_rename(parser, statement);
    if (parser_accept(parser, "TRUNCATE"))
        return parse_truncate(parser, statement);
    if (parser_accept_any(parser, row_changes) >= 0) {
        parse_row_change(parser, statement);
        return true;
    }
    const char *kind = accept_skipped(parser, skipped_statements,
                                      sizeof skipped_statements / sizeof skipped_statements[0]);
    if (kind)
        skip_statement(statement, kind);
    return kind != NULL;
}

void statement_parse(bytes_t utf8, const statement_options_t *options, arena_t *arena,
                     statement_t *statement)
{
    *statement = (statement_t){.verb = DDL_UNKNOWN};
    parser_t parser = {.arena = arena, .options = options};
    if (sql_tokenize(utf8, options->sql_mode, options->server_version, arena, &parser.list) !=
        SLUICE_OK)
        return;
    if (parser_at_end(&parser)) {
        /* Nothing but comments, or a comment that the source's server does not run. */
        skip_statement(statement, "comment");
        return;
    }
    if (!parse_verb(&parser, statement)) {
        if (statement->name_count == 0)
            *statement = (statement_t){.verb = DDL_UNKNOWN};
        return;
    }
    if (statement->verb != DDL_SKIPPED)
        statement->is_whole = parser_at_end(&parser);
}
