#include "dispatcher/upstream/source_connection.h"

#include <errmsg.h>
#include <mysqld_error.h>

/* Codes without a name in the client's headers. */
#define SERVER_ID_TAKEN 4052
#define GTID_LIST_UNPARSABLE 1941
#define TOO_MANY_USER_CONNECTIONS 1203
#define ACCESS_DENIED_NO_PASSWORD 1698

/* 1236 is what a server says of every log it cannot send; only its text tells why. */
static sluice_error_t classify_log_error(const char *message)
{
    static const struct {
        const char *part;
        sluice_error_t code;
    } parts[] = {
        {"have been purged", SLUICE_ERROR_SOURCE_PURGED},
        {"Could not find GTID state", SLUICE_ERROR_SOURCE_PURGED},
        {"Could not find first log", SLUICE_ERROR_SOURCE_PURGED},
        {"which is not in the master", SLUICE_ERROR_SOURCE_DIVERGED},
        {"diverged", SLUICE_ERROR_SOURCE_DIVERGED},
        {"could not find next log", SLUICE_ERROR_SOURCE_DIVERGED},
        {"corrupt", SLUICE_ERROR_SOURCE_CORRUPT},
        {"truncated", SLUICE_ERROR_SOURCE_CORRUPT},
        {"impossible position", SLUICE_ERROR_SOURCE_CORRUPT},
        {"max_allowed_packet", SLUICE_ERROR_SOURCE_SETTINGS},
        {"same server_uuid/server_id", SLUICE_ERROR_SOURCE_SERVER_ID},
        {"Binary log is not open", SLUICE_ERROR_SOURCE_SETTINGS},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strstr(message, parts[i].part))
            return parts[i].code;
    return SLUICE_ERROR_SOURCE_CONNECTION;
}

sluice_error_t source_error_classify(unsigned code, const char *message)
{
    switch (code) {
    case ER_MASTER_FATAL_ERROR_READING_BINLOG:
        return classify_log_error(message);
    case SERVER_ID_TAKEN:
        return SLUICE_ERROR_SOURCE_SERVER_ID;
    case GTID_LIST_UNPARSABLE:
        return SLUICE_ERROR_MALFORMED;
    case ER_ACCESS_DENIED_ERROR:
    case ACCESS_DENIED_NO_PASSWORD:
    case CR_AUTH_PLUGIN_CANNOT_LOAD:
        return SLUICE_ERROR_SOURCE_CREDENTIALS;
    case ER_SPECIFIC_ACCESS_DENIED_ERROR:
    case ER_DBACCESS_DENIED_ERROR:
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_COLUMNACCESS_DENIED_ERROR:
        return SLUICE_ERROR_SOURCE_PRIVILEGE;
    case ER_CON_COUNT_ERROR:
    case TOO_MANY_USER_CONNECTIONS:
    case ER_USER_LIMIT_REACHED:
        return SLUICE_ERROR_SOURCE_BUSY;
    default:
        return SLUICE_ERROR_SOURCE_CONNECTION;
    }
}

static const char *mend(sluice_error_t code)
{
    switch ((int)code) {
    case SLUICE_ERROR_SOURCE_PURGED:
        return "; the changefeed has to start anew from a fresh copy of the source, and "
               "binlog_expire_logs_seconds should be longer";
    case SLUICE_ERROR_SOURCE_DIVERGED:
        return "; the source is not the one this position came from, or was reset: start the "
               "changefeed anew from a fresh copy";
    case SLUICE_ERROR_SOURCE_SERVER_ID:
        return "; another replica uses this server_id: give each process its own "
               "(server-id-base)";
    case SLUICE_ERROR_SOURCE_CREDENTIALS:
        return "; check user and password of the source";
    case SLUICE_ERROR_SOURCE_PRIVILEGE:
        return "; GRANT REPLICATION SLAVE, REPLICATION CLIENT, SELECT, SHOW VIEW ON *.* TO the "
               "changefeed's user";
    default:
        return "";
    }
}

sluice_error_t source_error_set(unsigned code, const char *message, const char *doing,
                                error_report_t *report)
{
    sluice_error_t error = source_error_classify(code, message);
    return error_report_set(report, error, "%s: %s (error %u)%s", doing, message, code,
                            mend(error));
}

sluice_error_t source_error_report(MYSQL *mysql, const char *doing, error_report_t *report)
{
    return source_error_set(mysql_errno(mysql), mysql_error(mysql), doing, report);
}
