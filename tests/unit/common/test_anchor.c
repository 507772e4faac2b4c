#include "tests/testing.h"

#include "common/model/anchor.h"

static void finds_the_sequence_of_a_domain(void **state)
{
    (void)state;
    uint64_t sequence;
    assert_int_equal(gtid_list_sequence("0-1-100,3-7-9", 3, &sequence), SLUICE_OK);
    assert_int_equal(sequence, 9);
    assert_int_equal(gtid_list_sequence("0-1-100", 4, &sequence), SLUICE_OK);
    assert_int_equal(sequence, 0);
    assert_int_equal(gtid_list_sequence("", 0, &sequence), SLUICE_OK);
}

static void finds_the_server_of_a_domain(void **state)
{
    (void)state;
    uint32_t server_id;
    assert_int_equal(gtid_list_server("0-1-100,3-7-9", 3, &server_id), SLUICE_OK);
    assert_int_equal(server_id, 7);
    assert_int_equal(gtid_list_server("0-1-100", 4, &server_id), SLUICE_OK);
    assert_int_equal(server_id, 0);
    assert_int_equal(gtid_list_server("0-1", 0, &server_id), SLUICE_ERROR_MALFORMED);
}

static void refuses_lists_that_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {"x",
                                      "0-1",
                                      "0-1-",
                                      "0-1-5,",
                                      "0-1-5x",
                                      ",",
                                      "0-1-5,,0-1-6",
                                      "0-1-18446744073709551616",
                                      "4294967296-1-1",
                                      "-1-1-1"};
    uint64_t sequence;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(gtid_list_sequence(bad[i], 0, &sequence), SLUICE_ERROR_MALFORMED);
}

static void replaces_or_appends_a_domain(void **state)
{
    (void)state;
    char list[ANCHOR_GTID_LIST_MAX] = "0-1-100,3-7-9";
    assert_int_equal(gtid_list_set(list, 0, 2, 101), SLUICE_OK);
    assert_string_equal(list, "0-2-101,3-7-9");
    assert_int_equal(gtid_list_set(list, 5, 1, 1), SLUICE_OK);
    assert_string_equal(list, "0-2-101,3-7-9,5-1-1");
    char empty[ANCHOR_GTID_LIST_MAX] = "";
    assert_int_equal(gtid_list_set(empty, 0, 1, 1), SLUICE_OK);
    assert_string_equal(empty, "0-1-1");
}

static void keeps_the_list_when_it_would_not_fit(void **state)
{
    (void)state;
    char list[ANCHOR_GTID_LIST_MAX] = "";
    uint32_t domain = 0;
    while (gtid_list_set(list, domain, 1, 1) == SLUICE_OK)
        domain++;
    char before[ANCHOR_GTID_LIST_MAX];
    memcpy(before, list, sizeof list);
    assert_int_equal(gtid_list_set(list, domain, 1, 1), SLUICE_ERROR_TOO_LARGE);
    assert_string_equal(list, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_sequence_of_a_domain),
        cmocka_unit_test(finds_the_server_of_a_domain),
        cmocka_unit_test(refuses_lists_that_are_none),
        cmocka_unit_test(replaces_or_appends_a_domain),
        cmocka_unit_test(keeps_the_list_when_it_would_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
