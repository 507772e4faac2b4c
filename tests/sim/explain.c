#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "tests/sim/run.h"

/* What is told of the time around the gate. */
#define BEFORE_NS (500 * NS_PER_MS)
#define AFTER_NS (500 * NS_PER_MS)

typedef struct {
    mono_ns_t first, last; /* WAITING was said; DONE was said */
} gate_t;

typedef struct {
    sim_world_t *world;
    commit_ts_t start;
    gate_t *gates; /* two for each commit_ts: DDL and sync point */
    uint32_t count;
    /* Once it is chosen. */
    event_key_t key;
    gate_t gate;
} story_t;

/* ---- which gate ---- */

static void watch(void *context, const sim_moment_t *moment)
{
    story_t *story = context;
    if (moment->kind != SIM_SENT || moment->message->header.type != MESSAGE_BLOCK_STATUS_REQUEST)
        return;
    const block_status_request_t *request = &moment->message->block_status_request;
    for (uint32_t i = 0; i < request->group_count; i++) {
        const block_status_group_t *group = &request->groups[i];
        uint64_t place = 2 * (group->key.commit_ts.v - story->start.v) + group->key.is_syncpoint;
        if (place >= story->count)
            continue;
        gate_t *gate = &story->gates[place];
        if (group->stage == STAGE_WAITING && gate->first.v == 0)
            gate->first = story->world->now;
        if (group->stage == STAGE_DONE && gate->first.v)
            gate->last = story->world->now;
    }
}

static bool choose(story_t *story)
{
    uint64_t longest = 0;
    for (uint32_t i = 0; i < story->count; i++) {
        const gate_t *gate = &story->gates[i];
        uint64_t took = mono_elapsed(gate->first, gate->last);
        if (took <= longest)
            continue;
        longest = took;
        story->gate = *gate;
        story->key = (event_key_t){{story->start.v + i / 2}, i % 2};
    }
    return longest > 0;
}

/* ---- its story ---- */

static bool is_of_gate(const story_t *story, const char *line)
{
    char in_message[32], in_sink[32], in_log[32];
    unsigned long long ts = story->key.commit_ts.v;
    snprintf(in_message, sizeof in_message, "(%llu%s)", ts, story->key.is_syncpoint ? "s" : "");
    snprintf(in_sink, sizeof in_sink, " at %llu", ts);
    snprintf(in_log, sizeof in_log, "logs barrier_");
    const char *sink = strstr(line, ", table ") ? strstr(line, in_sink) : NULL;
    bool is_in_sink = sink && (sink[strlen(in_sink)] < '0' || sink[strlen(in_sink)] > '9');
    char named[64];
    snprintf(named, sizeof named, " %llu", ts);
    const char *log = strstr(line, in_log);
    const char *tail = log ? strstr(log, named) : NULL;
    return strstr(line, in_message) || is_in_sink || (tail && tail[strlen(named)] == '\0');
}

static bool is_fault(const char *actor, const char *line)
{
    static const char *const words[] = {"died",
                                        "starts,",
                                        "is stopped",
                                        "is continued",
                                        "is cut",
                                        "is joined",
                                        "loses its",
                                        "is connected",
                                        "takes over",
                                        "starts again",
                                        "changefeed_phase",
                                        "is told to leave",
                                        "schedule_request"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(line, words[i]))
            return true;
    return strcmp(actor, "plan") == 0 || strcmp(actor, "people") == 0 ||
           strcmp(actor, "store") == 0 || strcmp(actor, "CHECK") == 0;
}

static void tell(void *context, const char *actor, const char *line)
{
    const story_t *story = context;
    mono_ns_t now = story->world->now;
    bool is_near = mono_add(now, BEFORE_NS).v >= story->gate.first.v &&
                   now.v <= mono_add(story->gate.last, AFTER_NS).v;
    if (is_of_gate(story, line) || (is_near && is_fault(actor, line)))
        printf("%10.6f %-6s %s\n", (double)now.v / 1e9, actor, line);
}

static void say_what_it_is(const story_t *story)
{
    char text[256] = "a sync point";
    if (!story->key.is_syncpoint)
        sim_log_describe(story->world->log, story->key.commit_ts, text, sizeof text);
    printf("seed %llu, the gate at %llu%s: %s\nopen for %.3f s\n",
           (unsigned long long)story->world->seed, (unsigned long long)story->key.commit_ts.v,
           story->key.is_syncpoint ? "s" : "", text,
           (double)mono_elapsed(story->gate.first, story->gate.last) / 1e9);
}

static void run(story_t *story, uint64_t seed, bool tells)
{
    sim_plan_t plan;
    sim_run_plan(seed, &plan);
    story->world = sim_world_new(seed, NULL, false, false);
    if (!tells) {
        story->start = sim_log_start(story->world->log).commit_ts;
        story->count = 2 * (uint32_t)(sim_log_last(story->world->log).v - story->start.v + 1);
        story->gates = memory_zalloc(story->count * sizeof *story->gates);
        story->world->watcher = watch;
        story->world->watcher_context = story;
    } else {
        say_what_it_is(story);
        story->world->told = tell;
        story->world->told_context = story;
    }
    sim_plan_begin(story->world);
    sim_plan_run(&plan, story->world);
    story->world->told = NULL;
    sim_world_destroy(&story->world);
}

void sim_explain(uint64_t seed)
{
    story_t story = {0};
    run(&story, seed, false);
    if (choose(&story))
        run(&story, seed, true);
    else
        printf("seed %llu has no gate that took any time\n", (unsigned long long)seed);
    free(story.gates);
}
