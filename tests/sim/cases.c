#include "tests/sim/cases.h"

#include <stdio.h>

#include "tests/sim/maintainer_process.h"
#include "tests/sim/meta_store.h"
#include "tests/sim/network.h"
#include "tests/sim/operators.h"
#include "tests/sim/plan.h"
#include "tests/sim/rest.h"

enum { TRAPS_MAX = 8, CASE_SEED = 1 };
#define AWAIT_NS_MAX (60 * NS_PER_S)
#define STEP_NS (NS_PER_MS)

typedef struct {
    sim_case_trap_t trap;
    bool is_armed;
    uint32_t sprung;
} armed_t;

struct sim_case {
    sim_world_t *world;
    armed_t traps[TRAPS_MAX];
    uint32_t trap_count;
};

sim_world_t *sim_case_world(sim_case_t *self)
{
    return self->world;
}

commit_ts_t sim_case_ts(const sim_case_t *self, uint64_t n)
{
    return (commit_ts_t){sim_log_first(self->world->log).v + n - 1};
}

void sim_case_expect(sim_case_t *self, bool holds, const char *what)
{
    if (!holds)
        sim_violated(self->world, "case", "%s", what);
}

/* ---- traps ---- */

static bool is_key(const sim_case_t *self, const sim_case_trap_t *trap, commit_ts_t ts)
{
    return trap->group == 0 || sim_case_ts(self, trap->group).v == ts.v;
}

static bool has_status(const sim_case_t *self, const sim_case_trap_t *trap,
                       const message_t *message)
{
    const block_status_request_t *request = &message->block_status_request;
    for (uint32_t i = 0; i < request->group_count; i++)
        if (request->groups[i].stage == trap->stage &&
            is_key(self, trap, request->groups[i].key.commit_ts))
            return true;
    return false;
}

static bool has_action(const sim_case_t *self, const sim_case_trap_t *trap,
                       const message_t *message)
{
    const heartbeat_response_t *response = &message->heartbeat_response;
    for (uint32_t i = 0; i < response->action_count; i++)
        if (response->actions[i].kind == trap->action &&
            is_key(self, trap, response->actions[i].key.commit_ts))
            return true;
    return false;
}

static bool is_meant(const sim_case_t *self, const sim_case_trap_t *trap,
                     const sim_moment_t *moment)
{
    if (trap->moment != moment->kind)
        return false;
    if (moment->kind != SIM_SENT && moment->kind != SIM_DELIVERED)
        return (trap->table.v == 0 || trap->table.v == moment->table_id.v) &&
               (is_key(self, trap, moment->commit_ts) || is_key(self, trap, moment->key.commit_ts));
    const message_t *message = moment->message;
    if (trap->has_stage)
        return message->header.type == MESSAGE_BLOCK_STATUS_REQUEST &&
               has_status(self, trap, message);
    if (trap->has_action)
        return message->header.type == MESSAGE_HEARTBEAT_RESPONSE &&
               has_action(self, trap, message);
    return trap->type == message->header.type;
}

static void start(void *context, uint64_t unused)
{
    (void)unused;
    sim_process_start(context);
}

void sim_case_kill(sim_case_t *self, sim_process_t *process, uint64_t ms)
{
    if (!process)
        return;
    sim_process_kill(process);
    sim_after(self->world, NULL, ms * NS_PER_MS + 1, start, process, 0);
}

static void act(sim_case_t *self, const sim_case_trap_t *trap, const sim_moment_t *moment)
{
    switch (trap->act) {
    case CASE_WATCH:
        break;
    case CASE_LOSE:
        self->world->loses_message = true;
        break;
    case CASE_KILL_SENDER:
        sim_case_kill(self, moment->from, trap->ms);
        break;
    case CASE_KILL_RECEIVER:
        sim_case_kill(self, moment->to, trap->ms);
        break;
    case CASE_STOP_SENDER:
        sim_process_stop(moment->from, trap->ms * NS_PER_MS);
        break;
    case CASE_STOP_RECEIVER:
        sim_process_stop(moment->to, trap->ms * NS_PER_MS);
        break;
    case CASE_KILL_NODES:
        for (uint32_t i = 0; i < self->world->rates.nodes; i++)
            sim_case_kill(self, self->world->nodes[i], trap->ms + 10 * i);
        break;
    }
    if (trap->takes_maintainer)
        sim_case_kill(self, moment->from->is_maintainer ? moment->from : moment->to, trap->ms);
}

static void see(void *context, const sim_moment_t *moment)
{
    sim_case_t *self = context;
    for (uint32_t i = 0; i < self->trap_count; i++) {
        armed_t *armed = &self->traps[i];
        if (!armed->is_armed || !is_meant(self, &armed->trap, moment))
            continue;
        armed->is_armed = armed->trap.is_for_ever;
        armed->sprung++;
        sim_trace(self->world, "case", "trap %u", i);
        act(self, &armed->trap, moment);
    }
}

uint32_t sim_case_trap(sim_case_t *self, const sim_case_trap_t *trap)
{
    uint32_t number = self->trap_count++;
    self->traps[number] = (armed_t){.trap = *trap, .is_armed = true};
    return number;
}

void sim_case_disarm(sim_case_t *self, uint32_t trap)
{
    self->traps[trap].is_armed = false;
}

uint32_t sim_case_sprung(const sim_case_t *self, uint32_t trap)
{
    return self->traps[trap].sprung;
}

void sim_case_wait(sim_case_t *self, uint64_t ms)
{
    sim_world_run(self->world, ms * NS_PER_MS);
}

void sim_case_await(sim_case_t *self, uint32_t trap)
{
    mono_ns_t end = mono_add(self->world->now, AWAIT_NS_MAX);
    while (self->traps[trap].sprung == 0 && !mono_reached(end, self->world->now) &&
           sim_world_run(self->world, STEP_NS))
        ;
    if (self->traps[trap].sprung == 0)
        sim_violated(self->world, "case", "what trap %u waits for has not happened", trap);
}

/* ---- looking ---- */

static sim_process_t *node_named(const sim_case_t *self, const char *name)
{
    for (uint32_t i = 0; i < self->world->rates.nodes; i++)
        if (strcmp(self->world->nodes[i]->name, name) == 0)
            return self->world->nodes[i];
    return NULL;
}

sim_process_t *sim_case_node(const sim_case_t *self, const char *table)
{
    const sim_process_t *maintainer = sim_world_active_maintainer(self->world);
    if (!maintainer)
        return NULL;
    arena_t arena = {0};
    table_view_t *views;
    size_t count = 0;
    sim_process_t *found = NULL;
    if (coordinator_tables(sim_maintainer_coordinator(maintainer), sim_operators_feed(), &arena,
                           &views, &count) != SLUICE_OK)
        count = 0;
    for (size_t i = 0; i < count; i++) {
        char name[128] = "";
        if (views[i].table_id.v)
            snprintf(name, sizeof name, "%s.%s", views[i].schema, views[i].name);
        if (strcmp(name, table) == 0)
            found = node_named(self, views[i].node);
    }
    arena_clear(&arena);
    return found;
}

/* ---- running ---- */

static sim_world_t *world_of(const sim_case_class_t *class, bool is_printed)
{
    sim_told_world_t told = {
        .log = class->log,
        .rates = {.nodes = class->nodes,
                  .maintainers = class->maintainers,
                  .tables = class->tables,
                  .log_interval_ns = 100 * NS_PER_MS,
                  .syncpoint_ms = class->syncpoint_ms,
                  .feed_delay_ns = NS_PER_MS,
                  .sink_delay_min_ns = (class->sink_ms ? class->sink_ms : 1) * NS_PER_MS,
                  .sink_delay_max_ns = (class->sink_ms + 3) * NS_PER_MS,
                  .sink_linger_ns = 500 * NS_PER_MS}};
    sim_world_t *world = sim_world_new(CASE_SEED, &told, is_printed, is_printed);
    *sim_network_rates(world) = (sim_network_rates_t){.delay_max_ns = NS_PER_MS, .queue_max = 64};
    return world;
}

bool sim_case_run(const sim_case_class_t *class, bool is_printed)
{
    sim_case_t self = {.world = world_of(class, is_printed)};
    self.world->observer = see;
    self.world->observer_context = &self;
    sim_plan_begin(self.world);
    class->run(&self);
    for (uint32_t i = 0; i < self.trap_count; i++) {
        sim_case_expect(&self, self.traps[i].sprung > 0, "a trap was never sprung");
        self.traps[i].is_armed = false;
    }
    if (!self.world->has_failed)
        sim_plan_heal(self.world);
    bool holds = !self.world->has_failed;
    if (!holds) {
        printf("case %s: %s: %s\n", class->name, self.world->invariant, self.world->failure);
        sim_rest_explain(self.world);
    }
    sim_world_destroy(&self.world);
    return holds;
}
