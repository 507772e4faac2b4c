/* A node with two changefeeds: what the last dispatcher of one takes along (ORACLE HB-4).
 * Dispatchers of the two have the same ids here, so that nothing but the changefeed tells them
 * apart. */
#include "tests/unit/node/node_fixture.h"

#define SLOT 4

static const changefeed_ref_t one = {.uuid = {{1}}, .generation = 1};
static const changefeed_ref_t two = {.uuid = {{2}}, .generation = 1};

static const candidate_t other = {.node = {"other"},
                                  .incarnation = {31},
                                  .slot = SLOT,
                                  .events = {(const uint8_t *)"ipc://other", 11}};

/* Has the second changefeed's feed and sink. */
static world_t second;

static bool is_of(changefeed_ref_t a, changefeed_ref_t b)
{
    return changefeed_uuid_equal(a.uuid, b.uuid) && a.generation == b.generation;
}

static void ignore(void *listener, const message_t *message)
{
    (void)listener, (void)message;
}

/* Tables 7 and 8 of the first changefeed, 7 of the second. */
static void open_both(world_t *world, bool holds_nothing)
{
    second = (world_t){.holds_nothing = holds_nothing};
    world->holds_nothing = holds_nothing;
    world->listen = ignore;
    welcome(world, 0);
    say_open_of(world, 0, EPOCH, one);
    world->opens_for = &second;
    say_open_of(world, 0, EPOCH, two);
    say_create_of(world, 0, EPOCH, one, 7);
    say_create_of(world, 0, EPOCH, one, 8);
    say_create_of(world, 0, EPOCH, two, 7);
    assert_int_equal(node_core_state(world->core).dispatchers, 3);
}

static void close_dispatcher(world_t *world, changefeed_ref_t ref, uint64_t table)
{
    say_close_dispatcher_of(world, 0, EPOCH, ref, table);
}

/* ---- another node's service ---- */

static void tell(world_t *world, changefeed_ref_t ref, uint64_t table, stream_message_event_t event)
{
    event.dispatcher_id = id_of(table);
    event.definition = STREAM_NO_DEFINITION;
    message_t message = message_of(MESSAGE_STREAM_EVENTS, 0);
    message.header.sender = other.node;
    message.header.incarnation = other.incarnation;
    message.stream_events =
        (stream_events_t){.changefeed = ref, .events = &event, .event_count = 1};
    node_core_hear(world->core, SLOT, &message, world->now);
    run(world);
}

static uint32_t count_asked(const world_t *world, changefeed_ref_t ref, uint64_t table,
                            stream_request_kind_t kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < world->asked_count; i++)
        count += is_of(world->asked_of[i], ref) && world->asked[i].kind == kind &&
                 dispatcher_id_equal(world->asked[i].dispatcher_id, id_of(table));
    return count;
}

/* The last thing asked is this. */
static const stream_request_t *asked_last(const world_t *world, changefeed_ref_t ref,
                                          uint64_t table, stream_request_kind_t kind)
{
    assert_true(world->asked_count > 0);
    const stream_request_t *request = &world->asked[world->asked_count - 1];
    assert_true(is_of(world->asked_of[world->asked_count - 1], ref));
    assert_true(dispatcher_id_equal(request->dispatcher_id, id_of(table)));
    assert_int_equal(request->kind, kind);
    return request;
}

/* The dispatcher reads from the other node; the epoch of that. */
static uint64_t begin_reading(world_t *world, changefeed_ref_t ref, uint64_t table)
{
    candidates_answer_t answer = {.dispatcher_id = id_of(table), .count = 1};
    message_t message = message_of(MESSAGE_CANDIDATES_RESPONSE, EPOCH);
    message.candidates_response = (candidates_response_t){ref, &other, 1, &answer, 1};
    hear(world, 0, &message);
    node_core_service_link(world->core, SLOT, true, world->now);
    run(world);
    assert_true(count_asked(world, ref, table, STREAM_REGISTER) > 0);
    tell(world, ref, table, (stream_message_event_t){.kind = STREAM_READY});
    uint64_t epoch = asked_last(world, ref, table, STREAM_RESET)->epoch;
    tell(world, ref, table,
         (stream_message_event_t){
             .kind = STREAM_HANDSHAKE, .epoch = epoch, .sequence = 1, .commit_ts = {START}});
    return epoch;
}

static void tell_resolved(world_t *world, changefeed_ref_t ref, uint64_t table, uint64_t epoch)
{
    tell(world, ref, table,
         (stream_message_event_t){
             .kind = STREAM_RESOLVED, .epoch = epoch, .sequence = 1, .commit_ts = {START}});
}

static void another_nodes_service_hears_of_the_other_changefeed_only(void **state)
{
    world_t *world = *state;
    open_both(world, true);
    begin_reading(world, one, 7);
    uint64_t epoch_8 = begin_reading(world, one, 8), epoch_two = begin_reading(world, two, 7);
    assert_string_equal(world->reading, "+4");
    close_dispatcher(world, one, 7);
    asked_last(world, one, 7, STREAM_REMOVE);
    world->asked_count = 0;
    tell_resolved(world, one, 8, epoch_8);
    tell_resolved(world, two, 7, epoch_two);
    pass_time(world, 10 * NS_PER_S);
    assert_int_equal(count_asked(world, one, 7, STREAM_HEARTBEAT), 0);
    assert_int_equal(count_asked(world, one, 8, STREAM_HEARTBEAT), 2);
    assert_int_equal(count_asked(world, two, 7, STREAM_HEARTBEAT), 2);
    close_dispatcher(world, one, 8);
    asked_last(world, one, 8, STREAM_REMOVE);
    world->asked_count = 0;
    tell(world, one, 8, (stream_message_event_t){.kind = STREAM_READY}); /* too late */
    for (uint32_t i = 1; i <= 4; i++) {
        tell_resolved(world, two, 7, epoch_two);
        pass_time(world, 10 * NS_PER_S);
        assert_int_equal(count_asked(world, two, 7, STREAM_HEARTBEAT), 2 * i);
    }
    assert_int_equal(world->asked_count, 8);
    assert_string_equal(world->reading, "+4");
    close_dispatcher(world, two, 7);
    asked_last(world, two, 7, STREAM_REMOVE);
    pass_time(world, 31 * NS_PER_S);
    assert_int_equal(world->asked_count, 9);
    assert_string_equal(world->reading, "+4 -4");
}

/* ---- the node's own services ---- */

static void its_own_service_is_left_and_the_other_changefeeds_is_not(void **state)
{
    world_t *world = *state;
    open_both(world, false);
    pass_time(world, 25 * NS_PER_S);
    assert_int_equal(world->heartbeats, 4);
    assert_int_equal(second.heartbeats, 2);
    uint32_t asked = second.request_count;
    close_dispatcher(world, one, 7);
    pass_time(world, 10 * NS_PER_S);
    assert_int_equal(world->heartbeats, 5);
    close_dispatcher(world, one, 8);
    const stream_request_t *last = &world->requests[world->request_count - 1];
    assert_int_equal(last->kind, STREAM_REMOVE);
    assert_true(dispatcher_id_equal(last->dispatcher_id, id_of(8)));
    uint32_t before = world->request_count;
    pass_time(world, 30 * NS_PER_S);
    assert_int_equal(world->heartbeats, 5);
    assert_int_equal(world->request_count, before);
    assert_int_equal(second.heartbeats, 6);
    assert_int_equal(second.request_count, asked);
    assert_int_equal(node_core_state(world->core).dispatchers, 1);
    assert_int_equal(count_calls(&second, CALL_CLOSE_LANE), 0);
}

/* ---- another node's sessions ---- */

static void request_of(world_t *world, changefeed_ref_t ref, uint64_t table,
                       stream_request_kind_t kind)
{
    stream_request_t request = {.kind = kind, .dispatcher_id = id_of(table), .only_reuse = true};
    message_t message = message_of(MESSAGE_STREAM_REQUESTS, 0);
    message.header.sender = other.node;
    message.header.incarnation = other.incarnation;
    message.stream_requests = (stream_requests_t){ref, &request, 1};
    node_core_serve(world->core, &message, world->now);
    run(world);
}

/* The newest request that the service of a changefeed got is this one, of another node. */
static const stream_request_t *served_last(const world_t *feed, uint64_t table,
                                           stream_request_kind_t kind)
{
    const stream_request_t *request = &feed->requests[feed->request_count - 1];
    assert_int_equal(request->kind, kind);
    assert_int_not_equal(request->peer.v, STREAM_PEER_OWN.v);
    assert_true(dispatcher_id_equal(request->dispatcher_id, id_of(table)));
    return request;
}

static void the_service_of_the_other_changefeed_keeps_another_nodes_sessions(void **state)
{
    world_t *world = *state;
    open_both(world, false);
    request_of(world, one, 7, STREAM_REGISTER);
    request_of(world, one, 8, STREAM_REGISTER);
    request_of(world, two, 7, STREAM_REGISTER);
    stream_peer_t peer = served_last(&second, 7, STREAM_REGISTER)->peer;
    uint32_t asked = second.request_count;
    request_of(world, one, 7, STREAM_REMOVE);
    served_last(world, 7, STREAM_REMOVE);
    request_of(world, one, 8, STREAM_REMOVE);
    assert_int_equal(served_last(world, 8, STREAM_REMOVE)->peer.v, peer.v);
    assert_int_equal(second.request_count, asked);
    uint32_t before = world->request_count;
    request_of(world, two, 7, STREAM_HEARTBEAT);
    assert_int_equal(served_last(&second, 7, STREAM_HEARTBEAT)->peer.v, peer.v);
    assert_int_equal(world->request_count, before);
    second.remote_events[second.remote_event_count++] =
        (stream_event_t){.kind = STREAM_RESOLVED, .peer = peer, .dispatcher_id = id_of(7)};
    run(world);
    assert_int_equal(world->told_others_count, 1);
    assert_int_equal(world->told_others[0].kind, STREAM_RESOLVED);
    assert_true(is_of(world->told_others_of[0], two));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up_with_others, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(another_nodes_service_hears_of_the_other_changefeed_only),
        TEST(its_own_service_is_left_and_the_other_changefeeds_is_not),
        TEST(the_service_of_the_other_changefeed_keeps_another_nodes_sessions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
