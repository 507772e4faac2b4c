#include "dispatcher/core/ddl/sql_token.h"

typedef struct {
    bytes_t text;
    uint64_t sql_mode;
    uint32_t server_version;
    arena_t *arena;
    uint32_t at;
    bool in_executable; /* inside an executable comment whose content counts */
    token_t *tokens;
    uint32_t count, capacity;
} lexer_t;

static uint8_t byte_at(const lexer_t *lexer, uint32_t at)
{
    return at < lexer->text.len ? lexer->text.data[at] : 0;
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_hex_digit(uint8_t byte)
{
    return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

static bool is_name_byte(uint8_t byte)
{
    return is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           byte == '_' || byte == '$' || byte >= 0x80;
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static void add_token(lexer_t *lexer, token_kind_t kind, uint32_t begin, uint32_t end,
                      bytes_t value)
{
    if (lexer->count == lexer->capacity) {
        uint32_t capacity = lexer->capacity ? lexer->capacity * 2 : 64;
        token_t *tokens = arena_calloc(lexer->arena, capacity, sizeof *tokens);
        if (lexer->count > 0)
            memcpy(tokens, lexer->tokens, lexer->count * sizeof *tokens);
        lexer->tokens = tokens;
        lexer->capacity = capacity;
    }
    bool is_spaced = lexer->count > 0 && lexer->tokens[lexer->count - 1].end < begin;
    lexer->tokens[lexer->count++] = (token_t){kind, is_spaced, begin, end, value};
}

static void add_plain(lexer_t *lexer, token_kind_t kind, uint32_t begin, uint32_t end)
{
    add_token(lexer, kind, begin, end, bytes_of(lexer->text.data + begin, end - begin));
    lexer->at = end;
}

/* ---- comments ---- */

/* Position behind the end of a comment whose text begins at `from`, 0 if it does not end. */
static uint32_t comment_end(const lexer_t *lexer, uint32_t from)
{
    for (uint32_t i = from; i + 1 < lexer->text.len; i++)
        if (lexer->text.data[i] == '*' && lexer->text.data[i + 1] == '/')
            return i + 2;
    return 0;
}

/* MariaDB runs what stands in such a comment if its version is not above its own, but leaves alone
 * what is meant for MySQL 5.7 and later (MariaDB's knowledge base, "Comment Syntax"). */
static bool is_run(const lexer_t *lexer, bool for_mariadb, uint32_t digits, uint32_t version)
{
    if (digits == 0)
        return true;
    if (!for_mariadb && digits == 5 && version >= 50700 && version <= 99999)
        return false;
    return version <= lexer->server_version;
}

/* Enters an executable comment, or passes over it. false: it does not end. */
static bool read_executable_comment(lexer_t *lexer, uint32_t open_len, bool for_mariadb)
{
    uint32_t at = lexer->at + open_len, digits = 0, version = 0;
    while (digits < 6 && is_digit(byte_at(lexer, at + digits))) {
        version = version * 10 + (byte_at(lexer, at + digits) - '0');
        digits++;
    }
    if (digits < 5)
        digits = 0;
    if (is_run(lexer, for_mariadb, digits, version)) {
        lexer->in_executable = true;
        lexer->at = at + digits;
        return true;
    }
    /* A comment that is not run may hold others. */
    uint32_t depth = 1;
    while (depth > 0 && at + 1 < lexer->text.len) {
        bool opens = lexer->text.data[at] == '/' && lexer->text.data[at + 1] == '*';
        bool closes = lexer->text.data[at] == '*' && lexer->text.data[at + 1] == '/';
        depth = depth + (opens ? 1 : 0) - (closes ? 1 : 0);
        at += opens || closes ? 2 : 1;
    }
    lexer->at = at;
    return depth == 0;
}

static void skip_line(lexer_t *lexer)
{
    while (lexer->at < lexer->text.len && lexer->text.data[lexer->at] != '\n')
        lexer->at++;
}

/* Passes over one blank or comment. *was_one: there was one. */
static sluice_error_t skip_one(lexer_t *lexer, bool *was_one)
{
    uint8_t c = byte_at(lexer, lexer->at), next = byte_at(lexer, lexer->at + 1);
    *was_one = true;
    if (is_space(c)) {
        lexer->at++;
    } else if (c == '#' ||
               (c == '-' && next == '-' &&
                (byte_at(lexer, lexer->at + 2) <= ' ' || byte_at(lexer, lexer->at + 2) == 0x7F))) {
        skip_line(lexer);
    } else if (c == '/' && next == '*') {
        uint8_t mark = byte_at(lexer, lexer->at + 2);
        if (mark == '!')
            return read_executable_comment(lexer, 3, false) ? SLUICE_OK : SLUICE_ERROR_MALFORMED;
        if (mark == 'M' && byte_at(lexer, lexer->at + 3) == '!')
            return read_executable_comment(lexer, 4, true) ? SLUICE_OK : SLUICE_ERROR_MALFORMED;
        uint32_t end = comment_end(lexer, lexer->at + 2);
        if (end == 0)
            return SLUICE_ERROR_MALFORMED;
        lexer->at = end;
    } else if (c == '*' && next == '/' && lexer->in_executable) {
        lexer->in_executable = false;
        lexer->at += 2;
    } else {
        *was_one = false;
    }
    return SLUICE_OK;
}

/* ---- strings and quoted names ---- */

static char unescape(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case 'b':
        return '\b';
    case '0':
        return '\0';
    case 'Z':
        return '\032';
    default:
        return c;
    }
}

/* Reads from the quote at `quote_at` to the closing one; gives the position behind it and the text
 * without quotes and escapes. */
static bool read_quoted(lexer_t *lexer, uint32_t quote_at, bool with_backslash, uint32_t *end,
                        bytes_t *value)
{
    const uint8_t *text = lexer->text.data;
    uint8_t quote = text[quote_at];
    uint32_t at = quote_at + 1;
    bool is_plain = true;
    for (; at < lexer->text.len; at++) {
        if (with_backslash && text[at] == '\\') {
            is_plain = false;
            at++;
        } else if (text[at] == quote) {
            if (byte_at(lexer, at + 1) != quote)
                break;
            is_plain = false;
            at++;
        }
    }
    if (at >= lexer->text.len)
        return false;
    *end = at + 1;
    *value = bytes_of(text + quote_at + 1, at - quote_at - 1);
    if (is_plain)
        return true;
    char *plain = arena_alloc(lexer->arena, value->len + 1);
    size_t len = 0;
    for (uint32_t i = quote_at + 1; i < at; i++) {
        char c = (char)text[i];
        if (with_backslash && c == '\\') {
            c = (char)text[++i];
            /* \% and \_ keep their backslash: they mean something in patterns only. */
            if (c == '%' || c == '_')
                plain[len++] = '\\';
            c = unescape(c);
        } else if (text[i] == quote) {
            i++;
        }
        plain[len++] = c;
    }
    *value = bytes_of(plain, len);
    return true;
}

/* `prefix` bytes (N of N'…') before the quote belong to the token. */
static sluice_error_t read_string(lexer_t *lexer, uint32_t prefix)
{
    uint32_t begin = lexer->at, end = 0;
    bytes_t value;
    bool with_backslash = !(lexer->sql_mode & SQL_MODE_NO_BACKSLASH_ESCAPES);
    if (!read_quoted(lexer, begin + prefix, with_backslash, &end, &value))
        return SLUICE_ERROR_MALFORMED;
    add_token(lexer, TOKEN_STRING, begin, end, value);
    lexer->at = end;
    return SLUICE_OK;
}

static sluice_error_t read_name(lexer_t *lexer)
{
    uint32_t end = 0;
    bytes_t value;
    if (!read_quoted(lexer, lexer->at, false, &end, &value))
        return SLUICE_ERROR_MALFORMED;
    add_token(lexer, TOKEN_NAME, lexer->at, end, value);
    lexer->at = end;
    return SLUICE_OK;
}

/* x'…' or b'…'. */
static sluice_error_t read_digits_in_quotes(lexer_t *lexer, token_kind_t kind)
{
    uint32_t end = 0;
    bytes_t value;
    if (!read_quoted(lexer, lexer->at + 1, false, &end, &value))
        return SLUICE_ERROR_MALFORMED;
    add_token(lexer, kind, lexer->at, end, value);
    lexer->at = end;
    return SLUICE_OK;
}

/* ---- numbers and words ---- */

static uint32_t skip_name_bytes(const lexer_t *lexer, uint32_t at)
{
    while (at < lexer->text.len && is_name_byte(lexer->text.data[at]))
        at++;
    return at;
}

static uint32_t skip_digits(const lexer_t *lexer, uint32_t at)
{
    while (is_digit(byte_at(lexer, at)))
        at++;
    return at;
}

/* 0x… and 0b…: true if it was one; with a letter behind the digits it is a name. */
static bool read_prefixed_digits(lexer_t *lexer)
{
    uint32_t begin = lexer->at, at = begin + 2;
    uint8_t prefix = byte_at(lexer, begin + 1);
    if (byte_at(lexer, begin) != '0' || (prefix != 'x' && prefix != 'b'))
        return false;
    while (prefix == 'x' ? is_hex_digit(byte_at(lexer, at))
                         : byte_at(lexer, at) == '0' || byte_at(lexer, at) == '1')
        at++;
    if (at == begin + 2 || is_name_byte(byte_at(lexer, at)))
        return false;
    add_token(lexer, prefix == 'x' ? TOKEN_HEX : TOKEN_BITS, begin, at,
              bytes_of(lexer->text.data + begin + 2, at - begin - 2));
    lexer->at = at;
    return true;
}

/* Position behind 'e' and an exponent at `at`, `at` itself if there is none. */
static uint32_t skip_exponent(const lexer_t *lexer, uint32_t at)
{
    if (byte_at(lexer, at) != 'e' && byte_at(lexer, at) != 'E')
        return at;
    uint32_t digits = at + 1;
    if (byte_at(lexer, digits) == '+' || byte_at(lexer, digits) == '-')
        digits++;
    uint32_t end = skip_digits(lexer, digits);
    return end > digits ? end : at;
}

static void read_number(lexer_t *lexer)
{
    if (read_prefixed_digits(lexer))
        return;
    uint32_t at = skip_digits(lexer, lexer->at);
    bool has_point = byte_at(lexer, at) == '.';
    if (has_point)
        at = skip_digits(lexer, at + 1);
    at = skip_exponent(lexer, at);
    /* A name may begin with digits, but not with a number that has a point. */
    if (!has_point && is_name_byte(byte_at(lexer, at)))
        add_plain(lexer, TOKEN_WORD, lexer->at, skip_name_bytes(lexer, lexer->at));
    else
        add_plain(lexer, TOKEN_NUMBER, lexer->at, at);
}

/* Right behind a name's '.', digits and keywords are names. */
static bool follows_qualifier(const lexer_t *lexer)
{
    if (lexer->count < 2 || lexer->tokens[lexer->count - 1].end != lexer->at)
        return false;
    const token_t *point = &lexer->tokens[lexer->count - 1];
    token_kind_t before = lexer->tokens[lexer->count - 2].kind;
    return point->kind == TOKEN_SYMBOL && point->value.data[0] == '.' &&
           (before == TOKEN_WORD || before == TOKEN_NAME);
}

static bool is_number_start(const lexer_t *lexer)
{
    uint8_t c = byte_at(lexer, lexer->at);
    if (is_digit(c))
        return true;
    if (c != '.' || !is_digit(byte_at(lexer, lexer->at + 1)))
        return false;
    if (lexer->count == 0)
        return true;
    const token_t *before = &lexer->tokens[lexer->count - 1];
    return before->end != lexer->at || (before->kind != TOKEN_WORD && before->kind != TOKEN_NAME);
}

/* @x, @@x, @'x': the name behind it is taken along. */
static sluice_error_t read_variable(lexer_t *lexer)
{
    uint32_t at = lexer->at + 1;
    while (byte_at(lexer, at) == '@')
        at++;
    uint8_t c = byte_at(lexer, at);
    if (c == '\'' || c == '"' || c == '`') {
        bytes_t value;
        if (!read_quoted(lexer, at, false, &at, &value))
            return SLUICE_ERROR_MALFORMED;
    } else {
        while (is_name_byte(byte_at(lexer, at)) || byte_at(lexer, at) == '.')
            at++;
    }
    add_plain(lexer, TOKEN_VARIABLE, lexer->at, at);
    return SLUICE_OK;
}

static sluice_error_t read_token(lexer_t *lexer)
{
    uint8_t c = byte_at(lexer, lexer->at), next = byte_at(lexer, lexer->at + 1);
    if (c == '`' || (c == '"' && (lexer->sql_mode & SQL_MODE_ANSI_QUOTES)))
        return read_name(lexer);
    if (c == '\'' || c == '"')
        return read_string(lexer, 0);
    if (next == '\'' && (c == 'n' || c == 'N'))
        return read_string(lexer, 1);
    if (next == '\'' && (c == 'x' || c == 'X'))
        return read_digits_in_quotes(lexer, TOKEN_HEX);
    if (next == '\'' && (c == 'b' || c == 'B'))
        return read_digits_in_quotes(lexer, TOKEN_BITS);
    if (c == '@')
        return read_variable(lexer);
    if (is_name_byte(c) && follows_qualifier(lexer))
        add_plain(lexer, TOKEN_WORD, lexer->at, skip_name_bytes(lexer, lexer->at));
    else if (is_number_start(lexer))
        read_number(lexer);
    else if (is_name_byte(c))
        add_plain(lexer, TOKEN_WORD, lexer->at, skip_name_bytes(lexer, lexer->at));
    else
        add_plain(lexer, TOKEN_SYMBOL, lexer->at, lexer->at + 1);
    return SLUICE_OK;
}

sluice_error_t sql_tokenize(bytes_t text, uint64_t sql_mode, uint32_t server_version,
                            arena_t *arena, token_list_t *list)
{
    if (text.len > SQL_TEXT_BYTES_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    lexer_t lexer = {.text = text,
                     .sql_mode = sql_mode,
                     .server_version = server_version ? server_version : 101100,
                     .arena = arena};
    while (lexer.at < text.len) {
        bool was_blank = false;
        sluice_error_t error = skip_one(&lexer, &was_blank);
        if (error == SLUICE_OK && !was_blank)
            error = read_token(&lexer);
        if (error != SLUICE_OK)
            return error;
    }
    add_token(&lexer, TOKEN_END, (uint32_t)text.len, (uint32_t)text.len, bytes_of("", 0));
    *list = (token_list_t){text, lexer.tokens, lexer.count};
    return SLUICE_OK;
}
