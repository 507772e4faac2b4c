#include "tests/sim/stores_internal.h"

/* Where regions end when they are drawn. */
#define REGIONS_FIRST_MAX 10

static uint32_t draw_store(stores_t *world)
{
    return (uint32_t)sim_random_below(&world->random, world->options.store_count);
}

void regions_draw(stores_t *world)
{
    uint64_t wanted = sim_random_between(&world->random, 1, REGIONS_FIRST_MAX);
    int from = 0;
    for (uint64_t i = 0; i < wanted && from < LETTERS; i++) {
        int to = i + 1 == wanted
                     ? LETTERS
                     : from + 1 + (int)sim_random_below(&world->random, LETTERS / wanted);
        to = to > LETTERS ? LETTERS : to;
        world->regions[world->region_count++] =
            (sim_region_t){++world->region_ids, 1, from, to, draw_store(world), false};
        from = to;
    }
    world->regions[world->region_count - 1].to = LETTERS;
}

const sim_region_t *regions_find(const stores_t *world, uint64_t id)
{
    for (uint32_t i = 0; i < world->region_count; i++)
        if (world->regions[i].id == id)
            return &world->regions[i];
    return NULL;
}

static void split(stores_t *world, uint32_t at)
{
    sim_region_t *region = &world->regions[at];
    if (region->to - region->from < 2 || world->region_count == LETTERS)
        return;
    int middle = (int)sim_random_between(&world->random, (uint64_t)region->from + 1,
                                         (uint64_t)region->to - 1);
    memmove(region + 1, region, (world->region_count - at) * sizeof *region);
    world->region_count++;
    region->epoch++;
    region->to = middle;
    region[1].id = ++world->region_ids;
    region[1].epoch = region->epoch;
    region[1].from = middle;
}

static void merge(stores_t *world, uint32_t at)
{
    if (at + 1 >= world->region_count)
        return;
    sim_region_t *region = &world->regions[at];
    region->to = region[1].to;
    region->epoch += region[1].epoch;
    memmove(region + 1, region + 2, (world->region_count - at - 2) * sizeof *region);
    world->region_count--;
}

void regions_change(stores_t *world)
{
    uint32_t at = (uint32_t)sim_random_below(&world->random, world->region_count);
    sim_region_t *region = &world->regions[at];
    switch (sim_random_below(&world->random, 5)) {
    case 0:
        split(world, at);
        return;
    case 1:
        merge(world, at);
        return;
    case 2:
        region->leader = draw_store(world);
        return;
    case 3:
        region->leader = draw_store(world);
        region->epoch++;
        return;
    default:
        region->is_hidden = !region->is_hidden;
        return;
    }
}

void regions_heal(stores_t *world)
{
    for (uint32_t i = 0; i < world->region_count; i++)
        world->regions[i].is_hidden = false;
}

uint32_t regions_page(stores_t *world, int from, int to, region_location_t *page)
{
    uint32_t count = 0;
    uint64_t limit = stores_chance(world, 30) ? 1 + sim_random_below(&world->random, 3) : LETTERS;
    for (uint32_t i = 0; i < world->region_count && count < limit; i++) {
        const sim_region_t *region = &world->regions[i];
        if (region->to <= from || region->from >= to || region->is_hidden)
            continue;
        page[count++] = (region_location_t){region->id,
                                            region->epoch,
                                            {start_key(region->from), end_key(region->to)},
                                            region->leader};
    }
    return count;
}
