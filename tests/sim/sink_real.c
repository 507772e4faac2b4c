#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "dispatcher/core/ddl/schema_tracker.h"
#include "tests/sim/sink_internal.h"

/* ---- calls ---- */

static sluice_error_t real_claim(sim_call_t *call, error_report_t *report)
{
    sink_claim_result_t results[CLAIMS_MAX] = {0};
    sluice_error_t error = call->sink->real_api->claim(call->connection->real, call->claims,
                                                       call->claim_count, results, report);
    for (uint32_t i = 0; i < call->claim_count; i++) {
        call->claim_errors[i] = results[i].error;
        call->claim_progress[i] = results[i].progress;
    }
    return error;
}

static sluice_error_t real_write(sim_call_t *call, error_report_t *report)
{
    sink_write_t writes[BATCH_LANES_MAX];
    sink_write_result_t results[BATCH_LANES_MAX] = {0};
    wall_ms_t times[BATCH_PARTS_MAX] = {0};
    for (uint32_t i = 0; i < call->write_count; i++) {
        const call_write_t *write = &call->writes[i];
        writes[i] = (sink_write_t){.claim = &write->claim,
                                   .parts = write->parts,
                                   .part_ts = write->part_ts,
                                   .part_time = times,
                                   .part_count = write->part_count,
                                   .moves_progress = write->moves_progress,
                                   .progress = write->progress};
    }
    sluice_error_t error = call->sink->real_api->write(call->connection->real, writes,
                                                       call->write_count, results, report);
    for (uint32_t i = 0; i < call->write_count; i++) {
        call->writes[i].error = results[i].error;
        call->writes[i].rows = results[i].rows;
    }
    return error;
}

static sluice_error_t carry_out(sim_call_t *call, error_report_t *report)
{
    const sink_api_t *api = call->sink->real_api;
    sink_connection_t *connection = call->connection->real;
    switch (call->kind) {
    case CALL_CLAIM:
        return real_claim(call, report);
    case CALL_WRITE:
        return real_write(call, report);
    case CALL_DDL:
        return api->run_ddl(connection, &call->claims[0], call->ddl, report);
    case CALL_SYNCPOINT:
        return api->write_syncpoint(connection, &call->claims[0], call->commit_ts, report);
    case CALL_CLEAN_UP:
        return api->clean_up(connection, call->commit_ts, report);
    }
    return SLUICE_ERROR_BUG;
}

void sim_sink_before_call(sim_sink_t *sink, void (*act)(void *context, const char *kind),
                          void *context)
{
    sink->before_call = act;
    sink->before_call_context = context;
}

static const char *kind_of(const sim_call_t *call)
{
    static const char *const kinds[] = {
        [CALL_CLAIM] = "claim",         [CALL_WRITE] = "rows",     [CALL_DDL] = "ddl",
        [CALL_SYNCPOINT] = "syncpoint", [CALL_CLEAN_UP] = "other",
    };
    return kinds[call->kind];
}

served_t real_step(sim_call_t *call)
{
    error_report_t report = {0};
    sim_connection_t *connection = call->connection;
    sim_sink_t *sink = call->sink;
    if (!connection->real)
        call->error = sink->real_api->connect(sink->real, &connection->real, &report);
    if (sink->before_call)
        sink->before_call(sink->before_call_context, kind_of(call));
    if (call->error == SLUICE_OK)
        call->error = carry_out(call, &report);
    if (call->error != SLUICE_OK)
        memcpy(call->text, report.text, sizeof call->text);
    call->step = NULL;
    return SERVED;
}

/* ---- the beginning ---- */

typedef struct {
    const table_definition_t *definitions[64];
    uint32_t count;
} beginning_t;

static void take_table(const tracked_table_t *table, void *context)
{
    beginning_t *beginning = context;
    if (table->is_carried && beginning->count < 64)
        beginning->definitions[beginning->count++] = table->definition;
}

sluice_error_t sim_sink_use(sim_sink_t *sink, const sink_api_t *api, const char *uri,
                            changefeed_ref_t changefeed, error_report_t *report)
{
    sink_options_t options = {.uri = uri, .changefeed = changefeed, .changefeed_name = "sim"};
    schema_tracker_options_t how = {.filter = sim_log_filter(sink->log)};
    schema_tracker_t *tracker = NULL;
    beginning_t beginning = {.count = 0};
    sluice_error_t error =
        schema_tracker_from_snapshot(&how, sim_log_snapshot(sink->log), &tracker, report);
    if (error == SLUICE_OK)
        error = api->open(&options, &sink->real, report);
    if (error == SLUICE_OK) {
        sink->real_api = api;
        schema_tracker_visit(tracker, sim_log_start(sink->log).commit_ts, take_table, &beginning);
        error = api->check(sink->real, beginning.definitions, beginning.count, report);
    }
    schema_tracker_destroy(&tracker);
    return error;
}
