#include "common/runtime/http_server.h"

#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/memory.h"

#define CONNECTION_MEMORY (20 * 1024) /* header and parsing of one request */

struct http_request {
    http_server_t *server;
    http_request_t *next; /* in the server's list of pending ones */
    struct MHD_Connection *connection;
    const char *method;
    char *path;
    uint8_t *body;
    size_t body_len, body_capacity;
    bool is_handled;   /* the handler has it or has had it */
    bool is_suspended; /* handled, and not answered inside the handler */
    struct MHD_Response *response;
    unsigned status;
};

struct http_server {
    struct MHD_Daemon *daemon;
    http_handler_t *handler;
    void *context;
    http_request_t *pending;
    uint32_t pending_count;
};

/* ---- requests ---- */

const char *http_request_method(const http_request_t *request)
{
    return request->method;
}

const char *http_request_path(const http_request_t *request)
{
    return request->path;
}

bytes_t http_request_body(const http_request_t *request)
{
    return bytes_of(request->body, request->body_len);
}

const char *http_request_query(const http_request_t *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

static http_request_t *request_new(http_server_t *server, struct MHD_Connection *connection,
                                   const char *path, const char *method)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
    http_request_t *request = memory_zalloc(sizeof *request);
    request->server = server;
    request->connection = connection;
    request->path = memory_strdup(path);
    request->method = strcmp(method, "HEAD") == 0 ? "GET" : "";
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(method, methods[i]) == 0)
            request->method = methods[i];
    return request;
}

static void request_free(http_request_t *request)
{
    if (request->response)
        MHD_destroy_response(request->response);
    free(request->path);
    free(request->body);
    free(request);
}

static void pending_remove(http_request_t *request)
{
    http_request_t **at = &request->server->pending;
    while (*at && *at != request)
        at = &(*at)->next;
    if (*at) {
        *at = request->next;
        request->server->pending_count--;
    }
}

static struct MHD_Response *make_response(const char *content_type, bytes_t body, unsigned status,
                                          const char *allow)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body.len, (void *)(body.len ? (const void *)body.data : ""), MHD_RESPMEM_MUST_COPY);
    if (!response)
        memory_exhausted(body.len);
    MHD_add_response_header(response, "Content-Type", content_type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (allow)
        MHD_add_response_header(response, "Allow", allow);
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
        MHD_add_response_header(response, "Retry-After", "1");
    return response;
}

void http_respond(http_request_t **self, unsigned status, const char *content_type, bytes_t body,
                  const char *allow)
{
    http_request_t *request = *self;
    *self = NULL;
    request->status = status;
    request->response = make_response(content_type, body, status, allow);
    pending_remove(request);
    if (request->is_suspended) {
        request->is_suspended = false;
        MHD_resume_connection(request->connection);
    }
}

/* ---- callbacks of the library ---- */

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *code,
                              const char *text)
{
    char body[256];
    snprintf(body, sizeof body, "{\"error_code\":\"%s\",\"error_msg\":\"%s\"}\n", code, text);
    struct MHD_Response *response =
        make_response("application/json", bytes_of_text(body), status, NULL);
    MHD_add_response_header(response, "Connection", "close");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static const char *header_of(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* 0: may go on; else the status that refuses it by its header alone. */
static unsigned check_header(struct MHD_Connection *connection, const http_request_t *request)
{
    const char *length = header_of(connection, "Content-Length");
    const char *encoding = header_of(connection, "Transfer-Encoding");
    const char *type = header_of(connection, "Content-Type");
    bool has_body = encoding || (length && strcmp(length, "0") != 0);
    if (encoding && length)
        return MHD_HTTP_BAD_REQUEST;
    if (length && strtoull(length, NULL, 10) > HTTP_BODY_BYTES_MAX)
        return MHD_HTTP_CONTENT_TOO_LARGE;
    if (strcmp(request->method, "GET") == 0)
        return 0;
    if (header_of(connection, "Origin"))
        return MHD_HTTP_FORBIDDEN;
    bool is_json = type && strncasecmp(type, "application/json", strlen("application/json")) == 0;
    return (has_body || type) && !is_json ? MHD_HTTP_UNSUPPORTED_MEDIA_TYPE : 0;
}

static enum MHD_Result begin(struct MHD_Connection *connection, http_request_t *request)
{
    unsigned status = check_header(connection, request);
    switch (status) {
    case 0:
        return MHD_YES;
    case MHD_HTTP_CONTENT_TOO_LARGE:
        return refuse(connection, status, "too_large", "the body is larger than 1 MiB");
    case MHD_HTTP_FORBIDDEN:
        return refuse(connection, status, "forbidden", "not from web pages");
    case MHD_HTTP_UNSUPPORTED_MEDIA_TYPE:
        return refuse(connection, status, "unsupported",
                      "Content-Type: application/json is wanted");
    default:
        return refuse(connection, status, "malformed", "length and encoding contradict each other");
    }
}

static enum MHD_Result take_body(http_request_t *request, const char *data, size_t *len)
{
    if (*len > HTTP_BODY_BYTES_MAX - request->body_len)
        return MHD_NO;
    if (request->body_capacity - request->body_len < *len) {
        request->body_capacity = (request->body_len + *len) * 2;
        request->body = memory_realloc(request->body, request->body_capacity);
    }
    memcpy(request->body + request->body_len, data, *len);
    request->body_len += *len;
    *len = 0;
    return MHD_YES;
}

static enum MHD_Result handle(http_server_t *server, http_request_t *request)
{
    if (server->pending_count >= HTTP_PENDING_MAX)
        return refuse(request->connection, MHD_HTTP_SERVICE_UNAVAILABLE, "full",
                      "too many requests wait for their answer");
    request->is_handled = true;
    request->next = server->pending;
    server->pending = request;
    server->pending_count++;
    server->handler(server->context, request);
    if (!request->response) {
        request->is_suspended = true;
        MHD_suspend_connection(request->connection);
        return MHD_YES;
    }
    return MHD_queue_response(request->connection, request->status, request->response);
}

static enum MHD_Result on_access(void *context, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *upload,
                                 size_t *upload_len, void **state)
{
    (void)version;
    http_request_t *request = *state;
    if (!request) {
        request = *state = request_new(context, connection, url, method);
        return begin(connection, request);
    }
    if (*upload_len)
        return take_body(request, upload, upload_len);
    if (request->response)
        return MHD_queue_response(connection, request->status, request->response);
    return request->is_handled ? MHD_YES : handle(context, request);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)context, (void)connection, (void)code;
    http_request_t *request = *state;
    *state = NULL;
    if (request)
        request_free(request);
}

/* Names in our paths need no escapes, and what is not decoded cannot hide a NUL or "..". */
static size_t on_unescape(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context, (void)connection;
    return strlen(text);
}

/* The library's own complaints are about what a client did: not for our log. */
static void on_log(void *context, const char *format, va_list arguments)
{
    (void)context, (void)format, (void)arguments;
}

/* ---- the server ---- */

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
    }
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

bool http_request_is_local(const http_request_t *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info && is_loopback(info->client_addr);
}

static sluice_error_t resolve(const char *endpoint, struct addrinfo **found, error_report_t *report)
{
    char host[256];
    const char *colon = strrchr(endpoint, ':');
    size_t len = colon ? (size_t)(colon - endpoint) : 0;
    bool is_bracketed = len >= 2 && endpoint[0] == '[' && endpoint[len - 1] == ']';
    snprintf(host, sizeof host, "%.*s", (int)(is_bracketed ? len - 2 : len),
             endpoint + (is_bracketed ? 1 : 0));
    const char *port = colon ? colon + 1 : "";
    bool is_port = *port && strspn(port, "0123456789") == strlen(port) && strlen(port) <= 5 &&
                   strtoul(port, NULL, 10) <= UINT16_MAX;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    bool is_any = strcmp(host, "*") == 0;
    if (len == 0 || len >= sizeof host || !is_port ||
        getaddrinfo(is_any ? NULL : host, port, &hints, found) != 0)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "'%s' is no address to listen on: host:port is wanted", endpoint);
    return SLUICE_OK;
}

static struct MHD_Daemon *start_daemon(http_server_t *server, const struct sockaddr *address)
{
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    if (address->sa_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    return MHD_start_daemon(flags, 0, NULL, NULL, on_access, server, MHD_OPTION_SOCK_ADDR, address,
                            MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_NOTIFY_COMPLETED,
                            on_completed, server, MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned)HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned)HTTP_IDLE_SECONDS, MHD_OPTION_STRICT_FOR_CLIENT, 1,
                            MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL, MHD_OPTION_END);
}

sluice_error_t http_server_start(const char *endpoint, bool insecure, http_handler_t *handler,
                                 void *context, http_server_t **out, error_report_t *report)
{
    struct addrinfo *found = NULL;
    *out = NULL;
    sluice_error_t error = resolve(endpoint, &found, report);
    if (error != SLUICE_OK)
        return error;
    if (!insecure && !is_loopback(found->ai_addr)) {
        freeaddrinfo(found);
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "%s is reachable from other machines and asks nobody who he is: "
                                "set 'insecure: true' if the network is trusted",
                                endpoint);
    }
    http_server_t *server = memory_zalloc(sizeof *server);
    server->handler = handler;
    server->context = context;
    server->daemon = start_daemon(server, found->ai_addr);
    freeaddrinfo(found);
    if (!server->daemon) {
        free(server);
        return error_report_set(report, SLUICE_ERROR_IO, "cannot listen on %s: is it in use?",
                                endpoint);
    }
    *out = server;
    return SLUICE_OK;
}

void http_server_destroy(http_server_t **self)
{
    static const char body[] = "{\"error_code\":\"closed\",\"error_msg\":\"the server stops\"}\n";
    http_server_t *server = *self;
    if (!server)
        return;
    while (server->pending) {
        http_request_t *request = server->pending;
        http_respond(&request, MHD_HTTP_SERVICE_UNAVAILABLE, "application/json",
                     bytes_of_text(body), NULL);
    }
    MHD_run(server->daemon);
    MHD_stop_daemon(server->daemon);
    free(server);
    *self = NULL;
}

uint16_t http_server_port(const http_server_t *server)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

int http_server_descriptor(const http_server_t *server)
{
    return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int http_server_timeout_ms(const http_server_t *server)
{
    unsigned long long timeout = 0;
    if (MHD_get_timeout(server->daemon, &timeout) != MHD_YES)
        return -1;
    return timeout > 1000 ? 1000 : (int)timeout;
}

void http_server_run(http_server_t *server)
{
    MHD_run(server->daemon);
}
