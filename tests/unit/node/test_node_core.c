/* The process's side: links, lease, starting again, opening and closing, leaving. */
#include "tests/unit/node/node_fixture.h"

/* ---- hello ---- */

static void says_hello_every_second_until_it_is_answered(void **state)
{
    world_t *world = *state;
    pass_time(world, 3 * NS_PER_S + NS_PER_MS);
    assert_int_equal(count_said(world, MESSAGE_HELLO), 4 * WORLD_LINKS);
    assert_int_equal(count_said(world, MESSAGE_HEARTBEAT_REQUEST), 0);
    forget_said(world);
    welcome(world, 0);
    pass_time(world, 2 * NS_PER_S);
    for (uint32_t i = 0; i < world->said_count; i++)
        if (world->said[i].message.header.type == MESSAGE_HELLO)
            assert_ptr_equal(world->said[i].link, &world->links[1]);
}

static void says_hello_again_when_the_connection_comes_back(void **state)
{
    world_t *world = *state;
    welcome(world, 0);
    pass_time(world, 2 * NS_PER_S);
    forget_said(world);
    node_core_link_up(world->core, 0, NODE_LINK_CONTROL, world->now);
    assert_int_equal(count_said(world, MESSAGE_HELLO), 1);
}

static uint32_t hellos_over(const world_t *world, uint32_t link)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < world->said_count; i++)
        count += world->said[i].message.header.type == MESSAGE_HELLO &&
                 world->said[i].link == &world->links[link];
    return count;
}

static void repeats_the_hello_after_a_reconnect_until_it_is_answered(void **state)
{
    world_t *world = *state;
    welcome(world, 0);
    pass_time(world, NS_PER_S);
    forget_said(world);
    world->links[0].is_full = true;
    node_core_link_up(world->core, 0, NODE_LINK_CONTROL, world->now);
    world->links[0].is_full = false;
    pass_time(world, 1500 * NS_PER_MS);
    assert_int_equal(hellos_over(world, 0), 1);
    welcome(world, 0);
    pass_time(world, 1500 * NS_PER_MS);
    assert_int_equal(hellos_over(world, 0), 1);
}

/* It was replaced, and something in between kept the connection. */
static void says_hello_again_to_a_maintainer_that_does_not_answer_its_heartbeats(void **state)
{
    world_t *world = *state;
    welcome(world, 0);
    forget_said(world);
    for (int i = 0; i < 10; i++) {
        pass_time(world, NS_PER_S);
        answer_lease(world, 0);
    }
    assert_int_equal(hellos_over(world, 0), 0);
    pass_time(world, 5 * NS_PER_S);
    assert_in_range(hellos_over(world, 0), 2, 3);
}

/* ---- heartbeats and lease ---- */

static void a_node_without_changefeeds_asks_for_its_lease(void **state)
{
    world_t *world = *state;
    welcome(world, 0);
    forget_said(world);
    pass_time(world, 2 * NS_PER_S);
    assert_int_equal(count_said(world, MESSAGE_HEARTBEAT_REQUEST), 2000 / HEARTBEAT_MS);
    assert_false(last_said(world, MESSAGE_HEARTBEAT_REQUEST)->heartbeat_request.has_changefeed);
}

static void the_lease_counts_from_when_what_was_answered_was_sent(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    assert_int_equal(world->lease.v, 0);
    forget_said(world);
    pass_time(world, HEARTBEAT_MS * NS_PER_MS);
    mono_ns_t sent_at = last_of(world, MESSAGE_HEARTBEAT_REQUEST)->at;
    message_t answer = message_of(MESSAGE_HEARTBEAT_RESPONSE, 0);
    answer.heartbeat_response.newest_heartbeat =
        last_said(world, MESSAGE_HEARTBEAT_REQUEST)->heartbeat_request.heartbeat_sequence;
    /* It goes on sending heartbeats; what counts is the one that was answered. */
    pass_time(world, 3 * NS_PER_S);
    hear(world, 0, &answer);
    assert_int_equal(world->lease.v, sent_at.v + LEASE_MS * NS_PER_MS);
    pass_time(world, 60 * NS_PER_S);
    assert_int_equal(world->lease.v, sent_at.v + LEASE_MS * NS_PER_MS);
    assert_int_equal(world->feed_lease.v, world->lease.v);
}

/* DESIGN §5: a node whose lease ended but who was not called absent keeps its dispatchers, and goes
 * on when answered. */
static void keeps_its_dispatchers_when_the_lease_has_ended(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    answer_lease(world, 0);
    forget_said(world);
    for (int i = 0; i < 30; i++) {
        pass_time(world, 2 * NS_PER_S);
        if (count_said(world, MESSAGE_HEARTBEAT_REQUEST) > SAID_MAX / 2)
            forget_said(world);
    }
    assert_true(mono_reached(world->lease, world->now));
    assert_int_equal(node_core_state(world->core).dispatchers, 1);
    assert_int_equal(count_calls(world, CALL_CANCEL), 0);
    answer_lease(world, 0);
    assert_false(mono_reached(world->lease, world->now));
}

static void news_are_told_before_the_next_heartbeat_is_due(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    pass_time(world, 10 * NS_PER_MS);
    const heartbeat_request_t *heartbeat =
        &last_said(world, MESSAGE_HEARTBEAT_REQUEST)->heartbeat_request;
    assert_int_equal(heartbeat->entry_count, 1);
    assert_int_equal(world->said[world->said_count - 1].entry.state, DISPATCHER_WORKING);
}

/* ---- starting again ---- */

static void starts_again_under_a_larger_incarnation_when_called_absent(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    answer_lease(world, 0);
    assert_true(world->lease.v > 0);
    world->may_close = false;
    message_t again = message_of(MESSAGE_START_AGAIN, 0);
    hear(world, 0, &again);
    assert_int_equal(count_calls(world, CALL_CANCEL), 1);
    pass_time(world, NS_PER_S);
    assert_int_equal(world->closing, 1);
    /* Nothing of the old life is said or heard while it ends. */
    forget_said(world);
    say_open(world, 0, EPOCH, 1);
    pass_time(world, NS_PER_S);
    assert_int_equal(count_said(world, MESSAGE_HEARTBEAT_REQUEST), 0);
    assert_int_equal(count_said(world, MESSAGE_CHANGEFEED_OPENED), 0);
    assert_int_equal(world->links[0].connects, 1);
    /* The clock stands where it was; the incarnation grows all the same. */
    world->may_close = true;
    forget_said(world);
    pass_time(world, 10 * NS_PER_MS);
    for (uint32_t i = 0; i < WORLD_LINKS; i++) {
        assert_int_equal(world->links[i].connects, 2);
        assert_int_equal(world->links[i].incarnation.v, 8);
    }
    assert_int_equal(node_core_state(world->core).incarnation.v, 8);
    assert_int_equal(count_said(world, MESSAGE_HELLO), WORLD_LINKS);
    assert_int_equal(node_core_state(world->core).dispatchers, 0);
    assert_int_equal(node_core_state(world->core).links_welcome, 0);
}

/* The maintainer that gave the slot away is gone, so that nobody calls this node absent. */
static void starts_again_when_another_node_has_its_slot(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    welcome(world, 0);
    pass_time(world, 100 * NS_PER_MS);
    assert_int_equal(world->links[0].connects, 1);
    message_t message = message_of(MESSAGE_HELLO_RESPONSE, 0);
    message.hello_response = world_welcome;
    message.hello_response.slot++;
    hear(world, 0, &message);
    assert_int_equal(count_calls(world, CALL_CANCEL), 1);
    pass_time(world, 100 * NS_PER_MS);
    assert_int_equal(world->links[0].connects, 2);
    assert_int_equal(world->links[0].incarnation.v, 8);
    /* With nothing open a new slot is as good as the old one. */
    welcome(world, 0);
    hear(world, 0, &message);
    pass_time(world, 100 * NS_PER_MS);
    assert_int_equal(world->links[0].connects, 2);
}

static void has_no_lease_from_before_it_started_again(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    answer_lease(world, 0);
    message_t again = message_of(MESSAGE_START_AGAIN, 0);
    hear(world, 0, &again);
    pass_time(world, 100 * NS_PER_MS);
    assert_int_equal(world->links[0].connects, 2);
    open_with_table(world);
    assert_int_equal(world->lease.v, 0);
}

static void news_that_nobody_hears_do_not_hold_up_starting_again(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    pass_time(world, NS_PER_S);
    say_close_dispatcher(world, 0, EPOCH, 7);
    message_t again = message_of(MESSAGE_START_AGAIN, 0);
    hear(world, 0, &again);
    pass_time(world, 100 * NS_PER_MS);
    assert_int_equal(world->links[0].connects, 2);
}

/* ---- opening and closing ---- */

static void opens_only_for_a_maintainer_that_knows_it(void **state)
{
    world_t *world = *state;
    say_open(world, 0, EPOCH, 1);
    assert_int_equal(world->opened, 0);
    welcome(world, 0);
    say_open(world, 0, EPOCH, 1);
    assert_int_equal(world->opened, 1);
    const message_t *opened = last_said(world, MESSAGE_CHANGEFEED_OPENED);
    assert_int_equal(opened->changefeed_opened.error, SLUICE_OK);
    assert_int_equal(opened->header.maintainer_epoch, EPOCH);
}

static void says_why_a_changefeed_cannot_be_opened(void **state)
{
    world_t *world = *state;
    welcome(world, 0);
    world->open_error = SLUICE_ERROR_CONFIGURATION;
    say_open(world, 0, EPOCH, 1);
    assert_int_equal(last_said(world, MESSAGE_CHANGEFEED_OPENED)->changefeed_opened.error,
                     SLUICE_ERROR_CONFIGURATION);
    assert_int_equal(node_core_changefeed_count(world->core), 0);
}

static void an_open_of_a_newer_epoch_takes_over_what_runs(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    welcome(world, 1);
    say_open(world, 1, EPOCH + 1, 1);
    assert_int_equal(world->opened, 1);
    assert_int_equal(last_said(world, MESSAGE_CHANGEFEED_OPENED)->header.maintainer_epoch,
                     EPOCH + 1);
    assert_int_equal(node_core_state(world->core).dispatchers, 1);
    /* Heartbeats of the changefeed go to the new one; the old one is heard no more. */
    forget_said(world);
    pass_time(world, HEARTBEAT_MS * NS_PER_MS);
    for (uint32_t i = 0; i < world->said_count; i++) {
        const said_t *said = &world->said[i];
        if (said->message.header.type == MESSAGE_HEARTBEAT_REQUEST &&
            said->message.heartbeat_request.has_changefeed) {
            assert_ptr_equal(said->link, &world->links[1]);
            assert_int_equal(said->message.header.maintainer_epoch, EPOCH + 1);
        }
    }
    uint64_t dropped = node_core_state(world->core).messages_dropped;
    say_close_dispatcher(world, 0, EPOCH, 7);
    assert_int_equal(node_core_state(world->core).messages_dropped, dropped + 1);
    assert_int_equal(node_core_state(world->core).dispatchers, 1);
    forget_said(world);
    /* But it is told whom the node follows. */
    say_open(world, 0, EPOCH, 1);
    assert_int_equal(last_said(world, MESSAGE_CHANGEFEED_OPENED)->header.maintainer_epoch,
                     EPOCH + 1);
}

static void a_newer_generation_closes_the_one_that_runs(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    world->may_close = false;
    forget_said(world);
    say_open(world, 0, EPOCH, 2);
    assert_int_equal(count_calls(world, CALL_CANCEL), 1);
    pass_time(world, 100 * NS_PER_MS);
    assert_int_equal(world->closing, 1);
    /* Repeated while the old one is on its way out: not yet. */
    say_open(world, 0, EPOCH, 2);
    assert_int_equal(world->opened, 1);
    assert_int_equal(count_said(world, MESSAGE_CHANGEFEED_OPENED), 0);
    world->may_close = true;
    pass_time(world, 100 * NS_PER_MS);
    assert_int_equal(node_core_changefeed_count(world->core), 0);
    say_open(world, 0, EPOCH, 2);
    assert_int_equal(world->opened, 2);
    assert_int_equal(
        last_said(world, MESSAGE_CHANGEFEED_OPENED)->changefeed_opened.changefeed.generation, 2);
    /* One of the past opens nothing and closes nothing. */
    forget_said(world);
    say_open(world, 0, EPOCH, 1);
    say_close(world, 0, EPOCH, 1);
    pass_time(world, NS_PER_S);
    assert_int_equal(node_core_changefeed_count(world->core), 1);
    assert_int_equal(count_said(world, MESSAGE_CHANGEFEED_CLOSED), 0);
}

static void answers_a_close_when_everything_has_ended(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    world->may_close = false;
    say_close(world, 0, EPOCH - 1, 1);
    assert_int_equal(count_calls(world, CALL_CANCEL), 0);
    say_close(world, 0, EPOCH, 1);
    pass_time(world, NS_PER_S);
    assert_int_equal(world->closing, 1);
    assert_int_equal(count_said(world, MESSAGE_CHANGEFEED_CLOSED), 0);
    world->may_close = true;
    pass_time(world, 10 * NS_PER_MS);
    assert_int_equal(count_said(world, MESSAGE_CHANGEFEED_CLOSED), 1);
    /* Of one that is not here at once. */
    say_close(world, 0, EPOCH, 1);
    assert_int_equal(count_said(world, MESSAGE_CHANGEFEED_CLOSED), 2);
}

/* One that was stopped while another one took over and paused the changefeed. */
static void an_earlier_maintainer_does_not_get_opened_what_a_later_one_closed(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    welcome(world, 1);
    say_open(world, 1, EPOCH + 1, 1);
    say_close(world, 1, EPOCH + 1, 1);
    pass_time(world, 10 * NS_PER_MS);
    assert_int_equal(node_core_changefeed_count(world->core), 0);
    say_open(world, 0, EPOCH, 1);
    assert_int_equal(world->opened, 1);
    /* From the epoch it learns that there is another. */
    assert_int_equal(last_said(world, MESSAGE_CHANGEFEED_OPENED)->header.maintainer_epoch,
                     EPOCH + 1);
    say_open(world, 1, EPOCH + 1, 1);
    assert_int_equal(world->opened, 2);
}

static void say_removed(world_t *world)
{
    message_t message = message_of(MESSAGE_CHANGEFEED_CLOSE, EPOCH);
    message.changefeed_close = (changefeed_close_t){.changefeed = ref_of(1), .is_removed = true};
    hear(world, 0, &message);
}

static void the_sink_forgets_a_removed_changefeed_before_the_close_is_answered(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    world->may_close = false;
    say_removed(world);
    pass_time(world, NS_PER_S);
    assert_int_equal(world->closing, 1);
    assert_int_equal(world->forgotten, 1);
    assert_int_equal(count_said(world, MESSAGE_CHANGEFEED_CLOSED), 0);
    world->may_close = true;
    pass_time(world, 10 * NS_PER_MS);
    assert_int_equal(count_said(world, MESSAGE_CHANGEFEED_CLOSED), 1);
    /* Told again, and it is not open any more: the sink is asked once more. */
    say_removed(world);
    pass_time(world, 10 * NS_PER_MS);
    assert_int_equal(world->forgotten, 2);
    assert_int_equal(count_said(world, MESSAGE_CHANGEFEED_CLOSED), 2);
}

/* ---- checks ---- */

static void a_check_is_answered_in_pieces_when_it_has_ended(void **state)
{
    world_t *world = *state;
    welcome(world, 0);
    message_t request = message_of(MESSAGE_CHECK_REQUEST, 0);
    request.check_request.check_id = 77;
    hear(world, 0, &request);
    hear(world, 0, &request);
    assert_int_equal(world->checks_begun, 1);
    pass_time(world, NS_PER_S);
    assert_int_equal(count_said(world, MESSAGE_CHECK_RESPONSE), 0);
    uint8_t *content = arena_zalloc(&world->arena, 3 << 20);
    world->check_response =
        (check_response_t){.check_id = 77, .snapshot = bytes_of(content, (3 << 20) - 1)};
    world->is_check_done = true;
    run(world);
    assert_int_equal(count_said(world, MESSAGE_CHECK_RESPONSE), 3);
    assert_true(last_said(world, MESSAGE_CHECK_RESPONSE)->check_response.is_last_piece);
    /* Asked again because the answer was lost: answered from what is known. */
    hear(world, 0, &request);
    assert_int_equal(world->checks_begun, 1);
    assert_int_equal(count_said(world, MESSAGE_CHECK_RESPONSE), 6);
}

static void checks_beyond_what_it_can_do_wait_to_be_asked_again(void **state)
{
    world_t *world = *state;
    welcome(world, 0);
    message_t request = message_of(MESSAGE_CHECK_REQUEST, 0);
    for (uint64_t id = 1; id <= NODE_CHECKS_MAX + 1; id++) {
        request.check_request.check_id = id;
        hear(world, 0, &request);
    }
    assert_int_equal(world->checks_begun, NODE_CHECKS_MAX);
    world->is_check_done = true;
    run(world);
    hear(world, 0, &request);
    assert_int_equal(world->checks_begun, NODE_CHECKS_MAX + 1);
}

/* ---- leaving ---- */

static void leaves_when_its_dispatchers_were_handed_over(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    say_create(world, 0, EPOCH, 8);
    pass_time(world, NS_PER_S);
    forget_said(world);
    node_core_leave(world->core, world->now);
    run(world);
    assert_true(last_said(world, MESSAGE_HELLO)->hello.is_leaving);
    pass_time(world, 2 * NS_PER_S);
    assert_int_equal(node_core_state(world->core).dispatchers, 2);
    say_close_dispatcher(world, 0, EPOCH, 7);
    pass_time(world, 2 * NS_PER_S);
    assert_int_equal(node_core_changefeed_count(world->core), 1);
    assert_int_equal(node_core_state(world->core).dispatchers, 1);
    say_close_dispatcher(world, 0, EPOCH, 8);
    assert_false(node_core_has_ended(world->core, world->now));
    pass_time(world, NS_PER_S);
    assert_true(node_core_has_ended(world->core, world->now));
    assert_int_equal(world->closing, 1);
    /* The maintainer was told of the last one before the end. */
    assert_int_equal(count_calls(world, CALL_CLOSE_LANE), 2);
    bool has_told = false;
    for (uint32_t i = 0; i < world->said_count; i++)
        has_told |= world->said[i].message.header.type == MESSAGE_HEARTBEAT_REQUEST &&
                    world->said[i].entry.state == DISPATCHER_STOPPED &&
                    dispatcher_id_equal(world->said[i].entry.dispatcher_id, id_of(8));
    assert_true(has_told);
}

static void leaves_after_a_while_when_nobody_takes_over(void **state)
{
    world_t *world = *state;
    open_with_table(world);
    node_core_leave(world->core, world->now);
    say_open(world, 0, EPOCH, 2);
    assert_int_equal(world->opened, 1);
    pass_time(world, 2900 * NS_PER_MS);
    assert_int_equal(node_core_state(world->core).dispatchers, 1);
    world->may_close = false;
    pass_time(world, NS_PER_S);
    assert_int_equal(world->closing, 1);
    assert_false(node_core_has_ended(world->core, world->now));
    world->may_close = true;
    pass_time(world, NS_PER_S);
    assert_true(node_core_has_ended(world->core, world->now));
}

static void leaves_at_once_when_no_maintainer_knows_it(void **state)
{
    world_t *world = *state;
    node_core_leave(world->core, world->now);
    run(world);
    assert_false(node_core_has_ended(world->core, world->now));
    pass_time(world, 101 * NS_PER_MS);
    assert_true(node_core_has_ended(world->core, world->now));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
        TEST(says_hello_every_second_until_it_is_answered),
        TEST(says_hello_again_when_the_connection_comes_back),
        TEST(repeats_the_hello_after_a_reconnect_until_it_is_answered),
        TEST(says_hello_again_to_a_maintainer_that_does_not_answer_its_heartbeats),
        TEST(a_node_without_changefeeds_asks_for_its_lease),
        TEST(the_lease_counts_from_when_what_was_answered_was_sent),
        TEST(keeps_its_dispatchers_when_the_lease_has_ended),
        TEST(news_are_told_before_the_next_heartbeat_is_due),
        TEST(starts_again_under_a_larger_incarnation_when_called_absent),
        TEST(starts_again_when_another_node_has_its_slot),
        TEST(has_no_lease_from_before_it_started_again),
        TEST(news_that_nobody_hears_do_not_hold_up_starting_again),
        TEST(opens_only_for_a_maintainer_that_knows_it),
        TEST(says_why_a_changefeed_cannot_be_opened),
        TEST(an_open_of_a_newer_epoch_takes_over_what_runs),
        TEST(a_newer_generation_closes_the_one_that_runs),
        TEST(answers_a_close_when_everything_has_ended),
        TEST(an_earlier_maintainer_does_not_get_opened_what_a_later_one_closed),
        TEST(the_sink_forgets_a_removed_changefeed_before_the_close_is_answered),
        TEST(a_check_is_answered_in_pieces_when_it_has_ended),
        TEST(checks_beyond_what_it_can_do_wait_to_be_asked_again),
        TEST(leaves_when_its_dispatchers_were_handed_over),
        TEST(leaves_after_a_while_when_nobody_takes_over),
        TEST(leaves_at_once_when_no_maintainer_knows_it),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
