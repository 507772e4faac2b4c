/*
 * The status path end to end (PERFORMANCE.md T1, T2, T7, T8, T9, T10, T12): offers, wire, barrier,
 * answers, over real sockets, against yardsticks measured in the same run. Prints a line a target.
 * With the argument "large" also those with 1,000,000 dispatchers; other arguments name the targets
 * wanted.
 */
#include <czmq.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/runtime/clock.h"
#include "dispatcher/core/session_set.h"
#include "tests/bench/bench_node.h"
#include "tests/bench/ratio.h"

#define REPEATS 5
#define IDLE_NS (50 * NS_PER_US)
#define WINDOW_NS (10 * NS_PER_MS)

typedef struct {
    char directory[32];
    bench_maintainer_t *maintainer;
    bench_node_t *node;
    uint64_t ts;
} pair_t;

static pair_t pair_new(uint32_t tables, uint64_t idle_ns, int is_naive)
{
    pair_t pair = {.directory = "/tmp/sluice-bench-XXXXXX", .ts = 10};
    if (!mkdtemp(pair.directory))
        abort();
    pair.maintainer = bench_maintainer_start(pair.directory, tables, is_naive);
    pair.node = bench_node_new(pair.maintainer, tables, idle_ns);
    return pair;
}

static void pair_end(pair_t *pair)
{
    bench_node_destroy(&pair->node);
    bench_maintainer_stop(&pair->maintainer);
    char path[64];
    const char *const names[] = {"control", "status"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", pair->directory, names[i]);
        unlink(path);
    }
    rmdir(pair->directory);
}

static double round_of(pair_t *pair, uint32_t last, int is_all, int times)
{
    return bench_node_round(pair->node, pair->maintainer, pair->ts++, last, is_all, times);
}

static double naive_round_of(pair_t *pair, uint32_t last, int times)
{
    return bench_node_naive_round(pair->node, pair->maintainer, pair->ts++, last, times);
}

/* ---- T1, T2 ---- */

static void bench_against_naive(const char *name, uint32_t tables, int times, double wanted)
{
    double ratios[REPEATS];
    pair_t ours = pair_new(tables, IDLE_NS, 0), naive = pair_new(tables, IDLE_NS, 1);
    for (int i = 0; i < REPEATS; i++) {
        double plain = naive_round_of(&naive, tables, times);
        ratios[i] = plain / round_of(&ours, tables, 1, times);
    }
    pair_end(&ours);
    pair_end(&naive);
    ratio_report(name, ratios, REPEATS, wanted, true);
}

/* ---- T7, T8 ---- */

/* Three random look-ups by hash in a table of that many entries, and a copy, in nanoseconds. */
static double probe_ns(uint32_t entries)
{
    typedef struct {
        uint64_t words[4];
    } record_t;
    size_t size = 1;
    while (size < (size_t)entries * 2)
        size *= 2;
    record_t *table = calloc(size, sizeof *table), copy = {{0}};
    uint64_t sum = 0, rounds = 2000000;
    mono_ns_t start = clock_mono();
    for (uint64_t i = 0; i < rounds; i++) {
        for (uint64_t probe = 0; probe < 3; probe++) {
            uint64_t key = i * 3 + probe;
            sum += table[XXH3_64bits(&key, sizeof key) & (size - 1)].words[0];
        }
        copy.words[i & 3] = sum + i;
        table[i & (size - 1)] = copy;
    }
    double took = (double)mono_elapsed(start, clock_mono());
    volatile uint64_t keep = sum;
    (void)keep;
    free(table);
    return took / (double)rounds;
}

static double bench_size(const char *name, uint32_t tables, double wanted)
{
    double ratios[REPEATS], times[REPEATS];
    pair_t pair = pair_new(tables, IDLE_NS, 0);
    (void)round_of(&pair, tables, 1, 1);
    for (int i = 0; i < REPEATS; i++) {
        times[i] = round_of(&pair, tables, 1, 1);
        ratios[i] = times[i] / (2.0 * tables) / probe_ns(tables);
    }
    pair_end(&pair);
    ratio_report(name, ratios, REPEATS, wanted, false);
    double middle = ratio_median(times, REPEATS);
    printf("    ALL barrier over %u dispatchers: %.1f ms, %.0f ns a status\n", tables, middle / 1e6,
           middle / (2.0 * tables));
    return middle;
}

/* ---- T9, T10, T12 ---- */

static void bench_window(void)
{
    double ratios[REPEATS], times[REPEATS];
    uint32_t tables = 10000;
    pair_t adaptive = pair_new(tables, IDLE_NS, 0), fixed = pair_new(tables, WINDOW_NS, 0);
    (void)round_of(&adaptive, tables, 1, 1);
    (void)round_of(&fixed, tables, 1, 1);
    for (int i = 0; i < REPEATS; i++) {
        double slow = round_of(&fixed, tables, 1, 1);
        times[i] = round_of(&adaptive, tables, 1, 1);
        ratios[i] = times[i] / slow;
    }
    pair_end(&adaptive);
    pair_end(&fixed);
    ratio_report("T9 round of 10,000: adaptive / fixed window", ratios, REPEATS, 1.0 / 8, false);
    double middle = ratio_median(times, REPEATS);
    printf("    adaptive: %.2f ms, %.0f ns a status\n", middle / 1e6, middle / (2.0 * tables));
}

#define SMALL_ROUNDS 201
/* WAITING, WRITE, DONE, PASS, DONE. */
#define HOPS_IN_ROUND_TRIPS 2.5

static void bench_small_barrier(void)
{
    double ratios[REPEATS], rounds[SMALL_ROUNDS], trips[SMALL_ROUNDS], round = 0, trip = 0;
    pair_t pair = pair_new(8, IDLE_NS, 0);
    for (int i = 0; i < REPEATS; i++) {
        for (int j = 0; j < SMALL_ROUNDS; j++) {
            trips[j] = bench_node_round_trip(pair.node);
            rounds[j] = round_of(&pair, 8, 0, 1);
        }
        round = ratio_median(rounds, SMALL_ROUNDS), trip = ratio_median(trips, SMALL_ROUNDS);
        ratios[i] = round / (trip * HOPS_IN_ROUND_TRIPS);
    }
    pair_end(&pair);
    ratio_report("T10 barrier of 8, p50 / raw round trips", ratios, REPEATS, 3, false);
    printf("    barrier %.0f us, raw round trip %.0f us\n", round / 1e3, trip / 1e3);
}

static position_t position_of(void *context, dispatcher_id_t id)
{
    (void)context, (void)id;
    return (position_t){{1}, EVENT_KEY_NONE};
}

static double heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return (double)info.uordblks + (double)info.hblkhd;
}

static void bench_memory(void)
{
    double ratios[REPEATS];
    uint32_t tables = 100000;
    for (int i = 0; i < REPEATS; i++) {
        pair_t pair = pair_new(1, IDLE_NS, 0);
        double before = heap_bytes();
        bench_node_t *node = bench_node_new(pair.maintainer, tables, IDLE_NS);
        session_set_options_t options = {.session = session_options_default(),
                                         .position_of = position_of};
        session_set_t *sessions = session_set_new(&options);
        for (uint64_t table = 0; table <= tables; table++) {
            session_start_t start = {.dispatcher_id = bench_dispatcher(table)};
            session_request_t requests[4];
            if (session_set_add(sessions, &start, clock_mono()) != SLUICE_OK)
                abort();
            while (session_set_take_requests(sessions, requests, 4) > 0)
                ;
        }
        ratios[i] = (heap_bytes() - before) / tables;
        session_set_destroy(&sessions);
        bench_node_destroy(&node);
        pair_end(&pair);
    }
    ratio_report("T12 bytes of a node per idle dispatcher", ratios, REPEATS, 2048, false);
}

/* No target is named: all are wanted. */
static int is_wanted(int argc, char **argv, const char *target)
{
    int named = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], target) == 0)
            return 1;
        named |= strcmp(argv[i], "large") != 0;
    }
    return !named;
}

static void bench_sizes(int is_large)
{
    double ratios[REPEATS];
    double hundred = bench_size("T7 a status / 3 probes and a copy, 100,000", 100000, 5);
    if (!is_large)
        return;
    double million = bench_size("T7 a status / 3 probes and a copy, 1,000,000", 1000000, 2.5);
    for (int i = 0; i < REPEATS; i++)
        ratios[i] = million / hundred;
    ratio_report("T8 ALL barrier, 1,000,000 / 100,000", ratios, REPEATS, 13, false);
}

int main(int argc, char **argv)
{
    zsys_handler_set(NULL);
    if (is_wanted(argc, argv, "T1"))
        bench_against_naive("T1 statuses/s, ALL, 100,000: ours / naive", 100000, 1, 8);
    if (is_wanted(argc, argv, "T2"))
        bench_against_naive("T2 offers/s, each 10 times, 10,000: ours / naive", 10000, 10, 20);
    if (is_wanted(argc, argv, "T7"))
        bench_sizes(argc > 1 && strcmp(argv[1], "large") == 0);
    if (is_wanted(argc, argv, "T9"))
        bench_window();
    if (is_wanted(argc, argv, "T10"))
        bench_small_barrier();
    if (is_wanted(argc, argv, "T12"))
        bench_memory();
    zsys_shutdown();
    return ratio_failures() == 0 ? 0 : 1;
}
