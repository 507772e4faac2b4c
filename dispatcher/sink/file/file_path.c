#include "dispatcher/sink/file/file_path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_SUFFIX ".tmp"
#define COMPLETE_SUFFIX ".json"
#define TAIL_BYTES 65536

bool file_path_format(char path[FILE_PATH_SIZE], const char *directory, const char *changefeed_name,
                      const char *token, uint64_t sequence, file_path_kind_t kind)
{
    static const char *const suffixes[] = {
        [FILE_PATH_OPEN] = COMPLETE_SUFFIX OPEN_SUFFIX,
        [FILE_PATH_COMPLETE] = COMPLETE_SUFFIX,
        [FILE_PATH_PROBE] = ".probe",
    };
    int len = snprintf(path, FILE_PATH_SIZE, "%s/%s.%s.%010" PRIu64 "%s", directory,
                       changefeed_name, token, sequence, suffixes[kind]);
    return len > 0 && len < FILE_PATH_SIZE;
}

sluice_error_t file_path_failed(int cause, const char *what, const char *directory,
                                error_report_t *report)
{
    bool is_full = cause == ENOSPC || cause == EDQUOT || cause == EFBIG;
    return error_report_set(report, is_full ? SLUICE_ERROR_NO_SPACE : SLUICE_ERROR_IO,
                            "cannot %s %s: %s", what, directory, strerror(cause));
}

sluice_error_t file_path_sync_directory(const char *directory, error_report_t *report)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return file_path_failed(errno, "open the directory", directory, report);
    sluice_error_t error = SLUICE_OK;
    if (fsync(fd) != 0)
        error = file_path_failed(errno, "sync the directory", directory, report);
    close(fd);
    return error;
}

/* ---- files of dead writers ---- */

/* The size up to the end of the last whole line, -1 when it cannot be read. */
static off_t whole_lines_size(int fd)
{
    char tail[TAIL_BYTES];
    off_t end = lseek(fd, 0, SEEK_END);
    while (end > 0) {
        off_t start = end > TAIL_BYTES ? end - TAIL_BYTES : 0;
        ssize_t len = pread(fd, tail, (size_t)(end - start), start);
        if (len != end - start)
            return -1;
        const char *newline = memrchr(tail, '\n', (size_t)len);
        if (newline)
            return start + (newline - tail) + 1;
        end = start;
    }
    return end;
}

static sluice_error_t complete(int fd, const char *path, const char *directory,
                               error_report_t *report)
{
    char completed[FILE_PATH_SIZE];
    off_t size = whole_lines_size(fd);
    if (size < 0 || ftruncate(fd, size) != 0 || fdatasync(fd) != 0)
        return file_path_failed(errno, "complete a file in", directory, report);
    snprintf(completed, sizeof completed, "%.*s", (int)(strlen(path) - strlen(OPEN_SUFFIX)), path);
    if (size == 0 ? unlink(path) != 0 : rename(path, completed) != 0)
        return file_path_failed(errno, "complete a file in", directory, report);
    return SLUICE_OK;
}

/* A file that is locked, or gone by now, is somebody else's. */
static sluice_error_t adopt_file(const char *path, const char *directory, error_report_t *report)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? SLUICE_OK
                               : file_path_failed(errno, "open a file in", directory, report);
    struct stat by_fd, by_path;
    sluice_error_t error = SLUICE_OK;
    /* Between open and lock its owner may have renamed it. */
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &by_fd) == 0 && stat(path, &by_path) == 0 &&
        by_fd.st_ino == by_path.st_ino)
        error = complete(fd, path, directory, report);
    close(fd);
    return error;
}

static bool is_open_file_of(const char *name, const char *changefeed_name)
{
    static const char suffix[] = COMPLETE_SUFFIX OPEN_SUFFIX;
    size_t len = strlen(name), feed = strlen(changefeed_name);
    if (len < feed + strlen(suffix) || strncmp(name, changefeed_name, feed) != 0 ||
        name[feed] != '.' || strcmp(name + len - strlen(suffix), suffix) != 0)
        return false;
    /* The name of another changefeed may begin like this one's: behind it come the token and ten
     * digits, neither of which has a dot. */
    const char *rest = name + feed + 1;
    const char *dot = strchr(rest, '.');
    return dot && strspn(dot + 1, "0123456789") == (size_t)(name + len - strlen(suffix) - dot - 1);
}

sluice_error_t file_path_adopt(const char *directory, const char *changefeed_name,
                               error_report_t *report)
{
    DIR *entries = opendir(directory);
    if (!entries)
        return errno == ENOENT ? SLUICE_OK
                               : file_path_failed(errno, "open the directory", directory, report);
    sluice_error_t error = SLUICE_OK;
    const struct dirent *entry;
    while (!error && (entry = readdir(entries))) {
        char path[FILE_PATH_SIZE];
        int len = snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (len < FILE_PATH_SIZE && is_open_file_of(entry->d_name, changefeed_name))
            error = adopt_file(path, directory, report);
    }
    closedir(entries);
    return error;
}
