/*
 * A full position from which a log can be opened: the GTID list of all domains ("0-1-100,3-3-7"),
 * the sequence number it has in the changefeed's own domain, and the wall-clock time of that group.
 */
#ifndef SLUICE_COMMON_MODEL_ANCHOR_H
#define SLUICE_COMMON_MODEL_ANCHOR_H

#include "common/base/error.h"
#include "common/base/ids.h"
#include "common/base/time.h"

#define ANCHOR_GTID_LIST_MAX 1024

typedef struct {
    commit_ts_t
        commit_ts; /* in the changefeed's domain; COMMIT_TS_NONE: from the log's beginning */
    wall_ms_t commit_time;
    char gtid_list[ANCHOR_GTID_LIST_MAX]; /* NUL-terminated, "" = from the oldest log */
} anchor_t;

/* The sequence number that `gtid_list` has for `domain`, 0 if the domain is not in it. Bad text:
 * SLUICE_ERROR_MALFORMED. */
sluice_error_t gtid_list_sequence(const char *gtid_list, uint32_t domain,
                                  uint64_t *sequence) SLUICE_MUST_USE;

/* The server of that group, 0 if the domain is not in it. SLUICE_ERROR_MALFORMED. */
sluice_error_t gtid_list_server(const char *gtid_list, uint32_t domain,
                                uint32_t *server_id) SLUICE_MUST_USE;

/* Puts (domain, server_id, sequence) into the list, replacing that domain's entry.
 * SLUICE_ERROR_TOO_LARGE when it does not fit; the list is then unchanged. */
sluice_error_t gtid_list_set(char gtid_list[ANCHOR_GTID_LIST_MAX], uint32_t domain,
                             uint32_t server_id, uint64_t sequence) SLUICE_MUST_USE;

#endif
