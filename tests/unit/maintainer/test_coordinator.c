/* Commands, failures, leases, and messages that are not for us, over made-up nodes. */
#include "tests/unit/maintainer/model/world.h"

#include <stdio.h>
#include <string.h>

static const bytes_t name = {(const uint8_t *)"feed", 4};

static void begin(world_t *world, uint64_t seed, int nodes)
{
    world_start(world, seed, nodes, 60, 6);
    world_run(world, 200);
    world_create_changefeed(world);
    world_run(world, 3000);
    assert_int_equal(world->answered_request, 1);
    assert_int_equal(world->last_answer, SLUICE_OK);
}

static changefeed_view_t view(const world_t *world, arena_t *arena)
{
    changefeed_view_t feed;
    assert_int_equal(coordinator_changefeed(world->coordinator, world->now, name, arena, &feed),
                     SLUICE_OK);
    return feed;
}

static bool is_state(const world_t *world, changefeed_state_t state, const char *phase)
{
    arena_t arena = {0};
    changefeed_view_t feed = view(world, &arena);
    bool is_it = feed.state == state && strcmp(feed.phase, phase) == 0;
    if (!is_it)
        fprintf(stderr, "state %s phase %s\n", changefeed_state_name(feed.state), feed.phase);
    arena_clear(&arena);
    return is_it;
}

static int dispatchers(const world_t *world, int node)
{
    int count = 0;
    for (int i = 0; i < DISPATCHERS_MAX; i++)
        count += world->nodes[node].dispatchers[i].is_used;
    return count;
}

static void create_needs_a_valid_unused_name_and_a_node(void **state)
{
    (void)state;
    world_t world;
    world_start(&world, 1, 1, 20, 3);
    changefeed_config_t config = {.name = bytes_of_text("a b")};
    changefeed_uuid_t uuid = {{9}};
    error_report_t report;
    assert_int_equal(coordinator_create(world.coordinator, world.now, 1, uuid, &config, &report),
                     SLUICE_ERROR_CONFIGURATION);
    assert_non_null(strstr(report.text, "name"));
    config.name = name;
    assert_int_equal(coordinator_create(world.coordinator, world.now, 1, uuid, &config, &report),
                     SLUICE_ERROR_STATE);
    world_run(&world, 200);
    assert_int_equal(coordinator_create(world.coordinator, world.now, 1, uuid, &config, &report),
                     SLUICE_OK);
    assert_int_equal(coordinator_create(world.coordinator, world.now, 1, uuid, &config, &report),
                     SLUICE_ERROR_EXISTS);
    world_end(&world);
}

static void a_refused_check_leaves_nothing_behind(void **state)
{
    (void)state;
    world_t world;
    world_start(&world, 1, 1, 20, 3);
    world.nodes[0].check_error = SLUICE_ERROR_SOURCE_SETTINGS;
    world_run(&world, 200);
    world_create_changefeed(&world);
    world_run(&world, 500);
    assert_int_equal(world.last_answer, SLUICE_ERROR_SOURCE_SETTINGS);
    assert_non_null(strstr(world.answer_text, "binlog_format"));
    assert_false(world.has_changefeed);
    arena_t arena = {0};
    changefeed_view_t feed;
    assert_int_equal(coordinator_changefeed(world.coordinator, world.now, name, &arena, &feed),
                     SLUICE_ERROR_NOT_FOUND);
    arena_clear(&arena);
    world_end(&world);
}

static void one_that_the_store_does_not_take_is_not_there(void **state)
{
    (void)state;
    world_t world;
    world_start(&world, 1, 1, 20, 3);
    world_run(&world, 200);
    world_create_changefeed(&world);
    world.is_store_gone = true;
    world_run(&world, 1000);
    assert_int_equal(world.last_answer, SLUICE_ERROR_META_STORE);
    arena_t arena = {0};
    changefeed_view_t feed;
    assert_int_equal(coordinator_changefeed(world.coordinator, world.now, name, &arena, &feed),
                     SLUICE_ERROR_NOT_FOUND);
    arena_clear(&arena);
    /* It may be tried again. */
    world.is_store_gone = false;
    world_create_changefeed(&world);
    world_run(&world, 1000);
    assert_true(is_state(&world, CHANGEFEED_NORMAL, "running"));
    world_end(&world);
}

static void what_a_check_warns_of_comes_with_the_answer(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 3, 1);
    assert_string_equal(world.answer_text, "d.t has no key");
    world_end(&world);
}

static void a_check_that_nobody_answers_ends(void **state)
{
    (void)state;
    world_t world;
    world_start(&world, 1, 1, 20, 3);
    world_run(&world, 200);
    world.is_cut[0] = true;
    world_create_changefeed(&world);
    world_run(&world, 121000);
    assert_int_equal(world.last_answer, SLUICE_ERROR_TIMEOUT);
    world_end(&world);
}

static void paused_nobody_carries_anything_resumed_it_goes_on(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 3, 2);
    error_report_t report;
    assert_int_equal(
        coordinator_resume(world.coordinator, world.now, 2, name, (bytes_t){0}, &report),
        SLUICE_ERROR_STATE);
    assert_int_equal(coordinator_pause(world.coordinator, world.now, 3, name, &report), SLUICE_OK);
    assert_int_equal(coordinator_pause(world.coordinator, world.now, 4, name, &report),
                     SLUICE_ERROR_STATE);
    world_run(&world, 1000);
    assert_int_equal(world.answered_request, 3);
    assert_int_equal(world.stored.state, CHANGEFEED_STOPPED);
    assert_true(is_state(&world, CHANGEFEED_STOPPED, "stopped"));
    assert_int_equal(dispatchers(&world, 0) + dispatchers(&world, 1), 0);
    assert_int_equal(coordinator_pause(world.coordinator, world.now, 5, name, &report),
                     SLUICE_ERROR_STATE);
    /* Also over a restart. */
    world_stop_coordinator(&world);
    world_start_coordinator(&world);
    world_run(&world, 15000);
    assert_true(is_state(&world, CHANGEFEED_STOPPED, "stopped"));
    uint64_t epoch = world.stored.maintainer_epoch;
    assert_int_equal(
        coordinator_resume(world.coordinator, world.now, 6, name, (bytes_t){0}, &report),
        SLUICE_OK);
    world_run(&world, 1000);
    assert_int_equal(world.answered_request, 6);
    assert_true(world.stored.maintainer_epoch > epoch);
    assert_true(world_settle(&world, 60000));
    world_end(&world);
}

static void removed_it_is_gone_everywhere(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 4, 2);
    /* One node is away while it is removed, and is told when it comes back. */
    world.is_cut[1] = true;
    error_report_t report;
    assert_int_equal(coordinator_remove(world.coordinator, world.now, 7, name, &report), SLUICE_OK);
    assert_int_equal(coordinator_remove(world.coordinator, world.now, 8, name, &report),
                     SLUICE_ERROR_STATE);
    world_run(&world, 14000);
    assert_int_equal(world.answered_request, 7);
    assert_false(world.has_changefeed);
    assert_true(world.nodes[0].removals > 0);
    assert_true(dispatchers(&world, 1) > 0);
    world.is_cut[1] = false;
    world_run(&world, 3000);
    assert_int_equal(dispatchers(&world, 0) + dispatchers(&world, 1), 0);
    assert_int_equal(coordinator_remove(world.coordinator, world.now, 9, name, &report),
                     SLUICE_ERROR_NOT_FOUND);
    world_end(&world);
}

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

static void one_that_stands_still_is_removed_from_its_sink_too(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 4, 2);
    error_report_t report;
    assert_int_equal(coordinator_pause(world.coordinator, world.now, 7, name, &report), SLUICE_OK);
    world_run(&world, 1000);
    assert_int_equal(world.nodes[0].removals + world.nodes[1].removals, 0);
    assert_int_equal(coordinator_remove(world.coordinator, world.now, 8, name, &report), SLUICE_OK);
    world_run(&world, 1000);
    assert_int_equal(world.answered_request, 8);
    assert_true(world.nodes[0].removals > 0 && world.nodes[1].removals > 0);
    assert_false(world.has_changefeed);
    world_end(&world);
}

/* Killed when the removal was persisted and no node knew yet. */
static void a_removal_goes_on_in_the_next_process(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 4, 2);
    error_report_t report;
    world.is_cut[0] = world.is_cut[1] = true;
    assert_int_equal(coordinator_remove(world.coordinator, world.now, 7, name, &report), SLUICE_OK);
    world_run(&world, 1000);
    assert_int_equal(world.stored.state, CHANGEFEED_REMOVED);
    world_stop_coordinator(&world);
    world_start_coordinator(&world);
    world_run(&world, 3000);
    assert_true(world.has_changefeed);
    world.is_cut[0] = world.is_cut[1] = false;
    world_run(&world, 3000);
    assert_true(world.nodes[0].removals > 0 && world.nodes[1].removals > 0);
    assert_int_equal(dispatchers(&world, 0) + dispatchers(&world, 1), 0);
    assert_false(world.has_changefeed);
    world_end(&world);
}

static void an_error_of_a_node_fails_the_changefeed_and_closes_it(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 5, 2);
    world.nodes[1].error = SLUICE_ERROR_SINK_REFUSED;
    world_run(&world, 2000);
    assert_int_equal(world.stored.state, CHANGEFEED_FAILED);
    assert_true(is_state(&world, CHANGEFEED_FAILED, "stopped"));
    assert_int_equal(dispatchers(&world, 0) + dispatchers(&world, 1), 0);
    arena_t arena = {0};
    changefeed_view_t feed = view(&world, &arena);
    assert_int_equal(feed.error, SLUICE_ERROR_SINK_REFUSED);
    assert_string_equal(feed.error_text, "what the sink said");
    arena_clear(&arena);
    /* Mended, it goes on. */
    world.nodes[1].error = SLUICE_OK;
    error_report_t report;
    assert_int_equal(
        coordinator_resume(world.coordinator, world.now, 2, name, (bytes_t){0}, &report),
        SLUICE_OK);
    world_run(&world, 1000);
    assert_true(is_state(&world, CHANGEFEED_NORMAL, "running"));
    assert_true(world_settle(&world, 60000));
    world_end(&world);
}

static void an_error_of_the_log_waits_until_the_checkpoint_stands_still(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 5, 2);
    assert_true(world_settle(&world, 60000));
    world.nodes[0].error = SLUICE_ERROR_SOURCE_CORRUPT;
    world_run(&world, 1500);
    assert_true(is_state(&world, CHANGEFEED_NORMAL, "running"));
    world_run(&world, 2500);
    assert_true(is_state(&world, CHANGEFEED_FAILED, "stopped"));
    arena_t arena = {0};
    assert_int_equal(view(&world, &arena).error, SLUICE_ERROR_SOURCE_CORRUPT);
    arena_clear(&arena);
    world_end(&world);
}

static void an_error_that_is_retried_is_a_warning_only(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 5, 2);
    world.nodes[1].error = SLUICE_ERROR_SINK_CONNECTION;
    world_run(&world, 1000);
    assert_true(is_state(&world, CHANGEFEED_WARNING, "running"));
    assert_int_equal(world.stored.state, CHANGEFEED_NORMAL);
    world.nodes[1].error = SLUICE_OK;
    world_run(&world, 1000);
    assert_true(is_state(&world, CHANGEFEED_NORMAL, "running"));
    world_end(&world);
}

/* As long ago as a node last stood at the end of the log, with all of it in the sink. */
static void tells_when_all_was_in_the_sink(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 5, 2);
    assert_true(world_settle(&world, 60000));
    arena_t arena = {0};
    assert_int_equal(view(&world, &arena).caught_up_at.v, 0);
    world.nodes[0].is_caught_up = true;
    world_run(&world, 1000);
    assert_int_equal(view(&world, &arena).caught_up_at.v, 0);
    world.nodes[1].is_caught_up = true;
    world_run(&world, 1000);
    mono_ns_t then = world.now;
    assert_true(mono_elapsed(view(&world, &arena).caught_up_at, then) < 500 * NS_PER_MS);
    world.nodes[1].is_caught_up = false;
    world_run(&world, 5000);
    assert_true(mono_elapsed(then, view(&world, &arena).caught_up_at) < 500 * NS_PER_MS);
    arena_clear(&arena);
    world_end(&world);
}

static void an_update_needs_rest_and_the_same_source(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 6, 1);
    error_report_t report;
    changefeed_config_t config = {.name = name,
                                  .source = bytes_of_text("simulated://"),
                                  .sink = bytes_of_text("file:///elsewhere")};
    assert_int_equal(coordinator_update(world.coordinator, world.now, 2, name, &config, &report),
                     SLUICE_ERROR_STATE);
    assert_int_equal(coordinator_pause(world.coordinator, world.now, 3, name, &report), SLUICE_OK);
    world_run(&world, 1000);
    config.source = bytes_of_text("binlog:///other");
    assert_int_equal(coordinator_update(world.coordinator, world.now, 4, name, &config, &report),
                     SLUICE_ERROR_CONFIGURATION);
    config.source = bytes_of_text("simulated://");
    assert_int_equal(coordinator_update(world.coordinator, world.now, 5, name, &config, &report),
                     SLUICE_OK);
    world_run(&world, 100);
    assert_int_equal(world.answered_request, 5);
    assert_true(bytes_equal(world.stored.config.sink, bytes_of_text("file:///elsewhere")));
    world_end(&world);
}

/* Resume at another position: pre-flight again, a new generation. */
static void an_overwritten_position_is_a_new_generation(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 6, 1);
    error_report_t report;
    assert_int_equal(coordinator_pause(world.coordinator, world.now, 3, name, &report), SLUICE_OK);
    world_run(&world, 1000);
    uint64_t checkpoint = world.stored.checkpoint.v;
    assert_true(checkpoint > 0);
    world.nodes[0].check_error = SLUICE_ERROR_SOURCE_PURGED;
    bytes_t position = bytes_of_text("0-1-0");
    assert_int_equal(coordinator_resume(world.coordinator, world.now, 4, name, position, &report),
                     SLUICE_OK);
    world_run(&world, 500);
    assert_int_equal(world.last_answer, SLUICE_ERROR_SOURCE_PURGED);
    assert_int_equal(world.stored.checkpoint.v, checkpoint);
    assert_true(is_state(&world, CHANGEFEED_STOPPED, "stopped"));
    world.nodes[0].check_error = SLUICE_OK;
    assert_int_equal(coordinator_resume(world.coordinator, world.now, 5, name, position, &report),
                     SLUICE_OK);
    world_run(&world, 200);
    assert_int_equal(world.answered_request, 5);
    assert_int_equal(world.stored.ref.generation, 2);
    assert_true(bytes_equal(world.stored.config.start_gtid_list, position));
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

static void a_pause_is_persisted_even_if_the_store_fails_at_first(void **state)
{
    (void)state;
    world_t world;
    begin(&world, 11, 1);
    error_report_t report;
    world.is_store_gone = true;
    assert_int_equal(coordinator_pause(world.coordinator, world.now, 3, name, &report), SLUICE_OK);
    world_run(&world, 3000);
    assert_int_equal(world.stored.state, CHANGEFEED_NORMAL);
    world.is_store_gone = false;
    world_run(&world, 2000);
    assert_int_equal(world.stored.state, CHANGEFEED_STOPPED);
    assert_int_equal(world.answered_request, 3);
    world_end(&world);
}

/* BOOT-11 and its like: what the store holds must make sense. */
static void contradictions_of_the_store_are_refused(void **state)
{
    (void)state;
    maintainer_settings_t settings;
    maintainer_settings_default(&settings);
    node_id_t self;
    assert_true(node_id_parse(bytes_of_text("m"), &self));
    coordinator_t *c = coordinator_new(&settings, &self, (incarnation_t){1}, (mono_ns_t){0});
    stored_changefeed_t stored = {.ref = {.uuid = {{1}}, .generation = 1},
                                  .maintainer_epoch = 2,
                                  .config = {.name = name},
                                  .checkpoint = {90},
                                  .anchor = {.commit_ts = {91}}};
    error_report_t report;
    assert_int_equal(coordinator_load_changefeed(c, (mono_ns_t){0}, &stored, &report),
                     SLUICE_ERROR_MALFORMED);
    stored.anchor.commit_ts.v = 80;
    assert_int_equal(coordinator_load_changefeed(c, (mono_ns_t){0}, &stored, &report), SLUICE_OK);
    assert_int_equal(coordinator_load_changefeed(c, (mono_ns_t){0}, &stored, &report),
                     SLUICE_ERROR_EXISTS);
    coordinator_destroy(&c);
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
        cmocka_unit_test(create_needs_a_valid_unused_name_and_a_node),
        cmocka_unit_test(a_refused_check_leaves_nothing_behind),
        cmocka_unit_test(one_that_the_store_does_not_take_is_not_there),
        cmocka_unit_test(what_a_check_warns_of_comes_with_the_answer),
        cmocka_unit_test(a_check_that_nobody_answers_ends),
        cmocka_unit_test(paused_nobody_carries_anything_resumed_it_goes_on),
        cmocka_unit_test(removed_it_is_gone_everywhere),
        cmocka_unit_test(an_unknown_changefeed_is_closed_on_its_node),
        cmocka_unit_test(one_that_stands_still_is_removed_from_its_sink_too),
        cmocka_unit_test(a_removal_goes_on_in_the_next_process),
        cmocka_unit_test(an_error_of_a_node_fails_the_changefeed_and_closes_it),
        cmocka_unit_test(an_error_of_the_log_waits_until_the_checkpoint_stands_still),
        cmocka_unit_test(an_error_that_is_retried_is_a_warning_only),
        cmocka_unit_test(tells_when_all_was_in_the_sink),
        cmocka_unit_test(an_update_needs_rest_and_the_same_source),
        cmocka_unit_test(an_overwritten_position_is_a_new_generation),
        cmocka_unit_test(a_table_is_moved_and_stays),
        cmocka_unit_test(a_drained_node_gives_everything_away),
        cmocka_unit_test(a_leaving_node_is_empty_within_two_seconds),
        cmocka_unit_test(without_a_confirmed_epoch_nothing_is_sent),
        cmocka_unit_test(a_pause_is_persisted_even_if_the_store_fails_at_first),
        cmocka_unit_test(contradictions_of_the_store_are_refused),
        cmocka_unit_test(stale_and_strange_messages_are_counted_and_dropped),
        cmocka_unit_test(a_node_that_follows_a_later_maintainer_is_told_of),
        cmocka_unit_test(checks_of_two_processes_have_different_ids),
        cmocka_unit_test(an_unknown_dispatcher_is_closed),
        cmocka_unit_test(a_lost_dispatcher_is_given_out_again),
        cmocka_unit_test(views_tell_who_is_there_and_what_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
