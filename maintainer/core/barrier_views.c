/* What others ask of a barrier. */
#include "maintainer/core/barrier_internal.h"

sluice_error_t barrier_failure(const barrier_t *barrier, bytes_t *text)
{
    *text = bytes_of_text(barrier->failure_text);
    return barrier->failure;
}

bool barrier_holds(const barrier_t *barrier, const span_entry_t *span)
{
    if (span->block_stage == STAGE_WAITING || span->block_stage == STAGE_WRITING)
        return true;
    if (!span->table)
        return false;
    if (span->table->gates)
        return true;
    for (uint32_t i = 0; barrier->wide_count && i < barrier->event_count; i++)
        if (barrier->events[i]->payload->influence.kind != INFLUENCE_NORMAL &&
            barrier_event_blocks(barrier->events[i], span->table))
            return true;
    return false;
}

commit_ts_t barrier_checkpoint_bound(const barrier_t *barrier)
{
    commit_ts_t bound = COMMIT_TS_MAX;
    for (uint32_t i = 0; i < barrier->event_count + barrier->pending_count; i++) {
        const barrier_event_t *event = i < barrier->event_count
                                           ? barrier->events[i]
                                           : barrier->pending[i - barrier->event_count];
        commit_ts_t before = commit_ts_before(event->key.commit_ts);
        if (event->payload->added_count && !event->is_scheduled && before.v < bound.v)
            bound = before;
    }
    return bound;
}

size_t barrier_count(const barrier_t *barrier)
{
    return barrier->event_count;
}

const barrier_event_t *barrier_find(const barrier_t *barrier, event_key_t key)
{
    return barrier_event_of(barrier, key);
}

size_t barrier_views(const barrier_t *barrier, mono_ns_t now, arena_t *arena, node_name_t node_name,
                     const void *context, barrier_view_t **views)
{
    list_progress_t progress = barrier_progress(barrier);
    *views = arena_calloc(arena, barrier->event_count ? barrier->event_count : 1, sizeof **views);
    for (uint32_t i = 0; i < barrier->event_count; i++) {
        const barrier_event_t *event = barrier->events[i];
        event_coverage_t coverage = barrier_event_coverage(event, barrier->table, &progress);
        const span_entry_t *writer = barrier_event_wants_trigger(event)
                                         ? span_table_trigger(barrier->table)
                                         : span_table_dispatcher(barrier->table, event->writer);
        bool has_writer =
            event->state != BARRIER_COLLECTING && writer && !node_index_is_none(writer->node);
        (*views)[i] = (barrier_view_t){
            .key = event->key,
            .state = barrier_state_name(event->state),
            .scope = event->payload->influence.kind,
            .writer_node = has_writer ? node_name(context, writer->node) : "",
            .writer = has_writer ? writer->dispatcher_id : (dispatcher_id_t){0},
            .reported = coverage.waiting,
            .required = coverage.required,
            .done = coverage.done,
            .age_ms = mono_elapsed(event->created_at, now) / NS_PER_MS,
            .missing = barrier_event_missing(event, barrier->table, &progress, arena),
        };
    }
    return barrier->event_count;
}

barrier_counters_t barrier_counters(const barrier_t *barrier)
{
    return barrier->counters;
}
