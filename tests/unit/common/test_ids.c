#include "tests/testing.h"

#include "common/base/ids.h"

static void table_id_depends_on_schema_name_and_creation(void **state)
{
    (void)state;
    table_id_t a = table_id_derive(bytes_of_text("d"), bytes_of_text("t"), COMMIT_TS_NONE);
    assert_int_not_equal(a.v, 0);
    assert_int_equal(a.v,
                     table_id_derive(bytes_of_text("d"), bytes_of_text("t"), COMMIT_TS_NONE).v);
    assert_int_not_equal(
        a.v, table_id_derive(bytes_of_text("d"), bytes_of_text("t"), (commit_ts_t){1}).v);
    assert_int_not_equal(a.v,
                         table_id_derive(bytes_of_text("dt"), bytes_of_text(""), COMMIT_TS_NONE).v);
}

static void event_keys_order_ddl_before_syncpoint(void **state)
{
    (void)state;
    event_key_t ddl = {{10}, false}, syncpoint = {{10}, true}, later = {{11}, false};
    assert_true(event_key_compare(ddl, syncpoint) < 0);
    assert_true(event_key_compare(syncpoint, later) < 0);
    assert_int_equal(event_key_compare(ddl, ddl), 0);
}

static void node_ids_are_checked(void **state)
{
    (void)state;
    node_id_t id;
    assert_true(node_id_parse(bytes_of_text("node-1.a_B"), &id));
    assert_string_equal(id.text, "node-1.a_B");
    assert_false(node_id_parse(bytes_of_text(""), &id));
    assert_false(node_id_parse(bytes_of_text("a b"), &id));
    assert_false(node_id_parse(bytes_of("a\0b", 3), &id));
    char long_name[65];
    memset(long_name, 'x', sizeof long_name);
    assert_false(node_id_parse(bytes_of(long_name, 64), &id));
    assert_true(node_id_parse(bytes_of(long_name, 63), &id));
}

static void changefeed_uuid_text_round_trips(void **state)
{
    (void)state;
    changefeed_uuid_t uuid = {{0, 1, 2, 254, 255}}, back;
    char text[CHANGEFEED_UUID_TEXT_SIZE];
    changefeed_uuid_format(uuid, text);
    assert_true(changefeed_uuid_parse(bytes_of_text(text), &back));
    assert_true(changefeed_uuid_equal(uuid, back));
    text[3] = 'x';
    assert_false(changefeed_uuid_parse(bytes_of_text(text), &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_id_depends_on_schema_name_and_creation),
        cmocka_unit_test(event_keys_order_ddl_before_syncpoint),
        cmocka_unit_test(node_ids_are_checked),
        cmocka_unit_test(changefeed_uuid_text_round_trips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
