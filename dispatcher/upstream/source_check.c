#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "dispatcher/upstream/source_internal.h"

#define VERSION_MIN 100600
#define RETENTION_WARN_S 86400

static void add_line(error_report_t *report, const char *line)
{
    size_t len = strlen(report->text);
    snprintf(report->text + len, sizeof report->text - len, "%s%s", len ? "\n" : "", line);
}

static const char *with_server(findings_t *findings, const char *line)
{
    return findings->server ? arena_printf(findings->arena, "%s: %s", findings->server, line)
                            : arena_strdup(findings->arena, line);
}

void findings_fail(findings_t *findings, sluice_error_t code, const char *format, ...)
{
    char line[ERROR_REPORT_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    const char *text = with_server(findings, line);
    if (findings->first == SLUICE_OK) {
        findings->first = code;
        (void)error_report_set(findings->report, code, "%s", text);
    } else {
        add_line(findings->report, text);
    }
}

void findings_warn(findings_t *findings, const char *format, ...)
{
    if (findings->warning_count == SOURCE_WARNINGS_MAX)
        return;
    char line[ERROR_REPORT_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    findings->warnings[findings->warning_count++] = with_server(findings, line);
}

/* "10.11.19-MariaDB-…" → 101119. */
static uint32_t parse_version(const char *text)
{
    unsigned major = 0, minor = 0, patch = 0;
    if (sscanf(text, "%3u.%3u.%3u", &major, &minor, &patch) < 2)
        return 0;
    return major * 10000 + minor * 100 + patch;
}

typedef enum {
    FACT_VERSION,
    FACT_LOG_BIN,
    FACT_FORMAT,
    FACT_ROW_IMAGE,
    FACT_ROW_METADATA,
    FACT_STRICT,
    FACT_DOMAIN,
    FACT_SERVER_ID,
    FACT_LOWER_CASE,
    FACT_CHARSET,
    FACT_COLLATION,
    FACT_EXPIRE,
    FACT_REPLICA_POSITION,
    FACT_REPLICA_UPDATES,
    FACT_POSITION,
    FACT_SYNC_BINLOG,
    FACT_FLUSH_LOG,
    FACT_IDENTITY,
    FACT_COUNT
} fact_t;

static const char facts_sql[] =
    "SELECT @@version, @@log_bin, @@global.binlog_format, @@global.binlog_row_image, "
    "@@global.binlog_row_metadata, @@global.gtid_strict_mode, @@global.gtid_domain_id, "
    "@@global.server_id, @@lower_case_table_names, @@global.character_set_server, "
    "@@global.collation_server, @@global.binlog_expire_logs_seconds, @@global.gtid_slave_pos, "
    "@@global.log_slave_updates, @@global.gtid_binlog_pos, @@global.sync_binlog, "
    "@@global.innodb_flush_log_at_trx_commit, "
    "CONCAT(@@hostname, ':', @@port, ':', @@datadir)";

static sluice_error_t read_facts(MYSQL *mysql, arena_t *arena, const char *facts[FACT_COUNT],
                                 error_report_t *report)
{
    MYSQL_RES *result;
    sluice_error_t error = source_query(mysql, facts_sql, &result, report);
    if (error != SLUICE_OK)
        return error_report_set(report, SLUICE_ERROR_SOURCE_SETTINGS,
                                "the source is not a MariaDB server of 10.6 or later: %s",
                                mysql_error(mysql));
    MYSQL_ROW row = mysql_fetch_row(result);
    for (unsigned i = 0; row && i < FACT_COUNT; i++)
        facts[i] = row[i] ? arena_strdup(arena, row[i]) : "";
    mysql_free_result(result);
    return row ? SLUICE_OK
               : error_report_set(report, SLUICE_ERROR_SOURCE_CONNECTION,
                                  "the source answered nothing to a question for its settings");
}

/* What must be so, and the statement that makes it so. */
static const struct {
    fact_t fact;
    const char *wanted, *name, *mend;
} required[] = {
    {FACT_LOG_BIN, "1", "log_bin", "set log_bin in the server's configuration and restart it"},
    {FACT_FORMAT, "ROW", "binlog_format", "SET GLOBAL binlog_format=ROW"},
    {FACT_ROW_IMAGE, "FULL", "binlog_row_image", "SET GLOBAL binlog_row_image=FULL"},
    {FACT_ROW_METADATA, "FULL", "binlog_row_metadata", "SET GLOBAL binlog_row_metadata=FULL"},
    {FACT_STRICT, "1", "gtid_strict_mode", "SET GLOBAL gtid_strict_mode=1"},
};

static void check_settings(const char *const facts[FACT_COUNT], findings_t *findings)
{
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++)
        if (strcasecmp(facts[required[i].fact], required[i].wanted) != 0)
            findings_fail(findings, SLUICE_ERROR_SOURCE_SETTINGS, "%s is %s, it must be %s: %s",
                          required[i].name, facts[required[i].fact], required[i].wanted,
                          required[i].mend);
    uint64_t expire_s = strtoull(facts[FACT_EXPIRE], NULL, 10);
    if (strcmp(facts[FACT_SYNC_BINLOG], "1") != 0 || strcmp(facts[FACT_FLUSH_LOG], "1") != 0)
        findings_warn(findings,
                      "sync_binlog is %s and innodb_flush_log_at_trx_commit is %s: in a crash the "
                      "source may lose changes that were replicated, and the changefeed fails as "
                      "diverged; SET GLOBAL sync_binlog=1, GLOBAL innodb_flush_log_at_trx_commit=1",
                      facts[FACT_SYNC_BINLOG], facts[FACT_FLUSH_LOG]);
    if (expire_s > 0 && expire_s < RETENTION_WARN_S)
        findings_warn(findings,
                      "binlog_expire_logs_seconds is %s: a changefeed that stands still for longer "
                      "cannot go on; SET GLOBAL binlog_expire_logs_seconds=864000",
                      facts[FACT_EXPIRE]);
    if (findings->server && strcmp(facts[FACT_REPLICA_UPDATES], "0") == 0)
        findings_fail(findings, SLUICE_ERROR_SOURCE_SETTINGS,
                      "log_slave_updates is off, so that as a replica it would not log what it "
                      "receives: set it in the server's configuration and restart it");
    else if (facts[FACT_REPLICA_POSITION][0] != '\0' &&
             strcmp(facts[FACT_REPLICA_UPDATES], "0") == 0)
        findings_warn(findings, "the source is a replica and does not log what it receives: set "
                                "log_slave_updates in its configuration and restart it");
}

static void check_identity(const char *const facts[FACT_COUNT], const source_request_t *request,
                           findings_t *findings, const source_description_t *description)
{
    if (description->server_version < VERSION_MIN || !strstr(facts[FACT_VERSION], "MariaDB"))
        findings_fail(findings, SLUICE_ERROR_SOURCE_SETTINGS,
                      "the source is version %s; it must be MariaDB 10.6 or later",
                      facts[FACT_VERSION]);
    if (description->server_id >= request->server_id_min &&
        description->server_id <= request->server_id_max)
        findings_fail(findings, SLUICE_ERROR_SOURCE_SERVER_ID,
                      "the source's server_id %u is among those the nodes use (%u to %u): choose "
                      "another server-id-base",
                      description->server_id, request->server_id_min, request->server_id_max);
    uint64_t sequence = 0;
    if (description->domain != request->domain &&
        (gtid_list_sequence(facts[FACT_POSITION], request->domain, &sequence) != SLUICE_OK ||
         sequence == 0))
        findings_fail(findings, SLUICE_ERROR_SOURCE_SETTINGS,
                      "the source writes in GTID domain %u and nothing of its log is in domain %u, "
                      "which the changefeed reads: choose domain %u",
                      description->domain, request->domain, description->domain);
    else if (description->domain != request->domain)
        findings_warn(findings,
                      "the source itself writes in GTID domain %u; a change there to a carried "
                      "table fails the changefeed, which reads domain %u",
                      description->domain, request->domain);
}

static bool grants_everywhere(const char *grant, const char *privilege)
{
    const char *on = strstr(grant, " ON *.* ");
    const char *found = strstr(grant, privilege);
    return on && found && found < on;
}

static bool grants_all(const char *grant)
{
    return grants_everywhere(grant, "ALL PRIVILEGES");
}

static sluice_error_t check_rights(MYSQL *mysql, findings_t *findings, error_report_t *report)
{
    MYSQL_RES *result;
    sluice_error_t error = source_query(mysql, "SHOW GRANTS", &result, report);
    if (error != SLUICE_OK)
        return error;
    bool may_read_log = false, may_select = false, may_show_view = false;
    MYSQL_ROW row;
    while ((row = mysql_fetch_row(result))) {
        if (!row[0])
            continue;
        bool is_all = grants_all(row[0]);
        may_read_log |= is_all || grants_everywhere(row[0], "REPLICATION SLAVE") ||
                        grants_everywhere(row[0], "REPLICATION REPLICA");
        may_select |= is_all || grants_everywhere(row[0], "SELECT");
        may_show_view |= is_all || grants_everywhere(row[0], "SHOW VIEW");
    }
    mysql_free_result(result);
    if (!may_read_log)
        findings_fail(findings, SLUICE_ERROR_SOURCE_PRIVILEGE,
                      "the user may not read the log: GRANT REPLICATION SLAVE ON *.* TO the user");
    if (!may_select)
        findings_warn(findings, "the user has no SELECT ON *.*: tables that it cannot see are not "
                                "replicated; GRANT SELECT ON *.* TO the user");
    if (!may_show_view)
        findings_warn(findings, "the user has no SHOW VIEW ON *.*: views that it cannot read fail "
                                "the start; GRANT SHOW VIEW ON *.* TO the user");
    return SLUICE_OK;
}

/* A transaction prepared before the start would commit behind it, its rows unseen. */
static sluice_error_t check_prepared(MYSQL *mysql, findings_t *findings, error_report_t *report)
{
    MYSQL_RES *result;
    sluice_error_t error = source_query(mysql, "XA RECOVER", &result, report);
    if (error != SLUICE_OK)
        return error;
    if (mysql_num_rows(result) > 0)
        findings_fail(findings, SLUICE_ERROR_SOURCE_XA,
                      "%llu XA transactions are prepared on the source (XA RECOVER shows them): XA "
                      "COMMIT or XA ROLLBACK each of them first",
                      (unsigned long long)mysql_num_rows(result));
    mysql_free_result(result);
    return SLUICE_OK;
}

sluice_error_t source_check_server(MYSQL *mysql, const source_request_t *request,
                                   findings_t *findings, source_description_t *description,
                                   error_report_t *report)
{
    const char *facts[FACT_COUNT];
    sluice_error_t error = read_facts(mysql, findings->arena, facts, report);
    if (error != SLUICE_OK)
        return error;
    description->identity = facts[FACT_IDENTITY];
    description->server_id = (uint32_t)strtoul(facts[FACT_SERVER_ID], NULL, 10);
    description->domain = (uint32_t)strtoul(facts[FACT_DOMAIN], NULL, 10);
    description->server_version = parse_version(facts[FACT_VERSION]);
    description->lower_case_names = strcmp(facts[FACT_LOWER_CASE], "0") != 0;
    description->default_charset = facts[FACT_CHARSET];
    description->default_collation = facts[FACT_COLLATION];
    check_settings(facts, findings);
    check_identity(facts, request, findings, description);
    error = check_rights(mysql, findings, report);
    if (error == SLUICE_OK)
        error = check_prepared(mysql, findings, report);
    if (error == SLUICE_OK)
        error = source_check_filters(mysql, findings, report);
    return error;
}
