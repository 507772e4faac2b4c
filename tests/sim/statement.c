#include "tests/sim/statement.h"

#include <stdio.h>
#include <string.h>

/* What a statement's words are, in order: n a name of a table, s of a schema, w a column or such,
 * t the shape and o a column or such, which may be missing, * more names. */
typedef struct {
    const char *name;
    const char *words;
} statement_form_t;

static const statement_form_t forms[STATEMENT_KINDS] = {
    [STATEMENT_CREATE] = {"create", "nt"},
    [STATEMENT_CREATE_LIKE] = {"create_like", "nn"},
    [STATEMENT_CREATE_SELECT] = {"create_select", "nt"},
    [STATEMENT_CREATE_OR_REPLACE] = {"create_or_replace", "nt"},
    [STATEMENT_DROP] = {"drop", "n*"},
    [STATEMENT_TRUNCATE] = {"truncate", "n"},
    [STATEMENT_RENAME] = {"rename", "nn*"},
    [STATEMENT_ALTER_RENAME] = {"alter_rename", "nno"},
    [STATEMENT_ADD_COLUMN] = {"add_column", "nwo"},
    [STATEMENT_DROP_COLUMN] = {"drop_column", "nw"},
    [STATEMENT_RENAME_COLUMN] = {"rename_column", "nww"},
    [STATEMENT_SWAP_COLUMNS] = {"swap_columns", "nww"},
    [STATEMENT_ADD_INDEX] = {"add_index", "nw"},
    [STATEMENT_DROP_INDEX] = {"drop_index", "nw"},
    [STATEMENT_ANALYZE] = {"analyze", "n"},
    [STATEMENT_ADD_PARTITION] = {"add_partition", "nw"},
    [STATEMENT_DROP_PARTITION] = {"drop_partition", "nw"},
    [STATEMENT_TRUNCATE_PARTITION] = {"truncate_partition", "nw"},
    [STATEMENT_EXCHANGE_PARTITION] = {"exchange_partition", "nwn"},
    [STATEMENT_CREATE_DATABASE] = {"create_database", "s"},
    [STATEMENT_ALTER_DATABASE] = {"alter_database", "s"},
    [STATEMENT_DROP_DATABASE] = {"drop_database", "s"},
    [STATEMENT_CREATE_VIEW] = {"create_view", "n"},
    [STATEMENT_DROP_VIEW] = {"drop_view", "n"},
};

const char *sim_statement_kind_name(statement_kind_t kind)
{
    return forms[kind].name;
}

bool sim_name_equal(const sim_name_t *a, const sim_name_t *b)
{
    return strcmp(a->schema, b->schema) == 0 && strcmp(a->table, b->table) == 0;
}

static bool next_word(const char **text, char *word, size_t size)
{
    const char *at = *text + strspn(*text, " \n\t");
    size_t len = strcspn(at, " \n\t");
    *text = at + len;
    if (len == 0 || len >= size)
        return false;
    memcpy(word, at, len);
    word[len] = '\0';
    return true;
}

static bool copy_text(char to[SIM_NAME_SIZE], const char *from)
{
    size_t len = strlen(from);
    if (len >= SIM_NAME_SIZE)
        return false;
    memcpy(to, from, len + 1);
    return true;
}

static bool take_name(sim_statement_t *statement, const char *word, bool has_table)
{
    if (statement->name_count == STATEMENT_NAMES_MAX)
        return false;
    sim_name_t *name = &statement->names[statement->name_count++];
    const char *dot = strchr(word, '.');
    size_t len = dot ? (size_t)(dot - word) : strlen(word);
    if ((dot != NULL) != has_table || len == 0 || len >= SIM_NAME_SIZE)
        return false;
    memcpy(name->schema, word, len);
    return !dot || (dot[1] != '\0' && copy_text(name->table, dot + 1));
}

static bool take_shape(sim_statement_t *statement, const char *word)
{
    static const char *const names[TABLE_SHAPES] = {"key", "unique", "keyless", "partitioned"};
    for (int i = 0; i < TABLE_SHAPES; i++) {
        if (strcmp(word, names[i]) == 0) {
            statement->shape = (table_shape_t)i;
            return true;
        }
    }
    return false;
}

static bool take_word(sim_statement_t *statement, char form, const char *word, uint32_t *words)
{
    switch (form) {
    case 'n':
    case '*':
        return take_name(statement, word, true);
    case 's':
        return take_name(statement, word, false);
    case 't':
        return take_shape(statement, word);
    default:
        return copy_text(statement->words[(*words)++], word);
    }
}

bool sim_statement_parse(const char *text, sim_statement_t *statement)
{
    char word[2 * SIM_NAME_SIZE];
    *statement = (sim_statement_t){0};
    if (!next_word(&text, word, sizeof word))
        return false;
    int kind = 0;
    while (kind < STATEMENT_KINDS && strcmp(word, forms[kind].name) != 0)
        kind++;
    if (kind == STATEMENT_KINDS)
        return false;
    statement->kind = (statement_kind_t)kind;
    uint32_t words = 0;
    const char *form = forms[kind].words;
    while (next_word(&text, word, sizeof word)) {
        if (!*form || !take_word(statement, *form, word, &words))
            return false;
        form += *form != '*';
    }
    return *form == '\0' || *form == 't' || *form == 'o' || *form == '*';
}
