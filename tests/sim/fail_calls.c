#include "tests/sim/fail_calls.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/runtime/fail_point.h"

#define FAIL_PERCENT 25

#ifdef SLUICE_FAIL_POINTS

static const char *const claim_points[] = {"sink.claim.begin", "sink.claim.commit",
                                           "sink.claim.committed", NULL};
static const char *const row_points[] = {"sink.rows.open", "sink.rows.commit",
                                         "sink.rows.committed", NULL};
static const char *const ddl_points[] = {"sink.ddl.lock",
                                         "sink.ddl.locked",
                                         "sink.ddl.recorded",
                                         "sink.ddl.execute",
                                         "sink.ddl.executed",
                                         "sink.ddl.finished",
                                         NULL};
static const char *const syncpoint_points[] = {"sink.syncpoint.commit", "sink.syncpoint.committed",
                                               NULL};
static const char *const other_points[] = {"sink.clean-up.commit", "sink.clean-up.committed", NULL};

static const char *const *points_of(const char *kind)
{
    if (strcmp(kind, "claim") == 0)
        return claim_points;
    if (strcmp(kind, "rows") == 0)
        return row_points;
    if (strcmp(kind, "ddl") == 0)
        return ddl_points;
    return strcmp(kind, "syncpoint") == 0 ? syncpoint_points : other_points;
}

static void before_call(void *context, const char *kind)
{
    fail_calls_t *calls = context;
    const char *const *points = points_of(kind);
    char order[64];
    error_report_t report;
    uint64_t count = 0;
    while (points[count])
        count++;
    fail_point_disarm_all();
    if (!sim_random_chance(&calls->random, FAIL_PERCENT))
        return;
    snprintf(order, sizeof order, "%s=error", points[sim_random_below(&calls->random, count)]);
    sluice_error_t error = fail_point_arm(order, &report);
    assert(error == SLUICE_OK);
    (void)error;
    calls->count++;
}

void fail_calls_begin(fail_calls_t *calls, sim_sink_t *sink)
{
    sim_sink_before_call(sink, before_call, calls);
}

void fail_calls_end(void)
{
    fail_point_disarm_all();
}

#else

void fail_calls_begin(fail_calls_t *calls, sim_sink_t *sink)
{
    (void)calls, (void)sink;
}

void fail_calls_end(void)
{
}

#endif
