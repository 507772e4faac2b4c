/*
 * "binlog.000003:4711", made anew for every event and so without printf. Threads: a value.
 */
#ifndef SLUICE_DISPATCHER_UPSTREAM_LOG_LOCATION_H
#define SLUICE_DISPATCHER_UPSTREAM_LOG_LOCATION_H

#include "common/base/bytes.h"

#define LOG_LOCATION_FILE_MAX 255

typedef struct {
    char text[LOG_LOCATION_FILE_MAX + 24];
    size_t file_len; /* with the colon */
} log_location_t;

/* Names longer than LOG_LOCATION_FILE_MAX are cut. */
void log_location_set_file(log_location_t *location, bytes_t file);

/* Borrowed until the next call. */
const char *log_location_at(log_location_t *location, uint64_t offset);

#endif
