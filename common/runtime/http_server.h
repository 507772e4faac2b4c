/*
 * A small HTTP server that runs inside its owner's loop: the owner polls one descriptor and calls
 * http_server_run. Requests arrive complete and bounded; each is answered at once or later.
 *
 * Limits: body HTTP_BODY_BYTES_MAX (413), header 16 KiB (431), HTTP_CONNECTIONS_MAX connections,
 * idle ones are closed after HTTP_IDLE_SECONDS, HTTP_PENDING_MAX unanswered requests (503). Paths
 * are given as they came, without percent-decoding. A request that changes something must be JSON
 * if it has a body (415) and must not come from a web page of another site (403).
 *
 * Threads: one, its owner's.
 */
#ifndef SLUICE_COMMON_RUNTIME_HTTP_SERVER_H
#define SLUICE_COMMON_RUNTIME_HTTP_SERVER_H

#include "common/base/bytes.h"
#include "common/base/error.h"

#define HTTP_BODY_BYTES_MAX (1024 * 1024)
#define HTTP_CONNECTIONS_MAX 256
#define HTTP_PENDING_MAX 64
#define HTTP_IDLE_SECONDS 8

typedef struct http_server http_server_t;
typedef struct http_request http_request_t;

/* Called by http_server_run with a complete request, which must be consumed by http_respond, now or
 * later. */
typedef void http_handler_t(void *context, http_request_t *request);

/* Listens on "host:port" or "[v6]:port" (port 0: any). What is not loopback is refused unless
 * `insecure`: SLUICE_ERROR_CONFIGURATION; SLUICE_ERROR_IO: in use. `context` is borrowed. */
sluice_error_t http_server_start(const char *endpoint, bool insecure, http_handler_t *handler,
                                 void *context, http_server_t **server,
                                 error_report_t *report) SLUICE_MUST_USE;

/* Answers what is pending with 503 and closes everything. NULL is allowed. */
void http_server_destroy(http_server_t **server);

uint16_t http_server_port(const http_server_t *server);

/* To be polled for input. */
int http_server_descriptor(const http_server_t *server);
/* Milliseconds until http_server_run must be called even without input, -1: whenever. */
int http_server_timeout_ms(const http_server_t *server);
/* Handles what is ready; does not block. */
void http_server_run(http_server_t *server);

const char *http_request_method(const http_request_t *request); /* HEAD is told as GET */
const char *http_request_path(const http_request_t *request);   /* without the query */
bytes_t http_request_body(const http_request_t *request);
/* NULL: not given. */
const char *http_request_query(const http_request_t *request, const char *name);

/* Whether it came over a loopback address. */
bool http_request_is_local(const http_request_t *request);

/* Answers with a copy of the body; *request becomes NULL. `allow` (may be NULL): methods for a 405.
 * A 503 says Retry-After: 1. */
void http_respond(http_request_t **request, unsigned status, const char *content_type, bytes_t body,
                  const char *allow);

#endif
