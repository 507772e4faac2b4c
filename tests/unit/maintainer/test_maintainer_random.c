/*
 * The whole maintainer against made-up nodes over a lossy network, in virtual time, from fixed
 * seeds. What must hold is checked by the model as it goes; here it is only seen that all of it
 * comes to rest.
 */
#include "tests/unit/maintainer/model/world.h"

#include <stdio.h>

static void expect_rest(world_t *world, uint64_t seed, const char *story)
{
    world->loss = world->duplication = 0;
    for (int i = 0; i < world->node_count; i++)
        world->is_cut[i] = false;
    if (!world_settle(world, 180000)) {
        fprintf(stderr, "%s: seed %llu does not come to rest\n", story, (unsigned long long)seed);
        world_explain(world);
        fail();
    }
    assert_int_equal(world->failures_seen, 0);
}

static void begin(world_t *world, uint64_t seed, int nodes)
{
    world_start(world, seed, nodes, 150, 5);
    world_run(world, 200);
    world_create_changefeed(world);
}

static void everything_is_replicated_without_faults(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        world_t world;
        begin(&world, seed, 3);
        world_run(&world, 5000);
        expect_rest(&world, seed, "no faults");
        assert_true(world.writes_seen > 0 && world.passes_seen > 0);
        world_end(&world);
    }
}

static void loss_duplication_and_reordering_change_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 115; seed++) {
        world_t world;
        begin(&world, seed, 3);
        world.loss = 10;
        world.duplication = 10;
        world.delay_ms_max = 200;
        world_run(&world, 30000);
        expect_rest(&world, seed, "loss");
        world_end(&world);
    }
}

/* Processes are killed and come back, links are cut for a while. */
static void make_trouble(world_t *world, bool with_maintainer)
{
    int node = (int)random_below(&world->random, (uint64_t)world->node_count);
    model_node_t *victim = &world->nodes[node];
    uint64_t what = random_below(&world->random, with_maintainer ? 5 : 3);
    uint64_t ms = random_below(&world->random, 6000);
    switch (what) {
    case 0:
        model_node_stop(victim);
        world_run(world, ms);
        model_node_start(victim, world->now, (incarnation_t){victim->incarnation.v + 1});
        break;
    case 1:
        world->is_cut[node] = true;
        world_run(world, ms + (random_chance(&world->random, 50) ? 13000 : 0));
        world->is_cut[node] = false;
        break;
    case 2:
        model_node_stop(victim);
        world_run(world, 13000 + ms);
        model_node_start(victim, world->now, (incarnation_t){victim->incarnation.v + 1});
        break;
    case 3:
        world->is_asleep = true;
        world_run(world, ms * 2);
        world->is_asleep = false;
        break;
    default:
        world_stop_coordinator(world);
        world_run(world, ms);
        world_start_coordinator(world);
        break;
    }
    world_run(world, random_below(&world->random, 4000));
}

static void nodes_may_die_and_links_be_cut(void **state)
{
    (void)state;
    for (uint64_t seed = 200; seed < 215; seed++) {
        world_t world;
        begin(&world, seed, 3);
        world_run(&world, 2000);
        world.loss = world.duplication = 5;
        world.delay_ms_max = 50;
        for (int i = 0; i < 5; i++)
            make_trouble(&world, false);
        expect_rest(&world, seed, "nodes");
        world_end(&world);
    }
}

static void the_maintainer_may_die_too(void **state)
{
    (void)state;
    for (uint64_t seed = 300; seed < 320; seed++) {
        world_t world;
        begin(&world, seed, 3);
        world_run(&world, 2000);
        world.loss = world.duplication = 5;
        world.delay_ms_max = 50;
        for (int i = 0; i < 6; i++)
            make_trouble(&world, true);
        expect_rest(&world, seed, "maintainer");
        world_end(&world);
    }
}

static void move_something(world_t *world)
{
    arena_t arena = {0};
    table_view_t *views;
    size_t count;
    error_report_t report;
    assert_int_equal(
        coordinator_tables(world->coordinator, bytes_of_text("feed"), &arena, &views, &count),
        SLUICE_OK);
    model_node_t *node = &world->nodes[random_below(&world->random, (uint64_t)world->node_count)];
    if (count) {
        table_id_t table = views[random_below(&world->random, count)].table_id;
        sluice_error_t error = coordinator_move_table(
            world->coordinator, world->now, 2, bytes_of_text("feed"), table, &node->id, &report);
        assert_true(error == SLUICE_OK || error == SLUICE_ERROR_STATE ||
                    error == SLUICE_ERROR_EXISTS || error == SLUICE_ERROR_NOT_FOUND);
    }
    arena_clear(&arena);
}

static void pause_and_resume(world_t *world)
{
    error_report_t report;
    bytes_t name = bytes_of_text("feed");
    if (coordinator_pause(world->coordinator, world->now, 3, name, &report) != SLUICE_OK)
        return;
    for (int i = 0; i < 200; i++) {
        world_run(world, 100);
        if (coordinator_resume(world->coordinator, world->now, 4, name, (bytes_t){0}, &report) ==
            SLUICE_OK)
            return;
    }
    fail_msg("a paused changefeed cannot be resumed: %s", report.text);
}

/* Leaves as a process does on TERM, and is started again. */
static void leave_and_return(world_t *world)
{
    model_node_t *node = &world->nodes[random_below(&world->random, (uint64_t)world->node_count)];
    node->is_leaving = true;
    node->hello_at = world->now;
    world_run(world, random_below(&world->random, 4000));
    model_node_stop(node);
    world_run(world, random_below(&world->random, 2000));
    node->is_leaving = false;
    model_node_start(node, world->now, (incarnation_t){node->incarnation.v + 1});
}

static void operators_may_interfere(void **state)
{
    (void)state;
    for (uint64_t seed = 400; seed < 415; seed++) {
        world_t world;
        begin(&world, seed, 3);
        world_run(&world, 2000);
        world.loss = world.duplication = 3;
        world.delay_ms_max = 50;
        for (int i = 0; i < 12; i++) {
            uint64_t what = random_below(&world.random, 20);
            if (what < 12)
                move_something(&world);
            else if (what < 14)
                pause_and_resume(&world);
            else if (what < 17)
                leave_and_return(&world);
            else
                make_trouble(&world, true);
            world_run(&world, random_below(&world.random, 1500));
        }
        expect_rest(&world, seed, "operators");
        world_end(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_replicated_without_faults),
        cmocka_unit_test(loss_duplication_and_reordering_change_nothing),
        cmocka_unit_test(nodes_may_die_and_links_be_cut),
        cmocka_unit_test(the_maintainer_may_die_too),
        cmocka_unit_test(operators_may_interfere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
