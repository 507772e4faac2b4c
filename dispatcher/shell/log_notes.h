/*
 * What a log reader notes beside its items, as lines of the log: every warning, and each kind of
 * statement that is never replicated once.
 *
 * Threads: one owner.
 */
#ifndef SLUICE_DISPATCHER_SHELL_LOG_NOTES_H
#define SLUICE_DISPATCHER_SHELL_LOG_NOTES_H

#include "dispatcher/core/log_reader.h"

#define LOG_NOTES_KINDS_MAX 64

/* All zero at first. */
typedef struct {
    const char *skipped[LOG_NOTES_KINDS_MAX];
    uint32_t skipped_count;
} log_notes_t;

void log_notes_tell(log_notes_t *notes, const char *changefeed, const log_note_t *note,
                    commit_ts_t commit_ts);

#endif
