#include "maintainer/shell/state_dump.h"

#include "common/runtime/log.h"

#define COMPONENT "state"

static void dump_nodes(const coordinator_t *coordinator, mono_ns_t now, arena_t *arena)
{
    node_view_t *views;
    size_t count = coordinator_nodes(coordinator, now, arena, &views);
    for (size_t i = 0; i < count; i++)
        LOG(LOG_LEVEL_INFO, COMPONENT, NULL, "node", log_text("node", views[i].id),
            log_number("incarnation", views[i].incarnation), log_number("slot", views[i].slot),
            log_text("present", views[i].is_present ? "yes" : "no"),
            log_number("silence_ms", views[i].silence_ms),
            log_number("spans", views[i].span_count));
}

static void dump_barriers(const coordinator_t *coordinator, mono_ns_t now, const char *name,
                          arena_t *arena)
{
    barrier_view_t *views;
    size_t count = 0;
    if (coordinator_barriers(coordinator, now, bytes_of_text(name), arena, &views, &count) !=
        SLUICE_OK)
        return;
    for (size_t i = 0; i < count; i++)
        LOG(LOG_LEVEL_INFO, COMPONENT, name, "barrier",
            log_number("commit_ts", views[i].key.commit_ts.v),
            log_number("is_syncpoint", views[i].key.is_syncpoint),
            log_text("state", views[i].state), log_text("writer_node", views[i].writer_node),
            log_number("reported", views[i].reported), log_number("required", views[i].required),
            log_number("done", views[i].done), log_number("age_ms", views[i].age_ms),
            log_text("missing", views[i].missing));
}

void state_dump_log(const coordinator_t *coordinator, mono_ns_t now)
{
    arena_t arena = {0};
    changefeed_view_t *views;
    dump_nodes(coordinator, now, &arena);
    size_t count = coordinator_changefeeds(coordinator, now, &arena, &views);
    for (size_t i = 0; i < count; i++) {
        LOG(LOG_LEVEL_INFO, COMPONENT, views[i].name, "changefeed",
            log_text("state", changefeed_state_name(views[i].state)),
            log_text("phase", views[i].phase), log_number("checkpoint_ts", views[i].checkpoint.v),
            log_number("resolved_ts", views[i].resolved.v),
            log_number("maintainer_epoch", views[i].maintainer_epoch),
            log_number("tables", views[i].table_count),
            log_number("replicating", views[i].replicating_count),
            log_number("barriers", views[i].barrier_count), log_text("holding", views[i].holding));
        dump_barriers(coordinator, now, views[i].name, &arena);
    }
    arena_clear(&arena);
}
