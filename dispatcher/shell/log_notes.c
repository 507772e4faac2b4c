#include "dispatcher/shell/log_notes.h"

#include "common/runtime/log.h"

#define COMPONENT "puller"

static void tell_skipped(log_notes_t *notes, const char *changefeed, const char *kind,
                         commit_ts_t commit_ts)
{
    for (uint32_t i = 0; i < notes->skipped_count; i++) {
        if (strcmp(notes->skipped[i], kind) == 0)
            return;
    }
    if (notes->skipped_count == LOG_NOTES_KINDS_MAX)
        return;
    notes->skipped[notes->skipped_count++] = kind;
    LOG(LOG_LEVEL_INFO, COMPONENT, changefeed, "statements of this kind are not replicated",
        log_text("kind", kind), log_number("commit_ts", commit_ts.v));
}

void log_notes_tell(log_notes_t *notes, const char *changefeed, const log_note_t *note,
                    commit_ts_t commit_ts)
{
    if (note->skipped_kind)
        tell_skipped(notes, changefeed, note->skipped_kind, commit_ts);
    if (note->warning)
        LOG(LOG_LEVEL_WARNING, COMPONENT, changefeed, note->warning,
            log_number("commit_ts", commit_ts.v));
}
