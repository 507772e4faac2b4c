#include <stdatomic.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "common/runtime/uri.h"
#include "dispatcher/core/binlog/rows.h"
#include "dispatcher/sink/adapters.h"

/* How much decoded rows may take before the arena is used again. */
#define BLACKHOLE_ARENA_BYTES (256 * 1024)

typedef struct {
    sink_t base;
} blackhole_sink_t;

typedef struct {
    sink_connection_t base;
    arena_t arena;
    atomic_bool interrupted;
} blackhole_connection_t;

static sluice_error_t blackhole_open(const sink_options_t *options, sink_t **sink,
                                     error_report_t *report)
{
    static const char *const known[] = {NULL};
    *sink = NULL;
    arena_t arena = {0};
    uri_t uri;
    sluice_error_t error = uri_parse(bytes_of_text(options->uri), &arena, &uri, report);
    if (!error)
        error = uri_check_parameters(&uri, known, report);
    arena_clear(&arena);
    if (error)
        return error;
    blackhole_sink_t *blackhole = memory_zalloc(sizeof *blackhole);
    blackhole->base.api = &blackhole_sink_api;
    *sink = &blackhole->base;
    return SLUICE_OK;
}

static void blackhole_close(sink_t **sink)
{
    free(*sink);
    *sink = NULL;
}

static sluice_error_t blackhole_check(sink_t *sink, const table_definition_t *const *tables,
                                      uint32_t table_count, error_report_t *report)
{
    (void)sink, (void)tables, (void)table_count, (void)report;
    return SLUICE_OK;
}

static sluice_error_t blackhole_connect(sink_t *sink, sink_connection_t **connection,
                                        error_report_t *report)
{
    (void)sink, (void)report;
    blackhole_connection_t *blackhole = memory_zalloc(sizeof *blackhole);
    blackhole->base.api = &blackhole_sink_api;
    *connection = &blackhole->base;
    return SLUICE_OK;
}

static void blackhole_disconnect(sink_connection_t **connection)
{
    if (!*connection)
        return;
    blackhole_connection_t *blackhole = (blackhole_connection_t *)*connection;
    arena_clear(&blackhole->arena);
    free(blackhole);
    *connection = NULL;
}

static void blackhole_interrupt(sink_connection_t *connection)
{
    atomic_store(&((blackhole_connection_t *)connection)->interrupted, true);
}

static sluice_error_t blackhole_claim(sink_connection_t *connection, const sink_claim_t *claims,
                                      uint32_t count, sink_claim_result_t *results,
                                      error_report_t *report)
{
    (void)connection, (void)claims, (void)report;
    for (uint32_t i = 0; i < count; i++)
        results[i] = (sink_claim_result_t){.error = SLUICE_OK, .progress = COMMIT_TS_NONE};
    return SLUICE_OK;
}

static sluice_error_t count_rows(blackhole_connection_t *blackhole, const table_rows_t *rows,
                                 sink_write_result_t *result, error_report_t *report)
{
    for (uint32_t i = 0; i < rows->event_count; i++) {
        rows_reader_t reader;
        sluice_error_t error = rows_reader_init(&reader, &rows->events[i], report);
        while (!error) {
            row_change_t change;
            error = rows_reader_next(&reader, &blackhole->arena, &change, report);
            if (!error)
                result->rows++;
            if (blackhole->arena.bytes > BLACKHOLE_ARENA_BYTES)
                arena_reset(&blackhole->arena);
        }
        if (error != SLUICE_ERROR_NOT_FOUND)
            return error;
        arena_reset(&blackhole->arena);
    }
    result->bytes += rows->bytes;
    return SLUICE_OK;
}

static sluice_error_t blackhole_write(sink_connection_t *connection, const sink_write_t *writes,
                                      uint32_t count, sink_write_result_t *results,
                                      error_report_t *report)
{
    blackhole_connection_t *blackhole = (blackhole_connection_t *)connection;
    for (uint32_t i = 0; i < count; i++) {
        results[i] = (sink_write_result_t){.error = SLUICE_OK};
        for (uint32_t part = 0; part < writes[i].part_count; part++) {
            if (atomic_load(&blackhole->interrupted))
                return error_report_set(report, SLUICE_ERROR_CLOSED, "interrupted");
            sluice_error_t error =
                count_rows(blackhole, writes[i].parts[part], &results[i], report);
            if (error)
                return error;
        }
    }
    return SLUICE_OK;
}

static sluice_error_t blackhole_run_ddl(sink_connection_t *connection, const sink_claim_t *claim,
                                        const ddl_event_t *ddl, error_report_t *report)
{
    (void)connection, (void)claim, (void)ddl, (void)report;
    return SLUICE_OK;
}

static sluice_error_t blackhole_write_syncpoint(sink_connection_t *connection,
                                                const sink_claim_t *claim, commit_ts_t ts,
                                                error_report_t *report)
{
    (void)connection, (void)claim, (void)ts, (void)report;
    return SLUICE_OK;
}

static sluice_error_t blackhole_up_to(sink_connection_t *connection, commit_ts_t ts,
                                      error_report_t *report)
{
    (void)connection, (void)ts, (void)report;
    return SLUICE_OK;
}

const sink_api_t blackhole_sink_api = {
    .scheme = "blackhole",
    .needs_one_host = false,
    .holds_partitions = true,
    .is_sql = false,
    .open = blackhole_open,
    .close = blackhole_close,
    .check = blackhole_check,
    .connect = blackhole_connect,
    .disconnect = blackhole_disconnect,
    .interrupt = blackhole_interrupt,
    .claim = blackhole_claim,
    .write = blackhole_write,
    .run_ddl = blackhole_run_ddl,
    .write_syncpoint = blackhole_write_syncpoint,
    .write_watermark = blackhole_up_to,
    .clean_up = blackhole_up_to,
};
