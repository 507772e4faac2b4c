/*
 * A temporary file for a group that is larger than the reader's limit. It is made on first use, has
 * no name (it is gone with the process), and is emptied when a group is done.
 *
 * Threads: one owner (the reader's thread).
 */
#ifndef SLUICE_DISPATCHER_SHELL_SPILL_FILE_H
#define SLUICE_DISPATCHER_SHELL_SPILL_FILE_H

#include "dispatcher/core/binlog/group_assembler.h"

typedef struct {
    const char *directory; /* borrowed */
    int fd;                /* -1: not made yet */
} spill_file_t;

void spill_file_init(spill_file_t *file, const char *directory);
void spill_file_close(spill_file_t *file);

/* The callbacks for the group assembler; `file` stays where it is. Errors: SLUICE_ERROR_NO_SPACE,
 * SLUICE_ERROR_IO. */
group_spill_t spill_file_callbacks(spill_file_t *file);

#endif
