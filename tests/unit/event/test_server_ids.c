#include "tests/testing.h"

#include "dispatcher/shell/server_ids.h"

static void no_two_readers_have_one_id(void **state)
{
    (void)state;
    bool seen[SERVER_IDS_PER_NODE] = {false};
    uint32_t server_id;
    for (int i = 0; i < SERVER_ID_NUMBER_CHECK; i++) {
        assert_int_equal(server_ids_claim(1000, &server_id), SLUICE_OK);
        assert_in_range(server_id, 1000, 1000 + SERVER_ID_NUMBER_CHECK - 1);
        assert_false(seen[server_id - 1000]);
        seen[server_id - 1000] = true;
    }
    assert_int_equal(server_ids_claim(1000, &server_id), SLUICE_ERROR_FULL);
    server_ids_release(1007);
    assert_int_equal(server_ids_claim(1000, &server_id), SLUICE_OK);
    assert_int_equal(server_id, 1007);
    /* Another slot's are others. */
    assert_int_equal(server_ids_claim(1000 + SERVER_IDS_PER_NODE, &server_id), SLUICE_OK);
    assert_int_equal(server_id, 1000 + SERVER_IDS_PER_NODE);
    server_ids_release(server_id);
    for (uint32_t i = 0; i < SERVER_ID_NUMBER_CHECK; i++)
        server_ids_release(1000 + i);
    assert_int_equal(server_ids_claim(1000, &server_id), SLUICE_OK);
    server_ids_release(server_id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_two_readers_have_one_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
