/* Where spans go, leases, and messages that are not for us. */
#include "tests/unit/maintainer/coordinator_fixture.h"

/* A node that goes on with a changefeed nobody knows (any more) is told to close it. */
static void an_unknown_changefeed_is_closed_on_its_node(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 4, 2);
    world_stop_coordinator(&world);
    world.has_changefeed = false;
    world_start_coordinator(&world);
    assert_true(dispatchers(&world, 0) > 0);
    world_run(&world, 2000);
    assert_int_equal(dispatchers(&world, 0) + dispatchers(&world, 1), 0);
    assert_true(coordinator_drops(world.coordinator).unknown_changefeed > 0);
    /* The store may be an older copy: the sink must not forget it. */
    assert_int_equal(world.nodes[0].removals + world.nodes[1].removals, 0);
    world_end(&world);
}

static table_view_t a_table(const world_t *world, arena_t *arena)
{
    table_view_t *views;
    size_t count;
    assert_int_equal(coordinator_tables(world->coordinator, name, arena, &views, &count),
                     SLUICE_OK);
    for (size_t i = 0; i < count; i++)
        if (views[i].table_id.v)
            return views[i];
    fail();
    return views[0];
}

/* ORACLE §5.49. */
static void a_table_is_moved_and_stays(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 7, 2);
    arena_t arena = {0};
    error_report_t report;
    assert_true(world_settle(&world, 60000));
    table_view_t table = a_table(&world, &arena);
    int to = strcmp(table.node, "n1") == 0 ? 1 : 0;
    node_id_t none, target = world.nodes[to].id, same = world.nodes[1 - to].id;
    assert_true(node_id_parse(bytes_of_text("nobody"), &none));
    coordinator_t *c = world.coordinator;
    assert_int_equal(coordinator_move_table(c, world.now, 2, name, table.table_id, &none, &report),
                     SLUICE_ERROR_NOT_FOUND);
    assert_int_equal(
        coordinator_move_table(c, world.now, 2, name, (table_id_t){5}, &target, &report),
        SLUICE_ERROR_NOT_FOUND);
    assert_int_equal(coordinator_move_table(c, world.now, 2, name, table.table_id, &same, &report),
                     SLUICE_ERROR_EXISTS);
    assert_int_equal(
        coordinator_move_table(c, world.now, 3, name, table.table_id, &target, &report), SLUICE_OK);
    assert_int_equal(
        coordinator_move_table(c, world.now, 4, name, table.table_id, &target, &report),
        SLUICE_ERROR_STATE);
    world_run(&world, 3000);
    assert_int_equal(world.answered_request, 3);
    assert_int_equal(world.last_answer, SLUICE_OK);
    world_run(&world, 10000);
    table_view_t *views;
    size_t count;
    assert_int_equal(coordinator_tables(c, name, &arena, &views, &count), SLUICE_OK);
    for (size_t i = 0; i < count; i++)
        if (views[i].table_id.v == table.table_id.v)
            assert_string_equal(views[i].node, target.text);
    arena_clear(&arena);
    world_end(&world);
}

static void a_drained_node_gives_everything_away(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 8, 2);
    assert_true(world_settle(&world, 60000));
    error_report_t report;
    assert_int_equal(
        coordinator_drain(world.coordinator, world.now, 2, &world.nodes[0].id, &report), SLUICE_OK);
    assert_int_equal(
        coordinator_drain(world.coordinator, world.now, 3, &world.nodes[1].id, &report),
        SLUICE_ERROR_STATE);
    world_run(&world, 3000);
    assert_int_equal(world.answered_request, 2);
    assert_int_equal(dispatchers(&world, 0), 0);
    assert_true(world_is_at_rest(&world));
    /* Under a new incarnation it takes its share again. */
    model_node_start(&world.nodes[0], world.now, (incarnation_t){9});
    world_run(&world, 10000);
    assert_true(dispatchers(&world, 0) > 0);
    world_end(&world);
}

static void a_leaving_node_is_empty_within_two_seconds(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 9, 3);
    world.nodes[2].is_leaving = true;
    world.nodes[2].hello_at = world.now;
    for (int ms = 0; ms < 2000 && dispatchers(&world, 2); ms += 100)
        world_run(&world, 100);
    assert_int_equal(dispatchers(&world, 2), 0);
    assert_true(world_settle(&world, 60000));
    world_end(&world);
}

static dispatcher_id_t trigger_on(const world_t *world, int node)
{
    for (int i = 0; i < DISPATCHERS_MAX; i++)
        if (world->nodes[node].dispatchers[i].is_used &&
            world->nodes[node].dispatchers[i].table == TRIGGER)
            return world->nodes[node].dispatchers[i].id;
    return (dispatcher_id_t){0};
}

static void wait_for_trigger(world_t *world, int node, uint64_t ms)
{
    for (uint64_t passed = 0; passed < ms && !trigger_on(world, node).lo; passed += 100)
        world_run(world, 100);
    assert_true(trigger_on(world, node).lo != 0);
}

/* A trigger whose table list does not come starts again after lease and grace, which are counted
 * anew when it is given to another node. */
static void a_table_list_is_awaited_from_each_node_that_has_the_trigger(void **state)
{
    (void)state;
    world_t world;
    world_start(&world, 3, 2, 60, 6);
    world.nodes[0].keeps_list_back = world.nodes[1].keeps_list_back = true;
    world_run(&world, 200);
    world_create_changefeed(&world);
    world_run(&world, 2000);
    int first = trigger_on(&world, 0).lo ? 0 : 1, second = 1 - first;
    assert_true(is_state(&world, CHANGEFEED_NORMAL, "listing"));
    world.is_cut[first] = true;
    wait_for_trigger(&world, second, 20000);
    dispatcher_id_t given = trigger_on(&world, second);
    world_run(&world, 10000);
    assert_true(dispatcher_id_equal(trigger_on(&world, second), given));
    world_run(&world, 4000);
    assert_false(dispatcher_id_equal(trigger_on(&world, second), given));
    world.nodes[second].keeps_list_back = false;
    world_run(&world, 4000);
    assert_true(is_state(&world, CHANGEFEED_NORMAL, "running"));
    world_end(&world);
}

/* A maintainer that cannot show that it is still the owner says nothing more. */
static void without_a_confirmed_epoch_nothing_is_sent(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 10, 2);
    world.is_store_gone = true;
    world_run(&world, 11000);
    uint64_t sent = world.packets_sent;
    world_run(&world, 3000);
    assert_int_equal(world.packets_sent, sent);
    world.is_store_gone = false;
    world_run(&world, 3000);
    assert_true(world.packets_sent > sent);
    assert_true(world_settle(&world, 60000));
    world_end(&world);
}

/* EPO-1, BOOT-10, ORACLE §5: what is stale or strange has no effect. */
static void stale_and_strange_messages_are_counted_and_dropped(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 12, 1);
    assert_true(world_settle(&world, 60000));
    coordinator_t *c = world.coordinator;
    dispatcher_heartbeat_t entry = {.dispatcher_id = {1, 2}, .state = DISPATCHER_WORKING};
    message_t message = {.header = {.type = MESSAGE_HEARTBEAT_REQUEST,
                                    .sender = world.nodes[0].id,
                                    .incarnation = world.nodes[0].incarnation,
                                    .maintainer_epoch = world.stored.maintainer_epoch - 1},
                         .heartbeat_request = {.has_changefeed = true,
                                               .changefeed = world.stored.ref,
                                               .entries = &entry,
                                               .entry_count = 1,
                                               .error = SLUICE_ERROR_BUG}};
    coordinator_receive(c, world.now, &message);
    message.header.maintainer_epoch = UINT64_MAX;
    coordinator_receive(c, world.now, &message);
    assert_int_equal(coordinator_drops(c).stale_epoch, 2);
    assert_true(is_state(&world, CHANGEFEED_NORMAL, "running"));
    message.header.incarnation.v = 0;
    coordinator_receive(c, world.now, &message);
    assert_int_equal(coordinator_drops(c).stale_incarnation, 1);
    assert_true(node_id_parse(bytes_of_text("stranger"), &message.header.sender));
    coordinator_receive(c, world.now, &message);
    assert_int_equal(coordinator_drops(c).unknown_node, 1);
    message.header = (message_header_t){.type = MESSAGE_HELLO_RESPONSE,
                                        .sender = world.nodes[0].id,
                                        .incarnation = world.nodes[0].incarnation};
    coordinator_receive(c, world.now, &message);
    assert_int_equal(coordinator_drops(c).unexpected_type, 1);
    world_run(&world, 500);
    assert_int_equal(world.failures_seen, 0);
    assert_true(world_is_at_rest(&world));
    world_end(&world);
}

static message_t said_by(const world_t *world, int node, message_type_t type)
{
    message_t message = {.header = {.type = type,
                                    .sender = world->nodes[node].id,
                                    .incarnation = world->nodes[node].incarnation,
                                    .maintainer_epoch = world->stored.maintainer_epoch}};
    return message;
}

/* A new life of the node, which can be read from. */
static void join_anew(world_t *world, int node)
{
    world->nodes[node].incarnation.v++;
    message_t message = said_by(world, node, MESSAGE_HELLO);
    message.hello = (hello_t){.host = bytes_of_text("h"),
                              .version = bytes_of_text("v"),
                              .events = bytes_of_text("tcp://h:1")};
    coordinator_receive(world->coordinator, world->now, &message);
}

static void hold_everything(world_t *world, int node)
{
    message_t message = said_by(world, node, MESSAGE_EVENT_STORE_STATE);
    message.event_store_state = (event_store_report_t){.changefeed = world->stored.ref,
                                                       .is_served = true,
                                                       .floor = {1},
                                                       .resolved = {world->log.length}};
    coordinator_receive(world->coordinator, world->now, &message);
}

/* How many nodes could serve what this one asks for. */
static uint32_t candidates_of(world_t *world, int node)
{
    message_t message = said_by(world, node, MESSAGE_CANDIDATES_REQUEST);
    candidates_question_t question = {.dispatcher_id = {1, 2}, .table_id = {3}, .start = {2}};
    message.candidates_request = (candidates_request_t){world->stored.ref, &question, 1};
    coordinator_receive(world->coordinator, world->now, &message);
    effects_t effects = {0};
    uint32_t count = UINT32_MAX;
    coordinator_step(world->coordinator, world->now, &effects);
    for (size_t i = 0; i < effects.count; i++) {
        const effect_t *effect = &effects.items[i];
        if (effect->kind == EFFECT_SEND &&
            effect->message->header.type == MESSAGE_CANDIDATES_RESPONSE) {
            assert_true(node_id_equal(&effect->node, &world->nodes[node].id));
            count = effect->message->candidates_response.answers[0].count;
        }
    }
    effects_clear(&effects);
    return count;
}

/* LC-2 */
static void what_a_node_held_in_its_life_before_is_forgotten(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 15, 2);
    join_anew(&world, 0);
    assert_int_equal(candidates_of(&world, 1), 0);
    hold_everything(&world, 0);
    assert_int_equal(candidates_of(&world, 1), 1);
    assert_int_equal(candidates_of(&world, 0), 0);
    join_anew(&world, 0);
    assert_int_equal(candidates_of(&world, 1), 0);
    hold_everything(&world, 0);
    assert_int_equal(candidates_of(&world, 1), 1);
    world_end(&world);
}

/* Two maintainers on two copies of one store: nodes follow the later one, and the other says so. */
static void a_node_that_follows_a_later_maintainer_is_told_of(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 12, 1);
    message_t message = {
        .header = {.type = MESSAGE_HEARTBEAT_REQUEST,
                   .sender = world.nodes[0].id,
                   .incarnation = world.nodes[0].incarnation,
                   .maintainer_epoch = world.stored.maintainer_epoch + 1},
        .heartbeat_request = {.has_changefeed = true, .changefeed = world.stored.ref}};
    coordinator_receive(world.coordinator, world.now, &message);
    assert_true(is_state(&world, CHANGEFEED_WARNING, "running"));
    arena_t arena = {0};
    assert_non_null(strstr(view(&world, &arena).error_text, "copy of the meta store"));
    arena_clear(&arena);
    world_end(&world);
}

static uint64_t check_id_asked(const effects_t *effects)
{
    for (size_t i = 0; i < effects->count; i++)
        if (effects->items[i].kind == EFFECT_SEND &&
            effects->items[i].message->header.type == MESSAGE_CHECK_REQUEST)
            return effects->items[i].message->check_request.check_id;
    fail_msg("no check was asked for");
    return 0;
}

static uint64_t first_check_id(uint64_t incarnation)
{
    maintainer_settings_t settings;
    maintainer_settings_default(&settings);
    node_id_t self, node;
    assert_true(node_id_parse(bytes_of_text("m"), &self));
    assert_true(node_id_parse(bytes_of_text("n"), &node));
    mono_ns_t now = {NS_PER_S};
    coordinator_t *c = coordinator_new(&settings, &self, (incarnation_t){incarnation}, now);
    message_t hello = {.header = {.type = MESSAGE_HELLO, .sender = node, .incarnation = {1}},
                       .hello = {.host = bytes_of_text("h"), .version = bytes_of_text("v")}};
    coordinator_receive(c, now, &hello);
    changefeed_config_t config = {.name = name};
    error_report_t report;
    assert_int_equal(coordinator_create(c, now, 1, (changefeed_uuid_t){{9}}, &config, &report),
                     SLUICE_OK);
    effects_t effects = {0};
    effects_init(&effects);
    coordinator_step(c, now, &effects);
    uint64_t id = check_id_asked(&effects);
    effects_clear(&effects);
    coordinator_destroy(&c);
    return id;
}

/* A node answers the check it knows: it must not take the question of a maintainer that was started
 * again for one of the process before. */
static void checks_of_two_processes_have_different_ids(void **state)
{
    (void)state;
    assert_int_not_equal(first_check_id(1700000000000), first_check_id(1700000000001));
}

/* A dispatcher that nobody gave out is closed at its node. */
static void an_unknown_dispatcher_is_closed(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 13, 1);
    assert_true(world_settle(&world, 60000));
    model_dispatcher_t *spare = &world.nodes[0].dispatchers[DISPATCHERS_MAX - 1];
    *spare = (model_dispatcher_t){
        .is_used = true, .is_dirty = true, .id = {77, 77}, .table = 0, .works_at = MONO_NEVER};
    world_run(&world, 2000);
    assert_false(spare->is_used);
    world_end(&world);
}

/* A dispatcher that its node lost without a word is missed by the complete heartbeats. */
static void a_lost_dispatcher_is_given_out_again(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 13, 1);
    assert_true(world_settle(&world, 60000));
    for (int i = 0; i < DISPATCHERS_MAX; i++)
        if (world.nodes[0].dispatchers[i].is_used &&
            world.nodes[0].dispatchers[i].table != TRIGGER) {
            world.nodes[0].dispatchers[i].is_used = false;
            world.nodes[0].watermark_seq++;
            break;
        }
    assert_false(world_is_at_rest(&world));
    world_run(&world, 35000);
    assert_true(world_is_at_rest(&world));
    world_end(&world);
}

/* While the checkpoint stands still there is nothing new to say of it. */
static void what_is_persisted_is_said_again(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 15, 2);
    assert_true(world_settle(&world, 60000));
    assert_int_equal(world.nodes[1].persisted.v, world.log.length);
    model_node_stop(&world.nodes[1]);
    world.nodes[1].persisted = COMMIT_TS_NONE;
    model_node_start(&world.nodes[1], world.now, (incarnation_t){world.now.v});
    world_run(&world, 3000);
    assert_int_equal(world.nodes[1].persisted.v, world.log.length);
    world.nodes[1].persisted = COMMIT_TS_NONE;
    world_run(&world, 12000);
    assert_int_equal(world.nodes[1].persisted.v, world.log.length);
    world_end(&world);
}

static void views_tell_who_is_there_and_what_is_open(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 14, 2);
    assert_true(world_settle(&world, 60000));
    arena_t arena = {0};
    node_view_t *nodes;
    assert_int_equal(coordinator_nodes(world.coordinator, world.now, &arena, &nodes), 2);
    assert_string_equal(nodes[0].id, "n1");
    assert_true(nodes[0].is_present && nodes[0].span_count > 0);
    changefeed_view_t feed = view(&world, &arena);
    assert_int_equal(feed.checkpoint.v, world.log.length);
    assert_int_equal(feed.span_count, nodes[0].span_count + nodes[1].span_count);
    assert_int_equal(feed.replicating_count, feed.span_count);
    assert_int_equal(feed.barrier_count, 0);
    assert_true(feed.statuses_handled > 0 && feed.heartbeats_merged > 0);
    table_view_t *tables;
    size_t count;
    assert_int_equal(coordinator_tables(world.coordinator, name, &arena, &tables, &count),
                     SLUICE_OK);
    assert_int_equal(count, feed.span_count);
    arena_clear(&arena);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_changefeed_is_closed_on_its_node),
        cmocka_unit_test(a_table_is_moved_and_stays),
        cmocka_unit_test(a_drained_node_gives_everything_away),
        cmocka_unit_test(a_leaving_node_is_empty_within_two_seconds),
        cmocka_unit_test(a_table_list_is_awaited_from_each_node_that_has_the_trigger),
        cmocka_unit_test(without_a_confirmed_epoch_nothing_is_sent),
        cmocka_unit_test(stale_and_strange_messages_are_counted_and_dropped),
        cmocka_unit_test(what_a_node_held_in_its_life_before_is_forgotten),
        cmocka_unit_test(a_node_that_follows_a_later_maintainer_is_told_of),
        cmocka_unit_test(checks_of_two_processes_have_different_ids),
        cmocka_unit_test(an_unknown_dispatcher_is_closed),
        cmocka_unit_test(a_lost_dispatcher_is_given_out_again),
        cmocka_unit_test(what_is_persisted_is_said_again),
        cmocka_unit_test(views_tell_who_is_there_and_what_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
