/*
 * Row events of one dispatcher that were given to the sink and are not known to be durable, in the
 * order given, which is the order in which they become durable.
 *
 * Threads: one at a time.
 */
#ifndef SLUICE_DISPATCHER_CORE_DISPATCH_ROWS_IN_FLIGHT_H
#define SLUICE_DISPATCHER_CORE_DISPATCH_ROWS_IN_FLIGHT_H

#include "common/base/ids.h"

typedef struct {
    commit_ts_t commit_ts;
    uint64_t cost;
} row_flight_t;

/* All zero is empty. */
typedef struct {
    row_flight_t *flights;
    uint32_t first, count, capacity;
} rows_in_flight_t;

void rows_in_flight_push(rows_in_flight_t *rows, commit_ts_t commit_ts, uint64_t cost);
/* Removes up to `count` of the oldest; returns their cost. */
uint64_t rows_in_flight_pop(rows_in_flight_t *rows, uint32_t count);
/* Oldest not durable; COMMIT_TS_MAX: nothing is in flight. */
commit_ts_t rows_in_flight_first(const rows_in_flight_t *rows);
void rows_in_flight_clear(rows_in_flight_t *rows);

#endif
