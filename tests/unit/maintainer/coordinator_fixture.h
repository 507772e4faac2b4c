/*
 * A coordinator with one changefeed over made-up nodes, and what is seen of it.
 *
 * Threads: one.
 */
#ifndef SLUICE_TESTS_UNIT_MAINTAINER_COORDINATOR_FIXTURE_H
#define SLUICE_TESTS_UNIT_MAINTAINER_COORDINATOR_FIXTURE_H

#include "tests/unit/maintainer/model/world.h"

#include <stdio.h>
#include <string.h>

static const bytes_t name = {(const uint8_t *)"feed", 4};

static inline void begin(world_t *world, uint64_t seed, int nodes)
{
    world_start(world, seed, nodes, 60, 6);
    world_run(world, 200);
    world_create_changefeed(world);
    world_run(world, 3000);
    assert_int_equal(world->answered_request, 1);
    assert_int_equal(world->last_answer, SLUICE_OK);
}

static inline changefeed_view_t view(const world_t *world, arena_t *arena)
{
    changefeed_view_t feed;
    assert_int_equal(coordinator_changefeed(world->coordinator, world->now, name, arena, &feed),
                     SLUICE_OK);
    return feed;
}

static inline bool is_state(const world_t *world, changefeed_state_t state, const char *phase)
{
    arena_t arena = {0};
    changefeed_view_t feed = view(world, &arena);
    bool is_it = feed.state == state && strcmp(feed.phase, phase) == 0;
    if (!is_it)
        fprintf(stderr, "state %s phase %s\n", changefeed_state_name(feed.state), feed.phase);
    arena_clear(&arena);
    return is_it;
}

static inline int dispatchers(const world_t *world, int node)
{
    int count = 0;
    for (int i = 0; i < DISPATCHERS_MAX; i++)
        count += world->nodes[node].dispatchers[i].is_used;
    return count;
}

#endif
