/*
 * What a person should know of a log that is read, as log lines: kinds of statements that are never
 * replicated, each told once, and warnings.
 *
 * Threads: the reader's own.
 */
#ifndef SLUICE_DISPATCHER_SHELL_LOG_NOTES_H
#define SLUICE_DISPATCHER_SHELL_LOG_NOTES_H

#include "dispatcher/core/log_reader.h"

#define LOG_NOTES_KINDS_MAX 64

/* All zero: nothing told yet. Kinds are static texts. */
typedef struct {
    const char *skipped[LOG_NOTES_KINDS_MAX];
    uint32_t skipped_count;
} log_notes_t;

void log_notes_tell(log_notes_t *notes, const char *changefeed, const log_note_t *note,
                    commit_ts_t commit_ts);

#endif
