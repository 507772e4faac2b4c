/*
 * Names of the file sink's files, and what is done to them by name.
 *
 * Threads: functions of their arguments.
 */
#ifndef SLUICE_DISPATCHER_SINK_FILE_FILE_PATH_H
#define SLUICE_DISPATCHER_SINK_FILE_FILE_PATH_H

#include <stdint.h>

#include "common/base/error.h"

#define FILE_PATH_SIZE 4096

typedef enum {
    FILE_PATH_OPEN,     /* .json.tmp */
    FILE_PATH_COMPLETE, /* .json */
    FILE_PATH_PROBE     /* .probe: of the pre-flight, never left behind */
} file_path_kind_t;

/* false: it does not fit. */
bool file_path_format(char path[FILE_PATH_SIZE], const char *directory, const char *changefeed_name,
                      const char *token, uint64_t sequence, file_path_kind_t kind);

/* Our code for an errno: SLUICE_ERROR_NO_SPACE or SLUICE_ERROR_IO; the report names the directory.
 */
sluice_error_t file_path_failed(int cause, const char *what, const char *directory,
                                error_report_t *report);

sluice_error_t file_path_sync_directory(const char *directory,
                                        error_report_t *report) SLUICE_MUST_USE;

/* Completes the open files of the changefeed that nobody has locked: cut behind the last whole
 * line, synced, renamed; an empty one is removed. A missing directory has none. */
sluice_error_t file_path_adopt(const char *directory, const char *changefeed_name,
                               error_report_t *report) SLUICE_MUST_USE;

#endif
