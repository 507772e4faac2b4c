/* What is durable: rows, the checkpoint, credit, and DDLs of the table alone. */
#include "tests/unit/node/dispatcher_fixture.h"

static void knows_rows_as_durable_only_after_the_flush(void **state)
{
    fixture_t *fixture = *state;
    deliver_rows(fixture, 2);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_WRITE_ROWS), 1);
    assert_int_equal(checkpoint(fixture), 1);
    assert_int_equal(view(fixture).rows_in_flight, 1);
    assert_int_equal(dispatcher_resolved(fixture->dispatcher).v, 1);
    node_effects_reset(&fixture->effects);
    written(fixture, 1, SLUICE_OK);
    assert_int_equal(checkpoint(fixture), 1);
    assert_int_equal(view(fixture).rows_in_flight, 0);
    const node_effect_t *credit = find_effect(fixture, NODE_EFFECT_RETURN_CREDIT);
    assert_non_null(credit);
    assert_true(credit->bytes >= 100);
}

static void returns_credit_once_for_rows_flushed_in_two_parts(void **state)
{
    fixture_t *fixture = *state;
    for (uint64_t ts = 2; ts <= 4; ts++)
        deliver_rows(fixture, ts);
    const node_effect_t *write = find_effect(fixture, NODE_EFFECT_WRITE_ROWS);
    assert_int_equal(write->commit_ts.v, 2);
    assert_non_null(write->transaction);
    node_effects_reset(&fixture->effects);
    written(fixture, 2, SLUICE_OK);
    assert_int_equal(checkpoint(fixture), 3);
    written(fixture, 1, SLUICE_OK);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_RETURN_CREDIT), 2);
    deliver_resolved(fixture, 9);
    assert_int_equal(checkpoint(fixture), 9);
}

static void lets_the_rest_of_a_transaction_come_whose_rows_cannot_be_cut(void **state)
{
    fixture_t *fixture = *state;
    for (int part = 0; part < 2; part++) {
        transaction_t *transaction = transaction_new();
        table_rows_t *rows = arena_calloc(&transaction->arena, 1, sizeof *rows);
        rows->definition = table_definition_new();
        rows->bytes = 100;
        transaction->tables = rows;
        transaction->table_count = 1;
        transaction->is_last_part = part == 1;
        rows->continues = part == 0;
        deliver(fixture, (stream_event_t){.kind = STREAM_ROWS,
                                          .commit_ts = {5},
                                          .transaction = transaction,
                                          .rows = rows});
        assert_int_equal(count_effects(fixture, NODE_EFFECT_RETURN_CREDIT), 1);
    }
    assert_int_equal(view(fixture).rows_in_flight, 2);
    written(fixture, 2, SLUICE_OK);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_RETURN_CREDIT), 2);
    assert_int_equal(checkpoint(fixture), 4);
}

static void follows_resolved_when_idle(void **state)
{
    fixture_t *fixture = *state;
    deliver_resolved(fixture, 7);
    assert_int_equal(checkpoint(fixture), 7);
    assert_int_equal(dispatcher_resolved(fixture->dispatcher).v, 7);
    deliver_resolved(fixture, 6);
    assert_int_equal(checkpoint(fixture), 7);
}

static void ignores_stale_events(void **state)
{
    fixture_t *fixture = *state;
    deliver_resolved(fixture, 10);
    deliver_rows(fixture, 9);
    deliver_ddl(fixture, ddl_of_two(8));
    deliver_syncpoint(fixture, 9);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_WRITE_ROWS), 0);
    assert_int_equal(view(fixture).stage, STAGE_NONE);
    assert_int_equal(view(fixture).key.commit_ts.v, 0);
    assert_int_equal(checkpoint(fixture), 10);
    assert_true(count_effects(fixture, NODE_EFFECT_RETURN_CREDIT) >= 1);
}

static void accepts_a_syncpoint_at_what_is_resolved(void **state)
{
    fixture_t *fixture = *state;
    deliver_resolved(fixture, 10);
    deliver_syncpoint(fixture, 10);
    assert_int_equal(view(fixture).stage, STAGE_WAITING);
    assert_true(event_key_equal(view(fixture).key, sync_key(10)));
    deliver_resolved(fixture, 20);
    assert_int_equal(checkpoint(fixture), 10);
    action(fixture, ACTION_PASS, sync_key(10));
    assert_int_equal(checkpoint(fixture), 20);
}

static void ignores_syncpoints_in_redo_mode(void **state)
{
    (void)state;
    fixture_t fixture;
    schedule_create_t create = create_of(TABLE, 0);
    create.mode = PIPELINE_REDO;
    start_with(&fixture, &create);
    make_work(&fixture);
    deliver_syncpoint(&fixture, 5);
    assert_int_equal(view(&fixture).key.commit_ts.v, 0);
    deliver_resolved(&fixture, 6);
    assert_int_equal(checkpoint(&fixture), 6);
    end(&fixture);
}

static void writes_a_ddl_of_its_table_alone_at_once(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_of_one(2, TABLE));
    expect_effects(fixture, NODE_EFFECT_RUN_DDL, 1);
    executed(fixture, SLUICE_OK);
    assert_int_equal(view(fixture).key.commit_ts.v, 0);
    assert_int_equal(view(fixture).stage, STAGE_NONE);
    assert_int_equal(view(fixture).resends, 0);
    assert_int_equal(offered(fixture, STAGE_NONE), 0);
    assert_int_equal(offered(fixture, STAGE_DONE), 0);
    assert_int_equal(checkpoint(fixture), 1);
    deliver_resolved(fixture, 2);
    assert_int_equal(checkpoint(fixture), 2);
}

static void flushes_before_a_ddl_of_its_table_alone(void **state)
{
    fixture_t *fixture = *state;
    deliver_rows(fixture, 2);
    deliver_ddl(fixture, ddl_of_one(3, TABLE));
    deliver_rows(fixture, 4);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_RUN_DDL), 0);
    node_effects_reset(&fixture->effects);
    written(fixture, 1, SLUICE_OK);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_RUN_DDL), 1);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_WRITE_ROWS), 0);
    node_effects_reset(&fixture->effects);
    executed(fixture, SLUICE_OK);
    expect_effects(fixture, NODE_EFFECT_WRITE_ROWS, 1);
    assert_int_equal(checkpoint(fixture), 3);
}

static void fails_when_a_ddl_fails(void **state)
{
    fixture_t *fixture = *state;
    deliver_ddl(fixture, ddl_of_one(5, TABLE));
    executed(fixture, SLUICE_ERROR_SINK_REFUSED);
    assert_int_equal(dispatcher_state(fixture->dispatcher), DISPATCHER_FAILED);
    assert_true(checkpoint(fixture) < 5);
    action(fixture, ACTION_WRITE, ddl_key(5));
    assert_int_equal(count_effects(fixture, NODE_EFFECT_RUN_DDL), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_table, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ignores_syncpoints_in_redo_mode),
        TEST(knows_rows_as_durable_only_after_the_flush),
        TEST(returns_credit_once_for_rows_flushed_in_two_parts),
        TEST(lets_the_rest_of_a_transaction_come_whose_rows_cannot_be_cut),
        TEST(follows_resolved_when_idle),
        TEST(ignores_stale_events),
        TEST(accepts_a_syncpoint_at_what_is_resolved),
        TEST(writes_a_ddl_of_its_table_alone_at_once),
        TEST(flushes_before_a_ddl_of_its_table_alone),
        TEST(fails_when_a_ddl_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
