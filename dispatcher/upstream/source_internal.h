/*
 * The steps of source_describe for a live server. Private to dispatcher/upstream.
 */
#ifndef SLUICE_DISPATCHER_UPSTREAM_SOURCE_INTERNAL_H
#define SLUICE_DISPATCHER_UPSTREAM_SOURCE_INTERNAL_H

#include "common/runtime/uri_servers.h"
#include "dispatcher/core/binlog/query.h"
#include "dispatcher/upstream/source.h"
#include "dispatcher/upstream/source_connection.h"
#include "dispatcher/upstream/upstream.h"

#define SOURCE_WARNINGS_MAX 64

/* Collects lines in the order found. */
typedef struct {
    error_report_t *report;
    sluice_error_t first; /* SLUICE_OK: nothing hinders the start */
    arena_t *arena;
    const char *server; /* whose settings these are; NULL: the only one's */
    const char *warnings[SOURCE_WARNINGS_MAX];
    uint32_t warning_count;
} findings_t;

void findings_fail(findings_t *findings, sluice_error_t code, const char *format, ...)
    SLUICE_PRINTF(3, 4);
void findings_warn(findings_t *findings, const char *format, ...) SLUICE_PRINTF(2, 3);

/* Log of a server at an anchor: whether it can be sent at all is known only when it is asked for.
 * Raises the anchor's commit_time to that of its group. */
sluice_error_t source_probe_stream(const source_request_t *request, anchor_t *anchor,
                                   error_report_t *report) SLUICE_MUST_USE;

/* Whether the further servers of a list can take the place of the first, which was described: the
 * same settings, nothing of their own in the log. Adds their identities, and warnings. */
sluice_error_t source_check_others(const source_request_t *request, const uri_server_t *servers,
                                   uint32_t count, arena_t *arena,
                                   source_description_t *description,
                                   error_report_t *report) SLUICE_MUST_USE;

/* Filters of the server that keep changes out of its log: a warning; a replica's, beside other
 * servers that have no such filter: a failure. */
sluice_error_t source_check_filters(MYSQL *mysql, findings_t *findings,
                                    error_report_t *report) SLUICE_MUST_USE;

/* Whether settings, rights and identity of the server allow a changefeed; fills the facts of the
 * description. What is wrong is in `findings`; an error is returned only when the server could not
 * be asked. */
sluice_error_t source_check_server(MYSQL *mysql, const source_request_t *request,
                                   findings_t *findings, source_description_t *description,
                                   error_report_t *report) SLUICE_MUST_USE;

/* Reads every definition and where in the log they are valid: description->anchor and objects. */
sluice_error_t source_read_schema(MYSQL *mysql, const source_request_t *request, arena_t *arena,
                                  source_description_t *description,
                                  error_report_t *report) SLUICE_MUST_USE;

/* Whether `matches` is true of a DDL of our domain in (from, to] of the log at `uri`; `sql_start`
 * shows where its text begins. `from` and `to` are GTID lists. */
typedef struct {
    const char *uri;
    uint32_t domain, server_id;
    const char *from, *to; /* `to` NULL: to the end of binary log files */
    bool (*matches)(void *context, const binlog_query_t *query);
    void *context;
} source_scan_t;

typedef struct {
    bool has_ddl;
    commit_ts_t commit_ts;
    char sql_start[128];
} source_scan_result_t;

sluice_error_t source_scan(const source_scan_t *scan, source_scan_result_t *result,
                           error_report_t *report) SLUICE_MUST_USE;

/* When the group at the anchor was committed, as a server's log has it now. 0: the log does not
 * tell, since it begins behind that group or never had it; opening it at the anchor will say. */
sluice_error_t source_group_time(const upstream_options_t *options, wall_ms_t *time,
                                 error_report_t *report) SLUICE_MUST_USE;

/* A log that was reset and has grown past the anchor since would be read on as if nothing had
 * happened: its group there was committed later than ours, and so was the file that holds it made
 * (replicas of one another differ by the length of a statement in when they say that a group was
 * committed). SLUICE_ERROR_SOURCE_DIVERGED. Not seen: a group that takes its place within the same
 * second. */
sluice_error_t source_check_group(const upstream_options_t *options,
                                  error_report_t *report) SLUICE_MUST_USE;

#endif
