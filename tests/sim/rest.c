#include "tests/sim/rest.h"

#include <stdio.h>

#include "tests/sim/maintainer_process.h"
#include "tests/sim/meta_store.h"
#include "tests/sim/node_process.h"
#include "tests/sim/operators.h"

static bool is_everything_persisted(const sim_world_t *world, char *why, size_t size)
{
    const stored_changefeed_t *stored = sim_store_find(world->store, sim_operators_feed());
    commit_ts_t last = sim_log_last(world->log);
    if (sim_log_visible(world->log, world->now).v < last.v)
        snprintf(why, size, "the log goes on");
    else if (!stored)
        snprintf(why, size, "there is no changefeed");
    else if (stored->checkpoint.v != last.v)
        snprintf(why, size, "checkpoint %llu of %llu", (unsigned long long)stored->checkpoint.v,
                 (unsigned long long)last.v);
    else
        return true;
    return false;
}

/* What a node still has to say or to do. */
static bool is_node_at_rest(const sim_process_t *process, uint32_t *dispatchers, char *why,
                            size_t size)
{
    node_core_t *core = sim_node_core(process);
    for (uint32_t i = 0; core && i < node_core_changefeed_count(core); i++) {
        node_changefeed_t *changefeed = node_core_changefeed(core, i);
        if (!changefeed) {
            snprintf(why, size, "%s closes a changefeed", process->name);
            return false;
        }
        node_changefeed_state_t state;
        node_changefeed_state(changefeed, &state);
        *dispatchers += state.dispatchers;
        if (state.statuses.buffered || state.statuses.queued_requests) {
            snprintf(why, size, "%s has %zu statuses and %zu requests to send", process->name,
                     state.statuses.buffered, state.statuses.queued_requests);
            return false;
        }
    }
    return true;
}

static bool are_spans_at_rest(const changefeed_view_t *view, uint32_t dispatchers, char *why,
                              size_t size)
{
    if (view->barrier_count)
        snprintf(why, size, "%u gates are open", view->barrier_count);
    else if (view->replicating_count != view->span_count || view->moving_count)
        snprintf(why, size, "%u of %u spans replicate", view->replicating_count, view->span_count);
    else if (dispatchers != view->span_count)
        snprintf(why, size, "%u dispatchers for %u spans", dispatchers, view->span_count);
    else
        return true;
    return false;
}

bool sim_is_at_rest(const sim_world_t *world, char *why, size_t size)
{
    if (!is_everything_persisted(world, why, size))
        return false;
    const sim_process_t *maintainer = sim_world_active_maintainer(world);
    uint32_t dispatchers = 0;
    for (uint32_t i = 0; i < world->rates.nodes; i++)
        if (!is_node_at_rest(world->nodes[i], &dispatchers, why, size))
            return false;
    arena_t arena = {0};
    changefeed_view_t view;
    bool is_known =
        maintainer &&
        coordinator_changefeed(sim_maintainer_coordinator(maintainer), sim_process_now(maintainer),
                               sim_operators_feed(), &arena, &view) == SLUICE_OK;
    if (!is_known)
        snprintf(why, size, "no maintainer knows the changefeed");
    bool is_at_rest = is_known && are_spans_at_rest(&view, dispatchers, why, size);
    arena_clear(&arena);
    return is_at_rest;
}

/* ---- telling ---- */

static void explain_barriers(coordinator_t *coordinator, mono_ns_t now, arena_t *arena)
{
    barrier_view_t *barriers;
    size_t count = 0;
    if (coordinator_barriers(coordinator, now, sim_operators_feed(), arena, &barriers, &count) !=
        SLUICE_OK)
        return;
    for (size_t i = 0; i < count; i++)
        printf("  event %llu%s %s reported %u of %u, done %u, writer on %s, missing %s\n",
               (unsigned long long)barriers[i].key.commit_ts.v,
               barriers[i].key.is_syncpoint ? "s" : "", barriers[i].state, barriers[i].reported,
               barriers[i].required, barriers[i].done, barriers[i].writer_node,
               barriers[i].missing);
}

static void explain_tables(coordinator_t *coordinator, arena_t *arena)
{
    table_view_t *tables;
    size_t count = 0;
    if (coordinator_tables(coordinator, sim_operators_feed(), arena, &tables, &count) != SLUICE_OK)
        return;
    for (size_t i = 0; i < count; i++)
        printf("  table %llx %s.%s %04llx %s on %s at %llu passed %llu%s%s\n",
               (unsigned long long)(tables[i].table_id.v & 0xffff), tables[i].schema,
               tables[i].name, (unsigned long long)(tables[i].dispatcher_id.lo & 0xffff),
               tables[i].state, tables[i].node, (unsigned long long)tables[i].position.checkpoint.v,
               (unsigned long long)tables[i].position.passed.commit_ts.v,
               tables[i].position.passed.is_syncpoint ? "s" : "",
               tables[i].is_waiting ? " waiting" : "");
}

static void explain_node(const sim_process_t *process)
{
    node_core_t *core = sim_node_core(process);
    printf("  %s %s\n", process->name,
           process->state == SIM_UP     ? "up"
           : process->state == SIM_DOWN ? "down"
                                        : "stopped");
    for (uint32_t i = 0; core && i < node_core_changefeed_count(core); i++) {
        node_changefeed_t *changefeed = node_core_changefeed(core, i);
        if (!changefeed)
            continue;
        node_changefeed_state_t state;
        node_changefeed_state(changefeed, &state);
        printf("    %u dispatchers checkpoint %llu resolved %llu %s %s\n", state.dispatchers,
               (unsigned long long)state.checkpoint.v, (unsigned long long)state.resolved.v,
               sluice_error_name(state.error), state.error_text);
        printf("    read to %llu, %llu bytes held%s; streams: %u, %u of other nodes, %u withheld, "
               "%u caught up; sessions on other nodes: %llu\n",
               (unsigned long long)state.feed.resolved.v, (unsigned long long)state.feed.tail_bytes,
               state.feed.is_waiting_for_room ? ", no room" : "", state.feed.streams,
               state.feed.remote_streams, state.feed.withheld, state.feed.catching_up,
               (unsigned long long)state.sessions.reading_others);
    }
}

void sim_rest_explain(const sim_world_t *world)
{
    const sim_process_t *maintainer = sim_world_active_maintainer(world);
    arena_t arena = {0};
    changefeed_view_t view;
    if (maintainer) {
        coordinator_t *coordinator = sim_maintainer_coordinator(maintainer);
        mono_ns_t now = sim_process_now(maintainer);
        if (coordinator_changefeed(coordinator, now, sim_operators_feed(), &arena, &view) ==
            SLUICE_OK)
            printf("  %s: state %s phase %s checkpoint %llu holding %s error %s\n",
                   maintainer->name, changefeed_state_name(view.state), view.phase,
                   (unsigned long long)view.checkpoint.v, view.holding,
                   view.error_text ? view.error_text : "");
        explain_barriers(coordinator, now, &arena);
        explain_tables(coordinator, &arena);
    }
    arena_clear(&arena);
    for (uint32_t i = 0; i < world->rates.nodes; i++)
        explain_node(world->nodes[i]);
}
