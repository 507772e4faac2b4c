/*
 * One open log, wherever it comes from: a live MariaDB, binlog files, or a simulated source.
 * Delivers raw binlog events in order; parsing them is dispatcher/core/binlog's work, the same for
 * all.
 *
 * Threads: one reader thread owns it; upstream_interrupt alone may be called from any thread.
 */
#ifndef SLUICE_DISPATCHER_UPSTREAM_UPSTREAM_H
#define SLUICE_DISPATCHER_UPSTREAM_UPSTREAM_H

#include "common/model/anchor.h"
#include "common/wire/message.h"

typedef struct upstream upstream_t;

typedef struct {
    const char
        *uri; /* mariadb://, mariadb+unix://, binlog://, simulated:// (common/runtime/uri.h) */
    uint32_t server_id; /* of the node's (dispatcher/shell/server_ids.h). 0: to where a live log
                           ends now, then UPSTREAM_END; beside other readers */
    uint32_t domain;    /* of anchor.commit_ts */
    anchor_t anchor;    /* first group delivered is the one behind it; with a commit_time: the group
                           at it must not be a later one */
    bool may_miss;      /* the log need not have a group at the anchor */
    bool has_others;    /* the server is one of several: not as far as the anchor means busy */
    uint64_t heartbeat_ns;
    uint64_t read_timeout_ns;
} upstream_options_t;

typedef enum {
    UPSTREAM_EVENT,     /* `event` is one binlog event */
    UPSTREAM_CAUGHT_UP, /* end of the log reached, nothing more for now (heartbeat, or end of the
                           last file) */
    UPSTREAM_END,       /* a finite log (files, simulation) has ended for good */
    UPSTREAM_INTERRUPTED,
    UPSTREAM_FAILED /* report says what; its code is one of SLUICE_ERROR_SOURCE_* */
} upstream_result_t;

/* One event: 19-byte header and body, checksum verified and cut off, not yet decompressed. Borrowed
 * until the next call. `location` ("binlog.000003:4711") is for error texts. */
typedef struct {
    bytes_t bytes;
    const char *location;
} raw_event_t;

typedef struct {
    sluice_error_t (*open)(const upstream_options_t *options, upstream_t **upstream,
                           error_report_t *report);
    upstream_result_t (*next)(upstream_t *upstream, raw_event_t *event,
                              error_report_t *report); /* blocks */
    void (*interrupt)(
        upstream_t *upstream); /* makes a blocked or the following next() return INTERRUPTED */
    void (*close)(upstream_t **upstream);
    /* Asked now and then while the log is idle: whether it still has what was read, up to
     * `position` in the domain. NULL: a log that cannot lose it. Blocks. Only an error that can
     * pass: the log has to be opened again, which tells what has happened. */
    sluice_error_t (*check)(upstream_t *upstream, commit_ts_t position, error_report_t *report);
} upstream_api_t;

struct upstream {
    const upstream_api_t *api;
};

/* The adapter for a URI's scheme, NULL if there is none. */
const upstream_api_t *upstream_find(const char *uri);

#endif
