#include "dispatcher/upstream/source_connection.h"

#include "common/base/memory.h"
#include "common/runtime/secret.h"

#define PORT_DEFAULT 3306

sluice_error_t source_address_parse(const char *uri, arena_t *arena, source_address_t *address,
                                    error_report_t *report)
{
    static const char *const known[] = {"socket",   "password-file", "tls", "tls-ca",
                                        "tls-cert", "tls-key",       NULL};
    *address = (source_address_t){0};
    uri_t parsed;
    uint64_t tls;
    sluice_error_t error = uri_parse(bytes_of_text(uri), arena, &parsed, report);
    if (error == SLUICE_OK)
        error = uri_check_parameters(&parsed, known, report);
    if (error == SLUICE_OK)
        error = uri_parameter_number(&parsed, "tls", 0, 1, 0, &tls, report);
    if (error == SLUICE_OK)
        error =
            secret_password(&parsed, "SLUICE_SOURCE_PASSWORD", arena, &address->password, report);
    if (error != SLUICE_OK)
        return error;
    if (!parsed.user || parsed.user[0] == '\0')
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "the source's URI names no user: mariadb://user@host:port/");
    bool is_unix = strcmp(parsed.scheme, "mariadb+unix") == 0;
    address->user = parsed.user;
    address->socket = is_unix ? parsed.path : uri_parameter(&parsed, "socket");
    address->host = address->socket ? NULL : parsed.host;
    address->port = parsed.port ? parsed.port : PORT_DEFAULT;
    address->requires_tls = tls != 0;
    address->tls_ca = uri_parameter(&parsed, "tls-ca");
    address->tls_cert = uri_parameter(&parsed, "tls-cert");
    address->tls_key = uri_parameter(&parsed, "tls-key");
    if (address->host && address->host[0] == '\0')
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "the source's URI names neither host nor socket");
    return SLUICE_OK;
}

static void set_options(MYSQL *mysql, const source_address_t *address, source_timeouts_t timeouts)
{
    my_bool reconnect = 0, enforce = 1;
    mysql_optionsv(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &timeouts.connect_timeout_s);
    mysql_optionsv(mysql, MYSQL_OPT_READ_TIMEOUT, &timeouts.read_timeout_s);
    mysql_optionsv(mysql, MYSQL_OPT_WRITE_TIMEOUT, &timeouts.read_timeout_s);
    mysql_optionsv(mysql, MYSQL_OPT_RECONNECT, &reconnect);
    mysql_optionsv(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (address->requires_tls) {
        mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &enforce);
        mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &enforce);
    }
    if (address->tls_ca)
        mysql_optionsv(mysql, MYSQL_OPT_SSL_CA, address->tls_ca);
    if (address->tls_cert)
        mysql_optionsv(mysql, MYSQL_OPT_SSL_CERT, address->tls_cert);
    if (address->tls_key)
        mysql_optionsv(mysql, MYSQL_OPT_SSL_KEY, address->tls_key);
}

sluice_error_t source_connect(const source_address_t *address, source_timeouts_t timeouts,
                              MYSQL **mysql, error_report_t *report)
{
    *mysql = NULL;
    MYSQL *connection = mysql_init(NULL);
    if (!connection)
        memory_exhausted(sizeof *connection);
    set_options(connection, address, timeouts);
    if (!mysql_real_connect(connection, address->host, address->user, address->password, NULL,
                            address->host ? address->port : 0, address->socket, 0)) {
        sluice_error_t error = source_error_report(connection, "connecting to the source", report);
        mysql_close(connection);
        return error;
    }
    *mysql = connection;
    return SLUICE_OK;
}

sluice_error_t source_query(MYSQL *mysql, const char *sql, MYSQL_RES **result,
                            error_report_t *report)
{
    if (result)
        *result = NULL;
    if (mysql_real_query(mysql, sql, strlen(sql)) != 0)
        return source_error_report(mysql, sql, report);
    if (!result)
        return SLUICE_OK;
    *result = mysql_store_result(mysql);
    return *result ? SLUICE_OK : source_error_report(mysql, sql, report);
}

sluice_error_t source_query_text(MYSQL *mysql, const char *sql, arena_t *arena, const char **text,
                                 error_report_t *report)
{
    *text = NULL;
    MYSQL_RES *result;
    sluice_error_t error = source_query(mysql, sql, &result, report);
    if (error != SLUICE_OK)
        return error;
    MYSQL_ROW row = mysql_fetch_row(result);
    if (row && row[0])
        *text = arena_strndup(arena, row[0], mysql_fetch_lengths(result)[0]);
    mysql_free_result(result);
    return SLUICE_OK;
}
