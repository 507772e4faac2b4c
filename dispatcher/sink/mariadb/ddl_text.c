#include "dispatcher/sink/mariadb/ddl_text.h"

#include <strings.h>

#include "dispatcher/core/ddl/sql_token.h"

/* What the sink takes of executable comments does not matter here: they are looked into as a recent
 * server would. */
#define SERVER_VERSION 110000

typedef struct {
    uint32_t begin, end; /* of what is replaced; equal: inserted */
    const char *by;
} edit_t;

typedef struct {
    token_list_t tokens;
    edit_t *edits;
    uint32_t edit_count;
    arena_t *arena;
    const char *replaced;
} rewrite_t;

static bool token_is(const token_t *token, const char *word)
{
    return token->kind == TOKEN_WORD && token->value.len == strlen(word) &&
           strncasecmp((const char *)token->value.data, word, token->value.len) == 0;
}

static bool token_is_any(const token_t *token, const char *const *words)
{
    for (; *words; words++) {
        if (token_is(token, *words))
            return true;
    }
    return false;
}

static bool token_is_symbol(const token_t *token, char symbol)
{
    return token->kind == TOKEN_SYMBOL && token->value.len == 1 &&
           token->value.data[0] == (uint8_t)symbol;
}

static void edit_add(rewrite_t *rewrite, uint32_t begin, uint32_t end, const char *by)
{
    rewrite->edits[rewrite->edit_count++] = (edit_t){.begin = begin, .end = end, .by = by};
}

/* DROP [TEMPORARY] TABLE|VIEW|… */
static void drop_rewrite(rewrite_t *rewrite)
{
    static const char *const kinds[] = {"TABLE", "TABLES", "VIEW", "DATABASE", "SCHEMA", NULL};
    const token_t *tokens = rewrite->tokens.tokens;
    if (rewrite->tokens.count < 4 || !token_is(&tokens[0], "DROP"))
        return;
    const token_t *kind = token_is(&tokens[1], "TEMPORARY") ? &tokens[2] : &tokens[1];
    if (token_is_any(kind, kinds) && !token_is(kind + 1, "IF"))
        edit_add(rewrite, kind->end, kind->end, " IF EXISTS");
}

static bool is_engine_name(const token_t *token)
{
    static const char *const engines[] = {
        "MYISAM",  "ARIA",    "MEMORY",     "HEAP",    "CSV",         "ARCHIVE",
        "MERGE",   "MROONGA", "BLACKHOLE",  "ROCKSDB", "SPIDER",      "FEDERATED",
        "CONNECT", "SPHINX",  "OQGRAPH",    "TOKUDB",  "COLUMNSTORE", "S3",
        "NDB",     "EXAMPLE", "MRG_MYISAM", "MARIA",   NULL};
    return token_is_any(token, engines);
}

/* What stands before the word where it names a column. */
static bool precedes_a_name(const token_t *token)
{
    static const char *const words[] = {"ADD",    "COLUMN", "CHANGE", "MODIFY", "DROP",
                                        "RENAME", "AFTER",  "TO",     "ALTER",  "EXISTS",
                                        "AND",    "OR",     "NOT",    "ON",     NULL};
    return token_is_any(token, words) || token_is_symbol(token, '(') || token_is_symbol(token, '.');
}

/* ENGINE [=] name. Behind a `=` outside of parentheses it is an option whatever the name; elsewhere
 * (partitions, or a column of that name) the name must be that of an engine. */
static void engine_rewrite(rewrite_t *rewrite, uint32_t at, int depth)
{
    const token_t *tokens = rewrite->tokens.tokens;
    if (at == 0 || !token_is(&tokens[at], "ENGINE") || precedes_a_name(&tokens[at - 1]))
        return;
    bool has_sign = token_is_symbol(&tokens[at + 1], '=');
    const token_t *name = &tokens[at + (has_sign ? 2 : 1)];
    if (name->kind == TOKEN_END || token_is(name, "INNODB"))
        return;
    bool is_option = has_sign && depth == 0;
    if (!is_option && !is_engine_name(name))
        return;
    char *value = arena_strndup(rewrite->arena, name->value.data, name->value.len);
    if (strcasecmp(value, "InnoDB") == 0)
        return;
    rewrite->replaced = value;
    edit_add(rewrite, name->begin, name->end, "InnoDB");
}

static void engines_rewrite(rewrite_t *rewrite)
{
    int depth = 0;
    for (uint32_t i = 0; rewrite->tokens.tokens[i].kind != TOKEN_END; i++) {
        const token_t *token = &rewrite->tokens.tokens[i];
        if (token_is_symbol(token, '('))
            depth++;
        else if (token_is_symbol(token, ')'))
            depth--;
        else
            engine_rewrite(rewrite, i, depth);
    }
}

static bytes_t edits_apply(const rewrite_t *rewrite)
{
    bytes_t text = rewrite->tokens.text;
    size_t len = text.len;
    for (uint32_t i = 0; i < rewrite->edit_count; i++)
        len += strlen(rewrite->edits[i].by);
    uint8_t *made = arena_alloc(rewrite->arena, len + 1);
    size_t used = 0;
    uint32_t from = 0;
    for (uint32_t i = 0; i < rewrite->edit_count; i++) {
        const edit_t *edit = &rewrite->edits[i];
        memcpy(made + used, text.data + from, edit->begin - from);
        used += edit->begin - from;
        memcpy(made + used, edit->by, strlen(edit->by));
        used += strlen(edit->by);
        from = edit->end;
    }
    memcpy(made + used, text.data + from, text.len - from);
    return bytes_of(made, used + text.len - from);
}

void mariadb_ddl_text_make(const ddl_event_t *event, bool if_exists, arena_t *arena,
                           mariadb_ddl_text_t *text)
{
    *text = (mariadb_ddl_text_t){.sql = event->sql};
    rewrite_t rewrite = {.arena = arena};
    uint64_t sql_mode = event->context.has_sql_mode ? event->context.sql_mode : 0;
    if (!event->sql_utf8 || sql_tokenize(bytes_of_text(event->sql_utf8), sql_mode, SERVER_VERSION,
                                         arena, &rewrite.tokens) != SLUICE_OK)
        return;
    rewrite.edits = arena_calloc(arena, rewrite.tokens.count + 1, sizeof *rewrite.edits);
    if (if_exists)
        drop_rewrite(&rewrite);
    else if (event->verb == DDL_CREATE_TABLE || event->verb == DDL_ALTER_TABLE)
        engines_rewrite(&rewrite);
    if (rewrite.edit_count == 0)
        return;
    *text = (mariadb_ddl_text_t){
        .sql = edits_apply(&rewrite), .is_utf8 = true, .replaced = rewrite.replaced};
}
