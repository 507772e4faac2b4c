/*
 * URIs of sources and sinks: scheme://user:password@host:port/path?parameter=value&…
 *
 * Everything is percent-decoded text. A password never leaves this module but in the field of that
 * name; whatever is printed goes through uri_redact.
 *
 * Threads: values. Nothing here touches the machine.
 */
#ifndef SLUICE_COMMON_RUNTIME_URI_H
#define SLUICE_COMMON_RUNTIME_URI_H

#include "common/base/arena.h"
#include "common/base/error.h"

#define URI_LEN_MAX 4096
#define URI_PARAMETERS_MAX 64

typedef struct {
    const char *name, *value;
} uri_parameter_t;

/* Absent parts: user and password NULL, host "" and port 0, path "". IPv6 hosts are without their
 * brackets. The path begins with '/'. */
typedef struct {
    const char *scheme; /* lower case */
    const char *user, *password;
    const char *host;
    uint16_t port;
    const char *path;
    const uri_parameter_t *parameters; /* in order, names are unique */
    uint32_t parameter_count;
} uri_t;

/* Parses into the arena. SLUICE_ERROR_CONFIGURATION with a report that names what is wrong and
 * never quotes the password. */
sluice_error_t uri_parse(bytes_t text, arena_t *arena, uri_t *uri,
                         error_report_t *report) SLUICE_MUST_USE;

/* The value of a parameter, NULL if it is not given. */
const char *uri_parameter(const uri_t *uri, const char *name);

/* Whole number parameter; `otherwise` if it is not given. SLUICE_ERROR_CONFIGURATION when it is no
 * number of [min, max]. */
sluice_error_t uri_parameter_number(const uri_t *uri, const char *name, uint64_t min, uint64_t max,
                                    uint64_t otherwise, uint64_t *value,
                                    error_report_t *report) SLUICE_MUST_USE;

/* Refuses parameters that are not in `known` (NULL at its end): SLUICE_ERROR_CONFIGURATION naming
 * the first unknown one. */
sluice_error_t uri_check_parameters(const uri_t *uri, const char *const *known,
                                    error_report_t *report) SLUICE_MUST_USE;

/* The text with every password (that of the authority, and of a `password` parameter) replaced by
 * "xxxxx"; also for text that is no URI or holds one somewhere. Cut to the size of `out`, always
 * NUL-terminated. */
void uri_redact(bytes_t text, char *out, size_t size);

#endif
