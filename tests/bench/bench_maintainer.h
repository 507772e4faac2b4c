/*
 * A maintainer of one changefeed reduced to its barrier: a thread with the real sockets, codec,
 * request buffer, span table and barrier. For the benchmarks of the status path.
 */
#ifndef SLUICE_TESTS_BENCH_BENCH_MAINTAINER_H
#define SLUICE_TESTS_BENCH_BENCH_MAINTAINER_H

#include <stdint.h>

#include "common/base/ids.h"
#include "common/base/time.h"

typedef struct bench_maintainer bench_maintainer_t;

#define BENCH_EPOCH 1

static inline dispatcher_id_t bench_dispatcher(uint64_t table)
{
    return (dispatcher_id_t){7, table + 1000};
}

/* Tables 1 .. tables and the trigger (0), all replicating on one node. Endpoints are ipc:// in
 * `directory`. `answers_each`: one response for every message, as the naive way has it. */
bench_maintainer_t *bench_maintainer_start(const char *directory, uint32_t tables,
                                           int answers_each);
void bench_maintainer_stop(bench_maintainer_t **maintainer);

/* Barrier events finished so far; any thread. */
uint64_t bench_maintainer_finished(const bench_maintainer_t *maintainer);
/* When the last of them was: a node notices it later, since nothing tells it. */
mono_ns_t bench_maintainer_finished_at(const bench_maintainer_t *maintainer);
const char *bench_maintainer_control(const bench_maintainer_t *maintainer);
const char *bench_maintainer_status(const bench_maintainer_t *maintainer);

#endif
