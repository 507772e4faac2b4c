/*
 * What an error of a source says of the server that it came from (DESIGN §6, log puller, the last
 * row of the table and "With MariaDB").
 *
 * Threads: a value.
 */
#ifndef SLUICE_DISPATCHER_CORE_PULLER_SOURCE_FAILURE_H
#define SLUICE_DISPATCHER_CORE_PULLER_SOURCE_FAILURE_H

#include "common/base/error.h"
#include "common/base/time.h"

typedef enum {
    SOURCE_FAILURE_CONNECTION, /* it is left alone for a while */
    SOURCE_FAILURE_LOAD,       /* busy, or not as far as was read: others come first */
    SOURCE_FAILURE_SERVER,     /* it cannot serve; another one may */
    SOURCE_FAILURE_LOG         /* the log cannot be read on, whoever serves it */
} source_failure_t;

/* A server ends the older of two connections with one server_id: once it may have been our own
 * connection of before, twice within `conflict_ns` is another program. All zero at first. */
typedef struct {
    mono_ns_t conflict_at;
    bool had_conflict;
} source_conflicts_t;

#define SOURCE_CONFLICT_NS (60 * NS_PER_S)

source_failure_t source_failure_of(source_conflicts_t *conflicts, uint64_t conflict_ns,
                                   sluice_error_t error, mono_ns_t now);

#endif
