/* What a node has to do with other nodes: who is asked, what is read from them, who is served. */
#include "tests/unit/node/node_fixture.h"

#define SLOT 4
#define OTHER_INCARNATION 31

static const candidate_t other = {.node = {"other"},
                                  .incarnation = {OTHER_INCARNATION},
                                  .slot = SLOT,
                                  .events = {(const uint8_t *)"ipc://other", 11}};

/* A dispatcher of table 7 that its own service would have to read the source for. */
static void open_with_table_held_nowhere(world_t *world)
{
    world->holds_nothing = true;
    open_with_table(world);
}

/* The log coordinator's answer. */
static void say_candidates(world_t *world, uint32_t count)
{
    candidates_answer_t answer = {.dispatcher_id = id_of(7), .count = count};
    message_t message = message_of(MESSAGE_CANDIDATES_RESPONSE, EPOCH);
    message.candidates_response = (candidates_response_t){ref_of(1), &other, 1, &answer, 1};
    hear(world, 0, &message);
}

static void come_up(world_t *world)
{
    node_core_service_link(world->core, SLOT, true, world->now);
    run(world);
}

static void tell_all(world_t *world, stream_message_event_t *events, uint32_t count,
                     uint64_t incarnation)
{
    for (uint32_t i = 0; i < count; i++) {
        events[i].dispatcher_id = id_of(7);
        events[i].definition = STREAM_NO_DEFINITION;
    }
    message_t message = message_of(MESSAGE_STREAM_EVENTS, 0);
    message.header.sender = other.node;
    message.header.incarnation.v = incarnation;
    message.stream_events =
        (stream_events_t){.changefeed = ref_of(1), .events = events, .event_count = count};
    node_core_hear(world->core, SLOT, &message, world->now);
    run(world);
}

static void tell(world_t *world, stream_message_event_t event, uint64_t incarnation)
{
    tell_all(world, &event, 1, incarnation);
}

static void ready(world_t *world)
{
    tell(world, (stream_message_event_t){.kind = STREAM_READY}, OTHER_INCARNATION);
}

static const stream_request_t *last_asked(const world_t *world, stream_request_kind_t kind)
{
    assert_true(world->asked_count > 0);
    const stream_request_t *request = &world->asked[world->asked_count - 1];
    assert_int_equal(request->kind, kind);
    return request;
}

static const stream_request_t *last_request(const world_t *world, stream_request_kind_t kind)
{
    const stream_request_t *request = &world->requests[world->request_count - 1];
    assert_int_equal(request->kind, kind);
    return request;
}

static void hello_names_its_endpoint(void **state)
{
    world_t *world = *state;
    pass_time(world, NS_PER_S);
    bytes_t events = last_said(world, MESSAGE_HELLO)->hello.events;
    assert_true(bytes_equal(events, bytes_of_text("ipc://own")));
}

static void without_an_endpoint_nobody_is_asked(void **state)
{
    world_t *world = *state;
    open_with_table_held_nowhere(world);
    pass_time(world, 3 * NS_PER_S);
    assert_int_equal(last_said(world, MESSAGE_HELLO)->hello.events.len, 0);
    assert_int_equal(count_said(world, MESSAGE_CANDIDATES_REQUEST), 0);
    assert_int_equal(count_said(world, MESSAGE_EVENT_STORE_STATE), 0);
    last_request(world, STREAM_RESET);
}

static void what_its_service_holds_is_told_when_it_changes_and_now_and_then(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    pass_time(world, 3 * NS_PER_S);
    assert_int_equal(count_said(world, MESSAGE_EVENT_STORE_STATE), 0);
    world->held_floor.v = 50;
    pass_time(world, 3 * NS_PER_S);
    assert_int_equal(count_said(world, MESSAGE_EVENT_STORE_STATE), 1);
    const message_t *message = last_said(world, MESSAGE_EVENT_STORE_STATE);
    assert_int_equal(message->header.maintainer_epoch, EPOCH);
    assert_int_equal(message->event_store_state.floor.v, 50);
    assert_true(message->event_store_state.is_served);
    world->held_floor.v = 60;
    pass_time(world, NS_PER_S);
    assert_int_equal(count_said(world, MESSAGE_EVENT_STORE_STATE), 2);
    pass_time(world, 10 * NS_PER_S);
    assert_int_equal(count_said(world, MESSAGE_EVENT_STORE_STATE), 3);
    say_open(world, 0, EPOCH + 1, 1);
    pass_time(world, NS_PER_S);
    assert_int_equal(count_said(world, MESSAGE_EVENT_STORE_STATE), 4);
}

static void keep_question(void *kept, const message_t *message)
{
    if (message->header.type == MESSAGE_CANDIDATES_REQUEST)
        *(candidates_question_t *)kept = message->candidates_request.questions[0];
}

/* LC-1: at most so far behind what is wanted in commit_time. */
static void candidates_may_lag_by_the_configured_time(void **state)
{
    world_t *world = *state;
    candidates_question_t question = {0};
    open_with_table_held_nowhere(world);
    world->listen = keep_question;
    world->listener = &question;
    pass_time(world, NS_PER_S); /* it is asked again */
    assert_true(dispatcher_id_equal(question.dispatcher_id, id_of(7)));
    assert_int_equal(question.table_id.v, 7);
    assert_int_equal(question.start.v, START);
    assert_int_equal(question.resolved_time_min.v, START * NS_PER_MS - LAG_MS);
    world->listen = NULL;
}

static void reads_from_a_node_that_holds_it_until_its_own_does(void **state)
{
    world_t *world = *state;
    open_with_table_held_nowhere(world);
    assert_int_equal(count_said(world, MESSAGE_CANDIDATES_REQUEST), 1);
    say_candidates(world, 1);
    assert_string_equal(world->reading, "+4");
    come_up(world);
    const stream_request_t *request = last_asked(world, STREAM_REGISTER);
    assert_true(request->only_reuse);
    assert_int_equal(request->group_bytes_max, 4711);
    assert_int_equal(request->position.checkpoint.v, START);
    ready(world);
    uint64_t epoch = last_asked(world, STREAM_RESET)->epoch;
    tell(world,
         (stream_message_event_t){
             .kind = STREAM_HANDSHAKE, .epoch = epoch, .sequence = 1, .commit_ts = {START}},
         OTHER_INCARNATION);
    tell(world,
         (stream_message_event_t){
             .kind = STREAM_RESOLVED, .epoch = epoch, .sequence = 1, .commit_ts = {START + 5}},
         OTHER_INCARNATION);
    world->holds_nothing = false;
    pass_time(world, 2 * NS_PER_S);
    assert_int_equal(last_request(world, STREAM_RESET)->position.checkpoint.v, START + 5);
    last_asked(world, STREAM_REMOVE);
}

/* SEQ-8: what is stale takes nothing else of its message along. */
static void each_event_of_a_message_counts_for_itself(void **state)
{
    world_t *world = *state;
    open_with_table_held_nowhere(world);
    say_candidates(world, 1);
    come_up(world);
    ready(world);
    uint64_t epoch = last_asked(world, STREAM_RESET)->epoch;
    uint32_t asked = world->asked_count;
    stream_message_event_t events[] = {
        {.kind = STREAM_RESOLVED, .epoch = epoch - 1, .sequence = 1, .commit_ts = {START + 9}},
        {.kind = STREAM_HANDSHAKE, .epoch = epoch, .sequence = 1, .commit_ts = {START}},
        {.kind = STREAM_RESOLVED, .epoch = epoch + 1, .sequence = 1, .commit_ts = {START + 8}},
        {.kind = STREAM_RESOLVED, .epoch = epoch, .sequence = 1, .commit_ts = {START + 5}}};
    tell_all(world, events, 4, OTHER_INCARNATION);
    assert_int_equal(world->asked_count, asked); /* no new epoch */
    world->holds_nothing = false;
    pass_time(world, 2 * NS_PER_S);
    assert_int_equal(last_request(world, STREAM_RESET)->position.checkpoint.v, START + 5);
}

static void where_nobody_holds_it_the_source_is_read(void **state)
{
    world_t *world = *state;
    open_with_table_held_nowhere(world);
    say_candidates(world, 0);
    last_request(world, STREAM_RESET);
    assert_string_equal(world->reading, "");
}

static void an_answer_of_an_earlier_maintainer_counts_for_nothing(void **state)
{
    world_t *world = *state;
    open_with_table_held_nowhere(world);
    candidates_answer_t answer = {.dispatcher_id = id_of(7), .count = 1};
    message_t message = message_of(MESSAGE_CANDIDATES_RESPONSE, EPOCH - 1);
    message.candidates_response = (candidates_response_t){ref_of(1), &other, 1, &answer, 1};
    hear(world, 0, &message);
    assert_string_equal(world->reading, "");
}

static void another_life_of_the_node_is_not_the_one_that_was_met(void **state)
{
    world_t *world = *state;
    open_with_table_held_nowhere(world);
    say_candidates(world, 1);
    come_up(world);
    tell(world, (stream_message_event_t){.kind = STREAM_READY}, OTHER_INCARNATION + 1);
    assert_string_equal(world->reading, "+4 -4");
    last_request(world, STREAM_RESET); /* of its own service, which reads the source */
}

static void a_node_that_starts_again_reads_from_nobody(void **state)
{
    world_t *world = *state;
    open_with_table_held_nowhere(world);
    say_candidates(world, 1);
    come_up(world);
    ready(world);
    message_t message = message_of(MESSAGE_START_AGAIN, 0);
    world->next_incarnation.v = 8;
    hear(world, 0, &message);
    pass_time(world, NS_PER_S);
    assert_string_equal(world->reading, "+4 -4");
}

static void request_of(world_t *world, stream_request_kind_t kind, uint64_t generation)
{
    stream_request_t request = {.kind = kind, .dispatcher_id = {55, 1}, .only_reuse = true};
    message_t message = message_of(MESSAGE_STREAM_REQUESTS, 0);
    message.header.sender = other.node;
    message.header.incarnation.v = OTHER_INCARNATION;
    message.stream_requests = (stream_requests_t){ref_of(generation), &request, 1};
    node_core_serve(world->core, &message, world->now);
    run(world);
}

static void requests_of_others_reach_the_service_and_its_events_them(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    request_of(world, STREAM_REGISTER, 1);
    const stream_request_t *request = last_request(world, STREAM_REGISTER);
    assert_int_not_equal(request->peer.v, STREAM_PEER_OWN.v);
    assert_int_equal(request->dispatcher_id.hi, 55);
    world->remote_events[world->remote_event_count++] = (stream_event_t){
        .kind = STREAM_READY, .peer = request->peer, .dispatcher_id = request->dispatcher_id};
    run(world);
    assert_int_equal(world->told_others_count, 1);
    assert_int_equal(world->told_others[0].kind, STREAM_READY);
    assert_int_equal(world->told_others[0].dispatcher_id.hi, 55);
}

static void requests_for_what_is_not_open_are_refused(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    uint32_t before = world->request_count;
    request_of(world, STREAM_REGISTER, 2);
    request_of(world, STREAM_HEARTBEAT, 2);
    request_of(world, STREAM_REMOVE, 2);
    assert_int_equal(world->request_count, before);
    assert_int_equal(world->told_others_count, 2);
    assert_int_equal(world->told_others[0].kind, STREAM_NOT_REUSABLE);
    assert_int_equal(world->told_others[1].kind, STREAM_REMOVED);
}

static void messages_of_the_wrong_kind_are_dropped(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    message_t hello = message_of(MESSAGE_HELLO, 0), events = message_of(MESSAGE_STREAM_EVENTS, 0);
    uint64_t before = node_core_state(world->core).messages_dropped;
    node_core_serve(world->core, &hello, world->now);
    node_core_serve(world->core, &events, world->now);
    node_core_hear(world->core, SLOT, &hello, world->now);
    node_core_hear(world->core, SLOT, &events, world->now); /* nobody is read from */
    assert_int_equal(node_core_state(world->core).messages_dropped, before + 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up_with_others, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(hello_names_its_endpoint),
        cmocka_unit_test_setup_teardown(without_an_endpoint_nobody_is_asked, world_set_up,
                                        world_tear_down),
        TEST(what_its_service_holds_is_told_when_it_changes_and_now_and_then),
        TEST(candidates_may_lag_by_the_configured_time),
        TEST(reads_from_a_node_that_holds_it_until_its_own_does),
        TEST(each_event_of_a_message_counts_for_itself),
        TEST(where_nobody_holds_it_the_source_is_read),
        TEST(an_answer_of_an_earlier_maintainer_counts_for_nothing),
        TEST(another_life_of_the_node_is_not_the_one_that_was_met),
        TEST(a_node_that_starts_again_reads_from_nobody),
        TEST(requests_of_others_reach_the_service_and_its_events_them),
        TEST(requests_for_what_is_not_open_are_refused),
        TEST(messages_of_the_wrong_kind_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
