#include "tests/testing.h"

#include <stdlib.h>

#include "common/model/charset.h"

typedef struct {
    charset_converter_t *converter;
    arena_t arena;
} fixture_t;

static int setup(void **state)
{
    fixture_t *fixture = calloc(1, sizeof *fixture);
    fixture->converter = charset_converter_new();
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    fixture_t *fixture = *state;
    charset_converter_destroy(&fixture->converter);
    arena_clear(&fixture->arena);
    free(fixture);
    return 0;
}

static void assert_converts(void **state, const char *charset, const char *from, size_t len,
                            const char *to)
{
    fixture_t *fixture = *state;
    bytes_t utf8;
    assert_non_null(charset_find(charset));
    assert_int_equal(charset_to_utf8(fixture->converter, charset_find(charset), bytes_of(from, len),
                                     &fixture->arena, &utf8),
                     SLUICE_OK);
    assert_int_equal(utf8.len, strlen(to));
    assert_memory_equal(utf8.data, to, utf8.len);
}

#define ASSERT_CONVERTS(charset, from, to)                                                         \
    assert_converts(state, charset, from, sizeof(from) - 1, to)

static void knows_the_charset_of_every_kind_of_collation_id(void **state)
{
    (void)state;
    assert_string_equal(charset_of_collation(8), "latin1");
    assert_string_equal(charset_of_collation(33), "utf8mb3");
    assert_string_equal(charset_of_collation(45), "utf8mb4");
    assert_string_equal(charset_of_collation(63), "binary");
    assert_string_equal(charset_of_collation(1032), "latin1");
    assert_string_equal(charset_of_collation(1125), "utf16");
    assert_string_equal(charset_of_collation(2304), "utf8mb4");
    assert_string_equal(charset_of_collation(3271), "utf32");
    assert_null(charset_of_collation(0));
    assert_null(charset_of_collation(1024));
    assert_null(charset_of_collation(4000));
}

static void every_collation_has_a_charset_that_can_be_converted(void **state)
{
    fixture_t *fixture = *state;
    uint32_t known = 0;
    for (uint32_t id = 0; id < 4096; id++) {
        const char *name = charset_of_collation(id);
        if (!name)
            continue;
        known++;
        const charset_t *charset = charset_find(name);
        assert_non_null(charset);
        assert_string_equal(charset_name(charset), name);
        assert_int_equal(charset_check(fixture->converter, charset, NULL), SLUICE_OK);
    }
    assert_true(known >= 1242);
}

static void names_ignore_case_and_utf8_is_utf8mb3(void **state)
{
    (void)state;
    assert_string_equal(charset_name(charset_find("UTF8")), "utf8mb3");
    assert_string_equal(charset_name(charset_find("Latin1")), "latin1");
    assert_null(charset_find("klingon"));
    assert_true(charset_is_binary(charset_find("binary")));
    assert_false(charset_is_binary(charset_find("ascii")));
}

static void text_that_is_utf8_already_is_borrowed(void **state)
{
    fixture_t *fixture = *state;
    const char text[] = "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80 and plain enough to pass words";
    bytes_t utf8;
    assert_int_equal(charset_to_utf8(fixture->converter, charset_find("utf8mb4"),
                                     bytes_of_text(text), &fixture->arena, &utf8),
                     SLUICE_OK);
    assert_ptr_equal(utf8.data, text);
    assert_int_equal(utf8.len, strlen(text));
    assert_int_equal(fixture->arena.bytes, 0);
}

static void single_byte_charsets_mean_what_the_server_says(void **state)
{
    ASSERT_CONVERTS("latin1", "\xe9\x80\x81", "\xc3\xa9\xe2\x82\xac\xc2\x81");
    ASSERT_CONVERTS("latin2", "\xb1", "\xc4\x85");
    ASSERT_CONVERTS("cp1251", "\xcf\xf0", "\xd0\x9f\xd1\x80");
    ASSERT_CONVERTS("koi8r", "\xf0", "\xd0\x9f");
    ASSERT_CONVERTS("swe7", "K\\k", "K\xc3\x96k");
    ASSERT_CONVERTS("greek", "\xe1", "\xce\xb1");
    ASSERT_CONVERTS("hebrew", "\xe0", "\xd7\x90");
    ASSERT_CONVERTS("tis620", "\xa1", "\xe0\xb8\x81");
    ASSERT_CONVERTS("macroman", "\x80", "\xc3\x84");
    ASSERT_CONVERTS("keybcs2", "\x80", "\xc4\x8c");
    ASSERT_CONVERTS("geostd8", "\xc0", "\xe1\x83\x90");
}

static void east_asian_charsets_follow_the_server_where_iconv_differs(void **state)
{
    ASSERT_CONVERTS("gbk",
                    "a\xd6\xd0"
                    "b",
                    "a\xe4\xb8\xad"
                    "b");
    ASSERT_CONVERTS("gb2312", "\xd6\xd0", "\xe4\xb8\xad");
    ASSERT_CONVERTS("big5", "\xa4\xa4\xa1\x45\xa4\xa4", "\xe4\xb8\xad\xe2\x80\xa2\xe4\xb8\xad");
    ASSERT_CONVERTS("sjis", "\x93\xfa\x81\x5f\xb1\\~", "\xe6\x97\xa5\\\xef\xbd\xb1\\~");
    ASSERT_CONVERTS("cp932", "\x93\xfa\x87\x40", "\xe6\x97\xa5\xe2\x91\xa0");
    ASSERT_CONVERTS("ujis", "\xc6\xfc\xa1\xc0\x8e\xb1", "\xe6\x97\xa5\\\xef\xbd\xb1");
    ASSERT_CONVERTS("ujis", "\x8f\xa2\xb7\x8f\xa2\xc4", "~\xc2\xbf");
    ASSERT_CONVERTS("eucjpms", "\xc6\xfc", "\xe6\x97\xa5");
    ASSERT_CONVERTS("euckr", "\xc7\xd1\x81\x41", "\xed\x95\x9c\xea\xb0\x82");
}

static void wide_charsets_join_surrogate_pairs(void **state)
{
    ASSERT_CONVERTS("utf16", "\x00\x61\xd8\x3d\xde\x00", "a\xf0\x9f\x98\x80");
    ASSERT_CONVERTS("utf16le", "\x61\x00\x3d\xd8\x00\xde", "a\xf0\x9f\x98\x80");
    ASSERT_CONVERTS("utf32", "\x00\x01\xf6\x00", "\xf0\x9f\x98\x80");
    ASSERT_CONVERTS("ucs2", "\x20\xac", "\xe2\x82\xac");
}

static void bytes_that_begin_no_character_become_u_fffd_and_are_counted(void **state)
{
    fixture_t *fixture = *state;
    ASSERT_CONVERTS("utf8mb4",
                    "a\xff"
                    "b\xed\xa0\x80",
                    "a\xef\xbf\xbd"
                    "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    assert_int_equal(charset_converter_replaced(fixture->converter), 4);
    ASSERT_CONVERTS("utf8mb3", "\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd");
    ASSERT_CONVERTS("ascii", "x\xe9", "x\xef\xbf\xbd");
    ASSERT_CONVERTS("gbk", "\xd6", "\xef\xbf\xbd");
    ASSERT_CONVERTS("big5", "\xff\xa4", "\xef\xbf\xbd\xef\xbf\xbd");
    ASSERT_CONVERTS("utf16", "\xd8\x3d\x00", "\xef\xbf\xbd\xef\xbf\xbd");
    ASSERT_CONVERTS("ucs2", "\xd8\x3d\xde\x00", "\xef\xbf\xbd\xef\xbf\xbd");
    ASSERT_CONVERTS("utf32", "\x00\x11\x00\x00", "\xef\xbf\xbd");
    ASSERT_CONVERTS("cp1250", "\x81", "\xef\xbf\xbd");
    assert_int_equal(charset_converter_replaced(fixture->converter), 16);
}

static void every_byte_pair_fits_the_room_reserved(void **state)
{
    static const char *const names[] = {"big5",    "sjis",  "ujis",   "cp932", "gbk",
                                        "eucjpms", "euckr", "gb2312", "utf16", "latin1"};
    fixture_t *fixture = *state;
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        for (uint32_t pair = 0; pair < 0x10000; pair += 7) {
            char text[6] = {(char)(pair >> 8), (char)pair, (char)0xff,
                            (char)(pair >> 8), (char)pair, (char)0x8f};
            bytes_t utf8;
            assert_int_equal(charset_to_utf8(fixture->converter, charset_find(names[n]),
                                             bytes_of(text, sizeof text), &fixture->arena, &utf8),
                             SLUICE_OK);
            assert_true(utf8.len <= 3 * sizeof text + 3);
            arena_reset(&fixture->arena);
        }
    }
}

static void binary_is_handed_through(void **state)
{
    ASSERT_CONVERTS("binary", "\xff\xfe", "\xff\xfe");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_charset_of_every_kind_of_collation_id),
        cmocka_unit_test_setup_teardown(every_collation_has_a_charset_that_can_be_converted, setup,
                                        teardown),
        cmocka_unit_test(names_ignore_case_and_utf8_is_utf8mb3),
        cmocka_unit_test_setup_teardown(text_that_is_utf8_already_is_borrowed, setup, teardown),
        cmocka_unit_test_setup_teardown(single_byte_charsets_mean_what_the_server_says, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(east_asian_charsets_follow_the_server_where_iconv_differs,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(wide_charsets_join_surrogate_pairs, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_that_begin_no_character_become_u_fffd_and_are_counted,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(every_byte_pair_fits_the_room_reserved, setup, teardown),
        cmocka_unit_test_setup_teardown(binary_is_handed_through, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
