#include "dispatcher/upstream/source.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "common/filter/table_filter.h"
#include "common/runtime/uri.h"
#include "dispatcher/core/statement_scope.h"
#include "dispatcher/upstream/adapters.h"
#include "dispatcher/upstream/simulated.h"
#include "dispatcher/upstream/source_internal.h"

#define CONNECT_TIMEOUT_S 5
#define READ_TIMEOUT_S 60

static sluice_error_t refuse_ddl(const source_scan_result_t *found, const char *start,
                                 error_report_t *report)
{
    return error_report_set(
        report, SLUICE_ERROR_STATE,
        "the start position %s lies before a schema change of what is carried (at sequence %llu: "
        "%s), and the schema there is not known: start behind it, or from now with a fresh copy",
        start, (unsigned long long)found->commit_ts.v, found->sql_start);
}

static bool may_touch(void *context, const binlog_query_t *query)
{
    return statement_may_touch(query, context);
}

/* Makes the start position the description's, once no DDL that concerns us is found between it and
 * the place that was described. */
static sluice_error_t move_start(const source_request_t *request, const char *from, const char *to,
                                 source_description_t *description, error_report_t *report)
{
    uint64_t sequence;
    if (strlen(request->start_gtid_list) >= ANCHOR_GTID_LIST_MAX ||
        gtid_list_sequence(request->start_gtid_list, request->domain, &sequence) != SLUICE_OK)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "the start position '%s' is no GTID list",
                                request->start_gtid_list);
    table_filter_t *filter;
    sluice_error_t error = table_filter_new(request->filter_rules, request->filter_rule_count,
                                            description->lower_case_names, &filter, report);
    if (error != SLUICE_OK)
        return error;
    source_scan_result_t found;
    source_scan_t scan = {.uri = request->uri,
                          .domain = request->domain,
                          .server_id = request->server_id,
                          .from = from,
                          .to = to,
                          .matches = may_touch,
                          .context = filter};
    error = source_scan(&scan, &found, report);
    table_filter_destroy(&filter);
    if (error != SLUICE_OK)
        return error;
    if (found.has_ddl)
        return refuse_ddl(&found, request->start_gtid_list, report);
    strcpy(description->anchor.gtid_list, request->start_gtid_list);
    description->anchor.commit_ts = (commit_ts_t){sequence};
    return SLUICE_OK;
}

static sluice_error_t describe_on(MYSQL *mysql, const source_request_t *request, const char *server,
                                  arena_t *arena, source_description_t *description,
                                  error_report_t *report)
{
    findings_t findings = {.report = report, .arena = arena, .server = server};
    sluice_error_t error = source_check_server(mysql, request, &findings, description, report);
    if (error == SLUICE_OK)
        error = findings.first;
    if (error == SLUICE_OK)
        error = source_read_schema(mysql, request, arena, description, report);
    if (error != SLUICE_OK)
        return error;
    const char **warnings = arena_calloc(arena, findings.warning_count + 1, sizeof(char *));
    for (uint32_t i = 0; i < findings.warning_count; i++)
        warnings[i] = findings.warnings[i];
    description->warnings = warnings;
    description->warning_count = findings.warning_count;
    return SLUICE_OK;
}

sluice_error_t source_probe_stream(const source_request_t *request, anchor_t *anchor,
                                   error_report_t *report)
{
    upstream_options_t options = {.uri = request->uri,
                                  .server_id = request->server_id,
                                  .domain = request->domain,
                                  .anchor = *anchor,
                                  .heartbeat_ns = NS_PER_S,
                                  .read_timeout_ns = 5 * NS_PER_S};
    /* A source whose own source's clock is ahead has groups from the future. */
    wall_ms_t time;
    sluice_error_t error = source_group_time(&options, &time, report);
    if (error != SLUICE_OK)
        return error;
    if (anchor->commit_time.v < time.v)
        anchor->commit_time = time;
    options.anchor.commit_time = (wall_ms_t){0};
    upstream_t *upstream;
    error = upstream_mariadb.open(&options, &upstream, report);
    if (error != SLUICE_OK)
        return error;
    raw_event_t event;
    upstream_result_t result = UPSTREAM_EVENT;
    /* ROTATE and FORMAT_DESCRIPTION come before a server has looked for the position. */
    for (int i = 0; i < 3 && result == UPSTREAM_EVENT; i++)
        result = upstream->api->next(upstream, &event, report);
    if (result == UPSTREAM_FAILED)
        error = report->code;
    upstream->api->close(&upstream);
    return error;
}

static sluice_error_t describe_server(const source_request_t *request, const char *server,
                                      arena_t *arena, source_description_t *description,
                                      error_report_t *report)
{
    source_address_t address;
    MYSQL *mysql;
    sluice_error_t error = source_address_parse(request->uri, arena, &address, report);
    if (error == SLUICE_OK)
        error = source_connect(&address, (source_timeouts_t){CONNECT_TIMEOUT_S, READ_TIMEOUT_S},
                               &mysql, report);
    if (error != SLUICE_OK)
        return error;
    error = describe_on(mysql, request, server, arena, description, report);
    mysql_close(mysql);
    if (error == SLUICE_OK && request->start == START_POSITION) {
        char described[ANCHOR_GTID_LIST_MAX];
        strcpy(described, description->anchor.gtid_list);
        error = move_start(request, request->start_gtid_list, described, description, report);
    }
    if (error == SLUICE_OK)
        error = source_probe_stream(request, &description->anchor, report);
    return error;
}

/* The first of the list is described, the others have to be like it. */
static sluice_error_t describe_servers(const source_request_t *request, arena_t *arena,
                                       source_description_t *description, error_report_t *report)
{
    const uri_server_t *servers;
    uint32_t count;
    sluice_error_t error =
        uri_servers_parse(bytes_of_text(request->uri), arena, &servers, &count, report);
    if (error != SLUICE_OK)
        return error;
    source_request_t of_first = *request;
    of_first.uri = servers[0].uri;
    error =
        describe_server(&of_first, count > 1 ? servers[0].name : NULL, arena, description, report);
    return error == SLUICE_OK && count > 1
               ? source_check_others(request, servers, count, arena, description, report)
               : error;
}

static sluice_error_t describe_files(const source_request_t *request, arena_t *arena,
                                     source_description_t *description, error_report_t *report)
{
    uri_t uri;
    struct stat status;
    sluice_error_t error = uri_parse(bytes_of_text(request->uri), arena, &uri, report);
    if (error != SLUICE_OK)
        return error;
    const char *directory = uri.path;
    if (stat(uri.path, &status) == 0 && !S_ISDIR(status.st_mode)) {
        const char *slash = strrchr(uri.path, '/');
        directory = arena_strndup(arena, uri.path, slash ? (size_t)(slash - uri.path) : 0);
    }
    const char *path = arena_printf(arena, "%s/%s", directory, SCHEMA_FILE_NAME);
    error = source_schema_read(path, arena, description, report);
    if (error == SLUICE_OK && request->start == START_POSITION) {
        char described[ANCHOR_GTID_LIST_MAX];
        strcpy(described, description->anchor.gtid_list);
        error = move_start(request, described, request->start_gtid_list, description, report);
    }
    return error;
}

typedef struct {
    arena_t *arena;
    source_object_t *objects;
    uint32_t count, max;
} visit_t;

static void visit_simulated(void *context, const char *schema, const char *create)
{
    visit_t *visit = context;
    if (visit->count == visit->max) {
        uint32_t max = visit->max ? visit->max * 2 : 64;
        source_object_t *objects = arena_calloc(visit->arena, max, sizeof *objects);
        if (visit->count)
            memcpy(objects, visit->objects, visit->count * sizeof *objects);
        visit->objects = objects;
        visit->max = max;
    }
    visit->objects[visit->count++] =
        (source_object_t){.kind = SOURCE_TABLE,
                          .schema = arena_strdup(visit->arena, schema),
                          .name = "",
                          .create = arena_strdup(visit->arena, create)};
}

static sluice_error_t describe_simulated(const source_request_t *request, arena_t *arena,
                                         source_description_t *description, error_report_t *report)
{
    uint64_t sequence = 0;
    if (request->start == START_POSITION &&
        gtid_list_sequence(request->start_gtid_list, request->domain, &sequence) != SLUICE_OK)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "the start position '%s' is no GTID list",
                                request->start_gtid_list);
    visit_t visit = {.arena = arena};
    anchor_t *anchor = &description->anchor;
    sluice_error_t error = simulated_schema(request->uri, (commit_ts_t){sequence}, visit_simulated,
                                            &visit, &anchor->commit_time, report);
    if (error != SLUICE_OK)
        return error;
    anchor->commit_ts = (commit_ts_t){sequence};
    if (sequence)
        error = gtid_list_set(anchor->gtid_list, request->domain, SIMULATION_SERVER_ID, sequence);
    description->domain = request->domain;
    description->objects = visit.objects;
    description->object_count = visit.count;
    return error;
}

sluice_error_t source_describe(const source_request_t *request, arena_t *arena,
                               source_description_t *description, error_report_t *report)
{
    error_report_t own;
    if (!report)
        report = &own;
    *description = (source_description_t){.identity = ""};
    const upstream_api_t *api = upstream_find(request->uri);
    if (api == &upstream_mariadb)
        return describe_servers(request, arena, description, report);
    if (api == &upstream_binlog_file)
        return describe_files(request, arena, description, report);
    if (api == &upstream_simulated)
        return describe_simulated(request, arena, description, report);
    char shown[256];
    uri_redact(bytes_of_text(request->uri), shown, sizeof shown);
    return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                            "there is no source for %s; known are mariadb://, mariadb+unix://, "
                            "binlog:// and simulated://",
                            shown);
}
