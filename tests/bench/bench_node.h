/*
 * A node reduced to its status path: real dispatchers, buffer, batcher, request queue, codec and
 * sockets; DDL is "executed" at once. And the naive way beside it: mutex, a heap message and a
 * ZeroMQ message for every status, nothing coalesced. For the benchmarks of the status path.
 */
#ifndef SLUICE_TESTS_BENCH_BENCH_NODE_H
#define SLUICE_TESTS_BENCH_BENCH_NODE_H

#include "common/base/time.h"
#include "tests/bench/bench_maintainer.h"

typedef struct bench_node bench_node_t;

/* Dispatchers of tables 1 .. tables and of the trigger, connected to the maintainer. `idle_ns`: the
 * batcher's idle window. */
bench_node_t *bench_node_new(const bench_maintainer_t *maintainer, uint32_t tables,
                             uint64_t idle_ns);
void bench_node_destroy(bench_node_t **node);

/* One barrier event over tables 0 .. last (ALL) or 1 .. last (NORMAL), met by all of them at once,
 * each status offered `times`; nanoseconds until everybody has passed and the maintainer knows. */
double bench_node_round(bench_node_t *node, const bench_maintainer_t *maintainer, uint64_t ts,
                        uint32_t last, int is_all, int times);
/* The same without dispatchers. */
double bench_node_naive_round(bench_node_t *node, const bench_maintainer_t *maintainer, uint64_t ts,
                              uint32_t last, int times);

/* Nanoseconds of a small message to the maintainer and back. */
double bench_node_round_trip(bench_node_t *node);

#endif
