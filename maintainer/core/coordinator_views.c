/* What people ask for. */
#include <inttypes.h>

#include "maintainer/core/coordinator_internal.h"

static uint64_t span_count(const coordinator_t *c, node_index_t node)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < c->feed_count; i++)
        if (c->feeds[i]->maintainer)
            count += maintainer_span_count(c->feeds[i]->maintainer, node);
    return count;
}

size_t coordinator_nodes(const coordinator_t *c, mono_ns_t now, arena_t *arena, node_view_t **views)
{
    (void)now;
    uint32_t capacity = node_set_capacity(c->nodes);
    size_t count = 0;
    *views = arena_calloc(arena, capacity ? capacity : 1, sizeof **views);
    for (uint32_t i = 0; i < capacity; i++) {
        const node_entry_t *entry = node_set_at(c->nodes, (node_index_t){i});
        if (!entry->is_used)
            continue;
        uint64_t spans = span_count(c, (node_index_t){i});
        (*views)[count++] = (node_view_t){
            .id = arena_strdup(arena, entry->id.text),
            .incarnation = entry->incarnation.v,
            .slot = entry->slot,
            .host = arena_strdup(arena, entry->host),
            .version = arena_strdup(arena, entry->version),
            .is_present = entry->is_present,
            .is_leaving = entry->is_leaving,
            .is_draining = entry->is_draining,
            .silence_ms = entry->silence_ns / NS_PER_MS,
            .span_count = spans,
            .span_left_count = entry->is_leaving || entry->is_draining ? spans : 0,
        };
    }
    return count;
}

static const char *phase_of(const feed_t *feed)
{
    switch (feed->operation) {
    case OPERATION_CREATE:
    case OPERATION_OVERWRITE:
        return "checking";
    case OPERATION_REMOVE:
        return "removing";
    case OPERATION_NONE:
    case OPERATION_PAUSE:
    case OPERATION_RESUME:
    case OPERATION_UPDATE:
        break;
    }
    return "stopped";
}

static changefeed_view_t view_of(const feed_t *feed, arena_t *arena)
{
    const stored_changefeed_t *stored = &feed->stored;
    changefeed_config_t *config = arena_zalloc(arena, sizeof *config);
    *config = changefeed_config_copy(arena, &stored->config);
    changefeed_view_t view = {
        .ref = stored->ref,
        .name = arena_strndup(arena, stored->config.name.data, stored->config.name.len),
        .state = stored->state,
        .phase = phase_of(feed),
        .error = stored->error,
        .error_text = arena_strndup(arena, stored->error_text.data, stored->error_text.len),
        .maintainer_epoch = stored->maintainer_epoch,
        .config = config,
        .checkpoint = stored->checkpoint,
        .checkpoint_now = stored->checkpoint,
        .checkpoint_time = stored->anchor.commit_time,
        .gtid_list = arena_strdup(arena, stored->anchor.gtid_list),
        .holding = "",
    };
    if (!feed->maintainer)
        return view;
    maintainer_view(feed->maintainer, arena, &view);
    if (feed->later_epoch > stored->maintainer_epoch && view.state == CHANGEFEED_NORMAL) {
        view.state = CHANGEFEED_WARNING;
        view.error = SLUICE_ERROR_NOT_OWNER;
        view.error_text = arena_printf(
            arena,
            "nodes follow maintainer epoch %" PRIu64 ", this one has %" PRIu64
            ": another sluice-maintainer runs on a copy of the meta store, or the clock was set "
            "back; stop all but one and start that one again",
            feed->later_epoch, stored->maintainer_epoch);
        return view;
    }
    bytes_t text;
    sluice_error_t warning = maintainer_warning(feed->maintainer, &text);
    if (warning == SLUICE_OK || view.state != CHANGEFEED_NORMAL)
        return view;
    view.state = CHANGEFEED_WARNING;
    view.error = warning;
    view.error_text = arena_strndup(arena, text.data, text.len);
    return view;
}

size_t coordinator_changefeeds(const coordinator_t *c, mono_ns_t now, arena_t *arena,
                               changefeed_view_t **views)
{
    (void)now;
    *views = arena_calloc(arena, c->feed_count ? c->feed_count : 1, sizeof **views);
    for (uint32_t i = 0; i < c->feed_count; i++)
        (*views)[i] = view_of(c->feeds[i], arena);
    return c->feed_count;
}

sluice_error_t coordinator_changefeed(const coordinator_t *c, mono_ns_t now, bytes_t name,
                                      arena_t *arena, changefeed_view_t *view)
{
    (void)now;
    const feed_t *feed = coordinator_feed(c, name);
    if (!feed)
        return SLUICE_ERROR_NOT_FOUND;
    *view = view_of(feed, arena);
    return SLUICE_OK;
}

sluice_error_t coordinator_tables(const coordinator_t *c, bytes_t name, arena_t *arena,
                                  table_view_t **views, size_t *count)
{
    const feed_t *feed = coordinator_feed(c, name);
    *views = NULL;
    *count = 0;
    if (!feed)
        return SLUICE_ERROR_NOT_FOUND;
    if (feed->maintainer)
        *count = maintainer_tables(feed->maintainer, arena, views);
    return SLUICE_OK;
}

sluice_error_t coordinator_barriers(const coordinator_t *c, mono_ns_t now, bytes_t name,
                                    arena_t *arena, barrier_view_t **views, size_t *count)
{
    const feed_t *feed = coordinator_feed(c, name);
    *views = NULL;
    *count = 0;
    if (!feed)
        return SLUICE_ERROR_NOT_FOUND;
    if (feed->maintainer)
        *count = maintainer_barriers(feed->maintainer, now, arena, views);
    return SLUICE_OK;
}
