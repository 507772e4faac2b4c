#include <strings.h>

#include "dispatcher/upstream/source_internal.h"

/* What a server leaves out of its log, of its own changes or of those it receives as a replica. */

static bool is_system_schema(const char *name, size_t len)
{
    static const char *const schemas[] = {"mysql", "information_schema", "performance_schema",
                                          "sys"};
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++)
        if (strlen(schemas[i]) == len && strncasecmp(schemas[i], name, len) == 0)
            return true;
    return false;
}

/* "db,db" or "db.table,db.table": whether something else than system schemas, which are not
 * carried anyway, is among them. */
static bool names_user_schemas(const char *list)
{
    for (const char *at = list; *at; at += *at == ',') {
        size_t len = strcspn(at, ",");
        if (len > 0 && !is_system_schema(at, strcspn(at, ".,")))
            return true;
        at += len;
    }
    return false;
}

static sluice_error_t check_received(MYSQL *mysql, findings_t *findings, error_report_t *report)
{
    static const char *const names[] = {"replicate_ignore_db",         "replicate_ignore_table",
                                        "replicate_wild_ignore_table", "replicate_do_db",
                                        "replicate_do_table",          "replicate_wild_do_table"};
    MYSQL_RES *result;
    sluice_error_t error =
        source_query(mysql,
                     "SELECT @@global.replicate_ignore_db, @@global.replicate_ignore_table, "
                     "@@global.replicate_wild_ignore_table, @@global.replicate_do_db, "
                     "@@global.replicate_do_table, @@global.replicate_wild_do_table",
                     &result, report);
    if (error != SLUICE_OK)
        return error;
    MYSQL_ROW row = mysql_fetch_row(result);
    for (size_t i = 0; row && i < sizeof names / sizeof names[0]; i++)
        if (row[i] && names_user_schemas(row[i]))
            findings_fail(findings, SLUICE_ERROR_SOURCE_SETTINGS,
                          "%s is %s: what it leaves out as a replica is in the logs of the other "
                          "servers, and not in its own; STOP SLAVE; SET GLOBAL %s=''; and copy the "
                          "server anew",
                          names[i], row[i], names[i]);
    mysql_free_result(result);
    return SLUICE_OK;
}

/* Who may not see it is not told. */
static void check_logged(MYSQL *mysql, findings_t *findings)
{
    static const char *const names[] = {"binlog_do_db", "binlog_ignore_db"};
    MYSQL_RES *result;
    error_report_t unused;
    if (source_query(mysql, "SHOW MASTER STATUS", &result, &unused) != SLUICE_OK)
        return;
    MYSQL_ROW row = mysql_fetch_row(result);
    for (size_t i = 0; row && mysql_num_fields(result) >= 4 && i < 2; i++)
        if (row[2 + i] && names_user_schemas(row[2 + i]))
            findings_warn(findings,
                          "%s is %s: what it keeps out of the log is not replicated; take it out "
                          "of the server's configuration and restart it",
                          names[i], row[2 + i]);
    mysql_free_result(result);
}

sluice_error_t source_check_filters(MYSQL *mysql, findings_t *findings, error_report_t *report)
{
    check_logged(mysql, findings);
    return findings->server ? check_received(mysql, findings, report) : SLUICE_OK;
}
