#include "tests/testing.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/relay.h"

static const sim_rates_t rates = {.nodes = 1,
                                  .tables = 6,
                                  .log_length = 200,
                                  .log_interval_ns = 5 * NS_PER_MS,
                                  .syncpoint_ms = 2000,
                                  .feed_delay_ns = 3 * NS_PER_MS,
                                  .sink_delay_min_ns = 100 * NS_PER_US,
                                  .sink_delay_max_ns = 4 * NS_PER_MS,
                                  .sink_linger_ns = 2 * NS_PER_S,
                                  .sink_lost_answer = 15,
                                  .sink_broken_call = 15};

typedef struct {
    sim_world_t *world;
    sim_log_t *log;
    sim_sink_t *sink;
    relay_t relay;
    uint64_t steps;
} fixture_t;

static fixture_t begin(uint64_t seed, bool has_faults, sim_sink_flavour_t flavour)
{
    fixture_t f = {.world = small_world_new(seed, has_faults, &rates)};
    sim_log_options_t options =
        sim_log_options_draw(sim_random(f.world), rates.tables, rates.log_length,
                             rates.log_interval_ns, rates.syncpoint_ms);
    f.log = sim_log_new(&options, sim_random(f.world));
    sim_log_draw(f.log);
    f.sink = sim_sink_new(f.world, f.log, flavour);
    relay_start(&f.relay, f.world, f.log, f.sink, seed);
    return f;
}

static void end(fixture_t *f)
{
    relay_end(&f->relay);
    sim_sink_destroy(&f->sink);
    sim_log_destroy(&f->log);
    small_world_destroy(&f->world);
}

static void assert_sound(const fixture_t *f, uint64_t seed)
{
    if (small_world_violation(f->world)[0])
        fail_msg("seed %llu, %.3f s: %s", (unsigned long long)seed,
                 (double)sim_now(f->world).v / 1e9, small_world_violation(f->world));
}

#define STEPS_MAX 2000000
#define TIME_MAX (1000 * NS_PER_S)

/* Everything that the log has comes into the sink, which is passed on to another node `deaths`
 * times on the way. Returns how many found out that they were replaced. */
static uint64_t run(uint64_t seed, bool has_faults, uint32_t deaths, sim_sink_flavour_t flavour)
{
    fixture_t f = begin(seed, has_faults, flavour);
    sim_random_t random = {seed};
    uint64_t last = sim_log_last(f.log).v, checked = 0;
    while (relay_checkpoint(&f.relay).v < last) {
        bool has_more = small_world_step(f.world);
        relay_step(&f.relay);
        assert_sound(&f, seed);
        if (!has_more || f.steps++ > STEPS_MAX || sim_now(f.world).v > TIME_MAX)
            fail_msg("seed %llu: stands still at %llu of %llu", (unsigned long long)seed,
                     (unsigned long long)relay_checkpoint(&f.relay).v, (unsigned long long)last);
        if (relay_checkpoint(&f.relay).v > checked) {
            checked = relay_checkpoint(&f.relay).v;
            sim_sink_check_checkpoint(f.sink, relay_checkpoint(&f.relay));
        }
        if (deaths > 0 && sim_random_below(&random, 4000) == 0) {
            deaths--;
            relay_pass_on(&f.relay);
        }
    }
    sim_sink_check_end(f.sink);
    assert_sound(&f, seed);
    end(&f);
    return f.relay.fenced;
}

static uint64_t seeds(void)
{
    const char *text = getenv("SIM_DATA_SEEDS");
    return text ? strtoull(text, NULL, 10) : 12;
}

static uint64_t first_seed(void)
{
    const char *text = getenv("SIM_DATA_FIRST");
    return text ? strtoull(text, NULL, 10) : 1;
}

static void the_log_comes_into_the_sink(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < seeds(); i++)
        run(first_seed() + i, false, 0, i % 2 ? SIM_SINK_SQLITE : SIM_SINK_MARIADB);
}

static void it_does_so_when_connections_break(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < seeds(); i++)
        run(first_seed() + i, true, 0, i % 2 ? SIM_SINK_SQLITE : SIM_SINK_MARIADB);
}

static void it_does_so_when_nodes_die_or_are_outlived(void **state)
{
    (void)state;
    uint64_t fenced = 0;
    for (uint64_t i = 0; i < seeds(); i++)
        fenced += run(first_seed() + i, true, 6, i % 2 ? SIM_SINK_SQLITE : SIM_SINK_MARIADB);
    assert_true(fenced > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_log_comes_into_the_sink),
        cmocka_unit_test(it_does_so_when_connections_break),
        cmocka_unit_test(it_does_so_when_nodes_die_or_are_outlived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
