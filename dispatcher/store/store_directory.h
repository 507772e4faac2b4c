/*
 * A directory of its own for each event store, under one that several processes share: it is locked
 * while its process lives, and what processes that were killed left behind is removed by whoever
 * comes next.
 *
 * Threads: one owner; functions block on the disk.
 */
#ifndef SLUICE_DISPATCHER_STORE_STORE_DIRECTORY_H
#define SLUICE_DISPATCHER_STORE_STORE_DIRECTORY_H

#include "common/base/error.h"

typedef struct {
    char *path; /* the store's own directory lies in it under this name */
    int lock_fd;
} store_directory_t;

#define STORE_DIRECTORY_DATA "data"

/* Removes what is left of processes that are gone. */
void store_directory_clean(const char *parent);
/* Makes a new one. SLUICE_ERROR_IO, SLUICE_ERROR_NO_SPACE; *directory needs no removal then. */
sluice_error_t store_directory_make(const char *parent, store_directory_t *directory,
                                    error_report_t *report) SLUICE_MUST_USE;
/* Where the store puts its files; to be freed. */
char *store_directory_data(const store_directory_t *directory);
/* With everything in it; nothing if it was not made. */
void store_directory_remove(store_directory_t *directory);

#endif
