#include "dispatcher/sink/sqlite/lock_holder.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define LINE_MAX_LEN 256

/* "3: POSIX  ADVISORY  WRITE 1234 fe:00:9978001 120 120"; of one that waits the number is followed
 * by an arrow, which matches nothing here. */
static bool is_write_lock(const char *line, const struct stat *file, pid_t *pid)
{
    unsigned device_major, device_minor;
    uint64_t inode;
    int read = sscanf(line, "%*u: POSIX ADVISORY WRITE %d %x:%x:%" SCNu64, pid, &device_major,
                      &device_minor, &inode);
    return read == 4 && inode == file->st_ino && device_major == major(file->st_dev) &&
           device_minor == minor(file->st_dev);
}

static bool is_stopped(pid_t pid)
{
    char path[64], line[LINE_MAX_LEN] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *stat_file = fopen(path, "re");
    if (!stat_file)
        return false;
    bool has_line = fgets(line, sizeof line, stat_file) != NULL;
    fclose(stat_file);
    /* The name, in brackets, may hold anything. */
    const char *behind_name = has_line ? strrchr(line, ')') : NULL;
    return behind_name && strncmp(behind_name, ") T", 3) == 0;
}

static bool find_holder(const char *path, lock_holder_t *holder)
{
    struct stat file;
    FILE *locks = stat(path, &file) == 0 ? fopen("/proc/locks", "re") : NULL;
    if (!locks)
        return false;
    char line[LINE_MAX_LEN];
    bool is_found = false;
    while (!is_found && fgets(line, sizeof line, locks))
        is_found =
            is_write_lock(line, &file, &holder->pid) && holder->pid > 0 && holder->pid != getpid();
    fclose(locks);
    if (is_found)
        holder->is_stopped = is_stopped(holder->pid);
    return is_found;
}

bool sqlite_lock_holder(const char *path, lock_holder_t *holder)
{
    char index[PATH_MAX];
    int len = snprintf(index, sizeof index, "%s-shm", path);
    return find_holder(path, holder) || (len < (int)sizeof index && find_holder(index, holder));
}
