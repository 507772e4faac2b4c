#include "tests/testing.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "tests/unit/node/fake_sink.h"

typedef struct {
    sink_connection_t base;
    fake_sink_t *sink;
} fake_connection_t;

static fake_sink_t *sink_of(sink_connection_t *connection)
{
    return ((fake_connection_t *)connection)->sink;
}

static sluice_error_t fake_connect(sink_t *sink, sink_connection_t **connection,
                                   error_report_t *report)
{
    (void)report;
    fake_sink_t *fake = (fake_sink_t *)sink;
    fake_connection_t *made = memory_zalloc(sizeof *made);
    made->sink = fake;
    *connection = &made->base;
    pthread_mutex_lock(&fake->lock);
    fake->connects++;
    pthread_mutex_unlock(&fake->lock);
    return SLUICE_OK;
}

static void fake_disconnect(sink_connection_t **connection)
{
    free(*connection);
    *connection = NULL;
}

static void fake_interrupt(sink_connection_t *connection)
{
    fake_sink_t *fake = sink_of(connection);
    pthread_mutex_lock(&fake->lock);
    fake->holds_writes = false;
    pthread_cond_broadcast(&fake->released);
    pthread_mutex_unlock(&fake->lock);
}

static void record(fake_sink_t *fake, call_t call)
{
    assert_true(fake->call_count < CALLS_MAX);
    fake->calls[fake->call_count++] = call;
}

/* With the lock. */
static sluice_error_t planned_failure(fake_sink_t *fake, error_report_t *report)
{
    if (fake->failures_left == 0)
        return SLUICE_OK;
    fake->failures_left--;
    return error_report_set(report, fake->failure, "planned");
}

static sluice_error_t fake_claim(sink_connection_t *connection, const sink_claim_t *claims,
                                 uint32_t count, sink_claim_result_t *results,
                                 error_report_t *report)
{
    fake_sink_t *fake = sink_of(connection);
    pthread_mutex_lock(&fake->lock);
    sluice_error_t error = planned_failure(fake, report);
    for (uint32_t i = 0; error == SLUICE_OK && i < count; i++) {
        uint64_t table = claims[i].span.table_id.v;
        record(fake, (call_t){.kind = 'c', .table = table, .in_one_call = count});
        results[i].error = table == fake->foreign_table ? SLUICE_ERROR_NOT_OWNER : SLUICE_OK;
        results[i].progress = (commit_ts_t){table * 10};
    }
    pthread_mutex_unlock(&fake->lock);
    return error;
}

static sluice_error_t fake_write(sink_connection_t *connection, const sink_write_t *writes,
                                 uint32_t count, sink_write_result_t *results,
                                 error_report_t *report)
{
    fake_sink_t *fake = sink_of(connection);
    pthread_mutex_lock(&fake->lock);
    while (fake->holds_writes)
        pthread_cond_wait(&fake->released, &fake->lock);
    sluice_error_t error = planned_failure(fake, report);
    for (uint32_t i = 0; error == SLUICE_OK && i < count; i++)
        if (writes[i].claim->span.table_id.v == fake->broken_table)
            error = error_report_set(report, SLUICE_ERROR_SINK_REFUSED, "broken table");
    for (uint32_t i = 0; error == SLUICE_OK && i < count; i++) {
        const sink_write_t *write = &writes[i];
        record(fake, (call_t){.kind = 'w',
                              .table = write->claim->span.table_id.v,
                              .from_ts = write->part_ts[0].v,
                              .to_ts = write->progress.v,
                              .part_count = write->part_count,
                              .in_one_call = count,
                              .moves_progress = write->moves_progress});
        results[i].error = write->claim->span.table_id.v == fake->foreign_table
                               ? SLUICE_ERROR_NOT_OWNER
                               : SLUICE_OK;
        results[i].rows = write->part_count;
    }
    pthread_mutex_unlock(&fake->lock);
    return error;
}

static sluice_error_t note(sink_connection_t *connection, char kind, uint64_t table, uint64_t ts,
                           error_report_t *report)
{
    fake_sink_t *fake = sink_of(connection);
    pthread_mutex_lock(&fake->lock);
    sluice_error_t error = planned_failure(fake, report);
    if (error == SLUICE_OK)
        record(fake, (call_t){.kind = kind, .table = table, .to_ts = ts});
    pthread_mutex_unlock(&fake->lock);
    return error;
}

static sluice_error_t fake_run_ddl(sink_connection_t *connection, const sink_claim_t *claim,
                                   const ddl_event_t *ddl, error_report_t *report)
{
    return note(connection, 'd', claim->span.table_id.v, ddl->commit_ts.v, report);
}

static sluice_error_t fake_write_syncpoint(sink_connection_t *connection, const sink_claim_t *claim,
                                           commit_ts_t ts, error_report_t *report)
{
    return note(connection, 's', claim->span.table_id.v, ts.v, report);
}

static sluice_error_t fake_write_watermark(sink_connection_t *connection, commit_ts_t resolved,
                                           error_report_t *report)
{
    return note(connection, 'm', 0, resolved.v, report);
}

static sluice_error_t fake_clean_up(sink_connection_t *connection, commit_ts_t persisted,
                                    error_report_t *report)
{
    return note(connection, 'u', 0, persisted.v, report);
}

const sink_api_t fake_api = {
    .scheme = "fake",
    .connect = fake_connect,
    .disconnect = fake_disconnect,
    .interrupt = fake_interrupt,
    .claim = fake_claim,
    .write = fake_write,
    .run_ddl = fake_run_ddl,
    .write_syncpoint = fake_write_syncpoint,
    .write_watermark = fake_write_watermark,
    .clean_up = fake_clean_up,
};
