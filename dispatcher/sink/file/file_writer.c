#include "dispatcher/sink/file/file_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/runtime/fail_point.h"
#include "dispatcher/sink/file/file_path.h"

#define OPEN_TRIES 16

struct file_writer {
    pthread_mutex_t mutex;
    pthread_cond_t synced; /* `synced_bytes` moved, or a sync ended */
    char *directory, *changefeed_name, *token;
    uint64_t rotate_bytes, rotate_ns;
    bool is_synced;
    int fd; /* -1: no file is open */
    uint64_t sequence;
    uint64_t size;             /* of the open file: whole lines only */
    mono_ns_t opened_at;       /* of the open file */
    uint64_t written, durable; /* bytes since the writer was made */
    bool is_syncing;           /* somebody syncs without the mutex */
};

file_writer_t *file_writer_new(const file_writer_options_t *options)
{
    file_writer_t *writer = memory_zalloc(sizeof *writer);
    pthread_mutex_init(&writer->mutex, NULL);
    pthread_cond_init(&writer->synced, NULL);
    writer->directory = memory_strdup(options->directory);
    writer->changefeed_name = memory_strdup(options->changefeed_name);
    writer->token = memory_strdup(options->token);
    writer->rotate_bytes = options->rotate_bytes;
    writer->rotate_ns = options->rotate_ns;
    writer->is_synced = options->is_synced;
    writer->fd = -1;
    return writer;
}

static sluice_error_t failed(const file_writer_t *writer, const char *what, error_report_t *report)
{
    return file_path_failed(errno, what, writer->directory, report);
}

/* ---- the open file; all with the mutex held ---- */

static void wait_for_sync(file_writer_t *writer)
{
    while (writer->is_syncing)
        pthread_cond_wait(&writer->synced, &writer->mutex);
}

/* Who looks for files of dead writers may find one between its making and its locking: then it is
 * theirs, and removed since it is empty. */
static sluice_error_t lock_own(file_writer_t *writer, const char *path, bool *is_own,
                               error_report_t *report)
{
    struct stat by_fd, by_path;
    bool is_locked = flock(writer->fd, LOCK_EX | LOCK_NB) == 0;
    if (!is_locked && errno != EWOULDBLOCK)
        return failed(writer, "lock a file in", report);
    *is_own = is_locked && fstat(writer->fd, &by_fd) == 0 && stat(path, &by_path) == 0 &&
              by_fd.st_ino == by_path.st_ino;
    return SLUICE_OK;
}

/* fd stays -1 when the file was taken away. */
static sluice_error_t try_open(file_writer_t *writer, error_report_t *report)
{
    char path[FILE_PATH_SIZE];
    if (!file_path_format(path, writer->directory, writer->changefeed_name, writer->token,
                          writer->sequence, FILE_PATH_OPEN))
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION, "%s: the path is too long",
                                writer->directory);
    writer->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (writer->fd < 0)
        return failed(writer, "make a file in", report);
    bool is_own = false;
    sluice_error_t error = lock_own(writer, path, &is_own, report);
    if (is_own)
        return SLUICE_OK;
    close(writer->fd);
    writer->fd = -1;
    writer->sequence++;
    return error;
}

static sluice_error_t open_file(file_writer_t *writer, mono_ns_t now, error_report_t *report)
{
    if (mkdir(writer->directory, 0777) != 0 && errno != EEXIST)
        return failed(writer, "make the directory", report);
    sluice_error_t error = SLUICE_OK;
    for (int i = 0; i < OPEN_TRIES && error == SLUICE_OK && writer->fd < 0; i++)
        error = try_open(writer, report);
    if (error == SLUICE_OK && writer->fd < 0)
        error = error_report_set(report, SLUICE_ERROR_AGAIN,
                                 "new files in %s are taken away before they are locked",
                                 writer->directory);
    if (error != SLUICE_OK)
        return error;
    writer->size = 0;
    writer->opened_at = now;
    return SLUICE_OK;
}

static sluice_error_t complete_file(file_writer_t *writer, error_report_t *report)
{
    char open_path[FILE_PATH_SIZE], path[FILE_PATH_SIZE];
    wait_for_sync(writer);
    if (writer->fd < 0)
        return SLUICE_OK;
    if (fdatasync(writer->fd) != 0)
        return failed(writer, "sync a file in", report);
    writer->durable = writer->written;
    bool fits = file_path_format(open_path, writer->directory, writer->changefeed_name,
                                 writer->token, writer->sequence, FILE_PATH_OPEN) &&
                file_path_format(path, writer->directory, writer->changefeed_name, writer->token,
                                 writer->sequence, FILE_PATH_COMPLETE);
    if (FAIL_POINT("sink.file.rename", 0, path) != SLUICE_OK || !fits ||
        rename(open_path, path) != 0)
        return failed(writer, "rename a file in", report);
    close(writer->fd);
    writer->fd = -1;
    writer->sequence++;
    sluice_error_t error = FAIL_POINT("sink.file.renamed", 0, path);
    return error ? error : file_path_sync_directory(writer->directory, report);
}

static bool is_due(const file_writer_t *writer, mono_ns_t now)
{
    return writer->fd >= 0 && writer->size > 0 &&
           (writer->size >= writer->rotate_bytes ||
            mono_elapsed(writer->opened_at, now) >= writer->rotate_ns);
}

/* What was written of the lines is cut off again; where even that fails, the file is left to be
 * adopted and another one opened. */
static sluice_error_t undo_append(file_writer_t *writer, int cause, error_report_t *report)
{
    if (ftruncate(writer->fd, (off_t)writer->size) != 0) {
        wait_for_sync(writer);
        if (fdatasync(writer->fd) == 0)
            writer->durable = writer->written;
        close(writer->fd);
        writer->fd = -1;
        writer->sequence++;
    }
    return file_path_failed(cause, "write to a file in", writer->directory, report);
}

static sluice_error_t write_lines(file_writer_t *writer, bytes_t lines, error_report_t *report)
{
    for (size_t done = 0; done < lines.len;) {
        ssize_t len = write(writer->fd, lines.data + done, lines.len - done);
        if (len < 0 && errno == EINTR)
            continue;
        if (len <= 0)
            return undo_append(writer, len < 0 ? errno : ENOSPC, report);
        done += (size_t)len;
    }
    writer->size += lines.len;
    writer->written += lines.len;
    return SLUICE_OK;
}

/* Until everything up to `target` is on disk. Whoever comes while nobody syncs does it for all. */
static sluice_error_t sync_up_to(file_writer_t *writer, uint64_t target, error_report_t *report)
{
    sluice_error_t error = SLUICE_OK;
    while (!error && writer->durable < target) {
        if (writer->is_syncing) {
            pthread_cond_wait(&writer->synced, &writer->mutex);
            continue;
        }
        int fd = writer->fd;
        uint64_t written = writer->written;
        writer->is_syncing = true;
        pthread_mutex_unlock(&writer->mutex);
        int result = fdatasync(fd);
        int cause = errno;
        pthread_mutex_lock(&writer->mutex);
        writer->is_syncing = false;
        if (result == 0)
            writer->durable = written;
        else
            error = file_path_failed(cause, "sync a file in", writer->directory, report);
        pthread_cond_broadcast(&writer->synced);
    }
    return error;
}

/* ---- the writer ---- */

static sluice_error_t append(file_writer_t *writer, bytes_t lines, mono_ns_t now,
                             error_report_t *report)
{
    sluice_error_t error = is_due(writer, now) ? complete_file(writer, report) : SLUICE_OK;
    if (!error && writer->fd < 0)
        error = open_file(writer, now, report);
    if (!error)
        error = write_lines(writer, lines, report);
    if (!error && writer->is_synced)
        error = sync_up_to(writer, writer->written, report);
    return error;
}

sluice_error_t file_writer_append(file_writer_t *writer, bytes_t lines, mono_ns_t now,
                                  error_report_t *report)
{
    if (lines.len == 0)
        return SLUICE_OK;
    pthread_mutex_lock(&writer->mutex);
    sluice_error_t error = append(writer, lines, now, report);
    pthread_mutex_unlock(&writer->mutex);
    return error;
}

sluice_error_t file_writer_rotate(file_writer_t *writer, mono_ns_t now, error_report_t *report)
{
    pthread_mutex_lock(&writer->mutex);
    sluice_error_t error = is_due(writer, now) ? complete_file(writer, report) : SLUICE_OK;
    pthread_mutex_unlock(&writer->mutex);
    return error;
}

void file_writer_destroy(file_writer_t **writer)
{
    if (!*writer)
        return;
    file_writer_t *closing = *writer;
    pthread_mutex_lock(&closing->mutex);
    /* What cannot be completed now is adopted later. */
    if (complete_file(closing, NULL) != SLUICE_OK && closing->fd >= 0)
        close(closing->fd);
    pthread_mutex_unlock(&closing->mutex);
    pthread_cond_destroy(&closing->synced);
    pthread_mutex_destroy(&closing->mutex);
    free(closing->directory);
    free(closing->changefeed_name);
    free(closing->token);
    free(closing);
    *writer = NULL;
}

sluice_error_t file_writer_adopt(file_writer_t *writer, error_report_t *report)
{
    return file_path_adopt(writer->directory, writer->changefeed_name, report);
}

sluice_error_t file_writer_check(const file_writer_options_t *options, error_report_t *report)
{
    char open_path[FILE_PATH_SIZE], path[FILE_PATH_SIZE];
    if (mkdir(options->directory, 0777) != 0 && errno != EEXIST)
        return file_path_failed(errno, "make the directory", options->directory, report);
    if (!file_path_format(open_path, options->directory, options->changefeed_name, options->token,
                          0, FILE_PATH_PROBE) ||
        !file_path_format(path, options->directory, options->changefeed_name, options->token, 1,
                          FILE_PATH_PROBE))
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION, "%s: the path is too long",
                                options->directory);
    int fd = open(open_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return file_path_failed(errno, "make a file in", options->directory, report);
    sluice_error_t error = SLUICE_OK;
    if (fdatasync(fd) != 0 || rename(open_path, path) != 0)
        error = file_path_failed(errno, "sync and rename a file in", options->directory, report);
    close(fd);
    unlink(error ? open_path : path);
    return error;
}
