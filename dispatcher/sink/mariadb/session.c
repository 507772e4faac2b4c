#include "dispatcher/sink/mariadb/session.h"

#include <assert.h>
#include <errmsg.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/base/memory.h"
#include "common/runtime/secret.h"
#include "dispatcher/sink/mariadb/error.h"

#define CONNECT_TIMEOUT_S 10
#define ROWS_TIMEOUT_S 60
#define PACKET_MAX_CLIENT (1ul << 30)
#define PACKET_MAX_ASSUMED (UINT64_C(1) << 20)

struct mariadb_session {
    const mariadb_endpoint_t *endpoint;
    mariadb_session_kind_t kind;
    MYSQL *handle; /* NULL: not connected */
    uint64_t packet_max;
    uint64_t number;
    unsigned last_error;
    pthread_mutex_t mutex; /* guards `socket` against being shut down after it was closed */
    int socket;            /* -1: none */
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void library_start(void)
{
    mysql_library_init(0, NULL, NULL);
}

sluice_error_t mariadb_endpoint_parse(const char *text, arena_t *arena,
                                      mariadb_endpoint_t *endpoint, error_report_t *report)
{
    static const char *const known[] = {"socket",   "password-file", "tls", "tls-ca",
                                        "tls-cert", "tls-key",       NULL};
    uri_t uri;
    sluice_error_t error = uri_parse(bytes_of_text(text), arena, &uri, report);
    if (error == SLUICE_OK)
        error = uri_check_parameters(&uri, known, report);
    uint64_t uses_tls = 0;
    if (error == SLUICE_OK)
        error = uri_parameter_number(&uri, "tls", 0, 1, 0, &uses_tls, report);
    *endpoint = (mariadb_endpoint_t){0};
    if (error == SLUICE_OK)
        error = secret_password(&uri, "SLUICE_SINK_PASSWORD", arena, &endpoint->password, report);
    if (error != SLUICE_OK)
        return error;
    endpoint->host = uri.host && *uri.host ? uri.host : "localhost";
    endpoint->port = uri.port ? uri.port : 3306;
    endpoint->user = uri.user;
    endpoint->socket = uri_parameter(&uri, "socket");
    endpoint->tls_ca = uri_parameter(&uri, "tls-ca");
    endpoint->tls_certificate = uri_parameter(&uri, "tls-cert");
    endpoint->tls_key = uri_parameter(&uri, "tls-key");
    endpoint->uses_tls = uses_tls || endpoint->tls_ca || endpoint->tls_certificate;
    if (!endpoint->user)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "the sink's URI names no user: mariadb://user@host:port");
    if (uri.path && *uri.path && strcmp(uri.path, "/") != 0)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "the sink's URI has the path %s: a MariaDB sink takes all schemas, "
                                "leave the path out",
                                uri.path);
    return SLUICE_OK;
}

mariadb_session_t *mariadb_session_new(const mariadb_endpoint_t *endpoint,
                                       mariadb_session_kind_t kind)
{
    pthread_once(&library_once, library_start);
    mariadb_session_t *session = memory_zalloc(sizeof *session);
    session->endpoint = endpoint;
    session->kind = kind;
    session->socket = -1;
    pthread_mutex_init(&session->mutex, NULL);
    return session;
}

void mariadb_session_destroy(mariadb_session_t **session)
{
    if (!*session)
        return;
    mariadb_session_close(*session);
    pthread_mutex_destroy(&(*session)->mutex);
    free(*session);
    *session = NULL;
}

static void socket_set(mariadb_session_t *session, int socket)
{
    pthread_mutex_lock(&session->mutex);
    session->socket = socket;
    pthread_mutex_unlock(&session->mutex);
}

/* A server that vanished must not hold a statement without read timeout for hours. */
static void keep_alive(int socket)
{
    const int on = 1, idle_s = 10, interval_s = 5, count = 3;
    setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

static void options_set(const mariadb_session_t *session, MYSQL *handle)
{
    const mariadb_endpoint_t *endpoint = session->endpoint;
    const unsigned connect_s = CONNECT_TIMEOUT_S, rows_s = ROWS_TIMEOUT_S;
    const my_bool off = 0, on = 1;
    const unsigned long packet_max = PACKET_MAX_CLIENT;
    const unsigned tcp = MYSQL_PROTOCOL_TCP;
    mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
    mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &rows_s);
    if (session->kind == MARIADB_SESSION_ROWS)
        mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &rows_s);
    mysql_options(handle, MYSQL_OPT_RECONNECT, &off);
    mysql_options(handle, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet_max);
    mysql_options(handle, MYSQL_SET_CHARSET_NAME,
                  session->kind == MARIADB_SESSION_ROWS ? "binary" : "utf8mb4");
    /* Or "localhost" would mean the default socket, whatever the port. */
    if (!endpoint->socket)
        mysql_options(handle, MYSQL_OPT_PROTOCOL, &tcp);
    if (endpoint->uses_tls) {
        mysql_ssl_set(handle, endpoint->tls_key, endpoint->tls_certificate, endpoint->tls_ca, NULL,
                      NULL);
        mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &on);
        mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
    }
}

/* Values were checked by the source: nothing that it holds may be refused or changed here, hence no
 * strict mode, no checks, no zone. Warnings are looked at after each statement instead. */
static const char settings_common[] =
    "SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone='+00:00', "
    "foreign_key_checks=0, unique_checks=1, check_constraint_checks=0, sql_auto_is_null=0, "
    "sql_safe_updates=0, sql_select_limit=18446744073709551615, sql_quote_show_create=1, "
    "max_statement_time=0, "
    "wait_timeout=31536000, autocommit=0";

/* The charset is set again because a server can be told to ignore the one of the handshake. */
static const char *const settings_rows[] = {
    "SET NAMES binary",
    "SET SESSION innodb_lock_wait_timeout=1, lock_wait_timeout=5",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE",
    NULL,
};
static const char *const settings_ddl[] = {
    "SET NAMES utf8mb4",
    "SET SESSION innodb_lock_wait_timeout=10, lock_wait_timeout=30, innodb_strict_mode=OFF, "
    "default_storage_engine=InnoDB",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE",
    NULL,
};

static sluice_error_t packet_max_read(mariadb_session_t *session, error_report_t *report)
{
    MYSQL_RES *result;
    sluice_error_t error =
        mariadb_session_select(session, "SELECT @@max_allowed_packet", &result, report);
    if (error != SLUICE_OK)
        return error;
    MYSQL_ROW row = mysql_fetch_row(result);
    session->packet_max = row && row[0] ? strtoull(row[0], NULL, 10) : PACKET_MAX_ASSUMED;
    mysql_free_result(result);
    return SLUICE_OK;
}

static sluice_error_t settings_apply(mariadb_session_t *session, error_report_t *report)
{
    const char *const *settings =
        session->kind == MARIADB_SESSION_ROWS ? settings_rows : settings_ddl;
    sluice_error_t error = mariadb_session_run(session, settings_common, NULL, report);
    for (; *settings && error == SLUICE_OK; settings++)
        error = mariadb_session_run(session, *settings, NULL, report);
    return error == SLUICE_OK ? packet_max_read(session, report) : error;
}

sluice_error_t mariadb_session_open(mariadb_session_t *session, error_report_t *report)
{
    if (session->handle)
        return SLUICE_OK;
    const mariadb_endpoint_t *endpoint = session->endpoint;
    session->handle = mysql_init(NULL);
    if (!session->handle)
        memory_exhausted(sizeof(MYSQL));
    options_set(session, session->handle);
    if (!mysql_real_connect(session->handle, endpoint->host, endpoint->user, endpoint->password,
                            NULL, endpoint->port, endpoint->socket,
                            CLIENT_FOUND_ROWS | CLIENT_MULTI_RESULTS)) {
        sluice_error_t error = mariadb_session_failed(session, "connecting", report);
        mariadb_session_close(session);
        return error;
    }
    int socket = (int)mysql_get_socket(session->handle);
    socket_set(session, socket);
    if (!endpoint->socket)
        keep_alive(socket);
    session->number++;
    sluice_error_t error = settings_apply(session, report);
    if (error != SLUICE_OK)
        mariadb_session_close(session);
    return error;
}

void mariadb_session_close(mariadb_session_t *session)
{
    if (!session->handle)
        return;
    socket_set(session, -1);
    mysql_close(session->handle);
    session->handle = NULL;
}

bool mariadb_session_is_open(const mariadb_session_t *session)
{
    return session->handle != NULL;
}

void mariadb_session_interrupt(mariadb_session_t *session)
{
    pthread_mutex_lock(&session->mutex);
    if (session->socket >= 0)
        shutdown(session->socket, SHUT_RDWR);
    pthread_mutex_unlock(&session->mutex);
}

MYSQL *mariadb_session_handle(mariadb_session_t *session)
{
    assert(session->handle);
    return session->handle;
}

uint64_t mariadb_session_packet_max(const mariadb_session_t *session)
{
    return session->packet_max;
}

uint64_t mariadb_session_number(const mariadb_session_t *session)
{
    return session->number;
}

unsigned mariadb_session_last_error(const mariadb_session_t *session)
{
    return session->last_error;
}

static sluice_error_t failed(mariadb_session_t *session, unsigned number, const char *text,
                             const char *doing, error_report_t *report)
{
    const mariadb_endpoint_t *endpoint = session->endpoint;
    char port[16] = "";
    if (!endpoint->socket)
        snprintf(port, sizeof port, ":%u", (unsigned)endpoint->port);
    session->last_error = number;
    sluice_error_t error = error_report_set(
        report, mariadb_error_class(number, text), "sink %s%s: %s: error %u: %s",
        endpoint->socket ? endpoint->socket : endpoint->host, port, doing, number, text);
    if (mariadb_error_ends_connection(number))
        mariadb_session_close(session);
    return error;
}

sluice_error_t mariadb_session_check(mariadb_session_t *session, error_report_t *report)
{
    return session->handle
               ? SLUICE_OK
               : failed(session, CR_SERVER_LOST, "the connection was lost", "going on", report);
}

sluice_error_t mariadb_session_failed(mariadb_session_t *session, const char *doing,
                                      error_report_t *report)
{
    char text[512];
    snprintf(text, sizeof text, "%s", mysql_error(session->handle));
    return failed(session, mysql_errno(session->handle), text, doing, report);
}

sluice_error_t mariadb_session_statement_failed(mariadb_session_t *session, MYSQL_STMT *statement,
                                                const char *doing, error_report_t *report)
{
    char text[512];
    snprintf(text, sizeof text, "%s", mysql_stmt_error(statement));
    return failed(session, mysql_stmt_errno(statement), text, doing, report);
}

/* Statements of ours are short; a DDL is shown by its beginning. */
static sluice_error_t query_failed(mariadb_session_t *session, bytes_t sql, error_report_t *report)
{
    char doing[160];
    size_t shown = sql.len < sizeof doing - 4 ? sql.len : sizeof doing - 4;
    snprintf(doing, sizeof doing, "%.*s%s", (int)shown, (const char *)sql.data,
             shown < sql.len ? "…" : "");
    return mariadb_session_failed(session, doing, report);
}

sluice_error_t mariadb_session_run_bytes(mariadb_session_t *session, bytes_t sql,
                                         error_report_t *report)
{
    sluice_error_t error = mariadb_session_check(session, report);
    if (error != SLUICE_OK)
        return error;
    MYSQL *handle = session->handle;
    if (mysql_real_query(handle, (const char *)sql.data, sql.len) != 0)
        return query_failed(session, sql, report);
    for (;;) {
        MYSQL_RES *result = mysql_store_result(handle);
        if (result)
            mysql_free_result(result);
        int more = mysql_next_result(handle);
        if (more > 0)
            return query_failed(session, sql, report);
        if (more < 0)
            return SLUICE_OK;
    }
}

sluice_error_t mariadb_session_run(mariadb_session_t *session, const char *sql, uint64_t *affected,
                                   error_report_t *report)
{
    sluice_error_t error = mariadb_session_check(session, report);
    if (error != SLUICE_OK)
        return error;
    if (mysql_real_query(session->handle, sql, strlen(sql)) != 0)
        return query_failed(session, bytes_of_text(sql), report);
    if (affected)
        *affected = mysql_affected_rows(session->handle);
    return SLUICE_OK;
}

sluice_error_t mariadb_session_select(mariadb_session_t *session, const char *sql,
                                      MYSQL_RES **result, error_report_t *report)
{
    *result = NULL;
    sluice_error_t error = mariadb_session_check(session, report);
    if (error != SLUICE_OK)
        return error;
    if (mysql_real_query(session->handle, sql, strlen(sql)) != 0)
        return query_failed(session, bytes_of_text(sql), report);
    *result = mysql_store_result(session->handle);
    if (!*result)
        return query_failed(session, bytes_of_text(sql), report);
    return SLUICE_OK;
}

sluice_error_t mariadb_session_commit(mariadb_session_t *session, error_report_t *report)
{
    sluice_error_t error = mariadb_session_check(session, report);
    if (error == SLUICE_OK && mysql_commit(session->handle) != 0)
        error = mariadb_session_failed(session, "COMMIT", report);
    return error;
}

void mariadb_session_rollback(mariadb_session_t *session)
{
    if (session->handle && mysql_rollback(session->handle) != 0)
        mariadb_session_close(session);
}
