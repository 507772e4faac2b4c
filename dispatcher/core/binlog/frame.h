/*
 * Checks and strips the checksums of a stream of events, as its FORMAT_DESCRIPTION events say. The
 * same for a live stream and for files. Pure.
 *
 * Threads: a value, one thread at a time.
 */
#ifndef SLUICE_DISPATCHER_CORE_BINLOG_FRAME_H
#define SLUICE_DISPATCHER_CORE_BINLOG_FRAME_H

#include "dispatcher/core/binlog/event.h"

typedef struct {
    binlog_checksum_t checksum; /* of the next event, unless it is a FORMAT_DESCRIPTION */
} binlog_frame_t;

/* `checksum`: what holds before the first FORMAT_DESCRIPTION: NONE in a file; in a live stream what
 * the session asked for, since an artificial ROTATE comes first. */
void binlog_frame_init(binlog_frame_t *frame, binlog_checksum_t checksum);

/* Checks one whole event as logged and cuts its checksum off. `stripped` borrows from `event`.
 * SLUICE_ERROR_SOURCE_CORRUPT: too short, a checksum that does not match or an unknown algorithm;
 * `report` then says which, without a position. */
sluice_error_t binlog_frame_check(binlog_frame_t *frame, bytes_t event, bytes_t *stripped,
                                  error_report_t *report) SLUICE_MUST_USE;

#endif
