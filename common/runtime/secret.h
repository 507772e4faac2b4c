/*
 * Passwords of sources and sinks: from the URI, a file, or the environment, in this order.
 */
#ifndef SLUICE_COMMON_RUNTIME_SECRET_H
#define SLUICE_COMMON_RUNTIME_SECRET_H

#include "common/runtime/uri.h"

#define SECRET_BYTES_MAX 4096

/* The password for a URI: its own one, else the first line of ?password-file=F, else the
 * environment variable `environment_name` (NULL: none), else NULL. It is copied into the arena.
 * SLUICE_ERROR_CONFIGURATION: the file cannot be read, is empty or too large. Reads a file: may
 * block. */
sluice_error_t secret_password(const uri_t *uri, const char *environment_name, arena_t *arena,
                               const char **password, error_report_t *report) SLUICE_MUST_USE;

#endif
