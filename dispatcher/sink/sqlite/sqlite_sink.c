/*
 * sqlite:///path/of/file.db — one file that holds the tables of all databases and Sluice's own.
 *
 * URI parameters:
 *   synchronous=full|normal   default full: see session.h
 *   busy-timeout-ms=N         how long one call waits for other writers, default 5000
 *   create-tables=yes|no      whether the pre-flight makes missing tables (empty), default no
 *   system-time-zone=+HH:MM   what the source's time zone SYSTEM is, for DDL that needs it
 */
#include <stdlib.h>
#include <strings.h>

#include "common/base/memory.h"
#include "common/runtime/uri.h"
#include "dispatcher/sink/adapters.h"
#include "dispatcher/sink/sink_subject.h"
#include "dispatcher/sink/sqlite/check.h"
#include "dispatcher/sink/sqlite/ddl.h"
#include "dispatcher/sink/sqlite/ledger.h"
#include "dispatcher/sink/sqlite/table_writer.h"

#define BUSY_TIMEOUT_MS 5000
#define BUSY_TIMEOUT_MS_MAX 600000

typedef struct {
    sink_t base;
    arena_t arena; /* path, name */
    sqlite_session_options_t session;
    changefeed_ref_t changefeed;
    sqlite_ddl_settings_t ddl;
    bool creates_tables;
} sqlite_sink_t;

typedef struct {
    sink_connection_t base;
    sqlite_sink_t *sink;
    sqlite_session_t *session;
    sqlite_ledger_t *ledger;
    sqlite_table_writer_t *writer;
    arena_t arena; /* of one write */
} sqlite_connection_t;

/* ---- the sink ---- */

static void sqlite_sink_close(sink_t **sink)
{
    if (!*sink)
        return;
    sqlite_sink_t *sqlite = (sqlite_sink_t *)*sink;
    sqlite_gate_destroy(&sqlite->session.gate);
    arena_clear(&sqlite->arena);
    free(sqlite);
    *sink = NULL;
}

static sluice_error_t read_choice(const uri_t *uri, const char *name, const char *no,
                                  const char *yes, bool *choice, error_report_t *report)
{
    const char *value = uri_parameter(uri, name);
    *choice = value && strcasecmp(value, yes) == 0;
    if (!value || *choice || strcasecmp(value, no) == 0)
        return SLUICE_OK;
    return error_report_set(report, SLUICE_ERROR_CONFIGURATION, "%s of the sink's URI is %s or %s",
                            name, no, yes);
}

static sluice_error_t read_time_zone(const uri_t *uri, sqlite_ddl_settings_t *settings,
                                     error_report_t *report)
{
    const char *zone = uri_parameter(uri, "system-time-zone");
    if (!zone)
        return SLUICE_OK;
    settings->has_system_offset = sqlite_ddl_parse_offset(zone, &settings->system_offset_seconds);
    if (settings->has_system_offset)
        return SLUICE_OK;
    return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                            "system-time-zone of the sink's URI is UTC, +HH:MM or -HH:MM");
}

static sluice_error_t read_uri(sqlite_sink_t *sink, const char *text, error_report_t *report)
{
    static const char *const known[] = {"synchronous", "busy-timeout-ms", "create-tables",
                                        "system-time-zone", NULL};
    uri_t uri;
    sluice_error_t error = uri_parse(bytes_of_text(text), &sink->arena, &uri, report);
    if (!error)
        error = uri_check_parameters(&uri, known, report);
    if (!error && (uri.host[0] || !uri.path[0] || !uri.path[1]))
        error = error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                 "a SQLite sink is sqlite:///absolute/path/of/file.db");
    if (!error)
        error = read_choice(&uri, "synchronous", "full", "normal",
                            &sink->session.is_synchronous_normal, report);
    if (!error)
        error = read_choice(&uri, "create-tables", "no", "yes", &sink->creates_tables, report);
    if (!error)
        error = uri_parameter_number(&uri, "busy-timeout-ms", 1, BUSY_TIMEOUT_MS_MAX,
                                     BUSY_TIMEOUT_MS, &sink->session.busy_timeout_ms, report);
    if (!error)
        error = read_time_zone(&uri, &sink->ddl, report);
    sink->session.path = error ? NULL : uri.path;
    return error;
}

static sluice_error_t sqlite_sink_open(const sink_options_t *options, sink_t **sink,
                                       error_report_t *report)
{
    sqlite_sink_t *sqlite = memory_zalloc(sizeof *sqlite);
    sqlite->base.api = &sqlite_sink_api;
    sqlite->changefeed = options->changefeed;
    sqlite->ddl.changefeed_name =
        arena_strdup(&sqlite->arena, options->changefeed_name ? options->changefeed_name : "");
    sqlite->session.gate = sqlite_gate_new();
    *sink = &sqlite->base;
    sluice_error_t error = read_uri(sqlite, options->uri, report);
    if (error)
        sqlite_sink_close(sink);
    return error;
}

static sluice_error_t sqlite_sink_check(sink_t *sink, const table_definition_t *const *tables,
                                        uint32_t table_count, error_report_t *report)
{
    sqlite_sink_t *sqlite = (sqlite_sink_t *)sink;
    if (sqlite3_libversion_number() < SQLITE_VERSION_LEAST)
        return error_report_set(report, SLUICE_ERROR_SINK_SETTINGS,
                                "SQLite %s is too old: 3.37 or later is needed (STRICT tables)",
                                sqlite3_libversion());
    sqlite_session_options_t options = sqlite->session;
    options.creates_file = true;
    sqlite_session_t *session;
    sluice_error_t error = sqlite_session_open(&options, &session, report);
    if (!error)
        error = sqlite_ledger_create_tables(session, report);
    if (!error)
        error = sqlite_check_tables(session, tables, table_count, sqlite->creates_tables, report);
    sqlite_session_close(&session);
    return error;
}

/* ---- connections ---- */

static void sqlite_disconnect(sink_connection_t **connection)
{
    if (!*connection)
        return;
    sqlite_connection_t *sqlite = (sqlite_connection_t *)*connection;
    sqlite_table_writer_destroy(&sqlite->writer);
    sqlite_ledger_close(&sqlite->ledger);
    sqlite_session_close(&sqlite->session);
    arena_clear(&sqlite->arena);
    free(sqlite);
    *connection = NULL;
}

static sluice_error_t sqlite_connect(sink_t *sink, sink_connection_t **connection,
                                     error_report_t *report)
{
    sqlite_connection_t *sqlite = memory_zalloc(sizeof *sqlite);
    sqlite->base.api = &sqlite_sink_api;
    sqlite->sink = (sqlite_sink_t *)sink;
    *connection = &sqlite->base;
    sluice_error_t error = sqlite_session_open(&sqlite->sink->session, &sqlite->session, report);
    if (!error)
        error = sqlite_ledger_find_tables(sqlite->session, report);
    if (!error)
        error = sqlite_ledger_create_tables(sqlite->session, report);
    if (!error)
        error =
            sqlite_ledger_open(sqlite->session, sqlite->sink->changefeed, &sqlite->ledger, report);
    if (!error)
        sqlite->writer = sqlite_table_writer_new(sqlite->session);
    else
        sqlite_disconnect(connection);
    return error;
}

static void sqlite_interrupt(sink_connection_t *connection)
{
    sqlite_session_interrupt(((sqlite_connection_t *)connection)->session);
}

static sluice_error_t sqlite_claim(sink_connection_t *connection, const sink_claim_t *claims,
                                   uint32_t count, sink_claim_result_t *results,
                                   error_report_t *report)
{
    sqlite_connection_t *sqlite = (sqlite_connection_t *)connection;
    sluice_error_t error = FAIL_POINT("sink.claim.begin", 0, sink_subject_of_claims(claims, count));
    if (!error)
        error = sqlite_session_begin(sqlite->session, report);
    if (error)
        return error;
    error = sqlite_ledger_enter(sqlite->ledger, report);
    for (uint32_t i = 0; i < count && !error; i++)
        error = sqlite_ledger_claim(sqlite->ledger, &claims[i], &results[i], report);
    if (!error)
        error = FAIL_POINT("sink.claim.commit", 0, sink_subject_of_claims(claims, count));
    error = sqlite_session_end(sqlite->session, error, report);
    return error ? error
                 : FAIL_POINT("sink.claim.committed", 0, sink_subject_of_claims(claims, count));
}

/* ---- rows ---- */

static sluice_error_t prove_right(sqlite_connection_t *sqlite, const sink_write_t *write,
                                  ledger_verdict_t *verdict, error_report_t *report)
{
    if (!write->moves_progress)
        return sqlite_ledger_check(sqlite->ledger, write->claim, verdict, report);
    return sqlite_ledger_advance(sqlite->ledger, write->claim, write->progress, verdict, report);
}

static sluice_error_t write_one(sqlite_connection_t *sqlite, const sink_write_t *write,
                                sink_write_result_t *result, error_report_t *report)
{
    ledger_verdict_t verdict;
    *result = (sink_write_result_t){.error = SLUICE_OK};
    sluice_error_t error = prove_right(sqlite, write, &verdict, report);
    if (error)
        return error;
    if (verdict == LEDGER_NOT_OWNER) {
        result->error = SLUICE_ERROR_NOT_OWNER;
        return SLUICE_OK;
    }
    if (write->part_count == 0)
        return SLUICE_OK;
    row_batch_t batch;
    arena_reset(&sqlite->arena);
    error = row_batch_build(&sqlite->arena, write->parts, write->part_count, &batch, report);
    if (error)
        return error;
    result->rows = batch.source_rows;
    result->bytes = batch.source_bytes;
    return verdict == LEDGER_OWNED ? sqlite_table_writer_apply(sqlite->writer, &batch, report)
                                   : SLUICE_OK;
}

static sluice_error_t sqlite_write(sink_connection_t *connection, const sink_write_t *writes,
                                   uint32_t count, sink_write_result_t *results,
                                   error_report_t *report)
{
    sqlite_connection_t *sqlite = (sqlite_connection_t *)connection;
    sluice_error_t error = sqlite_session_begin(sqlite->session, report);
    if (error)
        return error;
    error = FAIL_POINT("sink.rows.open", writes->progress.v, sink_subject_of_writes(writes, count));
    for (uint32_t i = 0; i < count && !error; i++)
        error = write_one(sqlite, &writes[i], &results[i], report);
    if (!error)
        error = FAIL_POINT("sink.rows.commit", writes->progress.v,
                           sink_subject_of_writes(writes, count));
    error = sqlite_session_end(sqlite->session, error, report);
    arena_reset(&sqlite->arena);
    return error ? error
                 : FAIL_POINT("sink.rows.committed", writes->progress.v,
                              sink_subject_of_writes(writes, count));
}

/* ---- DDL, sync points, cleaning ---- */

static sluice_error_t check_owner(sqlite_connection_t *sqlite, const sink_claim_t *claim,
                                  error_report_t *report)
{
    ledger_verdict_t verdict;
    sluice_error_t error = sqlite_ledger_check(sqlite->ledger, claim, &verdict, report);
    if (!error && verdict != LEDGER_OWNED)
        error = error_report_set(report, SLUICE_ERROR_NOT_OWNER,
                                 "another assignment owns this span in the SQLite file");
    return error;
}

static sluice_error_t run_ddl_once(sqlite_connection_t *sqlite, const ddl_event_t *ddl,
                                   error_report_t *report)
{
    bool is_done;
    sluice_error_t error =
        sqlite_ledger_ddl_is_done(sqlite->ledger, ddl->commit_ts, &is_done, report);
    if (error || is_done)
        return error;
    error = FAIL_POINT("sink.ddl.execute", ddl->commit_ts.v, ddl->sql_utf8);
    if (!error)
        error = sqlite_ddl_run(sqlite->session, &sqlite->sink->ddl, ddl, report);
    if (!error)
        error = sqlite_ledger_record_ddl(sqlite->ledger, ddl, report);
    return error ? error : FAIL_POINT("sink.ddl.executed", ddl->commit_ts.v, ddl->sql_utf8);
}

static sluice_error_t sqlite_run_ddl(sink_connection_t *connection, const sink_claim_t *claim,
                                     const ddl_event_t *ddl, error_report_t *report)
{
    sqlite_connection_t *sqlite = (sqlite_connection_t *)connection;
    sluice_error_t error = FAIL_POINT("sink.ddl.lock", ddl->commit_ts.v, ddl->sql_utf8);
    if (!error)
        error = sqlite_session_begin(sqlite->session, report);
    if (error)
        return error;
    error = FAIL_POINT("sink.ddl.locked", ddl->commit_ts.v, ddl->sql_utf8);
    if (!error)
        error = check_owner(sqlite, claim, report);
    if (!error)
        error = run_ddl_once(sqlite, ddl, report);
    error = sqlite_session_end(sqlite->session, error, report);
    return error ? error : FAIL_POINT("sink.ddl.finished", ddl->commit_ts.v, ddl->sql_utf8);
}

static sluice_error_t sqlite_write_syncpoint(sink_connection_t *connection,
                                             const sink_claim_t *claim, commit_ts_t ts,
                                             error_report_t *report)
{
    sqlite_connection_t *sqlite = (sqlite_connection_t *)connection;
    sluice_error_t error = sqlite_session_begin(sqlite->session, report);
    if (error)
        return error;
    error = check_owner(sqlite, claim, report);
    if (!error)
        error = sqlite_ledger_record_syncpoint(sqlite->ledger, ts, report);
    if (!error)
        error = FAIL_POINT("sink.syncpoint.commit", ts.v, NULL);
    error = sqlite_session_end(sqlite->session, error, report);
    return error ? error : FAIL_POINT("sink.syncpoint.committed", ts.v, NULL);
}

static sluice_error_t sqlite_write_watermark(sink_connection_t *connection, commit_ts_t resolved,
                                             error_report_t *report)
{
    (void)connection, (void)resolved, (void)report;
    return SLUICE_OK;
}

static sluice_error_t sqlite_clean_up(sink_connection_t *connection,
                                      commit_ts_t persisted_checkpoint, error_report_t *report)
{
    sqlite_connection_t *sqlite = (sqlite_connection_t *)connection;
    sluice_error_t error = sqlite_session_begin(sqlite->session, report);
    if (error)
        return error;
    error = sqlite_ledger_clean_up(sqlite->ledger, persisted_checkpoint, report);
    if (!error)
        error = FAIL_POINT("sink.clean-up.commit", persisted_checkpoint.v, NULL);
    error = sqlite_session_end(sqlite->session, error, report);
    return error ? error : FAIL_POINT("sink.clean-up.committed", persisted_checkpoint.v, NULL);
}

static sluice_error_t sqlite_forget(sink_connection_t *connection, error_report_t *report)
{
    sqlite_connection_t *sqlite = (sqlite_connection_t *)connection;
    sluice_error_t error = sqlite_session_begin(sqlite->session, report);
    if (error)
        return error;
    error = sqlite_ledger_forget(sqlite->ledger, report);
    return sqlite_session_end(sqlite->session, error, report);
}

const sink_api_t sqlite_sink_api = {
    .scheme = "sqlite",
    .needs_one_host = true,
    .holds_partitions = false,
    .is_sql = true,
    .open = sqlite_sink_open,
    .close = sqlite_sink_close,
    .check = sqlite_sink_check,
    .connect = sqlite_connect,
    .disconnect = sqlite_disconnect,
    .interrupt = sqlite_interrupt,
    .claim = sqlite_claim,
    .write = sqlite_write,
    .run_ddl = sqlite_run_ddl,
    .write_syncpoint = sqlite_write_syncpoint,
    .write_watermark = sqlite_write_watermark,
    .clean_up = sqlite_clean_up,
    .forget = sqlite_forget,
};
