/*
 * Error codes shared by every part, and a report that carries one with its text.
 *
 * Codes are grouped: what was given to us (input), what we are in (state), what is full (limit),
 * what the outside did (io, source, sink), memory, and our own mistakes (bug). Functions that can
 * fail return sluice_error_t, must-use; those whose message a person reads fill an error_report_t
 * as well.
 *
 * Threads: values only, any thread.
 */
#ifndef SLUICE_COMMON_BASE_ERROR_H
#define SLUICE_COMMON_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#define SLUICE_MUST_USE __attribute__((warn_unused_result))
#define SLUICE_PRINTF(format_index, first_index)                                                   \
    __attribute__((format(printf, format_index, first_index)))

/* X(code, name): the name appears in logs, API answers and metrics. */
#define SLUICE_ERRORS(X)                                                                           \
    X(SLUICE_OK, "ok")                                                                             \
    /* input: what somebody gave us is wrong */                                                    \
    X(SLUICE_ERROR_MALFORMED, "malformed")                                                         \
    X(SLUICE_ERROR_UNSUPPORTED, "unsupported")                                                     \
    X(SLUICE_ERROR_CONFIGURATION, "configuration")                                                 \
    X(SLUICE_ERROR_NOT_FOUND, "not_found")                                                         \
    X(SLUICE_ERROR_EXISTS, "exists")                                                               \
    /* state: not now */                                                                           \
    X(SLUICE_ERROR_STATE, "state")                                                                 \
    X(SLUICE_ERROR_NOT_OWNER, "not_owner")                                                         \
    X(SLUICE_ERROR_CLOSED, "closed")                                                               \
    X(SLUICE_ERROR_LOCKED, "locked")                                                               \
    /* limit: a queue, buffer or message is at its bound */                                        \
    X(SLUICE_ERROR_FULL, "full")                                                                   \
    X(SLUICE_ERROR_TOO_LARGE, "too_large")                                                         \
    X(SLUICE_ERROR_AGAIN, "again")                                                                 \
    X(SLUICE_ERROR_TIMEOUT, "timeout")                                                             \
    /* io: the outside */                                                                          \
    X(SLUICE_ERROR_IO, "io")                                                                       \
    X(SLUICE_ERROR_NO_SPACE, "no_space")                                                           \
    X(SLUICE_ERROR_SOURCE_CONNECTION, "source_connection")                                         \
    X(SLUICE_ERROR_SOURCE_BUSY, "source_busy")                                                     \
    X(SLUICE_ERROR_SOURCE_CREDENTIALS, "source_credentials")                                       \
    X(SLUICE_ERROR_SOURCE_PRIVILEGE, "source_privilege")                                           \
    X(SLUICE_ERROR_SOURCE_SETTINGS, "source_settings")                                             \
    X(SLUICE_ERROR_SOURCE_PURGED, "source_purged")                                                 \
    X(SLUICE_ERROR_SOURCE_DIVERGED, "source_diverged")                                             \
    X(SLUICE_ERROR_SOURCE_SERVER_ID, "source_server_id")                                           \
    X(SLUICE_ERROR_SOURCE_CORRUPT, "source_corrupt")                                               \
    X(SLUICE_ERROR_SOURCE_STATEMENT_FORMAT, "source_statement_format")                             \
    X(SLUICE_ERROR_SOURCE_ROW_IMAGE, "source_row_image")                                           \
    X(SLUICE_ERROR_SOURCE_XA, "source_xa")                                                         \
    X(SLUICE_ERROR_SOURCE_DOMAIN, "source_domain")                                                 \
    X(SLUICE_ERROR_SOURCE_SEQUENCE, "source_sequence")                                             \
    X(SLUICE_ERROR_SCHEMA_MISMATCH, "schema_mismatch")                                             \
    X(SLUICE_ERROR_DDL_UNSUPPORTED, "ddl_unsupported")                                             \
    X(SLUICE_ERROR_ENTERS_FILTER, "enters_filter")                                                 \
    X(SLUICE_ERROR_SINK_CONNECTION, "sink_connection")                                             \
    X(SLUICE_ERROR_SINK_BUSY, "sink_busy")                                                         \
    X(SLUICE_ERROR_SINK_REFUSED, "sink_refused")                                                   \
    X(SLUICE_ERROR_SINK_SETTINGS, "sink_settings")                                                 \
    X(SLUICE_ERROR_META_STORE, "meta_store")                                                       \
    X(SLUICE_ERROR_META_VERSION, "meta_version")                                                   \
    X(SLUICE_ERROR_MEMORY, "memory")                                                               \
    X(SLUICE_ERROR_BUG, "bug")

typedef enum {
#define X(code, name) code,
    SLUICE_ERRORS(X)
#undef X
        SLUICE_ERROR_COUNT
} sluice_error_t;

/* The stable name of a code; "unknown" for a value that is none. */
const char *sluice_error_name(sluice_error_t code);

/* The code with that name, SLUICE_ERROR_BUG if there is none. */
sluice_error_t sluice_error_from_name(const char *name);

/* Whether trying again later, unchanged, can help: connection, busy, again, timeout, no_space.
 * Everything else fails the changefeed (DESIGN: failure table of the log puller). */
bool sluice_error_is_retriable(sluice_error_t code);

/* Whether the reader of the log says so: what was read before it can still be written. */
bool sluice_error_is_of_log(sluice_error_t code);

#define ERROR_REPORT_TEXT_MAX 1024

/* A code and one line for a person: it names the thing and the mend. */
typedef struct {
    sluice_error_t code;
    char text[ERROR_REPORT_TEXT_MAX];
} error_report_t;

/* Fills `report` (may be NULL) and returns `code`, so that a caller can `return error_report_set
 * (...)`. Text that does not fit is cut. */
sluice_error_t error_report_set(error_report_t *report, sluice_error_t code, const char *format,
                                ...) SLUICE_PRINTF(3, 4);

#endif
