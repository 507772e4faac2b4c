/*
 * The MariaDB sink: ties its parts to the interface of sink.h. What each does is said there.
 */
#include "dispatcher/sink/adapters.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "common/runtime/fail_point.h"
#include "dispatcher/sink/mariadb/changefeed_row.h"
#include "dispatcher/sink/mariadb/check.h"
#include "dispatcher/sink/mariadb/ddl.h"
#include "dispatcher/sink/mariadb/ddl_record.h"
#include "dispatcher/sink/mariadb/tables.h"
#include "dispatcher/sink/mariadb/write.h"

typedef struct {
    sink_t base;
    arena_t arena;
    mariadb_endpoint_t endpoint;
    changefeed_ref_t changefeed;
    const char *changefeed_name;
    const char *source_identity; /* NULL: not known */
} mariadb_sink_t;

/* Rows and DDLs have a connection each: a DDL's session must not leave anything behind. */
typedef struct {
    sink_connection_t base;
    mariadb_sink_t *sink;
    mariadb_owner_t rows, ddl;
    mariadb_writer_t *writer;
} mariadb_connection_t;

static void sink_close(sink_t **sink)
{
    if (!*sink)
        return;
    mariadb_sink_t *closed = (mariadb_sink_t *)*sink;
    arena_clear(&closed->arena);
    free(closed);
    *sink = NULL;
}

static sluice_error_t sink_open(const sink_options_t *options, sink_t **sink,
                                error_report_t *report)
{
    mariadb_sink_t *opened = memory_zalloc(sizeof *opened);
    opened->base.api = &mariadb_sink_api;
    opened->changefeed = options->changefeed;
    *sink = &opened->base;
    if (options->changefeed_name)
        opened->changefeed_name = arena_strdup(&opened->arena, options->changefeed_name);
    if (options->source_identity && *options->source_identity)
        opened->source_identity = arena_strdup(&opened->arena, options->source_identity);
    sluice_error_t error =
        mariadb_endpoint_parse(options->uri, &opened->arena, &opened->endpoint, report);
    if (error != SLUICE_OK)
        sink_close(sink);
    return error;
}

static sluice_error_t sink_check(sink_t *sink, const table_definition_t *const *tables,
                                 uint32_t table_count, error_report_t *report)
{
    mariadb_sink_t *checked = (mariadb_sink_t *)sink;
    mariadb_session_t *session = mariadb_session_new(&checked->endpoint, MARIADB_SESSION_DDL);
    sluice_error_t error = mariadb_session_open(session, report);
    if (error == SLUICE_OK) {
        *report = (error_report_t){0};
        error = mariadb_check_server(session, checked->source_identity, report);
        if (mariadb_session_is_open(session))
            error = mariadb_check_tables(session, tables, table_count, report);
        if (error == SLUICE_OK)
            error = mariadb_check_durability(session, report);
    }
    mariadb_session_destroy(&session);
    return error;
}

static void connection_close(sink_connection_t **connection)
{
    if (!*connection)
        return;
    mariadb_connection_t *ended = (mariadb_connection_t *)*connection;
    mariadb_writer_destroy(&ended->writer);
    mariadb_session_destroy(&ended->rows.session);
    mariadb_session_destroy(&ended->ddl.session);
    free(ended);
    *connection = NULL;
}

static mariadb_owner_t owner_of(mariadb_sink_t *sink, mariadb_session_kind_t kind)
{
    return (mariadb_owner_t){.session = mariadb_session_new(&sink->endpoint, kind),
                             .endpoint = &sink->endpoint,
                             .changefeed = sink->changefeed,
                             .changefeed_name = sink->changefeed_name};
}

static sluice_error_t connection_open(sink_t *sink, sink_connection_t **connection,
                                      error_report_t *report)
{
    mariadb_connection_t *made = memory_zalloc(sizeof *made);
    made->base.api = &mariadb_sink_api;
    made->sink = (mariadb_sink_t *)sink;
    made->rows = owner_of(made->sink, MARIADB_SESSION_ROWS);
    made->ddl = owner_of(made->sink, MARIADB_SESSION_DDL);
    made->writer = mariadb_writer_new(&made->rows);
    *connection = &made->base;
    sluice_error_t error = mariadb_session_open(made->rows.session, report);
    if (error != SLUICE_OK)
        connection_close(connection);
    return error;
}

static void connection_interrupt(sink_connection_t *connection)
{
    mariadb_connection_t *interrupted = (mariadb_connection_t *)connection;
    mariadb_session_interrupt(interrupted->rows.session);
    mariadb_session_interrupt(interrupted->ddl.session);
}

static sluice_error_t connection_claim(sink_connection_t *connection, const sink_claim_t *claims,
                                       uint32_t count, sink_claim_result_t *results,
                                       error_report_t *report)
{
    return mariadb_claim(&((mariadb_connection_t *)connection)->rows, claims, count, results,
                         report);
}

static sluice_error_t connection_write(sink_connection_t *connection, const sink_write_t *writes,
                                       uint32_t count, sink_write_result_t *results,
                                       error_report_t *report)
{
    return mariadb_writer_write(((mariadb_connection_t *)connection)->writer, writes, count,
                                results, report);
}

static sluice_error_t connection_run_ddl(sink_connection_t *connection, const sink_claim_t *claim,
                                         const ddl_event_t *ddl, error_report_t *report)
{
    mariadb_connection_t *used = (mariadb_connection_t *)connection;
    return mariadb_ddl_run(&used->ddl, used->sink->changefeed_name, claim, ddl, report);
}

static sluice_error_t syncpoint_insert(const mariadb_owner_t *owner, commit_ts_t ts,
                                       error_report_t *report)
{
    sql_text_t sql = {0};
    sql_text_add(&sql, "INSERT IGNORE INTO sluice.syncpoint (feed,generation,commit_ts,"
                       "sink_position) VALUES (");
    mariadb_tables_feed_values(&sql, &owner->changefeed);
    sql_text_printf(&sql, ",%llu,@@gtid_current_pos)", (unsigned long long)ts.v);
    sluice_error_t error = mariadb_session_run(owner->session, sql_text_get(&sql), NULL, report);
    sql_text_clear(&sql);
    return error;
}

static sluice_error_t connection_write_syncpoint(sink_connection_t *connection,
                                                 const sink_claim_t *claim, commit_ts_t ts,
                                                 error_report_t *report)
{
    const mariadb_owner_t *owner = &((mariadb_connection_t *)connection)->rows;
    sluice_error_t error = mariadb_session_open(owner->session, report);
    if (error == SLUICE_OK)
        error = mariadb_claim_prove(owner, claim, report);
    if (error == SLUICE_OK)
        error = syncpoint_insert(owner, ts, report);
    if (error == SLUICE_OK)
        error = FAIL_POINT("sink.syncpoint.commit", ts.v, NULL);
    if (error == SLUICE_OK)
        error = mariadb_session_commit(owner->session, report);
    if (error == SLUICE_OK)
        error = FAIL_POINT("sink.syncpoint.committed", ts.v, NULL);
    if (error != SLUICE_OK)
        mariadb_session_rollback(owner->session);
    return error;
}

/* Progress rows say it already. */
static sluice_error_t connection_write_watermark(sink_connection_t *connection,
                                                 commit_ts_t resolved, error_report_t *report)
{
    (void)connection, (void)resolved, (void)report;
    return SLUICE_OK;
}

static sluice_error_t connection_clean_up(sink_connection_t *connection,
                                          commit_ts_t persisted_checkpoint, error_report_t *report)
{
    const mariadb_owner_t *owner = &((mariadb_connection_t *)connection)->rows;
    sluice_error_t error = mariadb_session_open(owner->session, report);
    if (error != SLUICE_OK)
        return error;
    /* First what is to be known afterwards, in one transaction with what goes. */
    bool is_ours;
    error = mariadb_changefeed_row_advance(owner, persisted_checkpoint, &is_ours, report);
    if (error == SLUICE_OK && is_ours)
        error = mariadb_ddl_record_clean_up(owner->session, &owner->changefeed,
                                            persisted_checkpoint, report);
    if (error != SLUICE_OK || !is_ours)
        mariadb_session_rollback(owner->session);
    return error;
}

static sluice_error_t connection_forget(sink_connection_t *connection, error_report_t *report)
{
    const mariadb_owner_t *owner = &((mariadb_connection_t *)connection)->rows;
    sluice_error_t error = mariadb_session_open(owner->session, report);
    return error == SLUICE_OK ? mariadb_changefeed_row_remove(owner, report) : error;
}

const sink_api_t mariadb_sink_api = {
    .scheme = "mariadb",
    .needs_one_host = false,
    .holds_partitions = true,
    .is_sql = true,
    .open = sink_open,
    .close = sink_close,
    .check = sink_check,
    .connect = connection_open,
    .disconnect = connection_close,
    .interrupt = connection_interrupt,
    .claim = connection_claim,
    .write = connection_write,
    .run_ddl = connection_run_ddl,
    .write_syncpoint = connection_write_syncpoint,
    .write_watermark = connection_write_watermark,
    .clean_up = connection_clean_up,
    .forget = connection_forget,
};
