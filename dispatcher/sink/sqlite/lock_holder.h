/*
 * Which process keeps others from writing a SQLite file: one that was stopped, or that hangs, in
 * the middle of a transaction holds up all others until it goes on or ends, and somebody has to be
 * told which one it is.
 *
 * Threads: stateless.
 */
#ifndef SLUICE_DISPATCHER_SINK_SQLITE_LOCK_HOLDER_H
#define SLUICE_DISPATCHER_SINK_SQLITE_LOCK_HOLDER_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct {
    pid_t pid;
    bool is_stopped;
} lock_holder_t;

/* Another process with a write lock on the file or its write-ahead log's index, as the kernel lists
 * them. False: none, or not visible from here. */
bool sqlite_lock_holder(const char *path, lock_holder_t *holder);

#endif
