/*
 * /debug/fail-points of a process's HTTP server, to requests from this host alone; see
 * fail_point.h. Threads: the server's owner.
 */
#ifndef SLUICE_COMMON_RUNTIME_FAIL_POINT_HTTP_H
#define SLUICE_COMMON_RUNTIME_FAIL_POINT_HTTP_H

#include "common/runtime/http_server.h"

#ifdef SLUICE_FAIL_POINTS

/* true: the request was for it and is answered. */
#define FAIL_POINT_HTTP(request) fail_point_http(request)
bool fail_point_http(http_request_t **request);

#else

#define FAIL_POINT_HTTP(request) false

#endif

#endif
