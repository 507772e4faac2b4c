/* What a new maintainer is told of barrier events by those who stand at them. */
#include "maintainer/core/barrier_internal.h"

void barrier_restore(barrier_t *barrier, mono_ns_t now, span_entry_t *span, event_key_t key,
                     block_stage_t stage, const block_payload_t *payload)
{
    if (stage == STAGE_NONE || !payload || !span->table || key.commit_ts.v == 0)
        return;
    arena_t arena = {0};
    const block_payload_t *canonical = payload_copy(&arena, payload);
    barrier_event_t *event = barrier_event_of(barrier, key);
    if (!event && !payload_fault(canonical))
        event = barrier_open(barrier, now, key, canonical);
    arena_clear(&arena);
    if (!event || !barrier_event_blocks(event, span->table))
        return;
    span_entry_set_block(span, key, stage);
    barrier_note_trigger(barrier, span, key);
    /* Which tables a schema's event blocks is known from the trigger on that stands at it. */
    if (span == span_table_trigger(barrier->table) && barrier_event_is_provable(event))
        event->is_proven = barrier_event_is_proven(event, barrier->table);
    switch (stage) {
    case STAGE_NONE:
        break;
    case STAGE_WAITING:
        event->waiting++;
        break;
    case STAGE_WRITING:
        event->waiting++;
        if (event->state != BARRIER_COLLECTING)
            break;
        event->state = BARRIER_SELECTED;
        event->writer = span->dispatcher_id;
        event->write_sent = true;
        event->write_at = now;
        if (!event->is_scheduled)
            barrier_enter_order(barrier, event);
        break;
    case STAGE_DONE:
        event->done++;
        event->state = BARRIER_ADVANCED;
        if (!event->is_scheduled && !event->is_pending)
            barrier_enter_order(barrier, event);
        break;
    }
    if (barrier->highest_ts < key.commit_ts.v)
        barrier->highest_ts = key.commit_ts.v;
    barrier->version_seen = span_table_version(barrier->table);
}
