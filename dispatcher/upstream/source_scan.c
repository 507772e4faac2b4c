#include "dispatcher/core/binlog/group_assembler.h"
#include "dispatcher/upstream/source_internal.h"
#include "dispatcher/upstream/upstream.h"

#define READ_TIMEOUT_NS (5 * NS_PER_S)

typedef struct {
    const source_scan_t *scan;
    source_scan_result_t *result;
    upstream_t *upstream;
    group_assembler_t *assembler;
    uint64_t target; /* sequence in our domain; UINT64_MAX: to the end */
    uint64_t position;
} scan_t;

/* No row is looked at. */
static const table_definition_t *resolve_nothing(void *context, bytes_t schema, bytes_t table)
{
    (void)context;
    (void)schema;
    (void)table;
    return NULL;
}

static bool touch_nothing(void *context, const binlog_query_t *query)
{
    (void)context;
    (void)query;
    return false;
}

static void note_ddl(scan_t *self, const group_t *group)
{
    source_scan_result_t *result = self->result;
    bytes_t sql = group->query->sql;
    size_t len = sql.len < sizeof result->sql_start - 1 ? sql.len : sizeof result->sql_start - 1;
    result->has_ddl = true;
    result->commit_ts = group->commit_ts;
    memcpy(result->sql_start, sql.data, len);
    result->sql_start[len] = '\0';
}

static sluice_error_t take_groups(scan_t *self, error_report_t *report)
{
    for (;;) {
        group_t group;
        sluice_error_t error = group_assembler_take(self->assembler, &group, report);
        if (error != SLUICE_OK || group.kind == GROUP_NONE)
            return error;
        if (!group.in_domain)
            continue;
        self->position = group.commit_ts.v;
        if (group.kind == GROUP_DDL && self->position <= self->target &&
            (!self->scan->matches || self->scan->matches(self->scan->context, group.query)))
            note_ddl(self, &group);
    }
}

static sluice_error_t scan_to_target(scan_t *self, error_report_t *report)
{
    while (self->position < self->target && !self->result->has_ddl) {
        raw_event_t event;
        upstream_result_t result = self->upstream->api->next(self->upstream, &event, report);
        if (result == UPSTREAM_END && self->target != UINT64_MAX)
            return error_report_set(report, SLUICE_ERROR_SOURCE_DIVERGED,
                                    "the log ends before position %s", self->scan->to);
        if (result == UPSTREAM_END)
            return SLUICE_OK;
        if (result == UPSTREAM_FAILED)
            return report->code;
        if (result == UPSTREAM_INTERRUPTED)
            return error_report_set(report, SLUICE_ERROR_CLOSED, "interrupted");
        if (result == UPSTREAM_CAUGHT_UP)
            continue;
        sluice_error_t error =
            group_assembler_push(self->assembler, event.bytes, event.location, report);
        if (error == SLUICE_OK)
            error = take_groups(self, report);
        if (error != SLUICE_OK)
            return error;
    }
    return SLUICE_OK;
}

static sluice_error_t open_scan(scan_t *self, error_report_t *report)
{
    const source_scan_t *scan = self->scan;
    upstream_options_t options = {.uri = scan->uri,
                                  .server_id = scan->server_id,
                                  .heartbeat_ns = NS_PER_S,
                                  .read_timeout_ns = READ_TIMEOUT_NS};
    strncpy(options.anchor.gtid_list, scan->from, ANCHOR_GTID_LIST_MAX - 1);
    group_assembler_options_t assembler = {
        .domain = scan->domain,
        .anchor = options.anchor,
        .group_bytes_max = GROUP_BYTES_MAX_DEFAULT,
        .resolver = {.resolve = resolve_nothing, .may_touch = touch_nothing},
    };
    sluice_error_t error = group_assembler_new(&assembler, &self->assembler);
    if (error != SLUICE_OK)
        return error_report_set(report, error, "'%s' is no GTID list", scan->from);
    return upstream_find(scan->uri)->open(&options, &self->upstream, report);
}

sluice_error_t source_scan(const source_scan_t *scan, source_scan_result_t *result,
                           error_report_t *report)
{
    error_report_t own;
    scan_t self = {.scan = scan, .result = result, .target = UINT64_MAX};
    *result = (source_scan_result_t){0};
    if (!report)
        report = &own;
    sluice_error_t error = gtid_list_sequence(scan->from, scan->domain, &self.position);
    if (error == SLUICE_OK && scan->to)
        error = gtid_list_sequence(scan->to, scan->domain, &self.target);
    if (error != SLUICE_OK)
        return error_report_set(report, error, "'%s' or '%s' is no GTID list", scan->from,
                                scan->to ? scan->to : "");
    if (self.position >= self.target)
        return SLUICE_OK;
    error = open_scan(&self, report);
    if (error == SLUICE_OK)
        error = scan_to_target(&self, report);
    if (self.upstream)
        self.upstream->api->close(&self.upstream);
    group_assembler_destroy(&self.assembler);
    return error;
}
