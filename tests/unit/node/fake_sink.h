/* A sink that records what it is asked, and answers as told. */
#ifndef SLUICE_TESTS_UNIT_NODE_FAKE_SINK_H
#define SLUICE_TESTS_UNIT_NODE_FAKE_SINK_H

#include <pthread.h>

#include "dispatcher/shell/sink_pool.h"

#define CALLS_MAX 256

typedef struct {
    char kind; /* c claim, w write, d DDL, s sync point, m watermark, u clean-up */
    uint64_t table;
    uint64_t from_ts, to_ts;
    uint32_t part_count, in_one_call;
    bool moves_progress;
} call_t;

/* Its connections, in the threads of workers, touch it under the lock. */
typedef struct {
    sink_t base;
    pthread_mutex_t lock;
    call_t calls[CALLS_MAX];
    uint32_t call_count;
    uint32_t connects;
    uint32_t failures_left; /* calls that fail with `failure` first */
    sluice_error_t failure;
    uint64_t broken_table;  /* writes with it in them fail with SINK_REFUSED */
    uint64_t foreign_table; /* claims and writes of it: NOT_OWNER */
    bool holds_writes;
    pthread_cond_t released;
} fake_sink_t;

extern const sink_api_t fake_api;

#endif
