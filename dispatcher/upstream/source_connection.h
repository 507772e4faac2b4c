/*
 * Connections to a MariaDB server as source: for streaming its log, for checks, for reading its
 * schema.
 *
 * URI: mariadb://user[:password]@host[:port]/ or mariadb+unix://user@/path/of/socket, parameters
 *   socket=PATH             instead of host and port
 *   password-file=PATH      first line is the password; else environment SLUICE_SOURCE_PASSWORD
 *   tls=0|1                 1: refuse a server without TLS or with a certificate that does not fit
 *   tls-ca=, tls-cert=, tls-key=PATH
 *
 * Threads: a connection belongs to one thread at a time.
 */
#ifndef SLUICE_DISPATCHER_UPSTREAM_SOURCE_CONNECTION_H
#define SLUICE_DISPATCHER_UPSTREAM_SOURCE_CONNECTION_H

#include <mysql.h>

#include "common/base/arena.h"
#include "common/base/error.h"

typedef struct {
    const char *user, *password;
    const char *host, *socket; /* one of them NULL */
    unsigned port;
    bool requires_tls;
    const char *tls_ca, *tls_cert, *tls_key;
} source_address_t;

/* Parses into the arena; may read the password file. SLUICE_ERROR_CONFIGURATION. */
sluice_error_t source_address_parse(const char *uri, arena_t *arena, source_address_t *address,
                                    error_report_t *report) SLUICE_MUST_USE;

typedef struct {
    unsigned connect_timeout_s, read_timeout_s;
} source_timeouts_t;

/* Connects with utf8mb4 and without reconnecting by itself. Blocks up to the connect timeout.
 * Errors as source_error_classify; *mysql is NULL then, else to be ended with mysql_close. */
sluice_error_t source_connect(const source_address_t *address, source_timeouts_t timeouts,
                              MYSQL **mysql, error_report_t *report) SLUICE_MUST_USE;

/* Runs one statement; its rows are in *result, which may be NULL when they are not wanted (then
 * there must be none). Errors as source_error_classify. */
sluice_error_t source_query(MYSQL *mysql, const char *sql, MYSQL_RES **result,
                            error_report_t *report) SLUICE_MUST_USE;

/* The first column of the first row in the arena; NULL for NULL or no row. */
sluice_error_t source_query_text(MYSQL *mysql, const char *sql, arena_t *arena, const char **text,
                                 error_report_t *report) SLUICE_MUST_USE;

/* What a server's or the client library's error means for a changefeed (MARIADB.md §5). An error
 * that is not known: SLUICE_ERROR_SOURCE_CONNECTION, since trying again is all that is left. */
sluice_error_t source_error_classify(unsigned code, const char *message);

/* Fills `report` from the connection's error, with the mend where there is one. */
sluice_error_t source_error_report(MYSQL *mysql, const char *doing, error_report_t *report);

/* The same for a code and text that came another way. */
sluice_error_t source_error_set(unsigned code, const char *message, const char *doing,
                                error_report_t *report);

#endif
