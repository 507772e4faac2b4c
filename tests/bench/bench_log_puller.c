/*
 * The log puller under a storm of failures: 20,000 ranges of one subscription fail within a second,
 * and a store that serves a quarter of them is away for a while. Prints how often ranges were
 * located, requested and connections opened, beside what DESIGN §6 allows, and the time an item
 * took. Virtual time; only that time is measured. Fails when a bound is broken, also that of a
 * store that cools down.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/runtime/clock.h"
#include "dispatcher/core/puller/log_puller.h"

#define REGIONS 20000
#define STORES 4
#define KEY_LEN 6
#define AWAY_NS (3 * NS_PER_S)
static const dispatcher_id_t subscription = {1, 1};

typedef struct {
    log_puller_t *puller;
    log_puller_options_t options;
    mono_ns_t now;
    uint64_t epoch;
    uint64_t requests[REGIONS]; /* numbers by region; 0: none */
    uint64_t streams[STORES], opened[STORES];
    uint64_t located, requested, early;
    bool is_away; /* store 0 */
} bench_t;

static char keys[REGIONS + 1][KEY_LEN + 1];

static bytes_t key_of(uint32_t region)
{
    bool is_outer = region == 0 || region == REGIONS;
    return is_outer ? (bytes_t){0} : bytes_of(keys[region], KEY_LEN);
}

static uint32_t region_at(bytes_t start)
{
    char text[KEY_LEN + 1] = {0};
    if (start.len == 0)
        return 0;
    memcpy(text, start.data, KEY_LEN);
    return (uint32_t)strtoul(text, NULL, 10);
}

static void locate(bench_t *bench, const log_puller_effect_t *wanted)
{
    static region_location_t page[LOG_PULLER_PAGE_MAX];
    uint32_t first = region_at(wanted->range.start), count = 0;
    for (; count < LOG_PULLER_PAGE_MAX && first + count < REGIONS; count++) {
        uint32_t at = first + count;
        page[count] =
            (region_location_t){at, bench->epoch, {key_of(at), key_of(at + 1)}, at % STORES};
        if (wanted->range.end.len && at + 1 == region_at(wanted->range.end)) {
            count++;
            break;
        }
    }
    bench->located++;
    log_puller_located(bench->puller, wanted->number, page, count, bench->now);
}

static void note_sent(bench_t *bench, uint32_t store)
{
    bench->early += log_puller_store_allowed_at(bench->puller, store).v > bench->now.v;
}

/* Everything that is due now. */
static void turn(bench_t *bench)
{
    log_puller_effect_t wanted;
    uint64_t refused = 0;
    for (;;) {
        log_puller_step(bench->puller, bench->now);
        if (!log_puller_take(bench->puller, &wanted))
            break;
        do {
            if (wanted.kind == LOG_PULLER_LOCATE) {
                locate(bench, &wanted);
            } else if (wanted.kind == LOG_PULLER_OPEN) {
                note_sent(bench, wanted.store);
                bench->streams[wanted.store] = wanted.stream;
                bench->opened[wanted.store]++;
                if (bench->is_away && wanted.store == 0)
                    refused = wanted.stream;
            } else if (wanted.kind == LOG_PULLER_REQUEST) {
                note_sent(bench, wanted.store);
                bench->requests[wanted.region_id] = wanted.number;
                bench->requested++;
            }
        } while (log_puller_take(bench->puller, &wanted));
        region_failure_t failure = {.kind = REGION_STREAM_FAILED};
        if (refused)
            log_puller_stream_failed(bench->puller, 0, refused, &failure, bench->now);
        refused = 0;
    }
}

static void run_until(bench_t *bench, mono_ns_t until)
{
    turn(bench);
    for (;;) {
        mono_ns_t at = log_puller_next_deadline(bench->puller);
        if (at.v > until.v)
            break;
        bench->now = at;
        turn(bench);
    }
    bench->now = until;
}

static bench_t *begin(void)
{
    bench_t *bench = calloc(1, sizeof *bench);
    if (!bench)
        abort();
    bench->options = log_puller_options_default(STORES);
    bench->puller = log_puller_new(&bench->options);
    bench->now = (mono_ns_t){1000 * NS_PER_S};
    for (uint32_t i = 0; i <= REGIONS; i++)
        snprintf(keys[i], sizeof keys[i], "%06u", i % 1000000);
    span_t span = {{9}, {0}, {0}};
    if (!log_puller_subscribe(bench->puller, subscription, span, (commit_ts_t){1}, PULL_NORMAL))
        abort();
    turn(bench);
    return bench;
}

static void end(bench_t *bench)
{
    log_puller_destroy(&bench->puller);
    free(bench);
}

static bool verdict(const char *what, uint64_t found, uint64_t most)
{
    bool is_in = found <= most;
    printf("  %-34s %8llu   at most %8llu   %s\n", what, (unsigned long long)found,
           (unsigned long long)most, is_in ? "pass" : "FAIL");
    return is_in;
}

/* Every region is redefined within a second, in an order without neighbours. */
static bool redefined(void)
{
    bench_t *bench = begin();
    region_failure_t failure = {.kind = REGION_EPOCH_NOT_MATCH};
    bench->located = bench->requested = 0;
    log_puller_state_t before = log_puller_state(bench->puller);
    mono_ns_t began = clock_mono();
    bench->epoch++;
    for (uint32_t i = 0; i < REGIONS; i++) {
        uint32_t region = (uint32_t)((uint64_t)i * 7919 % REGIONS);
        log_puller_region_failed(bench->puller, bench->requests[region], &failure, bench->now);
        run_until(bench, mono_add(bench->now, NS_PER_S / REGIONS));
    }
    run_until(bench, mono_add(bench->now, NS_PER_S));
    double elapsed = (double)mono_elapsed(began, clock_mono());
    log_puller_state_t after = log_puller_state(bench->puller);
    printf("%d ranges redefined in a second: %.0f ns an item\n", REGIONS, elapsed / REGIONS);
    bool is_in = verdict("ranges located again", after.reloads - before.reloads, REGIONS);
    is_in &= verdict("questions", bench->located, REGIONS + REGIONS / LOG_PULLER_PAGE_MAX + 1);
    is_in &= verdict("requests", bench->requested, REGIONS);
    is_in &= verdict("waiting at the end", after.failing, 0);
    end(bench);
    return is_in;
}

/* All at once, in an order with neighbours: as few questions as the aggregator's rounds. */
static bool redefined_together(void)
{
    bench_t *bench = begin();
    region_failure_t failure = {.kind = REGION_EPOCH_NOT_MATCH};
    bench->located = bench->requested = 0;
    mono_ns_t began = clock_mono();
    for (uint32_t i = 0; i < REGIONS; i++)
        log_puller_region_failed(bench->puller, bench->requests[i], &failure, bench->now);
    run_until(bench, mono_add(bench->now, NS_PER_S));
    double elapsed = (double)mono_elapsed(began, clock_mono());
    log_puller_state_t state = log_puller_state(bench->puller);
    printf("%d ranges redefined at once: %.0f ns an item\n", REGIONS, elapsed / REGIONS);
    bool is_in = verdict("requests", bench->requested, REGIONS);
    is_in &= verdict("questions", bench->located, REGIONS);
    is_in &= verdict("waiting at the end", state.failing, 0);
    end(bench);
    return is_in;
}

/* Connections to it: 0, 0.2, 0.6, 1.4, 3.0 s. */
static uint64_t attempts_in(const store_cooldown_settings_t *cooldown, uint64_t ns)
{
    uint64_t attempts = 0, length = cooldown->first_ns;
    for (uint64_t at = 0; at <= ns; at += length, length *= attempts > 1 ? 2 : 1)
        attempts++;
    return attempts;
}

static bool store_away(void)
{
    bench_t *bench = begin();
    region_failure_t failure = {.kind = REGION_STREAM_FAILED};
    uint64_t others = bench->opened[1] + bench->opened[2] + bench->opened[3];
    uint64_t attempts = attempts_in(&bench->options.cooldown, AWAY_NS);
    bench->requested = bench->opened[0] = 0;
    bench->is_away = true;
    mono_ns_t began = clock_mono();
    log_puller_stream_failed(bench->puller, 0, bench->streams[0], &failure, bench->now);
    run_until(bench, mono_add(bench->now, AWAY_NS));
    bench->is_away = false;
    run_until(bench, mono_add(bench->now, 10 * NS_PER_S));
    double elapsed = (double)mono_elapsed(began, clock_mono());
    log_puller_state_t state = log_puller_state(bench->puller);
    uint64_t items = bench->requested + state.failures;
    printf("a store with %d ranges away for 3 s: %.0f ns an item\n", REGIONS / STORES,
           elapsed / (double)items);
    bool is_in = verdict("connections to it", bench->opened[0], attempts + 1);
    is_in &= verdict("requests to it", bench->requested, (attempts + 1) * (REGIONS / STORES));
    is_in &= verdict("sent to it while it cools down", bench->early, 0);
    is_in &= verdict("connections to others",
                     bench->opened[1] + bench->opened[2] + bench->opened[3] - others, 0);
    is_in &= verdict("waiting at the end", state.failing, 0);
    end(bench);
    return is_in;
}

int main(void)
{
    bool is_in = redefined();
    is_in &= redefined_together();
    is_in &= store_away();
    printf("%s\n", is_in ? "pass" : "FAIL");
    return is_in ? 0 : 1;
}
