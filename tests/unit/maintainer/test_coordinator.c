/* What operators ask for, failures, and the meta store. */
#include "tests/unit/maintainer/coordinator_fixture.h"

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
        cmocka_unit_test(one_that_stands_still_is_removed_from_its_sink_too),
        cmocka_unit_test(a_removal_goes_on_in_the_next_process),
        cmocka_unit_test(an_error_of_a_node_fails_the_changefeed_and_closes_it),
        cmocka_unit_test(an_error_of_the_log_waits_until_the_checkpoint_stands_still),
        cmocka_unit_test(an_error_that_is_retried_is_a_warning_only),
        cmocka_unit_test(tells_when_all_was_in_the_sink),
        cmocka_unit_test(an_update_needs_rest_and_the_same_source),
        cmocka_unit_test(an_overwritten_position_is_a_new_generation),
        cmocka_unit_test(a_pause_is_persisted_even_if_the_store_fails_at_first),
        cmocka_unit_test(contradictions_of_the_store_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
