#include "tests/testing.h"

#include "dispatcher/core/ddl/sql_token.h"
#include "dispatcher/core/ddl/text_builder.h"

/* Tokens as "kind:value" with one blank between. */
static const char *tokens_of(const char *sql, uint64_t sql_mode, arena_t *arena)
{
    static const char *const kinds[] = {
        [TOKEN_END] = "end",       [TOKEN_WORD] = "word",         [TOKEN_NAME] = "name",
        [TOKEN_STRING] = "string", [TOKEN_NUMBER] = "number",     [TOKEN_HEX] = "hex",
        [TOKEN_BITS] = "bits",     [TOKEN_VARIABLE] = "variable", [TOKEN_SYMBOL] = ""};
    token_list_t list;
    text_builder_t text;
    if (sql_tokenize(bytes_of_text(sql), sql_mode, 101119, arena, &list) != SLUICE_OK)
        return "malformed";
    text_builder_init(&text, arena);
    for (uint32_t i = 0; i + 1 < list.count; i++) {
        const token_t *token = &list.tokens[i];
        if (i > 0)
            text_add_char(&text, ' ');
        text_add(&text, kinds[token->kind]);
        if (token->kind != TOKEN_SYMBOL)
            text_add_char(&text, ':');
        text_add_bytes(&text, token->value.data, token->value.len);
    }
    assert_int_equal(list.tokens[list.count - 1].kind, TOKEN_END);
    return text_finish(&text);
}

typedef struct {
    const char *sql, *expected;
    uint64_t sql_mode;
} case_t;

static void check_cases(const case_t *cases, size_t count)
{
    arena_t arena;
    arena_init(&arena);
    for (size_t i = 0; i < count; i++) {
        const char *found = tokens_of(cases[i].sql, cases[i].sql_mode, &arena);
        if (strcmp(found, cases[i].expected) != 0)
            fail_msg("%s\n  wanted: %s\n  found:  %s", cases[i].sql, cases[i].expected, found);
    }
    arena_clear(&arena);
}

#define CHECK_CASES(...)                                                                           \
    do {                                                                                           \
        static const case_t cases[] = {__VA_ARGS__};                                               \
        check_cases(cases, sizeof cases / sizeof cases[0]);                                        \
    } while (0)

static void splits_words_numbers_and_symbols(void **state)
{
    (void)state;
    CHECK_CASES(
        {"", "", 0}, {" \t\n", "", 0}, {"a b_1 $c", "word:a word:b_1 word:$c", 0},
        {"ünï", "word:ünï", 0},
        {"1 1.5 .5 1e5 1.5E-3", "number:1 number:1.5 number:.5 number:1e5 number:1.5E-3", 0},
        {"1a 2b", "word:1a word:2b", 0}, {"1e", "word:1e", 0},
        {"a.1 a.1b a.select", "word:a . word:1 word:a . word:1b word:a . word:select", 0},
        {"`a`.5", "name:a . word:5", 0}, {"a=1", "word:a = number:1", 0},
        {"(a,b)", "( word:a , word:b )", 0},
        {"@x @@y.z @'q w'", "variable:@x variable:@@y.z variable:@'q w'", 0},
        {"a<=>b", "word:a < = > word:b", 0});
}

static void reads_hexadecimal_and_bits(void **state)
{
    (void)state;
    CHECK_CASES({"0x41 x'4a' X'4A' 0X41", "hex:41 hex:4a hex:4A word:0X41", 0},
                {"0b101 b'101' B'1'", "bits:101 bits:101 bits:1", 0},
                {"0xg 0b2 0x", "word:0xg word:0b2 word:0x", 0});
}

static void reads_strings_by_sql_mode(void **state)
{
    (void)state;
    CHECK_CASES({"'a' \"b\"", "string:a string:b", 0},
                {"'a' \"b\"", "string:a name:b", SQL_MODE_ANSI_QUOTES},
                {"'it''s'", "string:it's", 0},
                {"'it\\'s \\n \\\\ \\x \\%'", "string:it's \n \\ x \\%", 0},
                {"'a\\' 'b'", "string:a\\ string:b", SQL_MODE_NO_BACKSLASH_ESCAPES},
                {"\"a\"\"b\" 'c\"d'", "string:a\"b string:c\"d", 0},
                {"N'x' n'y'", "string:x string:y", 0}, {"_latin1'x'", "word:_latin1 string:x", 0},
                {"'a", "malformed", 0}, {"'a\\'", "malformed", 0}, {"\"", "malformed", 0});
}

static void reads_quoted_names(void **state)
{
    (void)state;
    CHECK_CASES({"`a``b` `sel ect` ``", "name:a`b name:sel ect name:", 0}, {"`a\\`", "name:a\\", 0},
                {"`a", "malformed", 0}, {"\"a\"\"b\"", "name:a\"b", SQL_MODE_ANSI_QUOTES});
}

static void passes_over_comments(void **state)
{
    (void)state;
    CHECK_CASES({"a /* b */ c", "word:a word:c", 0}, {"a -- b\nc", "word:a word:c", 0},
                {"a --b", "word:a - - word:b", 0}, {"a # b\nc", "word:a word:c", 0},
                {"a --", "word:a", 0}, {"/**/a", "word:a", 0}, {"/* '", "malformed", 0},
                {"'/* a */'", "string:/* a */", 0}, {"a/*b*/c", "word:a word:c", 0});
}

static void runs_executable_comments_that_the_server_would(void **state)
{
    (void)state;
    CHECK_CASES({"/*!40000 a */ b", "word:a word:b", 0}, {"/*! a */", "word:a", 0},
                {"/*!50001a*/", "word:a", 0}, {"/*M!100100 a */", "word:a", 0},
                {"/*M! a */", "word:a", 0}, {"/*!101119 a */", "word:a", 0},
                {"/*!101120 a */ b", "word:b", 0}, {"/*M!110000 a */ b", "word:b", 0},
                {"/*!50700 a */ b", "word:b", 0}, {"/*!80000 a */ b", "word:b", 0},
                {"/*M!50700 a */", "word:a", 0}, {"/*!99999 a /* b */ c */ d", "word:d", 0},
                {"/*!40000 a /* b */ c */ d", "word:a word:c word:d", 0},
                {"/*!99999 a", "malformed", 0}, {"/*!100 a */", "number:100 word:a", 0});
}

static void writes_tokens_as_text_again(void **state)
{
    (void)state;
    arena_t arena;
    arena_init(&arena);
    token_list_t list;
    const char *sql = "f( \"a\" ,  'it\\'s'/*x*/,b)";
    assert_int_equal(sql_tokenize(bytes_of_text(sql), SQL_MODE_ANSI_QUOTES, 0, &arena, &list),
                     SLUICE_OK);
    assert_string_equal(sql_tokens_text(&list, 0, list.count - 1, &arena), "f( `a` , 'it''s' ,b)");
    assert_string_equal(sql_string_literal(bytes_of_text("a'b\\c"), &arena), "'a''b\\\\c'");
    arena_clear(&arena);
}

static void refuses_a_text_beyond_the_limit(void **state)
{
    (void)state;
    arena_t arena;
    arena_init(&arena);
    token_list_t list;
    uint8_t *text = arena_zalloc(&arena, SQL_TEXT_BYTES_MAX + 1);
    assert_int_equal(sql_tokenize(bytes_of(text, SQL_TEXT_BYTES_MAX + 1), 0, 0, &arena, &list),
                     SLUICE_ERROR_TOO_LARGE);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_words_numbers_and_symbols),
        cmocka_unit_test(reads_hexadecimal_and_bits),
        cmocka_unit_test(reads_strings_by_sql_mode),
        cmocka_unit_test(reads_quoted_names),
        cmocka_unit_test(passes_over_comments),
        cmocka_unit_test(runs_executable_comments_that_the_server_would),
        cmocka_unit_test(writes_tokens_as_text_again),
        cmocka_unit_test(refuses_a_text_beyond_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
