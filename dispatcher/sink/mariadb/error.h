/*
 * What the errors of a MariaDB sink mean: whether trying again can help, or who has to mend what.
 * Pure. Threads: functions only.
 */
#ifndef SLUICE_DISPATCHER_SINK_MARIADB_ERROR_H
#define SLUICE_DISPATCHER_SINK_MARIADB_ERROR_H

#include "common/base/error.h"

/* Those that code elsewhere asks for by name. */
enum {
    MARIADB_DUPLICATE_KEY = 1062,
    MARIADB_BAD_DATABASE = 1049,
    MARIADB_BAD_TABLE = 1051,
    MARIADB_NO_SUCH_TABLE = 1146,
    MARIADB_LOCK_WAIT_TIMEOUT = 1205,
    MARIADB_NO_SUCH_THREAD = 1094,
    MARIADB_NO_SESSION_VARIABLE = 1238,
    MARIADB_DATA_TRUNCATED = 1265
};

/* The class of an error number of the server (1000…) or of its client library (2000…); `text` is
 * its message, which for a few of them says more. Never SLUICE_OK. */
sluice_error_t mariadb_error_class(unsigned number, const char *text);

/* Whether the connection is unusable after it. */
bool mariadb_error_ends_connection(unsigned number);

#endif
