#include "tests/sim/plan.h"

#include "tests/sim/maintainer_process.h"
#include "tests/sim/meta_store.h"
#include "tests/sim/network.h"
#include "tests/sim/node_process.h"
#include "tests/sim/operators.h"
#include "tests/sim/rest.h"

/* Once nothing fails any more, something is stuck when the checkpoint has not moved for so long and
 * there is no rest either. */
#define REST_NS_MAX (100 * NS_PER_S)
#define LOOK_NS (200 * NS_PER_MS)

/* ---- drawing ---- */

/* How often each kind comes, of all these together. */
static const uint32_t weights[SIM_OPERATION_COUNT] = {
    [SIM_NODE_KILL] = 14,      [SIM_NODE_STOP] = 12,
    [SIM_NODE_LEAVE] = 5,      [SIM_MAINTAINER_KILL] = 10,
    [SIM_MAINTAINER_STOP] = 6, [SIM_MAINTAINER_REPLACE] = 5,
    [SIM_STORE_GONE] = 4,      [SIM_LINK_LOSE] = 8,
    [SIM_LINK_HOLD] = 6,       [SIM_LINK_RESET] = 6,
    [SIM_EVENTS_LOSE] = 3,     [SIM_EVENTS_HOLD] = 3,
    [SIM_EVENTS_RESET] = 3,    [SIM_MOVE] = 16,
    [SIM_DRAIN] = 3,           [SIM_PAUSE] = 4,
    [SIM_KILL_AT] = 16,        [SIM_STOP_AT] = 10,
    [SIM_ALL_KILL] = 2,
};

static sim_operation_kind_t draw_kind(sim_random_t *random)
{
    uint32_t all = 0;
    for (int i = 0; i < SIM_OPERATION_COUNT; i++)
        all += weights[i];
    uint64_t at = sim_random_below(random, all);
    int kind = 0;
    for (; at >= weights[kind]; kind++)
        at -= weights[kind];
    return (sim_operation_kind_t)kind;
}

static const sim_moment_kind_t moments[] = {
    SIM_SENT,       SIM_SENT,    SIM_SENT,         SIM_DELIVERED,      SIM_PERSISTING,
    SIM_PERSISTED,  SIM_CLAIMED, SIM_ROWS_SENDING, SIM_ROWS_COMMITTED, SIM_DDL_LOCKING,
    SIM_DDL_BEFORE, SIM_DDL_RAN, SIM_DDL_AFTER,    SIM_SYNCPOINT,
};

/* Mostly short; now and then longer than any lease. */
static uint64_t draw_ms(sim_random_t *random, sim_operation_kind_t kind)
{
    if (kind == SIM_STORE_GONE && sim_random_chance(random, 20))
        return sim_random_between(random, 0, 60000);
    if (kind == SIM_NODE_STOP && sim_random_chance(random, 20))
        return sim_random_between(random, 0, 30000);
    /* So that others take over what it is at, and it comes back. */
    if (sim_random_chance(random, 15))
        return sim_random_between(random, 11000, 26000);
    return sim_random_between(random, 0, sim_random_chance(random, 30) ? 14000 : 3000);
}

static sim_operation_t draw_operation(const sim_plan_t *plan, const sim_rates_t *rates,
                                      sim_random_t *random)
{
    sim_operation_t operation = {.kind = draw_kind(random)};
    operation.at_ms = sim_random_between(random, 1000, plan->end_ms);
    operation.node = (uint32_t)sim_random_below(random, rates->nodes);
    operation.maintainer = (uint32_t)sim_random_below(random, rates->maintainers);
    operation.wires = (uint32_t)sim_random_between(random, 1, (1U << SIM_LINK_WIRES) - 1);
    bool is_frequent = sim_random_chance(random, 50);
    operation.number = (uint32_t)sim_random_between(random, 1, is_frequent ? 8 : 100);
    operation.moment = moments[sim_random_below(random, sizeof moments / sizeof moments[0])];
    operation.ms = draw_ms(random, operation.kind);
    operation.other = (uint32_t)sim_random_below(random, rates->nodes);
    return operation;
}

void sim_plan_draw(sim_plan_t *plan, const sim_rates_t *rates, sim_random_t *random)
{
    bool is_long = sim_random_chance(random, 30);
    *plan = (sim_plan_t){.end_ms = sim_random_between(random, 5000, is_long ? 90000 : 30000)};
    plan->count = (uint32_t)sim_random_between(
        random, 1, is_long ? SIM_OPERATIONS_MAX : SIM_OPERATIONS_MAX / 2);
    uint32_t together = (uint32_t)sim_random_between(random, 0, 60);
    for (uint32_t i = 0; i < plan->count; i++) {
        plan->operations[i] = draw_operation(plan, rates, random);
        /* Trouble comes in company. */
        if (i > 0 && sim_random_chance(random, together))
            plan->operations[i].at_ms =
                plan->operations[i - 1].at_ms + sim_random_below(random, 400);
    }
}

/* ---- telling ---- */

static void print_operation(const sim_operation_t *o, FILE *file)
{
    unsigned long long ms = o->ms;
    fprintf(file, "  %6llu ms  ", (unsigned long long)o->at_ms);
    switch (o->kind) {
    case SIM_NODE_KILL:
        fprintf(file, "n%u is killed, down for %llu ms\n", o->node + 1, ms);
        break;
    case SIM_NODE_STOP:
        fprintf(file, "n%u is stopped for %llu ms\n", o->node + 1, ms);
        break;
    case SIM_NODE_LEAVE:
        fprintf(file, "n%u leaves, back after %llu ms\n", o->node + 1, ms);
        break;
    case SIM_MAINTAINER_KILL:
        fprintf(file, "the maintainer is killed, down for %llu ms\n", ms);
        break;
    case SIM_MAINTAINER_STOP:
        fprintf(file, "the maintainer is stopped for %llu ms\n", ms);
        break;
    case SIM_MAINTAINER_REPLACE:
        fprintf(file, "the maintainer is stopped for %llu ms and replaced meanwhile\n", ms);
        break;
    case SIM_STORE_GONE:
        fprintf(file, "the meta store is gone for %llu ms\n", ms);
        break;
    case SIM_LINK_LOSE:
    case SIM_LINK_HOLD:
        fprintf(file, "wires %u of n%u and m%u %s for %llu ms\n", o->wires, o->node + 1,
                o->maintainer + 1, o->kind == SIM_LINK_LOSE ? "lose everything" : "are held back",
                ms);
        break;
    case SIM_LINK_RESET:
        fprintf(file, "connections of n%u and m%u break%s\n", o->node + 1, o->maintainer + 1,
                o->number % 2 ? ", their backlog comes later" : "");
        break;
    case SIM_EVENTS_LOSE:
    case SIM_EVENTS_HOLD:
        fprintf(file, "what n%u reads from n%u is %s for %llu ms\n", o->node + 1, o->other + 1,
                o->kind == SIM_EVENTS_LOSE ? "lost" : "held back", ms);
        break;
    case SIM_EVENTS_RESET:
        fprintf(file, "the connection of n%u to read from n%u breaks\n", o->node + 1, o->other + 1);
        break;
    case SIM_MOVE:
        fprintf(file, "table %u is moved to n%u\n", o->number, o->node + 1);
        break;
    case SIM_DRAIN:
        fprintf(file, "n%u is drained\n", o->node + 1);
        break;
    case SIM_PAUSE:
        fprintf(file, "the changefeed is paused for %llu ms\n", ms);
        break;
    case SIM_KILL_AT:
    case SIM_STOP_AT:
        fprintf(file, "who is at moment \"%s\" number %u is %s for %llu ms\n",
                sim_moment_name(o->moment), o->number,
                o->kind == SIM_KILL_AT ? "killed, down" : "stopped", ms);
        break;
    case SIM_ALL_KILL:
        fprintf(file, "everybody is killed, back within %llu ms\n", ms);
        break;
    case SIM_OPERATION_COUNT:
        break;
    }
}

void sim_plan_print(const sim_plan_t *plan, FILE *file)
{
    for (uint32_t i = 0; i < plan->count; i++)
        if (!plan->operations[i].is_left_out)
            print_operation(&plan->operations[i], file);
    fprintf(file, "  %6llu ms  the world heals\n", (unsigned long long)plan->end_ms);
}

/* ---- doing ---- */

typedef struct {
    uint32_t left;
    const sim_operation_t *operation; /* NULL: not armed */
} trap_t;

typedef struct {
    sim_world_t *world;
    const sim_plan_t *plan;
    trap_t traps[SIM_OPERATIONS_MAX];
    bool is_healed;
} run_t;

static void start_again(void *context, uint64_t unused)
{
    (void)unused;
    sim_process_t *process = context;
    sim_world_t *world = process->world;
    if (process->is_maintainer && !world->has_faults)
        return; /* healed, with one maintainer */
    /* One that still runs without the store is in the way. */
    if (process->is_maintainer && process != sim_world_active_maintainer(world))
        sim_process_kill(process);
    sim_process_start(process);
}

static void start_after(sim_process_t *process, uint64_t ms)
{
    sim_after(process->world, NULL, ms * NS_PER_MS, start_again, process, 0);
}

static sim_process_t *other_maintainer(const sim_world_t *world, const sim_process_t *process)
{
    return world->maintainers[((uint32_t)process->index + 1) % world->rates.maintainers];
}

static void kill_for(sim_process_t *process, uint64_t ms)
{
    sim_world_t *world = process->world;
    sim_process_t *next = process;
    /* A standby takes over from every second one. */
    if (process->is_maintainer && ms % 2)
        next = other_maintainer(world, process);
    sim_process_kill(process);
    start_after(next, ms + 1);
}

/* Ends a leaving that takes too long, and starts it again. */
static void end_leaving(void *context, uint64_t life)
{
    sim_process_t *process = context;
    if (process->life == life)
        sim_process_kill(process);
    start_after(process, 1);
}

static void come_back(void *context, uint64_t unused)
{
    (void)unused;
    sim_store_set_gone(((sim_world_t *)context)->store, false);
}

static void join(void *context, uint64_t pair)
{
    sim_network_join(context, (int)(pair >> 8), (int)(pair & 0xff));
}

static void cut(sim_world_t *world, const sim_operation_t *o)
{
    sim_network_cut(world, (int)o->node, (int)o->maintainer, o->wires, o->kind == SIM_LINK_HOLD);
    sim_after(world, NULL, o->ms * NS_PER_MS, join, world, (uint64_t)o->node << 8 | o->maintainer);
}

static void join_readers(void *context, uint64_t pair)
{
    sim_network_join_readers(context, (int)(pair >> 8), (int)(pair & 0xff));
}

static void cut_readers(sim_world_t *world, const sim_operation_t *o)
{
    sim_network_cut_readers(world, (int)o->node, (int)o->other, o->kind == SIM_EVENTS_HOLD);
    sim_after(world, NULL, o->ms * NS_PER_MS, join_readers, world,
              (uint64_t)o->node << 8 | o->other);
}

static void arm(run_t *run, const sim_operation_t *operation)
{
    for (int i = 0; i < SIM_OPERATIONS_MAX; i++)
        if (!run->traps[i].operation) {
            run->traps[i] = (trap_t){operation->number, operation};
            return;
        }
}

static void operate_on_maintainer(run_t *run, const sim_operation_t *o)
{
    sim_world_t *world = run->world;
    sim_process_t *process = sim_world_active_maintainer(world);
    if (!process)
        return;
    if (o->kind == SIM_MAINTAINER_KILL) {
        kill_for(process, o->ms);
        return;
    }
    sim_process_stop(process, o->ms * NS_PER_MS);
    if (o->kind == SIM_MAINTAINER_REPLACE)
        start_after(other_maintainer(world, process), o->ms / 2);
}

static void kill_all(sim_world_t *world, uint64_t ms)
{
    for (uint32_t i = 0; i < world->rates.nodes; i++)
        kill_for(world->nodes[i], ms * (i + 1) / world->rates.nodes);
    sim_process_t *maintainer = sim_world_active_maintainer(world);
    if (maintainer)
        kill_for(maintainer, ms / 2);
}

static void operate(void *context, uint64_t index)
{
    run_t *run = context;
    sim_world_t *world = run->world;
    const sim_operation_t *o = &run->plan->operations[index];
    sim_process_t *node = world->nodes[o->node];
    if (run->is_healed)
        return;
    switch (o->kind) {
    case SIM_NODE_KILL:
        kill_for(node, o->ms);
        break;
    case SIM_NODE_STOP:
        sim_process_stop(node, o->ms * NS_PER_MS);
        break;
    case SIM_NODE_LEAVE:
        sim_node_leave(node);
        sim_after(world, NULL, o->ms * NS_PER_MS, end_leaving, node, node->life);
        break;
    case SIM_MAINTAINER_KILL:
    case SIM_MAINTAINER_STOP:
    case SIM_MAINTAINER_REPLACE:
        operate_on_maintainer(run, o);
        break;
    case SIM_STORE_GONE:
        sim_store_set_gone(world->store, true);
        sim_after(world, NULL, o->ms * NS_PER_MS, come_back, world, 0);
        break;
    case SIM_LINK_LOSE:
    case SIM_LINK_HOLD:
        cut(world, o);
        break;
    case SIM_LINK_RESET:
        sim_network_reset(world, (int)o->node, (int)o->maintainer, o->number % 2);
        break;
    case SIM_EVENTS_LOSE:
    case SIM_EVENTS_HOLD:
        cut_readers(world, o);
        break;
    case SIM_EVENTS_RESET:
        sim_network_reset_readers(world, (int)o->node, (int)o->other);
        break;
    case SIM_MOVE:
        sim_operators_move(world->operators, o->number, o->node);
        break;
    case SIM_DRAIN:
        sim_operators_drain(world->operators, o->node);
        break;
    case SIM_PAUSE:
        sim_operators_pause(world->operators, o->ms * NS_PER_MS);
        break;
    case SIM_KILL_AT:
    case SIM_STOP_AT:
        arm(run, o);
        break;
    case SIM_ALL_KILL:
        kill_all(world, o->ms);
        break;
    case SIM_OPERATION_COUNT:
        break;
    }
}

/* Traps: who is at the moment they wait for dies there. */
static void see(void *context, const sim_moment_t *moment)
{
    run_t *run = context;
    for (int i = 0; i < SIM_OPERATIONS_MAX; i++) {
        trap_t *trap = &run->traps[i];
        const sim_operation_t *o = trap->operation;
        if (!o || run->is_healed || o->moment != moment->kind || --trap->left > 0)
            continue;
        trap->operation = NULL;
        sim_process_t *victim = moment->kind == SIM_DELIVERED ? moment->to : moment->from;
        if (!victim)
            continue;
        sim_trace(run->world, "plan", "a trap for %s", victim->name);
        if (o->kind == SIM_KILL_AT)
            kill_for(victim, o->ms);
        else
            sim_process_stop(victim, o->ms * NS_PER_MS);
    }
}

/* ---- phases ---- */

void sim_plan_begin(sim_world_t *world)
{
    sim_process_start(world->maintainers[0]);
    for (uint32_t i = 0; i < world->rates.nodes; i++)
        sim_process_start(world->nodes[i]);
    sim_operators_begin(world->operators);
}

/* One maintainer, every node, every wire. */
static void heal(sim_world_t *world)
{
    sim_trace(world, "plan", "the world heals");
    world->has_faults = false;
    sim_store_set_gone(world->store, false);
    for (uint32_t i = 0; i < world->rates.maintainers; i++)
        sim_process_continue(world->maintainers[i]);
    sim_process_t *active = sim_world_active_maintainer(world);
    for (uint32_t i = 0; i < world->rates.maintainers; i++)
        if (world->maintainers[i] != active)
            sim_process_kill(world->maintainers[i]);
    sim_process_start(active ? active : world->maintainers[0]);
    for (uint32_t i = 0; i < world->rates.nodes; i++) {
        sim_process_continue(world->nodes[i]);
        sim_process_start(world->nodes[i]);
        for (uint32_t j = 0; j < world->rates.maintainers; j++)
            sim_network_join(world, (int)i, (int)j);
        for (uint32_t j = 0; j < world->rates.nodes; j++)
            sim_network_join_readers(world, (int)i, (int)j);
    }
    sim_operators_pause(world->operators, 0);
}

static void expect_rest(sim_world_t *world)
{
    char why[256] = "";
    mono_ns_t beginning = world->now;
    uint64_t progress = 0;
    while (sim_world_run(world, LOOK_NS)) {
        if (sim_is_at_rest(world, why, sizeof why)) {
            sim_sink_check_end(world->sink);
            return;
        }
        if (sim_log_visible(world->log, world->now).v < sim_log_last(world->log).v ||
            sim_sink_progress(world->sink) > progress)
            beginning = world->now;
        progress = sim_sink_progress(world->sink);
        if (mono_elapsed(beginning, world->now) > REST_NS_MAX)
            sim_violated(world, "B17", "it does not come to rest: %s", why);
    }
}

void sim_plan_heal(sim_world_t *world)
{
    heal(world);
    expect_rest(world);
}

void sim_plan_run(const sim_plan_t *plan, sim_world_t *world)
{
    run_t run = {.world = world, .plan = plan};
    world->has_faults = true;
    world->observer = see;
    world->observer_context = &run;
    for (uint32_t i = 0; i < plan->count; i++)
        if (!plan->operations[i].is_left_out)
            sim_after(world, NULL, plan->operations[i].at_ms * NS_PER_MS, operate, &run, i);
    if (sim_world_run(world, plan->end_ms * NS_PER_MS)) {
        run.is_healed = true;
        sim_plan_heal(world);
    }
    world->observer = NULL;
    sim_forget(world, &run);
}
