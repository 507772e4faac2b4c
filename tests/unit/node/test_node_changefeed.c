/* One changefeed on a node: what goes between maintainer, dispatchers, feed and sink. */
#include "tests/unit/node/node_fixture.h"

static const heartbeat_request_t *last_heartbeat(const world_t *world)
{
    return &last_said(world, MESSAGE_HEARTBEAT_REQUEST)->heartbeat_request;
}

static uint64_t run_of_call(const world_t *world, call_kind_t kind)
{
    for (uint32_t i = world->call_count; i-- > 0;)
        if (world->calls[i].kind == kind)
            return world->calls[i].run;
    fail_msg("the sink was not called so");
    return 0;
}

static void deliver_syncpoint(world_t *world, uint64_t table, uint64_t sequence, uint64_t ts)
{
    put_event(world, (stream_event_t){.kind = STREAM_SYNCPOINT,
                                      .dispatcher_id = id_of(table),
                                      .epoch = stream_epoch(world, id_of(table)),
                                      .sequence = sequence,
                                      .commit_ts = {ts}});
    run(world);
}

/* ---- rows ---- */

static void rows_go_to_the_sink_and_count_when_they_are_written(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    deliver_rows(world, 7, 2, 105);
    deliver_resolved(world, 7, 2, 110);
    assert_int_equal(count_calls(world, CALL_WRITE), 1);
    pass_time(world, NS_PER_S);
    assert_int_equal(last_heartbeat(world)->watermark.checkpoint.v, 104);
    assert_int_equal(last_heartbeat(world)->watermark.resolved.v, 110);
    put_completion(world, (sink_completion_t){.kind = SINK_WRITTEN,
                                              .dispatcher_id = id_of(7),
                                              .run = run_of_call(world, CALL_WRITE),
                                              .count = 1});
    pass_time(world, NS_PER_S);
    assert_int_equal(last_heartbeat(world)->watermark.checkpoint.v, 110);
    assert_int_equal(last_heartbeat(world)->anchor.commit_ts.v, 110);
}

/* ---- statuses ---- */

static void a_status_that_the_socket_refused_is_sent_when_it_takes_again(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    forget_said(world);
    world->links[0].is_full = true;
    deliver_syncpoint(world, 7, 2, 105);
    pass_time(world, 100 * NS_PER_MS);
    assert_int_equal(count_said(world, MESSAGE_BLOCK_STATUS_REQUEST), 0);
    world->links[0].is_full = false;
    pass_time(world, 10 * NS_PER_MS);
    assert_int_equal(count_said(world, MESSAGE_BLOCK_STATUS_REQUEST), 1);
    const message_t *request = last_said(world, MESSAGE_BLOCK_STATUS_REQUEST);
    assert_int_equal(request->header.maintainer_epoch, EPOCH);
    assert_true(request->header.sequence > 0);
}

static void a_status_is_offered_again_when_the_connection_comes_back(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    deliver_syncpoint(world, 7, 2, 105);
    pass_time(world, NS_PER_S);
    assert_int_equal(count_said(world, MESSAGE_BLOCK_STATUS_REQUEST), 1);
    node_core_link_up(world->core, 1, NODE_LINK_STATUS, world->now);
    pass_time(world, 100 * NS_PER_MS);
    assert_int_equal(count_said(world, MESSAGE_BLOCK_STATUS_REQUEST), 1);
    node_core_link_up(world->core, 0, NODE_LINK_STATUS, world->now);
    pass_time(world, 100 * NS_PER_MS);
    assert_int_equal(count_said(world, MESSAGE_BLOCK_STATUS_REQUEST), 2);
}

static void a_sync_point_is_written_when_the_maintainer_says_so_and_only_then(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    deliver_syncpoint(world, 7, 2, 105);
    pass_time(world, NS_PER_S);
    assert_int_equal(count_calls(world, CALL_SYNCPOINT), 0);
    dispatcher_id_t id = id_of(7);
    barrier_action_t write = {
        .kind = ACTION_WRITE, .key = {{105}, true}, .dispatchers = &id, .dispatcher_count = 1};
    message_t response = message_of(MESSAGE_HEARTBEAT_RESPONSE, EPOCH - 1);
    response.heartbeat_response = (heartbeat_response_t){
        .has_changefeed = true, .changefeed = ref_of(1), .actions = &write, .action_count = 1};
    hear(world, 0, &response);
    assert_int_equal(count_calls(world, CALL_SYNCPOINT), 0);
    response.header.maintainer_epoch = EPOCH;
    hear(world, 0, &response);
    assert_int_equal(count_calls(world, CALL_SYNCPOINT), 1);
}

/* ---- the table list ---- */

static void the_table_list_waits_for_the_reader(void **state)
{
    world_t *world = *state;
    welcome(world, 0);
    say_open(world, 0, EPOCH, 1);
    world->list_error = SLUICE_ERROR_AGAIN;
    say_create(world, 0, EPOCH, 0);
    message_t request = message_of(MESSAGE_BOOTSTRAP_REQUEST, EPOCH);
    request.bootstrap_request.changefeed = ref_of(1);
    hear(world, 0, &request);
    assert_int_equal(count_said(world, MESSAGE_BOOTSTRAP_RESPONSE), 1);
    assert_int_equal(last_said(world, MESSAGE_BOOTSTRAP_RESPONSE)->bootstrap_response.entry_count,
                     1);
    pass_time(world, NS_PER_S);
    assert_int_equal(count_said(world, MESSAGE_TABLE_LIST), 0);
    world->list_error = SLUICE_OK;
    pass_time(world, 20 * NS_PER_MS);
    assert_int_equal(count_said(world, MESSAGE_TABLE_LIST), 1);
    assert_int_equal(last_said(world, MESSAGE_TABLE_LIST)->table_list.at.v, START);
    pass_time(world, NS_PER_S);
    assert_int_equal(count_said(world, MESSAGE_TABLE_LIST), 1);
}

static void a_table_list_that_is_not_known_fails_the_changefeed_here(void **state)
{
    world_t *world = *state;
    welcome(world, 0);
    say_open(world, 0, EPOCH, 1);
    world->list_error = SLUICE_ERROR_NOT_FOUND;
    say_create(world, 0, EPOCH, 0);
    message_t request = message_of(MESSAGE_BOOTSTRAP_REQUEST, EPOCH);
    request.bootstrap_request.changefeed = ref_of(1);
    hear(world, 0, &request);
    pass_time(world, NS_PER_S);
    assert_int_equal(count_said(world, MESSAGE_TABLE_LIST), 0);
    assert_int_equal(last_heartbeat(world)->error, SLUICE_ERROR_NOT_FOUND);
}

/* ---- what the maintainer has persisted ---- */

static void hear_persisted(world_t *world, uint64_t checkpoint)
{
    message_t response = message_of(MESSAGE_HEARTBEAT_RESPONSE, EPOCH);
    response.heartbeat_response = (heartbeat_response_t){
        .has_changefeed = true, .changefeed = ref_of(1), .persisted_checkpoint = {checkpoint}};
    hear(world, 0, &response);
}

static void the_schema_is_kept_for_the_trigger_until_it_was_acknowledged(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    hear_persisted(world, 110);
    assert_int_equal(world->persisted.v, 110);
    assert_int_equal(world->told.v, UINT64_MAX);
    say_create(world, 0, EPOCH, 0);
    deliver_resolved(world, 0, 1, 130);
    hear_persisted(world, 120);
    assert_int_equal(world->persisted.v, 120);
    assert_int_equal(world->told.v, START);
    message_t ack = message_of(MESSAGE_SCHEMA_SNAPSHOT_ACK, EPOCH);
    ack.schema_snapshot_ack = (schema_snapshot_ack_t){.changefeed = ref_of(1), .at = {125}};
    hear(world, 0, &ack);
    hear_persisted(world, 126);
    assert_int_equal(world->told.v, 125);
    /* A late one takes nothing back. */
    hear_persisted(world, 121);
    assert_int_equal(world->persisted.v, 126);
}

static void the_sink_cleans_up_every_minute_what_is_persisted(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    pass_time(world, NS_PER_S);
    assert_int_equal(world->cleaned_up.v, 0);
    hear_persisted(world, 110);
    assert_int_equal(world->cleaned_up.v, 110);
    hear_persisted(world, 115);
    assert_int_equal(world->cleaned_up.v, 110);
    forget_said(world);
    pass_time(world, 60 * NS_PER_S);
    assert_int_equal(world->cleaned_up.v, 115);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
        TEST(rows_go_to_the_sink_and_count_when_they_are_written),
        TEST(a_status_that_the_socket_refused_is_sent_when_it_takes_again),
        TEST(a_status_is_offered_again_when_the_connection_comes_back),
        TEST(a_sync_point_is_written_when_the_maintainer_says_so_and_only_then),
        TEST(the_table_list_waits_for_the_reader),
        TEST(a_table_list_that_is_not_known_fails_the_changefeed_here),
        TEST(the_schema_is_kept_for_the_trigger_until_it_was_acknowledged),
        TEST(the_sink_cleans_up_every_minute_what_is_persisted),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
