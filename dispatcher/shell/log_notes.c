#include "dispatcher/shell/log_notes.h"

#include "common/runtime/log.h"

#define COMPONENT "puller"

static bool is_new(log_notes_t *notes, const char *kind)
{
    for (uint32_t i = 0; i < notes->skipped_count; i++) {
        if (strcmp(notes->skipped[i], kind) == 0)
            return false;
    }
    if (notes->skipped_count == LOG_NOTES_KINDS_MAX)
        return false;
    notes->skipped[notes->skipped_count++] = kind;
    return true;
}

void log_notes_tell(log_notes_t *notes, const char *changefeed, const log_note_t *note,
                    commit_ts_t commit_ts)
{
    if (note->skipped_kind && is_new(notes, note->skipped_kind))
        LOG(LOG_LEVEL_INFO, COMPONENT, changefeed, "statements of this kind are not replicated",
            log_text("kind", note->skipped_kind), log_number("commit_ts", commit_ts.v));
    if (note->warning)
        LOG(LOG_LEVEL_WARNING, COMPONENT, changefeed, note->warning,
            log_number("commit_ts", commit_ts.v));
}
