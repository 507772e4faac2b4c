/* A node's life and its time. */
#include "tests/unit/node/node_fixture_ports.h"

static int world_begin(void **state, bool has_others)
{
    static world_t world;
    world = (world_t){.now = {NS_PER_S}, .may_close = true, .next_incarnation = {7}};
    link_port_t links[WORLD_LINKS];
    for (uint32_t i = 0; i < WORLD_LINKS; i++) {
        world.links[i].world = &world;
        links[i] = world_link_port(&world.links[i]);
    }
    node_core_options_t options = {
        .machine = "machine",
        .version = "1",
        .incarnation = {7},
        .settings = {dispatcher_set_options_default(), session_options_default(), LAG_MS},
        .links = links,
        .link_count = WORLD_LINKS,
        .host = world_host_port(&world),
        .events = world_events_port(&world, has_others),
    };
    world.core = node_core_new(&options);
    error_report_t report;
    assert_int_equal(node_core_start(world.core, &report), SLUICE_OK);
    *state = &world;
    return 0;
}

int world_set_up(void **state)
{
    return world_begin(state, false);
}

int world_set_up_with_others(void **state)
{
    return world_begin(state, true);
}

int world_tear_down(void **state)
{
    world_t *world = *state;
    node_core_destroy(&world->core);
    for (uint32_t i = 0; i < world->event_count; i++)
        stream_event_clear(&world->events[i]);
    arena_clear(&world->arena);
    return 0;
}

void run(world_t *world)
{
    error_report_t report;
    bool has_more = true;
    for (uint32_t i = 0; i < 8 || has_more; i++) {
        assert_true(i < 100);
        assert_int_equal(node_core_run(world->core, world->now, &has_more, &report), SLUICE_OK);
    }
}

void pass_time(world_t *world, uint64_t ns)
{
    mono_ns_t end = mono_add(world->now, ns);
    for (uint32_t turns = 0;; turns++) {
        assert_true(turns < 100000); /* it always wants to run again */
        run(world);
        if (node_core_has_ended(world->core, world->now))
            break;
        mono_ns_t deadline = node_core_next_deadline(world->core, world->now);
        if (deadline.v > end.v)
            break;
        if (deadline.v > world->now.v)
            world->now = deadline;
    }
    if (node_core_has_ended(world->core, world->now))
        return;
    world->now = end;
    run(world);
}
