/*
 * Which binary log files there are, and from which of them a position can be read.
 * Threads: one owner.
 */
#ifndef SLUICE_DISPATCHER_UPSTREAM_BINLOG_DIRECTORY_H
#define SLUICE_DISPATCHER_UPSTREAM_BINLOG_DIRECTORY_H

#include "common/base/arena.h"
#include "common/model/anchor.h"

#define BINLOG_MAGIC                                                                               \
    "\xfe"                                                                                         \
    "bin"
#define BINLOG_MAGIC_SIZE 4

typedef struct {
    const char *path;
    const char *name; /* the last part of the path */
    uint64_t number;  /* of the suffix */
} binlog_path_t;

/* The logs at `path`, ascending: the one file it names, or the files NAME.000001… of the directory.
 * `base` (may be NULL) is NAME; without it all logs must have the same. Everything is in the arena.
 * SLUICE_ERROR_CONFIGURATION: no such place, no log in it, or several sets of logs;
 * SLUICE_ERROR_IO. */
sluice_error_t binlog_directory_list(const char *path, const char *base, arena_t *arena,
                                     binlog_path_t **files, uint32_t *count,
                                     error_report_t *report) SLUICE_MUST_USE;

/* The last file that has everything behind `gtid_list` (which is well-formed): whose own list, at
 * its start, is not beyond it in any domain. An empty list starts at the first file.
 * SLUICE_ERROR_SOURCE_PURGED: even the first file starts behind; SLUICE_ERROR_SOURCE_CORRUPT,
 * SLUICE_ERROR_SOURCE_SETTINGS (encrypted). */
sluice_error_t binlog_directory_find(const binlog_path_t *files, uint32_t count,
                                     const char *gtid_list, uint32_t *index,
                                     error_report_t *report) SLUICE_MUST_USE;

#endif
