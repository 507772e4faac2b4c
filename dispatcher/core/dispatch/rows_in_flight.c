#include "dispatcher/core/dispatch/rows_in_flight.h"

#include <stdlib.h>

#include "common/base/memory.h"

/* What an idle dispatcher may keep. */
#define KEPT_CAPACITY 8

static row_flight_t *at(const rows_in_flight_t *rows, uint32_t index)
{
    return &rows->flights[(rows->first + index) & (rows->capacity - 1)];
}

static void grow(rows_in_flight_t *rows)
{
    uint32_t capacity = rows->capacity ? rows->capacity * 2 : KEPT_CAPACITY;
    row_flight_t *flights = memory_alloc(capacity * sizeof *flights);
    for (uint32_t i = 0; i < rows->count; i++)
        flights[i] = *at(rows, i);
    free(rows->flights);
    rows->flights = flights;
    rows->first = 0;
    rows->capacity = capacity;
}

void rows_in_flight_push(rows_in_flight_t *rows, commit_ts_t commit_ts, uint64_t cost)
{
    if (rows->count == rows->capacity)
        grow(rows);
    *at(rows, rows->count++) = (row_flight_t){commit_ts, cost};
}

uint64_t rows_in_flight_pop(rows_in_flight_t *rows, uint32_t count)
{
    uint64_t cost = 0;
    for (; count > 0 && rows->count > 0; count--) {
        cost += at(rows, 0)->cost;
        rows->first = (rows->first + 1) & (rows->capacity - 1);
        rows->count--;
    }
    if (rows->count == 0 && rows->capacity > KEPT_CAPACITY)
        rows_in_flight_clear(rows);
    return cost;
}

commit_ts_t rows_in_flight_first(const rows_in_flight_t *rows)
{
    return rows->count > 0 ? at(rows, 0)->commit_ts : COMMIT_TS_MAX;
}

void rows_in_flight_clear(rows_in_flight_t *rows)
{
    free(rows->flights);
    *rows = (rows_in_flight_t){0};
}
