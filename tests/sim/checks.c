#include "tests/sim/checks.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "tests/sim/checks_lease.h"
#include "tests/sim/checks_sessions.h"
#include "tests/sim/maintainer_process.h"
#include "tests/sim/meta_store.h"
#include "tests/sim/operators.h"
#include "tests/sim/world_internal.h"

/* Which table a dispatcher carries; all that were ever given out. */
typedef struct {
    dispatcher_id_t *ids;
    table_id_t *tables;
    uint32_t count, capacity;
} carriers_t;

typedef struct {
    table_id_t *ids;
    uint32_t count, capacity;
} heard_tables_t;

/* What was heard of one barrier event. */
typedef struct {
    bool is_known;
    influence_kind_t scope;
    schema_id_t schema;
    table_id_t *table_ids;
    uint32_t table_count;
    uint64_t epoch;         /* of the maintainer that heard what follows */
    heard_tables_t waiting; /* tables of which a dispatcher told it that it waits (or more) */
    dispatcher_id_t target;
    mono_ns_t written_at; /* WRITE went to the target, by the maintainer's clock */
    mono_ns_t passed_at[SIM_NODES_MAX];
} event_t;

struct sim_checks {
    sim_world_t *world;
    sim_lease_check_t leases;
    sim_session_check_t *sessions;
    struct {
        uint64_t life, epoch;
    } followed[SIM_NODES_MAX]; /* the newest maintainer_epoch that a node has spoken under */
    event_t *events;           /* two for each commit_ts behind the log's start */
    size_t count;
    carriers_t carriers;
    commit_ts_t checkpoint, anchor;
    uint64_t generation;
};

/* ---- lists ---- */

static bool table_list_has(const heard_tables_t *list, table_id_t id)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->ids[i].v == id.v)
            return true;
    return false;
}

static void table_list_add(heard_tables_t *list, table_id_t id)
{
    if (table_list_has(list, id))
        return;
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 8;
        list->ids = memory_realloc(list->ids, list->capacity * sizeof *list->ids);
    }
    list->ids[list->count++] = id;
}

static const table_id_t *carried_by(const carriers_t *carriers, dispatcher_id_t id)
{
    for (uint32_t i = carriers->count; i-- > 0;)
        if (dispatcher_id_equal(carriers->ids[i], id))
            return &carriers->tables[i];
    return NULL;
}

static void note_carrier(carriers_t *carriers, dispatcher_id_t id, table_id_t table)
{
    if (carriers->count == carriers->capacity) {
        carriers->capacity = carriers->capacity ? 2 * carriers->capacity : 32;
        carriers->ids = memory_realloc(carriers->ids, carriers->capacity * sizeof *carriers->ids);
        carriers->tables =
            memory_realloc(carriers->tables, carriers->capacity * sizeof *carriers->tables);
    }
    carriers->ids[carriers->count] = id;
    carriers->tables[carriers->count++] = table;
}

static void hear_waiting(sim_checks_t *checks, event_t *event, dispatcher_id_t id)
{
    const table_id_t *table = carried_by(&checks->carriers, id);
    if (event && table)
        table_list_add(&event->waiting, *table);
}

static event_t *event_of(sim_checks_t *checks, event_key_t key)
{
    uint64_t start = sim_log_start(checks->world->log).commit_ts.v;
    size_t index = 2 * (size_t)(key.commit_ts.v - start) + key.is_syncpoint;
    if (key.commit_ts.v < start || key.commit_ts.v > sim_log_last(checks->world->log).v) {
        sim_violated(checks->world, "B5", "no event is at %llu",
                     (unsigned long long)key.commit_ts.v);
        index = 0;
    }
    if (index >= checks->count) {
        size_t count = 2 * index + 64;
        checks->events = memory_realloc(checks->events, count * sizeof *checks->events);
        memset(&checks->events[checks->count], 0, (count - checks->count) * sizeof(event_t));
        checks->count = count;
    }
    return &checks->events[index];
}

/* A new maintainer has heard nothing; NULL: of one that was replaced. */
static event_t *event_heard_by(sim_checks_t *checks, event_key_t key, uint64_t epoch)
{
    event_t *event = event_of(checks, key);
    if (event->epoch > epoch)
        return NULL;
    if (event->epoch != epoch) {
        event->epoch = epoch;
        event->waiting.count = 0;
        event->target = (dispatcher_id_t){0};
        event->written_at = (mono_ns_t){0};
        memset(event->passed_at, 0, sizeof event->passed_at);
    }
    return event;
}

static bool is_written(const sim_checks_t *checks, event_key_t key)
{
    const sim_world_t *world = checks->world;
    if (key.is_syncpoint)
        return sim_sink_has_syncpoint(world->sink, key.commit_ts);
    return !sim_log_is_carried_ddl(world->log, key.commit_ts) ||
           sim_sink_executions(world->sink, key.commit_ts) > 0;
}

#define KEY "%llu%s"
#define KEY_VALUES(key) (unsigned long long)(key).commit_ts.v, (key).is_syncpoint ? "s" : ""

/* ---- what nodes say ---- */

static void learn(event_t *event, const block_payload_t *payload)
{
    if (!event || event->is_known || !payload)
        return;
    const influence_t *influence = &payload->influence;
    event->is_known = true;
    event->scope = influence->kind;
    event->schema = influence->schema;
    event->table_count = influence->table_count;
    event->table_ids = memory_alloc((influence->table_count + 1) * sizeof *event->table_ids);
    if (influence->table_count)
        memcpy(event->table_ids, influence->table_ids,
               influence->table_count * sizeof *event->table_ids);
}

static void hear_statuses(sim_checks_t *checks, const message_t *message)
{
    const block_status_request_t *request = &message->block_status_request;
    for (uint32_t i = 0; i < request->group_count; i++) {
        const block_status_group_t *group = &request->groups[i];
        if (group->stage != STAGE_WAITING)
            continue;
        event_t *event = event_heard_by(checks, group->key, message->header.maintainer_epoch);
        learn(event, group->payload);
        for (uint32_t j = 0; j < group->dispatcher_count; j++)
            hear_waiting(checks, event, group->dispatchers[j]);
    }
}

static void hear_bootstrap(sim_checks_t *checks, const message_t *message)
{
    const bootstrap_response_t *response = &message->bootstrap_response;
    for (uint32_t i = 0; i < response->entry_count; i++) {
        const bootstrap_entry_t *entry = &response->entries[i];
        if (entry->stage == STAGE_NONE)
            continue;
        event_t *event = event_heard_by(checks, entry->key, message->header.maintainer_epoch);
        learn(event, entry->payload);
        hear_waiting(checks, event, entry->dispatcher_id);
        /* It has its order from a maintainer before, when all waited; another one only repeats it.
         */
        if (event && entry->stage == STAGE_WRITING && dispatcher_id_is_none(event->target))
            event->target = entry->dispatcher_id;
    }
}

/* B20: DONE is said only of what was written. */
static void check_done(sim_checks_t *checks, const sim_moment_t *moment)
{
    const block_status_request_t *request = &moment->message->block_status_request;
    for (uint32_t i = 0; i < request->group_count; i++) {
        const block_status_group_t *group = &request->groups[i];
        if (group->stage == STAGE_DONE && !is_written(checks, group->key))
            sim_violated(checks->world, "B20", "%s says DONE(" KEY "), which was not written",
                         sim_process_name(moment->from), KEY_VALUES(group->key));
    }
}

/* F1: a node that has followed a maintainer does not go back to an earlier one. */
static void check_epoch(sim_checks_t *checks, const sim_moment_t *moment)
{
    const sim_process_t *node = moment->from;
    uint64_t epoch = moment->message->header.maintainer_epoch;
    uint64_t life = sim_process_life(node);
    uint64_t *followed = &checks->followed[sim_process_index(node)].epoch;
    if (checks->followed[sim_process_index(node)].life != life)
        *followed = 0;
    checks->followed[sim_process_index(node)].life = life;
    if (epoch && epoch < *followed)
        sim_violated(checks->world, "F1", "%s speaks under epoch %llu after %llu",
                     sim_process_name(node), (unsigned long long)epoch,
                     (unsigned long long)*followed);
    *followed = epoch > *followed ? epoch : *followed;
}

/* ---- what maintainers order ---- */

typedef struct {
    arena_t arena;
    table_view_t *tables;
    size_t count;
} view_t;

static view_t view_of(const sim_process_t *maintainer)
{
    view_t view = {0};
    if (coordinator_tables(sim_maintainer_coordinator(maintainer), sim_operators_feed(),
                           &view.arena, &view.tables, &view.count) != SLUICE_OK)
        view.count = 0;
    return view;
}

static bool is_in_scope(const event_t *event, const table_view_t *table)
{
    if (event->scope == INFLUENCE_ALL)
        return true;
    if (event->scope == INFLUENCE_DB)
        return table->table_id.v == 0 ||
               schema_id_derive(bytes_of_text(table->schema)).v == event->schema.v;
    for (uint32_t i = 0; i < event->table_count; i++)
        if (event->table_ids[i].v == table->table_id.v)
            return true;
    return false;
}

/* B2: whoever is in scope and replicates waits, or began after another of its table did. */
static void check_all_wait(sim_checks_t *checks, const event_t *event, event_key_t key,
                           const view_t *view)
{
    for (size_t i = 0; i < view->count; i++) {
        const table_view_t *table = &view->tables[i];
        if (strcmp(table->state, "replicating") == 0 && is_in_scope(event, table) &&
            !table_list_has(&event->waiting, table->table_id))
            sim_violated(checks->world, "B2",
                         "WRITE(" KEY ") leaves, but %s.%s on %s has not said that it waits",
                         KEY_VALUES(key), table->schema, table->name, table->node);
    }
}

static const table_view_t *table_of(const view_t *view, dispatcher_id_t id)
{
    for (size_t i = 0; i < view->count; i++)
        if (dispatcher_id_equal(view->tables[i].dispatcher_id, id))
            return &view->tables[i];
    return NULL;
}

static bool wants_trigger(const event_t *event)
{
    if (event->scope != INFLUENCE_NORMAL)
        return true;
    for (uint32_t i = 0; i < event->table_count; i++)
        if (event->table_ids[i].v == 0)
            return true;
    return false;
}

static void check_write(sim_checks_t *checks, const sim_moment_t *moment,
                        const barrier_action_t *action)
{
    sim_world_t *world = checks->world;
    event_t *event = event_heard_by(checks, action->key, moment->message->header.maintainer_epoch);
    if (!event)
        return;
    mono_ns_t now = sim_process_now(moment->from);
    dispatcher_id_t target = action->dispatchers[0];
    bool is_repeat = dispatcher_id_equal(event->target, target);
    if (is_repeat && mono_elapsed(event->written_at, now) < world->settings.action_resend_ns)
        sim_violated(world, "B16", "WRITE(" KEY ") is repeated too soon", KEY_VALUES(action->key));
    if (!is_repeat) {
        view_t view = view_of(moment->from);
        const table_view_t *table = table_of(&view, target);
        if (!dispatcher_id_is_none(event->target) && table_of(&view, event->target))
            sim_violated(world, "B3", "WRITE(" KEY ") has a second writer while the first is there",
                         KEY_VALUES(action->key));
        if (event->is_known && wants_trigger(event) && table && table->table_id.v != 0)
            sim_violated(world, "B4", "WRITE(" KEY ") goes to %s.%s, not to the trigger",
                         KEY_VALUES(action->key), table->schema, table->name);
        if (dispatcher_id_is_none(event->target) && !is_written(checks, action->key))
            check_all_wait(checks, event, action->key, &view);
        arena_clear(&view.arena);
    }
    event->target = target;
    event->written_at = now;
}

static void check_pass(sim_checks_t *checks, const sim_moment_t *moment,
                       const barrier_action_t *action)
{
    sim_world_t *world = checks->world;
    event_t *event = event_heard_by(checks, action->key, moment->message->header.maintainer_epoch);
    if (!event)
        return;
    mono_ns_t now = sim_process_now(moment->from);
    mono_ns_t *passed_at = &event->passed_at[sim_process_index(moment->to)];
    if (!is_written(checks, action->key))
        sim_violated(world, "B5", "PASS(" KEY ") leaves before it was written",
                     KEY_VALUES(action->key));
    if (passed_at->v && mono_elapsed(*passed_at, now) < world->settings.action_resend_ns)
        sim_violated(world, "B16", "PASS(" KEY ") is repeated too soon", KEY_VALUES(action->key));
    *passed_at = now;
}

static void check_creates(sim_checks_t *checks, const schedule_request_t *schedule, uint64_t epoch)
{
    const stored_changefeed_t *stored = sim_store_find(checks->world->store, sim_operators_feed());
    for (uint32_t i = 0; i < schedule->create_count; i++) {
        const schedule_create_t *create = &schedule->creates[i];
        if (carried_by(&checks->carriers, create->dispatcher_id))
            continue;
        note_carrier(&checks->carriers, create->dispatcher_id, create->span.table_id);
        unsigned long long table = create->span.table_id.v & 0xffff;
        if (create->created.v && !is_written(checks, (event_key_t){create->created, false}))
            sim_violated(checks->world, "B11", "table %llx is given out before its CREATE at %llu",
                         table, (unsigned long long)create->created.v);
        if (stored && stored->maintainer_epoch == epoch &&
            create->start.checkpoint.v < stored->checkpoint.v)
            sim_violated(checks->world, "K9", "table %llx starts at %llu, checkpoint is %llu",
                         table, (unsigned long long)create->start.checkpoint.v,
                         (unsigned long long)stored->checkpoint.v);
    }
}

/* ---- what is persisted ---- */

/* Definitions are the same before and after it. */
static bool keeps_definitions(statement_kind_t kind)
{
    return kind == STATEMENT_TRUNCATE || kind == STATEMENT_TRUNCATE_PARTITION ||
           kind == STATEMENT_EXCHANGE_PARTITION || kind == STATEMENT_ANALYZE ||
           kind == STATEMENT_CREATE_VIEW || kind == STATEMENT_DROP_VIEW;
}

/* Whoever opens the log at the anchor knows every definition there. */
static void check_schema(sim_checks_t *checks, const changefeed_ref_t *ref, commit_ts_t anchor)
{
    sim_world_t *world = checks->world;
    for (commit_ts_t ts = sim_log_first(world->log); ts.v <= anchor.v; ts.v++) {
        const sim_group_t *group = sim_log_group(world->log, ts);
        if (sim_log_is_carried_ddl(world->log, ts) && !keeps_definitions(group->statement.kind) &&
            !sim_store_leads_to(world->store, ref, anchor, ts))
            sim_violated(world, "K1", "the stored schema lacks %s at %llu below anchor %llu",
                         sim_statement_kind_name(group->statement.kind), (unsigned long long)ts.v,
                         (unsigned long long)anchor.v);
    }
}

static void check_checkpoint(sim_checks_t *checks, const effect_t *effect)
{
    sim_world_t *world = checks->world;
    commit_ts_t checkpoint = effect->position.checkpoint;
    const anchor_t *anchor = &effect->position.anchor;
    if (effect->changefeed.generation != checks->generation) {
        checks->generation = effect->changefeed.generation;
        checks->checkpoint = checks->anchor = (commit_ts_t){0};
    }
    if (checkpoint.v < checks->checkpoint.v || anchor->commit_ts.v < checks->anchor.v)
        sim_violated(world, "K1", "checkpoint %llu after %llu, anchor %llu after %llu",
                     (unsigned long long)checkpoint.v, (unsigned long long)checks->checkpoint.v,
                     (unsigned long long)anchor->commit_ts.v, (unsigned long long)checks->anchor.v);
    if (anchor->commit_ts.v > checkpoint.v)
        sim_violated(world, "K1", "anchor %llu is above checkpoint %llu",
                     (unsigned long long)anchor->commit_ts.v, (unsigned long long)checkpoint.v);
    if (anchor->commit_ts.v > checks->anchor.v)
        check_schema(checks, &effect->changefeed, anchor->commit_ts);
    checks->checkpoint = checkpoint;
    checks->anchor = anchor->commit_ts;
    sim_sink_check_checkpoint(world->sink, checkpoint);
}

static void check_persisted(sim_checks_t *checks, const effect_t *effect)
{
    if (effect->kind == EFFECT_PERSIST_CHECKPOINT)
        check_checkpoint(checks, effect);
    if (effect->kind == EFFECT_PERSIST_STATE && effect->stored.state == CHANGEFEED_FAILED)
        sim_violated(checks->world, "failed", "the changefeed has failed: %s %.*s",
                     sluice_error_name(effect->stored.error), (int)effect->stored.error_text.len,
                     (const char *)effect->stored.error_text.data);
}

/* An event that is over may come again with a dispatcher that is recreated below it. */
static void forget_finished(sim_checks_t *checks, const log_line_t *line)
{
    if (strcmp(line->event, "barrier_finished") != 0)
        return;
    event_key_t key = {{strtoull(line->fields[0].value, NULL, 10)},
                       strcmp(line->fields[1].value, "true") == 0};
    event_t *event = event_of(checks, key);
    event->written_at = (mono_ns_t){0};
    memset(event->passed_at, 0, sizeof event->passed_at);
    event->target = (dispatcher_id_t){0};
}

/* ---- the whole ---- */

static void see_sent(sim_checks_t *checks, const sim_moment_t *moment)
{
    const message_t *message = moment->message;
    if (message->header.type == MESSAGE_BLOCK_STATUS_REQUEST)
        check_done(checks, moment);
    if (message->header.type == MESSAGE_BLOCK_STATUS_REQUEST ||
        message->header.type == MESSAGE_HEARTBEAT_REQUEST)
        check_epoch(checks, moment);
    if (message->header.type == MESSAGE_HEARTBEAT_REQUEST)
        sim_lease_check_sent(&checks->leases, moment->from, message);
    if (message->header.type == MESSAGE_SCHEDULE_REQUEST)
        check_creates(checks, &message->schedule_request, message->header.maintainer_epoch);
    if (message->header.type != MESSAGE_HEARTBEAT_RESPONSE)
        return;
    for (uint32_t i = 0; i < message->heartbeat_response.action_count; i++) {
        const barrier_action_t *action = &message->heartbeat_response.actions[i];
        if (action->kind == ACTION_WRITE)
            check_write(checks, moment, action);
        else
            check_pass(checks, moment, action);
    }
}

void sim_checks_see(sim_checks_t *checks, const sim_moment_t *moment)
{
    sim_session_check_see(checks->sessions, moment);
    if (moment->kind == SIM_SENT)
        see_sent(checks, moment);
    else if (moment->kind == SIM_ROWS_SENDING || moment->kind == SIM_DDL_LOCKING)
        sim_lease_check_write(&checks->leases, moment->from);
    else if (moment->kind == SIM_DELIVERED &&
             moment->message->header.type == MESSAGE_HEARTBEAT_RESPONSE)
        sim_lease_check_answered(&checks->leases, moment->to,
                                 moment->message->heartbeat_response.newest_heartbeat);
    else if (moment->kind == SIM_LOGGED)
        forget_finished(checks, &moment->effect->log);
    else if (moment->kind == SIM_PERSISTED)
        check_persisted(checks, moment->effect);
    else if (moment->kind == SIM_DELIVERED &&
             moment->message->header.type == MESSAGE_BLOCK_STATUS_REQUEST)
        hear_statuses(checks, moment->message);
    else if (moment->kind == SIM_DELIVERED &&
             moment->message->header.type == MESSAGE_BOOTSTRAP_RESPONSE)
        hear_bootstrap(checks, moment->message);
}

sim_checks_t *sim_checks_new(sim_world_t *world)
{
    sim_checks_t *checks = memory_zalloc(sizeof *checks);
    checks->world = world;
    checks->sessions = sim_session_check_new(world);
    return checks;
}

void sim_checks_destroy(sim_checks_t **checks)
{
    for (size_t i = 0; i < (*checks)->count; i++) {
        free((*checks)->events[i].table_ids);
        free((*checks)->events[i].waiting.ids);
    }
    sim_session_check_destroy(&(*checks)->sessions);
    free((*checks)->events);
    free((*checks)->carriers.ids);
    free((*checks)->carriers.tables);
    free(*checks);
    *checks = NULL;
}
