#include "tests/testing.h"

#include "dispatcher/core/ddl/collation.h"

static void ids_have_the_names_that_a_server_gives_them(void **state)
{
    (void)state;
    static const struct {
        uint32_t id;
        const char *charset, *collation;
    } cases[] = {{1, "big5", "big5_chinese_ci"},
                 {8, "latin1", "latin1_swedish_ci"},
                 {28, "gbk", "gbk_chinese_ci"},
                 {33, "utf8mb3", "utf8mb3_general_ci"},
                 {45, "utf8mb4", "utf8mb4_general_ci"},
                 {46, "utf8mb4", "utf8mb4_bin"},
                 {63, "binary", "binary"},
                 {224, "utf8mb4", "utf8mb4_unicode_ci"},
                 {2048, "utf8mb3", "utf8mb3_uca1400_ai_ci"},
                 {2304, "utf8mb4", "utf8mb4_uca1400_ai_ci"},
                 {2308, "utf8mb4", "utf8mb4_uca1400_nopad_ai_ci"},
                 {3271, "utf32", "utf32_uca1400_croatian_nopad_as_cs"}};
    arena_t arena;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        charset_choice_t found = collation_by_id(cases[i].id, &arena);
        assert_non_null(found.collation);
        assert_string_equal(found.collation, cases[i].collation);
        assert_string_equal(found.charset, cases[i].charset);
    }
    static const uint32_t unknown[] = {0, 500, 2047, 2048 + 21 * 8, 3328, UINT32_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        assert_null(collation_by_id(unknown[i], &arena).collation);
    arena_clear(&arena);
}

static void a_choice_follows_what_is_written(void **state)
{
    (void)state;
    static const charset_choice_t inherited = {"latin1", "latin1_bin"};
    static const struct {
        const char *charset, *collation, *expected_charset, *expected_collation;
    } cases[] = {{NULL, NULL, "latin1", "latin1_bin"},
                 {"latin1", NULL, "latin1", "latin1_swedish_ci"},
                 {"utf8mb4", NULL, "utf8mb4", "utf8mb4_general_ci"},
                 {NULL, "gbk_bin", "gbk", "gbk_bin"},
                 {"gbk", "gbk_bin", "gbk", "gbk_bin"},
                 {"utf8mb4", "uca1400_ai_ci", "utf8mb4", "utf8mb4_uca1400_ai_ci"},
                 {"binary", NULL, "binary", "binary"}};
    arena_t arena;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        charset_choice_t found =
            charset_choose(cases[i].charset, cases[i].collation, inherited, &arena);
        assert_string_equal(found.charset, cases[i].expected_charset);
        assert_string_equal(found.collation, cases[i].expected_collation);
    }
    arena_clear(&arena);
}

static void utf8_is_utf8mb3(void **state)
{
    (void)state;
    arena_t arena;
    arena_init(&arena);
    assert_string_equal(charset_normalise(bytes_of_text("UTF8"), &arena), "utf8mb3");
    assert_string_equal(charset_normalise(bytes_of_text("Latin1"), &arena), "latin1");
    assert_string_equal(collation_normalise(bytes_of_text("utf8_BIN"), &arena), "utf8mb3_bin");
    assert_string_equal(collation_normalise(bytes_of_text("utf8mb4_bin"), &arena), "utf8mb4_bin");
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_have_the_names_that_a_server_gives_them),
        cmocka_unit_test(a_choice_follows_what_is_written),
        cmocka_unit_test(utf8_is_utf8mb3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
