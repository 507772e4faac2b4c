/*
 * One growing sequence of files in a directory, shared by all workers of a process:
 *
 *   <changefeed>.<token>.<sequence>.json.tmp   being written; locked (flock) by its writer
 *   <changefeed>.<token>.<sequence>.json       complete: never touched again
 *
 * The token is new for every writer, so that no two processes, nor two lives of one, ever share a
 * file. What an append returned from is on disk; appends that wait at once share one sync. A file
 * is closed when it is large or old enough: synced, renamed, the directory synced. A file whose
 * writer died is found by its missing lock, cut behind its last whole line and renamed by whoever
 * comes next (file_writer_adopt).
 *
 * A failed append is cut off again, so that lines stay whole.
 *
 * Threads: any; every call may block on the disk.
 */
#ifndef SLUICE_DISPATCHER_SINK_FILE_FILE_WRITER_H
#define SLUICE_DISPATCHER_SINK_FILE_FILE_WRITER_H

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/base/time.h"

#define FILE_TOKEN_SIZE 32

typedef struct file_writer file_writer_t;

typedef struct {
    const char *directory; /* made if it is missing, its parent must be there */
    const char *changefeed_name;
    const char *token;     /* characters of [A-Za-z0-9-] */
    uint64_t rotate_bytes; /* a file is closed once it is that large */
    uint64_t rotate_ns;    /* or that old */
    bool is_synced;        /* false: appends return before the disk has them */
} file_writer_options_t;

/* Copies the options. Files are opened by the first append. */
file_writer_t *file_writer_new(const file_writer_options_t *options);
/* Completes the open file. */
void file_writer_destroy(file_writer_t **writer);

/* Whole lines, atomically as far as the reader of lines is concerned. SLUICE_ERROR_NO_SPACE,
 * SLUICE_ERROR_IO: nothing of it stays. */
sluice_error_t file_writer_append(file_writer_t *writer, bytes_t lines, mono_ns_t now,
                                  error_report_t *report) SLUICE_MUST_USE;

/* Completes the open file if it is due. */
sluice_error_t file_writer_rotate(file_writer_t *writer, mono_ns_t now,
                                  error_report_t *report) SLUICE_MUST_USE;

/* Completes the files of the changefeed that dead writers left behind. */
sluice_error_t file_writer_adopt(file_writer_t *writer, error_report_t *report) SLUICE_MUST_USE;

/* Makes the directory if it is missing and proves that files can be made and renamed in it. */
sluice_error_t file_writer_check(const file_writer_options_t *options,
                                 error_report_t *report) SLUICE_MUST_USE;

#endif
