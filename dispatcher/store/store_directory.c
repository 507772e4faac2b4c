#include "dispatcher/store/store_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/memory.h"

/* With the user's number, since a parent like /var/tmp belongs to many. */
#define NAME "sluice-events-%u-"
#define NAME_SIZE 64
#define OPEN_FILES 16

static char *join(const char *directory, const char *name)
{
    size_t size = strlen(directory) + 1 + strlen(name) + 1;
    char *path = memory_alloc(size);
    snprintf(path, size, "%s/%s", directory, name);
    return path;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    (void)remove(path);
    return 0;
}

/* The lock of a directory, or -1 if somebody has it. */
static int lock(const char *path)
{
    char *name = join(path, "lock");
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    free(name);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Held while directories are made or removed, so that none is taken for a dead one between the
 * making and its lock. */
static int lock_parent(const char *parent)
{
    char name[NAME_SIZE];
    snprintf(name, sizeof name, NAME "lock", (unsigned)getuid());
    char *path = join(parent, name);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    free(path);
    if (fd >= 0)
        (void)flock(fd, LOCK_EX);
    return fd;
}

static void remove_if_dead(const char *parent, const char *name)
{
    char *path = join(parent, name);
    struct stat status;
    if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == getuid()) {
        int fd = lock(path);
        if (fd >= 0) {
            nftw(path, remove_one, OPEN_FILES, FTW_DEPTH | FTW_PHYS);
            close(fd);
        }
    }
    free(path);
}

void store_directory_clean(const char *parent)
{
    char prefix[NAME_SIZE];
    snprintf(prefix, sizeof prefix, NAME, (unsigned)getuid());
    DIR *entries = opendir(parent);
    if (!entries)
        return;
    int fd = lock_parent(parent);
    struct dirent *entry;
    while (fd >= 0 && (entry = readdir(entries))) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            remove_if_dead(parent, entry->d_name);
    }
    if (fd >= 0)
        close(fd);
    closedir(entries);
}

static sluice_error_t failed(const char *parent, error_report_t *report)
{
    sluice_error_t code =
        errno == ENOSPC || errno == EDQUOT ? SLUICE_ERROR_NO_SPACE : SLUICE_ERROR_IO;
    return error_report_set(report, code, "event store: no directory in %s: %s", parent,
                            strerror(errno));
}

sluice_error_t store_directory_make(const char *parent, store_directory_t *directory,
                                    error_report_t *report)
{
    char name[NAME_SIZE];
    snprintf(name, sizeof name, NAME "XXXXXX", (unsigned)getuid());
    *directory = (store_directory_t){.path = join(parent, name), .lock_fd = -1};
    int parent_fd = lock_parent(parent);
    bool is_made = parent_fd >= 0 && mkdtemp(directory->path);
    if (is_made)
        directory->lock_fd = lock(directory->path);
    sluice_error_t error = SLUICE_OK;
    if (directory->lock_fd < 0) {
        error = failed(parent, report);
        if (is_made)
            (void)rmdir(directory->path);
        free(directory->path);
        directory->path = NULL;
    }
    if (parent_fd >= 0)
        close(parent_fd);
    return error;
}

char *store_directory_data(const store_directory_t *directory)
{
    return join(directory->path, STORE_DIRECTORY_DATA);
}

void store_directory_remove(store_directory_t *directory)
{
    if (!directory->path)
        return;
    nftw(directory->path, remove_one, OPEN_FILES, FTW_DEPTH | FTW_PHYS);
    close(directory->lock_fd);
    free(directory->path);
    *directory = (store_directory_t){.lock_fd = -1};
}
