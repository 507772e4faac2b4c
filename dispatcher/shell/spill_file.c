#include "dispatcher/shell/spill_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void spill_file_init(spill_file_t *file, const char *directory)
{
    *file = (spill_file_t){.directory = directory, .fd = -1};
}

void spill_file_close(spill_file_t *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

static sluice_error_t failed(const spill_file_t *file, const char *what, error_report_t *report)
{
    sluice_error_t code =
        errno == ENOSPC || errno == EDQUOT ? SLUICE_ERROR_NO_SPACE : SLUICE_ERROR_IO;
    return error_report_set(report, code, "temporary file for a large transaction in %s: %s: %s",
                            file->directory, what, strerror(errno));
}

/* Not every file system has files without a name. */
static sluice_error_t make(spill_file_t *file, error_report_t *report)
{
    if (file->fd >= 0)
        return SLUICE_OK;
    file->fd = open(file->directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file->fd < 0) {
        char path[4096];
        snprintf(path, sizeof path, "%s/sluice-group-XXXXXX", file->directory);
        file->fd = mkostemp(path, O_CLOEXEC);
        if (file->fd >= 0)
            unlink(path);
    }
    return file->fd < 0 ? failed(file, "open", report) : SLUICE_OK;
}

static sluice_error_t spill_write(void *context, uint64_t offset, bytes_t bytes,
                                  error_report_t *report)
{
    spill_file_t *file = context;
    sluice_error_t error = make(file, report);
    while (error == SLUICE_OK && bytes.len > 0) {
        ssize_t written = pwrite(file->fd, bytes.data, bytes.len, (off_t)offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return failed(file, "write", report);
        bytes = bytes_of(bytes.data + written, bytes.len - (size_t)written);
        offset += (uint64_t)written;
    }
    return error;
}

static sluice_error_t spill_read(void *context, uint64_t offset, void *to, size_t len,
                                 error_report_t *report)
{
    spill_file_t *file = context;
    uint8_t *at = to;
    while (len > 0) {
        ssize_t got = pread(file->fd, at, len, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            errno = got == 0 ? EIO : errno;
            return failed(file, "read", report);
        }
        at += got;
        len -= (size_t)got;
        offset += (uint64_t)got;
    }
    return SLUICE_OK;
}

static void spill_clear(void *context)
{
    spill_file_t *file = context;
    if (file->fd >= 0 && ftruncate(file->fd, 0) != 0)
        spill_file_close(file);
}

group_spill_t spill_file_callbacks(spill_file_t *file)
{
    return (group_spill_t){
        .write = spill_write, .read = spill_read, .clear = spill_clear, .context = file};
}
