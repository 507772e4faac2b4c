#include <stdio.h>
#include <stdlib.h>

#include "dispatcher/upstream/source_internal.h"

#define CONNECT_TIMEOUT_S 5
#define READ_TIMEOUT_S 60

typedef struct {
    const source_request_t *request;
    source_description_t *description; /* of all of them */
    findings_t findings;
    uint32_t server_ids[URI_SERVERS_MAX];
    const char *names[URI_SERVERS_MAX];
    uint32_t count; /* seen so far */
} others_t;

static void compare(others_t *others, const source_description_t *found)
{
    const source_description_t *first = others->description;
    for (uint32_t i = 0; i < others->count; i++)
        if (others->server_ids[i] == found->server_id)
            findings_fail(&others->findings, SLUICE_ERROR_SOURCE_SETTINGS,
                          "it has the server_id %u of %s: either they are one server, or one needs "
                          "another server_id in its configuration",
                          found->server_id, others->names[i]);
    if (found->domain != first->domain)
        findings_fail(&others->findings, SLUICE_ERROR_SOURCE_SETTINGS,
                      "it writes in GTID domain %u, and %s in domain %u: SET GLOBAL "
                      "gtid_domain_id=%u, also in its configuration",
                      found->domain, others->names[0], first->domain, first->domain);
    if (found->lower_case_names != first->lower_case_names)
        findings_fail(&others->findings, SLUICE_ERROR_SOURCE_SETTINGS,
                      "its lower_case_table_names differs from that of %s", others->names[0]);
}

/* A server that is not as far as the start may still come there; what it has must be of the same
 * history. */
static sluice_error_t check_history(others_t *others, MYSQL *mysql, const uri_server_t *server,
                                    error_report_t *report)
{
    const char *list;
    uint64_t sequence;
    anchor_t anchor = others->description->anchor;
    sluice_error_t error = source_query_text(mysql, "SELECT @@global.gtid_binlog_pos",
                                             others->findings.arena, &list, report);
    if (error == SLUICE_OK)
        error = gtid_list_sequence(list ? list : "", others->request->domain, &sequence);
    if (error != SLUICE_OK)
        return error;
    if (sequence < anchor.commit_ts.v) {
        findings_warn(&others->findings,
                      "its log ends at \"%s\", before the start position \"%s\": it cannot serve "
                      "until it has come there",
                      list ? list : "", anchor.gtid_list);
        return SLUICE_OK;
    }
    source_request_t request = *others->request;
    request.uri = server->uri;
    return source_probe_stream(&request, &anchor, report);
}

static sluice_error_t check_one(others_t *others, const uri_server_t *server,
                                error_report_t *report)
{
    source_address_t address;
    source_description_t found = {.identity = ""};
    MYSQL *mysql;
    findings_t *findings = &others->findings;
    findings->server = server->name;
    sluice_error_t error = source_address_parse(server->uri, findings->arena, &address, report);
    if (error == SLUICE_OK)
        error = source_connect(&address, (source_timeouts_t){CONNECT_TIMEOUT_S, READ_TIMEOUT_S},
                               &mysql, report);
    if (error != SLUICE_OK)
        return error;
    error = source_check_server(mysql, others->request, findings, &found, report);
    if (error == SLUICE_OK) {
        compare(others, &found);
        others->description->identity =
            arena_printf(findings->arena, "%s\n%s", others->description->identity, found.identity);
        others->names[others->count] = server->name;
        others->server_ids[others->count++] = found.server_id;
    }
    if (error == SLUICE_OK && findings->first == SLUICE_OK)
        error = check_history(others, mysql, server, report);
    mysql_close(mysql);
    return error;
}

sluice_error_t source_position(const char *uri, uint32_t domain, unsigned timeout_s,
                               uint64_t *sequence, error_report_t *report)
{
    arena_t arena = {0};
    source_address_t address;
    MYSQL *mysql = NULL;
    const char *list = NULL;
    *sequence = 0;
    sluice_error_t error = source_address_parse(uri, &arena, &address, report);
    if (error == SLUICE_OK)
        error = source_connect(&address, (source_timeouts_t){timeout_s, timeout_s}, &mysql, report);
    if (error == SLUICE_OK)
        error = source_query_text(mysql, "SELECT @@global.gtid_binlog_pos", &arena, &list, report);
    if (error == SLUICE_OK)
        error = gtid_list_sequence(list ? list : "", domain, sequence);
    if (mysql)
        mysql_close(mysql);
    arena_clear(&arena);
    return error;
}

sluice_error_t source_check_others(const source_request_t *request, const uri_server_t *servers,
                                   uint32_t count, arena_t *arena,
                                   source_description_t *description, error_report_t *report)
{
    others_t others = {.request = request,
                       .description = description,
                       .findings = {.report = report, .arena = arena},
                       .server_ids = {description->server_id},
                       .names = {servers[0].name},
                       .count = 1};
    for (uint32_t i = 1; i < count; i++) {
        error_report_t own = {0};
        sluice_error_t error = check_one(&others, &servers[i], &own);
        if (error != SLUICE_OK)
            findings_fail(&others.findings, error, "%s", own.text);
    }
    const findings_t *findings = &others.findings;
    const char **warnings = arena_calloc(
        arena, description->warning_count + findings->warning_count + 1, sizeof(char *));
    for (uint32_t i = 0; i < description->warning_count; i++)
        warnings[i] = description->warnings[i];
    for (uint32_t i = 0; i < findings->warning_count; i++)
        warnings[description->warning_count + i] = findings->warnings[i];
    description->warnings = warnings;
    description->warning_count += findings->warning_count;
    return findings->first;
}
