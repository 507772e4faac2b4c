/* What the maintainer orders, and from whom the set takes it. */
#include "tests/unit/node/dispatcher_set_fixture.h"

static void creates_once_and_tells_again_when_asked_again(void **state)
{
    fixture_t *fixture = *state;
    assert_true(schedule_create(fixture, EPOCH, create_of(1, 10)));
    assert_int_equal(count_effects(fixture, NODE_EFFECT_CLAIM), 1);
    dispatcher_heartbeat_t entries[4];
    assert_int_equal(dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 4), 1);
    assert_int_equal(entries[0].state, DISPATCHER_PREPARING);
    assert_int_equal(entries[0].position.checkpoint.v, 10);
    assert_false(dispatcher_set_has_changed(fixture->set, PIPELINE_DEFAULT));

    assert_true(schedule_create(fixture, EPOCH, create_of(1, 10)));
    assert_int_equal(count_effects(fixture, NODE_EFFECT_CLAIM), 1);
    assert_int_equal(dispatcher_set_count(fixture->set), 1);
    assert_int_equal(dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 4), 1);
}

static void answers_a_close_with_stopped_known_or_not(void **state)
{
    fixture_t *fixture = *state;
    make_work(fixture, 1, 10);
    deliver_resolved(fixture, 1, 30);
    dispatcher_heartbeat_t entries[4];
    dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 4);
    schedule_close(fixture, id_of(1));
    assert_int_equal(dispatcher_set_count(fixture->set), 0);
    assert_int_equal(dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 4), 1);
    assert_int_equal(entries[0].state, DISPATCHER_STOPPED);
    assert_int_equal(entries[0].position.checkpoint.v, 30);
    schedule_close(fixture, id_of(1));
    assert_int_equal(dispatcher_set_take_changed(fixture->set, PIPELINE_DEFAULT, entries, 4), 1);
    assert_int_equal(entries[0].state, DISPATCHER_STOPPED);
    assert_true(dispatcher_id_equal(entries[0].dispatcher_id, id_of(1)));
}

static void drops_orders_of_another_maintainer_epoch(void **state)
{
    fixture_t *fixture = *state;
    uint64_t epochs[] = {0, EPOCH - 1, EPOCH + 1};
    for (size_t i = 0; i < 3; i++)
        assert_false(schedule_create(fixture, epochs[i], create_of(1, 10)));
    assert_int_equal(dispatcher_set_count(fixture->set), 0);
    make_work(fixture, 1, 0);
    ddl_event_t *ddl = new_ddl(5, INFLUENCE_ALL, 0);
    deliver_ddl(fixture, 1, ddl);
    ddl_event_unref(&ddl);
    barrier_action_t pass = {.kind = ACTION_PASS, .key = ddl_key(5), .scope = INFLUENCE_ALL};
    assert_false(act(fixture, EPOCH - 1, pass));
    assert_int_equal(stage_of(fixture, 1), STAGE_WAITING);
    assert_true(act(fixture, EPOCH, pass));
    assert_int_equal(stage_of(fixture, 1), STAGE_NONE);
}

static void asks_for_the_table_list_again_when_the_trigger_is_scheduled_again(void **state)
{
    fixture_t *fixture = *state;
    schedule_create_t create = create_of(0, 10);
    create.wants_table_list = true;
    schedule_create(fixture, EPOCH, create);
    schedule_create(fixture, EPOCH, create);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_SEND_TABLE_LIST), 0);
    dispatcher_set_claimed(fixture->set, create.dispatcher_id, run_of(fixture, 0), SLUICE_OK,
                           COMMIT_TS_NONE, fixture->now);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_SEND_TABLE_LIST), 1);
    assert_non_null(dispatcher_set_trigger(fixture->set, PIPELINE_DEFAULT));
    assert_null(dispatcher_set_trigger(fixture->set, PIPELINE_REDO));
    forget_effects(fixture);
    schedule_create(fixture, EPOCH, create);
    const node_effects_t *effects = dispatcher_set_effects(fixture->set);
    assert_int_equal(effects->count, 1);
    assert_int_equal(effects->items[0].kind, NODE_EFFECT_SEND_TABLE_LIST);
    assert_int_equal(effects->items[0].commit_ts.v, 10);
}

static void ignores_answers_of_an_earlier_run(void **state)
{
    fixture_t *fixture = *state;
    schedule_create(fixture, EPOCH, create_of(1, 10));
    uint64_t first = run_of(fixture, 1);
    schedule_close(fixture, id_of(1));
    dispatcher_set_claimed(fixture->set, id_of(1), first, SLUICE_OK, COMMIT_TS_NONE, fixture->now);
    assert_int_equal(dispatcher_set_count(fixture->set), 0);
    schedule_create(fixture, EPOCH, create_of(1, 10));
    assert_true(run_of(fixture, 1) > first);
    dispatcher_set_claimed(fixture->set, id_of(1), first, SLUICE_OK, COMMIT_TS_NONE, fixture->now);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_OPEN_SESSION), 0);
    dispatcher_set_written(fixture->set, id_of(1), first, 1, SLUICE_ERROR_SINK_REFUSED,
                           fixture->now);
    dispatcher_set_executed(fixture->set, id_of(1), first, SLUICE_ERROR_SINK_REFUSED, fixture->now);
    assert_int_equal(dispatcher_set_error(fixture->set), SLUICE_OK);
}

static void closes_and_abandons_all(void **state)
{
    fixture_t *fixture = *state;
    for (uint64_t table = 0; table < 20; table++)
        make_work(fixture, table, 10);
    ddl_event_t *ddl = ddl_event_new();
    ddl->commit_ts = (commit_ts_t){20};
    table_id_t *own = arena_calloc(&ddl->arena, 1, sizeof *own);
    own->v = 5;
    ddl->payload.influence = (influence_t){.table_ids = own, .table_count = 1};
    deliver_ddl(fixture, 5, ddl);
    ddl_event_unref(&ddl);
    dispatcher_set_close_all(fixture->set, fixture->now);
    assert_int_equal(dispatcher_set_count(fixture->set), 1);
    dispatcher_set_abandon_all(fixture->set, fixture->now);
    assert_int_equal(dispatcher_set_count(fixture->set), 1);
    dispatcher_set_executed(fixture->set, id_of(5), run_of(fixture, 5), SLUICE_OK, fixture->now);
    assert_int_equal(dispatcher_set_count(fixture->set), 0);
    assert_int_equal(count_effects(fixture, NODE_EFFECT_CLOSE_LANE), 20);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(creates_once_and_tells_again_when_asked_again),
        TEST(answers_a_close_with_stopped_known_or_not),
        TEST(drops_orders_of_another_maintainer_epoch),
        TEST(asks_for_the_table_list_again_when_the_trigger_is_scheduled_again),
        TEST(ignores_answers_of_an_earlier_run),
        TEST(closes_and_abandons_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
