#include "dispatcher/core/binlog/statement.h"

#include <strings.h>

typedef struct {
    const char *at, *end;
} text_t;

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (c & 0x80);
}

static void skip_line(text_t *text)
{
    while (text->at < text->end && *text->at != '\n')
        text->at++;
}

/* The inside of an executable comment is looked at, only its opening with the version is passed. */
static void skip_comment(text_t *text)
{
    text->at += 2;
    if (text->at < text->end && (*text->at == '!' || *text->at == 'M')) {
        while (text->at < text->end &&
               (*text->at == '!' || *text->at == 'M' || (*text->at >= '0' && *text->at <= '9')))
            text->at++;
        return;
    }
    while (text->end - text->at >= 2 && !(text->at[0] == '*' && text->at[1] == '/'))
        text->at++;
    text->at = text->end - text->at >= 2 ? text->at + 2 : text->end;
}

static void skip_blank(text_t *text)
{
    while (text->at < text->end) {
        size_t left = (size_t)(text->end - text->at);
        if (is_space(*text->at) || *text->at == '(')
            text->at++;
        else if (*text->at == '#' || (left >= 2 && text->at[0] == '-' && text->at[1] == '-'))
            skip_line(text);
        else if (left >= 2 && text->at[0] == '/' && text->at[1] == '*')
            skip_comment(text);
        else
            return;
    }
}

static bytes_t next_word(text_t *text)
{
    skip_blank(text);
    const char *start = text->at;
    while (text->at < text->end && is_word(*text->at))
        text->at++;
    return bytes_of(start, (size_t)(text->at - start));
}

static bool is(bytes_t word, const char *expected)
{
    return word.len == strlen(expected) &&
           strncasecmp((const char *)word.data, expected, word.len) == 0;
}

static bool is_one_of(bytes_t word, const char *const *list)
{
    for (; *list; list++)
        if (is(word, *list))
            return true;
    return false;
}

/* A bare or quoted name; the server doubles a quote inside, which stays doubled: names are only
 * compared with each other. */
static bytes_t read_name(text_t *text)
{
    skip_blank(text);
    if (text->at >= text->end || (*text->at != '`' && *text->at != '"'))
        return next_word(text);
    char quote = *text->at++;
    const char *start = text->at;
    while (text->at < text->end) {
        if (*text->at == quote && !(text->end - text->at >= 2 && text->at[1] == quote))
            break;
        text->at += *text->at == quote ? 2 : 1;
    }
    return bytes_of(start, (size_t)(text->at - start));
}

static statement_kind_t classify_rollback(text_t *text, bytes_t *savepoint)
{
    bytes_t word = next_word(text);
    if (is(word, "WORK"))
        word = next_word(text);
    if (!is(word, "TO"))
        return STATEMENT_ROLLBACK;
    text_t before = *text;
    if (!is(next_word(text), "SAVEPOINT"))
        *text = before;
    *savepoint = read_name(text);
    return STATEMENT_ROLLBACK_TO;
}

static statement_kind_t classify_create_or_drop(text_t *text)
{
    bytes_t word = next_word(text);
    if (is(word, "OR")) {
        (void)next_word(text);
        word = next_word(text);
    }
    return is(word, "TEMPORARY") ? STATEMENT_NEUTRAL : STATEMENT_OTHER;
}

statement_kind_t statement_classify(bytes_t sql, bytes_t *savepoint)
{
    static const char *const changing[] = {"INSERT", "UPDATE", "DELETE", "REPLACE",
                                           "LOAD",   "SELECT", "CALL",   "WITH",
                                           "VALUES", "DO",     NULL};
    text_t text = {(const char *)sql.data, (const char *)sql.data + sql.len};
    *savepoint = (bytes_t){0};
    bytes_t word = next_word(&text);
    if (is(word, "BEGIN") || is(word, "START"))
        return STATEMENT_BEGIN;
    if (is(word, "COMMIT"))
        return STATEMENT_COMMIT;
    if (is(word, "ROLLBACK"))
        return classify_rollback(&text, savepoint);
    if (is(word, "SAVEPOINT")) {
        *savepoint = read_name(&text);
        return STATEMENT_SAVEPOINT;
    }
    if (is(word, "XA"))
        return STATEMENT_XA;
    if (is(word, "RELEASE"))
        return STATEMENT_NEUTRAL;
    if (is(word, "CREATE") || is(word, "DROP"))
        return classify_create_or_drop(&text);
    return is_one_of(word, changing) ? STATEMENT_ROWS : STATEMENT_OTHER;
}
