#include "dispatcher/sink/mariadb/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "dispatcher/sink/mariadb/tables.h"

/* DDL is atomic and InnoDB's tables can be asked from here on. */
#define VERSION_MIN 100600u

sluice_error_t mariadb_check_add(error_report_t *report, sluice_error_t code, const char *format,
                                 ...)
{
    if (report->code == SLUICE_OK) {
        report->code = code;
        report->text[0] = '\0';
    }
    size_t used = strlen(report->text);
    if (used > 0 && used + 2 < sizeof report->text)
        used += (size_t)snprintf(report->text + used, sizeof report->text - used, "\n");
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(report->text + used, sizeof report->text - used, format, arguments);
    va_end(arguments);
    return report->code;
}

/* 101119 for "10.11.19-MariaDB-…", 0 for what is not MariaDB. */
static unsigned version_parse(const char *text)
{
    unsigned major = 0, minor = 0, patch = 0;
    if (!strstr(text, "MariaDB") || sscanf(text, "%u.%u.%u", &major, &minor, &patch) != 3)
        return 0;
    return major * 10000 + minor * 100 + patch;
}

static void settings_look(MYSQL_ROW row, error_report_t *report)
{
    const char *version = row[0], *log_bin = row[1], *format = row[2], *read_only = row[3];
    const char *packet_max = row[4];
    if (version_parse(version) < VERSION_MIN)
        mariadb_check_add(report, SLUICE_ERROR_SINK_SETTINGS,
                          "the sink is %s: MariaDB 10.6 or later is needed", version);
    if (strcmp(log_bin, "1") == 0 && strcmp(format, "STATEMENT") == 0)
        mariadb_check_add(report, SLUICE_ERROR_SINK_SETTINGS,
                          "the sink logs statements, which cannot be written with READ COMMITTED: "
                          "set binlog_format to ROW or MIXED there");
    if (strcmp(read_only, "0") != 0)
        mariadb_check_add(report, SLUICE_ERROR_SINK_SETTINGS,
                          "the sink is read-only: set read_only=0 there");
    if (strtoull(packet_max, NULL, 10) < (1u << 20))
        mariadb_check_add(report, SLUICE_ERROR_SINK_SETTINGS,
                          "the sink's max_allowed_packet is %s: raise it to at least 1M",
                          packet_max);
}

static sluice_error_t settings_check(mariadb_session_t *session, error_report_t *report)
{
    MYSQL_RES *result;
    sluice_error_t error = mariadb_session_select(
        session, "SELECT VERSION(),@@log_bin,@@binlog_format,@@read_only,@@max_allowed_packet",
        &result, report);
    if (error != SLUICE_OK)
        return error;
    MYSQL_ROW row = mysql_fetch_row(result);
    if (row)
        settings_look(row, report);
    mysql_free_result(result);
    return SLUICE_OK;
}

sluice_error_t mariadb_check_durability(mariadb_session_t *session, error_report_t *report)
{
    MYSQL_RES *result;
    sluice_error_t error = mariadb_session_select(
        session, "SELECT @@global.innodb_flush_log_at_trx_commit", &result, report);
    if (error != SLUICE_OK)
        return error;
    MYSQL_ROW row = mysql_fetch_row(result);
    if (row && row[0] && strcmp(row[0], "1") != 0)
        snprintf(
            report->text, sizeof report->text,
            "the sink's innodb_flush_log_at_trx_commit is %s: in a crash it may lose rows that "
            "the checkpoint counts on; SET GLOBAL innodb_flush_log_at_trx_commit=1 there",
            row[0]);
    mysql_free_result(result);
    return SLUICE_OK;
}

/* Runs a statement that only a user with the privilege may run. */
static sluice_error_t privilege_check(mariadb_session_t *session, const char *sql, const char *mend,
                                      error_report_t *report)
{
    error_report_t own = {0};
    MYSQL_RES *result;
    sluice_error_t error = mariadb_session_select(session, sql, &result, &own);
    if (error == SLUICE_OK) {
        mysql_free_result(result);
        return SLUICE_OK;
    }
    if (!mariadb_session_is_open(session)) {
        *report = own;
        return error;
    }
    mariadb_check_add(report, SLUICE_ERROR_SINK_SETTINGS, "%s (%s)", mend, own.text);
    return SLUICE_OK;
}

static bool is_one_of(const char *identity, const char *lines)
{
    size_t len = strlen(identity);
    for (const char *line = lines; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (strcspn(line, "\n") == len && memcmp(line, identity, len) == 0)
            return true;
    return false;
}

static sluice_error_t identity_check(mariadb_session_t *session, const char *source_identity,
                                     error_report_t *report)
{
    MYSQL_RES *result;
    sluice_error_t error = mariadb_session_select(session, MARIADB_IDENTITY_SQL, &result, report);
    if (error != SLUICE_OK)
        return error;
    MYSQL_ROW row = mysql_fetch_row(result);
    if (row && row[0] && is_one_of(row[0], source_identity))
        mariadb_check_add(report, SLUICE_ERROR_CONFIGURATION,
                          "source and sink are the same server: give another sink");
    mysql_free_result(result);
    return SLUICE_OK;
}

sluice_error_t mariadb_check_server(mariadb_session_t *session, const char *source_identity,
                                    error_report_t *report)
{
    sluice_error_t error = settings_check(session, report);
    if (error == SLUICE_OK && source_identity)
        error = identity_check(session, source_identity, report);
    if (error == SLUICE_OK)
        error = privilege_check(session, "SELECT COUNT(*) FROM information_schema.INNODB_TRX",
                                "the sink's user lacks PROCESS, which is needed to see who holds a "
                                "lock: GRANT PROCESS ON *.* to it",
                                report);
    if (error != SLUICE_OK || report->code != SLUICE_OK)
        return report->code;
    error_report_t own = {0};
    error = mariadb_tables_create(session, &own);
    if (error != SLUICE_OK)
        mariadb_check_add(report, error,
                          "cannot make the tables of schema `sluice`: GRANT ALL ON sluice.* to the "
                          "sink's user (%s)",
                          own.text);
    return report->code;
}
